"""Twin residual: a station or shop takes more or less than the calibrated twin expects at that output, on a day or creeping on."""

from __future__ import annotations

from datetime import date
from statistics import NormalDist

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.days import Flags, Numbers, Places
from zerofactory.monitoring.episode import example_days, told
from zerofactory.monitoring.rule import Episode, Example, Expected, Rule, Subject, Watched, defaults
from zerofactory.optimisation.twin.expect import news, odd, relative, sums


def find(watched: Watched) -> list[Episode]:
    """Return the spells of days that the twin does not explain; the excess is metered less expected."""
    expected = watched.expected
    if expected is None:
        return []
    metered = watched.days.values[0].sum(axis=1)
    residual = relative(metered, expected.energy)
    found = news(residual, expected.common, watched.days.working, expected.scale)
    beyond = odd(found, expected.reference, watched.given["false_alarm_fraction"])
    due = expected.energy * (1.0 + expected.scale.common * expected.common)
    made = []
    for sign, sum_ in zip((1.0, -1.0), sums(found, watched.given["slack_sigma"]), strict=True):
        creeping: Flags = (sum_ > watched.given["limit_sigma"]) & np.isfinite(found)
        flagged = np.flatnonzero(creeping | (beyond & (sign * np.nan_to_num(found) > 0.0)))
        spans = [_span(group, sum_, creeping) for group in np.split(flagged, np.flatnonzero(np.diff(flagged) > 1) + 1)]
        for span in _united([one for one in spans if one is not None]):
            if span[1] > watched.first:
                made.append(_episode(watched, metered, due, span, creeping=bool(creeping[span[0] : span[1]].any())))
    return sorted(made, key=lambda one: one.first)


def _span(group: Places, sum_: Numbers, creeping: Flags) -> tuple[int, int] | None:
    """Return the days of a group of flagged ones; where a sum passed its limit, from the day on which it left zero."""
    if not len(group):
        return None
    first = int(group[0])
    while creeping[group].any() and first > 0 and sum_[first - 1] > 0.0:
        first -= 1
    return first, int(group[-1]) + 1


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans of which none overlaps another."""
    made: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if made and first < made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], last))
        else:
            made.append((first, last))
    return made


def _episode(
    watched: Watched,
    metered: Numbers,
    due: Numbers,
    span: tuple[int, int],
    *,
    creeping: bool,
) -> Episode:
    first, last = max(span[0], watched.first), span[1]
    known = np.isfinite(metered[first:last])
    taken, wanted = float(metered[first:last][known].sum()), float(due[first:last][known].sum())
    hours = 24.0 * max(int(known.sum()), 1)
    size, excess = watched.days.clock.slots, taken - wanted
    share = excess / max(wanted, 1e-9)
    more = ("高", "more") if excess >= 0 else ("低", "less")
    kind = ("连续偏离", "creeping") if creeping else ("当日偏离", "odd day")
    unit = watched.subject.unit
    message = told(
        watched.subject,
        f"比孪生应有{more[0]} {abs(share):.1%}({kind[0]}), {last - first} 天 {abs(excess):,.0f} {unit}",
        f"takes {abs(share):.1%} {more[1]} than the twin expects ({kind[1]}), {abs(excess):,.0f} {unit} in {last - first} days",
    )
    return Episode(first * size, last * size, excess, taken / hours, wanted / hours, message)


def _example() -> Watched:
    """Return a press that takes 2400 kWh a day as the twin says, give or take 2 %, and 15 % more on the last four days."""
    from zerofactory.optimisation.twin.expect import Scale

    count = 42
    wave = 0.02 * np.sin(np.arange(count) * 2.4)
    values = np.full((count, 24), 100.0) * (1.0 + wave)[:, None]
    values[30:38], values[38:] = 100.0, 115.0
    days = example_days(values, date(2025, 3, 3))
    subject = Subject("E-1", Text("一线", "line 1"), "electricity", "kWh")
    reference = np.sort(_normal(2000))
    expected = Expected(np.full(count, 2400.0), np.zeros(count), Scale(0.02, 0.02, 0.0, 0.0), reference)
    running = np.repeat(days.working[:, None], 24, axis=1)
    return Watched(subject, days, 30, running, defaults("twin_residual"), None, expected)


def _normal(count: int) -> Numbers:
    """Return numbers that lie as a normal law's."""
    return np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])


RULE = Rule(
    "twin_residual",
    Text("孪生残差", "residual of the twin"),
    "conformal: Laxhammar and Falkman 2015, doi:10.1007/s10472-013-9381-7; sums: Page 1954, doi:10.1093/biomet/41.1-2.100; see `optimisation.twin.expect`",
    (),
    find,
    Example(
        Text(
            "孪生应有每日 2400 kWh, 最后四天高 15 %: 4 × 360 kWh",
            "2400 kWh a day by the twin, the last four days 15 % more: 4 × 360 kWh",
        ),
        _example,
        ((38 * 24, 42 * 24, 1440.0),),
    ),
)
