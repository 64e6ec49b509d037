"""All utilities of a plant, and what they take in a run: booths and ovens by the stations, air by its network, halls and loops by the weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import booth as booths
from zerofactory.optimisation.utilities import compressed_air, loop, oven, source
from zerofactory.optimisation.utilities import hall as halls
from zerofactory.optimisation.utilities.booth import Booth, Took
from zerofactory.optimisation.utilities.compressed_air import Blown, Compressor, Network
from zerofactory.optimisation.utilities.driven import Driven, Floats
from zerofactory.optimisation.utilities.hall import Hall
from zerofactory.optimisation.utilities.loop import Load, Loop, Ran
from zerofactory.optimisation.utilities.oven import Baked, Oven, Oxidiser
from zerofactory.optimisation.utilities.source import Chiller, Heater
from zerofactory.optimisation.utilities.stop import Stop
from zerofactory.optimisation.utilities.tank import WATER_KWH_PER_M3_K, Tank

GAS = "gas"
"""What a booth's ``heat_from`` says when a burner stands in its air stream."""


@dataclass(frozen=True, slots=True)
class AirNeed:
    """Consumers of compressed air: a machine of the stations by state and piece, or by shift and outside."""

    id: str
    stations: tuple[str, ...] = ()
    nm3_per_h: Mapping[str, float] = field(default_factory=dict)
    nm3_per_piece: float = 0.0
    open_nm3_per_h: float = 0.0
    rest_nm3_per_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Down:
    """A chiller, a heater or a compressor that stands still from ``start_s`` to ``end_s`` after the beginning of the run."""

    id: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utilities:
    """Everything beside the line. ``gas_kwh_per_nm3`` is the net calorific value; the order of ``stops`` turns after
    ``stops_turn_minutes`` of a shortage (0: never)."""

    gas_kwh_per_nm3: float
    booths: tuple[Booth, ...] = ()
    ovens: tuple[Oven, ...] = ()
    oxidisers: tuple[Oxidiser, ...] = ()
    network: Network | None = None
    compressors: tuple[Compressor, ...] = ()
    air: tuple[AirNeed, ...] = ()
    halls: tuple[Hall, ...] = ()
    loops: tuple[Loop, ...] = ()
    loads: tuple[Load, ...] = ()
    chillers: tuple[Chiller, ...] = ()
    heaters: tuple[Heater, ...] = ()
    tanks: tuple[Tank, ...] = ()
    down: tuple[Down, ...] = ()
    stops: tuple[Stop, ...] = ()
    stops_turn_minutes: float = 0.0


@dataclass(frozen=True)
class Row:
    """One utility: what it takes in each interval by carrier (kWh of electricity and heat, Nm3 of gas, m3 of water), and the
    part of it that makes nothing."""

    id: str
    kind: str
    title: Text
    shop: str | None
    used: Mapping[str, Floats]
    wasted: Mapping[str, Floats]
    meters: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Ended:
    """A run of the utilities: the rows, and the states they went through."""

    rows: tuple[Row, ...]
    booths: Mapping[str, Took]
    ovens: Mapping[str, Baked]
    air: Blown | None
    loops: Ran


def simulate(utilities: Utilities, driven: Driven, known: Mapping[str, Took] | None = None) -> Ended:
    """Return what the utilities take as the stations do what they do in the weather; ``known`` are booths that were run before."""
    took = {one.id: (known or {}).get(one.id) or booths.run(one, driven) for one in utilities.booths}
    baked = {one.id: oven.run(one, driven) for one in utilities.ovens}
    wanted, idle = air_need(utilities.air, driven)
    blown = None
    if utilities.network is not None:
        runs = _running(utilities.down, [one.id for one in utilities.compressors], driven)
        blown = compressed_air.run(utilities.network, utilities.compressors, wanted, driven.step_s, runs)
    ran = _loops(utilities, driven, took, blown)
    rows = [*_booth_rows(utilities, driven, took), *_oven_rows(utilities, driven, baked)]
    if blown is not None:
        rows += _air_rows(utilities.compressors, blown, np.divide(idle, wanted, out=np.zeros_like(idle), where=wanted > 0), driven.hours)  # fmt: skip
    rows += _loop_rows(utilities, driven, took, ran)
    return Ended(tuple(rows), took, baked, blown, ran)


