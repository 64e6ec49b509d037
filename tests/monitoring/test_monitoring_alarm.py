"""One episode is one alarm: seen again it adds nothing, going on it is extended, closed and going on it is a new one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from zerofactory.errors import Text
from zerofactory.monitoring.alarm import Found, Standing, own_children, reconciled
from zerofactory.monitoring.rule import Subject, rule
from zerofactory.monitoring.settings import settings

T0 = datetime(2025, 6, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def found(first: int, last: int, meter: str = "E1", rule_id: str = "threshold", amount: int = 1000) -> Found:
    return Found(rule_id, meter, "paint", "electricity", T0 + first * HOUR, T0 + last * HOUR, amount, "kWh", 1.0, 0.5, Text("", ""))  # fmt: skip


def standing(one: Found, closed: bool = False) -> Standing:
    return Standing(one.alarm_id, one.rule, one.meter, one.started_at, one.ended_at, closed)


def test_the_same_episode_again_is_nothing_new() -> None:
    one = found(0, 4)
    assert reconciled([one], []) == [("raised", one.alarm_id, one)]
    assert reconciled([one], [standing(one)]) == []
    assert reconciled([found(1, 3)], [standing(one)]) == []


def test_an_episode_that_goes_on_brings_only_what_came_after() -> None:
    old = found(0, 4)
    [(step, name, more)] = reconciled([found(2, 6, amount=2000)], [standing(old)])
    assert (step, name) == ("extended", old.alarm_id)
    assert (more.started_at, more.ended_at) == (T0 + 4 * HOUR, T0 + 6 * HOUR)
    assert more.amount_milli == 1000  # half of its time lies after the old end


def test_what_goes_on_after_closing_is_a_new_alarm() -> None:
    old = found(0, 4)
    [(step, name, more)] = reconciled([found(0, 8)], [standing(old, closed=True)])
    assert step == "raised"
    assert name != old.alarm_id
    assert more.started_at == T0 + 4 * HOUR


def test_other_meters_and_rules_are_other_alarms() -> None:
    first, second, third = found(0, 2), found(0, 2, meter="E2"), found(0, 2, rule_id="anomaly")
    assert [step for step, _, _ in reconciled([first, second, third], [])] == ["raised"] * 3


def test_a_parent_says_nothing_that_its_children_explain() -> None:
    parents = {"E-PT-1": "E-PT", "E-PT": "V", "E-BD-1": "E-BD"}
    child = found(0, 4, "E-PT-1", "anomaly", 900)
    parent = found(0, 4, "E-PT", "anomaly", 1000)
    assert own_children([parent, child], parents) == [child]
    unexplained = found(0, 4, "E-PT", "anomaly", 5000)
    assert own_children([unexplained, child], parents) == [unexplained, child]
    below = found(0, 4, "E-PT", "anomaly", -1000)
    assert own_children([below, child], parents) == [below, child]
    limit = found(0, 4, "E-PT", "threshold", 1000)
    assert own_children([limit, child], parents) == [limit, child]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[[rules]]\nrule = "threshhold"', "alarms.unknown"),
        ('[[rules]]\nrule = "gas_leak"\nrise = 1.0', "alarms.unknown"),
        ('[[rules]]\nrule = "gas_leak"\nrise_fraction = 7.0', "alarms.out_of_bounds"),
        ('[[rules]]\nrule = "threshold"\nmeters = ["E9"]\nlimit_per_hour = 1.0', "alarms.unknown"),
        ('[[rules]]\nrule = "threshold"\nlimit_per_hour = "much"', "alarms.not_a_number"),
        ("rules = [", "alarms.unreadable"),
        ("limits = 3", "alarms.unknown"),
    ],
)
def test_faults_of_the_settings_are_told(text: str, code: str) -> None:
    _, problems = settings(text, ["E1"])
    assert [problem.code for problem in problems] == [code]
    assert problems[0].file == "alarms.toml"


def test_settings_of_a_meter_beat_the_general_ones_and_a_rule_can_be_off() -> None:
    text = """
    [[rules]]
    rule = "threshold"
    limit_per_hour = 100.0
    [[rules]]
    rule = "threshold"
    meters = ["E1"]
    limit_per_hour = 50.0
    [[rules]]
    rule = "anomaly"
    meters = ["E2"]
    off = true
    """
    own, problems = settings(text, ["E1", "E2"])
    assert problems == []
    one, two = (Subject(name, Text("", ""), "electricity", "kWh") for name in ("E1", "E2"))
    given = [own.given(rule("threshold"), each) for each in (one, two)]
    assert [each["limit_per_hour"] for each in given if each is not None] == [50.0, 100.0]
    assert own.given(rule("anomaly"), two) is None
    assert own.given(rule("anomaly"), one) is not None
