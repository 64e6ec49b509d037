"""The PDF and the charts: they open, say what the statement says, and repeat byte by byte."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from zerofactory.errors import Text
from zerofactory.reporting import charts
from zerofactory.reporting.render import chart_png, render_pdf

if TYPE_CHECKING:
    from zerofactory.errors import Language
    from zerofactory.reporting.statement import Statement


def words(pdf: bytes) -> str:
    """Text of all pages without white space; zero-width breaks are taken out."""
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return re.sub(r"[\s\u200b]+", "", "".join(page.extract_text() for page in pages))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pdf_is_made_of_any_statement(full: Statement, bare: Statement, language: Language) -> None:
    for statement in (full, bare):
        pdf = render_pdf(statement, language)
        assert pdf.startswith(b"%PDF-")
        assert len(pdf) > 50_000


def test_pdf_says_the_figures(full: Statement) -> None:
    text = words(render_pdf(full, "zh"))
    for wanted in (
        "190,033",
        "152,855",
        "涂装车间",
        "cn.grid.prov.shanghai.2023",
        full.production.book_head_hash,
        "虚构示例",
        "未经第三方核查",
        "组织尚未作出符合性声明",
    ):
        assert wanted in text, wanted


def test_english_pdf_is_english(full: Statement) -> None:
    text = words(render_pdf(full, "en"))
    assert "Greenhousegasinventoryreport" in text
    assert "Notverifiedbyathirdparty" in text
    assert "关键数字" not in text


def test_bare_pdf_says_what_is_missing(bare: Statement) -> None:
    text = words(render_pdf(bare, "zh"))
    for wanted in ("未提供", "尚未设定基准年", "未评估不确定性", "本期间尚未封账"):
        assert wanted in text, wanted
    assert "虚构示例" not in text


def test_same_statement_same_bytes(full: Statement) -> None:
    assert render_pdf(full, "zh") == render_pdf(full, "zh")
    later = replace(full, issued_on=date(2026, 2, 1))
    assert render_pdf(full, "zh") != render_pdf(later, "zh")


def test_text_of_a_plant_is_never_markup(full: Statement) -> None:
    name = Text('#import "x" *粗* $a$ [b] <c>', '#panic("x") *bold* $a$ [b] <c> <script>')
    hostile = replace(full, organisation=replace(full.organisation, name=name, address='= 1+1 // #read("/etc/passwd")'))
    assert '#panic("x")*bold*$a$[b]<c><script>' in words(render_pdf(hostile, "en"))


def test_charts_keep_text_and_repeat(full: Statement, bare: Statement) -> None:
    drawn = charts.draw(full, "zh")
    assert sorted(drawn) == ["categories", "months", "regimes", "shops"]
    assert drawn == charts.draw(full, "zh")
    assert ">涂装车间</text>" in drawn["shops"]
    assert sorted(charts.draw(bare, "en")) == ["categories", "regimes"]


def test_colours_are_one_per_category(full: Statement) -> None:
    chosen = charts.colours(full)
    quantified = [line.key for line in full.categories if line.emissions_gco2e]
    assert len({chosen[key] for key in quantified}) == len(quantified)


def test_chart_as_png(bare: Statement) -> None:
    assert chart_png(charts.draw(bare, "zh")["categories"]).startswith(b"\x89PNG")
