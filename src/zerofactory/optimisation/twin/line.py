"""A line of production as the twin sees it: stations, buffers between them, operators and vehicles, shifts, the mix.

A station takes one piece from each of its buffers before it (an assembly), works on it, and puts it into the buffer after it;
what is rejected leaves, what is to be reworked goes to its rework buffer. Stations without a buffer before them never run dry;
a piece that leaves a station without a buffer after it is finished. Durations in seconds, powers in the carrier's unit an hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Literal

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.site.state_signal import STATE_NAMES

STATES = STATE_NAMES
OFF, WARM_UP, IDLE, STANDBY, WORKING, BLOCKED, FAILED, SETUP = range(8)
TITLES: Mapping[str, Text] = {
    "off": Text("停机", "off"),
    "warm_up": Text("预热", "warm-up"),
    "idle": Text("待料", "starved"),
    "standby": Text("待机", "standby"),
    "working": Text("加工", "working"),
    "blocked": Text("堵塞", "blocked"),
    "failed": Text("故障", "failed"),
    "setup": Text("换型", "set-up"),
}
CARRIERS: Mapping[str, str] = {
    "electricity": "kW",
    "natural_gas": "Nm3/h",
    "compressed_air": "Nm3/h",
    "water": "m3/h",
}
MOST_SHAPE = 1000.0  # of a gamma spread: its quantile is a series, and a spread as narrow as that is a normal one

Clock = Literal["working", "open"]


@dataclass(frozen=True, slots=True)
class Failure:
    """How long a machine works until it fails, how long a repair takes, and who is needed for it (pool, number; nobody waits otherwise).

    ``clock``: whether the time to a failure passes while the machine works, or as long as its shift is open.
    """

    between: Spread
    repair: Spread
    repairers: tuple[str, int] | None = None
    clock: Clock = "working"


@dataclass(frozen=True, slots=True)
class Draw:
    """What a machine takes of one carrier in each state, and for each piece beside that."""

    power: Mapping[str, float]
    per_piece: float = 0.0


@dataclass(frozen=True, slots=True)
class Station:
    """A station: ``machines`` alike, each with one piece at a time.

    Parameters
    ----------
    line, shop : ids of factory.toml.
    takes, gives, rework : buffers; ``rework`` gets the share ``rework_fraction`` of the pieces.
    scrap_fraction : rejected for good.
    setup_s : at each change of family.
    standby_after_s : a machine that waits longer goes to standby, and takes ``wake_s`` to come back.
    warm_up_s : before a shift begins, so that the machine is ready when it does.
    operators : ``(pool, number)`` that each machine holds while it works or is set up.
    """

    id: str
    title: Text
    cycle: Spread
    line: str | None = None
    shop: str | None = None
    machines: int = 1
    takes: tuple[str, ...] = ()
    gives: str | None = None
    rework: str | None = None
    scrap_fraction: float = 0.0
    rework_fraction: float = 0.0
    setup_s: float = 0.0
    cycle_factors: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    standby_after_s: float = float("inf")
    wake_s: float = 0.0
    warm_up_s: float = 0.0
    operators: tuple[str, int] | None = None
    draws: Mapping[str, Draw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Buffer:
    """A store: ``capacity`` pieces, those on their way (``travel_s``) included; vehicles of a pool carry them, if one is named.

    ``direct``: no place at all, a piece goes from machine to machine and waits in the first until the second is free.
    """

    id: str
    capacity: int = 0
    travel_s: float = 0.0
    vehicles: str | None = None
    title: Text | None = None
    direct: bool = False

    @property
    def room(self) -> int:
        """Pieces between the stations; none where they are handed over directly."""
        return 0 if self.direct else self.capacity


@dataclass(frozen=True, slots=True)
class Pool:
    """Operators or vehicles that stations or buffers share."""

    id: str
    number: int
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Work from ``start_s`` to ``end_s`` after the beginning of the run."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Line:
    """Everything that is simulated.

    Parameters
    ----------
    windows : shifts of every station that has none of its own in ``own_windows``; empty: always open.
    mix : families in the order in which they are started, repeated.
    blocks_before : a machine does not start while its buffer is full (instead of waiting with the finished piece).
    """

    stations: tuple[Station, ...]
    buffers: tuple[Buffer, ...] = ()
    pools: tuple[Pool, ...] = ()
    windows: tuple[Window, ...] = ()
    own_windows: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    mix: tuple[str, ...] = ("any",)
    blocks_before: bool = False

    def place(self, station: str) -> int:
        """Return the place of a station by its id."""
        return [one.id for one in self.stations].index(station)


def faults(line: Line, file: str | None = None) -> list[Problem]:
    """Return every fault of a line: unknown names, buffers of nothing, shares above one, negative times, no exit, no way out."""
    found, pools = [*_names(line)], sorted(one.id for one in line.pools)
    for one in line.buffers:
        where = f"buffers.{one.id}"
        if one.capacity < 1 and not one.direct:
            found.append(_fault("capacity", f"{where}.capacity", f"缓存“{one.id}”的容量为 {one.capacity}。", f"Buffer '{one.id}' holds {one.capacity}.", ("至少为 1; 机对机直接交接时写 direct = true。", "At least 1; where machines hand over directly write direct = true.")))  # fmt: skip
        if one.direct:
            found += _direct(one, where, line)
        if not 0 <= one.travel_s < inf:
            found.append(_negative(f"{where}.travel_s", one.travel_s))
        if one.vehicles is not None and one.vehicles not in pools:
            found.append(_fault("unknown", f"{where}.vehicles", f"没有资源“{one.vehicles}”。", f"There is no pool '{one.vehicles}'.", (f"可选: {', '.join(pools) or '(无, 请加 [[pools]])'}。", f"Choose one of: {', '.join(pools) or '(none: add [[pools]])'}.")))  # fmt: skip
    for pool in line.pools:
        if pool.number < 1:
            found.append(_fault("pool", f"pools.{pool.id}.number", f"资源“{pool.id}”的数量为 {pool.number}。", f"Pool '{pool.id}' has {pool.number}.", ("至少为 1。", "At least 1.")))  # fmt: skip
    for station in line.stations:
        found += _station(station, f"stations.{station.id}", line)
    if line.stations and not found:
        found += _flow(line)
    if not line.stations:
        found.append(_fault("empty", "stations", "没有工位。", "There is no station.", ("请加 [[stations]]。", "Add [[stations]].")))  # fmt: skip
    return [Problem(one.code, one.message, one.hint, file=file, column=one.column) for one in found]


def _fault(code: str, column: str, zh: str, en: str, hint: tuple[str, str]) -> Problem:
    return Problem(f"twin.{code}", Text(zh, en), Text(*hint), column=column)


def _negative(column: str, value: float) -> Problem:
    if not isfinite(value):
        return _fault("finite", column, f"{value} 不是有限的数。", f"{value} is no finite number.", ("请写非负数。", "Write a number not below zero."))  # fmt: skip
    return _fault("negative", column, f"{value:g} 不能为负。", f"{value:g} is below zero.", ("请写非负数。", "Write a number not below zero."))  # fmt: skip


def _direct(one: Buffer, where: str, line: Line) -> Iterator[Problem]:
    """A direct hand-over has no place, no way and no vehicle, and its taker takes nothing else."""
    if one.capacity > 0 or one.travel_s > 0 or one.vehicles is not None:
        yield _fault("direct", where, f"“{one.id}”是直接交接, 没有容量、路程和搬运车。", f"'{one.id}' hands over directly: it has no capacity, way or vehicle.", ("请去掉这些键, 或去掉 direct。", "Leave these keys out, or direct."))  # fmt: skip
    if line.blocks_before:
        yield _fault("direct", where, "blocks_before 的线不能直接交接。", "A line that blocks_before cannot hand over directly.", ("请给缓存, 或去掉 blocks_before。", "Give it a buffer, or leave blocks_before out."))  # fmt: skip
    for station in line.stations:
        if one.id in station.takes and len(station.takes) > 1:
            yield _fault("direct", where, f"“{station.id}”由多处取料, 不能直接交接。", f"'{station.id}' takes from several: it needs a place for each.", ("请给缓存容量。", "Give the buffer a capacity."))  # fmt: skip


def _names(line: Line) -> Iterator[Problem]:
    for kind, ids in (
        ("stations", [one.id for one in line.stations]),
        ("buffers", [one.id for one in line.buffers]),
        ("pools", [one.id for one in line.pools]),
    ):
        for name in sorted({one for one in ids if ids.count(one) > 1}):
            yield _fault("twice", kind, f"“{name}”出现两次。", f"'{name}' stands twice.", ("请改名。", "Rename one."))


def _station(one: Station, where: str, line: Line) -> Iterator[Problem]:
    yield from _connections(one, where, line)
    yield from _shares(one, where)
    if one.machines < 1:
        yield _fault("machines", f"{where}.machines", f"机器数为 {one.machines}。", f"It has {one.machines} machines.", ("至少为 1。", "At least 1."))  # fmt: skip
    for name in ("setup_s", "wake_s", "warm_up_s"):
        if not 0 <= getattr(one, name) < inf:
            yield _negative(f"{where}.{name}", getattr(one, name))
    if not one.standby_after_s >= 0:
        yield _negative(f"{where}.standby_after_s", one.standby_after_s)
    yield from _factors(one, where, line)
    yield from _spread(one.cycle, f"{where}.cycle", zero=False)
    if one.failure is not None:
        yield from _spread(one.failure.between, f"{where}.failure.between", zero=False)
        yield from _spread(one.failure.repair, f"{where}.failure.repair", zero=True)
        yield from _crew(one, where, line)
    for carrier, draw in one.draws.items():
        if carrier not in CARRIERS or set(draw.power) - set(STATES):
            yield _fault("draw", f"{where}.draws.{carrier}", f"不认识载能“{carrier}”或其状态。", f"'{carrier}' or one of its states is unknown.", (f"载能: {', '.join(CARRIERS)}; 状态: {', '.join(STATES)}。", f"Carriers: {', '.join(CARRIERS)}; states: {', '.join(STATES)}."))  # fmt: skip
        for value in (*draw.power.values(), draw.per_piece):
            if not 0 <= value < inf:
                yield _negative(f"{where}.draws.{carrier}", value)


def _factors(one: Station, where: str, line: Line) -> Iterator[Problem]:
    for family, factor in one.cycle_factors.items():
        if family not in line.mix:
            yield _fault("family", f"{where}.cycle_factors", f"mix 里没有“{family}”。", f"The mix has no '{family}'.", (f"可选: {', '.join(dict.fromkeys(line.mix))}。", f"Choose one of: {', '.join(dict.fromkeys(line.mix))}."))  # fmt: skip
        if not 0 < factor < inf:
            yield _fault("factor", f"{where}.cycle_factors.{family}", f"{factor:g} 应大于零。", f"{factor:g} is not above zero.", ("例如 1.2: 节拍长两成。", "For example 1.2: its cycle is a fifth longer."))  # fmt: skip


def _connections(one: Station, where: str, line: Line) -> Iterator[Problem]:
    buffers = sorted(b.id for b in line.buffers)
    for name in (*one.takes, *(x for x in (one.gives, one.rework) if x is not None)):
        if name not in buffers:
            yield _fault("unknown", where, f"没有缓存“{name}”。", f"There is no buffer '{name}'.", (f"可选: {', '.join(buffers)}。", f"Choose one of: {', '.join(buffers)}."))  # fmt: skip
    if one.operators is not None:
        pool, number = one.operators
        size = next((p.number for p in line.pools if p.id == pool), 0)
        if not 1 <= number <= size:
            yield _fault("operators", f"{where}.operators", f"资源“{pool}”给不出 {number} 人。", f"Pool '{pool}' cannot give {number}.", ("请核对资源与人数。", "Check the pool and the number."))  # fmt: skip


def _crew(one: Station, where: str, line: Line) -> Iterator[Problem]:
    """Those who repair are there, are enough, and do nothing else: who runs machines is not called away from them."""
    if one.failure is None or one.failure.repairers is None:
        return
    pool, number = one.failure.repairers
    where = f"{where}.failure.repairers"
    size = next((p.number for p in line.pools if p.id == pool), 0)
    if not 1 <= number <= size:
        yield _fault("repairers", where, f"资源“{pool}”给不出 {number} 人。", f"Pool '{pool}' cannot give {number}.", ("请核对资源与人数。", "Check the pool and the number."))  # fmt: skip
    busy = [p.operators[0] for p in line.stations if p.operators is not None] + [b.vehicles for b in line.buffers]
    if pool in busy:
        yield _fault("repairers", where, f"资源“{pool}”也用作操作员或搬运车。", f"Pool '{pool}' also runs machines or carries pieces.", ("维修请用单独的 [[pools]]。", "Give those who repair [[pools]] of their own."))  # fmt: skip


def _shares(one: Station, where: str) -> Iterator[Problem]:
    for name in ("scrap_fraction", "rework_fraction"):
        value = getattr(one, name)
        if not 0.0 <= value <= 1.0:
            yield _fault("fraction", f"{where}.{name}", f"{value:g} 应在 0 与 1 之间。", f"{value:g} does not lie between 0 and 1.", ("例如 0.02。", "For example 0.02."))  # fmt: skip
    if one.scrap_fraction + one.rework_fraction > 1.0:
        yield _fault("fraction", f"{where}.rework_fraction", "报废与返修之和超过 1。", "Scrap and rework together exceed 1.", ("请改小。", "Make them smaller."))  # fmt: skip
    if one.rework_fraction > 0 and one.rework is None:
        yield _fault("rework", f"{where}.rework", "返修件没有去处。", "Reworked pieces have nowhere to go.", ("请用 rework 指明缓存。", "Name a buffer with rework."))  # fmt: skip


def _spread(one: Spread, where: str, *, zero: bool) -> Iterator[Problem]:
    numbers = (one.mean_s, one.low_s, one.high_s, one.step_s, one.sd_s, one.mode_s, *one.values_s)
    wrong = [value for value in numbers if not 0 <= value < inf] + [v for v in (one.shape,) if not 0 < v < inf]
    if wrong:
        yield _negative(where, wrong[0])
        return
    if one.kind == "empirical" and not one.values_s:
        yield _fault("spread", where, "没有实测值。", "It has no observed values.", ("请在 values_s 中列出。", "List them in values_s."))  # fmt: skip
    elif one.kind == "uniform" and one.high_s < one.low_s:
        yield _fault("spread", where, "上限低于下限。", "Its upper end lies below its lower end.", ("请交换两数。", "Exchange them."))  # fmt: skip
    elif one.kind == "triangular" and not one.low_s <= one.mode_s <= one.high_s:
        yield _fault("spread", where, f"最可能值 {one.mode_s:g} 不在 {one.low_s:g} 与 {one.high_s:g} 之间。", f"The likeliest, {one.mode_s:g}, does not lie between {one.low_s:g} and {one.high_s:g}.", ("请给 low_s ≤ mode_s ≤ high_s。", "Give low_s ≤ mode_s ≤ high_s."))  # fmt: skip
    elif one.kind == "gamma" and one.shape > MOST_SHAPE:
        yield _fault("spread", where, f"形状 {one.shape:g} 超过 {MOST_SHAPE:g}。", f"Its shape {one.shape:g} exceeds {MOST_SHAPE:g}.", ("这么窄的分布请用 normal 或 fixed。", "Use normal or fixed for a spread as narrow as that."))  # fmt: skip
    elif not zero and one.average_s <= 0:
        yield _fault("spread", where, "平均时长为零。", "It takes no time on average.", ("请写正数。", "Write a number above zero."))  # fmt: skip
    elif not _drawable(one):
        yield _fault("spread", where, f"{one.kind} 的均值 {one.mean_s:g} 与形状 {one.shape:g} 算不出分布。", f"A {one.kind} of mean {one.mean_s:g} and shape {one.shape:g} cannot be drawn.", ("形状一般在 0.3 与 10 之间; 均值须大于零。", "Shapes usually lie between 0.3 and 10; the mean must be above zero."))  # fmt: skip


def _drawable(one: Spread) -> bool:
    try:
        return all(isfinite(value) for value in one.coded())
    except (OverflowError, ValueError, ZeroDivisionError):
        return False


def _flow(line: Line) -> Iterator[Problem]:
    """Every piece must be able to leave: a station that ends nowhere reachable is named, and buffers nobody takes from."""
    takers: dict[str, list[str]] = {}
    for one in line.stations:
        for name in one.takes:
            takers.setdefault(name, []).append(one.id)
    givers = {name for one in line.stations for name in (one.gives, one.rework) if name}
    for buffer in line.buffers:
        if buffer.id not in takers or buffer.id not in givers:
            yield _fault("buffer", f"buffers.{buffer.id}", f"缓存“{buffer.id}”无人放入或无人取用。", f"Nobody puts into buffer '{buffer.id}', or nobody takes from it.", ("请连接工位, 或删去。", "Connect a station, or delete it."))  # fmt: skip
    exits = {one.id for one in line.stations if one.gives is None}
    reach = set(exits)
    grown = True
    while grown:
        more = {one.id for one in line.stations if one.gives and set(takers.get(one.gives, ())) & reach} - reach
        reach |= more
        grown = bool(more)
    for one in line.stations:
        if one.id not in reach:
            yield _fault("exit", f"stations.{one.id}", f"工件到了“{one.id}”就出不去。", f"No piece that reaches '{one.id}' can ever leave.", ("请让最后一个工位不写 gives。", "Let the last station have no gives."))  # fmt: skip
    if not any(not one.takes for one in line.stations):
        yield _fault("entry", "stations", "没有起点工位。", "No station starts the line.", ("请让首个工位不写 takes。", "Let the first station have no takes."))  # fmt: skip


def serial(line: Line) -> Sequence[int] | None:
    """Return the places of the stations of a plain serial line in their order, None where the line is not one.

    Plain: one machine a station, each buffer from one station to the next, no scrap, rework, set-up, shifts, operators,
    transport or standby. Such a line is a recursion and needs no events.
    """
    if line.windows or line.own_windows or line.pools or len(set(line.mix)) > 1:
        return None
    for one in line.stations:
        odd = one.machines > 1 or one.scrap_fraction or one.rework_fraction or one.setup_s or len(one.takes) > 1
        if odd or one.standby_after_s != float("inf") or one.cycle.kind == "empirical":
            return None
        if one.failure is not None and (one.failure.clock == "open" or "empirical" in (one.failure.between.kind, one.failure.repair.kind)):  # fmt: skip
            return None
    if any(buffer.travel_s for buffer in line.buffers):
        return None
    taker = {one.takes[0]: place for place, one in enumerate(line.stations) if one.takes}
    starts = [place for place, one in enumerate(line.stations) if not one.takes]
    if len(starts) != 1 or len(taker) != len(line.stations) - 1:
        return None
    order = [starts[0]]
    while line.stations[order[-1]].gives is not None:
        following = taker.get(str(line.stations[order[-1]].gives))
        if following is None or following in order:
            return None
        order.append(following)
    return order if len(order) == len(line.stations) else None
