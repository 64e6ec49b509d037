"""What of a submodel is asked for: its values alone, what describes it, references and paths (IDTA 01002-3-0, clause 6).

Everything works on plain JSON values of the metamodel; nothing is changed, new values are returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

Element = dict[str, Any]
NESTED = {"SubmodelElementCollection": "value", "SubmodelElementList": "value", "Entity": "statements"}
WITHOUT_VALUE = ("Capability", "Operation")
WHOLE_NUMBERS = frozenset(
    f"xs:{word}"
    for word in (
        "integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedLong", "unsignedInt",
        "unsignedShort", "unsignedByte", "nonPositiveInteger", "negativeInteger",
    )
)  # fmt: skip
NUMBERS = frozenset({"xs:decimal", "xs:double", "xs:float"})
LAST = 2**53  # beyond it a JSON number is not exact everywhere
_STEP = re.compile(r"([A-Za-z][A-Za-z0-9_]*)((?:\[\d+\])*)")


def children(element: Element) -> list[Element]:
    """Return what is right below an element or submodel."""
    if element.get("modelType") == "Submodel":
        found: list[Element] = element.get("submodelElements", [])
        return found
    key = NESTED.get(str(element.get("modelType")))
    return list(element.get(key, ())) if key else []


def at(submodel: Element, path: str) -> Element | None:
    """Return the element at an idShort path (``Segments.InternalSegment``, ``Months[0].Amount``); None where there is none."""
    found: Element | None = submodel
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        if match is None or found is None:
            return None
        found = next((one for one in children(found) if one.get("idShort") == match[1]), None)
        for number in re.findall(r"\d+", match[2]):
            below = children(found) if found is not None and found["modelType"] == "SubmodelElementList" else []
            found = below[int(number)] if len(number) < 10 and int(number) < len(below) else None
    return found


def paths(element: Element, deep: bool, path: str = "") -> Iterator[str]:
    """Yield the paths of what is below an element, or right below it."""
    is_list = element.get("modelType") == "SubmodelElementList"
    for place, one in enumerate(children(element)):
        step = f"[{place}]" if is_list else f".{one['idShort']}" if path else str(one["idShort"])
        yield f"{path}{step}"
        if deep:
            yield from paths(one, deep, f"{path}{step}")


def core(element: Element) -> Element:
    """Return an element with what is right below it, and nothing deeper (level=core)."""
    key = "submodelElements" if element.get("modelType") == "Submodel" else NESTED.get(str(element.get("modelType")))
    if key is None or key not in element:
        return element
    return {**element, key: [_leaf(one) for one in element[key]]}


def _leaf(element: Element) -> Element:
    key = NESTED.get(str(element["modelType"]))
    return {name: value for name, value in element.items() if name != key}


def metadata(element: Element) -> Element:
    """Return what describes an element: all but its value and what is below it."""
    if element.get("modelType") == "Submodel":
        return {name: value for name, value in element.items() if name != "submodelElements"}
    hidden = {"value", "valueId", "statements", "min", "max", "annotations"}
    return {name: value for name, value in element.items() if name not in hidden}


def value(element: Element, deep: bool = True) -> Any:
    """Return an element's value alone (IDTA 01002-3-0, "Format ValueOnly"); of a submodel and of groups by idShort.

    Examples
    --------
    >>> value({"modelType": "Property", "idShort": "a", "valueType": "xs:decimal", "value": "12.5"})
    12.5
    """
    kind = str(element.get("modelType"))
    if kind in NESTED or kind == "Submodel":
        return _nested(element, kind, deep)
    if kind == "Property":
        return _typed(element.get("value"), str(element["valueType"]))
    if kind == "MultiLanguageProperty":
        return [{one["language"]: one["text"]} for one in element.get("value", ())]
    if kind in ("File", "Blob"):
        return {name: element[name] for name in ("contentType", "value") if name in element}
    if kind in ("RelationshipElement", "AnnotatedRelationshipElement"):
        return {name: element[name] for name in ("first", "second")}
    if kind == "Range":
        return {name: _typed(element[name], str(element["valueType"])) for name in ("min", "max") if name in element}
    return element.get("value")


def _nested(element: Element, kind: str, deep: bool) -> Any:
    below = [one for one in children(element) if one["modelType"] not in WITHOUT_VALUE]
    if not deep and kind != "Submodel":
        below = [one for one in below if one["modelType"] not in NESTED]
    if kind == "SubmodelElementList":
        return [value(one, deep) for one in below]
    own = {str(one["idShort"]): value(one, deep) for one in below}
    if kind != "Entity":
        return own
    named = {name: element[name] for name in ("entityType", "globalAssetId", "specificAssetIds") if name in element}
    return {"statements": own, **named}


def _typed(text: str | None, kind: str) -> Any:
    """Return a value as JSON has it: numbers and truth as such, unless they would lose digits; anything else as text."""
    if text is None:
        return None
    if kind == "xs:boolean":
        return text in ("true", "1")
    if kind in WHOLE_NUMBERS and abs(int(text)) < LAST:
        return int(text)
    if kind in NUMBERS and text not in ("INF", "-INF", "NaN"):
        return float(text)
    return text


def reference(keys: Sequence[tuple[str, str]]) -> Element:
    """Return a reference to something in a shell by its kinds and names from the outside in."""
    return {"type": "ModelReference", "keys": [{"type": kind, "value": name} for kind, name in keys]}


def keys_of(submodel: Element, path: str) -> list[tuple[str, str]]:
    """Return the keys that lead from a submodel to an element at a path."""
    keys, found = [("Submodel", str(submodel["id"]))], submodel
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        name = step.strip("[]")
        found = children(found)[int(name)] if step.startswith("[") else next(one for one in children(found) if one.get("idShort") == step)  # fmt: skip
        keys.append((str(found["modelType"]), name))
    return keys
