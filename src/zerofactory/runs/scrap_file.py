"""quality.toml of a workspace: what pieces are made of and where, what mending takes, where an escape is found, what scrap is sold for.

Every number says where it is from and how sure it is. The fictional reference plant has a packaged file; a workspace's own comes first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.runs.twin_file import FITTED
from zerofactory.runs.twin_file import NAME as TWIN
from zerofactory.site.model import Plant
from zerofactory.wording import problems_of

NAME, PACKAGE = "quality.toml", "zerofactory.reference_plant"
GUIDE = Text("写法见 docs/how-to/quality-loss.md。", "See docs/how-to/quality-loss.md.")
Status = Literal["verified", "secondary", "placeholder"]
COUNTS = {"deliveries": Text("按到货", "by delivery"), "bill": Text("按清单", "by the bill of materials")}


class _Strict(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Name(_Strict):
    """A text in two languages."""

    zh: str
    en: str

    @property
    def text(self) -> Text:
        """The same as `Text`."""
        return Text(self.zh, self.en)


class Figure(_Strict):
    """A number with its unit, source, status and what bounds it."""

    value: float = Field(ge=0.0)
    unit: str
    source: str = Field(min_length=1)
    status: Status
    low: float | None = Field(default=None, ge=0.0)
    high: float | None = Field(default=None, ge=0.0)


class BookedEntry(_Strict):
    """Sources of factory.toml whose documents hold this material; ``purchase_counts`` says whether those of the purchase hold what
    is scrapped as well (deliveries) or good vehicles alone (bill)."""

    purchase: str | None = None
    purchase_counts: Literal["deliveries", "bill"] = "deliveries"
    scrap: str | None = None
    lost: str | None = None
    waste: str | None = None


class ItemEntry(_Strict):
    """Something as the accounts know it."""

    item: str
    detail: Mapping[str, str | float] = Field(default_factory=dict)


class MaterialEntry(_Strict):
    """A material; ``metal`` is a row of the rates of recovery, ``recovery`` overrules it, ``alloy`` a row of the charge mix.

    ``item`` and ``detail`` say what buying it is to the accounts where no source of factory.toml buys it (``booked.purchase``).
    """

    id: str
    name: Name
    metal: str | None = None
    alloy: str | None = None
    item: str | None = None
    detail: Mapping[str, str | float] = Field(default_factory=dict)
    fate: Literal["sold", "returned", "remelted", "disposed"] = "sold"
    recovery: Figure | None = None
    price: Figure
    scrap_price: Figure
    waste: ItemEntry | None = None
    credit: ItemEntry | None = None
    remelt_electricity: Figure | None = None
    remelt_natural_gas: Figure | None = None
    booked: BookedEntry = BookedEntry()


class AddedEntry(_Strict):
    """Material that a station adds to a piece, and which share of what is put in stays in it."""

    material: str
    mass: Figure
    share_kept: Figure | None = None


class StepEntry(_Strict):
    """A station on the way of a piece; energy left out is the twin's."""

    station: str
    shop: str | None = None
    added: tuple[AddedEntry, ...] = ()
    electricity: Figure | None = None
    natural_gas: Figure | None = None


class FalseRejectEntry(_Strict):
    """What becomes of a good piece that was rejected: it is looked at again, and some are scrapped all the same."""

    recheck: Figure
    scrapped: Figure


class StageEntry(_Strict):
    """A place further down where an escape may be found: which share of what comes there, and what it costs then.

    ``part`` and ``station``: what is scrapped there (the part with all it has taken); ``rework``: how the others are mended.
    """

    id: str
    name: Name
    part: str
    station: str | None = None
    caught: Figure
    scrapped: Figure
    rework: str | None = None
    handling: Figure | None = None


class PartEntry(_Strict):
    """A piece: its way through the stations, and where its escapes are found."""

    id: str
    name: Name
    shop: str
    per_vehicle: float = Field(default=1.0, gt=0.0)
    steps: tuple[StepEntry, ...] = Field(min_length=1)
    false_reject: FalseRejectEntry | None = None
    stages: tuple[StageEntry, ...] = ()


class ReworkEntry(_Strict):
    """How pieces are mended: for these parts and defects (none named: all)."""

    id: str
    name: Name
    shop: str
    parts: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    minutes: Figure
    electricity: Figure | None = None
    natural_gas: Figure | None = None
    added: tuple[AddedEntry, ...] = ()


class AlloyEntry(_Strict):
    """What an alloy's scrap is made of, by mass; ``row``: the row of the charge mix that holds this scrap already."""

    id: str
    name: Name
    row: str | None = None
    content: Mapping[str, float]
    source: str = Field(min_length=1)
    status: Status


class WordEntry(_Strict):
    """What a class of defect or a cause is called."""

    id: str
    name: Name


class PricesEntry(_Strict):
    """What energy, an hour of work and disposal cost."""

    electricity: Figure
    natural_gas: Figure
    labour: Figure
    disposal: Figure | None = None


