"""connections.toml → checked connections, with every fault located. What connects what is data.

[collector]                      optional: bounds and waits, see collect.toml
[[connections]]
id = "paint-modbus"
protocol = "modbus_tcp"
address = "192.168.10.20:502"
device = "eastron-sdm630"
[[connections.meters]]
meter = "E-PT"
station = "1"
point = "energy_import"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory import units
from zerofactory.connectors.device import DeviceTemplate, template, templates
from zerofactory.connectors.link import Connection, ProtocolKind, Tap, ratio_of
from zerofactory.discover import discover
from zerofactory.errors import FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.notation import text_of, toml_of
from zerofactory.site.model import Meter, Plant
from zerofactory.site.state_signal import StateSignal
from zerofactory.wording import reason

FILE = "connections.toml"


@dataclass(frozen=True, slots=True)
class CollectorRules:
    """Bounds and waits of collecting; meaning and source in `collect.toml`."""

    spool_max_bytes: int
    spool_segment_bytes: int
    drain_seconds: float
    status_seconds: float
    latest_seconds: float
    queue_rows: int
    retry_first_seconds: float
    retry_longest_seconds: float
    skew_warn_seconds: float
    skew_refuse_seconds: float
    boundary_tolerance_seconds: float
    gauge_coverage_fraction: float
    state_repeat_seconds: float
    refused_max_bytes: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything connections.toml says."""

    connections: tuple[Connection, ...]
    rules: CollectorRules


@dataclass(frozen=True, slots=True)
class _Known:
    """What a file may name: real meters, state signals and device templates."""

    meters: Mapping[str, Meter | StateSignal]
    devices: Mapping[str, DeviceTemplate]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Tap(_Strict):
    meter: str
    station: str = ""
    point: str = ""
    unit: str | None = None


class _Connection(_Strict):
    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    protocol: str
    address: str = ""
    device: str | None = None
    poll_seconds: float = Field(default=10.0, gt=0, le=86_400)
    timeout_seconds: float = Field(default=5.0, gt=0, le=300)
    values: Literal["instant", "interval"] | None = None
    clock: Literal["collector", "device"] = "collector"
    replay: bool = False
    options: dict[str, Any] = {}
    meters: list[_Tap] = []


class _File(_Strict):
    collector: dict[str, float] = {}
    connections: list[dict[str, Any]] = []


@lru_cache(maxsize=1)
def protocols() -> dict[str, ProtocolKind]:
    """Return every protocol by id; entry-point group ``zerofactory.protocols`` adds those of other packages."""
    return discover("zerofactory.connectors.protocols", "PROTOCOL", "zerofactory.protocols")


@lru_cache(maxsize=1)
def default_rules() -> dict[str, Any]:
    """Return the packaged bounds and waits."""
    table = tomllib.loads((files("zerofactory.connectors") / "collect.toml").read_text(encoding="utf-8"))
    return {name: table[name] for name in CollectorRules.__dataclass_fields__}


def wiring(text: str, plant: Plant, folder: Path | None = None) -> tuple[Wiring | None, list[Problem]]:
    """Return what a connections.toml says, or None, and every fault found.

    Parameters
    ----------
    folder : Path, optional
        Workspace whose ``devices/*.yaml`` add to (or overrule) the packaged device templates.
    """
    try:
        raw = _File.model_validate(toml_of(text, FILE, "connectors.not_toml"))
    except FaultyData as fault:
        return None, list(fault.problems)
    except ValidationError as error:
        return None, [_form_fault(entry, "") for entry in error.errors(include_url=False)]
    problems: list[Problem] = []
    devices = known_devices(folder, problems)
    rules = _rules(raw.collector, problems)
    real = [meter for meter in plant.meters if meter.kind != "virtual"]
    taken: dict[str, Meter | StateSignal] = {meter.id: meter for meter in real}
    known = _Known(taken | {signal.id: signal for signal in plant.state_signals}, devices)
    connections = [_connection(entry, place, known, problems) for place, entry in enumerate(raw.connections)]
    made = [connection for connection in connections if connection is not None]
    problems += _across(made)
    if not raw.connections:
        problems.append(_fault("no_connections", "没有任何 [[connections]]。", "There is no [[connections]]."))
    if errors_of(problems) or rules is None:
        return None, problems
    return Wiring(tuple(made), rules), problems


