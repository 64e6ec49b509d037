"""The runs of uncertainty and circularity over a small closed book, and their commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zerofactory.errors import FaultyData
from zerofactory.periods import Period
from zerofactory.runs import circularity, close, import_data, uncertainty
from zerofactory.runs.context import Context

JANUARY = Period(2025, 1)
STANDARD = "iso_14064_1_2018"


@pytest.fixture
def closed(
    small: Context,
    reopen: Callable[[Context], Context],
    write_readings: Callable[..., Path],
    write_form: Callable[..., Path],
) -> Context:
    form = write_form("diesel,2025-01-01,2025-01-31,12.5,t,,结算,D-1,")
    import_data.run(small, [write_readings(1), form])
    close.run(reopen(small), JANUARY)
    return reopen(small)


def test_both_methods_stand_beside_the_inventory(closed: Context) -> None:
    found = uncertainty.read(closed, JANUARY, STANDARD, uncertainty.View(by="source"))
    assert found.inventory.uncertainty_fraction == pytest.approx(found.assessment.half_width_fraction, rel=1e-12)
    assert found.assessment.agree
    assert sum(found.assessment.shares.values()) == pytest.approx(1.0)
    assert set(found.assessment.shares) == {line.key for line in found.inventory.lines}
    assert sum(one.variance_share for one in found.drivers) == pytest.approx(1.0)
    again = uncertainty.read(closed, JANUARY, STANDARD, uncertainty.View(by="source"))
    assert uncertainty.as_json(again) == uncertainty.as_json(found)


def test_seed_and_draws_are_taken(closed: Context) -> None:
    one, two = (
        uncertainty.read(closed, JANUARY, STANDARD, draw=uncertainty.Draw(500, seed)).assessment.simulation
        for seed in (1, 2)
    )
    assert one.draws == 500
    assert one.total != two.total


def test_json_is_plain(closed: Context) -> None:
    text = json.dumps(uncertainty.as_json(uncertainty.read(closed, JANUARY, STANDARD)))
    assert json.loads(text)["simulated"]["low_gco2e"] < json.loads(text)["total_gco2e"]


def test_an_open_month_is_refused(small: Context) -> None:
    with pytest.raises(FaultyData):
        uncertainty.read(small, JANUARY, STANDARD)
    with pytest.raises(FaultyData):
        circularity.read(small, JANUARY)


def test_commands_print(closed: Context, capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from zerofactory.cli.main import app

    folder = str(closed.workspace.folder)
    for arguments in (
        ["inventory", "show", "--period", "2025-01", "--uncertainty"],
        ["inventory", "show", "--period", "2025-01", "--uncertainty", "--json", "--draws", "200", "--seed", "3"],
        ["circularity", "show", "--period", "2025-01"],
        ["circularity", "show", "--period", "2025-01", "--json"],
    ):
        done = CliRunner().invoke(app, ["-w", folder, *arguments])
        assert done.exit_code == 0, done.output
        if "--json" in arguments:
            assert json.loads(done.stdout)["period"] == "2025-01"
