"""DL/T 645-2007 over a transparent TCP gateway: asks each meter on the bus for one data identifier after another.

    FE FE FE FE │ 68 │ A0…A5 │ 68 │ C │ L │ data (+33H each) │ CS │ 16        address and identifier low byte first

CS is the sum of all bytes from the first 68 modulo 256. Control 11H reads; 91H answers, B1H has more to come, D1H refuses.
Yields: value of the identifier in the meter's unit; instant of the poll, or of the meter's own clock where the connection says
``clock = "device"`` and the template names it (asked before and after the value); quality measured. DL/T 645-2007, clauses 5, 7.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime

from zerofactory.connectors.device import DeviceTemplate, Point, bcd, scaled
from zerofactory.connectors.link import Connection, LinkFault, ProtocolKind, Surroundings, Tap
from zerofactory.connectors.sample import MICROSECONDS, Arrival
from zerofactory.connectors.schedule import Schedule
from zerofactory.errors import Misuse, Text, ZeroFactoryError
from zerofactory.periods import zone

DEFAULT_PORT = 8899
READ, ANSWER, ANSWER_MORE, REFUSED = 0x11, 0x91, 0xB1, 0xD1
CLOCK_TRIES, CLOCK_MOVES_US = 3, 2_000_000
MAX_FRAME = 4 + 12 + 200
_SIGNED = {"0203"}  # identifiers (first two bytes) whose top bit is the sign: active power


class BadFrame(ZeroFactoryError):
    """The bytes are no frame of DL/T 645."""


class Dlt645Link:
    """One TCP connection to a gateway; its meters share the bus and are asked one at a time."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        if connection.device is None:
            raise Misuse("a DL/T 645 connection needs a device template")
        self._connection, self._around = connection, around
        self._device: DeviceTemplate = connection.device
        self._schedule = Schedule(connection.poll_seconds, connection.timeout_seconds)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Connect to the gateway."""
        host, port = self._connection.host_port(DEFAULT_PORT)
        try:
            self._streams = await asyncio.wait_for(
                asyncio.open_connection(host, port, limit=MAX_FRAME * 4), self._connection.timeout_seconds
            )
        except (OSError, TimeoutError) as error:
            raise self._fault("gateway_away", f"网关 {self._connection.address} 连不上: {error}",
                              f"Gateway {self._connection.address} cannot be reached: {error}") from error  # fmt: skip

    async def read(self) -> Sequence[Arrival]:
        """Return one poll of every meter that is due."""
        await self._schedule.wait_for_turn()
        found: list[Arrival] = []
        due = [tap for tap in self._connection.taps if self._schedule.is_due(tap.station)]
        for tap in due:
            try:
                found.append(await self._taken(tap))
            except (BadFrame, TimeoutError) as error:
                if self._schedule.failed(tap.station) == 1:
                    said = str(error) or "no answer"
                    self._around.tell(self._fault("dlt645", f"表 {tap.station}: {said}", f"Meter {tap.station}: {said}")
                                      .problem.at(file=f"{self._connection.id}/{tap.station}"))  # fmt: skip
                continue
            except OSError as error:
                raise self._fault("gateway_away", f"网关断开: {error}", f"The gateway hung up: {error}") from error
            self._schedule.answered(tap.station)
        return found

    async def acknowledge(self) -> None:
        """Nothing to tell: the meter keeps counting."""

    async def close(self) -> None:
        """Disconnect."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _taken(self, tap: Tap) -> Arrival:
        """Return the value with its instant: ours, or the meter's clock where it counts and stands still around the value."""
        name = self._device.clock
        if self._connection.clock != "device" or name is None:
            value = await self._ask(tap.station, self._device.point(tap.point))
            return Arrival(tap.meter.id, self._around.now_us(), tap.value(value))
        clock = self._device.point(name)
        for _ in range(CLOCK_TRIES):
            before = instant_of(await self._ask(tap.station, clock), self._around.plant.time_zone)
            value = await self._ask(tap.station, self._device.point(tap.point))
            after = instant_of(await self._ask(tap.station, clock), self._around.plant.time_zone)
            if 0 <= after - before <= CLOCK_MOVES_US:
                return Arrival(tap.meter.id, before, tap.value(value))
        raise BadFrame("the meter's clock jumps")

    async def _ask(self, station: str, point: Point) -> float:
        assert self._streams is not None  # noqa: S101  (for the type checker)
        reader, writer = self._streams
        await self._drop_leftovers(reader)
        writer.write(b"\xfe\xfe\xfe\xfe" + frame(station, READ, bytes.fromhex(str(point.identifier))[::-1]))
        await writer.drain()
        address, control, data = await asyncio.wait_for(receive(reader), self._connection.timeout_seconds)
        if address != station.zfill(12):
            raise BadFrame(f"answer of meter {address}")
        if control == REFUSED:
            raise BadFrame(f"refused, error {data.hex()}")
        return value_of(point, control, data)

    async def _drop_leftovers(self, reader: asyncio.StreamReader) -> None:
        """Throw away a late answer to an earlier question, so that it is not taken for the answer to this one."""
        if reader.at_eof():
            raise ConnectionResetError("end of stream")
        try:
            while await asyncio.wait_for(reader.read(4096), 0.001):
                pass
            raise ConnectionResetError("end of stream")
        except TimeoutError:
            return

    def _fault(self, code: str, zh: str, en: str) -> LinkFault:
        return LinkFault(
            code,
            Text(zh, en),
            Text("请检查网关、表地址和接线。", "Check the gateway, the meter's address and the wiring."),
        )


