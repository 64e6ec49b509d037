"""Savings of measures that were tested in the twin: kept in ``plan.toml`` with their interval and origin, taken by the roadmap.

    [[tested]]
    id = "stamping_servo_press"
    savings = [{ carrier = "electricity", unit = "kWh", amount = 2.1e6, low = 2.0e6, high = 2.2e6 }]

A saving is what the twin says of a year of the base year's output. The shares by which the measure lowers its end uses are put so
that they save that much: of a carrier, all by the same factor k = tested / catalogue. What takes the place of a saving is put in
the same way. Taken out again, the measure is that of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import hypot

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.planning.end_use import EndUse, end_use
from zerofactory.planning.measure import Instead, Measure, Reference, Saving, Status
from zerofactory.planning.scenario import default

CARRIERS: Mapping[str, tuple[str, str, str]] = {
    "electricity": ("purchased_electricity", "electricity", "kWh"),
    "natural_gas": ("stationary_combustion", "natural_gas", "Nm3"),
}
"""Carriers of the twin that a plan knows: kind of source, item, unit."""


@dataclass(frozen=True, slots=True)
class TrialSaving:
    """What is saved of a carrier in a year of the base year's output; below zero: more of it is taken."""

    carrier: str
    unit: str
    amount: float
    low: float
    high: float

    @property
    def half_fraction(self) -> float:
        """Half of the interval, as a share of the amount."""
        return (self.high - self.low) / 2.0 / abs(self.amount) if self.amount else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A test of a measure (``id``) in the twin: its savings, and where they are from.

    Parameters
    ----------
    scenario, scenario_sha256 : what was changed. twin_sha256 : twin.toml as it was, with the powers fitted to readings.
    seed, runs, first, days, seasons : what was simulated: ``days`` from ``first`` on, in each of the seasons. on : when.
    status : that of the twin.
    """

    id: str
    savings: tuple[TrialSaving, ...]
    confidence_fraction: float
    scenario: str
    scenario_sha256: str
    twin_sha256: str
    seed: int
    runs: int
    first: date
    days: int
    on: date
    status: Status = "placeholder"
    seasons: int = 1

    def as_entry(self) -> dict[str, object]:
        """Return the entry of ``[[tested]]``."""
        savings = [{name: getattr(one, name) for name in one.__slots__} for one in self.savings]
        return {name: getattr(self, name) for name in self.__slots__} | {"savings": savings}


def faults(tested: Sequence[Trial]) -> list[Problem]:
    """Return every fault: carriers or units that are unknown, intervals that do not hold their amount."""
    found = []
    for one in tested:
        for saving in one.savings:
            where = f"tested.{one.id}.{saving.carrier}"
            known = CARRIERS.get(saving.carrier)
            if known is None or saving.unit != known[2]:
                listed = ", ".join(f"{name} ({unit})" for name, (_, _, unit) in CARRIERS.items())
                found.append(_problem("carrier", where, f"不认识载能“{saving.carrier}”或其单位; 可选: {listed}。", f"The carrier '{saving.carrier}' or its unit is unknown; choose {listed}."))  # fmt: skip
            if not saving.low <= saving.amount <= saving.high:
                found.append(_problem("interval", where, f"区间 {saving.low:g} 至 {saving.high:g} 不含 {saving.amount:g}。", f"The interval {saving.low:g} to {saving.high:g} does not hold {saving.amount:g}."))  # fmt: skip
        if not 0.5 <= one.confidence_fraction < 1.0:
            found.append(_problem("confidence", f"tested.{one.id}.confidence_fraction", "置信度应在 0.5 与 1 之间。", "The confidence lies between 0.5 and 1."))  # fmt: skip
    return found


def carrier_of(use: EndUse) -> str | None:
    """Return the carrier of the twin that an end use takes, None where it takes something else."""
    for carrier, (kind, item, _) in CARRIERS.items():
        if use.source_kind == kind and (not use.items or item in use.items):
            return carrier
    return None


def catalogue_savings(measure: Measure, amounts: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return by carrier what a measure of the catalogue saves in a year, and what it takes instead.

    Parameters
    ----------
    amounts : what each end use takes in the base year, in its unit.
    """
    found: dict[str, tuple[float, float]] = {}
    for saving in measure.savings:
        amount = saving.fraction * amounts.get(saving.end_use, 0.0)
        carrier = carrier_of(end_use(saving.end_use))
        if carrier is not None:
            saved, more = found.get(carrier, (0.0, 0.0))
            found[carrier] = saved + amount, more
        for other in saving.instead:
            taken = _instead_carrier(other)
            if taken is not None:
                saved, more = found.get(taken, (0.0, 0.0))
                found[taken] = saved, more + amount * other.per_unit
    return found


def half_width(tested: Trial) -> float:
    """Return the half-width of a tested saving that the roadmap reckons with.

    The interval holds what chance does to the replications; what the twin itself does not know is added by the status of its
    numbers (``saving_…`` of ``defaults.toml``), as independent errors add: √(interval² + status²).
    """
    chance = max((one.half_fraction for one in tested.savings), default=0.0)
    return hypot(chance, default(f"saving_{tested.status}"))


