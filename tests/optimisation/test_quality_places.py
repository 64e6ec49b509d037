"""Where defects are: patches, boxes and measures against cases made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.features import Patches
from zerofactory.optimisation.quality.places import (
    UNKNOWN,
    Box,
    boxes,
    boxes_of,
    cells,
    learn_places,
    located,
    region_overlap,
)

CLASSES = ("ok", "pit", "scratch")


def test_a_patch_is_a_defects_when_a_quarter_of_it_is() -> None:
    mask = np.zeros((32, 32), dtype=np.int64)
    mask[8:16, 8:16] = 1  # a whole patch
    mask[0:4, 24:28] = 2  # a quarter of one
    mask[24, 24] = 1  # one pixel
    found = cells(mask, 4, 4)
    assert found[1, 1] == 1
    assert found[0, 3] == 2
    assert found[3, 3] == UNKNOWN
    assert (found != 0).sum() == 3


def test_boxes_hold_what_hangs_together() -> None:
    chances = np.zeros((3, 4, 8))
    chances[0] = 1.0
    chances[:, 1, 1:3] = np.array([0.1, 0.8, 0.1])[:, None]
    chances[:, 3, 7] = (0.2, 0.1, 0.7)
    found = boxes(chances, CLASSES, (40, 80))
    assert found[0] == Box("pit", 0.9, 10, 10, 30, 20)
    assert (found[1].label, found[1].left, found[1].bottom) == ("scratch", 70, 40)
    mask = np.zeros((40, 80), dtype=np.int64)
    mask[10:20, 10:30] = 1
    assert boxes_of(mask, CLASSES) == (Box("pit", 1.0, 10, 10, 30, 20),)
    assert found[0].overlap(found[1]) == 0.0


def test_region_overlap_counts_each_defect_alike() -> None:
    """A large defect found whole and a small one missed: one half, however large the first."""
    labels = np.zeros((10, 10), dtype=np.int64)
    labels[0:4, 0:4] = 1
    labels[8, 8] = 1
    scores = np.where(labels > 0, 1.0, 0.5)
    scores[8, 8] = 0.0
    assert region_overlap([scores], [labels]) == pytest.approx(0.5)
    with pytest.raises(Misuse):
        region_overlap([scores], [np.zeros((10, 10), dtype=np.int64)])


def test_marked_patches_are_found_on_others() -> None:
    random = np.random.default_rng(4)
    seen, masks = [], []
    for number in range(12):
        mask = np.zeros((64, 64), dtype=np.int64)
        if number % 2:
            row, column = random.integers(0, 6, 2) * 8
            mask[row : row + 16, column : column + 16] = 1 + number % 4 // 2
        kinds = cells(mask, 8, 8).ravel()
        values = random.normal(size=(64, 20))
        values[kinds == 1, :5] += 3.0
        values[kinds == 2, 5:10] += 3.0
        seen.append(Patches(values.astype(np.float32), 8, 8))
        masks.append(mask)
    labels = [cells(one, 8, 8) for one in masks]
    judge = learn_places(seen[:8], labels[:8], CLASSES)
    found = located([judge.chances(one) for one in seen[8:]], masks[8:], CLASSES)
    assert found.patches.value > 0.98
    assert found.overlap > 0.9
    assert found.found.hits == found.found.of == 2
    with pytest.raises(Misuse):
        learn_places(seen[:1], labels[:1], CLASSES)
