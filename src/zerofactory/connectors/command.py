"""The commander: setpoints of plans go to devices only where the plant allows it, and never stay behind when plans end.

    plan ─► Orders ─► gate (commands.toml, override) ─► limits, ramp ─► log ─► device ─► read back ─► log
                                     one `Driven` an asset, each on its own beat

One dispatcher a workspace: the folder ``dispatch/`` is locked by whoever commands. What is held is written down, so that the
next process brings the safe state where the one before was killed (the device's own watchdog has done so long before).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from zerofactory.connectors.collect import now_us
from zerofactory.connectors.command_file import NO_WIRE, Permits, Wire, read_permits, refusal
from zerofactory.connectors.command_log import Command, CommandLog
from zerofactory.connectors.driven import OVERRIDE, Control, Driven, Orders, cut_to_limits, inside
from zerofactory.connectors.health import Events, read_status, write_status
from zerofactory.connectors.link import Surroundings
from zerofactory.connectors.override import is_overridden
from zerofactory.connectors.spool import locked
from zerofactory.errors import Problem, Text
from zerofactory.site.model import Plant

HOME = "dispatch"
QUEUE_ROWS = 10_000


class Commander:
    """Commands the devices of a workspace. Make it inside `held`; end it with `end`.

    Parameters
    ----------
    notice : told of every command that came to its end.
    tell : told of every fault, at most once a minute each.
    clock : the present moment in µs since 1970.
    """

    def __init__(
        self,
        folder: Path,
        plant: Plant,
        notice: Callable[[Command], None] = lambda _command: None,
        tell: Callable[[Problem], None] = lambda _problem: None,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self.folder, self.home = folder, folder / HOME
        self.home.mkdir(parents=True, exist_ok=True)
        self.permits, warnings = read_permits(folder)
        self.log = CommandLog(self.home, self._ended)
        self._notice, self._tell_on, self._now_us = notice, tell, clock
        self._events = Events(self.home)
        self._rows: list[Command] = []
        around = Surroundings(plant, folder, self.tell, clock, QUEUE_ROWS)
        control = Control(self.gate, self.log, self.permits.rules, self._hold)
        left = read_status(self.home / "holding.json")
        self.driven = {
            name: Driven(wire, around, control, taken_over=left.get(name) == _mark(wire))
            for name, wire in self.permits.wires.items()
        }
        for problem in warnings:
            self.tell(problem)

    def gate(self, asset: str) -> str | None:
        """Return why nothing may be sent to an asset at this moment; None when it may."""
        if is_overridden(self.folder, asset):
            return OVERRIDE
        return refusal(self.folder, asset, self.permits.wires.get(asset))

    def tell(self, problem: Problem) -> None:
        """Note a fault; pass it on the first time and then at most once a minute."""
        if self._events.tell(problem):
            self._tell_on(problem)

    async def command(self, orders: Orders) -> tuple[Command, ...]:
        """Take the setpoints of a plan; return what was told to every device, or why it was not."""
        self._rows = []
        for command in _unwired(self.permits, orders, self._now_us(), self.log.name):
            with contextlib.suppress(OSError):  # nothing was sent; a full disk is told where something is to be sent
                self.log.end(command)
        await asyncio.gather(*(self._order(one, orders) for one in self.driven.values()))
        return tuple(self._rows)

    async def run(self, stop: asyncio.Event) -> None:
        """Look after every device on its own beat until ``stop`` is set."""
        await asyncio.gather(*(self._beat(one, stop) for one in self.driven.values()))

    async def contents(self) -> dict[str, float]:
        """Return how full the stores are, as their devices say; those that do not answer are left out."""
        shown = await asyncio.gather(*(one.content() for one in self.driven.values()))
        return {name: value for name, value in zip(self.driven, shown, strict=True) if value is not None}

    async def end(self, why: str) -> tuple[str, ...]:
        """Bring every device that was commanded to its safe state and hang up; return those that did not confirm it.

        What a person has in hand is left as it is.
        """
        ended = await asyncio.gather(*(self._end(one, why) for one in self.driven.values()))
        return tuple(name for name, well in zip(self.driven, ended, strict=True) if not well)

    async def _order(self, one: Driven, orders: Orders) -> None:
        try:
            await one.order(orders)
        except Exception as error:  # a library may raise anything; the device must not be left to itself
            await one.dropped(error)

    async def _beat(self, one: Driven, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await one.beat()
            except Exception as error:  # as above
                await one.dropped(error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), one.every_seconds)

    async def _end(self, one: Driven, why: str) -> bool:
        until = time.monotonic() + self.permits.rules.end_seconds
        well = False
        while not well:
            try:
                well = await one.safe(why)
            except Exception as error:  # as above
                await one.dropped(error)
            if well or self.gate(one.wire.asset) == OVERRIDE or time.monotonic() >= until:
                break
            await asyncio.sleep(0.2)
        await one.close()
        return well or self.gate(one.wire.asset) == OVERRIDE

    def _ended(self, command: Command) -> None:
        self._rows.append(command)
        self._notice(command)

    def _hold(self) -> None:
        """Write down which devices are held: the next process reads it when this one is killed."""
        held = {name: _mark(one.wire) for name, one in self.driven.items() if one.holds or one.safe_is_due}
        write_status(self.home / "holding.json", held)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only dispatcher of a workspace; the lock dies with the process.

    Raises
    ------
    FaultyData
        Another dispatcher is at work.
    """
    home = folder / HOME
    home.mkdir(parents=True, exist_ok=True)
    lock: sqlite3.Connection = locked(home, _busy(home))
    try:
        yield
    finally:
        lock.close()


