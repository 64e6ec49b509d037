"""Compressed-air night load: what the net takes while nothing is made is leakage."""

from __future__ import annotations

from datetime import date, time

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import example_days, excess_of, production_of, spells, told, working_level
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults
from zerofactory.site.model import Shift


def find(watched: Watched) -> list[Episode]:
    """Return the spells without production above the accepted share of the working flow; the excess is above that share.

    What leaks every night is one episode, not one a night.
    """
    given = watched.given
    idle = ~production_of(watched.days, given["margin_minutes"]).ravel()
    flow = watched.flow
    seen = flow[: watched.start] if watched.first else flow
    working = working_level(seen, watched.production)
    limit = given.get("limit_per_hour", given["leak_fraction"] * working)
    if limit <= 0.0:
        return []
    high = idle & (np.nan_to_num(flow, nan=-np.inf) > limit)
    made = []
    for span in spells(high, watched.slots_of(given["least_minutes"]), watched.start, idle):
        excess, mean = excess_of(watched, span, limit, idle)
        share = f"{100 * mean / working:.0f} %" if working > 0.0 else "—"
        accepted = f"{100 * limit / working:.0f} %" if working > 0.0 else "—"
        message = told(
            watched.subject,
            f"停产时流量为工作流量的 {share}, 可接受 {accepted}, 查漏",
            f"{share} of the working flow without production, {accepted} accepted: look for leaks",
        )
        made.append(Episode(*span, excess, mean, limit, message))
    return made


def _example() -> Watched:
    shifts = (Shift(Text("白班", "day shift"), time(8), time(16)),)
    values = np.tile(np.where((np.arange(24) >= 8) & (np.arange(24) < 16), 1000.0, 80.0), (2, 1))
    values[0, 18:] = 250.0
    values[1, :7] = 250.0
    subject = Subject("A-00", Text("压缩空气母管", "compressed air main"), "compressed_air", "Nm3")
    days = example_days(values, date(2025, 3, 3), 60, shifts)
    return Watched(subject, days, 0, production_of(days), defaults("compressed_air_night"))


RULE = Rule(
    "compressed_air_night",
    Text("压缩空气夜间负荷", "compressed-air night load"),
    "US DOE, Improving Compressed Air System Performance, 3rd ed. 2016 (leaks); GB/T 16665-2017 (monitoring of compressed-air systems)",
    ("compressed_air",),
    find,
    Example(
        Text(
            "工作 1 000 Nm3/h, 18 时至次日 7 时 250, 可接受 100: 13 h × 150",
            "1 000 Nm3/h working, 250 from 18 to 7, 100 accepted: 13 h × 150",
        ),
        _example,
        ((18, 24 + 7, 1950.0),),
    ),
)
