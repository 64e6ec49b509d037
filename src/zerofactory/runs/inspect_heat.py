"""A picture for a person: small, and with what the model finds odd laid over it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from zerofactory.runs.context import Context
from zerofactory.runs.inspect_images import read_one
from zerofactory.runs.inspect_settings import settings
from zerofactory.runs.inspect_take import model_of, verdict_of
from zerofactory.store.pictures import Pictures

SIDE, STRONGEST, RED = 640, 0.75, (220, 30, 20)
"""Longest side of a picture with heat, in pixels; how much the hottest place covers; its colour."""
JPEG_QUALITY = 85
FAINT, FULL = 0.5, 2.0
"""A patch is coloured from so much of the model's own scale, on which one patch in a thousand of good parts is above 1, and fully at so much."""


def picture_path(context: Context, digest: str) -> Path:
    """Return where a picture is kept; raise `NotFound`."""
    return Pictures(context.workspace.folder, settings(context).most_folder_bytes).find(digest)


def small(path: Path, side: int) -> bytes:
    """Return a picture as a JPEG of at most ``side`` pixels."""
    from PIL import Image

    image = Image.fromarray(read_one(path).pixels)
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def heat(context: Context, digest: str, model: str, version: int) -> bytes:
    """Return a PNG of a kept picture in grey with the odd places in red, on the model's own scale: a good part stays nearly grey.

    Raises
    ------
    NotFound
        The picture is not kept, or the model is gone.
    FaultyData
        The model does not judge such pictures.
    """
    from PIL import Image

    picture = read_one(picture_path(context, digest))
    judge = model_of(context, model, version)
    verdict = verdict_of(judge, picture)
    image = Image.fromarray(picture.pixels)
    image.thumbnail((SIDE, SIDE))
    low, high = FAINT, max(FULL, float(verdict.distances.max()))
    odd = np.clip((verdict.distances - low) / (high - low), 0.0, 1.0) ** 2
    cover = Image.fromarray((odd * STRONGEST * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BILINEAR)
    grey = image.convert("L").convert("RGB")
    grey.paste(Image.new("RGB", image.size, RED), (0, 0), cover)
    out = io.BytesIO()
    grey.save(out, "PNG")
    return out.getvalue()
