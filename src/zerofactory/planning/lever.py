"""Levers: the indicators that the roadmap can steer by, each a linear figure or a quotient of two.

`Limit.indicator` names one of them. A quotient keeps its limit v when  numerator − v · denominator ≤ 0  (or ≥ 0), which is
linear too, so a limit on kg per vehicle or on the share of green power is as exact as one on tonnes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.planning.limit import Direction, Limit
from zerofactory.planning.model import Linear, Row, linear, scale_of
from zerofactory.planning.portfolio import Floats, Portfolio
from zerofactory.planning.stream import CONTRACT, ELECTRICITY, ON_SITE


@dataclass(frozen=True, slots=True)
class Lever:
    """One indicator: stream × year coefficients of numerator and denominator, in the lever's unit.

    ``denominator`` None: the figure is an amount. ``per_vehicle``: it is divided by the vehicles of the year.
    """

    id: str
    title: Text
    unit: str
    good: Direction
    numerator: Callable[[Portfolio, str], Floats]
    denominator: Callable[[Portfolio, str], Floats] | None = None
    per_vehicle: bool = False


def _emissions(scopes: tuple[int, ...], per: float) -> Callable[[Portfolio, str], Floats]:
    def figure(portfolio: Portfolio, regime: str) -> Floats:
        return portfolio.selection(regime, scopes) * per

    return figure


def _energy(portfolio: Portfolio, _regime: str) -> Floats:
    return np.repeat(portfolio.tce_per_unit[:, None], len(portfolio.years), axis=1)


def _kgce(portfolio: Portfolio, regime: str) -> Floats:
    return _energy(portfolio, regime) * 1e3


def _electricity(portfolio: Portfolio, kinds: tuple[str, ...], contract: str | None = None) -> Floats:
    """Return MWh per unit of the streams of some kinds (and contracts of one kind of instrument)."""
    found = np.zeros(len(portfolio.streams))
    for place, stream in enumerate(portfolio.streams):
        instrument = stream.particulars.get("instrument_kind")
        if stream.source_kind in kinds and (stream.source_kind != CONTRACT or contract in (None, instrument)):
            found[place] = units.ratio(stream.unit, "MWh")
    return np.repeat(found[:, None], len(portfolio.years), axis=1)


def _used(portfolio: Portfolio, _regime: str) -> Floats:
    return _electricity(portfolio, (ELECTRICITY, ON_SITE))


def _green(portfolio: Portfolio, _regime: str) -> Floats:
    return _electricity(portfolio, (ON_SITE, CONTRACT))


def _physical(portfolio: Portfolio, _regime: str) -> Floats:
    return _electricity(portfolio, (ON_SITE, CONTRACT), "direct_line")


_ALL: tuple[Lever, ...] = (
    Lever("emissions_12", Text("范围1+2 排放", "emissions of scopes 1 and 2"), "tCO2e", "at_most", _emissions((1, 2), 1e-6)),
    Lever("emissions_1", Text("范围1 排放", "emissions of scope 1"), "tCO2e", "at_most", _emissions((1,), 1e-6)),
    Lever("emissions_2", Text("范围2 排放", "emissions of scope 2"), "tCO2e", "at_most", _emissions((2,), 1e-6)),
    Lever("emissions_3", Text("范围3 排放", "emissions of scope 3"), "tCO2e", "at_most", _emissions((3,), 1e-6)),
    Lever(
        "emissions_per_vehicle", Text("单车碳排放", "emissions per vehicle"), "kgCO2e/vehicle", "at_most",
        _emissions((1, 2), 1e-3), per_vehicle=True,
    ),
    Lever(
        "emissions_per_tce", Text("单位能耗碳排放", "emissions per energy"), "tCO2e/tce", "at_most",
        _emissions((1, 2), 1e-6), _energy,
    ),
    Lever("energy_tce", Text("综合能耗", "energy"), "tce", "at_most", _energy),
    Lever("energy_per_vehicle", Text("单车综合能耗", "energy per vehicle"), "kgce/vehicle", "at_most", _kgce, per_vehicle=True),
    Lever("renewable_fraction", Text("可再生电力占比", "share of renewable electricity"), "fraction", "at_least", _green, _used),
    Lever(
        "physical_green_fraction", Text("物理认定绿电占比", "share of physical green electricity"), "fraction", "at_least",
        _physical, _used,
    ),
)  # fmt: skip


def levers() -> Mapping[str, Lever]:
    """Return every lever by id.

    Examples
    --------
    >>> levers()["renewable_fraction"].good
    'at_least'
    """
    return {lever.id: lever for lever in _ALL}


def lever(name: str) -> Lever:
    """Return one lever; raise `NotFound` with the choices."""
    if name not in levers():
        raise NotFound(Text("可调控指标", "indicator that a plan can steer by"), name, tuple(levers()))
    return levers()[name]


def figure(portfolio: Portfolio, name: str, regime: str) -> tuple[Linear, Linear | None]:
    """Return numerator and denominator of a lever; of an amount per vehicle the denominator is the vehicles, constant."""
    chosen = lever(name)
    above = linear(portfolio, chosen.numerator(portfolio, regime))
    if chosen.denominator is not None:
        return above, linear(portfolio, chosen.denominator(portfolio, regime))
    if not chosen.per_vehicle:
        return above, None
    made = portfolio.vehicles * portfolio.volume
    nothing = Linear(made, above.option * 0.0, above.link * 0.0, above.cover * 0.0)
    return above, nothing


def value(portfolio: Portfolio, name: str, regime: str, answer: tuple[Floats, Floats]) -> Floats:
    """Return an indicator by year for what is on and contracted."""
    on, covers = answer
    above, below = figure(portfolio, name, regime)
    residuals = portfolio.residuals(on)
    found = above.value(on, residuals, covers)
    return found if below is None else found / below.value(on, residuals, covers)


def rows(portfolio: Portfolio, limit: Limit, regime: str, group: str | None = None) -> tuple[Row, ...]:
    """Return a limit as rows of the program, one for each year from the limit's on.

    Raises
    ------
    FaultyData
        The unit is not the lever's, or the year lies outside the plan.
    NotFound
        The plan cannot steer by the indicator.
    """
    chosen = lever(limit.indicator)
    if limit.unit != chosen.unit:
        message = Text(
            f"指标“{chosen.id}”的单位是 {chosen.unit}, 不是 {limit.unit}。",
            f"Indicator '{chosen.id}' is in {chosen.unit}, not {limit.unit}.",
        )
        raise FaultyData([Problem("planning.limit_unit", message, Text("请换算后再给。", "Convert it first."))])
    first = limit.year or portfolio.years[0]
    if first > portfolio.years[-1]:
        message = Text(f"限值年份 {first} 在规划期之后。", f"The limit's year {first} is after the plan.")
        raise FaultyData([Problem("planning.limit_year", message, Text("请延长规划期。", "Extend the plan."))])
    above, below = figure(portfolio, limit.indicator, regime)
    sign = 1.0 if limit.direction == "at_most" else -1.0
    if below is None:
        turned, bound = _times(above, sign), sign * limit.value
    else:
        turned, bound = _minus(_times(above, sign), _times(below, sign * limit.value)), 0.0
    name = group or f"limit:{limit.indicator}"
    scale = max(scale_of(above), scale_of(turned))
    return tuple(Row(name, year, limit, turned, bound, scale) for year in portfolio.years if year >= first)


def _times(one: Linear, factor: float) -> Linear:
    return Linear(one.constant * factor, one.option * factor, one.link * factor, one.cover * factor)


def _minus(one: Linear, other: Linear) -> Linear:
    return Linear(
        one.constant - other.constant, one.option - other.option, one.link - other.link, one.cover - other.cover
    )
