"""A plan from the book and back: set, targets, roadmap, tasks; the chosen measures applied to the book give the roadmap's path."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from zerofactory.accounting import upstream
from zerofactory.accounting.inventory import fold
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.periods import Period
from zerofactory.planning.end_use import end_uses
from zerofactory.planning.limit import Limit
from zerofactory.planning.measure import measures
from zerofactory.runs import close, import_data, plan_guide, plan_roadmap
from zerofactory.runs import plan as run
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import read as read_inventory
from zerofactory.runs.plan_book import Asked, activities_of
from zerofactory.runs.verify import run as verify
from zerofactory.store.schema import RUNS

PLAN = """
[plan]
title = { zh = "小厂计划", en = "plan of the small plant" }
commitment = { zh = "减排。", en = "Reduce." }
scope = { zh = "范围1+2", en = "scopes 1 and 2" }
base_year = 2025
first_year = 2026
last_year = 2035
reduction_strategy = { zh = "能效", en = "efficiency" }
maintenance_strategy = { zh = "保持", en = "keep" }
offset_strategy = { zh = "最后", en = "last" }
neutral_year = 2034

[[targets]]
id = "near"
title = { zh = "近期", en = "near term" }
method = "stated"
scope = "1+2"
target_year = 2030
reduction_fraction = 0.30
from_year = 2028

[[targets]]
id = "direct"
title = { zh = "范围1", en = "scope 1" }
method = "stated"
scope = "1"
target_year = 2034
reduction_fraction = 0.35
from_year = 2029

[economics]
grid = "pledged"
carbon_price = "rising"
budget_cny = 400000

[measures.pv_roof]
size = 60
[measures.trees]
exclude = true
reason = "没有空地"

[[mechanism.roles]]
id = "carbon"
title = { zh = "碳管理师", en = "carbon manager" }
holder = "林晓"
area = "plant"
duties = { zh = "核算", en = "accounts" }
[[mechanism.roles]]
id = "supply"
title = { zh = "供应链", en = "supply chain" }
holder = "何佳"
area = "supply_chain"
duties = { zh = "供应商", en = "suppliers" }

