"""State signals on their way in: the gate, OPC UA against a server made with asyncua alone, messages, wiring."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from asyncua import Server, ua
from tests.connectors.conftest import PLANT

from zerofactory.connectors.connection import wiring
from zerofactory.connectors.gate import Admitted, Gate, GateRules, Passage
from zerofactory.connectors.link import Tap
from zerofactory.connectors.protocols import opc_ua
from zerofactory.connectors.protocols.mqtt_json import entries
from zerofactory.connectors.sample import Arrival
from zerofactory.errors import Text
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant
from zerofactory.site.state_signal import StateSignal

SIGNAL = """
[[state_signals]]
id = "{0}"
name = {{ zh = "状态", en = "state" }}
shop = "paint"
states = {{ "0" = "unknown", "1" = "failed", "2" = "idle", "3" = "working" }}
words = {{ RUN = 3, "Out of service" = 1 }}
"""
PRESS = StateSignal("S", Text("状态", "state"), {"1": "failed", "2": "idle", "3": "working"}, words={"RUN": 3})
RULES = GateRules(30.0, 3600.0, 15.0, 0.9, 3600.0)
T0 = 1_740_960_000_000_000
S = 1_000_000
LIVE = Passage("instant", False, True)


@pytest.fixture
def tiny() -> Plant:
    """Return the small plant with two signals of states."""
    made, problems = load_plant(PLANT + SIGNAL.format("S1") + SIGNAL.format("S2"))
    assert made is not None, problems
    return made


def admit(made: Gate, told: Sequence[tuple[int, float]], passage: Passage = LIVE) -> Admitted:
    return made.admit([Arrival("S", T0 + at * S, value) for at, value in told], passage, T0 + 10**12)


def gate(**levels: tuple[int, float]) -> Gate:
    return Gate((PRESS,), "Asia/Shanghai", RULES, levels)


def test_changes_pass_at_their_own_instants_and_an_unchanged_state_once_an_hour() -> None:
    made = gate()
    out = admit(made, [(7, 3.0), (67, 3.0), (127, 2.0), (130, 3.0), (3729, 3.0), (3730, 3.0), (3731, 3.0)])
    assert [((one.started_at_us - T0) // S, one.value) for one in out.samples] == [(7, 3.0), (127, 2.0), (130, 3.0), (3730, 3.0)]  # fmt: skip
    assert out.counts["repeated"] == 3
    assert made.between["S"] == (T0 + 3731 * S, 3.0)  # it still holds, though it is not booked again
    assert len({one.known_at_us for one in out.samples}) == 4


def test_a_restart_goes_on_from_the_last_state_booked() -> None:
    made = gate(S=(T0, 3.0))
    assert admit(made, [(10, 3.0)]).samples == []
    assert [one.value for one in admit(made, [(20, 1.0)]).samples] == [1.0]


def test_codes_that_nobody_knows_are_refused_and_a_late_change_is_kept() -> None:
    made = gate()
    out = admit(made, [(0, 3.0), (5, 9.0), (6, 2.5), (7, float("nan")), (100, 1.0), (50, 2.0)], Passage("interval", False, True))  # fmt: skip
    assert [one.reason for one in out.refused] == ["unknown_code", "unknown_code", "not_a_number"]
    assert [(one.started_at_us - T0) // S for one in out.samples] == [0, 100, 50]
    assert made.levels()["S"] == (T0 + 100 * S, 1.0)
    assert made.between["S"] == (T0 + 100 * S, 1.0)


def test_messages_name_states_in_words_or_numbers() -> None:
    taps = [Tap(PRESS, "t", "state")]

    def told(value: object) -> float:
        (one,) = entries(json.dumps({"time": T0 // S, "state": value}).encode(), taps, "time")
        return one.value

    assert told("RUN") == told(3) == told("3") == 3.0
    assert told("STOP") != told("STOP")  # no number: the gate refuses it
    with pytest.raises(ValueError, match="no number"):
        told(None)


TEXT = """
[[connections]]
id = "ua"
protocol = "opc_ua"
address = "opc.tcp://127.0.0.1:{port}/"
timeout_seconds = 1.0
clock = "device"
replay = true
options = {{ publish_milliseconds = 50 }}
[[connections.meters]]
meter = "S1"
point = "ns=2;s=number"
[[connections.meters]]
meter = "S2"
point = "ns=2;s=text"
"""


def test_opc_ua_gives_states_as_numbers_and_texts_with_their_source_times(
    boxed: Any, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opc_ua, "AGAIN_SECONDS", 0.0)
    port, begin = free_port(), datetime(2025, 3, 3, 0, 0, 7, tzinfo=UTC)

    async def show(node: Any, second: int, value: object, kind: Any, status: int = 0) -> None:
        stamp = begin + timedelta(seconds=second)
        await node.write_value(
            ua.DataValue(ua.Variant(value, kind), StatusCode=ua.StatusCode(status), SourceTimestamp=stamp)
        )

    async def scenario() -> None:
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        space = await server.register_namespace("urn:test")
        number = await server.nodes.objects.add_variable(ua.NodeId("number", space), "number", ua.UInt32(3))
        text = await server.nodes.objects.add_variable(ua.NodeId("text", space), "text", ua.LocalizedText("RUN"))
        await server.start()
        await show(number, 0, 3, ua.VariantType.UInt32)
        await show(text, 0, ua.LocalizedText("RUN"), ua.VariantType.LocalizedText)
        async with boxed(TEXT.format(port=port)) as box:
            await box.until(lambda: box.values("S1") == [3.0] and box.values("S2") == [3.0])
            await show(number, 61, 1, ua.VariantType.UInt32)
            await show(text, 65, ua.LocalizedText("Out of service"), ua.VariantType.LocalizedText)
            await box.until(lambda: box.values("S1") == [3.0, 1.0] and box.values("S2") == [3.0, 1.0])
            rows = box.readings().filter(pl.col("meter_id") == "S1").sort("started_at")
            assert rows["started_at"].to_list()[:2] == [begin, begin + timedelta(seconds=61)]
            await show(number, 70, 77, ua.VariantType.UInt32)
            await box.until(lambda: box.events().get("connectors.unknown_code"))
            between = box.collector._gate.between
            await box.until(lambda: between["S2"][0] > (begin.timestamp() + 1000) * S)  # said again as of now
            assert between["S2"][1] == 1.0
        await server.stop()

    asyncio.run(scenario())


def test_a_signal_is_wired_like_a_meter_and_has_no_unit(tiny: Plant) -> None:
    text = TEXT.format(port=4840)
    found, problems = wiring(text, tiny)
    assert found is not None
    assert [tap.knows(3.0) for tap in found.connections[0].taps] == [True, True]
    assert problems == []
    nothing, problems = wiring(text.replace('point = "ns=2;s=number"', 'point = "ns=2;s=number"\nunit = "kWh"'), tiny)
    assert nothing is None
    assert [one.column for one in problems] == ["connections[0].meters[0].unit"]
