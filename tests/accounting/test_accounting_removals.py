"""Removals: reported apart, never deducted; reversals are emissions; what is no removal is not called one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import Quantified, quantify
from zerofactory.factors.load import factor_book
from zerofactory.standards.load import standard

KINDS = {
    "oven": "stationary_combustion", "trees": "tree_removal", "felled": "tree_reversal", "capture": "co2_capture",
    "stored": "fossil_co2_storage", "used": "co2_use", "leak": "stored_co2_leakage",
}  # fmt: skip
CAUGHT = {"lost_fraction": 0.05, "electricity_intensity": 400.0, "monitoring": "M-1", "storage": "geological"}


@pytest.fixture
def book(
    plant_with: Callable[..., Any], activity: Callable[..., dict[str, object]], frame: Callable[..., pl.DataFrame]
) -> Callable[..., Quantified]:
    plant = plant_with(KINDS)

    def quantified(*rows: tuple[str, str | None, float, str, dict[str, object]]) -> Quantified:
        made = [
            activity(n, name, KINDS[name], amount, unit, item=item, detail=detail)
            for n, (name, item, amount, unit, detail) in enumerate(rows, start=1)
        ]
        return quantify(frame(*made), plant, factor_book(), known_at=date(2026, 1, 15))

    return quantified


OVEN = ("oven", "natural_gas", 10_000.0, "Nm3", {})
TREES = (
    "trees",
    "temperate_broad_young",
    2.0,
    "ha",
    {"method": "biomass", "biomass_increment": 5.0, "monitoring": "M-1"},
)


def test_removals_never_lower_a_total(book: Callable[..., Quantified]) -> None:
    caught = {name: value for name, value in CAUGHT.items() if name not in ("monitoring", "storage")}
    alone = book(OVEN)
    beside = book(
        OVEN,
        TREES,
        ("capture", "biogenic_co2", 10.0, "t", CAUGHT),
        ("stored", "fossil_co2", 20.0, "t", CAUGHT),
        ("used", "fossil_co2", 30.0, "t", caught),
    )
    assert not alone.problems
    assert not beside.problems
    for name in ("iso_14064_1_2018", "ghg_protocol_corporate", "cn_machinery_2015"):
        first, second = (fold(one.records, standard(name), "location", "gas") for one in (alone, beside))
        assert first.total_gco2e == second.total_gco2e
        net = 1e6 * (1 - 0.05 - 0.4 * 0.5737)
        trees = round(2 * 5e6 * 1.46 * 0.47 * 44 / 12)
        assert second.apart_gco2e["removals"] == pytest.approx(trees + 10 * net, abs=5)
        assert second.apart_gco2e["stored_fossil"] == pytest.approx(20 * net, abs=5)
        assert second.apart_gco2e["delayed"] == pytest.approx(30 * net, abs=5)
        assert second.apart_gco2e["exported"] == 0


def test_net_capture_under_the_market_view_uses_its_own_factor(book: Callable[..., Quantified]) -> None:
    found = fold(
        book(("capture", "atmospheric_co2", 10.0, "t", CAUGHT)).records,
        standard("iso_14064_1_2018"),
        "market_annual",
        "gas",
    )
    assert found.apart_gco2e["removals"] == pytest.approx(1e7 * (0.95 - 0.4 * 0.6096), abs=5)


def test_a_reversal_is_an_emission(book: Callable[..., Quantified]) -> None:
    felled = ("felled", *TREES[1:])
    found = fold(
        book(felled, ("leak", "biogenic_co2", 3.0, "t", {})).records,
        standard("iso_14064_1_2018"),
        "location",
        "category",
    )
    amounts = {line.key: line.emissions_gco2e for line in found.lines}
    assert amounts == {"1.4": 3_000_000, "1.5": round(2 * 5e6 * 1.46 * 0.47 * 44 / 12)}
    assert found.apart_gco2e["removals"] == 0


def test_crown_cover_and_single_trees(book: Callable[..., Quantified]) -> None:
    crown = ("trees", None, 10_000.0, "m2", {"method": "crown_cover", "years": 0.5, "monitoring": "M-1"})
    single = ("trees", "pine", 100.0, "piece", {"method": "per_tree", "years": 1.0, "monitoring": "M-1"})
    found = book(crown, single)
    assert not found.problems
    assert found.records["emissions_gco2e"].to_list() == [
        round(2.9e6 * 0.5 * 44 / 12), round(100 * 0.0087 * 1e6 * 44 / 12),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("trees", None, 1.0, "ha", {"method": "crown_cover", "years": 1.0}), "accounting.missing_detail"),
        (("trees", None, 1.0, "ha", {"method": "crown_cover", "monitoring": "M"}), "accounting.missing_detail"),
        (("trees", "pine", 1.0, "ha", {"method": "per_tree", "years": 1.0, "monitoring": "M"}), "accounting.not_a_choice"),
        (("trees", "pine", 1.0, "ha", {"method": "biomass", "biomass_increment": 1.0, "monitoring": "M"}), "accounting.not_a_choice"),
        (("capture", "fossil_co2", 1.0, "t", CAUGHT), "accounting.not_a_choice"),
        (("capture", "biogenic_co2", 1.0, "t", {**CAUGHT, "storage": "fuel"}), "accounting.not_a_choice"),
        (("capture", "biogenic_co2", 1.0, "t", {**CAUGHT, "lost_fraction": 1.5}), "accounting.detail_out_of_range"),
    ],
)  # fmt: skip
def test_what_is_not_monitored_or_not_lasting_is_refused(
    row: tuple[str, str | None, float, str, dict[str, object]], code: str, book: Callable[..., Quantified]
) -> None:
    found = book(row)
    assert found.records.is_empty()
    assert [problem.code for problem in found.problems] == [code]
