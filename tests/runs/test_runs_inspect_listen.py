"""Inspection over MQTT against a broker: pictures in, verdicts out, repeats and rubbish told, nothing confirmed too early."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.runs.inspect_panels import give_model
from tests.runs.test_runs_inspect import panel

from zerofactory.connectors.simulated_broker import SimulatedBroker
from zerofactory.errors import FaultyData, NotFound, Problem
from zerofactory.runs import inspect_book, inspect_listen
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_desk import Sent
from zerofactory.runs.inspect_listen import Asked, listen, read

WAIT = 60.0


@contextlib.contextmanager
def broker(port: int) -> Iterator[None]:
    """Run a broker in a thread."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        here = SimulatedBroker()
        await here.open(port)
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.02)
        await here.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(WAIT)
    try:
        yield
    finally:
        stop.set()
        thread.join(WAIT)


@contextlib.contextmanager
def camera(port: int, verdicts: list[dict[str, Any]]) -> Iterator[Client]:
    """Return a client that publishes pictures and collects verdicts."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="camera")
    client.on_message = lambda _c, _u, message: verdicts.append(json.loads(message.payload))
    client.on_connect = lambda c, _u, _f, _r, _p: c.subscribe("zerofactory/verdict", 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def until(holds: Callable[[], object]) -> None:
    stop = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < stop, "it did not come to hold in time"
        time.sleep(0.02)


def test_cameras_publish_and_are_answered(small: Context, tmp_path: Path) -> None:
    give_model(small.workspace.folder)
    panel(tmp_path, 100, "pit")
    panel(tmp_path, 101)
    bad, good = ((tmp_path / name).read_bytes() for name in ("pit100.png", "ok101.png"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    verdicts: list[dict[str, Any]] = []
    told: list[Problem] = []
    asked = Asked(f"127.0.0.1:{port}", "line/inspect/+", part=Sent(shop="paint", station="P10"), parts=6)
    heard: list[Any] = []
    listening = threading.Thread(target=lambda: heard.append(listen(small, asked, told.append, lambda _: None)))
    listening.start()  # before there is a broker: it waits and tries again
    until(lambda: told)
    with broker(port), camera(port, verdicts) as client:
        until(client.is_connected)
        while not verdicts:  # a camera does not know whether anybody listens yet
            client.publish("line/inspect/BX-1", bad, qos=1)
            time.sleep(0.1)
        first = len(verdicts)
        sent = {"part_code": "BX-2", "image": base64.b64encode(good).decode(), "station": "P20"}
        client.publish("line/inspect/x", json.dumps(sent), qos=1)
        for rubbish in (b"{", b"\x89PNG\r\n\x1a\n", b'{"image": 3}', b'{"image": "AAAA", "extra": "1"}', b"{" * 5000):
            client.publish("line/inspect/BX-3", rubbish, qos=1)
        listening.join(WAIT)
        assert not listening.is_alive()
        until(lambda: len(verdicts) == heard[0].messages)
    assert told[0].code == "connectors.broker_away"
    assert verdicts[0]["part_code"] == "BX-1"
    assert verdicts[0]["model"]["rejected"] is True
    assert all(one["repeated"] for one in verdicts[1:first])
    by_code = {one["part_code"]: one for one in verdicts if "problems" not in one}
    assert by_code["BX-2"]["model"]["rejected"] is False
    refused = [one for one in verdicts if "problems" in one]
    assert heard[0].refused == len(refused) >= 1
    assert inspect_book.rows(small)["part_code"].to_list() == ["BX-1", "BX-2"]
    assert inspect_book.rows(small)["station"].to_list() == ["P10", "P20"]


def test_what_would_go_round_or_cannot_judge_is_refused_at_once(
    small: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Callable[[object], None] = lambda _: None  # noqa: E731
    for topic, reply in (("zerofactory/#", "zerofactory/verdict"), ("a/+", "a/b"), ("a", "b/+")):
        with pytest.raises(FaultyData, match="heard again"):
            listen(small, Asked("127.0.0.1:1", topic, reply), nothing, nothing)
    with pytest.raises(NotFound):
        listen(small, Asked("127.0.0.1:1", "cam/+"), nothing, nothing)
    give_model(small.workspace.folder)
    monkeypatch.setattr(inspect_listen, "LIBRARY", "not_installed_here")
    with pytest.raises(FaultyData) as caught:
        listen(small, Asked("127.0.0.1:1", "cam/+"), nothing, nothing)
    assert "connect" in caught.value.problems[0].hint.en


@pytest.mark.parametrize(
    "payload",
    [
        b"{" * 9,
        b"[" * 9 + b"{",
        b'{"image": "not base64!"}',
        b'{"image": "AAAA", "part_code": "\\ud800"}',
        b'{"image": "AAAA", "inspected_at": "2026-01-01T00:00"}',
        b"x" * 20_000,
    ],
)
def test_payloads_are_bounded_and_checked(payload: bytes) -> None:
    if payload.startswith(b"["):
        assert (
            read(Sent(), "cam", "cam", payload, 100)[1] == payload
        )  # no JSON object: taken as a picture, which it is not
        return
    with pytest.raises(FaultyData):
        read(Sent(), "cam/+", "cam/A", payload, 100)
