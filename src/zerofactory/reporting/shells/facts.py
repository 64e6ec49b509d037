"""What the shells of a plant tell, as plain records; `runs.aas` fills them from the book, the modules beside build shells of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Literal
from urllib.parse import quote

from zerofactory.errors import Text
from zerofactory.reporting.exchange.aas_model import AasCarbon

Kind = Literal["plant", "shop", "line", "station", "asset", "product"]
KINDS: Mapping[Kind, tuple[str, Text]] = {
    "plant": ("plant", Text("工厂", "plant")),
    "shop": ("shops", Text("车间", "shop")),
    "line": ("lines", Text("产线", "line")),
    "station": ("stations", Text("工位", "station")),
    "asset": ("assets", Text("设备", "equipment")),
    "product": ("products", Text("产品", "product")),
}
"""Each kind of shell: the word in its ids, and its name. Stations and assets are the plant's machines."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which thing of the plant: its kind and its id there."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a manufacturer is; ``country`` is a code of ISO 3166-1 alpha-2."""

    street: Text | None = None
    zip_code: Text | None = None
    city: Text | None = None
    country: Text | None = None


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What is on a name plate (IDTA 02006-3-0); what nobody has stated is None."""

    manufacturer: Text | None = None
    designation: Text | None = None
    address: Address | None = None
    root: Text | None = None
    family: Text | None = None
    type: str | None = None
    order_code: str | None = None
    article_number: str | None = None
    serial_number: str | None = None
    year_of_construction: str | None = None
    date_of_manufacture: date | None = None
    hardware_version: str | None = None
    firmware_version: str | None = None
    software_version: str | None = None
    country_of_origin: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A carrier that flows into a place, as its meters counted it in closed months.

    ``months`` and ``days`` hold the amount of each in ``unit``; a day also its beginning in UTC. ``estimated_fraction`` is the
    share of the intervals of ``months`` that were filled.
    """

    id: str
    title: Text
    carrier: str
    unit: str
    meters: tuple[str, ...]
    months: tuple[tuple[str, Decimal], ...]
    days: tuple[tuple[date, datetime, Decimal], ...]
    estimated_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Emissions:
    """What a place emitted in a closed period, whole grams of CO2e by scope, and how many pieces were made meanwhile."""

    period: str
    gco2e_by_scope: Mapping[int, int]
    pieces: Decimal
    sealed_at: datetime
    method: str
    basis: Text
    figures: tuple[str, ...]

    @property
    def total_gco2e(self) -> int:
        """Over the scopes."""
        return sum(self.gco2e_by_scope.values())


@dataclass(frozen=True, slots=True)
class Variable:
    """A parameter, input or output of a simulation model; ``unit`` is ``1`` where it has none."""

    name: str
    title: Text
    unit: str
    causality: Literal["input", "output", "parameter"]
    type: Literal["Real", "Integer", "Boolean", "String"] = "Real"
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """Variables of a simulation model that belong together."""

    name: str
    title: Text
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The twin as a simulation model: what it is, the program's version, the edition of its parameters, their file, its ports."""

    summary: Text
    version: str
    edition: str
    file_name: str
    content: bytes
    status: str
    ports: tuple[Port, ...]
    changes: Text


@dataclass(frozen=True, slots=True)
class Place:
    """One thing with a shell, where it belongs, and what is known of it."""

    key: Key
    title: Text
    parent: Key | None
    nameplate: Nameplate = field(default_factory=Nameplate)
    flows: tuple[Flow, ...] = ()
    emissions: Emissions | None = None
    simulation: Simulation | None = None
    carbon: AasCarbon | None = None
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """A plant and everything in it that has a shell; ``base`` begins every id, ``address`` every link to the plant's server."""

    base: str
    address: str
    time_zone: str
    organisation: Text
    plant: str
    places: tuple[Place, ...]

    def of(self, parent: Key) -> tuple[Place, ...]:
        """Return what belongs to a place directly."""
        return tuple(one for one in self.places if one.parent == parent)

    def asset_id(self, key: Key) -> str:
        """Return the global asset id of a thing: the base, its kind and its id.

        Examples
        --------
        >>> Facts("urn:zerofactory:sh1", "", "UTC", Text("", ""), "sh1", ()).asset_id(Key("line", "press-1"))
        'urn:zerofactory:sh1/lines/press-1'
        """
        word = KINDS[key.kind][0]
        return f"{self.base}/{word}" if key.kind == "plant" else f"{self.base}/{word}/{quote(key.id, safe='')}"

    def shell_id(self, key: Key) -> str:
        """Return the id of a thing's shell."""
        return f"{self.asset_id(key)}/aas"

    def submodel_id(self, key: Key, name: str) -> str:
        """Return the id of a submodel of a thing."""
        return f"{self.asset_id(key)}/submodels/{name}"


def id_short(text: str) -> str:
    """Return an id as an idShort (letters, digits, ``_``, a letter first; AASd-002); what is lost is told apart by a digest.

    Examples
    --------
    >>> id_short("press-1"), id_short("涂装1")
    ('press_1', 'x_1_09534d')
    """
    plain = text.replace("-", "_")
    if "_" not in text and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", plain):
        return plain
    kept = re.sub(r"[^A-Za-z0-9]+", "_", text)
    return f"{kept if kept[:1].isalpha() else f'x_{kept}'.replace('__', '_')}_{sha256(text.encode()).hexdigest()[:6]}"


def word(text: str) -> str:
    """Return a name of ours (a carrier, a parameter) as an idShort.

    Examples
    --------
    >>> word("natural_gas-working")
    'natural_gas_working'
    """
    return text.replace("-", "_").replace(".", "_")
