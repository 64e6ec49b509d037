"""The normalised energy baseline of a shop: from closed months, documents of output and temperature to savings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.baseline import Baseline, Check, Sample, Savings, baseline, degree_days, limits, savings
from zerofactory.metering.grid import microseconds
from zerofactory.metering.interval import MISSING
from zerofactory.metering.profile import SITE, shop_meters
from zerofactory.metering.profile import place as place_of
from zerofactory.periods import Period, local_midnight
from zerofactory.runs.context import Context
from zerofactory.runs.profile import Amounts, amounts
from zerofactory.runs.series_file import read as read_series
from zerofactory.site.calendar import is_workday, shifts_of
from zerofactory.site.model import Calendar
from zerofactory.store.schema import ACTIVITIES

Grain = Literal["day", "week", "month"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month")
DRIVERS = ("output", "hdd", "cdd", "shifts", "hdd_working", "cdd_working")
USUAL = ("output", "hdd_working", "cdd_working", "shifts")  # heat and cold count while the shops run
EVERY_SHOP = "all"
Numbers = NDArray[np.float64]
_RANGE = re.compile(r"^(\d{4}(?:-\d{2})?)(?:\.\.(\d{4}-\d{2}|\d{2}))?$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared with what.

    Parameters
    ----------
    shop : str
        Shop, meter or ``site``.
    period, reference : str
        ``2025``, ``2025-07`` or ``2025-01..06``.
    drivers : tuple of str
        Of `DRIVERS`; those that explain nothing are taken out unless ``keep_all``.
    temperature : Path, optional
        CSV with ``temperature_degc`` (see `runs.series_file`); the fictional reference plant brings its own.
    """

    shop: str
    period: str
    reference: str
    carrier: str = "electricity"
    grain: Grain = "week"
    drivers: tuple[str, ...] = USUAL
    keep_all: bool = False
    temperature: Path | None = None
    heating_base_degc: float | None = None
    cooling_base_degc: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A baseline and the savings against it."""

    asked: Asked
    unit: str
    baseline: Baseline
    savings: Savings
    notes: tuple[Text, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every test of the model and of its use."""
        return (*self.baseline.checks, *self.savings.checks)

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        fit, saved = self.baseline.fit, self.savings
        weights = zip(
            ("constant", *fit.names), fit.coefficients, fit.standard_errors, fit.t, fit.probabilities, strict=True
        )
        rows = zip(saved.reporting.starts, saved.reporting.energy, saved.expected, saved.cusum, strict=True)
        return {
            "shop": self.asked.shop, "carrier": self.asked.carrier, "grain": self.asked.grain, "unit": self.unit,
            "period": self.asked.period, "reference": self.asked.reference,
            "model": [{"name": name, "coefficient": float(b), "standard_error": float(s), "t": float(t), "probability": p} for name, b, s, t, p in weights],
            "observations": fit.count, "r2": fit.r2, "cv_rmse_fraction": fit.cv_rmse, "autocorrelation": fit.autocorrelation,
            "left_out": [{"name": name, "reason": {"zh": why.zh, "en": why.en}} for name, why in self.baseline.left_out],
            "checks": [{"id": c.id, "about": c.about, "value": c.value, "limit": c.limit, "passed": c.passed, "source": c.source} for c in self.checks],
            "expected": saved.expected_total, "actual": saved.actual_total, "savings": saved.savings, "low": saved.low, "high": saved.high,
            "confidence_fraction": saved.confidence_fraction, "unusual": [day.isoformat() for day in saved.unusual], "enpi_ratio": saved.ratio, "enpi_per_output": saved.specific,
            "rows": [{"start": day.isoformat(), "actual": float(a), "expected": float(e), "cusum": float(c)} for day, a, e, c in rows],
            "notes": [{"zh": note.zh, "en": note.en} for note in self.notes],
        }  # fmt: skip


def run(context: Context, asked: Asked) -> list[Report]:
    """Return the report of a shop, or of every shop that has meters of the carrier (``all``).

    Raises
    ------
    FaultyData
        Months without data, an unreadable range, too few observations.
    NotFound
        No such place, driver or grain.
    """
    _refuse(asked)
    if asked.shop != EVERY_SHOP:
        return [_report(context, asked)]
    return [_report(context, replace(asked, shop=shop)) for shop in shop_meters(context.workspace.plant, asked.carrier)]


def _refuse(asked: Asked) -> None:
    if asked.grain not in GRAINS:
        raise NotFound(Text("粒度", "grain"), asked.grain, GRAINS)
    for name in asked.drivers:
        if name not in DRIVERS:
            raise NotFound(Text("影响因素", "driver"), name, DRIVERS)


