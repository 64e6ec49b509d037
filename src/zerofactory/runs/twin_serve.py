"""Serve the twin beside the running plant: its line over OPC UA, live, replayed from the book, or simulated, until told to stop.

    Objects ─ <plant> ─ <shop> ─ <line> ─ <station>     State, Since, Power, ExpectedPower, Residual, MadeToday, …
            │         └ Buffers ─ <buffer>               Level, Capacity
            └ Machines                                   every station once more (the entry of OPC 40001-1)

Browse names are the ids of factory.toml; the tree follows the equipment hierarchy of IEC 62264-1 (site, area, line, unit).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from zerofactory.connectors.opc_ua_server import Entrance, Place, ReadOnlyServer, Status, Value, Variable
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin.line import STATES, TITLES, Station
from zerofactory.runs.context import Context, clock
from zerofactory.runs.twin_day import SimulatedDays
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_now import ELECTRICITY, Now, Quality, StationNow, Watcher

NAMESPACE = "urn:zerofactory:plant:"
SIMULATED_DAYS = 7
FASTEST = 100_000.0
ENERGY: Mapping[str, tuple[str, str, Text]] = {
    "electricity": ("EnergyToday", "kWh", Text("今日用电", "electricity since midnight")),
    "natural_gas": ("GasToday", "Nm3", Text("今日用气", "gas since midnight")),
    "compressed_air": ("AirToday", "Nm3", Text("今日用压缩空气", "compressed air since midnight")),
    "water": ("WaterToday", "m3", Text("今日用水", "water since midnight")),
}
ITEM_STATES: Mapping[str, str] = {
    "off": "NotAvailable", "standby": "NotAvailable", "failed": "OutOfService", "idle": "NotExecuting", "blocked": "NotExecuting",
    "warm_up": "Executing", "setup": "Executing", "working": "Executing",
}  # fmt: skip
"""States of a machinery item (OPC 40001-1, clause 12): which of them each state of the twin is."""
POWER = (
    Variable("Power", Text("功率", "power"), "number", "kW"),
    Variable("ExpectedPower", Text("应有功率", "power expected by the twin"), "number", "kW"),
    Variable("Residual", Text("残差(实测减应有, 占应有)", "measured less expected, by expected"), "number", "1"),
)
GRAMS = Variable("GCO2eToday", Text("今日排放(范围一、二)", "emissions since midnight (scopes 1 and 2)"), "number", "g")
SUMS = (Variable(ENERGY[ELECTRICITY][0], ENERGY[ELECTRICITY][2], "number", ENERGY[ELECTRICITY][1]), GRAMS)
STATUS: Mapping[Quality, Status] = {
    "good": "good",
    "suspect": "uncertain",
    "stale": "bad",
    "missing": "bad",
    "unmetered": "good",
}
"""A station that no meter sees says so, and that is certain."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is served.

    Parameters
    ----------
    replay : first day shown again; None: the line as it is now.
    simulated : whether that day comes from the twin instead of the book.
    speed : seconds shown in a second.
    seconds : when to stop by itself; None: when told.
    every_seconds : how often the values are renewed.
    """

    entrance: Entrance = field(default_factory=Entrance)
    replay: datetime | None = None
    simulated: bool = False
    speed: float = 1.0
    seconds: float | None = None
    every_seconds: float = 1.0
    seed: int = 1


@dataclass(slots=True)
class Served:
    """What was served: the address, how often values were renewed and how many changed, the last look."""

    url: str
    variables: int
    looks: int = 0
    changes: int = 0
    last: Now | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        at = None if self.last is None else self.last.at.isoformat()
        source = None if self.last is None else self.last.source
        return {
            "opc_ua": self.url,
            "variables": self.variables,
            "looks": self.looks,
            "changes": self.changes,
            "at": at,
            "source": source,
        }


class Looking(Protocol):
    """Whatever shows the line at a moment."""

    twin: Twin

    def look(self, at: datetime) -> Now:
        """Return the line at a moment."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


class Beside(Protocol):
    """Another server that runs in the same process."""

    async def start(self) -> None:
        """Begin to listen."""
        ...

    async def stop(self) -> None:
        """Hang up."""
        ...


def serve(context: Context, asked: Asked, told: Callable[[Served], None], beside: Beside | None = None) -> Served:
    """Serve until told to stop (Ctrl-C, SIGTERM) or for some seconds; ``told`` is called once everything listens.

    Raises
    ------
    FaultyData
        Faults of twin.toml or of what is asked; the library is missing; the address is taken.
    """
    _refuse(asked)
    return asyncio.run(_serve(context, asked, told, beside))


def source_of(context: Context, asked: Asked) -> Looking:
    """Return what shows the line; raise `FaultyData` for faults of twin.toml."""
    if asked.replay is None:
        return Watcher(context, "live")
    if asked.simulated:
        return SimulatedDays(context, _day(context, asked.replay), SIMULATED_DAYS, asked.seed)
    return Watcher(context, "replay")


