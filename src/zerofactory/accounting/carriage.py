"""Carriage: goods moved by others, inbound and outbound.

E = Σ t × km × EF, or vehicle·km × EF; electric trucks km × kWh/km × grid factor of the plant's region (standards, 5; GHG Protocol
Scope 3 Standard, categories 4 and 9; ISO 14083). Tank to wheel unless ``well_to_wheel`` says yes.

By the fuel burnt, which ISO 14083:2023 puts before any mean factor: vehicle·km × L or kg per km × NCV × CC × OF × 44/12 (and CH4,
N2O); a fuel cell on electrolytic hydrogen vehicle·km × kg/km × kWh/kg × grid; a hub t × kWh/t × grid.
"""

from __future__ import annotations

from dataclasses import replace

from zerofactory import units
from zerofactory.accounting.catalogue import Entry, look_up
from zerofactory.accounting.combustion import combustion_flows
from zerofactory.accounting.indirect import MONEY, SPEND_DETAILS, indirect_flow, spend_flow
from zerofactory.accounting.power import GRID, consumption, grid_factor
from zerofactory.accounting.source import Ask, Flow, detail_number, detail_text, fault
from zerofactory.accounting.terms import times
from zerofactory.accounting.upstream import fuel_upstream
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

YES_NO = ("yes", "no")
TRANSPORT = "ef.transport.tkm"
DISTANCE = Text("运输距离", "distance")
CONSUMPTION = Text("每车公里电耗", "electricity per vehicle·km")
FUEL = Text("每车公里燃料(柴油 L, 其他 kg)", "fuel per vehicle·km (diesel L, others kg)")
ELECTROLYSIS = Text("每千克氢的制氢电耗", "electricity per kg of hydrogen")
HANDLING = Text("每吨作业电耗", "electricity per tonne handled")
FUEL_UNIT = {"diesel": "L", "lng": "kg"}
UNITS = ("freight", "vehicle_distance", "mass", "money", "money_usd")
DETAILS = (
    detail_number("distance_km", DISTANCE, "km", 40_000.0),
    detail_number("kwh_per_km", CONSUMPTION, "kWh/km", 20.0),
    detail_number("fuel_per_km", FUEL, "L/km, kg/km", 20.0),
    detail_number("kwh_per_kg", ELECTROLYSIS, "kWh/kg", 100.0),
    detail_number("kwh_per_t", HANDLING, "kWh/t", 1000.0),
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
    by_energy = {"electric": _electric, "engine": _engine, "hydrogen": _hydrogen, "hub": _hub}.get(entry.more["drive"])
    if by_energy is not None:
        return by_energy(ask, entry, upstream)
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
    _require(ask, entry, "vehicle_distance")
    return _drawn(ask, [consumption(ask, entry.factor, "kwh_per_km", CONSUMPTION)], upstream, "vehicle·km × kWh/km")


def _hydrogen(ask: Ask, entry: Entry, upstream: bool) -> tuple[Flow, ...]:
    _require(ask, entry, "vehicle_distance")
    burnt = ask.stated("fuel_per_km", "kg/vehicle·km", FUEL, 1e-9, 20.0)
    made = ask.stated("kwh_per_kg", "kWh/kg", ELECTROLYSIS, 39.4, 100.0)
    return _drawn(ask, [burnt, made], upstream, "vehicle·km × kg/km × kWh/kg")


def _hub(ask: Ask, entry: Entry, upstream: bool) -> tuple[Flow, ...]:
    _require(ask, entry, "mass")
    return _drawn(ask, [ask.stated("kwh_per_t", "kWh/t", HANDLING, 1e-9)], upstream, "t × kWh/t")


def _drawn(ask: Ask, use: list[Found], upstream: bool, amount: str) -> tuple[Flow, ...]:
    """Return the flows of electricity drawn for carriage, from the grid where the plant is."""
    flows = [indirect_flow(ask, [*use, grid_factor(ask)], f"{amount} × grid", GRID)]
    if upstream:
        mined = find(ask.book, "grid.upstream", ask.scope, item="electricity")
        flows.append(indirect_flow(ask, [*use, mined], f"{amount} × upstream", TRANSPORT))
    return tuple(flows)


def _engine(ask: Ask, entry: Entry, upstream: bool) -> tuple[Flow, ...]:
    """Return CO2, CH4 and N2O of the fuel burnt on the road, and its upstream where it is asked for."""
    _require(ask, entry, "vehicle_distance")
    unit = FUEL_UNIT[entry.factor]
    use = ask.stated("fuel_per_km", f"{unit}/vehicle·km", FUEL, 1e-9, 20.0)
    distance = units.parse(ask.unit).symbol
    burnt = replace(ask, item=entry.factor, unit=unit)
    flows = [
        replace(
            flow,
            factor=times(flow.factor, [use], f"kg{flow.gas}/{distance}"),
            method=f"vehicle·km × {unit}/km × {flow.method}",
        )
        for flow in combustion_flows(burnt, "road")
    ]
    if upstream:
        tank = times(fuel_upstream(ask.book, ask.scope, entry.factor, unit), [use], f"kgCO2e/{distance}")
        flows.append(Flow("CO2e", tank, f"vehicle·km × {unit}/km × NCV × EF_upstream", uncertainty=TRANSPORT))
    return tuple(flows)


def _require(ask: Ask, entry: Entry, dimension: str) -> None:
    if units.parse(ask.unit).dimension != dimension:
        raise FaultyData([_wrong_amount(ask, entry.title, dimension)])


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
