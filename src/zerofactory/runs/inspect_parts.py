"""Learned inspection: train on images, test on others, judge parts; nobody judges with a model that learned from other pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Misuse, Problem, Text
from zerofactory.optimisation.quality.drift import Drift, condition, watch
from zerofactory.optimisation.quality.features import look, of_look
from zerofactory.optimisation.quality.labels import summary
from zerofactory.optimisation.quality.measure import Auroc, Rate, auroc, rate
from zerofactory.optimisation.quality.normal import Normal, glance, odd
from zerofactory.optimisation.quality.places import Box, Places, boxes
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_images import Picture, brought_to, read_folder, refuse_labels, scaled_to, together
from zerofactory.runs.inspect_learn import (
    WORKERS,
    learned,
    learned_places,
    limits,
    refuse_suspects,
    side_of,
    some_of,
    witness,
)
from zerofactory.runs.inspect_model import Card, Model, backbone, load, save, versions
from zerofactory.runs.inspect_shapes import read_marked

Floats = NDArray[np.float64]
STRONGEST, RED = 0.7, (220, 30, 20)
"""How much the oddest place of a heat map covers, and its colour."""
FALSE_ALARMS = 0.01
"""Chance of a drift alarm, ever, while the camera is as it was."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is learned.

    Parameters
    ----------
    folder : one subfolder a class, or with ``labels.csv``; None where only ``more`` is learned from.
    good : the class of good parts; without any other class the model learns from good parts alone.
    false_reject_fraction, escape_fraction : what is promised about good parts, and about bad ones if that is wanted too.
    side : images are brought to a square of this many pixels; 0: their own shorter side, to the next multiple of 32, at most 320.
    despite_suspects : learn although labels are contradicted by the other images.
    localise : learn from marked defects (`inspect_shapes`) where they are.
    """

    folder: Path | None
    name: str
    good: str = "ok"
    false_reject_fraction: float = 0.05
    side: int = 0
    despite_suspects: bool = False
    escape_fraction: float | None = None
    localise: bool = False


@dataclass(frozen=True)
class Tested:
    """A model on images it has not seen: AUROC where there are both kinds, escapes among bad, rejects among good parts."""

    model: Card
    images: int
    auroc: Auroc | None
    escape: Rate
    false_reject: Rate
    by_class: Mapping[str, Rate]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "model": self.model.name,
            "version": self.model.version,
            "images": self.images,
            "auroc": None if self.auroc is None else [self.auroc.value, self.auroc.low, self.auroc.high],
            "escape": _rate(self.escape),
            "false_reject": _rate(self.false_reject),
            "found_by_class": {label: _rate(one) for label, one in self.by_class.items()},
        }


@dataclass(frozen=True)
class Verdict:
    """What is said of one part.

    Parameters
    ----------
    score, rejected : how odd or how likely bad it is, and whether that is above the model's threshold.
    likeliest, chance : the likeliest class and its calibrated chance; "" and nan where the model knows no classes.
    distances : the heat map (rows × columns): 0 a usual patch of a good part, above 1 one patch in a thousand of good parts; of a model
        that learned places the chance that a patch is a defect's.
    boxes : around defects, of a model that learned places.
    condition : figures of the camera in this image, for `drift_of`.
    """

    file: str
    sha256: str
    score: float
    rejected: bool
    likeliest: str
    chance: float
    distances: NDArray[np.float32]
    boxes: tuple[Box, ...] = ()
    condition: tuple[float, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values without the map."""
        return {"file": self.file, "sha256": self.sha256, "score": self.score, "rejected": self.rejected, "likeliest": self.likeliest, "chance": self.chance, "boxes": [one.as_json() for one in self.boxes]}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """The verdicts on the images of a folder, and whether the camera has drifted since the model learned."""

    model: Card
    verdicts: list[Verdict]
    drift: Drift | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "model": self.model.name, "version": self.model.version, "verdicts": [one.as_json() for one in self.verdicts],
            "drift": None if self.drift is None else self.drift.as_json(),
        }  # fmt: skip


