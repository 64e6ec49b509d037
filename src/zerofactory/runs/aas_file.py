"""shells.toml: what only a person can say for the shells: name plates, where the ids begin, where the server is reached.

A workspace may have its own file; the fictional reference plant has a packaged one. Without a file nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.notation import text_of, toml_of
from zerofactory.reporting.shells.facts import Address, Key, Nameplate
from zerofactory.reporting.shells.nameplate import named
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.site.model import Plant
from zerofactory.wording import problems_of

NAME = "shells.toml"
GUIDE = Text("写法见 docs/how-to/aas.md。", "See docs/how-to/aas.md.")
Line = Annotated[str, Field(min_length=1, max_length=1000)]


class _Strict(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextEntry(_Strict):
    """A text in two languages."""

    zh: Line
    en: Line


Words = Line | TextEntry


class AddressEntry(_Strict):
    """A manufacturer's address; ``country`` by ISO 3166-1 alpha-2."""

    street: Words | None = None
    zip_code: Words | None = None
    city: Words | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


class NameplateEntry(_Strict):
    """A name plate; ``of`` is ``plant`` or kind and id: ``line/press-1``, ``station/polish``, ``asset/chiller-1``."""

    of: Line
    manufacturer: Words | None = None
    designation: Words | None = None
    address: AddressEntry | None = None
    root: Words | None = None
    family: Words | None = None
    type: Line | None = None
    order_code: Line | None = None
    article_number: Line | None = None
    serial_number: Line | None = None
    year_of_construction: Annotated[int, Field(ge=1800, le=2200)] | None = None
    date_of_manufacture: date | None = None
    hardware_version: Line | None = None
    firmware_version: Line | None = None
    software_version: Line | None = None
    country_of_origin: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    uri: Line | None = None


class ShellsFile(_Strict):
    """The whole file."""

    iri: Line | None = None
    address: Line | None = None
    nameplates: tuple[NameplateEntry, ...] = ()


@dataclass(frozen=True)
class Stated:
    """What was said: where ids begin, the server's address (empty: links begin at its root), name plates by thing."""

    base: str
    address: str
    nameplates: Mapping[Key, Nameplate]


def read(context: Context, known: Sequence[Key]) -> Stated:
    """Return what shells.toml says.

    Raises
    ------
    FaultyData
        Every fault of the file; a name plate of something the plant does not have.
    """
    file = _file(_text(context))
    refuse([*_addresses(file), *_unknown(file, known)])
    plates = {_key(one.of, context.workspace.plant): _nameplate(one) for one in file.nameplates}
    base = file.iri or own_base(context.workspace.plant)
    return Stated(base.rstrip("/#"), (file.address or "").rstrip("/"), plates)


def own_base(plant: Plant) -> str:
    """Return where the ids of a plant begin that has no address of its own: its organisation's credit code and its id."""
    parts = [plant.organisation.credit_code, plant.id]
    return ":".join(["urn:zerofactory", *(quote(part, safe="") for part in parts if part)])


def _text(context: Context) -> str:
    path = context.workspace.folder / NAME
    if path.is_file():
        return text_of(path.read_bytes(), NAME)
    if context.workspace.plant.id == REFERENCE_PLANT:
        return files("zerofactory.reference_plant").joinpath(NAME).read_text(encoding="utf-8")
    return ""


def _file(text: str) -> ShellsFile:
    raw = toml_of(text, NAME, "shells_file.unreadable")
    try:
        return ShellsFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "shells_file", GUIDE, NAME, raw)) from error


def _addresses(file: ShellsFile) -> Iterator[Problem]:
    """Yield faults of what begins ids and links."""
    if file.iri is not None and (not urlsplit(file.iri).scheme or any(c.isspace() for c in file.iri)):
        message = Text(f"“{file.iri}”不是 IRI。", f"'{file.iri}' is no IRI.")
        hint = Text("例如 https://id.example.com/plants/sh1。", "Such as https://id.example.com/plants/sh1.")
        yield Problem("shells_file.iri", message, hint, file=NAME, column="iri")
    if file.address is not None and urlsplit(file.address).scheme not in ("http", "https"):
        message = Text(f"“{file.address}”不是网址。", f"'{file.address}' is no web address.")
        hint = Text("例如 https://carbon.example.com。", "Such as https://carbon.example.com.")
        yield Problem("shells_file.address", message, hint, file=NAME, column="address")


def _unknown(file: ShellsFile, known: Sequence[Key]) -> Iterator[Problem]:
    names = [named(one) for one in known]
    for one in file.nameplates:
        if one.of not in names:
            told = NotFound(Text("对象", "thing"), one.of, names).as_problem()
            yield told.at(file=NAME, column=f"nameplates.{one.of}.of")
    seen = [one.of for one in file.nameplates]
    for name in sorted({name for name in seen if seen.count(name) > 1}):
        message = Text(f"“{name}”有两个铭牌。", f"'{name}' has two name plates.")
        yield Problem("shells_file.twice", message, Text("请合并。", "Make them one."), file=NAME, column="nameplates")


def _key(of: str, plant: Plant) -> Key:
    kind, _, name = of.partition("/")
    return Key(kind, name or plant.id)  # type: ignore[arg-type]  # looked up among the known ones before


def _nameplate(one: NameplateEntry) -> Nameplate:
    stated: dict[str, Any] = {
        name: _words(value) if name in ("manufacturer", "designation", "root", "family") else value
        for name, value in one
        if name not in ("of", "address", "year_of_construction")
    }
    year = one.year_of_construction
    return Nameplate(address=_address(one.address), year_of_construction=None if year is None else str(year), **stated)


def _address(one: AddressEntry | None) -> Address | None:
    if one is None:
        return None
    return Address(_words(one.street), _words(one.zip_code), _words(one.city), _words(one.country))


def _words(value: str | TextEntry | None) -> Text | None:
    if value is None:
        return None
    return Text(value, value) if isinstance(value, str) else Text(value.zh, value.en)
