"""Gas leak: while nothing is made, the flow of fuel gas never comes back to its level of rest."""

from __future__ import annotations

from datetime import date, time

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import (
    example_days,
    excess_of,
    known,
    production_of,
    rate,
    spells,
    told,
    working_level,
)
from zerofactory.monitoring.robust import MAD_TO_SIGMA
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults
from zerofactory.site.model import Shift

SIGMAS = 4.0
QUIET_FRACTION = (
    0.25  # rest above this share of the working flow is no rest: the meter serves something that never stops
)


def find(watched: Watched) -> list[Episode]:
    """Return the spells at rest above the level of rest seen before by the rise and by its own spread."""
    given = watched.given
    if watched.first < given["shortest_days"]:
        return []
    idle = ~production_of(watched.days, 60.0).ravel()
    before = watched.flow[: watched.start]
    still, working = known(before[idle[: watched.start]]), working_level(before, watched.production)
    if not len(still) or working <= 0.0:
        return []
    rest = float(np.median(still))
    if rest > QUIET_FRACTION * working:
        return []
    spread = MAD_TO_SIGMA * float(np.median(np.abs(still - rest)))
    limit = max(rest + given["rise_fraction"] * working + SIGMAS * spread, float(np.quantile(still, 0.99)))
    high = idle & (np.nan_to_num(watched.flow, nan=-np.inf) > limit)
    made = []
    for span in spells(high, watched.slots_of(given["least_minutes"]), watched.start, idle):
        excess, mean = excess_of(watched, span, rest, idle)
        shown = rate(mean, watched.subject), rate(rest, watched.subject)
        message = told(
            watched.subject,
            f"停产时流量 {shown[0]}, 静止应为 {shown[1]}, 疑似泄漏",
            f"{shown[0]} without production, {shown[1]} at rest: a leak?",
        )
        made.append(Episode(*span, excess, mean, limit, message))
    return made


def _example() -> Watched:
    shifts = (Shift(Text("白班", "day shift"), time(8), time(16)),)
    values = np.tile(np.where((np.arange(24) >= 8) & (np.arange(24) < 16), 50.0, 1.0), (21, 1))
    values[17, 18:] = 6.0
    subject = Subject("G-1", Text("烘房燃气", "oven gas"), "natural_gas", "Nm3")
    days = example_days(values, date(2025, 3, 3), 60, shifts)
    days.values[0][[5, 6, 12, 13, 19, 20]] = 1.0
    return Watched(subject, days, 14, production_of(days), defaults("gas_leak"))


RULE = Rule(
    "gas_leak",
    Text("燃气疑似泄漏", "gas leak"),
    "ISO 50001:2018, 9.1.1 (significant deviations); the level of rest is learnt, not stated by a standard",
    ("natural_gas", "lpg", "coal_gas", "hydrogen"),
    find,
    Example(
        Text(
            "静止 1 Nm3/h, 工作 50, 18–24 时为 6: 6 h × 5 Nm3/h", "rest 1 Nm3/h, working 50, 6 from 18 to 24: 6 h × 5"
        ),
        _example,
        ((17 * 24 + 18, 18 * 24, 30.0),),
    ),
)