def train(
    context: Context,
    asked: Asked,
    progress: Callable[[int, int], None] | None = None,
    more: Sequence[Picture] = (),
) -> Card:
    """Learn a model and write it as the next version of its name.

    ``more`` are labelled images from elsewhere (an inspector's verdicts), learned from beside those of the folder.

    The threshold and the metrics come from judges that had seen nothing of an image's group (cross-conformal).

    Raises
    ------
    FaultyData
        Faults of the images; too few good ones; labels that the other images contradict; a promise that cannot be kept.
    """
    _refuse_name(asked)
    if asked.localise:
        return _train_places(context, asked, progress)
    pictures = together([] if asked.folder is None else read_folder(asked.folder), more)
    refuse_labels(pictures, asked.good)
    pictures = some_of(pictures)
    side = asked.side or side_of(pictures[0].pixels.shape)
    found = learned(pictures, asked.good, side, progress)
    if not asked.despite_suspects:
        refuse_suspects(pictures, found.suspects)
    labels = np.array([one.label for one in pictures])
    limit = limits(found.scores, labels == asked.good, asked.false_reject_fraction, asked.escape_fraction)
    metrics = _metrics(found.scores, labels, asked.good, limit) | found.metrics
    if found.suspects:
        metrics["doubtful"] = [pictures[place].file for place in found.suspects]
    card = _card(context, asked, pictures, (side, limit, metrics))
    return save(context.workspace.folder, Model(card, found.normal, found.linear, found.weighed, None, found.condition))


def _train_places(context: Context, asked: Asked, progress: Callable[[int, int], None] | None) -> Card:
    """Learn where defects are from images on which they are marked."""
    if asked.folder is None or not asked.folder.is_dir():
        raise FaultyData([Problem("inspect.folder", Text("没有这个文件夹。", "There is no such folder."), Text("请核对路径。", "Check the path."), file=str(asked.folder and asked.folder.name))])  # fmt: skip
    marked, classes = read_marked(asked.folder, asked.good)
    pictures = [one.picture for one in marked]
    refuse_labels(pictures, asked.good)
    side = asked.side or side_of(min((one.pixels.shape for one in pictures), key=min))
    found = learned_places(marked, classes, side, progress)
    labels = np.array([one.label for one in pictures])
    limit = limits(found.scores, labels == asked.good, asked.false_reject_fraction, asked.escape_fraction)
    metrics = _metrics(found.scores, labels, asked.good, limit) | found.metrics
    card = _card(context, asked, pictures, (side, limit, metrics))
    return save(context.workspace.folder, Model(card, None, None, None, found.places, found.condition))


def _card(context: Context, asked: Asked, pictures: Sequence[Picture], told: tuple[int, float, dict[str, Any]]) -> Card:
    side, limit, metrics = told
    hashes = tuple(sorted({one.sha256 for one in pictures}))
    sizes = sorted({(one.pixels.shape[0], one.pixels.shape[1]) for one in pictures})
    return Card(
        asked.name, max(versions(context.workspace.folder, asked.name), default=0) + 1, context.at, context.actor,
        tuple(sorted({one.label for one in pictures})), asked.good, side, sizes[0], len(pictures),
        hashlib.sha256("\n".join(hashes).encode()).hexdigest(), hashes, limit, asked.false_reject_fraction, metrics,
        backbone(), "", asked.localise, tuple(sizes) if asked.localise else (),
    )  # fmt: skip


def examine(context: Context, name: str, folder: Path, version: int | None = None) -> Tested:
    """Return how a model does on labelled images it has not seen; raise `FaultyData` when it has seen any of them."""
    model = load(context.workspace.folder, name, version)
    pictures = read_folder(folder, one_size=False)
    known = set(model.card.seen)
    problems = [_seen(one) for one in pictures if one.sha256 in known]
    strange = sorted({one.label for one in pictures} - set(model.card.classes)) if model.labels or model.places else []
    problems += [_strange(label, model.card) for label in strange]
    if problems:
        raise FaultyData(problems)
    verdicts = judged(model, pictures)
    good = np.array([one.label == model.card.good for one in pictures])
    rejected = np.array([one.rejected for one in verdicts])
    scores = np.array([one.score for one in verdicts])
    both = bool(good.any() and (~good).any())
    by_class = {
        label: rate(
            int(rejected[[one.label == label for one in pictures]].sum()), sum(one.label == label for one in pictures)
        )
        for label in sorted({one.label for one in pictures} - {model.card.good})
    }
    return Tested(
        model.card, len(pictures), auroc(scores[good], scores[~good]) if both else None,
        rate(int((~rejected & ~good).sum()), int((~good).sum())), rate(int((rejected & good).sum()), int(good.sum())), by_class,
    )  # fmt: skip


