"""Play the reference plant's readings as real servers on loopback, and write the connections.toml that collects them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from zerofactory.connectors import simulated
from zerofactory.connectors.connection import FILE, missing_library
from zerofactory.connectors.sample import MICROSECONDS
from zerofactory.connectors.simulated import Feed, Play
from zerofactory.connectors.simulated_broker import SimulatedBroker
from zerofactory.connectors.simulated_bus import BUS_TEMPLATE, serve_dlt645
from zerofactory.connectors.simulated_push import push_http
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.periods import local_midnight
from zerofactory.reference_plant import readings, series
from zerofactory.reference_plant.shapes import START
from zerofactory.site.model import Plant
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.workspace import PLANT_FILE, read_plant

MARK = "# zf simulate"
PROTOCOLS = ("modbus", "opcua", "mqtt", "sparkplug", "dlt645", "http")
TOKEN_FILE = "push.token"  # noqa: S105  (a file name)
QUARTER_US = 900 * MICROSECONDS
FASTEST = 1000.0


@dataclass(frozen=True, slots=True)
class Request:
    """What to play: from which instant, how fast, over which protocols, how many meters (all when None), how long."""

    start: datetime
    speed: float = 60.0
    protocols: tuple[str, ...] = ("modbus", "opcua", "mqtt")
    meters: int | None = None
    seconds: float | None = None
    broker: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """One server that was opened: its protocol, where it listens and how many meters it shows."""

    protocol: str
    address: str
    meters: int


def run(folder: Path, request: Request, on_ready: Callable[[Sequence[Address]], None]) -> None:
    """Serve until a signal, the end of the play or ``seconds``; ``on_ready`` is called when everything listens.

    Raises
    ------
    FaultyData
        The folder is no workspace of the reference plant, a wish is impossible, or connections.toml is another's.
    NotFound
        Unknown protocol.
    """
    plant = _plant(folder, request)
    asyncio.run(_serve(folder, plant, request, on_ready))


def plays(plant: Plant, count: int | None = None) -> list[Play]:
    """Return what every display of the reference plant showed in 2025, in the order of the plant file.

    Parameters
    ----------
    count : int, optional
        Only so many meters, spread evenly over the plant.
    """
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]}
    amounts = series.amounts(meters)
    recipes = {recipe.meter: recipe for recipe in series.recipes()}
    start_us = round(local_midnight(START.date(), plant.time_zone).timestamp()) * MICROSECONDS
    real = [meter for meter in plant.meters if meter.id in recipes]
    if count is not None:
        real = [
            real[place] for place in dict.fromkeys(np.linspace(0, len(real) - 1, min(count, len(real))).astype(int))
        ]
    made = []
    for meter in real:
        shown = readings.display(recipes[meter.id], meters[meter.id], amounts[meter.id])
        at_us = start_us + shown.slots.astype(np.int64) * QUARTER_US
        made.append(Play(meter, at_us, shown.shown.astype(np.int64), shown.digits))
    return made


async def _serve(folder: Path, plant: Plant, request: Request, on_ready: Callable[[Sequence[Address]], None]) -> None:
    feed = Feed(plays(plant, request.meters), request.start, request.speed)
    broker = SimulatedBroker()
    ends: list[Callable[[], Awaitable[None]]] = []
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
    if request.seconds is not None:
        loop.call_later(request.seconds, stop.set)
    try:
        shares = {name: feed.plays[place :: len(request.protocols)] for place, name in enumerate(request.protocols)}
        place = request.broker
        if place is None and {"mqtt", "sparkplug"} & set(shares):
            await broker.open()
            place = f"127.0.0.1:{broker.port}"
        addresses: dict[str, str] = {}
        for name, share in shares.items():
            addresses[name], end = await _open(name, feed, share, place, folder)
            ends.append(end)
        write_bytes_whole(folder / FILE, wiring_text(addresses, shares, request.speed).encode())
        on_ready([Address(name, addresses[name], len(shares[name])) for name in shares])
        while not stop.is_set() and not feed.is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.2)
    finally:
        for end in ends:
            await end()
        await broker.close()


async def _open(
    name: str, feed: Feed, share: Sequence[Play], broker: str | None, folder: Path
) -> tuple[str, Callable[[], Awaitable[None]]]:
    """Open one server or publisher; return its address and how to end it."""
    if name == "modbus":
        port = free_port()
        return f"127.0.0.1:{port}", await simulated.serve_modbus(feed, share, port)
    if name == "opcua":
        port = free_port()
        return f"opc.tcp://127.0.0.1:{port}/zerofactory", await simulated.serve_opc_ua(feed, share, port)
    if name == "dlt645":
        port = free_port()
        zone_name = read_plant((folder / PLANT_FILE).read_text(encoding="utf-8")).time_zone
        return f"127.0.0.1:{port}", await serve_dlt645(feed, share, port, zone_name)
    if name == "http":
        port, token = free_port(), secrets.token_urlsafe(24)
        write_bytes_whole(folder / TOKEN_FILE, token.encode())
        return f"127.0.0.1:{port}", await push_http(feed, share, port, token)
    host, _, port_text = str(broker).rpartition(":")
    publish = simulated.publish_mqtt if name == "mqtt" else simulated.publish_sparkplug
    return str(broker), await publish(feed, share, (host, int(port_text)))


def wiring_text(addresses: Mapping[str, str], shares: Mapping[str, Sequence[Play]], speed: float) -> str:
    """Return the connections.toml that collects what is played."""
    poll = min(60.0, max(0.1, 900.0 / speed / 4.0))
    lines = [f"{MARK}: 模拟采集用, 每次运行重写。 For trying; written anew by every run.", "[collector]", "drain_seconds = 10.0", ""]  # fmt: skip
    heads = {
        "modbus": f'protocol = "modbus_tcp"\ndevice = "{simulated.TEMPLATE}"\npoll_seconds = {poll:.3f}',
        "opcua": 'protocol = "opc_ua"\noptions = { publish_milliseconds = 100, queue_size = 1000 }',
        "mqtt": 'protocol = "mqtt_json"\noptions = { topic = "plant/#" }',
        "sparkplug": 'protocol = "sparkplug"',
        "dlt645": f'protocol = "dlt645"\ndevice = "{BUS_TEMPLATE}"\npoll_seconds = {poll:.3f}',
        "http": f'protocol = "http_push"\noptions = {{ token_file = "{TOKEN_FILE}" }}',
    }
    for name, share in shares.items():
        lines += ["[[connections]]", f'id = "simulated-{name}"', heads[name], f'address = "{addresses[name]}"']
        lines += ['values = "interval"', 'clock = "device"', "replay = true", ""]
        for number, play in enumerate(share, start=1):
            lines += ["[[connections.meters]]", f'meter = "{play.meter.id}"', *_where(name, number, play), ""]
    return "\n".join(lines)


def _where(name: str, number: int, play: Play) -> list[str]:
    if name == "modbus":
        return [f'station = "{number}"', 'point = "reading"']
    if name == "dlt645":
        return [f'station = "{number:012d}"', 'point = "reading"']
    if name == "http":
        return [f'point = "{play.meter.id}"']
    if name == "opcua":
        return [f'point = "ns=2;s={play.meter.id}"']
    if name == "mqtt":
        return [f'station = "plant/{play.meter.id}"']
    return [f'station = "{simulated.SPARKPLUG_GROUP}/{simulated.SPARKPLUG_EDGE}"', f'point = "{play.meter.id}"']


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _plant(folder: Path, request: Request) -> Plant:
    problems = []
    if not 1.0 <= request.speed <= FASTEST:
        problems.append(_fault("speed", f"--speed 应在 1 到 {FASTEST:g} 之间。", f"--speed should be from 1 to {FASTEST:g}."))  # fmt: skip
    unknown = [name for name in request.protocols if name not in PROTOCOLS]
    if unknown or not request.protocols:
        raise NotFound(Text("协议", "protocol"), ", ".join(unknown), PROTOCOLS)
    own = folder / PLANT_FILE
    if not own.is_file():
        problems.append(_fault("no_plant", f"{folder} 里没有 {PLANT_FILE}。", f"There is no {PLANT_FILE} in {folder}."))
    wiring = folder / FILE
    if wiring.is_file() and not wiring.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        problems.append(_fault("own_wiring", f"{FILE} 是您自己写的, 不会覆盖。", f"{FILE} is your own; it is not overwritten."))  # fmt: skip
    libraries = {"modbus": "pymodbus", "opcua": "asyncua", "mqtt": "paho", "sparkplug": "paho"}
    wanted = dict.fromkeys(libraries[name] for name in request.protocols if name in libraries)
    problems += [missing_library(name) for name in wanted if find_spec(name) is None]
    if problems:
        raise FaultyData(problems)
    plant = read_plant(own.read_text(encoding="utf-8"))
    if {meter.id for meter in read_plant(series.plant_text()).meters} - {meter.id for meter in plant.meters}:
        raise FaultyData(
            [_fault("other_plant", "该工作区不是参考工厂。", "This workspace is not the reference plant.")]
        )
    return plant


def start_of(day: datetime, plant_zone: str = "Asia/Shanghai") -> datetime:
    """Return the instant a quarter of an hour before a day begins on the plant's clock: its first reading is then shown."""
    return local_midnight(day.date(), plant_zone).astimezone(UTC) - timedelta(minutes=15)


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text(
        "请先运行 zf init 目录 --example car-plant, 再 zf simulate -w 目录。",
        "Run zf init DIR --example car-plant first, then zf simulate -w DIR.",
    )
    return Problem(f"simulate.{code}", Text(zh, en), hint)
