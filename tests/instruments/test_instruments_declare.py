"""Declaring neutrality: a plant that has done everything may, any single thing left out keeps it from it, with the clause."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from tests.instruments.conftest import CCER, GEC, NOW, ccer, gec

from zerofactory.accounting.assurance import Terms
from zerofactory.errors import FaultyData, Misuse, NotFound
from zerofactory.instruments.neutrality import Balance, add_months, neutrality_standards
from zerofactory.instruments.purpose import Outcome
from zerofactory.instruments.retire import Wanted
from zerofactory.periods import Period
from zerofactory.reporting.declaration import declaration_png, render_declaration, verify_balance, wording
from zerofactory.runs import (
    assurance,
    close,
    declare,
    declared_pages,
    instrument_import,
    instruments,
    inventory,
    neutral,
    verify,
)
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import ledger
from zerofactory.store.workspace import Workspace

YEAR = Period(2025)
STANDARDS = ("iso_14068_1_2023", "pas_2060_2014", "auto_zero_carbon_factory")
STEPS = ("certificates", "close", "verify", "measures", "plan", "disclosure", "credits")


def fresh(context: Context) -> Context:
    """Open the same workspace as the next command would."""
    return Context(Workspace.open(context.workspace.folder), context.now, context.actor)


def cover_power(context: Context, folder: Path) -> None:
    rows = [gec(month, month * 1000, month * 1000 + 79) for month in range(1, 13)]
    path = folder / "gec.csv"
    path.write_text(GEC + "".join(rows), "utf-8")
    instrument_import.run(fresh(context), [path], "gec")
    ask = instruments.Request("scope2_market", YEAR, Wanted(960), "all electricity of 2025")
    instruments.retire(fresh(context), str(instruments.reserve(fresh(context), ask).claim_id), "NEA-2025", "")


def prepare(context: Context, folder: Path, without: str = "", standard: str = STANDARDS[0]) -> Context:
    """Take every step of a closed year towards a declaration, one left out."""
    if without != "verify":
        assurance.plan(fresh(context), YEAR, "CQC", Terms("reasonable", 0.05, 1))
        assurance.conclude(fresh(context), YEAR)
    paper = folder / "paper.txt"
    paper.write_text("evidence", "utf-8")
    for topic in ("plan", "disclosure"):
        if without != topic:
            neutral.put_on_file(fresh(context), YEAR, topic, f"https://example.com/{topic}", paper)
    if without != "measures":
        neutral.record_measure(
            fresh(context), Outcome("2025", "gec", "绿证覆盖外购电", "done", 640_000_000, "", "", "")
        )
        shown = Outcome("2025", "e-truck", "电动卡车", "infeasible", None, "2025 年无适用车型", "", str(paper))
        neutral.record_measure(fresh(context), shown)
    if without not in ("credits", "measures"):
        offset(fresh(context), folder, standard)
    return fresh(context)


def offset(context: Context, folder: Path, standard: str) -> None:
    path = folder / "ccer.csv"
    path.write_text(CCER + ccer(1, 700), "utf-8")
    instrument_import.run(context, [path], "ccer")
    again = fresh(context)
    balance = neutral.balance(again, ledger(again.workspace), neutrality_standards()[standard], YEAR)
    units = -(-balance.residual_gco2e // 1_000_000)
    ask = instruments.Request("neutrality", YEAR, Wanted(units, ("ccer",)), "residual of 2025", standard)
    instruments.retire(again, str(instruments.reserve(again, ask).claim_id), "REG-9", "")


@pytest.fixture(scope="session")
def _sealed(_built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plant with its electricity of 2025 covered and the year closed."""
    folder = Path(shutil.copytree(_built, tmp_path_factory.mktemp("sealed") / "plant"))
    context = Context(Workspace.open(folder), NOW, "test")
    cover_power(context, folder.parent)
    close.run(fresh(context), YEAR)
    return folder


