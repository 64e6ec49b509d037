"""When a polled link asks: on the beat of the clock, and a silent station ever more rarely."""

from __future__ import annotations

import asyncio
import time


class Schedule:
    """Turns at whole multiples of the poll period, so that a poll falls right after every interval's edge."""

    def __init__(self, poll_seconds: float, timeout_seconds: float, longest_seconds: float = 300.0) -> None:
        self._poll, self._timeout, self._longest = poll_seconds, timeout_seconds, longest_seconds
        self._next: float | None = None
        self._silent: dict[str, tuple[int, float]] = {}

    async def wait_for_turn(self) -> None:
        """Wait until the next turn; the first is at once. Turns that were missed are left out."""
        now = time.time()
        if self._next is not None and self._next > now:
            await asyncio.sleep(self._next - now)
            now = max(now, self._next)
        self._next = (now // self._poll + 1) * self._poll

    def is_due(self, station: str) -> bool:
        """Whether a station should be asked in this turn."""
        return time.monotonic() >= self._silent.get(station, (0, 0.0))[1]

    def answered(self, station: str) -> None:
        """Note that a station answered."""
        self._silent.pop(station, None)

    def failed(self, station: str) -> int:
        """Note that a station did not answer; return how often in a row. It is left out twice as long each time."""
        count = self._silent.get(station, (0, 0.0))[0] + 1
        wait = 0.0 if count == 1 else min(self._longest, self._timeout * 2.0 ** min(count, 10))
        self._silent[station] = (count, time.monotonic() + wait)
        return count
