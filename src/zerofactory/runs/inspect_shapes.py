"""Where the defects of labelled images are: polygons and boxes of a JSON list or of a COCO file, or mask pictures beside the images.

- ``shapes.json`` or ``frames.json``: ``{"frames": [{"file", "label", "group" or "position", "polygons": [[[x, y], …], …],
  "boxes": [[left, top, right, bottom], …]}]}``.
- ``annotations.json`` or ``_annotations.coco.json``: ``images``, ``annotations`` (``segmentation`` as polygons, else ``bbox``), ``categories``.
- folders of images by class with ``masks/CLASS/NAME.png`` or ``ground_truth/CLASS/NAME_mask.png``: not black is defect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import json_of
from zerofactory.runs.inspect_images import ENDINGS, MOST_BYTES, MOST_IMAGES, Picture, group_of, read_one

LISTS = ("shapes.json", "frames.json", "annotations.json", "_annotations.coco.json")
MASKS = ("masks", "ground_truth")
LEAST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """One defect: its class and its outline in pixels, x and y."""

    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Marked:
    """An image and the class of each of its pixels: 0 good, else the place in ``classes`` (whose first is good)."""

    picture: Picture
    mask: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Row:
    """An image of a list: its file, label, group and shapes."""

    file: str
    label: str
    group: str
    shapes: tuple[Shape, ...]


@dataclass
class _Faults:
    """Faults found on the way."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, zh: str, en: str, file: str) -> None:
        """Note a fault."""
        hint = Text("请改正标注。", "Correct what is marked.")
        self.problems.append(Problem(f"inspect.{code}", Text(zh, en), hint, file=file))

    def end(self) -> None:
        """Raise `FaultyData` when there are any."""
        if self.problems:
            raise FaultyData(self.problems)


def read_marked(folder: Path, good: str) -> tuple[list[Marked], tuple[str, ...]]:
    """Return the images of a folder whose defects are marked, and the classes, good first.

    Raises
    ------
    FaultyData
        Nothing is marked; shapes outside the image, of too few points, of images that are not there; defects without a shape; masks of
        another size; corrupt images: all of them.
    """
    faults = _Faults()
    listing = next((name for name in LISTS if (folder / name).is_file()), None)
    rows = _listed(folder / listing, good, faults) if listing else list(_masked(folder, good))
    faults.end()
    if not any(row.label != good for row in rows) or len(rows) > MOST_IMAGES:
        faults.add("unmarked", f"没有标注位置的缺陷图片(找 {', '.join(LISTS)} 或 {', '.join(MASKS)} 文件夹)。", f"No images with marked defects (looked for {', '.join(LISTS)} or folders {', '.join(MASKS)}).", folder.name)  # fmt: skip
        faults.end()
    named = {shape.label for row in rows for shape in row.shapes} | {row.label for row in rows}
    classes = (good, *sorted(named - {good}))
    found = []
    for row in rows:
        try:
            picture = read_one(folder / row.file, row.label, row.group, row.file)
        except FaultyData as fault:
            faults.problems += fault.problems
            continue
        mask = _drawn(row, picture, classes, faults) if listing else _from_mask(folder, row, picture, classes, faults)
        found.append(Marked(picture, mask))
    faults.end()
    return found, classes


def _listed(path: Path, good: str, faults: _Faults) -> list[_Row]:
    if path.stat().st_size > MOST_BYTES:
        faults.add("list", "标注文件超过 40 MB。", "The list is above 40 MB.", path.name)
        return []
    try:
        raw = json_of(path.read_bytes(), path.name, "inspect.list")
        rows = list(_coco(raw, good) if "annotations" in raw else _frames(raw, good))
    except FaultyData as fault:
        faults.problems += [one.at(file=path.name) for one in fault.problems]
        return []
    except KeyError as error:
        faults.add("list", f"标注文件缺少 {error}。", f"The list lacks {error}.", path.name)
        return []
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError):
        faults.add("list", "标注文件里有值的种类不对。", "A value of the list is of the wrong kind.", path.name)
        return []
    for row in rows:
        if Path(row.file).is_absolute() or ".." in Path(row.file).parts:
            faults.add("list", "路径越出文件夹。", "The path leaves the folder.", row.file)
        if (row.label != good) != bool(row.shapes):
            faults.add("shapeless", f"类别“{row.label}”与标出的 {len(row.shapes)} 处缺陷不符。", f"Class '{row.label}' does not go with {len(row.shapes)} marked defects.", row.file)  # fmt: skip
    return rows


def _frames(raw: Mapping[str, Any], good: str) -> Iterator[_Row]:
    for one in raw["frames"]:
        file, label = str(one["file"]), str(one.get("label") or good)
        shapes = [Shape(label, _points(points)) for points in one.get("polygons") or ()]
        shapes += [_box(label, *box) for box in one.get("boxes") or ()]
        yield _Row(file, label, str(one.get("group") or one.get("position") or group_of(file)), tuple(shapes))