def air_need(needs: Sequence[AirNeed], driven: Driven) -> tuple[Floats, Floats]:
    """Return the compressed air that is asked for in each interval, and the part while nothing is made."""
    wanted, idle, stations = driven.air_nm3_per_h.copy(), np.zeros(driven.length), driven.stations
    for one in needs:
        for name in one.stations:
            shares = stations.shares[name] * stations.machines[name]
            made = {state: one.nm3_per_h.get(state, 0.0) for state in stations.working}
            all_states = stations.weighed(shares, one.nm3_per_h)
            idle += all_states - stations.weighed(shares, made)
            wanted += all_states + one.nm3_per_piece * stations.pieces[name] / driven.hours
        opened = driven.opened("air", one.id)
        rest = one.rest_nm3_per_h * (1.0 - opened)
        wanted += one.open_nm3_per_h * opened + rest
        idle += rest
    return wanted, idle


def _loops(utilities: Utilities, driven: Driven, took: Mapping[str, Took], blown: Blown | None) -> Ran:
    names = [one.id for one in utilities.loops]
    other, free = np.zeros((len(names), driven.length)), np.zeros((len(names), driven.length))
    for number, one in enumerate(utilities.loops):
        other[number] = one.loss_kw
    for booth in utilities.booths:
        if booth.heat_from in names:
            other[names.index(booth.heat_from)] += took[booth.id].heat_kw
        if booth.cool_from in names:
            other[names.index(booth.cool_from)] += took[booth.id].cold_kw
    for load in utilities.loads:
        other[names.index(load.loop)] += load_kw(load, utilities.loops[names.index(load.loop)].hot, driven)
    network = utilities.network
    if blown is not None and network is not None and network.heat_to in names:
        loaded = (blown.power_kw - blown.unloaded_kw).sum(axis=0)
        free[names.index(str(network.heat_to))] = network.recovered_fraction * loaded
    return loop.run(_hall_arrays(utilities, driven, names), _pipes(utilities, driven, other, free), driven.hours)


def _running(down: Sequence[Down], names: Sequence[str], driven: Driven) -> Floats:
    """Return the share of each interval in which some machines can run: machine × interval."""
    found = np.ones((len(names), driven.length))
    edges = np.arange(driven.length + 1) * driven.step_s
    for one in down:
        if one.id in names:
            found[names.index(one.id)] -= np.diff(np.clip(edges, one.start_s, one.end_s)) / driven.step_s
    return np.clip(found, 0.0, 1.0)


def full_kw(utilities: Utilities, driven: Driven) -> Floats:
    """Return what each chiller and then each heater can give: source × interval."""
    chillers, heaters = utilities.chillers, utilities.heaters
    full = [one.cooling_kw * one.available for one in chillers] + [one.heat_kw * one.available for one in heaters]
    names = [*(one.id for one in chillers), *(one.id for one in heaters)]
    return np.asarray(np.array(full, dtype=np.float64)[:, None] * _running(utilities.down, names, driven))


def full_nm3_per_h(utilities: Utilities, driven: Driven) -> Floats:
    """Return what all compressors together can give in each interval."""
    runs = _running(utilities.down, [one.id for one in utilities.compressors], driven)
    flows = np.array([one.flow_nm3_per_h * one.available for one in utilities.compressors], dtype=np.float64)
    return np.asarray(flows @ runs)


def load_kw(load: Load, hot: bool, driven: Driven) -> Floats:
    """Return what a load of a loop asks for."""
    degrees = np.maximum((driven.outdoors.celsius - load.from_celsius) * (-1.0 if hot else 1.0), 0.0)
    opened = load.open_kw + load.open_kw_per_k * degrees
    rest = load.rest_kw + load.rest_kw_per_k * degrees
    working = driven.opened("loads", load.id)
    return np.asarray(opened * working + rest * (1.0 - working))


