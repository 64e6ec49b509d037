"""One contract for every kind of source: cited, bilingual, units known, its worked example reproduces."""

from __future__ import annotations

import inspect
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from zerofactory import units
from zerofactory.accounting.plan import faults_of, flow_label
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.recompute import recompute
from zerofactory.accounting.source import Ask, Source, source, sources
from zerofactory.errors import NotFound
from zerofactory.factors.load import factor_book
from zerofactory.factors.resolve import Scope
from zerofactory.factors.resolve import recompute as multiply_again
from zerofactory.metering.activity_table import ACTIVITIES
from zerofactory.site.load import plant as read_plant
from zerofactory.site.model import Plant

EVERY = sorted(sources().values(), key=lambda entry: entry.id)


def by_id(entry: Source) -> str:
    return entry.id


def ask_of(entry: Source) -> Ask:
    example = entry.example
    scope = Scope(
        region=example.region,
        on=example.on,
        known_at=date(2026, 1, 15),
        fuel_sets=("CN-T1",),
        accepted=example.accepted,
    )
    return Ask(factor_book(), scope, example.item, example.unit, example.detail)


def plant_of(entry: Source) -> Plant:
    made, problems = read_plant(
        f"""
        [plant]
        id = "example"
        name = {{zh = "示例", en = "example"}}
        time_zone = "Asia/Shanghai"
        region = "{entry.example.region}"
        currency = "CNY"
        [organisation]
        name = {{zh = "示例汽车有限公司", en = "Example Motor"}}
        [[shops]]
        id = "paint"
        kind = "paint"
        name = {{zh = "涂装", en = "paint"}}
        [[sources]]
        id = "s"
        kind = "{entry.id}"
        name = {{zh = "源", en = "source"}}
        shop = "paint"
        """
    )
    assert made is not None, [problem.sentence("en") for problem in problems]
    return made


def activity_of(entry: Source) -> pl.DataFrame:
    import json

    example = entry.example
    return ACTIVITIES.frame([
        {
            "activity_id": "a1", "source_id": "s", "source_kind": entry.id, "shop": "paint", "period": f"{example.on:%Y-%m}",
            "started_at": datetime(2025, 5, 31, 16, tzinfo=UTC), "ended_at": datetime(2025, 6, 30, 16, tzinfo=UTC),
            "item": example.item, "quantity": example.quantity, "unit": example.unit, "tier": "invoiced",
            "estimated_fraction": 0.0, "evidence": None, "detail": json.dumps(dict(example.detail)), "document": None,
            "note": None,
        }
    ])  # fmt: skip


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_cites_and_is_bilingual(entry: Source) -> None:
    assert entry.reference.strip()
    assert entry.example.citation.strip()
    for text in (entry.title, entry.example.text, *(column.title for column in entry.details)):
        assert text.zh.strip()
        assert text.en.strip()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh), text.zh
    module = sys.modules[entry.flows.__module__]
    assert module.__doc__
    assert Path(inspect.getfile(module)).stem == entry.id


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_units_are_known_dimensions(entry: Source) -> None:
    dimensions = {units.parse(symbol).dimension for symbol in units.symbols()}
    assert entry.units
    assert set(entry.units) <= dimensions
    assert units.parse(entry.example.unit).dimension in entry.units
    assert {sign for _, sign in entry.balance} <= {1, -1}


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_columns_do_not_clash(entry: Source) -> None:
    names = [name for name, _ in entry.balance] + [column.name for column in entry.details]
    assert len(names) == len(set(names))
    assert not set(names) & {"source", "item", "quantity", "unit", "tier", "start", "end", "document", "note"}


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_categories_exist_in_the_standards(entry: Source) -> None:
    from zerofactory.standards.load import standards

    for standard_id, category in entry.categories.items():
        known = {one.id: one for one in standards()[standard_id].categories}
        assert category in known, (standard_id, category)
        assert known[category].scope in (None, entry.scope) or entry.scope == 0
    assert set(entry.deducted_in) <= set(entry.categories)


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_worked_example_reproduces(entry: Source) -> None:
    ask = ask_of(entry)
    assert faults_of(entry, ask) == []
    got: dict[str, float] = {}
    for flow in entry.flows(ask):
        name = f"{flow.gas}|{flow.regime}" if flow.regime != "any" else flow.gas
        got[name] = got.get(name, 0.0) + entry.example.quantity * flow.factor.value
        assert multiply_again(flow.factor) == pytest.approx(flow.factor.value, rel=1e-12)
        assert flow.factor.reason.zh
        assert flow.factor.reason.en
        assert flow_label(flow).startswith(flow.gas)
    assert got == pytest.approx(dict(entry.example.expected_kg), rel=1e-9)


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_every_listed_item_is_answered_or_says_why(entry: Source) -> None:
    from zerofactory.errors import FaultyData
    from zerofactory.factors.model import Unresolved

    for item in entry.items:
        ask = ask_of(entry)
        scope = Scope(ask.scope.region, ask.scope.on, ask.scope.known_at, fuel_sets=("CN-T1", "CN-T2", "IPCC-2006"))
        try:
            flows = entry.flows(Ask(ask.book, scope, item, ask.unit, ask.detail))
        except (Unresolved, FaultyData):
            continue
        assert entry.apart or all(flow.factor.value >= 0 for flow in flows)  # what stands apart may be a net amount


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_records_recompute(entry: Source) -> None:
    plant, activities = plant_of(entry), activity_of(entry)
    made = quantify(activities, plant, factor_book(), known_at=date(2026, 1, 15))
    assert [problem for problem in made.problems if problem.severity == "error"] == []
    assert recompute(made.records, activities, plant, factor_book(), known_at=date(2026, 1, 15)) == []
    assert len(made.records) == len(entry.flows(ask_of(entry)))


def test_an_unknown_kind_lists_the_choices() -> None:
    with pytest.raises(NotFound) as caught:
        source("perpetual_motion")
    assert "stationary_combustion" in caught.value.choices
