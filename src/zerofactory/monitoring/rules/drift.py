"""Drift: the daily energy creeps away from the learnt normal (CUSUM), too slowly for any single day to be odd."""

from __future__ import annotations

from datetime import date

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.anomaly import judge
from zerofactory.monitoring.episode import example_days, told
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults
from zerofactory.monitoring.rules.anomaly import terms


def find(watched: Watched) -> list[Episode]:
    """Return the spells of days whose CUSUM is beyond its limit; the excess is what flowed above the normal since it began."""
    judged = watched.judged
    if judged is None:
        return []
    size, limit = watched.days.clock.slots, float(judged.drift_limit[0])
    drift = judged.drift[0]
    made = []
    for sign in (1.0, -1.0):
        days = np.flatnonzero(sign * drift > limit)
        for group in np.split(days, np.flatnonzero(np.diff(days) > 1) + 1):
            if not len(group) or group[-1] + judged.first < watched.first:
                continue
            began = int(group[0])
            while began > 0 and sign * drift[began - 1] > 0.0:
                began -= 1
            last = int(group[-1]) + 1
            residual, expected = judged.residual[0, began:last], judged.expected[0, began:last]
            excess = float(np.nansum(residual))
            share = excess / max(float(expected.sum()), 1e-9)
            more = ("偏高", "above") if excess >= 0 else ("偏低", "below")
            message = told(
                watched.subject,
                f"用量缓慢{more[0]} {abs(share):.1%}, {last - began} 天来累计 {abs(excess):,.0f} {watched.subject.unit}",
                f"creeps {abs(share):.1%} {more[1]} normal, {abs(excess):,.0f} {watched.subject.unit} in {last - began} days",
            )
            span = (judged.first + began) * size, (judged.first + last) * size
            made.append(Episode(*span, excess, float(np.abs(drift[group]).max()), limit, message))
    return made


def _example() -> Watched:
    """Return a load of 100 kWh a day whose last ten days run 6 % high."""
    count = 168
    wave = 1.0 + 0.0004 * (np.arange(count) ** 2 * 37 % 101 - 50.0)
    values = np.full((count, 24), 100.0 / 24.0) * wave[:, None]
    values[158:] *= 1.06
    days = example_days(values, date(2025, 3, 3))
    subject = Subject("E-1", Text("一线", "line 1"), "electricity", "kWh")
    running = np.repeat(days.working[:, None], 24, axis=1)
    return Watched(subject, days, 154, running, defaults("drift"), judge(days, 154, terms()))


RULE = Rule(
    "drift",
    Text("缓慢漂移", "drift"),
    "Page 1954, doi:10.1093/biomet/41.1-2.100",
    (),
    find,
    Example(
        Text("日用量 100 kWh, 最后十天高 6 %: 60 kWh", "100 kWh a day, the last ten days 6 % high: 60 kWh"),
        _example,
        ((157 * 24, 168 * 24, 60.0),),
    ),
)
