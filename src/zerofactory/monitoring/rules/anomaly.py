"""Anomaly: a day that differs from the learnt normal of its meter more than the promised rate of false alarms allows."""

from __future__ import annotations

from datetime import date

import numpy as np

from zerofactory.errors import Misuse, Text
from zerofactory.monitoring.anomaly import Judged, Terms, judge
from zerofactory.monitoring.days import Flags
from zerofactory.monitoring.episode import example_days, told
from zerofactory.monitoring.normal import Memory
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults

CLEAR_SIGMA = 3.0
CAUSES = {
    "above": Text("短时偏高", "a short stretch above"),
    "below": Text("短时偏低", "a short stretch below"),
    "energy_above": Text("日用量偏高", "energy of the day above"),
    "energy_below": Text("日用量偏低", "energy of the day below"),
    "rest_above": Text("停歇时段偏高", "hours of rest above"),
    "rest_below": Text("停歇时段偏低", "hours of rest below"),
    "base_above": Text("基础负荷偏高", "base load above"),
    "base_below": Text("基础负荷偏低", "base load below"),
    "peak_above": Text("峰值偏高", "peak above"),
    "jump_up_above": Text("孤立尖峰", "an isolated spike"),
    "jump_down_above": Text("孤立骤降", "an isolated drop"),
}


def terms(given: dict[str, float] | None = None, drift: dict[str, float] | None = None) -> Terms:
    """Return the terms of detection from parameters (defaults: `parameters.csv`)."""
    own, slow = {**defaults("anomaly"), **(given or {})}, {**defaults("drift"), **(drift or {})}
    memory = Memory(
        int(own["profile_days"]),
        int(own["spread_days"]),
        int(own["driver_days"]),
        int(own["fewest_days"]),
        own["floor_fraction"],
    )
    return Terms(
        memory, own["false_alarm_fraction"], int(own["shortest_days"]), int(own["calibration_days"]),
        slow["slack_sigma"], slow["limit_sigma"], int(slow["reach_days"]),
    )  # fmt: skip


def cause_of(name: str) -> Text:
    """Return a statistic as a person reads it.

    Examples
    --------
    >>> cause_of("above_8").en
    'a short stretch above'
    """
    stem, _, size = name.rpartition("_")
    return CAUSES[stem if size.isdigit() else name]


def find(watched: Watched) -> list[Episode]:
    """Return the spells of odd days; the excess is what flowed above the normal (negative: below)."""
    judged = watched.judged
    if judged is None:
        return []
    if len(judged.odd) != 1 or judged.first > watched.first:
        raise Misuse("the judged days are those of this one meter, from the first day asked about")
    days = np.flatnonzero(judged.odd[0])
    made = []
    for group in np.split(days, np.flatnonzero(np.diff(days) > 1) + 1):
        if len(group) and group[-1] + judged.first >= watched.first:
            made.append(_episode(watched, judged, group))
    return made


def _episode(watched: Watched, judged: Judged, group: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Episode:
    size, hours = watched.days.clock.slots, watched.slot_hours
    inside = slice(int(group[0]), int(group[-1]) + 1)
    residual, sigma = judged.residual[0, inside].ravel(), judged.sigma[0, inside].ravel()
    worst = int(group[np.nanargmax(judged.oddness[0, group])])
    cause = judged.names[int(judged.cause[0, worst])]
    sign = -1.0 if "below" in cause or "down" in cause else 1.0
    clear: Flags = np.nan_to_num(sign * residual / sigma) > CLEAR_SIGMA
    places = np.flatnonzero(clear) if clear.any() else np.flatnonzero(~np.isnan(residual))
    if not clear.any() and cause.startswith(("jump", "peak")):
        places = np.array([int(np.nanargmax(sign * residual / sigma))])
    first, last = int(places[0]), int(places[-1]) + 1
    excess = float(np.nansum(residual[first:last]))
    expected = judged.expected[0, inside].ravel()[first:last]
    mean, usual = float(np.nanmean(expected + residual[first:last])) / hours, float(expected.mean()) / hours
    said = cause_of(cause)
    more = ("高于", "above") if excess >= 0 else ("低于", "below")
    unit = watched.subject.unit
    message = told(
        watched.subject,
        f"{said.zh}, {more[0]}常态 {abs(excess):,.1f} {unit}",
        f"{said.en}, {abs(excess):,.1f} {unit} {more[1]} normal",
    )
    offset = (judged.first + int(group[0])) * size
    return Episode(offset + first, offset + last, excess, mean, usual, message)


def _example() -> Watched:
    """Return five quiet weeks and a half with a week after them, one night of which has a load left on."""
    slots, count = np.arange(24), 168
    shape = np.where((slots >= 8) & (slots < 16), 100.0, 10.0)
    wave = 1.0 + 0.02 * np.sin(np.arange(count * 24).reshape(count, 24) * 12.9898)
    days = example_days(shape[None] * wave, date(2025, 3, 3))
    days.values[0][~days.working] = 10.0 * wave[~days.working]
    days.values[0][161, 0:5] = 40.0
    judged = judge(days, 161, terms())
    subject = Subject("E-1", Text("一线", "line 1"), "electricity", "kWh")
    running = np.repeat(days.working[:, None], 24, axis=1)
    return Watched(subject, days, 161, running, defaults("anomaly"), judged)


RULE = Rule(
    "anomaly",
    Text("偏离常态", "anomaly"),
    "conformal anomaly detection: Laxhammar and Falkman 2015, doi:10.1007/s10472-013-9381-7; see `monitoring.anomaly`",
    (),
    find,
    Example(
        Text(
            "夜间 10 kW 的表有一夜 0–5 时为 40 kW: 5 h × 30 kW", "10 kW at night, 40 kW from 0 to 5 one night: 5 h × 30"
        ),
        _example,
        ((161 * 24, 161 * 24 + 5, 150.0),),
    ),
)
