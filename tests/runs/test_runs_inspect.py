"""Inspection in a workspace: trained on folders, tested on what it has not seen, refusing what it must."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerofactory.errors import FaultyData, NotFound
from zerofactory.runs import inspect_model, inspect_parts
from zerofactory.runs.context import Context


def panel(place: Path, number: int, defect: str = "", side: int = 96) -> None:
    """Write a brushed panel, with a scratch or a pit if wanted."""
    random = np.random.default_rng(number * 7 + len(defect))
    grain = np.repeat(random.normal(0, 6, (side, 1)), side, axis=1) + random.normal(0, 3, (side, side))
    image = np.clip(150 + grain, 0, 255)
    at = 16 + number * 13 % (side - 40)
    if defect == "scratch":
        for step in range(30):
            image[at + step // 2, at + step // 3 : at + step // 3 + 3] = 40
    elif defect == "pit":
        rows, columns = np.ogrid[:side, :side]
        image[(rows - at - 8) ** 2 + (columns - at - 8) ** 2 < 36] = 30
    place.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.repeat(image.astype(np.uint8)[:, :, None], 3, axis=2)).save(
        place / f"{defect or 'ok'}{number:03d}.png"
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty good panels to learn from, twelve of each defect, and others to test on."""
    root = tmp_path_factory.mktemp("images")
    for number in range(30):
        panel(root / "train" / "ok", number)
    for defect in ("scratch", "pit"):
        for number in range(12):
            panel(root / "train" / defect, number, defect)
        for number in range(100, 108):
            panel(root / "test" / defect, number, defect)
    for number in range(100, 110):
        panel(root / "test" / "ok", number)
    return root


def test_labelled_defects_are_told_apart(small: Context, images: Path, tmp_path: Path) -> None:
    card = inspect_parts.train(small, inspect_parts.Asked(images / "train", "panels", side=96))
    assert card.classes == ("ok", "pit", "scratch")
    assert card.metrics["auroc"][0] > 0.95
    found = inspect_parts.examine(small, "panels", images / "test")
    assert found.auroc is not None
    assert found.auroc.value > 0.95
    assert found.escape.hits <= 2
    verdicts = inspect_parts.run(small, "panels", images / "test" / "pit", out=tmp_path / "out")
    assert sum(one.likeliest == "pit" for one in verdicts) >= 6
    lines = (tmp_path / "out" / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(one)["sha256"] for one in lines] == [one.sha256 for one in verdicts]
    assert len(list((tmp_path / "out").glob("*.png"))) == sum(one.rejected for one in verdicts)


def test_good_parts_alone_are_enough_to_see_what_is_odd(small: Context, images: Path, tmp_path: Path) -> None:
    only = tmp_path / "good"
    for number in range(30):
        panel(only / "ok", number)
    panel(only / "bad", 50, "pit")
    (only / "bad" / "pit050.png").rename(only / "ok" / "slipped_in.png")
    card = inspect_parts.train(small, inspect_parts.Asked(only, "alone", side=96))
    assert card.metrics["odd_good"][0] == "ok/slipped_in.png"
    assert card.metrics["false_reject"]["hits"] <= 2
    (only / "ok" / "slipped_in.png").unlink()
    (only / "bad").rmdir()
    (only / "labels.csv").write_text("file,label,group\n" + "".join(f"ok/ok{one:03d}.png,ok,one part\n" for one in range(30)), encoding="utf-8")  # fmt: skip
    with pytest.raises(FaultyData, match="too few parts"):
        inspect_parts.train(small, inspect_parts.Asked(only, "one_part", side=96))
    (only / "labels.csv").unlink()
    card = inspect_parts.train(small, inspect_parts.Asked(only, "alone", side=96))
    assert card.classes == ("ok",)
    found = inspect_parts.examine(small, "alone", images / "test")
    assert found.auroc is not None
    assert found.auroc.value > 0.95
    verdict = inspect_parts.run(small, "alone", images / "test" / "pit")[0]
    row, column = np.unravel_index(int(verdict.distances.argmax()), verdict.distances.shape)
    at = (16 + 100 * 13 % 56 + 8) / 8
    assert abs(row - at) <= 2
    assert abs(column - at) <= 2