class QualityFile(_Strict):
    """The whole file. ``defects`` names a table of defects beside it."""

    title: Name
    fictional: bool = False
    defects: str | None = None
    prices: PricesEntry
    materials: tuple[MaterialEntry, ...] = Field(min_length=1)
    parts: tuple[PartEntry, ...] = Field(min_length=1)
    reworks: tuple[ReworkEntry, ...] = ()
    alloys: tuple[AlloyEntry, ...] = ()
    words: tuple[WordEntry, ...] = ()


UNITS: Mapping[str, str] = {
    "recovery": "fraction", "price": "CNY/kg", "scrap_price": "CNY/kg", "remelt_electricity": "kWh/kg", "remelt_natural_gas": "Nm3/kg",
    "mass": "kg", "share_kept": "fraction", "electricity": "kWh", "natural_gas": "Nm3", "recheck": "min", "scrapped": "fraction",
    "caught": "fraction", "handling": "CNY", "minutes": "min", "prices.electricity": "CNY/kWh", "prices.natural_gas": "CNY/Nm3",
    "labour": "CNY/h", "disposal": "CNY/kg",
}  # fmt: skip
"""The unit in which each number stands; ``prices.`` where the same word means something else there."""
POSITIVE = ("share_kept",)


@dataclass(frozen=True)
class Given:
    """The file as read, the folder tables lie in, and its hash."""

    form: QualityFile
    folder: Path
    sha256: str

    @property
    def parts(self) -> Mapping[str, PartEntry]:
        """Parts by id."""
        return {one.id: one for one in self.form.parts}

    @property
    def materials(self) -> Mapping[str, MaterialEntry]:
        """Materials by id."""
        return {one.id: one for one in self.form.materials}

    @property
    def reworks(self) -> Mapping[str, ReworkEntry]:
        """Ways of mending by id."""
        return {one.id: one for one in self.form.reworks}


def read(context: Context) -> Given:
    """Return quality.toml of a workspace, or the packaged one of the reference plant.

    Raises
    ------
    FaultyData
        There is none; faults of it and of the names it takes from factory.toml: all of them.
    """
    folder = _folder(context)
    content = (folder / NAME).read_bytes()
    raw = toml_of(text_of(content, NAME), NAME, "scrap_file.toml")
    try:
        form = QualityFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "scrap_file", GUIDE, NAME, raw)) from error
    refuse([*_figures(form), *_names(form, context.workspace.plant)])
    return Given(form, folder, hashlib.sha256(content).hexdigest())


def figures(thing: object, path: str = "") -> Iterator[tuple[str, Figure]]:
    """Yield every number of a part of the file with its path."""
    if isinstance(thing, Figure):
        yield path, thing
    elif isinstance(thing, BaseModel):
        for field in type(thing).model_fields:
            yield from figures(getattr(thing, field), f"{path}.{field}" if path else field)
    elif isinstance(thing, tuple):
        for place, one in enumerate(thing):
            name = str(getattr(one, "id", None) or getattr(one, "station", None) or getattr(one, "material", place))
            yield from figures(one, f"{path}[{name}]")


def fingerprint(context: Context) -> str:
    """Return a digest of quality.toml, the table of defects it names and the twin: an answer kept is made anew when one changes."""
    try:
        given = read(context)
    except FaultyData:
        return "faulty"
    content = hashlib.sha256(given.sha256.encode())
    own = context.workspace.folder
    tables = () if given.form.defects is None else (given.folder / given.form.defects,)
    for path in (*tables, own / TWIN, own / FITTED):
        content.update(path.read_bytes() if path.is_file() else b"")
    return content.hexdigest()[:16]


def _folder(context: Context) -> Path:
    own = context.workspace.folder
    if (own / NAME).is_file():
        return own
    if context.workspace.plant.id == REFERENCE_PLANT:
        return Path(str(files(PACKAGE)))
    message = Text("工作区里没有 quality.toml。", "The workspace has no quality.toml.")
    raise FaultyData([Problem("scrap_file.missing", message, GUIDE, file=NAME)])


def _figures(form: QualityFile) -> Iterator[Problem]:
    """Yield numbers in another unit, shares outside 0 to 1, and bounds that do not hold their number."""
    for path, one in figures(form):
        word = path.rpartition(".")[2]
        unit = UNITS.get(f"prices.{word}" if path.startswith("prices.") else word) or UNITS[word]
        if one.unit != unit:
            yield _told(
                path, "unit", Text(f"单位“{one.unit}”应为 {unit}。", f"The unit '{one.unit}' should be {unit}.")
            )
        low, high = one.value if one.low is None else one.low, one.value if one.high is None else one.high
        if not low <= one.value <= high:
            yield _told(path, "bounds", Text(f"应有 {low:g} ≤ {one.value:g} ≤ {high:g}。", f"Should be {low:g} ≤ {one.value:g} ≤ {high:g}."))  # fmt: skip
        if unit == "fraction" and (high > 1.0 or (word in POSITIVE and low <= 0.0)):
            yield _told(path, "share", Text(f"比例 {one.value:g} 应在 0 与 1 之间。", f"A share of {one.value:g} does not lie between 0 and 1."))  # fmt: skip


