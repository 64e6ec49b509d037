"""Declared footprints: in the units they were declared in, inside their validity, cradle to gate; otherwise a clear problem."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from zerofactory.accounting.declared_footprint import (
    SUPPLIER_FOOTPRINTS,
    DeclaredFootprint,
    WrongUnit,
    amounts_of,
    declared_of,
    faults_of,
    rows,
)

DAY = datetime(2025, 12, 31, tzinfo=UTC)
DOOR = DeclaredFootprint(
    "pf-1", "PACT 3.0.0", "supplier", "door", "[]", "Active", "cradle_to_gate", "kg", 20.0, 50.0,
    datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC),
    datetime(2028, 1, 1, tzinfo=UTC), mass_kg=20.0,
)  # fmt: skip


def test_an_amount_in_declared_units() -> None:
    assert amounts_of(DOOR, 0.06, "t") == pytest.approx(3.0)
    assert faults_of(DOOR, DAY) == []


def test_the_wrong_unit_names_both() -> None:
    with pytest.raises(WrongUnit) as caught:
        amounts_of(DOOR, 1.0, "piece")
    problem = caught.value.problem
    assert "20 kg" in problem.message.en
    assert "piece" in problem.message.en
    assert "kg" in problem.hint.zh


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"valid_to": datetime(2025, 6, 30, tzinfo=UTC)}, "footprint.expired"),
        ({"status": "Deprecated"}, "footprint.deprecated"),
        ({"boundary": "gate_to_gate"}, "footprint.boundary"),
        ({"reference_from": datetime(2026, 1, 1, tzinfo=UTC)}, "footprint.not_yet"),
    ],
)
def test_what_may_not_be_used(changed: dict[str, object], code: str) -> None:
    problems = faults_of(replace(DOOR, **changed), DAY)  # type: ignore[arg-type]
    assert [problem.code for problem in problems] == [code]
    assert "door" in problems[0].message.zh
    assert problems[0].hint.en


def test_rows_there_and_back() -> None:
    frame = rows([DOOR])
    assert SUPPLIER_FOOTPRINTS.check(frame) == []
    assert declared_of(frame) == [DOOR]
