"""What is wrong with a set of stops before any solver starts: each fault named, with the smallest clash.

A stop that no truck can serve even alone is told with what stands against it: its load, its window, or the leg that the battery
does not reach.
"""

from __future__ import annotations

import heapq
from collections import Counter

import numpy as np

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.logistics.route_problem import INF, Place, RouteProblem

EPS = 1e-7
_CORRECT, _RENAME = Text("请更正。", "Correct it."), Text("请改名。", "Rename one.")


def route_problems(problem: RouteProblem) -> list[Problem]:
    """Return every fault of a problem: data, capacity of the fleet, stops out of range or out of time."""
    found = [*_data(problem), *_fleet(problem)]
    if any(one.code == "logistics.route_data" for one in found):
        return found
    reach = _reach(problem)
    for n, stop in enumerate(problem.stops, 1):
        found += _alone(problem, reach, n, stop)
    return found


def _data(problem: RouteProblem) -> list[Problem]:
    return [*_places(problem), *_truck(problem), *_distances(problem)]


def _places(problem: RouteProblem) -> list[Problem]:
    found, places = [], problem.places
    for name, count in Counter(place.id for place in places).items():
        if count > 1:
            found.append(_fault("route_data", f"编号“{name}”重复。", f"The id '{name}' comes twice.", _RENAME))
    for place in places:
        numbers = (place.load_kg, place.service_min, place.ready_min)
        if not all(np.isfinite(value) and value >= 0 for value in numbers) or np.isnan(place.due_min):
            zh, en = f"“{place.id}”有负的或缺失的数。", f"'{place.id}' has a negative or missing number."
            found.append(_fault("route_data", zh, en, _CORRECT))
        elif place.due_min < place.ready_min:
            zh = f"“{place.id}”最晚 {place.due_min:g} 早于最早 {place.ready_min:g} min。"
            en = f"The window of '{place.id}' ends ({place.due_min:g}) before it begins ({place.ready_min:g} min)."
            found.append(_fault("route_window", zh, en, _CORRECT))
    return found


def _truck(problem: RouteProblem) -> list[Problem]:
    truck, found = problem.truck, []
    for name in ("payload_kg", "battery_kwh", "charge_kw", "speed_km_per_h"):
        if not getattr(truck, name) > 0:
            zh, en = f"车辆参数 {name} 必须大于 0。", f"The truck's {name} must be above 0."
            found.append(_fault("route_data", zh, en, _CORRECT))
    if truck.kwh_per_km < 0 or truck.cny_per_km < 0 or truck.fixed_cny < 0:
        en = "Consumption and costs cannot be negative."
        found.append(_fault("route_data", "电耗与费用不能为负。", en, _CORRECT))
    return found


def _distances(problem: RouteProblem) -> list[Problem]:
    km, size = problem.distance_km, len(problem.places)
    if km.shape == (size, size) and np.isfinite(km).all() and (km >= 0).all():
        return []
    en = "The table of distances does not fit the places or has gaps."
    return [_fault("route_data", "距离表与地点不符或有缺失。", en, _CORRECT)]


def _fleet(problem: RouteProblem) -> list[Problem]:
    truck = problem.truck
    load = sum(stop.load_kg for stop in problem.stops)
    if truck.count is None or load <= truck.count * truck.payload_kg + EPS:
        return []
    return [
        _fault(
            "route_capacity",
            f"货量合计 {load:,.0f} kg, {truck.count} 辆车每次共装 {truck.count * truck.payload_kg:,.0f} kg。",
            f"The loads come to {load:,.0f} kg; {truck.count} vehicles carry {truck.count * truck.payload_kg:,.0f} kg at once.",
            Text(
                f"至少需要 {int(np.ceil(load / truck.payload_kg))} 辆, 或减少货量。",
                f"At least {int(np.ceil(load / truck.payload_kg))} vehicles are needed, or less load.",
            ),
        )
    ]


def _reach(problem: RouteProblem) -> np.ndarray:
    """Return the least kilometres between the depot, the stations and back, every leg within the battery (infinite: none).

    Row k: from the depot (0) or the station k to each place, charging at stations on the way.
    """
    truck = problem.truck
    km = np.where(problem.drive_kwh <= truck.battery_kwh + EPS, problem.distance_km, INF)
    hubs = [0, *range(len(problem.stops) + 1, len(problem.places))]
    best = km[np.ix_(hubs, hubs)].copy()
    for middle in range(1, len(hubs)):
        best = np.minimum(best, best[:, middle][:, None] + best[middle][None, :])
    return best


