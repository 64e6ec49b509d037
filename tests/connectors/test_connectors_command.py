"""Commands to devices: what may go out, how far, what is read back, and what is left when we are gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from zerofactory.connectors.command import Commander, held, preview
from zerofactory.connectors.command_file import permits, read_permits
from zerofactory.connectors.command_log import Command
from zerofactory.connectors.driven import Orders
from zerofactory.connectors.override import Override, clear_override, overrides, set_override
from zerofactory.connectors.simulated_battery import SimulatedBattery
from zerofactory.errors import FaultyData, Problem
from zerofactory.site.model import Plant

HEAD = (
    "allowed = {plant}\nbeat_seconds = 0.1\nretry_first_seconds = 0.1\nretry_longest_seconds = 0.2\nend_seconds = 3.0\n"
)
BATTERY = """
[[assets]]
asset = "battery"
allowed = {asset}
protocol = "modbus_tcp"
address = "127.0.0.1:{port}"
device = "simulated-battery"
timeout_seconds = 0.5
content = "state_of_charge"
[[assets.channels]]
write = "active_power"
actions = {{ discharge_kw = 1.0, charge_kw = -1.0 }}
"""
LATER = 4_000_000_000_000_000


def orders(kw: float, until_us: int = LATER, plan: str = "plan-1") -> Orders:
    return Orders(plan, until_us, {"battery": {"discharge_kw": max(0.0, kw), "charge_kw": max(0.0, -kw)}})


class Desk:
    """A workspace folder, its simulated battery and what was told."""

    def __init__(self, folder: Path, plant: Plant, port: int) -> None:
        self.folder, self.plant, self.port = folder, plant, port
        self.battery = SimulatedBattery()
        self.told: list[Problem] = []
        self.ended: list[Command] = []

    def allow(self, plant: str = "true", asset: str = "true", extra: str = "", more: str = "") -> None:
        text = HEAD.format(plant=plant) + more + BATTERY.format(asset=asset, port=self.port) + extra
        (self.folder / "commands.toml").write_text(text, encoding="utf-8")

    def commander(self, clock: Callable[[], int] | None = None) -> Commander:
        given = {} if clock is None else {"clock": clock}
        return Commander(self.folder, self.plant, self.ended.append, self.told.append, **given)

    @property
    def log(self) -> list[dict[str, Any]]:
        path = self.folder / "dispatch" / "commands.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    async def until(self, holds: Callable[[], object], seconds: float = 60.0) -> None:
        stop = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < stop, (self.battery.power_kw, self.ended, self.told)
            await asyncio.sleep(0.02)


@pytest.fixture
def desk(tmp_path: Path, tiny: Plant, free_port: Callable[[], int]) -> Desk:
    made = Desk(tmp_path, tiny, free_port())
    made.allow()
    return made


@asynccontextmanager
async def beating(commander: Commander) -> AsyncIterator[Commander]:
    """Look after the devices as a dispatcher does; at the end bring the safe state."""
    stop = asyncio.Event()
    running = asyncio.create_task(commander.run(stop))
    try:
        yield commander
    finally:
        stop.set()
        await running
        await commander.end("stopped")


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    await desk.battery.open(desk.port)
    try:
        yield
    finally:
        await desk.battery.close()


@pytest.mark.parametrize(
    ("plant", "asset", "reason"),
    [
        ("false", "true", "plant_not_allowed"),
        ("true", "false", "asset_not_allowed"),
        ("false", "false", "plant_not_allowed"),
    ],
)
def test_nothing_goes_out_unless_plant_and_asset_allow_it(desk: Desk, plant: str, asset: str, reason: str) -> None:
    desk.allow(plant, asset)

    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            rows = await commander.command(orders(20.0))
            assert [(row.outcome, row.reason, row.sent) for row in rows] == [("refused", reason, None)]
            await asyncio.sleep(0.3)
        assert desk.battery.written == []
        assert desk.battery.beats == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("text", ["", "allowed = 1\n", 'allowed = "true"\n', "allowed = [true"])
def test_without_a_sound_file_nothing_is_allowed(desk: Desk, text: str) -> None:
    path = desk.folder / "commands.toml"
    path.write_text(text, encoding="utf-8")
    if text:
        with pytest.raises(FaultyData):
            read_permits(desk.folder)
        return
    path.unlink()
    found = preview(desk.folder, orders(20.0), 0)
    assert {(row.outcome, row.reason) for row in found} == {("refused", "plant_not_allowed")}


def test_sends_what_the_plan_wishes_with_the_sign_of_the_device_and_reads_it_back(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            assert await commander.contents() == {"battery": 0.5}
            (row,) = await commander.command(orders(12.34))
            assert (row.wished, row.target, row.sent, row.read_back) == (12.34, 12.34, 12.3, 12.3)
            assert (row.outcome, row.plan_id, row.cut) == ("confirmed", "plan-1", "")
            assert desk.battery.written == [12.3]
            await desk.until(lambda: desk.battery.beats >= 3)
            assert not desk.battery.tripped
        assert desk.battery.written == [12.3, 0.0]  # a clean end leaves the safe state
        assert desk.ended[-1].kind == "safe"
        assert desk.ended[-1].reason == "stopped"
        # on disk before it was sent, and again with its end
        assert [line["outcome"] for line in desk.log] == ["sending", "confirmed"] * 2

    asyncio.run(scenario())


def test_limits_of_the_plant_cut_a_wish_and_say_so(desk: Desk) -> None:
    desk.allow(extra="minimum = -30.05\nmaximum = 40.0\n")

    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            (row,) = await commander.command(orders(250.0))
            assert (row.wished, row.target, row.sent, row.cut) == (250.0, 40.0, 40.0, "maximum")
            (row,) = await commander.command(orders(-99.0))
            assert (row.target, row.cut.partition(",")[0]) == (-30.05, "minimum")
            await desk.until(lambda: desk.battery.power_kw == -30.0)  # rounded towards the inside of the limit

    asyncio.run(scenario())


def test_limits_may_not_be_wider_than_the_device(desk: Desk) -> None:
    desk.allow(extra="maximum = 101.0\n")
    with pytest.raises(FaultyData, match="narrower"):
        read_permits(desk.folder)


def test_a_ramp_is_walked_not_jumped(desk: Desk) -> None:
    desk.allow(extra="ramp_per_minute = 600.0\n")  # 10 kW a second, looked after five times a second

    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            began = time.monotonic()
            (row,) = await commander.command(orders(12.0))
            assert row.cut == "ramp"
            assert row.sent == pytest.approx(2.0, abs=0.2)
            await desk.until(lambda: desk.battery.power_kw == 12.0)
            took = time.monotonic() - began
            steps = [b - a for a, b in zip([0.0, *desk.battery.written], desk.battery.written, strict=False)]
            assert max(steps) <= 4.05  # at most two beats' worth
            assert 12.0 / took <= 10.0 * 1.4  # the first step is taken at once
            assert desk.ended[-1].cut == ""

    asyncio.run(scenario())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_setpoint_that_is_no_number_is_refused(desk: Desk, bad: float) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            wrong = Orders("plan-2", LATER, {"battery": {"discharge_kw": bad, "charge_kw": 0.0}})
            (row,) = await commander.command(wrong)
            assert (row.outcome, row.reason, row.sent) == ("refused", "not_a_number", None)
            assert desk.battery.written == []
            assert desk.log[-1]["wished"] is None

    asyncio.run(scenario())


def test_an_override_stops_everything_and_its_end_brings_the_safe_state(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            await commander.command(orders(20.0))
            assert desk.battery.power_kw == 20.0
            set_override(desk.folder, Override("battery", "maintenance", "zhang.san", "2026-01-15T00:00:00Z"))
            assert overrides(desk.folder) == (Override("battery", "maintenance", "zhang.san", "2026-01-15T00:00:00Z"),)
            await asyncio.sleep(0.3)
            beats = desk.battery.beats
            (row,) = await commander.command(orders(-50.0))
            assert (row.outcome, row.reason) == ("refused", "override")
            await asyncio.sleep(0.6)
            assert desk.battery.written == [20.0]
            assert desk.battery.beats == beats  # not even the heartbeat
            await desk.until(lambda: desk.battery.tripped)
            assert clear_override(desk.folder, "battery")
            await desk.until(lambda: desk.battery.written == [20.0, 0.0])
            assert desk.ended[-1].reason == "override_ended"
            (row,) = await commander.command(orders(5.0))
            assert row.outcome == "confirmed"
            set_override(desk.folder, Override(None, "all hands off", "li.na", "2026-01-15T00:00:00Z"))
        assert desk.battery.written == [20.0, 0.0, 5.0]  # also a clean end keeps its hands off
        assert json.loads((desk.folder / "dispatch" / "holding.json").read_text(encoding="utf-8")) != {}

    asyncio.run(scenario())


def test_an_override_file_that_cannot_be_read_counts(desk: Desk) -> None:
    path = desk.folder / "dispatch" / "override" / "battery.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff{")
    assert preview(desk.folder, orders(1.0), 0)[0].reason == "override"
    assert overrides(desk.folder)[0].actor == "?"
    with pytest.raises(FaultyData):
        set_override(desk.folder, Override("../battery", "x", "y", "z"))


def test_permission_withdrawn_while_running_brings_the_safe_state(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            await commander.command(orders(20.0))
            desk.allow(plant="false")
            await desk.until(lambda: desk.battery.written == [20.0, 0.0])
            assert desk.ended[-1].reason == "plant_not_allowed"
            (row,) = await commander.command(orders(30.0))
            assert row.outcome == "refused"
            desk.allow(extra="maximum = 50.0\n")  # allowed again, but not as it was when we began
            (row,) = await commander.command(orders(30.0))
            assert row.reason == "file_changed"
            assert desk.battery.written == [20.0, 0.0]

    asyncio.run(scenario())


def test_a_plan_past_its_validity_is_not_sent_and_one_that_runs_out_ends_in_the_safe_state(desk: Desk) -> None:
    now = {"us": 1_000_000_000}

    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander(lambda: now["us"])) as commander:
            (row,) = await commander.command(orders(20.0, until_us=now["us"]))
            assert (row.outcome, row.reason) == ("refused", "plan_expired")
            await commander.command(orders(20.0, until_us=now["us"] + 60_000_000))
            await asyncio.sleep(0.4)
            assert desk.battery.power_kw == 20.0
            now["us"] += 61_000_000
            await desk.until(lambda: desk.battery.written == [20.0, 0.0])
            assert desk.ended[-1].reason == "plan_expired"

    asyncio.run(scenario())


def test_a_clock_that_stands_still_does_not_lengthen_a_plan(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander(lambda: 1_000_000_000)) as commander:
            await commander.command(orders(20.0, until_us=1_000_000_000 + 700_000))
            assert desk.battery.power_kw == 20.0
            await desk.until(lambda: desk.battery.power_kw == 0.0)
            assert desk.ended[-1].reason == "plan_expired"

    asyncio.run(scenario())


def test_a_device_that_answers_an_exception(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            await commander.command(orders(20.0))
            desk.battery.refuses = True
            rows = await commander.command(orders(40.0))
            assert {row.outcome for row in rows} == {"failed"}
            assert any(row.reason == "modbus_exception" for row in desk.ended)
            await desk.until(lambda: any(problem.code == "connectors.not_safe" for problem in desk.told))
            await desk.until(lambda: desk.battery.tripped)  # it hears no heartbeat from us any more
            desk.battery.refuses = False
            await desk.until(lambda: desk.battery.written == [20.0, 0.0])
            assert not commander.driven["battery"].safe_is_due

    asyncio.run(scenario())


def test_a_device_that_shows_something_else_than_it_was_told(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            desk.battery.stuck_kw = 7.0
            task = asyncio.create_task(commander.command(orders(20.0)))
            await desk.until(lambda: desk.battery.written == [20.0])
            await desk.until(lambda: any(row.reason == "read_back" for row in desk.ended))
            desk.battery.stuck_kw = None
            rows = await task
            assert (rows[0].outcome, rows[0].sent, rows[0].read_back) == ("failed", 20.0, 7.0)
            await desk.until(lambda: desk.battery.written[-1] == 0.0)
            assert any(problem.code == "connectors.read_back" for problem in desk.told)

    asyncio.run(scenario())


def test_a_lost_connection_ends_in_the_safe_state_on_both_sides(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            await commander.command(orders(20.0))
            await desk.battery.cut()
            await desk.until(lambda: commander.driven["battery"].safe_is_due)
            (row,) = await commander.command(orders(30.0))
            assert row.outcome == "failed"
            await desk.until(lambda: desk.battery.tripped)
            assert desk.battery.power_kw == 0.0
            await desk.battery.open(desk.port)
            await desk.until(lambda: not commander.driven["battery"].safe_is_due)
            assert desk.battery.written == [20.0, 0.0]  # told again at the reconnect, nothing of the plan before
            assert desk.ended[-1].reason == "reconnected"
            (row,) = await commander.command(orders(30.0))
            assert row.outcome == "confirmed"

    asyncio.run(scenario())


def test_an_exception_in_the_dispatcher_leaves_the_safe_state(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk):
            with contextlib.suppress(ZeroDivisionError):
                async with beating(desk.commander()) as commander:
                    await commander.command(orders(20.0))
                    raise ZeroDivisionError
            assert desk.battery.written == [20.0, 0.0]

    asyncio.run(scenario())


DISPATCHER = """
import asyncio, sys
from pathlib import Path
from zerofactory.connectors.command import Commander, held
from zerofactory.connectors.driven import Orders
from zerofactory.site.load import plant
folder = Path(sys.argv[1])
made, _ = plant((folder / "factory.toml").read_text(encoding="utf-8"))
async def work():
    commander = Commander(folder, made)
    await commander.command(Orders("killed", 4_000_000_000_000_000, {"battery": {"discharge_kw": 33.0, "charge_kw": 0.0}}))
    print("sent", flush=True)
    await commander.run(asyncio.Event())