async def _serve(context: Context, asked: Asked, told: Callable[[Served], None], beside: Beside | None) -> Served:
    looking = source_of(context, asked)
    plant = context.workspace.plant
    server = ReadOnlyServer(NAMESPACE + plant.id, f"zerofactory {plant.id}", asked.entrance)
    root = space(context, looking.twin, counted=asked.simulated)
    served = Served(server.url, sum(1 for _ in _names(root)))
    stopped = asyncio.Event()
    try:
        await server.start(root)
        if beside is not None:
            await beside.start()
        with _stopping(stopped):
            await _show(server, looking, asked, served, time.monotonic())
            told(served)
            began = time.monotonic()
            while not stopped.is_set() and (asked.seconds is None or time.monotonic() - began < asked.seconds):
                left = asked.every_seconds if asked.seconds is None else min(asked.every_seconds, asked.seconds)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), left)
                if not stopped.is_set():
                    await _show(server, looking, asked, served, began)
    finally:
        if beside is not None:
            await beside.stop()
        await server.stop()
        looking.close()
    return served


async def _show(server: ReadOnlyServer, looking: Looking, asked: Asked, served: Served, began: float) -> None:
    """Look once and write what changed; the looking is done beside the loop, so that clients are answered meanwhile."""
    at = clock() if asked.replay is None else asked.replay + timedelta(seconds=(time.monotonic() - began) * asked.speed)
    found = await asyncio.to_thread(looking.look, at)
    served.changes += await server.show(values(found, looking.twin, asked.speed if asked.replay else 1.0))
    served.looks += 1
    served.last = found


