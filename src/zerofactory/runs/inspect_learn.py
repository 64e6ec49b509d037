"""What is learned from images: the look at good ones, the judge of labels, the judge of places, each measured on images it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Misuse, Problem, Text
from zerofactory.optimisation.quality.drift import condition
from zerofactory.optimisation.quality.features import look, of_look
from zerofactory.optimisation.quality.labels import (
    Linear,
    Weighed,
    crossed,
    fold_of,
    learn,
    summary,
    suspects,
    temperature,
    tempered,
    weigh,
    weigh_crossed,
)
from zerofactory.optimisation.quality.measure import escape_threshold, rate, threshold
from zerofactory.optimisation.quality.normal import DEVIATION, Glance, Normal, Odd, glance, learn_normal, odd
from zerofactory.optimisation.quality.places import Places, cells, learn_places, located
from zerofactory.runs.inspect_images import Picture, brought_to, scaled_to
from zerofactory.runs.inspect_shapes import Marked

Floats = NDArray[np.float64]
FOLDS = 5
MOST_LEARNED, MOST_REMEMBERED = 2000, 600
"""Images learned from, and good images whose patches are kept while learning; of more a random part, every class in its share."""
STEP, LEAST_SIDE, MOST_SIDE = 32, 96, 320
SHOWN = 30
TOLERATED = 0.01
"""Share of images whose labels may be contradicted before nothing is learned: real defects that hardly show are so many."""
OVERLAP = 0.3
FAR = 6.0
"""A good image odder than the middle one by so many spreads is named when only good ones are learned from."""
MOST_SENSE = 20.0
"""A sense that answers beyond this says no more."""
WORKERS = 2
"""Images looked at at once; the network and the distances are worked out outside the interpreter's lock."""
Found = TypeVar("Found")
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True)
class Learned:
    """What was learned, and the score of each image by judges that had seen nothing of its group."""

    scores: Floats
    condition: Floats
    metrics: dict[str, Any]
    normal: Normal | None = None
    linear: Linear | None = None
    weighed: Weighed | None = None
    places: Places | None = None
    suspects: tuple[int, ...] = ()


def side_of(shape: Sequence[int]) -> int:
    """Return the side images of a size are brought to: their shorter one to the nearest multiple of 32, 96 to 320.

    >>> side_of((300, 300, 3)), side_of((150, 150, 3)), side_of((2000, 3000, 3))
    (288, 160, 320)
    """
    return int(np.clip(round(min(shape[:2]) / STEP) * STEP, LEAST_SIDE, MOST_SIDE))


