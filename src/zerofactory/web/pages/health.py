"""Health of measurement: what is read, what is late, what does not add up, and whether enough is metered."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import Period
from zerofactory.runs import health as run
from zerofactory.runs.profile import months_of
from zerofactory.web.frame import Page, empty, figure, table
from zerofactory.web.period import choose
from zerofactory.web.visit import Visit


def build(visit: Visit) -> None:
    """Draw the page."""
    if not visit.kept("months with readings", months_of):
        empty(visit, Text("还没有读数。", "There are no readings yet."), Text("导入读数", "Import readings"), "/import")
        return
    period = visit.asked.get("period") or choose(visit, "/health")
    found = run.run(visit.context, Period.parse(period) if period and len(period) > 4 else None).as_json()
    with ui.row().classes("w-full gap-4"):
        for title, key in (
            (Text("采集率", "Collection rate"), "collection_fraction"),
            (Text("完整率", "Completeness"), "completeness_fraction"),
            (Text("估算占比", "Share estimated"), "estimated_fraction"),
        ):
            value = found.get(key)
            figure(visit, title, "—" if value is None else f"{100 * float(str(value)):.3f}", "%", str(found["period"]))
    _list(
        visit,
        Text("配备率", "Meter cover"),
        found["cover"],
        "lines",
        ("title", "level", "needed", "there", "fraction", "required_fraction", "is_met"),
    )
    _list(
        visit,
        Text("表计树闭合", "Closure of the meter tree"),
        found,
        "closures",
        ("name", "parent_amount", "children_amount", "unit", "error_fraction", "within"),
    )
    _list(
        visit,
        Text("表计", "Meters"),
        found,
        "meters",
        ("id", "name", "state", "slots_due", "slots_measured", "late_minutes", "estimated_fraction"),
    )


def _list(visit: Visit, title: Text, found: object, key: str, names: tuple[str, ...]) -> None:
    rows = found.get(key, []) if isinstance(found, dict) else []
    ui.label(visit.read(title)).classes("text-lg font-semibold pt-2")
    shown = [{"id": n, **{f"c_{name}": _cell(visit, row.get(name)) for name in names}} for n, row in enumerate(rows)]
    table(
        [(f"c_{name}", visit.read(HEADS[name])) for name in names],
        shown,
        [f"c_{name}" for name in names if name not in WORDS],
        per_page=15,
    )


def _cell(visit: Visit, value: object) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, dict):
        return visit.told(value)
    return (
        f"{value:,.4g}"
        if isinstance(value, float) and abs(value) < 10
        else f"{value:,.1f}"
        if isinstance(value, float)
        else "—"
        if value is None
        else str(value)
    )


HEADS = {
    "title": Text("能源", "Energy"), "level": Text("级", "Level"), "needed": Text("应有", "Needed"), "there": Text("实有", "There"),
    "fraction": Text("比例", "Fraction"), "required_fraction": Text("要求", "Required"), "is_met": Text("满足", "Met"),
    "name": Text("名称", "Name"), "parent_amount": Text("总表", "Parent"), "children_amount": Text("分表合计", "Children"), "unit": Text("单位", "Unit"),
    "error_fraction": Text("误差", "Error"), "within": Text("合格", "Within"), "id": Text("表计", "Meter"), "state": Text("状态", "State"),
    "slots_due": Text("应读", "Due"), "slots_measured": Text("实读", "Read"), "late_minutes": Text("落后 分", "Late min"), "estimated_fraction": Text("估算", "Estimated"),
}  # fmt: skip
WORDS = ("title", "level", "is_met", "name", "unit", "within", "id", "state")
PAGE = Page("health", "/health", Text("计量健康", "Measurement health"), "health_and_safety", "live", 40, "read", build)
