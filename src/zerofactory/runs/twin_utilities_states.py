"""What drove the utilities in months gone by: the states the stations were seen in, their pieces and power, and the weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.optimisation.twin.line import STATES, Station
from zerofactory.optimisation.utilities import air
from zerofactory.optimisation.utilities.driven import Driven, Outdoors, Stations
from zerofactory.optimisation.utilities.plant import Utilities
from zerofactory.runs.context import Context
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_utilities import WORKING, weather_from
from zerofactory.runs.twin_utilities_file import Beside

if TYPE_CHECKING:
    from zerofactory.runs.twin_calibrate import MonthOfDays

Floats = NDArray[np.float64]
SLOTS, SLOT_S = 96, 900.0
OFF, WARM_UP, IDLE, WORK = (STATES.index(name) for name in ("off", "warm_up", "idle", "working"))


@dataclass(frozen=True, slots=True)
class Passed:
    """A station as its meters saw it, slot by slot over all the months: the share in which it was on, and in which it worked."""

    on: Floats
    works: Floats


@dataclass(frozen=True, slots=True)
class Hours:
    """How long a station was on and warming up: as its meters saw it, and by the shifts of the calendar, which a simulation follows."""

    station: str
    title: Text
    seen_h: float
    shifts_h: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        title = {"zh": self.title.zh, "en": self.title.en}
        return {"station": self.station, "title": title, "seen_h": self.seen_h, "shifts_h": self.shifts_h}


@dataclass(frozen=True)
class Past:
    """Some months in the order of time: their calendars, what was seen of stations, the power of each station by its meters."""

    months: tuple[MonthOfDays, ...]
    passed: Mapping[str, Passed]
    power_kw: Mapping[str, Floats]

    @property
    def count(self) -> int:
        """How many days."""
        return sum(len(month.days) for month in self.months)


def driven(context: Context, twin: Twin, beside: Beside, past: Past) -> Driven:
    """Return what drove the utilities in some months.

    A station with meters was on and at work as these saw it (see `optimisation.twin.rhythm`), one without while its line was open.
    It warmed up before that as twin.toml says. Outdoors it was as warm as it was measured, as damp as in the typical year.
    """
    opened = np.concatenate([month.open_fraction for month in past.months])
    output = np.concatenate([month.pieces for month in past.months])
    shares, pieces = {}, {}
    power: dict[str, Floats] = {}
    gone = set(beside.takes_over)
    for station in twin.line.stations:
        seen = past.passed.get(station.id, Passed(opened, opened))
        shares[station.id] = states(seen, station)
        pieces[station.id] = _pieces(seen, station, twin, output)
        if station.shop is not None and station.id in past.power_kw and (station.id, "electricity") not in gone:
            power[station.shop] = power.get(station.shop, np.zeros(len(opened))) + past.power_kw[station.id]
    machines = {station.id: station.machines for station in twin.line.stations}
    hour = (np.arange(len(opened)) // 4 % 24).astype(np.int64)
    stations = Stations(shares, machines, pieces, power, STATES, WORKING)
    return Driven(SLOT_S, outdoors(context, beside, past.months), stations, opened, hour, np.zeros(len(opened)))


def hours(
    twin: Twin, utilities: Utilities, drives: tuple[Driven, Driven], counted: NDArray[np.bool_]
) -> tuple[Hours, ...]:
    """Return how long the stations that utilities follow were on in the slots counted, as they were seen and by the shifts."""
    tables = (utilities.booths, utilities.ovens, utilities.air)
    names = {name for table in tables for row in table for name in row.stations}

    def on_h(drive: Driven, station: Station) -> float:
        return float((1.0 - drive.stations.shares[station.id][counted, OFF]).sum()) * SLOT_S / 3600.0

    return tuple(
        Hours(one.id, one.title, on_h(drives[0], one), on_h(drives[1], one))
        for one in twin.line.stations
        if one.id in names
    )


def states(seen: Passed, station: Station) -> Floats:
    """Return the shares of the states of a station, slot × state."""
    found = np.zeros((len(seen.on), len(STATES)))
    on, works = np.clip(seen.on, 0.0, 1.0), np.clip(seen.works, 0.0, seen.on)
    warm = np.zeros(len(on))
    for back in range(1, int(np.ceil(station.warm_up_s / SLOT_S)) + 1):
        part = min(station.warm_up_s / SLOT_S - (back - 1), 1.0)
        warm[:-back] = np.maximum(warm[:-back], part * (on[back:] > 0.0))
    warm = np.minimum(warm, 1.0 - on)
    found[:, OFF], found[:, WARM_UP] = 1.0 - on - warm, warm
    found[:, IDLE], found[:, WORK] = on - works, works
    return found


def _pieces(seen: Passed, station: Station, twin: Twin, output: Floats) -> Floats:
    """Return the pieces of a station by slot: its part of the output of each day, by its hours of work; by its cycle where no output
    is known."""
    works = seen.works.reshape(-1, SLOTS)
    if not output.any():
        return np.asarray(seen.works * SLOT_S * station.machines / station.cycle.average_s)
    alike = [one for one in twin.line.stations if one.takes == station.takes and one.takes]
    part = station.machines / max(sum(one.machines for one in alike), station.machines)
    whole = works.sum(axis=1, keepdims=True)
    share = np.divide(works, whole, out=np.zeros_like(works), where=whole > 0.0)
    return np.asarray((share * (output * part)[:, None]).ravel())


def outdoors(context: Context, beside: Beside, months: Sequence[MonthOfDays]) -> Outdoors:
    """Return the weather of some months: the days of the typical year moved to the temperature that was measured, at their humidity."""
    parts = []
    for month in months:
        out = weather_from(context, beside.weather, month.days[0], month.slots, 15)
        if month.mean_degc is not None:
            damp = air.relative(out.celsius, out.humidity_ratio, out.pressure_pa)
            mean = out.celsius.reshape(-1, SLOTS).mean(axis=1)
            celsius = out.celsius + np.repeat(month.mean_degc - mean, SLOTS)
            out = Outdoors(celsius, air.humidity(celsius, damp, out.pressure_pa), out.sun_w_per_m2, out.pressure_pa)
        parts.append(out)
    return Outdoors(
        np.concatenate([one.celsius for one in parts]), np.concatenate([one.humidity_ratio for one in parts]),
        np.concatenate([one.sun_w_per_m2 for one in parts]), parts[0].pressure_pa,
    )  # fmt: skip
