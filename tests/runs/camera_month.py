"""A month of two cameras in the book of inspections: plates on a dark table, judged by a model that learned from such pictures."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from zerofactory.optimisation.quality.drift import condition
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import append
from zerofactory.runs.inspect_images import brought_to
from zerofactory.runs.inspect_model import Card, Model, backbone, save
from zerofactory.store.pictures import FOLDER

SIDE, LEARNED, THRESHOLD = 96, 40, 0.5
Pixels = NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]


def plate(number: int) -> Pixels:
    """Return the picture of a plate on a table, each a little elsewhere and in a little other light."""
    random = np.random.default_rng(number)
    image = random.normal(40.0 + random.normal(0, 1.5), 3.0, (SIDE, SIDE))
    top, left = 20 + random.integers(-2, 3, 2)
    image[top : top + 50, left : left + 50] = random.normal(160.0 + random.normal(0, 3.0), 5.0, (50, 50))
    return np.repeat(np.clip(image, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def dimmed(pixels: Pixels) -> Pixels:
    """Return a picture with a fifth less light."""
    return (pixels * 0.8).astype(np.uint8)


def blurred(pixels: Pixels) -> Pixels:
    """Return a picture out of focus."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1.2)))


def moved(pixels: Pixels) -> Pixels:
    """Return a picture of a camera that was pushed: all lies 12 pixels further right."""
    return np.roll(pixels, 12, axis=1)


def learned(context: Context, name: str = "plates", metrics: Mapping[str, Any] | None = None) -> None:
    """Write a model that has learned what its pictures look like, and promised 5 % false rejects."""
    reference = np.array([condition(brought_to(plate(number), SIDE)) for number in range(LEARNED)])
    card = Card(
        name, 1, context.at, "test", ("ok", "pit"), "ok", SIDE, (SIDE, SIDE), LEARNED, "0" * 64, (), THRESHOLD, 0.05, metrics or {}, backbone(),
    )  # fmt: skip
    save(context.workspace.folder, Model(card, None, None, None, None, reference))


def row(camera: tuple[str, str], at: datetime, digest: str | None, **more: object) -> dict[str, Any]:
    """Return a row of a model at (shop, station)."""
    key = f"{camera} {at} {digest} {sorted(more.items())}"
    return {
        "defect_id": hashlib.sha256(key.encode()).hexdigest()[:20], "corrects": None, "inspected_at": at, "part_code": f"P-{at:%d%H%M%S}",
        "product": None, "shop": camera[0], "station": camera[1] or None, "defect": "ok", "cause": None, "disposition": "accept", "decided_by": "model",
        "model": "plates", "model_version": 1, "score": 0.1, "threshold": THRESHOLD, "likeliest": "ok", "image_sha256": digest, "quantity": 1,
        "audit": False, "note": None, "actor": "camera", **more,
    }  # fmt: skip


def shoot(context: Context, camera: tuple[str, str], days: Sequence[date], change: Mapping[date, Change] | None = None, a_day: int = 16) -> None:  # fmt: skip
    """Book pictures of some days, 09:00 to 18:00 in Shanghai; ``change`` says what became of the camera on some of them."""
    rows = []
    for day in days:
        for number in range(a_day):
            seed = int(hashlib.sha256(f"{camera} {day} {number}".encode()).hexdigest()[:8], 16) + LEARNED
            pixels = (change or {}).get(day, lambda same: same)(plate(seed))
            out = io.BytesIO()
            Image.fromarray(pixels).save(out, "PNG")
            at = datetime(day.year, day.month, day.day, 1, tzinfo=UTC) + timedelta(hours=9 * number / a_day)
            rows.append(row(camera, at, _kept(context, out.getvalue())))
    append(context, rows, {"parts": len(rows)})


def _kept(context: Context, content: bytes) -> str:
    """Put a picture where pictures are kept, without waiting for the disk as `Pictures.keep` does."""
    digest = hashlib.sha256(content).hexdigest()
    place = context.workspace.folder / FOLDER / digest[:2]
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{digest}.png").write_bytes(content)
    return digest
