"""Collect: talk to the meters, keep what they say, bring it into the book.

    connections.toml ─► Collector ─► spool ─► (every quarter of an hour, and at the end) ─► book

The spool is drained in the background; while the book is busy or broken it only grows. SIGTERM and Ctrl-C end in order: links
are closed, the spool is drained a last time. A process that is killed loses nothing it acknowledged: the next one drains it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from zerofactory.connectors.collect import Collector, ended
from zerofactory.connectors.connection import Wiring, read_wiring
from zerofactory.connectors.health import read_status, write_status
from zerofactory.connectors.spool import SegmentContent, Spool, read_segment
from zerofactory.errors import Problem, Text, ZeroFactoryError
from zerofactory.monitoring.rule import defaults
from zerofactory.runs import alarms, book_readings
from zerofactory.runs.book_readings import ReadingParcel
from zerofactory.runs.context import Context, clock
from zerofactory.store.workspace import Workspace

Levels = dict[str, tuple[int, float]]
ROWS_A_DRAIN = 2_000_000


@dataclass(frozen=True, slots=True)
class Collected:
    """What one spell of collecting came to; ``acknowledged`` readings are on disk, ``booked`` of them in the book.

    ``recovered`` readings were on disk and not in the book when an earlier process was cut off.
    """

    acknowledged: int
    booked: int
    repeated: int
    refused: int
    waiting_bytes: int
    recovered: int
    status: dict[str, object]


@dataclass(slots=True)
class _Tally:
    booked: int = 0
    repeated: int = 0


def run(
    context: Context,
    seconds: float | None = None,
    once: bool = False,
    on_event: Callable[[Problem], None] = lambda problem: None,
) -> Collected:
    """Collect until a signal, for some seconds, or until every connection was read once.

    Raises
    ------
    FaultyData
        connections.toml has faults, or another process collects into this workspace.
    """
    wiring = read_wiring(context.workspace.folder, context.workspace.plant)
    return asyncio.run(_collect(context, wiring, (seconds, once), on_event))


async def _collect(
    context: Context, wiring: Wiring, until: tuple[float | None, bool], on_event: Callable[[Problem], None]
) -> Collected:
    workspace = context.workspace
    home = workspace.folder / "collect"
    levels = read_levels(home)
    collector = Collector(wiring, workspace.plant, workspace.folder, levels)
    collector.on_event = on_event
    before = read_status(home / "status.json")
    drain = Drain(context, collector.spool, home, levels, collector.tell)
    cut_off = before.get("stopped") is False
    if cut_off:
        collector.tell(_cut_off(int(before.get("at") or 0), len(collector.spool.waiting()), drain.left))
    stop = asyncio.Event()
    seconds, once = until
    with _signals(stop):
        draining = asyncio.create_task(_drain_now_and_then(collector, drain, wiring.rules.drain_seconds))
        watching = None if once else asyncio.create_task(_watch_now_and_then(collector, context))
        timer = asyncio.get_running_loop().call_later(seconds, stop.set) if seconds is not None else None
        try:
            await collector.run(stop, once)
        finally:
            if timer is not None:
                timer.cancel()
            await ended([draining, *([watching] if watching else [])])
            await asyncio.to_thread(drain.all)
            waiting = collector.spool.bytes_held
            collector.spool.close()
    refused = sum(one.counts[r] for one in collector.health.values() for r in one.counts if r in _REFUSED)
    return Collected(
        collector.acknowledged, drain.tally.booked, drain.tally.repeated, refused, waiting,
        drain.left if cut_off else 0, collector.status(),
    )  # fmt: skip


_REFUSED = (
    "unknown_meter", "not_a_number", "from_the_future", "off_grid", "out_of_bounds", "jump", "too_little_seen", "unknown_code",
)  # fmt: skip


class Drain:
    """Brings spool files into the book, oldest first, and throws each away when the book has it."""

    def __init__(
        self, context: Context, spool: Spool, home: Path, levels: Levels, tell: Callable[[Problem], None]
    ) -> None:
        self._context, self._spool, self._home = context, spool, home
        self._levels, self._tell = levels, tell
        self.tally = _Tally()
        self._guard = threading.Lock()  # a drain under way when collecting ends is waited for
        self.left = 0
        for path in spool.waiting():
            readings = read_segment(path).readings
            self.left += readings.height
            raise_levels(levels, readings)

    def all(self) -> bool:
        """Drain everything that waits; return whether the book took it. Never raises what the book raises: it is told."""
        try:
            with self._guard:
                self._spool.seal()
                self._drain(self._spool.waiting())
        except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError, ZeroFactoryError, pl.exceptions.PolarsError) as error:
            self._tell(_book_busy(error))
            return False
        return True

    def _drain(self, paths: list[Path]) -> None:
        contents: list[tuple[Path, SegmentContent]] = []
        for place, path in enumerate(paths):
            content = read_segment(path)
            for problem in content.problems:
                self._tell(problem)
            contents.append((path, content))
            if place + 1 == len(paths) or sum(one.readings.height for _, one in contents) >= ROWS_A_DRAIN:
                self._book(contents)
                contents = []

    def _book(self, contents: list[tuple[Path, SegmentContent]]) -> None:
        context = replace(self._context, workspace=Workspace(self._context.workspace.folder), now=clock())
        parcels = [ReadingParcel(f"collect-{path.name}", one.sha256, one.readings) for path, one in contents]
        done = book_readings.run(context, parcels)
        self.tally.booked += done.rows
        self.tally.repeated += done.repeated
        if done.into_closed:
            self._tell(_late(done.into_closed))
        for path, content in contents:
            raise_levels(self._levels, content.readings)
            if content.problems:
                path.replace(self._home / f"{path.name}.damaged")
            self._spool.discard(path)
        write_levels(self._home, self._levels)


async def _drain_now_and_then(collector: Collector, drain: Drain, every_seconds: float) -> None:
    """Drain what an earlier process left at once, then on the beat, or when the spool is full."""
    while True:
        took = await asyncio.to_thread(drain.all)
        collector.drain_wanted.clear()
        wait = every_seconds if took else min(every_seconds, 30.0)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(collector.drain_wanted.wait(), wait)


async def _watch_now_and_then(collector: Collector, context: Context) -> None:
    """Look at the newest days by every alarm rule on the beat; an alarm is told, and what the book refuses too."""
    while True:
        await asyncio.sleep(defaults("watch")["every_minutes"] * 60.0)
        now = replace(context, workspace=Workspace(context.workspace.folder), now=clock())
        try:
            told = await asyncio.to_thread(alarms.watch, now)
        except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError, ZeroFactoryError, pl.exceptions.PolarsError) as error:
            told = (_book_busy(error),)
        for problem in told:
            collector.tell(problem)


def read_levels(home: Path) -> Levels:
    """Return the last booked reading of each meter, or nothing when the file is absent or unreadable."""
    try:
        table = json.loads((home / "levels.json").read_text(encoding="utf-8"))
        return {str(name): (int(at), float(value)) for name, (at, value) in table.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def write_levels(home: Path, levels: Levels) -> None:
    """Keep the last booked readings; they only help the gate, so a lost file costs a comparison and no data."""
    write_status(home / "levels.json", dict(levels), indent=None)


def raise_levels(levels: Levels, readings: pl.DataFrame) -> None:
    """Move the levels up to the newest reading of each meter in a frame."""
    if readings.is_empty():
        return
    newest = readings.sort("started_at", "known_at").group_by("meter_id").last()
    for meter, started, value in newest.select("meter_id", pl.col("started_at").to_physical(), "value").iter_rows():
        if meter not in levels or started >= levels[meter][0]:
            levels[meter] = (started, value)


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT end collecting in order."""
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


