"""The recommended plan of the reference plant: it can be kept, and its planned years are those of the book's own arithmetic."""

from __future__ import annotations

import pytest

from zerofactory.periods import Period
from zerofactory.planning.measure import measures
from zerofactory.planning.stream import ELECTRICITY, ON_SITE
from zerofactory.runs import plan, plan_roadmap
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import read


def test_the_recommended_plan_is_kept_and_recomputes(closed_reference_plant: Context) -> None:
    context = closed_reference_plant
    assert plan.current(context).version in (0, 1)
    found = plan_roadmap.run(context, more=plan_roadmap.More(draws=200, time_limit_s=900.0))
    assert found.roadmap.kept, found.roadmap.clash
    assert found.roadmap.report.gap_fraction <= 0.001
    assert len(found.roadmap.starts) >= 30
    booked = read(context, Period(2025), "iso_14064_1_2018", "market_annual").total_gco2e
    assert found.book.base.total((1, 2)) == booked
    last = found.path[-1]
    assert last.total("market_annual") <= booked // 10 + 10
    for goal in found.roadmap.question.goals:
        by_year = found.roadmap.path(goal.regime, goal.scopes, goal.categories)
        for year, limit in goal.limits_gco2e.items():
            place = found.roadmap.portfolio.years.index(year)
            assert by_year[place] <= limit * (1 + 1e-6)
            if not goal.categories:
                assert found.path[place].total(goal.regime, goal.scopes) <= limit * (1 + 1e-6)
    assert max(found.roadmap.investment_cny().values()) <= 160_000_000
    _roofs_add_up(found)


def _roofs_add_up(found: plan_roadmap.Result) -> None:
    """What the roofs give is taken off what is purchased: own and purchased power together only move by measures on demand."""
    portfolio = found.roadmap.portfolio
    streams = portfolio.streams
    own = [s for s, stream in enumerate(streams) if stream.source_kind == ON_SITE]
    bought = [s for s, stream in enumerate(streams) if stream.source_kind == ELECTRICITY]
    place = [option.id for option in portfolio.options].index("pv_roof")
    column = portfolio.option_matrix[:, place]
    size = portfolio.options[place].size or 0.0
    assert column[own].sum() == pytest.approx(size * measures()["pv_roof"].amounts[1].per_size)
    assert column[own].sum() + column[bought].sum() == pytest.approx(0.0, abs=1e-6)
    assert (found.roadmap.amounts >= -1e-6).all(), "no stream may fall below nothing"


def test_a_wish_no_measure_can_meet_is_answered_with_the_nearest_plan(closed_reference_plant: Context) -> None:
    from zerofactory.errors import Text
    from zerofactory.planning.limit import Limit

    impossible = Limit("emissions_1", 100.0, "tCO2e", "at_most", Text("范围1", "scope 1"), 2045)
    found = plan_roadmap.cheapest(closed_reference_plant, [impossible], more=plan_roadmap.More(time_limit_s=30.0))
    assert not found.roadmap.kept
    assert found.roadmap.clash == ("limit:emissions_1:0",)
    ((_, reached),) = found.reached
    assert 1_000.0 < reached < 12_000.0