def read_wiring(folder: Path, plant: Plant) -> Wiring:
    """Return the wiring of a workspace; raise `FaultyData` with every fault."""
    path = folder / FILE
    if not path.is_file():
        hint = Text(
            "请按 docs/how-to/collect.md 写一份, 或用 zf simulate 生成一份试用。",
            "Write one as docs/how-to/collect.md shows, or let zf simulate write one to try with.",
        )
        raise FaultyData(
            [Problem("connectors.no_wiring", Text(f"没有 {FILE}。", f"There is no {FILE}."), hint, file=FILE)]
        )
    found, problems = wiring(text_of(path.read_bytes(), FILE), plant, folder)
    if found is None:
        raise FaultyData(problems)
    return found


def _connection(raw: Mapping[str, Any], place: int, known: _Known, problems: list[Problem]) -> Connection | None:
    where = f"connections[{place}]"
    try:
        form = _Connection.model_validate(raw)
    except ValidationError as error:
        problems += [_form_fault(entry, where) for entry in error.errors(include_url=False)]
        return None
    kind = protocols().get(form.protocol)
    if kind is None:
        problems.append(_choice(where, "protocol", form.protocol, list(protocols())))
        return None
    device = known.devices.get(form.device) if form.device else None
    found = list(_connection_faults(form, kind, device, known.devices, where))
    taps = [_tap(entry, f"{where}.meters[{n}]", known, (kind, device), found) for n, entry in enumerate(form.meters)]
    values = form.values or kind.values
    for tap in taps:
        if tap is not None and _of_intervals(tap.meter) and values == "instant" and form.clock == "collector":
            found.append(_fault("interval_polled", f"“{tap.meter.id}”给的是时段量, 不能按瞬时读数采集。",
                                f"'{tap.meter.id}' gives amounts of intervals; it cannot be read as an instant.",
                                f"{where}.values", Text("请改为 values = \"interval\"。", "Set values = \"interval\".")))  # fmt: skip
    problems += found
    if errors_of(found):
        return None
    return Connection(
        id=form.id, protocol=form.protocol, address=form.address, taps=tuple(tap for tap in taps if tap is not None),
        device=device, poll_seconds=form.poll_seconds, timeout_seconds=form.timeout_seconds, values=values,
        clock=form.clock, replay=form.replay, options=form.options,
    )  # fmt: skip


def _connection_faults(
    form: _Connection,
    kind: ProtocolKind,
    device: DeviceTemplate | None,
    devices: Mapping[str, DeviceTemplate],
    where: str,
) -> Iterator[Problem]:
    if kind.library is not None and find_spec(kind.library) is None:
        yield missing_library(kind.library).at(column=f"{where}.protocol")
    if not form.address:
        yield _fault("no_address", "缺少 address。", "'address' is missing.", f"{where}.address")
    if "device" in kind.needs and form.device is None:
        yield _choice(where, "device", "", sorted(devices))
    elif form.device is not None and device is None:
        yield _choice(where, "device", form.device, sorted(devices))
    elif device is not None and device.protocol != kind.id:
        yield _fault("wrong_device", f"设备模板“{device.id}”属于 {device.protocol}。",
                     f"Device '{device.id}' speaks {device.protocol}.", f"{where}.device")  # fmt: skip
    elif device is not None and device.status == "placeholder" and device.maker != "zerofactory":
        yield _fault("placeholder", f"设备模板“{device.id}”未经核对: {device.note.zh or device.source}",
                     f"Device template '{device.id}' is unchecked: {device.note.en or device.source}",
                     f"{where}.device", severity="warning")  # fmt: skip
    for name, value in form.options.items():
        wanted = kind.options.get(name)
        if wanted is None:
            yield _choice(where, "options", name, sorted(kind.options))
        elif not isinstance(value, wanted):
            yield _fault("wrong_type", f"options.{name} 类型不对。", f"options.{name} has the wrong type.",
                         f"{where}.options.{name}")  # fmt: skip


def _tap(
    raw: _Tap, where: str, known: _Known, over: tuple[ProtocolKind, DeviceTemplate | None], problems: list[Problem]
) -> Tap | None:
    kind, device = over
    meter = known.meters.get(raw.meter)
    if meter is None:
        problems.append(_choice(where, "meter", raw.meter, list(known.meters)))
        return None
    missing = [name for name in ("station", "point") if name in kind.needs and not getattr(raw, name)]
    problems += [_fault("missing", f"缺少 {name}。", f"'{name}' is missing.", f"{where}.{name}") for name in missing]
    unit = raw.unit
    if device is not None and raw.point:
        try:
            named = device.point(raw.point).unit
            unit = unit or (None if named == "1" else named)
        except NotFound:
            problems.append(_choice(where, "point", raw.point, [point.id for point in device.points]))
            return None
    try:
        return Tap(meter, raw.station, raw.point, ratio_of(unit, meter))
    except (NotFound, units.WrongDimension) as fault:
        problems.append(fault.as_problem().at(file=FILE, column=f"{where}.unit"))
        return None