def _cut_off(at: int, files: int, rows: int) -> Problem:
    """Return what is told when the process before was killed or the power went: since when, and what it left on disk."""
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Problem(
        "connectors.recovered",
        Text(
            f"上次采集在 {moment} 之后被强制中断; 暂存区 {files} 个文件、{rows} 条已确认的读数完好, 现在接着入账。",
            f"The process before was cut off after {moment}; {files} files with {rows} acknowledged readings are whole and go into the book now.",
        ),
        Text(
            "已确认的读数没有丢失; 中断期间的数据由支持重发的设备或代理补发。",
            "Nothing acknowledged was lost; devices and brokers that can send again what came while we were away.",
        ),
        severity="warning",
    )


def _book_busy(error: Exception) -> Problem:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return Problem(
        "connectors.book_busy",
        Text(f"账本暂时写不进: {said}", f"The book cannot be written for now: {said}"),
        Text("数据留在暂存区, 稍后再入账。", "The data stay in the spool and are booked later."),
        severity="warning",
    )


def _late(labels: tuple[str, ...]) -> Problem:
    listed = ", ".join(labels)
    return Problem(
        "connectors.into_closed",
        Text(f"有已封存月份({listed})的迟到读数, 已入账但尚未计入。", f"Late readings of closed months ({listed}) are booked, not yet counted."),
        Text("请运行 zf close --revise --reason 说明原因。", "Run zf close --revise --reason."),
        severity="warning",
    )  # fmt: skip
