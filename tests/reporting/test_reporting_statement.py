"""A statement that does not add up is never printed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zerofactory.errors import Misuse
from zerofactory.reporting.render import render_pdf
from zerofactory.reporting.spreadsheet import render_xlsx
from zerofactory.reporting.statement import Statement, verify_sums


def test_the_samples_add_up(full: Statement, bare: Statement) -> None:
    verify_sums(full)
    verify_sums(bare)


@pytest.mark.parametrize("table", ["categories", "shops", "sources", "months", "classes", "shop_categories"])
def test_a_table_one_row_short_is_named(full: Statement, table: str) -> None:
    rows = [row for row in getattr(full, table) if row.emissions_gco2e]
    short = replace(full, **{table: tuple(rows[:-1])})
    with pytest.raises(Misuse, match=table):
        verify_sums(short)


def test_one_gram_too_many_stops_both_renderings(full: Statement) -> None:
    wrong = replace(full, total_gco2e=full.total_gco2e + 1)
    with pytest.raises(Misuse):
        render_pdf(wrong)
    with pytest.raises(Misuse):
        render_xlsx(wrong)
