"""factory.toml → Plant, with every fault located: line, key path, what, how to mend."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import is_dataclass
from datetime import date, time
from functools import lru_cache
from importlib.resources import files
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from zerofactory.errors import FaultyData, Problem, Text, errors_of
from zerofactory.notation import toml_of
from zerofactory.site import check
from zerofactory.site.locate import Path, row_of, rows_of, written
from zerofactory.site.model import (
    Accounting,
    Asset,
    BaseYear,
    Boundary,
    Calendar,
    Line,
    Meter,
    Organisation,
    Plant,
    Product,
    Shop,
    SourceUse,
    TariffUse,
)
from zerofactory.site.state_signal import StateSignal
from zerofactory.wording import reason


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    name: Text
    time_zone: str
    region: str
    currency: str = "CNY"
    fictional: bool = False
    opened_on: date | None = None
    closed_on: date | None = None


class _Document(BaseModel):
    """The tables of factory.toml; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    plant: _Head
    organisation: Organisation
    boundary: Boundary = Boundary()
    accounting: Accounting
    calendar: Calendar = Calendar()
    base_year: BaseYear | None = None
    tariff: TariffUse | None = None
    shops: tuple[Shop, ...] = ()
    lines: tuple[Line, ...] = ()
    assets: tuple[Asset, ...] = ()
    products: tuple[Product, ...] = ()
    meters: tuple[Meter, ...] = ()
    state_signals: tuple[StateSignal, ...] = ()
    sources: tuple[SourceUse, ...] = ()


def plant(text: str, file: str = "factory.toml") -> tuple[Plant | None, list[Problem]]:
    """Return the plant a TOML text describes, or None, and every fault found.

    Unknown keys are refused. A name may be one string (used for both languages) or ``{zh = "..", en = ".."}``.
    ``column`` of a problem is the key path (``meters[3].unit``), ``row`` its line. Cross checks run only on a file whose
    keys and types are right.
    """
    try:
        raw = toml_of(text, file, "site.not_toml")
    except FaultyData as fault:
        return None, list(fault.problems)
    raw["accounting"] = _with_defaults(raw.get("accounting", {}))
    try:
        document = _Document.model_validate_json(json.dumps(_labelled(raw, _Document), default=_iso))
    except ValidationError as error:
        faults = [_translated(dict(entry)) for entry in error.errors(include_url=False)]
        return None, _located(faults, text, file)
    built = _built(document)
    problems = _located(check.faults(built), text, file)
    return (None if errors_of(problems) else built), problems


@lru_cache(maxsize=1)
def defaults() -> dict[str, dict[str, Any]]:
    """Return ``{key: {value, source, status, unit?}}`` of the defaults a plant may overrule."""
    return tomllib.loads((files("zerofactory.site") / "defaults.toml").read_text(encoding="utf-8"))


def _with_defaults(given: object) -> object:
    if not isinstance(given, dict):
        return given
    return {key: entry["value"] for key, entry in defaults().items()} | given


def _built(document: _Document) -> Plant:
    head = {name: getattr(document.plant, name) for name in _Head.model_fields}
    rest = {name: getattr(document, name) for name in _Document.model_fields if name != "plant"}
    return Plant(**head, **rest)


def _labelled(value: Any, hint: Any) -> Any:
    """Return the raw value with every plain string that stands for a `Text` written in both languages."""
    hint, entry_hint, fields = _form(hint)
    if hint is Text and isinstance(value, str):
        return {"zh": value, "en": value}
    if entry_hint is not None and isinstance(value, list):
        return [_labelled(entry, entry_hint) for entry in value]
    if fields and isinstance(value, dict):
        return {
            key: _labelled(entry, fields[key]) if fields.get(key) is not None else entry for key, entry in value.items()
        }
    return value


@lru_cache(maxsize=256)
def _form(hint: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Return a type without its None, the type of its entries if it is a list, and its fields that may hold a `Text`.

    Looked up once a type, not once an entry.
    """
    if get_origin(hint) in (Union, UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        return _form(inner[0]) if len(inner) == 1 else (hint, None, {})
    if get_origin(hint) is tuple:
        return hint, get_args(hint)[0], {}
    if is_dataclass(hint) or (isinstance(hint, type) and issubclass(hint, BaseModel)):
        fields = get_type_hints(cast(type, hint))
        return hint, None, {name: inner for name, inner in fields.items() if _holds_text(inner)}
    return hint, None, {}


def _holds_text(hint: Any) -> bool:
    bare, entry_hint, fields = _form(hint)
    return bare is Text or bool(fields) or (entry_hint is not None and _holds_text(entry_hint))


def _iso(value: object) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _located(faults: Iterable[tuple[Path, Problem]], text: str, file: str) -> list[Problem]:
    """Return faults with the line and the key they are about; a text without faults is not searched for its lines."""
    found = list(faults)
    rows = rows_of(text) if found else {}
    return [problem.at(file=file, row=row_of(rows, path), column=written(path) or None) for path, problem in found]


def _translated(error: dict[str, Any]) -> tuple[Path, Problem]:
    """Return one fault of the form in our own words."""
    path: Path = tuple(error["loc"])
    key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    kind = error["type"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        message = Text(f"不认识的键“{key}”。", f"Unknown key '{key}'.")
        return path, Problem("site.unknown_key", message, Text("请删除或改正拼写。", "Remove it or mend the spelling."))
    if kind in ("missing", "missing_argument"):
        message = Text(f"缺少“{key}”。", f"'{key}' is missing.")
        return path, Problem("site.missing_key", message, Text("请补上。", "Add it."))
    if kind == "literal_error":
        choices = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        message = Text(f"“{key}”不能是“{error['input']}”。", f"'{key}' cannot be '{error['input']}'.")
        return path, Problem("site.not_a_choice", message, Text(f"可选: {choices}。", f"Choose one of: {choices}."))
    wanted = reason(error)
    message = Text(f"“{key}”{wanted.zh}, 不是 {error['input']!r}。", f"'{key}': {wanted.en}, not {error['input']!r}.")
    return path, Problem("site.wrong_type", message, Text("请改正该值。", "Mend the value."))
