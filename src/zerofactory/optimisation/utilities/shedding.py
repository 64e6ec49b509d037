"""Who stops when a loop, the compressed air or a hall is short: in the order of the file, until the rest can be served.

    share of a loop       s = served / wanted;  a booth or a load that asks for q of it is short where s < s_least
    booth, by its air     s_least = 1 − ΔT · m c_p / q          all that is missing, as dry heat (ASHRAE Fundamentals (2017) 1)
    who stops             the first whose limit is passed, then the next, until  served / (wanted − Σ q_stopped) ≥ s_least
    air                   likewise until  wanted − Σ v_stopped ≤ delivered / min(p_least / p_needed, 1)

The order turns after ``stops_turn_minutes`` of a shortage: who was stopped first comes last. What is marked only grows from one pass
to the next, so that passes end (ADR 0039).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import booth as booths
from zerofactory.optimisation.utilities.air import AIR_KJ_PER_KG_K
from zerofactory.optimisation.utilities.driven import Driven, Floats
from zerofactory.optimisation.utilities.plant import Ended, Utilities, air_need, full_kw, full_nm3_per_h, load_kw
from zerofactory.optimisation.utilities.stop import Stop

Marks = NDArray[np.int64]
Flags = NDArray[np.bool_]
NETWORK = "network"
NOT_HELD = 0
NOTHING_KW = 1e-6  # below it nothing is asked for: rounding
ROUNDING = 1e-9  # of a share


class Cause(NamedTuple):
    """What was not served: a loop, the network of compressed air, or a hall."""

    id: str
    title: Text


class Claim(NamedTuple):
    """A stop as one who asks: whether it does so in an interval, the least share or pressure that must be there, and what the
    others have more when it stops."""

    stop: int
    asks: Flags
    least: Floats
    freed: Floats


def causes(utilities: Utilities) -> tuple[Cause, ...]:
    """Return everything that can be short; the marks of an interval are 1 + the place in it."""
    found = [Cause(one.id, one.title) for one in utilities.loops]
    found.append(Cause(NETWORK, Text("压缩空气", "compressed air")))
    return (*found, *(Cause(one.id, one.title) for one in utilities.halls))


def unheld(utilities: Utilities, length: int) -> Marks:
    """Return the marks of a run in which nothing is stopped: stop × interval."""
    return np.full((len(utilities.stops), length), NOT_HELD, dtype=np.int64)


def grown(utilities: Utilities, driven: Driven, ended: Ended, marks: Marks, *, fewest: bool = True) -> Marks:
    """Return the marks with those of a run of the utilities added: 1 + the place of the cause where a stop must be held.

    ``fewest``: only as many as must be; else all that ask while something is short.
    """
    found = marks.copy()
    for number, pipe in enumerate(utilities.loops):
        claims = list(_on_loop(utilities, driven, ended, pipe.id))
        if claims:
            _shed_loop(utilities, driven, (ended.loops.wanted[number], ended.loops.served[number]), claims, (number + 1, found, fewest))  # fmt: skip
    claims = list(_on_air(utilities, driven))
    if claims and ended.air is not None:
        _shed_air(utilities, driven, ended, claims, (len(utilities.loops) + 1, found, fewest))
    for number, one in enumerate(utilities.stops):
        if one.hall is not None:
            place = [hall.id for hall in utilities.halls].index(one.hall)
            _leave(one, driven, ended.loops.hall_celsius[place], (len(utilities.loops) + 2 + place, found[number]))
    return found


def _leave(one: Stop, driven: Driven, celsius: Floats, into: tuple[int, Marks]) -> None:
    """Mark where a hall is beyond its limits."""
    cause, row = into
    out = _beyond(one, celsius) & _awake(one, driven)
    late = _lasted(out | (row == cause), _intervals(one.tolerated_minutes, driven))
    row[out & late & (row == NOT_HELD)] = cause


def _beyond(one: Stop, celsius: Floats) -> Flags:
    low = -math.inf if one.below_celsius is None else one.below_celsius
    high = math.inf if one.above_celsius is None else one.above_celsius
    return (celsius < low) | (celsius > high)


def asked(utilities: Utilities, driven: Driven, ended: Ended) -> Floats:
    """Return what each stop leaves to the others when it stands still: cause × stop × interval."""
    found = np.zeros((len(utilities.loops) + 1, len(utilities.stops), driven.length))
    for number, pipe in enumerate(utilities.loops):
        for one in _on_loop(utilities, driven, ended, pipe.id):
            found[number, one.stop] = one.freed * one.asks
    for one in _on_air(utilities, driven):
        found[-1, one.stop] = one.freed * one.asks
    return found


def released(utilities: Utilities, driven: Driven, ended: Ended, marks: Marks, most: Floats) -> Marks:
    """Return the marks without those that can be served after all, last in the order first, and halls that are within limits.

    A line whose stations are stopped in one shop soon waits in the others, and asks for less; a pressure and a hall recover sooner
    than in the pass that stopped the stations. ``most`` is the most that each stop has asked for in any pass: it is given back
    only where all of it can be served.
    """
    found = marks.copy()
    for number, left in enumerate(_spare(utilities, driven, ended)):
        for i in np.flatnonzero(np.any(marks == number + 1, axis=0)):
            more = left[i]
            for one in np.flatnonzero(marks[:, i] == number + 1)[::-1]:
                if most[number, one, i] <= more:
                    found[one, i] = NOT_HELD
                    more -= most[number, one, i]
    for row, stop in zip(found, utilities.stops, strict=True):
        if stop.hall is not None:
            celsius = ended.loops.hall_celsius[[hall.id for hall in utilities.halls].index(stop.hall)]
            row[~_beyond(stop, celsius)] = NOT_HELD
    return found


def _spare(utilities: Utilities, driven: Driven, ended: Ended) -> list[Floats]:
    """Return what the sources of each loop could serve more, and what the air could; a store or receiver that fills can wait."""
    full = full_kw(utilities, driven) - ended.loops.output
    on = np.array([*(one.loop for one in utilities.chillers), *(one.loop for one in utilities.heaters)])
    found = [full[on == pipe.id].sum(axis=0) + ended.loops.charged[n] for n, pipe in enumerate(utilities.loops)]
    if ended.air is not None:
        gone = (ended.air.delivered_nm3 + ended.air.leaked_nm3) / driven.hours
        least = max((one.below_kpa for one in utilities.stops if one.below_kpa is not None), default=0.0)
        found.append(np.where(ended.air.least_kpa >= least, full_nm3_per_h(utilities, driven) - gone, 0.0))
    return found


def held(utilities: Utilities, marks: Marks, driven: Driven) -> Marks:
    """Return the marks with the time that stations need to start again.

    >>> marks = np.array([[0, 2, 0, 0, 0, 1, 0]])
    >>> _again(marks[0], 2).tolist()
    [0, 2, 2, 2, 0, 1, 1]
    """
    rows = [_again(row, _intervals(one.restart_minutes, driven)) for one, row in zip(utilities.stops, marks, strict=True)]  # fmt: skip
    return np.array(rows, dtype=np.int64).reshape(marks.shape)


def _again(row: Marks, more: int) -> Marks:
    places = np.arange(len(row))
    last = np.maximum.accumulate(np.where(row == NOT_HELD, -1, places))
    still = (last >= 0) & (places - last <= more)
    return np.where(still, row[np.maximum(last, 0)], NOT_HELD)


def _intervals(minutes: float, driven: Driven) -> int:
    return math.ceil(minutes * 60.0 / driven.step_s - ROUNDING)


def _lasted(short: Flags, tolerated: int) -> Flags:
    """Return where something has lasted longer than so many intervals.

    >>> _lasted(np.array([1, 1, 0, 1, 1, 1], dtype=bool), 1).tolist()
    [False, True, False, False, True, True]
    """
    return _run_length(short) > tolerated


def _run_length(short: Flags) -> Marks:
    """Return for how many intervals something has lasted, this one among them.

    >>> _run_length(np.array([1, 1, 0, 1], dtype=bool)).tolist()
    [1, 2, 0, 1]
    """
    places = np.arange(len(short))
    return np.asarray(places - np.maximum.accumulate(np.where(short, -1, places)), dtype=np.int64)


def _on_loop(utilities: Utilities, driven: Driven, ended: Ended, name: str) -> Iterator[Claim]:
    every, loads = {one.id: one for one in utilities.booths}, {one.id: one for one in utilities.loads}
    hot = next(one.hot for one in utilities.loops if one.id == name)
    for number, one in enumerate(utilities.stops):
        if one.booth is not None:
            booth, took = every[one.booth], ended.booths[one.booth]
            for which, drawn in ((booth.heat_from, took.heat_kw), (booth.cool_from, took.cold_kw)):
                if which == name:
                    asks = (drawn > NOTHING_KW) & _awake(one, driven)
                    yield Claim(number, asks, _least(one, drawn, _moved_kw_per_k(booth, driven)), drawn)
        elif one.load is not None and loads[one.load].loop == name:
            load = loads[one.load]
            drawn = load_kw(load, hot, driven)
            asks = (drawn > NOTHING_KW) & (driven.opened("loads", load.id) > 0.0) & _awake(one, driven)
            freed = np.maximum(drawn - load_kw(load, hot, driven.without_shifts()), 0.0)
            yield Claim(number, asks, np.full(driven.length, one.below_fraction or 0.0), freed)


def _awake(one: Stop, driven: Driven) -> Flags:
    """Return the intervals in which any station of a stop is on."""
    off = driven.stations.together(one.stations)[:, driven.stations.states.index("off")]
    return np.asarray(off < 1.0 - ROUNDING)


def _moved_kw_per_k(booth: booths.Booth, driven: Driven) -> Floats:
    """Return the heat that moves a booth's air by a kelvin at the flow of each interval."""
    stations = driven.stations
    flow = stations.weighed(stations.together(booth.stations), booth.flow_fraction, 1.0)
    return np.asarray(booths.rated_kg_per_s(booth, driven.outdoors.pressure_pa) * AIR_KJ_PER_KG_K * flow)


