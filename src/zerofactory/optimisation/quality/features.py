"""What an image says, patch by patch: maps of the pretrained network at several depths, of the image as it is and with its light evened out.

After Roth et al. 2022, Towards Total Recall in Industrial Anomaly Detection (PatchCore), arXiv 2106.08265, section 3.1: maps of
two depths, each averaged over 3 × 3 neighbours, the deeper one brought to the grid of the shallower one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.quality.backbone import graph

Floats32 = NDArray[np.float32]
TAPS = (4, 10)
"""After these blocks: strides 8 and 16, 40 and 112 channels."""
DEPTHS = (2, 4, 10, 14)
"""After these blocks a `Look` keeps maps: strides 4, 8, 16 and 32; 24, 40, 112 and 192 channels."""
STRIDE = 8
AROUND = 3
BROAD = 8
"""Light is what changes over more than an eighth of the image's side; the blur is done on an image of 32 pixels a side."""
SMALL, FLOOR, GAIN = 32, 20.0, 180.0
"""Evened out: 128 + 180 · (grey − blurred) / (blurred + 20); the 20 keep noise in the dark from being blown up."""
Light = Literal["plain", "even"]
LIGHTS: tuple[Light, ...] = ("plain", "even")


@dataclass(frozen=True, slots=True)
class Patches:
    """Features of the patches of one image: ``values`` is patch × channel, the grid ``rows`` × ``columns``, row by row."""

    values: Floats32
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Look:
    """Maps of one image, as it is and with its light evened out: for each, one map (channel × row × column) for each of `DEPTHS`."""

    plain: tuple[Floats32, ...]
    even: tuple[Floats32, ...]

    def maps(self, light: Light) -> tuple[Floats32, ...]:
        """Return the maps of one of the two."""
        return self.plain if light == "plain" else self.even


def look(image: NDArray[np.uint8], threads: int = 1) -> Look:
    """Return the maps of an image (height × width × 3, 0 … 255; both sides at least 32)."""
    run = session(threads, DEPTHS).run
    found = []
    for one in (image.astype(np.float32), evened(image)):
        maps = run(None, {"image": np.ascontiguousarray(one.transpose(2, 0, 1)[None])})
        found.append(tuple(map_[0] for map_ in maps))
    return Look(found[0], found[1])


def evened(image: NDArray[np.uint8]) -> Floats32:
    """Return an image in grey whose light is the same everywhere: what stands out from its surroundings, in parts of their brightness.

    >>> flat = np.full((64, 64, 3), 90, dtype=np.uint8)
    >>> float(abs(evened(flat) - 128).max())
    0.0
    """
    from PIL import Image

    grey = image.mean(axis=2, dtype=np.float32)
    size = (image.shape[1], image.shape[0])
    small = Image.fromarray(grey).resize((SMALL, SMALL), Image.Resampling.BOX)
    blurred = _blurred(np.asarray(small), SMALL / BROAD)
    light = np.asarray(Image.fromarray(blurred).resize(size, Image.Resampling.BILINEAR))
    even = np.clip(128.0 + GAIN * (grey - light) / (light + FLOOR), 0.0, 255.0)
    return np.repeat(even[:, :, None], 3, axis=2).astype(np.float32)


def _blurred(image: Floats32, spread: float) -> Floats32:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(image, spread), dtype=np.float32)


def joined(maps: Sequence[Floats32], depths: Sequence[int]) -> Patches:
    """Return the patches of some of a look's depths on the grid of stride 8: finer maps averaged, deeper ones stretched."""
    rows, columns = maps[DEPTHS.index(TAPS[0])].shape[1:]
    parts = []
    for depth in depths:
        one = maps[DEPTHS.index(depth)]
        if one.shape[1:] == (2 * rows, 2 * columns):
            one = one.reshape(len(one), rows, 2, columns, 2).mean(axis=(2, 4))
        elif one.shape[1:] != (rows, columns):
            one = _stretched(_around(one), rows, columns)
        parts.append(one)
    both = np.concatenate(parts)
    return Patches(np.ascontiguousarray(both.reshape(len(both), -1).T), rows, columns)


@lru_cache(maxsize=4)
def session(threads: int = 1, taps: tuple[int, ...] = TAPS) -> Any:
    """Return the network, ready to run on the processor, with the maps after the blocks of ``taps``."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph(taps), options, providers=["CPUExecutionProvider"])


def patches(image: NDArray[np.uint8], threads: int = 1) -> Patches:
    """Return the features of an image (height × width × 3, 0 … 255; both sides at least 32)."""
    x = np.ascontiguousarray(image.transpose(2, 0, 1)[None]).astype(np.float32)
    shallow, deep = (one[0] for one in session(threads).run(None, {"image": x}))
    return _with_neighbours(shallow, deep)


def of_look(seen: Look) -> Patches:
    """Return the same features from a look that is there."""
    return _with_neighbours(seen.plain[DEPTHS.index(TAPS[0])], seen.plain[DEPTHS.index(TAPS[1])])


def _with_neighbours(shallow: Floats32, deep: Floats32) -> Patches:
    shallow, deep = _around(shallow), _around(deep)
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
