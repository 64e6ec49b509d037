"""What a run takes: energy of each carrier by station and interval, from the seconds of every state and the pieces made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.twin.line import CARRIERS, IDLE, OFF, SETUP, STATES, WORKING, Line
from zerofactory.optimisation.twin.production import COUNTS, Run

Floats = NDArray[np.float64]
SECONDS = 3600.0
WASTED = ("off", "warm_up", "idle", "standby", "blocked", "failed")
"""States in which energy makes nothing."""


@dataclass(frozen=True)
class Aside:
    """What is taken beside the line (utilities): by carrier, row × interval; ``wasted`` the part that makes nothing."""

    ids: tuple[str, ...]
    shops: tuple[str | None, ...]
    used: Mapping[str, Floats]
    wasted: Mapping[str, Floats]


@dataclass(frozen=True)
class Usage:
    """Energy of a run.

    ``by_station`` maps a carrier to station × interval, ``wasted`` the part of it in states that make nothing, in kWh of
    electricity and heat, Nm3 of gas and air, m3 of water; ``aside`` is what is taken beside the line, totals have both.
    """

    run: Run
    by_station: Mapping[str, Floats]
    wasted: Mapping[str, Floats]
    aside: Aside | None = None

    @property
    def carriers(self) -> tuple[str, ...]:
        """All carriers that are taken, those of the stations first."""
        return tuple(dict.fromkeys((*self.by_station, *(self.aside.used if self.aside else ()))))

    def by_interval(self, carrier: str) -> Floats:
        """Return what the stations and all beside them take of a carrier in each interval."""
        found = np.zeros(self.run.seconds.shape[1])
        for table in (self.by_station, self.aside.used if self.aside else {}):
            if carrier in table:
                found += table[carrier].sum(axis=0)
        return found

    def total(self, carrier: str, first: int = 0) -> float:
        """Return what a carrier comes to from an interval on."""
        return float(self.by_interval(carrier)[first:].sum())

    def wasted_total(self, carrier: str, first: int = 0) -> float:
        """Return what made nothing."""
        tables = (self.wasted, self.aside.wasted if self.aside else {})
        return sum(float(table[carrier][:, first:].sum()) for table in tables if carrier in table)

    def per_piece(self, carrier: str, first: int = 0) -> float | None:
        """Return what one finished piece took; None where none was finished."""
        made = int(self.run.output[first:].sum())
        return self.total(carrier, first) / made if made else None


def powers(line: Line, carrier: str) -> tuple[Floats, Floats]:
    """Return what each station takes of a carrier by state (an hour of one machine), and by piece."""
    states = np.zeros((len(line.stations), len(STATES)))
    pieces = np.zeros(len(line.stations))
    for place, station in enumerate(line.stations):
        draw = station.draws.get(carrier)
        if draw is not None:
            states[place] = [draw.power.get(state, _stand_in(draw.power, state)) for state in STATES]
            pieces[place] = draw.per_piece
    return states, pieces


def _stand_in(power: Mapping[str, float], state: str) -> float:
    """Return the power of a state that is not stated: as idle where the machine is on, as working while it is set up or warms
    up, nothing when it is off or on standby."""
    if state in ("blocked", "failed"):
        return power.get("idle", 0.0)
    if state in ("setup", "warm_up"):
        return power.get("idle", power.get("working", 0.0))
    return 0.0


def usage(run: Run) -> Usage:
    """Return the energy of a run: E = Σ_states P · t / 3600 + e · pieces."""
    made = run.counts[:, :, COUNTS.index("made")]
    by_station, wasted = {}, {}
    idle = [STATES.index(state) for state in WASTED]
    for carrier in CARRIERS:
        states, pieces = powers(run.line, carrier)
        if not states.any() and not pieces.any():
            continue
        by_state = run.seconds * states[:, None, :] / SECONDS
        by_station[carrier] = by_state.sum(axis=2) + made * pieces[:, None]
        wasted[carrier] = by_state[:, :, idle].sum(axis=2)
    return Usage(run, by_station, wasted)


@dataclass(frozen=True, slots=True)
class Share:
    """How a station passed its open time, as shares of it; ``made`` pieces."""

    station: str
    working: float
    setup: float
    failed: float
    starved: float
    blocked: float
    made: int

    @property
    def active(self) -> float:
        """Neither starved nor blocked: nobody else is in its way."""
        return self.working + self.setup + self.failed


def shares(run: Run, first: int = 0) -> tuple[Share, ...]:
    """Return how each station passed its open time (standby counts as waiting for pieces)."""
    seconds = run.seconds[:, first:, :].sum(axis=1)
    found = []
    for place, station in enumerate(run.line.stations):
        row = seconds[place]
        on = max(float(row.sum() - row[OFF] - row[STATES.index("warm_up")]), 1e-12)
        found.append(
            Share(
                station.id,
                float(row[WORKING]) / on,
                float(row[SETUP]) / on,
                float(row[STATES.index("failed")]) / on,
                float(row[IDLE] + row[STATES.index("standby")]) / on,
                float(row[STATES.index("blocked")]) / on,
                run.count("made", station.id, first),
            )
        )
    return tuple(found)


def bottleneck(run: Run, first: int = 0) -> str:
    """Return the station that is least kept waiting by the others (the active-period view of Roser, Nakano and Tanaka 2001,
    doi 10.1109/WSC.2001.977388, averaged over the run)."""
    return max(shares(run, first), key=lambda one: one.active).station
