"""Learned inspection on real photographs of ball-screw spindles and on made-up castings, beside plain baselines; places; speed.

Photographs are split by position on the spindle, castings by seed: nothing of what is tested was learned from. The method was chosen
on other positions and other castings than are tested here (ADR 0035). Baselines: darkest pixels, distance from the mean image,
distance of the histogram from the mean one.
"""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.castings import DEFECTS, casting
from zerofactory.optimisation.quality.features import look, of_look
from zerofactory.optimisation.quality.labels import summary
from zerofactory.optimisation.quality.measure import Auroc, auroc
from zerofactory.optimisation.quality.normal import Normal, glance, odd
from zerofactory.runs.inspect_images import Picture, brought_to, of_bytes, read_one
from zerofactory.runs.inspect_learn import WORKERS, learned, learned_places, side_of, witness
from zerofactory.runs.inspect_shapes import read_marked

DATA = Path(os.environ.get("ZF_DATA", "../shared/data")) / "vision" / "ball_screw_pitting"
DARK = 2.0
GOOD_CASTINGS, BAD_EACH = (120, 50), (15, 10)
Floats = NDArray[np.float64]


def photographs() -> tuple[list[Picture], list[Picture]]:
    """Return photographs to learn from and to test on, positions apart."""
    with (DATA / "patches.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    held = set(sorted({row["position"] for row in rows})[::3])
    pictures = [read_one(DATA / row["file"], row["label"], row["position"], row["file"]) for row in rows]
    return [one for one in pictures if one.group not in held], [one for one in pictures if one.group in held]


def castings() -> tuple[list[Picture], list[Picture]]:
    """Return castings to learn from and to test on, of other seeds."""
    from PIL import Image

    parts: tuple[list[Picture], list[Picture]] = ([], [])
    for part, begin in ((0, 20_000), (1, 30_000)):
        for defect in ("", *DEFECTS):
            for number in range(BAD_EACH[part] if defect else GOOD_CASTINGS[part]):
                stream, name = io.BytesIO(), f"{defect or 'ok'}{begin + number}"
                Image.fromarray(casting(begin + number, defect).pixels).save(stream, "PNG")
                parts[part].append(of_bytes(stream.getvalue(), defect or "ok", name, name))
    return parts


def baselines(train: Sequence[Picture], test: Sequence[Picture]) -> dict[str, Floats]:
    """Return the scores of plain baselines that know good images at most."""
    good = [one.pixels.mean(axis=2) for one in train if one.label == "ok"]
    mean = np.mean(good, axis=0)
    usual = np.mean([_histogram(one) for one in good], axis=0)
    grey = [one.pixels.mean(axis=2) for one in test]
    return {
        "darkest pixels": np.array([-float(np.percentile(one, DARK)) for one in grey]),
        "far from the mean image": np.array([float(((one - mean) ** 2).mean()) for one in grey]),
        "far from the mean histogram": np.array([float(np.abs(_histogram(one) - usual).sum()) for one in grey]),
    }


def _histogram(grey: Floats) -> Floats:
    return np.histogram(grey, 32, (0, 256))[0] / grey.size


def told(name: str, scores: Floats, bad: NDArray[np.bool_]) -> Auroc:
    """Print an AUROC."""
    found = auroc(scores[~bad], scores[bad])
    print(f"  {name}: AUROC {found.value:.3f} ({found.low:.3f} – {found.high:.3f})")
    return found


def world(name: str, train: Sequence[Picture], test: Sequence[Picture]) -> None:
    """Print what is reached on one set of images."""
    side = side_of(train[0].pixels.shape)
    bad = np.array([one.label != "ok" for one in test])
    print(f"{name}: {len(train)} images learned from, {len(test)} tested ({bad.sum()} bad), {side} pixels a side")
    begun = time.process_time()
    alone = learned([one for one in train if one.label == "ok"], "ok", side)
    spent_alone = time.process_time() - begun
    begun = time.process_time()
    both = learned(train, "ok", side)
    spent = time.process_time() - begun
    assert alone.normal is not None
    assert both.normal is not None
    assert both.linear is not None
    assert both.weighed is not None
    odds, scores = [], []
    for one in test:
        seen = look(brought_to(one.pixels, side))
        own = glance(seen)
        odds.append(odd(alone.normal, own).score)
        found = odd(both.normal, own)
        chances = both.linear.chances(witness(summary(of_look(seen)), own, found)[None])[0]
        good = both.linear.classes.index("ok")
        scores.append(float(both.weighed.bad(chances[good : good + 1], np.array([found.score]))[0]))
    told("good images only", np.array(odds), bad)
    told("labelled defects", np.array(scores), bad)
    for title, plain in baselines(train, test).items():
        told(f"plain baseline, {title}", plain, bad)
    print(f"  training {spent_alone:.1f} s of processor time (good only), {spent:.1f} s (labelled)")
    speed(alone.normal, test, side)


def speed(normal: Normal, test: Sequence[Picture], side: int) -> None:
    """Print how many images a second are judged, from the bytes of a JPEG to score and heat map, two at once."""
    from PIL import Image

    contents = []
    for one in test[:60]:
        stream = io.BytesIO()
        Image.fromarray(one.pixels).save(stream, "JPEG", quality=90)
        contents.append(stream.getvalue())

    def judged(content: bytes) -> float:
        return odd(normal, glance(look(brought_to(of_bytes(content, "", "", "one").pixels, side)))).score

    begun, worked = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(judged, contents))
    wall, work = time.perf_counter() - begun, time.process_time() - worked
    print(f"  {len(contents) / wall:.1f} images a second with decoding and heat map, two at once; {work / len(contents) * 1000:.0f} ms of processor time each")  # fmt: skip


def places() -> None:
    """Print how well pits are located in whole photographs, positions apart."""
    marked, classes = read_marked(DATA, "ok")
    begun = time.perf_counter()
    found = learned_places(marked, classes, side_of(min((one.picture.pixels.shape for one in marked), key=min)))
    one = found.metrics
    value, low, high = one["patch_auroc"]
    hits = one["found_at_overlap"]
    print(f"places of {hits['of']} pits in {len(marked)} photographs, {time.perf_counter() - begun:.1f} s")
    print(f"  patches: AUROC {value:.4f} ({low:.4f} – {high:.4f}), per-region overlap {one['region_overlap']:.3f}")
    print(f"  boxes at IoU ≥ {hits['overlap']}: {hits['hits']}/{hits['of']} ({hits['low']:.2f} – {hits['high']:.2f}), {one['false_boxes_per_image']:.2f} false boxes an image")  # fmt: skip


def run() -> None:
    """Print the figures; say why not where the photographs are absent."""
    if DATA.is_dir():
        world("ball-screw spindles", *photographs())
        places()
    else:
        print(f"skipped: no photographs in {DATA.name}")
    world("made-up castings", *castings())


if __name__ == "__main__":
    run()
