"""What a route costs a body at a volume: stations in whole numbers, tooling, people, floor, metal, energy; and break-even.

stations  = ⌈ volume · cycles a body · cycle time ÷ (at once · hours · 3600 · availability) ⌉
annuity   = capex · i / (1 − (1 + i)^−n)                                   (VDI 2067-1:2012, equation for the annuity factor)
sets      = max(sets needed at all, ⌈ cycles of the programme ÷ life ⌉), paid over the years of the programme
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from zerofactory.optimisation.routes.balance import Body, Worked
from zerofactory.optimisation.routes.route import Assumptions, Equipment

SECONDS = 3600.0
SLACK = 1e-9  # a load that is whole but for rounding needs no further station
KINDS = ("metal", "scrap", "energy_and_supplies", "equipment", "tooling", "people", "floor")


@dataclass(frozen=True, slots=True)
class Station:
    """The equipment of a step at a volume; the takt of what is shared is set by its other parts and told as 0."""

    branch: str
    step: str
    number: float
    used_fraction: float
    takt_s: float
    capex_cny: float
    area_m2: float
    persons: float
    base_kwh: float


@dataclass(frozen=True, slots=True)
class Costed:
    """A route at a volume: money a year by kind, what is invested, the floor, the takt of the slowest step.

    ``base_kwh`` a year is what equipment draws while the shop is open, beside what its work takes.
    """

    volume: int
    stations: tuple[Station, ...]
    cny_per_year: Mapping[str, float]
    investment_cny: float
    tooling_cny: float

    @property
    def cny_per_body(self) -> float:
        """Everything, for one body."""
        return sum(self.cny_per_year.values()) / self.volume

    @property
    def area_m2(self) -> float:
        """Floor of all stations."""
        return sum(one.area_m2 for one in self.stations)

    @property
    def takt_s(self) -> float:
        """Seconds between two bodies that the slowest step can keep."""
        return max((one.takt_s for one in self.stations), default=0.0)

    @property
    def base_kwh(self) -> float:
        """Electricity of a year that is drawn whether or not there is work."""
        return sum(one.base_kwh for one in self.stations)


def annuity_fraction(interest_fraction: float, years: float) -> float:
    """Return the share of a sum that is paid each year.

    >>> round(annuity_fraction(0.08, 10.0), 4)
    0.149
    >>> annuity_fraction(0.0, 4.0)
    0.25
    """
    if interest_fraction == 0:
        return 1.0 / years
    return float(interest_fraction / (1.0 - (1.0 + interest_fraction) ** -years))


def costed(body: Body, shared: Assumptions, volume: int) -> Costed:
    """Return what a route costs at so many good bodies a year."""
    stations = tuple(_station(worked, one, shared, volume) for worked, one in body.stations())
    interest, programme = shared.discount_fraction.value, shared.programme_years.value
    equipment = sum(
        station.capex_cny * annuity_fraction(interest, one.life_years.value)
        for station, (_, one) in zip(stations, body.stations(), strict=True)
    )
    tooling = sum(
        max(one.sets.value, ceil(worked.passing.count(one.per) * volume * programme / one.life_cycles.value - SLACK))
        * one.set_cny.value
        for worked, one in body.tools()
    )
    base_kwh = sum(station.base_kwh for station in stations)
    money = {
        "metal": volume * sum(_price(shared, m.branch.metal.price) * m.new_kg for m in body.metals),
        "scrap": -volume * sum(shared.prices[m.branch.scrap.price].value * m.sold_kg for m in body.metals),
        "energy_and_supplies": volume * _supplies(body, shared) + base_kwh * shared.prices["electricity"].value,
        "equipment": equipment,
        "tooling": tooling * annuity_fraction(interest, programme),
        "people": sum(one.persons for one in stations) * shared.shifts.value * shared.person_cny_per_year.value,
        "floor": sum(one.area_m2 for one in stations) * shared.area_cny_per_m2_year.value,
    }
    return Costed(volume, stations, money, sum(one.capex_cny for one in stations), tooling)


def _supplies(body: Body, shared: Assumptions) -> float:
    metals = {id(metal.branch.metal) for metal in body.metals}
    return sum(_price(shared, t.input.price) * t.quantity for t in body.takings if id(t.input) not in metals)


def _price(shared: Assumptions, name: str | None) -> float:
    return 0.0 if name is None else shared.prices[name].value


def _station(worked: Worked, one: Equipment, shared: Assumptions, volume: int) -> Station:
    hours = shared.hours_per_year.value
    busy_s = volume * worked.passing.count(one.per) * one.cycle_s.value / one.at_once.value
    load = busy_s / (hours * SECONDS * one.availability_fraction.value)
    number = load if one.shared else float(max(1, ceil(load - SLACK)))
    return Station(
        branch=worked.branch,
        step=worked.step.id,
        number=number,
        used_fraction=load / number,
        takt_s=0.0 if one.shared else hours * SECONDS * load / number / volume,
        capex_cny=number * one.capex_cny.value,
        area_m2=number * one.area_m2.value,
        persons=number * one.persons.value,
        base_kwh=number * one.base_power_kw.value * hours,
    )


@dataclass(frozen=True, slots=True)
class Crossing:
    """From a volume on (up to the next crossing) the other route is the cheaper one."""

    volume: int
    cheaper: str


def crossings(
    first: Callable[[int], float], second: Callable[[int], float], names: tuple[str, str], volumes: Sequence[int]
) -> tuple[Crossing, ...]:
    """Return the volumes at which the cheaper of two routes changes, found on a grid and then to one body.

    Costs jump where a station is added, so there may be several crossings: each is told. The grid decides how narrow an
    interval may be and still be seen.

    >>> crossings(lambda v: 100.0 + 1e6 / v, lambda v: 150.0, ("casting", "stamping"), (5_000, 50_000))
    (Crossing(volume=20001, cheaper='casting'),)
    """
    found = []
    for low, high in pairwise(volumes):
        before, after = first(low) < second(low), first(high) < second(high)
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if (first(middle) < second(middle)) == before:
                low = middle  # noqa: PLW2901
            else:
                high = middle  # noqa: PLW2901
        found.append(Crossing(high, names[0] if after else names[1]))
    return tuple(found)
