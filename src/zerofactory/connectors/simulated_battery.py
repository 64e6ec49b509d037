"""A battery inverter that exists only for trying and testing: a Modbus TCP server with a watchdog of its own.

Its registers are those of ``devices/simulated-battery.yaml``: a power setpoint, a heartbeat, the state of charge. When the
heartbeat does not change for the template's time limit, it goes to the safe value by itself, as a real inverter would.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from zerofactory.connectors.collect import ended
from zerofactory.connectors.device import decode_write, encode, encode_write, templates
from zerofactory.connectors.link import hush

TEMPLATE = "simulated-battery"
WRITE_MANY, WRITE_ONE = 16, 6


class SimulatedBattery:
    """One inverter on loopback.

    Attributes
    ----------
    power_kw : the setpoint it follows now. ``written``: every setpoint it was told, in order.
    tripped : its watchdog had to act. ``refuses``: it answers every write with an exception.
    stuck_kw : it shows this power whatever it is told.
    """

    def __init__(self, charge_fraction: float = 0.5) -> None:
        self._template = templates()[TEMPLATE]
        self._write = self._template.writes[0]
        self.charge_fraction = charge_fraction
        self.power_kw, self.written, self.tripped = self._write.safe_value, list[float](), False
        self.refuses = False
        self.stuck_kw: float | None = None
        self.beats = 0
        self._beat_at = 0.0
        self._server: Any = None
        self._watching: asyncio.Task[None] | None = None

    async def open(self, port: int) -> None:
        """Listen on loopback and watch over the heartbeat."""
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        hush("pymodbus.logging")
        block = SimData(0, values=[0] * 16, datatype=DataType.REGISTERS)
        self._server = ModbusTcpServer(
            [SimDevice(1, simdata=[block], action=self._answer)], address=("127.0.0.1", port)
        )
        await self._server.serve_forever(background=True)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def cut(self) -> None:
        """Lose the network: nothing is answered any more, the watchdog goes on."""
        if self._server is not None:
            await self._server.shutdown()
            self._server = None

    async def close(self) -> None:
        """Go out of the world."""
        await self.cut()
        if self._watching is not None:
            await ended([self._watching])
            self._watching = None

    async def _answer(self, code: int, start: int, address: int, _count: int, registers: list[int], values: Any) -> Any:
        from pymodbus.constants import ExcCodes

        beat, write = self._template.heartbeat, self._write
        assert beat is not None  # noqa: S101  (the packaged template has one)
        if code in (WRITE_MANY, WRITE_ONE) and values:
            if self.refuses:
                return ExcCodes.ILLEGAL_VALUE
            if address == beat.address:
                self.beats, self._beat_at = self.beats + 1, time.monotonic()
            if address == write.address:
                self.power_kw = decode_write(write, list(values))
                self.written.append(self.power_kw)
                self._beat_at, self.tripped = time.monotonic(), False
            return None
        shown = self.power_kw if self.stuck_kw is None else self.stuck_kw
        registers[write.address - start : write.address - start + 2] = encode_write(write, shown)
        charge = self._template.point("state_of_charge")
        registers[charge.address - start] = encode(charge, self.charge_fraction)[0]
        return None

    async def _watch(self) -> None:
        beat = self._template.heartbeat
        assert beat is not None  # noqa: S101  (the packaged template has one)
        while True:
            if time.monotonic() - self._beat_at > beat.timeout_seconds and self.power_kw != self._write.safe_value:
                self.power_kw, self.tripped = self._write.safe_value, True
            await asyncio.sleep(beat.timeout_seconds / 20.0)
