"""A simulated stretch of days looked at moment by moment, as `twin_now` looks at the real line: what serves the twin where no meter reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.twin.energy import powers, usage
from zerofactory.optimisation.twin.line import CARRIERS, STATES, Line, Station
from zerofactory.optimisation.twin.production import COUNTS, Run
from zerofactory.optimisation.twin.trace import Trace, traced
from zerofactory.periods import local_midnight, zone
from zerofactory.runs.context import Context
from zerofactory.runs.twin import DAY_S, STEP_S, Asked, scheduled
from zerofactory.runs.twin_file import Twin, read
from zerofactory.runs.twin_now import ELECTRICITY, Now, StationNow, grams_each

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Track:
    """What one machine or buffer did: when it changed, and to what."""

    at_s: Floats
    value: NDArray[np.int64]

    def at(self, moment_s: float) -> tuple[int, float]:
        """Return what held at a moment, and since when; nothing (-1) before the first change."""
        place = int(np.searchsorted(self.at_s, moment_s, side="right")) - 1
        return (-1, 0.0) if place < 0 else (int(self.value[place]), float(self.at_s[place]))


class SimulatedDays:
    """One run of the twin with all that happened in it, from the first day on; the days before fill the line.

    Raises
    ------
    FaultyData
        Faults of twin.toml, or days without a shift.
    """

    def __init__(self, context: Context, first: date, days: int = 1, seed: int = 1) -> None:
        self._context = context
        self.twin: Twin = read(context)
        asked = Asked(first, days, seed=seed)
        line = scheduled(context, self.twin, first, asked)
        lead = asked.warm_up_days
        self._run, trace = traced(line, (lead + days) * DAY_S, STEP_S, seed)
        self._line: Line = line
        zone_name = context.workspace.plant.time_zone
        self._zone = zone(zone_name)
        self._midnight = local_midnight(first - timedelta(days=lead), zone_name)
        self._begin = datetime.combine(first - timedelta(days=lead), time())
        self._machines, self._levels = _tracks(trace)
        self._energy = _run_up(self._run)
        made = self._run.counts[:, :, COUNTS.index("made")]
        self._made = np.concatenate([np.zeros((len(made), 1)), made.cumsum(axis=1)], axis=1)
        self._powers = {carrier: powers(line, carrier)[0] for carrier in CARRIERS}
        self._grams: dict[tuple[str, str | None], float | None] = {}

    def close(self) -> None:
        """Nothing is held open."""

    def look(self, at: datetime) -> Now:
        """Return the line at a moment of the simulated days."""
        local = at.astimezone(self._zone).replace(tzinfo=None)
        moment_s = min(max((local - self._begin).total_seconds(), 0.0), self._run.horizon_s)
        today_s = moment_s - (local - datetime.combine(local.date(), time())).total_seconds()
        stations = tuple(
            self._station(place, one, max(today_s, 0.0), moment_s, at) for place, one in enumerate(self._line.stations)
        )
        levels = {
            one.id: max(track.at(moment_s)[0], 0) for one, track in zip(self._line.buffers, self._levels, strict=True)
        }
        return Now(at, stations, levels, "simulated")

    def _station(self, place: int, station: Station, today_s: float, moment_s: float, at: datetime) -> StationNow:
        seen = [track.at(moment_s) for track in self._machines[place]]
        states = [max(state, 0) for state, _ in seen]
        most = max(dict.fromkeys(states), key=states.count)
        since_s = max(since for state, since in seen if max(state, 0) == most)
        power = {
            c: float(sum(table[place, s] for s in states)) for c, table in self._powers.items() if c in station.draws
        }
        used = {
            carrier: float(self._between(table[place], today_s, moment_s))
            for carrier, table in self._energy.items()
            if carrier in station.draws
        }
        grams, known = 0.0, bool(used)
        for carrier, amount in used.items():
            each = grams_each(self._context, self._grams, (carrier, station.shop), at.year)
            known, grams = known and each is not None, grams + (each or 0.0) * amount
        kw = power.get(ELECTRICITY)
        return StationNow(
            station.id, station.title, station.shop, STATES[most], self._moment(since_s), kw, kw, None if not kw else 0.0,
            int(self._between(self._made[place], today_s, moment_s)), "simulated", None, (), power, used,
            grams if known else None, at, "good", "simulated",
        )  # fmt: skip

    def _between(self, run_up: Floats, first_s: float, last_s: float) -> float:
        """Return what ran up between two moments; within an interval evenly."""
        edges = np.arange(len(run_up)) * STEP_S
        return float(np.interp(last_s, edges, run_up) - np.interp(first_s, edges, run_up))

    def _moment(self, moment_s: float) -> datetime:
        local = self._begin + timedelta(seconds=moment_s)
        return local.replace(tzinfo=self._zone).astimezone(UTC)


def _tracks(trace: Trace) -> tuple[list[list[_Track]], list[_Track]]:
    """Return the tracks of the machines of each station, and of the buffers."""
    of_station: dict[int, list[_Track]] = {}
    for machine, station in enumerate(trace.station_of):
        rows = trace.machines[trace.machines["machine"] == machine]
        changed = np.append(True, np.diff(rows["state"]) != 0)[: len(rows)]
        of_station.setdefault(station, []).append(_Track(rows["at_s"][changed], rows["state"][changed]))
    levels = []
    for buffer in range(len(trace.line.buffers)):
        rows = trace.levels[trace.levels["buffer"] == buffer]
        levels.append(_Track(rows["at_s"], rows["held"]))
    return [of_station[place] for place in range(len(trace.line.stations))], levels


def _run_up(run: Run) -> Mapping[str, Floats]:
    """Return what each station has taken by the beginning of each interval, by carrier."""
    return {
        carrier: np.concatenate([np.zeros((len(table), 1)), table.cumsum(axis=1)], axis=1)
        for carrier, table in usage(run).by_station.items()
    }