@contextlib.contextmanager
def _stopping(event: asyncio.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set an event, where the system lets us."""
    loop, taken = asyncio.get_running_loop(), []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, event.set)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


def space(context: Context, twin: Twin, *, counted: bool) -> Place:
    """Return the places of a plant with the variables that something measures; ``counted``: everything is counted (simulated)."""
    plant = context.workspace.plant
    stations = twin.line.stations
    shops = []
    for shop in plant.shops:
        own = [one for one in stations if one.shop == shop.id]
        if not own:
            continue
        places: list[Place] = []
        for line in [*dict.fromkeys(one.line for one in own)]:
            inside = tuple(_station(one, twin, counted=counted) for one in own if one.line == line)
            if line is None:
                places += inside
                continue
            title = next((one.name for one in plant.lines if one.id == line), inside[0].title)
            places.append(Place(f"line.{line}", line, title, "LineType", (*POWER, *SUMS), inside))
        shops.append(Place(f"shop.{shop.id}", shop.id, shop.name, "ShopType", (*POWER, *SUMS), tuple(places)))
    buffers = tuple(_buffer(one.id, twin, counted=counted) for one in twin.line.buffers)
    name = Text("缓存", "buffers")
    head = (
        Variable("At", Text("所示时刻", "the moment shown"), "moment"),
        Variable("Source", Text("来源(live、replay、simulated)", "live, replay or simulated"), "text"),
        Variable("SimulatedSpeed", Text("回放速度", "seconds shown in a second"), "number", "1"),
    )
    return Place(
        "plant", plant.id, plant.name, "PlantType", (*head, *POWER, *SUMS),
        (*shops, Place("buffers", "Buffers", name, "FolderType", (), buffers)),
    )  # fmt: skip


def _station(one: Station, twin: Twin, *, counted: bool) -> Place:
    metered = {carrier for station, carrier in twin.meters if station == one.id}
    known = set(one.draws) if counted else metered
    variables = [Variable("State", Text("状态", "state"), "text")]
    if one.id in twin.signals:
        variables.append(
            Variable("StateSource", Text("状态来源(signal、power)", "what tells the state: signal or power"), "text")
        )
    if counted or metered or one.id in twin.signals:
        names = tuple(TITLES[state] for state in STATES)
        variables += [
            Variable("StateNumber", Text("状态号", "number of the state"), "state", None, names),
            Variable(
                "MachineryItemState",
                Text("机械项状态(OPC 40001-1)", "state of the machinery item (OPC 40001-1)"),
                "text",
            ),
            Variable("Since", Text("自", "since"), "moment"),
        ]
    if ELECTRICITY in known:
        variables += POWER
    if counted or metered or ("made", one.id) in twin.counters or one.id in twin.signals:
        variables.append(Variable("MadeToday", Text("今日件数", "pieces since midnight"), "count", "piece"))
        variables.append(Variable("MadeTodayIs", Text("件数来源", "counted, estimated or simulated"), "text"))
    variables += [
        Variable(name, title, "number", unit) for carrier, (name, unit, title) in ENERGY.items() if carrier in known
    ]
    if known:
        variables.append(GRAMS)
    return Place(f"station.{one.id}", one.id, one.title, "StationType", tuple(variables), machine=True)


def _buffer(name: str, twin: Twin, *, counted: bool) -> Place:
    held = (Variable("Level", Text("在存件数", "pieces held"), "count", "piece"),)
    room = Variable("Capacity", Text("容量", "capacity"), "count", "piece")
    variables = (*held, room) if counted or ("level", name) in twin.counters else (room,)
    return Place(f"buffer.{name}", name, Text(name, name), "BufferType", variables)


def values(found: Now, twin: Twin, speed: float) -> dict[str, Value]:
    """Return what every variable says at a look, with the instant it is true for and its status."""
    told: dict[str, Value] = {
        "plant.At": Value(found.at, found.at), "plant.Source": Value(found.source, found.at),
        "plant.SimulatedSpeed": Value(speed, found.at), **_totals("plant", found.stations),
    }  # fmt: skip
    shops: dict[str, list[StationNow]] = {}
    lines: dict[str, list[StationNow]] = {}
    for station, one in zip(twin.line.stations, found.stations, strict=True):
        told |= _told(one)
        if one.shop is not None:
            shops.setdefault(one.shop, []).append(one)
        if station.line is not None:
            lines.setdefault(station.line, []).append(one)
    for kind, groups in (("shop", shops), ("line", lines)):
        for name, own in groups.items():
            told |= _totals(f"{kind}.{name}", own)
    for buffer in twin.line.buffers:
        held = found.levels.get(buffer.id)
        told[f"buffer.{buffer.id}.Level"] = Value(
            held, None if held is None else found.at, "bad" if held is None else "good"
        )
        told[f"buffer.{buffer.id}.Capacity"] = Value(buffer.capacity, None)
    return told


def _told(one: StationNow) -> dict[str, Value]:
    status, of_power = STATUS[one.quality], STATUS[one.of_power]
    seen = one.seen_until
    told = (one.signal_at or seen) if one.source == "signal" else seen
    state = one.state if one.quality != "unmetered" else "unmetered"
    item = None if one.state is None else ITEM_STATES[one.state]
    number = None if one.state is None else STATES.index(one.state)
    head = f"station.{one.id}."
    found = {
        "State": Value(state, told, status), "StateNumber": Value(number, told, status), "StateSource": Value(one.source, told, status),
        "MachineryItemState": Value(item, told, status), "Since": Value(one.since, told, status),
        "Power": Value(one.power_kw, seen, of_power), "ExpectedPower": Value(one.expected_kw, seen, of_power),
        "Residual": Value(one.residual_fraction, seen, of_power),
    }  # fmt: skip
    late: Status = "last" if of_power == "bad" else of_power
    found["MadeToday"] = Value(one.made_today, told, late if one.source != "signal" else status)
    found["MadeTodayIs"] = Value(one.made_is, told, late if one.source != "signal" else status)
    for carrier, (name, _, _) in ENERGY.items():
        found[name] = Value(one.energy_today.get(carrier), seen, late)
    found[GRAMS.name] = Value(one.gco2e_today, seen, late)
    return {head + name: value for name, value in found.items()}


def _totals(name: str, own: Sequence[StationNow]) -> dict[str, Value]:
    """Return the sums over stations; uncertain where one of them is not known, bad where none is."""
    stations = [one for one in own if one.of_power != "unmetered"]
    powered = [one for one in stations if one.power_kw is not None and one.expected_kw is not None]
    status: Status = "bad" if not powered else "good" if len(powered) == len(stations) else "uncertain"
    power = sum(one.power_kw or 0.0 for one in powered)
    expected = sum(one.expected_kw or 0.0 for one in powered)
    seen = min((one.seen_until for one in powered or stations if one.seen_until), default=None)
    energy = sum(one.energy_today.get(ELECTRICITY, 0.0) for one in stations)
    grams = sum(one.gco2e_today or 0.0 for one in stations)
    return {
        f"{name}.Power": Value(power, seen, status), f"{name}.ExpectedPower": Value(expected, seen, status),
        f"{name}.Residual": Value((power - expected) / expected if expected else None, seen, status),
        f"{name}.EnergyToday": Value(energy, seen, status), f"{name}.GCO2eToday": Value(grams, seen, status),
    }  # fmt: skip


def _names(place: Place) -> Iterator[str]:
    for variable in place.variables:
        yield f"{place.id}.{variable.name}"
    for one in place.places:
        yield from _names(one)


def _day(context: Context, moment: datetime) -> date:
    from zerofactory.periods import zone

    return moment.astimezone(zone(context.workspace.plant.time_zone)).date()


def _refuse(asked: Asked) -> None:
    problems = []
    if not 0.0 < asked.speed <= FASTEST:
        message = Text(
            f"速度 {asked.speed:g} 应大于 0, 至多 {FASTEST:g}。",
            f"A speed of {asked.speed:g} does not lie between 0 and {FASTEST:g}.",
        )
        problems.append(Problem("twin_serve.speed", message, Text("例如 60。", "Such as 60."), column="speed"))
    if asked.simulated and asked.replay is None:
        message = Text("模拟要指明从哪一天开始。", "A simulation needs the day to begin with.")
        problems.append(
            Problem(
                "twin_serve.simulated",
                message,
                Text("请加 --replay 2025-03-10。", "Add --replay 2025-03-10."),
                column="replay",
            )
        )
    if problems:
        raise FaultyData(problems)