def as_tested(measure: Measure, tested: Trial, amounts: Mapping[str, float]) -> Measure:
    """Return a measure that saves what the twin says; its end uses that the twin does not know stay as in the catalogue.

    Raises
    ------
    FaultyData
        Nothing that the measure acts on was saved, more of it is taken, or more saved than the end uses take.

    Examples
    --------
    >>> from zerofactory.planning.measure import measure
    >>> saving = TrialSaving("electricity", "kWh", 200_000.0, 180_000.0, 220_000.0)
    >>> test = Trial("stamping_servo_press", (saving,), 0.95, "servo", "", "", 1, 8, date(2025, 3, 10), 7, date(2026, 1, 5))
    >>> made = as_tested(measure("stamping_servo_press"), test, {"stamping.press": 1_000_000.0})
    >>> round(made.savings[0].fraction, 6), round(made.saving_uncertainty_fraction, 3)
    (0.2, 0.412)
    """
    told = catalogue_savings(measure, amounts)
    factors: dict[str, float] = {}
    others: dict[str, float] = {}
    beside: list[TrialSaving] = []
    problems: list[Problem] = []
    for one in tested.savings:
        saved, more = told.get(one.carrier, (0.0, 0.0))
        if saved and more:
            problems.append(_fault("both", tested, one, f"既省又用{one.carrier}, 分不开。", f"both saves and takes {one.carrier}; they cannot be told apart."))  # fmt: skip
        elif saved and one.amount < 0.0:
            problems.append(_fault("negative", tested, one, f"在孪生里多用 {-one.amount:,.0f} {one.unit}, 不是节约。", f"takes {-one.amount:,.0f} {one.unit} more in the twin, which is no saving."))  # fmt: skip
        elif saved:
            factors[one.carrier] = one.amount / saved
        elif more:
            others[one.carrier] = -one.amount / more
        else:
            beside.append(one)
    if not factors and not problems:
        problems += [_fault("no_end_use", tested, one, f"在目录里不作用于{one.carrier}, 或工厂没有这一用能环节。", f"does not act on {one.carrier} in the catalogue, or the plant has no such end use.") for one in tested.savings]  # fmt: skip
    savings = _with_beside(tuple(_adjusted(one, factors, others) for one in measure.savings), factors, beside, amounts)
    problems += [
        _fault("too_much", tested, tested.savings[0], f"在孪生里的节约超过“{one.end_use}”全年的用量。", f"saves more in the twin than '{one.end_use}' takes in a year.")
        for one in savings if one.fraction > 1.0
    ]  # fmt: skip
    if problems:
        raise FaultyData(problems)
    text = f"tested in the twin: scenario {tested.scenario}, {tested.runs} runs of {tested.seasons} x {tested.days} days from {tested.first}, on {tested.on}"
    kept = tuple(one for one in measure.references if one.about != "saving")
    return replace(
        measure,
        savings=savings,
        references=(*kept, Reference("saving", text, tested.status, tested.on.year)),
        saving_uncertainty_fraction=half_width(tested),
    )


def _adjusted(saving: Saving, factors: Mapping[str, float], others: Mapping[str, float]) -> Saving:
    """Return a saving times the factor of its carrier; what takes its place keeps to the factor of its own."""
    factor = factors.get(carrier_of(end_use(saving.end_use)) or "", 1.0)
    instead = tuple(
        replace(one, per_unit=one.per_unit * others.get(_instead_carrier(one) or "", factor) / factor)
        if factor
        else one
        for one in saving.instead
    )
    return Saving(saving.end_use, saving.fraction * factor, instead)


def _instead_carrier(one: Instead) -> str | None:
    for carrier, (kind, item, _) in CARRIERS.items():
        if one.source_kind == kind and one.item in (None, item):
            return carrier
    return None


def _with_beside(
    savings: tuple[Saving, ...],
    factors: Mapping[str, float],
    beside: Sequence[TrialSaving],
    amounts: Mapping[str, float],
) -> tuple[Saving, ...]:
    """Return the savings with what the twin saves or takes of carriers that the catalogue does not know of.

    The power of the fans behind a heat wheel, say: it goes with the first saving of the measure, per unit of it.
    """
    for place, one in enumerate(savings):
        saved = one.fraction * amounts.get(one.end_use, 0.0)
        if carrier_of(end_use(one.end_use)) in factors and saved:
            more = tuple(Instead(-x.amount / saved, x.unit, *CARRIERS[x.carrier][:2]) for x in beside)
            return (*savings[:place], replace(one, instead=(*one.instead, *more)), *savings[place + 1 :])
    return savings


def _fault(code: str, tested: Trial, one: TrialSaving, zh: str, en: str) -> Problem:
    return _problem(code, f"tested.{tested.id}.{one.carrier}", f"措施“{tested.id}”{zh}", f"'{tested.id}' {en}")


def _problem(code: str, column: str, zh: str, en: str) -> Problem:
    hint = Text("请核对场景, 或去掉 [[tested]] 的这一条。", "Check the scenario, or take this entry of [[tested]] out.")
    return Problem(f"planning.tested_{code}", Text(zh, en), hint, column=column)
