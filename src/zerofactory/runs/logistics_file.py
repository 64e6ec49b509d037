"""logistics.toml: the network of a plant, its rounds, dock, forklifts and AGVs, and returning packaging.

A workspace has its own file; the fictional reference plant has a packaged one. Vehicles take the packaged figures
(`optimisation/logistics/vehicle_parameters.csv`) unless the file states the plant's own.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context
from zerofactory.wording import problems_of

NAME = "logistics.toml"
REFERENCE_PLANT = "reference-plant"
Positive = Annotated[float, Field(gt=0.0, le=1e12)]
Amount = Annotated[float, Field(ge=0.0, le=1e12)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-4]):[0-5]\d$")]
Id = Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")]


class _Entry(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Name(_Entry):
    """A name in two languages."""

    zh: str
    en: str

    @property
    def text(self) -> Text:
        """The name as a text."""
        return Text(self.zh, self.en)


class NodeEntry(_Entry):
    """A place of the network."""

    id: Id
    name: Name
    kind: Literal["supplier", "hub", "terminal", "raw_store", "plant", "finished_store", "customer"]
    latitude: float
    longitude: float
    handling_cny_per_t: Amount = 0.0
    handling_kwh_per_t: Amount = 0.0
    limit_t: Amount | None = None


class LegEntry(_Entry):
    """A way between two nodes; without ``distance_km`` the great circle, which is never longer than what can be driven."""

    start: str
    end: str
    vehicles: tuple[str, ...]
    distance_km: Positive | None = None
    daf: float | None = None
    chargers_km: tuple[float, ...] = ()
    limit_t: Amount | None = None


class FlowEntry(_Entry):
    """Goods from a node to a node a year."""

    id: Id
    name: Name
    start: str
    end: str
    tonnes: Amount
    direction: Literal["inbound", "outbound"]
    kg_per_m3: Amount = 250.0
    shipments: Amount = 0.0


class VehicleEntry(_Entry):
    """A vehicle that may be used, with the plant's own figures."""

    kind: str
    count: int | None = Field(default=None, ge=0)
    plant_share: Fraction = 0.0
    parameters: dict[str, float] = Field(default_factory=dict)


class PackagingEntry(_Entry):
    """A pack that goes to and fro, beside the one that is thrown away."""

    id: Id
    name: Name
    packs_per_year: Positive
    one_way_kg: Positive
    one_way_factor: str
    returnable_kg: Positive
    returnable_factor: str
    loop_days: Positive
    safety_fraction: Amount
    loss_fraction_per_year: Fraction
    loops_in_life: Positive
    return_km: Amount
    return_vehicle: str
    working_days: Annotated[float, Field(gt=0, le=366)]
    note: Name | None = None


class StopEntry(_Entry):
    """A stop of a round, kilometres from the depot."""

    id: Id
    x_km: float
    y_km: float
    load_kg: Amount
    opens: Clock = Field(alias="from")
    closes: Clock = Field(alias="to")
    service_min: Amount = 0.0


class ChargerEntry(_Entry):
    """A charging station on the way."""

    id: Id
    x_km: float
    y_km: float


class RoundsEntry(_Entry):
    """Stops nearby, served by one kind of vehicle from the plant."""

    name: Name
    vehicle: str
    stops: tuple[StopEntry, ...]
    chargers: tuple[ChargerEntry, ...] = ()
    count: int | None = Field(default=None, ge=1)
    recharge: Literal["full", "partial"] = "partial"
    daf: float = Field(default=1.0, ge=1.0, le=3.0)
    first: Clock = "00:00"
    last: Clock = "24:00"


class DockEntry(_Entry):
    """The chargers at the plant's dock."""

    chargers: int = Field(ge=1, le=1000)
    charger_kw: Positive
    limit_kw: Positive
    efficiency_fraction: Annotated[float, Field(gt=0.0, le=1.0)]


class InPlantEntry(_Entry):
    """A fleet of forklifts or AGVs: moves by the hour of the day, what a move takes, battery and chargers."""

    id: Id
    name: Name
    moves_per_hour: Annotated[tuple[Amount, ...], Field(min_length=24, max_length=24)]
    cycle_s: Positive
    availability_fraction: Annotated[float, Field(gt=0.0, le=1.0)]
    working_kw: Positive
    battery_kwh: Positive
    reserve_fraction: Annotated[float, Field(ge=0.0, lt=1.0)]
    charge_kw: Positive
    chargers: int = Field(ge=1, le=10_000)
    efficiency_fraction: Annotated[float, Field(gt=0.0, le=1.0)]
    swap: bool = False
    swap_s: Amount = 0.0
    cny_per_vehicle_year: Amount = 0.0


class Settings(_Entry):
    """What holds for the whole network."""

    period: str
    daf: float = Field(ge=1.0, le=3.0)
    plant_price_cny_per_kwh: Amount
    inbound_source: str
    outbound_source: str
    baseline: tuple[str, ...]


class LogisticsFile(_Entry):
    """The whole file."""

    logistics: Settings
    nodes: tuple[NodeEntry, ...]
    legs: tuple[LegEntry, ...]
    flows: tuple[FlowEntry, ...]
    vehicles: tuple[VehicleEntry, ...]
    packaging: tuple[PackagingEntry, ...] = ()
    rounds: RoundsEntry | None = None
    dock: DockEntry | None = None
    in_plant: tuple[InPlantEntry, ...] = ()
    status: Literal["verified", "secondary", "placeholder"] = "placeholder"


def read(context: Context, given: Path | None = None) -> LogisticsFile:
    """Return the file of a workspace, or the packaged one of the reference plant.

    Raises
    ------
    FaultyData
        There is none, or it has faults (all of them are named by their place in the file).
    """
    path = given or context.workspace.folder / NAME
    if path.is_file():
        return parse(text_of(path.read_bytes(), path.name), path.name)
    if given is None and context.workspace.plant.id == REFERENCE_PLANT:
        return parse((files("zerofactory.reference_plant") / NAME).read_text(encoding="utf-8"))
    message = Text(f"没有 {path.name}。", f"There is no {path.name}.")
    hint = Text(
        "请写明节点、路段、货流和车辆; 写法见 docs/how-to/logistics.md。",
        "State nodes, legs, flows and vehicles; see docs/how-to/logistics.md.",
    )
    raise FaultyData([Problem("logistics_file.absent", message, hint, file=path.name)])


def parse(text: str, name: str = NAME) -> LogisticsFile:
    """Return the file a TOML text describes; raise `FaultyData` with every fault."""
    raw = toml_of(text, name, "logistics_file.unreadable")
    try:
        return LogisticsFile.model_validate(raw)
    except ValidationError as error:
        hint = Text("写法见 docs/how-to/logistics.md。", "See docs/how-to/logistics.md.")
        raise FaultyData(problems_of(error, "logistics_file", hint, name, raw)) from error
