"""Device templates: one YAML file a device says which registers hold what, in which unit, and from where that is known.

Word order: ``big`` sends the high word first (0x1234 0x5678 = 0x12345678), ``little`` the low word first. Bytes inside a
register are always high byte first, as Modbus says (MODBUS Application Protocol V1.1b3, clause 4.2). The value is
raw × scale, or raw × 10^exponent where a point names the register that holds its exponent (SunSpec).

What may be written to a device stands under ``writes:`` with its limits, its ramp and its safe value; what feeds the
device's own watchdog under ``heartbeat:``. Nothing is sent because a template says how: see `connectors.command_file`.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import yaml_of
from zerofactory.wording import complaint, place_of, reason

Kind = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bcd"]
Table = Literal["holding", "input"]
Order = Literal["big", "little"]
Speech = Literal["modbus_tcp", "dlt645", "opc_ua", "mqtt_json"]
Way = Literal["count", "repeat"]
_FORMATS = {
    "uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "uint64": ">Q", "int64": ">q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


@dataclass(frozen=True, slots=True)
class Point:
    """One quantity of a device.

    ``address`` counts from zero as on the wire (a manual's 40001 is 0). ``identifier`` is the data identifier of DL/T 645
    or the node id of OPC UA instead. ``exponent`` names the point that holds the power of ten. ``invalid`` are raw values that mean "no value".
    """

    id: str
    title: Text
    unit: str
    kind: Kind
    address: int = 0
    table: Table = "holding"
    scale: float = 1.0
    word_order: Order = "big"
    exponent: str | None = None
    identifier: str | None = None
    bytes: int = 0
    invalid: tuple[int, ...] = ()

    @property
    def words(self) -> int:
        """How many 16-bit registers the point takes."""
        return self.bytes // 2 if self.kind == "bcd" else struct.calcsize(_FORMATS[self.kind]) // 2


@dataclass(frozen=True, slots=True)
class Probe:
    """A point whose value is known to lie in a range (mains frequency): read once after connecting."""

    point: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Example:
    """A worked frame: raw registers (or bytes) in hex and the value they mean."""

    point: str
    raw: str
    value: float
    exponent: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """One quantity that a device may be told, in ``unit``.

    Parameters
    ----------
    kind, address, word_order : where a Modbus device takes it (holding register) and in which form.
    node, topic, key : where an OPC UA server or an MQTT device takes it; commands.toml may name another place.
    scale, sign : raw = sign × value / scale. ``sign`` is -1 where the device counts the other way.
    minimum, maximum : what may be sent at all.
    ramp_per_minute : how far it may move in a minute.
    safe_value : what is sent when the plan ends, fails or is withdrawn.
    read_back : where it is read again after writing; the same place when left out. MQTT needs one.
    tolerance : how far what is read may lie from what was sent (beside half a digit of the register).
    settle_seconds : how long the device may take until it shows what was sent.
    """

    id: str
    title: Text
    unit: str
    minimum: float
    maximum: float
    ramp_per_minute: float
    safe_value: float
    kind: Kind = "float32"
    address: int = 0
    scale: float = 1.0
    sign: Literal[1, -1] = 1
    word_order: Order = "big"
    node: str | None = None
    topic: str | None = None
    key: str = "value"
    read_back: str | int | None = None
    tolerance: float = 0.0
    settle_seconds: float = 2.0

    @property
    def digit(self) -> float:
        """The smallest step of the value: nothing for a float."""
        return 0.0 if self.kind.startswith("float") else self.scale

    def as_point(self, table: Table = "holding") -> Point:
        """Return the same place as something that is read."""
        address = self.read_back if isinstance(self.read_back, int) else self.address
        return Point(self.id, self.title, self.unit, self.kind, address, table, self.scale, self.word_order)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What tells the device that we live; it takes its own safe state when nothing came for ``timeout_seconds``.

    ``way``: `count` – a number that grows is written to ``write``'s place; `repeat` – the setpoints themselves are written again.
    """

    every_seconds: float
    timeout_seconds: float
    way: Way = "count"
    kind: Kind = "uint16"
    address: int = 0
    node: str | None = None
    topic: str | None = None
    modulus: int = 32768

    def as_write(self) -> Write:
        """Return the place of the number as something that is written."""
        return Write(
            "heartbeat", Text("心跳", "heartbeat"), "1", 0.0, float(self.modulus), math.inf, 0.0, kind=self.kind,
            address=self.address, node=self.node, topic=self.topic,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceTemplate:
    """One kind of device. ``status``: verified (the maker's document was read), secondary (from another's code or page),
    placeholder (from memory or for the simulator; check before use)."""

    id: str
    maker: str
    model: str
    title: Text
    protocol: Speech
    status: Literal["verified", "secondary", "placeholder"]
    source: str
    note: Text
    points: tuple[Point, ...]
    examples: tuple[Example, ...]
    probe: Probe | None = None
    clock: str | None = None
    max_words: int = 120
    writes: tuple[Write, ...] = ()
    heartbeat: Heartbeat | None = None

    def write(self, name: str) -> Write:
        """Return what may be written by id; raise `NotFound` with the choices."""
        for write in self.writes:
            if write.id == name:
                return write
        raise NotFound(Text("可写量", "write"), name, [write.id for write in self.writes])

    def point(self, name: str) -> Point:
        """Return a point by id; raise `NotFound` with the choices."""
        for point in self.points:
            if point.id == name:
                return point
        raise NotFound(Text("测点", "point"), name, [point.id for point in self.points])


class _Template(_Form):
    maker: str
    model: str
    title: Text
    protocol: Speech = "modbus_tcp"
    status: Literal["verified", "secondary", "placeholder"]
    source: str = Field(min_length=10)
    note: Text = Text("", "")
    table: Table = "holding"
    word_order: Order = "big"
    points: tuple[dict[str, Any], ...] = ()
    probe: Probe | None = None
    clock: str | None = None
    max_words: int = Field(default=120, ge=1, le=125)
    writes: tuple[dict[str, Any], ...] = ()
    heartbeat: Heartbeat | None = None
    examples: tuple[Example, ...] = Field(default=(), validate_default=True)

    @field_validator("examples")
    @classmethod
    def _shown(cls, given: tuple[Example, ...], info: ValidationInfo) -> tuple[Example, ...]:
        """Ask for a worked frame wherever something is read."""
        if not given and (info.data.get("points") or not info.data.get("writes")):
            raise complaint("no_example", "至少要有一个算例", "at least one worked example is needed")
        return given


class _Points(_Form):
    points: tuple[Point, ...]
    writes: tuple[Write, ...]


def template(text: str, name: str) -> tuple[DeviceTemplate | None, list[Problem]]:
    """Return the device template a YAML text describes, or None, and every fault found."""
    file = f"{name}.yaml"
    try:
        form = _Template.model_validate(yaml_of(text, file, "connectors.not_yaml"))
        common = {"table": form.table, "word_order": form.word_order}
        order = {"word_order": form.word_order}
        found = _Points.model_validate(
            {"points": [common | entry for entry in form.points], "writes": [order | entry for entry in form.writes]}
        )
    except FaultyData as fault:
        return None, list(fault.problems)
    except ValidationError as error:
        return None, [_form_fault(one, file) for one in error.errors(include_url=False)]
    fields = {
        key: getattr(form, key)
        for key in _Template.model_fields
        if key not in ("points", "writes", "table", "word_order")
    }
    made = DeviceTemplate(id=name, points=found.points, writes=found.writes, **fields)
    problems = list(_cross_faults(made, file))
    return (None if problems else made), problems


@lru_cache(maxsize=1)
def templates() -> dict[str, DeviceTemplate]:
    """Return the packaged device templates by id, sorted; raise `FaultyData` with every fault."""
    found: dict[str, DeviceTemplate] = {}
    problems: list[Problem] = []
    folder = files("zerofactory.connectors") / "devices"
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".yaml"):
            made, faults = template(entry.read_text(encoding="utf-8"), entry.name[:-5])
            problems += faults
            if made is not None:
                found[made.id] = made
    if problems:
        raise FaultyData(problems)
    return found


def decode(point: Point, words: tuple[int, ...] | list[int], exponent: int = 0, order: Order | None = None) -> float:
    """Return the value of a point's registers; NaN where the device says "no value".

    Examples
    --------
    >>> energy = Point("energy", Text("电量", "energy"), "kWh", "uint32", scale=0.01)
    >>> decode(energy, (0x0001, 0x86A0))
    1000.0
    """
    ordered = list(words) if (order or point.word_order) == "big" else list(reversed(words))
    raw = struct.pack(f">{len(ordered)}H", *ordered)
    if point.kind == "bcd":
        return scaled(bcd(raw), point.scale, exponent)
    number = struct.unpack(_FORMATS[point.kind], raw)[0]
    if int.from_bytes(raw, "big") in point.invalid:
        return math.nan
    return scaled(number, point.scale, exponent)


def encode(point: Point, value: float, exponent: int = 0) -> list[int]:
    """Return the registers that hold a value: what `decode` undoes (for simulated devices and tests)."""
    raw_value = value / (point.scale * 10.0**exponent)
    number = raw_value if point.kind.startswith("float") else round(raw_value)
    raw = struct.pack(_FORMATS[point.kind], number)
    words = list(struct.unpack(f">{len(raw) // 2}H", raw))
    return words if point.word_order == "big" else words[::-1]


def encode_write(write: Write, value: float) -> list[int]:
    """Return the registers that tell a device a value; raise ValueError when they cannot hold it.

    Examples
    --------
    >>> title = Text("有功功率", "active power")
    >>> encode_write(Write("p", title, "kW", -500, 500, 100, 0, kind="int16", scale=0.1, sign=-1), 12.5)
    [65411]
    """
    try:
        return encode(write.as_point(), write.sign * value)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value:g} does not fit {write.kind}") from error


