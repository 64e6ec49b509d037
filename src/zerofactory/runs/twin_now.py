"""The twin's line now: the state of every station from the newest readings of its meters, what was expected, what is left over.

    state signals, if any      ─► state, since (exactly)  ─┐ the signal beats the power; where they clearly disagree that is told
    newest power of the meters ─► likely(states of twin.toml, shift) ─► state, since ─► expected power ─► residual
    amounts since midnight     ─► energy and gCO2e today; pieces made (counted, else estimated from time at work)
    level meters               ─► pieces in the buffers

Nothing is guessed: a station whose meters say nothing, or said it too long ago, has no state and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.monitoring.open_month import live_rules
from zerofactory.optimisation.twin.line import CARRIERS, STATES, TITLES, Station
from zerofactory.optimisation.twin.seen import CLOSED, OPEN, WARMING, likely, possible, station_powers, worked_fraction
from zerofactory.optimisation.twin.signal_log import mean_shares
from zerofactory.periods import local_midnight, zone
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import Emitted, Item, World
from zerofactory.runs.twin import BOOKED
from zerofactory.runs.twin_file import Twin, fitted_powers, read, windows
from zerofactory.runs.twin_now_notes import notes
from zerofactory.runs.twin_signals import SignalBook, Told, disagreement, made_by, told, window_of
from zerofactory.runs.twin_span import Booked, Followed, Span, Spans

Floats = NDArray[np.float64]
Source = Literal["live", "replay", "simulated"]
Quality = Literal["good", "suspect", "stale", "missing", "unmetered"]
ELECTRICITY = "electricity"
NOTES: Mapping[str, Text] = {
    "good": Text("", ""),
    "suspect": Text("读数可疑", "suspect reading"),
    "stale": Text("读数太旧", "too old"),
    "missing": Text("没有读数", "no reading"),
    "unmetered": Text("没有表计", "no meter"),
}


@dataclass(frozen=True, slots=True)
class StationNow:
    """One station at a moment.

    Parameters
    ----------
    state : most likely state (`line.STATES`); None where nothing can be said, ``quality`` says why.
    since : first instant of the intervals in this state without a break, two days back at most; by a signal the instant of the change.
    power_kw, expected_kw : electricity, metered and as the twin has it in the states that are likely.
    residual_fraction : metered less expected, by expected.
    made_today : pieces; ``made_is`` says whether they were counted or are estimated from the time at work.
    probability : of the state; ``alike`` are states that the power tells apart no better.
    energy_today, power : by carrier, in kWh, Nm3, m3 and by hour; ``gco2e_today`` of scopes 1 and 2.
    seen_until : end of the newest reading of a meter.
    source : what the state is told by; ``signals`` is the state of each state signal (None: it says nothing, or too long ago) and
        ``signal_at`` when one of them said something last. ``power_quality`` is that of the meters where a signal tells the state.
    disagreement : said where the meters clearly draw what the signalled states do not.
    """

    id: str
    title: Text
    shop: str | None
    state: str | None
    since: datetime | None
    power_kw: float | None
    expected_kw: float | None
    residual_fraction: float | None
    made_today: int | None
    made_is: Literal["counted", "estimated", "simulated"] | None
    probability: float | None
    alike: tuple[str, ...]
    power: Mapping[str, float]
    energy_today: Mapping[str, float]
    gco2e_today: float | None
    seen_until: datetime | None
    quality: Quality
    source: Literal["signal", "power", "simulated"] | None = None
    signals: Mapping[str, str | None] = field(default_factory=dict)
    signal_at: datetime | None = None
    power_quality: Quality | None = None
    disagreement: Text | None = None

    @property
    def of_power(self) -> Quality:
        """How good the readings of the meters are."""
        return self.power_quality or self.quality

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        state = None if self.state is None else TITLES[self.state]
        note = NOTES[self.quality]
        return {
            "station": self.id, "title": {"zh": self.title.zh, "en": self.title.en}, "shop": self.shop,
            "state": self.state, "state_title": None if state is None else {"zh": state.zh, "en": state.en},
            "since": _iso(self.since), "probability": self.probability, "alike": list(self.alike),
            "power_kw": self.power_kw, "expected_kw": self.expected_kw, "residual_fraction": self.residual_fraction,
            "made_today": self.made_today, "made_is": self.made_is, "power": dict(self.power),
            "energy_today": dict(self.energy_today), "gco2e_today": self.gco2e_today,
            "seen_until": _iso(self.seen_until), "quality": self.quality, "note": {"zh": note.zh, "en": note.en},
            "source": self.source, "signals": dict(self.signals), "signal_at": _iso(self.signal_at), "power_quality": self.of_power,
            "disagreement": None if self.disagreement is None else {"zh": self.disagreement.zh, "en": self.disagreement.en},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Now:
    """The line at a moment; ``levels`` of buffers are None where nothing counts them."""

    at: datetime
    stations: tuple[StationNow, ...]
    levels: Mapping[str, int | None]
    source: Source
    notes: tuple[Text, ...] = ()

    def station(self, name: str) -> StationNow:
        """Return a station by its id; raise `NotFound` with the choices."""
        for one in self.stations:
            if one.id == name:
                return one
        raise NotFound(Text("工位", "station"), name, tuple(one.id for one in self.stations))

    @property
    def states(self) -> dict[str, str]:
        """The states that are known, by station."""
        return {one.id: one.state for one in self.stations if one.state is not None}

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        known = [one for one in self.stations if one.power_kw is not None]
        return {
            "at": _iso(self.at),
            "source": self.source,
            "power_kw": sum(one.power_kw or 0.0 for one in known) if known else None,
            "expected_kw": sum(one.expected_kw or 0.0 for one in known) if known else None,
            "stations": [one.as_json() for one in self.stations],
            "levels": dict(self.levels),
            "notes": [{"zh": one.zh, "en": one.en} for one in self.notes],
        }


def now(context: Context, at: datetime | None = None) -> Now:
    """Return the line at this moment, or at one gone by as the book has it.

    Raises
    ------
    FaultyData
        Faults of twin.toml, or a moment that is still to come.
    """
    if at is not None and at > context.now:
        message = Text(f"{at.isoformat()} 还没有到。", f"{at.isoformat()} is still to come.")
        raise FaultyData([Problem("twin_now.future", message, Text("请给出过去的时刻。", "Give a moment gone by."))])
    watcher = Watcher(context, "live" if at is None else "replay")
    try:
        return watcher.look(at or context.now)
    finally:
        watcher.close()


def moment_of(context: Context, text: str | None) -> datetime | None:
    """Return a moment as it is written, on the plant's clock where no other is named; raise `FaultyData` when it is none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = Text(f"“{text}”不是时刻。", f"'{text}' is no moment.")
        raise FaultyData([Problem("twin_now.moment", message, Text("例如 2025-03-10T10:20。", "Such as 2025-03-10T10:20."))]) from error  # fmt: skip
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone(context.workspace.plant.time_zone))).astimezone(UTC)


