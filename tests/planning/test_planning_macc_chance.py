"""The cost curve adds up, and the probabilities are those of arithmetic where arithmetic can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import erf, sqrt

import numpy as np
import pytest
from tests.planning.toys import Toy

from zerofactory.errors import Text
from zerofactory.planning import likelihood, macc, roadmap, scenario
from zerofactory.planning.portfolio import Portfolio
from zerofactory.planning.roadmap import Goal, Question
from zerofactory.reporting.plan_charts import cost_curve, gantt, png, svg, trajectory, wedges

Make = Callable[..., Portfolio]
TOYS = [
    Toy("a", (("oven", 0.3),), capex=300_000.0),
    Toy("b", (("oven", 0.25), ("boiler", 0.1)), capex=100_000.0),
    Toy("c", (("oven", 0.4),), adds_kwh=2.0, capex=350_000.0, kind="electrification"),
    Toy("d", fixed_kwh=-400_000.0, capex=240_000.0, kind="renewable"),
]


def test_steps_add_up_to_what_all_save_together(make: Make) -> None:
    portfolio = make(TOYS, contract=30.0, rate=0.06, gas_cny=3.0, power_cny=0.5)
    steps = macc.curve(portfolio, 2027, "market_annual")
    assert {step.measure.id for step in steps} == {"a", "b", "c", "d", "gec"}
    on = np.ones((4, 3))
    left = portfolio.amounts(on, np.zeros((1, 3)))[:, 1]
    together = 3000e6 - (left[0] * 2000.0 + 0.0)  # the contract covers all the power that is left
    assert steps[-1].cumulative_gco2e == pytest.approx(together, rel=1e-6)
    assert sum(step.abated_gco2e for step in steps) == pytest.approx(steps[-1].cumulative_gco2e)


def test_a_step_costs_annuity_and_bill(make: Make) -> None:
    """d: 240 000 CNY over 30 years at 6 % is 17 435.7 a year; 400 MWh at 0.5 CNY/kWh saved; 200 t."""
    portfolio = make([TOYS[3]], rate=0.06, power_cny=0.5)
    (step,) = macc.curve(portfolio, 2026, "market_annual")
    assert step.abated_gco2e == pytest.approx(200e6)
    assert step.cost_cny == pytest.approx(240_000 * 0.0726489 - 200_000, rel=1e-5)
    assert step.cny_per_t == pytest.approx(step.cost_cny / 200.0)


def test_later_steps_save_less_than_alone(make: Make) -> None:
    portfolio = make([TOYS[0], Toy("e", (("oven", 0.3),), capex=900_000.0)])
    first, second = macc.curve(portfolio, 2026, "market_annual")
    assert first.measure.id == "a"
    assert first.abated_gco2e == pytest.approx(0.3 * 600_000 * 2000)
    assert second.abated_gco2e == pytest.approx(0.7 * 0.3 * 600_000 * 2000)


def test_of_measures_that_exclude_each_other_one_is_on_the_curve(make: Make) -> None:
    portfolio = make([replace(TOYS[0], excludes=("f",)), Toy("f", (("oven", 0.5),), capex=1e7, excludes=("a",))])
    assert [step.measure.id for step in macc.curve(portfolio, 2026, "market_annual")] == ["a"]


def _plan(portfolio: Portfolio, tonnes: float) -> tuple[roadmap.Roadmap, Goal]:
    goal = Goal("g", Text("目标", "goal"), "market_annual", (1, 2), {2028: int(tonnes * 1e6)})
    return roadmap.plan(portfolio, Question("market_annual", (goal,))), goal


def test_the_same_seed_gives_the_same_chance_and_another_seed_another(make: Make) -> None:
    found, goal = _plan(make(TOYS, rate=0.06), 2550.0)
    one, two = (likelihood.chances(found, [goal], likelihood.Draws(2000, 7)) for _ in range(2))
    assert one == two
    assert likelihood.chances(found, [goal], likelihood.Draws(2000, 8)) != one


def test_nothing_uncertain_gives_certainty(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "default", lambda name: 1.0 if name == "draws" else 0.0)
    found, goal = _plan(make(TOYS, rate=0.06), 2550.0)
    (chance,) = likelihood.chances(found, [goal], likelihood.Draws(100, 1))
    assert chance.probability == 1.0
    assert chance.low_gco2e == pytest.approx(chance.high_gco2e)
    assert chance.median_gco2e == pytest.approx(found.path("market_annual", (1, 2))[2])


def test_the_grid_alone_gives_the_normal_distribution(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the grid is uncertain: E = 2000 + 1000·N(1, σ), σ = 0.2/1.96·√(3/10); limit 3030 t → Φ(0.03/σ)."""
    monkeypatch.setattr(likelihood, "default", lambda name: 0.2 if name == "grid_after_ten_years" else 0.0)
    found, _ = _plan(make([]), 3100.0)
    goal = Goal("g", Text("目标", "goal"), "market_annual", (1, 2), {2028: 3_030_000_000})
    (chance,) = likelihood.chances(found, [goal], likelihood.Draws(20_000, 3))
    sigma = 0.2 / 1.96 * sqrt(0.3)
    assert chance.probability == pytest.approx(0.5 * (1 + erf(0.03 / sigma / sqrt(2))), abs=0.01)


def test_one_late_measure_gives_the_probability_of_being_in_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure must be on in 2026 and comes late in a fifth of all draws."""
    monkeypatch.setattr(likelihood, "default", lambda name: 0.2 if name == "delay_probability" else 0.0)
    goal = Goal("g", Text("目标", "goal"), "market_annual", (1, 2), {2026: 2_700_000_000})
    found = roadmap.plan(make([TOYS[0]]), Question("market_annual", (goal,)))
    (chance,) = likelihood.chances(found, [goal], likelihood.Draws(20_000, 3))
    assert chance.probability == pytest.approx(0.8, abs=0.01)


def test_a_better_known_saving_is_surer(make: Make) -> None:
    portfolio = make([replace(TOYS[0])])
    found, goal = _plan(portfolio, 2665.0)
    rough = replace(portfolio.options[0].measure, saving_uncertainty_fraction=0.9)
    loose = replace(found, portfolio=replace(portfolio, options=(replace(portfolio.options[0], measure=rough),)))
    sure = likelihood.chances(found, [goal], likelihood.Draws(4000, 1))[0]
    unsure = likelihood.chances(loose, [goal], likelihood.Draws(4000, 1))[0]
    assert unsure.high_gco2e - unsure.low_gco2e > sure.high_gco2e - sure.low_gco2e
    assert (
        scenario.default("saving_verified")
        < scenario.default("saving_secondary")
        < scenario.default("saving_placeholder")
    )


def test_pictures_hold_their_texts_and_wedges_add_up(make: Make) -> None:
    portfolio = make(TOYS, contract=30.0, rate=0.06)
    found, _ = _plan(portfolio, 1500.0)
    parts = wedges(found, "market_annual")
    idle = portfolio.amounts(found.on * 0, found.covers_mwh * 0)
    nothing = (idle * portfolio.selection("market_annual", (1, 2))).sum(axis=0)
    assert sum(parts.values()) == pytest.approx(nothing - found.path("market_annual", (1, 2)))
    chart = svg(gantt(found, "zh"))
    assert "能效" in chart
    assert chart == svg(gantt(found, "zh"))
    assert "千吨" in svg(trajectory(found, "market_annual", "zh", (2025, 3_000_000_000), {}))
    curve = cost_curve(macc.curve(portfolio, 2027, "market_annual"), 2027, "en")
    assert "CNY per t" in svg(curve)
    assert png(curve).startswith(b"\x89PNG")
