"""Commands of the twin beside the running plant: twin now, twin serve."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, leave, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.api.beside import Beside
    from zerofactory.errors import Problem
    from zerofactory.runs.context import Context
    from zerofactory.runs.twin_now import Now, StationNow


def register(group: typer.Typer) -> None:
    """Add these commands to the group of the twin."""
    group.command("now", help=say("产线此刻: 由读数判断各工位状态, 与应有功率比较", "the line now: states told from readings, power beside what is expected"))(now)  # fmt: skip
    group.command(
        "serve", help=say("以 OPC UA(只读)提供实时或回放的孪生", "the live or replayed twin over OPC UA, read-only")
    )(serve)


AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="MOMENT", help=say("回看的时刻(工厂时间, 如 2025-03-10T10:20)", "a moment gone by (the plant's clock, such as 2025-03-10T10:20)")),
]  # fmt: skip


@door
def now(at: AtOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import twin_now as use

    context = opened(workspace)
    found = use.now(context, use.moment_of(context, at))
    if as_json:
        print_json(found.as_json())
        return
    _print(context, found)


@door
def serve(
    replay: Annotated[
        str | None, typer.Option("--replay", metavar="MOMENT", help=say("从该日或时刻回放(默认实时)", "show again from a day or moment on (default: live)"))
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help=say("回放的是模拟的日子, 不是读数", "show simulated days, not readings"))] = False,
    speed: Annotated[float, typer.Option("--speed", metavar="TIMES", help=say("回放速度倍数", "times as fast"))] = 1.0,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help=say("监听地址(默认仅本机)", "address (default: this machine)"))] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=say("OPC UA 端口(0: 任一空闲)", "port of OPC UA (0: any free one)"))] = 4840,
    http_port: Annotated[
        int | None, typer.Option("--http-port", min=0, max=65535, metavar="PORT", help=say("同时以 HTTP 提供资产管理壳(AAS)的端口", "also serve the asset administration shells over HTTP here"))
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help=say("只让此用户读; 口令在环境变量 ZF_OPCUA_PASSWORD", "only this user may read; password in ZF_OPCUA_PASSWORD"))
    ] = None,
    certificate: Annotated[Path | None, typer.Option("--cert", metavar="FILE", help=say("证书(PEM 或 DER): 通道签名并加密(Basic256Sha256)", "certificate (PEM or DER): channels are signed and encrypted (Basic256Sha256)"))] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help=say("证书的私钥", "its private key"))] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.0, metavar="SECONDS", help=say("运行多少秒后停止", "stop after so many seconds"))] = None,
    every: Annotated[float, typer.Option("--every", min=0.1, max=3600.0, metavar="SECONDS", help=say("多久更新一次", "renew so often"))] = 1.0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.connectors.opc_ua_server import Entrance
    from zerofactory.runs import twin_now as looking
    from zerofactory.runs import twin_serve as use

    problem = _open_to_all(host, user, certificate, http_port)
    if problem is not None:
        leave((problem,), 2, as_json=as_json)
    context = opened(workspace)
    users = {} if user is None else {user: os.environ.get("ZF_OPCUA_PASSWORD", "")}
    entrance = Entrance(host, port, users=users, certificate=certificate, key=key)
    asked = use.Asked(entrance, looking.moment_of(context, replay), simulated, speed, seconds, every)
    beside, shells = _shells(context, host, http_port)

    def told(served: use.Served) -> None:
        if as_json:
            print_json({**served.as_json(), "aas": shells})
        else:
            print_line(say(f"OPC UA {served.url}, {served.variables} 个变量, 只读; Ctrl-C 停止", f"OPC UA {served.url}, {served.variables} variables, read-only; Ctrl-C stops"))  # fmt: skip
            if shells is not None:
                print_line(f"AAS {shells}")
        sys.stdout.flush()

    done = use.serve(context, asked, told, beside)
    if not as_json:
        print_line(say(f"已停止; 更新 {done.looks} 次, 变化 {done.changes} 个值", f"Stopped after {done.looks} looks and {done.changes} changed values"))  # fmt: skip


def _open_to_all(host: str, user: str | None, certificate: Path | None, http_port: int | None) -> Problem | None:
    """Return why an address outside this machine is refused: readable by all, passwords in the clear, or shells without a door."""
    from zerofactory.cli.serve import _is_loopback
    from zerofactory.errors import Problem, Text

    if user is not None and not os.environ.get("ZF_OPCUA_PASSWORD"):
        return Problem("twin_serve.no_password", Text("没有设定口令。", "No password is set."), Text("请设环境变量 ZF_OPCUA_PASSWORD。", "Set the variable ZF_OPCUA_PASSWORD."))  # fmt: skip
    if _is_loopback(host) or (user is not None and certificate is not None and http_port is None):
        return None
    return Problem(
        "twin_serve.public",
        Text(f"拒绝在 {host} 上对外开放: 任何人都能读。", f"Refused to serve {host}: everybody could read."),
        Text("请给 --user 与 --cert、--key, 且不加 --http-port(对外的 AAS 由 zf serve 提供, 有权限检查)。", "Give --user with --cert and --key and no --http-port (zf serve gives the shells to the outside, with permissions)."),
    )  # fmt: skip


def _shells(context: Context, host: str, port: int | None) -> tuple[Beside | None, str | None]:
    """Return the server of the asset administration shells, and its address."""
    if port is None:
        return None, None
    from zerofactory.api import aas
    from zerofactory.api.beside import Beside
    from zerofactory.connectors.listening import free_port
    from zerofactory.runs.context import clock

    chosen = port or free_port(host)
    app = aas.app(lambda: replace(context, now=clock()))
    return Beside(app, host, chosen), f"http://{host}:{chosen}{aas.ROOT}"


def _print(context: Context, found: Now) -> None:
    from zerofactory.periods import zone

    place = zone(context.workspace.plant.time_zone)
    rows = [_cells(one, place) for one in found.stations]
    print_table(
        say(f"产线 {found.at.astimezone(place):%Y-%m-%d %H:%M}", f"the line at {found.at.astimezone(place):%Y-%m-%d %H:%M}; made and kgCO2e of the day"),
        [(say("工位", "station"), "left"), (say("状态", "state"), "left"), (say("可能", "sure"), "right"), (say("自", "since"), "left"),
         ("kW", "right"), (say("应为", "exp."), "right"), (say("残差", "more"), "right"), (say("今日件", "made"), "right"),
         (say("今日 kgCO2e", "kgCO2e"), "right")],
        rows,
    )  # fmt: skip
    known = {name: held for name, held in found.levels.items() if held is not None}
    if known:
        print_line(say("缓存: ", "Buffers: ") + ", ".join(f"{name} {held}" for name, held in known.items()))
    for note in found.notes:
        print_line(read(note))


def _cells(one: StationNow, place: object) -> tuple[str, ...]:
    from zerofactory.optimisation.twin.line import TITLES
    from zerofactory.runs.twin_now import NOTES

    def number(value: float | None, digits: int = 0) -> str:
        return "–" if value is None else f"{value:,.{digits}f}"

    state = read(NOTES[one.quality]) if one.state is None else read(TITLES[one.state])
    mark = "≈" if one.made_is == "estimated" else ""
    return (
        read(one.title), state, say("信号", "signal") if one.source == "signal" else "–" if one.probability is None else f"{one.probability:.0%}",
        "–" if one.since is None else f"{one.since.astimezone(place):{'%d %H:%M:%S' if one.source == 'signal' else '%d %H:%M'}}",  # type: ignore[arg-type]
        number(one.power_kw), number(one.expected_kw), "–" if one.residual_fraction is None else f"{one.residual_fraction:+.0%}",
        "–" if one.made_today is None else f"{mark}{one.made_today:,}", number(None if one.gco2e_today is None else one.gco2e_today / 1000.0),
    )  # fmt: skip