@pytest.fixture
def sealed(_sealed: Path, tmp_path: Path) -> Context:
    return Context(Workspace.open(Path(shutil.copytree(_sealed, tmp_path / "sealed"))), NOW, "test")


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_plant_that_has_done_everything_declares(sealed: Context, tmp_path: Path, standard: str) -> None:
    context = prepare(sealed, tmp_path, standard=standard)
    state = declare.standing(context, YEAR, standard)
    if standard == "pas_2060_2014":
        assert state.problems == ()
    out = tmp_path / "declaration.pdf"
    made = declare.declare(context, YEAR, standard, out)
    balance = made.declaration.balance
    base = inventory.read(context, Period(2024), "iso_14064_1_2018", "market_annual").total_gco2e
    assert balance.gross_gco2e == base
    assert balance.residual_gco2e == inventory.read(context, YEAR, "iso_14064_1_2018", "market_annual").total_gco2e
    assert balance.gross_gco2e - balance.reduced_gco2e == balance.residual_gco2e <= balance.offset_gco2e
    assert balance.offset_gco2e - balance.residual_gco2e < 1_000_000
    assert balance.reduced_fraction + balance.offset_fraction == pytest.approx(1.0)
    assert balance.location_gco2e > balance.market_gco2e
    text = re.sub(
        r"[\s\u200b]", "", "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(out.read_bytes())).pages)
    )
    for wanted in (
        "碳中和声明",
        "示例汽车有限公司",
        "CCER-000001",
        "GEC-001000",
        "REG-9",
        "NEA-2025",
        "CQC",
        "电动卡车",
    ):
        assert wanted in text
    assert verify.run(context).problems == ()
    again = declare.declare(
        Context(Workspace.open(context.workspace.folder), context.now, "test"), YEAR, standard, None
    )
    assert again.declaration.declaration_id == "2025-N2"
    assert declared_pages.filed(context, "2025-N1") == out.read_bytes()
    assert declared_pages.filed(context, "2025-N1", "en")[:5] == b"%PDF-"
    with pytest.raises(NotFound):
        declared_pages.filed(context, "2025-N7")


