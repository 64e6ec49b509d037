"""Has the camera changed? Figures of each new image against those of the good images learned from, with a promised rate of false alarms.

Each figure gets a conformal p-value among all images before it, evenly distributed as long as images come as they used to (Vovk,
Gammerman, Shafer 2005, Algorithmic Learning in a Random World, proposition 2.8). A gambler bets against that evenness without
ever being able to lose more than he has; by Ville's inequality he reaches 1/δ with chance δ at most, however long one looks. His
bets are mixed and jump as in Vovk et al. 2021, Retrain or not retrain, arXiv 2102.10439, algorithm 1; the means of several
gamblers is one too. Randomised ties are drawn from the image's own hash, so the same images give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse, Text

Floats = NDArray[np.float64]
FIGURES = ("brightness", "contrast", "sharpness", "colour", "clipped", "across", "down")
TITLES = {
    "brightness": Text("亮度", "brightness"), "contrast": Text("对比度", "contrast"), "sharpness": Text("清晰度", "sharpness"),
    "colour": Text("色调", "colour"), "clipped": Text("过曝或全黑", "clipped pixels"),
    "across": Text("左右位置", "position across"), "down": Text("上下位置", "position down"),
}  # fmt: skip
JUMP = 0.01
"""Share of the capital moved evenly between the bets before each image (the paper's J)."""
POWERS = (0.3, 0.6)
"""Exponents κ of the bets κ·p^(κ−1), on small and on large p alike; each has the mean 1 over evenly distributed p."""
LEAST = 10
"""Images of reference below which nothing is told."""
CELLS = 16
"""Cells a side over which the place of what stands out is taken: coarse, so that grain and small defects do not move it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found in a stream of images.

    Parameters
    ----------
    images : how many were looked at.
    promised : chance of an alarm, ever, while nothing has changed.
    evidence : the greatest capital reached, 1 at the start; an alarm is raised at 1 / promised.
    raised_at : place of the image (from 0) at which the alarm was raised, None without one.
    figure, direction : what has changed most, and where to ("lower", "higher"); empty without an alarm.
    """

    images: int
    promised: float
    evidence: float
    raised_at: int | None
    figure: str
    direction: str

    @property
    def raised(self) -> bool:
        """Whether there is an alarm."""
        return self.raised_at is not None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "raised": self.raised, "images": self.images, "promised": self.promised, "evidence": self.evidence,
            "raised_at": self.raised_at, "figure": self.figure, "direction": self.direction,
        }  # fmt: skip


def condition(image: NDArray[np.uint8]) -> Floats:
    """Return the figures of an image (height × width × 3, 0 … 255) that a change of camera, lens or light moves and a small defect does not.

    Medians and means over the whole image: brightness, spread, strength of the finest detail, red against blue, share of clipped pixels,
    and where what differs from the middle grey has its centre, across and down (0 left or top, 1 right or bottom).

    >>> condition(np.full((32, 32, 3), 100, dtype=np.uint8))[[0, 3, 4]].round(2).tolist()
    [100.0, 0.0, 0.0]
    """
    grey = image.mean(axis=2, dtype=np.float64)
    fine = np.abs(4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:])
    red, blue = float(image[..., 0].mean()), float(image[..., 2].mean())
    clipped = float(((grey < 3.0) | (grey > 252.0)).mean())
    return np.array(
        [np.median(grey), grey.std(), np.log(fine.mean() + 0.01), np.log((red + 1.0) / (blue + 1.0)), clipped, *_centre(grey)]
    )  # fmt: skip


def _centre(grey: Floats) -> tuple[float, float]:
    """Return where what stands out of an image has its centre: across and down, each from 0 to 1.

    >>> image = np.zeros((64, 64))
    >>> image[48:, :16] = 200.0
    >>> _centre(image)
    (0.125, 0.875)
    """
    high, wide = (max(side // CELLS, 1) for side in grey.shape)
    cells = grey[: grey.shape[0] // high * high, : grey.shape[1] // wide * wide]
    cells = cells.reshape(-1, high, cells.shape[1] // wide, wide).mean(axis=(1, 3))
    weight = np.abs(cells - np.median(cells))
    total = float(weight.sum())
    if total <= 0.0:
        return 0.5, 0.5
    down, across = ((np.arange(count) + 0.5) / count for count in cells.shape)
    return float(weight.sum(axis=0) @ across) / total, float(weight.sum(axis=1) @ down) / total


def watch(reference: Floats, stream: Floats, hashes: Sequence[str], promised: float = 0.01) -> Drift:
    """Return whether a stream of images (image × figure) still comes as the reference did.

    Figures that the reference of an earlier model does not hold (the position) are left out.

    Raises
    ------
    Misuse
        The reference is too small, the figures differ, or the promise is none.
    """
    if len(reference) < LEAST or stream.ndim != 2 or reference.shape[1] > stream.shape[1]:
        raise Misuse(f"a reference of at least {LEAST} images with the figures of the stream is needed")
    if not 0.0 < promised < 1.0 or len(hashes) != len(stream):
        raise Misuse("a promise between 0 and 1 and one hash an image are needed")
    count = reference.shape[1]
    stream = stream[:, :count]
    before = np.empty((len(reference) + len(stream), count))
    before[: len(reference)] = reference
    bets = np.full((count, 2 * len(POWERS) + 1), 1.0 / (2 * len(POWERS) + 1))
    greatest, known = 1.0, len(reference)
    for place, (figures, digest) in enumerate(zip(stream, hashes, strict=True)):
        random = np.random.default_rng([int(digest[:16] or "0", 16), place])
        p = _values(before[:known], figures, random.random(size=(count,)))
        before[known] = figures
        known += 1
        total = bets.sum(axis=1, keepdims=True)
        bets = ((1.0 - JUMP) * bets + JUMP * total / bets.shape[1]) * _bets(p)
        own = bets.sum(axis=1)
        greatest = max(greatest, float(own.mean()))
        if own.mean() >= 1.0 / promised:
            most = int(own.argmax())
            lower = figures[most] < np.median(reference[:, most])
            return Drift(len(stream), promised, greatest, place, FIGURES[most] if count <= len(FIGURES) else str(most), "lower" if lower else "higher")  # fmt: skip
    return Drift(len(stream), promised, greatest, None, "", "")


def _values(before: Floats, figures: Floats, ties: Floats) -> Floats:
    """Return the conformal p-values of an image's figures: share of images before that lie above, ties broken at random."""
    above = (before > figures).sum(axis=0)
    equal = (before == figures).sum(axis=0) + 1
    values: Floats = np.clip((above + ties * equal) / (len(before) + 1), 1e-9, 1.0 - 1e-9)
    return values


def _bets(p: Floats) -> Floats:
    """Return what each bet pays: none, on small p, on large p (figure × bet)."""
    paid = [np.ones_like(p)]
    for power in POWERS:
        paid += [power * p ** (power - 1.0), power * (1.0 - p) ** (power - 1.0)]
    return np.stack(paid, axis=1)
