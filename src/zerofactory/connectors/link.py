"""What a protocol offers: a link that is opened, read, acknowledged and closed; and what it is given.

    open ─► read ─► (gate, spool, fsync) ─► acknowledge ─► read …        any fault ─► close ─► wait ─► open

`acknowledge` is called only when everything the last `read` returned is on disk, so a broker, a pushing device or a file is
told "received" no earlier. A protocol lives in ``protocols/<name>.py`` and offers ``PROTOCOL``.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeGuard

from zerofactory import units
from zerofactory.connectors.device import DeviceTemplate, Point, Write
from zerofactory.connectors.sample import Arrival
from zerofactory.errors import NotFound, Problem, Text, ZeroFactoryError
from zerofactory.site.model import Meter, Plant
from zerofactory.site.state_signal import StateSignal, code_of

Values = Literal["instant", "interval"]


NOTHING = Text("", "")
CODE_UNIT = "1"


class LinkFault(ZeroFactoryError):
    """A device, gateway or broker cannot be reached or answers wrongly; carries the problem to show.

    ``stands``: the device is there and says no, the connection stands.
    """

    def __init__(self, code: str, message: Text, hint: Text, *, stands: bool = False) -> None:
        self.stands = stands
        self.problem = Problem(f"connectors.{code}", message, hint, severity="warning")
        super().__init__(message.en)


@dataclass(frozen=True, slots=True)
class Tap:
    """One meter or state signal on a connection: where its value is found there.

    ``station`` is the unit id, bus address, topic or edge node; ``point`` the register, node id, key or metric.
    ``ratio`` turns a value from the device's unit into the meter's own.
    """

    meter: Meter | StateSignal
    station: str
    point: str
    ratio: float = 1.0

    def value(self, raw: float) -> float:
        """Return a device's value in the meter's own unit (left as it is, to the bit, where the units agree)."""
        return raw if self.ratio == 1.0 else raw * self.ratio

    def knows(self, code: float) -> bool:
        """Whether this is a state signal that has a code."""
        return isinstance(self.meter, StateSignal) and code in self.meter.meaning

    def code(self, given: object) -> float | None:
        """Return the code of a word, a flag or a number; None where this is no state signal (NaN: it names no code)."""
        return code_of(self.meter, given) if isinstance(self.meter, StateSignal) else None


@dataclass(frozen=True, slots=True)
class Connection:
    """One entry of connections.toml, checked.

    ``values``: `instant` – what the display showed at its time; `interval` – the amount or mean of the interval that starts
    at its time. ``clock``: whose time counts. ``replay``: times of the past are meant, skew is not checked.
    """

    id: str
    protocol: str
    address: str
    taps: tuple[Tap, ...] = ()
    device: DeviceTemplate | None = None
    poll_seconds: float = 10.0
    timeout_seconds: float = 5.0
    values: Values = "instant"
    clock: Literal["collector", "device"] = "collector"
    replay: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def host_port(self, default_port: int) -> tuple[str, int]:
        """Return host and port of the address (``host``, ``host:port`` or ``scheme://host:port/…``)."""
        rest = self.address.partition("://")[2] or self.address
        host, _, port = rest.partition("/")[0].rpartition(":") if ":" in rest else (rest.partition("/")[0], "", "")
        return host, int(port) if port else default_port


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a link may use of the world: the plant, the workspace folder, a place to tell events, a clock (µs)."""

    plant: Plant
    folder: Path
    tell: Callable[[Problem], None]
    now_us: Callable[[], int]
    queue_rows: int


class Link(Protocol):
    """One open or closed connection."""

    async def open(self) -> None:
        """Connect; raise `LinkFault` when that fails."""

    async def read(self) -> Sequence[Arrival]:
        """Return what came in: a poll of all points, or what was pushed since (waits a while; may be empty)."""

    async def acknowledge(self) -> None:
        """Tell the other side that everything the last `read` returned is kept."""

    async def close(self) -> None:
        """Disconnect; never raises."""


class Door(Protocol):
    """One way in: what may be written to a device, and read again. Only `connectors.driven` writes through it."""

    async def open(self) -> None:
        """Connect; raise `LinkFault` when that fails."""

    async def put(self, station: str, write: Write, value: float) -> None:
        """Write a value in the write's unit; raise `LinkFault` when the device refuses or is gone."""

    async def get(self, station: str, spot: Write | Point) -> float:
        """Return what the device shows, in the unit of the write or point; NaN when it shows nothing."""

    async def close(self) -> None:
        """Disconnect; never raises."""


@dataclass(frozen=True, slots=True)
class ProtocolKind:
    """One protocol: its id, titles, defaults and how a link is made.

    ``polled``: asked every ``poll_seconds``; otherwise the other side sends. ``options``: the keys its connections may
    have under ``options``, with the type of each. ``needs``: which of station, point, device a meter must be given.
    ``library``: the package it needs from the extra ``connect``. ``door``: how devices are written to, where they are.
    """

    id: str
    title: Text
    reference: str
    make: Callable[[Connection, Surroundings], Link]
    polled: bool
    values: Values
    options: Mapping[str, type] = field(default_factory=dict)
    needs: tuple[str, ...] = ("point",)
    library: str | None = None
    yields: Text = NOTHING
    door: Callable[[Connection, Surroundings], Door] | None = None


def ratio_of(given_unit: str | None, meter: Meter | StateSignal) -> float:
    """Return the number that turns a value in one unit into the meter's own; 1 when no unit is named. Codes have none.

    Raises
    ------
    NotFound, WrongDimension
        The unit is unknown or cannot become the meter's.
    """
    if isinstance(meter, StateSignal):
        if given_unit not in (None, CODE_UNIT):
            raise NotFound(Text("状态代码的单位", "unit of codes of states"), str(given_unit), (CODE_UNIT,))
        return 1.0
    if given_unit is None or given_unit == meter.unit:
        return 1.0
    return units.ratio(given_unit, meter.unit)


def hush(*libraries: str) -> None:
    """Let libraries log nothing: what matters is told as events, in the user's language."""
    for name in libraries:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value from outside is a finite number (no text, no flag)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
