"""Upstream activities follow from the month's own; the credit and scope 3 never touch the total of scopes 1 and 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.upstream import derive, derived_source
from zerofactory.factors.load import factor_book
from zerofactory.site.load import plant as read_plant
from zerofactory.site.model import Plant
from zerofactory.standards.load import standard

Make = Callable[..., Any]


def plant_text(more: str = "") -> str:
    named = {
        "gas": ("stationary_combustion", ""),
        "oven": ("stationary_combustion", ""),
        "truck": ("mobile_combustion", 'detail = { use = "road" }'),
        "power": ("purchased_electricity", ""),
        "steam": ("purchased_heat", 'detail = { steam_state = "saturated", pressure_mpa = 0.8 }'),
        "up": ("fuel_and_energy_upstream", 'detail = { derived = "yes" }'),
    }
    sources = "".join(
        f'[[sources]]\nid = "{name}"\nkind = "{kind}"\nname = {{ zh = "源{name}", en = "{name}" }}\nshop = "paint"\n{rest}\n'
        for name, (kind, rest) in named.items()
    )
    return f"""
[plant]
id = "example"
name = {{ zh = "示例", en = "example" }}
time_zone = "Asia/Shanghai"
region = "CN-上海"
[organisation]
name = {{ zh = "示例", en = "Example" }}
[accounting]
[[accounting.pin]]
role = "grid.upstream:electricity"
factor = "uk.wtt_gen.2025"
reason = "stand-in"
[[shops]]
id = "paint"
kind = "paint"
name = {{ zh = "涂装", en = "paint" }}
[[shops]]
id = "body"
kind = "body"
name = {{ zh = "焊装", en = "body" }}
{sources}
{more}
"""


def plant_of(more: str = "") -> Plant:
    made, problems = read_plant(plant_text(more))
    assert made is not None, [problem.sentence("en") for problem in problems]
    return made


@pytest.fixture
def month(activity: Make, frame: Make) -> pl.DataFrame:
    found: pl.DataFrame = frame(
        activity(1, "gas", "stationary_combustion", 3.0, "Nm3", item="natural_gas"),
        activity(2, "oven", "stationary_combustion", 4.0, "Nm3", item="natural_gas", estimated_fraction=0.5),
        activity(3, "oven", "stationary_combustion", 5.0, "Nm3", item="natural_gas", shop="body"),
        activity(4, "truck", "mobile_combustion", 100.0, "L", item="diesel"),
        activity(5, "power", "purchased_electricity", 1000.0, "kWh", item="electricity"),
        activity(6, "steam", "purchased_heat", 10.0, "t", item="steam"),
    )
    return found


def test_amounts_are_taken_over_once(month: pl.DataFrame) -> None:
    made, problems = derive(month, plant_of())
    assert problems == []
    rows = {(row["shop"], row["item"], row["unit"]): row for row in made.to_dicts()}
    assert {key: row["quantity"] for key, row in rows.items()} == {
        ("paint", "natural_gas", "Nm3"): 7.0,
        ("body", "natural_gas", "Nm3"): 5.0,
        ("paint", "diesel", "L"): 100.0,
        ("paint", "electricity", "kWh"): 1000.0,
        ("paint", "steam", "t"): 10.0,
    }
    assert rows["paint", "natural_gas", "Nm3"]["estimated_fraction"] == pytest.approx(2 / 7)
    assert '"pressure_mpa":0.8' in rows["paint", "steam", "t"]["detail"]
    assert set(made["source_id"]) == {"up"}
    again, _ = derive(month.sample(fraction=1.0, shuffle=True, seed=3), plant_of())
    assert again.equals(made)


def test_derived_activities_quantify(month: pl.DataFrame) -> None:
    plant = plant_of()
    made, _ = derive(month, plant)
    found = quantify(pl.concat([month, made]), plant, factor_book())
    assert [problem.sentence("en") for problem in found.problems] == []
    totals = {
        scopes: fold(
            found.records.filter(pl.col("scope").is_in(scopes)), standard("iso_14064_1_2018"), "location", "category"
        ).total_gco2e
        for scopes in ((0, 1, 2), (3,), (0, 1, 2, 3))
    }
    assert totals[0, 1, 2] + totals[3,] == totals[0, 1, 2, 3]
    before = quantify(month, plant, factor_book())
    alone = fold(before.records, standard("iso_14064_1_2018"), "location", "category")
    assert alone.total_gco2e == totals[0, 1, 2]


def test_documents_beside_a_derived_source_are_refused(month: pl.DataFrame, activity: Make, frame: Make) -> None:
    written = frame(activity(9, "up", "fuel_and_energy_upstream", 1.0, "t", item="diesel"))
    made, problems = derive(pl.concat([month, written]), plant_of())
    assert made.is_empty()
    assert [problem.code for problem in problems] == ["accounting.derived_and_documented"]


def test_two_derived_sources_are_refused(month: pl.DataFrame) -> None:
    second = '[[sources]]\nid = "up2"\nkind = "fuel_and_energy_upstream"\nname = "again"\nshop = "paint"\n'
    _, problems = derive(month, plant_of(second + 'detail = { derived = "yes" }\n'))
    assert [problem.code for problem in problems] == ["accounting.derived_twice"]


def test_without_a_derived_source_nothing_follows(month: pl.DataFrame, plant_with: Make) -> None:
    plain = plant_with({"gas": "stationary_combustion"})
    assert derive(month, plain)[0].is_empty()
    assert derived_source(plain) is None


def test_the_credit_stands_apart(activity: Make, frame: Make, plant_with: Make) -> None:
    plant = plant_with({"buy": "purchased_goods", "credit": "recycling_credit"})
    rows = frame(
        activity(1, "buy", "purchased_goods", 10.0, "t", item="steel", detail={"route": "bf_bof"}),
        activity(2, "credit", "recycling_credit", 10.0, "t", item="steel",
                 detail={"route": "bf_bof", "recovered_fraction": 1.0}),
    )  # fmt: skip
    found = quantify(rows, plant, factor_book())
    for name in ("iso_14064_1_2018", "ghg_protocol_corporate"):
        made = fold(found.records, standard(name), "location", "category")
        assert made.total_gco2e == 23_300_000
        assert made.apart_gco2e["recycling_credit"] == 16_500_000
    china = fold(found.records, standard("cn_machinery_2015"), "location", "category")
    assert china.total_gco2e == 0
    assert china.apart_gco2e["other_sources"] == 23_300_000
