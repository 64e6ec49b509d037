"""How collecting is doing: one record a connection, events with their counts, a status file that others may read."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zerofactory.connectors.gate import Admitted, Refused
from zerofactory.connectors.sample import to_moment
from zerofactory.errors import Problem

EVENT_LOG_BYTES = 8_388_608
QUIET_SECONDS = 60.0


@dataclass(slots=True)
class LinkHealth:
    """One connection: its state and what it brought. ``refused`` counts by reason, see `Gate`."""

    state: Literal["connecting", "up", "down"] = "connecting"
    since_us: int = 0
    last_arrival_us: int = 0
    arrivals: int = 0
    readings: int = 0
    reads: int = 0
    faults: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    skew_seconds: float = 0.0
    last_fault: Problem | None = None

    def took(self, arrivals: int, admitted: Admitted, now_us: int) -> None:
        """Count one acknowledged read."""
        self.reads += 1
        if arrivals:
            self.last_arrival_us = now_us
            self.arrivals += arrivals
            self.readings += len(admitted.samples)
            self.counts += admitted.counts
            self.skew_seconds = admitted.skew_seconds

    def as_json(self) -> dict[str, Any]:
        """Return the record as it stands in the status file."""
        fault = self.last_fault
        return {
            "state": self.state,
            "since": _iso(self.since_us),
            "last_arrival": _iso(self.last_arrival_us),
            "arrivals": self.arrivals,
            "readings": self.readings,
            "faults": self.faults,
            "counts": dict(self.counts),
            "skew_seconds": round(self.skew_seconds, 3),
            "last_fault": None if fault is None else {"code": fault.code, "zh": fault.sentence("zh"), "en": fault.sentence("en")},
        }  # fmt: skip


class Events:
    """What happened, each kind told at once and then counted: a flood of one fault is one line a minute."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "events.jsonl"
        self._seen: dict[tuple[str, str | None], tuple[int, float]] = {}
        self._guard = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.latest: dict[str, Problem] = {}

    def tell(self, problem: Problem) -> bool:
        """Take an event from any thread; return whether it was written (not merely counted)."""
        with self._guard:
            key = (problem.code, problem.file)
            count, told = self._seen.get(key, (0, -QUIET_SECONDS))
            self.counts[problem.code] += 1
            self.latest[problem.code] = problem
            now = time.monotonic()
            due = now - told >= QUIET_SECONDS
            self._seen[key] = (0, now) if due else (count + 1, told)
            if len(self._seen) > 10_000:
                self._seen.clear()
        if due:
            line = {"at": _iso(time.time_ns() // 1000), **problem.as_json(), "times": count + 1}
            append_line(self._path, [line], EVENT_LOG_BYTES)
        return due


def append_line(path: Path, entries: Iterable[Mapping[str, object]], max_bytes: int, *, flush: bool = False) -> None:
    """Append JSON lines to a bounded log: when it is full it becomes ``.1`` and a new one begins. A full disk is no fault
    of the caller's: what cannot be logged is left out, unless ``flush`` asks for certainty (then `OSError` is raised)."""
    try:
        if path.exists() and path.stat().st_size > max_bytes:
            path.replace(path.with_suffix(path.suffix + ".1"))
        with path.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
            if flush:
                stream.flush()
                os.fsync(stream.fileno())
    except OSError:
        if flush:
            raise


def refused_line(refused: Refused) -> dict[str, object]:
    """Return a refused value as it stands in the log (a value that is no number as text)."""
    value: object = refused.value if abs(refused.value) < float("inf") else str(refused.value)
    at = _iso(refused.at_us) if 0 < refused.at_us < 1 << 57 else str(refused.at_us)
    return {"reason": refused.reason, "meter": refused.meter_id, "at": at, "value": value}


def write_status(path: Path, content: Mapping[str, object], *, indent: int | None = 1) -> None:
    """Replace the status file; readers see the old or the new one, never half. A full disk is passed over."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=indent), encoding="utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)


def read_status(path: Path) -> dict[str, Any]:
    """Return the status file that a collector wrote last, or nothing when there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _iso(us: int) -> str | None:
    return to_moment(us).isoformat(timespec="milliseconds").replace("+00:00", "Z") if us else None
