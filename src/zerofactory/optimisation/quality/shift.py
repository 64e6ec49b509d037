"""Do some images lie apart from those of the reference? Exact rank sums of the figures of the camera, with a promised rate of false alarms.

While the images of a block come as those of the reference did (exchangeably), every order of them all is as likely as any other, so the
number of pairs in which the block's image lies above is Mann and Whitney's U whatever the law of the figures (Mann and Whitney 1947, On a
test of whether one of two random variables is stochastically larger than the other, doi 10.1214/aoms/1177730491). Its distribution is
counted exactly; each figure on both sides takes its share of the promise (Bonferroni). Ties are broken by chance drawn from the images'
own hashes, so the same images give the same answer.

That chance is taken over reference and block alike. A small reference may lie a little aside itself, and would then be held against every
block to come; so the medians must also lie apart by so many spreads of the reference, more than both medians err.

Images of a line do not come exchangeably where parts come in batches: the chance above says nothing of a block of one product only. So the
block's median must also lie beyond all but a small share of the reference; a product of a few times that share among what was learned from is
no change. Against images that resemble their neighbours in other ways (a lamp that slowly swings) nothing is promised.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import comb

import numpy as np

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.drift import FIGURES, LEAST, Floats


@dataclass(frozen=True, slots=True)
class Shift:
    """The figure that has moved most in a block of images.

    Parameters
    ----------
    figure, direction : what has moved, and where to ("lower", "higher").
    value, usual : its median in the block and in the reference.
    spreads : by how many spreads of the reference it has moved: 1.4826 × median absolute deviation, at least the floor of `figures.csv`.
    """

    figure: str
    direction: str
    value: float
    usual: float
    spreads: float


@lru_cache(maxsize=1)
def floors() -> tuple[float, ...]:
    """Return the least spread that counts, by figure (`figures.csv`)."""
    text = files("zerofactory.optimisation.quality").joinpath("figures.csv").read_text(encoding="utf-8")
    told = {row["figure"]: float(row["floor"]) for row in csv.DictReader(text.splitlines())}
    return tuple(told[name] for name in FIGURES)


def shifted(
    reference: Floats,
    block: Floats,
    hashes: Sequence[str],
    false_alarm_fraction: float,
    least_spreads: float = 0.0,
    most_beyond_fraction: float = 1.0,
) -> Shift | None:
    """Return what has moved in a block of images (image × figure) against a reference, None where nothing has.

    A block that comes as the reference did is told with at most the chance ``false_alarm_fraction``. One odd image moves no more than its
    own rank and is never told alone.

    Raises
    ------
    Misuse
        The reference is too small or knows more figures than the block.

    Examples
    --------
    >>> usual = np.arange(40.0)[:, None] % 7
    >>> found = shifted(usual, usual[:16] + 9.0, ["ab"] * 16, 1e-4)
    >>> found.figure, found.direction, found.value, found.usual
    ('brightness', 'higher', 11.5, 3.0)
    >>> shifted(usual, usual[:16], ["ab"] * 16, 1e-4) is None
    True
    """
    count = reference.shape[1]
    if (
        len(reference) < LEAST
        or block.ndim != 2
        or count > min(block.shape[1], len(FIGURES))
        or len(hashes) != len(block)
    ):
        raise Misuse(f"a reference of at least {LEAST} images with the figures of the block is needed")
    most = critical(len(reference), len(block), false_alarm_fraction / (2 * count))
    above = _above(reference, block[:, :count], hashes)
    pairs = len(reference) * len(block)
    found = []
    for place in range(count):
        for direction, against in (("lower", above[place]), ("higher", pairs - above[place])):
            if against <= most:
                usual, value = float(np.median(reference[:, place])), float(np.median(block[:, place]))
                spread = 1.4826 * float(np.median(np.abs(reference[:, place] - usual)))
                apart = abs(value - usual) / max(spread, floors()[place])
                past = reference[:, place] <= value if direction == "lower" else reference[:, place] >= value
                if apart >= least_spreads and past.mean() <= most_beyond_fraction:
                    found.append((-against, Shift(FIGURES[place], direction, value, usual, apart)))
    return max(found, key=lambda one: (one[0], one[1].spreads))[1] if found else None


def _above(reference: Floats, block: Floats, hashes: Sequence[str]) -> list[int]:
    """Return for each figure in how many pairs the block's image lies above the reference's; ties are broken by chance."""
    random = np.random.default_rng([int(one[:16] or "0", 16) for one in hashes])
    sums = []
    for place in range(block.shape[1]):
        every = np.concatenate([reference[:, place], block[:, place]])
        rank = np.empty(len(every), dtype=np.int64)
        rank[np.lexsort((random.random(len(every)), every))] = np.arange(len(every))
        sums.append(int(rank[len(reference) :].sum()) - len(block) * (len(block) - 1) // 2)
    return sums


@lru_cache(maxsize=256)
def critical(reference: int, block: int, level: float) -> int:
    """Return the greatest U that chance stays at or below with at most the chance ``level``, -1 where even 0 is likelier.

    The number of orders with U = u is the coefficient of q^u in the Gaussian binomial coefficient (Mann and Whitney 1947, recurrence 3),
    counted in whole numbers. Their table for n = m = 8: U ≤ 13 has the chance 0.025.

    >>> critical(8, 8, 0.025), critical(3, 2, 0.01)
    (13, -1)
    """
    half = reference * block // 2 + 1
    orders = [1] + [0] * (half - 1)
    for one in range(1, block + 1):
        for place in range(half - 1, reference + one - 1, -1):
            orders[place] -= orders[place - reference - one]
        for place in range(one, half):
            orders[place] += orders[place - one]
    bound, found, place = level * comb(reference + block, block), 0, -1
    while place + 1 < half and found + orders[place + 1] <= bound:
        place += 1
        found += orders[place]
    return place
