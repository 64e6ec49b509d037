"""Circularity: ratios by hand, by shop and for the plant, with targets; no data, no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from zerofactory.accounting.circularity import Indicator, circularity


def by_key(found: tuple[Indicator, ...], shop: str = "") -> dict[str, Indicator]:
    return {one.key + (f":{one.item}" if one.item else ""): one for one in found if one.shop == shop}


def test_ratios_by_hand(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    found = circularity(
        frame(
            activity(1, "in", "material_input", 1000.0, "t", shop="body"),
            activity(2, "out", "material_output", 620_000.0, "kg", shop="body"),
            activity(
                3, "scrap", "metal_scrap", 370.0, "t", item="steel", detail={"scrap_fate": "recovered"}, shop="body"
            ),
            activity(4, "co", "metal_scrap", 9.93, "t", item="cobalt", detail={"scrap_fate": "recovered"}),
            activity(5, "co", "metal_scrap", 0.07, "t", item="cobalt", detail={"scrap_fate": "lost"}),
            activity(6, "water", "water_intake", 90.0, "万m3"),
            activity(7, "reuse", "water_reuse", 8_100_000.0, "m3"),
            activity(8, "waste", "solid_waste", 400.0, "t", detail={"waste_fate": "recovered"}),
            activity(9, "waste", "solid_waste", 50.0, "t", detail={"waste_fate": "recovered_from_stock"}),
            activity(10, "waste", "solid_waste", 50.0, "t", detail={"waste_fate": "disposed"}),
        )
    )
    plant = by_key(found)
    assert plant["material_utilisation"].value_fraction == pytest.approx(0.62)
    assert plant["water_reuse"].value_fraction == pytest.approx(0.9)
    assert plant["solid_waste_recovery"].value_fraction == pytest.approx(0.9)
    assert plant["solid_waste_recovery"].met is True
    assert plant["metals_recovery:cobalt"].value_fraction == pytest.approx(0.993)
    assert plant["metals_recovery:cobalt"].target_fraction == 0.993
    assert plant["metals_recovery:steel"].target_fraction is None
    assert plant["water_reuse"].met is False
    body = by_key(found, "body")
    assert body["material_recovery"].value_fraction == pytest.approx(0.99)
    assert "water_reuse" not in body


def test_contractors_waste_counts_by_its_route(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    def waste(number: int, item: str, disposal: str, amount: float) -> dict[str, object]:
        return activity(number, "w", "waste_by_route", amount, "t", item=item, detail={"disposal": disposal})

    found = circularity(
        frame(
            waste(1, "paper_and_board", "recycling", 80.0),
            waste(2, "industrial_waste", "landfill", 20.0),
            waste(3, "hazardous_waste", "incineration", 500.0),
        )
    )
    assert by_key(found)["solid_waste_recovery"].value_fraction == pytest.approx(0.8)


def test_no_data_gives_no_value(frame: Any, activity: Callable[..., dict[str, object]]) -> None:
    found = circularity(frame(activity(1, "v", "production_output", 10.0, "vehicle")))
    assert {one.value_fraction for one in found} == {None}
    assert {one.met for one in found} == {None}
    assert all(one.source and one.formula.zh for one in found)


def test_more_out_than_in_is_not_a_reached_target(activity: Callable[..., dict[str, object]], frame: Any) -> None:
    found = by_key(
        circularity(
            frame(
                activity(1, "in", "material_input", 10.0, "t"),
                activity(2, "out", "material_output", 11.0, "t"),
                activity(
                    3, "scrap", "metal_scrap", 5.0, "t", item="steel", detail={"scrap_fate": "recovered"}, shop="body"
                ),
            )
        )
    )
    assert found["material_recovery"].part == 11_000.0
    assert found["material_recovery"].plausible is False
    assert found["material_recovery"].met is None
