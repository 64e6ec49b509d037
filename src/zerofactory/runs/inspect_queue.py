"""The inspector's queue, what is learned from his answers, and how often the model lets a bad part go: from the rows of the book.

Order: verdicts that model and inspector do not share (a second look settles them), parts drawn at random for the audit, then the
pictures that teach most: those the model is least sure of, near twins of what has been looked at last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.metering.inspected import GOOD, standing
from zerofactory.optimisation.quality.choice import doubt, in_turn
from zerofactory.optimisation.quality.features import patches
from zerofactory.optimisation.quality.labels import summary
from zerofactory.optimisation.quality.measure import Rate, rate
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import is_bad, newest, plain, rows
from zerofactory.runs.inspect_images import Picture, brought_to, read_one
from zerofactory.runs.inspect_settings import settings
from zerofactory.store.pictures import Pictures

Why = Literal["disagreement", "audit", "unsure"]
WHY: Mapping[str, Text] = {
    "disagreement": Text("与模型不一致", "model and inspector disagree"),
    "audit": Text("随机抽检", "drawn at random"),
    "unsure": Text("模型没把握", "the model is unsure"),
}
LOOKED_AT = 20
"""So many of the pictures last looked at are compared with the candidates."""
SIDE = 160
"""Pictures are compared at this size, whichever model judged them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture to be looked at: its row that stands, and why it is wanted."""

    row: Mapping[str, Any]
    why: Why

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"why": self.why, **plain(self.row)}


@dataclass(frozen=True, slots=True)
class Only:
    """Which parts are meant: of one model, shop or station; empty: all."""

    model: str = ""
    shop: str = ""
    station: str = ""

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that are meant."""
        for name, value in (("model", self.model), ("shop", self.shop), ("station", self.station)):
            if value:
                frame = frame.filter(pl.col(name) == value)
        return frame


@dataclass(frozen=True, slots=True)
class Audit:
    """What inspectors found: bad parts among those passed and drawn at random, good ones among those rejected.

    ``waiting`` are drawn and not looked at yet; ``passed`` and ``rejected`` are how many parts the model judged so.
    """

    span: str
    passed: int
    rejected: int
    waiting: int
    escape: Rate
    false_reject: Rate

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "span": self.span, "passed": self.passed, "rejected": self.rejected, "waiting": self.waiting,
            "escape_of_passed": _told(self.escape), "false_of_rejected": _told(self.false_reject),
        }  # fmt: skip


def queue(context: Context, only: Only = Only(), limit: int = 20) -> list[Wanted]:
    """Return what to look at next, the most wanted first; only pictures that are kept."""
    own = settings(context)
    kept = Pictures(context.workspace.folder, own.most_folder_bytes)
    every = only.of(newest(context, own.queue_rows).filter(pl.col("image_sha256").is_not_null()))
    now = [row for row in standing(every).to_dicts() if row["model"] is not None]
    looks: dict[tuple[str, str], list[bool]] = {}
    for row in every.filter(pl.col("decided_by") == "inspector").to_dicts():
        looks.setdefault((row["part_code"], row["image_sha256"]), []).append(is_bad(row))
    found = [
        Wanted(row, "disagreement")
        for row in now
        if row["decided_by"] == "inspector"
        and disagree(row)
        and not _settled(looks[row["part_code"], row["image_sha256"]])
    ]
    fresh = [row for row in now if row["decided_by"] == "model"]
    found += [Wanted(row, "audit") for row in fresh if row["audit"]]
    found = [one for one in found if kept.has(one.row["image_sha256"])][:limit]
    if len(found) < limit:
        said = [row for row in now if row["decided_by"] == "inspector"][-LOOKED_AT:]
        rest = [row for row in fresh if not row["audit"]]
        found += [Wanted(row, "unsure") for row in _teaching(kept, rest, said, limit - len(found), own.queue_candidates)]  # fmt: skip
    return found


def disagree(row: Mapping[str, Any]) -> bool:
    """Return whether the inspector of a row says otherwise than the model that judged the same picture."""
    return row["score"] is not None and (row["score"] > row["threshold"]) != is_bad(row)


