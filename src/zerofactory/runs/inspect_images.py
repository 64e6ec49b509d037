"""Images from a folder: one subfolder a class, or a list; every image that cannot be used is named, and nothing is learned then."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import struct
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
LIST = "labels.csv"
MOST_IMAGES, MOST_BYTES, MOST_PIXELS = 20_000, 40_000_000, 50_000_000
LEAST_SIDE, LEAST_GOOD = 32, 10
MOST_SIDE = 65_535
"""A longer side is no photograph (a JPEG cannot be longer), and codes are not looked for in it."""
KINDS = ("PNG", "JPEG", "MPO", "BMP", "TIFF", "WEBP", "GIF")
"""What is opened: others run foreign programs (EPS) or are of no camera."""
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    struct.error,
)
"""What a damaged image makes a decoder raise."""
LEAST_GROUPS = 10
"""Names that make fewer groups of a class than this are a running number, not parts."""
_NUMBER = re.compile(r"[_-]?\d+$")


@dataclass(frozen=True, slots=True)
class Picture:
    """One image: its file, label ('' where it has none), group (what must not be split), hash, and pixels (h × w × 3)."""

    file: str
    label: str
    group: str
    sha256: str
    pixels: NDArray[np.uint8]


def read_folder(folder: Path, labelled: bool = True, one_size: bool = True) -> list[Picture]:
    """Return the images of a folder.

    With ``labels.csv`` (file, label, and group if wanted) the list decides; else each subfolder is a label and a file's name
    without its last number is its group, unless that makes hardly any groups: then each image is its own. With
    ``labelled`` off every image of the folder is taken as it is; with ``one_size`` off sizes may differ.

    Raises
    ------
    FaultyData
        No folder, no images, corrupt or huge images, other sizes than the first, the same image under two labels: all of them.
    """
    if not folder.is_dir():
        raise FaultyData([_problem("folder", f"没有文件夹“{folder.name}”。", f"There is no folder '{folder.name}'.", "请核对路径。", "Check the path.")])  # fmt: skip
    wanted = list(_listed(folder) if labelled else ((file, "", group_of(file)) for file in _files(folder)))
    if not wanted:
        raise FaultyData([_problem("empty", "文件夹里没有图片。", "The folder holds no images.", f"支持 {', '.join(ENDINGS)}。", f"Known are {', '.join(ENDINGS)}.")])  # fmt: skip
    if len(wanted) > MOST_IMAGES:
        raise FaultyData([_problem("many", f"{len(wanted)} 张图片, 上限 {MOST_IMAGES}。", f"{len(wanted)} images; at most {MOST_IMAGES}.", "请分批。", "Take fewer.")])  # fmt: skip
    found: list[Picture] = []
    problems: list[Problem] = []
    for file, label, group in wanted:
        try:
            found.append(read_one(folder / file, label, group, file))
        except FaultyData as fault:
            problems += fault.problems
    problems += [*(_other_sizes(found) if one_size else ()), *_twice(found)]
    if problems:
        raise FaultyData(problems)
    return _apart(found)


def together(first: Sequence[Picture], more: Sequence[Picture]) -> list[Picture]:
    """Return images of two origins as one set, each image once; raise `FaultyData` for other sizes and twins with two labels."""
    found = [*first, *more]
    problems = [*_other_sizes(found), *_twice(found)]
    if problems:
        raise FaultyData(problems)
    return list({one.sha256: one for one in reversed(found)}.values())[::-1]


def read_one(path: Path, label: str = "", group: str = "", name: str | None = None) -> Picture:
    """Return one image; raise `FaultyData` when it is none, is too large or too small."""
    name = name or path.name
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise FaultyData([_problem("file", "没有这个文件, 或超过 40 MB。", "There is no such file, or it is above 40 MB.", "请核对。", "Check it.", name)])  # fmt: skip
    return of_bytes(path.read_bytes(), label, group, name)


def of_bytes(content: bytes, label: str, group: str, name: str) -> Picture:
    """Return an image from its bytes; raise `FaultyData` when they are none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=KINDS) as opened:
                if opened.width * opened.height > MOST_PIXELS or max(opened.size) > MOST_SIDE:
                    raise FaultyData([_problem("pixels", f"{opened.width}×{opened.height} 太大。", f"{opened.width}×{opened.height} is too large.", "请缩小到五千万像素、每边 65535 以内。", "Bring it below 50 million pixels and 65535 a side.", name)])  # fmt: skip
                pixels = np.asarray(opened.convert("RGB"))
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # fmt: skip
        raise FaultyData([_problem("corrupt", "不是图片或已损坏。", "This is no image, or it is damaged.", "请重新拍摄或导出。", "Take or export it again.", name)]) from error  # fmt: skip
    if min(pixels.shape[:2]) < LEAST_SIDE:
        raise FaultyData([_problem("small", f"{pixels.shape[1]}×{pixels.shape[0]} 太小。", f"{pixels.shape[1]}×{pixels.shape[0]} is too small.", f"每边至少 {LEAST_SIDE} 像素。", f"Each side needs {LEAST_SIDE} pixels.", name)])  # fmt: skip
    return Picture(name, label, group, hashlib.sha256(content).hexdigest(), pixels)


