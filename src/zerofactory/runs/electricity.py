"""One book of electricity of closed months, under every claim regime side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from zerofactory.accounting.origins import TITLES, PowerBook, power_book
from zerofactory.accounting.regime import Factors, Regime, RegimeResult, regimes
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope
from zerofactory.periods import Period, zone
from zerofactory.runs.context import Context
from zerofactory.runs.intervals import sealed_month
from zerofactory.runs.restate import plant_of
from zerofactory.store.schema import ACTIVITIES

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The book and what it comes to under each regime; a regime whose factor cannot be decided is a problem instead."""

    period: str
    book: PowerBook
    results: tuple[tuple[Regime, RegimeResult], ...]
    matched_by_hour: dict[str, list[float]]
    problems: tuple[Problem, ...]

    @property
    def consumption_wh(self) -> int:
        """All electricity used."""
        return int(self.book.consumption_wh.sum())

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "period": self.period,
            "consumption_wh": self.consumption_wh,
            "origins_wh": {name: int(self.book.energy_wh[name].sum()) for name in TITLES},
            "regimes": [
                {
                    "id": regime.id,
                    "title": {"zh": regime.title.zh, "en": regime.title.en},
                    "reference": regime.reference,
                    "emissions_gco2e": result.emissions_gco2e,
                    "matched_wh": int(result.matched_wh.sum()),
                    "matched_fraction": _share(int(result.matched_wh.sum()), self.consumption_wh),
                    "matched_fraction_by_hour": self.matched_by_hour[regime.id],
                    "parts": [
                        {
                            "key": part.key,
                            "energy_wh": part.energy_wh,
                            "factor_id": part.factor.factor.id if part.factor else None,
                            "factor_kg_per_kwh": part.factor.factor.value if part.factor else 0.0,
                            "emissions_gco2e": part.emissions_gco2e,
                        }
                        for part in result.parts
                    ],
                    "remarks": [{"zh": remark.zh, "en": remark.en} for remark in result.remarks],
                }
                for regime, result in self.results
            ],
            "problems": [problem.as_json() for problem in self.problems],
        }


def compare(context: Context, period: Period) -> Comparison:
    """Return every regime over the electricity of a closed period.

    Raises
    ------
    FaultyData
        A month is not closed, or a regime's parts do not add up to the metered energy (which must never happen).
    """
    workspace = context.workspace
    plant = workspace.plant
    labels = [month.label for month in period.months()]
    months = [sealed_month(context, month) for month in period.months()]
    activities = workspace.journal.active(ACTIVITIES, {"period": labels}).drop("reverses")
    book = power_book(months, plant, activities)
    if not book.consumption_wh.any():
        raise FaultyData([_no_meters(period)])
    seals = [seal for label in labels if (seal := workspace.seal_of(label)) is not None]
    known_at = max(date.fromisoformat(seal["known_at"]) for seal in seals)
    choices = plant_of(context, seals[-1]).accounting
    scope = Scope(
        region=plant.region,
        on=period.first_day,
        known_at=known_at,
        grid_level=choices.grid_level,
        accepted=choices.accepted,
        pins={pin.role: (pin.factor, pin.reason) for pin in choices.pin if pin.source is None},
    )
    factors = Factors(workspace.sealed_factor_book(seals[-1]), scope)
    results, problems = [], []
    for regime in regimes().values():
        try:
            results.append((regime, regime.apply(book, factors)))
        except Unresolved as fault:
            problems.append(fault.problem)
    _balanced(book, results)
    hours = {regime.id: _by_hour(book, result, plant.time_zone) for regime, result in results}
    return Comparison(period.label, book, tuple(results), hours, tuple(problems))


def _no_meters(period: Period) -> Problem:
    return Problem(
        code="electricity.no_meters",
        message=Text(
            f"{period.label} 没有按表计量的用电, 无法按时段比较。", f"No electricity is metered in {period.label}."
        ),
        hint=Text(
            "请给外购电排放源指定 meters; 按凭证的用电请看 zf inventory show。",
            "Give the source of purchased electricity meters; for billed electricity see zf inventory show.",
        ),
    )


def _balanced(book: PowerBook, results: list[tuple[Regime, RegimeResult]]) -> None:
    """Check that every regime accounts for every metered watt-hour; the check runs in production."""
    metered = int(book.consumption_wh.sum())
    wrong = [(regime.id, result.energy_wh) for regime, result in results if result.energy_wh != metered]
    if wrong:
        raise FaultyData(
            [
                Problem(
                    code="electricity.unbalanced",
                    message=Text(
                        f"口径 {name} 合计 {energy} Wh, 计量 {metered} Wh。",
                        f"Regime {name} adds up to {energy} Wh, metered {metered} Wh.",
                    ),
                    hint=Text("这是程序错误, 请报告。", "This is a fault of the program; please report it."),
                )
                for name, energy in wrong
            ]
        )


def _by_hour(book: PowerBook, result: RegimeResult, time_zone: str) -> list[float]:
    """Return the matched share of consumption by hour of the local day."""
    offset = int(book.starts[0].astimezone(zone(time_zone)).hour)
    slots = np.arange(len(book.months))
    hour = (slots * book.minutes // 60 + offset) % HOURS_PER_DAY
    load = np.bincount(hour, weights=np.maximum(book.consumption_wh, 0), minlength=HOURS_PER_DAY)
    matched = np.bincount(hour, weights=np.maximum(result.matched_wh, 0), minlength=HOURS_PER_DAY)
    return [_share(int(m), int(w)) for m, w in zip(matched, load, strict=True)]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
