"""Plan and command end to end: what the plan said, what the device was told, what the book holds; and plans that fail."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from zerofactory.connectors.command import held
from zerofactory.connectors.command_log import Command, CommandLog
from zerofactory.connectors.simulated_battery import SimulatedBattery
from zerofactory.errors import FaultyData, Problem
from zerofactory.runs import command_book, energy_run
from zerofactory.runs.context import Context
from zerofactory.runs.energy_dispatch import Asked as Planning

TEXT = """
allowed = true
beat_seconds = 0.1
retry_first_seconds = 0.1
retry_longest_seconds = 0.2
end_seconds = 3.0
valid_minutes = {valid}
[[assets]]
asset = "battery"
allowed = true
protocol = "modbus_tcp"
address = "127.0.0.1:{port}"
device = "simulated-battery"
timeout_seconds = 0.5
content = "state_of_charge"
[[assets.channels]]
write = "active_power"
actions = {{ discharge_kw = 1.0, charge_kw = -1.0 }}
"""


@dataclass(frozen=True)
class FixedPlan:
    """A plan as the planner gives it."""

    at: datetime
    setpoints: Mapping[str, Mapping[str, float]]


class Device:
    """A simulated battery in a thread of its own, as a device is."""

    def __init__(self) -> None:
        self.battery = SimulatedBattery()
        with socket.socket() as opened:
            opened.bind(("127.0.0.1", 0))
            self.port = int(opened.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.call(self.battery.open(self.port))

    def call(self, work: Any) -> None:
        """Do something in the device's thread."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def close(self) -> None:
        """End the thread."""
        self.call(self.battery.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.close()


@pytest.fixture
def plant(small: Context, device: Device) -> Context:
    """Return the small plant with a battery that may be commanded."""
    allow(small, device.port)
    return small


def allow(context: Context, port: int, valid: float = 30.0) -> None:
    (context.workspace.folder / "commands.toml").write_text(TEXT.format(port=port, valid=valid), encoding="utf-8")


def planner(kw: float, seen: list[Planning] | None = None) -> energy_run.Planner:
    def plan(_context: Context, asked: Planning) -> FixedPlan:
        if seen is not None:
            seen.append(asked)
        assert asked.at is not None
        actions = {"discharge_kw": max(0.0, kw), "charge_kw": max(0.0, -kw)}
        return FixedPlan(asked.at, {"battery": actions, "boiler": {"gas_nm3_per_h": 3.0}})

    return plan


def asked(**given: Any) -> energy_run.Asked:
    return energy_run.Asked(Planning(), **given)


def test_once_plans_commands_books_and_leaves_the_safe_state(plant: Context, device: Device) -> None:
    seen: list[Planning] = []
    done = energy_run.run(plant, asked(once=True), planner=planner(-42.5, seen))
    assert device.battery.written == [-42.5, 0.0]
    assert done.not_safe == ()
    assert seen[0].contents == {"battery": 0.5}  # the plan starts from what the device says
    assert seen[0].at is not None
    assert timedelta() <= datetime.now(UTC) - seen[0].at < timedelta(minutes=16)
    rows = command_book.commands(plant).to_dicts()
    told = [(row["asset"], row["action"], row["outcome"], row["sent"], row["reason"]) for row in rows]
    assert told == [
        ("boiler", "gas_nm3_per_h", "refused", None, "no_wire"),
        ("battery", "active_power", "confirmed", -42.5, ""),
        ("battery", "active_power", "confirmed", 0.0, "stopped"),
    ]
    assert {row["plan_id"] for row in rows} == {done.rounds[0].plan_id}
    assert rows[1]["read_back"] == -42.5
    assert plant.workspace.journal.check() == []
    assert json.dumps(done.rounds[0].as_json())


def test_dry_run_sends_and_keeps_nothing(plant: Context, device: Device) -> None:
    at = datetime(2025, 7, 10, tzinfo=UTC)
    for moment in (None, at):
        done = energy_run.run(plant, energy_run.Asked(Planning(moment), dry_run=True), planner=planner(250.0))
        (row,) = [one for one in done.rounds[0].commands if one.asset == "battery"]
        assert (row.outcome, row.sent, row.cut) == ("would_send", 100.0, "maximum")
    assert device.battery.written == []
    assert command_book.commands(plant).is_empty()
    assert not (plant.workspace.folder / "dispatch").exists()
    with pytest.raises(FaultyData, match="another moment"):
        energy_run.run(plant, energy_run.Asked(Planning(at)), planner=planner(1.0))


def test_a_failing_plan_keeps_the_last_one_until_it_is_too_old(plant: Context, device: Device) -> None:
    allow(plant, device.port, valid=2.5 / 60)
    turns: list[energy_run.Round] = []
    shown: list[tuple[float, float]] = []

    def once_then_never(context: Context, given: Planning) -> FixedPlan:
        shown.append((time.monotonic(), device.battery.power_kw))
        if len(shown) > 1:
            raise ZeroDivisionError("the solver fell over")
        return planner(30.0)(context, given)  # type: ignore[return-value]

    done = energy_run.run(plant, asked(every_minutes=0.5 / 60, seconds=5.0), turns.append, planner=once_then_never)
    assert [turn.plan_id is None for turn in turns[:3]] == [False, True, True]
    assert turns[1].failed[0].code == "dispatch.failed"
    assert shown[2][1] == 30.0  # two failures later the plan still holds
    assert shown[-1][1] == 0.0
    assert device.battery.written == [30.0, 0.0]
    reasons = [row["reason"] for row in command_book.commands(plant, "battery").to_dicts()]
    assert reasons == ["", "plan_expired"]
    assert done.not_safe == ()


def test_the_safe_state_does_not_wait_for_a_plan_that_hangs(plant: Context, device: Device) -> None:
    release, zero_at, began = threading.Event(), list[float](), time.monotonic()
    count = {"n": 0}

    def hanging(context: Context, given: Planning) -> FixedPlan:
        count["n"] += 1
        if count["n"] > 1:
            release.wait(60)
        return planner(30.0)(context, given)  # type: ignore[return-value]

    def watch() -> None:
        while device.battery.written != [30.0, 0.0] and time.monotonic() - began < 60:
            time.sleep(0.02)
        zero_at.append(time.monotonic() - began)
        release.set()

    watching = threading.Thread(target=watch)
    watching.start()
    energy_run.run(plant, asked(every_minutes=0.5 / 60, seconds=2.0), planner=hanging)
    watching.join()
    assert zero_at[0] < 30.0  # not the minute for which the plan hangs
    assert not device.battery.tripped  # the heartbeat went on while the plan hung


def test_no_plan_is_made_from_a_content_that_cannot_be_read(plant: Context, device: Device) -> None:
    device.call(device.battery.cut())
    done = energy_run.run(plant, asked(once=True), planner=planner(10.0))
    assert [problem.code for problem in done.rounds[0].failed] == ["commands.no_content"]
    device.battery.charge_fraction = 1.7
    device.call(device.battery.open(device.port))
    done = energy_run.run(plant, asked(once=True), planner=planner(10.0))
    assert "1.7" in done.rounds[0].failed[0].message.en
    assert device.battery.written == []


def test_one_dispatcher_a_workspace(plant: Context) -> None:
    with held(plant.workspace.folder), pytest.raises(FaultyData, match="Another dispatcher"):
        energy_run.run(plant, asked(once=True), planner=planner(1.0))


def test_what_was_sent_is_booked_exactly_once_though_booking_was_cut_off(plant: Context, device: Device) -> None:
    energy_run.run(plant, asked(once=True), planner=planner(5.0))
    before = command_book.commands(plant)
    log = CommandLog(plant.workspace.folder / "dispatch")
    kept: list[Problem] = []

    def busy(*_given: object) -> int:
        raise OSError("the book is busy")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_book, "drain", busy)
        energy_run.run(plant, asked(once=True), tell=kept.append, planner=planner(7.0))
    assert {problem.code for problem in kept} == {"commands.book_busy"}
    assert command_book.commands(plant).height == before.height
    waiting = log.waiting()
    command_book.book(plant, waiting[:2])  # cut off after the book had some, before the file was thrown away
    assert command_book.drain(plant, log) == len(waiting) == 3
    after = command_book.commands(plant)
    assert after.height == before.height + 3
    assert after["command_id"].n_unique() == after.height
    assert plant.workspace.journal.check() == []