def _coco(raw: Mapping[str, Any], good: str) -> Iterator[_Row]:
    titles = {one["id"]: str(one["name"]) for one in raw["categories"]}
    shapes: dict[Any, list[Shape]] = {one["id"]: [] for one in raw["images"]}
    for one in raw["annotations"]:
        label, outline = titles[one["category_id"]], one.get("segmentation")
        if isinstance(outline, dict):
            raise _shapeless(
                "不读游程编码的掩膜, 请给多边形或方框。", "Run-length masks are not read; give polygons or boxes."
            )
        left, top, wide, high = one["bbox"] if not outline else (0, 0, 0, 0)
        own = [
            Shape(label, _points([(flat[at], flat[at + 1]) for at in range(0, len(flat), 2)])) for flat in outline or []
        ]
        shapes[one["image_id"]] += own or [_box(label, left, top, left + wide, top + high)]
    for one in raw["images"]:
        own = shapes[one["id"]]
        file = str(one["file_name"])
        yield _Row(file, own[0].label if own else good, str(one.get("group") or group_of(file)), tuple(own))


def _points(points: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    found = tuple((float(x), float(y)) for x, y in points)
    if len(found) < LEAST_POINTS or not all(isfinite(x) and isfinite(y) for x, y in found):
        raise _shapeless(
            f"轮廓只有 {len(found)} 个点, 或坐标不是有限的数。",
            f"An outline has {len(found)} points, or a coordinate is not finite.",
        )
    return found


def _box(label: str, left: float, top: float, right: float, bottom: float) -> Shape:
    if not (right > left and bottom > top):
        raise _shapeless(
            f"方框从 {left:g}, {top:g} 到 {right:g}, {bottom:g}, 没有面积。",
            f"A box from {left:g}, {top:g} to {right:g}, {bottom:g} has no area.",
        )
    return Shape(label, _points([(left, top), (right, top), (right, bottom), (left, bottom)]))


def _shapeless(zh: str, en: str) -> FaultyData:
    return FaultyData([Problem("inspect.list", Text(zh, en), Text("请改正标注。", "Correct what is marked."))])


def _masked(folder: Path, good: str) -> Iterator[_Row]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if len(parts) < 2 or parts[0] in MASKS or path.suffix.lower() not in ENDINGS or path.is_symlink():
            continue
        if parts[0] == good or _mask_of(folder, parts[0], path.stem) is not None:
            yield _Row("/".join(parts), parts[0], group_of("/".join(parts)), ())


def _mask_of(folder: Path, label: str, stem: str) -> Path | None:
    places = [folder / root / label / f"{stem}{end}.png" for root in MASKS for end in ("", "_mask")]
    return next((place for place in places if place.is_file() and not place.is_symlink()), None)


def _drawn(row: _Row, picture: Picture, classes: Sequence[str], faults: _Faults) -> NDArray[np.int64]:
    from PIL import Image, ImageDraw

    height, width = picture.pixels.shape[:2]
    canvas = Image.new("I", (width, height))
    pen = ImageDraw.Draw(canvas)
    for shape in row.shapes:
        xs, ys = [x for x, _ in shape.points], [y for _, y in shape.points]
        if min(xs) < -1 or min(ys) < -1 or max(xs) > width + 1 or max(ys) > height + 1:
            faults.add("outside", f"标注越出 {width}×{height} 的图片。", f"A shape leaves the image of {width}×{height}.", row.file)  # fmt: skip
        else:
            pen.polygon(list(shape.points), fill=classes.index(shape.label))
    return np.asarray(canvas, dtype=np.int64)


def _from_mask(folder: Path, row: _Row, picture: Picture, classes: Sequence[str], faults: _Faults) -> NDArray[np.int64]:
    height, width = picture.pixels.shape[:2]
    empty = np.zeros((height, width), dtype=np.int64)
    path = _mask_of(folder, row.label, Path(row.file).stem)
    if row.label == classes[0] or path is None:
        return empty
    name = path.relative_to(folder).as_posix()
    try:
        mask = read_one(path, name=name).pixels
    except FaultyData as fault:
        faults.problems += fault.problems
        return empty
    if mask.shape[:2] != (height, width):
        faults.add("size", f"掩模 {mask.shape[1]}×{mask.shape[0]} 与图片 {width}×{height} 不同。", f"The mask is {mask.shape[1]}×{mask.shape[0]}, its image {width}×{height}.", name)  # fmt: skip
        return empty
    if not np.any(mask):
        faults.add("shapeless", "掩模全黑, 没有标出缺陷。", "The mask is black: it marks no defect.", name)
    return np.asarray(mask.any(axis=2) * classes.index(row.label), dtype=np.int64)
