"""The twin of the line as the shells tell it: what it is, its edition, and its stations, buffers and results as ports."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files

from zerofactory import __version__
from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.twin.line import CARRIERS, TITLES, Buffer, Line, Station
from zerofactory.reporting.shells.facts import Port, Simulation, Variable
from zerofactory.runs.context import Context
from zerofactory.runs.twin_file import FITTED, NAME, Twin, read

SUMMARY = Text(
    "产线的离散事件孪生: 逐件、逐机模拟节拍、缓存、故障、返修、班次与各状态的用能; 命令 zf twin run。",
    "Discrete-event twin of the line: piece by piece, machine by machine, with cycles, buffers, failures, rework, shifts and energy by state; command zf twin run.",
)
MISSING = "twin_file.missing"


def twin_of(context: Context) -> Twin | None:
    """Return the twin of a workspace, None where it has none; raise `FaultyData` with the faults of its file."""
    try:
        return read(context)
    except FaultyData as fault:
        if [problem.code for problem in fault.problems] == [MISSING]:
            return None
        raise


def of_line(context: Context, twin: Twin) -> Simulation:
    """Return the whole twin as a simulation model."""
    ports = [_results(twin.line), *(port(one) for one in twin.line.stations), *(_buffer(one) for one in twin.line.buffers)]  # fmt: skip
    return _model(context, twin, SUMMARY, tuple(ports))


def of_part(context: Context, twin: Twin, title: Text, stations: tuple[Station, ...]) -> Simulation:
    """Return one station of the twin, or those of a line, with their parameters."""
    summary = Text(f"产线孪生中的“{title.zh}”及其参数。", f"'{title.en}' in the twin of the line, and its parameters.")
    return _model(context, twin, summary, tuple(port(one) for one in stations))


def _model(context: Context, twin: Twin, summary: Text, ports: tuple[Port, ...]) -> Simulation:
    folder = context.workspace.folder
    path, fitted = folder / NAME, folder / FITTED
    packaged = files("zerofactory.reference_plant").joinpath(NAME)
    content = path.read_bytes() if path.is_file() else packaged.read_bytes()
    digest = sha256(content + (fitted.read_bytes() if fitted.is_file() else b"")).hexdigest()[:12]
    told = Text("功率为设定值。", "Powers as decided.")
    if fitted.is_file():
        told = Text("功率拟合自表计读数(zf twin calibrate)。", "Powers fitted to readings (zf twin calibrate).")
    return Simulation(summary, __version__, digest, NAME, content, twin.status, ports, told)


def port(station: Station) -> Port:
    """Return the parameters of a station."""
    return Port(station.id, station.title, tuple(_parameters(station)))


def _parameters(one: Station) -> Iterator[Variable]:
    def said(name: str, zh: str, en: str, unit: str, value: float) -> Variable:
        return Variable(name, Text(zh, en), unit, "parameter", "Real", f"{value:g}")

    yield Variable("machines", Text("并行机器数", "machines side by side"), "1", "parameter", "Integer", str(one.machines))  # fmt: skip
    yield said("cycle", "平均节拍", "mean cycle", "s", one.cycle.average_s)
    if one.setup_s:
        yield said("setup", "换型", "set-up", "s", one.setup_s)
    if one.warm_up_s:
        yield said("warm-up", "预热", "warm-up", "s", one.warm_up_s)
    if one.failure is not None:
        yield said("between-failures", "平均无故障工作时间", "mean working time between failures", "s", one.failure.between.average_s)  # fmt: skip
        yield said("repair", "平均修复时间", "mean repair", "s", one.failure.repair.average_s)
    if one.rework_fraction:
        yield said("rework-fraction", "返修比例", "share reworked", "1", one.rework_fraction)
    if one.scrap_fraction:
        yield said("scrap-fraction", "报废比例", "share scrapped", "1", one.scrap_fraction)
    for carrier, draw in one.draws.items():
        for state, power in draw.power.items():
            title = TITLES[state]
            yield said(f"{carrier}-{state}", f"{title.zh}时的取用", f"taken when {title.en}", CARRIERS.get(carrier, "1"), power)  # fmt: skip


def _buffer(one: Buffer) -> Port:
    held = Variable("level", Text("存量", "level"), "1", "output", "Integer")
    room = Variable("capacity", Text("容量", "capacity"), "1", "parameter", "Integer", str(one.capacity))
    return Port(f"buffer.{one.id}", one.title or Text(f"缓存 {one.id}", f"buffer {one.id}"), (room, held))


def _results(line: Line) -> Port:
    carriers = dict.fromkeys(carrier for one in line.stations for carrier in one.draws)
    made = [
        Variable("shifts", Text("班次", "shifts"), "1", "input", "String"),
        Variable("mix", Text("车型顺序", "order of families"), "1", "input", "String", ",".join(line.mix)),
        Variable("output", Text("产出件数", "finished pieces"), "1", "output", "Integer"),
        *(
            Variable(f"{carrier}-total", Text("取用量", "amount taken"), _amount(carrier), "output")
            for carrier in carriers
        ),
    ]
    return Port("line", Text("整线", "the whole line"), tuple(made))


def _amount(carrier: str) -> str:
    return {"kW": "kWh"}.get(rate := CARRIERS.get(carrier, "1"), rate.removesuffix("/h"))
