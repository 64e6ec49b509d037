"""Cutting: coils, strips and sheets beside their peers in the same run.

Coils: a hundred widths against ceil(LP) and against plain column generation (the pricing programme in Python, integer search
over its columns), and the published one-dimensional instances against their best known. Strips: spyrrow alone in equal time on
the shared instances. Sheets: the best of rectpack's packers on the shared instances and on 300 rectangles. Every plan of ours
passes the check before it is counted. The compiled kernels are warmed first; how long that takes is printed.
"""

from __future__ import annotations

import csv
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(os.environ.get("ZF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "cutting"
STRIP_S = float(os.environ.get("ZF_BENCH_STRIP_S", "20"))
WIDTH, STEEL = 1500.0, "steel"


def run() -> None:
    """Print coils, strips and sheets beside their peers."""
    began = time.perf_counter()
    _coil_plan([(45.0, 3), (30.0, 4)], 100.0)
    print(f"cutting: compiled kernels ready in {time.perf_counter() - began:.1f} s")
    coils()
    if not DATA.is_dir():
        print(f"  shared instances skipped: no folder {DATA}")
        return
    published()
    sheets()
    strips()


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _coil_plan(orders: list[tuple[float, int]], width: float) -> tuple[float, float, float]:
    """Return coils, bound and seconds of our plan, checked."""
    from zerofactory.optimisation.material.check import check_slit
    from zerofactory.optimisation.material.metal import metal
    from zerofactory.optimisation.material.slit import plan
    from zerofactory.optimisation.material.slit_cuts import rows
    from zerofactory.optimisation.material.slit_problem import Coil, Order, SlitProblem

    asked = tuple(Order(str(i), ("g",), 1.0, size, None, number) for i, (size, number) in enumerate(orders))
    problem = SlitProblem((Coil("c", "g", 1.0, width, 1000.0, 10**6),), asked, count_coils=True)
    began = time.perf_counter()
    found = plan(problem)
    seconds = time.perf_counter() - began
    assert found.bound is not None
    assert check_slit(problem, rows(problem, found, metal(STEEL))) == ()
    return found.bound.value, found.bound.bound, seconds


def coils() -> None:
    """Print widths on coils of 1500: ours, ceil(LP), and plain column generation."""
    print(f"{'widths':>8} {'seed':>5} {'bound':>7} {'ours':>7} {'s':>7} {'plain':>7} {'s':>7} {'times':>7}")
    for count in (20, 50, 100):
        for seed in (1, 2):
            rng = np.random.default_rng(100 * seed + count)
            sizes = rng.choice(np.arange(60, 700), count, replace=False)
            orders = [(float(s), int(q)) for s, q in zip(sizes, rng.integers(5, 40, count), strict=True)]
            ours, bound, seconds = _coil_plan(orders, WIDTH)
            plain, plain_s = plain_generation(sizes, np.array([q for _, q in orders]), int(WIDTH))
            print(
                f"{count:8d} {seed:5d} {bound:7.0f} {ours:7.0f} {seconds:7.2f} {plain:7.0f} {plain_s:7.2f} {plain_s / seconds:7.1f}"
            )


def plain_generation(sizes: np.ndarray, wanted: np.ndarray, width: int) -> tuple[float, float]:  # type: ignore[type-arg]
    """Return rolls and seconds of column generation as textbooks have it: unbounded knapsack in numpy, then one integer search."""
    import highspy
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp

    began = time.perf_counter()
    columns = [np.eye(len(sizes), dtype=int)[i] * (width // size) for i, size in enumerate(sizes)]
    while True:
        found = linprog(np.ones(len(columns)), A_ub=-np.array(columns).T, b_ub=-wanted, method="highs")
        duals = -found.ineqlin.marginals
        best, last = np.zeros(width + 1), np.full(width + 1, -1)
        for c in range(1, width + 1):
            fits = sizes <= c
            worth = np.where(fits, best[c - np.where(fits, sizes, 0)] + duals, -1.0)
            place = int(worth.argmax())
            if worth[place] > best[c - 1] + 1e-12:
                best[c], last[c] = worth[place], place
            else:
                best[c] = best[c - 1]
        if best[width] <= 1 + 1e-7:
            break
        taken, c = np.zeros(len(sizes), dtype=int), width
        while c > 0:
            if last[c] < 0:
                c -= 1
            else:
                taken[last[c]] += 1
                c -= sizes[last[c]]
        columns.append(taken)
    assert highspy
    whole = milp(
        np.ones(len(columns)), constraints=LinearConstraint(np.array(columns).T, wanted, np.inf), integrality=np.ones(len(columns)),
        bounds=Bounds(0, np.inf), options={"time_limit": 10.0},
    )  # fmt: skip
    return float(whole.fun) if whole.x is not None else math.nan, time.perf_counter() - began


def published() -> None:
    """Print the published one-dimensional instances against their best known."""
    folder = DATA / "cutting_stock_1d"
    print(f"{'instance':>10} {'best':>6} {'ours':>6} {'bound':>6} {'s':>7}")
    for row in _rows(folder / "best_known.csv"):
        orders = [
            (float(one["length"]), int(one["quantity"]))
            for one in _rows(folder / "instances" / f"{row['instance']}.csv")
        ]
        ours, bound, seconds = _coil_plan(orders, float(row["stock_length"]))
        print(f"{row['instance']:>10} {row['best_known_stock_pieces']:>6} {ours:6.0f} {bound:6.0f} {seconds:7.2f}")


def _rectpack(pieces: list[tuple[float, float]], size: tuple[float, float]) -> tuple[int, float]:
    import rectpack

    began, counts = time.perf_counter(), []
    for algorithm in (rectpack.MaxRectsBssf, rectpack.MaxRectsBaf, rectpack.GuillotineBssfSas, rectpack.GuillotineBafSas, rectpack.SkylineBlWm):  # fmt: skip
        packer = rectpack.newPacker(rotation=False, pack_algo=algorithm)
        for one in pieces:
            packer.add_rect(*one)
        packer.add_bin(*size, count=float("inf"))
        packer.pack()
        counts.append(len(packer))
    return min(counts), time.perf_counter() - began


def _sheet_plan(pieces: list[tuple[float, float]], size: tuple[float, float]) -> tuple[int, float, float]:
    from zerofactory.optimisation.material.check import check_sheet
    from zerofactory.optimisation.material.metal import metal
    from zerofactory.optimisation.material.sheet import plan
    from zerofactory.optimisation.material.sheet_cuts import rows
    from zerofactory.optimisation.material.sheet_problem import Rectangle, Sheet, SheetProblem

    asked = tuple(Rectangle(str(i), "g", 1.0, a, b, 1) for i, (a, b) in enumerate(pieces))
    problem = SheetProblem((Sheet("s", "g", 1.0, *size, 10**6),), asked)
    began = time.perf_counter()
    found = plan(problem, 20.0)
    seconds = time.perf_counter() - began
    assert found.bound is not None
    assert check_sheet(problem, rows(problem, found, metal(STEEL))) == ()
    return found.sheets, found.bound.bound, seconds


def sheets() -> None:
    """Print sheets in three stages of guillotine cuts beside the best of five packers of rectpack, which cut as they like."""
    folder = DATA / "rectangular_sheets"
    print(f"{'instance':>32} {'best':>5} {'bound':>6} {'ours':>5} {'s':>6} {'rectpack':>9} {'s':>6}")
    cases: list[tuple[str, str, list[tuple[float, float]], tuple[float, float]]] = []
    for row in _rows(folder / "best_known.csv"):
        items = [
            (float(one["WIDTH"]), float(one["HEIGHT"]))
            for one in _rows(folder / "instances" / f"{row['instance']}_items.csv")
        ]
        cases.append(
            (row["instance"], row["best_known_sheets"], items, (float(row["sheet_width"]), float(row["sheet_height"])))
        )
    rng = np.random.default_rng(5)
    many = [(float(a), float(b)) for a, b in zip(rng.integers(150, 900, 300), rng.integers(100, 700, 300), strict=True)]
    cases.append(("300 rectangles, 3000 x 1500", "", many, (3000.0, 1500.0)))
    for name, best, items, size in cases:
        ours, bound, seconds = _sheet_plan(items, size)
        peer, peer_s = _rectpack(items, size)
        print(f"{name:>32} {best:>5} {bound:6.0f} {ours:5d} {seconds:6.2f} {peer:9d} {peer_s:6.2f}")


def strips() -> None:
    """Print irregular strips: ours and spyrrow alone, one after the other, the same seconds and seed; utilisation in %."""
    folder = DATA / "irregular_strip"
    print(
        f"{'instance':>10} {'record %':>9} {'ours %':>8} {'s':>6} {'spyrrow %':>10} {'s':>6} {'pressed mm':>11}   ({STRIP_S:g} s each)"
    )
    for row in _rows(folder / "best_known.csv"):
        given = json.loads((folder / "instances" / f"{row['instance']}.json").read_text(encoding="utf-8"))
        ours, ours_s, pressed = _our_strip(given)
        peer, peer_s = _spyrrow(given)
        area = sum(_area(one["shape"]["data"]) * one["demand"] for one in given["items"])
        full = 100 * area / given["strip_height"]
        print(f"{row['instance']:>10} {float(row['best_known_utilisation_pct']):9.2f} {full / ours:8.2f} {ours_s:6.1f} {full / peer:10.2f} {peer_s:6.1f} {pressed:11.3f}")  # fmt: skip


def _area(points: list[list[float]]) -> float:
    from shapely.geometry import Polygon

    return float(Polygon(points).area)


def _our_strip(given: dict[str, Any]) -> tuple[float, float, float]:
    from shapely.geometry import Polygon

    from zerofactory.optimisation.material.check import check_nest
    from zerofactory.optimisation.material.nest_cuts import Nest
    from zerofactory.optimisation.material.strip import Part, StripProblem, plan

    parts = tuple(
        Part(str(one["id"]), Polygon(one["shape"]["data"]), one["demand"], tuple(one["allowed_orientations"]) if "allowed_orientations" in one else None)
        for one in given["items"]
    )  # fmt: skip
    problem = StripProblem(parts, given["strip_height"])
    began = time.perf_counter()
    found = plan(problem, STRIP_S, seed=0)
    seconds = time.perf_counter() - began
    wanted = {part.id: part.pieces for part in parts}
    nest = Nest("s", "g", 1.0, found.length_mm, problem.width_mm, found.placed, 1, wanted, 0.0, 0.0, False)
    told = check_nest(nest, {part.id: part.outline for part in parts})
    assert told == (), told
    return found.length_mm, seconds, found.pressed_mm


def _spyrrow(given: dict[str, Any]) -> tuple[float, float]:
    import spyrrow

    items = [
        spyrrow.Item(str(one["id"]), [tuple(p) for p in one["shape"]["data"]], one["demand"], one.get("allowed_orientations"))
        for one in given["items"]
    ]  # fmt: skip
    instance = spyrrow.StripPackingInstance("strip", given["strip_height"], items)
    config = spyrrow.StripPackingConfig(early_termination=False, total_computation_time=round(STRIP_S), seed=0)
    began = time.perf_counter()
    found = instance.solve(config)
    return float(found.width), time.perf_counter() - began
