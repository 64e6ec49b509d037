"""Scenario files of the twin: what is changed, why those numbers, and every fault of it before anything runs.

They lie in the workspace's folder ``scenarios``; the fictional reference plant has packaged ones. A scenario is named by the name
of its file there, or by a path. It may change the line (`twin_change`), the time of work (`twin_shifts`), the demand
(``[volume]``), the supply (`twin_supply`) and, where the workspace has utilities, those (``[utilities…]``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import text_of, toml_of
from zerofactory.planning.measure import measures
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.twin import grid_of
from zerofactory.runs.twin_change import unknown
from zerofactory.runs.twin_cost_file import ConnectionEntry, InvestmentEntry, LabourEntry
from zerofactory.runs.twin_file import BufferEntry, NameEntry, PoolEntry, StationEntry, Twin, read
from zerofactory.runs.twin_labour import Days
from zerofactory.runs.twin_priced import Grounds, Priced, Said, grounds, priced
from zerofactory.runs.twin_shifts import MOST_OVERTIME_H, DownEntry, ShiftsEntry, when_of
from zerofactory.runs.twin_shifts import faults as when_faults
from zerofactory.runs.twin_supply import CARRIER, Built, Supply, SupplyEntry, beside_line, built, supply_of
from zerofactory.runs.twin_utilities_file import TABLES, Beside
from zerofactory.runs.twin_utilities_file import read as read_utilities
from zerofactory.wording import place_of, row_name, worded

FOLDER = "scenarios"
MOST_BYTES = 1 << 20
Found = TypeVar("Found")
GUIDE = Text("写法见 docs/how-to/twin.md。", "See docs/how-to/twin.md.")


class _Strict(BaseModel):
    """A part of a scenario: unknown keys are refused, and numbers without end."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AddEntry(_Strict):
    """What is added to the line."""

    stations: tuple[StationEntry, ...] = ()
    buffers: tuple[BufferEntry, ...] = ()
    pools: tuple[PoolEntry, ...] = ()


class ScaleEntry(_Strict):
    """What stations draw of a carrier, times a factor; ``stations`` left out: all that draw it; ``states`` left out: all."""

    carrier: str
    factor: float = Field(ge=0.0)
    stations: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None


