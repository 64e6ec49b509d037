"""The frame around every page: menu, site, language, light and dark; and what a page shows when something is wrong or empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from urllib.parse import quote

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from zerofactory.discover import discover
from zerofactory.errors import BookBroken, BookClosed, FaultyData, NotFound, Problem, Text
from zerofactory.runs import cookies
from zerofactory.runs.access import Permission
from zerofactory.store.access import ANY_SITE
from zerofactory.web.look import dress, paper
from zerofactory.web.visit import Visit, language_of, person_of, secret_of, server_of

GROUPS = (
    ("account", Text("核算", "Account")),
    ("live", Text("监测", "Live")),
    ("optimise", Text("优化", "Optimise")),
    ("plan", Text("规划与抵消", "Plan and offset")),
    ("standards", Text("评价与报告", "Evaluate and report")),
    ("administer", Text("管理", "Administer")),
)
START = "start"  # the page of the first run: the only one there is before there is a plant
WORK_LOOK_SECONDS = 3.0
STYLE = """
:root { --zf-green: #0b6e4f; --zf-ink: #16302b; }
body { font-family: "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "Helvetica Neue", Arial, sans-serif; }
.zf-figure { font-size: 1.9rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.15; }
.zf-table a, .zf-link { color: var(--q-primary); text-decoration: underline; }
#zf-main .nicegui-row, #zf-main .nicegui-column { max-width: 100%; }
.zf-table td, .zf-table th { font-variant-numeric: tabular-nums; }
.zf-item { display: flex; align-items: center; gap: 12px; padding: 4px 8px; margin: 8px 0; border-radius: 4px; color: inherit; text-decoration: none; }
.zf-item:hover { background: rgba(127, 127, 127, .15); } .zf-here, .zf-here:hover { background: var(--q-primary); color: #fff; }
.zf-skip { position: absolute; left: -999px; } .zf-skip:focus { left: 8px; top: 8px; z-index: 9999; background: #fff; color: #000; padding: 8px; }
@media print { header, .q-drawer, .zf-noprint, .q-btn { display: none !important; } .q-page-container { padding: 0 !important; } .q-card { break-inside: avoid; box-shadow: none; border: 1px solid #999; } }
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its address, titles, place in the menu, who may see it, and what builds it."""

    id: str
    path: str
    title: Text
    icon: str
    group: str
    order: int
    permission: Permission
    build: Callable[[Visit], None]


@lru_cache(maxsize=1)
def pages() -> dict[str, Page]:
    """Return every page by id."""
    return discover("zerofactory.web.pages", "PAGE")


def register(page: Page) -> None:
    """Make a page answer at its address; who has not logged in is sent to log in and comes back."""

    @ui.page(page.path, title=f"{page.title.zh} · zerofactory")
    def answer(request: Request) -> Response | None:
        person = person_of(request)
        if person is None:
            wanted = quote(
                f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path, safe=""
            )
            return RedirectResponse(f"/login?next={wanted}", 303)
        server = server_of(request)
        readable = tuple(site for site in server.sites.folders() if person.may("read", site))
        asked = dict(request.query_params)
        chosen = asked.get("site") or request.cookies.get(cookies.SITE, "")
        site = chosen if chosen in readable else (readable[0] if readable else "")
        visit = Visit(
            server, person, site, readable, language_of(request), asked, request.cookies.get(cookies.DARK) == "1",
            secret_of(request), request.client.host if request.client else "",
        )  # fmt: skip
        if not visit.site and page.id != START and person.may("administer", ANY_SITE):
            return RedirectResponse(pages()[START].path, 303)  # there is nothing to look at before there is a plant
        with around(visit, page):
            _fill(visit, page)
        return None


def _fill(visit: Visit, page: Page) -> None:
    if (not visit.site and page.id != START) or not visit.may(page.permission):
        empty(
            visit,
            Text("这里还没有您能看的工厂, 或您没有权限看这一页。", "There is no plant here that you may see, or you may not see this page."),
            Text("请联系管理员。", "Ask your administrator."),
        )  # fmt: skip
        return
    try:
        page.build(visit)
    except FaultyData as fault:
        problems(visit, fault.problems)
    except NotFound as fault:
        problems(visit, [fault.as_problem()])
    except BookClosed as fault:
        empty(visit, Text(f"{fault.period} 已封存。", f"{fault.period} is closed."), Text("", ""))
    except BookBroken as fault:
        problems(visit, fault.problems)


@contextmanager
def around(visit: Visit, page: Page) -> Iterator[None]:
    """Draw the frame; what is drawn inside is the page."""
    ui.add_css(STYLE)
    dress(visit, visit.read(page.title))
    ui.colors(
        primary="#0b6e4f",
        secondary="#2d6a8e",
        accent="#c98a1b",
        positive="#2e8b57",
        negative="#b3261e",
        warning="#9a6700",
    )
    dark = ui.dark_mode(value=visit.dark)
    drawer = ui.left_drawer(bordered=True).props(
        f'width=216 breakpoint=900 role=navigation aria-label="{visit.say("菜单", "Menu")}"'
    )
    with ui.header(elevated=False).classes("items-center gap-2 py-2 px-3 no-wrap"):
        ui.html(f'<a class="zf-skip" href="#zf-main">{visit.say("跳到正文", "Skip to content")}</a>', sanitize=False)
        ui.button(icon="menu", on_click=drawer.toggle).props(
            f'flat round color=white aria-label="{visit.say("菜单", "Menu")}"'
        )
        ui.label(visit.say("零碳工厂", "zerofactory")).classes("text-lg font-bold whitespace-nowrap")
        _site_choice(visit)
        ui.space()
        _working(visit)
        _switches(visit, dark)
    with drawer:
        _menu(visit, page)
    with ui.column().classes("w-full max-w-screen-2xl mx-auto gap-4 p-2").props("id=zf-main role=main tabindex=-1"):
        paper(visit, visit.read(page.title))
        ui.label(visit.read(page.title)).classes("text-2xl font-semibold").props("role=heading aria-level=1")
        yield


def _site_choice(visit: Visit) -> None:
    if len(visit.sites) < 2:
        if visit.site:
            ui.label(visit.read(visit.context.workspace.plant.name)).classes("opacity-80 truncate min-w-0 shrink")
        return
    choice = ui.select(list(visit.sites), value=visit.site).props(
        f'dense outlined dark aria-label="{visit.say("工厂", "site")}"'
    )
    choice.on_value_change(lambda event: _cookie(cookies.SITE, event.value))


def _working(visit: Visit) -> None:
    """Show how much long work goes on at this site; it leads to the page where it may be followed and cancelled."""
    if not visit.site:
        return
    badge = ui.button(icon="hourglass_top", on_click=lambda: ui.navigate.to("/jobs")).props(
        f'flat color=white no-caps aria-label="{visit.say("进行中的工作", "Work going on")}"'
    )

    def look() -> None:
        count = sum(job.is_open for job in visit.server.jobs.of_site(visit.site))
        badge.visible = count > 0
        badge.text = str(count)

    look()
    ui.timer(WORK_LOOK_SECONDS, look)


def _switches(visit: Visit, dark: ui.dark_mode) -> None:
    other = "en" if visit.language == "zh" else "zh"
    ui.button("English" if other == "en" else "中文", on_click=lambda: _cookie(cookies.LANGUAGE, other)).props(
        "flat color=white no-caps"
    ).classes("whitespace-nowrap")

    def switch() -> None:
        dark.toggle()
        ui.run_javascript(
            f"document.cookie='{cookies.DARK}={'0' if visit.dark else '1'};path=/;max-age=31536000;samesite=lax'"
        )

    ui.button(icon="contrast", on_click=switch).props(
        f'flat round color=white aria-label="{visit.say("深浅色", "Light or dark")}"'
    )
    with (
        ui.button(icon="account_circle").props(f'flat round color=white aria-label="{visit.say("账户", "Account")}"'),
        ui.menu(),
    ):
        ui.label(f"{visit.person.user.name}").classes("px-4 py-2 opacity-70")
        ui.menu_item(visit.say("我的账户", "My account"), on_click=lambda: ui.navigate.to("/account"))
        ui.menu_item(visit.say("退出", "Log out"), on_click=lambda: ui.navigate.to("/logout"))


def _cookie(name: str, value: str) -> None:
    """Remember a choice that is no secret, and show the page anew."""
    ui.run_javascript(f"document.cookie='{name}={quote(value)};path=/;max-age=31536000;samesite=lax';location.reload()")


def _menu(visit: Visit, current: Page) -> None:
    """Draw the menu as one piece: it is the same for everybody on every page, and each element of its own costs time."""
    parts = []
    for group, title in GROUPS:
        own = sorted((p for p in pages().values() if p.group == group and _shown(visit, p)), key=lambda p: p.order)
        if own:
            parts.append(f'<div class="text-xs uppercase opacity-60 px-2 pt-3">{escape(visit.read(title))}</div>')
        for page in own:
            here = page.id == current.id
            mark, look = (' aria-current="page"', "zf-here") if here else ("", "")
            parts.append(
                f'<a class="zf-item {look}" href="{escape(page.path)}"{mark}>'
                f'<i class="q-icon notranslate material-icons" aria-hidden="true">{escape(page.icon)}</i>'
                f"<span>{escape(visit.read(page.title))}</span></a>"
            )
    ui.html("".join(parts), sanitize=False).classes("w-full")


def _shown(visit: Visit, page: Page) -> bool:
    return visit.may(page.permission) and (bool(visit.site) or page.id == START)


def empty(visit: Visit, what: Text, then: Text, target: str = "") -> None:
    """Say that there is nothing to show, and what to do next."""
    with ui.card().classes("w-full items-center p-8"):
        ui.icon("inbox", size="xl").classes("opacity-40").props("aria-hidden=true")
        ui.label(visit.read(what)).classes("text-lg text-center")
        if target:
            ui.button(visit.read(then), on_click=lambda: ui.navigate.to(target))
        elif then.zh:
            ui.label(visit.read(then)).classes("opacity-70 text-center")


def problems(visit: Visit, found: Sequence[Problem]) -> None:
    """Show every problem with its place and how to mend it."""
    columns = [
        ("where", visit.say("位置", "Place")),
        ("what", visit.say("问题", "Problem")),
        ("mend", visit.say("怎么改", "How to mend")),
    ]
    rows = [
        {"id": number, "where": p.where(visit.language), "what": visit.read(p.message), "mend": visit.read(p.hint), "severity": p.severity}
        for number, p in enumerate(found)
    ]  # fmt: skip
    count = visit.say(f"{len(rows)} 个问题", f"{len(rows)} problem(s)")
    with ui.card().classes("w-full").props("role=alert"):
        ui.label(count).classes("text-negative font-semibold")
        table(columns, rows)


def table(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, object]],
    numbers: Sequence[str] = (),
    per_page: int = 0,
) -> ui.table:
    """Return a table; ``columns`` are (field, title), ``numbers`` the fields set to the right."""
    heads = [
        {"name": name, "label": title, "field": name, "align": "right" if name in numbers else "left", "sortable": True}
        for name, title in columns
    ]
    return (
        ui.table(columns=heads, rows=[dict(row) for row in rows], pagination=per_page or None)
        .classes("w-full zf-table")
        .props("flat bordered wrap-cells dense")
    )


def figure(visit: Visit, title: Text, value: str, unit: str, note: str = "", target: str = "") -> None:
    """Show one large figure with its unit; ``target`` is where its why is told."""
    with ui.card().classes("p-4 grow min-w-48 gap-1"):
        ui.label(visit.read(title)).classes("text-sm opacity-70")
        with ui.row().classes("items-baseline gap-1 no-wrap"):
            ui.label(value).classes("zf-figure")
            ui.label(unit).classes("text-sm opacity-70")
        if note:
            ui.label(note).classes("text-xs opacity-70")
        if target:
            ui.link(visit.say("为什么?", "Why?"), target).classes("text-xs zf-noprint")
