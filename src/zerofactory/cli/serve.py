"""Command of the server: serve."""

from __future__ import annotations

import ipaddress
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, state
from zerofactory.cli.output import door, leave, print_json, print_line

if TYPE_CHECKING:
    from zerofactory.errors import Problem

PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="PORT", help=say("端口", "port"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("serve", help=say("在浏览器里用: 启动页面和接口", "in the browser: start the pages and the API"))(serve)


EXIT_REFUSED = 2


@door
def serve(
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help=say("监听地址(默认仅本机)", "address (default: this machine)")),
    ] = "127.0.0.1",
    port: PortOption = 8080,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help=say("TLS 证书(PEM)", "TLS certificate (PEM)"))
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help=say("TLS 私钥(PEM)", "TLS key (PEM)"))
    ] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help=say("在终结 TLS 的反向代理之后", "behind a reverse proxy that ends TLS")),
    ] = False,
    plain_public: Annotated[
        bool,
        typer.Option(
            "--allow-plain-http", help=say("允许对外明文 HTTP(不安全)", "allow plain HTTP to the outside (not safe)")
        ),
    ] = False,
    upload_megabytes: Annotated[
        int, typer.Option("--upload-mb", min=1, metavar="MB", help=say("单次上传上限", "bound of one upload"))
    ] = 256,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    if (certificate is None) != (key is None):
        leave((_half(),), EXIT_REFUSED, as_json=as_json)
    tls = certificate is not None and key is not None
    if not (tls or behind_proxy or plain_public or _is_loopback(host)):
        leave((_public(host),), EXIT_REFUSED, as_json=as_json)
    from zerofactory.connectors.listening import listening_at, shown

    listening = listening_at(host, port)
    import uvicorn

    from zerofactory.api.app import Settings, create
    from zerofactory.runs.access import first_invitation
    from zerofactory.runs.context import clock
    from zerofactory.runs.partners import delivering
    from zerofactory.web.app import mount

    root = workspace or state.workspace or Path()
    app = create(root, Settings(tls or behind_proxy, upload_megabytes))
    mount(app)
    address = f"{'https' if tls else 'http'}://{shown(host)}:{listening.getsockname()[1]}"
    code = first_invitation(app.state.server.access, clock())
    _told(address, code, as_json=as_json)
    sys.stdout.flush()  # whoever reads it through a pipe needs the link now
    settings = uvicorn.Config(
        app, log_level="warning", server_header=False, proxy_headers=behind_proxy,
        ssl_certfile=str(certificate) if tls else None, ssl_keyfile=str(key) if tls else None,
    )  # fmt: skip
    with listening, delivering(app.state.server), suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[listening])


def _told(address: str, code: str | None, *, as_json: bool) -> None:
    if as_json:
        welcome = None if code is None else f"{address}/welcome?code={code}"
        print_json({"pages": f"{address}/", "api": f"{address}/v1/openapi.json", "welcome": welcome})
        return
    print_line(
        say(f"页面 {address}/  接口说明 {address}/v1/openapi.json", f"Pages {address}/  API {address}/v1/openapi.json")
    )
    if code is not None:
        print_line(
            say(
                f"还没有管理员。用这个一次性链接建立管理员(24 小时内有效):\n{address}/welcome?code={code}",
                f"There is no administrator yet. This link makes the administrator, once, within 24 hours:\n{address}/welcome?code={code}",
            )
        )


def _half() -> Problem:
    from zerofactory.errors import Problem, Text

    return Problem(
        "serve.half_tls",
        Text("证书和私钥要一起给。", "A certificate and its key go together."),
        Text("请同时给 --tls-cert 与 --tls-key。", "Give both --tls-cert and --tls-key."),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _public(host: str) -> Problem:
    from zerofactory.errors import Problem, Text

    return Problem(
        "serve.public_plain",
        Text(
            f"拒绝在 {host} 上明文对外服务: 口令会被看见。",
            f"Refused to serve {host} in plain HTTP: passwords would be seen.",
        ),
        Text(
            "请加 --tls-cert 与 --tls-key, 或放在反向代理之后(--behind-proxy), 或明知风险加 --allow-plain-http。",
            "Give --tls-cert and --tls-key, or put it behind a proxy (--behind-proxy), or say --allow-plain-http knowingly.",
        ),
    )
