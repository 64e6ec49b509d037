"""schedule.toml, its CSV of jobs and of operations, and .fjs files: what is to be scheduled, as a problem.

schedule.toml holds the horizon, machines (shifts, set-ups, rest states), links and buffers; ``jobs.csv`` an order a row;
``operations.csv`` a way to do an operation a row. Minutes in the files become whole ticks; what does not divide is a fault.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.optimisation.scheduling import fjs
from zerofactory.optimisation.scheduling.problem import (
    Buffer,
    Job,
    Link,
    Machine,
    Mode,
    Operation,
    RestState,
    ScheduleProblem,
    Window,
)
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.wording import problems_of

NAME = "schedule.toml"
JOB_COLUMNS = ("job", "release", "due", "weight")
OPERATION_COLUMNS = ("job", "operation", "family", "machine", "minutes", "power_kw", "mode")
GUIDE = Text("写法见 docs/how-to/schedule.md。", "See docs/how-to/schedule.md.")
DAY = 1440


class _Strict(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Name(_Strict):
    """A name in two languages."""

    zh: str
    en: str


class RestEntry(_Strict):
    """A state of waiting."""

    name: str
    power_kw: float = Field(ge=0.0)
    enter_minutes: int = Field(default=0, ge=0)
    enter_kw: float = Field(default=0.0, ge=0.0)
    leave_minutes: int = Field(default=0, ge=0)
    leave_kw: float = Field(default=0.0, ge=0.0)


class SetupEntry(_Strict):
    """A change of family; ``*`` stands for every other family."""

    before: str = "*"
    after: str = "*"
    minutes: int = Field(ge=0)


class MachineEntry(_Strict):
    """A machine; ``group`` names several that can do the same; shifts are hours of every day of the plan."""

    id: str
    name: Name
    place: str = "site"
    group: str | None = None
    shifts: tuple[tuple[str, str], ...] = ()
    first_family: str | None = None
    setup_kw: float = Field(default=0.0, ge=0.0)
    starts_from: str | None = None
    setups: tuple[SetupEntry, ...] = ()
    rests: tuple[RestEntry, ...] = ()


class LinkEntry(_Strict):
    """A wait between two operations."""

    before: str
    after: str
    least_minutes: int = Field(default=0, ge=0)
    most_minutes: int | None = Field(default=None, ge=0)


class BufferEntry(_Strict):
    """A store between operations: it holds so many at once."""

    id: str
    capacity: int = Field(ge=0)
    links: tuple[tuple[str, str], ...]


class Settings(_Strict):
    """The horizon and the files beside."""

    start: datetime
    tick_minutes: int = Field(default=5, ge=1, le=60)
    horizon_hours: int = Field(ge=1, le=24 * 31)
    power_limit_kw: float | None = Field(default=None, gt=0.0)
    dues_are_hard: bool = False
    jobs: str = "jobs.csv"
    operations: str = "operations.csv"
    signals: str | None = None
    note: str = ""


class ScheduleFile(_Strict):
    """The whole file."""

    schedule: Settings
    machines: tuple[MachineEntry, ...]
    links: tuple[LinkEntry, ...] = ()
    buffers: tuple[BufferEntry, ...] = ()
    status: str = "placeholder"


@dataclass(frozen=True)
class Loaded:
    """A problem, where its signals stand (None: take the workspace's), and its names."""

    problem: ScheduleProblem
    signals: str | None = None
    folder: Path | None = None
    titles: Mapping[str, Text] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    file: ScheduleFile
    name: str
    time_zone: str
    problems: list[Problem] = field(default_factory=list)
    origin: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    @property
    def start(self) -> datetime:
        given = self.file.schedule.start
        return given if given.tzinfo is not None else given.replace(tzinfo=zone(self.time_zone))

    def fault(self, code: str, message: Text, file: str, place: tuple[int | None, str | None] = (None, None)) -> None:
        row, column = place
        self.problems.append(Problem(f"schedule_file.{code}", message, GUIDE, file=file, row=row, column=column))

    def ticks(self, minutes: float, place: tuple[str, int | None, str]) -> int:
        """Return minutes as ticks; a fault where they do not divide."""
        tick = self.file.schedule.tick_minutes
        if minutes % tick:
            file, row, column = place
            self.fault("tick", Text(f"{minutes:g} 分钟不是 {tick} 分钟的整数倍。", f"{minutes:g} min is no multiple of {tick} min."), file, (row, column))  # fmt: skip
        return int(minutes // tick)


def load(context: Context, path: Path | None) -> Loaded:
    """Return the problem of a file (.fjs or .toml), of the workspace's schedule.toml, or the packaged one of the reference plant.

    Raises
    ------
    FaultyData
        There is none, or it has faults: every one, with file, row and key.
    """
    own = context.workspace.folder / NAME
    target = path or (own if own.is_file() else None)
    time_zone = context.workspace.plant.time_zone
    if target is None:
        if context.workspace.plant.id != REFERENCE_PLANT:
            raise FaultyData([_absent()])
        packaged = files("zerofactory.reference_plant")
        return parse(packaged.joinpath(NAME).read_text(encoding="utf-8"), NAME, lambda name: packaged.joinpath(name).read_text(encoding="utf-8"), time_zone)  # fmt: skip
    if not target.is_file():
        raise FaultyData([_absent(target.name)])
    if target.suffix == ".fjs":
        return Loaded(fjs.parse(text_of(target.read_bytes(), target.name), target.name))

    def beside(name: str) -> str:
        return text_of((target.parent / name).read_bytes(), name)

    found = parse(text_of(target.read_bytes(), target.name), target.name, beside, time_zone)
    return Loaded(found.problem, found.signals, target.parent, found.titles)


def given(context: Context, text: str | None) -> Loaded:
    """Return the problem of a .fjs text, or the workspace's own where there is none."""
    return load(context, None) if text is None else Loaded(fjs.parse(text, "fjs"))


def parse(text: str, name: str, beside: object, time_zone: str) -> Loaded:
    """Return the problem of a TOML text; ``beside(file)`` gives the text of the CSV files it names."""
    assert callable(beside)  # noqa: S101  # narrowing
    raw = toml_of(text, name, "schedule_file.unreadable")
    try:
        file = ScheduleFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "schedule_file", GUIDE, name, raw)) from error
    reading = _Reading(file, name, time_zone)
    jobs = _table(reading, file.schedule.jobs, JOB_COLUMNS, beside)
    rows = _table(reading, file.schedule.operations, OPERATION_COLUMNS, beside)
    refuse(reading.problems)
    machines = tuple(_machine(reading, entry, _families(rows)) for entry in file.machines)
    made = _jobs(reading, jobs, _operations(reading, rows))
    settings = file.schedule
    problem = ScheduleProblem(
        machines, made, _links(reading), _buffers(file), start=reading.start, tick_s=settings.tick_minutes * 60,
        horizon_ticks=settings.horizon_hours * 60 // settings.tick_minutes, power_limit_kw=settings.power_limit_kw,
        name=name, origin=reading.origin,
    )  # fmt: skip
    refuse(reading.problems)
    return Loaded(problem, settings.signals, None, {entry.id: Text(entry.name.zh, entry.name.en) for entry in file.machines})  # fmt: skip


