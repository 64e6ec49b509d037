"""One contract for every device template: cited, bilingual, units known, its worked frame decodes and encodes back."""

from __future__ import annotations

import pytest

from zerofactory import units
from zerofactory.connectors.device import DeviceTemplate, bcd, decode, encode, scaled, template, templates

EVERY = list(templates().values())


def by_id(entry: DeviceTemplate) -> str:
    return entry.id


def test_there_are_at_least_ten_of_the_field() -> None:
    assert len([entry for entry in EVERY if entry.maker != "zerofactory"]) >= 10
    assert {"modbus_tcp", "dlt645"} == {entry.protocol for entry in EVERY}


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_cites_and_is_bilingual(entry: DeviceTemplate) -> None:
    assert len(entry.source) > 20
    for text in (entry.title, *(point.title for point in entry.points)):
        assert text.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh), text.zh
    if "memory" in entry.source:
        assert entry.status == "placeholder"


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_units_are_known_and_registers_fit_one_request(entry: DeviceTemplate) -> None:
    for point in entry.points:
        assert units.parse(point.unit)
        assert 1 <= point.words <= entry.max_words or point.kind == "bcd"
        assert 0 <= point.address <= 0xFFFF


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_worked_frame_decodes(entry: DeviceTemplate) -> None:
    for example in entry.examples:
        point, raw = entry.point(example.point), bytes.fromhex(example.raw)
        if point.kind == "bcd":
            assert scaled(bcd(raw), point.scale) == example.value
            continue
        words = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
        assert decode(point, words, example.exponent) == example.value
        assert encode(point, example.value, example.exponent) == words


def test_faults_of_a_template_come_all_at_once() -> None:
    text = """
maker: x
model: y
title: { zh: 表, en: meter }
status: guessed
source: "from nowhere at all"
points: [{ id: a, title: { zh: 甲, en: a }, unit: kWh, kind: uint31, adress: 3 }]
examples: []
"""
    made, problems = template(text, "bad")
    assert made is None
    assert len(problems) >= 2
    assert template("a: [", "bad")[1][0].code == "connectors.not_yaml"
