"""HTTP push, drop folder and DL/T 645: bounded, told, nothing confirmed too early."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.connectors.protocols.dlt645 import BadFrame, frame, unpacked
from zerofactory.connectors.spool import SpoolFull
from zerofactory.errors import Text

TOKEN = "a-token-of-some-length"  # noqa: S105  (only here)
HTTP = """
[[connections]]
id = "push"
protocol = "http_push"
address = "{host}:{port}"
replay = true
options = {{ token_file = "token.txt" }}
"""
FOLDER = """
[[connections]]
id = "drop"
protocol = "folder_watch"
address = "inbox"
replay = true
"""
DLT = """
[collector]
retry_first_seconds = 0.05
retry_longest_seconds = 0.1
boundary_tolerance_seconds = 900
[[connections]]
id = "bus"
protocol = "dlt645"
address = "127.0.0.1:{port}"
device = "dlt645-2007"
poll_seconds = 0.1
timeout_seconds = 0.3
[[connections.meters]]
meter = "R1"
station = "000102030425"
point = "energy_import"
"""


async def post(port: int, body: Any, token: str = TOKEN, **head: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Authorization": f"Bearer {token}", "Content-Length": str(len(raw)), "Connection": "close", **head}
    writer.write(
        b"POST /v1/readings HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()).encode() + b"\r\n" + raw
    )
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(line.split()[1])


def test_http_push_answers_when_it_is_on_disk(boxed: Any, free_port: Callable[[], int], tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "token.txt").write_text(TOKEN, encoding="utf-8")
    entry = {"meter": "R1", "time": "2025-03-03T08:00:00+08:00", "value": 5.0}

    async def scenario() -> None:
        async with boxed(HTTP.format(host="127.0.0.1", port=port)) as box:
            await box.until(lambda: box.collector.health["push"].state == "up")
            assert await post(port, [entry, {**entry, "time": "2025-03-03T08:15:00+08:00", "value": 6.0}]) == 200
            assert box.values("R1") == [5.0, 6.0]
            assert await post(port, entry, token="wrong-token-of-length") == 401  # noqa: S106
            assert await post(port, b"{") == 400
            assert await post(port, {**entry, "value": "NaN"}) == 400
            assert await post(port, {**entry, "time": "2025-03-03 08:00"}) == 400
            assert await post(port, b"", **{"Content-Length": "99999999"}) == 413
            assert await post(port, b"x", **{"Transfer-Encoding": "chunked"}) == 411
            real, box.collector.spool.write = box.collector.spool.write, _full
            waiting = asyncio.create_task(post(port, {**entry, "time": "2025-03-03T08:30:00+08:00", "value": 7.0}))
            await box.until(lambda: box.collector.full)
            assert not waiting.done()
            box.collector.spool.write = real
            assert await waiting == 200
            assert box.values("R1") == [5.0, 6.0, 7.0]

    asyncio.run(scenario())


def _full(_samples: object) -> None:
    raise SpoolFull(Text("满", "full"))


@pytest.mark.parametrize(("host", "code"), [("0.0.0.0", "not_loopback"), ("127.0.0.1", "no_token")])  # noqa: S104
def test_http_push_does_not_open_to_the_world(boxed: Any, free_port: Callable[[], int], host: str, code: str) -> None:
    async def scenario() -> None:
        async with boxed(HTTP.format(host=host, port=free_port())) as box:
            await box.until(lambda: f"connectors.{code}" in box.events())

    asyncio.run(scenario())


def test_drop_folder_takes_whole_files_and_sets_faulty_ones_aside(boxed: Any, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.csv").write_text("表计,时间,读数\nR1,2025-03-03 08:00,1\nR1,2025-03-03 08:15,2\n", encoding="utf-8")
    (inbox / "b.csv").write_text("表计,时间,读数\nR1,2025-03-03 08:30,3\nXX,yesterday,oops\n", encoding="utf-8")

    async def scenario() -> None:
        async with boxed(FOLDER) as box:
            await box.until((inbox / "refused" / "b.csv.problems.txt").exists)
            await box.until((inbox / "done" / "a.csv").exists)
            assert box.values("R1") == [1.0, 2.0]
            assert box.events()["connectors.file_refused"] == 1
            told = (inbox / "refused" / "b.csv.problems.txt").read_text(encoding="utf-8")
            assert "XX" in told

    asyncio.run(scenario())


def test_dlt645_over_a_gateway(boxed: Any, free_port: Callable[[], int]) -> None:
    """Answers: noise before the frame, a wrong check sum, another meter's answer, then the worked frame's 1206.42 kWh."""
    port, count = free_port(), {"n": 0}
    good = frame("000102030425", 0x91, bytes.fromhex("0001000000120642")[3::-1] + bytes.fromhex("00120642")[::-1])
    assert good.hex(" ") == "68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8b 16"
    answers = [good[:-2] + b"\x00\x16", frame("000000000001", 0x91, b"\0" * 8), b"", b"\xfe\xfe\x00" + good]

    async def meter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked = await reader.read(100)
            if not asked:
                break
            assert asked.endswith(frame("000102030425", 0x11, bytes.fromhex("00010000")[::-1]))
            writer.write(answers[min(count["n"], 3)])
            count["n"] += 1
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(meter, "127.0.0.1", port)
        async with boxed(DLT.format(port=port)) as box:
            await box.until(lambda: box.values("R1") == [1206.42])
            assert "connectors.dlt645" in box.events()
        server.close()

    asyncio.run(scenario())


@given(st.binary(max_size=60))
def test_dlt645_frames_are_checked(noise: bytes) -> None:
    try:
        address, control, data = unpacked(noise)
    except BadFrame:
        return
    assert frame(address, control, data) == noise


@given(st.integers(0, 999_999_999_999), st.integers(0, 255), st.binary(max_size=200), st.integers(0, 5000))
def test_dlt645_there_and_back_and_one_wrong_bit(number: int, control: int, data: bytes, bit: int) -> None:
    whole = frame(str(number), control, data)
    assert unpacked(whole) == (f"{number:012d}", control, data)
    broken = bytearray(whole)
    broken[bit % len(whole)] ^= 1 << (bit % 8)
    with pytest.raises(BadFrame):
        unpacked(bytes(broken))
