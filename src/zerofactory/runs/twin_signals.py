"""The states that signals told, read from the book and from what a running collector has on disk.

READINGS of the signals (sealed, open) ─┐
spool, as acknowledged                  ├─► codes in order of time ─► stretches of states, signal by signal
collect/latest.json (still the same)    ┘
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.connectors.health import read_status
from zerofactory.connectors.sample import frame_of, to_us
from zerofactory.connectors.tail import Rows, SpoolTail
from zerofactory.errors import Text
from zerofactory.optimisation.twin.line import STATES, TITLES, WORKING, Station
from zerofactory.optimisation.twin.seen import disagrees, terms
from zerofactory.optimisation.twin.signal_log import Floats, Integers, Stretches, places, stretches, together
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.profile import months_of
from zerofactory.site.state_signal import StateSignal

Flags = NDArray[np.bool_]
MINUTE_US = 60_000_000
BACK_DAYS = (2, 31)  # how far back the beginning of a state is looked for, farther where it was the same all along
SPOOLED = timedelta(days=2)  # by then the collector has booked what it had on disk


@dataclass(frozen=True, slots=True)
class Told:
    """What the signals of a station say at a moment.

    Parameters
    ----------
    state, since : of most of its machines, and from which instant; None where none is known.
    machines : state of each signal; None where it says nothing, never came or is too old.
    seen_until : the newest reading of any of them.
    suspect : whether a reading behind the state is doubted, or a machine's state is not known.
    logs : what each signal told, for a look at intervals.
    """

    state: str | None
    since: datetime | None
    machines: Mapping[str, str | None]
    seen_until: datetime | None
    suspect: bool
    logs: tuple[Stretches, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Readings of one signal in the order of time: instants (µs), when each became known (µs), the code, and whether it is doubted."""

    at_us: Integers
    known_us: Integers
    value: Floats
    suspect: Flags

    def __len__(self) -> int:
        return len(self.at_us)

    def between(self, first_us: int, last_us: int) -> Codes:
        """Return the readings from one moment to another, both counted, and the one before them."""
        low = max(int(np.searchsorted(self.at_us, first_us)) - 1, 0)
        inside = slice(low, int(np.searchsorted(self.at_us, last_us, side="right")))
        return Codes(self.at_us[inside], self.known_us[inside], self.value[inside], self.suspect[inside])


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """What one signal told up to a moment: its stretches, its newest reading, and whether that is doubted."""

    stretches: Stretches
    newest: datetime | None
    suspect: bool


