"""Which pictures an inspector should look at next, and what an audit of the parts that were passed says.

Least sure first (Lewis and Gale 1994, A Sequential Algorithm for Training Text Classifiers, doi 10.1007/978-1-4471-2099-5_1); a near twin
of what has been looked at, or of one chosen before, comes last, so that a hundred pictures of one doubtful part do not fill the list.
Distance weighs no more than that: multiplied with the doubt (as greedy k-centre does, Sener and Savarese 2018, arXiv 1708.00489) it cost
labels on the photographs of `bench/inspection_queue.py`.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TWINS = 0.01
"""Two pictures are twins when they lie as near as the nearest hundredth of all pairs of the candidates."""


def doubt(scores: Floats, threshold: float) -> Floats:
    """Return how unsure each verdict is: 1 for the nearest to the threshold on either side, down to nearly 0 for the farthest.

    It goes by rank, so that it holds for chances and for distances alike.

    >>> doubt(np.array([0.1, 0.4, 0.6, 0.9]), 0.5).tolist()
    [0.5, 1.0, 1.0, 0.5]
    """
    if not len(scores):
        return np.zeros(0)
    below = scores <= threshold
    between = np.empty(len(scores))
    for side, sign in ((below, -1.0), (~below, 1.0)):
        order = np.argsort(sign * scores[side], kind="stable")
        place = np.empty(len(order))
        place[order] = np.arange(len(order))
        between[side] = place
    found: Floats = 1.0 - between / (between.max() + 1.0)
    return found


def in_turn(doubts: Floats, told: Floats, known: Floats, count: int) -> list[int]:
    """Return the places of ``count`` pictures to look at, in order: the most doubtful first, twins last.

    Parameters
    ----------
    doubts : from `doubt`, one a picture.
    told : what each picture says, picture × figure; each figure counts in its own standard deviations.
    known : the same of the pictures that were looked at already; may be empty.

    >>> two_twins_and_another = np.array([[0.0, 0.0], [0.0, 0.0], [5.0, 5.0]])
    >>> in_turn(np.array([1.0, 0.9, 0.6]), two_twins_and_another, np.zeros((0, 2)), 3)
    [0, 2, 1]
    """
    if not len(told):
        return []
    middle, scale = told.mean(axis=0), told.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    here, before = (told - middle) / scale, (known - middle) / scale
    apart = np.array([np.sqrt(((here - one) ** 2).sum(axis=1)) for one in here])
    between = apart[np.triu_indices(len(here), 1)]
    twin = float(np.quantile(between, TWINS)) if len(between) else 0.0
    nearest = np.full(len(here), np.inf)
    for one in before:
        nearest = np.minimum(nearest, np.sqrt(((here - one) ** 2).sum(axis=1)))
    chosen: list[int] = []
    for _ in range(min(count, len(here))):
        value = np.where(nearest <= twin, doubts - 2.0, doubts)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
        nearest = np.minimum(nearest, apart[chosen[-1]])
    return chosen


def drawn(key: str, fraction: float) -> bool:
    """Return whether a part is drawn for the audit: a hash of its id decides, so that nobody chooses and a repeat changes nothing.

    Each part is drawn by itself with the same chance (Bernoulli sampling: Särndal, Swensson, Wretman 1992, Model Assisted Survey
    Sampling, section 3.2).

    >>> sum(drawn(f"part {number}", 0.1) for number in range(10_000))
    1010
    """
    return int.from_bytes(hashlib.sha256(f"audit\n{key}".encode()).digest()[:8]) < fraction * 2.0**64
