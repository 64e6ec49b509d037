"""CO2 supply leak: shielding or process CO2 flows while nothing is made. What leaks is itself the emission."""

from __future__ import annotations

from datetime import date, time

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.episode import example_days, excess_of, production_of, rate, spells, told, working_level
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults
from zerofactory.site.model import Shift

CARRIERS = ("co2", "carbon_dioxide", "shielding_gas", "mixed_gas")


def find(watched: Watched) -> list[Episode]:
    """Return the spells of flow at rest above the limit stated, else above a share of the working flow; all of it is excess."""
    given = watched.given
    idle = ~production_of(watched.days, 60.0).ravel()
    flow = watched.flow
    seen = flow[: watched.start] if watched.first else flow
    limit = given.get("limit_per_hour", given["flow_fraction"] * working_level(seen, watched.production))
    if limit <= 0.0:
        return []
    high = idle & (np.nan_to_num(flow, nan=-np.inf) > limit)
    made = []
    for span in spells(high, watched.slots_of(given["least_minutes"]), watched.start, idle):
        excess, mean = excess_of(watched, span, 0.0, idle)
        shown = rate(mean, watched.subject)
        message = told(
            watched.subject, f"停产时仍有二氧化碳流量 {shown}, 疑似泄漏", f"{shown} of CO2 flows at rest: a leak?"
        )
        made.append(Episode(*span, excess, mean, limit, message))
    return made


def _example() -> Watched:
    shifts = (Shift(Text("白班", "day shift"), time(8), time(16)),)
    values = np.tile(np.where((np.arange(24) >= 8) & (np.arange(24) < 16), 40.0, 0.0), (3, 1))
    values[1, 20:] = 2.0
    values[2, :5] = 2.0
    subject = Subject("CO2-1", Text("保护气", "shielding gas"), "co2", "kg")
    days = example_days(values, date(2025, 3, 3), 60, shifts)
    return Watched(subject, days, 0, production_of(days), defaults("co2_supply_leak"))


RULE = Rule(
    "co2_supply_leak",
    Text("二氧化碳供气疑似泄漏", "CO2 supply leak"),
    "ISO 50001:2018, 9.1.1; emission of shielding gas: NDRC guidelines for machinery makers (trial), CO2-shielded welding",
    CARRIERS,
    find,
    Example(
        Text(
            "停产时 2 kg/h, 当晚 20 时至次日 5 时: 9 h × 2 kg", "2 kg/h at rest from 20 to 5 next morning: 9 h × 2 kg"
        ),
        _example,
        ((1 * 24 + 20, 2 * 24 + 5, 18.0),),
    ),
)
