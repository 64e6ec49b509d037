"""Loops of hot and cold water (供热、供冷管网) and the halls on them: needs of an interval, who serves them, what stays unserved.

In each interval a hall asks for what ends it at its set point; booths, processes and the pipes ask for theirs. The store gives first
outside its hours of charging, and in them where the sources fall short; the sources give one after the other or together. What is
short is shared alike: a hall gets less and drifts, a booth's is told. Then every state is advanced, and the balance of each loop closes:

    heat given by sources + drawn from the store = served + charged
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.optimisation.utilities.driven import Floats
from zerofactory.optimisation.utilities.hall import drift, needed_kw
from zerofactory.optimisation.utilities.source import input_kw
from zerofactory.optimisation.utilities.tank import Water, kept_kwh, room_kw, step, yield_kw

Integers = NDArray[np.int64]
NONE = -1
ROUNDING = 1e-9  # of a need: what sources leave of it by rounding is not short


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of water: ``hot`` or cold, its temperatures, losses of the pipes, pumps by what is served.

    ``shared``: its sources run together, each by its size; else in the order of the file, each to its full output.
    """

    id: str
    title: Text
    hot: bool
    supply_celsius: float
    return_celsius: float
    loss_kw: float = 0.0
    pump_kw_per_kw: float = 0.0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What else a loop serves: machines cooled, baths heated, other shops.

    kW within shifts and outside, and for each kelvin the outdoor air is above (cold) or below (hot) ``from_celsius``.
    """

    id: str
    loop: str
    open_kw: float
    rest_kw: float
    open_kw_per_k: float = 0.0
    rest_kw_per_k: float = 0.0
    from_celsius: float = 0.0


class Halls(NamedTuple):
    """The halls as arrays: hall, or hall × interval."""

    begin_celsius: Floats
    heat_kwh_per_k: Floats
    heat_kw: Floats
    cool_kw: Floats
    heat_loop: Integers
    cool_loop: Integers
    exchange: Floats
    gains: Floats
    low: Floats
    high: Floats
    moisture: Floats
    outdoor: Floats  # by interval


class Pipes(NamedTuple):
    """The loops and their sources as arrays."""

    other_kw: Floats  # loop × interval
    free_kw: Floats  # loop × interval, heat that comes anyway
    charging: Floats  # loop × interval, 1 in the hours of charging
    source_loop: Integers
    full_kw: Floats  # source × interval
    ratio: Floats  # source × interval
    curve: Floats  # source × (c0, c1, c2, least)
    shared: Floats  # by loop, 1 or 0
    stores: Floats  # loop × the fields of `tank.Water`, in their order


class Ran(NamedTuple):
    """What came of it: kW in each interval, temperatures and stored kWh at its end."""

    hall_celsius: Floats
    hall_heat: Floats
    hall_cold: Floats
    wanted: Floats  # by loop
    served: Floats
    free_used: Floats
    charged: Floats
    drawn: Floats
    lost: Floats
    kept_kwh: Floats
    output: Floats  # by source
    input: Floats


def run(halls: Halls, pipes: Pipes, hours: float) -> Ran:
    """Return what halls, loops, stores and sources do over all intervals."""
    count = len(halls.outdoor)

    def empty(rows: int) -> Floats:
        return np.zeros((rows, count))

    h, loops, s = len(halls.heat_kw), len(pipes.stores), len(pipes.full_kw)
    out = Ran(
        empty(h), empty(h), empty(h), empty(loops), empty(loops), empty(loops), empty(loops), empty(loops), empty(loops),
        empty(loops), empty(s), empty(s),
    )  # fmt: skip
    back = pipes.stores[:, Water._fields.index("back")]
    _run(halls, pipes, np.stack([back, back], axis=1), hours, out)
    return out


@njit(cache=True, nogil=True)
def _water(row: Floats) -> Water:
    return Water(row[0], row[1], int(row[2]), row[3], row[4], row[5], row[6], row[7], row[8])


@njit(cache=True, nogil=True)
def _run(halls: Halls, pipes: Pipes, layers: Floats, hours: float, out: Ran) -> None:
    count, h, loops = len(halls.outdoor), len(halls.heat_kw), len(pipes.stores)
    celsius, share = halls.begin_celsius.copy(), np.ones(loops)
    for i in range(count):
        for k in range(loops):
            out.wanted[k, i] = pipes.other_kw[k, i]
        for n in range(h):
            _ask(halls, n, i, celsius[n], hours, out)
        for k in range(loops):
            share[k] = _serve(pipes, _water(pipes.stores[k]), layers[k], (k, i), hours, out)
        for n in range(h):
            _advance(halls, (n, i), celsius, share, hours, out)


@njit(cache=True, nogil=True)
def _decay(halls: Halls, n: int, i: int, hours: float) -> float:
    return math.exp(-halls.exchange[n, i] / halls.heat_kwh_per_k[n] * hours)


@njit(cache=True, nogil=True)
def _ask(halls: Halls, n: int, i: int, celsius: float, hours: float, out: Ran) -> None:
    g = halls.exchange[n, i]
    end = drift(celsius, halls.outdoor[i] + halls.gains[n, i] / g, g / halls.heat_kwh_per_k[n], hours)
    if halls.heat_loop[n] != NONE and end < halls.low[n, i]:
        wanted = min(needed_kw(end, halls.low[n, i], g, _decay(halls, n, i, hours)), halls.heat_kw[n])
        out.hall_heat[n, i] = wanted
        out.wanted[halls.heat_loop[n], i] += wanted
    elif halls.cool_loop[n] != NONE and end > halls.high[n, i]:
        wanted = min(-needed_kw(end, halls.high[n, i], g, _decay(halls, n, i, hours)), halls.cool_kw[n])
        out.hall_cold[n, i] = wanted
        out.wanted[halls.cool_loop[n], i] += wanted + halls.moisture[n, i]


@njit(cache=True, nogil=True)
def _serve(pipes: Pipes, water: Water, layers: Floats, at: tuple[int, int], hours: float, out: Ran) -> float:
    """Return the share of the loop's need that is met."""
    k, i = at
    wanted = out.wanted[k, i]
    charging = pipes.charging[k, i] > 0.0
    free = min(pipes.free_kw[k, i], wanted)
    drawn = 0.0 if charging else min(wanted - free, yield_kw(water, layers, hours))
    rest = wanted - free - drawn
    room = min(room_kw(water, layers, hours), water.charge_kw) if charging else 0.0
    total, all_kw, given = rest + room, 0.0, 0.0
    for s in range(len(pipes.full_kw)):
        all_kw += pipes.full_kw[s, i] if pipes.source_loop[s] == k else 0.0
    part = min(total / all_kw, 1.0) if pipes.shared[k] > 0.0 and all_kw > 0.0 else 1.0
    for s in range(len(pipes.full_kw)):
        if pipes.source_loop[s] != k:
            continue
        one = min(pipes.full_kw[s, i] * part, total - given)
        given += one
        out.output[s, i] = one
        out.input[s, i] = input_kw(one, pipes.full_kw[s, i], pipes.ratio[s, i], pipes.curve[s])
    if charging and given < (1.0 - ROUNDING) * rest:  # the sources are short: the store waits with being charged
        drawn = min(rest - given, yield_kw(water, layers, hours))
    charged = max(given - rest, 0.0)
    served = free + drawn + given - charged
    out.served[k, i], out.free_used[k, i], out.charged[k, i], out.drawn[k, i] = served, free, charged, drawn
    out.lost[k, i] = step(water, layers, charged, drawn, hours)
    out.kept_kwh[k, i] = kept_kwh(water, layers)
    return served / wanted if wanted > 0.0 else 1.0


@njit(cache=True, nogil=True)
def _advance(halls: Halls, at: tuple[int, int], celsius: Floats, share: Floats, hours: float, out: Ran) -> None:
    n, i = at
    q = 0.0
    if out.hall_heat[n, i] > 0.0:
        out.hall_heat[n, i] *= share[halls.heat_loop[n]]
        q = out.hall_heat[n, i]
    elif out.hall_cold[n, i] > 0.0:
        out.hall_cold[n, i] *= share[halls.cool_loop[n]]
        q = -out.hall_cold[n, i]
    g = halls.exchange[n, i]
    resting = halls.outdoor[i] + (halls.gains[n, i] + q) / g
    celsius[n] = drift(celsius[n], resting, g / halls.heat_kwh_per_k[n], hours)
    out.hall_celsius[n, i] = celsius[n]
