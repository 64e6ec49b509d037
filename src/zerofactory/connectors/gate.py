"""The gate between what devices say and what is booked: right instant, finite, plausible, once.

    Arrival ─ time ─► on which instant? ─ value ─► can it be? ─► Sample          (else: Refused, with the reason, logged)

A state signal gives codes at instants of its own: a change is let through at once, an unchanged state only now and then.

A register that jumps back, or leaps further than its meter can count, is held: if the next reading goes on from there it was
a new register (replaced, reset) and both are let through; if the next goes on from before it was garbage and stays out.
What is held is in the log of refused values from the first moment, so it survives the process.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from zerofactory.connectors.sample import MEASURED, MICROSECONDS, Arrival, Sample
from zerofactory.periods import zone
from zerofactory.site.model import Meter
from zerofactory.site.state_signal import StateSignal

Reason = Literal[
    "unknown_meter", "not_a_number", "from_the_future", "off_grid", "out_of_bounds", "held", "jump", "too_little_seen",
    "unknown_code",
]  # fmt: skip
_HOUR_US = 3_600 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class GateRules:
    """How strictly time is taken; see `collect.toml` for the meaning and the source of the defaults."""

    skew_warn_seconds: float
    skew_refuse_seconds: float
    boundary_tolerance_seconds: float
    gauge_coverage_fraction: float
    state_repeat_seconds: float


@dataclass(frozen=True, slots=True)
class Passage:
    """How one connection's values are to be understood: see `Connection`. ``live``: read now, so skew goes both ways."""

    values: Literal["instant", "interval"]
    live: bool
    replay: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that is not booked, and why."""

    reason: Reason
    meter_id: str
    at_us: int
    value: float


@dataclass(slots=True)
class Admitted:
    """What the gate made of some arrivals."""

    samples: list[Sample] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    skew_seconds: float = 0.0


@dataclass(slots=True)
class _State:
    """What the gate remembers of one meter."""

    step_us: int
    level: tuple[int, float] | None = None
    before: tuple[int, float] | None = None
    held: Sample | None = None
    mean_start_us: int = -1
    mean_sum: float = 0.0
    mean_covered_us: int = 0
    last_seen: tuple[int, float] | None = None


class Gate:
    """Decides, meter by meter, what becomes a reading. ``between`` holds what registers showed last between two edges, and gauges
    and state signals at all.

    Parameters
    ----------
    meters : meters of the plant, and its state signals
    time_zone : str
        Intervals are cut on the plant's clock.
    levels : mapping of meter to (µs, value)
        The last reading known of each, so that a restart compares with it.
    """

    def __init__(
        self,
        meters: Iterable[Meter | StateSignal],
        time_zone: str,
        rules: GateRules,
        levels: Mapping[str, tuple[int, float]],
    ) -> None:
        every = tuple(meters)
        self._meters = {meter.id: meter for meter in every if isinstance(meter, Meter)}
        self._codes = {one.id: frozenset(one.meaning) for one in every if isinstance(one, StateSignal)}
        self._rules, self._zone = rules, zone(time_zone)
        self._offsets: dict[int, int] = {}
        self._states = {
            meter.id: _State(meter.interval_minutes * 60 * MICROSECONDS, levels.get(meter.id))
            for meter in self._meters.values()
        } | {name: _State(1, levels.get(name)) for name in self._codes}
        self._known_us = 0
        self.between: dict[str, tuple[int, float]] = {}

    def levels(self) -> dict[str, tuple[int, float]]:
        """Return the last reading let through of each meter."""
        return {name: state.level for name, state in self._states.items() if state.level is not None}

    def admit(self, arrivals: Iterable[Arrival], passage: Passage, now_us: int) -> Admitted:
        """Return the readings that arrivals make; each gets a known_at of its own, later than all before."""
        out = Admitted()
        ahead = now_us + round(self._rules.skew_refuse_seconds * MICROSECONDS)
        for arrival in arrivals:
            state = self._states.get(arrival.meter_id)
            at_us = now_us if arrival.at_us is None else arrival.at_us
            if state is None:
                self._refuse(out, "unknown_meter", arrival, at_us)
                continue
            if not math.isfinite(arrival.value):
                self._refuse(out, "not_a_number", arrival, at_us)
                continue
            if not passage.replay:
                skew = at_us - now_us
                if skew > 0 or passage.live:
                    out.skew_seconds = max(out.skew_seconds, abs(skew) / MICROSECONDS)
                if at_us > ahead:
                    self._refuse(out, "from_the_future", arrival, at_us)
                    continue
            if arrival.meter_id in self._codes:
                self._take_code(out, arrival, at_us, state, now_us)
                continue
            self._place(out, arrival, at_us, state, passage, now_us)
        return out

    def _take_code(self, out: Admitted, arrival: Arrival, at_us: int, state: _State, now_us: int) -> None:
        """Let a code of a state through when it is new, late, or the last one booked is old; else only note that it still holds."""
        if arrival.value not in self._codes[arrival.meter_id]:
            self._refuse(out, "unknown_code", arrival, at_us)
            return
        if at_us >= self.between.get(arrival.meter_id, (at_us, 0.0))[0]:
            self.between[arrival.meter_id] = (at_us, arrival.value)
        level = state.level
        if level is not None and level[1] == arrival.value:
            since_s = (at_us - level[0]) / MICROSECONDS
            if 0.0 <= since_s < self._rules.state_repeat_seconds:
                out.counts["repeated"] += 1
                return
        sample = Sample(arrival.meter_id, at_us, self._next_known(now_us), arrival.value, arrival.quality)
        self._let_through(out, sample, state)

    def _place(self, out: Admitted, arrival: Arrival, at_us: int, state: _State, passage: Passage, now_us: int) -> None:
        """Find the instant a value belongs to and pass it on."""
        meter = self._meters[arrival.meter_id]
        past_edge = (at_us + self._offset(at_us)) % state.step_us
        start_us = at_us - past_edge
        if passage.values == "interval":
            if past_edge:
                self._refuse(out, "off_grid", arrival, at_us)
                return
        elif meter.kind == "register":
            if past_edge > self._rules.boundary_tolerance_seconds * MICROSECONDS:
                out.counts["between"] += 1
                self._note_between(arrival, at_us, state)
                return
            if state.level is not None and start_us <= state.level[0]:
                out.counts["repeated"] += 1
                return
        else:
            self._average(out, arrival, at_us, state, now_us)
            return
        self._judge(out, Sample(meter.id, start_us, self._next_known(now_us), arrival.value, arrival.quality), state)

    def _note_between(self, arrival: Arrival, at_us: int, state: _State) -> None:
        """Keep what a register shows between two edges, when it can go on from its last reading: for live figures only."""
        meter = self._meters[arrival.meter_id]
        shown = Sample(arrival.meter_id, at_us, at_us, arrival.value)
        if state.level is not None and at_us > state.level[0] and _follows(state.level, shown, meter, state.step_us):
            self.between[arrival.meter_id] = (at_us, arrival.value)

    def _judge(self, out: Admitted, sample: Sample, state: _State) -> None:
        """Let a reading through, hold it or refuse it by its value."""
        meter = self._meters[sample.meter_id]
        level = state.level
        if level == (sample.started_at_us, sample.value):
            out.counts["repeated"] += 1
            return
        if meter.kind != "register":
            low, high = _bounds(meter)
            if not low <= sample.value <= high:
                self._refuse(out, "out_of_bounds", sample, sample.started_at_us)
                return
            self._let_through(out, sample, state)
            return
        if level is not None and sample.started_at_us <= level[0]:
            self._judge_late(out, sample, state)
            return
        if level is None or _follows(level, sample, meter, state.step_us):
            if state.held is not None:
                out.counts["jump"] += 1
                state.held = None
            self._let_through(out, sample, state)
            return
        held = state.held
        if held is not None and held.started_at_us < sample.started_at_us:
            if _follows((held.started_at_us, held.value), sample, meter, state.step_us):
                out.counts["new_register"] += 1
                self._let_through(out, held, state)
                self._let_through(out, sample, state)
                state.held = None
                return
            out.counts["jump"] += 1
        state.held = sample
        self._refuse(out, "held", sample, sample.started_at_us)

    def _judge_late(self, out: Admitted, sample: Sample, state: _State) -> None:
        """A reading not newer than the last: out of order, or a correction of it."""
        assert state.level is not None  # noqa: S101  (for the type checker)
        meter = self._meters[sample.meter_id]
        correction = sample.started_at_us == state.level[0]
        out.counts["corrected" if correction else "out_of_order"] += 1
        newer = Sample(sample.meter_id, *state.level[:1], sample.known_at_us, state.level[1])
        if correction:
            fits = state.before is None or _follows(state.before, sample, meter, state.step_us)
        else:
            fits = _follows((sample.started_at_us, sample.value), newer, meter, state.step_us)
        if not fits:
            self._refuse(out, "jump", sample, sample.started_at_us)
            return
        out.samples.append(sample)
        if correction:
            state.level = (sample.started_at_us, sample.value)

    def _let_through(self, out: Admitted, sample: Sample, state: _State) -> None:
        out.samples.append(sample)
        if state.level is None or sample.started_at_us > state.level[0]:
            state.before, state.level = state.level, (sample.started_at_us, sample.value)
        elif sample.started_at_us == state.level[0]:
            out.counts["corrected"] += 1
            state.level = (sample.started_at_us, sample.value)
        else:
            out.counts["out_of_order"] += 1

    def _average(self, out: Admitted, arrival: Arrival, at_us: int, state: _State, now_us: int) -> None:
        """Gather the mean of a gauge over its interval: each value holds until the next, bounded by one interval."""
        seen = state.last_seen
        if seen is not None and at_us <= seen[0]:
            out.counts["out_of_order"] += 1
            return
        state.last_seen = (at_us, arrival.value)
        low, high = _bounds(self._meters[arrival.meter_id])
        if low <= arrival.value <= high:
            self.between[arrival.meter_id] = (at_us, arrival.value)
        start_us = at_us - (at_us + self._offset(at_us)) % state.step_us
        if state.mean_start_us < 0:
            state.mean_start_us = start_us
            return
        edge = state.mean_start_us + state.step_us
        assert seen is not None  # noqa: S101  (for the type checker)
        if at_us < edge:
            state.mean_sum += seen[1] * (at_us - seen[0])
            state.mean_covered_us += at_us - seen[0]
            return
        if at_us - seen[0] <= state.step_us:
            state.mean_sum += seen[1] * (edge - seen[0])
            state.mean_covered_us += edge - seen[0]
        self._end_interval(out, arrival, state, now_us)
        state.mean_start_us = start_us
        known_from = max(start_us, seen[0]) if at_us - seen[0] <= state.step_us else at_us
        state.mean_sum, state.mean_covered_us = seen[1] * (at_us - known_from), at_us - known_from

    def _end_interval(self, out: Admitted, arrival: Arrival, state: _State, now_us: int) -> None:
        covered = state.mean_covered_us / state.step_us
        if covered < self._rules.gauge_coverage_fraction:
            self._refuse(out, "too_little_seen", arrival, state.mean_start_us)
            return
        mean = state.mean_sum / state.mean_covered_us
        self._judge(out, Sample(arrival.meter_id, state.mean_start_us, self._next_known(now_us), mean, MEASURED), state)

    def _refuse(self, out: Admitted, reason: Reason, what: Arrival | Sample, at_us: int) -> None:
        out.counts[reason] += 1
        out.refused.append(Refused(reason, what.meter_id, at_us, what.value))

    def _next_known(self, now_us: int) -> int:
        self._known_us = max(self._known_us + 1, now_us)
        return self._known_us

    def _offset(self, at_us: int) -> int:
        """Return the offset of the plant's clock from UTC in µs at an instant (looked up once an hour)."""
        hour = at_us // _HOUR_US
        if hour not in self._offsets:
            if len(self._offsets) > 10_000:
                self._offsets.clear()
            moment = datetime.fromtimestamp(hour * 3600, UTC).astimezone(self._zone)
            offset = moment.utcoffset()
            self._offsets[hour] = round(offset.total_seconds()) * MICROSECONDS if offset is not None else 0
        return self._offsets[hour]


def _follows(level: tuple[int, float], sample: Sample, meter: Meter, step_us: int) -> bool:
    """Whether a register can have gone from one reading to a later one, roll-over counted (bounds as in `Meter`)."""
    intervals = max(1, math.ceil((sample.started_at_us - level[0]) / step_us))
    change = sample.value - level[1]
    low = min(0.0, (meter.minimum or 0.0) * intervals)
    high = math.inf if meter.maximum is None else meter.maximum * intervals
    slack = 1e-9 * max(1.0, abs(sample.value))
    if low - slack <= change <= high + slack:
        return True
    return meter.rollover is not None and change < 0 and meter.rollover + change <= high + slack < math.inf


def _bounds(meter: Meter) -> tuple[float, float]:
    low = -math.inf if meter.minimum is None else meter.minimum
    return low, math.inf if meter.maximum is None else meter.maximum
