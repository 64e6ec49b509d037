"""Modbus TCP (or RTU frames through a TCP gateway): polls the registers that a device template names.

A station that does not answer is left out and asked again later, so one dead meter on a gateway does not silence the rest.
Yields: value of the point in the meter's unit; instant: the device's clock register with ``clock = "device"``, else the
collector's clock when the answer came; quality measured. MODBUS Application Protocol V1.1b3; Messaging on TCP/IP V1.0b.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zerofactory.connectors.device import DeviceTemplate, Point, Write, decode, decode_write, encode_write
from zerofactory.connectors.link import Connection, LinkFault, ProtocolKind, Surroundings, Tap, hush
from zerofactory.connectors.sample import MICROSECONDS, Arrival
from zerofactory.connectors.schedule import Schedule
from zerofactory.errors import Misuse, Text

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

DEFAULT_PORT = 502


@dataclass(frozen=True, slots=True)
class Span:
    """One request: a run of registers of one table."""

    table: str
    first: int
    count: int


class ModbusLink:
    """One TCP connection to a device or gateway."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        if connection.device is None:
            raise Misuse("a Modbus connection needs a device template")
        self._connection, self._around = connection, around
        self._device: DeviceTemplate = connection.device
        self._client: AsyncModbusTcpClient | None = None
        self._schedule = Schedule(connection.poll_seconds, connection.timeout_seconds)
        self._stations: dict[str, list[Tap]] = {}
        for tap in connection.taps:
            self._stations.setdefault(tap.station, []).append(tap)
        self._points = {station: _points(self._device, taps) for station, taps in self._stations.items()}
        self._probed: set[str] = set()

    async def open(self) -> None:
        """Connect; raise `LinkFault` when there is no answer."""
        self._client = await _connected(self._connection)

    async def read(self) -> Sequence[Arrival]:
        """Return one poll of every station that is due."""
        await self._schedule.wait_for_turn()
        found: list[Arrival] = []
        due = [station for station in self._stations if self._schedule.is_due(station)]
        answered = not due
        for station in due:
            try:
                found += await self._poll(station)
                self._schedule.answered(station)
                answered = True
            except LinkFault as fault:
                if self._client is None or not self._client.connected:
                    raise
                if self._schedule.failed(station) == 1:
                    self._around.tell(fault.problem.at(file=f"{self._connection.id}/{station}"))
        if not answered and len(due) == len(self._stations):
            raise LinkFault(
                "no_station",
                Text("没有一个站应答。", "No station answers."),
                Text("请检查网关、站号和接线。", "Check the gateway, the unit ids and the wiring."),
            )
        return found

    async def acknowledge(self) -> None:
        """Nothing to tell: the device keeps counting."""

    async def close(self) -> None:
        """Disconnect."""
        self._probed.clear()
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _poll(self, station: str) -> list[Arrival]:
        points = self._points[station]
        words: dict[str, dict[int, int]] = {"holding": {}, "input": {}}
        for span in spans(points, self._device.max_words):
            words[span.table].update(enumerate(await self._request(station, span), start=span.first))
        if station not in self._probed:
            self._check_probe(station, words)
            self._probed.add(station)
        at_us = None
        if self._device.clock is not None and self._connection.clock == "device":
            seconds = self._value(self._device.point(self._device.clock), words)
            at_us = round(seconds * MICROSECONDS) if math.isfinite(seconds) else None
        return [
            Arrival(tap.meter.id, at_us if at_us is not None else self._around.now_us(),
                    tap.value(self._value(self._device.point(tap.point), words)))
            for tap in self._stations[station]
        ]  # fmt: skip

    def _value(self, point: Point, words: dict[str, dict[int, int]], order: Any = None) -> float:
        exponent = 0.0
        if point.exponent is not None:
            exponent = self._value(self._device.point(point.exponent), words)
            if not math.isfinite(exponent) or abs(exponent) > 12:
                return math.nan
        taken = [words[point.table][point.address + place] for place in range(point.words)]
        return decode(point, taken, round(exponent), order)

    def _check_probe(self, station: str, words: dict[str, dict[int, int]]) -> None:
        """Raise `LinkFault` when a quantity known beforehand reads wrong: another device, or another word order."""
        probe = self._device.probe
        if probe is None:
            return
        point = self._device.point(probe.point)
        value = self._value(point, words)
        if probe.minimum <= value <= probe.maximum:
            return
        other = "little" if point.word_order == "big" else "big"
        swapped = self._value(point, words, other)
        fits = point.words > 1 and probe.minimum <= swapped <= probe.maximum
        hint = Text(
            f"字序反过来读得 {swapped:g}: 请把模板的 word_order 改为 {other}。"
            if fits
            else "请检查设备型号、站号和模板。",
            f"With the words the other way round it is {swapped:g}: set word_order to {other} in the template."
            if fits
            else "Check the device, the unit id and the template.",
        )
        raise LinkFault(
            "probe",
            Text(
                f"站 {station} 的“{point.title.zh}”读得 {value:g}, 应在 {probe.minimum:g}–{probe.maximum:g}。",
                f"Station {station}: {point.title.en} reads {value:g}, should be {probe.minimum:g}–{probe.maximum:g}.",
            ),
            hint,
        )

    async def _request(self, station: str, span: Span) -> list[int]:
        from pymodbus.exceptions import ModbusException

        client = self._client
        assert client is not None  # noqa: S101  (for the type checker)
        ask = client.read_input_registers if span.table == "input" else client.read_holding_registers
        try:
            answer = await ask(span.first, count=span.count, device_id=int(station))
        except (ModbusException, OSError, TimeoutError) as error:
            raise _no_answer(f"{self._connection.address} #{station}") from error
        if answer.isError():
            code = getattr(answer, "exception_code", "?")
            raise LinkFault(
                "modbus_exception",
                Text(
                    f"站 {station} 拒绝读 {span.table} {span.first}+{span.count}(异常码 {code})。",
                    f"Station {station} refuses {span.table} {span.first}+{span.count} (exception {code}).",
                ),
                Text("请核对模板的寄存器地址。", "Compare the template's addresses with the manual."),
            )
        if len(answer.registers) != span.count:
            raise LinkFault(
                "short_answer",
                Text(
                    f"站 {station} 只回了 {len(answer.registers)} 个寄存器。",
                    f"Station {station} answered {len(answer.registers)} registers only.",
                ),
                Text("请检查网关。", "Check the gateway."),
            )
        return list(answer.registers)