def _hall_arrays(utilities: Utilities, driven: Driven, names: Sequence[str]) -> loop.Halls:
    every = utilities.halls

    def on(which: str | None) -> int:
        return loop.NONE if which is None else names.index(which)

    def rows(found: Sequence[Floats]) -> Floats:
        return np.array(found, dtype=np.float64).reshape(len(every), driven.length)

    points = [halls.set_points(one, driven) for one in every]
    begin = [float(np.clip(driven.outdoors.celsius[0], low[0], high[0])) for low, high in points]
    return loop.Halls(
        np.array(begin, dtype=np.float64), np.array([one.heat_kwh_per_k for one in every], dtype=np.float64),
        np.array([one.heat_kw for one in every], dtype=np.float64), np.array([one.cool_kw for one in every], dtype=np.float64),
        np.array([on(one.heat_from) for one in every], dtype=np.int64), np.array([on(one.cool_from) for one in every], dtype=np.int64),
        rows([halls.exchange_kw_per_k(one, driven) for one in every]), rows([halls.gains_kw(one, driven) for one in every]),
        rows([low for low, _ in points]), rows([high for _, high in points]),
        rows([halls.moisture_kw(one, driven) for one in every]), np.asarray(driven.outdoors.celsius, dtype=np.float64),
    )  # fmt: skip


def _pipes(utilities: Utilities, driven: Driven, other: Floats, free: Floats) -> loop.Pipes:
    names = [one.id for one in utilities.loops]
    stores, charging = np.zeros((len(names), 9)), np.zeros((len(names), driven.length))
    for number, one in enumerate(utilities.loops):
        store = next((tank for tank in utilities.tanks if tank.loop == one.id), None)
        ends = one.supply_celsius, one.return_celsius
        stores[number] = (1.0 if one.hot else -1.0, 0.0, 1, 0.0, 0.0, 0.0, *ends, 0.0)
        if store is not None:
            half = store.volume_m3 / 2.0 * WATER_KWH_PER_M3_K
            stores[number, 1:6] = half, store.layers, store.loss_kw_per_k, store.exchange_kw_per_k, store.around_celsius
            stores[number, 8] = store.charge_kw
            charging[number] = np.isin(driven.hour, store.charge_hours)
    supply = {one.id: one.supply_celsius for one in utilities.loops}
    chillers, heaters = utilities.chillers, utilities.heaters
    full = full_kw(utilities, driven)
    both: tuple[Chiller | Heater, ...] = (*chillers, *heaters)
    ratios = [source.eer(one, driven.outdoors, supply[one.loop]) for one in chillers]
    ratios += [source.per_input(one, driven.outdoors, supply[one.loop]) for one in heaters]
    curves = [(*one.part_load, one.least_fraction) for one in chillers] + [(*source.STRAIGHT, 0.0)] * len(heaters)
    return loop.Pipes(
        other, free, charging, np.array([names.index(one.loop) for one in both], dtype=np.int64),
        full, np.array(ratios, dtype=np.float64).reshape(len(full), driven.length),
        np.array(curves, dtype=np.float64).reshape(len(full), 4),
        np.array([float(one.shared) for one in utilities.loops]), stores,
    )  # fmt: skip


def _booth_rows(utilities: Utilities, driven: Driven, took: Mapping[str, Took]) -> list[Row]:
    rows = []
    for one in utilities.booths:
        found, h = took[one.id], driven.hours
        used = {"electricity": found.fan_kw * h, "water": found.water_kg_per_h * h / 1000.0}
        wasted = {"electricity": found.idle_fan_kw * h}
        if one.heat_from == GAS:
            per = h / (one.burner_fraction * utilities.gas_kwh_per_nm3)
            used["natural_gas"], wasted["natural_gas"] = found.heat_kw * per, found.idle_heat_kw * per
        rows.append(Row(one.id, "booth", one.title, one.shop, used, wasted, one.meters))
    return rows


def _oven_rows(utilities: Utilities, driven: Driven, baked: Mapping[str, Baked]) -> list[Row]:
    rows, h = [], driven.hours
    for one in utilities.ovens:
        found = baked[one.id]
        idle = 1.0 - found.made_fraction
        fans = one.fan_kw * (found.hot_fraction + one.standby_fan_fraction * found.standby_fraction) * h
        fired = found.heat_kw / one.burner_fraction * h
        empty = np.maximum(found.heat_kw - found.bodies_kw, 0.0) / one.burner_fraction * h * idle
        carrier, per = ("natural_gas", utilities.gas_kwh_per_nm3) if one.fuel == GAS else ("electricity", 1.0)
        used, wasted = {"electricity": fans}, {"electricity": fans * idle}
        used[carrier] = used.get(carrier, 0.0) + fired / per
        wasted[carrier] = wasted.get(carrier, 0.0) + empty / per
        rows.append(Row(one.id, "oven", one.title, one.shop, used, wasted, one.meters))
    for last in utilities.oxidisers:
        heat, power = oven.oxidise(last, baked, h)
        idle = 1.0 - np.asarray(np.max([baked[name].made_fraction for name in last.ovens], axis=0))
        used = {"electricity": power * h, "natural_gas": heat * h / utilities.gas_kwh_per_nm3}
        wasted = {carrier: amount * idle for carrier, amount in used.items()}
        rows.append(Row(last.id, "oxidiser", last.title, last.shop, used, wasted, last.meters))
    return rows


