"""Electric routing: the published small instances to their optima; 200 stops with windows and range in 30 s beside PyVRP without range.

``bound`` is PyVRP without range for the same time: where range does not bind our answer is to be within 2 % of it; where it binds
no answer can be expected to reach it. The small instances' optima: ``logistics/evrptw`` in ZF_DATA.
"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import numpy as np

from zerofactory.optimisation.logistics.evrptw_file import read_instance
from zerofactory.optimisation.logistics.route_check import check_rounds
from zerofactory.optimisation.logistics.route_problem import Place, RouteProblem, Truck, in_the_plane
from zerofactory.optimisation.logistics.route_pyvrp import rounds_without_range
from zerofactory.optimisation.logistics.routing import Effort, fixed_km, plan_rounds

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ZF_DATA", str(ROOT.parent / "shared" / "data"))) / "logistics" / "evrptw"
SECONDS, STOPS = 30.0, 200
BATTERIES = (1000.0, 400.0, 140.0, 110.0)


def small() -> None:
    """Print each published small instance: ours beside the published optimum."""
    if not (DATA / "best_known.csv").is_file():
        print(f"skipped: no instances in {DATA} (folder in ZF_DATA)")
        return
    with (DATA / "best_known.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        problem = read_instance((DATA / "instances" / f"{row['instance']}.txt").read_text())
        started = time.perf_counter()
        found = plan_rounds(problem)
        spent = time.perf_counter() - started
        same = (found.vehicles, round(found.distance_km, 2)) == (int(row["vehicles"]), float(row["distance"]))
        print(
            f"  {row['instance']:8} {found.vehicles} vehicles {found.distance_km:8.2f}   published {row['vehicles']} {float(row['distance']):8.2f}"
            f"   {found.status.value:8} {1000 * spent:8.1f} ms   {'equal' if same else 'DIFFERS'}"
        )


def large(battery_kwh: float, seed: int = 1) -> RouteProblem:
    """Return 200 stops with windows of one to four hours over a square of 100 km, a dozen chargers, 1 kWh/km."""
    draw = np.random.default_rng(seed)
    depot, stops = Place("depot", 50.0, 50.0, 0.0, 0.0, 720.0), []
    for n in range(STOPS):
        x, y = (float(value) for value in draw.uniform(0.0, 100.0, 2))
        opens = float(draw.uniform(60.0, 420.0))
        wide = float(draw.choice([60.0, 120.0, 240.0]))
        stops.append(Place(f"stop-{n}", x, y, float(draw.integers(200, 1500)), opens, opens + wide, 10.0))
    stations = tuple(
        Place(f"charger-{n}", *(float(v) for v in draw.uniform(5.0, 95.0, 2)), 0.0, 0.0, 720.0) for n in range(12)
    )
    truck = Truck(8000.0, battery_kwh, 1.0, 120.0, 60.0, fixed_cny=200.0, cny_per_km=4.0)
    return in_the_plane(depot, tuple(stops), stations, truck)


def run() -> None:
    """Print the figures."""
    print("Electric routing with windows: published small instances")
    small()
    free = large(1e6)
    started = time.perf_counter()
    alone = rounds_without_range(free, fixed_km(free), (SECONDS, None))
    spent = time.perf_counter() - started
    if alone is None:
        print("PyVRP found nothing")
        return
    km = sum(float(free.distance_km[leg]) for way in alone for leg in zip((0, *way), (*way, 0), strict=True))
    bound = 200.0 * len(alone) + 4.0 * km
    print(
        f"{STOPS} stops, {SECONDS:.0f} s: PyVRP without range {len(alone)} vehicles {km:8.1f} km {bound:9,.0f} CNY ({spent:.1f} s)"
    )
    for battery in BATTERIES:
        problem = large(battery)
        started = time.perf_counter()
        found = plan_rounds(problem, Effort(SECONDS))
        spent = time.perf_counter() - started
        charged = sum(one.charged_kwh for one in found.rounds)
        print(
            f"  battery {battery:5.0f} kWh: {found.vehicles} vehicles {found.distance_km:8.1f} km {found.cost_cny:9,.0f} CNY  {100 * (found.cost_cny / bound - 1):+5.2f} % of PyVRP without range"
            f"   charged {charged:6,.0f} kWh   {found.method} ({spent:.1f} s)   check {'passed' if check_rounds(problem, found).passed else 'FAILED'}"
        )