def _least(one: Stop, drawn: Floats, kw_per_k: Floats) -> Floats:
    """Return the least share that must be served: the higher of the stated share and that which keeps the air in reach."""
    stated = np.full(len(drawn), one.below_fraction or 0.0)
    if one.outside_k is None:
        return stated
    missing = np.divide(one.outside_k * kw_per_k, drawn, out=np.ones(len(drawn)), where=drawn > NOTHING_KW)
    return np.asarray(np.maximum(stated, np.clip(1.0 - missing, 0.0, 1.0)))


def _shed_loop(
    utilities: Utilities,
    driven: Driven,
    loop: tuple[Floats, Floats],
    claims: Sequence[Claim],
    into: tuple[int, Marks, bool],
) -> None:
    """Mark the fewest stops, first in the order first, without which the loop serves the others' least shares."""
    (wanted, served), (cause, marks, fewest) = loop, into
    share = np.divide(served, wanted, out=np.ones_like(wanted), where=wanted > NOTHING_KW)
    short = np.array([(share < one.least - ROUNDING) & one.asks for one in claims])
    late = _late(utilities, driven, claims, short, (cause, marks))
    turn = _turn(utilities, driven, short, (cause, marks))
    for i in np.flatnonzero(np.any(short & late, axis=0)):
        left = wanted[i]
        for place in _order(len(claims), turn[i]):
            one = claims[place]
            open_to = late[place, i] and one.asks[i] and marks[one.stop, i] == NOT_HELD
            if open_to and (not fewest or served[i] < (one.least[i] - ROUNDING) * left):
                marks[one.stop, i] = cause
                left = max(left - one.freed[i], 0.0)


