"""What a schema finds wrong is said in the reader's language: every kind of fault pydantic knows, every model of the package."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from functools import lru_cache
from typing import Any, cast, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import core_schema

import zerofactory
from zerofactory.errors import Text
from zerofactory.optimisation.routes.route import Assumptions, Route
from zerofactory.planning.commitment import Plan
from zerofactory.planning.framework import Framework
from zerofactory.planning.measure import Measure
from zerofactory.runs.access import ROLES
from zerofactory.wording import complaint, kinds, reason, worded

PROGRAMS = ("__main__", "apart")  # run when they are imported
HOSTILE: tuple[object, ...] = (
    None, True, 3, -1e12, 1e12, 3.5, float("nan"), float("inf"), "", "x" * 5000, "2025-13-45", "Ünïcode / \\ ..", b"\xff", [], [None],
    ["x"] * 200, {}, {"x": 1}, {3: []}, date(1900, 1, 1), object(),
)  # fmt: skip
PROVOKED = {
    "missing", "extra_forbidden", "unexpected_keyword_argument", "model_type", "dataclass_type", "dict_type", "list_type",
    "tuple_type", "too_short", "too_long", "greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number",
    "float_type", "float_parsing", "int_type", "int_parsing", "int_from_float", "bool_type", "bool_parsing", "string_type",
    "string_too_short", "string_too_long", "string_pattern_mismatch", "literal_error", "date_type", "date_from_datetime_parsing",
    "time_type", "datetime_type",
}  # fmt: skip
# What stands in Chinese as it is: names of notations, and examples of what to write.
NAMES = r"true|false|null|UTF-8|JSON|URN|UUID|UTC|URL|TOML|YAML|AR6|\d{4}-\d\d-\d\dT[\d:]+Z?|ISO 3166-[12]|CN-SH|URI|CO2e|pcf|https?://[\w./:()-]*|urn:gtin:\d+|PT30M"
LATIN, CHINESE = re.compile(r"[A-Za-z_]\w+", re.ASCII), re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


def bare(text: str) -> str:
    """Return a text without what is quoted, and without the names that are the same in both languages."""
    return re.sub(rf"'[^']*'|“[^”]*”|\b(?:{NAMES})\b", " ", text)


def assert_in_its_language(text: Text, known: Collection[str] = ()) -> None:
    """``known`` are the keys that may stand in it as they are."""
    assert set(LATIN.findall(bare(text.zh))) <= set(known), text
    assert CHINESE.search(text.zh), text
    assert CHINESE.search(re.sub(r"'[^']*'", "", text.en)) is None, text
    assert "{" not in text.zh + text.en, text
    assert len(text.zh) < 2000


@lru_cache(maxsize=1)
def models() -> tuple[type[BaseModel], ...]:
    """Return every pydantic model of the package."""
    for module in pkgutil.walk_packages(zerofactory.__path__, "zerofactory."):
        if module.name.rpartition(".")[2] not in PROGRAMS:
            importlib.import_module(module.name)

    def below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    found = [one for one in below(BaseModel) if one.__module__.startswith("zerofactory.")]
    return tuple(sorted(set(found), key=lambda one: (one.__module__, one.__qualname__)))


def test_every_kind_of_fault_of_pydantic_has_its_words() -> None:
    known = {kind for kind, _ in kinds()}
    assert set(get_args(core_schema.ErrorType)) - known == set()


def forms() -> tuple[type, ...]:
    """Return every model, and every record that stands inside one or is read by itself."""
    found: dict[type, None] = dict.fromkeys((*models(), Plan, Route, Assumptions, Measure, Framework))
    schemas: list[Any] = [TypeAdapter(one).core_schema for one in found]
    while schemas:
        one = schemas.pop()
        if isinstance(one, dict):
            if one.get("type") == "dataclass":
                found[one["cls"]] = None
            schemas += one.values()
        elif isinstance(one, list | tuple):
            schemas += one
    return tuple(found)


def names_of(form: type) -> tuple[str, ...]:
    """Return the keys of a form as a file writes them."""
    if is_dataclass(form):
        return tuple(one.name for one in fields(form))
    return tuple(one.alias or name for name, one in cast("type[BaseModel]", form).model_fields.items())


def faults_of(form: type) -> Iterator[Mapping[str, Any]]:
    """Yield every fault that a form finds in hostile values: one field at a time, all at once, none, and one too many."""
    names = names_of(form)
    given: list[Any] = [{name: value} for name in names for value in HOSTILE]
    given += [dict.fromkeys(names, value) for value in HOSTILE]
    adapter: TypeAdapter[Any] = TypeAdapter(form)
    for raw in (*given, {"no_such_key": 1}, {3: 4}, "text", None):
        try:
            adapter.validate_python(raw)
        except ValidationError as error:
            yield from error.errors(include_url=False)


def test_whatever_a_form_of_the_package_finds_is_said_in_both_languages() -> None:
    told: set[tuple[str, Text]] = set()
    known: set[str] = set(ROLES)
    for form in forms():
        known |= set(names_of(form))
        told |= {(entry["type"], said) for entry in faults_of(form) for said in (worded(entry), reason(entry))}
    assert {kind for kind, _ in told} >= PROVOKED
    for _, said in told:
        assert_in_its_language(said, known)


def test_every_number_of_a_file_is_finite() -> None:
    """No form of a file takes nan or an infinite number, whatever the field; requests are refused before they get there."""
    taken = []
    for form in models():
        if not form.__module__.startswith("zerofactory.api."):
            for name, field in form.model_fields.items():
                for value in (float("nan"), float("inf")):
                    try:
                        form.model_validate({field.alias or name: value})
                    except ValidationError as error:
                        found = [
                            entry["type"] for entry in error.errors() if entry["loc"][:1] == (field.alias or name,)
                        ]
                    else:
                        found = []
                    taken += [] if found else [(form.__module__, form.__name__, name)]
    assert sorted(set(taken)) == []


def test_every_pattern_of_text_has_a_plainer_name() -> None:
    used = set()
    schemas: list[Any] = [TypeAdapter(one).core_schema for one in forms()]
    while schemas:
        one = schemas.pop()
        if isinstance(one, dict):
            used |= {str(one["pattern"])} if "pattern" in one else set()
            schemas += one.values()
        elif isinstance(one, list | tuple):
            schemas += one
    assert used - {pattern for _, pattern in kinds()} == set()


@pytest.mark.parametrize(
    ("entry", "zh", "en"),
    [
        ({"type": "missing"}, "缺少这个键。", "This key is missing."),
        ({"type": "less_than_equal", "ctx": {"le": 0.25}}, "值不对: 不能大于 0.25。", "Wrong value: it must be at most 0.25."),
        ({"type": "literal_error", "ctx": {"expected": "'a' or 'b or c'"}}, "值不对: 只能是 'a' 或 'b or c'。", "Wrong value: it must be 'a' or 'b or c'."),
        ({"type": "literal_error", "ctx": {"expected": "60, 30 or 15"}}, "值不对: 只能是 60, 30 或 15。", "Wrong value: it must be 60, 30 or 15."),
        ({"type": "string_pattern_mismatch", "ctx": {"pattern": "^[A-Z]{2}$"}}, "值不对: 应为两个大写字母。", "Wrong value: it must be two capital letters."),
        ({"type": "string_pattern_mismatch", "ctx": {"pattern": "^a+$"}}, "值不对: 应符合 ^a+$。", "Wrong value: it must match ^a+$."),
        ({"type": "from_another_package", "msg": "Whatever"}, "值不对: 不合要求。", "Wrong value: it is not valid."),
    ],
)  # fmt: skip
def test_kinds_are_said_as_they_should(entry: Mapping[str, Any], zh: str, en: str) -> None:
    assert worded(entry) == Text(zh, en)


def test_a_complaint_of_a_validator_keeps_both_languages() -> None:
    error = complaint("odd", "应为偶数 {n}", "it must be even")
    assert error.context is not None
    assert reason({"type": error.type, "ctx": error.context}) == Text("应为偶数 {n}", "it must be even")
