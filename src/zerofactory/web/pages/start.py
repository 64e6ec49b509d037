"""The first run: from an empty folder to a first inventory, step by step; each step saves, may be left, and may be gone back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from zerofactory.errors import Problem, Text
from zerofactory.periods import Period
from zerofactory.runs import first_run as run
from zerofactory.runs import inventory, source_offers
from zerofactory.runs import plant as plants
from zerofactory.site.template import Answers, templates
from zerofactory.store.access import ANY_SITE
from zerofactory.web import charts
from zerofactory.web.act import act, attempt
from zerofactory.web.entry_form import EntryForm
from zerofactory.web.frame import Page, empty, figure, problems, table
from zerofactory.web.pages import close, import_data
from zerofactory.web.plant_fields import organisation_fields, plant_fields
from zerofactory.web.plant_parts import editor, meter_upload, table_form, typed
from zerofactory.web.source_choice import missing, offers
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

METER_COLUMNS = (("id", Text("编号", "Id")), ("name", Text("名称", "Name")), ("carrier", Text("介质", "Carrier")), ("kind", Text("类型", "Kind")),
                 ("unit", Text("单位", "Unit")), ("shop", Text("车间", "Shop")), ("parent", Text("上级", "Parent")), ("multiplier", Text("倍率", "Multiplier")))  # fmt: skip
SHOP_COLUMNS = (("id", Text("编号", "Id")), ("name", Text("名称", "Name")), ("kind", Text("类型", "Kind")))
SOURCE_COLUMNS = (("id", Text("编号", "Id")), ("name", Text("名称", "Name")), ("kind", Text("种类", "Kind")), ("item", Text("品种", "Item")),
                  ("meters", Text("表计", "Meters")), ("shop", Text("车间", "Shop")))  # fmt: skip
CONFIRMED = ("shops", "meters", "sources")


def build(visit: Visit) -> None:
    """Draw the page."""
    if not visit.site:
        _begin(visit)
        return
    steps = run.steps(visit.context)
    asked = visit.asked.get("step", "")
    current = asked if asked in run.STEPS else run.next_step(steps)
    _path(visit, steps, current)
    title, text = run.STEPS[current]
    with ui.card().classes("w-full gap-3 p-4"):
        ui.label(visit.read(title)).classes("text-xl font-semibold").props("role=heading aria-level=2")
        ui.label(visit.read(text)).classes("opacity-80")
        STEPS[current](visit)
    _onward(visit, current)


def _path(visit: Visit, steps: Sequence[run.Step], current: str) -> None:
    """Draw the steps as a path: which are done, which one is open, each a link."""
    with ui.element("ol").classes("w-full flex flex-wrap gap-2 list-none p-0 m-0"):
        for number, step in enumerate(steps, start=1):
            here = step.id == current
            with (
                ui.element("li"),
                ui.link(target=f"/start?step={step.id}")
                .classes("no-underline")
                .props("aria-current=step" if here else ""),
            ):
                row = ui.row().classes("items-center gap-1 px-3 py-1 rounded-full border no-wrap")
                row.classes("bg-primary text-white" if here else "")
                with row:
                    if step.done:
                        ui.icon("check_circle").props(f'role=img aria-label="{visit.say("已完成", "done")}"')
                    else:
                        ui.label(str(number)).classes("font-semibold")
                    ui.label(visit.read(step.title))


def _onward(visit: Visit, current: str) -> None:
    """Draw the way back and the way on; what was looked through is noted before going on."""
    names = list(run.STEPS)
    place = ui.column().classes("w-full")
    at = names.index(current)

    async def go_on() -> None:
        if current in CONFIRMED and visit.may("manage"):
            done = await act(visit, "manage", f"plant {current}", lambda c: plants.confirm(c, current), place)
            if done is None:
                return
        ui.navigate.to(f"/start?step={names[at + 1]}")

    with ui.row().classes("w-full items-center gap-2 zf-noprint"):
        if at:
            back = ui.button(visit.say("上一步", "Back"), icon="arrow_back")
            back.on_click(lambda: ui.navigate.to(f"/start?step={names[at - 1]}")).props("flat")
        ui.space()
        if at + 1 < len(names):
            words = ("看过了, 下一步", "Looked through, go on") if current in CONFIRMED else ("下一步", "Next")
            ui.button(visit.say(*words), icon="arrow_forward", on_click=go_on).props("id=zf-next")
        else:
            ui.button(visit.say("去总览", "To the overview"), icon="dashboard", on_click=lambda: ui.navigate.to("/"))
    place.move(target_index=-1)


def _begin(visit: Visit) -> None:
    """Ask what a new plant is asked first, and make it."""
    if not (run.is_fresh(visit.server.sites.root) and visit.person.may("administer", ANY_SITE)):
        empty(visit, Text("这里还没有工厂。", "There is no plant here yet."), Text("请管理员建立工厂。", "Ask an administrator to make it."))  # fmt: skip
        return
    _path(visit, run.steps(None), "plant")
    with ui.card().classes("w-full gap-3 p-4"):
        ui.label(visit.say("这里还没有工厂, 一起建一个", "There is no plant here yet: let us make one")).classes("text-xl font-semibold").props("role=heading aria-level=2")  # fmt: skip
        ui.label(
            visit.say(
                "约 15 分钟。每一步都会保存, 可以随时离开, 回来接着做; 也可以回头改。",
                "About 15 minutes. Each step is saved: leave whenever you like, come back and go on, or go back and change.",
            )
        ).classes("opacity-80")
        chosen = _templates(visit)
        form = EntryForm(visit, plant_fields(visit), {}, mark="zf-plant")
        owner = EntryForm(visit, organisation_fields(visit)[:1], {}, mark="zf-organisation")
        place = ui.column().classes("w-full")

        async def make() -> None:
            head = typed(form.entry())
            answers = Answers(
                str(head.get("id") or ""), head.get("name") or "", owner.entry().get("name") or "",
                str(head.get("region") or ""), str(head.get("time_zone") or "Asia/Shanghai"), head.get("opened_on"),
            )  # fmt: skip

            def told(faults: Sequence[Problem]) -> None:
                rest = owner.show(form.show(faults, "plant"), "organisation")
                place.clear()
                if rest:
                    with place:
                        problems(visit, rest)

            root, login = visit.server.sites.root, visit.person.user.login
            done = await attempt(
                visit,
                "administer",
                "plant new",
                lambda: run.create(root, str(chosen.value), answers, login),
                place,
                told,
            )
            if done is not None:
                ui.navigate.to("/start?step=shops")

        ui.button(visit.say("建立工厂", "Make the plant"), icon="check", on_click=make).props("id=zf-make")


def _templates(visit: Visit) -> ui.radio:
    """Draw the templates and return which one is chosen."""
    ui.label(visit.say("是哪一类工厂?", "What kind of plant is it?")).classes("font-semibold")
    choices = {one.id: visit.read(one.title) for one in templates().values()}
    chosen = ui.radio(choices, value=next(iter(choices))).props("inline").classes("zf-templates")
    said = ui.label().classes("text-sm opacity-80")
    said.bind_text_from(chosen, "value", lambda name: visit.read(templates()[name].text))
    return chosen


def _plant(visit: Visit) -> None:
    table_form(visit, "plant", plant_fields(visit))


def _shops(visit: Visit) -> None:
    _part(visit, lambda refresh: editor(visit, "shops", SHOP_COLUMNS, refresh))
    ui.label(visit.say("组织", "Organisation")).classes("text-lg font-semibold pt-2").props("role=heading aria-level=2")
    table_form(visit, "organisation", organisation_fields(visit))


def _meters(visit: Visit) -> None:
    def draw(refresh: Callable[[], None]) -> None:
        editor(visit, "meters", METER_COLUMNS, refresh)
        if visit.may("manage"):
            meter_upload(visit, refresh)

    _part(visit, draw)


def _sources(visit: Visit) -> None:
    def draw(refresh: Callable[[], None]) -> None:
        missing(visit, refresh)
        editor(visit, "sources", SOURCE_COLUMNS, refresh)
        offers(visit, refresh)

    _part(visit, draw)


def _part(visit: Visit, draw: Callable[[Callable[[], None]], None]) -> None:
    """Draw a part that is drawn anew after each change."""
    place = ui.column().classes("w-full gap-3")

    def refresh() -> None:
        place.clear()
        with place:
            draw(refresh)

    refresh()


def _inventory(visit: Visit) -> None:
    """Draw the first inventory: the total, the sources, and where each figure opens."""
    months = sorted(visit.context.workspace.seals()["period"].to_list())
    if not months:
        empty(
            visit,
            Text("还没有封存的月份。", "No month is closed yet."),
            Text("去封存", "Close a month"),
            "/start?step=close",
        )
        return
    asked = Period.parse(months[-1])
    found = inventory.read(visit.context, asked, "iso_14064_1_2018", None, "source")
    with ui.row().classes("w-full gap-4"):
        title = Text(f"{asked.label} 范围一+二", f"{asked.label}, scopes 1+2")
        figure(visit, title, tonnes(found.total_gco2e), "tCO2e", target=f"/inventory?period={asked.label}")
        figure(visit, Text("估算数据占比", "Share estimated"), f"{100 * found.estimated_fraction:.2f}", "%", visit.say("累计表两次读数之间的分摊也计入, 其总量准确", "with what a register gained between two readings, whose total is exact"))  # fmt: skip
    with ui.card().classes("w-full"):
        parts = {visit.read(line.title): round(line.emissions_gco2e / GRAMS_PER_TONNE, 3) for line in found.lines}
        charts.ranked(parts, "tCO2e")
    ui.label(visit.say("接下来", "What comes next")).classes("text-lg font-semibold")
    for target, zh, en in NEXT:
        ui.link(visit.say(zh, en), target.format(period=asked.label))


def _close(visit: Visit) -> None:
    lacking = [
        p for entry in plants.entries(visit.context, "sources") for p in source_offers.of_entry(visit.context, entry)[1]
    ]
    if lacking:
        words = visit.say(
            f"还有 {len(lacking)} 个因子没有决定, 会挡住封存。",
            f"{len(lacking)} factors are still open and will hinder closing.",
        )
        ui.link(words, "/start?step=sources").classes("text-warning")
    close.build(visit)


def _data(visit: Visit) -> None:
    """Draw what is needed, the import, and what has come so far."""
    plant = visit.context.workspace.plant
    read = [meter for meter in plant.meters if meter.kind != "virtual"]
    papers = [source for source in plant.sources if not source.meters]
    needed = (
        (f"{len(read)} 块表计的读数: 采集系统导出, 或填“手抄读数”表", f"Readings of {len(read)} meters: an export, or the form of hand-read meters", [m.id for m in read]),
        (f"{len(papers)} 个排放源的凭证: 填“活动数据”表(发票、台账)", f"Documents of {len(papers)} sources: the form of activities (invoices, ledgers)", [visit.read(s.name) for s in papers]),
    )  # fmt: skip
    for zh, en, names in needed:
        if names:
            with ui.expansion(visit.say(zh, en)).classes("w-full").props("dense"):
                ui.label(", ".join(names)).classes("text-sm opacity-80")
    ui.label(visit.say("不确定缺什么? 先导入手头有的一个月, 封存时会逐条说明还缺什么。", "Not sure what is missing? Import one month you have; closing says what else it needs.")).classes("text-sm opacity-80")  # fmt: skip
    import_data.build(visit)
    came = visit.context.workspace.batches()
    if came.height:
        ui.label(visit.say("已导入", "Imported so far")).classes("font-semibold")
        columns = [
            ("file", visit.say("文件", "File")),
            ("kind", visit.say("内容", "Content")),
            ("rows", visit.say("行数", "Rows")),
        ]
        rows = [
            {"id": n, "file": row["file_name"], "kind": visit.read(import_data.KINDS.get(row["kind"], Text(row["kind"], row["kind"]))), "rows": f"{row['rows']:,}"}
            for n, row in enumerate(came.to_dicts())
        ]  # fmt: skip
        table(columns, rows, ("rows",), per_page=10 if len(rows) > 10 else 0)


NEXT = (
    ("/inventory?period={period}&by=source", "清单: 任意划分, 每个数都能打开到读数或凭证", "The inventory in any cut; each figure opens down to its reading"),
    ("/plant", "工厂与表计: 改车间、表计、排放源, 看历次版本", "Plant and meters: change them, see every version"),
    ("/users", "用户: 给同事发一次性链接", "Users: invite colleagues by a link that works once"),
    ("/plan", "规划: 目标、措施与路线图", "The plan: targets, measures and the roadmap"),
)  # fmt: skip
STEPS: Mapping[str, Callable[[Visit], None]] = {
    "plant": _plant,
    "shops": _shops,
    "meters": _meters,
    "sources": _sources,
    "data": _data,
    "close": _close,
    "inventory": _inventory,
}
PAGE = Page("start", "/start", Text("开始使用", "First steps"), "flag", "account", 5, "read", build)
