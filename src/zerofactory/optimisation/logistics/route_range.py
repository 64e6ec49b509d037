"""The arithmetic of a round with a battery, compiled: what a move does to time and charge, and where to charge on a given way.

What a vehicle can have is a line in the plane of time and charge: from ``(t, b)``, the earliest moment and the charge it then
has, up with the charging rate to ``top``. Charging less than full is decided afterwards: the line keeps every choice open, and
it stays one line as all stations charge alike (the idea of Desaulniers, Errico, Irnich & Schneider, Operations Research 64
(2016) 1388, doi 10.1287/opre.2016.1535). With full recharges ``b`` equals ``top``.

A label ``(km, t, b, top)`` is beaten by another that drove no more, and has at each moment at least its charge.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zerofactory.optimisation.logistics.route_problem import RouteProblem

EPS = 1e-7
KM, MINUTES, KWH = 0, 1, 2
LOAD, READY, DUE, SERVICE = 0, 1, 2, 3
MOST_LABELS = 24  # kept at a place of a given way; more were never seen to matter on the published instances
NEAR_STATIONS, NEAR_PAIRS = 6, 4  # tried on each leg, by detour
Array = NDArray[Any]


class Ground(NamedTuple):
    """The problem as arrays, as compiled code takes it (a tuple, because it takes no dataclass; few, as each array costs compile time).

    ``pair`` holds `KM`, `MINUTES`, `KWH` between places, ``node`` `LOAD`, `READY`, `DUE`, `SERVICE` of each.
    """

    pair: Array
    node: Array
    one: Array
    two: Array
    battery: float
    rate: float
    payload: float
    partial: bool
    stops: int


class Work(NamedTuple):
    """Room for the labels of one way: values, where each came from, how many at each place."""

    value: Array
    origin: Array
    held: Array


def ground_of(problem: RouteProblem) -> Ground:
    """Return the arrays of a problem, with the stations worth trying on each leg."""
    places, truck, stops = problem.places, problem.truck, len(problem.stops)
    one, two = _near(problem.distance_km, stops, problem.drive_kwh, truck.battery_kwh)

    def column(name: str) -> Array:
        return np.array([getattr(place, name) for place in places], dtype=np.float64)

    due = np.minimum(column("due_min"), 1e12)
    pair = np.stack([problem.distance_km, problem.drive_min, problem.drive_kwh])
    node = np.stack([column("load_kg"), column("ready_min"), due, column("service_min")])
    return Ground(
        pair, node, one, two, min(truck.battery_kwh, 1e12), truck.charge_min_per_kwh, truck.payload_kg, truck.recharge == "partial", stops
    )  # fmt: skip


def work_for(longest: int) -> Work:
    """Return room for ways of up to ``longest`` stops."""
    return Work(
        np.zeros((longest + 2, MOST_LABELS, 4)),
        np.zeros((longest + 2, MOST_LABELS, 3), dtype=np.int64),
        np.zeros(longest + 2, dtype=np.int64),
    )


def _near(km: Array, stops: int, kwh: Array, battery_kwh: float) -> tuple[Array, Array]:
    """Return for each leg the stations, and the pairs of stations, with the least detour (−1: none)."""
    inner, stations = stops + 1, np.arange(stops + 1, len(km))
    one = np.full((inner, inner, NEAR_STATIONS), -1, dtype=np.int64)
    two = np.full((inner, inner, NEAR_PAIRS, 2), -1, dtype=np.int64)
    if not len(stations):
        return one, two
    first, second = (grid.ravel() for grid in np.meshgrid(stations, stations, indexing="ij"))
    possible = (first != second) & (kwh[first, second] <= battery_kwh)
    first, second = first[possible], second[possible]
    far_in, far_out = kwh[:inner] > battery_kwh, kwh[:, :inner] > battery_kwh
    for here in range(inner):
        way = np.where(
            far_in[here, stations][:, None] | far_out[stations],
            np.inf,
            km[here, stations][:, None] + km[stations, :inner],
        )
        _fill(one, here, stations, way)
        both = (km[here, first] + km[first, second])[:, None] + km[second, :inner]
        both = np.where(far_in[here, first][:, None] | far_out[second], np.inf, both)
        _fill(two, here, np.stack([first, second], axis=1), both)
    return one, two


def _fill(table: Array, here: int, choices: Array, way: Array) -> None:
    """Write the choices of least way from a place to each other place into a table; impossible ones stay −1."""
    if not len(choices):
        return
    best = np.argsort(way, axis=0, kind="stable")[: table.shape[2]]
    found = choices[best]
    found[~np.isfinite(np.take_along_axis(way, best, axis=0))] = -1
    table[here, :, : len(best)] = np.swapaxes(found, 0, 1)


@njit(cache=True, error_model="numpy")
def drive(g: Any, label: Any, here: int, there: int) -> Any:
    """Return the label after driving to a place and serving or entering it; kilometres below zero: impossible."""
    km, t, b, top = label
    energy = g.pair[KWH, here, there]
    top -= energy
    if top < -EPS:
        return (-1.0, t, b, top)
    t += g.pair[MINUTES, here, there]
    b -= energy
    if b < 0.0:
        t -= b * g.rate
        b = 0.0
    if t < g.node[READY, there]:
        b = min(top, b + (g.node[READY, there] - t) / g.rate) if g.rate > 0.0 else top
        t = g.node[READY, there]
    if t > g.node[DUE, there] + EPS:
        return (-1.0, t, b, top)
    if g.rate > 0.0:
        top = min(top, b + max(0.0, g.node[DUE, there] - t) / g.rate)
    return (km + g.pair[KM, here, there], t + g.node[SERVICE, there], b, max(top, b))


@njit(cache=True, error_model="numpy")
def charge(g: Any, label: Any) -> Any:
    """Return the label after a charge at a station: to full at once, or as much as will turn out to be wanted."""
    km, t, b, _ = label
    if g.partial:
        return (km, t, b, g.battery)
    return (km, t + (g.battery - b) * g.rate, g.battery, g.battery)


@njit(cache=True, error_model="numpy")
def beats(a: Any, b: Any, rate: float) -> bool:
    """Whether label ``a`` leaves ``b`` nothing."""
    if a[0] > b[0] + EPS or a[1] > b[1] + EPS or a[3] < b[3] - EPS:
        return False
    reached = a[3]
    if rate > 0.0:
        reached = min(a[3], a[2] + (b[1] - a[1]) / rate)
    return bool(reached >= b[2] - EPS)


@njit(cache=True, error_model="numpy")
def _keep(g: Any, w: Any, at: int, label: Any, origin: Any) -> None:
    """Put a label at a place of the way unless one there beats it; those it beats go."""
    value, count = w.value, w.held[at]
    for k in range(count):
        if beats((value[at, k, 0], value[at, k, 1], value[at, k, 2], value[at, k, 3]), label, g.rate):
            return
    kept = 0
    for k in range(count):
        old = (value[at, k, 0], value[at, k, 1], value[at, k, 2], value[at, k, 3])
        if not beats(label, old, g.rate):
            if kept != k:
                value[at, kept] = value[at, k]
                w.origin[at, kept] = w.origin[at, k]
            kept += 1
    place = kept
    if kept == value.shape[1]:
        place = 0
        for k in range(1, kept):
            if value[at, k, 0] > value[at, place, 0]:
                place = k
        if value[at, place, 0] <= label[0]:
            w.held[at] = kept
            return
    else:
        kept += 1
    for part in range(4):
        value[at, place, part] = label[part]
    for part in range(3):
        w.origin[at, place, part] = origin[part]
    w.held[at] = kept


@njit(cache=True, error_model="numpy")
def _leg(g: Any, w: Any, at: int, here: int, there: int) -> None:
    """Extend every label at place ``at − 1`` of the way over one leg: straight, by one station, by two."""
    for k in range(w.held[at - 1]):
        old = (w.value[at - 1, k, 0], w.value[at - 1, k, 1], w.value[at - 1, k, 2], w.value[at - 1, k, 3])
        new = drive(g, old, here, there)
        if new[0] >= 0.0:
            _keep(g, w, at, new, (k, -1, -1))
        for n in range(g.one.shape[2]):
            s = g.one[here, there, n]
            if s < 0:
                break
            mid = drive(g, old, here, s)
            if mid[0] < 0.0:
                continue
            new = drive(g, charge(g, mid), s, there)
            if new[0] >= 0.0:
                _keep(g, w, at, new, (k, s, -1))
        for n in range(g.two.shape[2]):
            s, z = g.two[here, there, n, 0], g.two[here, there, n, 1]
            if s < 0:
                break
            mid = drive(g, old, here, s)
            if mid[0] >= 0.0:
                mid = drive(g, charge(g, mid), s, z)
            if mid[0] >= 0.0:
                new = drive(g, charge(g, mid), z, there)
                if new[0] >= 0.0:
                    _keep(g, w, at, new, (k, s, z))


@njit(cache=True, error_model="numpy")
def fit(g: Any, w: Any, way: Any, length: int) -> float:
    """Return the least kilometres of a way with charging put where it costs least; infinite when no charging saves it."""
    w.held[0] = 1
    w.value[0, 0, 0], w.value[0, 0, 1] = 0.0, g.node[READY, 0]
    w.value[0, 0, 2], w.value[0, 0, 3] = g.battery, g.battery
    here = 0
    for at in range(1, length + 2):
        there = way[at - 1] if at <= length else 0
        w.held[at] = 0
        _leg(g, w, at, here, there)
        if w.held[at] == 0:
            return np.inf
        here = there
    best = np.inf
    for k in range(w.held[length + 1]):
        best = min(best, w.value[length + 1, k, 0])
    return best


def stations_put(ground: Ground, work: Work, way: Array, length: int) -> list[int] | None:
    """Return the way with its stations, the depot left out; None when it cannot be driven."""
    if not np.isfinite(fit(ground, work, way, length)):
        return None
    last = length + 1
    k = int(np.argmin(work.value[last, : work.held[last], 0]))
    found: list[int] = []
    for at in range(last, 0, -1):
        origin, s, z = (int(part) for part in work.origin[at, k])
        if at <= length:
            found.append(int(way[at - 1]))
        found += [one for one in (z, s) if one >= 0]
        k = origin
    return found[::-1]
