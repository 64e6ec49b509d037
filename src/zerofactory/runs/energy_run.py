"""Run the plant: plan every quarter of an hour, and tell the devices what the plan says, where the plant allows it.

    contents of the stores ─► plan (`energy_dispatch`) ─► Orders ─► Commander ─► devices
          └ a plan that fails: the last one holds until its validity ends, then the safe state

While a plan is made the devices are looked after all the same (heartbeat, ramps, end of validity). SIGTERM and Ctrl-C end in
order, with the safe state; a process that is killed leaves that to the device's watchdog and to the next process.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import polars as pl
import sqlalchemy as sa

from zerofactory.connectors.command import Commander, held, preview
from zerofactory.connectors.command_file import read_permits
from zerofactory.connectors.command_log import Command
from zerofactory.connectors.driven import Orders
from zerofactory.errors import FaultyData, Problem, Text, ZeroFactoryError
from zerofactory.runs import command_book, energy_dispatch
from zerofactory.runs.context import Context, clock
from zerofactory.store.journal import canonical
from zerofactory.store.workspace import Workspace

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Told = Callable[[Problem], None]


class Planned(Protocol):
    """The part of a plan that is needed here; `energy_dispatch.Dispatch` is one."""

    @property
    def at(self) -> datetime:
        """The moment from which on it holds."""

    @property
    def setpoints(self) -> Mapping[str, Mapping[str, float]]:
        """Asset → action → value, for now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How to run: what the planner is asked, how often, and whether anything is really sent.

    ``at`` plans for another moment than now, which is only for looking (``dry_run``).
    """

    plan: energy_dispatch.Asked
    dry_run: bool = False
    once: bool = False
    every_minutes: float = 15.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One turn: the plan it had (None: it failed, and why), and what was told to the devices."""

    at: datetime
    plan_id: str | None
    valid_until: datetime | None
    failed: tuple[Problem, ...]
    commands: tuple[Command, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = ("asset", "action", "kind", "unit", "wished", "target", "sent", "read_back", "cut", "outcome", "reason")
        return {
            "at": self.at.isoformat(),
            "plan_id": self.plan_id,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "failed": [problem.as_json() for problem in self.failed],
            "commands": [{name: getattr(one, name) for name in names} for one in self.commands],
        }


@dataclass(frozen=True, slots=True)
class Ran:
    """What a spell of running came to: its rounds, and the assets that did not confirm their safe state at the end."""

    rounds: tuple[Round, ...]
    not_safe: tuple[str, ...]


Planner = Callable[[Context, energy_dispatch.Asked], Planned]


def run(
    context: Context,
    asked: Asked,
    on_round: Callable[[Round], None] = lambda _round: None,
    tell: Told = lambda _problem: None,
    planner: Planner = energy_dispatch.run,
) -> Ran:
    """Plan and command until a signal, for some seconds, or once.

    Raises
    ------
    FaultyData
        commands.toml has faults, another dispatcher is at work, or another moment was asked for without ``dry_run``.
    """
    if asked.plan.at is not None and not asked.dry_run:
        raise FaultyData([_not_now()])
    if asked.dry_run:
        made = _dry(context, asked, planner, tell)
        on_round(made)
        return Ran((made,), ())
    with held(context.workspace.folder):
        return asyncio.run(_Running(context, asked, planner, tell).all(on_round))


def orders_of(plan: Planned, valid_minutes: float) -> Orders:
    """Return what a plan orders: its id is the hash of its moment and setpoints."""
    said = canonical([plan.at.isoformat(), {name: dict(own) for name, own in plan.setpoints.items()}])
    until = plan.at + timedelta(minutes=valid_minutes)
    return Orders(hashlib.sha256(said.encode()).hexdigest()[:12], _us(until), plan.setpoints)


def _dry(context: Context, asked: Asked, planner: Planner, tell: Told) -> Round:
    folder = context.workspace.folder
    permits, warnings = read_permits(folder)
    for problem in warnings:
        tell(problem)
    now = clock()
    given = asked.plan if asked.plan.at else replace(asked.plan, at=_quarter(now, asked.every_minutes))
    plan = planner(context, given)
    orders = orders_of(plan, permits.rules.valid_minutes)
    as_if = now if asked.plan.at is None else plan.at
    return _round(plan.at, orders, preview(folder, orders, _us(as_if)))


class _Running:
    """One spell of running."""

    def __init__(self, context: Context, asked: Asked, planner: Planner, tell: Told) -> None:
        self._context, self._asked, self._planner, self._tell = context, asked, planner, tell
        workspace = context.workspace
        self._commander = Commander(workspace.folder, workspace.plant, tell=tell)
        self._stop = asyncio.Event()
        self._rounds: list[Round] = []
        self._not_safe: tuple[str, ...] = ()

    async def all(self, on_round: Callable[[Round], None]) -> Ran:
        """Turn after turn, then the safe state, whatever happened."""
        await asyncio.to_thread(self._drain)
        beating = asyncio.create_task(self._commander.run(self._stop))
        timer = None
        if self._asked.seconds is not None:
            timer = asyncio.get_running_loop().call_later(self._asked.seconds, self._stop.set)
        why = "failed"
        with _signals(self._stop):
            try:
                while not self._stop.is_set():
                    made = await self._unless_stopped(self._turn())
                    if made is not None:
                        self._rounds.append(made)
                        del self._rounds[:-1000]
                        on_round(made)
                    if self._asked.once or made is None:
                        break
                    await self._until_next()
                why = "stopped"
            finally:
                if timer is not None:
                    timer.cancel()
                self._stop.set()
                await beating
                self._not_safe = await self._commander.end(why)
                await asyncio.to_thread(self._drain)
        return Ran(tuple(self._rounds), self._not_safe)

    async def _turn(self) -> Round:
        """Plan and command. A plan that fails leaves the last one in force: its validity is watched by the commander."""
        now = clock()
        at = _quarter(now, self._asked.every_minutes)
        try:
            contents = {**(self._asked.plan.contents or {}), **await self._commander.contents()}
            problems = _without_content(self._commander, contents)
            if problems:
                return Round(now, None, None, problems, ())
            fresh = replace(self._context, workspace=Workspace(self._context.workspace.folder), now=now)
            given = replace(self._asked.plan, at=at, contents=contents)
            plan = await asyncio.to_thread(self._planner, fresh, given)
        except Exception as error:  # whatever made the plan fail, the devices are looked after
            return Round(now, None, None, _problems_of(error), ())
        orders = orders_of(plan, self._commander.permits.rules.valid_minutes)
        commands = await self._commander.command(orders)
        await asyncio.to_thread(self._drain)
        return _round(now, orders, commands)

    async def _unless_stopped(self, turn: object) -> Round | None:
        """Return the turn, or None when we are told to stop before it is done: the safe state does not wait for a plan."""
        working = asyncio.ensure_future(turn)  # type: ignore[call-overload]
        stopping = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working in done:
            made: Round = working.result()
            return made
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        return None

    async def _until_next(self) -> None:
        every = timedelta(minutes=self._asked.every_minutes)
        now = datetime.now(UTC)
        wait = (_quarter(now, self._asked.every_minutes) + every - now).total_seconds()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait)

    def _drain(self) -> None:
        """Bring the commands into the book; while it is busy they wait on disk."""
        try:
            command_book.drain(self._context, self._commander.log)
        except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError, ZeroFactoryError, pl.exceptions.PolarsError) as error:
            self._tell(_book_busy(error))


