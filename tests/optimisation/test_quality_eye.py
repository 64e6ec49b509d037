"""The pretrained eye names what is on known photographs; memory, labels and measures do what their papers say."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.backbone import blocks, graph, read, weights
from zerofactory.optimisation.quality.features import patches
from zerofactory.optimisation.quality.labels import crossed, fold_of, learn, suspects
from zerofactory.optimisation.quality.measure import auroc, rate, threshold
from zerofactory.optimisation.quality.memory import Memory, judge, remember

PALACE, BELL_COTE, MONASTERY, DAISY = 698, 442, 663, 985  # of the thousand classes of ImageNet


@pytest.mark.parametrize(("file", "expected"), [("china.jpg", {PALACE, BELL_COTE, MONASTERY}), ("flower.jpg", {DAISY})])
def test_network_names_what_is_on_known_photographs(file: str, expected: set[int]) -> None:
    """Two photographs that come with a library: a Chinese palace and a flower. A wrong weight or padding would not see them."""
    import onnxruntime
    from sklearn.datasets import load_sample_image

    whole = Image.fromarray(load_sample_image(file))
    side = min(whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    square = whole.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
    x = np.asarray(square, dtype=np.float32).transpose(2, 0, 1)[None]
    session = onnxruntime.InferenceSession(graph((4, 10), classify=True))
    *maps, logits = session.run(None, {"image": x})
    assert int(logits[0].argmax()) in expected
    assert [one.shape for one in maps] == [(1, 40, 28, 28), (1, 112, 14, 14)]


def test_blocks_are_those_of_the_paper() -> None:
    found = blocks()
    assert len(found) == 16
    assert [one.channels_out for one in found if one.place in (0, 4, 10, 15)] == [16, 40, 112, 320]
    assert weights()["_blocks.4._project_conv.weight"].shape == (40, 240, 1, 1)


def test_weights_that_name_anything_else_are_refused() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("run",)

    content = io.BytesIO()
    for one in (0, 1001, {}, Evil(), []):
        pickle.dump(one, content, protocol=2)
    with pytest.raises(Misuse, match="no tensor"):
        read(content.getvalue())


def test_features_follow_the_image() -> None:
    image = np.full((96, 128, 3), 120, dtype=np.uint8)
    plain = patches(image)
    assert plain.values.shape == (12 * 16, 152)
    marked = image.copy()
    marked[40:48, 40:48] = 255
    change = np.abs(patches(marked).values - plain.values).sum(axis=1).reshape(12, 16)
    row, column = np.unravel_index(change.argmax(), change.shape)
    assert abs(row - 5) <= 1
    assert abs(column - 5) <= 1


def test_core_covers_what_it_was_taken_from() -> None:
    """Farthest-first is within twice of the best cover: ten clusters of patches need ten of them, not eight."""
    random = np.random.default_rng(3)
    centres = random.normal(0, 10, (10, 152))
    cloud = (centres[:, None] + random.normal(0, 0.1, (10, 200, 152))).reshape(-1, 152).astype(np.float32)
    memory = remember(cloud, 10)
    nearest = ((memory.core[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert sorted(nearest) == list(range(10))
    assert len(remember(cloud, 5000).core) == len(cloud)
    with pytest.raises(Misuse):
        remember(cloud[:0], 10)


def test_a_patch_never_seen_is_where_the_map_is_bright() -> None:
    random = np.random.default_rng(1)
    memory = Memory.of(random.normal(0, 1, (500, 152)).astype(np.float32))
    seen = random.normal(0, 1, (64, 152)).astype(np.float32)
    odd = seen.copy()
    odd[37] += 5.0
    before, after = judge(memory, seen, 8, 8), judge(memory, odd, 8, 8)
    assert after.score > 2 * before.score
    assert int(after.distances.argmax()) == 37


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_auroc_counts_pairs(good: list[float], bad: list[float]) -> None:
    pairs = [(b > g) + 0.5 * (b == g) for b in bad for g in good]
    found = auroc(np.array(good), np.array(bad))
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert 0.0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1.0


def test_exact_rates() -> None:
    """Clopper and Pearson: 5 of 20 → 0.0866 … 0.4910."""
    found = rate(5, 20)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0866, 0.4910)
    assert rate(0, 0).value == 0.0
    assert rate(7, 7).high == 1.0


def test_threshold_keeps_its_promise_on_new_parts() -> None:
    random = np.random.default_rng(8)
    rejected = [float((random.normal(size=400) > threshold(random.normal(size=60), 0.05)).mean()) for _ in range(300)]
    assert float(np.mean(rejected)) <= 0.055
    with pytest.raises(Misuse, match="19 are needed"):
        threshold(np.zeros(18), 0.05)


def test_wrong_labels_are_found_by_the_others() -> None:
    random = np.random.default_rng(2)
    told = np.concatenate([random.normal(0, 1, (60, 456)), random.normal(0.8, 1, (60, 456))])
    labels = ["ok"] * 60 + ["pit"] * 60
    chances, classes = crossed(told, labels, [str(n) for n in range(120)])
    assert suspects(chances, classes, labels, "ok") == []
    labels[7] = "pit"
    labels[90] = "ok"
    chances, classes = crossed(told, labels, [str(n) for n in range(120)])
    assert set(suspects(chances, classes, labels, "ok")) == {7, 90}
    judge_ = learn(told, labels)
    assert judge_.chances(told).sum(axis=1) == pytest.approx(np.ones(120))


def test_groups_are_never_split() -> None:
    groups = [f"g{n % 13}" for n in range(100)]
    fold = fold_of(groups, 5)
    assert all(len({int(f) for f, g in zip(fold, groups, strict=True) if g == one}) == 1 for one in set(groups))
    assert np.bincount(fold).min() >= 14
