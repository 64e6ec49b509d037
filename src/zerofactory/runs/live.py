"""Live: follow a workspace beside a running `zf collect`, and say what the open month comes to so far.

    book (segments, documents) ─┐
    spool, as acknowledged      ├─► monitoring.live ─► snapshots, one a second
    collect/latest.json         ┘   (what registers show between two edges)

Nothing is written and nothing is locked. A batch of the book that was a spool file already read is left out; everything else is
safe to take twice, because of repeated readings the newest known holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.connectors.health import read_status
from zerofactory.connectors.tail import Rows, SpoolTail
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.grid import Integers
from zerofactory.metering.reading import QUALITIES
from zerofactory.monitoring.live import LEVELS, Level, Live, Running, Snapshot
from zerofactory.monitoring.open_month import Incoming, live_rules
from zerofactory.monitoring.stream import Event, Stream
from zerofactory.periods import Period
from zerofactory.runs.close import readings_of
from zerofactory.runs.context import Context, clock
from zerofactory.runs.live_price import prices
from zerofactory.runs.profile import months_of
from zerofactory.site.model import Plant
from zerofactory.store.schema import ACTIVITIES, BATCHES
from zerofactory.store.series import segments_of
from zerofactory.store.workspace import PLANT_FILE, Workspace

STATUS_IS_OLD_SECONDS = 15.0
READ_AGAIN = (OSError, pl.exceptions.PolarsError)
RATE_FROM_US = 60_000_000  # a register's rate is told from what it counted in a minute or more


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show: levels, how often, for how long; a month (default: the one of the newest reading)."""

    levels: tuple[Level, ...] = LEVELS
    every_seconds: float | None = None
    seconds: float | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot with what only the shell can know: when, how old the newest reading is, whether the month is sealed."""

    at: datetime
    snapshot: Snapshot
    age_seconds: float | None
    collecting: bool
    provisional: bool
    sealed_gco2e: int | None
    time_zone: str

    def more(self) -> dict[str, object]:
        """Return it as further totals of an event."""
        return {
            "provisional": self.provisional,
            "sealed_gco2e": self.sealed_gco2e,
            "age_seconds": None if self.age_seconds is None else round(self.age_seconds, 3),
            "collecting": self.collecting,
        }


class Follower:
    """Follows one workspace.

    Raises
    ------
    FaultyData
        There is no reading yet.
    """

    def __init__(self, context: Context, period: Period | None = None) -> None:
        self._context, self._fixed = context, period
        self._seq, self._moved_on = 0, False
        self._tail = SpoolTail(context.workspace.folder / "collect" / "spool")
        self._begin()

    def take(self) -> bool:
        """Take what is new; return whether anything was."""
        workspace = self._context.workspace
        if _stamp(workspace.folder / PLANT_FILE) != self._plant_stamp:
            return self._again()
        entry = workspace.journal.last()  # before the spool: what is booked by now has left the file that is written to
        rows = self._tail.read()
        changed = self._feed(rows)
        if self._moved_on:
            return self._again()
        if entry is not None and entry.seq != self._seq:
            try:
                self._take_book()
            except READ_AGAIN:
                return self._run_on() or changed  # a month was just closed under our hands: the next look reads it
            self._seq = entry.seq
            changed = True
        return self._run_on() or changed

    def look(self, levels: Sequence[Level] = LEVELS, settle: bool = False) -> Look:
        """Return what is known now."""
        snapshot, now = self.live.snapshot(levels, settle), clock()
        newest = snapshot.newest_known_us
        seal = self._seal
        return Look(
            now,
            snapshot,
            now.timestamp() - newest / 1e6 if newest else None,
            is_collecting(self._context.workspace.folder),
            seal is None,
            None if seal is None else int(str(seal["total_gco2e"])),
            self.live.plant.time_zone,
        )

    def close(self) -> None:
        """Let go of the spool."""
        self._tail.close()

    def _begin(self) -> None:
        """Read the book and the spool as they are."""
        workspace = self._context.workspace
        plant = workspace.plant
        self._plant_stamp = _stamp(workspace.folder / PLANT_FILE)
        entry = workspace.journal.last()
        self._seq = entry.seq if entry else 0
        waiting = self._tail.read()
        period = self._fixed or newest_month(self._context, waiting)
        seal = workspace.seal_of(period.label)
        known_at = self._context.today if seal is None else date.fromisoformat(str(seal["known_at"]))
        self.live = Live(plant, workspace.factor_book, period, known_at, prices(self._context, period))
        self._end_us = round(period.end(plant.time_zone).timestamp()) * 1_000_000
        self._row = self.live.month.row_of
        self._register = np.array([meter.kind == "register" for meter in self.live.month.meters])
        self._moved_on = False
        self._batches: set[str] = set(workspace.batches()["batch_id"])
        readings, _ = readings_of(self._context, period)
        self.live.take(incoming_of(readings, self._row))
        self._feed(waiting)
        self._documents()
        self._latest_stamp: tuple[int, int] | None = None
        self._run_on()

    def _again(self) -> bool:
        """Begin anew, because the plant file was changed or a new month has begun; go on as before while the file has faults."""
        stamp = _stamp(self._context.workspace.folder / PLANT_FILE)
        context = Context(Workspace(self._context.workspace.folder), clock(), self._context.actor)
        try:
            fresh = Follower(context, self._fixed)
        except (FaultyData, *READ_AGAIN):
            self._plant_stamp = stamp
            return False
        self._tail.close()
        self.__dict__.update(fresh.__dict__)
        return True

    def _feed(self, found: Sequence[Rows]) -> bool:
        for rows in found:
            known = np.array([self._row.get(name, -1) for name in rows.names], dtype=np.int64)
            meter = known[rows.code] if len(known) else rows.code
            self._moved_on |= self._fixed is None and self._is_beyond(meter, rows.started_us)
            self.live.take(
                Incoming(meter, rows.started_us, rows.known_us, rows.value, (rows.quality + 1).astype(np.uint8))
            )
        return bool(found)

    def _is_beyond(self, meter: Integers, started_us: Integers) -> bool:
        """Whether a reading belongs to the month after: later than its first instant, or at it and not a register's."""
        beyond = started_us + np.where(self._register[meter], 0, 1) > self._end_us
        return bool((beyond & (meter >= 0)).any())

    def _take_book(self) -> None:
        """Take the batches that are new in the book and did not come by way of the spool; and the documents."""
        workspace = self._context.workspace
        label = self.live.period.label
        end = self.live.period.end(workspace.plant.time_zone)
        following = Period.containing(end, workspace.plant.time_zone).label
        batches = workspace.journal.active(BATCHES)
        fresh = batches.filter(~pl.col("batch_id").is_in(list(self._batches)) & (pl.col("kind") == "readings"))
        fresh = fresh.filter(~pl.col("file_sha256").is_in(list(self._tail.finished)))
        segments = [s for s in segments_of(fresh) if workspace.series.path(s.file).is_file()]
        own = workspace.series.read([s for s in segments if s.period == label])
        after = workspace.series.read_at([s for s in segments if s.period == following], end)
        for frame in (own, after):
            if frame.height:
                self.live.take(incoming_of(frame, self._row))
        later = workspace.series.read([s for s in segments if s.period > label])
        if later.height and self._fixed is None:
            coming = incoming_of(later, self._row)
            self._moved_on |= self._is_beyond(coming.meter, coming.started_us)
        self._batches |= set(batches["batch_id"])
        self._documents()

    def _documents(self) -> None:
        workspace, label = self._context.workspace, self.live.period.label
        self.live.document(
            workspace.journal.active(ACTIVITIES, {"period": label}, brought_by="import").drop("reverses")
        )
        self._seal = workspace.seal_of(label)

    def _run_on(self) -> bool:
        """Take what registers show since their last whole slot, when the collector has renewed it."""
        path = self._context.workspace.folder / "collect" / "latest.json"
        stamp = _stamp(path)
        if stamp == self._latest_stamp:
            return False
        self._latest_stamp = stamp
        self.live.run_on(running_of(path, self.live))
        return True


