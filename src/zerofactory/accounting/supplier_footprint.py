"""Supplier's own footprint: what a document must say before its figure may be used, and every way it can be wrong.

A footprint holds for a declared unit, inside a boundary and for a time (ISO 14067:2018, 6.3; GB/T 24067-2024; PACT
Methodology v3, 4). Only cradle to gate fits a purchase: a gate-to-gate figure leaves the upstream out, a cradle-to-grave one
counts use and end of life twice.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from zerofactory import units
from zerofactory.accounting.source import Ask, detail_number, detail_text, fault
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.factors.model import Found

BOUNDARIES = ("cradle_to_gate", "gate_to_gate", "cradle_to_grave")
VALUE, UNIT, BOUNDARY, FIRST, LAST = (
    "supplier_pcf", "supplier_pcf_unit", "supplier_pcf_boundary", "supplier_pcf_valid_from", "supplier_pcf_valid_to",
)  # fmt: skip
TITLE = Text("供应商产品碳足迹", "supplier's product footprint")
DETAILS = (
    detail_number(VALUE, TITLE, "kgCO2e"),
    detail_text(UNIT, "供应商碳足迹单位(如kgCO2e/kg)", "unit of the supplier's footprint (e.g. kgCO2e/kg)"),
    detail_text(BOUNDARY, "供应商碳足迹边界", "boundary of the supplier's footprint", BOUNDARIES),
    detail_text(FIRST, "供应商碳足迹有效期自", "supplier's footprint valid from (YYYY-MM-DD)"),
    detail_text(LAST, "供应商碳足迹有效期至", "supplier's footprint valid to (YYYY-MM-DD)"),
    detail_number(
        "supplier_pcf_primary_share",
        Text("供应商碳足迹初级数据占比", "primary-data share of the footprint"),
        "fraction",
        1.0,
    ),
    detail_text("supplier_pcf_reference", "供应商碳足迹文件编号", "document of the supplier's footprint"),
)
METHOD = "supplier PCF × quantity"
UNCERTAINTY = "ef.material.epd"


def is_given(ask: Ask) -> bool:
    """Whether the document gives a supplier's footprint."""
    return ask.has(VALUE)


def supplier_factor(ask: Ask) -> Found:
    """Return the supplier's footprint as a factor, with the share of primary data in its reason.

    Raises
    ------
    FaultyData
        Every fault at once: no or unreadable unit, a unit that does not fit the activity, a boundary other than cradle to
        gate, a period of validity that is missing, unreadable or does not reach into the month (expired, not yet valid).
    """
    problems = [*_unit(ask), *_boundary(ask), *_validity(ask)]
    if problems:
        raise FaultyData(problems)
    found = ask.stated(VALUE, ask.text(UNIT), TITLE)
    share = ask.number("supplier_pcf_primary_share", 0.0, 1.0) if ask.has("supplier_pcf_primary_share") else None
    zh = f"初级数据占比 {100 * share:g} %" if share is not None else "未说明初级数据占比"
    en = f"{100 * share:g} % primary data" if share is not None else "primary-data share not stated"
    document = ask.text("supplier_pcf_reference") if ask.has("supplier_pcf_reference") else "—"
    reason = Text(
        f"{found.reason.zh}摇篮到大门, {ask.text(FIRST)} 至 {ask.text(LAST)} 有效, {zh}, 文件 {document}。",
        f"{found.reason.en} Cradle to gate, valid {ask.text(FIRST)} to {ask.text(LAST)}, {en}, document {document}.",
    )
    return Found(found.factor, reason)


def _unit(ask: Ask) -> list[Problem]:
    if not ask.has(UNIT):
        return [_fault("supplier_pcf_unit", UNIT, "没有写单位", "states no unit", "如 kgCO2e/kg", "e.g. kgCO2e/kg")]
    written = ask.text(UNIT)
    try:
        parts = units.parse_factor_unit(written)
        fits = (
            parts.numerator.dimension == "mass"
            and parts.gas in ("CO2e", "CO2")
            and parts.denominator is not None
            and parts.denominator.dimension == units.parse(ask.unit).dimension
        )
    except NotFound:
        fits = False
    if fits:
        return []
    zh, en = f"的单位“{written}”与用量单位“{ask.unit}”不符", f"is in '{written}', which does not fit '{ask.unit}'"
    return [_fault("supplier_pcf_unit", UNIT, zh, en, f"如 kgCO2e/{ask.unit}", f"e.g. kgCO2e/{ask.unit}")]


def _boundary(ask: Ask) -> list[Problem]:
    boundary = ask.text(BOUNDARY) if ask.has(BOUNDARY) else ""
    if boundary == "cradle_to_gate":
        return []
    zh = f"的边界是“{boundary}”" if boundary else "没有写边界"
    en = f"has the boundary '{boundary}'" if boundary else "states no boundary"
    return [_fault("supplier_pcf_boundary", BOUNDARY, zh, en, "只接受 cradle_to_gate", "only cradle_to_gate fits")]


def _validity(ask: Ask) -> list[Problem]:
    problems: list[Problem] = []
    days: dict[str, date] = {}
    for name in (FIRST, LAST):
        try:
            days[name] = date.fromisoformat(ask.text(name) if ask.has(name) else "")
        except ValueError:
            said = ask.text(name) if ask.has(name) else ""
            zh, en = f"的有效期“{said}”不是日期", f"has the validity '{said}', which is not a date"
            problems.append(_fault("supplier_pcf_period", name, zh, en, "写成 2025-12-31", "write 2025-12-31"))
    if problems:
        return problems
    month_first = ask.scope.on.replace(day=1)
    month_last = month_first.replace(day=monthrange(month_first.year, month_first.month)[1])
    hint = ("请向供应商索取该期间的碳足迹", "ask the supplier for the footprint of this period")
    if days[LAST] < days[FIRST]:
        zh, en = "的有效期止早于起", "ends before it starts"
        return [_fault("supplier_pcf_period", LAST, zh, en, *hint)]
    if days[LAST] < month_first:
        zh, en = f"已于 {days[LAST]} 过期", f"expired on {days[LAST]}"
        return [_fault("supplier_pcf_expired", LAST, zh, en, *hint)]
    if days[FIRST] > month_last:
        zh, en = f"自 {days[FIRST]} 起才有效", f"is valid only from {days[FIRST]}"
        return [_fault("supplier_pcf_period", FIRST, zh, en, *hint)]
    return []


def _fault(code: str, column: str, zh: str, en: str, hint_zh: str, hint_en: str) -> Problem:
    return fault(
        code,
        Text(f"供应商碳足迹{zh}。", f"The supplier's footprint {en}."),
        Text(f"{hint_zh}。", f"{hint_en[0].upper()}{hint_en[1:]}."),
        column=column,
    )
