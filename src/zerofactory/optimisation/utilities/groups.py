"""Utilities that hang together: which meters see which of them, and what these meters would count by the model, day by day.

Two utilities hang together when a loop joins them, an oxidiser follows an oven, or a meter counts both. Such a group is simulated
and fitted by itself; a network of compressed air only where its heat goes into a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zerofactory.optimisation.utilities import booth as booths
from zerofactory.optimisation.utilities.booth import Booth, Took
from zerofactory.optimisation.utilities.driven import Driven, Floats
from zerofactory.optimisation.utilities.estimate import Model
from zerofactory.optimisation.utilities.knobs import Knob, turned
from zerofactory.optimisation.utilities.plant import Utilities, simulate
from zerofactory.optimisation.utilities.source import Chiller, Heater

HEATING = "heating"
"""The carrier of a part that is the heat a hall takes, as a heat meter of its own sees it."""
TABLES = ("booths", "ovens", "oxidisers", "halls", "loops", "loads", "chillers", "heaters", "tanks")
KEPT = 3  # runs of a booth that are kept: derivatives come back to the one they start from


@dataclass(frozen=True, slots=True)
class Gauge:
    """Meters that count something together, and what: utility and carrier, one or several."""

    meters: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """Utilities that hang together, and the gauges that see them."""

    utilities: Utilities
    gauges: tuple[Gauge, ...]
    ids: tuple[str, ...]


def gauges(meters: Mapping[tuple[str, str], Sequence[str]]) -> tuple[Gauge, ...]:
    """Return the gauges of (utility, carrier) and the meters of each: those that share a meter are one.

    >>> gauges({("rto-1", "electricity"): ("E1",), ("rto-2", "electricity"): ("E1",), ("oven", "gas"): ("G1", "G2")})[0].parts
    (('rto-1', 'electricity'), ('rto-2', 'electricity'))
    """
    joined = _components(
        [("meter", name) for names in meters.values() for name in names] + [("part", *part) for part in meters],
        [(("part", *part), ("meter", name)) for part, names in meters.items() for name in names],
    )
    found = []
    for one in joined:
        parts = tuple(part for part in meters if ("part", *part) in one)
        names = dict.fromkeys(name for part in parts for name in meters[part])
        if names:
            found.append(Gauge(tuple(names), parts))
    return tuple(found)


def sources(utilities: Utilities) -> tuple[Chiller | Heater, ...]:
    """Return what feeds the loops."""
    return (*utilities.chillers, *utilities.heaters)


def joined(utilities: Utilities, meters: Mapping[tuple[str, str], Sequence[str]]) -> tuple[Gauge, ...]:
    """Return the gauges of some utilities; the sources of a loop are one: which of them runs is a matter of control, not of physics."""
    shared: dict[tuple[str, str], str] = {}
    for part in meters:
        for row in sources(utilities):
            if row.id == part[0]:
                shared[part] = f"loop {row.loop}"
    every = {part: (*names, *([shared[part] + part[1]] if part in shared else [])) for part, names in meters.items()}
    made = {name + part[1] for part, name in shared.items()}
    return tuple(replace(one, meters=tuple(name for name in one.meters if name not in made)) for one in gauges(every))


def groups(utilities: Utilities, seen: Sequence[Gauge]) -> tuple[Group, ...]:
    """Return the groups that any gauge sees, in the order of the utilities."""
    rows = [("row", row.id) for table in TABLES for row in getattr(utilities, table)]
    found = []
    for one in _components(rows, [*_joins(utilities), *_counted(seen)]):
        ids = {name for _, name in one}
        own = tuple(gauge for gauge in seen if any(name in ids for name, _ in gauge.parts))
        if not own:
            continue
        kept: dict[str, Any] = {
            table: tuple(row for row in getattr(utilities, table) if row.id in ids) for table in TABLES
        }
        air = _heats(utilities, ids)
        part = replace(
            utilities, **kept, network=utilities.network if air else None, compressors=utilities.compressors if air else (),
            air=utilities.air if air else (), down=(), stops=(),
        )  # fmt: skip
        found.append(Group(part, own, tuple(name for _, name in rows if name in ids)))
    return tuple(found)


def model(group: Group, knobs: Sequence[Knob], driven: Driven) -> Model:
    """Return what the gauges of a group count on each day, gauge × day, as a function of some figures.

    A booth that is as it was in the call before, or in the first one, is not run again.
    """
    kept: dict[str, list[tuple[Booth, Took]]] = {}

    def counted(x: Floats) -> Floats:
        made = turned(group.utilities, knobs, tuple(x))
        for booth in made.booths:
            before = kept.setdefault(booth.id, [])
            found = next((one for one in before if one[0] == booth), None)
            if found is not None:
                before.remove(found)
            before.insert(0, found or (booth, booths.run(booth, driven)))
            del before[KEPT:]
        return days(group, made, driven, {name: before[0][1] for name, before in kept.items()})

    return counted


def days(group: Group, utilities: Utilities, driven: Driven, known: Mapping[str, Took] | None = None) -> Floats:
    """Return what the gauges of a group count on each day by the model, gauge × day."""
    ended = simulate(utilities, driven, known)
    per_day = round(24.0 / driven.hours)
    used = {(row.id, carrier): amount for row in ended.rows for carrier, amount in row.used.items()}
    for place, hall in enumerate(utilities.halls):
        used[hall.id, HEATING] = ended.loops.hall_heat[place] * driven.hours
    nothing = np.zeros(driven.length)
    sums = [np.sum([used.get(part, nothing) for part in gauge.parts], axis=0) for gauge in group.gauges]
    return np.asarray(np.array(sums).reshape(len(sums), -1, per_day).sum(axis=2))


def _heats(utilities: Utilities, ids: set[str]) -> bool:
    network = utilities.network
    return network is not None and network.recovered_fraction > 0.0 and network.heat_to in ids


def _joins(one: Utilities) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the pairs of utilities that loops and exhaust join."""
    there = {loop.id for loop in one.loops}
    ends = [(row.id, (row.heat_from, row.cool_from)) for row in one.booths]
    ends += [(hall.id, (hall.heat_from or "", hall.cool_from or "")) for hall in one.halls]
    for name, loops in ends:
        for loop in loops:
            if loop in there:
                yield ("row", name), ("row", loop)
    on = [(load.id, load.loop) for load in one.loads] + [(tank.id, tank.loop) for tank in one.tanks]
    for name, loop in [*on, *((source.id, source.loop) for source in sources(one))]:
        yield ("row", name), ("row", loop)
    for last in one.oxidisers:
        for name in last.ovens:
            yield ("row", last.id), ("row", name)


def _counted(seen: Sequence[Gauge]) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the pairs of utilities that a gauge counts together."""
    for gauge in seen:
        for name, _ in gauge.parts[1:]:
            yield ("row", gauge.parts[0][0]), ("row", name)


def _components(
    nodes: Sequence[tuple[str, ...]], pairs: Iterable[tuple[tuple[str, ...], tuple[str, ...]]]
) -> list[list[tuple[str, ...]]]:
    """Return the nodes that pairs join, in the order of the nodes; pairs with a node that is not there are passed over."""
    root = {node: node for node in nodes}

    def top(node: tuple[str, ...]) -> tuple[str, ...]:
        while root[node] != node:
            node = root[node]
        return node

    for first, second in pairs:
        if first in root and second in root:
            root[top(first)] = top(second)
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for node in root:
        found.setdefault(top(node), []).append(node)
    return list(found.values())