class ModbusDoor:
    """Writes holding registers (function 16) and reads them again."""

    def __init__(self, connection: Connection, _around: Surroundings) -> None:
        self._connection = connection
        self._client: AsyncModbusTcpClient | None = None

    async def open(self) -> None:
        """Connect; raise `LinkFault` when there is no answer."""
        self._client = await _connected(self._connection)

    async def put(self, station: str, write: Write, value: float) -> None:
        """Write the registers of a value."""
        words = encode_write(write, value)
        client = self._there()
        await self._ask(station, client.write_registers(write.address, words, device_id=int(station or 1)))

    async def get(self, station: str, spot: Write | Point) -> float:
        """Read the registers of a value."""
        client = self._there()
        point = spot if isinstance(spot, Point) else spot.as_point()
        read = client.read_input_registers if point.table == "input" else client.read_holding_registers
        answer = await self._ask(station, read(point.address, count=point.words, device_id=int(station or 1)))
        words = list(answer.registers)
        if len(words) != point.words:
            return math.nan
        return decode(point, words) if isinstance(spot, Point) else decode_write(spot, words)

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _there(self) -> AsyncModbusTcpClient:
        if self._client is None or not self._client.connected:
            raise _no_answer(self._connection.address)
        return self._client

    async def _ask(self, station: str, asking: Awaitable[Any]) -> Any:
        from pymodbus.exceptions import ModbusException

        try:
            answer = await asking
        except (ModbusException, OSError, TimeoutError) as error:
            raise _no_answer(f"{self._connection.address} #{station}") from error
        if answer.isError():
            raise _said_no(station, getattr(answer, "exception_code", "?"))
        return answer


async def _connected(connection: Connection) -> AsyncModbusTcpClient:
    from pymodbus import FramerType
    from pymodbus.client import AsyncModbusTcpClient

    hush("pymodbus.logging")
    host, port = connection.host_port(DEFAULT_PORT)
    framer = FramerType.RTU if connection.options.get("framer") == "rtu" else FramerType.SOCKET
    client = AsyncModbusTcpClient(
        host, port=port, framer=framer, timeout=connection.timeout_seconds, retries=0, reconnect_delay=0
    )
    if not await client.connect():
        raise _no_answer(connection.address)
    return client


def spans(points: Sequence[Point], max_words: int, gap: int = 8) -> list[Span]:
    """Return the requests that read some points: neighbours together, holes of at most ``gap`` words included.

    Examples
    --------
    >>> a, b = Point("a", Text("", ""), "kWh", "uint32", 10), Point("b", Text("", ""), "kWh", "uint32", 12)
    >>> spans((b, a), 120)
    [Span(table='holding', first=10, count=4)]
    """
    made: list[Span] = []
    for point in sorted(points, key=lambda one: (one.table, one.address)):
        end = point.address + point.words
        last = made[-1] if made else None
        if last is not None and last.table == point.table and point.address <= last.first + last.count + gap:
            count = max(last.count, end - last.first)
            if count <= max_words:
                made[-1] = Span(point.table, last.first, count)
                continue
        made.append(Span(point.table, point.address, point.words))
    return made


def _points(device: DeviceTemplate, taps: Sequence[Tap]) -> list[Point]:
    """Return every point a station needs: those asked for, their exponents, the clock and the probe."""
    names = [tap.point for tap in taps]
    names += [name for name in (device.clock, device.probe.point if device.probe else None) if name]
    names += [exponent for name in names if (exponent := device.point(name).exponent)]
    return [device.point(name) for name in dict.fromkeys(names)]


def _no_answer(address: str) -> LinkFault:
    return LinkFault(
        "no_answer",
        Text(f"{address} 没有应答。", f"{address} does not answer."),
        Text("请检查电源、网络、端口和站号。", "Check power, network, port and unit id."),
    )


def _said_no(station: str, code: object) -> LinkFault:
    return LinkFault(
        "modbus_exception",
        Text(f"站 {station} 拒绝写入或读回(异常码 {code})。", f"Station {station} refuses to be written or read (exception {code})."),
        Text("请检查设备是否处于远程模式、寄存器是否可写。", "Check that the device is in remote mode and the register can be written."),
        stands=True,
    )  # fmt: skip


PROTOCOL = ProtocolKind(
    id="modbus_tcp",
    title=Text("Modbus TCP(含 RTU 网关)", "Modbus TCP (also RTU gateways)"),
    reference="MODBUS Application Protocol Specification V1.1b3; MODBUS Messaging on TCP/IP Implementation Guide V1.0b",
    make=ModbusLink,
    library="pymodbus",
    polled=True,
    values="instant",
    options={"framer": str},
    needs=("station", "point", "device"),
    yields=Text("寄存器读数; 时刻取设备时钟或采集时刻", "register readings; instant of the device or of the poll"),
    door=ModbusDoor,
)