def _settled(said: Sequence[bool]) -> bool:
    """Return whether the last two looks of inspectors say the same.

    >>> _settled([True]), _settled([True, False]), _settled([True, False, False])
    (False, False, True)
    """
    return len(said) > 1 and said[-1] == said[-2]


def training(context: Context, good: str = GOOD, only: Only = Only()) -> list[Picture]:
    """Return the pictures inspectors have judged, as images to learn from: their class, and the part (or day) as group.

    With a model named also those that no model has judged are taken: they are how a first model begins.
    """
    kept = Pictures(context.workspace.folder, settings(context).most_folder_bytes)
    frame = replace(only, model="").of(standing(rows(context)).filter(pl.col("decided_by") == "inspector"))
    if only.model:
        frame = frame.filter(pl.col("model").is_null() | (pl.col("model") == only.model))
    found = []
    for row in frame.filter(pl.col("image_sha256").is_not_null()).to_dicts():
        if kept.has(row["image_sha256"]):
            group = row["part_code"] or f"{row['inspected_at']:%Y-%m-%d}"
            label = good if row["defect"] == GOOD else row["defect"]
            found.append(read_one(kept.find(row["image_sha256"]), label, group, f"{row['part_code']} {row['image_sha256'][:12]}"))  # fmt: skip
    return found


def audits(context: Context, only: Only = Only()) -> list[Audit]:
    """Return what the audit says: of all parts together first, then month by month, the newest last.

    A part is drawn by itself with a chance known beforehand, so the bad ones among those drawn and looked at are binomial and the
    interval is Clopper and Pearson's (1934, doi 10.1093/biomet/26.4.404). Parts that were looked at for another reason say
    nothing about those passed, and are left out.
    """
    found = [row for row in only.of(standing(rows(context))).to_dicts() if row["score"] is not None]
    spans: dict[str, list[dict[str, Any]]] = {"": found} if found else {}
    for row in found:
        spans.setdefault(f"{row['inspected_at']:%Y-%m}", []).append(row)
    return [_audit(span, spans[span]) for span in sorted(spans)]


def _audit(span: str, found: Sequence[Mapping[str, Any]]) -> Audit:
    passed = [row for row in found if row["score"] <= row["threshold"]]
    rejected = [row for row in found if row["score"] > row["threshold"]]
    drawn = [row for row in passed if row["audit"]]
    looked = [row for row in drawn if row["decided_by"] == "inspector"]
    again = [row for row in rejected if row["decided_by"] == "inspector"]
    return Audit(
        span, len(passed), len(rejected), len(drawn) - len(looked),
        rate(sum(map(is_bad, looked)), len(looked)), rate(sum(not is_bad(row) for row in again), len(again)),
    )  # fmt: skip


def _teaching(
    kept: Pictures, fresh: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Any]], count: int, candidates: int
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows whose pictures teach most."""
    doubts = np.zeros(len(fresh))
    of_model: dict[tuple[str, int], list[int]] = {}
    for place, row in enumerate(fresh):
        of_model.setdefault((row["model"], row["model_version"]), []).append(place)
    for places in of_model.values():
        own = [fresh[place] for place in places]
        doubts[places] = doubt(np.array([row["score"] - row["threshold"] for row in own]), 0.0)
    order = np.argsort(-doubts, kind="stable").tolist()
    best = list(islice((place for place in order if kept.has(fresh[place]["image_sha256"])), max(candidates, count)))
    told = np.array([_told_of(kept, fresh[place]) for place in best])
    known = np.array([_told_of(kept, row) for row in said if kept.has(row["image_sha256"])])
    if not best:
        return
    for place in in_turn(doubts[best], told, known.reshape(-1, told.shape[1]), count):
        yield fresh[best[place]]


def _told_of(kept: Pictures, row: Mapping[str, Any]) -> NDArray[np.float64]:
    return _summary(str(kept.find(row["image_sha256"])))


@lru_cache(maxsize=2048)
def _summary(path: str) -> NDArray[np.float64]:
    return summary(patches(brought_to(read_one(Path(path)).pixels, SIDE)))


def _told(one: Rate) -> dict[str, float | int | None]:
    return {"hits": one.hits, "of": one.of, "value": one.value if one.of else None, "low": one.low, "high": one.high}
