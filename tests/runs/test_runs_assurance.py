"""Assurance: samples by risk, findings with corrections, no statement while a material one is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from zerofactory.accounting.assurance import Terms, confidence_factor, data, default_materiality, plan, risks_of
from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import assurance, close, import_data, verify
from zerofactory.runs.context import Context
from zerofactory.runs.statement import fill
from zerofactory.store.agreed import ASSURANCE_FINDINGS

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
MONTH, KNOWN = Period(2025, 1), date(2026, 1, 15)
TERMS = Terms("reasonable", 0.05, 7)


@pytest.fixture
def closed(small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen) -> Context:
    import_data.run(small, [write_readings(1), write_form("diesel,2025-01-01,2025-01-31,12,t,,结算,D1,")])
    close.run(reopen(small), MONTH, known_at=KNOWN)
    return reopen(small)


def population(count: int = 400) -> pl.DataFrame:
    rows = [
        {
            "activity_id": f"{number:016x}",
            "source_id": f"s{number % 4}",
            "tier": ("metered", "invoiced", "estimated", "invoiced")[number % 4],
            "confidence": ("high", "high", "medium", "low")[number % 4],
            "emissions_gco2e": 1_000_000 * (1 + number % 7) if number else 900_000_000,
        }
        for number in range(count)
    ]
    return pl.DataFrame(rows)


def code_of(work: Callable[[], object]) -> str:
    with pytest.raises(FaultyData) as caught:
        work()
    return caught.value.problems[0].code


def test_samples_follow_risk_size_and_seed() -> None:
    rows = population()
    drawn = plan(rows, TERMS)
    assert [s.activity_id for s in drawn] == [
        s.activity_id for s in plan(rows.sample(fraction=1.0, shuffle=True, seed=1), TERMS)
    ]
    assert {s.activity_id for s in drawn} != {s.activity_id for s in plan(rows, replace(TERMS, seed=8))}
    assert drawn[0].activity_id == f"{0:016x}", "what is as large as the threshold is always tested"
    assert len({s.activity_id for s in drawn}) == len(drawn)
    by_source = {name: sum(1 for s in drawn if s.source_id == name) for name in ("s0", "s1", "s2", "s3")}
    assert by_source["s2"] > by_source["s3"] > by_source["s1"]
    assert len(plan(rows, replace(TERMS, level="limited"))) < len(drawn)
    assert len(plan(rows, replace(TERMS, materiality_fraction=0.2))) < len(drawn)
    assert all(sample.reason.zh and sample.reason.en for sample in drawn)


def test_confidence_factors_of_the_audit_tables() -> None:
    """Poisson factors for no expected error, as printed in sampling tables: 95 % 3.00, 80 % 1.61."""
    assert confidence_factor(0.05, 1.0, 1.0) == pytest.approx(3.0, abs=0.01)
    assert confidence_factor(0.20, 1.0, 1.0) == pytest.approx(1.61, abs=0.01)
    assert risks_of("estimated", ["high"]) == (1.0, 1.0)
    assert risks_of("metered", ["low"])[0] == 1.0


def test_every_number_of_the_data_file_has_source_and_status() -> None:
    found = data()
    entries = [found["materiality_fraction"]]
    entries += [row for name in found if name.endswith("_risk_fraction") for row in found[name].values()]
    assert all(0.0 < row["value"] <= 1.0 and row["source"] and row["status"] for row in entries)
    assert default_materiality() == 0.05


def test_the_whole_way_to_a_statement_in_the_report(closed: Context, write_form: Writer, reopen: Reopen) -> None:
    made = assurance.plan(closed, MONTH, "示例核查机构", TERMS)
    assert made.samples
    opened = assurance.open_finding(reopen(closed), MONTH, "diesel", "柴油数量与单据不符", 900_000_000)
    assert (opened.finding_id, opened.material, opened.state) == ("2025-01-F1", True, "opened")
    small = assurance.open_finding(reopen(closed), MONTH, "gas-ovens", "四舍五入", 10)
    assert not small.material
    assert code_of(lambda: assurance.conclude(reopen(closed), MONTH)) == "assurance.findings_open"
    assert (
        code_of(lambda: assurance.close_finding(reopen(closed), MONTH, "2025-01-F1", "好")) == "assurance.not_corrected"
    )
    late = write_form("diesel,2025-01-01,2025-01-31,1,t,,结算,D2,", name="late.csv")
    later = replace(reopen(closed), now=closed.now + timedelta(days=2))
    from zerofactory.runs import reverse

    reverse.run(later, "D1", "更正", into_closed=True)
    import_data.run(reopen(later), [late], into_closed=True)
    close.run(
        replace(reopen(closed), now=closed.now + timedelta(days=3)), MONTH, known_at=KNOWN, revise=True, reason="更正"
    )
    last = closed.workspace.journal.last()
    assert last is not None
    done = assurance.correct(reopen(closed), MONTH, "2025-01-F1", last.seq, "修订 r1")
    assert (done.state, done.corrected_by) == ("corrected", last.seq)
    assert code_of(lambda: assurance.conclude(reopen(closed), MONTH)) == "assurance.findings_open"
    assert assurance.close_finding(reopen(closed), MONTH, "2025-01-F1", "核对无误").state == "closed"
    given = assurance.conclude(reopen(closed), MONTH, date(2026, 2, 1))
    assert "合理保证" in given["text_zh"]
    assert "reasonable level of assurance" in given["text_en"]
    facts = fill(reopen(closed), MONTH, "iso_14064_1_2018").verification
    assert facts is not None
    assert (facts.verifier, facts.date, facts.reference) == ("示例核查机构", date(2026, 2, 1), "2025-01-S1")
    assert verify.run(reopen(closed)).clean
    assert closed.workspace.journal.rows(ASSURANCE_FINDINGS).height == 4
    close.run(
        replace(reopen(closed), now=closed.now + timedelta(days=5)), MONTH, known_at=KNOWN, revise=True, reason="再修订"
    )
    assert fill(reopen(closed), MONTH, "iso_14064_1_2018").verification is None, "the book moved on"
    assert not assurance.statements(reopen(closed), MONTH)[0]["in_force"]


def test_limited_assurance_is_worded_negatively(closed: Context, reopen: Reopen) -> None:
    assurance.plan(closed, MONTH, "verifier", replace(TERMS, level="limited"))
    given = assurance.conclude(reopen(closed), MONTH)
    assert "没有发现任何情况" in given["text_zh"]
    assert "there is no evidence that" in given["text_en"]


def test_small_findings_together_can_be_material(closed: Context, reopen: Reopen) -> None:
    assurance.plan(closed, MONTH, "verifier", TERMS)
    total = close.run(reopen(closed), Period(2025, 1), revise=True, reason="x", known_at=KNOWN)[0].total_gco2e
    for _ in range(2):
        finding = assurance.open_finding(reopen(closed), MONTH, "diesel", "偏差", round(total * 0.03))
        assert not finding.material
    assert code_of(lambda: assurance.conclude(reopen(closed), MONTH)) == "assurance.findings_open"
    assurance.close_finding(reopen(closed), MONTH, "2025-01-F2", "解释充分")
    assert assurance.conclude(reopen(closed), MONTH)["level"] == "reasonable"


def test_wrong_steps_are_said(closed: Context, small: Context, reopen: Reopen) -> None:
    for work in (
        lambda: assurance.engagement(closed, MONTH),
        lambda: assurance.open_finding(closed, MONTH, "x", "y", None),
        lambda: assurance.conclude(closed, MONTH),
        lambda: assurance.level_of("absolute"),
    ):
        with pytest.raises(NotFound):
            work()
    assert code_of(lambda: assurance.plan(closed, MONTH, " ", TERMS)) == "assurance.no_verifier"
    assert (
        code_of(lambda: assurance.plan(closed, MONTH, "v", replace(TERMS, materiality_fraction=5.0)))
        == "assurance.materiality"
    )
    assert code_of(lambda: assurance.plan(closed, Period(2025, 2), "v", TERMS)) == "inventory.not_closed"
    assurance.plan(closed, MONTH, "v", TERMS)
    context = reopen(closed)
    assert code_of(lambda: assurance.open_finding(context, MONTH, "x", " ", None)) == "assurance.no_text"
    assurance.open_finding(context, MONTH, "x", "y", None, material=True)
    with pytest.raises(NotFound):
        assurance.correct(context, MONTH, "2025-01-F9", 2, "")
    assert code_of(lambda: assurance.correct(context, MONTH, "2025-01-F1", 99, "")) == "assurance.no_entry"
    assert code_of(lambda: assurance.correct(context, MONTH, "2025-01-F1", 1, "")) == "assurance.entry_too_old"
    assurance.open_finding(context, MONTH, "x", "z", None)
    last = context.workspace.journal.last()
    assert last is not None
    assert code_of(lambda: assurance.correct(context, MONTH, "2025-01-F1", last.seq, "")) == "assurance.entry_kind"
    assurance.close_finding(context, MONTH, "2025-01-F2", "ok")
    assert code_of(lambda: assurance.close_finding(context, MONTH, "2025-01-F2", "ok")) == "assurance.closed"
