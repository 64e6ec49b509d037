"""Blocks of pictures against a reference: the table of Mann and Whitney, the promise kept, one odd picture no drift; and bounds of rates."""

from __future__ import annotations

import numpy as np
import pytest

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.drift import FIGURES
from zerofactory.optimisation.quality.kept_promise import Looked, escapes, false_rejects
from zerofactory.optimisation.quality.shift import critical, floors, shifted


def names(count: int, seed: int) -> list[str]:
    return [f"{seed * 1000 + number:016x}" for number in range(count)]


@pytest.mark.parametrize(("first", "second", "most"), [(5, 5, 2), (8, 8, 13), (10, 10, 23), (20, 10, 55), (20, 20, 127)])  # fmt: skip
def test_the_published_table_of_u(first: int, second: int, most: int) -> None:
    """Two-sided 5 %, as every table of U has it."""
    assert critical(first, second, 0.025) == most


def test_scipy_counts_the_same_orders() -> None:
    from scipy.stats import mannwhitneyu

    for reference, block, level in ((40, 16, 4e-6), (12, 16, 1e-4), (9, 5, 0.01)):
        most = critical(reference, block, level)
        chances = [_chance(mannwhitneyu, reference, block, most + more) for more in (0, 1)]
        assert chances[0] <= level < chances[1]


def _chance(test: object, reference: int, block: int, wanted: int) -> float:
    """Return the chance of U ≤ wanted as scipy has it: a block placed so that it lies above in just so many pairs."""
    places, left = [], wanted
    for _ in range(block):
        places.append(min(left, reference))
        left -= places[-1]
    values = np.array(places) - 0.5 + np.linspace(0.0, 0.1, block)
    found = test(values, np.arange(float(reference)), alternative="less", method="exact")  # type: ignore[operator]
    assert found.statistic == wanted
    return float(found.pvalue)


def test_false_alarms_stay_below_the_promise() -> None:
    """1500 blocks with a reference of their own that come from the same skewed law; promised 5 %."""
    random = np.random.default_rng(5)
    raised = sum(
        shifted(random.gamma(2.0, size=(30, 7)), random.gamma(2.0, size=(16, 7)), names(16, one), 0.05) is not None
        for one in range(1500)
    )
    assert 40 <= raised <= 95  # binomial(1500, 0.05) leaves 52 … 100 with chance 1e-2; exact, so not far below either


def test_a_small_reference_is_not_held_against_every_day() -> None:
    """Ten pictures to learn from: a year of one camera. The chance beyond the promise is what two spreads take away."""
    random = np.random.default_rng(2)
    told = []
    for one in range(40):
        reference = random.normal(size=(10, 7)) * 5.0
        told += [shifted(reference, random.normal(size=(16, 7)) * 5.0, names(16, one * 50 + day), 0.001 / 18, 2.0) for day in range(50)]  # fmt: skip
    assert sum(one is not None for one in told) <= 5  # of 2000 blocks


def test_one_odd_picture_is_no_drift_and_a_changed_camera_is_named() -> None:
    random = np.random.default_rng(1)
    reference, block = random.normal(100.0, 3.0, (50, 7)), random.normal(100.0, 3.0, (16, 7))
    block[3] = 0.0
    block[9] = 1e6
    assert shifted(reference, block, names(16, 1), 0.001) is None
    darker = block - np.array([30.0, 0, 0, 0, 0, 0, 0])
    found = shifted(reference, darker, names(16, 1), 1e-4, 2.0)
    assert found is not None
    assert (found.figure, found.direction) == ("brightness", "lower")
    assert found == shifted(reference, darker, names(16, 1), 1e-4, 2.0)
    assert 8.0 < found.spreads < 16.0  # ten of the law, by the spread of fifty
    assert len(floors()) == len(FIGURES)
    earlier = shifted(reference[:, :5], darker, names(16, 1), 1e-4, 2.0)  # a model that knows no position
    assert earlier is not None
    assert earlier.figure == "brightness"


def test_equal_pictures_are_no_drift_and_little_differences_do_not_count() -> None:
    reference, block = np.zeros((30, 7)), np.zeros((16, 7))
    assert shifted(reference, block, names(16, 1), 0.01) is None
    assert shifted(reference, block + 1e-4, names(16, 1), 0.01) is not None
    assert shifted(reference, block + 1e-4, names(16, 1), 0.01, 2.0) is None
    with pytest.raises(Misuse, match="at least"):
        shifted(reference[:5], block, names(16, 1), 0.01)


def test_a_product_that_comes_in_batches_is_no_change_of_the_camera() -> None:
    """A fifth of the pictures learned from show a bright product: blocks of that product alone, and of the other."""
    random = np.random.default_rng(7)
    told = [0, 0]
    for one in range(20):
        reference = random.normal(size=(100, 7))
        reference[:20, 0] += 12.0
        for batch in range(10):
            block = random.normal(size=(16, 7))
            block[:, 0] += 12.0 * (batch % 2)
            told[0] += shifted(reference, block, names(16, one * 20 + batch), 0.001 / 18, 2.0, 0.02) is not None
            told[1] += shifted(reference, block, names(16, one * 20 + batch), 0.001 / 18, 2.0) is not None
    assert told[0] == 0
    assert told[1] > 50  # of the hundred blocks of it, by the ranks alone


def test_looking_at_the_doubtful_first_is_no_fault_of_the_model() -> None:
    """Of 1000 parts 100 are rejected, half of them bad; of the rejected the 30 nearest to the threshold were looked at: 27 are good."""
    found = false_rejects(Looked(900, 100, 40, 0, 30, 27), 0.01)
    assert found is not None
    assert found.low < 0.05 < found.value


def test_bounds_of_both_rates_hold() -> None:
    """Of 400 months with 4 % false rejects and 10 % escapes, the bounds lie above the truth as seldom as asked for (1 %)."""
    random = np.random.default_rng(4)
    above = [0, 0]
    for _ in range(400):
        bad = random.random(2000) < 0.05
        rejected = random.random(2000) < np.where(bad, 0.9, 0.04)
        drawn = ~rejected & (random.random(2000) < 0.1)
        seen = Looked(int((~rejected).sum()), int(rejected.sum()), int(drawn.sum()), int((drawn & bad).sum()), int(rejected.sum()), int((rejected & ~bad).sum()))  # fmt: skip
        for place, (rate, truth) in enumerate(((false_rejects, 0.04), (escapes, 0.1))):
            found = rate(seen, 0.01)
            assert found is not None
            assert found.low <= found.value
            above[place] += found.low > truth
    assert max(above) <= 4
    assert false_rejects(Looked(10, 0, 5, 0, 0, 0), 0.01) is None
    assert escapes(Looked(10, 3, 0, 0, 3, 1), 0.01) is None
