"""Logging in (here or with the company's account), accepting an invitation, using a reset link, logging out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from zerofactory.errors import Language
from zerofactory.runs import access, company, cookies
from zerofactory.runs.context import clock, stamp
from zerofactory.runs.cookies import local
from zerofactory.store import accounts
from zerofactory.web.visit import language_of, person_of, secret_of, server_of

# The form is sent by the browser's own fetch to the API, so that the cookie is set by the API and no script ever sees it.
_SEND = """
async () => {
  const value = (id) => document.querySelector('#' + id)?.value ?? '';
  const body = %(body)s;
  for (const name of %(fields)s) body[name] = value('zf-' + name);
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': %(csrf)s};
  const answer = await fetch(%(target)s, {method: 'POST', headers, body: JSON.stringify(body)});
  if (answer.ok) { location.href = %(next)s; return ''; }
  const told = await answer.json();
  return told.problems.map((p) => p.message[%(language)s]).join(' ');
}
"""


@dataclass(frozen=True, slots=True)
class Form:
    """What a button sends: the fields it reads, what is fixed, where it goes, and where the browser goes after it."""

    label: str
    target: str
    fields: tuple[str, ...]
    after: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    csrf: str = field(default="", repr=False)


def register() -> None:
    """Make the doors answer."""
    ui.page("/login", title="登录 · zerofactory")(_login)
    ui.page("/welcome", title="欢迎 · zerofactory")(_welcome)
    ui.page("/reset", title="新密码 · zerofactory")(_reset)
    ui.page("/logout", title="退出 · zerofactory")(_logout)


def _login(request: Request, next: str = "/", refused: str = "") -> Response | None:  # noqa: A002  (the word in the address)
    if person_of(request) is not None:
        return RedirectResponse(local(next), 303)
    language = language_of(request)
    say = {"zh": ("登录", "登录名", "密码"), "en": ("Log in", "Login", "Password")}[language]
    held = server_of(request).config.company
    with _card(say[0]):
        if refused in company.REASONS:  # one of our own sentences, never what the address says
            ui.label(company.REASONS[refused].in_language(language)).classes("text-negative").props("role=alert")
        if held is not None:
            target = f"/v1/company/login?next={quote(local(next), safe='')}"
            ui.link(held.title, target).classes(
                "w-full text-center q-btn q-btn--outline rounded-borders q-pa-sm"
            ).props("id=zf-company")
            told = {"zh": "管理员也可用密码登录:", "en": "An administrator may use the password:"}
            if held.only:
                ui.label(told[language]).classes("text-sm opacity-70")
        text_field("login", say[1], "username")
        text_field("password", say[2], "current-password")
        submit(Form(say[0], "/v1/session", ("login", "password"), local(next)), language)
    return None


def _welcome(request: Request, code: str = "") -> None:
    language = language_of(request)
    held = server_of(request).access.invite(code, at=stamp(clock()))
    zh = language == "zh"
    if held is None:
        _over(zh)
        return
    role = access.ROLES[held[1]][0].in_language(language)
    with _card(f"建立账户: {role}" if zh else f"Make your account: {role}"):
        text_field("login", "登录名" if zh else "Login", "username")
        text_field("name", "姓名" if zh else "Name", "name")
        text_field("password", "密码(至少12个字符)" if zh else "Password (12 characters at least)", "new-password")
        label = "建立" if zh else "Make it"
        submit(Form(label, "/v1/accounts", ("login", "name", "password"), "/", {"code": code}), language)


def _reset(request: Request, code: str = "") -> None:
    language = language_of(request)
    zh = language == "zh"
    if accounts.reset_of(server_of(request).access, code, at=stamp(clock())) is None:
        _over(zh)
        return
    with _card("设置新密码" if zh else "Choose a new password"):
        text_field(
            "password", "新密码(至少12个字符)" if zh else "New password (12 characters at least)", "new-password"
        )
        submit(Form("保存" if zh else "Save", "/v1/password/reset", ("password",), "/", {"code": code}), language)


def _over(zh: bool) -> None:
    with _card("链接无效" if zh else "The link does not hold"):
        ui.label(
            "链接无效、已用过或已过期。请向管理员再要一个。"
            if zh
            else "It is unknown, used or over. Ask for another one."
        )


def _logout(request: Request) -> Response:
    server = server_of(request)
    if request.headers.get("sec-fetch-site", "") in ("cross-site", "same-site"):  # a link on a foreign page
        return RedirectResponse("/", 303)
    server.access.end_session(secret_of(request))
    answer = RedirectResponse("/login", 303)
    name = cookies.named("session", server.secure)
    answer.delete_cookie(name, secure=server.secure, httponly=True, samesite="lax")
    return answer


def _card(title: str) -> ui.card:
    ui.colors(primary="#0b6e4f")
    with ui.column().classes("absolute-center items-center w-full px-4").props("role=main"):
        ui.label("零碳工厂 zerofactory").classes("text-xl font-bold text-primary")
        card = ui.card().classes("w-full max-w-sm p-6 gap-3")
        with card:
            ui.label(title).classes("text-lg").props("role=heading aria-level=1")
    return card


def text_field(name: str, label: str, autocomplete: str) -> None:
    """Draw a field that `submit` reads by its name."""
    kind = "password" if "password" in autocomplete else "text"
    ui.input(label).props(f"for=zf-{name} type={kind} autocomplete={autocomplete} outlined dense").classes("w-full")


def submit(form: Form, language: Language) -> None:
    """Draw the button that sends a form, and the place where it says what is wrong."""
    told = ui.label("").classes("text-negative").props("role=alert")
    told_to = {
        "body": dict(form.fixed), "fields": form.fields, "target": form.target, "next": form.after, "csrf": form.csrf, "language": language,
    }  # fmt: skip
    script = _SEND % {name: json.dumps(value) for name, value in told_to.items()}

    async def send() -> None:
        told.text = await ui.run_javascript(f"return await ({script})()", timeout=20) or ""

    ui.button(form.label, on_click=send).classes("w-full").props("id=zf-submit")
    ui.keyboard(on_key=lambda event: send() if event.key == "Enter" and event.action.keydown else None, ignore=[])
