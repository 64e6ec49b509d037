"""commands.toml → which asset may be commanded, where, and within which limits. What the file does not allow is not allowed.

allowed = true                   the plant as a whole; false when left out
[[assets]]
asset = "battery"                an asset of energy.toml
allowed = true                   this asset; false when left out
protocol = "modbus_tcp"
address = "192.168.10.30:502"
station = "1"
device = "generic-battery-inverter"
content = "state_of_charge"      the point that says how full the store is, if it is one
[[assets.channels]]
write = "active_power"           one of the device's writes
actions = { discharge_kw = 1.0, charge_kw = -1.0 }
minimum = -80.0                  limits, ramp_per_minute and safe_value may only be narrower than the template's
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory import units
from zerofactory.connectors.connection import bare_connection, known_devices, protocols
from zerofactory.connectors.device import DeviceTemplate, Heartbeat, Write, encode_write
from zerofactory.connectors.link import Connection
from zerofactory.errors import FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.notation import text_of, toml_of
from zerofactory.wording import reason

FILE = "commands.toml"
PLANT_NOT_ALLOWED, ASSET_NOT_ALLOWED, NO_WIRE = "plant_not_allowed", "asset_not_allowed", "no_wire"
FAULTY, CHANGED = "file_faulty", "file_changed"


@dataclass(frozen=True, slots=True)
class CommandRules:
    """Waits of commanding; meaning in `command.toml`."""

    valid_minutes: float
    beat_seconds: float
    retry_first_seconds: float
    retry_longest_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Channel:
    """One write of a device within this plant's limits, and the actions of the plan that it carries out.

    ``actions``: action → how much of the write's unit one unit of it is (below zero where it counts the other way).
    """

    write: Write
    actions: Mapping[str, float]

    def wish(self, setpoints: Mapping[str, float]) -> float | None:
        """Return what the plan wishes of this channel in the write's unit; None when it says nothing.

        Examples
        --------
        >>> write = Write("p", Text("", ""), "kW", -100, 100, 50, 0)
        >>> Channel(write, {"discharge_kw": 1.0, "charge_kw": -1.0}).wish({"charge_kw": 30.0, "discharge_kw": 0.0})
        -30.0
        """
        named = [(setpoints[action], factor) for action, factor in self.actions.items() if action in setpoints]
        if not named:
            return None
        if not all(math.isfinite(value) for value, _ in named):
            return math.nan
        return sum(value * factor for value, factor in named) + 0.0


@dataclass(frozen=True, slots=True)
class Wire:
    """One asset: the way to its device, what may be written there, and what its permission looked like when it was read."""

    asset: str
    allowed: bool
    connection: Connection
    station: str
    channels: tuple[Channel, ...]
    content: str | None
    entry: str

    @property
    def heartbeat(self) -> Heartbeat | None:
        """What feeds the watchdog of the device, if it has one."""
        return self.connection.device.heartbeat if self.connection.device is not None else None


@dataclass(frozen=True, slots=True)
class Permits:
    """Everything commands.toml says."""

    allowed: bool
    wires: Mapping[str, Wire]
    rules: CommandRules


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Channel(_Strict):
    write: str
    actions: dict[str, float] = Field(min_length=1)
    unit: str | None = None
    place: str | None = None
    read_back: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    ramp_per_minute: float | None = Field(default=None, gt=0)
    safe_value: float | None = None


class _Asset(_Strict):
    asset: str = Field(pattern=r"^[A-Za-z0-9.-][A-Za-z0-9_.-]{0,63}$")
    allowed: bool = False
    protocol: str
    address: str
    device: str
    station: str = "1"
    timeout_seconds: float = Field(default=3.0, gt=0, le=60)
    options: dict[str, Any] = {}
    content: str | None = None
    heartbeat_place: str | None = None
    channels: list[_Channel] = Field(min_length=1)


class _File(_Strict):
    allowed: bool = False
    valid_minutes: float | None = Field(default=None, gt=0, le=1440)
    beat_seconds: float | None = Field(default=None, gt=0, le=300)
    retry_first_seconds: float | None = Field(default=None, gt=0, le=300)
    retry_longest_seconds: float | None = Field(default=None, gt=0, le=3600)
    end_seconds: float | None = Field(default=None, gt=0, le=300)
    assets: list[dict[str, Any]] = []


@lru_cache(maxsize=1)
def default_rules() -> CommandRules:
    """Return the packaged waits."""
    table = tomllib.loads((files("zerofactory.connectors") / "command.toml").read_text(encoding="utf-8"))
    return CommandRules(**{name: float(table[name]) for name in CommandRules.__dataclass_fields__})


def permits(text: str, folder: Path | None = None) -> tuple[Permits | None, list[Problem]]:
    """Return what a commands.toml says, or None, and every fault found (warnings come with both)."""
    try:
        raw = _File.model_validate(toml_of(text, FILE, "connectors.not_toml"))
    except FaultyData as fault:
        return None, list(fault.problems)
    except ValidationError as error:
        return None, [_form_fault(entry, "") for entry in error.errors(include_url=False)]
    problems: list[Problem] = []
    devices = known_devices(folder, problems)
    wires = [_wire(entry, f"assets[{place}]", devices, problems) for place, entry in enumerate(raw.assets)]
    made = [wire for wire in wires if wire is not None]
    problems += _across(made)
    if errors_of(problems):
        return None, problems
    given = {name: getattr(raw, name) for name in CommandRules.__dataclass_fields__}
    rules = replace(default_rules(), **{name: value for name, value in given.items() if value is not None})
    return Permits(raw.allowed, {wire.asset: wire for wire in made}, rules), problems


def read_permits(folder: Path) -> tuple[Permits, list[Problem]]:
    """Return the permits of a workspace and what is to be warned of; without a file nothing is allowed.

    Raises
    ------
    FaultyData
        The file has faults.
    """
    found, problems = permits(_text(folder), folder)
    if found is None:
        raise FaultyData(problems)
    return found, problems


def refusal(folder: Path, asset: str, wire: Wire | None) -> str | None:
    """Return why an asset may not be commanded now, as the file stands at this moment; None when it may.

    The file is read anew each time, so that a permission withdrawn counts at once. Where anything but the permission was
    changed since we began, the asset is refused until we are started again.
    """
    try:
        raw = toml_of(_text(folder), FILE)
    except FaultyData:
        return FAULTY
    if raw.get("allowed") is not True:
        return PLANT_NOT_ALLOWED
    listed = raw.get("assets")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    own = [one for one in entries if one.get("asset") == asset]
    if not own:
        return NO_WIRE
    if len(own) > 1:
        return FAULTY
    if own[0].get("allowed") is not True:
        return ASSET_NOT_ALLOWED
    return None if wire is not None and wire.entry == _entry(own[0]) else CHANGED


def _text(folder: Path) -> str:
    try:
        return text_of((folder / FILE).read_bytes(), FILE)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FaultyData([_fault("unreadable", "读不了这个文件。", f"Cannot be read: {error}")]) from error


def _entry(raw: Mapping[str, Any]) -> str:
    return repr(sorted((name, repr(value)) for name, value in raw.items() if name != "allowed"))


def _wire(
    raw: Mapping[str, Any], where: str, devices: Mapping[str, DeviceTemplate], problems: list[Problem]
) -> Wire | None:
    try:
        form = _Asset.model_validate(raw)
    except ValidationError as error:
        problems += [_form_fault(entry, where) for entry in error.errors(include_url=False)]
        return None
    bare = {
        "id": f"command-{form.asset}"[:64], "protocol": form.protocol, "address": form.address, "device": form.device,
        "timeout_seconds": form.timeout_seconds, "options": form.options,
    }  # fmt: skip
    connection, found = bare_connection(bare, devices)
    problems += [one.at(file=FILE, column=(one.column or "").replace("connections[0]", where)) for one in found]
    if connection is None or connection.device is None:
        return None
    if protocols()[form.protocol].door is None:
        problems.append(_fault("no_door", f"{form.protocol} 不能写。", f"{form.protocol} cannot be written to.", where))
        return None
    if form.protocol == "modbus_tcp" and not (form.station.isdigit() and int(form.station) <= 255):
        problems.append(
            _fault("station", "站号须为 0–255。", "The station is a number from 0 to 255.", f"{where}.station")
        )
        return None
    device = connection.device
    if form.content is not None and form.content not in [point.id for point in device.points]:
        problems.append(_choice(f"{where}.content", form.content, [point.id for point in device.points]))
    if device.heartbeat is None:
        problems.append(_no_watchdog(form.asset, where))
    made = [_channel(one, f"{where}.channels[{n}]", device, problems) for n, one in enumerate(form.channels)]
    channels = tuple(one for one in made if one is not None)
    device = replace(device, writes=tuple(one.write for one in channels), heartbeat=_placed(device, form))
    return Wire(
        form.asset, form.allowed, replace(connection, device=device), form.station, channels, form.content, _entry(raw)
    )


def _placed(device: DeviceTemplate, form: _Asset) -> Heartbeat | None:
    if device.heartbeat is None or form.heartbeat_place is None:
        return device.heartbeat
    return replace(device.heartbeat, node=form.heartbeat_place, topic=form.heartbeat_place)


def _channel(form: _Channel, where: str, device: DeviceTemplate, problems: list[Problem]) -> Channel | None:
    """Return a write narrowed to the plant's limits."""
    try:
        write = device.write(form.write)
        ratio = units.ratio(form.unit, write.unit) if form.unit else 1.0
    except NotFound:
        problems.append(_choice(f"{where}.write", form.write, [one.id for one in device.writes]))
        return None
    except units.WrongDimension as fault:
        problems.append(fault.as_problem().at(file=FILE, column=f"{where}.unit"))
        return None
    if device.protocol == "modbus_tcp" and (form.place or form.read_back):
        problems.append(_fault("place", "Modbus 地址只在设备模板里改。", "Modbus addresses are changed in the template only.", where))  # fmt: skip
        return None
    given = {name: getattr(form, name) for name in ("minimum", "maximum", "ramp_per_minute", "safe_value")}
    narrow = replace(write, **{name: value for name, value in given.items() if value is not None})
    if form.place:
        narrow = replace(narrow, node=form.place, topic=form.place, read_back=form.read_back or (None if device.protocol == "opc_ua" else write.read_back))  # fmt: skip
    elif form.read_back:
        narrow = replace(narrow, read_back=form.read_back)
    wider = narrow.minimum < write.minimum or narrow.maximum > write.maximum
    wider = wider or narrow.ramp_per_minute > write.ramp_per_minute
    if wider or not narrow.minimum <= narrow.safe_value <= narrow.maximum:
        problems.append(_too_wide(write, where))
        return None
    if device.protocol == "modbus_tcp":
        encode_write(narrow, narrow.safe_value)
    return Channel(narrow, {name: factor * ratio for name, factor in form.actions.items()})


