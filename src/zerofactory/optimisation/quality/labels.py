"""Learn from labelled images: a linear judge over what the patches of an image say together, one score a class.

An image is told by mean, maximum and standard deviation of each channel over its patches; a logistic regression with a ridge
(Bishop 2006, Pattern Recognition and Machine Learning, 4.3.2) says how likely each class is. What it says of images it has not seen
and how odd they are beside good ones are weighed by a second one, which also makes chances of what were scores (stacking: Wolpert
1992, doi 10.1016/S0893-6080(05)80023-1; Platt 1999). Labels that the other images contradict are told before anything is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.quality.features import Patches

Floats = NDArray[np.float64]
RIDGE = 10.0
"""Weight of the ridge against the sum of the losses: tens to hundreds of images against 456 figures each."""
MOST_ODD, SCALE = 40.0, 20.0
"""Oddness beyond this says no more; brought to about the size of log odds, so that one ridge is fair to both."""
DOUBT = 0.04
"""A label is suspect when the others give good or bad, whichever it says, less than this."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights of a logistic regression on standardised figures: figure × class."""

    classes: tuple[str, ...]
    middle: Floats
    spread: Floats
    weights: Floats
    bias: Floats

    def chances(self, told: Floats) -> Floats:
        """Return the chance of each class for images told as `summary` tells them: image × class."""
        scores = (told - self.middle) / self.spread @ self.weights + self.bias
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        chances: Floats = odds / odds.sum(axis=1, keepdims=True)
        return chances


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much the judge of labels and the oddness of an image count for its being bad: weights on log odds and oddness, and a bias."""

    weights: Floats
    bias: float

    def bad(self, chances_good: Floats, oddness: Floats) -> Floats:
        """Return the chance that each image is bad."""
        score = _evidence(chances_good, oddness) @ self.weights + self.bias
        chance: Floats = 1.0 / (1.0 + np.exp(-np.clip(score, -500.0, 500.0)))
        return chance


def temperature(chances: Floats, classes: Sequence[str], labels: Sequence[str]) -> float:
    """Return by what log odds are to be divided so that chances are neither too sure nor too timid (Guo et al. 2017, arXiv 1706.04599).

    >>> sure = np.array([[0.99, 0.01]] * 8 + [[0.01, 0.99]] * 2)
    >>> temperature(sure, ("a", "b"), ["a"] * 6 + ["b"] * 4) > 2
    True
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(chances, 1e-12))
    own = np.array([classes.index(label) for label in labels])

    def loss(size: float) -> float:
        cooled = logs / np.exp(size)
        return float((np.logaddexp.reduce(cooled, axis=1) - cooled[np.arange(len(own)), own]).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 3.0), method="bounded").x))


def tempered(chances: Floats, degrees: float) -> Floats:
    """Return chances whose log odds are divided by a temperature."""
    powers = np.maximum(chances, 1e-12) ** (1.0 / degrees)
    cooled: Floats = powers / powers.sum(axis=1, keepdims=True)
    return cooled


def weigh(chances_good: Floats, oddness: Floats, bad: NDArray[np.bool_]) -> Weighed:
    """Return how to weigh what was said of images by judges that had not seen them."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(_evidence(chances_good, oddness), bad)
    return Weighed(np.asarray(fitted.coef_[0]), float(fitted.intercept_[0]))


def weigh_crossed(chances_good: Floats, oddness: Floats, bad: NDArray[np.bool_], folds: NDArray[np.int64]) -> Floats:
    """Return the chance that each image is bad, weighed without the images of its own fold."""
    found = np.zeros(len(bad))
    for fold in np.unique(folds):
        away = folds == fold
        rest = ~away if len(set(bad[~away].tolist())) == 2 else np.ones_like(away)
        found[away] = weigh(chances_good[rest], oddness[rest], bad[rest]).bad(chances_good[away], oddness[away])
    return found


def _evidence(chances_good: Floats, oddness: Floats) -> Floats:
    sure = np.clip(chances_good, 1e-6, 1.0 - 1e-6)
    return np.column_stack([np.log((1.0 - sure) / sure), np.clip(oddness, -MOST_ODD, MOST_ODD) / MOST_ODD * SCALE])


def summary(image: Patches) -> Floats:
    """Return what an image's patches say together."""
    values = image.values.astype(np.float64)
    return np.concatenate([values.mean(axis=0), values.max(axis=0), values.std(axis=0)])


def learn(told: Floats, labels: Sequence[str]) -> Linear:
    """Return the judge that fits labelled images."""
    from sklearn.linear_model import LogisticRegression

    classes = tuple(sorted(set(labels)))
    middle, spread = told.mean(axis=0), told.std(axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    fitted = LogisticRegression(C=1.0 / RIDGE, max_iter=5000).fit((told - middle) / spread, np.asarray(labels))
    weights, bias = fitted.coef_.T, fitted.intercept_
    if len(classes) == 2:
        weights, bias = np.column_stack([-weights / 2, weights / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    return Linear(classes, middle, spread, np.asarray(weights), np.asarray(bias))


def crossed(
    told: Floats, labels: Sequence[str], groups: Sequence[str], folds: int = 5
) -> tuple[Floats, tuple[str, ...]]:
    """Return the chances each image gets from judges that have seen nothing of its group, and the classes in their order.

    Groups (one part, one photograph) are never split; folds are filled in turn, the largest groups first.
    """
    classes = tuple(sorted(set(labels)))
    fold = fold_of(groups, folds)
    found = np.full((len(labels), len(classes)), 1.0 / len(classes))
    for number in range(folds):
        away = fold == number
        rest = [label for label, out in zip(labels, away, strict=True) if not out]
        if not away.any() or len(set(rest)) < 2:
            continue
        judge = learn(told[~away], rest)
        found[np.ix_(away, [classes.index(one) for one in judge.classes])] = judge.chances(told[away])
    return found, classes


def fold_of(groups: Sequence[str], folds: int) -> NDArray[np.int64]:
    """Return the fold of each image: groups stay together, folds are about equally full."""
    names, counts = np.unique(np.asarray(groups), return_counts=True)
    full = np.zeros(folds, dtype=np.int64)
    place: dict[str, int] = {}
    for at in np.argsort(-counts, kind="stable"):
        place[str(names[at])] = int(full.argmin())
        full[full.argmin()] += counts[at]
    return np.array([place[one] for one in groups], dtype=np.int64)


def suspects(chances: Floats, classes: Sequence[str], labels: Sequence[str], good: str) -> list[int]:
    """Return the places of images labelled good that the others hold for bad, or the other way round, the clearest first."""
    certain = chances[:, list(classes).index(good)]
    own = np.where(np.array(labels) == good, certain, 1.0 - certain)
    return [int(place) for place in np.argsort(own, kind="stable") if own[place] < DOUBT]
