"""Rule books and thresholds at fault: refused at load, every fault at once, each with its file and line."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.evaluation_cases import DAY, evaluated, facts, stated

from zerofactory.errors import FaultyData, NotFound, Problem
from zerofactory.evaluation.assess import Case, assess
from zerofactory.evaluation.formula import Unreadable, parse
from zerofactory.evaluation.rules import rules_of
from zerofactory.evaluation.thresholds import read_thresholds, with_thresholds
from zerofactory.standards.criteria import evaluation_book, evaluation_names, read_evaluation

HEAD = """title: { zh: "厂标", en: "own rules" }
publisher: { zh: "本厂", en: "the plant" }
edition: "1"
status: in_force
citations: []
dimensions:
  - { id: "a", zh: "甲", en: "A", points: 10 }
scoring: { rule: linear, full_points: 10 }
"""


def criterion(text: str = "", **more: str) -> str:
    fields = {
        "kind": "scored", "dimension": "a", "weight": "10", "direction": "positive", "proof": "book",
        "forms": '[{ indicator: "renewable_electricity_share", unit: "fraction" }]',
        "base": '{ value: 0.1, unit: "fraction", source: "own table", date: "2026-01-01", status: "stated" }',
        "lead": '{ value: 0.5, unit: "fraction", source: "own table", date: "2026-01-01", status: "stated" }',
    } | more  # fmt: skip
    lines = "".join(f"    {key}: {value}\n" for key, value in fields.items() if value)
    return f'  - id: "one"\n    zh: "一"\n    en: "one"\n    source_ref: "own"\n{lines}{text}'


def faults(content: str) -> list[Problem]:
    with pytest.raises(FaultyData) as caught:
        rules_of(read_evaluation("own", content, "standards/own.yaml"), content)
    return list(caught.value.problems)


def said(content: str) -> str:
    found = faults(content)
    assert all(problem.file == "standards/own.yaml" for problem in found)
    assert all(problem.message.zh and problem.hint.zh for problem in found)
    return " | ".join(f"{problem.row}: {problem.message.en}" for problem in found)


def test_a_sound_book_of_ones_own_is_taken():
    content = HEAD + "criteria:\n" + criterion()
    rules = rules_of(read_evaluation("own", content, "standards/own.yaml"), content)
    power = {"onsite_electricity": 20.0, "direct_electricity": 0.0, "contract_electricity": 10.0, "electricity": 100.0}
    found = assess(rules, Case(facts(power), {}, DAY))
    assert found.findings[0].points == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"weight": "9"}, "7: the weights of a add up to 9, not 10. | 8: the weights add up to 9, not 10."),
        ({"forms": '[{ indicator: "renewable_share", unit: "fraction" }]'}, "there is no indicator 'renewable_share'"),
        ({"forms": '[{ indicator: "renewable_electricity_share", unit: "kWh" }]', "base": "", "lead": ""}, "the indicator is in fraction, not in kWh"),
        ({"forms": '[{ indicator: "energy_per_vehicle", parameters: { shop: "roof" }, unit: "kWh/vehicle" }]', "base": "", "lead": ""},
         "shop cannot be 'roof'"),
        ({"forms": '[{ indicator: "energy_per_vehicle", unit: "kWh/vehicle" }]', "base": "", "lead": ""}, "the parameters are shop"),
        ({"base": '{ value: 0.1, unit: "fraction", date: "2026-01-01", status: "stated" }'}, "10: one: criteria[0].base.'source' is missing"),
        ({"base": '{ value: 0.1, unit: "fraction", source: "s", date: "2026", status: "seen" }'}, "status is one of"),
        ({"base": '{ value: 0.1, unit: "t", source: "s", date: "2026", status: "stated" }'}, "the unit is one of fraction"),
        ({"base": '{ value: 0.9, unit: "fraction", source: "s", date: "2026", status: "stated" }'}, "the lead value is worse than the base value"),
        ({"base": '{ value: .nan, unit: "fraction", source: "s", date: "2026", status: "stated" }'}, "criteria[0].base.value: should be a finite number"),
        ({"direction": ""}, "a threshold without direction"),
        ({"direction": "up"}, "direction is positive or negative"),
        ({"kind": "wished"}, "kind is one of mandatory, scored, optional, info"),
        ({"dimension": "b"}, "no such dimension"),
        ({"treshold": "3"}, "unknown key 'treshold'"),
        ({"proof": ""}, "'proof' is missing"),
        ({"applies": '{ amount: "roofs", at_least: 1 }'}, "roofs"),
    ],
)  # fmt: skip
def test_a_faulty_criterion_is_refused_with_its_line(changed: dict[str, str], expected: str):
    assert expected in said(HEAD + "criteria:\n" + criterion(**changed))


def test_faults_come_all_at_once():
    content = HEAD + "criteria:\n" + criterion(kind="wished", weight="3", base="{ value: 1 }", treshold="3")
    assert len(faults(content)) >= 4  # four keys of the threshold alone are missing, and a key is unknown


def test_repeated_ids_and_grades_that_ask_for_nothing_known():
    content = HEAD + "criteria:\n" + criterion(weight="5") + criterion(weight="5")
    content += 'grades:\n  - { id: "best", zh: "优", en: "best", requires: ["two"] }\n'
    found = said(content)
    assert "the id 'one' stands twice" in found
    assert "grade best asks for 'two', which is no criterion" in found


def derived(*rows: str) -> str:
    return HEAD + "indicators:\n" + "".join(f"  - {{ {row} }}\n" for row in rows) + "criteria:\n" + criterion()


def row(name: str, formula: str) -> str:
    return f'id: "{name}", zh: "{name}", en: "{name}", unit: "fraction", formula: "{formula}", reference: "own"'


def test_circular_indicators_are_refused_and_the_circle_is_named():
    found = said(derived(row("x", "y + 1"), row("y", "z * 2"), row("z", "x / 2")))
    assert "indicators go in a circle: x → y → z → x" in found
    assert "indicators go in a circle: x → x" in said(derived(row("x", "x + 1")))


@pytest.mark.parametrize("formula", ["roofs + 1", "renewable_share", "energy_per_vehicle"])
def test_unknown_names_in_a_formula(formula: str):
    assert "indicator" in said(derived(row("x", formula)))


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os')",
        "a.b",
        "lambda: 1",
        "[1]",
        "a if b else c",
        "a ** 9999999",
        "open('x')",
        "a; b",
        "",
        "a and b",
        "min()",
        "'a'",
    ],
)
def test_formulas_run_nothing_but_arithmetic(formula: str):
    with pytest.raises(Unreadable):
        parse(formula)


def test_a_derived_indicator_uses_amounts_indicators_and_others_before_it():
    rows = (
        row("double", "2 * share_of_sun"),
        row("share_of_sun", "onsite_electricity / electricity + 0 * renewable_electricity_share"),
    )
    content = derived(*rows).replace('renewable_electricity_share", unit', 'double", unit')
    rules = rules_of(read_evaluation("own", content, "standards/own.yaml"), content)
    power = {"onsite_electricity": 20.0, "direct_electricity": 0.0, "contract_electricity": 10.0, "electricity": 100.0}
    found = assess(rules, Case(facts(power), {}, DAY))
    assert found.findings[0].value == pytest.approx(0.4)


PIECES = st.sampled_from([None, True, -1, 0.5, float("nan"), "", "x", [], {}, [1], {"a": 1}, [[]], [{}], {"zh": "一"}])


@given(st.lists(st.tuples(st.integers(0, 10_000), PIECES), min_size=1, max_size=4))
def test_whatever_stands_in_a_book_it_is_taken_or_refused_but_never_breaks(changes: list[tuple[int, object]]):
    data = yaml.safe_load(
        HEAD + "criteria:\n" + criterion() + 'grades:\n  - { id: "best", zh: "优", en: "best", requires: ["one"] }\n'
    )

    def slots(node: Any) -> list[tuple[Any, Any]]:
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
        return [(node, key) for key in keys] + [found for key in keys for found in slots(node[key])]

    for number, piece in changes:
        found = slots(data)
        if found:
            node, key = found[number % len(found)]
            node[key] = copy.deepcopy(piece)
    content = yaml.safe_dump(data, allow_unicode=True)
    try:
        rules = rules_of(read_evaluation("own", content, "standards/own.yaml"), content)
    except FaultyData:
        return
    assess(rules, Case(facts({"onsite_electricity": 1.0}), {}, DAY))


def test_text_that_is_no_yaml_says_where():
    with pytest.raises(FaultyData) as caught:
        read_evaluation("own", "title: {\ncriteria: [", "standards/own.yaml")
    assert caught.value.problems[0].row is not None


# --- thresholds.toml

NAMES = evaluation_names()


@pytest.mark.parametrize(
    ("line", "replaced", "expected"),
    [
        ('source = "sector table, p. 3"', "", "a threshold without source"),
        ('source = "sector table, p. 3"', 'source = "  "', "a threshold without source"),
        ("date = 2026-01-15", "", "a threshold without date"),
        ("date = 2026-01-15", 'date = "soon"', "write the date as"),
        ("base = 0.3", 'base = "0.3"', "base is a number"),
        ("base = 0.3", "base = nan", "base is a number"),
        ("base = 0.3", "basis = 0.3", "unknown key 'basis'"),
        ('unit = "tce/vehicle"', "", "no unit"),
        ('standard = "gb_t_36132_2025"', 'standard = "gb_36132"', "there is no standard 'gb_36132'"),
        ('criterion = "gb36132.01"', "", "name a criterion or a grade"),
        ("base = 0.3\nlead = 0.2\n", "", "no number"),
    ],
)
def test_a_threshold_without_what_it_needs_is_refused_with_its_line(line: str, replaced: str, expected: str):
    content = (
        "# thresholds of the plant\n\n"
        + stated("gb36132.02", "tCO2/vehicle", 1.0, 0.5)
        + stated("gb36132.01", "tce/vehicle", 0.3, 0.2)
    )
    assert line in content
    broken = content[: content.rindex("[[threshold]]")] + content[content.rindex("[[threshold]]") :].replace(
        line, replaced
    )
    with pytest.raises(FaultyData) as caught:
        read_thresholds(broken, NAMES)
    problem = next(one for one in caught.value.problems if expected in one.message.en)
    assert (problem.file, problem.row) == ("thresholds.toml", broken[: broken.rindex("[[threshold]]")].count("\n") + 1)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (stated("gb36132.99", "fraction", 0.1, 0.2), "has no 'gb36132.99'"),
        (stated("gb36132.01", "kWh", 0.1, 0.2), "is measured in tce/vehicle, tce/万元, not in kWh"),
        (stated("gb36132.01", "tce/vehicle", 0.1, 0.2), "the lead value is worse than the base value"),
        (stated("gb36132.09", "fraction", 0.1, 0.2), "is measured in –"),
    ],
)
def test_a_threshold_that_fits_nothing_is_refused(entry: str, expected: str):
    with pytest.raises(FaultyData) as caught:
        with_thresholds(evaluation_book("gb_t_36132_2025"), read_thresholds(entry, NAMES))
    assert any(expected in problem.message.en for problem in caught.value.problems)
    assert caught.value.problems[0].row == 1


def test_the_unit_of_a_threshold_chooses_the_form_and_is_converted():
    plant = facts({"energy@plant": 50_000.0, "vehicles": 250_000.0, "output_value": 4_000_000.0})
    per_output = evaluated("gb_t_36132_2025", plant, stated("gb36132.01", "kgce/万元", 20.0, 5.0))
    finding = next(one for one in per_output.findings if one.criterion == "gb36132.01")
    assert (finding.value, finding.unit) == (pytest.approx(0.0125), "tce/万元")
    assert finding.points == pytest.approx(4.0)  # (12.5 - 20)/(5 - 20) = 1/2
    assert finding.base == pytest.approx(0.020)


def test_an_entered_threshold_stands_before_the_printed_one():
    entry = stated("miit26.1.1", "tCO2/tce", 2.5, None, "miit_zero_carbon_factory_2026")
    plant = facts({"co2@location": 200.0, "energy@plant": 100.0})
    printed, entered = (evaluated("miit_zero_carbon_factory_2026", plant, text) for text in ("", entry))
    verdicts = [next(one for one in found.findings if one.criterion == "miit26.1.1") for found in (printed, entered)]
    assert [one.verdict for one in verdicts] == ["not_met", "met"]
    assert "sector table, p. 3, 2026-01-15" in verdicts[1].reason.en
    assert "[stated]" in verdicts[1].reason.en


def test_a_grade_takes_its_least_score_from_the_file():
    entry = '[[threshold]]\nstandard = "auto_zero_carbon_factory"\ngrade = "starting"\nminimum = 1\nsource = "group rule"\ndate = 2026-01-15\n'
    book = with_thresholds(evaluation_book("auto_zero_carbon_factory"), read_thresholds(entry, NAMES))
    assert book.grades[0].minimum is not None
    assert (book.grades[0].minimum.value, book.grades[0].minimum.status) == (1.0, "stated")


def test_names_that_do_not_exist_list_the_choices():
    with pytest.raises(NotFound) as caught:
        evaluation_book("gb_t_36132")
    assert "gb_t_36132_2025" in caught.value.choices
    with pytest.raises(NotFound):
        evaluation_book("cn_machinery_2015")
    with pytest.raises(NotFound):
        evaluation_book("gb_t_36132_2025").criterion("gb36132.99")


def test_the_view_of_carbon_is_chosen_by_the_parameters_of_a_threshold():
    plant = facts({"co2@location": 350.0, "co2@programme": 150.0, "energy@plant": 100.0})
    entry = stated("miit26.1.1", "tCO2/tce", 1.8, None, "miit_zero_carbon_factory_2026")
    found = evaluated("miit_zero_carbon_factory_2026", plant, entry + 'parameters = { view = "programme" }\n')
    finding = next(one for one in found.findings if one.criterion == "miit26.1.1")
    assert (finding.value, finding.verdict) == (pytest.approx(1.5), "met")
    plain = evaluated("miit_zero_carbon_factory_2026", plant, entry)
    assert next(one for one in plain.findings if one.criterion == "miit26.1.1").value == pytest.approx(3.5)


@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.lists(st.floats(-2e6, 2e6), min_size=2, max_size=8),
    st.floats(0.1, 50.0),
)
def test_points_stay_between_nothing_and_the_weight_and_never_fall_when_a_value_gets_better(
    base: float, lead: float, values: list[float], weight: float
):
    from dataclasses import replace

    from zerofactory.evaluation.assess import points_of
    from zerofactory.standards.criterion import Threshold

    direction = "positive" if lead >= base else "negative"
    line = [Threshold(value, "tce/vehicle", "own", "2026-01-01", "stated") for value in (base, lead)]
    plain = evaluation_book("gb_t_36132_2025").criterion("gb36132.01")
    criterion = replace(plain, base=line[0], lead=line[1], weight=weight, direction=direction)
    ordered = sorted(values, reverse=direction == "negative")
    points = [points_of(criterion, value) for value in ordered]
    assert all(one is not None and 0.0 <= one <= weight for one in points)
    assert points == sorted(points, key=lambda one: one or 0.0)
    assert points_of(criterion, lead) == pytest.approx(weight)
    assert base == lead or points_of(criterion, base) == pytest.approx(0.0)


@pytest.mark.parametrize(
    "content",
    ["[threshold]\nbase = 1\n", "threshold = 3\n", "threshold = [1, 2]\n", "thresholds = []\n", "[[threshold]]\n"],
)
def test_a_file_of_thresholds_in_another_shape_is_refused(content: str):
    with pytest.raises(FaultyData):
        read_thresholds(content, NAMES)
