"""Marked defects in three formats, a model that draws boxes, heat maps, drift, promises about escapes: in a workspace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerofactory.errors import FaultyData
from zerofactory.runs import inspect_model, inspect_parts
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_images import read_one
from zerofactory.runs.inspect_shapes import read_marked

SIDE = 96
Spot = tuple[int, int, int, int]


def panel(path: Path, number: int, spot: Spot | None = None, light: float = 1.0) -> None:
    """Write a brushed panel of a light, with a dark spot (left, top, right, bottom) if wanted."""
    random = np.random.default_rng(number)
    image = 150 + np.repeat(random.normal(0, 6, (SIDE, 1)), SIDE, axis=1) + random.normal(0, 3, (SIDE, SIDE))
    if spot:
        left, top, right, bottom = spot
        image[top:bottom, left:right] = 40 + random.normal(0, 8, (bottom - top, right - left))
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.clip(image * light, 0, 255).astype(np.uint8)
    Image.fromarray(np.repeat(pixels[:, :, None], 3, axis=2)).save(path)


def spot_of(number: int) -> Spot:
    """Return where panel ``number`` is damaged."""
    left, top = 8 + number * 29 % 56, 8 + number * 17 % 56
    return left, top, left + 24, top + 18


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty good panels and ten damaged ones, marked with polygons and boxes."""
    root = tmp_path_factory.mktemp("frames")
    rows = []
    for number in range(30):
        spot = spot_of(number) if number >= 20 else None
        panel(root / f"p{number}.png", number, spot)
        row: dict[str, object] = {"file": f"p{number}.png", "label": "pit" if spot else "ok", "group": f"part {number}"}
        if spot and number % 2:
            row["boxes"] = [spot]
        elif spot:
            left, top, right, bottom = spot
            row["polygons"] = [[[left, top], [right, top], [right, bottom], [left, bottom]]]
        rows.append(row)
    (root / "frames.json").write_text(json.dumps({"frames": rows}), encoding="utf-8")
    return root


def test_a_model_that_learned_places_draws_boxes_where_the_damage_is(
    small: Context, frames: Path, tmp_path: Path
) -> None:
    card = inspect_parts.train(small, inspect_parts.Asked(frames, "where", localise=True))
    assert card.located
    assert card.classes == ("ok", "pit")
    assert card.metrics["patch_auroc"][0] > 0.98
    assert card.metrics["found_at_overlap"]["hits"] >= 8
    new = tmp_path / "new"
    panel(new / "bad.png", 77, (40, 32, 64, 56))
    panel(new / "good.png", 78)
    bad, good = inspect_parts.judge_folder(small, "where", new, maps=tmp_path / "maps").verdicts
    assert (bad.rejected, bad.likeliest, good.rejected) == (True, "pit", False)
    assert good.boxes == ()
    assert abs(bad.boxes[0].left - 40) <= 8
    assert abs(bad.boxes[0].bottom - 56) <= 8
    assert bad.as_json()["boxes"]
    (drawn,) = (tmp_path / "maps").glob("bad-*.png")
    pixels = np.asarray(Image.open(drawn)).astype(int)
    assert pixels.shape == (SIDE, SIDE, 3)
    reddish = pixels[..., 0] - pixels[..., 2]
    assert reddish[44, 52] > 60
    assert reddish[8, 8] < 30
    assert len(list((tmp_path / "maps").glob("*.png"))) == 2


