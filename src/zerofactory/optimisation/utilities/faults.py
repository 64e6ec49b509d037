"""What cannot be in a description of utilities: names that lead nowhere, bands and windows upside down, loops nobody feeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.utilities.booth import Window
from zerofactory.optimisation.utilities.plant import GAS, Utilities
from zerofactory.optimisation.utilities.tank import WATER_KWH_PER_M3_K

STOPPED_BY: Mapping[str, tuple[str, ...]] = {
    "booth": ("below_fraction", "outside_k"),
    "load": ("below_fraction",),
    "air": ("below_kpa",),
    "hall": ("below_celsius", "above_celsius"),
}
"""What a stop may hang on, and the limits it takes then."""
FULL_LOAD = 0.02  # by which the coefficients of a part-load curve may miss 1: they are rounded in print


def faults(one: Utilities, file: str | None = None) -> list[Problem]:
    """Return every fault of the utilities, each with the table it stands in."""
    found = [*_twice(one), *_loops(one), *_booths(one), *_ovens(one), *_air(one), *_halls(one), *_stops(one)]
    return [Problem(item.code, item.message, item.hint, file=file, column=item.column) for item in found]


def _fault(code: str, column: str, message: tuple[str, str], hint: tuple[str, str]) -> Problem:
    return Problem(f"utilities.{code}", Text(*message), Text(*hint), column=column)


def _name(column: str, name: str, choices: Sequence[str]) -> Problem:
    few = ", ".join(choices) or "–"
    return _fault("name", column, (f"没有“{name}”。", f"There is no '{name}'."), (f"可选: {few}。", f"Choose one of: {few}."))  # fmt: skip


def _order(column: str, low: float, high: float) -> Problem:
    return _fault("order", column, (f"{low:g} 不低于 {high:g}。", f"{low:g} is not below {high:g}."), ("请对调或改正。", "Swap or mend them."))  # fmt: skip


def _twice(one: Utilities) -> Iterator[Problem]:
    ids = [row.id for table in (one.booths, one.ovens, one.oxidisers, one.compressors, one.halls, one.loops, one.chillers, one.heaters, one.tanks, one.stops) for row in table]  # fmt: skip
    for name, count in Counter(ids).items():
        if count > 1:
            yield _fault("twice", name, (f"“{name}”出现 {count} 次。", f"'{name}' stands {count} times."), ("请改名。", "Rename one."))  # fmt: skip


def _loops(one: Utilities) -> Iterator[Problem]:
    hot = [loop.id for loop in one.loops if loop.hot]
    cold = [loop.id for loop in one.loops if not loop.hot]
    named = [("chillers", row.id, row.loop, cold) for row in one.chillers]
    named += [("heaters", row.id, row.loop, hot) for row in one.heaters]
    named += [("loads", row.id, row.loop, [*hot, *cold]) for row in one.loads]
    named += [("tanks", row.id, row.loop, [*hot, *cold]) for row in one.tanks]
    for table, name, on, choices in named:
        if on not in choices:
            yield _name(f"{table}.{name}.loop", on, choices)
    fed = {row.loop for row in one.chillers} | {row.loop for row in one.heaters}
    for loop in one.loops:
        if loop.id not in fed:
            yield _fault("unfed", f"loops.{loop.id}", (f"“{loop.id}”没有冷热源。", f"Nothing feeds '{loop.id}'."), ("请加 [[chillers]] 或 [[heaters]]。", "Add [[chillers]] or [[heaters]]."))  # fmt: skip
        low, high = sorted((loop.supply_celsius, loop.return_celsius))
        if low == high or (loop.supply_celsius == high) != loop.hot:
            yield _order(f"loops.{loop.id}", loop.return_celsius if loop.hot else loop.supply_celsius, loop.supply_celsius if loop.hot else loop.return_celsius)  # fmt: skip
        if sum(tank.loop == loop.id for tank in one.tanks) > 1:
            yield _fault("tanks", f"loops.{loop.id}", ("一个管网只能有一个蓄罐。", "A loop has one store at most."), ("请合并成一个。", "Join them."))  # fmt: skip
    for chiller in one.chillers:
        if abs(sum(chiller.part_load) - 1.0) > FULL_LOAD:
            yield _fault("part_load", f"chillers.{chiller.id}.part_load", (f"满负荷时合计 {sum(chiller.part_load):g}, 应为 1。", f"It adds up to {sum(chiller.part_load):g} at full load, not to 1."), ("请改正三个系数。", "Mend the three coefficients."))  # fmt: skip
    for tank in one.tanks:
        layer = tank.volume_m3 / 2.0 * WATER_KWH_PER_M3_K
        if tank.loss_kw_per_k + tank.exchange_kw_per_k > layer:
            yield _fault("tank", f"tanks.{tank.id}.loss_kw_per_k", (f"一小时散失超过一层所存的热(每度 {layer:g} kWh)。", f"It loses in an hour more than a layer holds ({layer:g} kWh a kelvin)."), ("请核对容积与散热。", "Check volume and loss."))  # fmt: skip
        if not set(tank.charge_hours) <= set(range(24)):
            yield _fault("hours", f"tanks.{tank.id}.charge_hours", ("小时应为 0–23。", "Hours are 0 to 23."), ("请改正。", "Mend them."))  # fmt: skip


def _booths(one: Utilities) -> Iterator[Problem]:
    hot = [loop.id for loop in one.loops if loop.hot]
    cold = [loop.id for loop in one.loops if not loop.hot]
    for booth in one.booths:
        where = f"booths.{booth.id}"
        if booth.heat_from not in (GAS, *hot):
            yield _name(f"{where}.heat_from", booth.heat_from, [GAS, *hot])
        if booth.cool_from not in cold:
            yield _name(f"{where}.cool_from", booth.cool_from, cold)
        for name, window in (("window", booth.window), ("rest", booth.rest)):
            yield from _window(f"{where}.{name}", window)


def _window(where: str, window: Window) -> Iterator[Problem]:
    if window.low_celsius > window.high_celsius:
        yield _order(where, window.low_celsius, window.high_celsius)
    if window.low_fraction > window.high_fraction:
        yield _order(where, window.low_fraction, window.high_fraction)


def _ovens(one: Utilities) -> Iterator[Problem]:
    names = [oven.id for oven in one.ovens]
    for oven in one.ovens:
        if oven.standby_celsius > oven.set_celsius:
            yield _order(f"ovens.{oven.id}.standby_celsius", oven.standby_celsius, oven.set_celsius)
        if oven.metal_celsius > oven.set_celsius:
            yield _order(f"ovens.{oven.id}.metal_celsius", oven.metal_celsius, oven.set_celsius)
    for last in one.oxidisers:
        if not last.ovens:
            yield _name(f"oxidisers.{last.id}.ovens", "", names)
        for name in last.ovens:
            if name not in names:
                yield _name(f"oxidisers.{last.id}.ovens", name, names)


def _air(one: Utilities) -> Iterator[Problem]:
    hot = [loop.id for loop in one.loops if loop.hot]
    if one.network is None and (one.compressors or one.air):
        yield _fault("network", "air", ("有空压机或用气点, 但没有 [network]。", "There are compressors or consumers and no [network]."), ("请加 [network]。", "Add [network]."))  # fmt: skip
    if one.network is not None and not one.compressors:
        yield _fault("network", "compressors", ("管网没有空压机。", "The network has no compressor."), ("请加 [[compressors]]。", "Add [[compressors]]."))  # fmt: skip
    if one.network is not None and one.network.heat_to is not None and one.network.heat_to not in hot:
        yield _name("network.heat_to", one.network.heat_to, hot)
    for item in one.compressors:
        where = f"compressors.{item.id}"
        if item.load_kpa >= item.unload_kpa:
            yield _order(f"{where}.load_kpa", item.load_kpa, item.unload_kpa)
        if item.control == "variable":
            flows = [flow for flow, _ in item.curve]
            if len(flows) < 2 or flows != sorted(set(flows)) or flows[-1] != 1.0:
                yield _fault("curve", f"{where}.curve", ("变频机需要至少两点、流量递增到 1 的曲线。", "A variable compressor needs a curve of two points or more, flows rising to 1."), ("例如 [[0.3, 0.4], [1, 1]]。", "Such as [[0.3, 0.4], [1, 1]]."))  # fmt: skip


def _halls(one: Utilities) -> Iterator[Problem]:
    for hall in one.halls:
        where = f"halls.{hall.id}"
        for key, name, hot in (("heat_from", hall.heat_from, True), ("cool_from", hall.cool_from, False)):
            choices = [loop.id for loop in one.loops if loop.hot == hot]
            if name is not None and name not in choices:
                yield _name(f"{where}.{key}", name, choices)
        for low, high in ((hall.heat_celsius, hall.cool_celsius), (hall.rest_heat_celsius, hall.rest_cool_celsius)):
            if low is not None and high is not None and low >= high:
                yield _order(f"{where}.heat_celsius", low, high)


def _stops(one: Utilities) -> Iterator[Problem]:
    there: Mapping[str, Sequence[str]] = {
        "booth": [row.id for row in one.booths], "load": [row.id for row in one.loads],
        "air": [row.id for row in one.air], "hall": [row.id for row in one.halls],
    }  # fmt: skip
    own = {"booth": {row.id: row.stations for row in one.booths}, "air": {row.id: row.stations for row in one.air}}
    limits = sorted({name for names in STOPPED_BY.values() for name in names})
    for stop in one.stops:
        where = f"stops.{stop.id}"
        kinds = [kind for kind in STOPPED_BY if getattr(stop, kind) is not None]
        if len(kinds) != 1:
            yield _fault("stop", where, ("要写 booth、load、air、hall 之一。", "It takes one of booth, load, air and hall."), ("请只写一个。", "Write one of them only."))  # fmt: skip
            continue
        kind = kinds[0]
        name = str(getattr(stop, kind))
        if name not in there[kind]:
            yield _name(f"{where}.{kind}", name, there[kind])
        elif not stop.stations and not own.get(kind, {}).get(name):
            yield _fault("stop", f"{where}.stations", ("没有写明停哪些工位。", "It does not say which stations stop."), ("请写 stations。", "Write stations."))  # fmt: skip
        given = [limit for limit in limits if getattr(stop, limit) is not None]
        few = " / ".join(STOPPED_BY[kind])
        if not given:
            yield _fault("stop", where, ("没有写限值。", "It has no limit."), (f"可写: {few}。", f"Write {few}."))
        for limit in sorted(set(given) - set(STOPPED_BY[kind])):
            yield _fault("stop", f"{where}.{limit}", (f"{kind} 没有限值 {limit}。", f"A stop by {kind} takes no {limit}."), (f"可写: {few}。", f"Write {few}."))  # fmt: skip
        if (
            stop.below_celsius is not None
            and stop.above_celsius is not None
            and stop.below_celsius >= stop.above_celsius
        ):
            yield _order(f"{where}.below_celsius", stop.below_celsius, stop.above_celsius)