def test_model_judges_only_what_it_knows(small: Context, images: Path, tmp_path: Path) -> None:
    inspect_parts.train(small, inspect_parts.Asked(images / "train", "panels", side=96))
    with pytest.raises(FaultyData) as caught:
        inspect_parts.examine(small, "panels", images / "train")
    assert {one.code for one in caught.value.problems} == {"inspect.seen"}
    panel(tmp_path / "large", 1, side=128)
    with pytest.raises(FaultyData, match="does not judge"):
        inspect_parts.run(small, "panels", tmp_path / "large")
    panel(tmp_path / "new" / "dent", 1, "pit")
    with pytest.raises(FaultyData, match="does not know"):
        inspect_parts.examine(small, "panels", tmp_path / "new")
    with pytest.raises(NotFound):
        inspect_parts.run(small, "nobody", images / "test")
    weights = small.workspace.folder / "models" / "panels" / "v1" / "model.npz"
    content = bytearray(weights.read_bytes())
    content[-40] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(FaultyData, match="not those registered"):
        inspect_parts.run(small, "panels", images / "test" / "ok")


def test_versions_are_kept(small: Context, images: Path) -> None:
    for expected in (1, 2):
        assert inspect_parts.train(small, inspect_parts.Asked(images / "train", "panels", side=96)).version == expected
    assert inspect_model.versions(small.workspace.folder, "panels") == [1, 2]
    (one, two) = inspect_model.cards(small.workspace.folder)
    assert one["images_sha256"] == two["images_sha256"]
    assert one["weights_sha256"] == two["weights_sha256"], "the same images give the same model"


def test_faulty_images_are_all_named(small: Context, tmp_path: Path) -> None:
    folder = tmp_path / "f"
    for number in range(12):
        panel(folder / "ok", number)
    panel(folder / "pit", 1, "pit")
    panel(folder / "pit", 2, "pit", side=64)
    (folder / "pit" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (folder / "pit" / "again.png").write_bytes((folder / "ok" / "ok003.png").read_bytes())
    Image.new("RGB", (8, 8)).save(folder / "ok" / "tiny.png")
    with pytest.raises(FaultyData) as caught:
        inspect_parts.train(small, inspect_parts.Asked(folder, "panels"))
    assert {(one.code, one.file) for one in caught.value.problems} == {
        ("inspect.corrupt", "pit/broken.png"),
        ("inspect.small", "ok/tiny.png"),
        ("inspect.size", "pit/pit002.png"),
        ("inspect.twice", "pit/again.png"),
    }
    assert inspect_model.names(small.workspace.folder) == []


def test_poisoned_labels_and_broken_promises_are_refused(small: Context, images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "poisoned"
    rows = [("file", "label")]
    for path in sorted((images / "train").rglob("*.png")):
        label = path.parent.name
        (folder / path.name).parent.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
        rows.append((path.name, "ok" if path.name == "pit004.png" else label))
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    with pytest.raises(FaultyData) as caught:
        inspect_parts.train(small, inspect_parts.Asked(folder, "panels", side=96))
    assert ("inspect.suspect", "pit004.png") in {(one.code, one.file) for one in caught.value.problems}
    with pytest.raises(FaultyData, match="cannot promise"):
        inspect_parts.train(small, inspect_parts.Asked(images / "train", "panels", side=96, false_reject_fraction=0.01))
    with pytest.raises(FaultyData, match="0 images of good parts"):
        inspect_parts.train(small, inspect_parts.Asked(images / "test", "panels", good="fine"))
    with pytest.raises(FaultyData) as caught:
        inspect_parts.train(small, inspect_parts.Asked(images / "train", "../x", side=97, false_reject_fraction=0.9))
    assert len(caught.value.problems) == 3
    (folder / "labels.csv").write_text("file,label\n../../etc/passwd,ok\n", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        inspect_parts.train(small, inspect_parts.Asked(folder, "panels"))
    assert caught.value.problems[0].code == "inspect.list"
