"""The inventory in any cut; each line opens down to the reading."""

from __future__ import annotations

from urllib.parse import urlencode

from nicegui import ui

from zerofactory.accounting.inventory import Inventory
from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import inventory as run
from zerofactory.standards.load import standards
from zerofactory.web import charts
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.period import choose
from zerofactory.web.visit import GRAMS_PER_TONNE, Visit, tonnes

CUTS = {"category": Text("类别", "category"), "shop": Text("车间", "shop"), "source": Text("排放源", "source"), "gas": Text("气体", "gas"),
        "month": Text("月份", "month"), "class": Text("人机料法环", "4M1E"), "scope": Text("范围", "scope")}  # fmt: skip
REGIMES = {
    "location": Text("基于位置", "location-based"),
    "market_annual": Text("基于市场(年度)", "market-based (annual)"),
}
SCOPES = {
    "1+2": Text("范围一、二", "scopes 1 and 2"),
    "1": Text("范围一", "scope 1"),
    "2": Text("范围二", "scope 2"),
    "3": Text("范围三", "scope 3"),
    "all": Text("全部", "all"),
}


def build(visit: Visit) -> None:
    """Draw the page."""
    view = {
        "standard": visit.asked.get("standard", "iso_14064_1_2018"), "regime": visit.asked.get("regime", ""),
        "by": visit.asked.get("by", "category"), "scope": visit.asked.get("scope", "1+2"),
    }  # fmt: skip
    with ui.row().classes("items-center gap-3 zf-noprint"):
        period = choose(visit, "/inventory", **view)
        if period is not None:
            _choices(visit, period, view)
    if period is None:
        empty(visit, Text("还没有封存的月份。", "No month is closed yet."), Text("去封存", "Close a month"), "/close")
        return
    asked, cut = Period.parse(period), (view["standard"], view["regime"] or None, view["by"], view["scope"])
    found = visit.kept(f"inventory {period} {cut}", lambda context: run.read(context, asked, *cut))
    with ui.row().classes("w-full gap-4"):
        title = REGIMES.get(found.regime, Text(found.regime, found.regime))
        figure(visit, title, tonnes(found.total_gco2e), "tCO2e", f"{found.standard} · {found.gwp_set}")
        for name, grams in found.regimes_gco2e.items():
            if name != found.regime:
                figure(visit, REGIMES.get(name, Text(name, name)), tonnes(grams), "tCO2e")
    with ui.card().classes("w-full"):
        draw = (
            charts.ranked
            if view["by"] != "month"
            else lambda parts, unit: charts.bars(list(parts), {unit: list(parts.values())}, unit)
        )
        names = [line.key if view["by"] == "month" else visit.read(line.title) for line in found.lines]
        values = [round(line.emissions_gco2e / GRAMS_PER_TONNE, 1) for line in found.lines]
        draw(dict(zip(names, values, strict=True)), "tCO2e")
    _lines(visit, period, found, view)


def _choices(visit: Visit, period: str, view: dict[str, str]) -> None:
    options = {
        "standard": (visit.say("标准", "Standard"), {s.id: visit.read(s.title) for s in standards().values() if s.categories}),
        "regime": (visit.say("电力口径", "Electricity"), {"": visit.say("标准默认", "as the standard says"), **{k: visit.read(t) for k, t in REGIMES.items()}}),
        "by": (visit.say("划分", "Cut"), {k: visit.read(t) for k, t in CUTS.items()}),
        "scope": (visit.say("范围", "Scope"), {k: visit.read(t) for k, t in SCOPES.items()}),
    }  # fmt: skip
    for name, (label, choices) in options.items():
        value = view[name] if view[name] in choices else next(iter(choices))
        select = (
            ui.select(choices, value=value, label=label)
            .props("dense outlined options-dense")
            .classes("min-w-36 max-w-72")
        )

        def go(event: object, name: str = name) -> None:
            ui.navigate.to("/inventory?" + urlencode({"period": period, **view, name: getattr(event, "value", "")}))

        select.on_value_change(go)


def _lines(visit: Visit, period: str, found: Inventory, view: dict[str, str]) -> None:
    columns = [
        ("key", visit.say("编号", "Key")),
        ("title", visit.say("名称", "Title")),
        ("tonnes", "tCO2e"),
        ("share", "%"),
    ]
    rows = [
        {"id": line.key, "key": line.key, "title": visit.read(line.title), "tonnes": tonnes(line.emissions_gco2e, 3), "share": f"{100 * line.share_fraction:.2f}"}
        for line in found.lines
    ]  # fmt: skip
    made = table(columns, rows, ("tonnes", "share"))
    if view["by"] == "source" and Period.parse(period).month is not None:
        made.add_slot(
            "body-cell-key",
            f'<q-td :props="props"><a :href="`/why?figure=${{encodeURIComponent(props.value)}}@{period}`">{{{{ props.value }}}}</a></q-td>',
        )
        ui.label(visit.say("点编号, 打开到读数或凭证。", "Open a key down to the reading or document.")).classes(
            "text-sm opacity-70"
        )
    else:
        ui.label(
            visit.say(
                "按“排放源”划分并选一个月, 可逐条打开到读数。",
                "Cut by source and choose a month to open each line down to the reading.",
            )
        ).classes("text-sm opacity-70")
    apart = {name: grams for name, grams in found.apart_gco2e.items() if grams}
    if apart:
        listed = "; ".join(f"{name} {tonnes(grams, 3)}" for name, grams in apart.items())
        ui.label(visit.say(f"单列(不计入合计): {listed} tCO2e", f"Apart (not in the total): {listed} tCO2e")).classes(
            "text-sm"
        )


PAGE = Page("inventory", "/inventory", Text("清单", "Inventory"), "receipt_long", "account", 20, "read", build)