def _turn(utilities: Utilities, driven: Driven, short: Flags, into: tuple[int, Marks]) -> Marks:
    """Return how often the order has turned since a shortage began."""
    cause, marks = into
    every = _intervals(utilities.stops_turn_minutes, driven)
    lasted = _run_length(np.any(short, axis=0) | np.any(marks == cause, axis=0))
    return np.maximum(lasted - 1, 0) // every if every else np.zeros_like(lasted)


def _order(number: int, turned: int) -> list[int]:
    """Return the places of a list that has turned some times: who was stopped first goes to the end.

    >>> _order(3, 4)
    [1, 2, 0]
    """
    return [(place + turned) % number for place in range(number)]


def _late(
    utilities: Utilities, driven: Driven, claims: Sequence[Claim], short: Flags, into: tuple[int, Marks]
) -> Flags:  # fmt: skip
    """Return where a shortage has lasted longer than each claim tolerates; where it is mended by stopping others it goes on."""
    cause, marks = into
    others = np.any(marks == cause, axis=0)
    rows = [
        _lasted(own | others, _intervals(utilities.stops[one.stop].tolerated_minutes, driven))
        for one, own in zip(claims, short, strict=True)
    ]
    return np.array(rows, dtype=bool)


def _on_air(utilities: Utilities, driven: Driven) -> Iterator[Claim]:
    needs = {one.id: one for one in utilities.air}
    for number, one in enumerate(utilities.stops):
        if one.air is not None:
            need = needs[one.air]
            own = sum((driven.drawn_nm3_per_h[name] for name in need.stations if name in driven.drawn_nm3_per_h), np.zeros(driven.length))  # fmt: skip
            drawn = air_need([need], driven.without_own_air())[0] + own
            asks = (drawn > NOTHING_KW) & _awake(one, driven)
            yield Claim(number, asks, np.full(driven.length, one.below_kpa or 0.0), drawn)


def _shed_air(
    utilities: Utilities, driven: Driven, ended: Ended, claims: Sequence[Claim], into: tuple[int, Marks, bool]
) -> None:
    """Mark the fewest stops, first in the order first, without which what was delivered suffices at the least pressure."""
    (cause, marks, fewest), blown, network = into, ended.air, utilities.network
    if blown is None or network is None:
        return
    given, wanted = blown.delivered_nm3 / driven.hours, (blown.delivered_nm3 + blown.missed_nm3) / driven.hours
    short = np.array([(blown.least_kpa < one.least) & one.asks for one in claims])
    late = _late(utilities, driven, claims, short, (cause, marks))
    turn = _turn(utilities, driven, short, (cause, marks))
    for i in np.flatnonzero(np.any(short & late, axis=0)):
        left, some = wanted[i], False
        for place in _order(len(claims), turn[i]):
            one = claims[place]
            if not (short[place, i] and late[place, i]) or marks[one.stop, i] != NOT_HELD:
                continue
            if not (some and fewest) or left > given[i] / min(one.least[i] / network.needed_kpa, 1.0):
                marks[one.stop, i], some = cause, True
                left = max(left - one.freed[i], 0.0)
