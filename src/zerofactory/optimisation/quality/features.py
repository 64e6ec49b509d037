"""What an image says, patch by patch: maps of the pretrained network, each patch with its neighbours, on one grid.

After Roth et al. 2022, Towards Total Recall in Industrial Anomaly Detection (PatchCore), arXiv 2106.08265, section 3.1: maps of
two depths, each averaged over 3 × 3 neighbours, the deeper one brought to the grid of the shallower one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.quality.backbone import graph

Floats32 = NDArray[np.float32]
TAPS = (4, 10)
"""After these blocks: strides 8 and 16, 40 and 112 channels."""
STRIDE = 8
AROUND = 3


@dataclass(frozen=True, slots=True)
class Patches:
    """Features of the patches of one image: ``values`` is patch × channel, the grid ``rows`` × ``columns``, row by row."""

    values: Floats32
    rows: int
    columns: int


@lru_cache(maxsize=2)
def session(threads: int = 1) -> Any:
    """Return the network, ready to run on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph(TAPS), options, providers=["CPUExecutionProvider"])


def patches(image: NDArray[np.uint8], threads: int = 1) -> Patches:
    """Return the features of an image (height × width × 3, 0 … 255; both sides at least 32)."""
    x = np.ascontiguousarray(image.transpose(2, 0, 1)[None]).astype(np.float32)
    shallow, deep = (_around(one[0]) for one in session(threads).run(None, {"image": x}))
    rows, columns = shallow.shape[1:]
    both = np.concatenate([shallow, _stretched(deep, rows, columns)])
    return Patches(np.ascontiguousarray(both.reshape(len(both), -1).T), rows, columns)


def _around(maps: Floats32) -> Floats32:
    """Return maps averaged over each place and its neighbours; at the rim over those there are."""
    side = AROUND // 2
    padded = np.pad(maps, ((0, 0), (side, side), (side, side)))
    known = np.pad(np.ones(maps.shape[1:], dtype=np.float32), side)
    total, count = np.zeros_like(maps), np.zeros(maps.shape[1:], dtype=np.float32)
    for down in range(AROUND):
        for right in range(AROUND):
            total += padded[:, down : down + maps.shape[1], right : right + maps.shape[2]]
            count += known[down : down + maps.shape[1], right : right + maps.shape[2]]
    return total / count


def _stretched(maps: Floats32, rows: int, columns: int) -> Floats32:
    """Return maps on a finer grid, linear between the centres of the places."""
    down = _between(maps.shape[1], rows)
    right = _between(maps.shape[2], columns)
    stretched: Floats32 = (down @ maps @ right.T).astype(np.float32)
    return stretched


def _between(here: int, there: int) -> Floats32:
    """Return the weights that bring ``here`` places to ``there``: there × here, each row adds up to one."""
    at = np.clip((np.arange(there) + 0.5) * here / there - 0.5, 0, here - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, here - 1)
    weights = np.zeros((there, here), dtype=np.float32)
    np.add.at(weights, (np.arange(there), low), 1.0 - (at - low))
    np.add.at(weights, (np.arange(there), high), at - low)
    return weights
