"""When a place is off, waits or works, by the day of the week and the time of day, seen from its own meter.

A calendar knows shifts; it does not know the breaks, the warming up, and that Saturday has one shift. The power of each slot is
put between the level of closed days (0) and the plateau of its own day (1), so that weather and season do not matter, and the
medians over the days of a kind are cut where nothing lies between them: below the lowest gap a place is off, above the highest
it works, between two gaps it waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CLOSED, EXTRA = 0, 8
"""Kinds of days: closed; its weekday, 1 Monday … 7 Sunday; a working day in place of another one."""
OFF, WAITS, WORKS = range(3)
PLATEAU = 0.9  # the quantile of a day's power that is its plateau: above breaks, below single peaks
LEAST_DAYS = 5  # of a kind; fewer are taken to pass as the kind with most days
LEAST_PART = 1.0 / 3.0  # of the days of that kind: the medians of fewer are too rough to cut by
CLEAR = 4.0  # times the scatter of closed days: how far a plateau must stand above them
NORMAL = 1.4826
"""The standard deviation over the median distance of normal numbers (Rousseeuw, Croux 1993, doi 10.1080/01621459.1993.10476408):
a night shift that ends on a closed day must not count as scatter."""
APART = 0.1  # of the plateau: what must be empty between two levels for them to be two


@dataclass(frozen=True)
class Rhythm:
    """What a place does in each slot of a day, by the kind of the day; ``usual`` is the kind with most days."""

    by_kind: Mapping[int, NDArray[np.int8]]
    usual: int

    def of(self, kinds: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return day × slot."""
        rows: list[NDArray[np.int8]] = [
            self.by_kind.get(int(kind), self.by_kind[CLOSED if kind == CLOSED else self.usual]) for kind in kinds
        ]
        return np.stack(rows)

    def hours(self, kind: int, state: int) -> float:
        """Return how many hours of a day of a kind pass in a state."""
        row = self.by_kind.get(kind, self.by_kind[self.usual])
        return float((row == state).sum()) * 24.0 / len(row)


def rhythm(power: Floats, kinds: NDArray[np.int64]) -> Rhythm | None:
    """Return the rhythm of a place, None where its power says nothing of it.

    Parameters
    ----------
    power : day × slot, of one carrier; NaN where nothing was read.
    kinds : of each day, `CLOSED` or its weekday.

    Examples
    --------
    Two shifts with a break, one on Saturday, nothing on Sunday:

    >>> week = np.full((7, 24), 5.0)
    >>> week[:5, 7:23], week[:5, 12], week[5, 7:15] = 100.0, 45.0, 100.0
    >>> found = rhythm(np.tile(week, (8, 1)), np.tile(np.array([1, 2, 3, 4, 5, 6, 0]), 8))
    >>> [found.hours(kind, state) for kind in (1, 6) for state in (WORKS, WAITS)]
    [15.0, 1.0, 8.0, 0.0]
    """
    closed = power[kinds == CLOSED]
    known = power[np.isfinite(power)]
    if not known.size:
        return None
    floor = float(np.nanmedian(closed)) if np.isfinite(closed).any() else float(np.quantile(known, 0.05))
    clear = CLEAR * NORMAL * float(np.nanmedian(np.abs(closed - floor))) if np.isfinite(closed).any() else 0.0
    days = {int(kind): int((kinds == kind).sum()) for kind in np.unique(kinds) if kind != CLOSED}
    shapes = {kind: shape for kind in days if (shape := _shape(power[kinds == kind], floor, clear)) is not None}
    if not shapes:
        return None
    usual = max(shapes, key=lambda kind: days[kind])
    cuts = _cuts(np.concatenate([shape for kind, shape in shapes.items() if days[kind] >= LEAST_PART * days[usual]]))
    if cuts is None:
        return None
    by_kind = {kind: np.digitize(shape, cuts).astype(np.int8) for kind, shape in shapes.items()}
    by_kind[CLOSED] = np.full(power.shape[1], OFF, dtype=np.int8)
    return Rhythm(by_kind, usual)


def _shape(power: Floats, floor: float, clear: float) -> Floats | None:
    """Return the median day of a kind between the floor and its plateau; None where too few days stand clear of the floor."""
    whole = power[np.isfinite(power).all(axis=1)]
    if len(whole) < LEAST_DAYS:
        return None
    plateau = np.quantile(whole, PLATEAU, axis=1) - floor
    running = plateau > max(APART * float(plateau.max()), clear, 1e-12)
    if running.sum() < LEAST_DAYS:
        return None
    shape: Floats = np.median((whole[running] - floor) / plateau[running, None], axis=0)
    return shape


def _cuts(levels: Floats) -> tuple[float, float] | None:
    """Return where waiting begins and where working begins; both the same where nothing stands between off and working."""
    order = np.sort(levels)
    gaps = np.flatnonzero(np.diff(order) > APART)
    if not gaps.size:
        return None
    cuts = (order[gaps] + order[gaps + 1]) / 2.0
    return float(cuts[0]), float(cuts[-1])