def preview(folder: Path, orders: Orders, at_us: int) -> tuple[Command, ...]:
    """Return what would be told to every device; nothing is opened, sent or written down. The ramp is not known here."""
    permits, _ = read_permits(folder)
    number = iter(range(1, 1_000_000))
    found = _unwired(permits, orders, at_us, lambda _: f"preview-{next(number)}")
    for name, wire in permits.wires.items():
        wishes = [(one.write, one.wish(orders.setpoints.get(name, {}))) for one in wire.channels]
        named = [(write, wish) for write, wish in wishes if wish is not None]
        reason = OVERRIDE if is_overridden(folder, name) else refusal(folder, name, wire)
        if not all(math.isfinite(wish) for _, wish in named):
            reason = "not_a_number"
        elif at_us >= orders.valid_until_us:
            reason = "plan_expired"
        for write, wish in named:
            command = Command(
                f"preview-{next(number)}", at_us, name, write.id, "setpoint", write.unit, wish, None, None, None,
                "", "", "", "", "", orders.plan_id,
            )  # fmt: skip
            if reason is not None:
                found.append(command.because("refused", reason))
                continue
            target, cut = cut_to_limits(write, wish)
            found.append(replace(command, target=target, sent=inside(write, target), cut=cut, outcome="would_send"))
    return tuple(found)


def _unwired(permits: Permits, orders: Orders, at_us: int, name: Callable[[int], str]) -> list[Command]:
    """Return a refusal for every action of a plan that no write of commands.toml carries out."""
    found = []
    for asset, actions in orders.setpoints.items():
        wire = permits.wires.get(asset)
        carried = {action for one in wire.channels for action in one.actions} if wire is not None else set()
        for action, value in actions.items():
            if action not in carried:
                unit = action.rpartition("_")[2]
                command = Command(
                    name(at_us), at_us, asset, action, "setpoint", unit, value, None, None, None, "", "", "", "", "",
                    orders.plan_id,
                )  # fmt: skip
                reason = ("no_channel" if wire is not None else NO_WIRE) if permits.allowed else "plant_not_allowed"
                found.append(command.because("refused", reason))
    return found


def _mark(wire: Wire) -> str:
    return hashlib.sha256(wire.entry.encode()).hexdigest()[:16]


def _busy(home: Path) -> Problem:
    return Problem(
        "connectors.dispatcher_held",
        Text("另一个调度进程正在控制该工作区的设备。", "Another dispatcher commands the devices of this workspace."),
        Text("每个工作区只能有一个; 请先停止它。", "There is one a workspace; stop it first."),
        file=str(home),
    )
