"""One contract for every alarm rule: titles and reference, parameters with source, the worked example reproduces, no peeking ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import numpy as np
import pytest

from zerofactory.errors import NotFound, Text
from zerofactory.monitoring.episode import example_days, production_of, spells
from zerofactory.monitoring.rule import Rule, Subject, Watched, defaults, parameters, rule, rules
from zerofactory.monitoring.rules.peak_demand import power_to_shed_kw, projected_demand_kw
from zerofactory.monitoring.settings import WATCH
from zerofactory.site.model import Shift

EVERY = list(rules().values())
ESTIMATES = {"anomaly", "drift"}  # what a learnt normal expects is an estimate: a tenth off at most


def by_id(one: Rule) -> str:
    return one.id


@pytest.mark.parametrize("one", EVERY, ids=by_id)
def test_rule_is_titled_cited_and_its_numbers_have_a_source(one: Rule) -> None:
    assert one.title.zh
    assert one.title.en
    assert one.title.zh != one.title.en
    assert one.reference
    assert one.level in ("meter", "site")
    for parameter in parameters()[one.id].values():
        assert parameter.minimum <= parameter.value <= parameter.maximum
        assert parameter.source
        assert parameter.status in ("verified", "secondary", "placeholder")
        assert parameter.title.zh
        assert parameter.title.en


def test_every_parameter_belongs_to_a_rule() -> None:
    assert set(parameters()) == {*rules(), WATCH}


@pytest.mark.parametrize("one", EVERY, ids=by_id)
def test_worked_example_reproduces(one: Rule) -> None:
    found = one.find(one.example.watched())
    assert len(found) == len(one.example.expected) > 0
    for episode, (first, last, excess) in zip(found, one.example.expected, strict=True):
        assert (episode.first, episode.last) == (first, last)
        assert episode.excess == pytest.approx(excess, rel=0.1 if one.id in ESTIMATES else 1e-9)
        assert episode.message.zh != episode.message.en
        assert np.isfinite(episode.value)


@pytest.mark.parametrize("one", EVERY, ids=by_id)
def test_nothing_before_the_first_day_is_reported_and_gaps_are_no_alarm(one: Rule) -> None:
    watched = one.example.watched()
    assert all(episode.first >= watched.start for episode in one.find(watched))
    empty = replace(watched, days=replace(watched.days, values=np.full_like(watched.days.values, np.nan)), judged=None)
    assert one.find(empty) == []


def test_unknown_rule_lists_the_choices() -> None:
    with pytest.raises(NotFound) as caught:
        rule("gas_leek")
    assert "gas_leak" in caught.value.choices


def test_spells_clip_to_the_days_asked_about_and_join_nights() -> None:
    flags = np.array([True] * 4 + [False] * 4 + [True] * 4)
    nights = np.array([True] * 4 + [False] * 4 + [True] * 4)
    assert spells(flags, 2, 0) == [(0, 4), (8, 12)]
    assert spells(flags, 2, 0, nights) == [(0, 12)]
    assert spells(flags, 2, 2, nights) == [(2, 12)]
    assert spells(flags, 5, 0) == []


def test_production_knows_shifts_past_midnight_and_days_off() -> None:
    shifts = (Shift(Text("夜班", "night"), time(22), time(6)),)
    days = example_days(np.zeros((7, 24)), date(2025, 3, 3), 60, shifts)  # Monday to Sunday
    running = production_of(days)
    assert running[0].nonzero()[0].tolist() == [22, 23]  # Sunday night did not begin
    assert running[1].nonzero()[0].tolist() == [*range(6), 22, 23]
    assert running[5].nonzero()[0].tolist() == list(range(6))  # Friday's night ends on Saturday
    assert not running[6].any()


def test_gas_that_always_flows_has_no_rest_to_leak_from() -> None:
    values = np.full((21, 24), 40.0)
    values[15, 20:] = 80.0
    days = example_days(values, date(2025, 3, 3))
    subject = Subject("G-1", Text("锅炉", "boiler"), "natural_gas", "Nm3")
    watched = Watched(subject, days, 14, production_of(days), defaults("gas_leak"))
    assert rule("gas_leak").find(watched) == []


def test_three_shift_line_is_no_standby_waste() -> None:
    shifts = (Shift(Text("白班", "day"), time(8), time(16)),)
    values = np.full((21, 24), 100.0)
    values[[5, 6, 12, 13, 19, 20]] = 20.0
    days = example_days(values, date(2025, 3, 3), 60, shifts)
    subject = Subject("E-1", Text("热处理", "heat treatment"), "electricity", "kWh")
    watched = Watched(subject, days, 14, production_of(days), defaults("standby_waste"))
    assert rule("standby_waste").find(watched) == []


def test_demand_within_the_interval_is_foreseen_and_what_to_shed_is_told() -> None:
    foreseen = projected_demand_kw(energy_kwh=100.0, elapsed_minutes=6.0, power_kw=1100.0)
    assert foreseen == pytest.approx((100.0 + 1100.0 * 9 / 60) * 4)
    shed = power_to_shed_kw(100.0, 6.0, 1100.0, limit_kw=1000.0)
    assert projected_demand_kw(100.0, 6.0, 1100.0 - shed) == pytest.approx(1000.0)
    assert power_to_shed_kw(100.0, 6.0, 500.0, limit_kw=1000.0) == 0.0