def frame(address: str, control: int, data: bytes) -> bytes:
    """Return one frame; ``address`` has up to twelve digits, ``data`` is as before 33H is added.

    Examples
    --------
    >>> frame("000102030425", 0x11, bytes.fromhex("00010000")[::-1]).hex(" ")
    '68 25 04 03 02 01 00 68 11 04 33 33 34 33 e1 16'
    """
    head = b"\x68" + bytes.fromhex(address.zfill(12))[::-1] + b"\x68" + bytes((control, len(data)))
    body = head + bytes((byte + 0x33) & 0xFF for byte in data)
    return body + bytes((sum(body) & 0xFF, 0x16))


async def receive(reader: asyncio.StreamReader) -> tuple[str, int, bytes]:
    """Return address, control and data of the next frame; raise `BadFrame`."""
    skipped = 0
    try:
        while (await reader.readexactly(1)) != b"\x68":
            skipped += 1
            if skipped > MAX_FRAME:
                raise BadFrame("no frame in the answer")
        head = b"\x68" + await reader.readexactly(9)
        rest = await reader.readexactly(head[9] + 2)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("end of stream") from error
    return unpacked(head + rest)


def unpacked(whole: bytes) -> tuple[str, int, bytes]:
    """Return address, control and data of a whole frame from its first 68; raise `BadFrame`.

    Examples
    --------
    >>> unpacked(bytes.fromhex("68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16"))
    ('000102030425', 145, b'\\x00\\x00\\x01\\x00B\\x06\\x12\\x00')
    """
    if len(whole) < 12 or whole[0] != 0x68 or whole[7] != 0x68 or whole[-1] != 0x16 or len(whole) != 12 + whole[9]:
        raise BadFrame("not a frame")
    if sum(whole[:-2]) & 0xFF != whole[-2]:
        raise BadFrame("wrong check sum")
    return whole[6:0:-1].hex(), whole[8], bytes((byte - 0x33) & 0xFF for byte in whole[10:-2])


def value_of(point: Point, control: int, data: bytes) -> float:
    """Return the value of an answer; raise `BadFrame` when it is not what was asked or no number."""
    identifier = str(point.identifier)
    if control not in (ANSWER, ANSWER_MORE) or data[:4][::-1].hex().upper() != identifier.upper():
        raise BadFrame("answer to another question")
    digits = bytearray(data[4 : 4 + point.bytes][::-1])
    if len(digits) != point.bytes:
        raise BadFrame("answer too short")
    if all(byte == 0xFF for byte in digits):
        return math.nan
    sign = 1.0
    if identifier[:4] in _SIGNED and digits[0] & 0x80:
        sign, digits[0] = -1.0, digits[0] & 0x7F
    try:
        return sign * scaled(bcd(bytes(digits)), point.scale)
    except ValueError as error:
        raise BadFrame("not decimal digits") from error


def instant_of(digits: float, time_zone: str) -> int:
    """Return µs since 1970 of a meter's date and time, YYMMDDWWhhmmss on the plant's clock; raise `BadFrame`.

    Examples
    --------
    >>> instant_of(25030301001500.0, "Asia/Shanghai") == round(datetime.fromisoformat("2025-03-03T00:15+08:00").timestamp()) * 10**6
    True
    """
    text = f"{int(digits):014d}" if math.isfinite(digits) else ""
    try:
        local = datetime.strptime(text[:6] + text[8:], "%y%m%d%H%M%S").replace(tzinfo=zone(time_zone))
    except ValueError as error:
        raise BadFrame("no date and time") from error
    return round(local.timestamp()) * MICROSECONDS


PROTOCOL = ProtocolKind(
    id="dlt645",
    title=Text("DL/T 645-2007(TCP 网关)", "DL/T 645-2007 (TCP gateway)"),
    reference="DL/T 645-2007, clauses 5 (data link layer) and 7 (application layer)",
    make=Dlt645Link,
    polled=True,
    values="instant",
    needs=("station", "point", "device"),
    yields=Text(
        "数据标识的值; 时刻为采集时刻, 或(clock = device)表内时钟",
        "value of the identifier; instant of the poll, or (clock = device) of the meter's clock",
    ),
)
