"""My account: a new password, and where I am logged in."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.runs import accounts
from zerofactory.runs.context import clock, stamp
from zerofactory.store import accounts as kept
from zerofactory.web.act import act
from zerofactory.web.door import Form, submit, text_field
from zerofactory.web.frame import Page, table
from zerofactory.web.visit import Visit


def build(visit: Visit) -> None:
    """Draw the page."""
    result = ui.column().classes("w-full")
    _password(visit)
    _sessions(visit, result)
    result.move(target_index=-1)


def _password(visit: Visit) -> None:
    with ui.card().classes("w-full max-w-md gap-3"):
        ui.label(visit.say("换密码", "Change the password")).classes("text-lg font-semibold").props(
            "role=heading aria-level=2"
        )
        if not visit.person.user.password_hash:
            ui.label(
                visit.say(
                    "您用公司账户登录, 密码在公司里改。", "You come through the company's login; change it there."
                )
            )
            return
        text_field("present", visit.say("现在的密码", "Present password"), "current-password")
        text_field(
            "password", visit.say("新密码(至少12个字符)", "New password (12 characters at least)"), "new-password"
        )
        ui.label(visit.say("换密码后, 其他地方的登录全部结束。", "Everywhere else you are logged out.")).classes(
            "text-sm opacity-70"
        )
        form = Form(
            visit.say("保存", "Save"), "/v1/password", ("present", "password"), "/account", csrf=visit.person.csrf
        )
        submit(form, visit.language)


def _sessions(visit: Visit, result: ui.column) -> None:
    store, user = visit.server.access, visit.person.user
    ui.label(visit.say("登录在哪里", "Where I am logged in")).classes("text-lg font-semibold pt-4").props(
        "role=heading aria-level=2"
    )
    own = kept.session_id(visit.secret)
    found = kept.sessions(store, user.user_id, at=stamp(clock()))
    columns = [
        ("id", visit.say("会话", "Session")),
        ("seen", visit.say("最近使用 UTC", "Last used UTC")),
        ("expires", visit.say("最迟结束 UTC", "Ends UTC")),
        ("this", visit.say("说明", "Note")),
    ]
    rows = [
        {"id": one.session_id, "seen": _short(one.seen_at), "expires": _short(one.expires_at),
         "this": visit.say("就是这里", "this one") if one.session_id == own else ""}
        for one in found
    ]  # fmt: skip
    table(columns, rows)
    others = {one.session_id: f"{one.session_id[:8]}… {_short(one.seen_at)}" for one in found if one.session_id != own}
    if not others:
        return
    with ui.row().classes("items-center gap-3 zf-noprint"):
        chosen = ui.select(others, label=visit.say("结束哪个", "End which")).props("dense outlined").classes("w-72")

        async def end() -> None:
            wanted = str(chosen.value or "")
            if await act(visit, "read", "end session", lambda _: _ended(visit, wanted), result):
                ui.navigate.reload()

        ui.button(visit.say("结束", "End"), on_click=end).props("outline")


def _ended(visit: Visit, session_id: str) -> bool:
    accounts.end_session(visit.server.access, visit.person.user, session_id)
    return True


def _short(moment: str) -> str:
    return moment[:16].replace("T", " ")


PAGE = Page("account", "/account", Text("我的账户", "My account"), "account_circle", "administer", 10, "read", build)
