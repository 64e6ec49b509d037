"""Every form answers the whole checklist; sections, worksheets, tables and facts it names exist."""

from __future__ import annotations

import pytest

from zerofactory.errors import NotFound
from zerofactory.reporting import sections
from zerofactory.reporting.form import answers, form_of, forms
from zerofactory.reporting.spreadsheet import SHEETS, checklist, key_figures
from zerofactory.reporting.statement import Statement


def test_iso_form_answers_a_to_t(full: Statement, bare: Statement) -> None:
    form = form_of("iso_14064")
    assert [requirement.letter for requirement in form.requirements] == list("abcdefghijklmnopqrst")
    for statement in (full, bare):
        for answer in answers(form, statement):
            assert answer.requirement.sections
            assert answer.remark.zh
            assert answer.remark.en


def test_what_is_not_stated_is_said(full: Statement, bare: Statement) -> None:
    form = form_of("iso_14064")
    missing = {answer.requirement.letter for answer in answers(form, full) if not answer.provided}
    assert missing == {"h", "l", "n", "r", "s"}
    provided = {answer.requirement.letter for answer in answers(form, bare) if answer.provided}
    assert provided == {"c", "f", "j"}


@pytest.mark.parametrize("form_id", sorted(forms()))
def test_contract_of_a_form(form_id: str, full: Statement) -> None:
    form = form_of(form_id)
    assert form.title.zh
    assert form.title.en
    assert form.standard
    names = [section.id for section in form.sections]
    assert len(set(names)) == len(names)
    template = form.template.decode()
    for section in form.sections:
        assert section.title.zh
        assert section.title.en
        assert section.sheet in SHEETS
        assert f'#section("{section.id}")' in template
    assert template.count('#section("') == len(names)


def test_every_table_has_a_worksheet_and_a_place_on_the_page(full: Statement) -> None:
    made = set(sections.tables(full))
    listed = [key for _title, keys in SHEETS.values() for key in keys]
    assert len(set(listed)) == len(listed)
    assert set(listed) == made | {"key_figures", "checklist"}
    template = form_of("iso_14064").template.decode()
    for key in made - {"applied_factors"}:  # whole reasons are for the workbook
        assert f'#show-table("{key}"' in template or f'#in-halves("{key}"' in template, key
    assert key_figures(full).rows
    assert len(checklist(full, form_of("iso_14064"), "zh").rows) == 20


def test_unknown_form_lists_the_choices() -> None:
    with pytest.raises(NotFound, match="iso_14064"):
        form_of("iso_9001")
