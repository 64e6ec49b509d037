"""More volume on a line that pushes: what is wanted over the days, the overtime it takes, or the pieces that are missing.

Wanted is a multiple of what the plant as it is makes on the same days and random numbers, or a number on each working day. Met is
the smallest overtime after the last shift, in quarters of an hour, at which the mean of the replications reaches the mean wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from zerofactory.optimisation.twin.statistics import Interval, interval
from zerofactory.runs.context import Context
from zerofactory.runs.twin import DAY_S, STEP_S, Simulated
from zerofactory.runs.twin_scenario import Checked, VolumeEntry
from zerofactory.runs.twin_shifts import open_hours
from zerofactory.site.calendar import is_workday

QUARTER_H = 0.25
Go = Callable[[Mapping[str, Any]], Simulated]


@dataclass(frozen=True, slots=True)
class Demand:
    """What was wanted and made over the days.

    Parameters
    ----------
    shortfall : wanted less made (below zero: more was made).
    reached_fraction : share of the replications that made what was wanted.
    overtime_h_per_day : worked after the last shift of each working day in the scenario that is told.
    needed_h_per_day : what each replication would need at its own pace, so an interval.
    """

    wanted: Interval
    made: Interval
    shortfall: Interval
    reached_fraction: float
    overtime_h_per_day: float
    needed_h_per_day: Interval

    @property
    def is_met(self) -> bool:
        """Whether the mean made reaches the mean wanted."""
        return self.shortfall.mean <= 0.0

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "wanted": self.wanted.as_json(),
            "made": self.made.as_json(),
            "shortfall": self.shortfall.as_json(),
            "met": self.is_met,
            "reached_fraction": self.reached_fraction,
            "overtime_h_per_day": self.overtime_h_per_day,
            "needed_h_per_day": self.needed_h_per_day.as_json(),
        }


def met(context: Context, one: Checked, base: Simulated, go: Go) -> tuple[Simulated, Demand]:
    """Return the scenario run with the overtime it needs, and what was wanted beside what was made.

    Parameters
    ----------
    go : runs the twin with a change.
    """
    wanted = one.file.volume or VolumeEntry(times=1.0)
    days = working_days(context, one, base)
    pieces = tuple((wanted.times or 0.0) * made for made in base.paired["output"])
    if wanted.per_day is not None:
        pieces = (wanted.per_day * days,) * len(pieces)
    found: dict[int, Simulated] = {}

    def at(quarters: int) -> Simulated:
        if quarters not in found:
            more = {"overtime_h": quarters * QUARTER_H} if quarters else {}
            found[quarters] = go({**one.scenario.change, **more})
        return found[quarters]

    def enough(quarters: int) -> bool:
        return sum(at(quarters).paired["output"]) >= sum(pieces)

    most = int(wanted.most_overtime_h / QUARTER_H) if wanted.overtime else 0
    low, high = 0, most
    if enough(0) or not enough(most):
        high = 0 if enough(0) else most
    else:
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
    return at(high), _demand(at(high), pieces, high * QUARTER_H + one.file.overtime_h, days)


def working_days(context: Context, one: Checked, base: Simulated) -> int:
    """Return the working days of the scenario among those simulated."""
    everywhere = [entry.weekdays for entry in one.file.shifts if not entry.stations and entry.weekdays]
    calendar = context.workspace.plant.calendar
    if everywhere:
        calendar = replace(calendar, weekdays=everywhere[0])
    every = (base.first + timedelta(days=number) for number in range(base.asked.days))
    return sum(is_workday(calendar, day) for day in every)


def _demand(told: Simulated, pieces: tuple[float, ...], overtime_h: float, days: int) -> Demand:
    made, confidence = told.paired["output"], told.asked.confidence
    begin_s = told.skip * STEP_S
    hours = open_hours(told.runs[0].line, begin_s, begin_s + told.asked.days * DAY_S)
    missing = [wanted - have for wanted, have in zip(pieces, made, strict=True)]
    needed = [
        max(overtime_h + (short * hours / have / days if have and days else 0.0), 0.0)
        for short, have in zip(missing, made, strict=True)
    ]
    return Demand(
        interval(pieces, confidence), interval(made, confidence), interval(missing, confidence),
        sum(short <= 0.0 for short in missing) / len(missing), overtime_h, interval(needed, confidence),
    )  # fmt: skip