def run(
    context: Context, name: str, folder: Path, version: int | None = None, out: Path | None = None
) -> list[Verdict]:
    """Return the verdicts on the images of a folder; see `judge_folder`."""
    return judge_folder(context, name, folder, version, out).verdicts


def judge_folder(
    context: Context, name: str, folder: Path, version: int | None = None, out: Path | None = None, maps: Path | None = None
) -> Judged:  # fmt: skip
    """Return the verdicts on the images of a folder and whether the camera has drifted.

    With ``out`` also verdicts.jsonl and a picture of each rejected part with its heat map over it; with ``maps`` one of every part.
    """
    model = load(context.workspace.folder, name, version)
    pictures = read_folder(folder, labelled=False, one_size=False)
    verdicts = judged(model, pictures)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps({**one.as_json(), "model": model.card.name, "version": model.card.version}, ensure_ascii=False) + "\n" for one in verdicts)  # fmt: skip
        (out / "verdicts.jsonl").write_text(lines, encoding="utf-8")
    for place, wanted in ((out, False), (maps, True)):
        if place is None:
            continue
        place.mkdir(parents=True, exist_ok=True)
        for picture, one in zip(pictures, verdicts, strict=True):
            if wanted or one.rejected:
                overlay(picture, one).save(place / f"{Path(one.file).stem}-{one.sha256[:8]}.png")
    return Judged(model.card, verdicts, drift_of(model, verdicts))


def judged(model: Model, pictures: Sequence[Picture]) -> list[Verdict]:
    """Return what a model says of images; raise `FaultyData` for images of another size than it learned from."""
    sizes = model.card.shapes or (tuple(model.card.shape),)
    problems = [_other_size(one, model.card) for one in pictures if one.pixels.shape[:2] not in sizes]
    if problems:
        raise FaultyData(problems)
    with ThreadPoolExecutor(WORKERS) as pool:
        if model.places is not None:
            return list(pool.map(partial(_located, model, model.places), pictures))
        if model.normal is None:
            raise Misuse("the model has learned nothing")
        return list(pool.map(partial(_judged, model, model.normal), pictures))


def _judged(model: Model, normal: Normal, picture: Picture) -> Verdict:
    card, image = model.card, brought_to(picture.pixels, model.card.side)
    seen = look(image)
    own = glance(seen)
    found = odd(normal, own)
    score, likeliest, chance = found.score, "", float("nan")
    if model.labels is not None and model.weighed is not None:
        chances = model.labels.chances(witness(summary(of_look(seen)), own, found)[None])[0]
        good = card.classes.index(card.good)
        score = float(model.weighed.bad(chances[good : good + 1], np.array([found.score]))[0])
        shares = np.delete(chances, good)
        shares = shares / shares.sum()
        best = int(shares.argmax())
        named = [one for one in card.classes if one != card.good][best]
        likeliest, chance = (named, score * float(shares[best])) if score * shares[best] > 1.0 - score else (card.good, 1.0 - score)  # fmt: skip
    told = tuple(condition(image).tolist())
    return Verdict(picture.file, picture.sha256, score, score > card.threshold, likeliest, chance, found.distances, (), told)  # fmt: skip


def _located(model: Model, places: Places, picture: Picture) -> Verdict:
    card, image = model.card, scaled_to(picture.pixels, model.card.side)
    chances = places.chances(glance(look(image)).joined())
    bad = (1.0 - chances[0]).astype(np.float32)
    score = float(bad.max())
    by_class = chances.max(axis=(1, 2))[1:]
    rejected = score > card.threshold
    found = boxes(chances, places.classes, (picture.pixels.shape[0], picture.pixels.shape[1]))
    likeliest = places.classes[1 + int(by_class.argmax())] if rejected else card.good
    told = tuple(condition(image).tolist())
    return Verdict(picture.file, picture.sha256, score, rejected, likeliest, score if rejected else 1.0 - score, bad, found, told)  # fmt: skip


