"""Learned inspection on real photographs of ball-screw spindles: AUROC with intervals beside a plain baseline, images a second, training time.

Images are split by position on the spindle: nothing of a position that is tested was learned from.
"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import numpy as np

from zerofactory.optimisation.quality.features import patches
from zerofactory.optimisation.quality.labels import learn, summary
from zerofactory.optimisation.quality.measure import Auroc, auroc
from zerofactory.optimisation.quality.memory import judge, remember
from zerofactory.runs.inspect_images import brought_to, read_one

DATA = Path(os.environ.get("ZF_DATA", "../shared/data")) / "vision" / "ball_screw_pitting"
SIDE, CORE, DARK = 160, 2000, 2.0


def told(name: str, found: Auroc) -> None:
    """Print an AUROC."""
    print(f"{name}: AUROC {found.value:.3f} ({found.low:.3f} – {found.high:.3f})")


def run() -> None:
    """Print the figures; say why not where the photographs are absent."""
    if not DATA.is_dir():
        print(f"skipped: no photographs in {DATA.name}")
        return
    with (DATA / "patches.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    positions = sorted({row["position"] for row in rows})
    held = set(positions[::3])
    pictures = [read_one(DATA / row["file"], row["label"], row["position"]) for row in rows]
    begun = time.perf_counter()
    seen = [patches(brought_to(one.pixels, SIDE)) for one in pictures]
    looking = time.perf_counter() - begun
    bad = np.array([one.label != "ok" for one in pictures])
    tested = np.array([one.group in held for one in pictures])
    begun = time.perf_counter()
    memory = remember(
        np.concatenate([one.values for one, b, t in zip(seen, bad, tested, strict=True) if not b and not t]), CORE
    )
    summaries = np.array([summary(one) for one in seen])
    linear = learn(summaries[~tested], ["bad" if b else "ok" for b in bad[~tested]])
    learning = time.perf_counter() - begun
    begun = time.perf_counter()
    odd = np.array(
        [judge(memory, one.values, one.rows, one.columns).score for one, t in zip(seen, tested, strict=True) if t]
    )
    judging = (time.perf_counter() - begun) / tested.sum()
    chances = linear.chances(summaries[tested])[:, linear.classes.index("bad")]
    dark = np.array(
        [-float(np.percentile(one.pixels.mean(axis=2), DARK)) for one, t in zip(pictures, tested, strict=True) if t]
    )
    wanted = bad[tested]
    print(f"{(~tested).sum()} images learned from, {tested.sum()} tested ({wanted.sum()} with pits), positions apart")
    told("labelled defects", auroc(chances[~wanted], chances[wanted]))
    told("good images only", auroc(odd[~wanted], odd[wanted]))
    told("plain baseline (darkest pixels)", auroc(dark[~wanted], dark[wanted]))
    each = looking / len(pictures) + judging
    print(f"{1 / each:.1f} images a second, features {looking / len(pictures) * 1000:.1f} ms, judging {judging * 1000:.1f} ms; training {looking * (~tested).mean() + learning:.1f} s")  # fmt: skip


if __name__ == "__main__":
    run()
