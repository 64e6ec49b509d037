"""Commands of the Asset Administration Shells: aas list, aas export, aas serve."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

LOOPBACK = "127.0.0.1"
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="PORT", help=say("端口", "port"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(help=say("资产管理壳(AAS): 工厂、产线、设备给任何 AAS 程序读", "Asset Administration Shells: plant, lines and machines for any AAS program"), no_args_is_help=True)  # fmt: skip
    group.command("list", help=say("有哪些管理壳和子模型, 铭牌还缺什么", "which shells and submodels there are, what name plates lack"))(list_)  # fmt: skip
    group.command("export", help=say("写成 .aasx 或 .json", "write them as .aasx or .json"))(export)
    group.command("serve", help=say("在本机提供只读的 AAS 接口, 不需登录", "serve the AAS API read-only on this machine, without login"))(serve)  # fmt: skip
    app.add_typer(group, name="aas")


@door
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.reporting.shells.nameplate import lacking, named
    from zerofactory.runs import aas as use

    found = use.shells(opened(workspace))
    if as_json:
        print_json(found.as_json())
        return
    rows = [
        (named(place.key), read(place.title), str(len(found.names(shell))), ", ".join(lacking(place)))
        for place, shell in zip(found.facts.places, found.environment.shells, strict=True)
    ]
    head = [(say("管理壳", "shell"), "left"), (say("名称", "name"), "left"), (say("子模型", "submodels"), "right"), (say("铭牌缺", "plate lacks"), "left")]  # fmt: skip
    print_table(say(f"资产管理壳 {found.facts.base}", f"Shells of {found.facts.base}"), head, rows)
    print_problems(found.problems)


@door
def export(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=say("写入的文件: .aasx 或 .json", "file to write: .aasx or .json"))],
    shell: Annotated[
        str | None, typer.Option("--shell", metavar="ID", help=say("只写一个, 如 plant 或 line/press-1", "one alone, such as plant or line/press-1"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import aas as use

    made = use.export(opened(workspace), out, shell)
    if as_json:
        print_json(made.as_json())
        return
    print_line(
        say(
            f"已写入 {made.path}: {made.shells} 个管理壳, {made.submodels} 个子模型, {made.concepts} 个概念描述",
            f"Written: {made.path}: {made.shells} shells, {made.submodels} submodels, {made.concepts} concept descriptions",
        )
    )
    print_problems(made.problems)


@door
def serve(port: PortOption = 8081, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    folder = opened(workspace).workspace.folder
    from zerofactory.connectors.listening import listening_at

    listening = listening_at(LOOPBACK, port)
    import uvicorn

    from zerofactory.api.aas import ROOT, app
    from zerofactory.runs.context import open_context

    address = f"http://{LOOPBACK}:{listening.getsockname()[1]}{ROOT}"
    if as_json:
        print_json({"api": address})
    else:
        print_line(say(f"AAS 接口(只读, 仅本机) {address}", f"AAS API (read-only, this machine alone) {address}"))
    sys.stdout.flush()  # whoever reads it through a pipe needs the address now
    settings = uvicorn.Config(app(lambda: open_context(folder)), log_level="warning", server_header=False)
    with listening, suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[listening])
