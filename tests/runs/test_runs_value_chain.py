"""Scope 3 through the book: derived upstream, the scope asked for, the report's table beside the total."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.reporting.statement import verify_sums
from zerofactory.runs import close, explain, import_data, inventory, statement, verify
from zerofactory.runs.context import Context
from zerofactory.store.workspace import Workspace

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
MONTH = Period(2025, 1)
MORE = """
[[sources]]
id = "steel"
kind = "purchased_goods"
name = { zh = "外购钢材", en = "steel bought" }
shop = "paint"
item = "steel"
detail = { route = "bf_bof" }

[[sources]]
id = "upstream"
kind = "fuel_and_energy_upstream"
name = { zh = "燃料能源上游", en = "upstream of energy" }
shop = "utilities"
detail = { derived = "yes" }

[[sources]]
id = "credit"
kind = "recycling_credit"
name = { zh = "废钢抵扣", en = "credit of scrap" }
shop = "paint"
item = "steel"
detail = { route = "bf_bof", recovered_fraction = 1.0 }

[[accounting.pin]]
role = "grid.upstream:electricity"
factor = "uk.wtt_gen.2025"
reason = "stand-in"

[[accounting.accept]]
factor = "cn.grid.loss.2023"
reason = "recalled, small"
"""


@pytest.fixture
def closed(small: Context, write_readings: Writer, write_form: Writer) -> Context:
    path = small.workspace.folder / "factory.toml"
    path.write_text(path.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    context = Context(Workspace.open(small.workspace.folder), small.now, small.actor)
    rows = (
        "diesel,2025-01-01,2025-01-31,1,t,,结算,D1,",
        "steel,2025-01-01,2025-01-31,100,t,,结算,S1,",
        "credit,2025-01-01,2025-01-31,10,t,,估算,C1,",
    )
    import_data.run(context, [write_readings(1), write_form(*rows)])
    close.run(
        Context(Workspace.open(small.workspace.folder), small.now, small.actor), MONTH, known_at=date(2026, 1, 15)
    )
    return Context(Workspace.open(small.workspace.folder), small.now, small.actor)


def test_scope_3_stands_beside_the_total(closed: Context) -> None:
    standard = "iso_14064_1_2018"
    totals = {scope: inventory.read(closed, MONTH, standard, scope=scope).total_gco2e for scope in inventory.SCOPES}
    assert totals["1+2"] == inventory.read(closed, MONTH, standard).total_gco2e
    assert totals["1"] + totals["2"] == totals["1+2"]
    assert totals["1+2"] + totals["3"] == totals["all"]
    beyond = inventory.read(closed, MONTH, "ghg_protocol_corporate", scope="3")
    assert [line.key for line in beyond.lines] == ["s3.01", "s3.03"]
    assert beyond.lines[0].emissions_gco2e == 233_000_000
    assert beyond.apart_gco2e["recycling_credit"] == 16_500_000
    assert inventory.as_json(beyond, "3")["scope"] == "3"
    with pytest.raises(NotFound):
        inventory.read(closed, MONTH, standard, scope="4")


def test_derived_activities_are_sealed_and_recompute(closed: Context) -> None:
    assert verify.run(closed).problems == ()
    node = explain.run(closed, "upstream@2025-01")
    assert node.children


def test_the_statement_adds_up_with_the_table_of_its_own(closed: Context) -> None:
    made = statement.fill(closed, MONTH, "iso_14064_1_2018")
    verify_sums(made)
    assert made.indirect_gco2e == sum(line.emissions_gco2e or 0 for line in made.indirect)
    status = {line.key: line.status for line in made.categories}
    assert status["4.1"] == "quantified_apart"
    assert status["5.1"] == "not_occurring"
    assert {line.key for line in made.apart} == {"recycling_credit"}


def test_a_document_for_a_derived_source_stops_the_closing(closed: Context, write_form: Writer, reopen: Reopen) -> None:
    import_data.run(
        reopen(closed), [write_form("upstream,2025-02-01,2025-02-28,1,t,diesel,结算,U1,", name="twice.csv")]
    )
    with pytest.raises(FaultyData) as caught:
        close.run(reopen(closed), Period(2025, 2), known_at=date(2026, 1, 15))
    assert "accounting.derived_and_documented" in {problem.code for problem in caught.value.problems}


def test_a_negative_mass_is_stopped_at_the_door(closed: Context, write_form: Writer, reopen: Reopen) -> None:
    with pytest.raises(FaultyData) as caught:
        import_data.run(reopen(closed), [write_form("steel,2025-02-01,2025-02-28,-5,t,,结算,S2,", name="negative.csv")])
    assert [problem.code for problem in caught.value.problems] == ["metering.negative"]


def test_significance_of_a_plant_that_judged_nothing(closed: Context) -> None:
    tested = inventory.significance(closed, MONTH)
    assert {problem.code for problem in tested.problems} == {"accounting.not_judged"}
    assert inventory.significance_as_json(tested)["included_fraction"] == 1.0
