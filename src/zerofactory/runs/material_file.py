"""material/*.toml of a workspace: what to cut or mix, the tables it names, the present practice, money, and where it is booked.

The fictional reference plant has packaged files; a workspace's own come first. A fault is told with file, row and column, all
faults of a file together.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context
from zerofactory.wording import problems_of

FOLDER = "material"
REFERENCE_PLANT = "reference-plant"
GUIDE = "docs/how-to/material.md"
BOOKED = {
    "metal": "purchased_goods",
    "put_in": "material_input",
    "output": "material_output",
    "scrap": "metal_scrap",
}
Form = TypeVar("Form", bound=BaseModel)


class Name(BaseModel):
    """A text in two languages."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    zh: str
    en: str

    @property
    def text(self) -> Text:
        """The same as `Text`."""
        return Text(self.zh, self.en)


class Practice(BaseModel):
    """The present practice: which share of the metal put in ends in good parts, and how that is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    utilisation_fraction: float = Field(gt=0.0, le=1.0)
    evidence: Name


class Money(BaseModel):
    """What scrap is sold for, and metal bought for where no table says it; with the source of the figures."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    metal_cny_per_kg: float = Field(default=0.0, ge=0.0)
    scrap_cny_per_kg: float = Field(default=0.0, ge=0.0)
    source: Name


class Booking(BaseModel):
    """Sources of factory.toml that the plan's activities are for, the day of the document, the month of comparison."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    day: date
    document: str = Field(min_length=1, max_length=40)
    metal: str
    put_in: str | None = None
    output: str | None = None
    scrap: str | None = None


class _Shared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: Name
    fictional: bool = False
    metal: str = "steel"
    time_s: float = Field(default=20.0, gt=0.0, le=600.0)
    baseline: Practice | None = None
    money: Money | None = None
    book: Booking | None = None


class SlitRulesForm(BaseModel):
    """Rules of the slitter."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    edge_trim_mm: float = 0.0
    knives: int = 10_000
    keep_width_mm: float | None = None
    keep_value_fraction: float = 0.0
    parts: int = 1


class SlitFile(_Shared):
    """slit.toml."""

    orders: str
    coils: str
    rules: SlitRulesForm = SlitRulesForm()


class NestRulesForm(BaseModel):
    """Rules of the dies and strips."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    bridge_mm: float = Field(default=0.0, ge=0.0, le=200.0)
    margin_mm: float = Field(default=0.0, ge=0.0, le=500.0)
    seed: int = Field(default=1, ge=0, le=2**31)


class NestFile(_Shared):
    """nest.toml."""

    parts: str
    rules: NestRulesForm = NestRulesForm()


class SheetRulesForm(BaseModel):
    """Rules of the shear."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    stages: int = 3
    kerf_mm: float = Field(default=0.0, ge=0.0, le=50.0)
    trim_mm: float = Field(default=0.0, ge=0.0, le=200.0)
    seed: int = Field(default=1, ge=0, le=2**31)


class SheetFile(_Shared):
    """sheet.toml."""

    orders: str
    sheets: str
    rules: SheetRulesForm = SheetRulesForm()


class MixRulesForm(BaseModel):
    """What the melt is and must keep to."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    melt_kg: float
    least_recycled_fraction: float = 0.0
    cap_kgco2e_per_kg: float | None = None
    carbon_price_cny_per_t: float = Field(default=0.0, ge=0.0, le=100_000.0)
    objective: Literal["cost", "footprint"] = "cost"


class MixFile(_Shared):
    """mix.toml."""

    charges: str
    limits: str
    rules: MixRulesForm


@dataclass(frozen=True, slots=True)
class Given:
    """A file as read: its form, the folder its tables lie in, and its bytes for the record."""

    form: Any
    folder: Path
    name: str
    content: bytes


def read(context: Context, kind: type[Form], name: str, given: Path | None = None) -> Given:
    """Return one file of the workspace's folder material, or of the path given, or the packaged one of the reference plant.

    Raises
    ------
    FaultyData
        There is none, or it has faults (all are named by their key).
    """
    folder = _folder(context, name, given)
    file = given.name if given is not None else name
    content = (folder / file).read_bytes()
    table = toml_of(text_of(content, file), file, "material.toml")
    try:
        found = Given(kind.model_validate(table), folder, file, content)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "material", _hint(), file, table)) from None
    refuse(_unknown_sources(context, found))
    return found


def _unknown_sources(context: Context, found: Given) -> list[Problem]:
    """Return a fault for every source of [book] that the plant does not have, or that is of another kind."""
    book: Booking | None = found.form.book
    problems = []
    for name, kind in BOOKED.items():
        wanted = getattr(book, name, None)
        choices = [source.id for source in context.workspace.plant.sources if source.kind == kind]
        if wanted is not None and wanted not in choices:
            message = Text(f"没有种类为 {kind} 的排放源“{wanted}”。", f"There is no source '{wanted}' of kind {kind}.")
            listed = ", ".join(choices[:12]) or "—"
            hint = Text(f"可选: {listed}。", f"Choose one of: {listed}.")
            problems.append(Problem("material.unknown_source", message, hint, file=found.name, column=f"book.{name}"))
    return problems


def _folder(context: Context, name: str, given: Path | None) -> Path:
    if given is not None:
        if given.is_file():
            return given.parent
        raise FaultyData([_absent(str(given))])
    own = context.workspace.folder / FOLDER
    if (own / name).is_file():
        return own
    if context.workspace.plant.id == REFERENCE_PLANT:
        return Path(str(files("zerofactory.reference_plant") / FOLDER))
    raise FaultyData([_absent(f"{FOLDER}/{name}")])


def _absent(name: str) -> Problem:
    message = Text(f"没有 {name}。", f"There is no {name}.")
    return Problem("material.no_file", message, _hint(), file=name)


def _hint() -> Text:
    return Text(f"写法见 {GUIDE}。", f"See {GUIDE}.")


def fingerprint(context: Context) -> str:
    """Return a digest of the workspace's folder material: an answer kept for it is made anew when a file changes."""
    content = hashlib.sha256()
    own = context.workspace.folder / FOLDER
    for path in sorted(own.rglob("*")) if own.is_dir() else ():
        if path.is_file():
            content.update(f"{path.relative_to(own)}\n".encode() + path.read_bytes())
    return content.hexdigest()[:16]