def drift_of(model: Model, verdicts: Sequence[Verdict], promised: float = FALSE_ALARMS) -> Drift | None:
    """Return whether the images of verdicts, in their order, still come as those the model learned from; None where it cannot tell."""
    stream = [one for one in verdicts if one.condition]
    try:
        return watch(model.condition, np.array([one.condition for one in stream]).reshape(len(stream), -1), [one.sha256 for one in stream], promised) if stream else None  # fmt: skip
    except Misuse:
        return None


def overlay(picture: Picture, verdict: Verdict) -> Any:
    """Return an image in grey with what is odd over it in red, and boxes where there are any."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture.pixels)
    cover = (np.clip(verdict.distances, 0.0, 1.0) ** 2 * STRONGEST * 255).astype(np.uint8)
    grey = image.convert("L").convert("RGB")
    grey.paste(Image.new("RGB", image.size, RED), (0, 0), Image.fromarray(cover).resize(image.size, Image.Resampling.BILINEAR))  # fmt: skip
    pen = ImageDraw.Draw(grey)
    for one in verdict.boxes:
        pen.rectangle((one.left, one.top, one.right - 1, one.bottom - 1), outline=RED, width=2)
    return grey


def _metrics(scores: Floats, labels: NDArray[np.str_], good: str, limit: float) -> dict[str, object]:
    fine = labels == good
    found: dict[str, object] = {"false_reject": _rate(rate(int((scores[fine] > limit).sum()), int(fine.sum())))}
    if (~fine).any():
        found["escape"] = _rate(rate(int((scores[~fine] <= limit).sum()), int((~fine).sum())))
        area = auroc(scores[fine], scores[~fine])
        found["auroc"] = [area.value, area.low, area.high]
        found["found_by_class"] = {
            str(label): _rate(rate(int((scores[labels == label] > limit).sum()), int((labels == label).sum())))
            for label in sorted(set(labels[~fine].tolist()))
        }
    return found


def _rate(one: Rate) -> dict[str, float | int]:
    return {"hits": one.hits, "of": one.of, "value": one.value, "low": one.low, "high": one.high}


def _refuse_name(asked: Asked) -> None:
    problems = []
    if not asked.name.isidentifier() or not asked.name.isascii():
        problems.append(Problem("inspect.name", Text(f"名称“{asked.name}”只能用字母、数字和下划线。", f"The name '{asked.name}' may hold letters, digits and underscores."), Text("例如 screw_pits。", "For example screw_pits.")))  # fmt: skip
    if asked.side and (asked.side % 32 or not 64 <= asked.side <= 1024):
        problems.append(Problem("inspect.side", Text(f"边长 {asked.side} 应为 64 至 1024 间 32 的倍数。", f"A side of {asked.side} is no multiple of 32 from 64 to 1024."), Text("例如 160。", "For example 160.")))  # fmt: skip
    if not 0.0 < asked.false_reject_fraction < 0.5 or not 0.0 < (asked.escape_fraction or 0.1) < 0.5:
        problems.append(Problem("inspect.promise", Text("误判率与漏检率应在 0 与 0.5 之间。", "The false rejects and escapes promised lie between 0 and 0.5."), Text("例如 0.05。", "For example 0.05.")))  # fmt: skip
    if problems:
        raise FaultyData(problems)


def _seen(one: Picture) -> Problem:
    return Problem("inspect.seen", Text("模型训练时见过这张图, 不能用来检验。", "The model has learned from this image: it cannot test it."), Text("请用没有训练过的图片。", "Use images it has not seen."), file=one.file)  # fmt: skip


def _strange(label: str, card: Card) -> Problem:
    return Problem("inspect.label", Text(f"模型不认识类别“{label}”。", f"The model does not know the class '{label}'."), Text(f"已知: {', '.join(card.classes)}。", f"It knows: {', '.join(card.classes)}."))  # fmt: skip


def _other_size(one: Picture, card: Card) -> Problem:
    known = ", ".join(f"{wide}×{high}" for high, wide in card.shapes or (tuple(card.shape),))
    return Problem(
        "inspect.other_data",
        Text(f"{one.pixels.shape[1]}×{one.pixels.shape[0]} 与训练图片 {known} 不同, 拒绝判定。", f"{one.pixels.shape[1]}×{one.pixels.shape[0]} is not the {known} it learned from: it does not judge."),
        Text("请用同一相机与裁剪, 或另训模型。", "Use the same camera and crop, or train another model."),
        file=one.file,
    )  # fmt: skip