class UtilitiesEntry(BaseModel):
    """What is changed of utilities.toml: tables by id, and what is added or taken away; names are those of that file."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, Mapping[str, Mapping[str, Any]]] = Field(init=False)

    network: Mapping[str, Any] = Field(default_factory=dict)
    weather: Mapping[str, Any] = Field(default_factory=dict)
    add: Mapping[str, tuple[Mapping[str, Any], ...]] = Field(default_factory=dict)
    remove: tuple[str, ...] = ()
    takes_over: tuple[Mapping[str, Any], ...] = ()
    down: tuple[Mapping[str, Any], ...] = ()
    gas_kwh_per_nm3: float | None = None
    stops_turn_minutes: float | None = None


class VolumeEntry(_Strict):
    """How many pieces are wanted over the days: ``times`` what the plant as it is makes, or ``per_day`` on each working day.

    A line that pushes makes what it can; so what is wanted is met by overtime after the last shift of each working day, in
    quarters of an hour up to ``most_overtime_h``, or told as a shortfall (``overtime = false``: always).
    """

    times: float | None = Field(default=None, gt=0.0)
    per_day: float | None = Field(default=None, gt=0.0)
    overtime: bool = True
    most_overtime_h: float = Field(default=4.0, gt=0.0, le=24.0)


class ScenarioFile(_Strict):
    """The whole file."""

    shifts: tuple[ShiftsEntry, ...] = ()
    down: tuple[DownEntry, ...] = ()
    overtime_h: float = Field(default=0.0, ge=0.0, le=MOST_OVERTIME_H)
    title: NameEntry | None = None
    basis: NameEntry | None = None
    measure: str | None = None
    stations: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    buffers: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    pools: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    add: AddEntry = Field(default_factory=AddEntry)
    remove: tuple[str, ...] = ()
    mix: tuple[str, ...] | None = Field(default=None, min_length=1)
    scale: tuple[ScaleEntry, ...] = ()
    volume: VolumeEntry | None = None
    supply: SupplyEntry | None = None
    utilities: UtilitiesEntry = Field(default_factory=UtilitiesEntry)
    labour: LabourEntry | None = None
    investment: InvestmentEntry | None = None
    connection: ConnectionEntry | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: its id (the name of its file), its title, and what it changes as it is written.

    ``basis`` says where its numbers are from, ``measure`` which measure of the roadmap it is a test of, ``sha256`` is of the file.
    """

    id: str
    title: Text
    change: Mapping[str, Any]
    basis: Text | None = None
    measure: str | None = None
    sha256: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values, without what is changed."""
        return {
            "scenario": self.id,
            "title": {"zh": self.title.zh, "en": self.title.en},
            "basis": None if self.basis is None else {"zh": self.basis.zh, "en": self.basis.en},
            "measure": self.measure,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class Checked:
    """A scenario without faults: its file, the changed twin, its supply if it has one, and what its costs are reckoned with."""

    scenario: Scenario
    file: ScenarioFile
    twin: Twin
    built: Built | None
    priced: Priced


def read_scenario(path: Path) -> Scenario:
    """Return a scenario file; raise `FaultyData` when it is no TOML, has no title, or changes nothing."""
    try:
        size, content = path.stat().st_size, b""
        if size <= MOST_BYTES:
            content = path.read_bytes()
    except OSError as error:
        message = Text(f"读不到场景文件“{path.name}”。", f"The scenario file '{path.name}' cannot be read.")
        raise FaultyData([Problem("twin.scenario", message, Text("请核对路径。", "Check the path."), file=path.name)]) from error  # fmt: skip
    if size > MOST_BYTES:
        message = Text(f"{size:,} 字节, 场景至多 {MOST_BYTES:,}。", f"{size:,} bytes; a scenario holds at most {MOST_BYTES:,}.")  # fmt: skip
        raise FaultyData([Problem("twin.scenario", message, GUIDE, file=path.name)])
    return scenario_of(path.stem, content, path.name)


def scenario_of(name: str, content: bytes, file: str) -> Scenario:
    """Return the scenario of a file's content; its faults are told when it is checked against a plant."""
    raw = toml_of(text_of(content, file), file, "twin.scenario")
    title = raw.get("title")
    if not isinstance(title, dict) or set(title) != {"zh", "en"} or not set(raw) - {"title", "basis", "measure"}:
        message = Text(
            "场景缺少 title = { zh, en } 或没有任何变更。",
            "The scenario has no title = { zh, en }, or changes nothing.",
        )
        raise FaultyData([Problem("twin.scenario", message, GUIDE, file=file)])
    basis = raw.get("basis")
    told = Text(str(basis.get("zh", "")), str(basis.get("en", ""))) if isinstance(basis, dict) else None
    measure = raw.get("measure")
    return Scenario(
        name, Text(str(title["zh"]), str(title["en"])), raw, told, None if measure is None else str(measure),
        hashlib.sha256(content).hexdigest(),
    )  # fmt: skip


def listed(context: Context) -> tuple[Scenario, ...]:
    """Return every scenario of the workspace (of the reference plant: the packaged ones besides), by name.

    Raises
    ------
    FaultyData
        Files that cannot be read; all of them.
    """
    found: dict[str, Scenario] = {}
    problems: list[Problem] = []
    for name, path in _places(context).items():
        try:
            found[name] = scenario_of(name, path.read_bytes(), f"{name}.toml")
        except FaultyData as fault:
            problems += fault.problems
    if problems:
        raise FaultyData(problems)
    return tuple(found.values())


def named(context: Context, name: str | Path) -> Scenario:
    """Return a scenario by its name in the workspace, or by the path of its file.

    Raises
    ------
    NotFound
        Neither is there; lists the names.
    """
    path = Path(name)
    if str(name) not in _places(context) and (path.suffix == ".toml" or path.is_file()):
        return read_scenario(path)
    return own(context, str(name))