def _names(form: QualityFile, plant: Plant) -> Iterator[Problem]:
    """Yield names that are not there, ids that come twice, materials nobody can buy or recover, contents that cannot be."""
    if form.defects is not None and ("/" in form.defects or "\\" in form.defects or form.defects in ("", ".", "..")):
        yield _told("defects", "path", Text(f"“{form.defects}”应是同一文件夹里的文件名。", f"'{form.defects}' should be the name of a file in the same folder."))  # fmt: skip
    ids = {kind: [one.id for one in getattr(form, kind)] for kind in ("parts", "materials", "reworks", "alloys")}
    for kind, names in ids.items():
        for name in sorted({one for one in names if names.count(one) > 1}):
            yield _told(f"{kind}[{name}]", "repeated", Text(f"“{name}”出现不止一次。", f"'{name}' comes more than once."))  # fmt: skip
    for alloy in form.alloys:
        if not all(0.0 <= share <= 1.0 for share in alloy.content.values()) or sum(alloy.content.values()) > 1.0:
            yield _told(f"alloys[{alloy.id}].content", "share", Text("成分应在 0 与 1 之间, 合计不超过 1。", "Contents lie between 0 and 1 and add up to no more than 1."))  # fmt: skip
    for entry in form.materials:
        if entry.item is None and entry.booked.purchase is None:
            yield _told(f"materials[{entry.id}].item", "no_item", Text("既无 item 又无 booked.purchase。", "There is neither item nor booked.purchase."))  # fmt: skip
        if entry.recovery is None and entry.metal is None and entry.fate != "disposed":
            yield _told(f"materials[{entry.id}].recovery", "no_recovery", Text("既无 metal 又无 recovery。", "There is neither metal nor recovery."))  # fmt: skip
    for path, wanted, choices in (*_asked_of_parts(form, plant, ids), *_asked_of_materials(form, plant, ids)):
        if wanted is not None and wanted not in choices:
            few = ", ".join(choices[:12]) or "–"
            yield Problem("scrap_file.name", Text(f"没有“{wanted}”。", f"There is no '{wanted}'."), Text(f"可选: {few}。", f"Choose one of: {few}."), file=NAME, column=path)  # fmt: skip


Wanted = tuple[str, str | None, Sequence[str]]


def _asked_of_parts(form: QualityFile, plant: Plant, ids: Mapping[str, Sequence[str]]) -> Iterator[Wanted]:
    """Yield each name that parts and ways of mending take from elsewhere: where, the name, what there is."""
    shops, wholes = [one.id for one in plant.shops], {one.id: one for one in form.parts}
    for part in form.parts:
        where = f"parts[{part.id}]"
        yield f"{where}.shop", part.shop, shops
        for step in part.steps:
            yield f"{where}.steps[{step.station}].shop", step.shop, shops
            for added in step.added:
                yield f"{where}.steps[{step.station}].added", added.material, ids["materials"]
        for stage in part.stages:
            yield f"{where}.stages[{stage.id}].part", stage.part, ids["parts"]
            yield f"{where}.stages[{stage.id}].rework", stage.rework, ids["reworks"]
            if stage.part in wholes:
                yield f"{where}.stages[{stage.id}].station", stage.station, [one.station for one in wholes[stage.part].steps]  # fmt: skip
    for one in form.reworks:
        yield f"reworks[{one.id}].shop", one.shop, shops
        for name in one.parts:
            yield f"reworks[{one.id}].parts", name, ids["parts"]
        for added in one.added:
            yield f"reworks[{one.id}].added", added.material, ids["materials"]


def _asked_of_materials(form: QualityFile, plant: Plant, ids: Mapping[str, Sequence[str]]) -> Iterator[Wanted]:
    """Yield each name that materials take from elsewhere."""
    kinds = {"purchase": "purchased_goods", "scrap": "metal_scrap", "lost": "metal_scrap", "waste": "waste_by_route"}
    for entry in form.materials:
        yield f"materials[{entry.id}].alloy", entry.alloy, ids["alloys"]
        for word, kind in kinds.items():
            choices = [one.id for one in plant.sources if one.kind == kind]
            yield f"materials[{entry.id}].booked.{word}", getattr(entry.booked, word), choices


def _told(path: str, code: str, message: Text) -> Problem:
    return Problem(f"scrap_file.{code}", message, GUIDE, file=NAME, column=path)


Draw = Callable[[str, Figure], float]
"""What a number is taken to be: its value, or a draw between its bounds."""


def central(path: str, one: Figure) -> float:
    """Return the number itself."""
    return one.value
