"""Importing, reserving, retiring and claiming in a workspace: what counts where, and what is refused with its citation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.database import meddling
from tests.instruments.conftest import CCER, GEC, NAME, ccer, gec

from zerofactory.errors import FaultyData, Problem
from zerofactory.instruments.neutrality import neutrality_standard
from zerofactory.instruments.purpose import Outcome
from zerofactory.instruments.retire import Wanted
from zerofactory.periods import Period
from zerofactory.runs import close, instrument_import, instrument_view, instruments, inventory, neutral, verify
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import check, ledger
from zerofactory.store.workspace import Workspace

Later = Callable[..., Context]
Export = Callable[..., Path]
YEAR = Period(2025)
ISO = "iso_14068_1_2023"


def wish(use: str, amount: int, period: Period = YEAR, **more: object) -> instruments.Request:
    wanted = Wanted(amount, tuple(more.pop("kinds", ())), tuple(more.pop("batches", ())))  # type: ignore[call-overload]
    return instruments.Request(use, period, wanted, "test", **more)  # type: ignore[arg-type]


def refused(action: Callable[[], object], context: Context | None = None) -> tuple[Problem, ...]:
    with pytest.raises(FaultyData) as caught:
        action()
    if context is not None:
        assert check(Workspace.open(context.workspace.folder)) == []
    return caught.value.problems


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return sorted(problem.code for problem in problems)


def market(context: Context, period: Period) -> int:
    return inventory.read(context, period, "iso_14064_1_2018", "market_annual").total_gco2e


def located(context: Context, period: Period) -> int:
    return inventory.read(context, period, "iso_14064_1_2018", "location").total_gco2e


def test_a_retired_certificate_covers_its_month_when_the_month_is_closed(
    green: Context, later: Later, export: Export
) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50), gec(4, 51, 60)])], "gec")
    done = instruments.reserve(later(green), wish("scope2_market", 60))
    assert done.units == {"gec": 60}
    before = later(green)
    close.run(before, Period(2025, 2))
    instruments.retire(later(green), "C0001", "NEA-1", "")
    close.run(later(green), Period(2025, 3))
    context = later(green)
    plain, covered = Period(2025, 2), Period(2025, 3)
    assert located(context, plain) == located(context, covered)
    saved = market(context, plain) - market(context, covered)
    residual = 0.6096  # tCO2/MWh, national factor without market-traded non-fossil electricity, 公告2025-47
    assert saved == pytest.approx(50 * residual * 1e6, rel=1e-9)
    assert verify.run(context).problems == ()
    claims = ledger(context.workspace).claims.sort("period")
    assert claims.select("period", "amount_wh", "instrument", "covers").rows() == [
        ("2025-03", 50_000_000, "gec", "electricity"), ("2025-04", 10_000_000, "gec", "electricity"),
    ]  # fmt: skip
    assert claims["document"].to_list() == ["NEA-1", "NEA-1"]


def test_a_sealed_month_never_changes_by_itself(green: Context, later: Later, export: Export) -> None:
    close.run(green, Period(2025, 3))
    before = market(later(green), Period(2025, 3))
    instrument_import.run(later(green), [export(GEC, [gec(3, 1, 50)])], "gec")
    instruments.reserve(later(green), wish("scope2_market", 50, Period(2025, 3)))
    problems = refused(lambda: instruments.retire(later(green), "C0001", "", ""), green)
    assert codes(problems) == ["instruments.period_closed"]
    done = instruments.retire(later(green), "C0001", "", "", into_closed=True)
    assert [problem.code for problem in done.warnings] == ["instruments.to_revise"]
    context = later(green)
    assert market(context, Period(2025, 3)) == before
    assert verify.run(context).problems == ()
    close.run(context, Period(2025, 3), revise=True, reason="late retirement")
    assert market(later(green), Period(2025, 3)) < before
    assert verify.run(later(green)).problems == ()


def test_taking_a_claim_back_frees_the_units_and_the_month(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50)])], "gec")
    instruments.reserve(later(green), wish("scope2_market", 50))
    instruments.retire(later(green), "C0001", "", "")
    instruments.take_back(later(green), "C0001", "booked for the wrong plant")
    context = later(green)
    assert ledger(context.workspace).claims.is_empty()
    assert ledger(context.workspace).book.balance("held") == 50
    close.run(context, Period(2025, 2))
    close.run(later(green), Period(2025, 3))
    assert market(later(green), Period(2025, 2)) == market(later(green), Period(2025, 3))
    assert verify.run(later(green)).problems == ()
    assert instruments.reserve(later(green), wish("scope2_market", 50)).claim_id == "C0002"


def test_every_fault_of_every_file_at_once_and_nothing_is_written(green: Context, later: Later, export: Export) -> None:
    first = export(
        GEC,
        [
            gec(3, 1, 50),
            gec(3, 40, 60),  # overlaps the row above
            gec(4, 100, 110, amount="12"),  # amount and serials differ
            gec(5, 200, 210, holder="别家公司"),  # another's
            gec(6, 300, 310, vintage="六月"),  # unreadable
            gec(7, 400, 410, vintage="2023-07"),  # expired at the end of 2025
            gec(8, 500, 510, amount="2.5"),  # no whole number
        ],
        "first.csv",
    )
    second = export(GEC, [gec(9, 30, 35)], "second.csv")
    problems = refused(lambda: instrument_import.run(green, [first, second], "gec"), green)
    told = {(p.code, p.file, p.row, p.column) for p in problems}
    assert told == {
        ("instruments.serial_twice", "first.csv", 3, None),
        ("instruments.amount_differs", "first.csv", 4, "绿证数量"),
        ("instruments.beneficiary", "first.csv", 5, "账户名称"),
        ("instruments.date_unreadable", "first.csv", 6, "电量生产月份"),
        ("instruments.gec.valid", "first.csv", 7, "电量生产月份"),
        ("instruments.not_whole", "first.csv", 8, "绿证数量"),
        ("instruments.serial_twice", "second.csv", 2, None),
    }
    assert all("GHG Protocol" in p.message.en for p in problems if p.code == "instruments.serial_twice")
    assert any("绿证核发和交易规则" in p.message.zh for p in problems if p.code == "instruments.gec.valid")
    assert ledger(later(green).workspace).batches == {}


def test_the_same_serial_in_a_second_import_or_at_another_site_is_refused(
    green: Context, later: Later, export: Export, tmp_path: Path
) -> None:
    path = export(GEC, [gec(3, 1, 50)])
    assert instrument_import.run(green, [path], "gec")[0].status == "imported"
    assert instrument_import.run(later(green), [path], "gec")[0].status == "already_imported"
    twice = export(GEC, [gec(3, 50, 60)], "again.csv")
    assert codes(refused(lambda: instrument_import.run(later(green), [twice], "gec"), green)) == [
        "instruments.serial_twice"
    ]
    other = tmp_path / "other"
    other.mkdir()
    (other / "factory.toml").write_text((green.workspace.folder / "factory.toml").read_text("utf-8"), "utf-8")
    Workspace.create(other, at=green.at, actor="test")
    site = Context(Workspace.open(other), green.now, "test")
    action = lambda: instrument_import.run(site, [twice], "gec", sites=[green.workspace.folder])  # noqa: E731
    assert codes(refused(action)) == ["instruments.serial_twice"]
    assert instrument_import.run(site, [twice], "gec")[0].status == "imported"


def test_mwh_of_one_project_in_gec_and_ccer_is_refused(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50, name="阳江 海上风电场（一期）", type="海上风电")])], "gec")
    row = ccer(1, 100, name="阳江海上风电场(一期)", type="海上风电", **{"from": "2025-01-01", "to": "2025-06-30"})
    problems = refused(lambda: instrument_import.run(later(green), [export(CCER, [row], "c.csv")], "ccer"), green)
    assert codes(problems) == ["instruments.gec.ccer"]
    assert "国能综通新能〔2024〕124号" in problems[0].message.zh
    apart = ccer(1, 100, name="阳江海上风电场(一期)", type="海上风电", **{"from": "2024-01-01", "to": "2024-06-30"})
    assert instrument_import.run(later(green), [export(CCER, [apart], "d.csv")], "ccer")[0].batches == 1


def test_serials_of_a_booked_contract_are_not_imported_again(
    green: Context, later: Later, export: Export, tmp_path: Path
) -> None:
    from zerofactory.runs import import_data

    heads = "排放源,开始日期,结束日期,数量,单位,数据来源,凭证号,instrument_kind,vintage_year,market,beneficiary,retired,sole_claim,rate_attribute,serials\n"
    path = tmp_path / "contract.csv"
    path.write_text(
        heads
        + "green-power,2025-03-01,2025-03-31,20,MWh,结算,LD-1,green_power,2025,CN,示例汽车有限公司,yes,yes,yes,GEC-000010..GEC-000029\n",
        "utf-8",
    )
    import_data.run(green, [path])
    problems = refused(lambda: instrument_import.run(later(green), [export(GEC, [gec(3, 1, 50)])], "gec"), green)
    assert codes(problems) == ["instruments.dc.scope"]
    assert "LD-1" in problems[0].message.zh


@pytest.mark.parametrize(
    ("request_", "code", "cited"),
    [
        (wish("scope2_market", 51), "instruments.too_few", "51"),
        (wish("scope2_market", 10, beneficiary="别家公司"), "instruments.beneficiary", "table 7.1"),
        (wish("scope2_market", 10, Period(2024, 3)), "instruments.s2.vintage", "criterion 4"),
        (wish("scope2_market", 10, kinds=("ccer",)), "instruments.s2.kind", "criterion 1"),
        (wish("scope2_market", 10, kinds=("irec",)), "instruments.irec", "1044"),
        (wish("scope2_market", 0), "instruments.amount", "whole"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_reservations_are_refused_with_the_rule(
    request_: instruments.Request, code: str, cited: str, green: Context, later: Later, export: Export
) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50)])], "gec")
    instrument_import.run(later(green), [export(CCER, [ccer(1, 100)], "c.csv")], "ccer")
    irec = "Certificate From,Certificate To,Volume (MWh),Production Period Start,Production Period End,Device Code,Country\n"
    row = "IREC-0001,IREC-0020,20,2025-05-01,2025-05-31,DEV-9,China\n"
    instrument_import.run(later(green), [export(irec, [row], "i.csv")], "irec")
    problems = refused(lambda: instruments.reserve(later(green), request_), green)
    assert code in codes(problems)
    assert any(cited in problem.message.en for problem in problems if problem.code == code)
    assert ledger(later(green).workspace).purposes == {}


def test_an_expired_certificate_is_neither_reserved_nor_retired_but_written_off(
    green: Context, later: Later, export: Export
) -> None:
    instrument_import.run(green, [export(GEC, [gec(1, 1, 10), gec(2, 11, 20)])], "gec")
    instruments.reserve(later(green), wish("scope2_market", 15))
    assert [(str(one.expires_on), one.units) for one in instrument_view.calendar(later(green))] == [
        ("2026-12-31", 10), ("2027-01-31", 10),
    ]  # fmt: skip
    after = datetime(2027, 1, 10, tzinfo=UTC)
    problems = refused(lambda: instruments.retire(later(green, after), "C0001", "", ""), green)
    assert codes(problems) == ["instruments.gec.valid"]
    done = instruments.expire(later(green, after))
    assert done.units == {"gec": 10}
    book = ledger(later(green).workspace).book
    assert (book.balance("expired"), book.balance("reserved"), book.balance("held")) == (10, 5, 5)


def test_selling_follows_the_rules(green: Context, later: Later, export: Export) -> None:
    heads = GEC.rstrip("\n") + ",自发自用,是否可交易,出售方\n"
    rows = [
        gec(3, 1, 10).rstrip() + ",否,可交易,大唐新能源\n",
        gec(3, 11, 20).rstrip() + ",是,不可交易,\n",
        gec(3, 21, 30).rstrip() + ",否,可交易,\n",
    ]
    instrument_import.run(green, [export(heads, rows)], "gec")
    found = ledger(later(green).workspace).holdings.batches
    bought, own, surplus = sorted(found, key=lambda name: found[name].serials.first)
    for name, code in ((bought, "instruments.gec.once"), (own, "instruments.gec.type")):
        action = lambda: instruments.sell(later(green), Wanted(5, (), (name,)), "sale")  # noqa: B023, E731
        assert code in codes(refused(action, green))
    assert instruments.sell(later(green), Wanted(5, (), (surplus,)), "sale").units == {"gec": 5}


def test_ccer_serves_compliance_up_to_five_percent(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(CCER, [ccer(1, 100)])], "ccer")
    ask = lambda amount: wish("ets_compliance", amount, kinds=("ccer",), obligation=1000)  # noqa: E731
    instruments.reserve(later(green), ask(30))
    problems = refused(lambda: instruments.reserve(later(green), ask(21)), green)
    assert codes(problems) == ["instruments.ccer.limit"]
    assert "5 %" in problems[0].message.en
    instruments.reserve(later(green), ask(20))


def test_credits_wait_for_reductions(green: Context, later: Later, export: Export, tmp_path: Path) -> None:
    instrument_import.run(green, [export(CCER, [ccer(1, 2000)])], "ccer")
    ask = wish("neutrality", 10, standard=ISO)
    assert codes(refused(lambda: instruments.reserve(later(green), ask), green)) == ["declare.iso14068.hier"]
    neutral.record_measure(later(green), Outcome("2025", "led", "LED", "done", 5_000_000, "", "", ""))
    neutral.record_measure(later(green), Outcome("2025", "heat-pump", "heat pump", "open", None, "", "", ""))
    problems = refused(lambda: instruments.reserve(later(green), ask), green)
    assert codes(problems) == ["declare.iso14068.hier"]
    assert "heat-pump" in problems[0].message.en
    bare = Outcome("2025", "heat-pump", "heat pump", "infeasible", None, "no room", "", "")
    assert codes(refused(lambda: neutral.record_measure(later(green), bare))) == ["neutrality.infeasible"]
    study = tmp_path / "study.txt"
    study.write_text("no room on the roof", "utf-8")
    shown = Outcome("2025", "heat-pump", "heat pump", "infeasible", None, "no room", "", str(study))
    neutral.record_measure(later(green), shown)
    assert codes(refused(lambda: instruments.reserve(later(green), ask), green)) == ["instruments.period_open"]
    close.run(later(green), YEAR)
    instruments.reserve(later(green), ask)
    beyond = wish("neutrality", 1990, standard=ISO)
    assert codes(refused(lambda: instruments.reserve(later(green), beyond), green)) == ["instruments.beyond_residual"]
    done = instruments.retire(later(green), "C0001", "REG-7", "")
    assert done.units == {"ccer": 10}
    context = later(green)
    assert located(context, YEAR) == inventory.read(context, YEAR, "iso_14064_1_2018", "location").total_gco2e
    found = ledger(context.workspace).claims
    assert found.select("covers", "amount_gco2e", "period").rows() == [("emissions", 10_000_000, "2025")]
    assert verify.run(context).problems == ()


def test_measures_of_the_adopted_roadmap_keep_the_gate_shut_until_they_are_told(green: Context, later: Later) -> None:
    from zerofactory.planning.facts import PLAN_ROADMAPS

    line = {
        "roadmap_id": "R1",
        "plan_id": "P1",
        "capex_cny": 0.0,
        "parameters": "{}",
        "result": "{}",
        "at": green.at,
        "actor": "t",
    }
    rows = [
        {**line, "line_id": f"R1.{name}", "measure_id": name, "start_year": year}
        for name, year in (("led", 2024), ("roof-pv", 2025), ("heat-pump", 2027))
    ]
    with green.workspace.journal.writing(at=green.at, kind="plan_roadmap", actor="t") as writer:
        writer.append(PLAN_ROADMAPS, PLAN_ROADMAPS.frame(rows))
    standard = neutrality_standard(ISO)
    neutral.record_measure(later(green), Outcome("2024", "led", "LED", "done", 1_000_000, "", "", ""))
    shut = neutral.gate_of(later(green), standard, YEAR)
    assert [one.measure for one in shut.still_open] == ["roof-pv"]
    assert codes(shut.problems) == ["declare.iso14068.hier"]
    neutral.record_measure(later(green), Outcome("2025", "roof-pv", "PV", "done", 2_000_000, "", "", ""))
    assert neutral.gate_of(later(green), standard, YEAR).is_open
    assert [row["text"] for row in neutral.evidence(later(green), ISO, YEAR)] == ["P1 · R1"]


def test_certificates_and_allowances_offset_nothing(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50)])], "gec")
    neutral.record_measure(later(green), Outcome("2025", "led", "LED", "done", 5_000_000, "", "", ""))
    close.run(later(green), YEAR)
    problems = refused(lambda: instruments.reserve(later(green), wish("neutrality", 5, standard=ISO)), green)
    assert {"instruments.offset.nature", "declare.iso14068.kinds", "instruments.too_few"} <= set(codes(problems))


def test_pending_retirements_are_settled_either_way(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50)])], "gec")
    instruments.reserve(later(green), wish("scope2_market", 20))
    instruments.retire(later(green), "C0001", "", "", pending=True)
    assert ledger(later(green).workspace).claims.is_empty()
    refused(lambda: instruments.release(later(green), "C0001", ""), green)
    instruments.settle(later(green), "C0001", False, "", "name misspelt")
    instruments.retire(later(green), "C0001", "", "", pending=True)
    instruments.settle(later(green), "C0001", True, "NEA-2", "")
    found = ledger(later(green).workspace)
    assert found.claims["amount_wh"].sum() == 20_000_000
    assert found.book.balance("claimed") == 20
    assert check(later(green).workspace) == []


def test_units_retired_before_they_came_in_are_claimed(green: Context, later: Later, export: Export) -> None:
    heads = GEC.rstrip("\n") + ",状态,核销日期,核销凭证号\n"
    row = gec(3, 1, 50).rstrip() + ",已核销,2026-01-05,NEA-3\n"
    instrument_import.run(green, [export(heads, [row])], "gec")
    refused(lambda: instruments.reserve(later(green), wish("scope2_market", 5)), green)
    instruments.claim(later(green), wish("scope2_market", 30))
    again = refused(lambda: instruments.claim(later(green), wish("scope2_market", 30)), green)
    assert codes(again) == ["instruments.too_few"]
    found = ledger(later(green).workspace).claims
    assert found.select("retired_on", "document").rows() == [("2026-01-05", "NEA-3")]
    instruments.take_back(later(green), "C0001", "wrong period")
    instruments.claim(later(green), wish("scope2_market", 50))


def test_position_counts_units_and_cost(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50), gec(4, 51, 60, year=2024)])], "gec")
    instruments.reserve(later(green), wish("scope2_market", 20))
    lines = instrument_view.position(later(green)).lines
    assert [(one.vintage_year, one.total, one.cost_cny) for one in lines] == [(2024, 10, 65.0), (2025, 50, 325.0)]
    assert lines[1].units["reserved"] == 20
    names = [row["to"] for row in instrument_view.history(later(green), "C0001")]
    assert names == ["reserved"]


def test_a_changed_row_of_the_ledger_is_found(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(3, 1, 50)])], "gec")
    with meddling(green.workspace.folder) as connection:
        connection.drop_guard("transfers", "UPDATE")
        connection.execute("UPDATE transfers SET amount = 60")
    found = {problem.code for problem in verify.run(later(green)).problems}
    assert {"store.row_changed", "instruments.amount"} <= found


def test_a_package_with_retired_certificates_verifies_without_us(
    green: Context, later: Later, export: Export, tmp_path: Path
) -> None:
    from zerofactory.runs import open_package, package, restate

    instruments_in = export(GEC, [gec(3, 1, 50)])
    instrument_import.run(green, [instruments_in], "gec")
    instruments.reserve(later(green), wish("scope2_market", 50))
    instruments.retire(later(green), "C0001", "NEA-1", "")
    close.run(later(green), Period(2025, 3))
    package.run(later(green), Period(2025, 3), tmp_path / "p.zip", package.Content())
    assert open_package.verify(tmp_path / "p.zip").problems == ()
    made = restate.run(later(green), restate.Request(Period(2025, 3), regime="market_annual", against="now"))
    assert made.total.difference_gco2e == 0


def test_a_document_cannot_claim_what_the_ledger_holds_nor_be_reversed_behind_it(
    green: Context, later: Later, export: Export, tmp_path: Path
) -> None:
    from zerofactory.runs import import_data, reverse

    instrument_import.run(green, [export(GEC, [gec(3, 1, 50)])], "gec")
    heads = "排放源,开始日期,结束日期,数量,单位,数据来源,凭证号,instrument_kind,vintage_year,market,beneficiary,retired,sole_claim,rate_attribute,serials\n"
    path = tmp_path / "contract.csv"
    row = "green-power,2025-03-01,2025-03-31,20,MWh,结算,LD-9,gec,2025,CN,示例汽车有限公司,yes,yes,yes,GEC-000040..000059\n"
    path.write_text(heads + row, "utf-8")
    problems = refused(lambda: import_data.run(later(green), [path]), green)
    assert codes(problems) == ["instruments.dc.scope"]
    instruments.reserve(later(green), wish("scope2_market", 50))
    instruments.retire(later(green), "C0001", "", "")
    name = ledger(later(green).workspace).claims["claim_id"][0]
    assert codes(refused(lambda: reverse.run(later(green), name, "x"), green)) == ["reverse.claimed"]


def test_the_month_claimed_comes_first_then_what_expires_first(green: Context, later: Later, export: Export) -> None:
    instrument_import.run(green, [export(GEC, [gec(1, 1, 10), gec(6, 11, 20), gec(3, 21, 30)])], "gec")
    by_month = instruments.reserve(later(green), wish("scope2_market", 12, Period(2025, 6)))
    assert [str(one.serials) for one in by_month.transfers] == ["GEC-000011..GEC-000020", "GEC-000001..GEC-000002"]
    by_year = instruments.reserve(later(green), wish("scope2_market", 10))
    assert [str(one.serials) for one in by_year.transfers] == ["GEC-000003..GEC-000010", "GEC-000021..GEC-000022"]


def test_what_was_imported_by_mistake_is_withdrawn_and_comes_in_again(
    green: Context, later: Later, export: Export
) -> None:
    path = export(GEC, [gec(3, 1, 50), gec(4, 51, 60)])
    instrument_import.run(green, [path], "gec")
    march, april = ledger(later(green).workspace).batches
    instruments.reserve(later(green), wish("scope2_market", 5, Period(2025, 4), batches=(april,)))
    problems = refused(lambda: instruments.withdraw(later(green), [march, april], "wrong month"), green)
    assert codes(problems) == ["instruments.used"]
    assert instruments.withdraw(later(green), [march], "wrong month").units == {"gec": 50}
    assert [one.total for one in instrument_view.position(later(green)).lines] == [10]
    refused(lambda: instruments.withdraw(later(green), [march], "again"), green)
    refused(lambda: instruments.reserve(later(green), wish("scope2_market", 20)), green)
    right = export(GEC, [gec(5, 1, 50)], "right.csv")
    assert instrument_import.run(later(green), [right], "gec")[0].status == "imported"
    assert f"{march}-2" in ledger(later(green).workspace).batches
    assert instruments.cancel(later(green), Wanted(7, (), (f"{march}-2",)), "surplus").units == {"gec": 7}
    assert instruments.reserve(later(green), wish("scope2_market", 43, batches=(f"{march}-2",))).units == {"gec": 43}
    assert verify.run(later(green)).problems == ()


def test_a_workbook_is_read_like_a_text_file(green: Context, later: Later, tmp_path: Path) -> None:
    import datetime as days

    import xlsxwriter

    path = tmp_path / "gec.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, GEC.rstrip().split(","))
    for line, cells in enumerate([gec(3, 1, 50), gec(4, 51, 60)], start=1):
        sheet.write_row(line, 0, cells.rstrip().split(","))
        sheet.write_number(line, 2, int(cells.split(",")[2]))
        sheet.write_datetime(line, 3, days.datetime(2025, 2 + line, 1), day)  # noqa: DTZ001
    sheet.write_row(3, 0, ["5.7E+29", "5.7E+29", 1, "2025-05", "P", "", "", NAME])
    book.close()
    problems = refused(lambda: instrument_import.run(later(green), [path], "gec"))
    assert [(one.code, one.row) for one in problems] == [("instruments.serial_scientific", 4)]
