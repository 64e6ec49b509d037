"""One contract for every indicator: bilingual, cited, inputs and units known, its worked example reproduces, draws agree."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from zerofactory.errors import NotFound
from zerofactory.evaluation.amount import Amount, Facts, amount_kinds, kind_of
from zerofactory.evaluation.indicator import Indicator, evaluate, indicator, indicators, measure
from zerofactory.evaluation.quotient import ratio

EVERY = list(indicators().values())


def by_id(entry: Indicator) -> str:
    return entry.id


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_is_bilingual_and_cited(entry: Indicator) -> None:
    assert entry.title.en
    assert re.search("[\u4e00-\u9fffV]", entry.title.zh)
    assert len(entry.reference) > 10
    assert len(entry.formula) > 3
    assert entry.example.citation
    assert bool(entry.note.zh) == bool(entry.note.en)


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_inputs_and_units_are_known(entry: Indicator) -> None:
    parameters = entry.example.parameters
    for name in entry.amounts(parameters).values():
        assert kind_of(name)
    unit = entry.unit_with(parameters)
    assert ratio(unit, unit) == 1.0
    assert set(parameters) >= set(entry.choices)
    for key, choices in entry.choices.items():
        assert parameters[key] in choices
        for choice in choices:
            for name in entry.amounts({**parameters, key: choice}).values():
                assert kind_of(name)


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_worked_example_reproduces(entry: Indicator) -> None:
    example = entry.example
    assert set(example.inputs) == set(entry.inputs)
    names = entry.amounts(example.parameters)
    facts = Facts("2025", {names[alias]: Amount(value) for alias, value in example.inputs.items()})
    found = measure(entry, example.parameters, facts)
    assert found.value is not None
    assert math.isclose(found.value, example.expected, rel_tol=1e-12, abs_tol=1e-12)
    assert found.missing == ()


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_draws_of_the_same_value_give_the_same_value(entry: Indicator) -> None:
    example = entry.example
    given = {alias: np.full(7, value) for alias, value in example.inputs.items()}
    drawn = evaluate(entry, {**given, **entry.numbers(example.parameters)})
    assert np.allclose(drawn, example.expected, rtol=1e-12)


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_a_missing_input_gives_no_value_and_is_named(entry: Indicator) -> None:
    found = measure(entry, entry.example.parameters, Facts("2025", {}))
    assert found.value is None
    assert set(found.missing) == set(entry.amounts(entry.example.parameters).values())


def test_unknown_indicators_list_the_choices() -> None:
    with pytest.raises(NotFound) as caught:
        indicator("carbon_per_enery")
    assert "carbon_per_energy" in caught.value.choices


def test_amounts_are_bilingual_in_known_units_and_each_is_used() -> None:
    used = {
        name.partition("@")[0]
        for entry in EVERY
        for choice in [entry.example.parameters]
        for name in entry.amounts(choice).values()
    }
    used |= {str(option) for entry in EVERY for options in entry.choices.values() for option in options}
    used |= {"target_coverage_3_near", "target_coverage_3_long"}
    used |= {"scope3_share", "claim_number"}  # conditions of criteria
    used |= {"removals", "emissions_scope2_market", "emissions_scope3"}  # for formulas of a plant's own books
    for name, kind in amount_kinds().items():
        assert kind.title.zh, name
        assert kind.title.en, name
        assert ratio(kind.unit, kind.unit) == 1.0, name
        assert kind.giver in ("book", "attest", "either"), name
    assert sorted(set(amount_kinds()) - used) == []
