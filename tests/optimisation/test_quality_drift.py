"""A camera that changes is told, one that stays is not told more often than promised."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from bench.castings import casting
from PIL import Image, ImageFilter

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.drift import FIGURES, condition, watch


def names(count: int, seed: int) -> list[str]:
    """Return hashes as files would have."""
    return [hashlib.sha256(f"{seed} {number}".encode()).hexdigest() for number in range(count)]


def test_false_alarms_stay_below_the_promise() -> None:
    """60 streams of 80 images that come as the reference did, promised 10 %: no more than chance allows above 6 alarms."""
    random = np.random.default_rng(5)
    raised = [
        watch(random.gamma(2.0, size=(40, 5)), random.gamma(2.0, size=(80, 5)), names(80, one), 0.1).raised
        for one in range(60)
    ]
    assert sum(raised) <= 12  # binomial(60, 0.1) is above 12 with chance 0.01


@pytest.mark.parametrize(
    ("change", "figure", "direction"),
    [("dark", "brightness", "lower"), ("blurred", "sharpness", "lower"), ("same", "", "")],
)
def test_darkened_and_blurred_cameras_are_told(change: str, figure: str, direction: str) -> None:
    seen = [casting(seed, side=96).pixels for seed in range(50)]
    reference = np.array([condition(one) for one in seen[:30]])
    stream = []
    for one in seen[30:]:
        image = Image.fromarray(one)
        if change == "dark":
            image = image.point(lambda grey: int(grey * 0.6))
        elif change == "blurred":
            image = image.filter(ImageFilter.GaussianBlur(2))
        stream.append(condition(np.asarray(image)))
    found = watch(reference, np.array(stream), names(20, 1))
    assert found.raised == (change != "same")
    assert found.direction == direction
    assert found.figure in ({figure, "contrast"} if figure else {""})
    if found.raised:
        assert found.evidence >= 1.0 / found.promised
        assert found.raised_at is not None
        assert found.raised_at < 15


def test_a_defect_does_not_move_the_figures_of_the_camera() -> None:
    """Ten defective parts in a row are no drift."""
    reference = np.array([condition(casting(seed, side=96).pixels) for seed in range(30)])
    stream = np.array([condition(casting(seed, "blowhole", 96).pixels) for seed in range(10)])
    assert not watch(reference, stream, names(10, 2)).raised


def test_the_same_images_give_the_same_answer() -> None:
    random = np.random.default_rng(1)
    reference, stream = random.normal(size=(20, 5)), random.normal(size=(15, 5))
    first = watch(reference, stream, names(15, 3))
    assert first == watch(reference, stream, names(15, 3))
    assert first.as_json()["raised"] is False
    assert first == watch(reference, np.hstack([stream, stream]), names(15, 3))  # an earlier model knows no position
    assert len(FIGURES) == 7
    with pytest.raises(Misuse, match="at least"):
        watch(reference[:5], stream, names(15, 3))
    with pytest.raises(Misuse, match="hash"):
        watch(reference, stream, names(14, 3))
