"""Take a look at a part: its photograph is kept once, the model judges, the inspector has the last word, and both are booked.

photograph ─► plain picture, kept by hash ─► row of the model ─► row of the inspector, which corrects it

A part sent twice (a broker repeats, a phone tries again) is booked once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.inspected import GOOD, UNNAMED
from zerofactory.optimisation.quality.choice import drawn
from zerofactory.runs import inspect_parts
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_book import Said, append, fault, faults_of, is_bad, name_of, row_said, rows, too_long
from zerofactory.runs.inspect_images import ENDINGS, Picture
from zerofactory.runs.inspect_model import Model, load, names, versions
from zerofactory.runs.inspect_photo import Photo, photo
from zerofactory.runs.inspect_settings import Settings, settings
from zerofactory.runs.part_code import read_codes, the_code
from zerofactory.store.pictures import Pictures

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A clock that was never set tells an earlier time; such a row could not be told in every time zone."""
MOST_HELD_PIXELS = 700_000_000
"""Of the pictures of one folder, which are held together (2 GB) so that all of them are booked or none."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part was looked at, and where; ``shop`` may be empty where the plant has but one."""

    code: str
    shop: str = ""
    station: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a part: its picture if there is one, and what the inspector says, if one looked."""

    part: Part
    photo: Photo | None = None
    said: Said | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a look: the rows booked for it (the last one stands), whether the picture is kept, what the model said or why it did not."""

    rows: tuple[Mapping[str, Any], ...]
    repeated: bool
    kept: bool
    chance: float | None
    unjudged: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        first, last = self.rows[0], self.rows[-1]
        judged = next((row for row in reversed(self.rows) if row["decided_by"] == "model"), None)
        said = last if last["decided_by"] == "inspector" else None
        agrees = None if judged is None or said is None else is_bad(judged) == is_bad(said)
        return {
            "defect_id": last["defect_id"], "part_code": first["part_code"], "image_sha256": first["image_sha256"],
            "repeated": self.repeated, "kept": self.kept,
            "model": None if judged is None else {
                "name": judged["model"], "version": judged["model_version"], "rejected": is_bad(judged), "score": judged["score"],
                "threshold": judged["threshold"], "likeliest": judged["likeliest"], "chance": self.chance,
            },
            "inspector": None if said is None else {name: said[name] for name in ("disposition", "defect", "cause", "note")},
            "agrees": agrees, "unjudged": [one.as_json() for one in self.unjudged],
        }  # fmt: skip


def take(context: Context, look: Look, model: str = "") -> Taken:
    """Judge and book one look at a part; see `take_all`."""
    return take_all(context, [look], model)[0]


def take_all(context: Context, looks: Sequence[Look], model: str = "") -> list[Taken]:
    """Judge and book looks at parts in one entry of the journal, or none of them.

    ``model`` may be left out where the workspace has one; without any, inspectors' verdicts alone are booked.

    Raises
    ------
    FaultyData
        Every fault of what was given.
    NotFound
        No such model, shop or product.
    """
    own = settings(context)
    looks = [_checked(context, one, own) for one in looks]
    judge = chosen_model(context, model)
    if judge is None and any(one.said is None for one in looks):
        raise NotFound(Text("检测模型", "inspection model"), model, names(context.workspace.folder))
    pictures = Pictures(context.workspace.folder, own.most_folder_bytes)
    made = [_judged(context, one, judge, own) for one in looks]
    kept = [one.photo is not None and pictures.keep(one.photo.content, one.photo.suffix) is not None for one in looks]
    return _booked(context, looks, made, kept)


def chosen_model(context: Context, name: str) -> Model | None:
    """Return the newest version of a model; the only one where none is named; None where there is none at all."""
    folder = context.workspace.folder
    there = [one for one in names(folder) if versions(folder, one)]
    if not name:
        if not there:
            return None
        if len(there) > 1:
            raise FaultyData([fault("which_model", f"有多个模型, 请指明: {', '.join(there)}。", f"There are several models; name one: {', '.join(there)}.")])  # fmt: skip
        name = there[0]
    if name not in there:
        raise NotFound(Text("检测模型", "inspection model"), name, there)
    return model_of(context, name, max(versions(folder, name)))


def model_of(context: Context, name: str, version: int) -> Model:
    """Return one version of a model, kept in memory from the last time."""
    return _loaded(str(context.workspace.folder.resolve()), name, version)


@lru_cache(maxsize=4)
def _loaded(folder: str, name: str, version: int) -> Model:
    return load(Path(folder), name, version)


def _checked(context: Context, look: Look, own: Settings) -> Look:
    """Return a look with its shop filled in; raise `FaultyData` with all of its faults."""
    plant, part, problems = context.workspace.plant, look.part, []
    shops, products = [one.id for one in plant.shops], [one.id for one in plant.products]
    shop = part.shop or (shops[0] if len(shops) == 1 else "")
    try:
        code = the_code(part.code, (), own.most_code_characters)
    except FaultyData as refused:
        code, problems = "", list(refused.problems)
    if shop not in shops:
        problems.append(NotFound(Text("车间", "shop"), shop, shops).as_problem())
    if part.product and part.product not in products:
        problems.append(NotFound(Text("产品", "product"), part.product, products).as_problem())
    if look.said is not None:
        problems += faults_of(look.said)
    elif look.photo is None:
        problems.append(fault("nothing", "既没有图片也没有判定。", "There is neither a picture nor a verdict."))
    problems += too_long({"station": part.station})
    if look.at is not None and look.at < EARLIEST:
        problems.append(Problem("inspect.at", Text(f"{look.at:%Y-%m-%d} 早于 2000 年。", f"{look.at:%Y-%m-%d} is before 2000."), Text("请校准相机的时钟, 或不给 inspected_at。", "Set the camera's clock, or leave inspected_at out."), column="inspected_at"))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    return Look(Part(code, shop, part.station.strip(), part.product), look.photo, look.said, look.at)


