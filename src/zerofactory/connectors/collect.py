"""The collector: every connection is attended by itself; what comes in is gated, spooled, flushed, then acknowledged.

    link ─ read ─► gate ─► commit (all links together, one flush) ─► link.acknowledge
      └ fault: close, wait (exponential, with jitter), open again

While the spool is full nothing is read further, nothing is acknowledged and nothing is lost: the samples in hand wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zerofactory.connectors.connection import CollectorRules, Wiring, protocols
from zerofactory.connectors.gate import Gate, GateRules, Passage, Refused
from zerofactory.connectors.health import Events, LinkHealth, append_line, refused_line, write_status
from zerofactory.connectors.link import Connection, Link, LinkFault, Surroundings
from zerofactory.connectors.sample import MICROSECONDS, Sample
from zerofactory.connectors.spool import Spool, SpoolFull
from zerofactory.errors import Problem, Text
from zerofactory.site.model import Plant

FULL_WAIT_SECONDS = 0.5


@dataclass(slots=True)
class _Wish:
    """Samples that wait to be flushed, and who waits for them."""

    samples: Sequence[Sample]
    refused: Sequence[Refused]
    done: asyncio.Future[None]


class Collector:
    """Runs the connections of a workspace until told to stop.

    Parameters
    ----------
    folder : Path
        Folder of the workspace; its ``collect/`` holds spool, status, events and the log of refused values.
    levels : mapping of meter to (µs, value)
        The last reading known of each meter.
    """

    def __init__(self, wiring: Wiring, plant: Plant, folder: Path, levels: Mapping[str, tuple[int, float]]) -> None:
        self.home = folder / "collect"
        self.home.mkdir(parents=True, exist_ok=True)
        self.rules: CollectorRules = wiring.rules
        self.spool = Spool(self.home / "spool", self.rules.spool_max_bytes, self.rules.spool_segment_bytes)
        self.events = Events(self.home)
        self.drain_wanted = asyncio.Event()
        self.full = False
        self.acknowledged = 0
        self._wiring = wiring
        self._gate = Gate((*plant.meters, *plant.state_signals), plant.time_zone, gate_rules(self.rules), levels)
        self._around = Surroundings(plant, folder, self.tell, now_us, self.rules.queue_rows)
        self.health = {connection.id: LinkHealth(since_us=now_us()) for connection in wiring.connections}
        self._wishes: list[_Wish] = []
        self._wished = asyncio.Event()
        self.on_event: Callable[[Problem], None] = lambda problem: None

    def tell(self, problem: Problem) -> None:
        """Note an event; pass it on the first time and then at most once a minute."""
        if self.events.tell(problem):
            self.on_event(problem)

    async def run(self, stop: asyncio.Event, once: bool = False) -> None:
        """Collect until ``stop`` is set (or, with ``once``, until every connection was read or found faulty once)."""
        committing = asyncio.create_task(self._commit_together())
        attending = [asyncio.create_task(self._attend(connection)) for connection in self._wiring.connections]
        watching = asyncio.create_task(self._write_status_now_and_then())
        showing = asyncio.create_task(self._write_latest_now_and_then())
        try:
            while not stop.is_set():
                if once and all(health.reads or health.faults for health in self.health.values()):
                    break
                for task in attending:
                    if task.done():
                        task.result()  # a bug in a link is not hidden
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.05 if once else 0.5)
        finally:
            await ended([*attending, watching, showing])
            await ended([committing])
            self.write_status(stopped=True)

    def status(self) -> dict[str, object]:
        """Return the health of everything, as written to ``collect/status.json``."""
        return {
            "at": now_us() // MICROSECONDS,
            "pid": os.getpid(),
            "acknowledged": self.acknowledged,
            "spool_bytes": self.spool.bytes_held,
            "spool_max_bytes": self.rules.spool_max_bytes,
            "spool_full": self.full,
            "events": dict(self.events.counts),
            "connections": {name: health.as_json() for name, health in self.health.items()},
        }

    def write_status(self, *, stopped: bool = False) -> None:
        """Write the status file."""
        write_status(self.home / "status.json", {**self.status(), "stopped": stopped})

    async def _attend(self, connection: Connection) -> None:
        """Open, read, acknowledge; after any fault wait and begin again."""
        kind, health = protocols()[connection.protocol], self.health[connection.id]
        passage = Passage(connection.values, kind.polled and connection.clock == "device", connection.replay)
        waits = Waits(self.rules.retry_first_seconds, self.rules.retry_longest_seconds)
        while True:
            link = kind.make(connection, self._around)
            try:
                await link.open()
                health.state, health.since_us = "up", now_us()
                await self._read_on(connection, link, passage, waits)
            except LinkFault as fault:
                self._note_fault(health, fault.problem.at(file=connection.id))
            except (OSError, TimeoutError) as error:
                self._note_fault(health, _unexpected(connection.id, error))
            finally:
                await link.close()
            await asyncio.sleep(waits.next())

    async def _read_on(self, connection: Connection, link: Link, passage: Passage, waits: Waits) -> None:
        health = self.health[connection.id]
        while True:
            arrivals = await link.read()
            now = now_us()
            admitted = self._gate.admit(arrivals, passage, now)
            if admitted.samples or admitted.refused:
                await self._commit(admitted.samples, admitted.refused)
            await link.acknowledge()
            health.took(len(arrivals), admitted, now)
            if arrivals:
                waits.reset()
                self._note_refused(connection.id, admitted.counts, admitted.skew_seconds)

    async def _commit(self, samples: Sequence[Sample], refused: Sequence[Refused]) -> None:
        """Return when samples are on disk."""
        wish = _Wish(samples, refused, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        self._wished.set()
        await wish.done

    async def _commit_together(self) -> None:
        """Write what all connections brought since the last flush, flush once, let all of them go on."""
        while True:
            await self._wished.wait()
            self._wished.clear()
            wishes, self._wishes = self._wishes, []
            samples = [sample for wish in wishes for sample in wish.samples]
            refused = [one for wish in wishes for one in wish.refused]
            while not await self._kept(samples, refused):
                self.drain_wanted.set()
                await asyncio.sleep(FULL_WAIT_SECONDS)
            self.acknowledged += len(samples)
            for wish in wishes:
                if not wish.done.done():
                    wish.done.set_result(None)

    async def _kept(self, samples: Sequence[Sample], refused: Sequence[Refused]) -> bool:
        """Write and flush; return False (and raise the alarm) when there is no room."""
        try:
            await asyncio.to_thread(self._write, samples, refused)
        except SpoolFull as full:
            self.full = True
            self.tell(full.problem)
            return False
        except OSError as error:
            self.full = True
            self.tell(
                SpoolFull(Text(f"磁盘写入失败: {error.strerror}。", f"Writing failed: {error.strerror}.")).problem
            )
            return False
        if self.full:
            self.full = False
            self.tell(_room_again())
        return True

    def _write(self, samples: Sequence[Sample], refused: Sequence[Refused]) -> None:
        if refused:
            lines = [refused_line(one) for one in refused]
            append_line(self.home / "refused.jsonl", lines, self.rules.refused_max_bytes, flush=True)
        if samples:
            self.spool.write(samples)

    async def _write_status_now_and_then(self) -> None:
        while True:
            self.write_status()
            await asyncio.sleep(self.rules.status_seconds)

    async def _write_latest_now_and_then(self) -> None:
        """Write what registers show between two readings, when it changed; live figures run on with it."""
        written: dict[str, tuple[int, float]] = {}
        while True:
            if self._gate.between != written:
                written = dict(self._gate.between)
                await asyncio.to_thread(write_status, self.home / "latest.json", written, indent=None)
            await asyncio.sleep(self.rules.latest_seconds)

    def _note_fault(self, health: LinkHealth, problem: Problem) -> None:
        if health.state != "down":
            health.since_us = now_us()
        health.state, health.last_fault = "down", problem
        health.faults += 1
        self.tell(problem)

    def _note_refused(self, connection_id: str, counts: Mapping[str, int], skew_seconds: float) -> None:
        for reason, (zh, en) in REFUSALS.items():
            if counts.get(reason):
                self.tell(_refusal(connection_id, reason, Text(zh, en)))
        if skew_seconds > self.rules.skew_warn_seconds:
            self.tell(_skew(connection_id, skew_seconds))


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: a cancellation that meets a finished wait can get lost (Python 3.11)."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)


class Waits:
    """How long to wait before the next try: doubles up to a limit, with jitter so that not all come back at once."""

    def __init__(self, first_seconds: float, longest_seconds: float) -> None:
        self._first, self._longest, self._count = first_seconds, longest_seconds, 0

    def next(self) -> float:
        """Return the next wait in seconds: between half and all of first × 2^tries, at most the longest."""
        wait = min(self._longest, self._first * 2.0 ** min(self._count, 30))
        self._count += 1
        return wait * random.uniform(0.5, 1.0)  # noqa: S311  (no secret depends on it)

    def reset(self) -> None:
        """Begin again with the first wait."""
        self._count = 0


REFUSALS: Mapping[str, tuple[str, str]] = {
    "unknown_meter": ("收到未知表计的数据, 未入账。", "Values of an unknown meter; not booked."),
    "not_a_number": ("收到非数值(NaN 或无穷), 未入账。", "Values that are no number; not booked."),
    "from_the_future": ("数据时间在未来, 未入账。", "Values from the future; not booked."),
    "off_grid": ("数据时间不在表计的时段上, 未入账。", "Values off the meter's grid of intervals; not booked."),
    "out_of_bounds": ("数值超出表计上下限, 未入账。", "Values beyond the meter's bounds; not booked."),
    "held": ("累计读数突变, 暂扣待下一读数确认。", "A register jumped; held until the next reading confirms or refutes it."),
    "jump": ("突变的累计读数被后续读数否定, 未入账。", "A register's jump was refuted by the next reading; not booked."),
    "new_register": ("累计读数从新起点继续, 按换表或复位入账。", "A register goes on from a new level: booked as replaced or reset."),
    "unknown_code": ("状态代码不在 states 里, 未入账。", "Codes of states that 'states' does not name; not booked."),
    "too_little_seen": ("时段内功率采样不足, 该时段留空。", "Too little of an interval was seen; it is left empty."),
}  # fmt: skip


def now_us() -> int:
    """Return the present moment in µs since 1970 (UTC)."""
    return time.time_ns() // 1000


def gate_rules(rules: CollectorRules) -> GateRules:
    """Return the part of the rules that the gate needs."""
    return GateRules(**{name: getattr(rules, name) for name in GateRules.__dataclass_fields__})


def _refusal(connection_id: str, reason: str, message: Text) -> Problem:
    hint = Text("明细见 collect/refused.jsonl。", "Details are in collect/refused.jsonl.")
    return Problem(f"connectors.{reason}", message, hint, file=connection_id, severity="warning")


def _skew(connection_id: str, seconds: float) -> Problem:
    return Problem(
        "connectors.clock_skew",
        Text(f"设备时钟与本机相差 {seconds:.0f} 秒。", f"The device's clock is {seconds:.0f} s off ours."),
        Text(
            "请对时(NTP); 时差会把电量记到相邻时段。", "Set it (NTP): skew books energy into the neighbouring interval."
        ),
        file=connection_id,
        severity="warning",
    )


def _room_again() -> Problem:
    return Problem(
        "connectors.spool_room",
        Text("暂存区又有空间, 采集继续, 未丢数据。", "The spool has room again; collecting goes on, nothing was lost."),
        Text("", ""),
        severity="warning",
    )


def _unexpected(connection_id: str, error: Exception) -> Problem:
    said = str(error) or type(error).__name__
    return Problem(
        "connectors.network",
        Text(f"网络故障: {said}", f"Network fault: {said}"),
        Text("自动重连。", "Reconnects by itself."),
        file=connection_id,
        severity="warning",
    )
