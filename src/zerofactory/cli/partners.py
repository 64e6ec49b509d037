"""Commands of data exchange: partners list, events, send, retry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, state
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.runs.sites import Server

SiteOption = Annotated[
    str | None,
    typer.Option(
        "--site", metavar="SITE", help=say("工厂; 只有一个时可省略", "site; may be left out when there is one")
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("与客户交换产品碳足迹(PACT)", "exchange of footprints (PACT)"))
    group.command("list", help=say("access.toml 里的伙伴", "partners of access.toml"))(list_)
    group.command("events", help=say("收到与发出的事件", "events received and sent"))(events)
    group.command("send", help=say("现在就答复、通知、发送", "answer, announce and send now"))(send)
    group.command("retry", help=say("把一个事件重新排上", "put an event in line again"))(retry)
    app.add_typer(group, name="partners")


@door
def list_(site: SiteOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs.partners import directory

    server, chosen = _server(workspace, site)
    rows = directory(server.config.partners, chosen)
    if as_json:
        print_json(rows)
        return
    head = [
        (say("编号", "id"), ""),
        (say("名称", "name"), ""),
        (say("登录名", "login"), ""),
        (say("对方地址", "door"), ""),
    ]
    print_table(say("伙伴", "Partners"), head, [(r["id"], r["title"], r["login"], r["address"]) for r in rows])


@door
def events(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help=say("行数", "rows"))] = 50,
    site: SiteOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs.partners import listed

    server, chosen = _server(workspace, site)
    rows = listed(server.access, chosen, limit)
    if as_json:
        print_json(rows)
        return
    head = [("#", ""), (say("时间 UTC", "UTC"), ""), (say("谁", "who"), ""), (say("事件", "event"), ""), (say("状态", "state"), ""), (say("说明", "note"), "")]  # fmt: skip
    shown = [
        (str(r["number"]), r["at"][5:16], r["login"], f"{r['direction']} {r['kind']}", r["state"], r["told"])
        for r in rows
    ]
    print_table(say("事件", "Events"), head, shown)


@door
def send(site: SiteOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs.context import clock
    from zerofactory.runs.partners import Courier

    server, _ = _server(workspace, site)
    done = Courier(server).round(clock())
    if as_json:
        print_json(done.as_json())
        return
    print_line(
        say(
            f"已答复 {done.answered}, 已通知 {done.announced}, 已发送 {done.sent}, 未送达 {done.failed}(会再试)。",
            f"Answered {done.answered}, announced {done.announced}, sent {done.sent}, not delivered {done.failed} (tried again later).",
        )
    )


@door
def retry(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help=say("见 zf partners events", "see zf partners events"))
    ],
    site: SiteOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs.context import clock
    from zerofactory.runs.partners import again

    server, chosen = _server(workspace, site)
    again(server.access, number, chosen, clock())
    if as_json:
        print_json({"number": number})
    else:
        print_line(say("已排上。", "In line."))


def _server(workspace: Path | None, site: str | None) -> tuple[Server, str]:
    """Return the server that a folder would be, and the site; raise `FaultyData` or `NotFound` when it is none."""
    from zerofactory.cli.users import store_of
    from zerofactory.errors import FaultyData, NotFound, Problem, Text
    from zerofactory.runs.access_config import read_config
    from zerofactory.runs.sites import Server, Sites

    root = workspace or state.workspace or Path()
    store, sites = store_of(root), Sites(root)
    names = tuple(sites.folders())
    if site is None and len(names) > 1:
        told = ", ".join(names)
        text = Text(f"请用 --site 指明工厂: {told}。", f"Name the site with --site: {told}.")
        raise FaultyData([Problem("sites.which", text, Text("", ""))])
    if site is not None and site not in names:
        raise NotFound(Text("工厂", "site"), site, names)
    return Server(sites, store, False, 0, config=read_config(root)), site or names[0]
