"""What the tests of connectors share: waiting with a bound, a free port, a small plant, a collector in a box."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
import pytest

from zerofactory.connectors.collect import Collector
from zerofactory.connectors.connection import wiring
from zerofactory.connectors.spool import read_segment
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant

METER = """
[[meters]]
id = "{id}"
name = {{ zh = "表", en = "meter" }}
carrier = "electricity"
kind = "{kind}"
unit = "{unit}"
shop = "paint"
minimum = 0.0
maximum = {maximum}
{extra}
"""
PLANT = """
[plant]
id = "tiny"
name = { zh = "小厂", en = "tiny plant" }
time_zone = "Asia/Shanghai"
region = "CN-上海"
[organisation]
name = { zh = "测试公司", en = "test company" }
[[shops]]
id = "paint"
kind = "paint"
name = { zh = "涂装", en = "paint" }
""" + "".join(
    METER.format(id=name, kind=kind, unit=unit, maximum=maximum, extra=extra)
    for name, kind, unit, maximum, extra in [
        ("R1", "register", "kWh", 1e6, "rollover = 100000000.0"),
        ("R2", "register", "kWh", 1e6, ""),
        ("I1", "interval", "kWh", 1000.0, ""),
        ("P1", "gauge", "kW", 1000.0, ""),
    ]
)
QUICK = """
[collector]
retry_first_seconds = 0.05
retry_longest_seconds = 0.2
status_seconds = 0.1
"""


class Box:
    """A running collector and what it has spooled so far."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def readings(self) -> pl.DataFrame:
        """Return everything on disk, in order."""
        self.collector.spool.seal()
        return pl.concat([read_segment(path).readings for path in self.collector.spool.waiting()] or [pl.DataFrame()])

    def values(self, meter: str) -> list[float]:
        """Return the values of one meter on disk."""
        frame = self.readings()
        return frame.filter(pl.col("meter_id") == meter)["value"].to_list() if frame.width else []

    def events(self) -> dict[str, int]:
        """Return what was told, by code."""
        return dict(self.collector.events.counts)

    async def until(self, holds: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait until something holds."""
        stop = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < stop, (self.events(), self.collector.status())
            await asyncio.sleep(0.02)


Boxed = Callable[..., contextlib.AbstractAsyncContextManager[Box]]


@pytest.fixture
def tiny() -> Plant:
    """Return a plant of two registers, an interval meter and a gauge."""
    made, problems = load_plant(PLANT)
    assert made is not None, problems
    return made


@pytest.fixture
def boxed(tiny: Plant, tmp_path: Path) -> Boxed:
    """Return a context that runs a collector on the connections of a TOML text."""

    @asynccontextmanager
    async def box(text: str, levels: dict[str, tuple[int, float]] | None = None) -> AsyncIterator[Box]:
        found, problems = wiring((QUICK if "[collector]" not in text else "") + text, tiny, tmp_path)
        assert found is not None, [problem.sentence("en") for problem in problems]
        collector = Collector(found, tiny, tmp_path, levels or {})
        stop = asyncio.Event()
        running = asyncio.create_task(collector.run(stop))
        try:
            yield Box(collector)
        finally:
            stop.set()
            await running
            collector.spool.close()

    return box


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return a function that waits until something holds, at most some seconds."""

    def wait(holds: Callable[[], object], seconds: float = 60.0) -> None:
        stop = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < stop, "it did not come to hold in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Return a function that finds a free port on loopback."""

    def find() -> int:
        with socket.socket() as opened:
            opened.bind(("127.0.0.1", 0))
            return int(opened.getsockname()[1])

    return find