@dataclass(frozen=True, slots=True)
class _Made:
    """The row of the model, if it judged; else why not."""

    row: dict[str, Any] | None
    chance: float | None = None
    problems: tuple[Problem, ...] = ()


def _judged(context: Context, look: Look, model: Model | None, own: Settings) -> _Made:
    if look.photo is None or model is None:
        return _Made(None)
    try:
        verdict = verdict_of(model, look.photo.picture)
    except FaultyData as refused:
        if look.said is None:
            raise
        return _Made(None, None, refused.problems)
    card = model.card
    named = verdict.likeliest if verdict.likeliest and verdict.likeliest != card.good else UNNAMED
    found = {
        **_row(context, look), "defect": named if verdict.rejected else GOOD,
        "disposition": "recheck" if verdict.rejected else "accept", "decided_by": "model", "model": card.name,
        "model_version": card.version, "score": verdict.score, "threshold": card.threshold, "likeliest": verdict.likeliest or None,
    }  # fmt: skip
    key = ("part_code", "image_sha256", "shop", "station", "model", "model_version")
    found["defect_id"] = name_of(*(found[one] for one in key))
    found["audit"] = not verdict.rejected and drawn(found["defect_id"], own.audit_fraction)
    return _Made(found, verdict.chance if isfinite(verdict.chance) else None)


def verdict_of(model: Model, picture: Picture) -> inspect_parts.Verdict:
    """Return what a model says of one picture; raise `FaultyData` when it does not judge such pictures."""
    return inspect_parts.judged(model, [picture])[0]


def _booked(context: Context, looks: Sequence[Look], made: Sequence[_Made], kept: Sequence[bool]) -> list[Taken]:
    """Append what is new; of what was booked before, return the rows that are there."""
    with context.workspace.locked():
        codes = sorted({one.part.code for one in looks})
        there: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
        for row in rows(context, {"part_code": codes}).to_dicts():
            there.setdefault((row["part_code"], row["image_sha256"]), []).append(row)
        new: list[dict[str, Any]] = []
        done = []
        for look, one, whole in zip(looks, made, kept, strict=True):
            digest = None if look.photo is None else look.photo.picture.sha256
            chain = there.setdefault((look.part.code, digest), [])
            added = _added(context, look, one, chain)
            chain += added
            new += added
            done.append(Taken(tuple(chain), not added, whole, one.chance, one.problems))
        if new:
            append(context, new, {"parts": len(new), "shops": sorted({row["shop"] for row in new})})
    return done


def _added(context: Context, look: Look, one: _Made, chain: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that a look adds to those there are of the same part and picture."""
    added: list[dict[str, Any]] = []
    if one.row is not None and one.row["defect_id"] not in {row["defect_id"] for row in chain}:
        said_before = any(row["decided_by"] == "inspector" for row in chain)
        if not said_before:  # what an inspector has said is not corrected by a model
            added.append({**one.row, "corrects": chain[-1]["defect_id"] if chain else None})
    if look.said is not None:
        before = (added or list(chain))[-1] if added or chain else None
        if before is None or not look.said.repeats(before):
            here = _row(context, look)
            added.append(row_said(before or here, look.said, here["inspected_at"], context.actor))
    return added


def _row(context: Context, look: Look) -> dict[str, Any]:
    at = context.now if look.at is None else min(look.at, context.now)
    return {
        "defect_id": None, "corrects": None, "inspected_at": at, "part_code": look.part.code, "product": look.part.product or None,
        "shop": look.part.shop, "station": look.part.station or None, "cause": None, "model": None, "model_version": None,
        "score": None, "threshold": None, "likeliest": None,
        "image_sha256": None if look.photo is None else look.photo.picture.sha256, "quantity": 1, "audit": False, "note": None,
        "actor": context.actor,
    }  # fmt: skip


def take_folder(context: Context, folder: Path, part: Part, model: str = "") -> list[Taken]:
    """Judge and book the images of a folder; the code of a part is read from its picture, else it is the name of its file.

    Raises
    ------
    FaultyData
        Every image that cannot be used; nothing is booked then.
    """
    own = settings(context)
    looks: list[Look] = []
    problems: list[Problem] = []
    held = 0
    if not folder.is_dir():
        raise FaultyData([fault("folder", f"没有文件夹“{folder.name}”。", f"There is no folder '{folder.name}'.")])
    for path in sorted(one for one in folder.rglob("*") if one.suffix.lower() in ENDINGS and one.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            shown = photo(path.read_bytes(), own.most_picture_bytes, name)
        except FaultyData as refused:
            problems += refused.problems
            continue
        held += shown.picture.pixels.size // 3
        if held > MOST_HELD_PIXELS:
            raise FaultyData([*problems, fault("many", f"图片共超过 {MOST_HELD_PIXELS // 10**6} 百万像素, 请分几个文件夹。", f"The pictures have more than {MOST_HELD_PIXELS // 10**6} million pixels: take several folders.")])  # fmt: skip
        codes = read_codes(shown.picture.pixels, own.most_code_characters)
        looks.append(Look(replace(part, code=codes[0].text if len(codes) == 1 else path.stem), shown))
    if problems or not looks:
        raise FaultyData(problems or [fault("empty", "文件夹里没有图片。", "The folder holds no images.")])
    return take_all(context, looks, model)