def _report(context: Context, asked: Asked) -> Report:
    plant = context.workspace.plant
    meters = place_of(plant, asked.shop, asked.carrier).meters
    reference, wanted = months_in(asked.reference), months_in(asked.period)
    found = amounts(context, meters, (*reference, *wanted))
    if not set(reference) & set(found.months) or not set(wanted) & set(found.months):
        hint = Text(f"有数据的月份: {', '.join(found.months)}。", f"Months with data: {', '.join(found.months)}.")
        raise FaultyData(
            [_problem("no_months", "基准期或报告期没有数据。", "The reference or the period has no data.", hint)]
        )
    days = [Period.parse(found.months[0]).first_day]
    last = Period.parse(found.months[-1]).next_first_day
    days = [days[0] + timedelta(days=index) for index in range((last - days[0]).days)]
    energy, whole = _daily(found, days, plant.time_zone)
    drivers, notes = _drivers(context, asked, days)
    sample = Sample(tuple(days), energy, drivers)
    early = _grouped(sample.where(_in(days, reference) & whole), asked.grain)
    late_days = _in(days, wanted) & whole
    overlap = set(wanted) & set(reference)
    if overlap and set(wanted) - set(reference):
        late_days &= ~_in(days, reference)
        notes.append(Text("与基准期重合的月份不计入节能量。", "Months of the reference are left out of the savings."))
    elif overlap:
        notes.append(
            Text(
                "报告期即基准期: 节能量按定义约为零。",
                "The period is the reference itself: savings are zero by construction.",
            )
        )
    lacking = sorted({*reference, *wanted} - set(found.months))
    if lacking:
        notes.append(Text(f"没有数据的月份: {', '.join(lacking)}。", f"Months without data: {', '.join(lacking)}."))
    made = baseline(early, [name for name in asked.drivers if name in drivers], asked.keep_all)
    saved = savings(made, _grouped(sample.where(late_days), asked.grain))
    if saved.unusual:
        listed = ", ".join(day.isoformat() for day in saved.unusual[:8])
        notes.append(
            Text(
                f"{asked.shop}: 远离基准的时段, 请查是否有非常规事件: {listed}。",
                f"{asked.shop}: far from the baseline, look for a non-routine event: {listed}.",
            )
        )
    return Report(asked, found.unit, made, saved, tuple(notes))


def months_in(text: str) -> tuple[str, ...]:
    """Return the months of ``2025``, ``2025-03``, ``2025-01..06`` or ``2024-11..2025-02``.

    Examples
    --------
    >>> months_in("2024-11..2025-01")
    ('2024-11', '2024-12', '2025-01')
    """
    match = _RANGE.match(text.strip())
    if match is None:
        raise FaultyData([_problem("range", f"“{text}”不是期间。", f"'{text}' is no period.", Text("请写成 2025、2025-03 或 2025-01..06。", "Write 2025, 2025-03 or 2025-01..06."))])  # fmt: skip
    first = Period.parse(match.group(1))
    if match.group(2) is None:
        return tuple(month.label for month in first.months())
    end = match.group(2) if len(match.group(2)) > 2 else f"{first.year}-{match.group(2)}"
    last, months = Period.parse(end), []
    period = first.months()[0]
    while period <= last:
        months.append(period.label)
        period = Period(period.next_first_day.year, period.next_first_day.month)
    return tuple(months)


def _in(days: Sequence[date], months: Sequence[str]) -> NDArray[np.bool_]:
    wanted = set(months)
    return np.array([f"{day.year:04d}-{day.month:02d}" in wanted for day in days], dtype=np.bool_)


