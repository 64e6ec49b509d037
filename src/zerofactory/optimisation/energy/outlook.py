"""What a dispatcher sees of the hours to come: everything (perfect foresight), or a forecast made of what was measured so far.

`Learned` is a seasonal forecast corrected by the newest error:

    ŷ[t+k] = s[t+k] + ρ^(k+1) · (y[t−1] − s[t−1])

with s the mean of the same slot of earlier weeks (or days, for sun), and ρ the correlation of successive errors of s, fitted
on the history alone (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2 and 10: seasonal naive with
AR(1) errors). It is quick enough to be made anew every quarter hour of a year, and it never looks ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zerofactory.assets.grid import Floats
from zerofactory.errors import Misuse
from zerofactory.optimisation.energy.window import Key

HOURS_PER_DAY = 24


class Outlook(Protocol):
    """What is foreseen from an interval on."""

    def at(self, slot: int, length: int) -> Mapping[Key, Floats]:
        """Return the series foreseen for ``length`` intervals from ``slot`` on; nothing for a series that is known."""
        ...

    def margin(self, key: Key, length: int, fraction: float) -> Floats:
        """Return by how much a series exceeds its forecast with probability 1 − fraction, by lead."""
        ...


class Perfect:
    """Everything is known."""

    def at(self, slot: int, length: int) -> Mapping[Key, Floats]:
        """Return nothing: what comes is what will be."""
        del slot, length
        return {}

    def margin(self, key: Key, length: int, fraction: float) -> Floats:
        """Return nothing to be kept in hand."""
        del key, fraction
        return np.zeros(length)


@dataclass(frozen=True, slots=True)
class Season:
    """How a series repeats: every so many days, the mean of so many repetitions; ``dark`` when what was nothing stays nothing."""

    days: int
    repetitions: int
    dark: bool = False


WEEKLY, DAILY = Season(7, 2), Season(1, 3, dark=True)


class Learned:
    """Forecasts of several series from their own past.

    Parameters
    ----------
    measured : key → the series as it was (or will be) measured; at an interval only what lies before it is read.
    seasons : key → how the series repeats.
    slots_per_day : intervals a day.
    history : number of intervals before the first forecast, on which ρ and the errors are learned.

    Raises
    ------
    Misuse
        The history is shorter than the season needs.
    """

    def __init__(
        self, measured: Mapping[Key, Floats], seasons: Mapping[Key, Season], slots_per_day: int, history: int
    ) -> None:
        self._measured = dict(measured)
        self._season: dict[Key, Floats] = {}
        self._rho: dict[Key, float] = {}
        self._dark = {key: season.dark for key, season in seasons.items()}
        self._errors: dict[Key, Floats] = {}
        for key, series in measured.items():
            season = seasons[key]
            period, first = season.days * slots_per_day, season.days * season.repetitions * slots_per_day
            if history < first + slots_per_day:
                raise Misuse(f"{history} intervals of history are too few for {key}")
            self._season[key] = _seasonal(series, period, season.repetitions)
            error = (series - self._season[key])[first:history]
            self._errors[key] = error
            self._rho[key] = _correlation(error)

    def at(self, slot: int, length: int) -> Mapping[Key, Floats]:
        """Return the forecasts from an interval on; the last interval measured is the one before it."""
        found = {}
        for key, series in self._measured.items():
            seasonal = self._season[key]
            ahead = seasonal[slot : slot + length]
            newest = series[slot - 1] - seasonal[slot - 1] if slot else 0.0
            made = np.maximum(ahead + newest * self._rho[key] ** np.arange(1, len(ahead) + 1), 0.0)
            found[key] = np.where(ahead > 0.0, made, 0.0) if self._dark[key] else made
        return found

    def margin(self, key: Key, length: int, fraction: float) -> Floats:
        """Return the quantile of the errors seen in the history, by lead; nothing below zero."""
        if key not in self._errors:
            return np.zeros(length)
        error, rho = self._errors[key], self._rho[key]
        found = np.zeros(length)
        for lead in range(length):
            ahead = error[lead + 1 :] - rho ** (lead + 1) * error[: len(error) - lead - 1]
            if len(ahead) < HOURS_PER_DAY:
                found[lead:] = found[lead - 1] if lead else 0.0
                break
            found[lead] = np.quantile(ahead, fraction)
        return np.maximum(found, 0.0)


def _seasonal(series: Floats, period: int, repetitions: int) -> Floats:
    """Return the mean of the same place of earlier seasons; where there is none yet, of those that are there."""
    total, count = np.zeros(len(series)), np.zeros(len(series))
    for back in range(1, repetitions + 1):
        shift = back * period
        if shift < len(series):
            total[shift:] += series[:-shift]
            count[shift:] += 1
    found: Floats = np.divide(total, count, out=np.full(len(series), float(series[0])), where=count > 0)
    return found


def _correlation(error: Floats) -> float:
    """Return the correlation of successive errors, between 0 and 0.999."""
    before, after = error[:-1], error[1:]
    spread = float(before @ before)
    return 0.0 if spread == 0.0 else float(np.clip(before @ after / spread, 0.0, 0.999))
