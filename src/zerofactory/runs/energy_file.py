"""energy.toml: the loads of a plant by carrier, the assets that stand, the candidates, and where their series come from.

A workspace has its own file; the fictional reference plant has a packaged one. Electricity needs no line of its own: prices come
from ``[tariff]`` of factory.toml.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context
from zerofactory.wording import problems_of

NAME = "energy.toml"
REFERENCE_PLANT = "reference-plant"


class Series(BaseModel):
    """Where a series comes from: one of ``meters`` (sum, mean power, ÷ ``per``), a column of a CSV file, or the weather.

    ``place`` takes the weather of a packaged typical year (see `assets.weather_year`) instead of the workspace's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    meters: tuple[str, ...] = ()
    per: float = Field(default=1.0, gt=0.0)
    csv: str | None = None
    column: str | None = None
    weather: str | None = None
    place: str | None = None


class Name(BaseModel):
    """A name in two languages."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    zh: str
    en: str


class LoadEntry(BaseModel):
    """A need of a carrier: meters (less ``minus``) times ``factor``, or what an asset made of them (``as_output_of``)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    carrier: str
    meters: tuple[str, ...]
    minus: tuple[str, ...] = ()
    factor: float = 1.0
    as_output_of: str | None = None


class AssetEntry(BaseModel):
    """An asset that stands, or a candidate; ``source`` is the emission source of factory.toml that books its fuel."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str
    kind: str
    name: Name | None = None
    candidate: bool = False
    source: str | None = None
    parameters: dict[str, float | str] = Field(default_factory=dict)
    series: dict[str, float | Series] = Field(default_factory=dict)


class SupplyEntry(BaseModel):
    """Something bought at a price per unit of a carrier (district heat, say), booked as ``quantity_per_unit`` of an item."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: str
    carrier: str
    name: Name
    price_cny_per_unit: float
    limit_per_hour: float = Field(gt=0.0)
    source: str
    source_kind: str
    item: str
    unit: str
    quantity_per_unit: float = 1.0


class Settings(BaseModel):
    """What holds for the whole problem; the figures and where they are from stand in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    discount_fraction: float = Field(ge=0.0, lt=1.0)
    horizon_years: int = Field(ge=1, le=60)
    surplus: tuple[str, ...] = ()
    roof_area_m2: float | None = None
    roof_m2_per_unit: dict[str, float] = Field(default_factory=dict)
    note: str = ""


class EnergyFile(BaseModel):
    """The whole file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    energy: Settings
    loads: tuple[LoadEntry, ...]
    assets: tuple[AssetEntry, ...]
    supplies: tuple[SupplyEntry, ...] = ()
    status: Literal["verified", "secondary", "placeholder"] = "placeholder"


def read(context: Context) -> EnergyFile:
    """Return the file of a workspace, or the packaged one of the reference plant.

    Raises
    ------
    FaultyData
        There is none, or it has faults (all of them are named by their place in the file).
    """
    workspace = context.workspace
    path: Path = workspace.folder / NAME
    if path.is_file():
        return parse(text_of(path.read_bytes(), NAME))
    if workspace.plant.id == REFERENCE_PLANT:
        return parse((files("zerofactory.reference_plant") / NAME).read_text(encoding="utf-8"))
    raise FaultyData(
        [
            Problem(
                "energy_file.absent",
                Text(f"工作区里没有 {NAME}。", f"The workspace has no {NAME}."),
                Text(
                    "请写明负荷、现有设备和候选设备; 写法见 docs/how-to/energy-sizing.md。",
                    "State loads, assets and candidates; see docs/how-to/energy-sizing.md.",
                ),
                file=NAME,
            )
        ]
    )


def parse(text: str) -> EnergyFile:
    """Return the file a TOML text describes; raise `FaultyData` with every fault."""
    raw = toml_of(text, NAME, "energy_file.unreadable")
    try:
        return EnergyFile.model_validate(raw)
    except ValidationError as error:
        hint = Text("写法见 docs/how-to/energy-sizing.md。", "See docs/how-to/energy-sizing.md.")
        raise FaultyData(problems_of(error, "energy_file", hint, NAME, raw)) from error
