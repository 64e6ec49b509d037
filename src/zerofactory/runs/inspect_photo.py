"""A photograph as it comes from a phone, a program or a broker: bounded, checked, turned upright, and rid of where and by whom it was taken.

A phone writes the place, the time and its own number into a JPEG (Exif 2.32, tags 0x8825 and 0xA431) and may hang a film behind
it. Nothing of that is kept. A picture that holds nothing but pixels is kept byte by byte, so that its hash stays what the camera's is.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.runs.inspect_images import DAMAGED, KINDS, MOST_PIXELS, MOST_SIDE, Picture, of_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION = 0x0112
QUALITY = 95
PLAIN = frozenset({
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform", "progressive", "progression", "gamma",
    "srgb", "chromaticity", "transparency", "interlace", "aspect",
})  # fmt: skip
"""What a file may say beside its pixels and still be kept as it is; anything else (Exif, XMP, comments, films) is left out."""
SUFFIX = {"PNG": ".png", "JPEG": ".jpg"}


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that may be kept: its bytes, the suffix of its kind, and its pixels with their hash."""

    content: bytes
    suffix: str
    picture: Picture


def photo(content: bytes, most_bytes: int, name: str = "") -> Photo:
    """Return a photograph as it may be kept and judged.

    Raises
    ------
    FaultyData
        It is above the bound, no image, damaged, too large or too small once opened.
    """
    if len(content) > most_bytes:
        raise FaultyData([_large(most_bytes, name)])
    kept, suffix = _plain(content, name)
    return Photo(kept, suffix, of_bytes(kept, "", "", name))


def _plain(content: bytes, name: str) -> tuple[bytes, str]:
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=KINDS) as opened:
                if opened.width * opened.height > MOST_PIXELS or max(opened.size) > MOST_SIDE:
                    raise FaultyData([_pixels(opened.width, opened.height, name)])
                opened.load()
                if opened.format in SUFFIX and _says_nothing(opened, content):
                    return content, SUFFIX[opened.format]
                upright = ImageOps.exif_transpose(opened).convert("RGB")
                return _written(upright, opened.format == "JPEG")
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # fmt: skip
        raise FaultyData([Problem("inspect.corrupt", Text("不是图片或已损坏。", "This is no image, or it is damaged."), Text("请重新拍摄。", "Take it again."), file=name or None)]) from error  # fmt: skip


def _says_nothing(opened: Image, content: bytes) -> bool:
    whole = opened.format != "JPEG" or content.rstrip(b"\0").endswith(b"\xff\xd9")
    single = getattr(opened, "n_frames", 1) == 1
    return whole and single and not opened.getexif() and set(opened.info) <= PLAIN


def _written(upright: Any, lossy: bool) -> tuple[bytes, str]:
    """Return pixels as a file that holds nothing else; a JPEG stays one, everything else is kept without loss."""
    upright.info = {}
    out = io.BytesIO()
    if lossy:
        upright.save(out, "JPEG", quality=QUALITY, subsampling=0)
        return out.getvalue(), ".jpg"
    upright.save(out, "PNG")
    return out.getvalue(), ".png"


def _large(most_bytes: int, name: str) -> Problem:
    megabytes = most_bytes / 1_000_000
    return Problem("inspect.large", Text(f"图片超过 {megabytes:g} MB。", f"The picture is above {megabytes:g} MB."), Text("请降低分辨率, 或在 inspect.toml 放宽 most_picture_bytes。", "Take it smaller, or raise most_picture_bytes in inspect.toml."), file=name or None)  # fmt: skip


def _pixels(width: int, height: int, name: str) -> Problem:
    return Problem("inspect.pixels", Text(f"{width}×{height} 太大。", f"{width}×{height} is too large."), Text("请缩小到五千万像素、每边 65535 以内。", "Bring it below 50 million pixels and 65535 a side."), file=name or None)  # fmt: skip
