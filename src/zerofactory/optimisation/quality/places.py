"""Where the defect is: each patch judged by what labelled patches looked like, the map of chances, boxes around what is found, and how well.

A patch lies inside a defect when a quarter of it does; patches that a defect only touches teach nothing. A logistic regression with
a ridge (Bishop 2006, Pattern Recognition and Machine Learning, 4.3.2) says how likely each class is for a patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.features import Patches
from zerofactory.optimisation.quality.measure import Auroc, Rate, auroc, rate

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
INSIDE = 0.25
"""Share of a patch's pixels from which it counts as a defect's."""
MOST_GOOD, MOST_OF_CLASS = 20_000, 8_000
"""Patches learned from; more of them slow the fit and add little."""
RIDGE = 30.0
LIKELY = 0.5
PRO_LIMIT = 0.3
"""False-positive share up to which the per-region overlap is integrated (Bergmann et al. 2021, doi 10.1007/s11263-020-01400-4)."""
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Box:
    """A defect in an image: class, chance, and left, top, right, bottom in pixels of the image (right and bottom not within)."""

    label: str
    chance: float
    left: int
    top: int
    right: int
    bottom: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"label": self.label, "chance": round(self.chance, 4), "left": self.left, "top": self.top, "right": self.right, "bottom": self.bottom}  # fmt: skip

    def overlap(self, other: Box) -> float:
        """Return intersection over union.

        >>> Box("pit", 1.0, 0, 0, 10, 10).overlap(Box("pit", 1.0, 5, 0, 15, 10))
        0.3333333333333333
        """
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(wide, 0) * max(high, 0)
        return shared / (self.area + other.area - shared) if shared else 0.0

    @property
    def area(self) -> int:
        """Pixels within."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class Places:
    """A judge of patches; ``classes[0]`` is good."""

    classes: tuple[str, ...]
    middle: Floats
    spread: Floats
    weights: Floats
    bias: Floats

    def chances(self, seen: Patches) -> Floats:
        """Return the chance of each class for each patch: class × rows × columns."""
        scores = (seen.values - self.middle) / self.spread @ self.weights + self.bias
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances = (odds / odds.sum(axis=1, keepdims=True)).T
        return np.asarray(chances.reshape(len(self.classes), seen.rows, seen.columns), dtype=np.float64)


def cells(mask: Whole, rows: int, columns: int) -> Whole:
    """Return the class of each patch of an image: 0 good, the class that fills most of it, or `UNKNOWN` where one only touches it.

    ``mask`` holds the class of each pixel, 0 good.
    """
    height, width = mask.shape
    down, right = np.arange(height) * rows // height, np.arange(width) * columns // width
    cell = (down[:, None] * columns + right[None, :]).ravel()
    count = np.bincount(cell, minlength=rows * columns)
    found = np.zeros(rows * columns, dtype=np.int64)
    most = np.zeros(rows * columns)
    touched = np.zeros(rows * columns, dtype=bool)
    for kind in np.unique(mask[mask > 0]):
        share = np.bincount(cell, weights=(mask == kind).ravel(), minlength=rows * columns) / count
        touched |= share > 0
        better = (share >= INSIDE) & (share > most)
        found[better], most[better] = kind, share[better]
    found[touched & (found == 0)] = UNKNOWN
    return found.reshape(rows, columns)


def learn_places(seen: Sequence[Patches], labels: Sequence[Whole], classes: Sequence[str], seed: int = 0) -> Places:
    """Return the judge that fits labelled patches.

    Raises
    ------
    Misuse
        There are no good patches, or none of a defect.
    """
    from sklearn.linear_model import LogisticRegression

    values = np.concatenate([one.values for one in seen])
    flat = np.concatenate([one.ravel() for one in labels])
    random = np.random.default_rng(seed)
    taken = []
    for kind in range(len(classes)):
        places = np.flatnonzero(flat == kind)
        most = MOST_OF_CLASS if kind else MOST_GOOD
        taken.append(random.choice(places, most, replace=False) if len(places) > most else places)
    if not len(taken[0]) or not any(len(one) for one in taken[1:]):
        raise Misuse("both good patches and patches of a defect are needed")
    chosen = np.concatenate(taken)
    x = values[chosen].astype(np.float64)
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    fitted = LogisticRegression(C=1.0 / RIDGE, max_iter=2000).fit((x - middle) / spread, flat[chosen])
    weights = np.zeros((x.shape[1], len(classes)))
    bias = np.full(len(classes), -50.0)
    if len(fitted.classes_) == 2:
        halves = np.column_stack([-fitted.coef_[0] / 2, fitted.coef_[0] / 2]), np.array([-fitted.intercept_[0] / 2, fitted.intercept_[0] / 2])  # fmt: skip
    else:
        halves = fitted.coef_.T, fitted.intercept_
    weights[:, fitted.classes_], bias[fitted.classes_] = halves
    return Places(tuple(classes), middle, spread, weights, bias)


