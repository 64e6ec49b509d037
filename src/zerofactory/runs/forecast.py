"""Forecast load, PV, price or carbon intensity of a workspace, keep it with the time at which it was known, back-test it.

A forecast is a Parquet file under `series/forecasts`; its hash and the row that describes it are in the journal. Only values
that had been measured count as history: what was estimated to fill a gap knows what came after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory import units
from zerofactory.assets.grid import Floats, Grid
from zerofactory.assets.tariff import price_cny_per_kwh
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.interval import MANUAL, MEASURED
from zerofactory.metering.profile import SITE
from zerofactory.metering.profile import place as place_of
from zerofactory.metering.signal import Tariff, chosen, prices_of, tariff
from zerofactory.optimisation.forecasting.backtest import YARDSTICK, Rolling, Score, backtest
from zerofactory.optimisation.forecasting.forecast_table import Made, forecast_rows
from zerofactory.optimisation.forecasting.forecaster import QUANTILES, forecaster, forecasters
from zerofactory.optimisation.forecasting.history import TARGETS, History, Target
from zerofactory.periods import zone
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.energy_tariff import plant_tariff
from zerofactory.runs.profile import amounts
from zerofactory.runs.series_file import read as read_series
from zerofactory.store.files import sha256_of, write_whole
from zerofactory.store.schema import RUNS

# The forecaster that did best in the back-test of its target on measured series (python -m bench forecasting).
BEST: Mapping[Target, str] = {
    "load": "gradient_boosting",
    "pv": "gradient_boosting",
    "price": YARDSTICK,
    "intensity": "linear",
}
COLUMNS: Mapping[Target, str] = {
    "load": "energy_kwh",
    "pv": "energy_kwh",
    "price": "price_cny_per_kwh",
    "intensity": "intensity_gco2e_per_kwh",
}
UNITS: Mapping[Target, str] = {"load": "kWh", "pv": "kWh", "price": "CNY/kWh", "intensity": "gCO2e/kWh"}
TARIFF = "tariff"
TARIFF_FILE = "tariff.csv"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be forecast.

    Parameters
    ----------
    place : str, optional
        Meter, shop or ``site`` (the default); for PV the meters of on-site generation unless one is named.
    at : datetime, optional
        The moment from which to look ahead, aware; default: the end of what has been measured.
    file : Path, optional
        A series of its own (see `runs.series_file`) in place of the meters or the tariff.
    scheme, voltage : str, optional
        Row of the tariff table.
    """

    target: Target
    place: str | None = None
    horizon: timedelta = timedelta(days=7)
    at: datetime | None = None
    method: str | None = None
    file: Path | None = None
    scheme: str | None = None
    voltage: str | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast that has been kept: its file and hash inside the workspace, and its rows."""

    target: Target
    place: str
    forecaster: str
    unit: str
    origin_at: datetime
    known_at: datetime
    file: str
    sha256: str
    rows: pl.DataFrame
    notes: tuple[Text, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        wide = self.wide()
        return {
            "target": self.target, "place": self.place, "forecaster": self.forecaster, "unit": self.unit,
            "origin_at": self.origin_at.isoformat(), "known_at": self.known_at.isoformat(), "file": self.file, "sha256": self.sha256,
            "notes": [{"zh": note.zh, "en": note.en} for note in self.notes],
            "rows": [{**row, "started_at": row["started_at"].isoformat()} for row in wide.to_dicts()],
        }  # fmt: skip

    def wide(self) -> pl.DataFrame:
        """Return one row an interval with a column a quantile (``p10``, ``p50``, ``p90``)."""
        named = self.rows.with_columns(
            (pl.lit("p") + (pl.col("quantile") * 100).round().cast(pl.Int64).cast(pl.String)).alias("name")
        )
        return named.pivot("name", index="started_at", values="value").sort("started_at")


def target_of(name: str) -> Target:
    """Return a target by name; raise `NotFound` with the choices."""
    for target in TARGETS:
        if target == name:
            return target
    raise NotFound(Text("预测对象", "target of a forecast"), name, TARGETS)


def horizon_of(text: str) -> timedelta:
    """Return a horizon written as ``15min``, ``6h`` or ``7d``; 15 minutes to 7 days.

    Examples
    --------
    >>> horizon_of("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    for mark, unit in (("min", timedelta(minutes=1)), ("h", timedelta(hours=1)), ("d", timedelta(days=1))):
        number = text.strip().removesuffix(mark)
        if (
            number != text.strip()
            and number.isdigit()
            and timedelta(minutes=15) <= int(number) * unit <= timedelta(days=7)
        ):
            return int(number) * unit
    raise FaultyData([
        _problem("horizon", f"“{text}”不是 15 分钟到 7 天的时长。", f"'{text}' is no span of 15 minutes to 7 days.", Text("请写成 15min、24h 或 7d。", "Write 15min, 24h or 7d."))
    ])  # fmt: skip


def moment_of(text: str, time_zone: str) -> datetime:
    """Return an ISO moment, on the plant's clock when it names no offset; raise `FaultyData` otherwise."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        hint = Text("请写成 2025-06-01T08:00。", "Write 2025-06-01T08:00.")
        raise FaultyData([_problem("time", f"“{text}”不是时间。", f"'{text}' is not a time.", hint)]) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone(time_zone))).astimezone(UTC)


def run(context: Context, asked: Asked) -> Forecast:
    """Make a forecast and keep it.

    Raises
    ------
    FaultyData
        Too little history, no series for the target, or a moment outside what has been measured.
    NotFound
        No such place or forecaster.
    """
    if asked.target == "price" and asked.file is None:
        return _from_tariff(context, asked)
    history, place, notes = series_of(context, asked)
    method = asked.method or BEST[asked.target]
    origin = _origin(history, asked.at)
    seen = history.as_known(origin)
    steps = max(int(asked.horizon / timedelta(minutes=history.minutes)), 1)
    forecast = forecaster(method, asked.target).fit(seen, steps, QUANTILES).predict(seen, steps)
    made = Made(place, UNITS[asked.target], method, QUANTILES, context.now)
    return _keep(context, seen, forecast_rows(seen, forecast, made), made, notes)


def run_backtest(context: Context, asked: Asked, plan: Rolling) -> list[Score]:
    """Return the scores of every forecaster for a target on the workspace's own series; nothing is written."""
    history, _, _ = series_of(context, asked)
    if asked.at is not None:
        history = history.as_known(_origin(history, asked.at))
    every = forecasters(asked.target)
    chosen_ones = {name: one for name, one in every.items() if asked.method in (None, name) or name == YARDSTICK}
    if asked.method is not None:
        forecaster(asked.method, asked.target)
    return backtest(history, chosen_ones, plan)


def series_of(context: Context, asked: Asked) -> tuple[History, str, tuple[Text, ...]]:
    """Return the history of a target, the place it is about, and what is to be said of it."""
    plant = context.workspace.plant
    if asked.file is not None:
        given = read_series(asked.file, COLUMNS[asked.target], plant.time_zone)
        history = History(asked.target, given.start, given.minutes, given.values, plant.time_zone, plant.calendar)
        return history, asked.place or asked.file.stem, ()
    if asked.target in ("price", "intensity"):
        raise FaultyData([_no_series(asked.target)])
    place, meters = _meters(context, asked)
    found = amounts(context, meters)
    sound = (found.state == MEASURED) | (found.state == MANUAL)
    values = np.where(sound, found.amount_milli / 1000.0 * units.ratio(found.unit, "kWh"), np.nan)
    last = int(np.flatnonzero(sound)[-1]) + 1 if sound.any() else 0
    history = History(asked.target, found.start, found.minutes, values[:last], plant.time_zone, plant.calendar)
    return history, place, _notes(context, history, asked)


def _meters(context: Context, asked: Asked) -> tuple[str, tuple[str, ...]]:
    plant = context.workspace.plant
    if asked.target == "load" or asked.place is not None:
        found = place_of(plant, asked.place or SITE)
        return found.id, found.meters
    own = [source for source in plant.sources if source.kind == "on_site_renewable"]
    meters = tuple(dict.fromkeys(meter for source in own for meter in (source.split or source.meters)))
    if not meters:
        raise FaultyData([
            _problem("no_pv", "工厂文件中没有光伏表计。", "The plant file names no meter of PV.", Text("请用 --place 指定表计。", "Name one with --place."))
        ])  # fmt: skip
    return SITE, meters


def _notes(context: Context, history: History, asked: Asked) -> tuple[Text, ...]:
    at = asked.at or history.end
    if context.now - at < timedelta(days=1):
        return ()
    return (
        Text(
            "起点早于今日: 这是事后预测, 起点以后的数据未被使用。",
            "The origin lies in the past: a hindcast; nothing after the origin was used.",
        ),
    )


def _origin(history: History, at: datetime | None) -> int:
    """Return the slot from which to look ahead; raise `FaultyData` when nothing was measured up to then."""
    if at is None:
        return history.slots
    slot = (at - history.start) // timedelta(minutes=history.minutes)
    if not 0 < slot <= history.slots:
        span = f"{history.start.isoformat()} … {history.end.isoformat()}"
        raise FaultyData([
            _problem("outside", f"{at.isoformat()} 不在有数据的范围内。", f"{at.isoformat()} lies outside the data.", Text(f"可选 {span}。", f"Choose within {span}."))
        ])  # fmt: skip
    return int(slot)


def _from_tariff(context: Context, asked: Asked) -> Forecast:
    """The published tariff carried ahead: a price that is known needs no spread."""
    plant = context.workspace.plant
    at = asked.at or context.now
    minutes = 15
    start = at - timedelta(minutes=at.minute % minutes, seconds=at.second, microseconds=at.microsecond)
    count = max(int(asked.horizon / timedelta(minutes=minutes)), 1)
    name, month, prices = _known_prices(context, asked, Grid(start, minutes, count, plant.time_zone))
    past = History("price", start - timedelta(minutes=minutes), minutes, prices[:1], plant.time_zone, plant.calendar)
    made = Made(asked.place or name, UNITS["price"], TARIFF, QUANTILES, context.now)
    note = Text(
        f"{month} 公布的电价与时段照搬到预测期; 未预测下月的价格变动。",
        f"Prices and hours published for {month}, carried ahead; next month's change is not forecast.",
    )
    return _keep(
        context, past, forecast_rows(past, np.repeat(prices[:, None], len(QUANTILES), axis=1), made), made, (note,)
    )


def _known_prices(context: Context, asked: Asked, grid: Grid) -> tuple[str, str, Floats]:
    """Return the name of the tariff, the month it was published for, and its price in each interval.

    What is asked for, or a `tariff.csv`, comes before the ``[tariff]`` of the plant.
    """
    workspace = context.workspace
    chosen_here = asked.scheme or asked.voltage or (workspace.folder / TARIFF_FILE).is_file()
    if workspace.plant.tariff is not None and not chosen_here:
        named = plant_tariff(workspace.plant, workspace.folder)
        return named.id, ", ".join(named.published[-1:]), price_cny_per_kwh(named, grid)
    given = tariff_of(context, asked.scheme, asked.voltage)
    return given.id, given.month, prices_of(given, grid.start, grid.step_minutes, grid.length)


def tariff_of(context: Context, scheme: str | None = None, voltage: str | None = None) -> Tariff:
    """Return the tariff of a workspace: a row of its `tariff.csv`, else of the table of the fictional reference plant."""
    workspace, path = context.workspace, context.workspace.folder / TARIFF_FILE
    if path.is_file():
        table = pl.read_csv(path, glob=False, infer_schema_length=None)
    elif workspace.plant.id == "reference-plant":
        from zerofactory.reference_plant.shapes import table as packaged

        table = packaged("tariff_shanghai_2026_08")
        scheme, voltage = scheme or "two_part_large_industry", voltage or "110kV"
    else:
        raise FaultyData([_no_series("price")])
    found, problems = tariff(chosen(table, scheme, voltage), workspace.plant.time_zone)
    if found is None:
        raise FaultyData([problem.at(file=TARIFF_FILE) for problem in problems])
    return found


def _keep(context: Context, seen: History, rows: pl.DataFrame, made: Made, notes: tuple[Text, ...]) -> Forecast:
    """Write the file, then the journal entry that names it: a file no entry names does not count."""
    workspace = context.workspace
    parameters = {
        "target": seen.target,
        "place": made.place,
        "origin_at": seen.end.isoformat(),
        "forecaster": made.forecaster,
    }
    content = hashlib.sha256(seen.values.astype("<f8").tobytes()).hexdigest()
    inputs = {"start": seen.start.isoformat(), "minutes": seen.minutes, "values_sha256": content}
    row = run_row("forecast", context, parameters, inputs, {"rows": rows.height})
    file = f"forecasts/{seen.target}-{row['run_id'][0]}.parquet"
    with workspace.locked():
        digest = write_whole(
            workspace.series.path(file), lambda partial: rows.write_parquet(partial, compression="zstd")
        )
        with workspace.journal.writing(at=context.at, kind="forecast", actor=context.actor) as writer:
            writer.append(RUNS, row)
            writer.payload = {"file": file, "sha256": digest, "rows": rows.height, **parameters}
    return Forecast(
        seen.target, made.place, made.forecaster, made.unit, seen.end, context.now, file, digest, rows, notes
    )


def kept(context: Context) -> list[dict[str, object]]:
    """Return what the journal says of every forecast that was kept, in order."""
    return [json.loads(payload) for payload in context.workspace.journal.payloads("forecast")]


def as_known(context: Context, target: Target, place: str, moment: datetime) -> pl.DataFrame | None:
    """Return the newest forecast of a place that was known at a moment, or None."""
    series = context.workspace.series
    for entry in reversed(kept(context)):
        if entry["target"] == target and entry["place"] == place:
            rows = pl.read_parquet(series.path(str(entry["file"])), glob=False)
            if rows["known_at"][0] <= moment:
                return rows
    return None


def check(context: Context) -> list[Problem]:
    """Return a problem for every kept forecast whose file is absent or not what the journal says."""
    problems = []
    for entry in kept(context):
        path = context.workspace.series.path(str(entry["file"]))
        if not path.is_file() or sha256_of(path) != entry["sha256"]:
            hint = Text("请从备份恢复该文件。", "Restore the file from a back-up.")
            problems.append(
                replace(
                    _problem("changed", "预测文件缺失或被改动。", "A forecast file is missing or changed.", hint),
                    file=str(entry["file"]),
                )
            )
    return problems


def _no_series(target: Target) -> Problem:
    column = COLUMNS[target]
    tip = (" 或在工作区放 tariff.csv", ", or put tariff.csv into the workspace") if target == "price" else ("", "")
    return _problem(
        "no_series",
        f"工作区里没有“{target}”的时段序列(年度电网因子一年只有一个值, 无从预测)。"
        if target == "intensity"
        else "工作区里没有电价。",
        "The workspace has no series of carbon intensity by interval (an annual grid factor is one value a year)."
        if target == "intensity"
        else "The workspace has no tariff.",
        Text(
            f"请用 --from 给出 CSV(列 started_at, {column}){tip[0]}。",
            f"Give a CSV with --from (columns started_at, {column}){tip[1]}.",
        ),
    )


def _problem(code: str, zh: str, en: str, hint: Text) -> Problem:
    return Problem(code=f"forecast.{code}", message=Text(zh, en), hint=hint)
