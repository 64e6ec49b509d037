"""Run the utilities beside the line: driven by the states of a run and the weather, told as rows and accounted with the stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerofactory.assets.grid import Grid
from zerofactory.assets.weather_year import weather_year
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin.energy import SECONDS, WASTED, Aside, Usage
from zerofactory.optimisation.twin.line import STATES, Line, Window
from zerofactory.optimisation.twin.production import COUNTS, Run
from zerofactory.optimisation.twin.statistics import Interval, interval
from zerofactory.optimisation.utilities import air
from zerofactory.optimisation.utilities.driven import Driven, Outdoors, Stations
from zerofactory.optimisation.utilities.plant import Down, Ended, Utilities
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.series_file import read as read_series
from zerofactory.runs.twin_lost import Stopped
from zerofactory.runs.twin_utilities_entries import DownEntry, WeatherEntry
from zerofactory.runs.twin_utilities_file import Beside, Origin

Floats = NDArray[np.float64]
WORKING = tuple(state for state in STATES if state not in WASTED)
DAY_S = 86400.0
COLUMNS = ("ambient_celsius", "dew_point_celsius", "ghi_w_per_m2")


@dataclass(frozen=True)
class Utility:
    """A utility: what it takes of each carrier, and how much of it makes nothing."""

    id: str
    kind: str
    title: Text
    shop: str | None
    energy: Mapping[str, Interval]
    wasted: Mapping[str, Interval]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "utility": self.id, "kind": self.kind, "title": {"zh": self.title.zh, "en": self.title.en}, "shop": self.shop,
            "energy": {carrier: one.as_json() for carrier, one in self.energy.items()},
            "wasted": {carrier: one.as_json() for carrier, one in self.wasted.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Remark:
    """Something that is told beside energy: a figure with its interval and unit, and whether it is a reason to act."""

    id: str
    title: Text
    unit: str
    value: Interval
    alarming: bool

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        title = {"zh": self.title.zh, "en": self.title.en}
        return {"remark": self.id, "title": title, "unit": self.unit, "alarming": self.alarming, **self.value.as_json()}


@dataclass(frozen=True)
class Around:
    """What is told of the utilities of some replications: rows, remarks, the remarks of each replication by name, what they stopped,
    and what readings told of them before."""

    status: str
    utilities: tuple[Utility, ...]
    remarks: tuple[Remark, ...]
    paired: Mapping[str, tuple[float, ...]]
    stopped: Stopped | None = None
    origin: Origin | None = None


def ready(context: Context, beside: Beside, first: date, lead_days: int, one: Run) -> tuple[Utilities, Outdoors]:
    """Return the utilities as they are run beside a run of the line, and the weather of its days.

    ``first`` is the first day that counts, ``lead_days`` were run before it.
    """
    begin, count = first - timedelta(days=lead_days), one.seconds.shape[1]
    outdoors = weather_from(context, beside.weather, begin, count, int(one.step_s / 60))
    return replace(beside.utilities, down=tuple(_down(row, lead_days) for row in beside.down)), outdoors


def _down(one: DownEntry, lead_days: int) -> Down:
    begin = (lead_days + one.day - 1) * DAY_S + one.at.hour * SECONDS + one.at.minute * 60.0 + one.at.second
    return Down(one.utility, begin, begin + one.hours * SECONDS)


def weather_on(context: Context, weather: WeatherEntry, begin: date, one: Usage) -> Outdoors:
    """Return the weather of the days of a run: of a packaged typical year or of a file of the workspace."""
    return weather_from(context, weather, begin, one.run.seconds.shape[1], int(one.run.step_s / 60))


def weather_from(context: Context, weather: WeatherEntry, begin: date, count: int, step_minutes: int) -> Outdoors:
    """Return the weather of so many intervals from the beginning of a day."""
    place = context.workspace.plant.time_zone
    grid = Grid(datetime.combine(begin, time(), zone(place)).astimezone(UTC), step_minutes, count, place)
    pressure = air.pressure_pa(weather.altitude_m)
    if weather.place is not None:
        found = weather_year(weather.place).on(grid)
    else:
        found = {name: _column(context.workspace.folder / str(weather.file), name, grid) for name in COLUMNS}
    t, dew = found["ambient_celsius"], np.minimum(found["dew_point_celsius"], found["ambient_celsius"])
    return Outdoors(t, air.humidity(dew, 1.0, pressure), found["ghi_w_per_m2"], pressure)


def _column(path: Path, name: str, grid: Grid) -> Floats:
    given = read_series(path, name, grid.time_zone)
    starts = [grid.start + number * timedelta(minutes=grid.step_minutes) for number in range(grid.length)]
    places = np.array([(start - given.start) // timedelta(minutes=given.minutes) for start in starts], dtype=np.int64)
    inside = (places >= 0) & (places < len(given.values))
    values = np.where(inside, given.values[np.clip(places, 0, len(given.values) - 1)], np.nan)
    if np.isnan(values).any():
        first = starts[int(np.isnan(values).argmax())].isoformat()
        message = Text(f"{path.name} 的 {name} 从 {first} 起没有值。", f"{path.name} has no {name} at {first}.")
        hint = Text("请补上这些天的气象, 或改用 place。", "Give the weather of those days, or use place.")
        raise FaultyData([Problem("utilities.weather", message, hint, file=path.name, column=name)])
    return values


def driven(one: Usage, outdoors: Outdoors) -> Driven:
    """Return what drives the utilities: the states, pieces and power of the stations in each interval of a run."""
    run = one.run
    step_s, count, line = run.step_s, run.seconds.shape[1], run.line
    machines = {station.id: station.machines for station in line.stations}
    shares = {
        station.id: run.seconds[place] / (station.machines * step_s) for place, station in enumerate(line.stations)
    }
    made = run.counts[:, :, COUNTS.index("made")]
    pieces = {station.id: made[place].astype(np.float64) for place, station in enumerate(line.stations)}
    hours = step_s / SECONDS
    power: dict[str, Floats] = {}
    for place, station in enumerate(line.stations):
        if station.shop is not None and "electricity" in one.by_station:
            taken = one.by_station["electricity"][place] / hours
            power[station.shop] = power.get(station.shop, np.zeros(count)) + taken
    blown = one.by_station.get("compressed_air")
    drawn = np.zeros(count) if blown is None else np.asarray(blown.sum(axis=0) / hours)
    by = {} if blown is None else {station.id: blown[place] / hours for place, station in enumerate(line.stations)}
    hour = (np.arange(count) * step_s // SECONDS % 24).astype(np.int64)
    stations = Stations(shares, machines, pieces, power, STATES, WORKING)
    return Driven(step_s, outdoors, stations, open_fraction(line, count, step_s), hour, drawn, by)


def open_fraction(line: Line, count: int, step_s: float) -> Floats:
    """Return the share of each interval within a shift of the line; all of it where it has none."""
    return open_in(line.windows, count, step_s)


def open_in(windows: Sequence[Window], count: int, step_s: float) -> Floats:
    """Return the share of each interval within some windows; all of it where there are none."""
    if not windows:
        return np.ones(count)
    edges = np.arange(count + 1) * step_s
    opened = np.zeros(count)
    for window in windows:
        opened += np.diff(np.clip(edges, window.start_s, window.end_s)) / step_s
    return np.minimum(opened, 1.0)


def aside(ended: Ended) -> Aside:
    """Return the rows of the utilities as the accounts of a run take them."""
    carriers = list(dict.fromkeys(name for row in ended.rows for name, amount in row.used.items() if amount.any()))
    nothing = np.zeros_like(next(iter(ended.rows[0].used.values()))) if ended.rows else np.zeros(0)

    def table(which: str, carrier: str) -> Floats:
        return np.array([getattr(row, which).get(carrier, nothing) for row in ended.rows])

    return Aside(
        tuple(row.id for row in ended.rows),
        tuple(row.shop for row in ended.rows),
        {carrier: table("used", carrier) for carrier in carriers},
        {carrier: table("wasted", carrier) for carrier in carriers},
    )


def around(beside: Beside, ended: Sequence[Ended], skip: int, confidence: float) -> Around:
    """Return the figures of the utilities of some replications, the start left out."""

    def over(values: Sequence[float]) -> Interval:
        return interval(list(values), confidence)

    rows = []
    for place, row in enumerate(ended[0].rows):
        same = [one.rows[place] for one in ended]
        carriers = [carrier for carrier, amount in row.used.items() if any(one.used[carrier].any() for one in same)]
        used = {name: over([float(one.used[name][skip:].sum()) for one in same]) for name in carriers}
        wasted = {
            name: over([float(one.wasted[name][skip:].sum()) if name in one.wasted else 0.0 for one in same])
            for name in carriers
        }
        rows.append(Utility(row.id, row.kind, row.title, row.shop, used, wasted))
    every = [remarks(beside.utilities, one, skip) for one in ended]
    paired = {key: tuple(one[key][2] for one in every) for key in every[0]}
    told = tuple(
        Remark(key, title, unit, over(paired[key]), alarming and any(paired[key]))
        for key, (title, unit, _, alarming) in every[0].items()
    )
    return Around(beside.status, tuple(rows), told, paired, origin=beside.origin)


def remarks(utilities: Utilities, ended: Ended, skip: int) -> dict[str, tuple[Text, str, float, bool]]:
    """Return what is told beside energy: title, unit, value, and whether anything but nothing is a reason to act."""
    found: dict[str, tuple[Text, str, float, bool]] = {}
    blown, hours = ended.air, 24.0 / 96.0
    if blown is not None and utilities.network is not None:
        need = utilities.network.needed_kpa
        found["air_leaked_nm3"] = Text("压缩空气泄漏", "air leaked"), "Nm3", float(blown.leaked_nm3[skip:].sum()), False
        found["air_delivered_nm3"] = Text("压缩空气用量", "air delivered"), "Nm3", float(blown.delivered_nm3[skip:].sum()), False  # fmt: skip
        low = float((blown.least_kpa[skip:] < need).sum()) * hours
        found["air_low_h"] = Text(f"气压低于 {need:g} kPa", f"air below {need:g} kPa"), "h", low, True
        found["air_missed_nm3"] = Text("少供的压缩空气", "air not delivered"), "Nm3", float(blown.missed_nm3[skip:].sum()), True  # fmt: skip
    for place, loop in enumerate(utilities.loops):
        missed = (ended.loops.wanted[place] - ended.loops.served[place])[skip:]
        short = Text(f"{loop.title.zh}供应不足", f"{loop.title.en}: not served")
        found[f"{loop.id}_unmet_kwh"] = short, "kWh", float(np.where(missed > 1e-6, missed, 0.0).sum()) * hours, True
        found[f"{loop.id}_unmet_h"] = short, "h", float((missed > 1e-6).sum()) * hours, True
    for place, hall in enumerate(utilities.halls):
        celsius = ended.loops.hall_celsius[place, skip:]
        found[f"{hall.id}_lowest_celsius"] = Text(f"{hall.title.zh}最低温度", f"{hall.title.en}: coldest"), "°C", float(celsius.min()), False  # fmt: skip
        found[f"{hall.id}_highest_celsius"] = Text(f"{hall.title.zh}最高温度", f"{hall.title.en}: hottest"), "°C", float(celsius.max()), False  # fmt: skip
    for oven in utilities.ovens:
        text = Text(f"{oven.title.zh}未到温度时通过的车身", f"{oven.title.en}: bodies through it too cold")
        found[f"{oven.id}_cold_pieces"] = text, "1", float(ended.ovens[oven.id].cold_pieces[skip:].sum()), True
    return found