def _table(reading: _Reading, name: str, wanted: Sequence[str], beside: object) -> list[tuple[int, dict[str, str]]]:
    assert callable(beside)  # noqa: S101
    try:
        text = beside(name)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        reading.fault("absent", Text(f"没有文件 {name}。", f"There is no file {name}."), reading.name)
        return []
    read = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    lacking = [column for column in wanted if column not in (read.fieldnames or ())]
    if lacking:
        listed = ", ".join(lacking)
        reading.fault("columns", Text(f"缺列: {listed}。", f"Missing columns: {listed}."), name, (1, None))
        return []
    return [(number, row) for number, row in enumerate(read, start=2)]


def _families(rows: Sequence[tuple[int, dict[str, str]]]) -> list[str]:
    return sorted({row["family"].strip() for _, row in rows})


def _machine(reading: _Reading, entry: MachineEntry, families: Sequence[str]) -> Machine:
    at = (reading.name, None, entry.id)
    reading.origin[entry.id] = (reading.name, None)
    setups: dict[tuple[str, str], int] = {}
    known = sorted({*families, *([entry.first_family] if entry.first_family else [])})
    for one in sorted(entry.setups, key=lambda each: (each.before != "*") + (each.after != "*")):
        for before in known if one.before == "*" else [one.before]:
            for after in known if one.after == "*" else [one.after]:
                if before != after:
                    setups[before, after] = reading.ticks(one.minutes, at)
    rests = tuple(
        RestState(one.name, one.power_kw, reading.ticks(one.enter_minutes, at), one.enter_kw, reading.ticks(one.leave_minutes, at), one.leave_kw)
        for one in entry.rests
    )  # fmt: skip
    return Machine(
        entry.id, _windows(reading, entry), setups, entry.setup_kw, entry.first_family, rests, entry.starts_from,
        entry.name.zh, entry.place,
    )  # fmt: skip


