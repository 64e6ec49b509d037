"""The catalogue of measures as it is shown, and how years and limits are written on a command line."""

from __future__ import annotations

import re

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.planning.end_use import end_uses
from zerofactory.planning.lever import lever
from zerofactory.planning.limit import Direction, Limit
from zerofactory.planning.measure import CLASSES, Cost, Measure, measure, measures

_YEARS = re.compile(r"^(\d{4})\s*-\s*(\d{4})$")
_LIMIT = re.compile(r"^\s*([a-z_0-9]+)\s*(<=|>=)\s*([-+0-9.eE]+)\s*(?:@\s*(\d{4}))?\s*$")
BASES = {
    "fixed": Text("", ""),
    "vehicles": Text("每辆年产能", "per vehicle of a year"),
    "size": Text("每单位规模", "per unit of size"),
    "saved": Text("每单位年节约量", "per unit saved a year"),
}


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def listed(kind: str | None = None) -> list[dict[str, object]]:
    """Return the measures in the order of interaction, of one class when it is named; raise `NotFound` with the choices."""
    if kind is not None and kind not in CLASSES:
        raise NotFound(Text("措施类别", "class of measure"), kind, tuple(CLASSES))
    return [_row(one) for one in measures().values() if kind in (None, one.kind)]


def _row(one: Measure) -> dict[str, object]:
    return {
        "measure": one.id,
        "title": _both(one.title),
        "class": one.kind,
        "class_title": _both(CLASSES[one.kind]),
        "life_years": one.life_years,
        "lead_years": one.lead_years,
        "shops": list(one.shops),
        "status": one.status,
        "best_before": one.best_before.isoformat(),
    }


def one(name: str) -> dict[str, object]:
    """Return one measure in full."""
    found = measure(name)
    return {
        **_row(found),
        "description": _both(found.description),
        "acts_on": _acts_on(found),
        "costs": [_cost(cost, "capex") for cost in found.capex] + [_cost(cost, "opex") for cost in found.opex],
        "excludes": list(found.excludes),
        "requires": list(found.requires),
        "earliest_year": found.earliest_year,
        "side_effects": _both(found.side_effects) if found.side_effects else None,
        "references": [f"{one.about} ({one.status}): {one.text}" for one in found.references],
    }


def _acts_on(found: Measure) -> list[dict[str, str]]:
    rows = []
    for saving in found.savings:
        title = end_uses()[saving.end_use].title
        more = "".join(f"; + {x.per_unit:g} {x.unit} {x.item or ''}" for x in saving.instead)
        share = f"{100 * saving.fraction:g} %"
        rows.append({"zh": f"{title.zh} −{share}{more}", "en": f"{title.en} −{share}{more}"})
    for amount in found.amounts:
        text = f"{amount.source_kind} {amount.per_size:+g} {amount.unit}"
        rows.append(
            {
                "zh": f"{text} / {found.size.unit if found.size else ''}",
                "en": f"{text} / {found.size.unit if found.size else ''}",
            }
        )
    if found.cover:
        share = f"{100 * found.cover.max_fraction:g} %"
        price = f"{found.cover.cny_per_mwh:g}"
        rows.append(
            {
                "zh": f"覆盖外购电至多 {share}, {price} 元/MWh",
                "en": f"covers at most {share} of purchased power, {price} CNY/MWh",
            }
        )
    if found.credit:
        price = f"{found.credit.cny_per_t:g}"
        rows.append(
            {
                "zh": f"剩余排放, {price} 元/t; 不计入目标",
                "en": f"what remains, {price} CNY/t; counts towards no target",
            }
        )
    return rows


def _cost(cost: Cost, kind: str) -> dict[str, str]:
    basis = BASES[cost.basis]
    return {"zh": f"{kind} {cost.cny:g} 元 {basis.zh}".strip(), "en": f"{kind} {cost.cny:g} CNY {basis.en}".strip()}


def years_of(text: str | None) -> tuple[int | None, int | None]:
    """Return the first and last year that ``2026-2050`` means; None where nothing is said.

    Examples
    --------
    >>> years_of("2026-2050")
    (2026, 2050)
    """
    if text is None:
        return None, None
    match = _YEARS.match(text.strip())
    if match is None:
        message = Text(f"“{text}”不是年份范围。", f"'{text}' is no range of years.")
        raise FaultyData([Problem("planning.years", message, Text("请写成 2026-2050。", "Write 2026-2050."))])
    return int(match.group(1)), int(match.group(2))


def limit_of(text: str) -> Limit:
    """Return the limit that ``emissions_12<=50000@2035`` means, in the unit of its indicator.

    Examples
    --------
    >>> limit_of("renewable_fraction>=0.5@2030").direction
    'at_least'
    """
    match = _LIMIT.match(text)
    if match is None:
        message = Text(f"“{text}”不是限值。", f"'{text}' is no limit.")
        hint = Text("请写成 指标<=值@年 或 指标>=值@年。", "Write indicator<=value@year or indicator>=value@year.")
        raise FaultyData([Problem("planning.limit", message, hint)])
    name, sign, value, year = match.groups()
    chosen = lever(name)
    direction: Direction = "at_most" if sign == "<=" else "at_least"
    try:
        number = float(value)
    except ValueError as error:
        message = Text(f"“{value}”不是数。", f"'{value}' is no number.")
        raise FaultyData([Problem("planning.limit", message, Text("", ""))]) from error
    return Limit(name, number, chosen.unit, direction, chosen.title, int(year) if year else None, "command line")
