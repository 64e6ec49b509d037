"""All shells of a plant together: as JSON of the metamodel (IDTA 01001) and as a package (AASX, IDTA 01005).

The same facts give the same bytes: entries in the order of the plant, references sorted, no clock, no time in the archive.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from basyx.aas import model
from basyx.aas.adapter import aasx
from basyx.aas.adapter.json import AASToJsonEncoder

from zerofactory.errors import Text
from zerofactory.reporting.shells.carbon import carbon
from zerofactory.reporting.shells.concepts import NAMESPACE, described
from zerofactory.reporting.shells.elements import name
from zerofactory.reporting.shells.energy import energy
from zerofactory.reporting.shells.facts import KINDS, Facts, Key, Place, id_short
from zerofactory.reporting.shells.nameplate import nameplate
from zerofactory.reporting.shells.series import series
from zerofactory.reporting.shells.simulation import MEDIA, path_of, simulation
from zerofactory.reporting.shells.structure import structure

PART = "/aasx/data.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can tell
SHELLS, SUBMODELS, CONCEPTS = "assetAdministrationShells", "submodels", "conceptDescriptions"
MAKERS = (carbon, nameplate, structure, energy, series, simulation)


@dataclass(frozen=True, slots=True)
class File:
    """A file that a submodel names: what is in it and of which media type."""

    content: bytes
    media: str


@dataclass(frozen=True)
class Environment:
    """Shells, submodels and concept descriptions as plain JSON values, and the files they name."""

    shells: tuple[dict[str, Any], ...]
    submodels: tuple[dict[str, Any], ...]
    concepts: tuple[dict[str, Any], ...]
    files: Mapping[str, File]

    def as_json(self) -> dict[str, Any]:
        """Return the environment as the metamodel has it; a part with nothing in it is left out."""
        parts = {SHELLS: self.shells, SUBMODELS: self.submodels, CONCEPTS: self.concepts}
        return {key: list(found) for key, found in parts.items() if found}

    def only(self, shells: Iterable[str], submodels: Iterable[str] = ()) -> Environment:
        """Return some shells with their submodels, and some submodels beside."""
        kept = tuple(one for one in self.shells if one["id"] in set(shells))
        named = {key["value"] for one in kept for of in one.get("submodels", ()) for key in of["keys"]} | set(submodels)
        return self._with(kept, tuple(one for one in self.submodels if one["id"] in named))

    def _with(self, shells: tuple[dict[str, Any], ...], submodels: tuple[dict[str, Any], ...]) -> Environment:
        told = json.dumps([shells, submodels])
        files = {path: file for path, file in self.files.items() if json.dumps(path) in told}
        return replace(
            self, shells=shells, submodels=submodels, files=files,
            concepts=tuple(one for one in self.concepts if json.dumps(one["id"]) in told),
        )  # fmt: skip


def environment(facts: Facts) -> Environment:
    """Return the shells of a plant."""
    shells: list[dict[str, Any]] = []
    submodels: list[dict[str, Any]] = []
    for place in facts.places:
        own = [made for make in MAKERS if (made := make(facts, place)) is not None]
        plain = [_plain(one) for one in own]
        shells.append(_shell(facts, place, own))
        submodels += plain
    used = frozenset(value for one in submodels for value in _semantics(one))
    files = {
        path_of(place.simulation): File(place.simulation.content, MEDIA)
        for place in facts.places
        if place.simulation is not None
    }
    return Environment(tuple(shells), tuple(submodels), tuple(_plain(one) for one in described(used)), files)


def _plain(made: Any) -> dict[str, Any]:
    found: dict[str, Any] = _tidied(json.loads(json.dumps(made, cls=AASToJsonEncoder)))
    return found


def _tidied(value: Any) -> Any:
    """Return JSON without empty lists (the metamodel has a list with an entry or none, the SDK writes some empty); UTC is ``Z``."""
    if isinstance(value, dict):
        if value.get("valueType") == "xs:dateTime" and "value" in value:
            return {**value, "value": str(value["value"]).replace("+00:00", "Z")}
        return {key: _tidied(inner) for key, inner in value.items() if inner != []}
    return [_tidied(inner) for inner in value] if isinstance(value, list) else value


def _shell(facts: Facts, place: Place, submodels: Sequence[Any]) -> dict[str, Any]:
    word = KINDS[place.key.kind][0]
    kind = model.AssetKind.TYPE if place.key.kind == "product" else model.AssetKind.INSTANCE
    known = [model.SpecificAssetId(f"{place.key.kind}Id", place.key.id)]
    if place.key.kind != "plant":
        known.append(model.SpecificAssetId("plantId", facts.plant))
    asset = model.AssetInformation(kind, facts.asset_id(place.key), known, asset_type=f"{NAMESPACE}/asset/{word}/1/0")
    shell = model.AssetAdministrationShell(
        asset, facts.shell_id(place.key), id_short=shell_name(place.key), display_name=name(place.title),
        description=model.MultiLanguageTextType(_about(facts, place)),
        submodel={model.ModelReference.from_referable(one) for one in submodels},
    )  # fmt: skip
    plain, order = _plain(shell), [one.id for one in submodels]
    plain["submodels"].sort(key=lambda one: order.index(one["keys"][0]["value"]))
    plain["assetInformation"]["specificAssetIds"].sort(key=lambda one: str(one["name"]))
    return plain


def shell_name(key: Key) -> str:
    """Return the idShort of a thing's shell."""
    return f"{key.kind}_{id_short(key.id)}"


def _about(facts: Facts, place: Place) -> dict[str, str]:
    title, of = KINDS[place.key.kind][1], facts.organisation
    said = Text(f"{of.zh} 的{title.zh}: {place.title.zh}", f"{title.en} of {of.en}: {place.title.en}")
    return {"zh": said.zh, "en": said.en}


def _semantics(value: Any) -> Iterable[str]:
    """Yield the semantic ids anywhere in a submodel."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("semanticId", "semanticIdListElement"):
                yield from (one["value"] for one in inner["keys"])
            else:
                yield from _semantics(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _semantics(inner)


def json_bytes(env: Environment) -> bytes:
    """Return the environment as a JSON file."""
    return (json.dumps(env.as_json(), ensure_ascii=False, indent=1) + "\n").encode()


def aasx_bytes(env: Environment) -> bytes:
    """Return the environment as an AASX package, made by the SDK, with the same bytes for the same content."""
    made, kept = io.BytesIO(), aasx.DictSupplementaryFileContainer()  # type: ignore[no-untyped-call]
    for path, file in env.files.items():
        kept.add_file(path, io.BytesIO(file.content), file.media)
    with aasx.AASXWriter(made) as writer:
        writer.write_all_aas_objects(PART, _named(env), kept, write_json=True)
    return _repeatable(made.getvalue(), json_bytes(env))


def _named(env: Environment) -> Any:
    """Return objects of the SDK that name every file, by which it finds what belongs into the package."""
    elements = [model.File(f"file{n}", file.media, path) for n, (path, file) in enumerate(env.files.items())]
    return model.DictIdentifiableStore([model.Submodel("urn:zerofactory:files", elements)])


def _repeatable(package: bytes, content: bytes) -> bytes:
    """Return a package with our part in it, its entries in order and without times."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as given, zipfile.ZipFile(made, "w") as archive:
        for entry in sorted(given.namelist()):
            info = zipfile.ZipInfo(entry, EPOCH)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(info, content if f"/{entry}" == PART else given.read(entry))
    return made.getvalue()
