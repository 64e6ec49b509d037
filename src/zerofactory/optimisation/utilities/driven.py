"""What drives the utilities, interval by interval: the weather, the shifts, and what the stations do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.utilities import air

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outdoors:
    """The weather on the grid of the run, intervals of one length."""

    celsius: Floats
    humidity_ratio: Floats
    sun_w_per_m2: Floats
    pressure_pa: float = air.SEA_LEVEL_PA

    @cached_property
    def wet_bulb_celsius(self) -> Floats:
        """The wet bulb, which cooling towers follow."""
        return air.wet_bulb(self.celsius, self.humidity_ratio, self.pressure_pa)


@dataclass(frozen=True)
class Stations:
    """What the stations did.

    Parameters
    ----------
    shares : by station, shares of the interval in each state: interval × state.
    machines : of each station.
    pieces : by station, those that left it in the interval.
    power_kw : by shop, the electricity its stations took.
    states : names of the states, in order.
    working : those in which something is made.
    """

    shares: Mapping[str, Floats]
    machines: Mapping[str, int]
    pieces: Mapping[str, Floats]
    power_kw: Mapping[str, Floats]
    states: tuple[str, ...]
    working: tuple[str, ...]

    def together(self, stations: Sequence[str]) -> Floats:
        """Return the shares of some stations together, machine by machine; of none: always off."""
        if not stations:
            none = np.zeros_like(next(iter(self.shares.values())))
            none[:, self.states.index("off")] = 1.0
            return none
        total = sum(self.machines[one] for one in stations)
        rows = [self.shares[one] * (self.machines[one] / total) for one in stations]
        return np.asarray(np.sum(rows, axis=0))

    def weighed(self, shares: Floats, by_state: Mapping[str, float], otherwise: float = 0.0) -> Floats:
        """Return the mean over states of a figure given by state."""
        return np.asarray(shares @ np.array([by_state.get(state, otherwise) for state in self.states]))

    def made(self, shares: Floats) -> Floats:
        """Return the share of the interval in which something is made."""
        return self.weighed(shares, dict.fromkeys(self.working, 1.0))


@dataclass(frozen=True)
class Driven:
    """Everything of a run.

    ``open_fraction`` is the share of each interval within a shift, ``hour`` the local hour of its start, ``air_nm3_per_h`` the
    compressed air that stations draw by their own figures, ``drawn_nm3_per_h`` the same by station. ``stopped`` is the share of
    each interval in which a load or a consumer of air (table, id) is at rest though a shift is on: its stations are locked out.
    """

    step_s: float
    outdoors: Outdoors
    stations: Stations
    open_fraction: Floats
    hour: NDArray[np.int64]
    air_nm3_per_h: Floats
    drawn_nm3_per_h: Mapping[str, Floats] = field(default_factory=dict)
    stopped: Mapping[tuple[str, str], Floats] = field(default_factory=dict)

    @property
    def hours(self) -> float:
        """Length of an interval."""
        return self.step_s / 3600.0

    @property
    def length(self) -> int:
        """How many intervals."""
        return len(self.open_fraction)

    def opened(self, table: str, name: str) -> Floats:
        """Return the share of each interval in which a load or a consumer of air works: within a shift and not stopped."""
        gone = self.stopped.get((table, name))
        return self.open_fraction if gone is None else self.open_fraction * (1.0 - gone)

    def without_shifts(self) -> Driven:
        """Return the same with no shift at all."""
        return replace(self, open_fraction=np.zeros(self.length))

    def without_own_air(self) -> Driven:
        """Return the same with no air that stations draw by their own figures."""
        return replace(self, air_nm3_per_h=np.zeros(self.length))
