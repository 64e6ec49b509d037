"""The plant as Asset Administration Shells: which there are, what their templates still lack, and the files that hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.twin.line import Station
from zerofactory.periods import Period
from zerofactory.reporting.exchange.aas_model import AasCarbon
from zerofactory.reporting.exchange.declare import Declaration, aas_of, pact_of
from zerofactory.reporting.shells import nameplate
from zerofactory.reporting.shells.environment import Environment, aasx_bytes, environment, json_bytes
from zerofactory.reporting.shells.facts import Facts, Key, Place, Simulation
from zerofactory.runs import footprint
from zerofactory.runs.aas_energy import (  # fmt: skip
    Booked,
    Counted,
    Inlet,
    book_of,
    by_carrier,
    documented,
    into_line,
    into_plant,
    into_shop,
    sealed_at,
)
from zerofactory.runs.aas_file import NAME, Stated, read
from zerofactory.runs.aas_twin import of_line, of_part, twin_of
from zerofactory.runs.context import Context
from zerofactory.runs.kept import Kept, basis_of
from zerofactory.runs.product_files import read_products
from zerofactory.runs.twin_file import Twin
from zerofactory.site.model import Plant
from zerofactory.store.files import write_bytes_whole

SUFFIXES = (".aasx", ".json")
WHOLE_YEAR = 4  # letters of its label
_KEPT = Kept(4)  # an environment of a large plant takes tens of megabytes


@dataclass(frozen=True)
class Shells:
    """The shells of a plant, and what is missing for their templates to be complete."""

    facts: Facts
    environment: Environment
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        rows = []
        for place, shell in zip(self.facts.places, self.environment.shells, strict=True):
            rows.append(
                {
                    "shell": shell["id"], "id_short": shell["idShort"], "kind": place.key.kind, "id": place.key.id,
                    "title": {"zh": place.title.zh, "en": place.title.en},
                    "asset": shell["assetInformation"]["globalAssetId"],
                    "submodels": self.names(shell), "missing": list(nameplate.lacking(place)),
                }
            )  # fmt: skip
        return {"shells": rows, "problems": [problem.as_json() for problem in self.problems]}

    def names(self, shell: dict[str, Any]) -> list[str]:
        """Return the short names of a shell's submodels."""
        short = {one["id"]: str(one["idShort"]) for one in self.environment.submodels}
        return [short[one["keys"][0]["value"]] for one in shell.get("submodels", ())]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written: how many shells, submodels and concept descriptions are in it."""

    path: Path
    shells: int
    submodels: int
    concepts: int
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "file": str(self.path), "shells": self.shells, "submodels": self.submodels, "concept_descriptions": self.concepts,
            "problems": [problem.as_json() for problem in self.problems],
        }  # fmt: skip


def shells(context: Context) -> Shells:
    """Return the shells of a workspace; made once for each state of its book and files.

    Raises
    ------
    FaultyData
        Faults of shells.toml or twin.toml.
    """
    return _KEPT.get(basis_of(context), lambda: _shells(context))


def _shells(context: Context) -> Shells:
    plant, twin = context.workspace.plant, twin_of(context)
    stations = twin.line.stations if twin is not None else ()
    book, problems = book_of(context, twin.output_source if twin is not None else None)
    products, more = _products(context, book)
    places = [*_places(plant, stations), *products]
    stated = read(context, [one.key for one in places if one.key.kind != "product"])
    filled, others = _filled(context, places, (twin, book), stated)
    facts = Facts(stated.base, stated.address, plant.time_zone, plant.organisation.name, plant.id, filled)
    facts = replace(facts, places=tuple(_carbon_ids(facts, one) for one in filled))
    gaps = nameplate.missing(filled, NAME)
    return Shells(facts, environment(facts), (*problems, *more, *others, *gaps))


def _places(plant: Plant, stations: Iterable[Station]) -> list[Place]:
    """Return the plant and all in it, each with what it belongs to."""
    top = Key("plant", plant.id)
    made = [Place(top, plant.name, None)]
    made += [Place(Key("shop", one.id), one.name, top) for one in plant.shops]
    made += [Place(Key("line", one.id), one.name, Key("shop", one.shop)) for one in plant.lines]
    for station in stations:
        shop = Key("shop", station.shop) if station.shop else top
        made.append(Place(Key("station", station.id), station.title, Key("line", station.line) if station.line else shop))  # fmt: skip
    for one in plant.assets:
        parent = Key("line", one.line) if one.line else Key("shop", one.shop)
        stated = (("kind", one.kind), *((key, str(value)) for key, value in one.parameters.items()))
        made.append(Place(Key("asset", one.id), one.name, parent, properties=stated))
    return made


def _filled(
    context: Context, places: Iterable[Place], found: tuple[Twin | None, Booked | None], stated: Stated
) -> tuple[tuple[Place, ...], list[Problem]]:
    """Return the places with their name plates, energy, emissions and simulation."""
    (twin, book), seen = found, Counted(context)
    stations = {one.id: one for one in (twin.line.stations if twin is not None else ())}
    made: list[Place] = []
    problems: list[Problem] = []
    for place in places:
        inlets = _inlets(context.workspace.plant, place.key, twin)
        flows = tuple(flow for one in inlets if (flow := seen.flow(one)) is not None)
        if place.key.kind == "plant":
            flows += documented(context, seen.months)
        emissions = None
        try:
            if book is not None:
                emissions = _emissions(context, place, inlets, (book, seen), stations)
        except FaultyData as fault:
            problems += fault.problems
        plate = stated.nameplates.get(place.key, place.nameplate)
        made.append(
            replace(
                place, nameplate=plate, flows=flows, emissions=emissions, simulation=_simulation(context, place, twin)
            )
        )
    return tuple(made), list(dict.fromkeys(problems))


def _simulation(context: Context, place: Place, twin: Twin | None) -> Simulation | None:
    """Return the part of the twin that a place is: all of it, the stations of a line, one station."""
    if twin is None:
        return None
    if place.key.kind == "plant":
        return of_line(context, twin)
    name = {"line": "line", "station": "id"}.get(place.key.kind)
    own = tuple(one for one in twin.line.stations if name is not None and getattr(one, name) == place.key.id)
    return of_part(context, twin, place.title, own) if own else None


def _inlets(plant: Plant, key: Key, twin: Twin | None) -> tuple[Inlet, ...]:
    if key.kind == "plant":
        return into_plant(plant)
    if key.kind == "shop":
        return into_shop(plant, key.id)
    if key.kind == "line":
        return into_line(plant, key.id)
    if key.kind == "station" and twin is not None:
        named = [meter for (station, _), meters in twin.meters.items() if station == key.id for meter in meters]
        return by_carrier(plant, [plant.meter(one) for one in dict.fromkeys(named)])
    return ()


def _emissions(
    context: Context, place: Place, inlets: tuple[Inlet, ...], found: tuple[Booked, Counted], stations: dict[str, Station]
) -> Any:  # fmt: skip
    book, seen = found
    if place.key.kind == "plant":
        return book.plant()
    if place.key.kind == "shop":
        return book.shop(place.key.id)
    lines = {one.id: one.shop for one in context.workspace.plant.lines}
    shop = lines.get(place.key.id) if place.key.kind == "line" else None
    if place.key.kind == "station":
        shop = stations[place.key.id].shop
    return book.metered(context, inlets, shop or "other", seen) if inlets else None


def _products(context: Context, book: Booked | None) -> tuple[list[Place], list[Problem]]:
    """Return a shell for each product whose footprint of the last whole closed year can be declared, and why others cannot."""
    if book is None or len(book.period.label) != WHOLE_YEAR:
        return [], []
    plant, made, problems = context.workspace.plant, [], []
    for product in sorted(read_products(context.workspace.folder, plant).profiles):
        try:
            carbon = _declared(context, product, book.period)
        except FaultyData as fault:
            problems += [replace(one, severity="warning") for one in fault.problems]
            continue
        made.append(Place(Key("product", product), plant.product(product).name, None, carbon=carbon))
    return made, list(dict.fromkeys(problems))


def _declared(context: Context, product: str, period: Period) -> AasCarbon:
    plant, shown = context.workspace.plant, footprint.show(context, product, period)
    created = sealed_at(context, [one.label for one in period.months()])
    start, end = period.start(plant.time_zone), period.end(plant.time_zone)
    said = Declaration(plant, shown.profile, start, end, created, context.workspace.factor_book)
    return aas_of(shown.footprint, pact_of(shown.footprint, said), said)


def _carbon_ids(facts: Facts, place: Place) -> Place:
    """Return a product whose footprint has the ids of its shell here."""
    if place.carbon is None:
        return place
    name = facts.submodel_id(place.key, "carbon-footprint")
    own = replace(place.carbon, submodel_id=name, shell_id=facts.shell_id(place.key), asset_id=facts.asset_id(place.key))  # fmt: skip
    return replace(place, carbon=own)


def content(context: Context, suffix: str, shell: str | None = None) -> bytes:
    """Return the shells, or one of them, as the bytes of a file: ``.aasx`` or ``.json``.

    Raises
    ------
    NotFound
        Unknown suffix or shell.
    """
    if suffix not in SUFFIXES:
        raise NotFound(Text("文件类型", "kind of file"), suffix or "-", SUFFIXES)
    chosen = _chosen(shells(context), shell)
    return aasx_bytes(chosen) if suffix == ".aasx" else json_bytes(chosen)


def _chosen(found: Shells, shell: str | None) -> Environment:
    """Return all shells, or one by its id, its idShort, or kind and id (``line/press-1``)."""
    if shell is None:
        return found.environment
    names: dict[str, str] = {}
    for place, one in zip(found.facts.places, found.environment.shells, strict=True):
        plain = nameplate.named(place.key)
        names |= {plain: one["id"], one["idShort"]: one["id"], one["id"]: one["id"]}
    if shell not in names:
        raise NotFound(Text("管理壳", "shell"), shell, [name for name in names if "/" in name and ":" not in name] or list(names))  # fmt: skip
    return found.environment.only([names[shell]])


def export(context: Context, out: Path, shell: str | None = None) -> Written:
    """Write the shells, or one of them, to a file: AASX or JSON by its name. The same book gives the same bytes."""
    write_bytes_whole(out, content(context, out.suffix.lower(), shell))
    found = shells(context)
    chosen = _chosen(found, shell)
    return Written(out, len(chosen.shells), len(chosen.submodels), len(chosen.concepts), found.problems)