def _windows(reading: _Reading, entry: MachineEntry) -> tuple[Window, ...]:
    """Return shifts of every day as ticks of the horizon; a shift that ends before it begins runs over midnight."""
    settings = reading.file.schedule
    local = reading.start.astimezone(zone(reading.time_zone))
    first = local.hour * 60 + local.minute
    last = settings.horizon_hours * 60
    spans = []
    for begin, end in entry.shifts:
        a, b = _minute(reading, begin, entry.id), _minute(reading, end, entry.id)
        b += DAY if b <= a else 0
        for day in range(-1, last // DAY + 2):
            low, high = max(0, day * DAY + a - first), min(last, day * DAY + b - first)
            if low < high:
                spans.append((low, high))
    joined: list[list[int]] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    tick = settings.tick_minutes
    return tuple(Window(-(-low // tick), high // tick) for low, high in joined)


def _minute(reading: _Reading, clock: str, key: str) -> int:
    hour, _, minute = clock.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) <= 24 and int(minute) < 60):
        reading.fault(
            "clock", Text(f"“{clock}”不是 时:分。", f"'{clock}' is not hour:minute."), reading.name, (None, key)
        )
        return 0
    return int(hour) * 60 + int(minute)


def _operations(
    reading: _Reading, rows: Sequence[tuple[int, dict[str, str]]]
) -> dict[str, dict[str, tuple[str, list[Mode]]]]:
    """Return job → operation → (family, modes), in the order of the rows."""
    name = reading.file.schedule.operations
    groups: dict[str, list[str]] = {}
    for entry in reading.file.machines:
        groups.setdefault(entry.id, []).append(entry.id)
        if entry.group:
            groups.setdefault(entry.group, []).append(entry.id)
    found: dict[str, dict[str, tuple[str, list[Mode]]]] = {}
    for number, row in rows:
        job, operation, machine = row["job"].strip(), row["operation"].strip(), row["machine"].strip()
        family, modes = found.setdefault(job, {}).setdefault(operation, (row["family"].strip(), []))
        reading.origin.setdefault(operation, (name, number))
        minutes, power = (_number(reading, row, column, number) for column in ("minutes", "power_kw"))
        ticks = reading.ticks(minutes, (name, number, "minutes"))
        if machine and machine not in groups:
            listed = ", ".join(groups)
            reading.fault("machine", Text(f"没有设备或设备组“{machine}”。可选: {listed}。", f"There is no machine or group '{machine}'. Choose one of: {listed}."), name, (number, "machine"))  # fmt: skip
        if family != row["family"].strip():
            reading.fault("family", Text(f"工序“{operation}”有两个族。", f"Operation '{operation}' has two families."), name, (number, "family"))  # fmt: skip
        modes += [Mode(one, ticks, power, (), (row.get("mode") or "").strip()) for one in groups.get(machine, [])]
    return found


def _number(reading: _Reading, row: Mapping[str, str], column: str, number: int) -> float:
    try:
        return float(row[column] or 0.0)
    except ValueError:
        message = Text(f"“{row[column]}”不是数。", f"'{row[column]}' is no number.")
        reading.fault("number", message, reading.file.schedule.operations, (number, column))
        return 0.0


def _jobs(
    reading: _Reading,
    rows: Sequence[tuple[int, dict[str, str]]],
    operations: Mapping[str, Mapping[str, tuple[str, list[Mode]]]],
) -> tuple[Job, ...]:
    name, made = reading.file.schedule.jobs, []
    for number, row in rows:
        job = row["job"].strip()
        reading.origin.setdefault(job, (name, number))
        release = _moment(reading, row["release"], (number, "release"))
        due = _moment(reading, row["due"], (number, "due"))
        try:
            weight = float(row["weight"] or 1.0)
        except ValueError:
            weight = 1.0
            reading.fault("number", Text(f"“{row['weight']}”不是数。", f"'{row['weight']}' is no number."), name, (number, "weight"))  # fmt: skip
        if job not in operations:
            reading.fault("no_operations", Text(f"工单“{job}”没有工序。", f"Job '{job}' has no operation."), name, (number, "job"))  # fmt: skip
        own = tuple(Operation(one, tuple(modes), family) for one, (family, modes) in operations.get(job, {}).items())
        made.append(Job(job, own, release or 0, due, weight, reading.file.schedule.dues_are_hard and due is not None))
    for job in operations:
        if job not in {one.id for one in made}:
            reading.fault("no_job", Text(f"工单“{job}”不在 {name} 里。", f"Job '{job}' does not stand in {name}."), reading.file.schedule.operations, (None, job))  # fmt: skip
    return tuple(made)


def _moment(reading: _Reading, text: str, place: tuple[int, str]) -> int | None:
    """Return a moment of the plant's clock as ticks from the start: rounded to the tick inside."""
    if not text.strip():
        return None
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        message = Text(
            f"“{text}”不是时刻, 例如 2025-07-10T14:00。", f"'{text}' is no moment, for example 2025-07-10T14:00."
        )
        reading.fault("moment", message, reading.file.schedule.jobs, place)
        return None
    aware = given if given.tzinfo is not None else given.replace(tzinfo=zone(reading.time_zone))
    tick = timedelta(minutes=reading.file.schedule.tick_minutes)
    offset = aware - reading.start
    return max(0, -(-offset // tick)) if place[1] == "release" else offset // tick


def _links(reading: _Reading) -> tuple[Link, ...]:
    made = []
    for one in reading.file.links:
        at = (reading.name, None, one.after)
        most = None if one.most_minutes is None else reading.ticks(one.most_minutes, at)
        made.append(Link(one.before, one.after, reading.ticks(one.least_minutes, at), most))
    return tuple(made)


def _buffers(file: ScheduleFile) -> tuple[Buffer, ...]:
    return tuple(Buffer(one.id, one.capacity, one.links) for one in file.buffers)


def _absent(name: str = NAME) -> Problem:
    message = Text(f"没有 {name}。", f"There is no {name}.")
    return Problem("schedule_file.absent", message, GUIDE, file=name)
