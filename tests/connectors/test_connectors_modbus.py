"""Modbus TCP against servers made with pymodbus alone, and against peers that misbehave."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from zerofactory.connectors.device import Point
from zerofactory.connectors.protocols.modbus_tcp import Span, spans
from zerofactory.errors import Text

TITLE = Text("", "")
ABB = """
[[connections]]
id = "bus"
protocol = "modbus_tcp"
address = "127.0.0.1:{port}"
device = "{device}"
poll_seconds = 0.05
timeout_seconds = 0.3
values = "instant"
[[connections.meters]]
meter = "R1"
station = "1"
point = "energy_import"
[[connections.meters]]
meter = "R2"
station = "2"
point = "energy_import"
"""


def words(code: str, value: float, order: str = "big") -> list[int]:
    raw = struct.pack(f">{code}", value)
    found = list(struct.unpack(f">{len(raw) // 2}H", raw))
    return found if order == "big" else found[::-1]


def abb(station: int, energy: Any, frequency: int = 5000) -> SimDevice:
    """Return an ABB B23 as pymodbus serves it: 0x5000 energy, 0x5B2C frequency."""

    async def show(_code: int, start: int, address: int, _count: int, registers: list[int], _set: object) -> Any:
        if address == 0x5000:
            now = energy()
            if isinstance(now, ExcCodes):
                return now
            registers[0x5000 - start : 0x5004 - start] = words("Q", now)
        return None

    blocks = [
        SimData(0x5000, values=[0] * 8, datatype=DataType.REGISTERS),
        SimData(0x5B14, values=[0, 0], datatype=DataType.REGISTERS),
        SimData(0x5B2C, values=[frequency], datatype=DataType.REGISTERS),
    ]
    return SimDevice(station, simdata=blocks, action=show)


async def serve(port: int, *devices: SimDevice) -> ModbusTcpServer:
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    return server


@pytest.fixture
def any_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every second be an interval's edge: a clock that leaps a quarter of an hour at every look."""
    import zerofactory.connectors.collect as module

    state = {"us": 1_740_960_000_000_000}

    def leap() -> int:
        state["us"] += 900_000_000
        return state["us"]

    monkeypatch.setattr(module, "now_us", leap)


@pytest.mark.usefixtures("any_instant")
def test_reads_registers_reconnects_and_leaves_out_a_dead_station(
    boxed: Any, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, energy = free_port(), {"wh": 1_000_000}

    def growing() -> int:
        energy["wh"] += 100
        return energy["wh"]

    async def scenario() -> None:
        server = await serve(port, abb(1, growing), abb(2, lambda: ExcCodes.DEVICE_FAILURE))
        async with boxed(ABB.format(port=port, device="abb-b23")) as box:
            await box.until(lambda: len(box.values("R1")) >= 3)
            assert box.values("R1")[0] == 10_001.0
            assert box.values("R2") == []
            assert box.events()["connectors.modbus_exception"] >= 1
            await server.shutdown()
            await box.until(lambda: box.collector.health["bus"].state == "down")
            seen = len(box.values("R1"))
            again = await serve(port, abb(1, growing), abb(2, lambda: 77_700))
            await box.until(lambda: len(box.values("R1")) > seen + 2 and box.values("R2"))
            assert box.values("R2")[0] == 777.0
            values = box.values("R1")
            assert values == sorted(values)
            assert "connectors.no_answer" in box.events()
            await again.shutdown()

    asyncio.run(scenario())


@pytest.mark.usefixtures("any_instant")
def test_no_value_and_a_register_that_jumps_back(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()
    played = iter([100_00, 101_00, 2**64 - 1, 102_00, 5_00, 103_00, 2**63, 104_00])
    last = {"value": 104_00}

    def show() -> int:
        last["value"] = next(played, last["value"])
        return last["value"]

    async def scenario() -> None:
        server = await serve(port, abb(1, show), abb(2, lambda: 1))
        async with boxed(ABB.format(port=port, device="abb-b23")) as box:
            await box.until(lambda: 104.0 in box.values("R1"))
            assert list(dict.fromkeys(box.values("R1"))) == [100.0, 101.0, 102.0, 103.0, 104.0]
            assert box.collector.health["bus"].counts["not_a_number"] == 1
            assert box.collector.health["bus"].counts["jump"] >= 1
            log = (box.collector.home / "refused.jsonl").read_text(encoding="utf-8")
            assert '"held"' in log
            assert "5.0" in log
        await server.shutdown()

    asyncio.run(scenario())


def test_wrong_word_order_is_told_with_the_remedy(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()
    blocks = [
        SimData(0x34, values=[0] * 2, datatype=DataType.REGISTERS),
        SimData(0x46, values=words("f", 50.0, "little") + words("f", 1234.5, "little"), datatype=DataType.REGISTERS),
    ]
    empty = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    device = SimDevice(1, simdata=(empty, empty, [SimData(0, values=[0], datatype=DataType.REGISTERS)], blocks))
    told: list[Any] = []

    async def scenario() -> None:
        server = await serve(port, device)
        text = ABB.format(port=port, device="eastron-sdm630").split('[[connections.meters]]\nmeter = "R2"')[0]
        async with boxed(text) as box:
            box.collector.on_event = told.append
            await box.until(lambda: "connectors.probe" in box.events())
            assert box.values("R1") == []
        await server.shutdown()

    asyncio.run(scenario())
    assert "word_order" in told[0].hint.en
    assert "little" in told[0].hint.zh


def test_a_peer_that_talks_garbage_or_hangs_up_does_not_stop_us(boxed: Any, free_port: Callable[[], int]) -> None:
    port, count = free_port(), {"n": 0}

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count["n"] += 1
        with_data = await reader.read(100)
        if with_data:
            writer.write(b"\xff\x00garbage" * 50 if count["n"] % 2 else b"")
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(babble, "127.0.0.1", port)
        async with boxed(ABB.format(port=port, device="abb-b23")) as box:
            await box.until(lambda: count["n"] >= 4)
            assert box.values("R1") == []
            assert box.collector.health["bus"].faults >= 2
        server.close()

    asyncio.run(scenario())


def test_neighbouring_registers_are_read_together() -> None:
    points = [Point(f"p{n}", TITLE, "kWh", "uint32", n) for n in (0, 2, 10, 40)]
    assert spans(points, 120) == [Span("holding", 0, 12), Span("holding", 40, 2)]
    assert spans(points, 4) == [Span("holding", 0, 4), Span("holding", 10, 2), Span("holding", 40, 2)]
