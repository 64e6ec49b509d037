"""Restatement and base year on a real book: what was filed never moves, and every difference has its causes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.database import meddling

from zerofactory.errors import BookBroken, FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import base_year, close, import_data, inventory, report, restate, verify
from zerofactory.runs.context import Context
from zerofactory.runs.restate import Request
from zerofactory.runs.statement import fill
from zerofactory.store.agreed import BASE_YEARS
from zerofactory.store.schema import SEALS

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
YEAR, KNOWN = Period(2025), date(2026, 1, 15)
BOILER = """
[[sources]]
id = "boiler"
kind = "stationary_combustion"
name = { zh = "锅炉", en = "boiler" }
shop = "utilities"
item = "natural_gas"
"""


@pytest.fixture
def closed(small: Context, write_readings: Writer, write_form: Writer, reopen: Reopen) -> Context:
    form = write_form(
        "diesel,2025-01-01,2025-02-28,12,t,,结算,D1,", "vehicles,2025-01-01,2025-12-31,1200,vehicle,,,P1,"
    )
    import_data.run(small, [write_readings(*range(1, 13)), form])
    close.run(reopen(small), YEAR, known_at=KNOWN)
    return reopen(small)


def causes(found: restate.Restatement) -> dict[str, int]:
    for line in (found.total, *found.lines):
        assert sum(line.by_cause.values()) == line.difference_gco2e
    assert sum(line.difference_gco2e for line in found.lines) == found.total.difference_gco2e
    return {cause: amount for cause, amount in found.total.by_cause.items() if amount}


def edit(context: Context, old: str, new: str) -> None:
    path = context.workspace.folder / "factory.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_nothing_changed_restates_to_nothing(closed: Context) -> None:
    found = restate.run(closed, Request(YEAR, known_at=KNOWN))
    assert causes(found) == {}
    assert found.against == "now"
    assert found.total.filed_gco2e == inventory.read(closed, YEAR, "iso_14064_1_2018").total_gco2e


def test_factor_edition_and_gwp_as_a_what_if(closed: Context) -> None:
    older = causes(restate.run(closed, Request(YEAR, known_at=date(2025, 6, 1))))
    assert set(older) == {"factor"}
    both = causes(restate.run(closed, Request(YEAR, gwp_set="AR4", known_at=date(2025, 6, 1))))
    assert both["factor"] == older["factor"]
    assert set(both) == {"factor", "method"}
    assert verify.run(closed).clean


def test_late_document_is_data_before_and_after_the_revision(
    closed: Context, write_form: Writer, reopen: Reopen
) -> None:
    late = write_form("diesel,2025-03-01,2025-03-31,5,t,,结算,D9,", name="late.csv")
    import_data.run(reopen(closed), [late], into_closed=True)
    what_if = restate.run(reopen(closed), Request(YEAR, known_at=KNOWN))
    expected = causes(what_if)
    assert set(expected) == {"data"}
    later = replace(reopen(closed), now=closed.now + timedelta(days=3))
    close.run(later, Period(2025, 3), known_at=KNOWN, revise=True, reason="迟到的柴油单据")
    done = restate.run(reopen(closed), Request(YEAR, as_filed="r0"))
    assert done.against == "book"
    assert causes(done) == expected
    assert done.new_seals[2] == "2025-03.r1"
    assert causes(restate.run(reopen(closed), Request(YEAR, since="2025-12.r0"))) == expected
    assert causes(restate.run(reopen(closed), Request(YEAR, since="2025-03.r1", known_at=KNOWN))) == {}


def test_corrected_reading_is_data(closed: Context, tmp_path: Path, reopen: Reopen) -> None:
    fix = tmp_path / "fix.csv"
    fix.write_text("表计,时间,读数,单位\nE1,2025-01-10 08:00,0.5,MWh\n", encoding="utf-8")
    import_data.run(replace(reopen(closed), now=closed.now + timedelta(hours=1)), [fix], into_closed=True)
    assert set(causes(restate.run(reopen(closed), Request(YEAR, known_at=KNOWN)))) == {"data"}


def test_every_cause_at_once_and_every_revision_still_gives_its_own_records(
    closed: Context, write_form: Writer, reopen: Reopen
) -> None:
    path = closed.workspace.folder / "factory.toml"
    edit(closed, "[organisation]", '[accounting]\ngwp_set = "AR4"\n\n[organisation]')
    path.write_text(path.read_text(encoding="utf-8") + BOILER, encoding="utf-8")
    forms = write_form(
        "boiler,2025-01-01,2025-12-31,120000,Nm3,,结算,B1,",
        "diesel,2025-05-01,2025-05-31,2,t,,结算,D2,",
        name="more.csv",
    )
    import_data.run(reopen(closed), [forms], into_closed=True)
    later = replace(reopen(closed), now=closed.now + timedelta(days=3))
    close.run(later, YEAR, known_at=date(2025, 6, 1), revise=True, reason="新增锅炉, 改用 AR4")
    found = causes(restate.run(reopen(closed), Request(YEAR, as_filed="r0", by="month")))
    assert set(found) == {"data", "boundary", "method", "factor"}
    context = reopen(closed)
    seals = context.workspace.journal.rows(SEALS).to_dicts()
    assert len(seals) == 24
    for seal in seals:
        filed = restate.records_of(context, seal).sort("record_id")
        again = verify.recompute(context, seal).records.sort("record_id")
        assert filed.equals(again.select(filed.columns)), seal["seal_id"]
    assert verify.run(reopen(closed)).clean


def test_a_source_taken_out_is_boundary_and_its_documents_are_named(closed: Context, reopen: Reopen) -> None:
    path = closed.workspace.folder / "factory.toml"
    text = path.read_text(encoding="utf-8")
    start = text.index('[[sources]]\nid = "diesel"')
    path.write_text(text[:start] + text[text.index("[[sources]]", start + 5) :], encoding="utf-8")
    found = restate.run(reopen(closed), Request(YEAR, known_at=KNOWN))
    assert set(causes(found)) == {"boundary"}
    assert found.total.difference_gco2e < 0
    assert "restate.source_gone" in {problem.code for problem in found.problems}


def test_wrong_requests_are_said(closed: Context, small: Context) -> None:
    for request in (
        Request(YEAR, as_filed="r7"), Request(YEAR, since="2025-13.r0"), Request(YEAR, gwp_set="AR9"),
        Request(YEAR, regime="hourly"), Request(YEAR, by="shop"), Request(YEAR, standard="x"), Request(YEAR, scope="9"),
    ):  # fmt: skip
        with pytest.raises(NotFound) as caught:
            restate.run(closed, request)
        assert caught.value.choices
    with pytest.raises(FaultyData) as faulty:
        restate.run(closed, Request(Period(2024)))
    assert faulty.value.problems[0].code == "restate.not_closed"
    with pytest.raises(FaultyData, match="revision in force"):
        restate.run(closed, Request(YEAR, against="book", known_at=KNOWN))
    with pytest.raises(FaultyData, match="not closed yet"):
        restate.run(closed, Request(YEAR, since="2025-03.r0"))


def test_a_changed_record_is_not_passed_over(closed: Context, reopen: Reopen) -> None:
    with meddling(closed.workspace.folder) as book:
        book.drop_guard("records", "UPDATE")
        book.execute("UPDATE records SET emissions_gco2e = emissions_gco2e + 1 WHERE row_number = 3")
    with pytest.raises(BookBroken):
        restate.run(reopen(closed), Request(YEAR, known_at=KNOWN))


def test_base_year_is_fixed_shown_and_recalculated_only_for_its_own_changes(
    closed: Context, write_form: Writer, reopen: Reopen
) -> None:
    with pytest.raises(NotFound):
        base_year.show(closed)
    made = base_year.fix(closed, YEAR)
    assert made.total_gco2e == inventory.read(closed, YEAR, "iso_14064_1_2018").total_gco2e
    assert not base_year.show(reopen(closed), KNOWN).assessment.required
    with pytest.raises(FaultyData, match="needs a reason"):
        base_year.fix(reopen(closed), YEAR)
    late = write_form("diesel,2025-03-01,2025-03-31,400,t,,结算,D9,", name="late.csv")
    import_data.run(reopen(closed), [late], into_closed=True)
    shown = base_year.show(reopen(closed), KNOWN)
    assert shown.assessment.required
    assert [line.trigger for line in shown.assessment.lines if line.exceeded] == ["error"]
    later = replace(reopen(closed), now=closed.now + timedelta(days=3))
    close.run(later, Period(2025, 3), known_at=KNOWN, revise=True, reason="差错更正")
    again = base_year.fix(reopen(closed), YEAR, reason="差错更正, 超过 5 %")
    assert (again.version, again.seals["2025-03"]) == (1, "2025-03.r1")
    shown = base_year.show(reopen(closed), KNOWN)
    assert [version.total_gco2e for version in shown.versions] == [made.total_gco2e, again.total_gco2e]
    assert not shown.assessment.required
    assert verify.run(reopen(closed)).clean
    assert closed.workspace.journal.rows(BASE_YEARS).height == 2


def test_base_year_refuses_months_other_years_and_open_years(closed: Context, small: Context, reopen: Reopen) -> None:
    for period, code in ((Period(2025, 3), "base_year.not_a_year"), (Period(2024), "inventory.not_closed")):
        with pytest.raises(FaultyData) as caught:
            base_year.fix(closed, period)
        assert caught.value.problems[0].code == code
    path = closed.workspace.folder / "factory.toml"
    path.write_text(
        path.read_text(encoding="utf-8") + "\n[base_year]\nyear = 2026\nthreshold_fraction = 0.1\n", encoding="utf-8"
    )
    with pytest.raises(FaultyData) as caught:
        base_year.fix(reopen(closed), YEAR)
    assert caught.value.problems[0].code == "base_year.another_year"


def test_the_report_names_the_base_year(closed: Context, reopen: Reopen, tmp_path: Path) -> None:
    assert fill(closed, YEAR, "iso_14064_1_2018").base_year is None
    base_year.fix(closed, YEAR)
    facts = fill(reopen(closed), YEAR, "iso_14064_1_2018").base_year
    assert facts is not None
    assert (facts.year, facts.total_gco2e) == (2025, inventory.read(closed, YEAR, "iso_14064_1_2018").total_gco2e)
    report.run(reopen(closed), YEAR, "iso_14064", tmp_path / "r.xlsx")
