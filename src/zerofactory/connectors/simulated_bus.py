"""A simulated DL/T 645 bus behind a TCP gateway: every meter of a play answers under its own address on one connection.

A meter shows the newest reading and, as its clock, the instant of that reading, so what is collected is exactly what was played.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from zerofactory.connectors.device import Point, templates
from zerofactory.connectors.protocols.dlt645 import ANSWER, READ, REFUSED, BadFrame, frame, receive
from zerofactory.connectors.sample import MICROSECONDS
from zerofactory.connectors.simulated import Feed, Play
from zerofactory.periods import zone

BUS_TEMPLATE = "simulated-dlt645"
NO_DATA = b"\x02"  # error word: no data asked for


async def serve_dlt645(feed: Feed, plays: Sequence[Play], port: int, time_zone: str) -> Callable[[], Awaitable[None]]:
    """Serve each meter under the address 1, 2, … (twelve digits); return how to end it."""
    device = templates()[BUS_TEMPLATE]
    points = {str(point.identifier).upper(): point for point in device.points}
    writers: set[asyncio.StreamWriter] = set()

    def content(play: Play, point: Point) -> bytes | None:
        index = play.known_until(feed.now_us()) - 1
        if index < 0:
            return None
        if point.id == device.clock:
            return _clock(int(play.at_us[index]), time_zone)
        return _digits(int(play.shown[index]) * 10 ** (4 - play.digits), point.bytes)

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while True:
                try:
                    address, control, data = await receive(reader)
                except BadFrame:
                    continue
                number = int(address)
                point = points.get(data[:4][::-1].hex().upper())
                if control != READ or not 1 <= number <= len(plays):
                    continue  # as on a bus: who is not meant is silent
                shown = content(plays[number - 1], point) if point is not None else None
                answer = frame(address, ANSWER, data[:4] + shown) if shown else frame(address, REFUSED, NO_DATA)
                writer.write(b"\xfe\xfe\xfe\xfe" + answer)
                await writer.drain()
        except OSError:
            return
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(attend, "127.0.0.1", port)

    async def end() -> None:
        server.close()
        for writer in list(writers):
            writer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1.0)

    return end


def _digits(number: int, length: int) -> bytes:
    """Return packed decimal digits, low byte first."""
    return bytes.fromhex(f"{number:0{length * 2}d}")[::-1]


def _clock(at_us: int, time_zone: str) -> bytes:
    local = datetime.fromtimestamp(at_us // MICROSECONDS, UTC).astimezone(zone(time_zone))
    text = f"{local:%y%m%d}{local.isoweekday() % 7:02d}{local:%H%M%S}"
    return bytes.fromhex(text)[::-1]