def test_an_override_counts_at_once_and_stands_in_the_book(plant: Context, device: Device) -> None:
    with pytest.raises(FaultyData, match="reason"):
        command_book.override(plant, "battery", True, " ")
    done = command_book.override(plant, "battery", True, "cabinet open")
    assert done.standing[0].reason == "cabinet open"
    run = energy_run.run(plant, asked(once=True), planner=planner(5.0))
    (row,) = [one for one in run.rounds[0].commands if one.asset == "battery"]
    assert row.reason == "override"
    assert device.battery.written == []
    assert command_book.override(plant, "battery", False, "closed").standing == ()
    assert not command_book.override(plant, "battery", False, "closed").was
    rows = command_book.commands(plant, "battery").to_dicts()
    assert [(row["kind"], row["outcome"]) for row in rows] == [
        ("override", "on"), ("setpoint", "refused"), ("override", "off"),
    ]  # fmt: skip
    assert rows[0]["actor"] == plant.actor
    assert rows[0]["reason_en"] == "cabinet open"


def test_a_faulty_file_stops_no_override(plant: Context) -> None:
    (plant.workspace.folder / "commands.toml").write_text("allowed = maybe", encoding="utf-8")
    assert command_book.override(plant, "battery", True, "smoke").standing


def test_a_negative_zero_is_booked_as_zero_and_the_chain_recomputes(plant: Context) -> None:
    one = Command("a-1", 0, "battery", "p", "setpoint", "kW", -0.0, -0.0, -0.0, -0.0, "", "confirmed", "", "", "", "p")
    command_book.book(plant, [one])
    assert plant.workspace.journal.check() == []
    assert str(command_book.commands(plant)["sent"][0]) == "0.0"


def test_the_commands_of_the_shell(plant: Context, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from zerofactory.cli.main import main

    def zf(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["zf", *words, "-w", str(plant.workspace.folder)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0), str(capsys.readouterr().out)

    monkeypatch.setenv("ZF_LANG", "en")
    assert zf("energy", "override", "on", "--reason", "inspection")[0] == 0
    code, text = zf("energy", "override", "on", "--asset", "battery", "--reason", "x", "--json")
    assert {one["asset"] for one in json.loads(text)["standing"]} == {"battery", None}
    assert zf("energy", "override", "sideways")[0] == 2
    assert zf("energy", "override", "on")[0] == 2
    assert zf("energy", "run", "--once", "--at", "2025-07-10T08:00")[0] == 2
    code, text = zf("energy", "commands", "--json")
    assert code == 0
    assert [row["outcome"] for row in json.loads(text)] == ["on", "on"]
    assert "inspection" in zf("energy", "commands")[1]
