"""Evaluation of a closed book: facts agree with the inventory, attestations are booked with their file, faults are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tests.database import meddling

from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.spread import Z95
from zerofactory.errors import FaultyData, NotFound
from zerofactory.evaluation.attestation_table import ATTESTATIONS
from zerofactory.evaluation.confidence import draw
from zerofactory.periods import Period
from zerofactory.runs import attest as attesting
from zerofactory.runs import (
    base_year,
    close,
    evaluate,
    evaluate_path,
    explain,
    import_data,
    inventory,
    uncertainty,
    verify,
)
from zerofactory.runs.attest import Said
from zerofactory.runs.context import Context
from zerofactory.runs.evaluation_book import book_of
from zerofactory.store.schema import ACTIVITIES

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
YEAR = Period(2025)
PLAN = """[plan]
base_year = 2025
first_year = 2026
last_year = 2045
title = { zh = "计划", en = "plan" }
commitment = { zh = "承诺", en = "commitment" }
scope = { zh = "范围", en = "scope" }
reduction_strategy = { zh = "减", en = "reduce" }
maintenance_strategy = { zh = "保持", en = "maintain" }
offset_strategy = { zh = "抵", en = "offset" }

[[targets]]
id = "near"
title = { zh = "近期", en = "near" }
method = "stated"
scope = "1+2"
target_year = 2030
reduction_fraction = 0.42

