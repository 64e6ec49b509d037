"""What a person is shown: a picture in small, what the model finds odd laid over it, and whether the camera has changed."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.errors import Misuse
from zerofactory.optimisation.quality.drift import Drift, condition, watch
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import newest
from zerofactory.runs.inspect_images import brought_to, read_one, scaled_to
from zerofactory.runs.inspect_parts import FALSE_ALARMS, overlay
from zerofactory.runs.inspect_settings import settings
from zerofactory.runs.inspect_take import chosen_model, model_of, verdict_of
from zerofactory.store.pictures import Pictures

SIDE, JPEG_QUALITY = 640, 85
"""Longest side of a picture with heat, in pixels, and quality of a small one."""


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
    picture = read_one(picture_path(context, digest))
    drawn = overlay(picture, verdict_of(model_of(context, model, version), picture))
    drawn.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()


def camera(context: Context, model: str = "") -> Drift | None:
    """Return whether the newest pictures a model has judged still come as those it learned from; None where that cannot be told.

    Raises
    ------
    NotFound, FaultyData
        No such model, or several and none named.
    """
    judge, own = chosen_model(context, model), settings(context)
    if judge is None:
        return None
    kept = Pictures(context.workspace.folder, own.most_folder_bytes)
    mine = (pl.col("model") == judge.card.name) & (pl.col("model_version") == judge.card.version)
    seen = newest(context, own.queue_rows).filter(mine & pl.col("image_sha256").is_not_null())
    digests = [one for one in dict.fromkeys(seen["image_sha256"].to_list()) if kept.has(one)][-own.drift_pictures :]
    stream = [_condition(str(kept.find(one)), judge.card.side, judge.card.located) for one in digests]
    try:
        return watch(judge.condition, np.array(stream).reshape(len(stream), -1), digests, FALSE_ALARMS) if stream else None  # fmt: skip
    except Misuse:
        return None


@lru_cache(maxsize=4096)
def _condition(path: str, side: int, located: bool) -> tuple[float, ...]:
    pixels = read_one(Path(path)).pixels
    return tuple(condition(scaled_to(pixels, side) if located else brought_to(pixels, side)).tolist())