def _round(at: datetime, orders: Orders, commands: tuple[Command, ...]) -> Round:
    until = datetime.fromtimestamp(orders.valid_until_us / 1_000_000, UTC)
    return Round(at, orders.plan_id, until, (), commands)


def _without_content(commander: Commander, contents: Mapping[str, float]) -> tuple[Problem, ...]:
    """Return a fault for every store that we command and whose content should be read and was not, or cannot be true."""
    found = []
    for name, one in commander.driven.items():
        if one.wire.content is not None and not 0.0 <= contents.get(name, -1.0) <= 1.0 and commander.gate(name) is None:
            found.append(_no_content(name, contents.get(name)))
    return tuple(found)


def _quarter(moment: datetime, minutes: float) -> datetime:
    """Return the start of the interval that a moment lies in.

    Examples
    --------
    >>> _quarter(datetime(2026, 1, 15, 8, 44, 59, tzinfo=UTC), 15)
    datetime.datetime(2026, 1, 15, 8, 30, tzinfo=datetime.timezone.utc)
    """
    period = timedelta(minutes=minutes)
    return EPOCH + (moment - EPOCH) // period * period


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _problems_of(error: Exception) -> tuple[Problem, ...]:
    if isinstance(error, FaultyData):
        return tuple(error.problems)
    said = (str(error) or type(error).__name__).splitlines()[0][:200]
    message = Text(f"计划失败: {said}", f"The plan failed: {said}")
    hint = Text(
        "上一计划在有效期内继续; 之后转入安全状态。", "The last plan holds until it is too old; then the safe state."
    )
    return (Problem("dispatch.failed", message, hint),)


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT end running in order."""
    loop = asyncio.get_running_loop()
    handled = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def _not_now() -> Problem:
    return Problem(
        "commands.not_now",
        Text("为别的时刻做的计划不能下发。", "A plan for another moment is not sent."),
        Text("请去掉 --at, 或加 --dry-run 只看不发。", "Leave out --at, or look with --dry-run."),
    )


def _no_content(asset: str, shown: float | None) -> Problem:
    said = "—" if shown is None else f"{shown:g}"
    return Problem(
        "commands.no_content",
        Text(f"“{asset}”的存量读不到或不可信({said}), 不做计划。", f"The content of '{asset}' cannot be read or believed ({said}); no plan is made."),
        Text("请检查设备与 commands.toml 的 content。", "Look at the device and at 'content' in commands.toml."),
        file=asset,
    )  # fmt: skip


def _book_busy(error: Exception) -> Problem:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return Problem(
        "commands.book_busy",
        Text(f"账本暂时写不进: {said}", f"The book cannot be written for now: {said}"),
        Text("指令记录留在磁盘上, 稍后入账。", "The commands stay on disk and are booked later."),
        severity="warning",
    )
