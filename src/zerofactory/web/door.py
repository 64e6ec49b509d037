"""Logging in, accepting an invitation, logging out."""

from __future__ import annotations

import json

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from zerofactory.errors import Language
from zerofactory.runs import access
from zerofactory.runs.context import clock, stamp
from zerofactory.web.visit import SESSION_COOKIE, language_of, person_of, server_of

# The form is sent by the browser's own fetch to the API, so that the cookie is set by the API and no script ever sees it.
_SEND = """
async () => {
  const value = (id) => document.querySelector('#' + id)?.value ?? '';
  const body = %(body)s;
  for (const name of %(fields)s) body[name] = value('zf-' + name);
  const answer = await fetch(%(target)s, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
  if (answer.ok) { location.href = %(next)s; return ''; }
  const told = await answer.json();
  return told.problems.map((p) => p.message[%(language)s]).join(' ');
}
"""


def register() -> None:
    """Make the doors answer."""
    ui.page("/login", title="登录 · zerofactory")(_login)
    ui.page("/welcome", title="欢迎 · zerofactory")(_welcome)
    ui.page("/logout", title="退出 · zerofactory")(_logout)


def _local(target: str) -> str:
    """Return where to go after logging in: a place of ours, never another host."""
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    return target if target.isprintable() else "/"  # a browser drops tabs and line ends: "/<tab>/host" would leave


def _login(request: Request, next: str = "/") -> Response | None:  # noqa: A002  (the word in the address)
    if person_of(request) is not None:
        return RedirectResponse(_local(next), 303)
    language = language_of(request)
    say = {"zh": ("登录", "登录名", "密码"), "en": ("Log in", "Login", "Password")}[language]
    with _card(say[0]):
        _field("login", say[1], "username")
        _field("password", say[2], "current-password")
        _submit(say[0], "/v1/session", ("login", "password"), {}, _local(next), language)
    return None


def _welcome(request: Request, code: str = "") -> None:
    language = language_of(request)
    held = server_of(request).access.invite(code, at=stamp(clock()))
    zh = language == "zh"
    if held is None:
        with _card("链接无效" if zh else "The link does not hold"):
            ui.label(
                "链接无效、已用过或已过期。请向管理员再要一个。"
                if zh
                else "It is unknown, used or over. Ask for another one."
            )
        return
    role = access.ROLES[held[1]][0].in_language(language)
    with _card(f"建立账户: {role}" if zh else f"Make your account: {role}"):
        _field("login", "登录名" if zh else "Login", "username")
        _field("name", "姓名" if zh else "Name", "name")
        _field("password", "密码(至少12个字符)" if zh else "Password (12 characters at least)", "new-password")
        _submit(
            "建立" if zh else "Make it", "/v1/accounts", ("login", "name", "password"), {"code": code}, "/", language
        )


def _logout(request: Request) -> Response:
    server = server_of(request)
    if request.headers.get("sec-fetch-site", "") in ("cross-site", "same-site"):  # a link on a foreign page
        return RedirectResponse("/", 303)
    server.access.end_session(request.cookies.get(SESSION_COOKIE, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION_COOKIE, secure=server.secure, httponly=True, samesite="lax")
    return answer


def _card(title: str) -> ui.card:
    ui.colors(primary="#0b6e4f")
    with ui.column().classes("absolute-center items-center w-full px-4").props("role=main"):
        ui.label("零碳工厂 zerofactory").classes("text-xl font-bold text-primary")
        card = ui.card().classes("w-full max-w-sm p-6 gap-3")
        with card:
            ui.label(title).classes("text-lg").props("role=heading aria-level=1")
    return card


def _field(name: str, label: str, autocomplete: str) -> None:
    kind = "password" if "password" in autocomplete else "text"
    ui.input(label).props(f"for=zf-{name} type={kind} autocomplete={autocomplete} outlined dense").classes("w-full")


def _submit(
    label: str, target: str, fields: tuple[str, ...], fixed: dict[str, str], after: str, language: Language
) -> None:
    told = ui.label("").classes("text-negative").props("role=alert")
    told_to = {"body": fixed, "fields": fields, "target": target, "next": after, "language": language}
    script = _SEND % {name: json.dumps(value) for name, value in told_to.items()}

    async def send() -> None:
        told.text = await ui.run_javascript(f"return await ({script})()", timeout=20) or ""

    ui.button(label, on_click=send).classes("w-full").props("id=zf-submit")
    ui.keyboard(on_key=lambda event: send() if event.key == "Enter" and event.action.keydown else None, ignore=[])