@dataclass
class SignalBook:
    """Readings of the state signals of a plant, looked at again and again; ``live``: the spool and the newest codes too."""

    context: Context
    signals: Sequence[StateSignal]
    live: bool = False
    _months: dict[str, tuple[tuple[str, ...], dict[str, Codes]]] = field(init=False, default_factory=dict)
    _seen: tuple[int, tuple[str, ...]] = field(init=False, default=(-1, ()))
    _fresh: set[str] = field(init=False, default_factory=set)
    _spooled: list[pl.DataFrame] = field(init=False, default_factory=list)
    _tail: SpoolTail | None = field(init=False, default=None)

    def close(self) -> None:
        """Let go of the spool."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def logs(self, first: datetime, at: datetime) -> dict[str, Log]:
        """Return what every signal told from one moment to another; what held at the first one begins with its own reading."""
        ids = [one.id for one in self.signals]
        if not ids:
            return {}
        time_zone = self.context.workspace.plant.time_zone
        low, high = (Period.containing(one, time_zone).label for one in (first, at))
        parts = [self._month(label, ids) for label in self._labels() if low <= label <= high]
        if self.live:
            parts += [_by_signal(frame) for frame in (*self._spool(ids), self._latest(ids)) if frame.height]
        first_us, at_us = to_us(first), to_us(at)
        return {one.id: self._log(one, [part[one.id] for part in parts if one.id in part], first_us, at_us) for one in self.signals}  # fmt: skip

    def newest(self) -> datetime | None:
        """Return the newest reading in the book of any signal."""
        ids = [one.id for one in self.signals]
        for label in reversed(self._labels()):
            found = [int(codes.at_us[-1]) for codes in self._month(label, ids).values()]
            if found:
                return _moment(max(found))
        return None

    def _log(self, signal: StateSignal, parts: Sequence[Codes], first_us: int, at_us: int) -> Log:
        codes = _together([one.between(first_us, at_us) for one in parts])
        if not len(codes):
            return Log(stretches(codes.at_us, codes.at_us, 0, at_us), None, suspect=False)
        states = places(codes.value, signal.meaning)
        told = stretches(codes.at_us, states, holds_us(signal), at_us)
        return Log(told, _moment(int(codes.at_us[-1])), suspect=bool(codes.suspect[-1]))

    def _labels(self) -> tuple[str, ...]:
        """Return the months there are; looked up again when the book has a new entry."""
        entry = self.context.workspace.journal.last()
        seq = entry.seq if entry else 0
        if self._seen[0] != seq:
            self._seen = (seq, tuple(months_of(self.context)))
            self._fresh = set()
        return self._seen[1]

    def _month(self, label: str, ids: Sequence[str]) -> dict[str, Codes]:
        """Return the readings of a month as they are in the book, read again when its files are others."""
        if label not in self._fresh:
            workspace = self.context.workspace
            seal, period, zone = workspace.seal_of(label), Period.parse(label), workspace.plant.time_zone
            files = [str(seal["readings_file"])] if seal and seal["readings_file"] else []
            files += [one.file for one in workspace.open_segments() if one.period == label]
            if label not in self._months or self._months[label][0] != tuple(files):
                frame = workspace.series.read_meters(files, ids, period.start(zone), period.end(zone))
                self._months[label] = (tuple(files), _by_signal(frame))
            self._fresh.add(label)
        return self._months[label][1]

    def _spool(self, ids: Sequence[str]) -> list[pl.DataFrame]:
        if self._tail is None:
            self._tail = SpoolTail(self.context.workspace.folder / "collect" / "spool")
        self._spooled += [frame for rows in self._tail.read() if (frame := _frame(rows, ids)).height]
        newest = max((frame["started_at"].max() for frame in self._spooled), default=None)  # type: ignore[type-var]
        self._spooled = [one for one in self._spooled if newest - one["started_at"].max() < SPOOLED]  # type: ignore[operator]
        return self._spooled

    def _latest(self, ids: Sequence[str]) -> pl.DataFrame:
        """Return the codes that came last, which are booked again only now and then while they stay the same."""
        shown = read_status(Path(self.context.workspace.folder) / "collect" / "latest.json")
        there = [name for name in ids if name in shown]
        at = [int(shown[name][0]) for name in there]
        values = [float(shown[name][1]) for name in there]
        return frame_of(pl.Series("meter_id", there, dtype=pl.String), (at, at, values, [0] * len(there)))


def _by_signal(frame: pl.DataFrame) -> dict[str, Codes]:
    """Return READINGS by signal, in order of time; of one moment the newest known."""
    found = {}
    for (name,), rows in frame.partition_by("meter_id", as_dict=True, maintain_order=True).items():
        at, known = (rows[column].to_physical().to_numpy() for column in ("started_at", "known_at"))
        suspect = (rows["quality"] == "suspect").to_numpy()
        found[str(name)] = _together([Codes(at, known, rows["value"].to_numpy(), suspect)])
    return found


def _together(parts: Sequence[Codes]) -> Codes:
    """Return readings of one signal in order of time; of one moment the newest known."""
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return Codes(nothing, nothing, np.zeros(0), np.zeros(0, dtype=np.bool_))
    at, known = (np.concatenate([getattr(one, name) for one in parts]) for name in ("at_us", "known_us"))
    value, suspect = np.concatenate([one.value for one in parts]), np.concatenate([one.suspect for one in parts])
    order = np.lexsort((known, at))
    last = order[np.append(at[order][1:] != at[order][:-1], np.ones(min(len(order), 1), dtype=np.bool_))]
    return Codes(at[last], known[last], value[last], suspect[last])


def told(book: SignalBook, stations: Mapping[str, tuple[StateSignal, ...]], at: datetime) -> dict[str, Told]:
    """Return what the signals of each station say at a moment; the beginning of a state is looked for as far back as it takes."""
    found: dict[str, Told] = {}
    left = dict(stations)
    for days in BACK_DAYS:
        logs = book.logs(at - timedelta(days=days), at)
        for name, signals in list(left.items()):
            own = [logs[one.id] for one in signals]
            begins = [_moment(int(log.stretches.begin_us[0])) for log in own if len(log.stretches)]
            found[name] = told_of(signals, logs, at)
            since = found[name].since
            if len(begins) == len(own) and (since is None or since > max(begins)):
                del left[name]
        if not left:
            break
    return found


def told_of(signals: Sequence[StateSignal], logs: Mapping[str, Log], at: datetime) -> Told:
    """Return what the signals of a station say at a moment."""
    moment, mine = to_us(at), [logs[one.id] for one in signals]
    own = tuple(one.stretches for one in mine)
    machines = {one.id: together([log], moment)[0] for one, log in zip(signals, own, strict=True)}
    state, since = together(own, moment)
    newest = [one.newest for one in mine if one.newest is not None]
    doubted = any(one.suspect for one in mine) or None in machines.values()
    return Told(
        state, None if since is None else _moment(since), machines, max(newest, default=None), state is not None and doubted, own
    )  # fmt: skip


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)


def window_of(first: datetime, last: datetime) -> tuple[int, int]:
    """Return two moments in µs."""
    return to_us(first), to_us(last)


def disagreement(levels: Floats, metered_kw: float, shares: Floats, looks: str) -> Text | None:
    """Return what is said where a station's power is clearly not that of the states its signals told; ``looks``: the state of the power."""
    if not disagrees(levels, metered_kw, shares):
        return None
    told = TITLES[STATES[int(shares.argmax())]]
    expected = float(levels @ shares)
    return Text(
        f"信号为{told.zh}(应为 {expected:,.0f} kW), 实测 {metered_kw:,.0f} kW, 像{TITLES[looks].zh}。",
        f"the signal says {told.en} ({expected:,.0f} kW), the meter {metered_kw:,.0f} kW, which looks like {TITLES[looks].en}.",
    )


def made_by(station: Station, told: Told, midnight: datetime, at: datetime) -> int:
    """Return the pieces that the time at work since midnight speaks for."""
    first, last = window_of(midnight, at)
    seconds = [float(log.seconds(first, last)[WORKING]) for log in told.logs]
    return round(sum(seconds) / len(seconds) * station.machines / station.cycle.average_s)


def holds_us(signal: StateSignal) -> int:
    """Return how long a reading of a signal tells the state, in µs."""
    minutes = signal.holds_minutes if signal.holds_minutes is not None else terms().signal_holds_minutes
    return minutes * MINUTE_US


def _frame(rows: Rows, ids: Sequence[str]) -> pl.DataFrame:
    """Return the rows of some signals as READINGS."""
    place = {number: name for number, name in enumerate(rows.names) if name in set(ids)}
    kept = np.isin(rows.code, list(place))
    names = pl.Series("meter_id", [place[int(code)] for code in rows.code[kept]], dtype=pl.String)
    columns = (rows.started_us[kept], rows.known_us[kept], rows.value[kept], rows.quality[kept])
    return frame_of(names, columns)