[[tasks]]
id = "policy"
title = { zh = "签发方针", en = "sign the policy" }
owner = "carbon"
due = 2026-03-31
item = "cieccpa002.policy"
"""
MEASURED = 1e-9


@pytest.fixture
def year(
    small: Context,
    reopen: Callable[[Context], Context],
    write_readings: Callable[..., Path],
    write_form: Callable[..., Path],
) -> Context:
    """Return the small plant with the year 2025 closed and a plan file."""
    lines = [f"vehicles,2025-{m:02d}-01,2025-{m:02d}-28,100,辆,,结算,V{m},\n".strip() for m in range(1, 13)]
    lines += [f"diesel,2025-{m:02d}-01,2025-{m:02d}-28,{800 + m},L,,结算,D{m},\n".strip() for m in range(1, 13)]
    import_data.run(small, [write_readings(*range(1, 13)), write_form(*lines)])
    # the register's closing reading of December is the first of January
    context = reopen(small)
    close.run(context, Period(2025))
    (context.workspace.folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return reopen(context)


def _applied(context: Context, result: plan_roadmap.Result, year_: int) -> pl.DataFrame:
    """Apply the chosen measures to the booked activities month by month, with code of its own, and move them to a year."""
    on = [measures()[name] for name, start in result.roadmap.starts.items() if start <= year_]
    on.sort(key=lambda one: one.rank)
    rows = list(activities_of(context, 2025).iter_rows(named=True))
    whole = sum(row["quantity"] for row in rows if row["source_kind"] == "purchased_electricity")
    for row in rows:
        if row["source_kind"] in ("production_output",):
            continue
        saved_kwh = added_kwh = 0.0
        left: dict[str, float] = {}
        base, item = row["quantity"], row["item"] or {"diesel": "diesel"}.get(row["source_id"], "")
        for measure in on:
            for saving in measure.savings:
                use = end_uses()[saving.end_use]
                fits = use.source_kind == row["source_kind"] and (not use.items or item in use.items)
                if not fits or (use.shops and row["shop"] not in use.shops):
                    continue
                rest = left.setdefault(use.id, 1.0)
                taken = saving.fraction * rest * use.share_fraction * base
                left[use.id] = rest * (1 - saving.fraction)
                saved_kwh += taken
                for other in saving.instead:
                    if other.item == "electricity":
                        added_kwh += taken * other.per_unit
        row["quantity"] = base - saved_kwh
        row["added_kwh"] = added_kwh
    extra = sum(row.get("added_kwh", 0.0) for row in rows)
    sized = {option.id: option.size for option in result.roadmap.portfolio.options}
    for measure in on:
        for amount in measure.amounts:
            if amount.source_kind == "purchased_electricity":
                extra += amount.per_size * (sized[measure.id] or 0.0)
    place = result.roadmap.portfolio.years.index(year_)
    contracts = result.roadmap.covers_mwh[:, place].sum() * 1000.0
    for row in rows:
        share = row["quantity"] if row["source_kind"] == "purchased_electricity" else 0.0
        row.pop("added_kwh", None)
        row["period"] = row["period"].replace("2025", str(year_))
        if share:
            months = whole / 12
            row["quantity"] = share + extra / 12
            assert months > 0
    return pl.DataFrame(rows, schema=activities_of(context, 2025).schema), contracts  # type: ignore[return-value]


def test_the_chosen_measures_applied_to_the_book_give_the_path(year: Context) -> None:
    result = plan_roadmap.run(year, more=plan_roadmap.More(draws=200))
    assert result.roadmap.kept, result.roadmap.clash
    assert {"pv_roof"} <= set(result.roadmap.starts)
    assert len(result.roadmap.starts) >= 8
    assert any(measures()[name].savings and measures()[name].savings[0].instead for name in result.roadmap.starts)
    for at in (2026, 2029, 2031, 2035):
        activities, contracted_kwh = _applied(year, result, at)
        plant = result.book.world.plant_of(at)
        follows, _ = upstream.derive(activities, plant)
        records = quantify(pl.concat([activities, follows]), plant, result.book.world.factors).records
        path = next(one for one in result.path if one.year == at)
        location = fold(records, result.book.world.standard, "location", "scope").total_gco2e
        assert path.total("location", (1, 2, 3)) == pytest.approx(location, abs=records.height)
        uncovered = fold(records, result.book.world.standard, "market_annual", "scope").total_gco2e
        residual = next(r for r in records.iter_rows(named=True) if r["regime"] == "market_annual")["factor_value"]
        covered_g = contracted_kwh * residual * 1000.0
        assert path.total("market_annual", (1, 2, 3)) == pytest.approx(uncovered - covered_g, abs=records.height + 2)


def test_every_record_of_a_planned_year_opens(year: Context) -> None:
    result = plan_roadmap.run(year, more=plan_roadmap.More(draws=100))
    quantified = plan_roadmap.quantified_year(result.book, result.roadmap.amounts, 2031)
    path = next(one for one in result.path if one.year == 2031)
    chosen = quantified.records.filter(
        pl.col("regime").is_in(["any", "location"])
        & pl.col("scope").is_in([1, 2])
        & ~pl.col("biogenic")
        & pl.col("kyoto")
    )
    assert int(chosen["emissions_gco2e"].sum()) == path.total("location")
    power = quantified.records.filter(
        (pl.col("source_kind") == "purchased_electricity") & (pl.col("regime") == "location")
    )
    assert set(power["factor_id"]) == {"plan.grid.average.2031"}
    assert power["factor_value"][0] == pytest.approx(0.5737 * result.book.world.grid.value(2031))


def test_doing_nothing_in_an_unchanged_grid_is_the_base_year(year: Context) -> None:
    result = plan_roadmap.run(year, Asked(grid="frozen"), plan_roadmap.More(draws=100))
    booked = read_inventory(year, Period(2025), "iso_14064_1_2018", "location").total_gco2e
    for one in result.baseline:
        assert one.total("location") == pytest.approx(booked, abs=100)


def test_targets_bind_budgets_hold_and_the_gap_is_told(year: Context) -> None:
    result = plan_roadmap.run(year, more=plan_roadmap.More(draws=100))
    limits = {way.target.id: way for way in result.pathways}
    for one in result.path:
        if one.year >= 2028:
            assert one.total("market_annual") <= (limits["near"].limit(one.year) or 0) + 10
        if one.year >= 2029:
            assert one.total("market_annual", (1,)) <= (limits["direct"].limit(one.year) or 0) + 10
    totals = [one.total("market_annual") for one in result.path]
    assert all(later <= earlier + 10 for earlier, later in pairwise(totals))
    assert max(result.roadmap.investment_cny().values()) <= 400_000
    assert result.roadmap.report.gap_fraction <= 0.001
    shown = plan_roadmap.as_json(result)
    assert json.loads(json.dumps(shown))["kept"] is True
    assert {
        "measure": "trees",
        "title": {"zh": "厂区植树", "en": "trees on the site"},
        "reason": {"zh": "企业排除: 没有空地", "en": "excluded by the plant: 没有空地"},
    } in shown["not_applicable"]


def test_an_impossible_wish_names_what_clashes(year: Context) -> None:
    limit = Limit("emissions_1", 1.0, "tCO2e", "at_most", Text("范围1", "scope 1"), 2030)
    result = plan_roadmap.run(year, more=plan_roadmap.More(limits=(limit,), draws=100))
    assert not result.roadmap.kept
    assert result.roadmap.clash == ("limit:emissions_1:0",)
    reached = [breach.reached for breach in result.roadmap.breaches]
    assert min(reached) > 1.0


def test_the_cheapest_path_to_limits_is_what_evaluation_gets(year: Context) -> None:
    share = Limit("renewable_fraction", 0.5, "fraction", "at_least", Text("绿电", "green"), 2030)
    found = plan_roadmap.cheapest(year, [share], Asked(grid="frozen", carbon_price="none"))
    assert found.roadmap.kept
    ((limit, reached),) = found.reached
    assert limit.met_by(reached + 1e-6)
    assert found.extra_cost_cny > 0
    assert {name for name, _ in found.added} & {
        "gec_purchase",
        "green_power_contract",
        "green_direct_line",
        "pv_carport",
        "wind_onsite",
    }
    with pytest.raises(NotFound):
        plan_roadmap.cheapest(year, [Limit("beauty", 1.0, "fraction", "at_least", Text("", ""))])


def test_setting_a_plan_is_journaled_and_a_change_needs_a_reason(
    year: Context, reopen: Callable[[Context], Context]
) -> None:
    assert run.current(year).version == 0
    first = run.set_plan(year)
    assert (first.plan_id, first.version) == ("plan-2025.v1", 1)
    assert run.set_plan(reopen(year)).version == 1  # the same file again is no new version
    file = year.workspace.folder / "plan.toml"
    file.write_text(PLAN.replace("reduction_fraction = 0.30", "reduction_fraction = 0.40"), encoding="utf-8")
    with pytest.raises(FaultyData):
        run.set_plan(reopen(year))
    second = run.set_plan(reopen(year), reason="更高目标")
    assert second.version == 2
    assert [one.reason for one in run.versions(reopen(year))] == [None, "更高目标"]
    assert [task.id for task in run.tasks(reopen(year))] == ["policy"]
    kinds = reopen(year).workspace.journal.active(RUNS)["kind"].to_list()
    assert kinds.count("plan_set") == 2
    assert not verify(reopen(year)).problems


def test_every_fault_of_a_plan_file_is_told_at_once(year: Context) -> None:
    bad = PLAN.replace("first_year = 2026", "first_year = 2024").replace('grid = "pledged"', 'grid = "dream"')
    bad = bad.replace("reduction_fraction = 0.35", "reduction_fraction = 1.35").replace(
        "[measures.pv_roof]", "[measures.pv_rof]"
    )
    (year.workspace.folder / "plan.toml").write_text(bad, encoding="utf-8")
    with pytest.raises(FaultyData) as refused:
        run.set_plan(year)
    assert {problem.code for problem in refused.value.problems} >= {
        "planning.years",
        "planning.unknown",
        "planning.target_share",
    }


def test_tasks_evidence_and_checklists(year: Context, reopen: Callable[[Context], Context], tmp_path: Path) -> None:
    run.set_plan(year)
    with pytest.raises(FaultyData):
        run.change_task(reopen(year), "policy", "assigned", run.Change(owner="nobody"))
    paper = tmp_path / "policy.pdf"
    paper.write_bytes(b"signed policy")
    done = run.change_task(reopen(year), "policy", "done", run.Change(evidence=str(paper)))
    assert done.state == "done"
    assert year.workspace.evidence.find(done.evidence[0]).read_bytes() == b"signed policy"
    met = {one.item.id: one.met for one in run.checked(reopen(year))}
    assert met["cieccpa002.policy"]
    assert sum(met.values()) == 1
    later = replace(reopen(year), now=datetime(2026, 8, 1, tzinfo=UTC))
    run.change_task(later, "audit", "added", run.Change(Text("内审", "audit"), "carbon", date(2026, 7, 1), "check"))
    assert [task.id for task in run.overdue(later)] == ["audit"]
    text = run.calendar_text(later)
    assert "BEGIN:VTODO" in text
    assert "STATUS:COMPLETED" in text
    with pytest.raises(NotFound):
        run.change_task(later, "audit", "evidence", run.Change(evidence="x", item="no.such.item"))


def test_targets_follow_the_closed_years(year: Context) -> None:
    (near, direct) = run.targets(year)
    booked = read_inventory(year, Period(2025), "iso_14064_1_2018", "market_annual").total_gco2e
    assert near.pathway.base_gco2e == booked
    assert near.progress_fraction is None  # no year after the base year is closed yet
    assert direct.pathway.limits_gco2e[2034] == pytest.approx(0.65 * direct.pathway.base_gco2e, abs=1)
    assert json.loads(json.dumps(near.as_json()))["shares_gco2e"]["2030"]


def test_a_roadmap_is_adopted_and_the_guide_is_a_pdf(
    year: Context, reopen: Callable[[Context], Context], tmp_path: Path
) -> None:
    run.set_plan(year)
    context = reopen(year)
    result = plan_roadmap.run(context, more=plan_roadmap.More(draws=100))
    name = plan_roadmap.adopt(context, result)
    rows = plan_roadmap.adopted(reopen(context))
    assert {row["roadmap_id"] for row in rows} == {name}
    assert {row["measure_id"]: row["start_year"] for row in rows}.items() >= dict(result.roadmap.starts).items()
    made = plan_guide.write(reopen(context), tmp_path / "guide.pdf", "zh")
    content = (tmp_path / "guide.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert made["sections"][0] == "Commitment and strategy"  # type: ignore[index]
    plan_guide.write(reopen(context), tmp_path / "again.pdf", "zh")
    assert (tmp_path / "again.pdf").read_bytes() == content


def test_without_a_plan_or_a_closed_base_year_it_says_so(small: Context) -> None:
    with pytest.raises(FaultyData) as refused:
        run.current(small)
    assert refused.value.problems[0].code == "planning.no_plan"
    (small.workspace.folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    with pytest.raises(FaultyData) as open_:
        plan_roadmap.run(small)
    assert open_.value.problems[0].code == "inventory.not_closed"