def follow(context: Context, asked: Asked) -> Iterator[Look]:
    """Yield a look every so often until told to stop, or for some seconds; the first one at once."""
    follower = Follower(context, asked.period)
    every = asked.every_seconds or live_rules().refresh_seconds
    began = due = time.monotonic()
    try:
        while asked.seconds is None or time.monotonic() - began < asked.seconds:
            follower.take()
            if time.monotonic() >= due:
                yield follower.look(asked.levels)
                due = max(due + every, time.monotonic())
            time.sleep(min(live_rules().tail_seconds, every))
    finally:
        follower.close()


def once(context: Context, asked: Asked) -> Look:
    """Return one look with every gap estimated."""
    follower = Follower(context, asked.period)
    try:
        return follower.look(asked.levels, settle=True)
    finally:
        follower.close()


def events(context: Context, asked: Asked) -> Iterator[Event]:
    """Yield the stream of events that pages and programs read."""
    stream = Stream()
    for seen in follow(context, asked):
        yield stream.event(seen.snapshot, seen.at, seen.more())


def newest_month(context: Context, waiting: Sequence[Rows]) -> Period:
    """Return the month of the newest whole slot in the book or the spool; a register's reading belongs to what went before.

    Raises
    ------
    FaultyData
        There is no reading.
    """
    workspace = context.workspace
    plant = workspace.plant
    register = {meter.id for meter in plant.meters if meter.kind == "register"}
    signals = {signal.id for signal in plant.state_signals}  # codes of states begin no month
    found = [newest for rows in waiting if (newest := _newest_us(rows, register, signals)) is not None]
    for label in reversed(months_of(context)):
        segments = [segment for segment in workspace.open_segments() if segment.period == label]
        whole = workspace.series.read(segments).select("meter_id", pl.col("started_at").to_physical())
        frame = whole.filter(~pl.col("meter_id").is_in(list(signals)))
        if frame.is_empty() and whole.height:
            continue
        if frame.is_empty():
            found.append(round(Period.parse(label).start(plant.time_zone).timestamp()) * 1_000_000)
            break
        shown = frame.select(pl.col("started_at") - pl.col("meter_id").is_in(list(register)).cast(pl.Int64)).to_series()
        found.append(int(str(shown.max())))
        if Period.containing(_moment(found[-1]), plant.time_zone).label == label:
            break
    if not found:
        raise FaultyData([_nothing()])
    return Period.containing(_moment(max(found)), plant.time_zone)