with held(folder):
    asyncio.run(work())
"""


def test_kill_9_device_watchdog_goes_to_the_safe_state_and_the_next_process_makes_sure(desk: Desk) -> None:
    from .conftest import PLANT

    (desk.folder / "factory.toml").write_text(PLANT, encoding="utf-8")

    async def scenario() -> None:
        async with at_work(desk):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", DISPATCHER, str(desk.folder), stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            assert (await asyncio.wait_for(process.stdout.readline(), 30)).strip() == b"sent"
            await asyncio.sleep(1.5)
            assert desk.battery.power_kw == 33.0  # longer than the watchdog's time: the heartbeat keeps it
            with pytest.raises(FaultyData, match="Another dispatcher"), held(desk.folder):
                pass
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await desk.until(lambda: desk.battery.tripped)
            assert desk.battery.power_kw == 0.0
            with held(desk.folder):
                async with beating(desk.commander()):
                    await desk.until(lambda: desk.battery.written == [33.0, 0.0])
                    assert desk.ended[-1].reason == "taken_over"

    asyncio.run(scenario())


def test_cut_off_while_sending_is_booked_as_unknown(desk: Desk) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            await commander.command(orders(20.0))

    asyncio.run(scenario())
    path = desk.folder / "dispatch" / "commands.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:3], lines[3][:40]]), encoding="utf-8")
    commander = desk.commander()
    assert [one.outcome for one in commander.log.waiting()] == ["confirmed", "unknown"]
    assert len(commander.log.waiting()) == 2  # still there until the book has it
    commander.log.booked()
    assert commander.log.waiting() == []


def test_a_full_disk_sends_no_setpoint_but_the_safe_state(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with at_work(desk), beating(desk.commander()) as commander:
            await commander.command(orders(20.0))

            def full(_entry: object) -> None:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(type(commander.log), "_append", lambda _self, entry: full(entry))
            rows = await commander.command(orders(40.0))
            assert rows[0].reason == "no_room"
            assert desk.battery.written == [20.0, 0.0]

    asyncio.run(scenario())


def test_one_place_is_not_written_by_two_and_all_faults_come_at_once(desk: Desk) -> None:
    twice = BATTERY.format(asset="true", port=1).replace('"battery"', '"other"')
    wrong = twice.replace('"active_power"', '"reactive_power"').replace("state_of_charge", "soc").replace(":1", ":2")
    found, problems = permits(HEAD.format(plant="true") + BATTERY.format(asset="true", port=1) + twice + wrong)
    assert found is None
    assert {"connectors.place_twice", "connectors.not_a_choice"} <= {problem.code for problem in problems}
    assert len([problem for problem in problems if problem.code == "connectors.not_a_choice"]) == 2


GENERIC = """
[[assets]]
asset = "boiler"
allowed = true
protocol = "modbus_tcp"
address = "127.0.0.1:{port}"
station = "7"
device = "generic-modbus-setpoint"
timeout_seconds = 0.5
[[assets.channels]]
write = "setpoint"
actions = {{ power_kw = 1.0 }}
"""


def test_a_third_party_modbus_server_gets_the_float_and_a_template_without_watchdog_is_warned_of(desk: Desk) -> None:
    desk.allow(extra=GENERIC.format(port=desk.port))
    kept: list[int] = []

    async def answer(code: int, _start: int, _address: int, _count: int, _registers: list[int], values: Any) -> Any:
        if values:
            kept[:] = list(values)
            if struct.unpack(">f", struct.pack(">2H", *kept))[0] > 90.0:
                return ExcCodes.ILLEGAL_VALUE
        return None

    async def scenario() -> None:
        block = SimData(0, values=[0] * 4, datatype=DataType.REGISTERS)
        server = ModbusTcpServer([SimDevice(7, simdata=[block], action=answer)], address=("127.0.0.1", desk.port))
        await server.serve_forever(background=True)
        async with beating(desk.commander()) as commander:
            assert [problem.code for problem in desk.told].count("connectors.no_watchdog") == 1
            (row,) = await commander.command(Orders("p", LATER, {"boiler": {"power_kw": 0.125}}))
            assert (row.sent, row.read_back, row.outcome) == (0.125, 0.125, "confirmed")
            assert struct.pack(">2H", *kept) == struct.pack(">f", 0.125)
        assert struct.unpack(">f", struct.pack(">2H", *kept))[0] == 0.0
        await server.shutdown()

    asyncio.run(scenario())


REPEATED = """
maker: x
model: little words, upside down, fed by the setpoint itself
title: { zh: "热泵", en: "heat pump" }
status: placeholder
source: "made for this test, of no maker"
word_order: little
writes:
  - { id: power, title: { zh: "功率", en: "power" }, unit: W, kind: int32, address: 2, scale: 10, sign: -1, minimum: 0, maximum: 900000, ramp_per_minute: 90000000, safe_value: 5000 }