@dataclass(slots=True)
class _Day:
    """What holds for all stations of a look: the slots, the first of today, how old a reading may be, the shift by slot."""

    at: datetime
    span: Span
    today: int
    windows: tuple[tuple[float, float], ...]
    begin: datetime
    time_zone: str
    told: Mapping[str, Told] = field(default_factory=dict)

    def phase(self, warm_up_s: float) -> NDArray[np.int64]:
        """Return whether the shift runs in each slot and in what is read beyond the last one (slots + 1)."""
        middles = [self.span.moment(slot) + timedelta(minutes=self.span.minutes / 2) for slot in range(self.span.slots)]
        place = zone(self.time_zone)
        seconds = np.array(
            [(one.astimezone(place).replace(tzinfo=None) - self.begin).total_seconds() for one in (*middles, self.at)]
        )
        found = np.full(len(seconds), CLOSED, dtype=np.int64)
        for start_s, end_s in self.windows:
            found[(seconds >= start_s - warm_up_s) & (seconds < start_s) & (found == CLOSED)] = WARMING
            found[(seconds >= start_s) & (seconds < end_s)] = OPEN
        return found


@dataclass
class Watcher:
    """Looks at the line again and again; twin.toml, months and factors are read once.

    Raises
    ------
    FaultyData
        Faults of twin.toml.
    """

    context: Context
    source: Source = "live"
    twin: Twin = field(init=False)
    spans: Spans = field(init=False)
    _grams: dict[tuple[str, str | None], float | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.twin = read(self.context)
        self.spans = Followed(self.context) if self.source == "live" else Booked(self.context)
        self._fitted = bool(fitted_powers(self.context.workspace.folder))
        self._carriers = {station.id: self._metered(station) for station in self.twin.line.stations}
        every = tuple(one for own in self.twin.signals.values() for one in own)
        self._book = SignalBook(self.context, every, self.source == "live")

    def close(self) -> None:
        """Let go of the readings."""
        self.spans.close()
        self._book.close()

    def look(self, at: datetime) -> Now:
        """Return the line at a moment: with ``live`` the present one, else any that is booked."""
        plant = self.context.workspace.plant
        today = at.astimezone(zone(plant.time_zone)).date()
        first = today - timedelta(days=1)
        span = self.spans.span(local_midnight(first, plant.time_zone), at)
        stations, spoken = self.twin.line.stations, self._told(at)
        buffers = [one.id for one in self.twin.line.buffers]
        if span is None:
            blank = tuple(_by_signal(self._blank(one), spoken.get(one.id), at) for one in stations)
            nothing = Text("没有读数, 状态不明。", "There are no readings: no state is known.")
            said = () if any(one.state for one in blank) else (nothing,)
            return Now(at, blank, dict.fromkeys(buffers), self.source, said)
        opened = tuple((one.start_s, one.end_s) for one in windows(plant, first, 3))
        begin = datetime(first.year, first.month, first.day)  # noqa: DTZ001  (the plant's clock)
        midnight = local_midnight(today, plant.time_zone)
        slot = int(np.clip((midnight - span.start) // timedelta(minutes=span.minutes), 0, span.slots))
        if span.moment(span.slots - 1) < midnight:
            slot = span.slots
        day = _Day(at, span, slot, opened, begin, plant.time_zone, spoken)
        found = tuple(_by_signal(self._station(one, day), spoken.get(one.id), at) for one in stations)
        return Now(
            at,
            found,
            {name: self._level(name, day) for name in buffers},
            self.source,
            notes(found, self._fitted, self.twin.status, plant.time_zone),
        )

    def _told(self, at: datetime) -> dict[str, Told]:
        """Return what the signals of each station that has any say at a moment."""
        return told(self._book, self.twin.signals, at) if self.twin.signals else {}

    def _metered(self, station: Station) -> dict[str, tuple[str, ...]]:
        """Return the meters of a station by carrier, the carriers first that tell most of its states."""
        return {c: meters for (name, c), meters in self.twin.meters.items() if name == station.id}

    def _station(self, station: Station, day: _Day) -> StationNow:
        carriers = self._carriers[station.id]
        if not carriers:
            return self._blank(
                station, made=self._made(station, {}, {}, day) if station.id in day.told else (None, None)
            )
        span = day.span
        flows = {carrier: self._flow(carrier, meters, day) for carrier, meters in carriers.items()}
        levels = {carrier: station_powers(self.twin.line, station, carrier) for carrier in carriers}
        chances = likely(levels, flows, day.phase(station.warm_up_s), possible(station))
        place, seen_until, quality = self._newest(carriers, flows, day)
        made, made_is = self._made(station, flows, levels, day)
        used = self._today(station, carriers, day)
        if place is None:
            return self._blank(station, quality, seen_until, (made, made_is), used)
        best = chances.argmax(axis=1)
        told = _known(flows)
        chance = chances[place]
        power = {carrier: float(values[place]) for carrier, values in flows.items() if np.isfinite(values[place])}
        metered = power.get(ELECTRICITY)
        signalled = self._signalled(station, place, day)
        shares = chance if signalled is None else signalled
        expected = float(shares @ levels[ELECTRICITY]) if ELECTRICITY in power else None
        state = int(best[place])
        against = None
        if signalled is not None and metered is not None and (place < day.span.slots or signalled.max() > 1.0 - 1e-6):
            against = disagreement(levels[ELECTRICITY], metered, signalled, STATES[state])
        return StationNow(
            station.id, station.title, station.shop, STATES[state], _since(best, told, place, span),
            metered, expected, (metered - expected) / expected if metered is not None and expected else None,
            made, made_is, float(chance[state]), _alike(levels, state, chance), power, used[0], used[1], seen_until, quality,
            source="power", disagreement=against,
        )  # fmt: skip

    def _signalled(self, station: Station, place: int, day: _Day) -> Floats | None:
        """Return the share of the metered interval in each state, as the signals told; None where they did not tell all of it."""
        told, span = day.told.get(station.id), day.span
        if told is None:
            return None
        meters = self._carriers[station.id].get(ELECTRICITY, ())
        if place == span.slots:
            until = min((one.at for name, one in span.running.items() if name in meters), default=None)
            return None if until is None else mean_shares(told.logs, *window_of(span.moment(place), until))
        own = max((self.context.workspace.plant.meter(name).interval_minutes for name in meters), default=span.minutes)
        first = place - place % max(own // span.minutes, 1)
        return mean_shares(told.logs, *window_of(span.moment(first), span.moment(first) + timedelta(minutes=own)))

    def _flow(self, carrier: str, meters: tuple[str, ...], day: _Day) -> Floats:
        """Return what flows in every slot and beyond the last one (slots + 1), an hour, in the twin's unit."""
        span, total = day.span, np.zeros(day.span.slots + 1)
        for name in meters:
            ratio = self._ratio(name, carrier)
            if name not in span.names:
                return np.full(span.slots + 1, np.nan)
            running = span.running.get(name)
            last = np.nan if running is None or running.per_hour is None else running.per_hour
            total += ratio * np.append(span.amount(name) * (60.0 / span.minutes), last)
        return total

    def _ratio(self, meter: str, carrier: str) -> float:
        unit, wanted = self.context.workspace.plant.meter(meter).amount_unit, CARRIERS[carrier].removesuffix("/h")
        wanted = "kWh" if carrier == ELECTRICITY else wanted
        same = units.parse(unit).dimension == units.parse(wanted).dimension
        return units.ratio(unit, wanted) if same else 1.0

    def _newest(
        self, carriers: Mapping[str, tuple[str, ...]], flows: Mapping[str, Floats], day: _Day
    ) -> tuple[int | None, datetime | None, Quality]:
        """Return the place of the newest flow, up to when it was read, and how good it is; no place when it is too old."""
        span, known = day.span, _known(flows)
        if not known.any():
            return None, None, "missing"
        place = int(np.flatnonzero(known)[-1])
        names = [name for meters in carriers.values() for name in meters]
        if place == span.slots:
            return place, min(one.at for name, one in span.running.items() if name in names), "good"
        until = span.moment(place + 1)
        own = max(self.context.workspace.plant.meter(name).interval_minutes for name in names)
        if day.at - until > timedelta(minutes=own * live_rules().grace_intervals):
            return None, until, "stale"
        return place, until, "suspect" if span.doubted([n for n in names if n in span.names], place) else "good"

    def _made(
        self, station: Station, flows: Mapping[str, Floats], levels: Mapping[str, Floats], day: _Day
    ) -> tuple[int | None, Literal["counted", "estimated"] | None]:
        """Return the pieces since midnight: counted, or the time at work by the cycle."""
        span, counter = day.span, self.twin.counters.get(("made", station.id))
        if counter is not None and counter in span.names:
            pieces = span.amount(counter)[day.today :]
            return (round(float(np.nansum(pieces))), "counted") if np.isfinite(pieces).any() else (None, None)
        told = day.told.get(station.id)
        if told is not None and told.state is not None and station.cycle.average_s:
            midnight = local_midnight(day.at.astimezone(zone(day.time_zone)).date(), day.time_zone)
            return made_by(station, told, midnight, day.at), "estimated"
        if ELECTRICITY not in flows or not station.cycle.average_s:
            return None, None
        share = worked_fraction(levels[ELECTRICITY], flows[ELECTRICITY][: span.slots])
        share = np.where(day.phase(station.warm_up_s)[:-1] == OPEN, share, 0.0)[day.today :]
        if not np.isfinite(share).any():
            return None, None
        seconds = float(np.nansum(share)) * span.minutes * 60.0 * station.machines
        return round(seconds / station.cycle.average_s), "estimated"

    def _today(
        self, station: Station, carriers: Mapping[str, tuple[str, ...]], day: _Day
    ) -> tuple[dict[str, float], float | None]:
        """Return the energy since midnight by carrier and its grams; no grams where a factor is missing."""
        found: dict[str, float] = {}
        grams, span = 0.0, day.span
        for carrier, meters in carriers.items():
            there = [name for name in meters if name in span.names]
            if not any(name in span.running or span.known([name])[day.today :].any() for name in there):
                continue
            amounts = [np.nansum(span.amount(name)[day.today :]) * self._ratio(name, carrier) for name in there]
            running = [span.running[n].amount * self._ratio(n, carrier) for n in there if n in span.running]
            found[carrier] = float(sum(amounts) + sum(running))
            each = grams_each(self.context, self._grams, (carrier, station.shop), day.at.year)
            if carrier in BOOKED:
                grams = float("nan") if each is None else grams + each * found[carrier]
        return found, None if not found or np.isnan(grams) else grams

    def _level(self, buffer: str, day: _Day) -> int | None:
        """Return the pieces that a buffer's meter showed last, None where there is none or it is too old."""
        counter = self.twin.counters.get(("level", buffer))
        if counter is None or counter not in day.span.names:
            return None
        shown = day.span.amount(counter)
        there = np.flatnonzero(np.isfinite(shown))
        own = self.context.workspace.plant.meter(counter).interval_minutes
        if not len(there) or day.at - day.span.moment(int(there[-1]) + 1) > timedelta(
            minutes=own * live_rules().grace_intervals
        ):
            return None
        per_interval = own / day.span.minutes  # a reading of a longer interval is spread over its slots
        return round(float(shown[there[-1]]) * per_interval)

    def _blank(
        self,
        station: Station,
        quality: Quality = "unmetered",
        seen_until: datetime | None = None,
        made: tuple[int | None, Any] = (None, None),
        used: tuple[dict[str, float], float | None] = ({}, None),
    ) -> StationNow:
        if quality == "unmetered" and self._carriers[station.id]:
            quality = "missing"
        return StationNow(
            station.id, station.title, station.shop, None, None, None, None, None, made[0], made[1], None, (), {},
            used[0], used[1], seen_until, quality,
        )  # fmt: skip


def grams_each(
    context: Context, kept: dict[tuple[str, str | None], float | None], what: tuple[str, str | None], year: int
) -> float | None:
    """Return grams of a unit of a carrier in a shop by the accounts (scopes 1 and 2, as `zf live`), None where no factor can be
    decided; ``kept`` remembers."""
    carrier, shop = what
    if carrier not in BOOKED:
        return 0.0
    if what not in kept:
        workspace = context.workspace
        kind, item, unit = BOOKED[carrier]
        wanted = Item(kind, item, unit, "{}", shop or "other")
        try:
            each: Emitted = World(workspace.plant, workspace.factor_book, year).per_unit([wanted])[wanted]
            kept[what] = sum(each.gco2e.get(scope, 0.0) for scope in (1, 2))
        except FaultyData:
            kept[what] = None
    return kept[what]


def _by_signal(one: StationNow, told: Told | None, at: datetime) -> StationNow:
    """Return a station with the state that its signals tell; that of the power stays where they tell none."""
    if told is None:
        return one
    if told.state is None:
        quality: Quality = one.quality
        if quality == "unmetered":
            quality = "stale" if told.seen_until is not None else "missing"
        return replace(one, signals=told.machines, signal_at=told.seen_until, quality=quality, power_quality=one.quality, disagreement=None)  # fmt: skip
    return replace(
        one, state=told.state, since=min(told.since or at, at), probability=None, alike=(), source="signal", signals=told.machines,
        signal_at=told.seen_until, quality="suspect" if told.suspect else "good", power_quality=one.quality,
    )  # fmt: skip


def _known(flows: Mapping[str, Floats]) -> NDArray[np.bool_]:
    """Return in which intervals any carrier was read."""
    found: NDArray[np.bool_] = np.any([np.isfinite(one) for one in flows.values()], axis=0, keepdims=False)
    return found


def _since(best: NDArray[np.int64], told: NDArray[np.bool_], place: int, span: Span) -> datetime:
    """Return the first instant from which the state was the same in every interval that was read."""
    begin = place
    while begin > 0 and told[begin - 1] and best[begin - 1] == best[place]:
        begin -= 1
    return span.moment(min(begin, span.slots))


def _alike(levels: Mapping[str, Floats], state: int, chance: Floats) -> tuple[str, ...]:
    """Return the other states of the same powers that are not ruled out."""
    same = [
        place
        for place in range(len(STATES))
        if place != state and chance[place] > 0.0 and all(row[place] == row[state] for row in levels.values())
    ]
    return tuple(STATES[place] for place in sorted(same, key=lambda place: -chance[place]))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
