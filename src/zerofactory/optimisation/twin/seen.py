"""What a meter says of a machine's state now: Bayes' rule over the states of the twin, carrier by carrier.

    P(s | p) ∝ P(s | shift) · Π_c [ (1 − ω) · N(p_c; n·P_{c,s}, σ_{c,s}²) + ω / R_c ],   σ = scatter · n·P_{c,s}

with p the mean power of an interval, n the machines of the station, R_c what the meter ranges over, ω the share of intervals that
no state explains. A power above the greatest counts as the greatest, one below the least as the least: a leak is no state. States
of one power cannot be told apart; then what is more likely before the reading is told. Numbers: `seen.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.optimisation.twin.energy import powers
from zerofactory.optimisation.twin.line import STATES, Line, Station

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
PHASES = ("open", "warming", "closed")
OPEN, WARMING, CLOSED = range(3)
LEAST_SHARE = 0.02  # of the greatest power: no meter reads a small power more exactly than that of its range


@dataclass(frozen=True, slots=True)
class Terms:
    """The packaged numbers: scatter, outliers, and how likely each state is before a reading (phase × state)."""

    scatter_fraction: float
    outlier_fraction: float
    before: tuple[tuple[float, ...], ...]
    signal_holds_minutes: int
    disagree_range_fraction: float
    disagree_scatters: float


@lru_cache(maxsize=1)
def terms() -> Terms:
    """Return the packaged numbers.

    Examples
    --------
    >>> [round(sum(row), 9) for row in terms().before]
    [1.0, 1.0, 1.0]
    """
    table = tomllib.loads((files("zerofactory.optimisation.twin") / "seen.toml").read_text(encoding="utf-8"))
    before = tuple(tuple(float(table["before"][phase].get(state, 0.0)) for state in STATES) for phase in PHASES)
    rest = (
        int(table["signal_holds_minutes"]),
        float(table["disagree_range_fraction"]),
        float(table["disagree_scatters"]),
    )
    return Terms(float(table["scatter_fraction"]), float(table["outlier_fraction"]), before, *rest)


def station_powers(line: Line, station: Station, carrier: str) -> Floats:
    """Return what all machines of a station take of a carrier by state (`line.STATES`)."""
    states, _ = powers(line, carrier)
    found: Floats = states[line.place(station.id)] * station.machines
    return found


def possible(station: Station) -> NDArray[np.bool_]:
    """Return which states a station can be in at all: without set-ups there is none, without failures none fails.

    Examples
    --------
    >>> from zerofactory.errors import Text
    >>> from zerofactory.optimisation.twin.draw import Spread
    >>> plain = Station("p", Text("", ""), Spread("fixed", 60.0))
    >>> [state for state, can in zip(STATES, possible(plain), strict=True) if can]
    ['off', 'idle', 'working']
    """
    can = {
        "warm_up": station.warm_up_s > 0.0,
        "standby": station.standby_after_s != float("inf"),
        "blocked": station.gives is not None,
        "failed": station.failure is not None,
        "setup": station.setup_s > 0.0,
    }
    return np.array([can.get(state, True) for state in STATES])


def likely(
    levels: Mapping[str, Floats], power: Mapping[str, Floats], phase: Places, can: NDArray[np.bool_] | None = None
) -> Floats:
    """Return how likely each state is in each interval (T × states), rows adding up to one.

    Parameters
    ----------
    levels : power of the station by state (`station_powers`), by carrier.
    power : what was metered in each interval (T), by carrier; not-a-number where it was not.
    phase : whether the shift runs in each interval (`PHASES`).
    can : states that the station can be in (`possible`); None: all.

    Examples
    --------
    A press of 67 kW stopped, 294 kW waiting and 718 kW working, in a shift: at 700 kW it works, at 300 kW it waits.

    >>> levels = {"electricity": np.array([67.0, 522.0, 294.0, 163.0, 718.0, 294.0, 294.0, 294.0])}
    >>> found = likely(levels, {"electricity": np.array([700.0, 300.0, 66.0])}, np.array([OPEN, OPEN, CLOSED]))
    >>> [STATES[place] for place in found.argmax(axis=1)]
    ['working', 'idle', 'off']
    """
    given = terms()
    before = np.array(given.before) * (1.0 if can is None else can)
    if set(power) - set(levels):
        raise Misuse("a carrier without powers by state")
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(before[phase])
    for carrier, metered in power.items():
        logs = logs + _log_density(levels[carrier], metered, given)
    logs = logs - logs.max(axis=1, keepdims=True)
    weights = np.exp(logs)
    found: Floats = weights / weights.sum(axis=1, keepdims=True)
    return found


def _log_density(levels: Floats, metered: Floats, given: Terms) -> Floats:
    """Return ln of the density of a metered power in each state; nothing where there is no reading."""
    low, high = float(levels.min()), float(levels.max())
    spread = np.maximum(given.scatter_fraction * levels, LEAST_SHARE * max(high, 1e-9))
    seen = np.clip(np.nan_to_num(metered), low, high)[:, None]
    normal = np.exp(-0.5 * ((seen - levels) / spread) ** 2) / (spread * np.sqrt(2.0 * np.pi))
    mixed = (1.0 - given.outlier_fraction) * normal + given.outlier_fraction / max(high - low, float(spread.max()))
    found: Floats = np.where(np.isfinite(metered)[:, None], np.log(mixed), 0.0)
    return found


def disagrees(levels: Floats, metered: float, shares: Floats) -> bool:
    """Tell whether a metered power is clearly not that of the states a signal told of the same interval.

    |p − Σ share·P| > a · (max P − min P)  and  > b · σ,  σ as for `likely`; a, b: `seen.toml`. A power beyond the greatest or the
    least counts as that.

    Parameters
    ----------
    levels : power of the station by state.
    metered : mean power of the interval.
    shares : share of the interval in each state.

    Examples
    --------
    A press that is off by its signal and draws 650 kW; and one that works for half of the quarter hour.

    >>> levels = np.array([67.0, 522.0, 294.0, 163.0, 718.0, 294.0, 294.0, 294.0])
    >>> off, half = np.eye(8)[0], np.array([0.0, 0, 0.5, 0, 0.5, 0, 0, 0])
    >>> disagrees(levels, 650.0, off), disagrees(levels, 480.0, half)
    (True, False)
    """
    given = terms()
    low, high = float(levels.min()), float(levels.max())
    expected = float(levels @ shares)
    spread = max(given.scatter_fraction * expected, LEAST_SHARE * max(high, 1e-9))
    apart = abs(min(max(metered, low), high) - expected)
    return apart > max(given.disagree_range_fraction * (high - low), given.disagree_scatters * spread)


def worked_fraction(levels: Floats, power: Floats) -> Floats:
    """Return the share of each interval at work that its power speaks for: (p − P_idle) / (P_working − P_idle), within 0 and 1.

    Examples
    --------
    >>> worked_fraction(np.array([67.0, 0, 294.0, 163.0, 718.0, 0, 0, 0]), np.array([294.0, 506.0, 900.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    idle, working = float(levels[STATES.index("idle")]), float(levels[STATES.index("working")])
    if working <= idle:
        return np.full(len(power), np.nan)
    found: Floats = np.clip((power - idle) / (working - idle), 0.0, 1.0)
    return found
