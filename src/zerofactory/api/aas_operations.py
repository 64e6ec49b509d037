"""The read operations of the AAS API (IDTA 01002-3-0): which path gives what, on the shells of one plant.

`answer` is free of any framework: it takes a path below the API's root and a query, and gives status, media type and body. So the
main server and the little one of the twin give the same.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from zerofactory.reporting.shells import views
from zerofactory.reporting.shells.environment import Environment, aasx_bytes
from zerofactory.runs.context import stamp

JSON, PACKAGE = "application/json", "application/asset-administration-shell-package"
DEFAULT_LIMIT, MOST = 100, 1000
PROFILES = tuple(
    f"https://admin-shell.io/aas/API/3/0/{name}/SSP-002"
    for name in ("AssetAdministrationShellRepositoryServiceSpecification", "SubmodelRepositoryServiceSpecification")
)
MODIFIERS = ("$metadata", "$value", "$reference", "$path")
Element = dict[str, Any]
Query = Mapping[str, Sequence[str]]


class Refused(Exception):
    """A request that cannot be answered, with its HTTP status."""

    def __init__(self, status: int, told: str) -> None:
        self.status, self.told = status, told
        super().__init__(told)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: status, media type, bytes."""

    status: int
    media: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the segments of its path below the API's root, its query, and the media type it would like."""

    segments: tuple[str, ...]
    query: Query
    accept: str = ""

    def one(self, name: str) -> str | None:
        """Return a parameter, None where it is not given."""
        found = self.query.get(name)
        return found[0] if found else None

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return a parameter that is one of some words, the first where it is not given."""
        given = self.one(name) or allowed[0]
        for word in allowed:
            if given.casefold() == word.casefold():
                return word
        raise Refused(400, f"{name} must be one of {', '.join(allowed)}")

    @property
    def deep(self) -> bool:
        """Whether all levels are asked for."""
        return self.choice("level", ("deep", "core")) == "deep"


def answer(env: Environment, asked: Asked, now: datetime) -> Answer:
    """Return the answer to a request; what is wrong with it is told as a Result with messages (IDTA 01002-3-0, clause 5.3)."""
    try:
        asked.choice("extent", ("withoutBlobValue", "withBlobValue"))
        found = _found(env, asked)
    except Refused as refused:
        return fault(refused.status, refused.told, now)
    if isinstance(found, Answer):
        return found
    return Answer(200, JSON, json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())


def fault(status: int, told: str, now: datetime) -> Answer:
    """Return a Result that says what went wrong."""
    message = {"messageType": "Error", "code": str(status), "text": told, "timestamp": stamp(now)}
    return Answer(status, JSON, json.dumps({"messages": [message]}, ensure_ascii=False).encode())


def _found(env: Environment, asked: Asked) -> Any:
    head, rest = (asked.segments[0], asked.segments[1:]) if asked.segments else ("", ())
    routes: dict[str, Callable[[], Any]] = {
        "description": lambda: {"profiles": list(PROFILES)},
        "shells": lambda: _shells(env, asked, rest),
        "submodels": lambda: _submodels(env, asked, rest),
        "concept-descriptions": lambda: _concepts(env, asked, rest),
        "lookup": lambda: _lookup(env, asked, rest),
        "serialization": lambda: _serialization(env, asked),
    }
    if head not in routes or (head in ("description", "serialization") and rest):
        raise _nothing(asked)
    return routes[head]()


def _nothing(asked: Asked) -> Refused:
    return Refused(404, f"nothing at /{'/'.join(asked.segments)}; see IDTA 01002-3-0, profiles at /description")


def decoded(text: str) -> str:
    """Return what a base64url text says, padded or not; raise `Refused` (400) when it is none.

    Examples
    --------
    >>> decoded("dXJuOmE"), decoded("dXJuOmE=")
    ('urn:a', 'urn:a')
    """
    try:
        plain = text.rstrip("=")
        if not plain or len(text) - len(plain) > 2 or not plain.isascii():
            raise ValueError
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise Refused(400, f"'{text[:80]}' is not base64url-encoded (RFC 4648, 5)") from error


def paged(rows: Sequence[Any], asked: Asked) -> dict[str, Any]:
    """Return one page of rows; ``cursor`` is where the next begins."""
    limit = _whole(asked.one("limit"), DEFAULT_LIMIT)
    if not limit >= 1:
        raise Refused(400, "limit must be at least 1")
    cursor = asked.one("cursor")
    first = 0 if cursor is None else _whole(decoded(cursor), -1)
    if not 0 <= first <= len(rows):
        raise Refused(400, "cursor is none that was given")
    last = first + min(limit, MOST)
    more = {"cursor": encoded(str(last))} if last < len(rows) else {}
    return {"paging_metadata": more, "result": list(rows[first:last])}


def _whole(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.removeprefix("-").isdecimal() or len(text) > 9:
        raise Refused(400, f"'{text[:20]}' is not a whole number")
    return int(text)


def encoded(text: str) -> str:
    """Return a text in base64url without padding, as ids stand in paths."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _by_id(rows: Sequence[Element], text: str, what: str) -> Element:
    wanted = decoded(text)
    for one in rows:
        if one["id"] == wanted:
            return one
    raise Refused(404, f"there is no {what} '{wanted[:200]}'")