def brought_to(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image as a square of ``side`` pixels."""
    from PIL import Image

    if pixels.shape[:2] == (side, side):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def scaled_to(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image whose shorter side has ``side`` pixels, the longer one as many as fit, in steps of 32."""
    from PIL import Image

    high, wide = pixels.shape[:2]
    scale = side / min(high, wide)
    size = tuple(max(32, round(one * scale / 32) * 32) for one in (wide, high))
    return np.asarray(Image.fromarray(pixels).resize((size[0], size[1]), Image.Resampling.BILINEAR))


def refuse_labels(pictures: Sequence[Picture], good: str) -> None:
    """Raise `FaultyData` when there are too few good images, naming the classes there are."""
    counts = {label: sum(one.label == label for one in pictures) for label in sorted({one.label for one in pictures})}
    if counts.get(good, 0) < LEAST_GOOD:
        told = ", ".join(f"{label} {count}" for label, count in counts.items())
        raise FaultyData([_problem("classes", f"合格品“{good}”只有 {counts.get(good, 0)} 张(现有: {told})。", f"There are {counts.get(good, 0)} images of good parts '{good}' (there are: {told}).", f"至少 {LEAST_GOOD} 张; 或用 --good 指明合格类别。", f"At least {LEAST_GOOD}; or name the class of good parts with --good.")])  # fmt: skip


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS and path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix()


def _apart(found: list[Picture]) -> list[Picture]:
    """Return images with a group of their own where guessing from names put many of one class into a few (ok001, ok002, …)."""
    guessed = [one for one in found if one.group == group_of(one.file)]
    coarse = set()
    for label in {one.label for one in guessed}:
        own = [one.group for one in guessed if one.label == label]
        if len(set(own)) < min(LEAST_GROUPS, len(own)):
            coarse.add(label)
    if not coarse or len(guessed) < len(found):
        return found
    return [replace(one, group=one.file) if one.label in coarse else one for one in found]


def group_of(file: str) -> str:
    """Return the group of a file that names none: its name without its last number."""
    return _NUMBER.sub("", Path(file).stem) or Path(file).stem


def _listed(folder: Path) -> Iterator[tuple[str, str, str]]:
    listing = folder / LIST
    if not listing.is_file():
        for file in _files(folder):
            parts = file.split("/")
            yield file, parts[0] if len(parts) > 1 else "", group_of(file)
        return
    rows = list(csv.DictReader(io.StringIO(text_of(listing.read_bytes(), LIST))))
    problems = []
    for number, row in enumerate(rows, 2):
        file, label = (row.get("file") or "").strip(), (row.get("label") or "").strip()
        inside = file and not Path(file).is_absolute() and ".." not in Path(file).parts
        if not inside or not label:
            problems.append(Problem("inspect.list", Text("缺少 file 或 label, 或路径越出文件夹。", "file or label is missing, or the path leaves the folder."), Text("请改正这一行。", "Correct this row."), file=LIST, row=number))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    for row in rows:
        yield row["file"].strip(), row["label"].strip(), (row.get("group") or "").strip() or group_of(row["file"])


def _other_sizes(found: Sequence[Picture]) -> Iterator[Problem]:
    """Yield images that are not of the size that most have."""
    if found:
        (most, _), *_ = Counter(one.pixels.shape[:2] for one in found).most_common(1)
        for one in found:
            if one.pixels.shape[:2] != most:
                yield _problem("size", f"尺寸 {one.pixels.shape[1]}×{one.pixels.shape[0]} 与其他图片 {most[1]}×{most[0]} 不同。", f"Its size {one.pixels.shape[1]}×{one.pixels.shape[0]} differs from the others' {most[1]}×{most[0]}.", "请按同一方式拍摄或裁剪。", "Take or crop all the same way.", one.file)  # fmt: skip


def _twice(found: Sequence[Picture]) -> Iterator[Problem]:
    """Yield images that stand under two labels: one of the labels is wrong."""
    seen: dict[str, Picture] = {}
    for one in found:
        other = seen.setdefault(one.sha256, one)
        if other.label != one.label:
            yield _problem("twice", f"与“{other.file}”是同一张图, 标签却是“{one.label}”与“{other.label}”。", f"It is the same image as '{other.file}', labelled '{one.label}' here and '{other.label}' there.", "请删去错的一张。", "Delete the wrong one.", one.file)  # fmt: skip


def _problem(code: str, zh: str, en: str, mend_zh: str, mend_en: str, file: str | None = None) -> Problem:
    return Problem(f"inspect.{code}", Text(zh, en), Text(mend_zh, mend_en), file=file)
