"""Carriage: goods moved by others, inbound and outbound.

E = Σ t × km × EF, or vehicle·km × EF; electric trucks km × kWh/km × grid factor of the plant's region (standards, 5; GHG Protocol
Scope 3 Standard, categories 4 and 9; ISO 14083). Tank to wheel unless ``well_to_wheel`` says yes.
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.catalogue import Entry, look_up
from zerofactory.accounting.indirect import MONEY, SPEND_DETAILS, indirect_flow, spend_flow
from zerofactory.accounting.power import GRID, consumption, grid_factor
from zerofactory.accounting.source import Ask, Flow, detail_number, detail_text, fault
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

YES_NO = ("yes", "no")
TRANSPORT = "ef.transport.tkm"
DISTANCE = Text("运输距离", "distance")
CONSUMPTION = Text("每车公里电耗", "electricity per vehicle·km")
UNITS = ("freight", "vehicle_distance", "mass", "money", "money_usd")
DETAILS = (
    detail_number("distance_km", DISTANCE, "km", 40_000.0),
    detail_number("kwh_per_km", CONSUMPTION, "kWh/km", 20.0),
    detail_text("well_to_wheel", "是否含燃料上游", "includes the fuel's upstream", YES_NO),
    *SPEND_DETAILS,
)


def carriage_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of goods carried, tank to wheel and, when asked for, upstream.

    Raises
    ------
    FaultyData
        A mass without its distance, an electric truck without vehicle·km, no upstream factor where one is asked for.
    """
    entry = look_up("carriage", ask)
    dimension = units.parse(ask.unit).dimension
    if dimension in MONEY:
        return (spend_flow(ask, entry.more["spend_factor"]),)
    upstream = ask.has("well_to_wheel") and ask.choice("well_to_wheel", YES_NO) == "yes"
    if entry.more["drive"] == "electric":
        return _electric(ask, entry, upstream)
    amount = [_distance(ask)] if dimension == "mass" else []
    factor = find(ask.book, entry.role, ask.scope, item=entry.factor)
    _refuse_other_kind(ask, factor)
    formula = "vehicle·km × EF" if dimension == "vehicle_distance" else "t × km × EF"
    flows = [indirect_flow(ask, [*amount, factor], f"{formula} (tank to wheel)", TRANSPORT)]
    if upstream:
        if not entry.more["upstream_factor"]:
            raise FaultyData([_no_upstream(entry)])
        tank = find(ask.book, "transport.upstream", ask.scope, item=entry.more["upstream_factor"])
        flows.append(indirect_flow(ask, [*amount, tank], f"{formula} (well to tank)", TRANSPORT))
    return tuple(flows)


def _electric(ask: Ask, entry: Entry, upstream: bool) -> tuple[Flow, ...]:
    if units.parse(ask.unit).dimension != "vehicle_distance":
        raise FaultyData([_wrong_amount(ask, entry.title, "vehicle_distance")])
    use = consumption(ask, entry.factor, "kwh_per_km", CONSUMPTION)
    flows = [indirect_flow(ask, [use, grid_factor(ask)], "vehicle·km × kWh/km × grid", GRID)]
    if upstream:
        tank = find(ask.book, "grid.upstream", ask.scope, item="electricity")
        flows.append(indirect_flow(ask, [use, tank], "vehicle·km × kWh/km × upstream", TRANSPORT))
    return tuple(flows)


def _distance(ask: Ask) -> Found:
    """Return t·km per tonne."""
    return ask.stated("distance_km", "t·km/t", DISTANCE, 1e-9, 40_000.0)


def _refuse_other_kind(ask: Ask, factor: Found) -> None:
    """Raise when the factor is per vehicle·km and the amount in t·km, or the other way round."""
    lower = units.parse_factor_unit(factor.factor.unit).denominator
    wanted = lower.dimension if lower else ""
    given = units.parse(ask.unit).dimension
    if wanted != ("freight" if given == "mass" else given):
        raise FaultyData([_wrong_amount(ask, factor.factor.title, wanted)])


def _wrong_amount(ask: Ask, title: Text, dimension: str) -> Problem:
    listed = ", ".join(units.symbols_of(dimension))
    return fault(
        "unit_of_item",
        Text(f"“{title.zh}”不能用单位“{ask.unit}”。", f"'{title.en}' cannot take unit '{ask.unit}'."),
        Text(f"可用: {listed}。", f"Use one of: {listed}."),
        column="unit",
    )


def _no_upstream(entry: Entry) -> Problem:
    return fault(
        "no_upstream_factor",
        Text(f"“{entry.title.zh}”没有燃料上游因子。", f"There is no upstream factor for '{entry.title.en}'."),
        Text("well_to_wheel 填 no, 或选有上游因子的车型。", "Set well_to_wheel to no, or choose a means that has one."),
        column="well_to_wheel",
    )