def decode_write(write: Write, words: tuple[int, ...] | list[int]) -> float:
    """Return the value that the registers of a write hold: what `encode_write` undoes."""
    return write.sign * decode(write.as_point(), words) + 0.0  # never -0.0


def bcd(raw: bytes) -> int:
    """Return the whole number of packed decimal digits, high digit first; raise ValueError when one is no digit."""
    return int(raw.hex())


def scaled(number: float, scale: float, exponent: int = 0) -> float:
    """Return number × scale × 10^exponent, dividing by a whole power of ten where that is exact.

    Examples
    --------
    >>> scaled(1234567, 0.01), scaled(5, 1.0, 2), scaled(123, 1.0, -1)
    (12345.67, 500.0, 12.3)
    """
    down = round(1.0 / scale) if 0.0 < scale < 1.0 and math.isclose(1.0 / scale, round(1.0 / scale)) else 0
    value = number / down if down else number * scale
    return value / 10**-exponent if exponent < 0 else float(value * 10**exponent)


def _cross_faults(made: DeviceTemplate, file: str) -> list[Problem]:
    names = [point.id for point in made.points]
    problems = [
        _fault("repeated_point", f"测点“{name}”重复。", f"Point '{name}' is repeated.", file)
        for name in {name for name in names if names.count(name) > 1}
    ]
    wanted = [point.exponent for point in made.points if point.exponent] + [one.point for one in made.examples]
    wanted += [made.probe.point] if made.probe else []
    wanted += [made.clock] if made.clock else []
    problems += [
        _fault("no_point", f"没有测点“{name}”。", f"There is no point '{name}'.", file)
        for name in dict.fromkeys(wanted)
        if name not in names
    ]
    problems += _write_faults(made, file)
    for point in made.points:
        if (point.identifier is None) == (made.protocol in ("dlt645", "opc_ua")):
            problems.append(_fault("identifier", f"“{point.id}”: DL/T 645 与 OPC UA 测点需要标识(数据标识、节点号)。",
                                   f"'{point.id}': points of DL/T 645 and OPC UA, and only these, have an identifier.", file))  # fmt: skip
    return problems