def own(context: Context, name: str) -> Scenario:
    """Return a scenario by its name in the workspace, no other file; raise `NotFound` with the names."""
    places = _places(context)
    if name not in places:
        raise NotFound(Text("场景", "scenario"), name, tuple(places))
    return scenario_of(name, places[name].read_bytes(), f"{name}.toml")


def _places(context: Context) -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    if context.workspace.plant.id == REFERENCE_PLANT:
        packaged = files("zerofactory.reference_plant").joinpath(FOLDER)
        found = {one.name.removesuffix(".toml"): one for one in packaged.iterdir() if one.name.endswith(".toml")}
    own = context.workspace.folder / FOLDER
    found |= {path.stem: path for path in own.glob("*.toml")} if own.is_dir() else {}
    return dict(sorted(found.items()))


def checked(
    context: Context, scenarios: Sequence[Scenario], first: date, days: int, since_s: float = 0.0
) -> tuple[Checked, ...]:
    """Return every scenario with what it needs to be run over ``days`` from ``since_s`` after the first midnight on.

    Raises
    ------
    FaultyData
        Every fault of every scenario, each with the file it is in; nothing has run then.
    """
    base = read(context)
    found: list[Checked] = []
    problems: list[Problem] = []
    over = Days(first, days, since_s)
    given = _tried(problems, lambda: _grounds(context, base, over))
    for one in scenarios:
        try:
            found.append(_checked(context, one, (base, given), over))
        except FaultyData as fault:
            problems += [_in_file(problem, one) for problem in fault.problems]
    names = [one.id for one in scenarios]
    for name in sorted({name for name in names if names.count(name) > 1}):
        message = Text(f"场景“{name}”给了两次。", f"The scenario '{name}' is given twice.")
        problems.append(Problem("twin.scenario_twice", message, Text("请去掉一个。", "Leave one out."), file=f"{name}.toml"))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    return tuple(found)


def _checked(context: Context, one: Scenario, there: tuple[Twin, Grounds | None], over: Days) -> Checked:
    """Return a scenario without faults; what can be told at once is."""
    base, given = there
    problems: list[Problem] = []
    change = dict(one.change)
    try:
        file = ScenarioFile.model_validate(change)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        problems += [_invalid(dict(fault), change) for fault in faults]
        change = {name: value for name, value in change.items() if name not in {fault["loc"][0] for fault in faults}}
        file = ScenarioFile.model_validate(change)
    problems += [*_volume(file), *_measure(file), *_weather(file)]
    twin = _tried(problems, lambda: read(context, change))
    beside = _tried(problems, lambda: read_utilities(context, twin or base, change))
    problems += [] if beside is None else _taken_over(file, beside)
    problems += when_faults(
        when_of(change), [station.id for station in (twin or base).line.stations], over.number + (over.since_s > 0.0)
    )
    made = None
    if file.supply is not None:
        supply, more = supply_of(context, file.supply)
        problems += more
        made = _tried(problems, lambda: _built(context, supply, base, over))
    costs = None
    if given is not None:
        said, twins = Said(file.labour, file.investment, file.connection), (base, twin or base)
        costs = _tried(problems, lambda: priced(context, given, said, twins, (when_of(change), over)))
    if problems or twin is None or costs is None:
        raise FaultyData(problems)
    return Checked(one, file, twin, made, costs)


def _tried(problems: list[Problem], do: Callable[[], Found]) -> Found | None:
    """Return what is done, or None after its faults were added to the others."""
    try:
        return do()
    except FaultyData as fault:
        problems += fault.problems
        return None


def _grounds(context: Context, base: Twin, over: Days) -> Grounds:
    """Return what holds for the costs of all scenarios."""
    grid = grid_of(context.workspace.plant, over.first, over.number, over.since_s)
    return grounds(context, base, over, lambda: beside_line(context, grid, _own_meters(context, base)))


