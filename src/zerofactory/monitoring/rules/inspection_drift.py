"""Inspection drift: the pictures of a camera no longer come as those its model learned from (light, focus, colour, position)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files

import numpy as np

from zerofactory.errors import Text
from zerofactory.monitoring.days import Numbers
from zerofactory.monitoring.episode import example_days, told
from zerofactory.monitoring.rule import INSPECTION, Episode, Example, Pictured, Rule, Subject, Watched, defaults
from zerofactory.optimisation.quality.drift import LEAST, TITLES
from zerofactory.optimisation.quality.shift import Shift, shifted

HOURS_A_DAY = 24


@lru_cache(maxsize=1)
def advice() -> Mapping[tuple[str, str], Text]:
    """Return what to look at first, by figure and direction (`inspection_advice.csv`)."""
    text = (files("zerofactory.monitoring") / "rules" / "inspection_advice.csv").read_text(encoding="utf-8")
    return {(row["figure"], row["direction"]): Text(row["zh"], row["en"]) for row in csv.DictReader(text.splitlines())}


def find(watched: Watched) -> list[Episode]:
    """Return the spells of days with pictures unlike the reference; the excess is how many parts were judged in them.

    Days without enough pictures neither begin nor end a spell.
    """
    seen = watched.pictured
    if seen is None:
        return []
    size = int(watched.given["block_pictures"])
    judged = _judged(watched, seen, size, block_level(watched.given))
    spells: list[list[tuple[int, Shift]]] = []
    going = False
    for day in sorted(judged):
        moved = [one for one in judged[day] if one is not None]
        if moved and not going:
            spells.append([])
        spells[-1:] = [[*spells[-1], *((day, one) for one in moved)]] if moved else spells[-1:]
        going = bool(moved)
    return [_episode(watched, spell) for spell in spells if spell[-1][0] >= watched.first]


def block_level(given: Mapping[str, float]) -> float:
    """Return the share of the promise that one block has: a day holds so many at most.

    >>> round(0.001 / block_level({"false_alarm_fraction": 0.001, "pictures_per_hour": 12.0, "block_pictures": 16.0}))
    18
    """
    blocks_a_day = int(HOURS_A_DAY * given["pictures_per_hour"]) // int(given["block_pictures"])
    return given["false_alarm_fraction"] / max(blocks_a_day, 1)


def _judged(watched: Watched, seen: Pictured, size: int, level: float) -> dict[int, list[Shift | None]]:
    """Return what moved in each block, by the day of its middle picture."""
    counts = watched.days.values[0].sum(axis=1)
    bounds = level, watched.given["least_spreads"], watched.given["most_beyond_fraction"]
    found: dict[int, list[Shift | None]] = {}
    for begin in range(0, len(seen.day) - size + 1, size):
        day = int(seen.day[begin + size // 2])
        reference = next(one for first, one in reversed(seen.references) if first <= day)
        if not np.isfinite(counts[day]) or len(reference) < LEAST:
            continue
        block = slice(begin, begin + size)
        found.setdefault(day, []).append(shifted(reference, seen.figures[block], seen.hashes[block], *bounds))
    return found


def _episode(watched: Watched, spell: list[tuple[int, Shift]]) -> Episode:
    first, last = max(spell[0][0], watched.first), spell[-1][0] + 1
    name, way = _main([one for _, one in spell])
    mine = [one for _, one in spell if (one.figure, one.direction) == (name, way)]
    value, usual = float(np.median([one.value for one in mine])), float(np.median([one.usual for one in mine]))
    parts = float(np.nansum(watched.days.values[0][first:last]))
    title, look = TITLES.get(name, Text(name, name)), advice().get((name, way), Text("查相机", "look at the camera"))
    lower = way == "lower"
    message = told(
        watched.subject,
        f"相机变了: {title.zh}{'偏低' if lower else '偏高'}({value:.3g}, 平时 {usual:.3g}), 其间判定 {parts:,.0f} 件。请{look.zh}; 改变是有意的就用新图再训练, 或关闭并作为常态。",
        f"the camera has changed: {title.en} {way} ({value:.3g}, usually {usual:.3g}), {parts:,.0f} parts judged since. First {look.en}; if the change is wanted, train again or close it as normal.",
    )
    size = watched.days.clock.slots
    return Episode(first * size, last * size, parts, value, usual, message)


def _main(moved: list[Shift]) -> tuple[str, str]:
    """Return the figure and direction that was told most often, of equals the first."""
    kinds = [(one.figure, one.direction) for one in moved]
    return max(dict.fromkeys(kinds), key=kinds.count)


def _example() -> Watched:
    """Return a camera of 40 parts and pictures a day; from the sixth day on it is darker."""
    random = np.random.default_rng(3)
    reference: Numbers = random.normal((140.0, 20.0), (3.0, 1.0), (60, 2))
    figures = random.normal((140.0, 20.0), (3.0, 1.0), (320, 2))
    figures[200:, 0] -= 25.0
    days = example_days(np.full((8, 1), 40.0), date(2025, 3, 3), 1440)
    subject = Subject("panels@paint", Text("面板相机", "camera of panels"), INSPECTION, "piece", "paint")
    pictured = Pictured(figures, np.arange(320) // 40, tuple(f"{one:016x}" for one in range(320)), ((0, reference),))
    return Watched(subject, days, 2, days.values[0] > 0, defaults("inspection_drift"), pictured=pictured)


RULE = Rule(
    "inspection_drift",
    Text("检测相机漂移", "drift of an inspection camera"),
    "exact rank sums: Mann and Whitney 1947, doi:10.1214/aoms/1177730491; see `optimisation.quality.shift`",
    (INSPECTION,),
    find,
    Example(
        Text("每天 40 件, 第六天起变暗: 3 × 40 件", "40 parts a day, darker from the sixth day on: 3 × 40 parts"),
        _example,
        ((5, 8, 120.0),),
    ),
)
