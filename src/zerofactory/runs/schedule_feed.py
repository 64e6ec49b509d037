"""Kits and line feeding for the schedule of a day: which container leaves on which tour, checked against the line's stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.optimisation.scheduling.feeding import Call, Feeding, FeedPlan, Part, Trains, check, plan
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan, FlowShop
from zerofactory.runs import schedule_line
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.schedule_line import Asked
from zerofactory.wording import problems_of

NAME = "feed.toml"
GUIDE = Text("写法见 docs/how-to/schedule-line.md。", "See docs/how-to/schedule-line.md.")
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)  # unknown keys are refused


class Name(BaseModel):
    """A name in two languages."""

    model_config = STRICT

    zh: str
    en: str


class TrainEntry(BaseModel):
    """The tugger trains."""

    model_config = STRICT

    containers: int = Field(ge=1)
    trains: int = Field(default=1, ge=1)
    cycle_minutes: float = Field(gt=0.0)
    travel_minutes: float = Field(ge=0.0)
    tour_km: float = Field(ge=0.0)
    kwh_per_km: float = Field(ge=0.0)


class PartEntry(BaseModel):
    """A part or a kit at a station; kits need no pieces."""

    model_config = STRICT

    id: str
    name: Name
    station: str
    per_vehicle: Mapping[str, float]
    pieces: int = Field(default=1, ge=1)
    places: int = Field(ge=1)
    stock: float = Field(default=0.0, ge=0.0)
    kitted: bool = False


class FeedFile(BaseModel):
    """The whole file."""

    model_config = STRICT

    status: str = "placeholder"
    stage: str
    trains: TrainEntry
    parts: tuple[PartEntry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fed:
    """The plan of a day; it passed its check."""

    file: FeedFile
    problem: Feeding
    plan: FeedPlan
    start: datetime

    def departs(self, departure: int) -> datetime:
        """Return the moment at which a departure leaves."""
        return self.start + timedelta(minutes=self.problem.first_min + departure * self.problem.trains.cycle_min)

    def tours(self) -> dict[int, dict[str, int]]:
        """Return containers by part for every departure that runs."""
        found: dict[int, dict[str, int]] = {}
        for one in self.plan.deliveries:
            own = found.setdefault(one.departure, {})
            own[one.part] = own.get(one.part, 0) + 1
        return dict(sorted(found.items()))

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "departures": [{"at": self.departs(k).isoformat(), "containers": own} for k, own in self.tours().items()],
            "deliveries": [{"at": self.departs(d.departure).isoformat(), "part": d.part, "number": d.number, "lot": d.lot or None} for d in self.plan.deliveries],
            "tours": self.plan.tours, "containers": self.plan.containers, "kits": self.plan.kits,
            "energy_kwh": self.plan.energy_kwh, "mean_fill_fraction": self.plan.mean_fill, "check_passed": True,
        }  # fmt: skip


def read(context: Context) -> FeedFile:
    """Return the feed file of a workspace, or the packaged one of the reference plant; raise `FaultyData` with every fault."""
    path: Path = context.workspace.folder / NAME
    if path.is_file():
        text = text_of(path.read_bytes(), NAME)
    elif context.workspace.plant.id == REFERENCE_PLANT:
        text = (files("zerofactory.reference_plant") / NAME).read_text(encoding="utf-8")
    else:
        raise FaultyData([Problem("feed_file.absent", Text(f"工作区里没有 {NAME}。", f"The workspace has no {NAME}."), GUIDE, file=NAME)])  # fmt: skip
    raw = toml_of(text, NAME, "feed_file.unreadable")
    try:
        return FeedFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "feed_file", GUIDE, NAME, raw)) from error


def run(context: Context, asked: Asked) -> Fed:
    """Return the feeding of the line for the schedule of a day (the same schedule as `schedule_line.run` gives)."""
    file = read(context)
    scheduled = schedule_line.run(context, asked)
    return feed(file, scheduled.problem, scheduled.best.plan)


def feed(file: FeedFile, shop: FlowShop, schedule: FlowPlan) -> Fed:
    """Return the feeding of a stage of a schedule; raise `FaultyData` where something cannot be at the line in time."""
    stages = [stage.id for stage in shop.stages]
    if file.stage not in stages:
        raise NotFound(Text("工段", "stage"), file.stage, tuple(stages))
    lots = {lot.id: lot for lot in shop.lots}
    calls = tuple(
        Call(v.lot, lots[v.lot].variant, lots[v.lot].pieces, float(v.start_slot * shop.slot_minutes), float(v.end_slot * shop.slot_minutes), v.unit)
        for v in schedule.visits
        if v.stage == file.stage and v.end_slot > v.start_slot
    )  # fmt: skip
    models = {lot.variant for lot in shop.lots}
    unknown = sorted({model for part in file.parts for model in part.per_vehicle} - models)
    if unknown:
        raise NotFound(Text("车型", "model"), unknown[0], tuple(sorted(models)))
    trains = Trains(file.trains.containers, file.trains.cycle_minutes, file.trains.trains, file.trains.travel_minutes, file.trains.tour_km, file.trains.kwh_per_km)  # fmt: skip
    parts = tuple(Part(p.id, p.station, p.per_vehicle, p.pieces, p.places, p.stock, p.kitted) for p in file.parts)
    problem = Feeding(parts, calls, trains, int(shop.slots * shop.slot_minutes // trains.cycle_min))
    found = plan(problem)
    refuse(check(problem, found))
    return Fed(file, problem, found, shop.start)
