"""Upstream of fuel and energy: the factors, and the activities that follow from those of scopes 1 and 2.

A kilowatt-hour or a litre is entered once. Where the plant has a source of kind ``fuel_and_energy_upstream`` marked derived, the
month's fuel, electricity and heat are taken over for it; documents for it are then refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from zerofactory import units
from zerofactory.accounting.combustion import per_metered
from zerofactory.accounting.heat import DETAILS, heat_content
from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.power import grid_factor
from zerofactory.accounting.source import Ask, Flow, fault
from zerofactory.accounting.terms import derived, times
from zerofactory.errors import Problem, Text
from zerofactory.factors.model import FactorBook, Found, Resolution, Unresolved
from zerofactory.factors.resolve import Scope, combine, find, net_calorific_value
from zerofactory.metering.activity_table import ACTIVITIES, canonical, digest
from zerofactory.site.model import Plant, SourceUse

if TYPE_CHECKING:
    import polars as pl

KIND, DERIVED = "fuel_and_energy_upstream", "derived"
ORIGINS = ("stationary_combustion", "mobile_combustion", "purchased_electricity", "purchased_heat")
HEAT = ("heat", "steam", "hot_water")
DATABASE = "ef.material.db"


def fuel_upstream(book: FactorBook, scope: Scope, item: str, unit: str) -> Resolution:
    """Return kgCO2e per unit of fuel, from the well to the tank: NCV of the plant's table × factor per net kWh.

    Examples
    --------
    Natural gas, 389.31 GJ per 10 000 Nm3 × 0.02649 kg/kWh:

    >>> from datetime import date
    >>> from zerofactory.factors.load import factor_book
    >>> round(fuel_upstream(factor_book(), Scope("CN-上海", date(2025, 6, 1)), "natural_gas", "Nm3").value, 6)
    0.286467
    """
    factor = find(book, "fuel.upstream", scope, item=item)
    if units.parse(unit).dimension == "energy":
        return combine([factor], f"kgCO2e/{unit}")
    return times(net_calorific_value(book, scope, item, unit), [factor], f"kgCO2e/{unit}")


def upstream_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the flows of one fuel, of electricity, or of heat."""
    if ask.item == "electricity":
        return _electricity(ask)
    if ask.item in HEAT:
        return _heat(ask)
    item = ask.item or ""
    factor = per_metered(ask, lambda unit: fuel_upstream(ask.book, ask.scope, item, unit))
    return (Flow("CO2e", factor, "FC × NCV × EF_upstream", uncertainty=DATABASE),)


def _electricity(ask: Ask) -> tuple[Flow, ...]:
    mined = find(ask.book, "grid.upstream", ask.scope, item="electricity")
    return (
        indirect_flow(ask, [mined], "kWh × EF_upstream", DATABASE),
        indirect_flow(ask, _losses(ask), "kWh × L/(1-L) × grid (T&D losses)", DATABASE),
    )


def _losses(ask: Ask) -> list[Found]:
    """Return the terms of transport losses: the country's own factor per kWh where it publishes one, else L/(1 − L) × grid."""
    try:
        return [find(ask.book, "grid.transmission_loss", ask.scope, item="electricity")]
    except Unresolved as error:
        if error.problem.code == "factors.low_confidence":
            raise
    return [_lost(find(ask.book, "energy.loss_fraction", ask.scope, item="electricity")), grid_factor(ask)]


def _heat(ask: Ask) -> tuple[Flow, ...]:
    content = [] if units.parse(ask.unit).dimension == "energy" else [heat_content(ask)]
    mined = find(ask.book, "fuel.upstream", ask.scope, item="heat")
    lost = _lost(find(ask.book, "energy.loss_fraction", ask.scope, item="heat"))
    burnt = find(ask.book, "heat.default", ask.scope, item="heat")
    if ask.has("supplier_factor"):
        burnt = ask.stated("supplier_factor", "tCO2/GJ", Text("供方热力因子", "factor of the heat supplier"))
    return (
        indirect_flow(ask, [*content, mined], "GJ × EF_upstream", DATABASE),
        indirect_flow(ask, [*content, lost, burnt], "GJ × L/(1-L) × EF_heat (network losses)", DATABASE),
    )


def _lost(share: Found) -> Found:
    """Return lost per delivered, L/(1 − L), from the share L of what is fed in."""
    rate = per_unit_share(share.factor.value)
    title = Text("每单位用量的输送损失", "lost on the way per unit used")
    found = derived(f"lost_per_used({share.factor.id})", rate, "fraction", title, (share.factor,))
    return Found(found.factor, Text(share.reason.zh + found.reason.zh, f"{share.reason.en} {found.reason.en}"))


