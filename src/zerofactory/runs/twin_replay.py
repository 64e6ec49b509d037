"""A day of the line to look at again: what every machine did and every buffer held, moment by moment, and the figures as they ran up.

Either simulated (the trace of one run) or from the readings of a day gone by, where the power of an interval says what a station
was doing. Thinned where more happened than a screen needs; what is left of a span is always the last of each grain of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory import units
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin.energy import Share, Usage, powers, shares, usage
from zerofactory.optimisation.twin.line import CARRIERS, IDLE, STATES, WORKING, Line
from zerofactory.optimisation.twin.production import Run, simulate
from zerofactory.optimisation.twin.seen import CLOSED, OPEN, WARMING, likely, station_powers
from zerofactory.optimisation.twin.trace import Trace, traced
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import Item, World
from zerofactory.runs.twin import BOOKED, DAY_S, STEP_S, energy_prices, factor_year, next_monday, scheduled
from zerofactory.runs.twin import Asked as Simulated
from zerofactory.runs.twin_file import Twin, read, windows
from zerofactory.runs.twin_last import newest_reading
from zerofactory.runs.twin_replay_signals import signalled
from zerofactory.runs.twin_scenario import Scenario
from zerofactory.runs.twin_scenario import own as own_scenario
from zerofactory.runs.twin_span import Booked, Span
from zerofactory.runs.twin_stopped import followed
from zerofactory.runs.twin_utilities_file import read as read_utilities
from zerofactory.site.calendar import is_workday
from zerofactory.site.model import Plant

Floats = NDArray[np.float64]
Source = Literal["simulated", "readings"]
MOST_DAYS = 14
WARM_UP_DAYS = 3
"""Days run before, so that the line is full: over a weekend, the Friday is among them."""
MOST_MOVES = 150_000
"""Moves that are sent to a screen: about a quarter of a megabyte when packed."""
GRAINS_S = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
UNKNOWN = len(STATES)
"""The state of a station of which nothing is metered."""
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days to look at, where they come from; the random numbers of a simulation, and the scenario it plays (its name)."""

    first: date | None = None
    days: int = 1
    source: Source = "simulated"
    seed: int = 1
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """A utility beside the line, and what it took of each carrier."""

    title: Text
    shop: str | None
    energy: Mapping[str, float]


