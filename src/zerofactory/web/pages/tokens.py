"""Tokens for programs: made here, shown once, revoked here."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import NotFound, Text
from zerofactory.runs import access
from zerofactory.runs.context import clock
from zerofactory.web.act import act
from zerofactory.web.frame import Page, table
from zerofactory.web.visit import Visit


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    may = {name: visit.read(title) for name, title in access.PERMISSIONS.items() if visit.may(name)}
    with ui.row().classes("items-center gap-3 zf-noprint"):
        name = ui.input(visit.say("名称(给谁用)", "Name (for what)")).props("dense outlined")
        scopes = (
            ui.select(may, value=["read"], multiple=True, label=visit.say("权限", "Scopes"))
            .props("dense outlined use-chips")
            .classes("min-w-56")
        )
        days = (
            ui.number(visit.say("有效天数", "Days"), value=access.policy()["token"]["default_days"], min=1)
            .props("dense outlined")
            .classes("w-28")
        )

        async def make() -> None:
            store, person = visit.server.access, visit.person
            asked = access.TokenAsked(name.value or "", tuple(scopes.value or ()), visit.site, int(days.value or 0))
            made = await act(
                visit, "read", "new token", lambda _: access.new_token(store, person, asked, clock()), result
            )
            if made is not None:
                with result:
                    ui.label(visit.say("只显示这一次, 请立即保存:", "Shown this once; keep it now:")).classes(
                        "text-warning"
                    )
                    ui.input(value=made[0]).props("readonly outlined dense").classes("w-full")

        ui.button(visit.say("生成令牌", "Make a token"), icon="key", on_click=make)
    result.move(target_index=-1)
    _own(visit, result)


def _own(visit: Visit, result: ui.column) -> None:
    store = visit.server.access
    columns = [
        ("name", visit.say("名称", "Name")),
        ("scopes", visit.say("权限", "Scopes")),
        ("site", visit.say("工厂", "Site")),
        ("expires", visit.say("有效至 UTC", "Until UTC")),
        ("state", visit.say("状态", "State")),
    ]
    found = store.tokens(visit.person.user.user_id)
    rows = [
        {"id": t.token_id, "name": t.name, "scopes": ", ".join(t.scopes), "site": t.site, "expires": t.expires_at[:16].replace("T", " "),
         "state": visit.say("已撤销", "revoked") if t.revoked else ""}
        for t in found
    ]  # fmt: skip
    table(columns, rows)
    alive = {t.token_id: t.name for t in found if not t.revoked}
    if alive:
        with ui.row().classes("items-center gap-3 zf-noprint"):
            chosen = (
                ui.select(alive, label=visit.say("撤销哪个", "Revoke which")).props("dense outlined").classes("w-56")
            )

            async def revoke() -> None:
                def do(_: object) -> str:
                    if chosen.value not in alive:
                        raise NotFound(Text("令牌", "token"), str(chosen.value))
                    store.revoke_token(str(chosen.value or ""))
                    return str(chosen.value)

                if await act(visit, "read", "revoke token", do, result):
                    ui.navigate.reload()

            ui.button(visit.say("撤销", "Revoke"), on_click=revoke).props("outline")


PAGE = Page("tokens", "/tokens", Text("接口令牌", "API tokens"), "key", "administer", 20, "read", build)
