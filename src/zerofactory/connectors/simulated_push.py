"""A simulated device that pushes: posts every reading over HTTP to the receiver of `zf collect`, and again until it is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

from zerofactory.connectors.collect import ended
from zerofactory.connectors.simulated import TICK_SECONDS, Feed, Play

TOGETHER = 500  # readings a post
AGAIN_SECONDS = 0.3
ANSWER_SECONDS = 30.0


async def push_http(feed: Feed, plays: Sequence[Play], port: int, token: str) -> Callable[[], Awaitable[None]]:
    """Post readings as they come to exist; while nobody listens they wait. Return how to end it."""
    sent = [max(0, play.known_until(feed.start_us) - 1) for play in plays]

    async def run() -> None:
        while True:
            due = [
                (place, index)
                for place, play in enumerate(plays)
                for index in range(sent[place], play.known_until(feed.now_us()))
            ]
            for first in range(0, len(due), TOGETHER):
                part = due[first : first + TOGETHER]
                entries = [_entry(plays[place], index) for place, index in part]
                while not await _kept(port, token, entries):
                    await asyncio.sleep(AGAIN_SECONDS)
                for place, index in part:
                    sent[place] = index + 1
            await asyncio.sleep(TICK_SECONDS)

    task = asyncio.create_task(run())

    async def end() -> None:
        await ended([task])

    return end


def _entry(play: Play, index: int) -> dict[str, object]:
    return {"meter": play.meter.id, "time": int(play.at_us[index]) // 1000, "value": float(play.values[index])}


async def _kept(port: int, token: str, entries: Sequence[dict[str, object]]) -> bool:
    """Post entries; return whether the other side said that they are kept."""
    body = json.dumps(entries).encode()
    head = (
        f"POST /v1/readings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        status = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
    return status.startswith(b"HTTP/1.1 200 ")
