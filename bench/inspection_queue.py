"""What the inspector's queue saves: how well a judge does after so many labels, chosen by the queue and at random, on real photographs.

Ball-screw spindles, split by position: nothing of a position that is tested is ever labelled. All begin with the same few labels; the
rest of the labels are asked for ten at a time. Means over several beginnings, and how often the queue was ahead.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.quality.choice import doubt, in_turn
from zerofactory.optimisation.quality.features import patches
from zerofactory.optimisation.quality.labels import crossed, learn, summary
from zerofactory.optimisation.quality.measure import auroc
from zerofactory.runs.inspect_images import brought_to, read_one

DATA = Path(os.environ.get("ZF_DATA", "../shared/data")) / "vision" / "ball_screw_pitting"
SIDE, FIRST_GOOD, FIRST_BAD, ADDED, LABELS, BEGINNINGS, CANDIDATES, LOOKED_AT = 160, 20, 4, 20, 124, 6, 60, 20
FALSE_REJECT = 0.05
Floats = NDArray[np.float64]
Choose = Callable[[Floats, float, Floats, Floats, np.random.Generator], list[int]]


def by_queue(scores: Floats, limit: float, told: Floats, known: Floats, _: np.random.Generator) -> list[int]:
    """Choose as `zf inspect queue` does."""
    doubts = doubt(scores, limit)
    best = np.argsort(-doubts, kind="stable")[:CANDIDATES]
    return [int(best[place]) for place in in_turn(doubts[best], told[best], known[-LOOKED_AT:], ADDED)]


def by_doubt(scores: Floats, limit: float, _told: Floats, _known: Floats, _: np.random.Generator) -> list[int]:
    """Choose the least sure alone."""
    return [int(place) for place in np.argsort(-doubt(scores, limit), kind="stable")[:ADDED]]


def by_chance(scores: Floats, _limit: float, _told: Floats, _known: Floats, random: np.random.Generator) -> list[int]:
    """Choose at random."""
    return [int(place) for place in random.permutation(len(scores))[:ADDED]]


def course(told: Floats, bad: NDArray[np.bool_], groups: list[str], tested: NDArray[np.bool_], seed: int, choose: Choose) -> list[float]:  # fmt: skip
    """Return the AUROC on what is tested after each round of labels."""
    random = np.random.default_rng(seed)
    pool = np.flatnonzero(~tested)
    first = [random.permutation(pool[bad[pool] == kind])[:count] for kind, count in ((False, FIRST_GOOD), (True, FIRST_BAD))]  # fmt: skip
    labelled = [int(one) for part in first for one in part]
    found = []
    while True:
        names = ["bad" if bad[one] else "ok" for one in labelled]
        judge = learn(told[labelled], names)
        column = judge.classes.index("bad")
        scores = judge.chances(told)[:, column]
        found.append(auroc(scores[tested & ~bad], scores[tested & bad]).value)
        if len(labelled) >= LABELS:
            return found
        chances, classes = crossed(told[labelled], names, [groups[one] for one in labelled])
        good = np.array([name == "ok" for name in names])
        limit = float(np.quantile(chances[good, classes.index("bad")], 1.0 - FALSE_REJECT))
        rest = np.array([one for one in pool if one not in set(labelled)])
        labelled += [int(rest[one]) for one in choose(scores[rest], limit, told[rest], told[labelled], random)]


def run() -> None:
    """Print the figures; say why not where the photographs are absent."""
    if not DATA.is_dir():
        print(f"skipped: no photographs in {DATA.name}")
        return
    with (DATA / "patches.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups = [row["position"] for row in rows]
    held = set(sorted(set(groups))[::3])
    told = np.array([summary(patches(brought_to(read_one(DATA / row["file"]).pixels, SIDE))) for row in rows])
    bad, tested = np.array([row["label"] != "ok" for row in rows]), np.array([one in held for one in groups])
    ways: dict[str, Choose] = {"queue": by_queue, "doubt alone": by_doubt, "random": by_chance}
    found = {name: np.array([course(told, bad, groups, tested, seed, way) for seed in range(BEGINNINGS)]) for name, way in ways.items()}  # fmt: skip
    labels = range(FIRST_GOOD + FIRST_BAD, LABELS + 1, ADDED)
    print(f"{(~tested).sum()} images to choose from, {tested.sum()} tested, {BEGINNINGS} beginnings; AUROC, mean")
    print("labels      " + "".join(f"{count:7d}" for count in labels))
    for name, values in found.items():
        print(f"{name:12s}" + "".join(f"{one:7.3f}" for one in values.mean(axis=0)))
    ahead = found["queue"] - found["random"]
    half = 1.96 * ahead.std(axis=0, ddof=1) / BEGINNINGS**0.5
    print("queue ahead " + "".join(f"{one:+7.3f}" for one in ahead.mean(axis=0)))
    print("     ±      " + "".join(f"{one:7.3f}" for one in half))
    best = found["random"].mean(axis=0)[-1]
    reached = {name: next((count for count, one in zip(labels, values.mean(axis=0), strict=True) if one >= best), None) for name, values in found.items()}  # fmt: skip
    print(f"labels needed for the AUROC that random reaches with {LABELS}: {reached}")


if __name__ == "__main__":
    run()
