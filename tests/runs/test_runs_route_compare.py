"""Comparing routes in a workspace: the tonnes are the accounts' own, and break-even shares are where the routes meet."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.optimisation.routes.route import Route
from zerofactory.runs import route_compare as run
from zerofactory.runs.context import Context

VOLUME = 100_000
ASKED = run.Asked(volume=VOLUME, year=2025)


@pytest.fixture
def found(small: Context) -> run.Comparison:
    return run.run(small, ASKED)


def test_tonnes_of_a_route_are_what_the_accounts_book(found: run.Comparison) -> None:
    for one in found.routes.values():
        per_unit = sum(amount * one.emitted[item].total_gco2e for item, amount in one.quantities.items())
        assert sum(one.booked_gco2e.values()) == pytest.approx(per_unit * VOLUME, rel=1e-6)
        assert all(isinstance(grams, int) for grams in one.booked_gco2e.values())


def test_metal_of_stamping_by_hand(found: run.Comparison) -> None:
    """Galvanised coil 3.11 and high-strength 2.6 kgCO2e/kg (the factor sets), on what is bought."""
    base = found.base
    bought = [metal.new_kg for metal in base.body.metals]
    assert base.metal_kgco2e == pytest.approx(bought[0] * 3.11 + bought[1] * 2.6)


def test_at_the_equal_share_the_routes_emit_the_same(small: Context, found: run.Comparison) -> None:
    share = found.equal_recycled_fraction["integrated_casting"]
    assert share is not None
    again = run.run(small, replace(ASKED, recycled_fraction=share, routes=("integrated_casting",)))
    assert again.routes["integrated_casting"].kgco2e_per_body == pytest.approx(found.base.kgco2e_per_body, rel=1e-6)


def test_table_of_shares_agrees_with_a_run_at_that_share(small: Context, found: run.Comparison) -> None:
    table = found.recycled_table["aluminium_sheet"]
    assert [row[0] for row in table] == sorted((row[0] for row in table), reverse=True)
    once = run.run(small, replace(ASKED, recycled_fraction=0.6, routes=("aluminium_sheet",))).routes["aluminium_sheet"]
    electric = [item for item in once.quantities if item.source_kind == "purchased_electricity"]
    grid = {once.emitted[item].total_gco2e for item in electric}
    fixed = once.kgco2e_per_body - once.electricity_kwh * grid.pop() / 1000.0
    row = table[found.shared.recycled_fractions.index(0.6)]
    for grams, kg in zip(found.shared.grid_gco2e_per_kwh, row, strict=True):
        assert kg == pytest.approx(fixed + once.electricity_kwh * grams / 1000.0, rel=1e-6)


def test_band_of_steel_saved_is_that_of_the_factor_set(found: run.Comparison) -> None:
    assert found.steel_band_kgco2e_per_kg == (0.5, 2.1)
    assert found.steel_saved_kg["integrated_casting"] == pytest.approx(85.7)


def test_own_numbers_of_the_workspace_count(small: Context, found: run.Comparison) -> None:
    (small.workspace.folder / "routes.toml").write_text(
        '[assumptions.prices.aluminium_alloy]\nvalue = 10.0\nunit = "CNY/kg"\nsource = "our contract"\nstatus = "verified"\n',
        encoding="utf-8",
    )
    cheaper = run.run(small, ASKED).routes["integrated_casting"]
    before = found.routes["integrated_casting"]
    assert before.costed.cny_per_body - cheaper.costed.cny_per_body == pytest.approx(11.0 * before.body.new_kg)


def test_what_cannot_be_is_refused(small: Context) -> None:
    with pytest.raises(FaultyData):
        run.run(small, replace(ASKED, recycled_fraction=1.5, volume=0))
    with pytest.raises(NotFound):
        run.run(small, replace(ASKED, routes=("forged",)))
    with pytest.raises(FaultyData, match="output"):
        run.run(small, replace(ASKED, volume=None))


def test_a_route_that_fails_its_check_is_not_shown(small: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from zerofactory.optimisation.routes import balance

    real = balance.body_of

    def wrong(route: Route) -> balance.Body:
        body = real(route)
        return replace(body, metals=tuple(replace(one, new_kg=one.new_kg * 0.9) for one in body.metals))

    monkeypatch.setattr(run, "body_of", wrong)
    with pytest.raises(FaultyData, match="check"):
        run.run(small, ASKED)


def test_json_holds_the_table(found: run.Comparison) -> None:
    plain = json.loads(json.dumps(found.as_json()))
    assert next(one["route"] for one in plain["routes"]) == "stamped_steel"
    for one in plain["routes"]:
        assert sum(one["by_scope_kgco2e"].values()) == pytest.approx(one["kgco2e"])
        assert sum(one["cny_by_kind"].values()) == pytest.approx(one["cny"])
        assert one["netted_kgco2e"] == pytest.approx(one["kgco2e"] - one["scrap_credit_kgco2e"])
        assert one["new_metal_kg"] == pytest.approx(one["net_kg"] + one["scrap_sold_kg"] + one["lost_kg"])
