"""Drawing: the simulated emissions of a linear form, block by block, every variate drawn once and used wherever its part occurs.

    E = Σ_lines x × m_amount × Π m_factor

Normals come from one PCG64 stream, draw by draw, parts in the order of their keys; so neither the order of records nor the length of
a block moves a figure, and a longer run begins with the draws of a shorter one. Lines that share all their factors are summed first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from zerofactory.accounting.spread import Z95, Floats, Ints, Part, Spread

BLOCK_VARIATES = 1 << 17  # variates held at once (1 MB), so that a block stays near the processor
LEAST_WIDTH = 256  # draws of a block at least, so that its fixed cost does not count
LAYERS = 16  # lines of a bundle that are added layer by layer
SHAPES = ("normal", "lognormal", "triangular")


def sampled(spread: Spread, draws: int, seed: int) -> Floats:
    """Return simulated grams of each group, shape (groups, draws)."""
    random = np.random.Generator(np.random.PCG64(seed))
    plan = _plan(spread)
    totals = np.zeros((len(spread.groups), draws))
    if not len(plan.amounts_g):
        return totals
    width = min(draws, max(LEAST_WIDTH, BLOCK_VARIATES // max(plan.parts, len(plan.amounts_g))))
    drawn, bench = np.empty((width, plan.parts)), _Bench.of(plan, width)
    for first in range(0, draws, width):
        last = min(draws, first + width)
        random.standard_normal(out=drawn[: last - first])
        _block(plan, drawn[: last - first], bench, totals[:, first:last])
    return totals


@dataclass(frozen=True, slots=True)
class _Shared:
    """The shared parts, normal ones first, then lognormal, then triangular: the row of each one's variate and its relative sd."""

    parts: tuple[Part, ...]
    rows: Ints
    deviations: Floats
    normal: int
    lognormal: int

    @staticmethod
    def of(parts: Sequence[Part], number: dict[str, int]) -> _Shared:
        """Return parts that are sorted by shape, with the number of each key."""
        return _Shared(
            tuple(parts),
            np.array([number[part.key] for part in parts], dtype=np.int64),
            np.array([part.half_width_fraction / Z95 for part in parts]),
            sum(part.shape == "normal" for part in parts),
            sum(part.shape != "triangular" for part in parts),
        )


@dataclass(frozen=True, slots=True)
class _Layers:
    """The order of lines: the first of every bundle, then the second, …; what is left of long bundles at the end.

    ``adds`` are the bundles of a layer with its first and last row, ``tails`` a bundle with the rows of its rest. ``count`` bundles.
    """

    count: int
    order: Ints
    adds: tuple[tuple[Ints, int, int], ...]
    tails: tuple[tuple[int, int, int], ...]


def _layers(bundles: Ints, lines: int) -> _Layers:
    """Return the layers of lines that stand bundle by bundle."""
    lengths = np.diff(bundles, append=lines)
    order, adds, tails, row = [bundles], [], [], len(bundles)
    for place in range(1, min(LAYERS, int(lengths.max(initial=0)))):
        there = np.flatnonzero(lengths > place)
        order.append(bundles[there] + place)
        adds.append((there, row, row + len(there)))
        row += len(there)
    for bundle in np.flatnonzero(lengths > LAYERS).tolist():
        rest = np.arange(bundles[bundle] + LAYERS, bundles[bundle] + lengths[bundle])
        order.append(rest)
        tails.append((bundle, row, row + len(rest)))
        row += len(rest)
    return _Layers(len(bundles), np.concatenate(order), tuple(adds), tuple(tails))


@dataclass(frozen=True, slots=True)
class _Plan:
    """The lines of a spread in bundles of the same group and pattern: Σ x × m_amount of a bundle, then × Π m of its shared parts.

    ``rows`` gives the variate of each line's amount, ``deviations`` its relative sd, ``lognormal`` the lines of that shape; the others
    are x + slope × z, their x summed in ``bases_g``. Lines stand in ``layers``, ``groups`` are the first bundles of groups. ``places`` holds, for each place of a product, the row of the multipliers
    for every bundle; the last row is 1.
    """

    parts: int
    rows: Ints
    amounts_g: Floats
    deviations: Floats
    slopes_g: Floats
    bases_g: Floats
    lognormal: Ints
    layers: _Layers
    groups: Ints
    group_of: Ints
    places: tuple[Ints, ...]
    shared: _Shared