def incoming_of(readings: pl.DataFrame, row_of: Mapping[str, int]) -> Incoming:
    """Return rows of READINGS as columns; meters the plant no longer has are left out."""
    if readings.is_empty():
        nothing = np.zeros(0, dtype=np.int64)
        return Incoming(nothing, nothing, nothing, np.zeros(0), np.zeros(0, dtype=np.uint8))
    names = readings["meter_id"].unique().to_list()
    known = {name: row_of.get(name, -1) for name in names}
    meter = readings["meter_id"].replace_strict(list(known), list(known.values()), return_dtype=pl.Int64).to_numpy()
    kept = meter >= 0
    quality = readings["quality"].cast(pl.Enum(list(QUALITIES))).to_physical().cast(pl.UInt8).to_numpy() + 1
    started, seen = (readings[name].to_physical().to_numpy() for name in ("started_at", "known_at"))
    value = readings["value"].to_numpy()
    return Incoming(meter[kept], started[kept], seen[kept], value[kept], quality[kept].astype(np.uint8))


def running_of(path: Path, live: Live) -> dict[str, Running]:
    """Return what meters show beyond their last whole slot, from the file the collector renews.

    A register: what it counted since, and the rate from that once a minute has passed. A gauge: its rate; what it comes to is
    told when the interval is whole.
    """
    found: dict[str, Running] = {}
    month = live.month
    for name, (at_us, value) in read_status(path).items():
        row = month.row_of.get(name)
        if row is None:
            continue
        meter, reached = month.meters[row], int(month.reached[row])
        since_us = int(at_us) - month.grid.start_us - reached * month.grid.step_us
        if not (month.reached[row] and 0 < since_us <= 2 * month.grid.step_us and reached < month.grid.slots):
            continue
        if meter.kind == "gauge":
            found[name] = Running(0, round(float(value) * meter.multiplier * month.grid.minutes / 60.0 * 1000.0))
            continue
        last = month.last_reading(row)
        if meter.kind == "register" and last is not None and float(value) >= last[1]:
            milli = round((float(value) - last[1]) * meter.multiplier * 1000.0)
            rate = round(milli * month.grid.step_us / since_us) if since_us >= RATE_FROM_US else None
            found[name] = Running(milli, rate)
    return found


def is_collecting(folder: Path) -> bool:
    """Whether `zf collect` runs on a workspace: its status file is fresh and does not say that it ended."""
    path = folder / "collect" / "status.json"
    status = read_status(path)
    try:
        return status.get("stopped") is False and time.time() - path.stat().st_mtime < STATUS_IS_OLD_SECONDS
    except OSError:
        return False


def _newest_us(rows: Rows, register: set[str], signals: set[str]) -> int | None:
    early = np.array([name in register for name in rows.names], dtype=np.int64)
    amounts = np.array([name not in signals for name in rows.names], dtype=np.bool_)[rows.code]
    shown = (rows.started_us - early[rows.code])[amounts] if len(rows) else rows.started_us
    return int(shown.max()) if len(shown) else None


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(us // 1_000_000, UTC)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _nothing() -> Problem:
    return Problem(
        code="live.no_readings",
        message=Text("还没有读数。", "There are no readings yet."),
        hint=Text("请先 zf collect 采集, 或 zf import 导入。", "Run zf collect, or import some with zf import."),
    )


def month_of(text: str | None) -> Period | None:
    """Return the month that was asked for; raise `FaultyData` when it is a year."""
    period = Period.parse(text) if text else None
    if period is not None and period.month is None:
        raise FaultyData(
            [
                Problem(
                    code="live.not_a_month",
                    message=Text(f"{period.label} 不是月份。", f"{period.label} is no month."),
                    hint=Text(f"请写 {period.label}-03 这样的月份。", f"Name a month, such as {period.label}-03."),
                )
            ]
        )
    return period


def levels_of(plant: Plant, by: str) -> tuple[Level, ...]:
    """Return the levels a table shows for one word; raise `NotFound` with the choices."""
    chosen: dict[str, tuple[Level, ...]] = {
        "site": ("site",), "shop": ("shop", "site"), "line": ("line",), "meter": ("meter",), "all": LEVELS,
    }  # fmt: skip
    if by not in chosen:
        raise NotFound(Text("层级", "level"), by, tuple(chosen))
    return chosen[by]
