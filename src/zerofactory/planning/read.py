"""Read a record from TOML or YAML data: types checked at the door, unknown keys refused, every fault reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import endless
from zerofactory.wording import place_of, reason, row_name

T = TypeVar("T")


def yaml_of(content: str) -> Any:
    """Return the data of a YAML text, read by the safe loader (in C where there is one)."""
    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def record(kind: type[T], raw: object, file: str) -> T:
    """Return a record of a frozen dataclass from plain data.

    Raises
    ------
    FaultyData
        Unknown or missing keys, wrong types; ``column`` of each problem is the path of the key.
    """
    problems = [_unknown(path, file) for path in _unknown_keys(kind, raw, "")]
    problems += [_invalid({"type": "finite_number", "loc": (path,)}, file) for path in endless(raw)]
    try:
        made = cast("T", _adapter(cast("Any", kind)).validate_python(raw))
    except ValidationError as error:
        problems += [_invalid(fault, file, raw) for fault in error.errors()]
        raise FaultyData(problems) from error
    if problems:
        raise FaultyData(problems)
    return made


@lru_cache(maxsize=64)
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@lru_cache(maxsize=128)
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _unknown_keys(kind: Any, raw: object, path: str) -> Iterator[str]:
    """Yield the path of every key that no field of the record takes."""
    kind = _inner(kind)
    if get_origin(kind) is tuple and isinstance(raw, list):
        for place, one in enumerate(raw):
            yield from _unknown_keys(get_args(kind)[0], one, f"{path}{row_name(one, place)}")
    elif get_origin(kind) in (dict, Mapping) or (isinstance(kind, type) and get_origin(kind) is not None):
        return
    elif isinstance(kind, type) and is_dataclass(kind) and isinstance(raw, Mapping):
        hints = _hints(kind)
        known = {one.name for one in fields(kind)}
        for key, value in raw.items():
            inner = f"{path}.{key}" if path else str(key)
            if key not in known:
                yield inner
            else:
                yield from _unknown_keys(hints[key], value, inner)


def _inner(kind: Any) -> Any:
    """Return the type behind ``X | None``."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [one for one in get_args(kind) if one is not type(None)]
        return kinds[0] if len(kinds) == 1 else kind
    return kind


def _unknown(path: str, file: str) -> Problem:
    return Problem(
        code="planning.unknown_key",
        message=Text(f"不认识“{path}”。", f"'{path}' is unknown."),
        hint=Text("请核对拼写, 见参考手册。", "Check the spelling; see the reference."),
        file=file,
        column=path,
    )


def _invalid(fault: Any, file: str, raw: object = None) -> Problem:
    path, why = place_of(fault, raw), reason(fault)
    return Problem(
        code="planning.invalid",
        message=Text(f"“{path}”的值不对: {why.zh}。", f"'{path}' is not valid: {why.en}."),
        hint=Text("请改正后再试。", "Correct it and try again."),
        file=file,
        column=path,
    )