def _built(context: Context, supply: Supply | None, base: Twin, over: Days) -> Built | None:
    own = _own_meters(context, base)
    return None if supply is None else built(context, supply, own, over.first, over.number, over.since_s)


def _own_meters(context: Context, base: Twin) -> list[str]:
    """Return the meters of electricity of everything that the twin simulates."""
    beside = read_utilities(context, base)
    rows = [] if beside is None else [one for name in TABLES for one in getattr(beside.utilities, name)]
    named = [*base.meters.items(), *((("", carrier), ids) for one in rows for carrier, ids in getattr(one, "meters", {}).items())]  # fmt: skip
    return sorted({meter for (_, carrier), meters in named if carrier == CARRIER for meter in meters})


def _taken_over(file: ScenarioFile, beside: Beside) -> Iterator[Problem]:
    """Yield changes of draws that have no effect, since the utilities take over what the station draws."""
    named = [
        (f"scale{row_name({'stations': one.stations}, place)}", station, one.carrier)
        for place, one in enumerate(file.scale)
        for station in one.stations or ()
    ]
    draws = ((name, keys.get("draws")) for name, keys in file.stations.items())
    named += [(f"stations.{name}.draws.{carrier}", name, carrier) for name, told in draws if isinstance(told, Mapping) for carrier in told]  # fmt: skip
    for column, station, carrier in named:
        if (station, carrier) in beside.takes_over:
            message = Text(f"“{station}”的{carrier}由 utilities.toml 给出, 这里改了无效。", f"The {carrier} of '{station}' is given by utilities.toml; changed here it has no effect.")  # fmt: skip
            yield Problem("twin.taken_over", message, Text("请改 [utilities.…]。", "Change [utilities.…] instead."), column=column)  # fmt: skip


def _volume(file: ScenarioFile) -> Iterator[Problem]:
    wanted = file.volume
    if wanted is not None and (wanted.times is None) == (wanted.per_day is None):
        message = Text("产量要写 times 或 per_day 之一。", "The volume needs either times or per_day.")
        yield Problem("twin.volume", message, Text("例如 times = 1.10。", "Such as times = 1.10."), column="volume")
    if wanted is not None and wanted.overtime and file.overtime_h:
        message = Text(
            "overtime_h 与 volume.overtime 不能同时写。", "overtime_h and volume.overtime exclude each other."
        )
        yield Problem("twin.volume", message, Text("请去掉一个, 或写 overtime = false。", "Leave one out, or write overtime = false."), column="overtime_h")  # fmt: skip


def _measure(file: ScenarioFile) -> Iterator[Problem]:
    if file.measure is not None and file.measure not in measures():
        yield unknown("measure", file.measure, "measure", measures(), "scenario")


def _weather(file: ScenarioFile) -> Iterator[Problem]:
    """Yield a file of weather that lies elsewhere: a scenario may come over the network, and reads nothing outside the workspace."""
    named = file.utilities.weather.get("file")
    if named is not None and (Path(str(named)).name != str(named) or "\\" in str(named)):
        message = Text(f"“{named}”不在工作区内。", f"'{named}' does not lie in the workspace.")
        yield Problem("twin.scenario_path", message, Text("请写工作区里的文件名。", "Name a file of the workspace."), column="utilities.weather.file")  # fmt: skip


def _invalid(fault: Mapping[str, Any], change: Mapping[str, Any]) -> Problem:
    column = place_of(fault, change)
    message = worded(fault)
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        return unknown(column, column, "key", ScenarioFile.model_fields, "scenario")
    return Problem(f"twin_file.{fault['type']}", message, GUIDE, column=column)


def _in_file(problem: Problem, one: Scenario) -> Problem:
    """Return a fault with the file of the scenario; twin.toml stays named where the fault is in its own lines."""
    return (
        replace(problem, file=f"{one.id}.toml")
        if problem.file in (None, "scenario", "twin.toml", "utilities.toml")
        else problem
    )