def per_unit_share(lost_fraction: float) -> float:
    """Return lost per delivered from the share lost of what is fed in.

    Examples
    --------
    >>> per_unit_share(0.2)
    0.25
    """
    return lost_fraction / (1.0 - lost_fraction)


def derived_source(plant: Plant) -> SourceUse | None:
    """Return the plant's source whose activities are derived, if it has one (the first; `derive` tells of others)."""
    return next(iter(_derived_sources(plant)), None)


def _derived_sources(plant: Plant) -> list[SourceUse]:
    return [use for use in plant.sources if use.kind == KIND and use.detail.get(DERIVED) == "yes"]


def derive(activities: pl.DataFrame, plant: Plant) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the upstream activities of a month's ACTIVITIES, and every fault.

    One row per shop, item, unit, tier and particulars; amounts are added up, nothing is entered twice. Empty when the plant
    has no derived source.
    """
    uses = _derived_sources(plant)
    if not uses:
        return ACTIVITIES.empty(), []
    problems = [*_more_than_one(uses), *_documented(activities, uses[0])]
    if problems:
        return ACTIVITIES.empty(), problems
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    rows = activities.filter(activities["source_kind"].is_in(ORIGINS)).sort("activity_id")
    for row in rows.iter_rows(named=True):
        use = plant.source(str(row["source_id"]))
        item = str(row["item"] or use.item or "")
        names = (str(row["shop"]), item, str(row["unit"]), str(row["tier"]), _particulars(row, use), str(row["period"]))
        groups.setdefault(names, []).append(row)
    made = [_derived_row(names, group, uses[0]) for names, group in sorted(groups.items())]
    return (ACTIVITIES.frame(made) if made else ACTIVITIES.empty()), []


def _particulars(row: Mapping[str, object], use: SourceUse) -> str:
    """Return the particulars that heat needs (state, pressure, supplier's factor), as canonical JSON."""
    wanted = {column.name for column in DETAILS}
    given = {**use.detail, **json.loads(str(row["detail"]))}
    return canonical({name: value for name, value in given.items() if name in wanted})


def _derived_row(names: tuple[str, ...], group: list[dict[str, object]], use: SourceUse) -> dict[str, object]:
    shop, item, unit, tier, particulars, period = names
    amounts = [float(str(row["quantity"])) for row in group]
    total = sum(amounts)
    filled = sum(a * float(str(row["estimated_fraction"])) for a, row in zip(amounts, group, strict=True))
    detail = canonical({**use.detail, **json.loads(particulars)})
    origins = [row["activity_id"] for row in group]
    return {
        "activity_id": digest(use.id, names, detail, repr(total), origins),
        "source_id": use.id,
        "source_kind": KIND,
        "shop": shop,
        "period": period,
        "started_at": min(row["started_at"] for row in group),  # type: ignore[type-var]
        "ended_at": max(row["ended_at"] for row in group),  # type: ignore[type-var]
        "item": item,
        "quantity": total,
        "unit": unit,
        "tier": tier,
        "estimated_fraction": min(filled / total, 1.0) if total else 0.0,
        "evidence": None,
        "detail": detail,
        "document": None,
        "note": f"由 {len(group)} 条活动数据推得 derived from {len(group)} activities",
    }


def _more_than_one(uses: list[SourceUse]) -> list[Problem]:
    if len(uses) == 1:
        return []
    listed = ", ".join(use.id for use in uses)
    return [
        fault(
            "derived_twice",
            Text(
                f"有几个推得的上游排放源, 会重复计算: {listed}。",
                f"Several derived upstream sources would count twice: {listed}.",
            ),
            Text('请只保留一个 derived = "yes"。', 'Keep one with derived = "yes".'),
        )
    ]


def _documented(activities: pl.DataFrame, use: SourceUse) -> list[Problem]:
    booked = activities.filter(activities["source_id"] == use.id).height
    if not booked:
        return []
    return [
        fault(
            "derived_and_documented",
            Text(
                f"排放源“{use.name.zh}”由当月活动推得, 却另有 {booked} 张凭证, 会重复计算。",
                f"Source '{use.name.en}' is derived from the month, yet has {booked} documents: it would count twice.",
            ),
            Text("请冲销凭证, 或把 derived 改为 no。", "Reverse the documents, or set derived to no."),
        )
    ]
