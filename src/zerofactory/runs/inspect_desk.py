"""What a phone, a program or a broker sends about a part, and what it is told back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore

import polars as pl

from zerofactory.errors import FaultyData
from zerofactory.metering.inspected import GOOD, UNNAMED
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import Said, newest
from zerofactory.runs.inspect_model import cards
from zerofactory.runs.inspect_photo import Photo, photo
from zerofactory.runs.inspect_settings import settings
from zerofactory.runs.inspect_take import Look, Part, chosen_model, take, verdict_of
from zerofactory.runs.part_code import Code, read_codes, the_code

_AT_ONCE = BoundedSemaphore(2)
"""Pictures opened at once: a file of 50 kB may hold 50 million pixels, which take 600 MB until they are judged."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The words that come with a picture."""

    part_code: str = ""
    shop: str = ""
    station: str = ""
    product: str = ""
    model: str = ""
    inspected_at: datetime | None = None
    said: Said | None = None


def receive(context: Context, sent: Sent, image: bytes | None, code_image: bytes | None = None) -> dict[str, object]:
    """Judge and book a part that was sent; return what became of it.

    Where no code is given it is read from ``code_image``, else from the picture itself.

    Raises
    ------
    FaultyData, NotFound
        Faults of the pictures, of the code or of the words.
    """
    with _AT_ONCE:
        return _received(context, sent, image, code_image)


def _received(context: Context, sent: Sent, image: bytes | None, code_image: bytes | None) -> dict[str, object]:
    own = settings(context)
    shown = None if image is None else photo(image, own.most_picture_bytes, "image")
    code = sent.part_code.strip()
    if not code:
        beside = shown if code_image is None else photo(code_image, own.most_picture_bytes, "code_image")
        code = the_code("", _codes(beside, own.most_code_characters), own.most_code_characters)
    part = Part(code, sent.shop, sent.station, sent.product)
    told = take(context, Look(part, shown, sent.said, sent.inspected_at), sent.model).as_json()
    if sent.said is not None and own.opinion == "never":
        told |= {"model": None, "agrees": None}
    return told


def look_at(context: Context, content: bytes, model: str = "", codes_only: bool = False) -> dict[str, object]:
    """Return the codes in a photograph and, where inspectors are shown it beforehand, what the model says of it."""
    with _AT_ONCE:
        return _looked_at(context, content, model, codes_only)


def _looked_at(context: Context, content: bytes, model: str, codes_only: bool) -> dict[str, object]:
    own = settings(context)
    shown = photo(content, own.most_picture_bytes, "image")
    told: dict[str, object] = {"codes": [one.as_json() for one in _codes(shown, own.most_code_characters)], "model": None}  # fmt: skip
    judge = chosen_model(context, model) if own.opinion == "before" and not codes_only else None
    if judge is not None:
        try:
            said = verdict_of(judge, shown.picture)
        except FaultyData as refused:
            return told | {"unjudged": [one.as_json() for one in refused.problems]}
        told["model"] = {"name": judge.card.name, "version": judge.card.version, "rejected": said.rejected, "score": said.score, "threshold": judge.card.threshold, "likeliest": said.likeliest or None}  # fmt: skip
    return told


def _codes(shown: Photo | None, most_characters: int) -> list[Code]:
    return [] if shown is None else read_codes(shown.picture.pixels, most_characters)


def known_defects(context: Context, most: int = 12) -> list[str]:
    """Return the classes of defect that models or inspectors have named, the usual ones first."""
    counts: dict[str, int] = {}
    recent = newest(context, settings(context).queue_rows).filter(pl.col("decided_by") == "inspector")
    for defect in recent["defect"].to_list():
        counts[defect] = counts.get(defect, 0) + 1
    for card in cards(context.workspace.folder):
        for name in card["classes"]:  # type: ignore[attr-defined]
            if name != card["good"]:
                counts.setdefault(name, 0)
    usual = sorted(counts, key=lambda name: (-counts[name], name))
    return [name for name in usual if name not in (GOOD, UNNAMED)][:most]
