"""The shape of a rule book: which keys it has and what kind of value each holds, checked before anything is read from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

Shape = str | Mapping[str, object] | list[object]
"""``text``, ``number``, ``flag``, ``values`` (text or numbers by name), a mapping of keys (``key?`` may be left out), or a list of one shape."""

_TEXT: Shape = {"zh": "text", "en": "text"}
_THRESHOLD: Shape = {"value": "number", "unit": "text", "source": "text", "date": "text", "status": "text"}
CRITERION: Mapping[str, object] = {
    "id": "text",
    "zh": "text",
    "en": "text",
    "kind": "text",
    "proof": "text",
    "clause?": "text",
    "dimension?": "text",
    "weight?": "number",
    "direction?": "text",
    "base?": _THRESHOLD,
    "lead?": _THRESHOLD,
    "strict?": "flag",
    "base_text?": "text",
    "lead_text?": "text",
    "forms?": [{"indicator": "text", "unit": "text", "parameters?": "values"}],
    "formula?": "text",
    "evidence?": "text",
    "applies?": {"shop?": "text", "amount?": "text", "at_least?": "number", "below?": "number"},
    "source_ref?": "text",
    "provenance?": "text",
    "note?": "text",
    "rationale?": _TEXT,
}
BOOK: Mapping[str, object] = {
    "title": _TEXT,
    "publisher": _TEXT,
    "edition": "text",
    "status": "text",
    "effective?": "text",
    "proposal?": "flag",
    "successor?": "text",
    "citations": [{"document": "text", "status": "text", "clause?": "text", "note?": _TEXT}],
    "notes?": [_TEXT],
    "dimensions": [{"id": "text", "zh": "text", "en": "text", "points?": "number"}],
    "criteria": [CRITERION],
    "indicators?": [
        {"id": "text", "zh": "text", "en": "text", "unit": "text", "formula": "text", "reference": "text"},
    ],
    "scoring?": {
        "rule": "text",
        "full_points?": "number",
        "renormalise?": "flag",
        "source_ref?": "text",
        "provenance?": "text",
    },
    "grades?": [
        {
            "id": "text",
            "zh": "text",
            "en": "text",
            "minimum?": _THRESHOLD,
            "scored?": "flag",
            "requires?": ["text"],
            "all_mandatory?": "flag",
            "source_ref?": "text",
            "provenance?": "text",
        }
    ],
}
_KINDS = {
    "text": ("文字", "text"),
    "number": ("有限数", "a finite number"),
    "flag": ("true 或 false", "true or false"),
    "values": ("按名称的值", "values by name"),
}


def misfits(value: object, shape: object, path: str = "", owner: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield what does not fit: the id of the entry it is in, and code, Chinese and English of the fault.

    Examples
    --------
    >>> [fault[3] for fault in misfits({"value": "x"}, {"value": "number", "unit": "text"})]
    ['value: should be a finite number', "'unit' is missing"]
    """
    if isinstance(shape, Mapping):
        yield from _mapping(value, shape, path, owner)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield owner, "shape", f"{path}: 应为列表", f"{path}: should be a list"
            return
        for place, entry in enumerate(value):
            own = str(entry["id"]) if isinstance(entry, dict) and entry.get("id") is not None else owner
            yield from misfits(entry, shape[0], f"{path}[{place}]", own)
    elif not _fits(value, str(shape)):
        zh, en = _KINDS[str(shape)]
        yield owner, "shape", f"{path}: 应为{zh}", f"{path}: should be {en}"


def _mapping(value: object, shape: Mapping[str, object], path: str, owner: str) -> Iterator[tuple[str, str, str, str]]:
    if not isinstance(value, dict):
        yield owner, "shape", f"{path}: 应为映射", f"{path}: should be a mapping"
        return
    before = f"{path}." if path else ""
    names = {name.removesuffix("?"): name for name in shape}
    for key in value:
        if key not in names:
            yield owner, "unknown_key", f"{before}不认识的键“{key}”", f"{before}unknown key '{key}'"
    for key, name in names.items():
        if value.get(key) is not None:
            yield from misfits(value[key], shape[name], f"{before}{key}", owner)
        elif not name.endswith("?"):
            yield owner, "missing_key", f"{before}缺少“{key}”", f"{before}'{key}' is missing"


def _fits(value: object, kind: str) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "values":
        return isinstance(value, dict) and all(
            isinstance(k, str) and isinstance(v, str | int | float) for k, v in value.items()
        )
    return isinstance(value, str | int | float | date) and not isinstance(value, bool) and str(value).strip() != ""
