"""Keep the utilities true: the leak flow of days without work and the conductance of heated halls, from their meters.

What is found is written beside utilities.toml (``utilities.fitted.csv``); runs take it from there until the file is deleted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.metering.interval import MISSING
from zerofactory.notation import text_of
from zerofactory.optimisation.utilities import air, compressed_air
from zerofactory.optimisation.utilities.fit import Figure, heated, leak_nm3_per_h
from zerofactory.optimisation.utilities.hall import Hall
from zerofactory.periods import Period
from zerofactory.runs.baseline import daily_temperature
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month
from zerofactory.runs.twin_file import Twin, windows
from zerofactory.runs.twin_file import read as read_twin
from zerofactory.runs.twin_utilities import weather_from
from zerofactory.runs.twin_utilities_file import FITTED, FITTED_COLUMNS, Beside, read
from zerofactory.store.files import write_bytes_whole

Floats = NDArray[np.float64]
SLOTS = 96
LEAST_R2 = 0.75  # usual for a model of building energy that is to be used (IPMVP, ASHRAE Guideline 14)
SETTLED_SLOTS = 12  # after a shift begins: by then the hall has been brought to its set point


@dataclass(frozen=True)
class Found:
    """A figure of a utility that readings tell, beside what the file says, and the keys of the file it becomes.

    A line that explains too little (``r2_fraction`` below `LEAST_R2`) is told, not taken: it has no keys.
    """

    table: str
    id: str
    title: Text
    unit: str
    figure: Figure
    stated: float
    keys: tuple[tuple[str, float], ...]
    r2_fraction: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "table": self.table, "utility": self.id, "title": {"zh": self.title.zh, "en": self.title.en}, "unit": self.unit,
            **self.figure.as_json(), "stated": self.stated, "r2_fraction": self.r2_fraction, "keys": dict(self.keys),
        }  # fmt: skip


@dataclass(frozen=True)
class _Days:
    """The days of some months in quarter hours: day × slot."""

    first_and_count: tuple[tuple[str, int], ...]
    open: NDArray[np.bool_]
    celsius: Floats
    sun: Floats


def fit(
    context: Context, months: Sequence[str], temperature: Path | None = None, confidence: float = 0.95
) -> tuple[Found, ...]:
    """Return what the months tell of the network's leaks and the halls whose meters the file names (``air_meter``, ``heat_meter``);
    nothing where there are no utilities. Daily temperatures are those of `zf baseline` where it has any, else of the weather."""
    twin = read_twin(context)
    beside = read(context, twin, fitted=False)
    if beside is None or not beside.counters:
        return ()
    days = _days(context, beside, months, temperature)
    found: list[Found | None] = []
    for (table, name), meter in beside.counters.items():
        rate = _rate(context, meter, days)
        if table == "network":
            found.append(_leaks(beside, days, rate, confidence))
        else:
            hall = next(one for one in beside.utilities.halls if one.id == name)
            found.append(_hall(context, (twin, beside), hall, days, rate))
    return tuple(one for one in found if one is not None)


@dataclass(frozen=True, slots=True)
class Written:
    """A figure as it is written: where it stands, its interval, and the meters it is from."""

    table: str
    id: str
    key: str
    value: float
    low: float
    high: float
    meters: tuple[str, ...]


def write(
    context: Context, found: Sequence[Found], months: Sequence[str], figures: Sequence[Written] | None = None
) -> Path:
    """Write what was found, and other figures, beside utilities.toml and return the file; utilities.toml stays as it is.

    Without ``figures`` those of meters that an earlier fit wrote stay: they were not asked about.
    """
    path = context.workspace.folder / FITTED
    rows = [",".join(FITTED_COLUMNS), *(_of_meters(path) if figures is None else ())]
    for one in found:
        rows += [f"{one.table},{one.id},{key},{value:.6g},,,{months[0]},{months[-1]}," for key, value in one.keys]
    for it in figures or ():
        interval = f"{it.value:.6g},{it.low:.6g},{it.high:.6g}"
        rows.append(f"{it.table},{it.id},{it.key},{interval},{months[0]},{months[-1]},{' '.join(it.meters)}")
    write_bytes_whole(path, ("\n".join(rows) + "\n").encode())
    return path


def _of_meters(path: Path) -> list[str]:
    """Return the rows of a file that name the meters they are from."""
    if not path.is_file():
        return []
    rows = list(csv.DictReader(io.StringIO(text_of(path.read_bytes(), FITTED))))
    return [",".join(row.get(name) or "" for name in FITTED_COLUMNS) for row in rows if row.get("meters")]


def _days(context: Context, beside: Beside, months: Sequence[str], temperature: Path | None) -> _Days:
    opened, celsius, sun, counts = [], [], [], []
    for label in months:
        period = Period.parse(label)
        days = (period.next_first_day - period.first_day).days
        mask = np.zeros(days * SLOTS, dtype=np.bool_)
        for window in windows(context.workspace.plant, period.first_day - timedelta(days=1), days + 1):
            begin, end = (int(at // 900.0) - SLOTS for at in (window.start_s, window.end_s))
            mask[max(begin, 0) : max(end, 0)] = True
        out = weather_from(context, beside.weather, period.first_day, days * SLOTS, 15)
        measured = daily_temperature(context, temperature, [period.first_day + timedelta(days=n) for n in range(days)])
        opened.append(mask)
        celsius.append(out.celsius if measured is None else np.repeat(measured, SLOTS))
        sun.append(out.sun_w_per_m2)
        counts.append((label, days))
    return _Days(
        tuple(counts), np.concatenate(opened).reshape(-1, SLOTS), np.concatenate(celsius).reshape(-1, SLOTS), np.concatenate(sun).reshape(-1, SLOTS)
    )  # fmt: skip


def _rate(context: Context, meter: str, days: _Days) -> Floats:
    """Return what a meter counted an hour, day × slot; not-a-number where it was not read."""
    parts = []
    for label, count in days.first_and_count:
        month = meter_month(context, label)
        if meter not in month.meter_ids:
            parts.append(np.full(count * SLOTS, np.nan))
            continue
        row = month.meter_ids.index(meter)
        amounts = np.where(month.state[row] == MISSING, np.nan, month.amount_milli[row] / 1000.0)
        parts.append(np.resize(amounts[: count * SLOTS], count * SLOTS) * (SLOTS / 24.0))
    return np.concatenate(parts).reshape(-1, SLOTS)


def _leaks(beside: Beside, days: _Days, rate: Floats, confidence: float) -> Found | None:
    network = beside.utilities.network
    if network is None or not network.leaks:
        return None
    closed = ~days.open.any(axis=1)
    taken = sum(one.rest_nm3_per_h for one in beside.utilities.air)
    figure = leak_nm3_per_h(rate[closed].mean(axis=1), taken, confidence)
    if figure is None or figure.mean <= 0.0:
        return None
    rest = compressed_air.run(network, beside.utilities.compressors, np.full(SLOTS, taken), 900.0)
    stated = float(rest.leaked_nm3[SLOTS // 2 :].mean() * 4.0)
    keys = tuple(
        (f"leaks.{place}.number", one.number * figure.mean / stated) for place, one in enumerate(network.leaks)
    )
    return Found("network", "network", Text("压缩空气泄漏", "air leaks"), "Nm3/h", figure, stated, keys)


def _hall(context: Context, files: tuple[Twin, Beside], hall: Hall, days: _Days, rate: Floats) -> Found | None:
    """Return the conductance of a hall by its heat meter; its air and walls are scaled alike, its gains are what is left."""
    twin, _ = files
    settled = days.open & (np.cumsum(days.open, axis=1) > SETTLED_SLOTS)
    works = settled.any(axis=1)
    if hall.heat_celsius is None or not works.any():
        return None

    def mean(values: Floats) -> Floats:
        known = settled[works] & np.isfinite(values[works])
        total, count = np.where(known, values[works], 0.0).sum(axis=1), known.sum(axis=1)
        return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))

    line = heated(mean(rate), mean(days.celsius))
    if line is None:
        return None
    kg = 1.0 / 3600.0 / float(air.volume(20.0, 0.0)) * air.AIR_KJ_PER_KG_K
    fresh = hall.infiltration_m3_per_h + hall.ventilation_m3_per_h * (1.0 - hall.recovered_fraction)
    stated = hall.envelope_kw_per_k + fresh * kg
    scale = line.kw_per_k.mean / stated
    power = sum((_rate(context, meter, days) for meter in _meters(twin, hall.shop)), np.zeros_like(rate))
    drawn = mean(power)
    machines = float(drawn[np.isfinite(drawn)].mean()) if np.isfinite(drawn).any() else 0.0
    cold = mean(days.celsius) < line.balance_celsius
    sun = hall.sun_m2 * float(mean(days.sun)[cold].mean()) / 1000.0 if cold.any() else 0.0
    gains = line.kw_per_k.mean * (hall.heat_celsius - line.balance_celsius) - sun
    own = gains - hall.gains_fraction * machines
    keys = [
        ("envelope_kw_per_k", hall.envelope_kw_per_k * scale), ("infiltration_m3_per_h", hall.infiltration_m3_per_h * scale),
        ("ventilation_m3_per_h", hall.ventilation_m3_per_h * scale),
    ]  # fmt: skip
    if machines > 0.0 or hall.gains_fraction == 0.0:  # else what is left cannot be told from what the machines bring
        keys.append(("gains_kw", max(own, 0.0)))
    if own < 0.0 < machines:
        keys.append(("gains_fraction", min(max(gains, 0.0) / machines, 1.0)))
    if line.r2_fraction < LEAST_R2:
        keys = []
    title = Text(f"{hall.title.zh}每度热损失", f"{hall.title.en}: heat by kelvin")
    return Found("halls", hall.id, title, "kW/K", line.kw_per_k, stated, tuple(keys), line.r2_fraction)


def _meters(twin: Twin, shop: str | None) -> tuple[str, ...]:
    """Return the electricity meters of the stations of a shop, each once."""
    own = {one.id for one in twin.line.stations if one.shop == shop}
    return tuple(dict.fromkeys(name for (station, carrier), names in twin.meters.items() if carrier == "electricity" and station in own for name in names))  # fmt: skip