def _plan(spread: Spread) -> _Plan:
    """Return the order in which variates are drawn (by key) and the bundles of lines that use them."""
    shared = sorted(
        {part for pattern in spread.patterns for part in pattern.shared},
        key=lambda part: (SHAPES.index(part.shape), astuple(part)),
    )
    keys = sorted({*spread.activities, *(part.key for part in shared)})
    number = {key: index for index, key in enumerate(keys)}
    own = np.array([number[key] for key in spread.activities], dtype=np.int64)
    code = spread.line_group * max(1, len(spread.patterns)) + spread.line_pattern
    bundles = np.flatnonzero(np.diff(code, prepend=-1))
    layers = _layers(bundles, len(code))
    order = layers.order
    group_of = spread.line_group[bundles]
    groups = np.flatnonzero(np.diff(group_of, prepend=-1))
    widths = np.array([pattern.activity.half_width_fraction for pattern in spread.patterns])
    shapes = np.array([pattern.activity.shape == "lognormal" for pattern in spread.patterns], dtype=bool)
    deviations, skewed = widths[spread.line_pattern] / Z95, shapes[spread.line_pattern]
    plain = np.where(skewed, 0.0, spread.amounts_g)
    return _Plan(
        parts=len(keys),
        rows=own[spread.line_activity][order],
        amounts_g=spread.amounts_g[order],
        deviations=deviations[order],
        slopes_g=(spread.amounts_g * deviations)[order],
        bases_g=np.add.reduceat(plain, bundles) if len(plain) else plain,
        lognormal=np.flatnonzero(skewed[order]),
        layers=layers,
        groups=groups,
        group_of=group_of[groups],
        places=_places(spread, bundles, shared),
        shared=_Shared.of(shared, number),
    )


def _places(spread: Spread, bundles: Ints, shared: Sequence[Part]) -> tuple[Ints, ...]:
    """Return, for each place of a product, the number of the shared part of every bundle (one past the last: none)."""
    chosen = [spread.patterns[index].shared for index in spread.line_pattern[bundles]]
    row = {part: index for index, part in enumerate(shared)}
    return tuple(
        np.array([row[own[j]] if j < len(own) else len(shared) for own in chosen], dtype=np.int64)
        for j in range(max((len(own) for own in chosen), default=0))
    )


@dataclass(frozen=True, slots=True)
class _Bench:
    """Arrays that every block works in, so that none is allocated twice: by part, by line, by bundle, by shared part."""

    normals: Floats
    grams: Floats
    factors: Floats
    known: Floats

    @staticmethod
    def of(plan: _Plan, width: int) -> _Bench:
        """Return arrays for blocks of a number of draws."""
        rows = (plan.parts, len(plan.rows), plan.layers.count, len(plan.shared.parts) + 1)
        return _Bench(*(np.ones((height, width)) for height in rows))


def _block(plan: _Plan, drawn: Floats, bench: _Bench, totals: Floats) -> None:
    """Write one block of draws of each group; ``drawn`` is (draws, parts) of standard normals."""
    if len(drawn) < bench.normals.shape[1]:
        bench = _Bench.of(plan, len(drawn))
    normals, grams, sums = bench.normals, bench.grams, bench.grams[: plan.layers.count]
    np.copyto(normals, drawn.T)
    np.take(normals, plan.rows, axis=0, out=grams, mode="clip")
    skewed = _lognormal_rows(grams[plan.lognormal], plan.deviations[plan.lognormal]) if len(plan.lognormal) else None
    grams *= plan.slopes_g[:, None]
    if skewed is not None:
        grams[plan.lognormal] = skewed * plan.amounts_g[plan.lognormal, None]
    for bundles, first, last in plan.layers.adds:
        sums[bundles] += grams[first:last]
    for bundle, first, last in plan.layers.tails:
        sums[bundle] += np.add.reduce(grams[first:last], axis=0)
    sums += plan.bases_g[:, None]
    if plan.places:
        _multipliers(plan.shared, normals, bench.known)
        for place in plan.places:
            np.take(bench.known, place, axis=0, out=bench.factors, mode="clip")
            sums *= bench.factors
    totals[plan.group_of] = np.add.reduceat(sums, plan.groups, axis=0)


def _multipliers(shared: _Shared, normals: Floats, known: Floats) -> None:
    """Write the multipliers of every shared part; two shapes of one key rise and fall together."""
    np.take(normals, shared.rows, axis=0, out=known[:-1], mode="clip")
    plain, skewed = slice(0, shared.normal), slice(shared.normal, shared.lognormal)
    known[plain] *= shared.deviations[plain, None]
    known[plain] += 1.0
    known[skewed] = _lognormal_rows(known[skewed], shared.deviations[skewed])
    for index in range(shared.lognormal, len(shared.parts)):
        known[index] = triangular(known[index], shared.parts[index].low, shared.parts[index].high)


def lognormal(normals: Floats, deviation: float) -> Floats:
    """Return lognormal multipliers of mean 1 and a standard deviation from standard normals: σ² = ln(1 + sd²), m = exp(σz − σ²/2)."""
    return np.asarray(_lognormal_rows(normals[None, :], np.array([deviation]))[0])


def _lognormal_rows(normals: Floats, deviations: Floats) -> Floats:
    """Return `lognormal` of each row with its own standard deviation."""
    variance = np.log1p(deviations**2)[:, None]
    return np.asarray(np.exp(np.sqrt(variance) * normals - variance / 2))


def triangular(normals: Floats, low: float, high: float) -> Floats:
    """Return triangular multipliers on low … 1 … high from standard normals, through their probabilities.

    Examples
    --------
    >>> triangular(np.array([-40.0, 0.0, 40.0]), 0.5, 1.5).tolist()
    [0.5, 1.0, 1.5]
    """
    chance = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in normals.tolist()])
    width, rise = high - low, 1.0 - low
    left = low + np.sqrt(chance * width * rise)
    right = high - np.sqrt((1.0 - chance) * width * (high - 1.0))
    return np.where(chance < rise / width, left, right)
