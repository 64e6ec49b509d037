"""What good parts look like, learned from good images alone: several senses, each standardised by what it says of good images it has not seen.

- *Patches* of the image as it is, and of the image with its light evened out: distance to the nearest of a core of good patches
  (PatchCore, Roth et al. 2022, arXiv 2106.08265) where good patches are round (whitened: Mahalanobis' distance, as in PaDiM,
  Defard et al. 2021, arXiv 2011.08785). An image is as odd as its oddest patches are beside its middle ones.
- The *whole image*: distance of the peak of each channel from those of good images, by a shrunk covariance, at each depth (Rippel,
  Mertens, Merhof 2021, arXiv 2005.14140; Ledoit and Wolf 2004, doi 10.1016/S0047-259X(03)00096-4).

The log of each sense's answer is brought to median 0 and spread 1 over good images (median, and median of deviations); the sum is
the score. ADR 0035 tells how the senses were chosen, on which images, and what they are worth on others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.features import DEPTHS, Light, Look, Patches, joined, of_look
from zerofactory.optimisation.quality.memory import remember

Floats = NDArray[np.float64]
Floats16 = NDArray[np.float16]
Floats32 = NDArray[np.float32]
CORE, MOST_PATCHES = 800, 16_000
"""Patches remembered, and patches they are chosen from (a random part of all, beyond it)."""
NEAREST = 3
SHRINK = 0.01
"""Share of the mean variance in the covariance of patches, so that whitening blows up nothing that never varied."""
DEVIATION = 1.4826
"""Median absolute deviation times this is the standard deviation of a normal distribution."""
HOT = 0.999
ODDEST = 5
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Sense:
    """A sense of patches: which image, which depths joined, and the share of patches that speak; ``beside`` the middle one or not."""

    light: Light
    depths: tuple[int, ...]
    share: float
    beside: bool


SENSES = (
    Sense("plain", (2, 4), 0.01, True),
    Sense("even", (2, 4), 0.01, True),
    Sense("plain", (4, 10), 0.10, False),
)
MAPS = 2
"""The first senses draw the heat map."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What is kept of an image to learn from: patches of each sense (patch × channel), and the peak of each channel by depth."""

    patches: tuple[Floats16, ...]
    peaks: tuple[Floats32, ...]
    rows: int
    columns: int

    def oddest(self, distances: Floats32) -> Floats:
        """Return what the oddest patches look like: the mean of a few, all senses side by side."""
        at = np.argsort(-distances.ravel(), kind="stable")[:ODDEST]
        return np.concatenate([one[at].astype(np.float64).mean(axis=0) for one in self.patches])

    def joined(self) -> Patches:
        """Return the patches of all senses side by side: what places are learned from."""
        return Patches(np.concatenate(self.patches, axis=1).astype(np.float32), self.rows, self.columns)


@dataclass(frozen=True, slots=True)
class Cloud:
    """A middle and the turn that makes what lies around it round and of spread one."""

    middle: Floats32
    turn: Floats32

    def rounded(self, values: NDArray[Any]) -> Floats32:
        """Return values (place × channel) in the round space."""
        return np.asarray((values.astype(np.float32) - self.middle) @ self.turn, dtype=np.float32)