def _across(wires: list[Wire]) -> Iterator[Problem]:
    """Yield what is wrong between assets: repeated ones, one place that two would write to."""
    assets: set[str] = set()
    places: dict[object, str] = {}
    for wire in wires:
        if wire.asset in assets:
            yield _fault("repeated_id", f"设备“{wire.asset}”重复。", f"Asset '{wire.asset}' is repeated.")
        assets.add(wire.asset)
        for channel in wire.channels:
            write = channel.write
            spot = write.node or write.topic or write.address
            place = (wire.connection.protocol, wire.connection.address, wire.station, spot)
            if place in places:
                yield _fault("place_twice", f"“{wire.asset}”与“{places[place]}”写同一处({spot})。",
                             f"'{wire.asset}' and '{places[place]}' would write to the same place ({spot}).")  # fmt: skip
            places[place] = wire.asset


def _too_wide(write: Write, where: str) -> Problem:
    allowed = f"{write.minimum:g} … {write.maximum:g} {write.unit}, ≤ {write.ramp_per_minute:g} {write.unit}/min"
    return _fault(
        "wider_than_device", f"限值只能比模板更窄({allowed}), 安全值须在限值内。",
        f"Limits may only be narrower than the template's ({allowed}); the safe value lies within them.", where,
    )  # fmt: skip


