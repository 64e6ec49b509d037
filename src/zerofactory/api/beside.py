"""An HTTP server that runs in the loop of another program, and ends when that does."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from zerofactory.connectors.listening import listening_at


class Beside:
    """One ASGI application on one address; signals are the other program's."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        self._place = host, port
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; raise `FaultyData` when the address is taken."""
        door = listening_at(*self._place)
        self._task = asyncio.create_task(self._server._serve([door]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.02)
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Hang up; nothing when it never listened."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
