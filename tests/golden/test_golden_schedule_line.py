"""The car line of the reference plant: carbon saved, due dates kept, the same tonnes by the accounts, feeding possible."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from zerofactory.runs import schedule_feed, schedule_line
from zerofactory.runs.context import Context
from zerofactory.runs.line_signals import booking_of, factor

DAY = datetime(2025, 7, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_schedule_saves_carbon_and_keeps_the_due_dates(closed_reference_plant: Context) -> None:
    found = schedule_line.run(closed_reference_plant, schedule_line.Asked(DAY, moves=300))
    naive, best = found.naive, found.best
    assert best.check.passed
    assert naive.check.passed
    assert best.measures.late == ()
    assert best.measures.carbon_gco2e < 0.99 * naive.measures.carbon_gco2e
    assert best.measures.energy_kwh < naive.measures.energy_kwh
    assert best.measures.setups < naive.measures.setups
    per_kwh = factor(booking_of(closed_reference_plant), "2025-07")
    assert best.booked_t == pytest.approx(best.measures.grid_kwh * per_kwh / 1e6, rel=1e-6)
    fed = schedule_feed.feed(schedule_feed.read(closed_reference_plant), found.problem, best.plan)
    assert fed.plan.tours > 0