def _no_watchdog(asset: str, where: str) -> Problem:
    message = Text(
        f"“{asset}”的设备模板没有心跳: 本机被强制结束时, 设备会停在最后的设定值。",
        f"The device of '{asset}' has no heartbeat: if we are killed it stays at its last setpoint.",
    )
    hint = Text("请在设备上配置通信超时, 并写进模板的 heartbeat。", "Give the device a time limit and write it as the template's heartbeat.")  # fmt: skip
    return Problem("connectors.no_watchdog", message, hint, file=FILE, column=where, severity="warning")


def _choice(where: str, given: str, choices: list[str]) -> Problem:
    listed = ", ".join(choices[:30])
    return _fault("not_a_choice", f"没有“{given}”; 可选: {listed}。", f"There is no '{given}'; choose one of: {listed}.", where)  # fmt: skip


def _form_fault(error: Any, where: str) -> Problem:
    path = ".".join([where, *(str(part) for part in error["loc"])]).strip(".")
    why = reason(error)
    return _fault("form", f"{path}: {why.zh}。", f"{path}: {why.en}.", path)


def _fault(code: str, zh: str, en: str, column: str | None = None) -> Problem:
    hint = Text("请对照 docs/how-to/commands.md 改正。", "Mend it as docs/how-to/commands.md describes.")
    return Problem(f"connectors.{code}", Text(zh, en), hint, file=FILE, column=column)
