"""Learn from labelled images: a linear judge over what the patches of an image say together, one score a class.

An image is told by mean, maximum and standard deviation of each channel over its patches; a logistic regression with a ridge
(Bishop 2006, Pattern Recognition and Machine Learning, 4.3.2) says how likely each class is. Labels that the other images
contradict are told before anything is learned for good.
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
SURE = 0.95
"""An image counts as mislabelled in suspicion when the others give its label less than the rest of this."""


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


def suspects(chances: Floats, classes: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the places of images whose label the others contradict, the clearest first."""
    own = np.array([chances[place, classes.index(label)] for place, label in enumerate(labels)])
    return [int(place) for place in np.argsort(own, kind="stable") if own[place] < 1.0 - SURE]
