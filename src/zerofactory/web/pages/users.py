"""Users: who may do what here, invitations, and the trail of every write."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.runs import access
from zerofactory.runs.context import clock
from zerofactory.store.access import ANY_SITE
from zerofactory.web.act import act
from zerofactory.web.frame import Page, table
from zerofactory.web.visit import Visit

LINES = 200


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    _invite(visit, result)
    _users(visit)
    _trail(visit)


def _invite(visit: Visit, result: ui.column) -> None:
    roles = {name: visit.read(title) for name, (title, _) in access.ROLES.items()}
    with ui.row().classes("items-center gap-3 zf-noprint"):
        role = ui.select(roles, value="viewer", label=visit.say("角色", "Role")).props("dense outlined").classes("w-40")

        async def invite() -> None:
            store, site, wanted = visit.server.access, visit.site, str(role.value)
            code = await act(
                visit, "administer", "invite", lambda _: access.invite(store, site, wanted, clock()), result
            )
            if code is not None:
                origin = await ui.run_javascript("return location.origin")
                with result:
                    told = visit.say(
                        "把这个一次性链接交给同事(7 天内有效):",
                        "Give this link to your colleague (once, within 7 days):",
                    )
                    ui.label(told)
                    ui.input(value=f"{origin}/welcome?code={code}").props("readonly outlined dense").classes("w-full")

        ui.button(visit.say("邀请", "Invite"), icon="person_add", on_click=invite)
    result.move(target_index=-1)


def _users(visit: Visit) -> None:
    store = visit.server.access
    columns = [
        ("login", visit.say("登录名", "Login")),
        ("name", visit.say("姓名", "Name")),
        ("role", visit.say("角色", "Role")),
        ("state", visit.say("状态", "State")),
    ]
    rows = []
    for user in store.users():
        roles = store.grants(user.user_id)
        role = roles.get(visit.site) or roles.get(ANY_SITE)
        if role is not None:
            where = visit.say("(全部工厂)", " (every site)") if visit.site not in roles else ""
            state = visit.say("已停用", "shut out") if user.disabled else ""
            rows.append(
                {
                    "id": user.user_id,
                    "login": user.login,
                    "name": user.name,
                    "role": visit.read(access.ROLES[role][0]) + where,
                    "state": state,
                }
            )
    table(columns, rows)


def _trail(visit: Visit) -> None:
    ui.label(visit.say("留痕(最近)", "Trail (newest)")).classes("text-lg font-semibold pt-4")
    columns = [
        ("at", visit.say("时间 UTC", "Time UTC")),
        ("login", visit.say("谁", "Who")),
        ("action", visit.say("做了什么", "What")),
        ("outcome", visit.say("结果", "Outcome")),
        ("address", visit.say("来自", "From")),
    ]
    chief = visit.person.may("administer", ANY_SITE)  # who also sees the logins, which belong to no site
    rows = [
        {"id": number, "at": line.at[:19].replace("T", " "), "login": line.login, "action": line.action, "outcome": line.outcome, "address": line.address}
        for number, line in visit.server.access.trail(None if chief else visit.site, LINES)
    ]  # fmt: skip
    table(columns, rows, per_page=25)


PAGE = Page("users", "/users", Text("用户与留痕", "Users and trail"), "group", "administer", 30, "administer", build)
