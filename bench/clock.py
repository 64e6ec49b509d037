"""Time and memory of a piece of work, measured in a process of its own so that nothing is warm and peaks are its own."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection


@dataclass(frozen=True)
class Measured:
    """Wall seconds of the parts by name, peak resident memory in MB, and what the work returned."""

    seconds: dict[str, float]
    peak_mb: float
    result: object

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.seconds.values())


class Parts:
    """Collects the wall time of named parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], object]) -> object:
        """Run one part and keep its time."""
        started = time.perf_counter()
        result = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        return result


def _child(pipe: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    parts = Parts()
    result = work(parts, *arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send((parts.seconds, peak, result))


def apart(work: Callable[..., object], *arguments: object) -> Measured:
    """Run ``work(parts, *arguments)`` in a fresh process and measure it."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sending, work, arguments))
    process.start()
    sending.close()
    try:
        seconds, peak, result = receiving.recv()
    except EOFError:
        process.join()
        raise SystemExit(f"{work.__name__} broke off; its message stands above") from None
    process.join()
    return Measured(seconds, peak, result)


def row(name: str, measured: Measured, against: Measured | None = None) -> None:
    """Print one line: total, ratio to the peer, memory, parts."""
    ratio = f"{measured.total / against.total:5.2f}x" if against else "    – "
    parts = "  ".join(f"{part} {value:.2f}" for part, value in measured.seconds.items())
    print(f"  {name:<34}{measured.total:8.2f} s  {ratio}  {measured.peak_mb:7.0f} MB   {parts}")
