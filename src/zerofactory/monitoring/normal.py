"""The learned normal of a meter: what each slot of a day should be, and how far it usually misses.

Learnt from the days before one day, never from that day or later ones:

1. what the load follows (`response`);
2. the profile of each kind of day: the median of its newest days, corrected to the drivers of the day in question;
3. the usual miss of slots, of windows of slots and of daily figures: scaled median absolute deviations.

Medians bear that up to half of the days learnt from were not normal themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.monitoring.days import (
    FREE_SATURDAY,
    FREE_SUNDAY,
    FREE_WEEKDAY,
    KINDS,
    WORKED,
    WORKED_WEEKEND,
    Days,
    Flags,
    Numbers,
    Places,
)
from zerofactory.monitoring.response import response
from zerofactory.monitoring.robust import deviation, greatest, median, sliding, smooth

WINDOW_MINUTES = (15, 120)
EARLY_PART = 3  # the first third of a day also depends on the day before
THIN_FRACTION = 0.75  # a daily figure needs this share of its slots
USED_FRACTION = 0.1  # expected load, as a share of its peak, from which a relative miss is told
FRESH_DAYS = 56  # a profile rests on no older days where there are enough: the season moves on
DAILY_FLOOR = 0.3  # least usual miss of a daily figure, as a share of that of a slot
LIKE: Mapping[int, tuple[int, ...]] = {
    WORKED: (WORKED_WEEKEND,),
    WORKED_WEEKEND: (WORKED,),
    FREE_SATURDAY: (FREE_SUNDAY, FREE_WEEKDAY),
    FREE_SUNDAY: (FREE_WEEKDAY, FREE_SATURDAY),
    FREE_WEEKDAY: (FREE_SUNDAY, FREE_SATURDAY),
}


@dataclass(frozen=True, slots=True)
class Memory:
    """How much is remembered: days of a kind for profile and miss, days for drivers, fewest days of a kind, least miss."""

    profile_days: int
    spread_days: int
    driver_days: int
    fewest_days: int
    floor_fraction: float


@dataclass(frozen=True, slots=True, eq=False)
class Miss:
    """Days held against the normal.

    ``expected``, ``residual`` and ``sigma`` are M × n × S. ``scores`` maps a statistic to M × n (studentised, the greater the
    odder; not-a-number where a day is too thin); ``daily`` maps ``energy`` and ``base`` to signed studentised daily misses.
    """

    expected: Numbers
    residual: Numbers
    sigma: Numbers
    scores: Mapping[str, Numbers]
    daily: Mapping[str, Numbers]


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Days with what was expected of them, and the slots in which the meter should rest."""

    kind: Places
    expected: Numbers
    residual: Numbers
    resting: Flags

    @property
    def values(self) -> Numbers:
        return self.expected + self.residual


