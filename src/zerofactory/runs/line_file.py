"""line.toml and orders.csv: the car line of a plant and what is ordered, as a flow shop.

A workspace has its own files; the fictional reference plant has packaged ones. Rates are vehicles an hour, powers kW; a lot's
time at a stage is its vehicles ÷ the rate, rounded up to whole slots, its energy spread over them.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.optimisation.scheduling.flow_shop import FlowShop, Lot, SequenceRule, Stage, Task, Unit
from zerofactory.optimisation.scheduling.problem import RestState, Signals, Window
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.wording import problems_of

NAME, ORDERS = "line.toml", "orders.csv"
COLUMNS = ("lot", "model", "colour", "vehicles", "from_stage", "release", "due")
_CLOCK = re.compile(r"^(\d+) (\d{1,2}):(\d{2})$")
_HOUR = re.compile(r"^(\d{1,2}):(\d{2})$")
GUIDE = Text("写法见 docs/how-to/schedule-line.md。", "See docs/how-to/schedule-line.md.")
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)  # unknown keys are refused


class Name(BaseModel):
    """A name in two languages."""

    model_config = STRICT

    zh: str
    en: str


class RestEntry(BaseModel):
    """How a line waits."""

    model_config = STRICT

    name: str
    power_kw: float = Field(ge=0.0)
    leave_minutes: int = Field(default=0, ge=0)
    leave_kw: float = Field(default=0.0, ge=0.0)


class UnitEntry(BaseModel):
    """A line of a stage: its rate and power at work, shifts on every day (``["06:00", "24:00"]``), rests."""

    model_config = STRICT

    id: str
    name: Name
    vehicles_per_hour: float = Field(gt=0.0)
    working_kw: float = Field(ge=0.0)
    shifts: tuple[tuple[str, str], ...] = ()
    starts_from: str | None = None
    rests: tuple[RestEntry, ...] = ()


class ChangeEntry(BaseModel):
    """What is lost at every change of model or colour: kilograms, their price and carbon."""

    model_config = STRICT

    kg: float = Field(ge=0.0)
    cny_per_kg: float = Field(ge=0.0)
    kgco2e_per_kg: float = Field(ge=0.0)
    what: Name
    minutes: int = Field(default=0, ge=0)
    power_kw: float = Field(default=0.0, ge=0.0)


class StageEntry(BaseModel):
    """A stage and what lies behind it."""

    model_config = STRICT

    id: str
    name: Name
    shop: str
    units: tuple[UnitEntry, ...]
    store_lots: int | None = Field(default=None, ge=0)
    passage_minutes: int = Field(default=0, ge=0)
    longest_wait_minutes: int | None = Field(default=None, ge=0)
    change_by: Literal["", "model", "colour"] = ""
    change: ChangeEntry | None = None


class ModelEntry(BaseModel):
    """A vehicle model: power relative to ``working_kw`` by stage, options for the rules, lines it may take."""

    model_config = STRICT

    name: Name
    power: Mapping[str, float] = Field(default_factory=dict)
    options: tuple[str, ...] = ()
    units: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class RuleEntry(BaseModel):
    """In any ``among`` lots at most ``most`` have the option."""

    model_config = STRICT

    option: str
    most: int = Field(ge=0)
    among: int = Field(ge=1)


class LineSettings(BaseModel):
    """The grid of the plan."""

    model_config = STRICT

    slot_minutes: int = Field(default=15, ge=1, le=60)
    start: str = "06:00"
    horizon_hours: int = Field(ge=1, le=168)
    note: str = ""


class LineFile(BaseModel):
    """The whole file."""

    model_config = STRICT

    status: Literal["verified", "secondary", "placeholder"] = "placeholder"
    line: LineSettings
    stages: tuple[StageEntry, ...]
    models: Mapping[str, ModelEntry]
    rules: tuple[RuleEntry, ...] = ()

    @property
    def slots(self) -> int:
        """How many slots the plan has."""
        return self.line.horizon_hours * 60 // self.line.slot_minutes


class Order(BaseModel):
    """A row of orders.csv, its times as slots."""

    model_config = STRICT

    lot: str
    model: str
    colour: str
    vehicles: int
    from_stage: str
    release_slot: int
    due_slot: int | None


def read(context: Context, name: str = NAME) -> str:
    """Return the text of the workspace's own file, else of the packaged one of the reference plant.

    Raises
    ------
    FaultyData
        There is none.
    """
    path: Path = context.workspace.folder / name
    if path.is_file():
        return text_of(path.read_bytes(), name)
    if context.workspace.plant.id == REFERENCE_PLANT:
        return (files("zerofactory.reference_plant") / name).read_text(encoding="utf-8")
    raise FaultyData([Problem("line_file.absent", Text(f"工作区里没有 {name}。", f"The workspace has no {name}."), GUIDE, file=name)])  # fmt: skip


def parse(text: str) -> LineFile:
    """Return the line that a TOML text describes; raise `FaultyData` with every fault."""
    raw = toml_of(text, NAME, "line_file.unreadable")
    try:
        line = LineFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "line_file", GUIDE, NAME, raw)) from error
    uneven = [stage.id for stage in line.stages if len({(unit.vehicles_per_hour, unit.working_kw) for unit in stage.units}) != 1]  # fmt: skip
    refuse(_uneven(name) for name in uneven)
    return line


def _uneven(stage: str) -> Problem:
    message = Text(f"工段“{stage}”要有至少一条产线, 且各线节拍与功率相同。", f"Stage '{stage}' needs at least one line, all of one rate and power.")  # fmt: skip
    return Problem("line_file.uneven", message, GUIDE, file=NAME)


def orders(text: str, line: LineFile, name: str = ORDERS) -> tuple[Order, ...]:
    """Return the orders of a CSV; raise `FaultyData` with every fault and its row."""
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    lacking = [column for column in COLUMNS if rows and column not in rows[0]]
    if lacking or not rows:
        message = Text(f"缺列: {', '.join(lacking) or '(没有行)'}。", f"Missing columns: {', '.join(lacking) or '(no rows)'}.")  # fmt: skip
        raise FaultyData([Problem("orders.columns", message, Text(f"应有: {', '.join(COLUMNS)}。", f"Wanted: {', '.join(COLUMNS)}."), file=name)])  # fmt: skip
    found, problems = [], []
    for number, row in enumerate(rows, start=2):
        order, faults = _order(row, line)
        problems += [one.at(file=name, row=number) for one in faults]
        found += [order] if order else []
    refuse(problems)
    return tuple(found)


def _order(row: Mapping[str, str], line: LineFile) -> tuple[Order | None, list[Problem]]:
    stages, problems = [stage.id for stage in line.stages], []
    for column, choices in (("model", tuple(line.models)), ("from_stage", tuple(stages))):
        if row[column] not in choices:
            problems.append(Problem("orders.name", Text(f"没有“{row[column]}”。", f"There is no '{row[column]}'."), Text(f"可选: {', '.join(choices)}。", f"Choose one of: {', '.join(choices)}."), column=column))  # fmt: skip
    if not row["vehicles"].isdigit() or int(row["vehicles"]) < 1:
        problems.append(Problem("orders.vehicles", Text("辆数应为正整数。", "Vehicles must be a whole number above zero."), GUIDE, column="vehicles"))  # fmt: skip
    release, due = _slot(row["release"] or "0 00:00", line), _slot(row["due"], line) if row["due"] else None
    for column, slot in (("release", release), ("due", due)):
        if slot is None and row[column]:
            problems.append(Problem("orders.time", Text(f"“{row[column]}”不是“第几天 时:分”。", f"'{row[column]}' is not 'day hour:minute'."), Text("例如 0 06:00, 1 24:00。", "For example 0 06:00, 1 24:00."), column=column))  # fmt: skip
    if problems:
        return None, problems
    order = Order(lot=row["lot"], model=row["model"], colour=row["colour"], vehicles=int(row["vehicles"]), from_stage=row["from_stage"], release_slot=max(0, release or 0), due_slot=due)  # fmt: skip
    return order, []


def _slot(text: str, line: LineFile) -> int | None:
    """Return the slot of ``day hour:minute`` counted from the start of the plan."""
    found = _CLOCK.match(text.strip())
    if found is None:
        return None
    day, hour, minute = map(int, found.groups())
    return (day * 1440 + hour * 60 + minute - _minutes(line.line.start)) // line.line.slot_minutes


def _minutes(clock: str) -> int:
    found = _HOUR.match(clock)
    if found is None:
        message = Text(f"“{clock}”不是时刻。", f"'{clock}' is no time of day.")
        raise FaultyData([Problem("line_file.value", message, GUIDE, file=NAME)])
    return int(found.group(1)) * 60 + int(found.group(2))


def start_of(line: LineFile, day: datetime, time_zone: str) -> datetime:
    """Return the moment at which a plan for a day begins."""
    return datetime.combine(day.date(), time(), zone(time_zone)) + timedelta(minutes=_minutes(line.line.start))


def shop(line: LineFile, wanted: Sequence[Order], signals: Signals, start: datetime) -> FlowShop:
    """Return the flow shop of a line, its orders and the signals of its slots."""
    stages = tuple(_stage(line, entry, wanted) for entry in line.stages)
    lots = tuple(_lot(line, order) for order in wanted)
    rules = tuple(SequenceRule(rule.option, rule.most, rule.among) for rule in line.rules)
    return FlowShop(stages, lots, signals, rules=rules, start=start, slot_minutes=line.line.slot_minutes, file=NAME)


def _up(minutes: float, line: LineFile) -> int:
    return math.ceil(round(minutes / line.line.slot_minutes, 9))


def _stage(line: LineFile, entry: StageEntry, wanted: Sequence[Order]) -> Stage:
    families = sorted({_family(entry, order) for order in wanted})
    pairs = [(a, b) for a in families for b in families if a != b]
    stage = Stage(
        entry.id, Text(entry.name.zh, entry.name.en), tuple(_unit(line, unit, entry.shop) for unit in entry.units),
        store_lots=entry.store_lots, passage_slots=_up(entry.passage_minutes, line),
        longest_wait_slots=None if entry.longest_wait_minutes is None else entry.longest_wait_minutes // line.line.slot_minutes,
    )  # fmt: skip
    if entry.change is None:
        return stage
    lost = entry.change
    return replace(
        stage,
        setup_slots={pair: _up(lost.minutes, line) for pair in pairs},
        setup_cny=dict.fromkeys(pairs, lost.kg * lost.cny_per_kg),
        setup_gco2e=dict.fromkeys(pairs, lost.kg * lost.kgco2e_per_kg * 1000.0),
        setup_kw=lost.power_kw,
    )


def _family(entry: StageEntry, order: Order) -> str:
    return {"": "", "model": order.model, "colour": order.colour}[entry.change_by]


def _unit(line: LineFile, entry: UnitEntry, shop_id: str) -> Unit:
    rests = tuple(RestState(one.name, one.power_kw, leave_ticks=_up(one.leave_minutes, line), leave_kw=one.leave_kw) for one in entry.rests)  # fmt: skip
    first, step = _minutes(line.line.start), line.line.slot_minutes
    windows = []
    for day in range(line.line.horizon_hours // 24 + 2):
        for begin, end in entry.shifts:
            a, b = (day * 1440 + _minutes(clock) - first for clock in (begin, end))
            low, high = max(0, -(-a // step)), min(line.slots, b // step)
            windows += [Window(low, high)] if low < high else []
    return Unit(entry.id, Text(entry.name.zh, entry.name.en), rests, entry.starts_from, tuple(windows), shop_id)


def _lot(line: LineFile, order: Order) -> Lot:
    model = line.models[order.model]
    places = [stage.id for stage in line.stages]
    done = places.index(order.from_stage)
    tasks = []
    for place, stage in enumerate(line.stages):
        minutes = 60.0 * order.vehicles / stage.units[0].vehicles_per_hour
        slots = 0 if place < done else _up(minutes, line)
        share = minutes / (slots * line.line.slot_minutes) if slots else 0.0
        power = stage.units[0].working_kw * model.power.get(stage.id, 1.0) * share
        tasks.append(Task((power,) * slots, _family(stage, order), model.units.get(stage.id, ())))
    return Lot(order.lot, tuple(tasks), order.release_slot, order.due_slot, pieces=float(order.vehicles), variant=order.model, options=model.options, entry=done)  # fmt: skip
