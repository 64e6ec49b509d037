"""A compressed-air network (压缩空气): compressors in sequence, a volume that stores, consumers, leaks.

    V / R T · dp/dt = ṁ_compressors − ṁ_consumers − ṁ_leaks(p)        ideal gas, isothermal; leaks as orifices (see `leak`)

Steps within each interval are short enough that the largest compressor moves the pressure by a quarter of the narrowest band. A ``load`` compressor runs at its full flow below its own load pressure and unloaded
above its unload pressure, at a share of its power, until it stops; a ``variable`` one follows the pressure between the two, its
power by its own part-load curve (US DOE, Improving Compressed Air System Performance, 2016, part 2, and Compressed Air Challenge:
storage and controls; curves in the form of CAGI data sheets). Consumers take less below the pressure they need; that is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from zerofactory.errors import Text
from zerofactory.optimisation.utilities.driven import Floats
from zerofactory.optimisation.utilities.leak import flux

NORMAL_KPA, ZERO_KELVIN = 101.325, 273.15
BAND_FRACTION = 0.25  # of the narrowest pressure band that the largest compressor may move in one step
LEAST_STEPS = 10  # in an interval
CURVE_POINTS = 11


@dataclass(frozen=True, slots=True)
class Compressor:
    """A compressor.

    Parameters
    ----------
    control : ``load`` (full flow or unloaded) or ``variable`` (speed or vanes).
    flow_nm3_per_h, power_kw : at full flow.
    load_kpa, unload_kpa : gauge; a variable one gives all at ``load_kpa`` and its least at ``unload_kpa``.
    unloaded_fraction : of the power while unloaded; ``stop_after_s`` later it stops.
    curve : pairs of flow and power as fractions of full, of a variable one, the first at its least flow.
    """

    id: str
    title: Text
    shop: str | None
    control: str
    flow_nm3_per_h: float
    power_kw: float
    load_kpa: float
    unload_kpa: float
    unloaded_fraction: float = 0.0
    stop_after_s: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()
    available: bool = True
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leak:
    """Holes of one size."""

    number: float
    diameter_mm: float
    discharge_fraction: float


@dataclass(frozen=True, slots=True)
class Network:
    """What the compressors feed: its volume, its leaks, the pressure its consumers need, and the heat that is taken back."""

    volume_m3: float
    celsius: float
    needed_kpa: float
    leaks: tuple[Leak, ...] = ()
    recovered_fraction: float = 0.0
    heat_to: str | None = None


VARIABLE, FLOW, POWER, LOAD, UNLOAD, UNLOADED, STOP, LEAST = range(8)


class Fleet(NamedTuple):
    """The compressors as arrays."""

    rows: Floats  # compressor × (variable, flow, power, load and unload pressure, unloaded share, seconds to stop, least flow)
    curve: Floats  # compressor × power at equal steps from least to full flow


class Setting(NamedTuple):
    """The network as the stepping takes it."""

    volume_m3: float
    kelvin: float
    needed_kpa: float
    leak_area_m2: float
    interval_s: float
    steps: int


class Blown(NamedTuple):
    """What came of it in each interval: kW and Nm3 by compressor, Nm3 of the network, kPa gauge."""

    power_kw: Floats  # compressor × interval
    unloaded_kw: Floats
    made_nm3: Floats
    delivered_nm3: Floats
    leaked_nm3: Floats
    missed_nm3: Floats
    mean_kpa: Floats
    least_kpa: Floats
    stored_nm3: Floats  # at the end


def leak_area_m2(leaks: Sequence[Leak]) -> float:
    """Return the area of all holes with their coefficients.

    >>> round(leak_area_m2([Leak(100, 3.0, 0.61)]) * 1e4, 4)
    4.3118
    """
    return sum(one.number * one.discharge_fraction * math.pi * (one.diameter_mm / 1000.0) ** 2 / 4.0 for one in leaks)


def fleet(compressors: Sequence[Compressor]) -> Fleet:
    """Return the compressors that can run, as arrays; one that cannot has no flow and no power."""
    curves, least = [], []
    for one in compressors:
        points = one.curve or ((0.0, 0.0), (1.0, 1.0))
        flows, powers = [flow for flow, _ in points], [power for _, power in points]
        least.append(flows[0])
        curves.append(np.interp(np.linspace(flows[0], flows[-1], CURVE_POINTS), flows, powers))
    rows = [
        (
            float(one.control == "variable"), one.flow_nm3_per_h * one.available, one.power_kw * one.available, one.load_kpa,
            one.unload_kpa, one.unloaded_fraction, one.stop_after_s, first,
        )
        for one, first in zip(compressors, least, strict=True)
    ]  # fmt: skip
    return Fleet(np.array(rows).reshape(len(rows), LEAST + 1), np.array(curves).reshape(len(rows), CURVE_POINTS))


def steps_of(network: Network, compressors: Sequence[Compressor], interval_s: float) -> int:
    """Return the steps within an interval: a quarter of the narrowest band by the largest compressor at most.

    >>> one = Compressor("c", Text("c", "c"), None, "load", 3600.0, 400.0, 650.0, 700.0)
    >>> steps_of(Network(50.0, 0.0, 600.0), [one], 900.0)
    146
    """
    band = min((one.unload_kpa - one.load_kpa for one in compressors), default=1.0)
    moved = max((one.flow_nm3_per_h for one in compressors), default=0.0) / 3600.0 * interval_s
    per_kpa = network.volume_m3 / NORMAL_KPA * ZERO_KELVIN / (network.celsius + ZERO_KELVIN)
    return max(math.ceil(moved / (BAND_FRACTION * band * per_kpa)), LEAST_STEPS)


def run(
    network: Network,
    compressors: Sequence[Compressor],
    demand_nm3_per_h: Floats,
    interval_s: float,
    runs_fraction: Floats | None = None,
) -> Blown:
    """Return what the network does under a demand by interval; it begins at the highest pressure at which one loads.

    ``runs_fraction`` (compressor × interval) is the share of an interval in which a compressor can run, the first part of it.
    """
    kelvin, steps = network.celsius + ZERO_KELVIN, steps_of(network, compressors, interval_s)
    setting = Setting(network.volume_m3, kelvin, network.needed_kpa, leak_area_m2(network.leaks), interval_s, steps)
    demand = np.asarray(demand_nm3_per_h, dtype=np.float64)
    runs = np.ones((len(compressors), len(demand))) if runs_fraction is None else runs_fraction
    return Blown(*_blow(fleet(compressors), setting, demand, runs))


@njit(cache=True, nogil=True, inline="always")
def _controlled(one: Floats, curve: Floats, kpa: float, state: Floats, step_s: float) -> tuple[float, float, float]:
    """Return flow and power of a compressor, and which of it is unloaded; ``state`` holds on, and the seconds unloaded."""
    low, high = one[LOAD], one[UNLOAD]
    if kpa <= low:
        state[0] = 1.0
    elif kpa >= high:
        state[0] = 0.0
    if state[0] == 0.0:
        state[1] += step_s
        if state[1] > one[STOP]:
            return 0.0, 0.0, 0.0
        idle = one[POWER] * one[UNLOADED]
        return 0.0, idle, idle
    state[1] = 0.0
    if one[VARIABLE] == 0.0:
        return one[FLOW], one[POWER], 0.0
    wanted = min(max((high - kpa) / (high - low), 0.0), 1.0)
    place = wanted * (CURVE_POINTS - 1)
    left = min(int(place), CURVE_POINTS - 2)
    share = place - left
    power = curve[left] * (1.0 - share) + curve[left + 1] * share
    return one[FLOW] * (one[LEAST] + (1.0 - one[LEAST]) * wanted), one[POWER] * power, 0.0


@njit(cache=True, nogil=True)
def _interval(fleet: Fleet, setting: Setting, demand: float, runs: Floats, state: Floats, sums: Floats) -> None:
    """Advance an interval. ``state`` has a row a compressor and a last one with the content; ``sums`` likewise: kW and unloaded
    kW of a compressor, then made, delivered, leaked, missed Nm3 and mean kPa, least kPa."""
    rows, curves, steps = fleet.rows, fleet.curve, setting.steps
    machines, needed_kpa = len(rows), setting.needed_kpa
    per_kpa = setting.volume_m3 / NORMAL_KPA * ZERO_KELVIN / setting.kelvin  # Nm3 a kPa
    step_s = setting.interval_s / steps
    hours = step_s / 3600.0
    choked = setting.leak_area_m2 * flux(1e6, setting.kelvin) / 1e3 * hours  # Nm3 a kPa absolute and step
    content, kpa_sum, least = state[machines, 0], 0.0, np.inf
    made, delivered, leaked, missed, wanted = 0.0, 0.0, 0.0, 0.0, demand * hours
    for number in range(steps):
        kpa = content / per_kpa - NORMAL_KPA
        flow = 0.0
        for k in range(machines):
            if rows[k, POWER] > 0.0 and number < runs[k] * steps:
                gives, takes, idle = _controlled(rows[k], curves[k], kpa, state[k], step_s)
                flow += gives
                sums[k, 0] += takes
                sums[k, 1] += idle
        got = wanted if kpa >= needed_kpa else wanted * max(kpa / needed_kpa, 0.0)
        lost = choked * (kpa + NORMAL_KPA)
        if kpa < NORMAL_KPA:  # below twice the pressure outside the hole may not be choked
            lost = setting.leak_area_m2 * flux((kpa + NORMAL_KPA) * 1000.0, setting.kelvin) * hours
            lost = min(lost, max(kpa * per_kpa, 0.0))
        content += flow * hours - got - lost
        made += flow * hours
        delivered += got
        leaked += lost
        missed += wanted - got
        kpa_sum += kpa
        least = min(least, kpa)
    sums[:machines] /= steps
    sums[machines, 0], sums[machines, 1], sums[machines + 1, 0], sums[machines + 1, 1] = made, delivered, leaked, missed
    sums[machines + 2, 0], sums[machines + 2, 1] = kpa_sum / steps, least
    state[machines, 0] = content


@njit(cache=True, nogil=True)
def _blow(fleet: Fleet, setting: Setting, demand: Floats, runs: Floats) -> tuple[Floats, ...]:
    count, machines = len(demand), len(fleet.rows)
    power, unloaded = np.zeros((machines, count)), np.zeros((machines, count))
    made, delivered, leaked, missed = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    mean, least, stored = np.zeros(count), np.zeros(count), np.zeros(count)
    state, sums = np.zeros((machines + 1, 2)), np.zeros((machines + 3, 2))
    begin_kpa = max(setting.needed_kpa, fleet.rows[:, LOAD].max())
    state[machines, 0] = (begin_kpa + NORMAL_KPA) * setting.volume_m3 / NORMAL_KPA * ZERO_KELVIN / setting.kelvin
    for i in range(count):
        sums[:] = 0.0
        _interval(fleet, setting, demand[i], runs[:, i], state, sums)
        power[:, i], unloaded[:, i] = sums[:machines, 0], sums[:machines, 1]
        made[i], delivered[i], leaked[i] = sums[machines, 0], sums[machines, 1], sums[machines + 1, 0]
        missed[i] = sums[machines + 1, 1]
        mean[i], least[i] = sums[machines + 2, 0], sums[machines + 2, 1]
        stored[i] = state[machines, 0]
    return power, unloaded, made, delivered, leaked, missed, mean, least, stored