WANTED = {
    "certificates": {"declare.zcf.power", "declare.zcf.share"},
    "close": {"declare.zcf.foot", "declare.zcf.verify", "declare.zcf.hier", "declare.zcf.views", "declare.zcf.residual", "declare.zcf.plan", "declare.zcf.report"},
    "verify": {"declare.zcf.verify"},
    "measures": {"declare.zcf.hier", "declare.zcf.residual"},
    "plan": {"declare.zcf.plan"},
    "disclosure": {"declare.zcf.report"},
    "credits": {"declare.zcf.residual"},
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_anything_left_out_keeps_it_from_declaring(green: Context, sealed: Context, tmp_path: Path, step: str) -> None:
    standard = "auto_zero_carbon_factory"
    if step == "close":
        cover_power(green, tmp_path)
        close.run(fresh(green), Period(2025, 1))
        context = fresh(green)
    elif step == "certificates":
        close.run(green, YEAR)
        context = prepare(fresh(green), tmp_path, step, standard)
    else:
        context = prepare(sealed, tmp_path, step, standard)
    out = tmp_path / "declaration.pdf"
    with pytest.raises(FaultyData) as caught:
        declare.declare(context, YEAR, standard, out)
    assert {problem.code for problem in caught.value.problems} == WANTED[step]
    assert all("[" in problem.message.zh for problem in caught.value.problems)
    assert not out.exists()
    assert verify.run(context).problems == ()


def test_a_month_reopened_by_revision_ends_the_verification(sealed: Context, tmp_path: Path) -> None:
    context = prepare(sealed, tmp_path)
    close.run(context, Period(2025, 5), revise=True, reason="late data")
    context = Context(Workspace.open(context.workspace.folder), context.now, "test")
    with pytest.raises(FaultyData) as caught:
        declare.declare(context, YEAR, STANDARDS[0], None)
    assert [problem.code for problem in caught.value.problems] == ["declare.iso14068.verify"]


def test_a_filed_page_that_is_lost_or_changed_is_told(sealed: Context, tmp_path: Path) -> None:
    context = prepare(sealed, tmp_path)
    declare.declare(context, YEAR, STANDARDS[0], None)
    (_, digest), (_, other) = declared_pages.kept_pages(context)
    path = context.workspace.evidence.find(digest)
    path.write_bytes(path.read_bytes() + b" ")
    context.workspace.evidence.find(other).unlink()
    assert {one.code for one in verify.run(fresh(context)).problems} == {
        "store.evidence_changed",
        "verify.evidence_missing",
    }


def test_a_declaration_rests_on_its_claims_and_seals(sealed: Context, tmp_path: Path) -> None:
    context = prepare(sealed, tmp_path)
    made = declare.declare(context, YEAR, STANDARDS[0], None)
    assert [one.stands for one in declare.made_before(fresh(context), YEAR, STANDARDS[0])] == [True]
    with pytest.raises(FaultyData) as caught:
        instruments.take_back(fresh(context), "C0002", "wrong")
    assert [problem.code for problem in caught.value.problems] == ["instruments.declared"]
    assert made.declaration.declaration_id in caught.value.problems[0].message.zh
    instruments.take_back(fresh(context), "C0002", "wrong", into_closed=True)
    assert [one.stands for one in declare.made_before(fresh(context), YEAR, STANDARDS[0])] == [False]
    codes = {problem.code for problem in declare.standing(fresh(context), YEAR, STANDARDS[0]).problems}
    assert codes == {"declare.iso14068.residual"}
    assert verify.run(fresh(context)).problems == ()


def test_a_first_period_may_offset_under_pas_2060_only(green: Context) -> None:
    """Without a base year before it 2024 is a first period: PAS 2060 exempts it from the gate, ISO 14068-1 does not."""
    period = Period(2024)
    pas, iso = (declare.standing(green, period, name) for name in ("pas_2060_2014", "iso_14068_1_2023"))
    assert pas.gate.exempt
    assert pas.gate.is_open
    assert not iso.gate.is_open
    assert "declare.iso14068.hier" in {problem.code for problem in iso.problems}
    assert "declare.pas2060.first" not in {problem.code for problem in pas.problems}


def test_a_withdrawn_standard_serves_no_later_period(green: Context) -> None:
    state = declare.standing(green, Period(2026), "pas_2060_2014")
    assert "declare.withdrawn" in {problem.code for problem in state.problems}
    assert "declare.pas2060.valid" in {problem.code for problem in state.problems}


def test_the_page_in_both_languages(sealed: Context, tmp_path: Path) -> None:
    context = prepare(sealed, tmp_path)
    made = declare.declare(context, YEAR, STANDARDS[0], None).declaration
    assert render_declaration(made, "zh") == render_declaration(made, "zh")
    for language in ("zh", "en"):
        assert render_declaration(made, language).startswith(b"%PDF")
        assert all(page.startswith(b"\x89PNG") for page in declaration_png(made, language))
    text = wording(made)
    for wanted in ("碳中和", "2025-01-01", "ISO 14068-1:2023", "全厂"):
        assert wanted in text.zh
    assert "residual" in text.en


def test_a_balance_that_does_not_add_up_is_never_worded(sealed: Context, tmp_path: Path) -> None:
    from dataclasses import replace

    made = declare.declare(prepare(sealed, tmp_path), YEAR, STANDARDS[0], None).declaration
    short = replace(made, balance=replace(made.balance, offset_gco2e=0))
    with pytest.raises(Misuse):
        verify_balance(short)
    with pytest.raises(Misuse):
        wording(replace(made, instruments=()))


def test_the_balance_of_hand_made_cases() -> None:
    rising = Balance(50, 80, 0, {})
    assert (rising.gross_gco2e, rising.reduced_gco2e, rising.residual_gco2e, rising.is_neutral) == (80, 0, 80, False)
    removed = Balance(None, 100, 30, {"ccer": 40, "vcs": 30})
    assert (removed.residual_gco2e, removed.uncovered_gco2e, removed.is_neutral) == (70, 0, True)
    assert (removed.reduced_fraction, removed.offset_fraction) == pytest.approx((0.3, 0.7))
    nothing = Balance(100, 0, 0, {})
    assert (nothing.is_neutral, nothing.reduced_fraction, nothing.offset_fraction) == (True, 1.0, 0.0)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)


def test_zf_declare_lists_every_reason(zf: Callable[..., object], green: Context) -> None:
    folder = str(green.workspace.folder)
    done = zf("declare", "-w", folder, "--period", "2025", "--standard", "iso_14068_1_2023", "--out", "x.pdf")
    assert done.returncode == 2  # type: ignore[attr-defined]
    assert "未封存" in done.stderr  # type: ignore[attr-defined]
    assert "降" in done.stderr or "层级" in done.stderr  # type: ignore[attr-defined]
    check = zf("declare", "-w", folder, "--period", "2025", "--check", "--json")
    assert check.returncode == 0  # type: ignore[attr-defined]
    assert '"ready": false' in check.stdout  # type: ignore[attr-defined]
