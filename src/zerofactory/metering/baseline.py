"""Normalised energy baseline (EnB), savings and indicators (EnPI) after ISO 50006:2014 and GB/T 36713-2018.

Energy of a reference period is explained by what drives it (output, degree days, shifts); the baseline then says what the
same plant would have used under the conditions of another period: savings = EnB(Q, HDD, CDD) − actual.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files

import numpy as np

from zerofactory.errors import FaultyData, Misuse, Problem, Text
from zerofactory.metering.grid import Flags
from zerofactory.metering.least_squares import Fit, Numbers, least_squares
from zerofactory.metering.student import t_quantile

NOT_NEGATIVE = ("output", "hdd", "cdd", "hdd_working", "cdd_working", "shifts")  # more of these never needs less energy
FEWEST = 3  # observations below which nothing can be fitted


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit or default of this method, with its source."""

    id: str
    value: float
    title: Text
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a baseline may be used: one test, what was found, and its limit."""

    id: str
    title: Text
    value: float
    limit: float
    passed: bool
    source: str
    about: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Observations of equal grain: first day, energy and drivers of each.

    Parameters
    ----------
    starts : tuple of date
        First local day of each observation.
    energy : array (n)
        In one unit.
    drivers : Mapping
        Name → array (n): output, hdd and cdd (K·d), the same of working days only (``_working``), shifts.
    """

    starts: tuple[date, ...]
    energy: Numbers
    drivers: Mapping[str, Numbers]

    def table(self, names: Sequence[str]) -> Numbers:
        """Return drivers as columns (n × k)."""
        return np.column_stack([self.drivers[name] for name in names]) if names else np.zeros((len(self.energy), 0))

    def where(self, chosen: Flags) -> Sample:
        """Return some of the observations."""
        starts = tuple(day for day, kept in zip(self.starts, chosen, strict=True) if kept)
        return Sample(starts, self.energy[chosen], {name: values[chosen] for name, values in self.drivers.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A fitted baseline, the tests it was put to, and the drivers left out with the reason."""

    fit: Fit
    reference: Sample
    checks: tuple[Check, ...]
    left_out: tuple[tuple[str, Text], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Drivers of the model."""
        return self.fit.names


@dataclass(frozen=True, slots=True, eq=False)
class Savings:
    """Savings of a reporting period against a baseline.

    ``low`` and ``high`` bound the savings with ``confidence_fraction``; ``cusum`` is their running total; ``ratio`` is actual
    over expected, the normalised indicator (below 1 is better); ``specific`` is energy per unit of output.
    """

    reporting: Sample
    expected: Numbers
    cusum: Numbers
    savings: float
    low: float
    high: float
    confidence_fraction: float
    residual_sd: float
    checks: tuple[Check, ...]

    @property
    def actual_total(self) -> float:
        """Energy used."""
        return float(self.reporting.energy.sum())

    @property
    def expected_total(self) -> float:
        """Energy the baseline expects."""
        return float(self.expected.sum())

    @property
    def ratio(self) -> float:
        """Actual over expected energy."""
        return self.actual_total / self.expected_total if self.expected_total else float("nan")

    @property
    def unusual(self) -> tuple[date, ...]:
        """Observations further from the baseline than its own scatter explains: look for a non-routine event."""
        away = np.abs(self.expected - self.reporting.energy) > limits()["unusual_deviations"].value * self.residual_sd
        return tuple(day for day, far in zip(self.reporting.starts, away, strict=True) if far)

    @property
    def specific(self) -> float | None:
        """Energy per unit of output, None without output."""
        output = float(self.reporting.drivers["output"].sum()) if "output" in self.reporting.drivers else 0.0
        return self.actual_total / output if output > 0 else None


@lru_cache(maxsize=1)
def limits() -> Mapping[str, Limit]:
    """Return the limits and defaults by id (`baseline_tests.csv`)."""
    text = (files("zerofactory.metering") / "baseline_tests.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {r["id"]: Limit(r["id"], float(r["limit"]), Text(r["zh"], r["en"]), r["source"], r["status"]) for r in rows}


def degree_days(
    daily_mean_degc: Numbers, heating_base_degc: float, cooling_base_degc: float
) -> tuple[Numbers, Numbers]:
    """Return heating and cooling degree days of each day (K·d) from daily mean temperatures.

    Examples
    --------
    >>> [part.tolist() for part in degree_days(np.array([10.0, 28.0]), 18.0, 26.0)]
    [[8.0, 0.0], [0.0, 2.0]]
    """
    return np.maximum(heating_base_degc - daily_mean_degc, 0.0), np.maximum(daily_mean_degc - cooling_base_degc, 0.0)


def baseline(reference: Sample, names: Sequence[str], keep_all: bool = False) -> Baseline:
    """Return the baseline of a reference period.

    Drivers are taken out one by one, the least significant first, until each passes the test of a variable and none that
    cannot lower energy has a negative weight; each is named with the reason. ``keep_all`` leaves them in.

    Raises
    ------
    FaultyData
        Too few observations for even one driver.
    """
    if len(reference.energy) <= FEWEST:
        raise FaultyData([_too_few(len(reference.energy))])
    left_out: list[tuple[str, Text]] = []
    chosen = []
    for name in names:
        if np.ptp(reference.drivers[name]) > 0.0:
            chosen.append(name)
        else:
            left_out.append((name, Text("基准期内不变", "does not vary in the reference period")))
    while True:
        found = _fit(reference, chosen)
        if isinstance(found, Fit):
            worst = None if keep_all else _worst(found)
            if worst is None:
                return Baseline(found, reference, _checks(found), tuple(left_out))
        else:
            worst = found
        chosen.remove(worst[0])
        left_out.append(worst)


def _fit(sample: Sample, names: Sequence[str]) -> Fit | tuple[str, Text]:
    """Return the fit, or the driver that makes one impossible."""
    try:
        return least_squares(sample.energy, sample.table(names), names)
    except Misuse:
        return names[-1], Text("与其他变量线性相关, 或观测太少", "a combination of the others, or too few observations")


def _worst(fit: Fit) -> tuple[str, Text] | None:
    """Return the driver to take out next and why, or None."""
    negative = [
        name for name, value in zip(fit.names, fit.coefficients[1:], strict=True) if name in NOT_NEGATIVE and value < 0
    ]
    chances = dict(zip(fit.names, fit.probabilities[1:], strict=True))
    if negative:
        return max(negative, key=lambda name: chances[name]), Text(
            "系数为负, 不合物理", "negative weight, against physics"
        )
    if not chances:
        return None
    worst = max(chances, key=lambda name: chances[name])
    if chances[worst] <= limits()["variable_probability"].value:
        return None
    return worst, Text(f"不显著(p = {chances[worst]:.2f})", f"not significant (p = {chances[worst]:.2f})")


def _checks(fit: Fit) -> tuple[Check, ...]:
    found = [
        _check("r2", fit.r2, above=True),
        _check("cv_rmse", fit.cv_rmse),
        _check("f_probability", fit.f_probability),
    ]
    chances = fit.probabilities[1:]
    found += [_check("variable_probability", p, about=name) for name, p in zip(fit.names, chances, strict=True)]
    if chances:
        found.append(_check("best_probability", min(chances)))
    found.append(_check("per_coefficient", fit.count / len(fit.coefficients), above=True))
    return tuple(found)


def _check(name: str, value: float, *, above: bool = False, about: str = "") -> Check:
    limit = limits()[name]
    passed = value >= limit.value if above else value <= limit.value
    return Check(name, limit.title, value, limit.value, bool(passed), limit.source, about)


def savings(of: Baseline, reporting: Sample, confidence_fraction: float | None = None) -> Savings:
    """Return what was saved against a baseline, with its interval (`least_squares.Fit.sum_error`) and CUSUM.

    Raises
    ------
    FaultyData
        There is nothing to report on.
    """
    if not len(reporting.energy):
        raise FaultyData([_too_few(0)])
    level = confidence_fraction or limits()["confidence_fraction"].value
    table = reporting.table(of.names)
    expected = of.fit.predict(table)
    running = np.cumsum(expected - reporting.energy)
    error, freedom = of.fit.sum_error(table)
    half, total = t_quantile(level, freedom) * error, float(running[-1])
    checks = _range_checks(of, reporting)
    return Savings(reporting, expected, running, total, total - half, total + half, level, of.fit.residual_sd, checks)


def _range_checks(of: Baseline, reporting: Sample) -> tuple[Check, ...]:
    """Test that the mean of each driver lies in the observed range, or near the mean, of the reference."""
    found = []
    limit = limits()["range_deviations"]
    for name in of.names:
        seen, mean = of.reference.drivers[name], float(reporting.drivers[name].mean())
        away = abs(mean - float(seen.mean())) / (float(seen.std(ddof=1)) or 1e-12)
        passed = bool(seen.min() <= mean <= seen.max()) or away <= limit.value
        found.append(Check(limit.id, limit.title, away, limit.value, passed, limit.source, name))
    return tuple(found)


def _too_few(count: int) -> Problem:
    return Problem(
        code="metering.baseline_too_few",
        message=Text(
            f"只有 {count} 个观测, 不足以建立或核对基准。",
            f"{count} observations are too few for a baseline or a report.",
        ),
        hint=Text(
            "请用更长的期间或更细的粒度(--grain week 或 day)。",
            "Take a longer period or a finer grain (--grain week or day).",
        ),
    )