def _air_rows(compressors: Sequence[Compressor], blown: Blown, idle_fraction: Floats, hours: float) -> list[Row]:
    gone = blown.leaked_nm3 + blown.delivered_nm3
    useless = blown.leaked_nm3 + idle_fraction * blown.delivered_nm3
    share = np.divide(useless, gone, out=np.ones_like(gone), where=gone > 0.0)
    rows = []
    for number, one in enumerate(compressors):
        power, idle = blown.power_kw[number] * hours, blown.unloaded_kw[number] * hours
        wasted = {"electricity": idle + (power - idle) * share}
        rows.append(Row(one.id, "compressor", one.title, one.shop, {"electricity": power}, wasted, one.meters))
    return rows


def _loop_rows(utilities: Utilities, driven: Driven, took: Mapping[str, Took], ran: Ran) -> list[Row]:
    """Return the rows of halls, pumps and sources; a source wastes the share of its loop's need that makes nothing."""
    names, h, shut = [one.id for one in utilities.loops], driven.hours, 1.0 - driven.open_fraction
    useless = np.zeros_like(ran.wanted)
    for booth in utilities.booths:
        for which, kw in (
            (booth.heat_from, took[booth.id].idle_heat_kw),
            (booth.cool_from, took[booth.id].idle_cold_kw),
        ):
            if which in names:
                useless[names.index(which)] += kw
    for load in utilities.loads:
        number = names.index(load.loop)
        useless[number] += load_kw(load, utilities.loops[number].hot, driven) * (driven.opened("loads", load.id) == 0.0)
    for place, hall in enumerate(utilities.halls):
        for name, kw in ((hall.heat_from, ran.hall_heat[place]), (hall.cool_from, ran.hall_cold[place])):
            if name is not None:
                useless[names.index(name)] += kw * shut
    for number, pipe in enumerate(utilities.loops):
        useless[number] += pipe.loss_kw * shut
    share = np.clip(np.divide(useless, ran.wanted, out=np.zeros_like(useless), where=ran.wanted > 0.0), 0.0, 1.0)
    rows = []
    for place, hall in enumerate(utilities.halls):
        moved = hall.cold_fan_kw_per_kw * ran.hall_cold[place] * h
        rest = hall.rest_fan_kw * shut * h
        fans = {"electricity": hall.fan_kw * driven.open_fraction * h + rest + moved}
        rows.append(
            Row(hall.id, "hall", hall.title, hall.shop, fans, {"electricity": rest + moved * shut}, hall.meters)
        )
    for number, pipe in enumerate(utilities.loops):
        pumps = pipe.pump_kw_per_kw * ran.served[number] * h
        rows.append(Row(pipe.id, "loop", pipe.title, None, {"electricity": pumps}, {"electricity": pumps * share[number]}, {}))  # fmt: skip
    return rows + _source_rows(utilities, ran, share, h)


def _source_rows(utilities: Utilities, ran: Ran, share: Floats, hours: float) -> list[Row]:
    names = [one.id for one in utilities.loops]
    rows = []
    every: tuple[Chiller | Heater, ...] = (*utilities.chillers, *utilities.heaters)
    for number, one in enumerate(every):
        wasted = share[names.index(one.loop)]
        if isinstance(one, Chiller):
            carrier, kind, per = "electricity", "chiller", 1.0
            used = ran.input[number] + one.tower_kw_per_kw * (ran.output[number] + ran.input[number])
        else:
            carrier, kind = source.CARRIER[one.kind], "heater"
            per = utilities.gas_kwh_per_nm3 if one.kind == GAS else 1.0
            used = ran.input[number] + one.standing_kw * one.available
        amount = used * hours / per
        rows.append(Row(one.id, kind, one.title, one.shop, {carrier: amount}, {carrier: amount * wasted}, one.meters))
    return rows
