"""Standby waste: equipment is on while no shift runs, beyond what is usual at that hour."""

from __future__ import annotations

from datetime import date, time

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.days import Flags, Numbers
from zerofactory.monitoring.episode import (
    example_days,
    excess_of,
    free,
    known,
    production_of,
    rate,
    spells,
    told,
    working_level,
)
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults
from zerofactory.site.model import Shift

USUAL_FRACTION = 0.95  # of the same hour before
USUAL_DAYS = 24  # newest days of a kind that say what is usual: the season counts
MARGIN_FRACTION = 0.1  # above what is usual at the hour, as a share of the working load


def find(watched: Watched) -> list[Episode]:
    """Return the spells without a shift in which the load is on; the excess is above the standby level seen before."""
    given, days = watched.given, watched.days
    if watched.first < given["shortest_days"]:
        return []
    idle = ~production_of(days, given["margin_minutes"]).ravel()
    before = watched.flow[: watched.start]
    still = known(before[idle[: watched.start]])
    if not len(still):
        return []
    standby, working = float(np.quantile(still, 0.2)), working_level(before, watched.production)
    limit = standby + given["on_fraction"] * (working - standby)
    if working <= 2.0 * max(standby, 0.0):
        return []  # a load that hardly falls has no standby to speak of
    on = idle & (
        np.nan_to_num(watched.flow, nan=-np.inf)
        > np.maximum(limit, _usual(watched) + MARGIN_FRACTION * (working - standby))
    )
    made = []
    for span in spells(on, watched.slots_of(given["least_minutes"]), watched.start, idle):
        excess, mean = excess_of(watched, span, standby, idle)
        shown = rate(mean, watched.subject), rate(standby, watched.subject)
        message = told(
            watched.subject,
            f"停产时段仍在运行, 平均 {shown[0]}, 待机应为 {shown[1]}",
            f"on without production, {shown[0]} on average, {shown[1]} at standby",
        )
        made.append(Episode(*span, excess, mean, limit, message))
    return made


def _usual(watched: Watched) -> Numbers:
    """Return, slot by slot, the 95 % quantile of the same hour on worked, or on free, days before (D·S)."""
    values = watched.flow.reshape(watched.days.count, -1)
    off = free(watched.days)
    usual = np.full_like(values, -np.inf)
    for kind in (False, True):
        past = np.flatnonzero(off[: watched.first] == kind)[-USUAL_DAYS:]
        if len(past):
            usual[off == kind] = np.nan_to_num(_quantile(values[past]), nan=-np.inf)
    return usual.ravel()


def _quantile(values: Numbers) -> Numbers:
    there: Flags = ~np.isnan(values)
    ordered = np.sort(np.where(there, values, np.inf), axis=0)
    place = np.maximum(np.ceil(USUAL_FRACTION * there.sum(axis=0)).astype(np.int64) - 1, 0)
    made = np.take_along_axis(ordered, place[None], axis=0)[0]
    return np.where(np.isinf(made), np.nan, made)


def _example() -> Watched:
    shifts = (Shift(Text("白班", "day shift"), time(8), time(16)),)
    values = np.tile(np.where((np.arange(24) >= 8) & (np.arange(24) < 16), 100.0, 10.0), (21, 1))
    values[[5, 6, 12, 13, 19, 20]] = 10.0
    values[17, 19:23] = 60.0
    subject = Subject("E-1", Text("一线", "line 1"), "electricity", "kWh")
    days = example_days(values, date(2025, 3, 3), 60, shifts)
    return Watched(subject, days, 14, production_of(days), defaults("standby_waste"))


RULE = Rule(
    "standby_waste",
    Text("空转(停产未关机)", "standby waste"),
    "ISO 14955-1:2017, 3 (operating states of machine tools); ISO 50001:2018, 8.1",
    ("electricity",),
    find,
    Example(
        Text(
            "待机 10 kW, 工作 100 kW, 停班后 19–23 时为 60 kW: 4 × 50 kWh",
            "standby 10 kW, working 100 kW, 60 kW from 19 to 23: 4 × 50 kWh",
        ),
        _example,
        ((17 * 24 + 19, 17 * 24 + 23, 200.0),),
    ),
)