def some_of(pictures: Sequence[Picture], seed: int = 0) -> list[Picture]:
    """Return images to learn from: all, or of too many a random part in which every class has its share."""
    if len(pictures) <= MOST_LEARNED:
        return list(pictures)
    random = np.random.default_rng(seed)
    taken: list[int] = []
    for label in sorted({one.label for one in pictures}):
        own = [place for place, one in enumerate(pictures) if one.label == label]
        count = max(1, MOST_LEARNED * len(own) // len(pictures))
        taken += random.choice(own, count, replace=False).tolist()
    return [pictures[place] for place in sorted(taken)]


def learned(pictures: Sequence[Picture], good: str, side: int, progress: Progress = None) -> Learned:
    """Return what images of one size teach: what good ones look like and, where there are other classes, a judge of labels."""
    fine = np.array([one.label == good for one in pictures])
    folds = fold_of([one.group for one in pictures], FOLDS)
    kept = _remembered(fine)
    first, rest = np.flatnonzero(kept).tolist(), np.flatnonzero(~kept).tolist()
    images = _Images(pictures, side, progress)
    seen = images.seen(first)
    glances, told = [one for one, _ in seen], {}
    try:
        normal, oddness = learn_normal(glances, folds[kept])
    except Misuse as error:
        raise FaultyData([_groups(good)]) from error
    odds = dict(zip(first, oddness, strict=True))
    for place, (one, summed) in zip(first, seen, strict=True):
        told[place] = witness(summed, one, odds[place])
    for place, (found_odd, witnessed) in zip(rest, images.judged(rest, normal), strict=True):
        odds[place], told[place] = found_odd, witnessed
    own = np.array([odds[place].score for place in range(len(pictures))])
    conditions = np.array([images.conditions[place] for place in np.flatnonzero(fine).tolist()])
    found = Learned(own, conditions, {}, normal)
    if fine.all():
        return replace(found, metrics={"odd_good": [pictures[place].file for place in _far(own)]})
    return _labelled(np.array([told[place] for place in range(len(pictures))]), [one.label for one in pictures], (good, folds), found)  # fmt: skip


def witness(told: Floats, seen: Glance, found: Odd) -> Floats:
    """Return all that the judge of labels is told of an image: its patches together, its oddest ones, and how odd each sense finds it."""
    return np.concatenate([told, seen.oddest(found.distances), np.clip(found.senses, -MOST_SENSE, MOST_SENSE)])


def _labelled(told: Floats, labels: Sequence[str], known: tuple[str, NDArray[np.int64]], own: Learned) -> Learned:
    """Return what labels add: the judge of labels weighed with the oddness, measured across folds."""
    good, folds = known
    chances, order = crossed(told, labels, [str(one) for one in folds], FOLDS)
    doubtful = tuple(suspects(chances, order, labels, good))
    degrees = temperature(chances, order, labels)
    chances = tempered(chances, degrees)
    bad = np.array([label != good for label in labels])
    certain = chances[:, order.index(good)]
    scores = weigh_crossed(certain, own.scores, bad, folds)
    shares = np.delete(chances, order.index(good), axis=1)
    others = [one for one in order if one != good]
    named = [others[int(one)] for one in shares.argmax(axis=1)]
    metrics: dict[str, Any] = {"calibration_error": _calibration(scores, bad)}
    if len(others) > 1:
        hits = sum(name == label for name, label in zip(named, labels, strict=True) if label != good)
        metrics["named_right"] = asdict(rate(hits, int(bad.sum()))) | {"value": hits / max(int(bad.sum()), 1)}
    judge = learn(told, labels)
    judge = replace(judge, weights=judge.weights / degrees, bias=judge.bias / degrees)
    return Learned(scores, own.condition, metrics, own.normal, judge, weigh(certain, own.scores, bad), None, doubtful)


class _Images:
    """Looks at images, two at a time, telling how far it is, and keeps the figures of the camera."""

    def __init__(self, pictures: Sequence[Picture], side: int, progress: Progress) -> None:
        self.pictures, self.side, self.progress = pictures, side, progress
        self.conditions: dict[int, Floats] = {}

    def seen(self, places: Sequence[int]) -> list[tuple[Glance, Floats]]:
        """Return what is kept of images and what their patches say together."""
        return self._each(self._seen, places)

    def judged(self, places: Sequence[int], normal: Normal) -> list[tuple[Odd, Floats]]:
        """Return how odd images are, and all that the judge of labels is told of them."""

        def one(place: int) -> tuple[Odd, Floats]:
            own, summed = self._seen(place)
            found = odd(normal, own)
            return found, witness(summed, own, found)

        return self._each(one, places)

    def _seen(self, place: int) -> tuple[Glance, Floats]:
        image = brought_to(self.pictures[place].pixels, self.side)
        self.conditions[place] = condition(image)
        found = look(image)
        return glance(found), summary(of_look(found))

    def _each(self, work: Callable[[int], Found], places: Sequence[int]) -> list[Found]:
        done = []
        with ThreadPoolExecutor(WORKERS) as pool:
            for one in pool.map(work, places):
                done.append(one)
                if self.progress:
                    self.progress(len(self.conditions), len(self.pictures))
        return done


def learned_places(marked: Sequence[Marked], classes: tuple[str, ...], side: int, progress: Progress = None) -> Learned:
    """Return a judge of places from images on which defects are marked, measured on groups it had not seen."""
    pictures = [one.picture for one in marked]
    seen, conditions = [], []
    for place, one in enumerate(pictures, 1):
        image = scaled_to(one.pixels, side)
        seen.append(glance(look(image)).joined())
        if one.label == classes[0]:
            conditions.append(condition(image))
        if progress:
            progress(place, len(pictures))
    labels = [cells(one.mask, own.rows, own.columns) for one, own in zip(marked, seen, strict=True)]
    folds = fold_of([one.group for one in pictures], FOLDS)
    chances: list[Floats] = [np.zeros(0)] * len(pictures)
    try:
        for fold in np.unique(folds):
            rest = np.flatnonzero(folds != fold).tolist()
            judge = learn_places([seen[place] for place in rest], [labels[place] for place in rest], classes)
            for place in np.flatnonzero(folds == fold).tolist():
                chances[place] = judge.chances(seen[place])
        whole = learn_places(seen, labels, classes)
    except Misuse as error:
        raise FaultyData([_groups(classes[0])]) from error
    found = located(chances, [one.mask for one in marked], classes, OVERLAP)
    metrics = {
        "patch_auroc": [found.patches.value, found.patches.low, found.patches.high],
        "region_overlap": found.overlap,
        "found_at_overlap": asdict(found.found) | {"value": found.found.value, "overlap": OVERLAP},
        "touched": asdict(found.touched) | {"value": found.touched.value},
        "false_boxes_per_image": found.false_boxes_per_image,
    }
    scores = np.array([float((1.0 - one[0]).max()) for one in chances])
    return Learned(scores, np.array(conditions), metrics, places=whole)


def limits(scores: Floats, good: NDArray[np.bool_], false_reject: float, escape: float | None) -> float:
    """Return the threshold that keeps what is promised; raise `FaultyData` when it cannot be kept, saying what could."""
    try:
        limit = threshold(scores[good], false_reject)
    except Misuse as error:
        raise FaultyData([_promise(int(good.sum()), false_reject, "合格品", "good", "false rejects", "--false-reject")]) from error  # fmt: skip
    if escape is None:
        return limit
    try:
        highest = escape_threshold(scores[~good], escape)
    except Misuse as error:
        raise FaultyData([_promise(int((~good).sum()), escape, "缺陷品", "bad", "escapes", "--escape")]) from error
    if highest < limit:
        share = float((scores[good] > highest).mean())
        message = Text(f"误判 {false_reject:g} 与漏检 {escape:g} 不能同时保证: 漏检 {escape:g} 时误判约 {share:.1%}。", f"{false_reject:g} false rejects and {escape:g} escapes cannot both be promised: at {escape:g} escapes about {share:.1%} good parts are rejected.")  # fmt: skip
        raise FaultyData([Problem("inspect.promises", message, Text("请放宽其一, 或补充图片。", "Promise less of one, or add images."))])  # fmt: skip
    return limit


def refuse_suspects(pictures: Sequence[Picture], places: Sequence[int]) -> None:
    """Raise `FaultyData` naming images whose labels the others contradict, when they are more than a few in a large set."""
    if len(places) > TOLERATED * len(pictures):
        raise FaultyData([
            Problem(
                "inspect.suspect",
                Text(f"标签“{pictures[place].label}”与其余图片的判断相反。", f"Its label '{pictures[place].label}' is contradicted by the other images."),
                Text("请人工复核; 确认无误可用 --despite-suspects。", "Have it looked at; if it is right, use --despite-suspects."),
                file=pictures[place].file,
            )
            for place in places[:SHOWN]
        ])  # fmt: skip


def _remembered(fine: NDArray[np.bool_], seed: int = 0) -> NDArray[np.bool_]:
    """Return which good images are remembered patch by patch: all, or a random part of too many."""
    places = np.flatnonzero(fine)
    if len(places) > MOST_REMEMBERED:
        places = np.random.default_rng(seed).choice(places, MOST_REMEMBERED, replace=False)
    kept = np.zeros(len(fine), dtype=bool)
    kept[places] = True
    return kept


def _far(scores: Floats) -> list[int]:
    """Return the places of good images that are far odder than the others, the oddest first: one of them may be bad."""
    middle = np.median(scores)
    spread = DEVIATION * np.median(np.abs(scores - middle))
    return [int(place) for place in np.argsort(-scores)[:SHOWN] if scores[place] > middle + FAR * spread]


def _calibration(chances: Floats, bad: NDArray[np.bool_], bins: int = 10) -> float:
    """Return how far chances are from what happened: mean over bins of the difference, by their images (expected calibration error)."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    gaps = np.abs(np.bincount(place, weights=chances, minlength=bins) - np.bincount(place, weights=bad, minlength=bins))
    return float(gaps.sum() / counts.sum())


def _groups(good: str) -> Problem:
    return Problem(
        "inspect.groups",
        Text(f"合格品“{good}”与缺陷的图片都来自太少的零件(group), 无法用没见过的图片检验。", f"Images of good parts '{good}' or of defects come from too few parts (groups): nothing could be measured on images not seen."),
        Text("至少两组, 每组都不含全部缺陷。", "At least two groups are needed, none of which holds all defects."),
    )  # fmt: skip


def _promise(count: int, fraction: float, zh: str, en: str, what: str, option: str) -> Problem:
    needed = int(np.ceil(1.0 / fraction)) - 1
    return Problem(
        "inspect.promise",
        Text(f"{count} 张{zh}不足以保证 {option} {fraction:g}。", f"{count} {en} images cannot promise {fraction:g} {what}."),
        Text(f"至少 {needed} 张, 或放宽 {option}。", f"At least {needed}, or promise less with {option}."),
    )  # fmt: skip