@dataclass(frozen=True)
class Normal:
    """What good looks like.

    Parameters
    ----------
    spaces, cores : of each sense of patches, where good ones are round and those remembered of them.
    wholes : for each depth the cloud of whole images.
    usual, spread : of the log of what each sense answers for good images not learned from.
    heat : distance of the middle patch of such images, and the one that all but a thousandth stay below: 0 and 1 of the map.
    """

    spaces: tuple[Cloud, ...]
    cores: tuple[Floats32, ...]
    wholes: tuple[Cloud, ...]
    usual: Floats
    spread: Floats
    heat: Floats

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield what is to be kept, by name."""
        yield "usual", self.usual
        yield "spread", self.spread
        yield "heat", self.heat
        for name, clouds in (("space", self.spaces), ("whole", self.wholes)):
            for place, one in enumerate(clouds):
                yield f"{name}{place}_middle", one.middle
                yield f"{name}{place}_turn", one.turn
        for place, core in enumerate(self.cores):
            yield f"core{place}", core

    @staticmethod
    def of_arrays(kept: Any) -> Normal:
        """Return what was kept."""
        spaces = tuple(Cloud(kept[f"space{place}_middle"], kept[f"space{place}_turn"]) for place in range(len(SENSES)))
        wholes = tuple(Cloud(kept[f"whole{place}_middle"], kept[f"whole{place}_turn"]) for place in range(len(DEPTHS)))
        cores = tuple(kept[f"core{place}"] for place in range(len(SENSES)))
        return Normal(spaces, cores, wholes, kept["usual"], kept["spread"], kept["heat"])


@dataclass(frozen=True, slots=True)
class Odd:
    """How odd an image is: what each sense answers in its own spreads above the usual, their sum, and the map (rows × columns).

    In the map 0 is a usual patch of a good part; one patch in a thousand of good parts is above 1.
    """

    senses: Floats
    score: float
    distances: Floats32


def glance(seen: Look) -> Glance:
    """Return what is kept of a look."""
    found = [_patches(seen, one) for one in SENSES]
    peaks = tuple(one.max(axis=(1, 2)) for one in seen.even)
    return Glance(
        tuple(one.values.astype(np.float16) for one in found), peaks, found[0].rows, found[0].columns,
    )  # fmt: skip


def _patches(seen: Look, sense: Sense) -> Patches:
    if sense.depths == (4, 10) and sense.light == "plain":
        return of_look(seen)
    return joined(seen.maps(sense.light), sense.depths)


def learn_normal(seen: Sequence[Glance], folds: NDArray[np.int64], seed: int = 0) -> tuple[Normal, list[Odd]]:
    """Return what good looks like, and how odd each good image is when its fold was not learned from.

    Raises
    ------
    Misuse
        Fewer than two folds hold images: nothing could be said of images not seen.
    """
    there = np.unique(folds)
    if len(there) < 2:
        raise Misuse("good images in at least two folds are needed")
    raw, maps = np.zeros((len(seen), len(SENSES) + 1)), [np.zeros((0, 0), dtype=np.float32)] * len(seen)
    for fold in there:
        part = _fitted([one for one, place in zip(seen, folds, strict=True) if place != fold], seed)
        for place in np.flatnonzero(folds == fold).tolist():
            raw[place], maps[place] = _answers(part, seen[place])
    usual = np.median(raw, axis=0)
    spread = DEVIATION * np.median(np.abs(raw - usual), axis=0)
    spread = np.maximum(np.where(spread > TINY, spread, raw.std(axis=0)), TINY)
    whole = _fitted(seen, seed)
    heat = np.quantile(np.concatenate([one.ravel() for one in maps]), (0.5, HOT)).astype(np.float64)
    return Normal(whole.spaces, whole.cores, whole.wholes, usual, spread, heat), [
        _odd((answers - usual) / spread, drawn, heat) for answers, drawn in zip(raw, maps, strict=True)
    ]


def odd(normal: Normal, seen: Glance) -> Odd:
    """Return how odd an image is."""
    raw, distances = _answers(normal, seen)
    return _odd((raw - normal.usual) / normal.spread, distances, normal.heat)


def _odd(senses: Floats, distances: Floats32, heat: Floats) -> Odd:
    low, high = heat
    return Odd(senses, float(senses.sum()), np.asarray((distances - low) / max(high - low, TINY), dtype=np.float32))


def _fitted(seen: Sequence[Glance], seed: int) -> Normal:
    spaces, cores = [], []
    for place in range(len(SENSES)):
        own = _some(seen, place, seed)
        space = _cloud(own, SHRINK)
        spaces.append(space)
        cores.append(remember(space.rounded(own), CORE, seed).core)
    wholes = tuple(_cloud(np.array([one.peaks[depth] for one in seen]), None) for depth in range(len(DEPTHS)))
    nothing = np.zeros(len(SENSES) + 1)
    return Normal(tuple(spaces), tuple(cores), wholes, nothing, nothing + 1.0, np.array([0.0, 1.0]))


def _some(seen: Sequence[Glance], place: int, seed: int) -> Floats32:
    """Return patches of a sense over all images, at most `MOST_PATCHES`, as many of each image."""
    random = np.random.default_rng(seed)
    most = max(1, MOST_PATCHES // len(seen))
    parts = []
    for one in seen:
        own = one.patches[place]
        parts.append(own[np.sort(random.choice(len(own), most, replace=False))] if len(own) > most else own)
    return np.concatenate(parts).astype(np.float32)


def _cloud(values: Floats32, shrink: float | None) -> Cloud:
    """Return the cloud of values; without a share to shrink by, Ledoit and Wolf's is taken."""
    middle = values.mean(axis=0, dtype=np.float64)
    centred = values - middle
    if shrink is None:
        from sklearn.covariance import ledoit_wolf

        covariance = ledoit_wolf(centred, assume_centered=True)[0]
    else:
        covariance = centred.T @ centred / len(values)
        own = np.trace(covariance) / len(covariance)
        covariance = (1.0 - shrink) * covariance + shrink * own * np.eye(len(covariance))
    squares, axes = np.linalg.eigh(covariance)
    turn = axes / np.sqrt(np.maximum(squares, max(float(squares.max()) * 1e-9, TINY)))
    return Cloud(middle.astype(np.float32), turn.astype(np.float32))


def _answers(normal: Normal, seen: Glance) -> tuple[Floats, Floats32]:
    """Return the logs of what the senses answer, and the heat map."""
    found, maps = [], []
    for place, sense in enumerate(SENSES):
        far = _distances(normal.cores[place], normal.spaces[place].rounded(seen.patches[place]))
        most = max(1, int(sense.share * len(far)))
        answer = float(np.partition(far, len(far) - most)[-most:].mean())
        found.append(1.0 + answer - float(np.median(far)) if sense.beside else answer)
        if place < MAPS:
            maps.append(far.reshape(seen.rows, seen.columns))
    whole = sum(float(np.sqrt((one.rounded(peaks[None]) ** 2).sum())) for one, peaks in zip(normal.wholes, seen.peaks, strict=True))  # fmt: skip
    logs = np.log(np.maximum([*found, whole], TINY))
    return logs, np.mean(maps, axis=0, dtype=np.float32)


def _distances(core: Floats32, values: Floats32) -> Floats32:
    """Return the mean distance of each value from the nearest few of a core."""
    squared = (core**2).sum(axis=1)[None, :] - 2.0 * (values @ core.T) + (values**2).sum(axis=1)[:, None]
    few = min(NEAREST, len(core))
    near = np.partition(squared, few - 1, axis=1)[:, :few] if few < len(core) else squared
    return np.asarray(np.sqrt(np.maximum(near, 0.0)).mean(axis=1), dtype=np.float32)
