"""The rule books: categories, gases, regimes, what a report must hold."""

from __future__ import annotations

import pytest

from zerofactory.errors import NotFound, ZeroFactoryError
from zerofactory.standards.load import read, standard, standards

PRODUCTS = ("gb_t_24067_2024", "iso_14067_2018")


def test_the_books():
    organisations = ["cn_machinery_2015", "ghg_protocol_corporate", "iso_14064_1_2018"]
    products = ["gb_t_24067_2024", "iso_14067_2018"]
    assert list(standards()) == sorted([*organisations, *products])


@pytest.mark.parametrize("name", list(standards()))
def test_every_text_stands_in_both_languages(name: str):
    book = standard(name)
    texts = [book.title, book.publisher, *book.notes, *(title for _, title in book.groups)]
    texts += [category.title for category in book.categories]
    texts += [entry.title for entry in (*book.requirements, *book.instrument_criteria)]
    for text in texts:
        assert text.zh
        assert text.en
    assert book.citations
    assert book.requirements
    assert {category.scope for category in book.categories} <= ({1, 2, 3} if name not in PRODUCTS else {None})


def test_iso_categories_and_checklist():
    book = standard("iso_14064_1_2018")
    assert [category.id for category in book.categories] == [
        "1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "3.1", "3.2", "3.3", "3.4", "3.5",
        "4.1", "4.2", "4.3", "4.4", "4.5", "5.1", "5.2", "5.3", "5.4", "6",
    ]  # fmt: skip
    letters = [entry.id for entry in book.requirements if len(entry.id) == 1]
    assert letters == [chr(number) for number in range(ord("a"), ord("t") + 1)]
    assert book.requirements[0].clause == "9.3.1 a)"
    assert (book.gases, book.default_gwp_set, book.default_regime) == ("kyoto", "AR6", "location")
    assert not book.net_purchased


def test_ghg_protocol_has_fifteen_scope_3_categories_and_eight_criteria():
    book = standard("ghg_protocol_corporate")
    assert [category.id for category in book.categories if category.scope == 3] == [
        f"s3.{number:02d}" for number in range(1, 16)
    ]
    assert [category.id for category in book.categories if category.scope != 3] == [
        "s1.stationary", "s1.mobile", "s1.process", "s1.fugitive", "s2.electricity", "s2.heat",
    ]  # fmt: skip
    assert [entry.id for entry in book.instrument_criteria] == [f"qc{number}" for number in range(1, 9)]
    assert set(book.regimes) == {"location", "market_annual"}


def test_china_machinery_counts_co2_and_the_gases_of_equipment_only():
    book = standard("cn_machinery_2015")
    assert [category.id for category in book.categories] == [
        "fuel", "process_welding", "process_equipment", "electricity", "heat",
    ]  # fmt: skip
    counted = [gas for gas in ("CO2", "CH4", "N2O", "SF6", "HFC-134a", "CF4", "NF3") if book.counts(gas, True)]
    assert counted == ["CO2", "SF6", "HFC-134a", "CF4"]
    assert book.net_purchased
    assert book.regimes == ("location",)


def test_kyoto_books_leave_other_gases_out():
    book = standard("iso_14064_1_2018")
    assert book.counts("CH4", True)
    assert not book.counts("HCFC-22", False)


def test_names_that_do_not_exist_list_the_choices():
    with pytest.raises(NotFound) as caught:
        standard("iso_14064")
    assert "iso_14064_1_2018" in caught.value.choices
    with pytest.raises(NotFound) as caught:
        standard("iso_14064_1_2018").category("7")
    assert "2.1" in caught.value.choices


def test_a_book_with_an_unknown_key_is_refused():
    with pytest.raises(ZeroFactoryError, match="colour"):
        read("x", "colour: red\n")
