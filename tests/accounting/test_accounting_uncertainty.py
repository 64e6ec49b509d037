"""Both methods of uncertainty, against theory: sums of normals, products, lognormals in closed form, shared parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.accounting.drawing import lognormal, sampled, triangular
from zerofactory.accounting.inventory import counted, fold, knowledge_of, names_of
from zerofactory.accounting.measure import class_name, measures_of
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.spread import (
    Z95,
    Part,
    Pattern,
    Shape,
    Spread,
    factor_parts,
    half_width,
    half_widths,
    range_half_width,
    shape_of,
    spread_of,
    stakes,
    variance_shares,
)
from zerofactory.accounting.uncertainty import assess, simulate
from zerofactory.errors import Misuse
from zerofactory.factors.load import factor_book
from zerofactory.site.model import Plant
from zerofactory.standards.load import standard

MANY = 200_000


def part(key: str, half_width_fraction: float, shape: Shape | None = None) -> Part:
    return Part(key, "factor", half_width_fraction, shape or shape_of(half_width_fraction))


def form(*lines: tuple[float, float, Sequence[Part]], groups: Sequence[str] = ("",)) -> Spread:
    """Return a spread of one activity a line: amount, half-width of the amount, shared parts."""
    patterns = tuple(Pattern(Part("", "document", u, shape_of(u)), tuple(shared)) for _, u, shared in lines)
    number = np.arange(len(lines), dtype=np.int64)
    return Spread(
        tuple(groups), patterns, tuple(f"document:{i:04d}" for i in number), np.array([x for x, _, _ in lines], dtype=np.float64),
        number % len(groups) if len(groups) == 1 else number, number, number,
    )  # fmt: skip


def test_sum_of_independent_normals_agrees_with_theory() -> None:
    spread = form((100.0, 0.10, ()), (200.0, 0.20, ()), (50.0, 0.05, ()))
    expected = math.hypot(10.0, 40.0, 2.5) / 350.0
    assert half_widths(spread)[""] == pytest.approx(expected, rel=1e-12)
    found = simulate(spread, MANY)
    assert Z95 * found.total.sd_g / 350.0 == pytest.approx(expected, rel=0.01)
    assert found.total.mean_g == pytest.approx(350.0, rel=0.001)
    assert (found.total.high_g - found.total.low_g) / 2 / 350.0 == pytest.approx(expected, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(1.0, 1e6), st.floats(0.001, 0.1), st.floats(0.001, 0.1)), min_size=1, max_size=8))
def test_products_of_small_half_widths_agree_within_one_percent(lines: list[tuple[float, float, float]]) -> None:
    spread = form(*((x, u, (part(f"factor:{i}", v),)) for i, (x, u, v) in enumerate(lines)))
    exact = math.sqrt(
        sum(x * x * ((1 + (u / Z95) ** 2) * (1 + (v / Z95) ** 2) - 1) for x, u, v in lines)
    ) / sum(x for x, _, _ in lines)  # fmt: skip
    assert half_widths(spread)[""] / Z95 == pytest.approx(exact, rel=0.01)
    found = simulate(spread, 20_000)
    assert found.total.sd_g / found.total.mean_g == pytest.approx(exact, rel=0.03)


def test_product_of_independent_lognormals_has_its_closed_form() -> None:
    widths = (0.6, 0.9, 0.4)
    spread = form((1000.0, widths[0], (part("factor:a", widths[1]), part("factor:b", widths[2]))))
    variances = [math.log1p((u / Z95) ** 2) for u in widths]
    sigma, mu = math.sqrt(sum(variances)), math.log(1000.0) - sum(variances) / 2
    found = simulate(spread, MANY).total
    assert found.mean_g == pytest.approx(1000.0, rel=0.01)
    assert found.sd_g == pytest.approx(1000.0 * math.sqrt(math.expm1(sigma**2)), rel=0.02)
    assert found.low_g == pytest.approx(math.exp(mu - Z95 * sigma), rel=0.01)
    assert found.high_g == pytest.approx(math.exp(mu + Z95 * sigma), rel=0.01)


def test_a_shared_factor_does_not_average_out() -> None:
    grid = part("factor:grid", 0.05)
    together = form(*((100.0, 0.0, (grid,)) for _ in range(20)))
    apart = form(*((100.0, 0.0, (part(f"factor:{i}", 0.05),)) for i in range(20)))
    assert half_widths(together)[""] == pytest.approx(0.05, rel=1e-12)
    assert half_widths(apart)[""] == pytest.approx(0.05 / math.sqrt(20), rel=1e-12)
    drawn = [Z95 * run.sd_g / run.mean_g for run in (simulate(s).total for s in (together, apart))]
    assert drawn == pytest.approx([0.05, 0.05 / math.sqrt(20)], rel=0.03)


def test_a_factor_of_two_half_widths_is_one_variable() -> None:
    spread = form((100.0, 0.0, (part("factor:a", 0.04),)), (100.0, 0.0, (part("factor:a", 0.02),)))
    assert half_widths(spread)[""] == pytest.approx(0.03, rel=1e-12)
    assert simulate(spread, MANY).total.sd_g * Z95 / 200.0 == pytest.approx(0.03, rel=0.01)


def test_opposite_signs_of_one_factor_cancel() -> None:
    spread = form((100.0, 0.0, (part("factor:a", 0.1),)), (-60.0, 0.0, (part("factor:a", 0.1),)))
    assert half_widths(spread)[""] == pytest.approx(0.1, rel=1e-12)
    assert simulate(spread, MANY).total.sd_g * Z95 / 40.0 == pytest.approx(0.1, rel=0.01)


def test_shares_of_variance_add_up_to_one() -> None:
    grid = part("factor:grid", 0.05)
    spread = form((100.0, 0.02, (grid,)), (40.0, 0.01, (grid,)), (30.0, 0.5, ()), groups=("a", "b", "c"))
    shares = variance_shares(spread)
    assert sum(shares.values()) == pytest.approx(1.0, rel=1e-12)
    totals = sampled(spread, MANY, 1)
    whole = totals.sum(axis=0)
    drawn = [float(np.cov(row, whole)[0, 1] / whole.var(ddof=1)) for row in totals]
    assert list(shares.values()) == pytest.approx(drawn, abs=0.01)


def test_same_seed_same_bytes_and_more_draws_begin_alike() -> None:
    spread = form(*((10.0 + i, 0.1 * (1 + i % 5), (part(f"factor:{i % 3}", 0.2),)) for i in range(50)))
    first = sampled(spread, 5000, 7)
    assert np.array_equal(first, sampled(spread, 5000, 7))
    assert not np.array_equal(first, sampled(spread, 5000, 8))
    assert np.allclose(sampled(spread, 9000, 7)[:, :5000], first, rtol=1e-14)


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(Misuse):
        simulate(form((1.0, 0.1, ())), 1)


def test_nothing_has_no_spread() -> None:
    found = assess(form((0.0, 0.1, ())))
    assert found.half_width_fraction == 0.0
    assert found.simulated_fraction == 0.0


def test_distribution_rule() -> None:
    assert [shape_of(u) for u in (0.05, 0.2999, 0.3, 3.0)] == ["normal", "normal", "lognormal", "lognormal"]
    assert range_half_width(0.5, 1.0, 1.5) == (pytest.approx(Z95 * 0.5 / math.sqrt(6)), "triangular")
    assert range_half_width(0.0005, 0.005, 0.25)[1] == "lognormal"


def test_triangle_has_its_mean_and_variance() -> None:
    drawn = triangular(np.random.Generator(np.random.PCG64(3)).standard_normal(MANY), 0.4, 2.0)
    low, high = 0.4, 2.0
    variance = (low**2 + 1 + high**2 - low - low * high - high) / 18
    assert drawn.min() >= low
    assert drawn.max() <= high
    assert drawn.mean() == pytest.approx((low + 1 + high) / 3, rel=0.005)
    assert drawn.var() == pytest.approx(variance, rel=0.01)


def test_lognormal_is_strictly_positive() -> None:
    drawn = lognormal(np.random.Generator(np.random.PCG64(3)).standard_normal(MANY), 3.0 / Z95)
    assert drawn.min() > 0.0


def test_half_width_of_a_product_stays_with_its_terms() -> None:
    parts = factor_parts("cn-t1.ng.ncv*cn-t1.ng.cc*cn-t1.ng.of", 0.04)
    assert [one.key for one in parts] == ["factor:cn-t1.ng.cc"]
    assert math.hypot(*(one.half_width_fraction for one in factor_parts("own.a*own.b", 0.1))) == pytest.approx(0.1)
    assert factor_parts("stated.purity=0.9", 0.1)[0].key == "factor:stated.purity=0.9"
    assert factor_parts("own.a", 0.0) == ()


def records(
    plant_with: Callable[..., Plant], activity: Callable[..., dict[str, object]], frame: Any
) -> tuple[pl.DataFrame, Plant]:
    plant = plant_with(
        {"power": "purchased_electricity", "oven": "stationary_combustion", "boiler": "stationary_combustion"}
    )
    rows = [
        activity(1, "power", "purchased_electricity", 500_000.0, "kWh", item="electricity"),
        activity(2, "power", "purchased_electricity", 400_000.0, "kWh", item="electricity", period="2025-07"),
        activity(3, "oven", "stationary_combustion", 9_000.0, "Nm3", item="natural_gas"),
        activity(4, "boiler", "stationary_combustion", 5_000.0, "Nm3", item="natural_gas", tier="estimated"),
    ]
    return quantify(frame(*rows), plant, factor_book(), known_at=date(2026, 1, 15)).records, plant


def test_linear_form_keeps_the_booked_half_width(
    plant_with: Callable[..., Plant], activity: Callable[..., dict[str, object]], frame: Any
) -> None:
    booked, _ = records(plant_with, activity, frame)
    signed = booked.with_columns(pl.col("emissions_gco2e").alias("signed"))
    for row in signed.filter(pl.col("emissions_gco2e") > 0).iter_slices(1):
        assert half_width(row) == pytest.approx(row["uncertainty_fraction"][0], rel=1e-9)


def test_any_order_of_records_gives_the_same_bytes(
    plant_with: Callable[..., Plant], activity: Callable[..., dict[str, object]], frame: Any
) -> None:
    booked, plant = records(plant_with, activity, frame)
    book = standard("iso_14064_1_2018")
    chosen = counted(booked, book, "location")
    shuffled = counted(booked.sample(fraction=1.0, shuffle=True, seed=4), book, "location")
    first, second = (assess(spread_of(one, "in_category", knowledge_of(plant))) for one in (chosen, shuffled))
    assert first == second
    assert first.agree
    assert first.applicable
    whole = fold(booked, book, "location", "category", names_of(plant))
    assert whole.uncertainty_fraction == pytest.approx(first.half_width_fraction, rel=1e-12)


def test_documents_are_apart_and_the_grid_factor_is_shared(
    plant_with: Callable[..., Plant], activity: Callable[..., dict[str, object]], frame: Any
) -> None:
    booked, _ = records(plant_with, activity, frame)
    found = {one.part.key: one for one in stakes(spread_of(counted(booked, standard("iso_14064_1_2018"), "location")))}
    grid = [key for key in found if key.startswith("factor:cn.grid")]
    assert len(grid) == 1
    power = booked.filter((pl.col("source_id") == "power") & (pl.col("regime") == "location"))["emissions_gco2e"].sum()
    assert found[grid[0]].spread_g == pytest.approx(0.05 * power, rel=1e-9)
    assert sum(key.startswith("document:") for key in found) == 4


def test_class_names_are_read_as_they_are_written() -> None:
    assert [class_name(text) for text in ("0.5S", "0.5s", "1.0", "1级", "class 2")] == ["0.5S", "0.5S", "1", "1", "2"]


METERED = """
[plant]
id = "p"
name = "厂"
time_zone = "Asia/Shanghai"
region = "CN-上海"
[organisation]
name = "公司"
[[shops]]
id = "paint"
kind = "paint"
name = "涂装"
[[meters]]
id = "E1"
name = "进线"
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "paint"
accuracy_class = "{0}"
[[meters]]
id = "E2"
name = "二号进线"
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "paint"
accuracy_class = "1.0"
[[sources]]
id = "power"
kind = "purchased_electricity"
name = "电"
item = "electricity"
meters = {1}
{2}
"""


def metered(accuracy: str, meters: str = '["E1"]', more: str = "") -> Plant:
    from zerofactory.site.load import plant as read_plant

    made, problems = read_plant(METERED.format(accuracy, meters, more))
    assert made is not None, [problem.sentence("en") for problem in problems]
    return made


@pytest.mark.parametrize(("accuracy", "expected"), [("0.2S", 0.002), ("0.5S", 0.005), ("1", 0.01), ("2.0", 0.02)])
def test_a_meter_counts_with_its_own_class(
    accuracy: str, expected: float, activity: Callable[..., dict[str, object]], frame: Any
) -> None:
    plant = metered(accuracy)
    row = activity(1, "power", "purchased_electricity", 1000.0, "kWh", item="electricity", tier="metered")
    booked = quantify(frame(row), plant, factor_book(), known_at=date(2026, 1, 15)).records
    assert booked["uncertainty_fraction"][0] == pytest.approx(math.hypot(expected, 0.05), rel=1e-12)


def test_unknown_class_leaves_the_default_and_several_meters_take_the_worst() -> None:
    assert measures_of(metered("9.9"), factor_book()) == {}
    both = measures_of(metered("0.2S", '["E1", "E2"]'), factor_book())["power"]
    assert (both.key, both.half_width_fraction) == ("meter:E1+E2", 0.01)


def test_a_meter_is_one_variable_over_the_months(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    plant = metered("2")
    rows = [
        activity(
            n,
            "power",
            "purchased_electricity",
            1000.0,
            "kWh",
            item="electricity",
            tier="metered",
            period=f"2025-{n:02d}",
        )
        for n in range(1, 13)
    ]
    booked = quantify(frame(*rows), plant, factor_book(), known_at=date(2026, 1, 15)).records
    chosen = counted(booked, standard("iso_14064_1_2018"), "location")
    assert half_width(chosen, knowledge_of(plant)) == pytest.approx(math.hypot(0.02, 0.05), rel=1e-9)


def test_better_meters_and_drivers_are_ranked(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    from zerofactory.accounting.drivers import better_meters, drivers

    plant = metered("2")
    row = activity(1, "power", "purchased_electricity", 1000.0, "kWh", item="electricity", tier="metered")
    booked = quantify(frame(row), plant, factor_book(), known_at=date(2026, 1, 15)).records
    spread = spread_of(counted(booked, standard("iso_14064_1_2018"), "location"), None, knowledge_of(plant))
    found = drivers(spread, plant, factor_book())
    assert [one.kind for one in found] == ["factor", "meter"]
    assert sum(one.variance_share for one in found) == pytest.approx(1.0)
    better = better_meters(spread, plant, factor_book())
    assert len(better) == 1
    assert better[0].better_fraction == 0.002
    assert better[0].total_after_fraction == pytest.approx(math.hypot(0.002, 0.05))
    assert better[0].gain_fraction > 0


def test_bundles_of_any_length_equal_plain_multiplication() -> None:
    lengths = (1, 2, 15, 16, 17, 40, 3)
    shared = [(part(f"factor:{i}", (0.05, 0.4, 0.1)[i % 3]), part("factor:all", 0.03)) for i in range(len(lengths))]
    patterns = tuple(
        Pattern(Part("", "document", u, shape_of(u)), both) for u, both in zip((0.02, 0.5) * 4, shared, strict=False)
    )
    place = np.repeat(np.arange(len(lengths)), lengths)
    amounts = np.linspace(1.0, 9.0, len(place))
    keys = tuple(f"document:{i:04d}" for i in range(len(place)))
    spread = Spread(("a", "b"), patterns, keys, amounts, (place > 3).astype(np.int64), place, np.arange(len(place)))
    every = sorted({*keys, *(one.key for both in shared for one in both)})
    normals = np.random.Generator(np.random.PCG64(9)).standard_normal((1000, len(every))).T
    expected = np.zeros((2, 1000))
    for line, where in enumerate(place):
        drawn = amounts[line] * multiplied(patterns[where].activity, normals[every.index(keys[line])])
        for one in patterns[where].shared:
            drawn = drawn * multiplied(one, normals[every.index(one.key)])
        expected[int(where > 3)] += drawn
    assert np.allclose(sampled(spread, 1000, 9), expected, rtol=1e-12)


def multiplied(one: Part, normals: np.ndarray) -> np.ndarray:
    deviation = one.half_width_fraction / Z95
    return 1.0 + deviation * normals if one.shape == "normal" else lognormal(normals, deviation)
