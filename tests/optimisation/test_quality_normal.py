"""Good images alone: a second world of made-up castings, in which darkness says nothing, and the light that is evened out."""

from __future__ import annotations

import numpy as np
import pytest
from bench.castings import DEFECTS, casting

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.features import evened, look
from zerofactory.optimisation.quality.labels import temperature, tempered, weigh, weigh_crossed
from zerofactory.optimisation.quality.measure import auroc, escape_threshold
from zerofactory.optimisation.quality.normal import Normal, glance, learn_normal, odd

SIDE = 160


def test_odd_castings_are_told_from_good_ones_and_darkness_does_not_tell() -> None:
    glances = [glance(look(casting(seed, side=SIDE).pixels)) for seed in range(32)]
    normal, kept = learn_normal(glances[:20], np.arange(20) % 2)
    bad = [casting(seed, defect, SIDE) for seed in range(5) for defect in ("chip", "burr")]
    good_scores = np.array([odd(normal, one).score for one in glances[20:]])
    judged = [odd(normal, glance(look(one.pixels))) for one in bad]
    assert auroc(good_scores, np.array([one.score for one in judged])).value > 0.9
    dark = auroc(
        np.array([-float(np.percentile(casting(seed, side=SIDE).pixels, 2)) for seed in range(20, 32)]),
        np.array([-float(np.percentile(one.pixels, 2)) for one in bad]),
    )
    assert dark.value < 0.75
    hits = 0
    for one, found in zip(bad, judged, strict=True):
        row, column = np.unravel_index(int(found.distances.argmax()), found.distances.shape)
        down, right = np.nonzero(one.mask)
        hits += bool(np.hypot(down - 8 * row - 4, right - 8 * column - 4).min() < 16)
    assert hits >= 7
    assert np.median([one.score for one in kept]) == pytest.approx(0.0, abs=2.0)
    again = Normal.of_arrays(dict(normal.arrays()))
    assert odd(again, glances[25]).score == odd(normal, glances[25]).score
    with pytest.raises(Misuse):
        learn_normal(glances[:4], np.zeros(4, dtype=np.int64))


def test_castings_are_the_same_from_the_same_seed_and_marked_where_they_are_bad() -> None:
    for defect in DEFECTS:
        one, good = casting(7, defect, 96), casting(7, side=96)
        assert np.array_equal(one.pixels, casting(7, defect, 96).pixels)
        assert 0 < one.mask.sum() < 0.1 * one.mask.size
        assert not good.mask.any()


def test_evened_light_forgets_a_lamp_and_keeps_a_mark() -> None:
    plate = np.full((96, 96, 3), 120, dtype=np.uint8)
    lamp = (plate * np.linspace(0.7, 1.3, 96)[None, :, None]).astype(np.uint8)
    marked = lamp.copy()
    marked[45:50, 45:50] //= 2
    assert np.abs(evened(lamp)[8:-8, 16:-16] - 128).max() < 20
    assert np.abs(evened(marked) - 128).max() > 60


def test_labels_and_oddness_are_weighed_by_what_they_are_worth() -> None:
    random = np.random.default_rng(3)
    bad = np.arange(200) % 2 == 0
    oddness = random.normal(0, 3, 200) + 12 * bad
    says_nothing = np.full(200, 0.5)
    chances = weigh_crossed(says_nothing, oddness, bad, np.arange(200) // 40)
    assert auroc(chances[~bad], chances[bad]).value > 0.98
    assert weigh(says_nothing, oddness, bad).weights[1] > 0
    sure = np.where(bad, 0.01, 0.99)
    assert temperature(np.column_stack([sure, 1 - sure]), ("ok", "pit"), ["pit" if one else "ok" for one in bad]) < 1
    assert tempered(np.array([[0.9, 0.1]]), 1.0)[0] == pytest.approx([0.9, 0.1])


def test_escapes_stay_below_the_promise_on_new_parts() -> None:
    random = np.random.default_rng(6)
    passed = [
        float((random.normal(size=400) <= escape_threshold(random.normal(size=60), 0.05)).mean()) for _ in range(300)
    ]
    assert float(np.mean(passed)) <= 0.055
    with pytest.raises(Misuse, match="19 are needed"):
        escape_threshold(np.zeros(18), 0.05)