@dataclass(frozen=True)
class Moves:
    """What changed, in order of time.

    Parameters
    ----------
    at_s : seconds after the beginning.
    track : what changed: a machine by its place, then the buffers, then (`Replay.way_out`) pieces that left.
    value : the state (`line.STATES`) of a machine, the pieces in a buffer, the family of a piece.
    via : the station that put a piece into a buffer or took it out of it, or that finished it; -1: none.
    """

    at_s: Floats
    track: NDArray[np.int64]
    value: NDArray[np.int64]
    via: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.at_s)

    def where(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> Moves:
        """Return some of them."""
        return Moves(self.at_s[kept], self.track[kept], self.value[kept], self.via[kept])


@dataclass(frozen=True)
class Replay:
    """Days of the line.

    Parameters
    ----------
    begin : the first moment, on the plant's clock.
    station_of : the station of each machine.
    start : the value of each track at the beginning; -1: not known.
    counters : what ran up since the beginning, at the ends of steps (the first is zero): energy by carrier, ``kgco2e``, ``cny``.
    by_state : energy by carrier, of station × state; ``aside`` are the utilities beside them.
    """

    twin: Twin
    source: Source
    begin: datetime
    span_s: float
    grain_s: float
    station_of: tuple[int, ...]
    start: tuple[int, ...]
    moves: Moves
    step_s: float
    counters: Mapping[str, Floats]
    by_state: Mapping[str, Floats]
    shares: tuple[Share, ...]
    aside: tuple[Beside, ...] = ()

    @property
    def way_out(self) -> int:
        """The track of pieces that leave the line."""
        return len(self.station_of) + len(self.twin.line.buffers)

    @property
    def bottleneck(self) -> str | None:
        """The station that the others keep waiting least; None where nothing worked, or only meters told of it: an interval's
        power does not say who waits for whom."""
        if self.source == "readings":
            return None
        found = max(self.shares, key=lambda one: one.active, default=None)
        return found.station if found is not None and found.active > 0.0 else None

    @property
    def output(self) -> int | None:
        """Pieces that left the line; None where that is not known."""
        return int((self.moves.track == self.way_out).sum()) if self.source == "simulated" else None


def replay(context: Context, asked: Asked) -> Replay:
    """Return some days of the line.

    Raises
    ------
    FaultyData
        Faults of twin.toml; too many days; no shift, or no readings of those days.
    """
    if not 1 <= asked.days <= MOST_DAYS:
        message = Text(f"{asked.days} 天应在 1 与 {MOST_DAYS} 之间。", f"{asked.days} days do not lie between 1 and {MOST_DAYS}.")  # fmt: skip
        raise FaultyData([Problem("twin.replay_days", message, Text("请改正。", "Correct it."), column="days")])
    return _simulated(context, asked) if asked.source == "simulated" else _metered(context, read(context), asked)


def can_be_played(scenario: Scenario) -> bool:
    """Tell whether a day of a scenario is known beforehand: the overtime that a volume takes is only known after its runs."""
    return "volume" not in scenario.change


def newest_day(context: Context) -> date:
    """Return the last working day up to the newest reading of the twin's meters; today where there are none."""
    moment = newest_reading(context)
    if moment is None:
        return context.today
    day = (moment - timedelta(seconds=1)).astimezone(zone(context.workspace.plant.time_zone)).date()
    calendar = context.workspace.plant.calendar
    back = (day - timedelta(days=n) for n in range(14))
    return next((one for one in back if is_workday(calendar, one)), day)


def next_day(context: Context) -> date:
    """Return the first working day from the next Monday on."""
    first = next_monday(context.today)
    on = (first + timedelta(days=n) for n in range(14))
    return next((one for one in on if is_workday(context.workspace.plant.calendar, one)), first)


def _simulated(context: Context, asked: Asked) -> Replay:
    change = None if asked.scenario is None else own_scenario(context, asked.scenario).change
    raw = read(context, change)
    beside = read_utilities(context, raw, change)
    twin = raw if beside is None else beside.relieved(raw)
    first = asked.first or next_day(context)
    line = scheduled(context, twin, first, Simulated(first, asked.days, WARM_UP_DAYS, 1, asked.seed), change)
    horizon, skip = (WARM_UP_DAYS + asked.days) * DAY_S, int(WARM_UP_DAYS * DAY_S / STEP_S)
    run, trace = traced(line, horizon, STEP_S, asked.seed)
    used: Usage = usage(run)
    aside: dict[str, tuple[Text, str | None]] = {}
    if beside is not None:
        lived = followed(context, beside, (first, WARM_UP_DAYS, skip), [run], lambda cut, one: simulate(cut, horizon, STEP_S, asked.seed, one))  # fmt: skip
        used, aside = lived.usages[0], {row.id: (row.title, row.shop) for row in lived.ended[0].rows}
        if lived.runs[0] is not run:  # what the utilities stopped is seen too
            run, trace = traced(lived.runs[0].line, horizon, STEP_S, asked.seed)
    start, moves = since(trace, WARM_UP_DAYS * DAY_S)
    grain_s, kept = thinned(moves, len(trace.station_of) + len(line.buffers))
    rows = _rows(used, skip)
    return Replay(
        twin, "simulated", _midnight(context, first), asked.days * DAY_S, grain_s, trace.station_of, start, kept, STEP_S,
        counters=_counters(context, first, rows), by_state=_by_state(run, skip), shares=shares(run, skip),
        aside=tuple(Beside(*aside[name], {carrier: float(own.amounts[len(line.stations) + n].sum()) for carrier, own in rows.items() if own.has_aside}) for n, name in enumerate(aside)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Rows:
    """What stations, and utilities after them, take of a carrier in each step, and the shop of each."""

    shops: tuple[str | None, ...]
    amounts: Floats
    has_aside: bool = False


def _rows(used: Usage, skip: int) -> dict[str, _Rows]:
    """Return what is taken of each carrier; stations that take none of it have rows of nothing."""
    stations = tuple(one.shop for one in used.run.line.stations)
    nothing = np.zeros((len(stations), used.run.seconds.shape[1]))
    found = {}
    for carrier in used.carriers:
        own = used.by_station.get(carrier, nothing)
        more = None if used.aside is None else used.aside.used.get(carrier)
        if more is None or used.aside is None:
            found[carrier] = _Rows(stations, own[:, skip:])
        else:
            found[carrier] = _Rows((*stations, *used.aside.shops), np.concatenate([own, more])[:, skip:], True)
    return found


def since(trace: Trace, first_s: float) -> tuple[tuple[int, ...], Moves]:
    """Return what a trace shows from a moment on: the value of every track then, and all that changed after."""
    machines, line = len(trace.station_of), trace.line
    way_out = machines + len(line.buffers)
    rows, levels, out = trace.machines, trace.levels, trace.finished
    every = Moves(
        np.concatenate([rows["at_s"], levels["at_s"], out["at_s"]]),
        np.concatenate([rows["machine"], machines + levels["buffer"], np.full(len(out), way_out)]),
        np.concatenate([rows["state"], levels["held"], out["family"]]),
        np.concatenate([np.full(len(rows), NOBODY), _hands(trace), out["station"]]),
    )
    every = every.where(np.argsort(every.at_s, kind="stable"))
    before = every.where(every.at_s < first_s)
    start = [IDLE] * machines + [0] * (len(line.buffers) + 1)
    for track in range(way_out):
        own = np.flatnonzero(before.track == track)
        if len(own):
            start[track] = int(before.value[own[-1]])
    after = every.where(every.at_s >= first_s)
    return tuple(start), replace(after, at_s=after.at_s - first_s)


def _hands(trace: Trace) -> NDArray[np.int64]:
    """Return the station behind each change of a level: of those that may, the one whose machine moved at that very moment."""
    levels, line = trace.levels, trace.line
    found = np.full(len(levels), NOBODY)
    station_of = np.array(trace.station_of, dtype=np.int64)
    moved = {place: trace.machines["at_s"][station_of[trace.machines["machine"]] == place] for place in range(len(line.stations))}  # fmt: skip
    for place, buffer in enumerate(line.buffers):
        own = np.flatnonzero(levels["buffer"] == place)
        if not len(own):
            continue
        up = np.diff(levels["held"][own], prepend=0) > 0
        for way in (True, False):
            rows = own[up == way]
            may = [s for s, one in enumerate(line.stations) if (buffer.id in (one.gives, one.rework) if way else buffer.id in one.takes)]  # fmt: skip
            for s in reversed(may):  # the first that may is told where several moved at one moment
                then = np.isin(levels["at_s"][rows], moved[s]) if len(may) > 1 else np.ones(len(rows), dtype=bool)
                found[rows[then]] = s
    return found


def thinned(moves: Moves, way_out: int, most: int = MOST_MOVES) -> tuple[float, Moves]:
    """Return the finest grain of time in which no more moves are left, and those: of each track the last in a grain; each piece
    that leaves stays."""
    for grain in GRAINS_S:
        if grain <= 0.0:
            kept = moves
        else:
            bins = np.floor(moves.at_s / grain).astype(np.int64)
            key = bins * (way_out + 1) + moves.track
            last = np.zeros(len(moves), dtype=bool)
            last[len(moves) - 1 - np.unique(key[::-1], return_index=True)[1]] = True
            kept = moves.where(last | (moves.track == way_out))
        if len(kept) <= most:
            return grain, kept
    return grain, kept


def _counters(context: Context, first: date, rows: Mapping[str, _Rows]) -> dict[str, Floats]:
    """Return what ran up at the end of each step: energy, emissions by the accounts, and what the energy cost."""
    totals = {carrier: own.amounts.sum(axis=0) for carrier, own in rows.items()}
    found = {carrier: _running(amounts) for carrier, amounts in totals.items()}
    world = World(context.workspace.plant, context.workspace.factor_book, factor_year(context, first))
    steps = next((len(own) for own in totals.values()), 0)
    kg = np.zeros(steps)
    for carrier in BOOKED.keys() & rows.keys():
        kind, item, unit = BOOKED[carrier]
        bought: dict[Item, float] = {}
        for shop, amount in zip(rows[carrier].shops, rows[carrier].amounts.sum(axis=1), strict=True):
            key = Item(kind, item, unit, "{}", shop or "other")
            bought[key] = bought.get(key, 0.0) + float(amount)
        whole = float(totals[carrier].sum())
        grams = sum(world.emitted({one: round(amount, 3) for one, amount in bought.items() if amount}).values())
        kg += totals[carrier] * (grams / 1000.0 / whole if whole else 0.0)
    found["kgco2e"] = _running(kg)
    days = round(steps * STEP_S / DAY_S)
    prices = energy_prices(
        context, first, Simulated(first, max(days, 1)), gas="natural_gas" in totals, heat="heat" in totals
    )
    if prices is not None and len(prices.electricity) == steps:
        gas = totals.get("natural_gas", np.zeros(steps))
        heat = totals.get("heat", np.zeros(steps))
        power = totals.get("electricity", np.zeros(steps))
        found["cny"] = _running(power * prices.electricity + gas * prices.gas + heat * prices.heat)
    return found


def _running(amounts: Floats) -> Floats:
    found: Floats = np.concatenate([[0.0], np.cumsum(amounts)])
    return found


def _by_state(run: Run, skip: int) -> dict[str, Floats]:
    """Return the energy of each station in each state, that of pieces counted to work."""
    seconds = run.seconds[:, skip:, :].sum(axis=1)
    made = np.array([run.count("made", one.id, skip) for one in run.line.stations], dtype=np.float64)
    found = {}
    for carrier in {name for one in run.line.stations for name in one.draws}:
        states, pieces = powers(run.line, carrier)
        amounts = seconds * states / 3600.0
        amounts[:, WORKING] += made * pieces
        found[carrier] = amounts
    return found


def _midnight(context: Context, first: date) -> datetime:
    return datetime.combine(first, time(), zone(context.workspace.plant.time_zone))


def _metered(context: Context, twin: Twin, asked: Asked) -> Replay:
    """Return days gone by as signals told them, else as the meters saw them: of each station the likeliest state of each interval."""
    first = asked.first or newest_day(context)
    begin, end = _midnight(context, first), _midnight(context, first + timedelta(days=asked.days))
    booked = Booked(context)
    try:
        span = booked.span(begin.astimezone(UTC), end.astimezone(UTC))
    finally:
        booked.close()
    if span is None or not span.slots or not any(span.known([one]).any() for one in _meters(twin)):
        message = Text(f"{first} 起没有这些工位的读数。", f"There are no readings of these stations from {first} on.")
        raise FaultyData([Problem("twin.replay_nothing", message, Text("请换一天, 或先导入读数。", "Choose another day, or import readings."))])  # fmt: skip
    states = _likeliest(context.workspace.plant, twin, span, _phases(context, twin.line, first, asked.days, span))
    step_s = span.minutes * 60.0
    states, exact = signalled(context, twin, span.start, states, step_s)
    moves = _with_exact(_changes(states, step_s), exact)
    start = [int(exact[place][1][0]) if place in exact else int(one) for place, one in enumerate(states[:, 0])]
    energy = _energy(context.workspace.plant, twin, span)
    shops = tuple(one.shop for one in twin.line.stations)
    known = _counters(context, first, {carrier: _Rows(shops, own) for carrier, own in energy.items()})
    by_state = {carrier: np.stack([(own * (states == state)).sum(axis=1) for state in range(len(STATES))], axis=1) for carrier, own in energy.items()}  # fmt: skip
    nothing = [NOBODY] * (len(twin.line.buffers) + 1)
    return Replay(
        twin, "readings", begin, asked.days * DAY_S, step_s, tuple(range(len(states))), (*start, *nothing),
        moves, step_s, known, by_state, _shares(twin.line, states),
    )  # fmt: skip


def _meters(twin: Twin) -> list[str]:
    return [name for own in twin.meters.values() for name in own]


def _phases(context: Context, line: Line, first: date, days: int, span: Span) -> NDArray[np.int64]:
    """Return of each station and interval whether its shift runs (`seen.PHASES`)."""
    middles = (np.arange(span.slots) + 0.5) * span.minutes * 60.0
    found = np.full((len(line.stations), span.slots), CLOSED, dtype=np.int64)
    for window in windows(context.workspace.plant, first, days):
        for place, one in enumerate(line.stations):
            found[place, (middles >= window.start_s - one.warm_up_s) & (middles < window.start_s)] = WARMING
            found[place, (middles >= window.start_s) & (middles < window.end_s)] = OPEN
    return found


def _likeliest(plant: Plant, twin: Twin, span: Span, phases: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the state of each station and interval, `UNKNOWN` where no meter told it."""
    found = np.full(phases.shape, UNKNOWN, dtype=np.int64)
    for place, one in enumerate(twin.line.stations):
        own = {carrier: names for (station, carrier), names in twin.meters.items() if station == one.id}
        own = {carrier: names for carrier, names in own.items() if span.known(names).any()}
        if not own:
            continue
        power = {
            carrier: _amount(plant, span, carrier, names) / (span.minutes / 60.0) for carrier, names in own.items()
        }
        levels = {carrier: station_powers(twin.line, one, carrier) for carrier in own}
        told = np.any([np.isfinite(amounts) for amounts in power.values()], axis=0)
        found[place, told] = likely(levels, power, phases[place]).argmax(axis=1)[told]
    return found


def _amount(plant: Plant, span: Span, carrier: str, names: Sequence[str]) -> Floats:
    """Return what some meters counted in each interval, in the unit of the twin's carrier."""
    wanted = CARRIERS[carrier].removesuffix("/h") if carrier != "electricity" else "kWh"
    found = np.zeros(span.slots)
    for name in names:
        unit = plant.meter(name).amount_unit
        same = units.parse(unit).dimension == units.parse(wanted).dimension
        found = found + span.amount(name) * (units.ratio(unit, wanted) if same else 1.0)
    return found


def _energy(plant: Plant, twin: Twin, span: Span) -> dict[str, Floats]:
    """Return what each station was metered to take in each interval, nothing where nobody read."""
    found: dict[str, Floats] = {}
    for (station, carrier), names in twin.meters.items():
        own = found.setdefault(carrier, np.zeros((len(twin.line.stations), span.slots)))
        if span.known(names).any():
            own[twin.line.place(station)] = np.nan_to_num(_amount(plant, span, carrier, names))
    return found


def _changes(states: NDArray[np.int64], step_s: float) -> Moves:
    stations, slots = np.nonzero(np.diff(states, axis=1))
    order = np.argsort(slots, kind="stable")
    stations, slots = stations[order], slots[order] + 1
    at_s: Floats = slots.astype(np.float64) * step_s
    return Moves(at_s, stations, states[stations, slots], np.full(len(slots), NOBODY))


def _with_exact(moves: Moves, exact: Mapping[int, tuple[Floats, NDArray[np.int64]]]) -> Moves:
    """Return the moves with those of some stations in place of theirs, in order of time."""
    if not exact:
        return moves
    rest = moves.where(~np.isin(moves.track, list(exact)))
    at_s = np.concatenate([rest.at_s, *(own[1:] for own, _ in exact.values())])
    track = np.concatenate([rest.track, *(np.full(len(own) - 1, place) for place, (own, _) in exact.items())])
    value = np.concatenate([rest.value, *(states[1:] for _, states in exact.values())])
    order = np.argsort(at_s, kind="stable")
    return Moves(at_s[order], track[order], value[order], np.full(len(order), NOBODY))


def _shares(line: Line, states: NDArray[np.int64]) -> tuple[Share, ...]:
    found = []
    for place, one in enumerate(line.stations):
        own = states[place]
        on = max(int((~np.isin(own, (STATES.index("off"), STATES.index("warm_up"), UNKNOWN))).sum()), 1)
        part = {name: float((own == STATES.index(name)).sum()) / on for name in STATES}
        found.append(Share(one.id, part["working"], part["setup"], part["failed"], part["idle"] + part["standby"], part["blocked"], 0))  # fmt: skip
    return tuple(found)
