"""Our own server read by our own collector: what one publishes the other stores, with the instant it is true for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from zerofactory.connectors.opc_ua_server import Entrance, Place, ReadOnlyServer, Unit, Value, Variable, unit_of, units
from zerofactory.errors import FaultyData, NotFound, Text

NAME = Text("功率", "power")
T0 = datetime(2025, 3, 3, tzinfo=UTC)
TEXT = """
[[connections]]
id = "twin"
protocol = "opc_ua"
address = "{url}"
timeout_seconds = 2.0
values = "interval"
clock = "device"
replay = true
options = {{ publish_milliseconds = 50 }}
[[connections.meters]]
meter = "P1"
point = "ns=1;s=plant.Power"
unit = "kW"
"""


def test_what_is_served_is_collected_with_its_times(boxed: Any, free_port: Callable[[], int]) -> None:
    async def scenario() -> None:
        server = ReadOnlyServer("urn:test", "test", Entrance(port=free_port()))
        root = Place("plant", "plant", NAME, "PlantType", (Variable("Power", NAME, "number", "kW"),))
        await server.start(root)
        assert await server.show({"plant.Power": Value(100.0, T0)}) == 1
        async with boxed(TEXT.format(url=server.url)) as box:
            await box.until(lambda: box.values("P1") == [100.0])
            for slot in range(1, 5):
                at = T0 + timedelta(minutes=15 * slot)
                status = "bad" if slot == 2 else "uncertain" if slot == 3 else "good"
                await server.show({"plant.Power": Value(100.0 + slot, at, status), "plant.Missing": Value(1.0)})
            await box.until(lambda: len(box.values("P1")) == 4)
            frame = box.readings()
            assert frame["value"].to_list() == [100.0, 101.0, 103.0, 104.0], "a bad value is none"
            assert frame["quality"].to_list()[2] == "suspect"
            assert frame["started_at"].to_list()[-1] == T0 + timedelta(hours=1)
        assert await server.show({"plant.Power": Value(104.0, T0 + timedelta(hours=1))}) == 0
        taken = ReadOnlyServer("urn:test", "test", Entrance(port=int(server.url.split(":")[2].split("/")[0])))
        with pytest.raises(FaultyData) as caught:
            await taken.start(root)
        await taken.stop()
        assert caught.value.problems[0].code == "serve.port"
        await server.stop()

    asyncio.run(scenario())


def test_units_are_codes_of_the_united_nations() -> None:
    """The numbers of two codes as other libraries list them: radian (C81) 4405297, degree (DD) 17476."""
    assert (Unit("C81", "radian").number, Unit("DD", "degree").number) == (4405297, 17476)
    assert units()["kWh"].code == "KWH"
    with pytest.raises(NotFound):
        unit_of("furlong")