def boxes(chances: Floats, classes: Sequence[str], shape: tuple[int, int], limit: float = LIKELY) -> tuple[Box, ...]:
    """Return boxes around patches that hang together and are likely a defect's, the likeliest first."""
    from scipy.ndimage import find_objects, label

    bad = 1.0 - chances[0]
    marked, _ = label(bad >= limit, structure=np.ones((3, 3)))
    high, wide = shape[0] / bad.shape[0], shape[1] / bad.shape[1]
    found = []
    for number, (down, right) in enumerate(find_objects(marked), 1):
        own = marked[down, right] == number
        sums = chances[1:, down, right][:, own].sum(axis=1)
        found.append(Box(
            classes[1 + int(sums.argmax())], float(bad[down, right][own].max()),
            int(right.start * wide), int(down.start * high), int(np.ceil(right.stop * wide)), int(np.ceil(down.stop * high)),
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda one: -one.chance))


def boxes_of(mask: Whole, classes: Sequence[str]) -> tuple[Box, ...]:
    """Return the boxes around the defects of a mask."""
    from scipy.ndimage import find_objects, label

    found = []
    for kind in np.unique(mask[mask > 0]).tolist():
        marked, _ = label(mask == kind, structure=np.ones((3, 3)))
        found += [
            Box(classes[kind], 1.0, right.start, down.start, right.stop, down.stop)
            for down, right in find_objects(marked)
        ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Located:
    """How well defects are located on images that were not learned from.

    Parameters
    ----------
    patches : AUROC of patches inside defects against good ones; its interval takes patches for independent, which they are not.
    overlap : area under the per-region overlap up to a false-positive share of 0.3, divided by it: 1 is perfect.
    found : defects whose box is met by one of ours at the asked intersection over union.
    touched : defects that one of our boxes touches at all.
    false_boxes_per_image : boxes that touch no defect.
    """

    patches: Auroc
    overlap: float
    found: Rate
    touched: Rate
    false_boxes_per_image: float


def located(
    chances: Sequence[Floats],
    masks: Sequence[Whole],
    classes: Sequence[str],
    overlap: float = 0.3,
    limit: float = LIKELY,
) -> Located:
    """Return how well maps of chances tell where the defects of the masks are."""
    bad = [1.0 - one[0] for one in chances]
    labels = [cells(mask, *one.shape) for mask, one in zip(masks, bad, strict=True)]
    flat, kinds = np.concatenate([one.ravel() for one in bad]), np.concatenate([one.ravel() for one in labels])
    met = touched = total = wrong = 0
    for own, mask in zip(chances, masks, strict=True):
        there, ours = boxes_of(mask, classes), boxes(own, classes, (mask.shape[0], mask.shape[1]), limit)
        total += len(there)
        met += sum(any(one.overlap(other) >= overlap for other in ours) for one in there)
        touched += sum(any(one.overlap(other) > 0 for other in ours) for one in there)
        wrong += sum(not any(one.overlap(other) > 0 for other in there) for one in ours)
    return Located(
        auroc(flat[kinds == 0], flat[kinds > 0]), region_overlap(bad, labels), rate(met, total), rate(touched, total), wrong / max(len(masks), 1),
    )  # fmt: skip


def region_overlap(scores: Sequence[Floats], labels: Sequence[Whole], steps: int = 200) -> float:
    """Return the area under the per-region overlap against the false-positive share, up to 0.3 and divided by 0.3.

    Each defect counts alike, however large: mean over defects of the share of its patches above a threshold, integrated over
    thresholds (Bergmann et al. 2021, doi 10.1007/s11263-020-01400-4, section 5.2).

    >>> labels = np.zeros((4, 4), dtype=np.int64); labels[1, 1] = 1
    >>> region_overlap([labels.astype(float)], [labels])
    1.0
    """
    from scipy.ndimage import label

    regions = []
    for own, kinds in zip(scores, labels, strict=True):
        marked, count = label(kinds > 0, structure=np.ones((3, 3)))
        regions += [np.sort(own[marked == number]) for number in range(1, count + 1)]
    good = np.sort(np.concatenate([own[kinds == 0] for own, kinds in zip(scores, labels, strict=True)]))
    if not regions or not len(good):
        raise Misuse("both good patches and defects are needed")
    shares = np.linspace(0.0, PRO_LIMIT, steps)
    at = good[np.maximum(len(good) - 1 - np.floor(shares * len(good)).astype(int), 0)]
    means = np.mean([1.0 - np.searchsorted(one, at, side="right") / len(one) for one in regions], axis=0)
    return round(float(np.trapezoid(means, shares) / PRO_LIMIT), 12)