def _write_faults(made: DeviceTemplate, file: str) -> list[Problem]:
    """Return what is wrong with what may be written: limits that contradict, registers that cannot hold them."""
    problems = []
    names = [write.id for write in made.writes]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(_fault("repeated_point", f"可写量“{name}”重复。", f"Write '{name}' is repeated.", file))
    if made.writes and made.protocol == "dlt645":
        problems.append(_fault("not_writable", "DL/T 645 设备不可写。", "DL/T 645 devices are not written to.", file))
    for write in made.writes:
        if (
            not write.minimum <= write.safe_value <= write.maximum
            or not write.ramp_per_minute > 0
            or not write.scale > 0
        ):
            problems.append(_fault(
                "write_limits", f"“{write.id}”: 须 minimum ≤ safe_value ≤ maximum, 斜率和 scale 为正。",
                f"'{write.id}': minimum ≤ safe_value ≤ maximum; ramp and scale above zero.", file,
            ))  # fmt: skip
        elif made.protocol == "modbus_tcp":
            problems += _unfit(write, file)
        elif (made.protocol == "opc_ua" and not write.node) or (
            made.protocol == "mqtt_json" and not (write.topic and write.read_back)
        ):
            problems.append(_fault(
                "no_place", f"“{write.id}”: OPC UA 需要 node, MQTT 需要 topic 和 read_back。",
                f"'{write.id}': OPC UA needs a node, MQTT a topic and a read_back.", file,
            ))  # fmt: skip
    beat = made.heartbeat
    if beat is not None and not 0 < 2 * beat.every_seconds <= beat.timeout_seconds:
        problems.append(_fault(
            "heartbeat", "心跳间隔须不超过设备看门狗时限的一半。",
            "The heartbeat must come at least twice within the device's timeout.", file,
        ))  # fmt: skip
    return problems


def _unfit(write: Write, file: str) -> list[Problem]:
    if write.kind != "bcd":
        try:
            for value in (write.minimum, write.maximum, write.safe_value):
                encode_write(write, value)
            return []
        except ValueError as error:
            zh, en = (
                f"“{write.id}”: {write.kind} 寄存器装不下限值。",
                f"'{write.id}': the register cannot hold its limits ({error}).",
            )
    else:
        zh, en = f"“{write.id}”: 不写 BCD。", f"'{write.id}': BCD is not written."
    return [_fault("write_limits", zh, en, file)]


def _form_fault(error: Any, file: str) -> Problem:
    why, place = reason(error), place_of(error)
    return _fault("template", f"{place}: {why.zh}。", f"{place}: {why.en}.", file, place)


def _fault(code: str, zh: str, en: str, file: str, column: str | None = None) -> Problem:
    hint = Text(
        "请对照 docs/how-to/collect.md 中的模板说明改正。", "Mend it as docs/how-to/collect.md describes templates."
    )
    return Problem(f"connectors.{code}", Text(zh, en), hint, file=file, column=column)
