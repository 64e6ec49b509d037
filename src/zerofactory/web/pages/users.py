"""Users: who may do what here, invitations, and the trail of every write."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.runs import access, accounts
from zerofactory.runs.context import clock, stamp
from zerofactory.store import accounts as kept
from zerofactory.store.access import ANY_SITE, User
from zerofactory.web.act import act
from zerofactory.web.frame import Page, table
from zerofactory.web.visit import Visit

LINES = 200


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    _invite(visit, result)
    _invitations(visit, result)
    _users(visit, result)
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
                told = visit.say(
                    "把这个一次性链接交给同事(7 天内有效):", "Give this link to your colleague (once, within 7 days):"
                )
                await _link(result, told, f"/welcome?code={code}")

        ui.button(visit.say("邀请", "Invite"), icon="person_add", on_click=invite)
    result.move(target_index=-1)


async def _link(result: ui.column, told: str, path: str) -> None:
    """Show a link that works once, with the address by which this browser reaches us."""
    origin = await ui.run_javascript("return location.origin")
    with result:
        ui.label(told)
        ui.input(value=f"{origin}{path}").props(f'readonly outlined dense aria-label="{told}"').classes("w-full")


def _invitations(visit: Visit, result: ui.column) -> None:
    store, site = visit.server.access, visit.site
    found = kept.open_invites(store, site, at=stamp(clock()))
    if not found:
        return
    ui.label(visit.say("未用的邀请", "Open invitations")).classes("text-lg font-semibold pt-4")
    titles = {one.invite_id: f"{visit.read(access.ROLES[one.role][0])} · {one.expires_at[:16].replace('T', ' ')} UTC" for one in found}  # fmt: skip
    with ui.row().classes("items-center gap-3"):
        chosen = ui.select(titles, label=visit.say("邀请", "Invitation")).props("dense outlined").classes("w-80")

        async def withdraw() -> None:
            wanted = str(chosen.value or "")

            def do(_: object) -> bool:
                accounts.withdraw(store, wanted, site, clock())
                return True

            if await act(visit, "administer", "withdraw invitation", do, result):
                ui.navigate.reload()

        ui.button(visit.say("撤回", "Withdraw"), on_click=withdraw).props("outline")


def _users(visit: Visit, result: ui.column) -> None:
    store = visit.server.access
    columns = [
        ("login", visit.say("登录名", "Login")),
        ("name", visit.say("姓名", "Name")),
        ("role", visit.say("角色", "Role")),
        ("by", visit.say("登录方式", "Comes in by")),
        ("state", visit.say("状态", "State")),
    ]
    rows, others = [], {}
    for user in store.users():
        roles = store.grants(user.user_id)
        role = roles.get(visit.site) or roles.get(ANY_SITE)
        if role is not None:
            where = visit.say("(全部工厂)", " (every site)") if visit.site not in roles else ""
            by = visit.say("密码", "password") if user.password_hash else visit.say("公司账户", "company")
            state = visit.say("已停用", "shut out") if user.disabled else ""
            shown = visit.read(access.ROLES[role][0]) + where
            rows.append({"id": user.user_id, "login": user.login, "name": user.name, "role": shown, "by": by, "state": state})  # fmt: skip
            if user.user_id != visit.person.user.user_id:
                others[user.user_id] = user.login
    table(columns, rows)
    if others:
        _look_after(visit, others, result)


def _look_after(visit: Visit, others: dict[str, str], result: ui.column) -> None:
    """Draw what may be done for another user: a reset link, his role here, ending his sessions."""
    roles = {"": visit.say("(没有角色)", "(no role)"), **{name: visit.read(title) for name, (title, _) in access.ROLES.items()}}  # fmt: skip
    with ui.row().classes("items-center gap-3 zf-noprint"):
        who = ui.select(others, label=visit.say("用户", "User")).props("dense outlined").classes("w-56")
        role = ui.select(roles, value="viewer", label=visit.say("角色", "Role")).props("dense outlined").classes("w-40")

        async def set_role() -> None:
            wanted, given = str(who.value or ""), str(role.value)
            if await act(visit, "administer", "grant", lambda _: _granted(visit, wanted, given), result):
                ui.navigate.reload()

        async def reset() -> None:
            wanted = str(who.value or "")
            code = await act(visit, "administer", "reset link", lambda _: _reset(visit, wanted), result)
            if code is not None:
                told = visit.say(
                    "把这个一次性链接交给本人(24 小时内有效):", "Give this link to the user (once, within 24 hours):"
                )
                await _link(result, told, f"/reset?code={code}")

        async def end() -> None:
            wanted = str(who.value or "")
            count = await act(visit, "administer", "end sessions", lambda _: _ended(visit, wanted), result)
            if count is not None:
                with result:
                    ui.label(visit.say(f"已结束 {count} 个会话。", f"{count} session(s) ended."))

        ui.button(visit.say("改角色", "Change the role"), on_click=set_role).props("outline")
        ui.button(visit.say("密码重置链接", "Password reset link"), on_click=reset).props("outline")
        ui.button(visit.say("结束全部会话", "End all sessions"), on_click=end).props("outline")


def _other(visit: Visit, user_id: str) -> User:
    """Return another user who has a role here; what comes from the browser only picks one of them."""
    user = visit.server.access.user(user_id)
    if user is None or accounts.role_at(visit.server.access, user, visit.site) is None:
        raise NotFound(Text("用户", "user"), user_id)
    chief = ANY_SITE in visit.server.access.grants(user.user_id)
    if user.user_id == visit.person.user.user_id or (chief and not visit.person.may("administer", ANY_SITE)):
        raise FaultyData([access.fault("not_allowed", "不能改这个用户。", "That user is not yours to change.")])
    return user


def _granted(visit: Visit, user_id: str, role: str) -> bool:
    user = _other(visit, user_id)
    if role and role not in access.ROLES:
        raise NotFound(Text("角色", "role"), role, tuple(access.ROLES))
    visit.server.access.grant(user.user_id, visit.site, role)
    return True


def _reset(visit: Visit, user_id: str) -> str:
    user = _other(visit, user_id)
    if not accounts.may_reset(visit.server.access, visit.person, user):
        raise FaultyData(
            [access.fault("not_allowed", "该用户在别的工厂也有角色。", "That user has a role elsewhere, too.")]
        )
    return accounts.reset_link(visit.server.access, user, clock())


def _ended(visit: Visit, user_id: str) -> int:
    return kept.end_sessions(visit.server.access, _other(visit, user_id).user_id)


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
