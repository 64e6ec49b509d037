"""What good looks like: patches of good images, thinned to a core that still covers them; how far a new patch lies from it.

PatchCore (Roth et al. 2022, arXiv 2106.08265): greedy k-centre coreset (section 3.2, equation 5) in a random projection
(Johnson and Lindenstrauss), nearest neighbour distance per patch, the image's score from its farthest patch, weighed down
where the memory around is thin (section 3.3, equation 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Floats32 = NDArray[np.float32]
PROJECTED = 64
NEIGHBOURS = 9


@dataclass(frozen=True, slots=True)
class Memory:
    """Patches of good images: core × channel, and the squares of their lengths."""

    core: Floats32
    squares: Floats32

    @staticmethod
    def of(core: Floats32) -> Memory:
        """Return a memory of a core."""
        return Memory(core, (core**2).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Judged:
    """How odd an image is: a score, and the distance of each patch (rows × columns)."""

    score: float
    distances: Floats32


def remember(patches: Floats32, size: int, seed: int = 0) -> Memory:
    """Return a core of at most ``size`` patches: each next one is the patch that lies farthest from those taken.

    Raises
    ------
    Misuse
        There are no patches.
    """
    if not len(patches):
        raise Misuse("no patches to remember")
    if len(patches) <= size:
        return Memory.of(patches.astype(np.float32))
    random = np.random.default_rng(seed)
    turn = random.standard_normal((patches.shape[1], PROJECTED)).astype(np.float32) / np.float32(PROJECTED**0.5)
    low = patches @ turn
    squares = (low**2).sum(axis=1)
    chosen = np.empty(size, dtype=np.int64)
    chosen[0] = int(random.integers(len(low)))
    nearest = np.full(len(low), np.inf, dtype=np.float32)
    for place in range(size):
        at = chosen[place]
        np.minimum(nearest, squares - 2.0 * (low @ low[at]) + squares[at], out=nearest)
        if place + 1 < size:
            chosen[place + 1] = int(nearest.argmax())
    return Memory.of(patches[chosen].astype(np.float32))


def judge(memory: Memory, patches: Floats32, rows: int, columns: int) -> Judged:
    """Return how odd an image's patches are."""
    squared = memory.squares[None, :] - 2.0 * (patches @ memory.core.T) + (patches**2).sum(axis=1)[:, None]
    nearest = squared.argmin(axis=1)
    distances = np.sqrt(np.maximum(squared[np.arange(len(patches)), nearest], 0.0))
    farthest = int(distances.argmax())
    score = float(
        distances[farthest] * _rarity(memory, patches[farthest], int(nearest[farthest]), float(distances[farthest]))
    )
    return Judged(score, distances.reshape(rows, columns).astype(np.float32))


def _rarity(memory: Memory, patch: Floats32, nearest: int, distance: float) -> float:
    """Return 1 − exp(d*) / Σ exp(d), over the neighbours of the nearest patch of the memory."""
    here = memory.core[nearest]
    around = memory.squares - 2.0 * (memory.core @ here) + memory.squares[nearest]
    count = min(NEIGHBOURS, len(around))
    close = np.argpartition(around, count - 1)[:count]
    far = np.sqrt(np.maximum(((memory.core[close] - patch) ** 2).sum(axis=1), 0.0))
    scale = np.sqrt(memory.core.shape[1])
    top = max(distance, float(far.max())) / scale
    return float(1.0 - np.exp(distance / scale - top) / np.exp(far / scale - top).sum())
