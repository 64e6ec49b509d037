"""Alarms as facts: an alarm is what its events say, from the first to the newest. Append-only like the rest of the book.

raised ─► extended (the same episode went on) ─► acknowledged, assigned ─► closed (with a reason)
"""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

ALARM_STATES = ("raised", "extended", "acknowledged", "assigned", "closed")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


def _number(name: str, zh: str, en: str, unit: str | None = None) -> Column:
    return Column(name, "number", Text(zh, en), unit=unit, nullable=True)


ALARM_EVENTS = TableSchema(
    "alarm_events",
    Text("报警事件", "events of alarms"),
    (
        _text("event_id", "编号", "id"),
        _text("alarm_id", "报警", "alarm"),
        _text("state", "状态", "state", choices=ALARM_STATES),
        _text("rule", "规则", "rule"),
        _text("meter", "表计(或 site)", "meter (or site)"),
        _text("shop", "车间", "shop", nullable=True),
        Column("started_at", "moment", Text("开始", "start")),
        Column("ended_at", "moment", Text("结束", "end"), note=Text("不含", "not included")),
        Column("amount_milli", "integer", Text("超出量(千分之一单位)", "excess in thousandths of the unit")),
        _text("unit", "单位", "unit"),
        _number("value_per_hour", "测得(每小时)", "measured (per hour)"),
        _number("limit_per_hour", "限值或常态(每小时)", "limit or normal (per hour)"),
        Column("energy_wh", "integer", Text("能量", "energy"), unit="Wh", nullable=True),
        _number("cost_cny", "费用", "cost", "CNY"),
        Column("emissions_gco2e", "integer", Text("排放量(基于位置)", "emissions (location-based)"), unit="gCO2e", nullable=True),
        _text("lacking_zh", "缺数说明", "why a figure is lacking (Chinese)"),
        _text("lacking_en", "缺数说明(英文)", "why a figure is lacking"),
        _text("message_zh", "内容", "message (Chinese)"),
        _text("message_en", "内容(英文)", "message"),
        _text("assignee", "负责人", "assigned to", nullable=True),
        Column("as_normal", "flag", Text("作为新的常态", "taken as the new normal")),
        _text("text", "说明", "what was said", nullable=True),
        _text("actor", "经手人", "who"),
        _text("at", "时间", "at"),
    ),
    ("event_id",),
)  # fmt: skip
