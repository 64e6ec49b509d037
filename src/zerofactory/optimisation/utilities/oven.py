"""A paint oven (烘房) and the oxidiser after it: what a hot mass, the bodies, the exhaust and the walls take.

    C dT/dt = Q − (UA + ṁ cp) (T − T_hall) − n (m_body c_body + m_skid c_skid) (T_metal − T_in)

by implicit Euler, so that what is fired is what is stored, lost, exhausted and carried out, to the last digit (energy balance of a
heated enclosure: ASHRAE Applications (2019), industrial drying; EU BREF STS (2020), doi 10.2760/857304, 17.2). The burner keeps the
set point while a station before it is on and is cut off at its power: an oven that was off too long is cold when the first body comes.

    oxidiser  Q = ṁ cp (T_ox − T_exhaust) (1 − η) + losses − VOC              regenerative: η is its thermal recovery (EPA-452/B-02-001, 3.2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from zerofactory.errors import Text
from zerofactory.optimisation.utilities.air import AIR_KJ_PER_KG_K
from zerofactory.optimisation.utilities.driven import Driven, Floats
from zerofactory.optimisation.utilities.leak import NORMAL_KG_PER_M3

HOT = ("warm_up", "idle", "working", "blocked", "failed", "setup")
"""States of a station in which its oven is kept at the set point."""


@dataclass(frozen=True, slots=True)
class Oven:
    """An oven.

    Parameters
    ----------
    stations : whose states it follows, and whose pieces go through it.
    set_celsius, standby_celsius : of the oven; ``metal_celsius`` of the bodies as they leave, ``body_in_celsius`` as they come.
    heat_kwh_per_k : heat capacity of steel, insulation and air of the oven.
    loss_kw_per_k : walls and silhouettes.
    exhaust_nm3_per_h : while hot; ``standby_exhaust_fraction`` of it on standby, none when off.
    body_kg, skid_kg, metal_kj_per_kg_k : what goes through; skids come back cold.
    burner_kw : its power; ``burner_fraction`` of it is heat in the oven; ``fuel`` gas or electricity.
    fan_kw : circulation; ``standby_fan_fraction`` of it on standby.
    cold_below_k : bodies that pass an oven so much below its set point, all the interval, are told.
    around_celsius : of the hall and of the fresh air.
    """

    id: str
    title: Text
    shop: str | None
    stations: tuple[str, ...]
    set_celsius: float
    standby_celsius: float
    metal_celsius: float
    body_in_celsius: float
    heat_kwh_per_k: float
    loss_kw_per_k: float
    exhaust_nm3_per_h: float
    body_kg: float
    skid_kg: float
    metal_kj_per_kg_k: float
    burner_kw: float
    burner_fraction: float
    cold_below_k: float
    around_celsius: float
    standby_exhaust_fraction: float = 1.0
    fan_kw: float = 0.0
    standby_fan_fraction: float = 1.0
    fuel: str = "gas"
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Oxidiser:
    """A regenerative oxidiser after some ovens.

    ``extra_nm3_per_h`` is air from elsewhere while an oven is hot; ``voc_kwh_per_piece`` the heat of the solvent of a body.
    """

    id: str
    title: Text
    shop: str | None
    ovens: tuple[str, ...]
    set_celsius: float
    recovery_fraction: float
    burner_kw: float
    loss_kw: float
    extra_nm3_per_h: float = 0.0
    voc_kwh_per_piece: float = 0.0
    fan_kw: float = 0.0
    standby_fan_fraction: float = 1.0
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Baked(NamedTuple):
    """What an oven did in each interval: heat into it, where it went, its temperature at the end, and its exhaust."""

    heat_kw: Floats
    walls_kw: Floats
    exhaust_kw: Floats
    bodies_kw: Floats
    celsius: Floats
    exhaust_kg_per_s: Floats
    hot_fraction: Floats
    standby_fraction: Floats
    pieces: Floats
    made_fraction: Floats
    cold_pieces: Floats


class Needs(NamedTuple):
    """An oven as the stepping takes it, interval by interval."""

    target: Floats
    loss_kw_per_k: Floats
    exhaust_kw_per_k: Floats
    bodies_kw: Floats
    around: Floats
    most_kw: Floats


@njit(cache=True, nogil=True)
def bake(needs: Needs, heat_kwh_per_k: float, begin_celsius: float, hours: float) -> tuple[Floats, Floats]:
    """Return the heat into an oven and its temperature at the end of each interval.

    >>> one = np.ones(1)
    >>> heat, t = bake(Needs(180.0 * one, 2.0 * one, 3.0 * one, 100.0 * one, 20.0 * one, 1e9 * one), 50.0, 180.0, 0.25)
    >>> float(heat[0]), float(t[0])
    (900.0, 180.0)
    """
    count = len(needs.target)
    heat, celsius = np.zeros(count), np.zeros(count)
    t, c = begin_celsius, heat_kwh_per_k / hours
    for i in range(count):
        g = needs.loss_kw_per_k[i] + needs.exhaust_kw_per_k[i]
        wanted = c * (needs.target[i] - t) + g * (needs.target[i] - needs.around[i]) + needs.bodies_kw[i]
        heat[i] = min(max(wanted, 0.0), needs.most_kw[i])
        t = (c * t + g * needs.around[i] + heat[i] - needs.bodies_kw[i]) / (c + g)
        celsius[i] = t
    return heat, celsius


def run(oven: Oven, driven: Driven) -> Baked:
    """Return what an oven does as its stations do what they do; it begins at the temperature around it."""
    stations = driven.stations
    shares = stations.together(oven.stations)
    hot = stations.weighed(shares, dict.fromkeys(HOT, 1.0))
    standby = stations.weighed(shares, {"standby": 1.0})
    pieces = np.zeros(driven.length) + sum(stations.pieces[one] for one in oven.stations)
    flow = oven.exhaust_nm3_per_h * NORMAL_KG_PER_M3 / 3600.0 * (hot + oven.standby_exhaust_fraction * standby)
    each = (oven.body_kg + oven.skid_kg) * oven.metal_kj_per_kg_k * (oven.metal_celsius - oven.body_in_celsius) / 3600.0
    needs = Needs(
        np.where(hot > 0.0, oven.set_celsius, np.where(standby > 0.0, oven.standby_celsius, -np.inf)),
        np.full(driven.length, oven.loss_kw_per_k),
        flow * AIR_KJ_PER_KG_K,
        pieces * each / driven.hours,
        np.full(driven.length, oven.around_celsius),
        oven.burner_kw * oven.burner_fraction * (hot + standby),
    )
    heat, celsius = bake(needs, oven.heat_kwh_per_k, oven.around_celsius, driven.hours)
    over = celsius - oven.around_celsius
    hottest = np.maximum(
        celsius, np.concatenate([[oven.around_celsius], celsius[:-1]])
    )  # an interval may end after the shift
    cold = np.where(hottest < oven.set_celsius - oven.cold_below_k, pieces, 0.0)
    return Baked(
        heat, needs.loss_kw_per_k * over, needs.exhaust_kw_per_k * over, needs.bodies_kw, celsius, flow, hot, standby, pieces, stations.made(shares), cold
    )  # fmt: skip


def oxidise(one: Oxidiser, baked: Mapping[str, Baked], hours: float) -> tuple[Floats, Floats]:
    """Return the heat of the oxidiser's burner and its fans in each interval, kW.

    >>> z, o = np.zeros(1), np.ones(1)
    >>> hot = Baked(z, z, z, z, 180.0 * o, 2.0 * o, o, z, z, o, z)
    >>> rto = Oxidiser("r", Text("r", "r"), None, ("o",), 780.0, 0.95, 900.0, 0.0)
    >>> [round(float(kw[0]), 3) for kw in oxidise(rto, {"o": hot}, 0.25)]
    [60.36, 0.0]
    """
    ovens = [baked[name] for name in one.ovens]
    hot = np.asarray(np.max([oven.hot_fraction for oven in ovens], axis=0))
    standby = np.minimum(np.asarray(np.max([oven.standby_fraction for oven in ovens], axis=0)), 1.0 - hot)
    extra = one.extra_nm3_per_h * NORMAL_KG_PER_M3 / 3600.0 * hot
    rise = [oven.exhaust_kg_per_s * np.maximum(one.set_celsius - oven.celsius, 0.0) for oven in ovens]
    cool = extra * (one.set_celsius - ovens[0].celsius)
    pieces = np.asarray(np.sum([oven.pieces for oven in ovens], axis=0))
    wanted = AIR_KJ_PER_KG_K * (np.sum(rise, axis=0) + cool) * (1.0 - one.recovery_fraction)
    wanted = wanted + one.loss_kw * (hot + standby) - one.voc_kwh_per_piece * pieces / hours
    heat = np.clip(wanted, 0.0, one.burner_kw * (hot + standby))
    return heat, one.fan_kw * (hot + one.standby_fan_fraction * standby)
