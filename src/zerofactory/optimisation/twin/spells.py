"""What the stretches of machines say of failures, repairs, shares of time and cycles.

    … failed │ working  idle  working │ failed   idle │ working …
             └ time worked to failure ┘ └ repair ┘
                 (waits left out)         (until work goes on; only the time failed counts)

A time is cut off (censored) where the readings end or nothing is known; one whose beginning was not seen has no age and counts
only for the exponential distribution. The clock of failures runs as in the twin (`breakdown`): while a machine works, or, where it
is to run as long as the shift is open, while it waits and is set up too (`in_shifts`, `OPEN`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.twin.lifetimes import Lifetimes
from zerofactory.optimisation.twin.line import BLOCKED, FAILED, IDLE, OFF, SETUP, STANDBY, STATES, WORKING
from zerofactory.optimisation.twin.signal_log import NOTHING, Stretches
from zerofactory.optimisation.twin.statistics import Interval

Floats = NDArray[np.float64]
OPEN = (IDLE, STANDBY, WORKING, BLOCKED, SETUP)
"""States in which a machine ages whose clock of failures runs as long as its shift is open."""


@dataclass(slots=True)
class _Times:
    """Times as they are gathered."""

    time_s: list[float] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)
    apart_s: float = 0.0
    apart_ends: int = 0

    def add(self, time_s: float, *, ended: bool, begun: bool) -> None:
        """Note a time; ``begun``: its beginning was seen."""
        if time_s <= 0.0:
            return
        if begun:
            self.time_s.append(time_s)
            self.ended.append(ended)
        else:
            self.apart_s += time_s
            self.apart_ends += ended

    def done(self) -> Lifetimes:
        """Return them."""
        return Lifetimes(np.array(self.time_s), np.array(self.ended, dtype=np.bool_), self.apart_s, self.apart_ends)


@dataclass(slots=True)
class _Machine:
    """A machine as its stretches go by: whether it is down, what it worked or was failed since, and whether that was seen to begin."""

    down: bool = False
    spent_s: float = 0.0
    begun: bool = False
    last: int = NOTHING


def failures(machines: Sequence[Stretches], ages: Sequence[int] = (WORKING,)) -> tuple[Lifetimes, Lifetimes]:
    """Return times worked to failure, and times failed until work went on, of machines that are alike.

    Parameters
    ----------
    ages : states in which the clock of failures runs; a machine that comes into one of them is repaired.

    Examples
    --------
    >>> from zerofactory.optimisation.twin.signal_log import stretches
    >>> at = np.array([0, 10, 12, 40, 50, 51]) * 10**6
    >>> log = stretches(at, np.array([4, 6, 4, 2, 6, 4]), 10**9, 60 * 10**6)
    >>> worked, repaired = failures([log])
    >>> worked.time_s.tolist(), worked.ended.tolist(), worked.apart_s, worked.apart_ends
    ([28.0, 9.0], [True, False], 10.0, 1)
    >>> repaired.time_s.tolist(), repaired.ended.tolist()
    ([2.0, 1.0], [True, True])
    """
    worked, repaired = _Times(), _Times()
    for log in machines:
        one = _Machine()
        for begin_us, end_us, state in zip(log.begin_us.tolist(), log.end_us.tolist(), log.state.tolist(), strict=True):
            _pass(one, ((end_us - begin_us) / 1e6, state, state in ages), (worked, repaired))
            one.last = state
        _stop(one, (worked, repaired))
    return worked.done(), repaired.done()


def _pass(one: _Machine, stretch: tuple[float, int, bool], into: tuple[_Times, _Times]) -> None:
    """Let one stretch (s, state, whether the clock of failures runs in it) go by."""
    length_s, state, runs = stretch
    worked, repaired = into
    if state == NOTHING:
        _stop(one, into)
        one.down, one.spent_s, one.begun = False, 0.0, False
    elif state == FAILED and not one.down:
        worked.add(one.spent_s, ended=True, begun=one.begun)
        one.down, one.spent_s, one.begun = True, length_s, one.last != NOTHING
    elif state == FAILED:
        one.spent_s += length_s
    elif runs and one.down:
        repaired.add(one.spent_s, ended=True, begun=one.begun)
        one.down, one.spent_s, one.begun = False, length_s, True
    elif runs:
        one.spent_s += length_s


def _stop(one: _Machine, into: tuple[_Times, _Times]) -> None:
    """Cut off what goes on; a repair after which the machine waited is over."""
    worked, repaired = into
    if one.down:
        repaired.add(one.spent_s, ended=one.last != FAILED, begun=one.begun)
    else:
        worked.add(one.spent_s, ended=False, begun=one.begun)


def in_shifts(log: Stretches, shifts: Sequence[tuple[int, int]]) -> Stretches:
    """Return what a machine told, as off outside of shifts (µs, in order) unless it was failed or nothing was known.

    Examples
    --------
    >>> told = Stretches(np.array([0, 40]), np.array([40, 90]), np.array([IDLE, FAILED]))
    >>> cut = in_shifts(told, [(10, 30), (50, 60)])
    >>> cut.begin_us.tolist(), [STATES[one] for one in cut.state[:4]]
    ([0, 10, 30, 40, 50, 60], ['off', 'idle', 'off', 'failed'])
    """
    if not len(log):
        return log
    opens, closes = np.array(shifts, dtype=np.int64).reshape(-1, 2).T
    edges = np.unique(np.concatenate([log.begin_us, log.end_us, opens, closes]))
    edges = edges[(edges >= log.begin_us[0]) & (edges <= log.end_us[-1])]
    begin = edges[:-1]
    state = log.state[np.searchsorted(log.begin_us, begin, side="right") - 1]
    shift = np.searchsorted(opens, begin, side="right") - 1
    inside = (shift >= 0) & (begin < np.append(closes, 0)[shift])
    return Stretches(begin, edges[1:], np.where(inside | np.isin(state, (FAILED, NOTHING)), state, OFF))


def ratio(above: Floats, below: Floats, confidence: float = 0.95) -> Interval | None:
    """Return Σx / Σy over days with an interval that lets a day hang together; None where nothing is below.

    R = Σx/Σy,  s² = n/(n−1) Σ(x − R y)² / (Σy)²,  R ± t(n−1) s      (Cochran 1977, Sampling Techniques, 3rd ed., equation 6.13)

    Examples
    --------
    >>> found = ratio(np.array([4.0, 5.0, 6.0]), np.array([8.0, 10.0, 10.0]))
    >>> round(found.mean, 4), round(found.half, 4), found.runs
    (0.5357, 0.1485, 3)
    """
    from scipy.stats import t

    used = below > 0.0
    above, below = above[used], below[used]
    count = len(below)
    if not count:
        return None
    mean = float(above.sum() / below.sum())
    if count < 2:
        return Interval(mean, mean, mean, count)
    variance = count / (count - 1) * float(((above - mean * below) ** 2).sum()) / float(below.sum()) ** 2
    half = float(t.ppf((1.0 + confidence) / 2.0, count - 1)) * variance**0.5
    return Interval(mean, max(mean - half, 0.0), mean + half, count)


def day_seconds(machines: Sequence[Stretches], days: Sequence[Sequence[tuple[int, int]]]) -> Floats:
    """Return the seconds of all machines in each state on each day (days × states), inside the day's windows (µs)."""
    found = np.zeros((len(days), len(STATES)))
    for place, windows in enumerate(days):
        for log in machines:
            for first_us, last_us in windows:
                found[place] += log.seconds(first_us, last_us)
    return found


def shares(seconds: Floats, confidence: float = 0.95) -> Iterator[tuple[str, Interval]]:
    """Yield the share of the time that is known in each state that was seen, with its interval over days."""
    whole = seconds.sum(axis=1)
    for place, state in enumerate(STATES):
        if seconds[:, place].any():
            found = ratio(seconds[:, place], whole, confidence)
            if found is not None:
                yield state, Interval(found.mean, found.low, min(found.high, 1.0), found.runs)
