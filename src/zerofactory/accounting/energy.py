"""Energy: comprehensive energy consumption (综合能耗) in tce.

E = Σ amount × coefficient (GB/T 2589-2020, 5; standards 3.8): energy sold is subtracted, feedstock use is left out, and
on-site renewable electricity is counted once, as electricity. Electricity counts at its equivalent value (当量值,
0.1229 kgce/kWh) here; the other convention (等价值) needs the grid's coal rate of the year and stands in a column of its
own, so that the two are never mixed (trap 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from zerofactory import units
from zerofactory.accounting.heat import heat_content
from zerofactory.accounting.plan import Choice, question_of
from zerofactory.accounting.source import Ask
from zerofactory.errors import FaultyData, Problem
from zerofactory.factors.model import FactorBook, Unresolved
from zerofactory.factors.resolve import find
from zerofactory.site.model import Plant

SIGNS: Mapping[str, int] = {
    "stationary_combustion": 1,
    "mobile_combustion": 1,
    "purchased_electricity": 1,
    "on_site_renewable": 1,
    "purchased_heat": 1,
    "exported_electricity": -1,
    "exported_heat": -1,
}
HEAT = ("purchased_heat", "exported_heat")
ELECTRIC = ("purchased_electricity", "on_site_renewable", "exported_electricity")


@dataclass(frozen=True, slots=True)
class EnergyLine:
    """One carrier: its amount in its own unit and in tce."""

    source_kind: str
    item: str
    quantity: float
    unit: str
    factor_id: str
    energy_tce: float


@dataclass(frozen=True, slots=True)
class Energy:
    """Comprehensive energy consumption.

    ``total_tce`` takes electricity at its equivalent value (当量值); ``equal_value_tce`` at ``coal_rate_kgce_per_kwh``
    (等价值), None when no rate was given.
    """

    total_tce: float
    electricity_kwh: float
    equal_value_tce: float | None
    coal_rate_kgce_per_kwh: float | None
    lines: tuple[EnergyLine, ...]
    problems: tuple[Problem, ...]


def energy_consumption(
    activities: pl.DataFrame,
    plant: Plant,
    book: FactorBook,
    known_at: date | None = None,
    coal_rate_kgce_per_kwh: float | None = None,
) -> Energy:
    """Return the comprehensive energy consumption of an ACTIVITIES frame.

    A carrier whose coefficient cannot be decided is a problem of the result and is left out of the sum.

    Examples
    --------
    1 000 MWh × 0.1229 kgce/kWh = 122.9 tce

    >>> 1_000_000 * 0.1229 / 1000
    122.9
    """
    lines: dict[tuple[str, str, str], EnergyLine] = {}
    problems: dict[Problem, None] = {}
    for row in _sums(activities):
        use = plant.source(str(row["source_id"]))
        try:
            line = _line(row, question_of(row, use, Choice(plant, book, known_at=known_at)))
        except FaultyData as error:
            problems |= dict.fromkeys(error.problems)
        except Unresolved as error:
            problems[error.problem] = None
        except units.WrongDimension as error:
            problems[error.as_problem()] = None
        else:
            key = (line.source_kind, line.item, line.unit)
            lines[key] = _added(lines[key], line) if key in lines else line
    return _total(tuple(lines.values()), tuple(problems), coal_rate_kgce_per_kwh)


def _total(lines: tuple[EnergyLine, ...], problems: tuple[Problem, ...], rate: float | None) -> Energy:
    electric = [line for line in lines if line.source_kind in ELECTRIC]
    electricity_kwh = sum(SIGNS[line.source_kind] * units.convert(line.quantity, line.unit, "kWh") for line in electric)
    total_tce = sum(line.energy_tce for line in lines)
    power_tce = sum(line.energy_tce for line in electric)
    equal = None if rate is None else total_tce - power_tce + electricity_kwh * rate / 1000
    return Energy(total_tce, electricity_kwh, equal, rate, lines, problems)


def _sums(activities: pl.DataFrame) -> list[dict[str, object]]:
    """Return the amounts of every energy source by month, in an order and a sum that do not depend on the rows' order."""
    keys = ["source_kind", "item", "source_id", "unit", "period", "detail"]
    used = activities.filter(pl.col("source_kind").is_in(list(SIGNS)))
    return used.group_by(keys).agg(pl.col("quantity").sort().sum()).sort(keys, nulls_last=True).to_dicts()


def _line(row: Mapping[str, object], ask: Ask) -> EnergyLine:
    kind, quantity = str(row["source_kind"]), float(str(row["quantity"]))
    item = "electricity" if kind in ELECTRIC else str(ask.item)
    if kind in HEAT and units.parse(ask.unit).dimension == "mass":
        gigajoules = units.convert(quantity, ask.unit, "t") * heat_content(ask).factor.value
        factor_id, tce = _in_tce(gigajoules, replace(ask, unit="GJ"), "heat")
    else:
        factor_id, tce = _in_tce(quantity, ask, "heat" if kind in HEAT else item)
    return EnergyLine(kind, item, quantity, ask.unit, factor_id, SIGNS[kind] * tce)


def _in_tce(quantity: float, ask: Ask, item: str) -> tuple[str, float]:
    """Return the id of the coefficient and the energy; a fuel counted by its heat needs no coefficient."""
    unit = units.parse(ask.unit)
    if unit.dimension == "energy" and item not in ("electricity", "heat"):
        return "const.tce_gj", units.convert(quantity, ask.unit, "tce")
    factor = find(ask.book, "coal_equivalent", ask.scope, item=item).factor
    per = units.parse_factor_unit(factor.unit)
    basis = per.denominator.symbol if per.denominator else ask.unit
    amount = _amount(quantity, ask, basis)
    return factor.id, units.convert(amount * factor.value, per.numerator.symbol, "tce")


def _amount(quantity: float, ask: Ask, basis: str) -> float:
    """Return an amount in the unit of a coefficient: gas in m3 by the plant's choice, liquids by their density."""
    given, wanted = units.parse(ask.unit), units.parse(basis)
    if given.dimension == "volume" and wanted.dimension == "normal_volume":
        normal = units.convert(quantity, ask.unit, "m3") * units.normal_volume_ratio(ask.gas_meter_celsius)
        return units.convert(normal, "Nm3", basis)
    if given.dimension == "volume" and wanted.dimension == "mass":
        density = find(ask.book, "fuel.density", ask.scope, item=ask.item).factor
        return units.convert(units.convert(quantity, ask.unit, "L") * density.value, "kg", basis)
    return units.convert(quantity, ask.unit, basis)


def _added(one: EnergyLine, other: EnergyLine) -> EnergyLine:
    return replace(one, quantity=one.quantity + other.quantity, energy_tce=one.energy_tce + other.energy_tce)