def test_the_same_marks_in_three_formats_give_the_same_masks(frames: Path, tmp_path: Path) -> None:
    listed, classes = read_marked(frames, "ok")
    coco: dict[str, list[object]] = {"images": [], "annotations": [], "categories": [{"id": 5, "name": "pit"}]}
    masks = tmp_path / "masked"
    for number in range(18, 22):
        coco["images"].append({"id": number, "file_name": f"p{number}.png"})
        panel(tmp_path / "coco" / f"p{number}.png", number, spot_of(number) if number >= 20 else None)
        panel(masks / ("pit" if number >= 20 else "ok") / f"p{number}.png", number, spot_of(number) if number >= 20 else None)  # fmt: skip
        if number >= 20:
            left, top, right, bottom = spot_of(number)
            outline = [left, top, right, top, right, bottom, left, bottom]
            mark: dict[str, object] = {"segmentation": [outline]} if number % 2 else {"bbox": [left, top, right - left, bottom - top]}  # fmt: skip
            coco["annotations"].append({"image_id": number, "category_id": 5, **mark})
            drawn = listed[number].mask.astype(np.uint8) * 255
            (masks / "ground_truth" / "pit").mkdir(parents=True, exist_ok=True)
            Image.fromarray(drawn).save(masks / "ground_truth" / "pit" / f"p{number}_mask.png")
    (tmp_path / "coco" / "annotations.json").write_text(json.dumps(coco), encoding="utf-8")
    for folder in (tmp_path / "coco", masks):
        found, same = read_marked(folder, "ok")
        assert same == classes
        by_name = {Path(one.picture.file).stem: one.mask for one in found}
        assert sorted(by_name) == ["p18", "p19", "p20", "p21"]
        for number in range(18, 22):
            assert np.array_equal(by_name[f"p{number}"], listed[number].mask)


def _outside(rows: list[dict[str, object]]) -> str:
    rows[22]["polygons"] = [[[0, 0], [500, 0], [500, 20]]]
    return "inspect.outside"


def _shapeless(rows: list[dict[str, object]]) -> str:
    rows[22].pop("polygons")
    return "inspect.shapeless"


def _absent(rows: list[dict[str, object]]) -> str:
    rows[22]["file"] = "nothing.png"
    return "inspect.file"


def _away(rows: list[dict[str, object]]) -> str:
    rows[22]["file"] = "../p22.png"
    return "inspect.list"


def _two_points(rows: list[dict[str, object]]) -> str:
    rows[22]["polygons"] = [[[0, 0], [5, 5]]]
    return "inspect.list"


def _only_good(rows: list[dict[str, object]]) -> str:
    del rows[20:]
    return "inspect.unmarked"


@pytest.mark.parametrize("spoil", [_outside, _shapeless, _absent, _away, _two_points, _only_good])
def test_faulty_marks_are_named_and_nothing_is_written(
    small: Context, frames: Path, tmp_path: Path, spoil: Callable[[list[dict[str, object]]], str]
) -> None:
    rows = json.loads((frames / "frames.json").read_text(encoding="utf-8"))["frames"]
    code = spoil(rows)
    for path in frames.glob("*.png"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "frames.json").write_text(json.dumps({"frames": rows}), encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        inspect_parts.train(small, inspect_parts.Asked(tmp_path, "where", localise=True))
    assert code in {one.code for one in caught.value.problems}
    assert inspect_model.names(small.workspace.folder) == []


def test_drift_promises_and_pictures_from_elsewhere(small: Context, frames: Path, tmp_path: Path) -> None:
    for number in range(20):
        panel(tmp_path / "good" / "ok" / f"{number}.png", number)
    more = [read_one(frames / f"p{number}.png", "pit", f"part {number}") for number in range(20, 30)]
    asked = inspect_parts.Asked(tmp_path / "good", "panels", escape_fraction=0.1)
    card = inspect_parts.train(small, asked, more=more)
    assert card.classes == ("ok", "pit")
    assert card.images == 30
    assert card.side == SIDE
    for light, name in ((1.0, "same"), (0.6, "dark")):
        for number in range(100, 112):
            panel(tmp_path / name / f"{number}.png", number, light=light)
    same = inspect_parts.judge_folder(small, "panels", tmp_path / "same")
    assert same.drift is not None
    assert not same.drift.raised
    dark = inspect_parts.judge_folder(small, "panels", tmp_path / "dark")
    assert dark.drift is not None
    assert (dark.drift.raised, dark.drift.figure, dark.drift.direction) == (True, "brightness", "lower")
    assert len(same.as_json()["verdicts"]) == 12  # type: ignore[arg-type]
    with pytest.raises(FaultyData, match="cannot promise"):
        inspect_parts.train(small, inspect_parts.Asked(tmp_path / "good", "panels", escape_fraction=0.01), more=more)
    place = small.workspace.folder / "models" / "panels" / "v1" / "model.json"
    raw = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**raw, "backbone": "another network"}), encoding="utf-8")
    with pytest.raises(FaultyData, match="another network"):
        inspect_parts.run(small, "panels", tmp_path / "same")