heartbeat: { way: repeat, every_seconds: 0.1, timeout_seconds: 1 }
"""


def test_a_template_of_the_workspace_whose_setpoint_is_its_own_heartbeat(desk: Desk) -> None:
    (desk.folder / "devices").mkdir()
    (desk.folder / "devices" / "ours.yaml").write_text(REPEATED, encoding="utf-8")
    text = GENERIC.format(port=desk.port).replace("generic-modbus-setpoint", "ours").replace('"setpoint"', '"power"')
    desk.allow(extra=text + 'unit = "kW"\n')  # the plan counts in kW, the device in W
    kept: list[list[int]] = []

    async def answer(_code: int, _start: int, address: int, _count: int, _registers: list[int], values: Any) -> Any:
        if values:
            assert address == 2
            kept.append(list(values))

    async def scenario() -> None:
        block = SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)
        server = ModbusTcpServer([SimDevice(7, simdata=[block], action=answer)], address=("127.0.0.1", desk.port))
        await server.serve_forever(background=True)
        async with beating(desk.commander()) as commander:
            (row,) = await commander.command(Orders("p", LATER, {"boiler": {"power_kw": 123.456}}))
            assert (row.wished, row.sent, row.unit) == (pytest.approx(123_456.0), 123_460.0, "W")
            raw = struct.unpack(">2H", struct.pack(">i", -12_346))
            assert kept[0] == [raw[1], raw[0]]
            await desk.until(lambda: len(kept) >= 4)
            assert all(words == kept[0] for words in kept)
            assert len([row for row in desk.ended if row.asset == "boiler"]) == 1  # repeated, not commanded again
        raw = struct.unpack(">2H", struct.pack(">i", -500))
        assert kept[-1] == [raw[1], raw[0]]
        await server.shutdown()

    asyncio.run(scenario())


OPC_UA = """
[[assets]]
asset = "heat_pump"
allowed = true
protocol = "opc_ua"
address = "opc.tcp://127.0.0.1:{port}/"
device = "generic-opc-ua-setpoint"
heartbeat_place = "ns=2;s=alive"
[[assets.channels]]
write = "setpoint"
place = "ns=2;s=power"
actions = {{ power_kw = 1.0 }}
maximum = 60.0
"""


def test_opc_ua_through_the_same_door(desk: Desk) -> None:
    from asyncua import Server, ua

    desk.allow(extra=OPC_UA.format(port=desk.port))

    async def scenario() -> None:
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{desk.port}/")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        space = await server.register_namespace("urn:test")
        power = await server.nodes.objects.add_variable(ua.NodeId("power", space), "power", 0.0)
        alive = await server.nodes.objects.add_variable(
            ua.NodeId("alive", space), "alive", ua.Variant(0, ua.VariantType.UInt16)
        )
        await alive.set_writable()
        await server.start()
        async with beating(desk.commander()) as commander:
            rows = await commander.command(Orders("p", LATER, {"heat_pump": {"power_kw": 80.0}}))
            assert (rows[0].outcome, rows[0].reason) == ("failed", "opc_ua_refused")  # the node may not be written
            await power.set_writable()
            await desk.until(lambda: not commander.driven["heat_pump"].safe_is_due)
            (row,) = await commander.command(Orders("p", LATER, {"heat_pump": {"power_kw": 80.0}}))
            assert (row.target, row.cut.partition(",")[0], row.outcome) == (60.0, "maximum", "confirmed")
            assert await power.read_value() == row.sent
            assert await alive.read_value() >= 1
        assert await power.read_value() == 0.0
        await server.stop()

    asyncio.run(scenario())


MQTT = """
[[assets]]
asset = "charger"
allowed = true
protocol = "mqtt_json"
address = "127.0.0.1:{port}"
device = "generic-mqtt-setpoint"
timeout_seconds = 2.0
heartbeat_place = "charger/alive"
[[assets.channels]]
write = "setpoint"
place = "charger/set"
read_back = "charger/state"
actions = {{ charge_kw = 1.0 }}
ramp_per_minute = 100.0
"""


def test_mqtt_through_the_same_door(desk: Desk) -> None:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    from zerofactory.connectors.simulated_broker import SimulatedBroker

    got: list[tuple[str, float]] = []
    deaf = {"now": False}

    def device(client: Any, _user: Any, message: Any) -> None:
        value = json.loads(message.payload)["value"]
        got.append((message.topic, value))
        if message.topic == "charger/set" and not deaf["now"]:
            client.publish("charger/state", json.dumps({"value": value}), qos=1)

    async def scenario() -> None:
        broker = SimulatedBroker()
        await broker.open(desk.port)
        client = Client(CallbackAPIVersion.VERSION2, client_id="charger")
        client.on_message = device
        await asyncio.to_thread(client.connect, "127.0.0.1", desk.port, 30)
        client.loop_start()
        client.subscribe([("charger/set", 1), ("charger/alive", 1)])
        await asyncio.sleep(0.3)
        desk.allow(extra=MQTT.format(port=desk.port))
        async with beating(desk.commander()) as commander:
            (row,) = await commander.command(Orders("p", LATER, {"charger": {"charge_kw": 8.0}}))
            assert (row.outcome, row.sent, row.read_back) == ("confirmed", 8.0, 8.0)
            assert ("charger/set", 8.0) in got
            assert any(topic == "charger/alive" for topic, _ in got)
            deaf["now"] = True
            rows = await commander.command(Orders("p", LATER, {"charger": {"charge_kw": 4.0}}))
            assert (rows[0].outcome, rows[0].reason, rows[0].read_back) == (
                "failed",
                "read_back",
                pytest.approx(math.nan, nan_ok=True),
            )
            deaf["now"] = False
            await desk.until(lambda: got[-1] == ("charger/set", 0.0) or ("charger/set", 0.0) in got)
        client.loop_stop()
        client.disconnect()
        await broker.close()

    asyncio.run(scenario())


def test_a_dry_run_opens_nothing(desk: Desk) -> None:
    rows = preview(desk.folder, Orders("p", LATER, {"battery": {"discharge_kw": 500.0}, "chp": {"power_kw": 3.0}}), 0)
    assert {row.asset: (row.outcome, row.reason, row.cut, row.sent) for row in rows} == {
        "battery": ("would_send", "", "maximum", 100.0),
        "chp": ("refused", "no_wire", "", None),
    }
    assert not (desk.folder / "dispatch").exists()
    assert os.listdir(desk.folder) == ["commands.toml"]  # noqa: PTH208
