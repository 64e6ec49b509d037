"""Base load on non-working days: the mean load of a free day stands above that of the free days before."""

from __future__ import annotations

from datetime import date

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import example_days, free, rate, spells, told
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults

THIN_FRACTION = 0.9


def find(watched: Watched) -> list[Episode]:
    """Return the free days whose mean load is above the median of those before by more than their own spread and the rise."""
    days, given = watched.days, watched.given
    values = watched.flow.reshape(days.count, -1)
    there = (~np.isnan(values)).mean(axis=1) >= THIN_FRACTION
    mean = np.where(there, np.nan_to_num(values).sum(axis=1) / np.maximum((~np.isnan(values)).sum(axis=1), 1), np.nan)
    off = free(days) & there
    past = mean[: watched.first][off[: watched.first]]
    if len(past) < given["fewest_free_days"]:
        return []
    usual = float(np.median(past))
    limit = max(usual * (1.0 + given["rise_fraction"]), float(past.max()))
    high = off & (np.nan_to_num(mean) > limit)
    made = []
    size = days.clock.slots
    for first, last in spells(high, 1, watched.first, off):
        held = high[first:last]
        excess = float((mean[first:last][held] - usual).sum() * 24.0)
        value = float(mean[first:last][held].mean())
        shown = rate(value, watched.subject), rate(usual, watched.subject)
        message = told(
            watched.subject,
            f"非工作日基础负荷 {shown[0]}, 通常 {shown[1]}",
            f"base load of free days {shown[0]}, usually {shown[1]}",
        )
        made.append(Episode(first * size, last * size, excess, value, limit, message))
    return made


def _example() -> Watched:
    values = np.full((28, 24), 100.0)
    sundays = [5, 6, 12, 13, 19, 20, 26, 27]
    values[sundays] = 20.0
    values[26] = 30.0
    subject = Subject("E-1", Text("车间", "shop"), "electricity", "kWh")
    days = example_days(values, date(2025, 3, 3))
    return Watched(subject, days, 21, np.repeat(days.working[:, None], 24, axis=1), defaults("base_load"))


RULE = Rule(
    "base_load",
    Text("非工作日基础负荷", "base load on non-working days"),
    "ISO 50006:2014, 4.3 (base load as a significant part of consumption)",
    ("electricity", "heat", "cooling", "water"),
    find,
    Example(
        Text("六个休息日 20 kW, 下一个 30 kW: 24 h × 10 kW", "six free days at 20 kW, the next at 30 kW: 24 h × 10 kW"),
        _example,
        ((26 * 24, 27 * 24, 240.0),),
    ),
)
