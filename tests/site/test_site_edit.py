"""Changing a plant file by its lines: what is not touched stays byte for byte, and the file says afterwards what was wanted."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import FaultyData
from zerofactory.site.edit import with_entries, with_table, written_value

REFERENCE = (files("zerofactory.reference_plant") / "plant.toml").read_text(encoding="utf-8")
NEW = (files("zerofactory.runs") / "new_plant.toml").read_text(encoding="utf-8")
LISTS = ("shops", "lines", "assets", "products", "meters", "sources")


@pytest.mark.parametrize("text", [REFERENCE, NEW])
@pytest.mark.parametrize("table", LISTS)
def test_writing_what_is_there_changes_no_byte(text: str, table: str) -> None:
    assert with_entries(text, table, tomllib.loads(text).get(table, [])) == text


def test_one_changed_value_changes_one_line_and_keeps_its_comment() -> None:
    meters = tomllib.loads(NEW)["meters"]
    meters[0]["multiplier"] = 4000
    before, after = NEW.splitlines(), with_entries(NEW, "meters", meters).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0][1].startswith("multiplier = 4000 ")
    assert changed[0][1].partition("#")[2] == changed[0][0].partition("#")[2]


def test_entries_come_go_and_change_their_order() -> None:
    meters: list[dict[str, Any]] = tomllib.loads(REFERENCE)["meters"]
    wanted = [{"id": "NEW", "name": {"zh": "新", "en": "new"}}, *reversed(meters[1:])]
    changed = with_entries(REFERENCE, "meters", wanted)
    assert tomllib.loads(changed)["meters"] == wanted
    assert {**tomllib.loads(changed), "meters": []} == {**tomllib.loads(REFERENCE), "meters": []}


def test_a_list_inside_a_table_is_changed_as_well() -> None:
    pins = [*tomllib.loads(REFERENCE)["accounting"]["pin"], {"role": "grid.average", "factor": "x", "reason": "理由"}]
    assert tomllib.loads(with_entries(REFERENCE, "accounting.pin", pins))["accounting"]["pin"] == pins
    begun = with_entries(NEW, "accounting.accept", [{"factor": "x", "reason": "y"}])
    assert tomllib.loads(begun)["accounting"]["accept"] == [{"factor": "x", "reason": "y"}]


def test_a_table_keeps_what_is_not_named_and_loses_what_is_taken_away() -> None:
    given = tomllib.loads(REFERENCE)["organisation"]
    changed = with_table(REFERENCE, "organisation", {**given, "credit_code": None, "name": '某厂 "甲" # 1'})
    found = tomllib.loads(changed)["organisation"]
    assert "credit_code" not in found
    assert found["name"] == '某厂 "甲" # 1'
    assert with_table(REFERENCE, "organisation", given) == REFERENCE


@pytest.mark.parametrize(
    "text",
    [
        'meters = [{ id = "a" }]\n',
        '[[meters]]\nid = "a"\n[x]\nmeters.b = 1\n[[x.meters]]\n',
        "[[meters.inner]]\nid = 1\n",
    ],
)
def test_what_cannot_be_changed_by_lines_is_refused_not_guessed(text: str) -> None:
    with pytest.raises((FaultyData, tomllib.TOMLDecodeError)):
        with_entries(text, "meters", [{"id": "b"}])


VALUES = st.recursive(
    st.one_of(st.text(max_size=20), st.integers(-(2**60), 2**60), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=6), inner, min_size=1, max_size=3)),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_every_value_is_written_so_that_toml_reads_it_back(value: object) -> None:
    assert tomllib.loads(f"x = {written_value(value)}")["x"] == value


@given(st.lists(st.dictionaries(st.sampled_from(["name", "kind", "unit", "detail"]), VALUES, max_size=4), max_size=4))
def test_any_entries_are_read_back_as_wanted(entries: list[dict[str, Any]]) -> None:
    wanted = [{"id": f"m{number}", **entry} for number, entry in enumerate(entries)]
    changed = with_entries(NEW, "meters", wanted)
    assert tomllib.loads(changed).get("meters", []) == wanted
