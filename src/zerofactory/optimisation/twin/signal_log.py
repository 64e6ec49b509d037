"""What a signal of states told: readings at instants of their own become stretches of time, each in one state or in none.

A reading holds until the next one, but no longer than ``holds_us``; after that, and before the first, nothing is known. Times are
whole microseconds since 1970 (UTC); a stretch is closed on the left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.twin.line import STATES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NOTHING = -1
TIES = ("working", "failed", "setup", "blocked", "idle", "warm_up", "standby", "off")
"""Which state is told of a station when as many machines are in one as in another."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Stretches without a gap between them: begin, end, and the state (place in `STATES`, `NOTHING` where it is not known)."""

    begin_us: Integers
    end_us: Integers
    state: Integers

    def __len__(self) -> int:
        return len(self.state)

    def at(self, moment_us: int) -> int | None:
        """Return the number of the stretch that a moment lies in; the very end belongs to the last one."""
        if not len(self) or not self.begin_us[0] <= moment_us <= self.end_us[-1]:
            return None
        return int(np.searchsorted(self.begin_us, moment_us, side="right")) - 1

    def seconds(self, first_us: int, last_us: int) -> Floats:
        """Return the seconds in each state between two moments; what is missing to the whole is not known."""
        inside = slice(
            int(np.searchsorted(self.end_us, first_us, side="right")), int(np.searchsorted(self.begin_us, last_us))
        )
        begin, end, state = self.begin_us[inside], self.end_us[inside], self.state[inside]
        overlap = (np.minimum(end, last_us) - np.maximum(begin, first_us)) / 1e6
        kept = (overlap > 0.0) & (state != NOTHING)
        return np.bincount(state[kept], overlap[kept], minlength=len(STATES)).astype(np.float64)

    def between(self, first_us: int, last_us: int) -> Stretches:
        """Return the stretches from one moment to another, cut at both."""
        kept = (self.end_us > first_us) & (self.begin_us < last_us)
        begin, end = np.maximum(self.begin_us[kept], first_us), np.minimum(self.end_us[kept], last_us)
        return Stretches(begin, end, self.state[kept])


def stretches(at_us: Integers, state: Integers, holds_us: int, end_us: int) -> Stretches:
    """Return what readings in the order of time tell up to a moment; neighbours of one state are one stretch.

    Examples
    --------
    >>> told = stretches(np.array([0, 10, 20, 60]), np.array([4, 4, 6, 2]), 30, 70)
    >>> told.begin_us.tolist(), told.end_us.tolist(), [STATES[s] if s >= 0 else "?" for s in told.state]
    ([0, 20, 50, 60], [20, 50, 60, 70], ['working', 'failed', '?', 'idle'])
    """
    used = at_us <= end_us
    at_us, state = at_us[used].astype(np.int64), state[used].astype(np.int64)
    if not len(at_us):
        nothing = np.zeros(0, dtype=np.int64)
        return Stretches(nothing, nothing, nothing)
    following = np.append(at_us[1:], end_us)
    holds = np.minimum(following, at_us + holds_us)
    begin = np.column_stack([at_us, holds]).ravel()
    end = np.column_stack([holds, following]).ravel()
    told = np.column_stack([state, np.full(len(state), NOTHING)]).ravel()
    there = end > begin
    there[-2] |= not there.any() or at_us[-1] == end_us  # a reading of this very moment tells the state now
    begin, end, told = begin[there], end[there], told[there]
    first = np.flatnonzero(np.append(True, told[1:] != told[:-1]))
    return Stretches(begin[first], end[np.append(first[1:] - 1, len(told) - 1)], told[first])


def together(machines: Sequence[Stretches], moment_us: int) -> tuple[str | None, int | None]:
    """Return the state that most machines of a station are in at a moment, and since when; neither where none is known.

    Examples
    --------
    >>> one = stretches(np.array([0, 40]), np.array([4, 6]), 10**9, 100)
    >>> other = stretches(np.array([0, 60]), np.array([4, 6]), 10**9, 100)
    >>> together([one], 100), together([one, other], 100), together([one, other], 50)
    (('failed', 40), ('failed', 60), ('working', 0))
    """
    now = _most(machines, moment_us)
    if now is None:
        return None, None
    changes = np.unique(np.concatenate([one.begin_us for one in machines]))
    since = moment_us
    for at in changes[changes <= moment_us][::-1].tolist():
        if _most(machines, at) != now:
            break
        since = at
    return now, since


def mean_shares(machines: Sequence[Stretches], first_us: int, last_us: int) -> Floats | None:
    """Return the share of time that machines spent in each state; None where that is not known of all of it."""
    length_s = (last_us - first_us) / 1e6
    if length_s <= 0.0 or not machines:
        return None
    seconds = [one.seconds(first_us, last_us) for one in machines]
    if any(length_s - float(one.sum()) > 1e-3 for one in seconds):
        return None
    found: Floats = np.sum(seconds, axis=0) / (length_s * len(machines))
    return found


def _most(machines: Sequence[Stretches], moment_us: int) -> str | None:
    counts: dict[str, int] = {}
    for one in machines:
        place = one.at(moment_us)
        if place is not None and one.state[place] != NOTHING:
            name = STATES[int(one.state[place])]
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: (counts[name], -TIES.index(name))) if counts else None


def places(codes: Floats, meaning: Mapping[int, str]) -> Integers:
    """Return the state of each code (place in `STATES`), `NOTHING` for those that say nothing or that nobody knows.

    Examples
    --------
    >>> places(np.array([3.0, 1.0, 0.0, 9.0]), {0: "unknown", 1: "failed", 3: "working"}).tolist()
    [4, 6, -1, -1]
    """
    known = {float(code): STATES.index(state) for code, state in meaning.items() if state in STATES}
    return np.array([known.get(code, NOTHING) for code in codes.tolist()], dtype=np.int64)