def windows_of(minutes: int) -> tuple[int, ...]:
    """Return the lengths in slots of the windows looked at.

    Examples
    --------
    >>> windows_of(15), windows_of(60)
    ((1, 8), (1, 2))
    """
    return tuple(dict.fromkeys(max(one // minutes, 1) for one in WINDOW_MINUTES))


def held_against(days: Days, origin: int, until: int, memory: Memory, skip: Flags | None = None) -> Miss:
    """Return days [origin, until) held against the normal of the days before ``origin``.

    Parameters
    ----------
    skip : array (M × D), optional
        Days not to learn from: those already known to be odd.
    """
    past = days.values[:, :origin]
    if skip is not None and skip[:, :origin].any():
        past = np.where(skip[:, :origin, None], np.nan, past)
    follows = response(days, past, memory.driver_days, memory.fewest_days)
    first = max(0, origin - memory.driver_days)
    added = follows.of(days, first, until)
    straight = past[:, first:] - added[:, : origin - first]
    profile = _profiles(days, straight, (first, until), memory)
    values = np.concatenate([past[:, first:], days.values[:, origin:until]], axis=1)
    expected = np.maximum(profile + added, _least(past[:, first:])[:, None, None])
    resting = _resting(expected)
    cut = origin - first
    taught = _Held(days.kind[first:origin], expected[:, :cut], (values - expected)[:, :cut], resting[:, :cut])
    asked = _Held(days.kind[origin:until], expected[:, cut:], (values - expected)[:, cut:], resting[:, cut:])
    miss = _judged(taught, asked, windows_of(days.clock.minutes), memory)
    strange = _strange(taught.kind, asked.kind, memory.fewest_days) | follows.unseen(days, first, (origin, until))
    return replace(
        miss, scores={name: np.where(strange, np.nan, values) for name, values in miss.scores.items()},
        daily={name: np.where(strange, np.nan, values) for name, values in miss.daily.items()},
    )  # fmt: skip


def _strange(taught: Places, asked: Places, fewest: int) -> Flags:
    """Return the days of which too few like them were seen to be judged: a worked day by its kind, a free one by all free days."""
    free = int((taught > WORKED_WEEKEND).sum())
    many = [int((taught == kind).sum()) if kind <= WORKED_WEEKEND else free for kind in range(KINDS)]
    return np.array([many[int(kind)] < fewest for kind in asked], dtype=np.bool_)


def _profiles(days: Days, straight: Numbers, span: tuple[int, int], memory: Memory) -> Numbers:
    """Return the profile of days of a span (M × n × S) from the newest days of their kind; ``straight`` begins with the span."""
    first, until = span
    before = np.concatenate([[False], days.kind[:-1] > WORKED_WEEKEND])[first:until]
    kind = days.kind[first:until]
    early = kind + KINDS * before.astype(np.int64)
    last = straight.shape[1]
    border = straight.shape[2] // EARLY_PART
    made = np.empty((len(straight), until - first, straight.shape[2]))
    for keys, part in ((early, slice(0, border)), (kind, slice(border, None))):
        for key in np.unique(keys):
            chosen = _alike(keys[:last], int(key), memory.profile_days, memory.fewest_days)
            fresh = chosen[chosen >= last - FRESH_DAYS]
            chosen = fresh if len(fresh) >= memory.fewest_days else chosen
            made[:, keys == key, part] = median(straight[:, chosen, part], 1)[:, None]
    return made


def _alike(keys: Places, key: int, most: int, fewest: int) -> Places:
    """Return the newest days of a key; where there are too few, days of the kinds most like it join them."""
    chosen = np.flatnonzero(keys == key)
    own, extra = key % KINDS, key // KINDS
    for other in (own + KINDS * (1 - extra), *LIKE[own], *(one + KINDS for one in LIKE[own])):
        if len(chosen) >= fewest:
            break
        chosen = np.union1d(chosen, np.flatnonzero(keys == other))
    return chosen[-most:] if len(chosen) else np.arange(len(keys))[-most:]


def _least(past: Numbers) -> Numbers:
    """Return the least that is to be expected of a meter: the 1 % quantile of what was seen."""
    return np.array([float(np.nanquantile(one, 0.01)) if np.isfinite(one).any() else 0.0 for one in past])


def _resting(expected: Numbers) -> Flags:
    """Return the slots in which a meter should rest: the lowest quarter of its range; all of a day that has none."""
    low, high = np.quantile(expected, 0.05, axis=(1, 2)), np.quantile(expected, 0.95, axis=(1, 2))
    resting: Flags = expected <= (low + 0.25 * (high - low))[:, None, None]
    resting[~resting.any(axis=2)] = True
    return resting


def _judged(taught: _Held, asked: _Held, windows: tuple[int, ...], memory: Memory) -> Miss:
    peak = np.quantile(np.abs(taught.expected), 0.95, axis=(1, 2))
    floor = np.maximum(memory.floor_fraction * peak, 1e-9)
    chosen = {
        int(kind): _alike(taught.kind, int(kind), memory.spread_days, memory.fewest_days)
        for kind in np.unique(asked.kind)
    }
    scores: dict[str, Numbers] = {}
    sigma: Numbers | None = None
    for size in windows:
        scale = _window_scale(taught, asked, chosen, size, (peak, floor))
        sigma = scale if sigma is None else sigma
        studentised = sliding(asked.residual, size) / scale
        scores[f"above_{size}"], scores[f"below_{size}"] = greatest(studentised), greatest(-studentised)
    daily = _daily(taught, asked, chosen, (peak, floor))
    for name, values in daily.items():
        scores[f"{name}_above"] = values
        if name not in ("peak", "jump_up", "jump_down"):
            scores[f"{name}_below"] = -values
    assert sigma is not None  # noqa: S101  (there is a window)
    return Miss(asked.expected, asked.residual, sigma, scores, {name: daily[name] for name in ("energy", "base")})


def _window_scale(
    taught: _Held, asked: _Held, chosen: Mapping[int, Places], size: int, level: tuple[Numbers, Numbers]
) -> Numbers:
    """Return the usual miss of windows (M × n × S − size + 1): by kind and place, at least the usual relative miss."""
    peak, floor = level
    moved = sliding(taught.residual, size)
    by_kind = {kind: np.maximum(smooth(deviation(moved[:, at], 1)), floor[:, None]) for kind, at in chosen.items()}
    scale = np.stack([by_kind[int(kind)] for kind in asked.kind], axis=1)
    relative = _relative(moved, sliding(taught.expected, size), peak)
    return np.asarray(np.maximum(scale, relative[:, None, None] * np.maximum(sliding(asked.expected, size), 0.0)))


def _relative(residual: Numbers, expected: Numbers, peak: Numbers) -> Numbers:
    """Return by meter the usual miss as a share of what was expected, where that is more than a little."""
    used = expected > USED_FRACTION * peak.reshape(-1, *[1] * (expected.ndim - 1))
    shares = np.where(used, residual / np.where(used, expected, 1.0), np.nan)
    return deviation(shares, tuple(range(1, expected.ndim)))


def _daily(
    taught: _Held, asked: _Held, chosen: Mapping[int, Places], level: tuple[Numbers, Numbers]
) -> dict[str, Numbers]:
    """Return the studentised daily figures (M × n)."""
    peak, floor = level
    then, now = _figures(taught, peak), _figures(asked, peak)
    made = {}
    for name, values in now.items():
        about_zero = name in ("energy", "rest", "base")
        least = DAILY_FLOOR * (floor if about_zero else floor / np.maximum(peak, 1e-9))
        centre, scale = np.zeros_like(values), np.zeros_like(values)
        for kind, at in chosen.items():
            here = asked.kind == kind
            middle = np.zeros(len(values)) if about_zero else median(then[name][:, at], 1)
            centre[:, here] = middle[:, None]
            scale[:, here] = np.maximum(deviation(then[name][:, at] - middle[:, None], 1), least)[:, None]
        if name in ("energy", "rest"):
            expected = _mean(taught.expected, None if name == "energy" else taught.resting)
            share = _relative(then[name], expected, peak)
            level_now = _mean(asked.expected, None if name == "energy" else asked.resting)
            scale = np.maximum(scale, share[:, None] * np.maximum(level_now, 0.0))
        made[name] = (values - centre) / scale
    return made


def _figures(held: _Held, peak: Numbers) -> dict[str, Numbers]:
    """Return the daily figures: misses of energy, rest hours and base load (least hour); peak and isolated jumps relative to the day."""
    values = held.values
    size = max(values.shape[2] // 24, 1)
    hours, expected_hours = sliding(values, size), sliding(held.expected, size)
    before, after = values[:, :, 1:-1] - values[:, :, :-2], values[:, :, 1:-1] - values[:, :, 2:]
    whole = np.isfinite(values).mean(axis=2) >= THIN_FRACTION
    top, bottom = greatest(held.expected), -greatest(-held.expected)
    size_of_day = np.maximum(np.maximum(top - bottom, USED_FRACTION * top), USED_FRACTION * peak[:, None])
    return {
        "energy": _mean(held.residual, None),
        "rest": _mean(held.residual, held.resting),
        "base": np.where(whole, -greatest(-hours) + greatest(-expected_hours), np.nan),
        "peak": (greatest(values) - top) / size_of_day,
        "jump_up": greatest(np.minimum(before, after)) / size_of_day,
        "jump_down": greatest(np.minimum(-before, -after)) / size_of_day,
    }


def _mean(values: Numbers, chosen: Flags | None) -> Numbers:
    """Return the mean over the slots of each day; not-a-number where too few of them are there."""
    there = ~np.isnan(values)
    wanted = np.ones_like(there) if chosen is None else chosen
    many = (there & wanted).sum(axis=2)
    total = np.where(there & wanted, values, 0.0).sum(axis=2)
    enough = (many >= THIN_FRACTION * wanted.sum(axis=2)) & (many > 0)
    return np.where(enough, total / np.maximum(many, 1), np.nan)