def _of_intervals(meter: Meter | StateSignal) -> bool:
    return isinstance(meter, Meter) and meter.kind == "interval"


def _across(connections: list[Connection]) -> Iterator[Problem]:
    """Yield what is wrong between connections: repeated ids, a meter that comes from two places."""
    seen: dict[str, str] = {}
    ids: set[str] = set()
    for connection in connections:
        if connection.id in ids:
            yield _fault("repeated_id", f"连接“{connection.id}”重复。", f"Connection '{connection.id}' is repeated.")
        ids.add(connection.id)
        for tap in connection.taps:
            if tap.meter.id in seen:
                yield _fault("meter_twice", f"“{tap.meter.id}”同时来自“{seen[tap.meter.id]}”和“{connection.id}”。",
                             f"'{tap.meter.id}' comes from both '{seen[tap.meter.id]}' and '{connection.id}'.",
                             hint=Text("每块表只保留一个来源。", "Keep one place for each meter."))  # fmt: skip
            seen.setdefault(tap.meter.id, connection.id)


def _rules(given: Mapping[str, float], problems: list[Problem]) -> CollectorRules | None:
    defaults = default_rules()
    problems += [_choice("collector", name, name, list(defaults)) for name in given if name not in defaults]
    problems += [
        _fault("not_positive", f"{name} 应为正数。", f"{name} should be positive.", f"collector.{name}")
        for name, value in given.items()
        if not value > 0
    ]
    if any(name not in defaults for name in given):
        return None
    merged = {name: type(value)(given.get(name, value)) for name, value in defaults.items()}
    return CollectorRules(**merged)


def bare_connection(
    raw: Mapping[str, Any], devices: Mapping[str, DeviceTemplate]
) -> tuple[Connection | None, list[Problem]]:
    """Return a connection without meters (one that is written to), or None, and every fault found."""
    problems: list[Problem] = []
    return _connection(raw, 0, _Known({}, devices), problems), problems


def known_devices(folder: Path | None, problems: list[Problem]) -> dict[str, DeviceTemplate]:
    """Return the packaged device templates and those of a workspace; faults are added to ``problems``."""
    found = dict(templates())
    for path in sorted((folder / "devices").glob("*.yaml")) if folder is not None else ():
        try:
            made, faults = template(text_of(path.read_bytes(), path.name), path.stem)
        except FaultyData as fault:
            made, faults = None, list(fault.problems)
        problems += [replace(one, file=f"devices/{path.name}") for one in faults]
        if made is not None:
            found[made.id] = made
    return found


def _form_fault(error: Any, where: str) -> Problem:
    path = ".".join([where, *(str(part) for part in error["loc"])]).strip(".")
    why = reason(error)
    return _fault("form", f"{path}: {why.zh}。", f"{path}: {why.en}.", path)


def missing_library(name: str) -> Problem:
    """Return the fault of a protocol whose library is not installed."""
    hint = Text('请运行 pip install "zerofactory[connect]"。', 'Run pip install "zerofactory[connect]".')
    return _fault("no_library", f"没有安装 {name}。", f"{name} is not installed.", hint=hint)


def _choice(where: str, key: str, given: str, choices: list[str]) -> Problem:
    listed = ", ".join(choices[:30]) + (" …" if len(choices) > 30 else "")
    return _fault("not_a_choice", f"{key} 没有“{given}”。", f"{key}: there is no '{given}'.", f"{where}.{key}",
                  Text(f"可选: {listed}。", f"Choose one of: {listed}."))  # fmt: skip


def _fault(
    code: str,
    zh: str,
    en: str,
    column: str | None = None,
    hint: Text | None = None,
    severity: Literal["error", "warning"] = "error",
) -> Problem:
    plain = Text("请对照 docs/how-to/collect.md 改正。", "Mend it as docs/how-to/collect.md describes.")
    return Problem(f"connectors.{code}", Text(zh, en), hint or plain, file=FILE, column=column, severity=severity)