[[targets]]
id = "long"
title = { zh = "长期", en = "long" }
method = "stated"
scope = "1+2"
target_year = 2045
reduction_fraction = 0.9
"""


@pytest.fixture
def closed(small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen) -> Context:
    lines = ["diesel,2025-01-01,2025-01-31,12,t,,结算,D1,"]
    lines += [f"vehicles,2025-{m:02d}-01,2025-{m:02d}-28,100,辆,,结算,V{m}," for m in range(1, 13)]
    import_data.run(small, [write_readings(*range(1, 13)), write_form(*lines)])
    close.run(reopen(small), YEAR, known_at=date(2026, 1, 15))
    return reopen(small)


def test_facts_agree_with_the_inventory_and_the_energy_account(closed: Context):
    facts = evaluate.gather(closed, YEAR).case.facts
    total = inventory.read(closed, YEAR, "iso_14064_1_2018").total_gco2e
    assert facts.amounts["emissions@plant"].value == pytest.approx(total / 1e6, rel=1e-12)
    by_shop = inventory.read(closed, YEAR, "iso_14064_1_2018", by="shop")
    for line in by_shop.lines:
        assert facts.amounts[f"emissions@{line.key}"].value == pytest.approx(line.emissions_gco2e / 1e6, rel=1e-12)
    china = inventory.read(closed, YEAR, "cn_machinery_2015")
    assert facts.amounts["co2@location"].value == pytest.approx(china.by_gas_gco2e["CO2"] / 1e6, rel=1e-12)
    activities = closed.workspace.journal.active(ACTIVITIES, {"period": [m.label for m in YEAR.months()]})
    used = energy_consumption(activities, closed.workspace.plant, closed.workspace.factor_book)
    assert facts.amounts["energy@plant"].value == pytest.approx(used.total_tce, rel=1e-12)
    assert facts.amounts["electricity"].value == pytest.approx(used.electricity_kwh, rel=1e-12)
    assert facts.amounts["vehicles"].value == 1200.0


def test_uncertainty_of_the_facts_is_that_of_the_inventory(closed: Context):
    facts = evaluate.gather(closed, YEAR).case.facts
    found = uncertainty.read(closed, YEAR, "iso_14064_1_2018")
    amount = facts.amounts["emissions@plant"]
    assert amount.half_width / amount.value == pytest.approx(found.assessment.half_width_fraction, rel=1e-9)
    assert facts.amounts["uncertainty"].value == pytest.approx(found.assessment.half_width_fraction, rel=1e-9)
    drawn = draw(facts).of("emissions@plant")
    assert Z95 * drawn.std() / drawn.mean() == pytest.approx(found.assessment.simulated_fraction, rel=0.05)


def test_every_book_and_every_finding_has_its_reason(closed: Context):
    found = evaluate.evaluate_all(evaluate.gather(closed, YEAR))
    assert len(found) == len(evaluate.library(closed.workspace.folder).names) == 17
    for one in found:
        assert all(finding.reason.zh and finding.reason.en for finding in one.findings), one.book.id
        assert json.loads(json.dumps(evaluate.as_json(one)))["standard"] == one.book.id
    own = next(one for one in found if one.book.id == "auto_zero_carbon_factory")
    lacking = {finding.criterion for finding in own.findings if finding.verdict == "not_applicable"}
    assert lacking == {"making.body", "making.stamping", "making.assembly", "making.material"}


def test_every_link_of_a_finding_opens(closed: Context, tmp_path: Path, reopen: Reopen):
    paper = tmp_path / "land.pdf"
    paper.write_bytes(b"certificate")
    attesting.attest(closed, YEAR, Said("land_area", value=30.0, unit="ha", evidence=paper))
    found = evaluate.evaluate_all(evaluate.gather(reopen(closed), YEAR))
    links = {link for one in found for finding in one.findings if finding.link for link in finding.link.split("; ")}
    assert {"vehicles@2025", "gas-ovens@2025", "1.1@2025"} <= links
    for link in links:
        assert explain.run(closed, link).children, link
    land = explain.run(closed, "land_area").as_json()
    assert "300,000 m2 · test" in json.dumps(land, ensure_ascii=False)
    assert "land.pdf" in json.dumps(land, ensure_ascii=False)


def test_an_attestation_is_booked_with_its_file_and_actor_and_makes_the_difference(
    closed: Context, tmp_path: Path, reopen: Reopen
):
    paper = tmp_path / "credit.pdf"
    paper.write_bytes(b"no penalties")
    criterion = Said("gb36132.basic.a", "gb_t_36132_2025", evidence=paper, text="信用查询无处罚")
    row = attesting.attest(closed, YEAR, criterion)
    assert (row["actor"], row["state"], row["file_name"]) == ("test", "met", "credit.pdf")
    assert closed.workspace.evidence.find(str(row["evidence"])).read_bytes() == b"no penalties"
    found = evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "gb_t_36132_2025")
    verdicts = {finding.criterion: finding.verdict for finding in found.findings}
    assert verdicts["gb36132.basic.a"] == "met"
    assert verdicts["gb36132.basic.b"] == "not_met"
    assert verify.run(reopen(closed)).problems == ()
    closed.workspace.evidence.find(str(row["evidence"])).write_bytes(b"changed")
    found = evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "gb_t_36132_2025")
    finding = next(f for f in found.findings if f.criterion == "gb36132.basic.a")
    assert finding.verdict == "not_met"
    assert "gone or was changed" in finding.reason.en


def test_the_newest_word_on_a_subject_stands_and_amounts_are_converted(closed: Context, tmp_path: Path, reopen: Reopen):
    paper = tmp_path / "land.pdf"
    paper.write_bytes(b"certificate")
    for value, unit in ((30.0, "ha"), (240_000.0, "m2")):
        attesting.attest(
            reopen(closed), YEAR, Said("land_area", value=value, unit=unit, half_width_fraction=0.01, evidence=paper)
        )
    rows = closed.workspace.journal.active(ATTESTATIONS)
    assert rows["value"].to_list() == [300_000.0, 240_000.0]
    assert rows["attestation_id"].to_list() == ["2025-A1", "2025-A2"]
    facts = evaluate.gather(reopen(closed), YEAR).case.facts
    assert (facts.amounts["land_area"].value, facts.amounts["land_area"].origin) == (240_000.0, "attested")
    assert facts.amounts["land_area"].half_width == pytest.approx(2_400.0)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said("gb36132.basic.a", "gb_t_36132_2025"), "evaluation.no_evidence"),
        (Said("land_area", value=3.0), "evaluation.no_evidence"),
        (Said("land_area"), "evaluation.no_value"),
        (Said("land_area", value=-3.0), "evaluation.value"),
        (Said("land_area", value=float("nan")), "evaluation.value"),
        (Said("land_area", value=3.0, unit="kg"), "evaluation.unit"),
        (Said("vehicles", value=3.0), "evaluation.not_attestable"),
        (Said("gb36132.basic.a", "gb_t_36132_2025", state="not_applicable"), "evaluation.veto"),
        (Said("gb36132.02", "gb_t_36132_2025"), "evaluation.measured"),
        (Said("gb36132.09", "gb_t_36132_2025", value=1.5), "evaluation.mark"),
        (Said("gb36132.02", "gb_t_36132_2025", value=1.5, unit="kWh"), "evaluation.unit"),
        (Said("land_area", value=3.0, half_width_fraction=-1.0), "evaluation.half_width"),
    ],
)
def test_attestations_at_fault_are_refused_and_nothing_is_booked(closed: Context, said: Said, code: str):
    with pytest.raises(FaultyData) as caught:
        attesting.attest(closed, YEAR, said)
    assert code in {problem.code for problem in caught.value.problems}
    assert closed.workspace.journal.rows(ATTESTATIONS).is_empty()


def test_names_that_do_not_exist(closed: Context, tmp_path: Path):
    with pytest.raises(NotFound):
        attesting.attest(closed, YEAR, Said("roof_area", value=1.0))
    with pytest.raises(NotFound):
        attesting.attest(closed, YEAR, Said("x", "gb_t_36132_2025"))
    with pytest.raises(NotFound):
        attesting.attest(closed, YEAR, Said("x", "gb_t_36132_2099"))
    with pytest.raises(OSError, match="nowhere"):
        attesting.attest(closed, YEAR, Said("land_area", value=1.0, evidence=tmp_path / "nowhere.pdf"))
    empty = tmp_path / "empty.pdf"
    empty.touch()
    with pytest.raises(FaultyData, match="empty"):
        attesting.attest(closed, YEAR, Said("land_area", value=1.0, evidence=empty))


def test_an_open_month_refuses_to_be_evaluated(small: Context):
    with pytest.raises(FaultyData) as caught:
        evaluate.gather(small, YEAR)
    assert caught.value.problems[0].code == "inventory.not_closed"


def test_thresholds_and_own_books_of_the_workspace(closed: Context, reopen: Reopen):
    folder = closed.workspace.folder
    (folder / "thresholds.toml").write_text(
        '[[threshold]]\nstandard = "gb_t_36132_2025"\ncriterion = "gb36132.02"\nunit = "tCO2/vehicle"\nbase = 2.0\nlead = 1.0\n'
        'source = "group table 2026"\ndate = 2026-01-02\n', encoding="utf-8",
    )  # fmt: skip
    found = evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "gb_t_36132_2025")
    finding = next(f for f in found.findings if f.criterion == "gb36132.02")
    assert finding.verdict == "met"
    assert finding.points is not None
    assert finding.value is not None
    assert finding.points == pytest.approx(8 * (2.0 - finding.value))
    (folder / "standards").mkdir()
    own = (Path(evaluate.__file__).parents[1] / "standards" / "books" / "zero_carbon_park_2025.yaml").read_text(
        encoding="utf-8"
    )
    (folder / "standards" / "group.yaml").write_text(own, encoding="utf-8")
    assert "group" in evaluate.library(folder).names
    assert evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "group").findings
    (folder / "standards" / "iso_14064_1_2018.yaml").write_text(own, encoding="utf-8")
    (folder / "standards" / "torn.yaml").write_text("criteria: [", encoding="utf-8")
    (folder / "thresholds.toml").write_text("[[threshold]]\nbase = 1\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        evaluate.gather(reopen(closed), YEAR)
    assert {problem.file for problem in caught.value.problems} == {
        "standards/iso_14064_1_2018.yaml",
        "standards/torn.yaml",
        "thresholds.toml",
    }


def test_base_year_enters_once_it_is_fixed(closed: Context, reopen: Reopen):
    assert book_of(closed, YEAR).base is None
    base_year.fix(closed, YEAR)
    found = evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "auto_zero_carbon_factory")
    finding = next(f for f in found.findings if f.criterion == "claim.reduction")
    assert finding.value == pytest.approx(0.0, abs=1e-12)


def test_what_is_shown_and_written(closed: Context, tmp_path: Path):
    for suffix in ("csv", "json", "md"):
        out = tmp_path / f"findings.{suffix}"
        shown = evaluate_path.show(closed, YEAR, evaluate_path.Asked("gb_t_36132_2025", gap=True, out=out))
        assert "gb36132.01" in out.read_text(encoding="utf-8")
        assert shown.gap is not None
    every = evaluate_path.show(closed, YEAR, evaluate_path.Asked(every=True))
    assert len(every.evaluations) == 17
    for asked in (evaluate_path.Asked(), evaluate_path.Asked("gb_t_36132_2025", out=tmp_path / "x.docx")):
        with pytest.raises(FaultyData):
            evaluate_path.show(closed, YEAR, asked)


def test_a_changed_attestation_breaks_the_book(closed: Context, tmp_path: Path, reopen: Reopen):
    paper = tmp_path / "a.pdf"
    paper.write_bytes(b"a")
    attesting.attest(closed, YEAR, Said("land_area", value=3.0, evidence=paper))
    with meddling(closed.workspace.folder) as book:
        book.drop_guard("attestations", "UPDATE")
        book.execute("UPDATE attestations SET value = 4.0")
    assert "store.row_changed" in {problem.code for problem in verify.run(reopen(closed)).problems}


def test_targets_of_the_plan_in_force_become_amounts(closed: Context, reopen: Reopen):
    from zerofactory.runs.plan import set_plan

    (closed.workspace.folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    assert "target_reduction" not in evaluate.gather(reopen(closed), YEAR).case.facts.amounts
    set_plan(reopen(closed))
    facts = evaluate.gather(reopen(closed), YEAR).case.facts
    found = {
        name: facts.value(name)
        for name in ("target_reduction", "target_year", "base_year", "target_long", "target_residual")
    }
    expected = {
        "target_reduction": 0.42,
        "target_year": 2030.0,
        "base_year": 2025.0,
        "target_long": 0.9,
        "target_residual": 0.1,
    }
    assert found == pytest.approx(expected, rel=1e-6)  # reductions are of whole grams
    result = evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "sbti_net_zero")
    assert (
        next(f for f in result.findings if f.criterion == "sbti1.aca").verdict == "met"
    )  # 42 % in ten years from 2020


def test_a_finished_task_of_a_checklist_shows_its_criterion_where_its_evidence_is_kept(
    closed: Context, tmp_path: Path, reopen: Reopen
):
    from zerofactory.errors import Text
    from zerofactory.runs.plan import Change, change_task, set_plan

    mechanism = '\n[mechanism]\nchecklists = ["gb_t_23331_2020"]\n'
    (closed.workspace.folder / "plan.toml").write_text(PLAN + mechanism, encoding="utf-8")
    set_plan(reopen(closed))
    paper = tmp_path / "scope.pdf"
    paper.write_bytes(b"scope of the system")

    def verdict(criterion: str) -> str:
        found = evaluate.evaluate(evaluate.gather(reopen(closed), YEAR), "gb_t_23331_2020")
        return next(f.verdict for f in found.findings if f.criterion == criterion)

    for task, item, evidence in (("a", "gb23331.4", str(paper)), ("b", "gb23331.5", "the cupboard on floor 2")):
        change_task(reopen(closed), task, "added", Change(title=Text("任务", "task"), item=item, evidence=evidence))
    assert verdict("gb23331.4") == "not_met"  # not finished yet
    for task in ("a", "b"):
        change_task(reopen(closed), task, "done")
    assert verdict("gb23331.4") == "met"
    assert verdict("gb23331.5") == "not_met"  # its evidence is no file in the workspace
    attesting.attest(reopen(closed), YEAR, Said("gb23331.4", "gb_t_23331_2020", state="not_met", text="过期"))
    assert verdict("gb23331.4") == "not_met"  # what is attested stands before the task


def test_a_plant_with_one_truck_and_nothing_else_is_evaluated(tmp_path: Path, write_form: Writer):
    from tests.conftest import NOW

    from zerofactory.runs.context import stamp
    from zerofactory.store.workspace import Workspace

    folder = tmp_path / "yard"
    folder.mkdir()
    (folder / "factory.toml").write_text(
        """[plant]
id = "yard"
name = { zh = "车队", en = "yard" }
time_zone = "Asia/Shanghai"
region = "CN-上海"
currency = "CNY"

[organisation]
name = { zh = "车队公司", en = "yard company" }

[[shops]]
id = "yard"
kind = "other"
name = { zh = "场地", en = "yard" }

[[sources]]
id = "diesel"
kind = "mobile_combustion"
name = { zh = "柴油车", en = "trucks" }
shop = "yard"
item = "diesel"
detail = { use = "road" }
""",
        encoding="utf-8",
    )
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    import_data.run(context, [write_form("diesel,2025-01-01,2025-01-31,12,t,,结算,D1,")])
    close.run(Context(Workspace.open(folder), NOW, "test"), Period(2025, 1), known_at=date(2026, 1, 15))
    opened = Context(Workspace.open(folder), NOW, "test")
    gathered = evaluate.gather(opened, Period(2025, 1))
    found = evaluate.evaluate_all(gathered)
    assert all(one.grade is None or one.book.id == "ghg_protocol_corporate" for one in found)
    assert gathered.case.facts.value("emissions_scope2") == 0.0
    assert "electricity" not in gathered.case.facts.amounts
    assert "vehicles" not in gathered.case.facts.amounts
