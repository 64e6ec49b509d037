"""Dispatch of the reference plant: what it says, that it never looks ahead, and that it beats the rule on days it did not know."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.runs import energy_dispatch as run
from zerofactory.runs.context import Context

pytestmark = pytest.mark.slow
SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENT = datetime(2025, 7, 10, 8, tzinfo=SHANGHAI)
BUILD = {"battery": 60000.0}


def test_the_plan_balances_and_keeps_the_battery_within_its_walls(closed_reference_plant: Context) -> None:
    found = run.run(closed_reference_plant, run.Asked(MOMENT, 24, 15, BUILD))
    assert found.answer.check is not None
    assert found.answer.check.passed
    assert len(found.lines) == 96
    for line in found.lines:
        assert sum(line.power_kw.values()) == pytest.approx(line.load_kw, abs=0.5)
        assert 0.0 <= line.stored_kwh["battery"] <= 60000.0
    dear = [
        x.power_kw["battery"]
        for x in found.lines
        if x.price_cny_per_kwh == max(y.price_cny_per_kwh for y in found.lines)
    ]
    cheap = [
        x.power_kw["battery"]
        for x in found.lines
        if x.price_cny_per_kwh == min(y.price_cny_per_kwh for y in found.lines)
    ]
    assert np.mean(dear) > 0.0 > np.mean(cheap)  # gives when power is dear, takes when it is cheap
    night = [line.power_kw["pv"] for line in found.lines if line.started_at.astimezone(SHANGHAI).hour in (0, 1, 2)]
    assert max(night) == 0.0
    assert set(found.setpoints["battery"]) == {"charge_kw", "discharge_kw"}


def test_the_plan_of_a_moment_rests_on_nothing_later(
    closed_reference_plant: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run.run(closed_reference_plant, run.Asked(MOMENT, 24, 60, BUILD))
    make = run.make

    def spoilt(setting: object, *more: object) -> object:
        problem = make(setting, *more)  # type: ignore[arg-type]
        slot = round((MOMENT - problem.grid.start).total_seconds() / 3600)
        for load in problem.loads.values():
            load[slot:] *= 7.0  # type: ignore[index]
        return problem

    monkeypatch.setattr(run, "make", spoilt)
    again = run.run(closed_reference_plant, run.Asked(MOMENT, 24, 60, BUILD))
    assert [line.load_kw for line in again.lines] == [line.load_kw for line in first.lines]
    assert again.cost_cny == pytest.approx(first.cost_cny)


def test_three_measured_days_against_the_rule_and_against_knowing_everything(closed_reference_plant: Context) -> None:
    first = datetime(2025, 7, 22, tzinfo=SHANGHAI)
    found = run.backtest(closed_reference_plant, run.Asked(first, 24, 60, BUILD), first, 3)
    saved = {name: found.saved_cny(name) for name in found.judged}
    assert saved["none"] == 0.0 < saved["rule"] < saved["rolling"] < saved["perfect"]
    assert all(one.check.passed for one in found.judged.values())
    share = found.share("rolling")
    assert share is not None
    assert 0.5 < share < 1.0


def test_the_end_of_the_readings_is_where_a_plan_begins(closed_reference_plant: Context) -> None:
    found = run.run(closed_reference_plant, run.Asked(None, 24, 60))
    assert found.at.astimezone(SHANGHAI).isoformat() == "2026-01-01T00:00:00+08:00"
    assert any("--build" in note.en for note in found.notes)


def test_what_cannot_be_asked_is_said(closed_reference_plant: Context) -> None:
    with pytest.raises(NotFound):
        run.run(closed_reference_plant, run.Asked(MOMENT, 24, 60, {"reactor": 1.0}))
    with pytest.raises(NotFound):
        run.run(closed_reference_plant, run.Asked(MOMENT, 24, 60, BUILD, contents={"tank": 0.5}))
    early = datetime(2025, 1, 3, tzinfo=SHANGHAI)
    with pytest.raises(FaultyData, match="history"):
        run.run(closed_reference_plant, run.Asked(early, 24, 60))
    odd = datetime(2025, 7, 10, 8, 7, tzinfo=SHANGHAI)
    with pytest.raises(FaultyData, match="not the start"):
        run.run(closed_reference_plant, run.Asked(odd, 24, 15))
