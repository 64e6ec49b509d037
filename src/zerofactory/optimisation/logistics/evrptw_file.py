"""The text of a published instance of electric routing with windows (Schneider, Stenger & Goeke 2014, doi 10.1287/trsc.2013.0490).

Lines ``StringID Type x y demand ReadyTime DueDate ServiceTime`` (d depot, f station, c customer), then ``Q`` battery, ``C`` load,
``r`` energy per distance, ``g`` time per energy, ``v`` speed. No units: read km, kWh, minutes, kg.
"""

from __future__ import annotations

import re

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.logistics.route_problem import Place, Recharge, RouteProblem, Truck, in_the_plane

_CONSTANT = re.compile(r"^([QCrgv]) .*/([-+0-9.eE]+)/")
_MINUTES = 60.0


def read_instance(text: str, recharge: Recharge = "full", file: str | None = None) -> RouteProblem:
    """Return the problem of an instance; fewer vehicles come before less distance, as published.

    Raises
    ------
    FaultyData
        Lines that cannot be read, a constant or the depot missing: all of them.
    """
    places: dict[str, list[Place]] = {"d": [], "f": [], "c": []}
    constants: dict[str, float] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        constant = _CONSTANT.match(line)
        if constant:
            constants[constant.group(1)] = float(constant.group(2))
        elif line.strip() and number > 1:
            place = _place(line.split())
            if place is None:
                problems.append(_unreadable(line).at(file=file, row=number))
            else:
                places[place[0]].append(place[1])
    problems += [_missing(name).at(file=file) for name in "QCrgv" if name not in constants]
    if len(places["d"]) != 1:
        problems.append(_missing("depot").at(file=file))
    if problems:
        raise FaultyData(problems)
    truck = Truck(
        payload_kg=constants["C"],
        battery_kwh=constants["Q"],
        kwh_per_km=constants["r"],
        charge_kw=_MINUTES / constants["g"],
        speed_km_per_h=_MINUTES * constants["v"],
        recharge=recharge,
        vehicles_first=True,
    )
    return in_the_plane(places["d"][0], tuple(places["c"]), tuple(places["f"]), truck)


def _place(cells: list[str]) -> tuple[str, Place] | None:
    if len(cells) != 8 or cells[1] not in "dfc":
        return None
    try:
        x, y, load, ready, due, service = (float(cell) for cell in cells[2:])
    except ValueError:
        return None
    return cells[1], Place(cells[0], x, y, load, ready, due, service)


def _unreadable(line: str) -> Problem:
    return Problem(
        "logistics.instance_line",
        Text(f"这一行无法识别: {line.strip()[:60]}。", f"This line cannot be read: {line.strip()[:60]}."),
        Text("应为八列: 编号 类型 x y 需求 最早 最晚 服务。", "Eight columns: id type x y demand ready due service."),
    )


def _missing(name: str) -> Problem:
    return Problem(
        "logistics.instance_incomplete",
        Text(f"缺少 {name}。", f"{name} is missing."),
        Text(
            "文件末尾写 Q、C、r、g、v, 恰有一个类型 d。", "End the file with Q, C, r, g, v; exactly one line of type d."
        ),
    )