def _alone(problem: RouteProblem, reach: np.ndarray, n: int, stop: Place) -> list[Problem]:
    """Return why a stop cannot be served by a truck of its own, if so."""
    truck = problem.truck
    if stop.load_kg > truck.payload_kg + EPS:
        return [
            _fault(
                "route_load",
                f"“{stop.id}”的货 {stop.load_kg:,.0f} kg 超过每车 {truck.payload_kg:,.0f} kg。",
                f"The load of '{stop.id}', {stop.load_kg:,.0f} kg, is more than a vehicle takes, {truck.payload_kg:,.0f} kg.",
                Text("请拆分该站点, 或换更大的车。", "Split the stop, or take a larger vehicle."),
            )
        ]
    range_km = INF if truck.kwh_per_km <= 0 else truck.battery_kwh / truck.kwh_per_km
    hubs = [0, *range(len(problem.stops) + 1, len(problem.places))]
    out = [float(problem.distance_km[hub, n]) for k, hub in enumerate(hubs) if reach[0, k] < INF or k == 0]
    back = [float(problem.distance_km[n, hub]) for k, hub in enumerate(hubs) if reach[k, 0] < INF or k == 0]
    if min(out) + min(back) > range_km * (1 + 1e-9):
        return [_too_far(problem, hubs, n, range_km)]
    if not np.isfinite(earliest_home(problem, n)):
        return [
            _fault(
                "route_window",
                f"“{stop.id}”连同所需充电, 无法在时间窗 {stop.ready_min:g}–{stop.due_min:g} min 和车场 {problem.depot.due_min:g} min 之内往返。",
                f"'{stop.id}', with the charging it needs, cannot be served within {stop.ready_min:g}–{stop.due_min:g} min and the depot's {problem.depot.due_min:g} min.",
                Text("请放宽时间窗, 或缩短服务时间。", "Widen the window, or shorten the service."),
            )
        ]
    return []


def earliest_home(problem: RouteProblem, stop: int) -> float:
    """Return when a truck that serves one stop alone can be home, charging on the way as it must; infinite: never.

    A search over (place, served, whole per cent of charge) with full recharges, and just-enough ones where partial is allowed.
    """
    truck, places = problem.truck, problem.places
    nodes = [0, stop, *range(len(problem.stops) + 1, len(places))]
    line = (problem.depot.ready_min, truck.battery_kwh, truck.battery_kwh)
    queue: list[tuple[float, int, bool, tuple[float, float, float]]] = [(line[0], 0, False, line)]
    seen: dict[tuple[int, bool], list[tuple[float, float, float]]] = {}
    while queue:
        t, here, served, line = heapq.heappop(queue)
        if here == 0 and served:
            return t
        for there in nodes:
            if there == here or (there == stop and served) or (there == 0 and not served):
                continue
            new = _moved(problem, line, here, there)
            if new is None:
                continue
            key = (there, served or there == stop)
            known = seen.setdefault(key, [])
            if any(_no_worse(old, new, truck.charge_min_per_kwh) for old in known):
                continue
            known.append(new)
            heapq.heappush(queue, (new[0], there, key[1], new))
    return INF


def _no_worse(a: tuple[float, float, float], b: tuple[float, float, float], rate: float) -> bool:
    reached = a[2] if rate <= 0 else min(a[2], a[1] + (b[0] - a[0]) / rate)
    return a[0] <= b[0] + EPS and a[2] >= b[2] - EPS and reached >= b[1] - EPS


def _moved(
    problem: RouteProblem, line: tuple[float, float, float], here: int, there: int
) -> tuple[float, float, float] | None:
    """Return the line of time and charge after a move (see `route_range`), charging included where the place is a station."""
    truck, place = problem.truck, problem.places[there]
    t, b, top = line
    energy = float(problem.distance_km[here, there]) * truck.kwh_per_km
    t, b, top = t + float(problem.distance_km[here, there]) * 60.0 / truck.speed_km_per_h, b - energy, top - energy
    rate = truck.charge_min_per_kwh
    if top < -EPS:
        return None
    if b < 0:
        t, b = t - b * rate, 0.0
    if t < place.ready_min:
        b = top if rate <= 0 else min(top, b + (place.ready_min - t) / rate)
        t = place.ready_min
    if t > place.due_min + EPS:
        return None
    if rate > 0:
        top = max(b, min(top, b + (place.due_min - t) / rate))
    t += place.service_min
    if problem.is_station(there):
        if truck.recharge == "partial":
            return t, b, truck.battery_kwh
        return t + (truck.battery_kwh - b) * rate, truck.battery_kwh, truck.battery_kwh
    return t, b, top


def _too_far(problem: RouteProblem, hubs: list[int], n: int, range_km: float) -> Problem:
    stop = problem.places[n]
    near = min(hubs, key=lambda hub: float(problem.distance_km[hub, n]))
    name, km = problem.places[near].id, float(problem.distance_km[near, n])
    return _fault(
        "route_range",
        f"“{stop.id}”到不了: 一次充满可行 {range_km:,.1f} km, 离它最近的充电处“{name}”单程 {km:,.1f} km, 去与回(或到下一个充电处)超出续航。",
        f"'{stop.id}' cannot be reached: a full battery drives {range_km:,.1f} km; the nearest place to charge, '{name}', is {km:,.1f} km away one way, and there and on to the next charger is beyond the range.",
        Text(
            "请在附近加充电站、换更大电池, 或改用其他车辆。",
            "Add a charger nearby, take a larger battery, or another vehicle.",
        ),
    )


def not_servable(problem: RouteProblem) -> Problem:
    """Return the problem that no rounds were found with the vehicles there are."""
    count = problem.truck.count
    return _fault(
        "route_none",
        f"没有找到用 {count if count is not None else '任意多'} 辆车服务全部 {len(problem.stops)} 个站点的线路。",
        f"No rounds were found that serve all {len(problem.stops)} stops with {count if count is not None else 'any number of'} vehicles.",
        Text("请增加车辆, 或放宽时间窗。", "Add vehicles, or widen the windows."),
    )


def _fault(code: str, zh: str, en: str, hint: Text) -> Problem:
    return Problem(f"logistics.{code}", Text(zh, en), hint)
