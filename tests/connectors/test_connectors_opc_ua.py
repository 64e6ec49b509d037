"""OPC UA against a server made with asyncua alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import Server, ua

T0 = datetime(2025, 3, 3, tzinfo=UTC)
TEXT = """
[[connections]]
id = "ua"
protocol = "opc_ua"
address = "opc.tcp://127.0.0.1:{port}/"
timeout_seconds = 1.0
values = "interval"
clock = "device"
replay = true
options = {{ publish_milliseconds = 50 }}
[[connections.meters]]
meter = "R1"
point = "ns=2;s=energy"
unit = "Wh"
[[connections.meters]]
meter = "R2"
point = "ns=2;s=nowhere"
"""


async def serve(port: int) -> tuple[Server, Any]:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test")
    node = await server.nodes.objects.add_variable(ua.NodeId("energy", space), "energy", 0.0)
    await server.start()
    return server, node


async def show(node: Any, slot: int, value: float, status: int = 0) -> None:
    stamp = T0 + timedelta(minutes=15 * slot)
    variant = ua.Variant(value, ua.VariantType.Double)
    await node.write_value(ua.DataValue(variant, StatusCode=ua.StatusCode(status), SourceTimestamp=stamp))


def test_subscribes_with_source_times_and_comes_back_after_a_cut(boxed: Any, free_port: Callable[[], int]) -> None:
    port = free_port()

    async def scenario() -> None:
        server, node = await serve(port)
        await show(node, 0, 1000.0)
        async with boxed(TEXT.format(port=port)) as box:
            await box.until(lambda: box.values("R1") == [1.0])
            for slot in range(1, 20):
                await show(node, slot, 1000.0 * (slot + 1))
            await show(node, 20, float("nan"))
            await show(node, 21, 1.0, 0x80000000)
            await box.until(lambda: len(box.values("R1")) == 20)
            assert box.values("R1") == [float(n) for n in range(1, 21)]
            assert box.readings()["started_at"].to_list()[3] == T0 + timedelta(minutes=45)
            await box.until(lambda: box.collector.health["ua"].counts["not_a_number"] == 1)
            assert "connectors.no_node" in box.events()
            await server.stop()
            await box.until(lambda: box.collector.health["ua"].state == "down")
            server, node = await serve(port)
            await show(node, 30, 40_000.0)
            await box.until(lambda: box.values("R1")[-1] == 40.0, 60)
            assert "connectors.opc_ua_away" in box.events()
        await server.stop()

    asyncio.run(scenario())
