"""Threshold: a flow above the limit the plant states, or above the greatest that the meter's entry in the plant file allows."""

from __future__ import annotations

from datetime import date

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import example_days, excess_of, rate, spells, told
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults


def find(watched: Watched) -> list[Episode]:
    """Return the spells above the limit; the excess is what flowed above it."""
    limit = watched.given.get("limit_per_hour", watched.subject.bounds[0])
    if limit is None:
        return []
    above = np.nan_to_num(watched.flow, nan=-np.inf) > limit
    made = []
    for span in spells(above, watched.slots_of(watched.given["least_minutes"]), watched.start):
        excess, _ = excess_of(watched, span, limit)
        value = float(np.nanmax(watched.flow[span[0] : span[1]]))
        shown = rate(value, watched.subject), rate(limit, watched.subject)
        message = told(watched.subject, f"最高 {shown[0]}, 超过限值 {shown[1]}", f"up to {shown[0]}, above {shown[1]}")
        made.append(Episode(*span, excess, value, limit, message))
    return made


def _example() -> Watched:
    values = np.full((1, 24), 50.0)
    values[0, 9:11] = [120.0, 130.0]
    subject = Subject("E1", Text("进线", "incomer"), "electricity", "kWh")
    days = example_days(values, date(2025, 3, 3))
    return Watched(
        subject, days, 0, np.ones((1, 24), dtype=np.bool_), {**defaults("threshold"), "limit_per_hour": 100.0}
    )


RULE = Rule(
    "threshold",
    Text("越限", "threshold"),
    "ISO 50001:2018, 8.1 and 9.1.1 (operating criteria and significant deviations)",
    (),
    find,
    Example(
        Text("限值 100 kW, 9–11 时为 120 与 130 kW", "limit 100 kW, 120 and 130 kW from 9 to 11"),
        _example,
        ((9, 11, 50.0),),
    ),
)
