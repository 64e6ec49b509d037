"""One contract for every device template: cited, bilingual, units known, its worked frame decodes and encodes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zerofactory import units
from zerofactory.connectors.device import (
    DeviceTemplate,
    Write,
    bcd,
    decode,
    decode_write,
    encode,
    encode_write,
    scaled,
    template,
    templates,
)
from zerofactory.connectors.driven import agrees, inside

EVERY = list(templates().values())


def by_id(entry: DeviceTemplate) -> str:
    return entry.id


def test_there_are_at_least_ten_of_the_field() -> None:
    assert len([entry for entry in EVERY if entry.maker != "zerofactory"]) >= 10
    assert {"modbus_tcp", "dlt645", "opc_ua", "mqtt_json"} == {entry.protocol for entry in EVERY}
    assert {"modbus_tcp", "opc_ua", "mqtt_json"} == {entry.protocol for entry in EVERY if entry.writes}


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


WRITES = [(entry, write) for entry in EVERY for write in entry.writes]


@pytest.mark.parametrize(("entry", "write"), WRITES, ids=[f"{entry.id}-{write.id}" for entry, write in WRITES])
def test_what_is_written_is_bilingual_bounded_and_reads_back_as_it_was_sent(
    entry: DeviceTemplate, write: Write
) -> None:
    assert write.title.en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in write.title.zh)
    assert units.parse(write.unit)
    assert write.minimum <= write.safe_value <= write.maximum
    assert write.ramp_per_minute > 0
    assert write.minimum < write.maximum
    if entry.protocol == "modbus_tcp":
        for share in (0.0, 0.123, 0.5, 1.0):
            value = inside(write, write.minimum + share * (write.maximum - write.minimum))
            assert write.minimum <= value <= write.maximum
            assert agrees(write, value, decode_write(write, encode_write(write, value)))
    elif entry.protocol == "opc_ua":
        assert write.node
    else:
        assert write.topic
        assert write.read_back
    if entry.heartbeat is not None:
        assert 2 * entry.heartbeat.every_seconds <= entry.heartbeat.timeout_seconds
        taken = {place for one in entry.writes for place in range(one.address, one.address + one.as_point().words)}
        assert entry.heartbeat.way == "repeat" or entry.protocol != "modbus_tcp" or entry.heartbeat.address not in taken


def test_a_worked_frame_that_is_written() -> None:
    # -50.0 kW at 0.1 kW a digit is -500 = 0xFFFFFE0C, high word first (MODBUS V1.1b3 clause 4.2; two's complement)
    write = templates()["generic-battery-inverter"].write("active_power")
    assert encode_write(write, -50.0) == [0xFFFF, 0xFE0C]
    assert encode_write(replace(write, word_order="little", sign=-1), 50.0) == [0xFE0C, 0xFFFF]
    with pytest.raises(ValueError, match="does not fit"):
        encode_write(replace(write, kind="int16"), 4000.0)


WRITTEN = """
maker: x
model: y
title: {{ zh: 变流器, en: inverter }}
status: placeholder
source: "made for this test, of no maker"
writes:
  - {{ id: p, title: {{ zh: 甲, en: a }}, unit: kW, kind: int16, scale: 0.1, minimum: {0}, maximum: {1}, ramp_per_minute: {2}, safe_value: {3} }}
heartbeat: {{ every_seconds: {4}, timeout_seconds: 10 }}
"""


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((-10, 10, 5, 0, 2), None),
        ((-10, 10, 5, 20, 2), "write_limits"),
        ((10, -10, 5, 0, 2), "write_limits"),
        ((-10, 10, 0, 0, 2), "write_limits"),
        ((-10, 4000, 5, 0, 2), "write_limits"),
        ((-10, 10, 5, 0, 6), "heartbeat"),
        ((-10, ".inf", 5, 0, 2), "template"),
    ],
)
def test_limits_that_cannot_hold_are_faults(numbers: tuple[object, ...], code: str | None) -> None:
    made, problems = template(WRITTEN.format(*numbers), "w")
    assert [problem.code for problem in problems] == ([] if code is None else [f"connectors.{code}"])
    assert (made is None) == (code is not None)


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