def _asset_ids(asked: Asked) -> list[tuple[str, str]]:
    """Return the names and values of ``assetIds``, each a base64url-encoded SpecificAssetId, several joined by commas."""
    found = []
    for text in (part for given in asked.query.get("assetIds", ()) for part in given.split(",")):
        try:
            told = json.loads(decoded(text))
            found.append((str(told["name"]), str(told["value"])))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Refused(400, "assetIds must be base64url of {'name': …, 'value': …}") from error
    return found


def _has(shell: Element, wanted: Sequence[tuple[str, str]]) -> bool:
    asset = shell["assetInformation"]
    known = {("globalAssetId", asset["globalAssetId"])}
    known |= {(one["name"], one["value"]) for one in asset.get("specificAssetIds", ())}
    return set(wanted) <= known


def _shells(env: Environment, asked: Asked, rest: tuple[str, ...]) -> Any:
    if not rest or rest == ("$reference",):
        wanted, short = _asset_ids(asked), asked.one("idShort")
        rows = [one for one in env.shells if _has(one, wanted) and short in (None, one["idShort"])]
        return paged(rows if not rest else [_shell_reference(one) for one in rows], asked)
    shell, below = _by_id(env.shells, rest[0], "shell"), rest[1:]
    if not below:
        return shell
    if below == ("$reference",):
        return _shell_reference(shell)
    if below == ("asset-information",):
        return shell["assetInformation"]
    if below == ("submodel-refs",):
        return paged(shell.get("submodels", []), asked)
    if below[0] == "submodels" and len(below) > 1:
        own = {key["value"] for one in shell.get("submodels", ()) for key in one["keys"]}
        return _submodels(env, asked, below[1:], own)
    raise _nothing(asked)


def _shell_reference(shell: Element) -> Element:
    return views.reference([("AssetAdministrationShell", shell["id"])])


def _submodels(env: Environment, asked: Asked, rest: tuple[str, ...], own: set[str] | None = None) -> Any:
    if own is None and (not rest or (len(rest) == 1 and rest[0] in MODIFIERS)):
        return paged(_all_submodels(env, asked, rest[0] if rest else ""), asked)
    submodel = _by_id(env.submodels, rest[0], "submodel")
    if own is not None and submodel["id"] not in own:
        raise Refused(404, f"the shell has no submodel '{submodel['id']}'")
    if len(rest) == 1 or (len(rest) == 2 and rest[1] in MODIFIERS):
        return modified(submodel, submodel, "", rest[1] if len(rest) > 1 else "", asked)
    if rest[1] == "submodel-elements":
        return _elements(env, asked, submodel, rest[2:])
    raise _nothing(asked)


def _all_submodels(env: Environment, asked: Asked, modifier: str) -> list[Any]:
    short, semantic = asked.one("idShort"), _semantic(asked.one("semanticId"))
    rows = [
        one
        for one in env.submodels
        if short in (None, one["idShort"]) and (semantic is None or semantic <= _values(one.get("semanticId")))
    ]
    if modifier == "$path":
        return [path for one in rows for path in views.paths(one, asked.deep)]
    return [modified(one, one, "", modifier, asked) for one in rows]