def _daily(found: Amounts, days: Sequence[date], time_zone: str) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the amount of each local day and whether every slot of it is there."""
    step = found.minutes * 60_000_000
    begins = [(microseconds(local_midnight(day, time_zone)) - microseconds(found.start)) // step for day in days]
    edges = np.array(begins, dtype=np.int64)
    missing = np.add.reduceat((found.state == MISSING).astype(np.int64), edges)
    return np.add.reduceat(found.amount_milli, edges) / 1000.0, missing == 0


def _shifts(calendar: Calendar, day: date) -> float:
    """Return how many shifts a day has; a worked day of a calendar without shifts has one."""
    return float(len(shifts_of(calendar, day)) if calendar.shifts else is_workday(calendar, day))


def _drivers(context: Context, asked: Asked, days: Sequence[date]) -> tuple[dict[str, Numbers], list[Text]]:
    plant = context.workspace.plant
    shifts = np.array([_shifts(plant.calendar, day) for day in days])
    drivers, notes = {"shifts": shifts}, []
    output = daily_output(context, days, shifts)
    if output is not None:
        drivers["output"] = output
    else:
        notes.append(Text("没有产量凭证, 产量不参与基准。", "No documents of output: it is no driver here."))
    mean = daily_temperature(context, asked.temperature, days)
    if mean is None:
        notes.append(
            Text(
                "没有气温, 度日不参与基准(用 --temperature 给出)。",
                "No temperature: degree days are no drivers here (give it with --temperature).",
            )
        )
    else:
        heating = (
            asked.heating_base_degc if asked.heating_base_degc is not None else limits()["heating_base_degc"].value
        )
        cooling = (
            asked.cooling_base_degc if asked.cooling_base_degc is not None else limits()["cooling_base_degc"].value
        )
        drivers["hdd"], drivers["cdd"] = degree_days(mean, heating, cooling)
        drivers |= {f"{name}_working": drivers[name] * (shifts > 0) for name in ("hdd", "cdd")}
    return drivers, notes


def daily_output(context: Context, days: Sequence[date], shifts: Numbers) -> Numbers | None:
    """Return the output of each day: documents are spread over the shifts of their days (evenly where there are none)."""
    rows = context.workspace.journal.active(ACTIVITIES).filter(pl.col("source_kind") == "production_output")
    if rows.is_empty():
        return None
    zone = context.workspace.plant.time_zone
    spread = np.zeros(len(days))
    edges = [microseconds(local_midnight(day, zone)) for day in days]
    for started, ended, quantity in rows.select("started_at", "ended_at", "quantity").iter_rows():
        inside = np.array([microseconds(started) <= edge < microseconds(ended) for edge in edges])
        if inside.any():
            weight = np.where(inside, shifts, 0.0)
            weight = weight if weight.sum() > 0 else inside.astype(np.float64)
            spread += quantity * weight / weight.sum()
    return spread


def daily_temperature(context: Context, file: Path | None, days: Sequence[date]) -> Numbers | None:
    """Return the mean temperature of each day in °C, or None; a day without readings is refused."""
    plant = context.workspace.plant
    if file is not None:
        given = read_series(file, "temperature_degc", plant.time_zone)
        step = given.minutes * 60_000_000
        place = microseconds(given.start) + np.arange(len(given.values), dtype=np.int64) * step
        means = []
        for day in days:
            first, last = (microseconds(local_midnight(one, plant.time_zone)) for one in (day, day + timedelta(days=1)))
            values = given.values[(place >= first) & (place < last)]
            means.append(float(np.nanmean(values)) if np.isfinite(values).any() else np.nan)
        if np.isnan(means).any():
            missing = days[int(np.flatnonzero(np.isnan(means))[0])].isoformat()
            hint = Text("请补齐气温文件。", "Complete the file.")
            raise FaultyData(
                [_problem("temperature", f"缺 {missing} 的气温。", f"Temperature is missing on {missing}.", hint)]
            )
        return np.array(means)
    if plant.id != "reference-plant":
        return None
    from zerofactory.reference_plant.shapes import QUARTERS, YEAR, temperature_fortieths

    year = temperature_fortieths().reshape(-1, QUARTERS).mean(axis=1) / 40.0
    new_year = date(YEAR, 1, 1)
    return np.array([year[(day - new_year).days % len(year)] for day in days])


def _grouped(sample: Sample, grain: Grain) -> Sample:
    """Return days as days, whole weeks from Monday on, or months; incomplete weeks and months are left out."""
    if grain == "day":
        return sample
    begins = [day - timedelta(days=day.weekday()) if grain == "week" else day.replace(day=1) for day in sample.starts]
    names, group = np.unique(np.array([begin.toordinal() for begin in begins], dtype=np.int64), return_inverse=True)
    starts = [date.fromordinal(int(name)) for name in names]
    lengths = [7 if grain == "week" else (Period(one.year, one.month).next_first_day - one).days for one in starts]

    def summed(values: Numbers) -> Numbers:
        return np.bincount(group, weights=values, minlength=len(names)).astype(np.float64)

    sums = {name: summed(values) for name, values in sample.drivers.items()}
    grouped = Sample(tuple(starts), summed(sample.energy), sums)
    return grouped.where(np.bincount(group, minlength=len(names)) == np.array(lengths, dtype=np.int64))


def _problem(code: str, zh: str, en: str, hint: Text) -> Problem:
    return Problem(code=f"baseline.{code}", message=Text(zh, en), hint=hint)


__all__ = ["DRIVERS", "EVERY_SHOP", "GRAINS", "SITE", "Asked", "Report", "months_in", "run"]
