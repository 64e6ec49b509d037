"""The charge: textbook blends worked by hand, duals against re-solving, trying everything on a grid, the smallest clash."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.material.mix import Charge, Limit, MixProblem, check, plan


def charge(name: str, price: float, footprint: float, recycled: float, **content: float) -> Charge:
    return Charge(name, Text(f"料{name}", name), price, footprint, recycled, {k: v / 100 for k, v in content.items()})


SCRAP, INGOT, ALLOY = (
    charge("scrap", 14.0, 0.7, 1.0, Fe=1.0, Si=6.0),
    charge("ingot", 20.0, 15.5, 0.0, Fe=0.1, Si=0.1),
    charge("si", 12.0, 11.0, 0.0, Fe=0.5, Si=98.0),
)
BLEND = MixProblem(1000.0, (SCRAP, INGOT, ALLOY), (Limit("Fe", 0.0, 0.007), Limit("Si", 0.08, 0.11)))


def test_scrap_is_thinned_to_its_limit_by_hand() -> None:
    """Two things, one limit: x · 1.0 + (1 − x) · 0.1 = 0.7 → two thirds."""
    found = plan(MixProblem(900.0, (SCRAP, INGOT), (Limit("Fe", 0.0, 0.007),)))
    assert found.charged_kg["scrap"] == pytest.approx(600.0)
    assert found.cost_cny == pytest.approx(600 * 14 + 300 * 20)
    assert found.recycled_fraction == pytest.approx(2 / 3)
    # easing iron by 0.1 % lets in 0.1/0.9 of the melt more scrap, 6 CNY cheaper a kilogram
    assert {one.id: one.value for one in found.shadow_prices}["most:Fe"] == pytest.approx(-900 * (0.1 / 0.9) * 6)


def test_no_charge_on_a_fine_grid_is_cheaper() -> None:
    found = plan(BLEND)
    assert found.findings == ()
    best = min(
        14 * a + 20 * (1000 - a - b) + 12 * b
        for a, b in product(range(0, 1001, 4), range(0, 200, 2))
        if a + b <= 1000
        and 0.01 * a + 0.001 * (1000 - a - b) + 0.005 * b <= 7
        and 80 <= 0.06 * a + 0.001 * (1000 - a - b) + 0.98 * b <= 110
    )
    assert found.cost_cny <= best + 1e-6
    assert found.cost_cny == pytest.approx(best, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "eased"), [("most:Fe", replace(BLEND, limits=(Limit("Fe", 0.0, 0.0071), Limit("Si", 0.08, 0.11))))]
)
def test_a_shadow_price_is_what_easing_brings(name: str, eased: MixProblem) -> None:
    price = {one.id: one.value for one in plan(BLEND).shadow_prices}[name]
    assert plan(eased).cost_cny - plan(BLEND).cost_cny == pytest.approx(price / 10, rel=1e-6)


def test_shares_caps_prices_and_objectives_move_the_charge_the_right_way() -> None:
    cheap, clean = plan(BLEND), plan(replace(BLEND, objective="footprint"))
    assert clean.footprint_kgco2e <= cheap.footprint_kgco2e
    assert cheap.cost_cny <= clean.cost_cny
    dear = replace(BLEND, charges=(replace(SCRAP, price_cny_per_kg=25.0), INGOT, ALLOY))
    without, with_share = plan(dear), plan(replace(dear, least_recycled_fraction=0.5))
    assert without.recycled_fraction < 0.5 <= with_share.recycled_fraction + 1e-9
    assert {one.id: one.value for one in with_share.shadow_prices}["recycled"] < 0
    capped = plan(replace(dear, cap_kgco2e_per_kg=8.0))
    assert capped.footprint_kgco2e <= 8000 * (1 + 1e-9)
    assert plan(replace(dear, carbon_price_cny_per_t=2000.0)).footprint_kgco2e < without.footprint_kgco2e


def test_yield_and_stock_are_counted() -> None:
    lossy = replace(SCRAP, yield_fraction=0.9, available_kg=300.0)
    found = plan(replace(BLEND, charges=(lossy, INGOT, ALLOY)))
    assert found.charged_kg["scrap"] == pytest.approx(300.0)
    assert sum(found.charged_kg.values()) == pytest.approx(1000 + 0.1 * 300)


def test_the_smallest_clash_is_named_and_what_would_do() -> None:
    """Iron at most 0.3 % and half of it recycled cannot be: scrap at 1.0 % and ingot at 0.1 % make 0.55 %. Silicon is not to blame."""
    asked = replace(BLEND, limits=(Limit("Fe", 0.0, 0.003), Limit("Si", 0.02, 0.11)), least_recycled_fraction=0.5)
    found = plan(asked)
    assert found.conflict is not None
    assert {one.wish.id for one in found.conflict.clashing} == {"most:Fe", "recycled"}
    becomes = {one.wish.id: one.becomes for one in found.conflict.clashing}
    assert becomes["most:Fe"] == pytest.approx(0.55, abs=0.002)
    told = found.conflict.sentence()
    assert "Fe 上限" in told.zh
    assert "recycled share" in told.en
    # what it says would do does
    eased = replace(asked, limits=(Limit("Fe", 0.0, 1.001 * becomes["most:Fe"] / 100), asked.limits[1]))  # type: ignore[operator]
    assert plan(eased).conflict is None


@pytest.mark.parametrize(
    ("change", "said"),
    [({"scrap": 10.0}, "melt is"), ({"scrap": -5.0}, "range"), ({"ingot": 900.0}, "melt is")],
)
def test_the_check_catches_what_is_planted(change: dict[str, float], said: str) -> None:
    found = plan(BLEND)
    assert check(BLEND, found) == ()
    wrong = replace(found, charged_kg={**found.charged_kg, **change})
    assert any(said in one.en for one in check(BLEND, wrong))
    shifted = {
        "scrap": found.charged_kg["scrap"] + 50,
        "ingot": found.charged_kg["ingot"] - 50,
        "si": found.charged_kg["si"],
    }
    assert any("Fe is" in one.en for one in check(BLEND, replace(found, charged_kg=shifted)))


def test_faults_are_named_before_anything_is_solved() -> None:
    cases = {
        "share": replace(BLEND, charges=(charge("percent", 1.0, 1.0, 0.0, Fe=850.0), INGOT)),
        "contents": replace(BLEND, charges=(charge("sum", 1.0, 1.0, 0.0, Fe=60.0, Si=60.0), INGOT)),
        "not_positive": replace(BLEND, melt_kg=0.0),
        "above_stock": replace(BLEND, charges=tuple(replace(one, available_kg=100.0) for one in BLEND.charges)),
        "limit": replace(BLEND, limits=(Limit("Fe", 0.02, 0.01),)),
        "no_content": replace(BLEND, limits=(Limit("Zn", 0.0, 0.01),)),
        "repeated": replace(BLEND, charges=(SCRAP, SCRAP)),
        "range": replace(BLEND, charges=(replace(SCRAP, least_kg=50.0, available_kg=20.0), INGOT)),
        "objective": replace(BLEND, objective="beauty"),
        "empty": replace(BLEND, charges=()),
        "negative": replace(BLEND, charges=(replace(SCRAP, price_cny_per_kg=-1.0), INGOT)),
    }
    for code, problem in cases.items():
        found = problem.check()
        assert code in {one.code.removeprefix("material.") for one in found}, code
        assert all(one.message.zh and one.message.en and one.hint.zh and one.hint.en for one in found)
    assert BLEND.check() == []
