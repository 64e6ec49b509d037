"""twin.toml: how the lines of factory.toml make pieces: stations, buffers, pools, the mix; and which meters they hang on.

A workspace has its own file; the fictional reference plant has a packaged one. Names, shops and shifts are those of factory.toml.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.optimisation.twin.draw import Kind, Spread
from zerofactory.optimisation.twin.line import Buffer, Clock, Draw, Failure, Line, Pool, Station, Window, faults
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.twin_change import changed_by, with_powers
from zerofactory.runs.twin_change import unknown as _unknown
from zerofactory.runs.twin_places import placed
from zerofactory.runs.twin_signal_file import SIGNALS, Measured, fitted_signals, with_signals
from zerofactory.runs.twin_signal_names import signal_faults, signals_of
from zerofactory.site.calendar import shifts_of
from zerofactory.site.model import Plant
from zerofactory.site.state_signal import StateSignal
from zerofactory.wording import problems_of, row_name

MOST = 10_000  # machines, places of a buffer, operators: what a typing error must not make the memory hold
NAME, FITTED = "twin.toml", "twin.fitted.csv"
COLUMNS = ("place", "carrier", "state", "power", "low", "high", "first_month", "last_month")
GUIDE = Text("写法见 docs/how-to/twin.md。", "See docs/how-to/twin.md.")


class _Strict(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SpreadEntry(_Strict):
    """A duration (see `optimisation.twin.draw.Spread`)."""

    kind: Kind = "fixed"
    mean_s: float = 0.0
    shape: float = 1.0
    low_s: float = 0.0
    high_s: float = 0.0
    step_s: float = 1.0
    values_s: tuple[float, ...] = ()
    sd_s: float = 0.0
    mode_s: float = 0.0


class OperatorsEntry(_Strict):
    """Operators a machine holds while it works."""

    pool: str
    number: int = 1


class FailureEntry(_Strict):
    """Time between failures by either clock, repairs, and who is needed for them."""

    between: SpreadEntry
    repair: SpreadEntry
    repairers: OperatorsEntry | None = None
    clock: Clock = "working"


class DrawEntry(_Strict):
    """What a machine takes of a carrier in each state, for each piece, and the meters that see it."""

    power: Mapping[str, float]
    per_piece: float = 0.0
    meters: tuple[str, ...] = ()


class NameEntry(_Strict):
    """A name in two languages."""

    zh: str
    en: str


class StationEntry(_Strict):
    """A station: a line of factory.toml, or one of its own with ``id``, ``name`` and ``shop``.

    ``signals``: state signals of factory.toml, one for each machine, or one for all of them together.
    ``x_m``, ``y_m``: its middle on the plan of the plant, metres from any corner, y growing downwards.
    """

    line: str | None = None
    id: str | None = None
    name: NameEntry | None = None
    shop: str | None = None
    machines: int = Field(default=1, le=MOST)
    cycle: SpreadEntry
    takes: tuple[str, ...] = ()
    gives: str | None = None
    rework: str | None = None
    scrap_fraction: float = 0.0
    rework_fraction: float = 0.0
    setup_s: float = 0.0
    cycle_factors: Mapping[str, float] = Field(default_factory=dict)
    failure: FailureEntry | None = None
    standby_after_s: float = float("inf")
    wake_s: float = 0.0
    warm_up_s: float = 0.0
    operators: OperatorsEntry | None = None
    draws: Mapping[str, DrawEntry] = Field(default_factory=dict)
    signals: tuple[str, ...] = ()
    made_meter: str | None = None
    x_m: float | None = None
    y_m: float | None = None


class BufferEntry(_Strict):
    """A store between stations. ``level_meter``: the interval meter whose value is the pieces held."""

    id: str
    name: NameEntry | None = None
    capacity: int = Field(default=0, le=MOST)
    travel_s: float = 0.0
    vehicles: str | None = None
    direct: bool = False
    level_meter: str | None = None
    x_m: float | None = None
    y_m: float | None = None


class PoolEntry(_Strict):
    """Operators or vehicles."""

    id: str
    number: int = Field(le=MOST)


class TwinFile(_Strict):
    """The whole file. ``output_source`` is the source of factory.toml that counts what the line makes."""

    status: Literal["verified", "secondary", "placeholder"] = "placeholder"
    output_source: str | None = None
    mix: tuple[str, ...] = ("any",)
    stations: tuple[StationEntry, ...]
    buffers: tuple[BufferEntry, ...] = ()
    pools: tuple[PoolEntry, ...] = ()


@dataclass(frozen=True)
class Twin:
    """The line of a plant without its shifts, the meters of each station by carrier, and the file it is from.

    ``counters`` are the meters that count pieces: ``made`` of a station, ``level`` of a buffer (``(what, id)`` → meter).
    ``places`` are the middles of stations and buffers on the plan in metres; empty where the file has none.
    ``signals`` tell the states of a station's machines (station → signals).
    """

    line: Line
    meters: Mapping[tuple[str, str], tuple[str, ...]]
    output_source: str | None
    status: str
    counters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    signals: Mapping[str, tuple[StateSignal, ...]] = field(default_factory=dict)


def read(context: Context, changed: Mapping[str, Any] | None = None) -> Twin:
    """Return the twin of a workspace, with the powers that were fitted to its readings, and changed as a scenario says.

    Raises
    ------
    FaultyData
        There is no file; faults of it, of its names in factory.toml and of the line: all of them.
    """
    folder = context.workspace.folder
    file, unknown = _file(_text(context), (fitted_powers(folder), fitted_signals(folder)), changed)
    plant = context.workspace.plant
    problems = [*unknown, *_names(file, plant), *signal_faults(file.stations, plant, counted=changed is None)]
    stations = tuple(_station(one, plant) for one in file.stations)
    buffers = tuple(
        Buffer(
            one.id,
            one.capacity,
            one.travel_s,
            one.vehicles,
            Text(one.name.zh, one.name.en) if one.name else None,
            direct=one.direct,
        )
        for one in file.buffers
    )
    line = Line(stations, buffers, tuple(Pool(one.id, one.number) for one in file.pools), mix=file.mix)
    refuse([*problems, *faults(line, NAME)])
    meters = {
        (station.id, carrier): draw.meters
        for station, entry in zip(stations, file.stations, strict=True)
        for carrier, draw in entry.draws.items()
        if draw.meters
    }
    counters = {
        ("made", station.id): one.made_meter
        for station, one in zip(stations, file.stations, strict=True)
        if one.made_meter
    }
    counters |= {("level", one.id): one.level_meter for one in file.buffers if one.level_meter}
    places, misplaced = placed(file.stations, file.buffers)
    refuse([] if changed else misplaced)
    signals = signals_of(stations, file.stations, plant)
    return Twin(line, meters, file.output_source, file.status, counters, {} if misplaced else places, signals)


def windows(plant: Plant, first: date, days: int, overtime_h: float = 0.0) -> tuple[Window, ...]:
    """Return the shifts of some days in seconds from local midnight of the first; shifts that touch are one window.

    ``overtime_h`` is worked after the last shift of each working day.
    """
    place = zone(plant.time_zone)
    begin = datetime.combine(first, time(), place)
    spans = []
    for number in range(days):
        day = first + timedelta(days=number)
        own = []
        for shift in shifts_of(plant.calendar, day):
            start = datetime.combine(day, shift.start, place)
            end = datetime.combine(day if shift.end > shift.start else day + timedelta(days=1), shift.end, place)
            own.append(((start - begin).total_seconds(), (end - begin).total_seconds()))
        if own and overtime_h:
            last = max(end for _, end in own)
            own.append((last, last + overtime_h * 3600.0))
        spans += own
    joined: list[tuple[float, float]] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return tuple(Window(*one) for one in joined)


def digest(context: Context) -> str:
    """Return the hash of the twin's description: twin.toml, what was fitted to readings and signals, the workspace's own utilities."""
    beside = (context.workspace.folder / name for name in (FITTED, SIGNALS, "utilities.toml"))
    content = [_text(context).encode(), *(path.read_bytes() for path in beside if path.is_file())]
    return hashlib.sha256(b"\x00".join(content)).hexdigest()


def is_there(context: Context) -> bool:
    """Tell whether a workspace has a twin: a file of its own, or that of the reference plant."""
    return (context.workspace.folder / NAME).is_file() or context.workspace.plant.id == REFERENCE_PLANT


def _text(context: Context) -> str:
    path = context.workspace.folder / NAME
    if path.is_file():
        return text_of(path.read_bytes(), NAME)
    if context.workspace.plant.id == REFERENCE_PLANT:
        return files("zerofactory.reference_plant").joinpath(NAME).read_text(encoding="utf-8")
    message = Text("工作区里没有 twin.toml。", "The workspace has no twin.toml.")
    hint = Text(
        f"先 zf twin draft 由 factory.toml 起草; {GUIDE.zh}",
        f"zf twin draft writes a first one from factory.toml. {GUIDE.en}",
    )
    raise FaultyData([Problem("twin_file.missing", message, hint, file=NAME)])


def fitted_powers(folder: Path) -> Mapping[tuple[str, str], Mapping[str, float]]:
    """Return the powers that were fitted, by station and carrier; empty where nothing was."""
    path = folder / FITTED
    found: dict[tuple[str, str], dict[str, float]] = {}
    if not path.is_file():
        return found
    for number, row in enumerate(csv.DictReader(io.StringIO(text_of(path.read_bytes(), FITTED))), 2):
        try:
            power = float(row["power"])
            found.setdefault((row["place"], row["carrier"]), {})[row["state"]] = power
        except (KeyError, TypeError, ValueError) as error:
            message = Text("这一行不是拟合结果。", "This row is no fitted power.")
            hint = Text("请重新运行 zf twin calibrate --write。", "Run zf twin calibrate --write again.")
            raise FaultyData([Problem("twin_file.fitted", message, hint, file=FITTED, row=number)]) from error
    return found


def _file(
    text: str,
    fitted: tuple[Mapping[tuple[str, str], Mapping[str, float]], Mapping[str, Mapping[str, Measured]]],
    changed: Mapping[str, Any] | None = None,
) -> tuple[TwinFile, list[Problem]]:
    """Return the file, changed as a scenario says, and the names of the scenario that are not there."""
    unknown: list[Problem] = []
    data = with_signals(with_powers(toml_of(text, NAME, "twin_file.unreadable"), fitted[0]), fitted[1])
    try:
        made = TwinFile.model_validate(data)
        if changed is not None:
            data, unknown = changed_by(data, changed)
            made = TwinFile.model_validate(data)
        return made, unknown
    except ValidationError as error:
        raise FaultyData([*unknown, *problems_of(error, "twin_file", GUIDE, NAME, data)]) from error


def _names(file: TwinFile, plant: Plant) -> Iterator[Problem]:
    """Yield what the file names and factory.toml does not have."""
    lines, shops = {one.id for one in plant.lines}, {one.id for one in plant.shops}
    meters = {one.id: one.carrier for one in plant.meters}
    sources = {one.id for one in plant.sources}
    for place, one in enumerate(file.stations):
        where = f"stations{row_name({'id': one.id, 'line': one.line}, place)}"
        if one.line is None and (one.id is None or one.shop is None):
            yield _unknown(where, "", "line", lines)
        if one.line is not None and one.line not in lines:
            yield _unknown(f"{where}.line", one.line, "line", lines)
        if one.shop is not None and one.shop not in shops:
            yield _unknown(f"{where}.shop", one.shop, "shop", shops)
        for carrier, draw in one.draws.items():
            for meter in draw.meters:
                if meters.get(meter) != carrier:
                    yield _unknown(f"{where}.draws.{carrier}.meters", meter, f"meter of {carrier}", {m for m, c in meters.items() if c == carrier})  # fmt: skip
    counting = {one.id for one in plant.meters if one.kind == "interval" and one.unit == "piece"}
    counters = [(f"stations.{one.id or one.line}.made_meter", one.made_meter) for one in file.stations]
    counters += [(f"buffers.{one.id}.level_meter", one.level_meter) for one in file.buffers]
    for where, name in counters:
        if name is not None and name not in counting:
            yield _unknown(where, name, "interval meter of pieces", counting)
    if file.output_source is not None and file.output_source not in sources:
        yield _unknown("output_source", file.output_source, "source", sources)


def _spread(one: SpreadEntry) -> Spread:
    return Spread(**one.model_dump())


def _failure(one: FailureEntry | None) -> Failure | None:
    if one is None:
        return None
    return Failure(_spread(one.between), _spread(one.repair), _people(one.repairers), one.clock)


def _people(one: OperatorsEntry | None) -> tuple[str, int] | None:
    return None if one is None else (one.pool, one.number)


def _station(one: StationEntry, plant: Plant) -> Station:
    line = next((entry for entry in plant.lines if entry.id == one.line), None)
    name = Text(one.name.zh, one.name.en) if one.name else (line.name if line else Text(str(one.id), str(one.id)))
    kept = {"machines", "takes", "gives", "rework", "scrap_fraction", "rework_fraction", "setup_s", "cycle_factors", "standby_after_s", "wake_s", "warm_up_s"}  # fmt: skip
    return Station(
        id=one.id or str(one.line),
        title=name,
        cycle=_spread(one.cycle),
        line=one.line,
        shop=one.shop or (line.shop if line else None),
        failure=_failure(one.failure),
        operators=_people(one.operators),
        draws={carrier: Draw(draw.power, draw.per_piece) for carrier, draw in one.draws.items()},
        **one.model_dump(include=kept),
    )