def _semantic(text: str | None) -> set[str] | None:
    """Return the values of a semantic id asked for: a base64url-encoded Reference, or the id itself so encoded."""
    if text is None:
        return None
    told = decoded(text)
    try:
        return _values(json.loads(told)) if told.lstrip().startswith("{") else {told}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(400, "semanticId must be base64url of a Reference") from error


def _values(reference: Any) -> set[str]:
    return {str(one["value"]) for one in reference["keys"]} if reference else set()


def _elements(env: Environment, asked: Asked, submodel: Element, rest: tuple[str, ...]) -> Any:
    if not rest or (len(rest) == 1 and rest[0] in MODIFIERS):
        if rest == ("$path",):
            return paged(list(views.paths(submodel, asked.deep)), asked)
        return paged([_row(submodel, one, rest[0] if rest else "", asked) for one in views.children(submodel)], asked)
    path = unquote(rest[0])
    element = views.at(submodel, path)
    if element is None:
        raise Refused(404, f"there is no element '{path[:200]}' in '{submodel['id']}'")
    if len(rest) == 1 or (len(rest) == 2 and rest[1] in MODIFIERS):
        return modified(submodel, element, path, rest[1] if len(rest) > 1 else "", asked)
    if rest[1:] == ("attachment",):
        file = env.files.get(str(element.get("value"))) if element["modelType"] == "File" else None
        if file is None:
            raise Refused(404, f"'{path[:200]}' has no file here")
        return Answer(200, file.media, file.content)
    raise _nothing(asked)


def _row(submodel: Element, element: Element, modifier: str, asked: Asked) -> Any:
    """Return one entry of the list of a submodel's elements; a value stands under its name."""
    found = modified(submodel, element, str(element["idShort"]), modifier, asked)
    return {element["idShort"]: found} if modifier == "$value" else found


def modified(submodel: Element, element: Element, path: str, modifier: str, asked: Asked) -> Any:
    """Return a submodel or element as asked: whole, its metadata, its value, a reference to it, the paths in it."""
    kind, deep = str(element["modelType"]), asked.deep
    if modifier == "$metadata":
        return views.metadata(element)
    if modifier == "$reference":
        return views.reference(views.keys_of(submodel, path))
    if modifier == "$value":
        if kind in views.WITHOUT_VALUE:
            raise Refused(400, f"a {kind} has no value")
        return views.value(element, deep)
    if modifier == "$path":
        if kind not in (*views.NESTED, "Submodel"):
            raise Refused(400, f"a {kind} has no paths below it")
        return [*([path] if path else []), *views.paths(element, deep, path)]
    return element if deep else views.core(element)


def _concepts(env: Environment, asked: Asked, rest: tuple[str, ...]) -> Any:
    if not rest:
        short = asked.one("idShort")
        return paged([one for one in env.concepts if short in (None, one.get("idShort"))], asked)
    if len(rest) > 1:
        raise _nothing(asked)
    return _by_id(env.concepts, rest[0], "concept description")


def _lookup(env: Environment, asked: Asked, rest: tuple[str, ...]) -> Any:
    """Return which shells have some asset ids, or which asset ids a shell has."""
    if rest == ("shells",):
        wanted = _asset_ids(asked)
        return paged([one["id"] for one in env.shells if _has(one, wanted)], asked)
    if len(rest) == 2 and rest[0] == "shells":
        asset = _by_id(env.shells, rest[1], "shell")["assetInformation"]
        whole = {"name": "globalAssetId", "value": asset["globalAssetId"]}
        return [whole, *asset.get("specificAssetIds", ())]
    raise _nothing(asked)


def _serialization(env: Environment, asked: Asked) -> Any:
    shells, submodels = ([decoded(part) for one in asked.query.get(name, ()) for part in one.split(",")] for name in ("aasIds", "submodelIds"))  # fmt: skip
    with_concepts = asked.choice("includeConceptDescriptions", ("true", "false")) == "true"
    chosen = env.only(shells, submodels) if shells or submodels else env
    if not with_concepts:
        chosen = chosen.only([one["id"] for one in chosen.shells], [one["id"] for one in chosen.submodels])
    if "asset-administration-shell-package" in asked.accept:
        return Answer(200, PACKAGE, aasx_bytes(chosen))
    told = chosen.as_json()
    return told if with_concepts else {name: rows for name, rows in told.items() if name != "conceptDescriptions"}
