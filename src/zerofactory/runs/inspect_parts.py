"""Learned inspection: train on images, test on others, judge parts; nobody judges with a model that learned from other pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Misuse, Problem, Text
from zerofactory.optimisation.quality.backbone import LICENCE, PACKAGE
from zerofactory.optimisation.quality.features import STRIDE, Patches, patches
from zerofactory.optimisation.quality.labels import crossed, fold_of, learn, summary, suspects
from zerofactory.optimisation.quality.measure import Auroc, Rate, auroc, rate, threshold
from zerofactory.optimisation.quality.memory import judge, remember
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_images import Picture, brought_to, read_folder, refuse_labels
from zerofactory.runs.inspect_model import Card, Model, load, save, versions

Floats = NDArray[np.float64]
FOLDS, CORE, SIDE = 5, 2000, 160
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What is learned.

    Parameters
    ----------
    folder : one subfolder a class, or with ``labels.csv``.
    good : the class of good parts; without any other class the model learns from good parts alone.
    false_reject_fraction : what is promised about good parts.
    despite_suspects : learn although labels are contradicted by the other images.
    """

    folder: Path
    name: str
    good: str = "ok"
    false_reject_fraction: float = 0.05
    side: int = SIDE
    despite_suspects: bool = False


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
    """What is said of one part: score, whether it is rejected, the likeliest class, and the distance of every patch."""

    file: str
    sha256: str
    score: float
    rejected: bool
    likeliest: str
    chance: float
    distances: NDArray[np.float32]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values without the map."""
        return {"file": self.file, "sha256": self.sha256, "score": self.score, "rejected": self.rejected, "likeliest": self.likeliest, "chance": self.chance}  # fmt: skip


def train(context: Context, asked: Asked, progress: Callable[[int, int], None] | None = None) -> Card:
    """Learn a model and write it as the next version of its name.

    The threshold and the metrics come from judges that had seen nothing of an image's group (cross-conformal).

    Raises
    ------
    FaultyData
        Faults of the images; too few good ones; labels that the other images contradict; a promise that cannot be kept.
    """
    pictures = read_folder(asked.folder)
    refuse_labels(pictures, asked.good)
    _refuse_name(asked)
    seen = features(pictures, asked.side, progress)
    labels = [one.label for one in pictures]
    classes = tuple(sorted(set(labels)))
    if len(classes) > 1:
        told = np.array([summary(one) for one in seen])
        chances, order = crossed(told, labels, [one.group for one in pictures], FOLDS)
        if not asked.despite_suspects:
            _refuse_suspects(pictures, suspects(chances, order, labels))
        scores = 1.0 - chances[:, order.index(asked.good)]
        linear = learn(told, labels)
    else:
        scores, linear = _crossed_memory(pictures, seen), None
    good = np.array([label == asked.good for label in labels])
    try:
        limit = threshold(scores[good], asked.false_reject_fraction)
    except Misuse as error:
        raise FaultyData([_promise(int(good.sum()), asked.false_reject_fraction)]) from error
    memory = remember(np.concatenate([one.values for one, fine in zip(seen, good, strict=True) if fine]), CORE)
    hashes = tuple(sorted({one.sha256 for one in pictures}))
    card = Card(
        asked.name, max(versions(context.workspace.folder, asked.name), default=0) + 1, context.at, context.actor,
        classes, asked.good, asked.side, (pictures[0].pixels.shape[0], pictures[0].pixels.shape[1]), len(pictures),
        hashlib.sha256("\n".join(hashes).encode()).hexdigest(), hashes, limit, asked.false_reject_fraction,
        _metrics(scores, good, limit), f"{PACKAGE} ({LICENCE})",
    )  # fmt: skip
    return save(context.workspace.folder, Model(card, memory, linear))


def examine(context: Context, name: str, folder: Path, version: int | None = None) -> Tested:
    """Return how a model does on labelled images it has not seen; raise `FaultyData` when it has seen any of them."""
    model = load(context.workspace.folder, name, version)
    pictures = read_folder(folder)
    known = set(model.card.seen)
    problems = [_seen(one) for one in pictures if one.sha256 in known]
    strange = sorted({one.label for one in pictures} - set(model.card.classes)) if model.labels is not None else []
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
    """Return the verdicts on the images of a folder; with ``out`` also verdicts.jsonl and a heat map of each rejected part."""
    model = load(context.workspace.folder, name, version)
    verdicts = judged(model, read_folder(folder, labelled=False))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps({**one.as_json(), "model": model.card.name, "version": model.card.version}, ensure_ascii=False) + "\n" for one in verdicts)  # fmt: skip
        (out / "verdicts.jsonl").write_text(lines, encoding="utf-8")
        for one in verdicts:
            if one.rejected:
                heat_map(one).save(out / f"{Path(one.file).stem}-{one.sha256[:8]}.png")
    return verdicts


def judged(model: Model, pictures: Sequence[Picture]) -> list[Verdict]:
    """Return what a model says of images; raise `FaultyData` for images of another size than it learned from."""
    problems = [_other_size(one, model.card) for one in pictures if one.pixels.shape[:2] != tuple(model.card.shape)]
    if problems:
        raise FaultyData(problems)
    found = []
    for one in pictures:
        seen = patches(brought_to(one.pixels, model.card.side))
        odd = judge(model.memory, seen.values, seen.rows, seen.columns)
        if model.labels is None:
            score, likeliest, chance = odd.score, "", float("nan")
        else:
            chances = model.labels.chances(summary(seen)[None])[0]
            best = int(chances.argmax())
            score = float(1.0 - chances[model.card.classes.index(model.card.good)])
            likeliest, chance = model.card.classes[best], float(chances[best])
        found.append(
            Verdict(one.file, one.sha256, score, score > model.card.threshold, likeliest, chance, odd.distances)
        )
    return found


def heat_map(verdict: Verdict) -> Any:
    """Return the distances of the patches as a picture, far is bright, eight pixels a patch."""
    from PIL import Image

    low, high = float(verdict.distances.min()), float(verdict.distances.max())
    scaled = (verdict.distances - low) / (high - low if high > low else 1.0)
    grey = Image.fromarray((scaled * 255).astype(np.uint8))
    return grey.resize(
        (verdict.distances.shape[1] * STRIDE, verdict.distances.shape[0] * STRIDE), Image.Resampling.BILINEAR
    )


def features(
    pictures: Sequence[Picture], side: int, progress: Callable[[int, int], None] | None = None
) -> list[Patches]:
    """Return the features of images."""
    found = []
    for number, one in enumerate(pictures, 1):
        found.append(patches(brought_to(one.pixels, side)))
        if progress:
            progress(number, len(pictures))
    return found


def _crossed_memory(pictures: Sequence[Picture], seen: Sequence[Patches]) -> Floats:
    """Return the score of each good image by a memory that holds nothing of its group."""
    fold = fold_of([one.group for one in pictures], FOLDS)
    scores = np.zeros(len(pictures))
    for number in range(FOLDS):
        rest = [one.values for one, place in zip(seen, fold, strict=True) if place != number]
        if not rest or not (fold == number).any():
            continue
        memory = remember(np.concatenate(rest), CORE // 2)
        for place in np.flatnonzero(fold == number).tolist():
            scores[place] = judge(memory, seen[place].values, seen[place].rows, seen[place].columns).score
    return scores


def _metrics(scores: Floats, good: NDArray[np.bool_], limit: float) -> dict[str, object]:
    found: dict[str, object] = {"false_reject": _rate(rate(int((scores[good] > limit).sum()), int(good.sum())))}
    if (~good).any():
        found["escape"] = _rate(rate(int((scores[~good] <= limit).sum()), int((~good).sum())))
        area = auroc(scores[good], scores[~good])
        found["auroc"] = [area.value, area.low, area.high]
    return found


def _rate(one: Rate) -> dict[str, float | int]:
    return {"hits": one.hits, "of": one.of, "value": one.value, "low": one.low, "high": one.high}


def _refuse_name(asked: Asked) -> None:
    problems = []
    if not asked.name.isidentifier() or not asked.name.isascii():
        problems.append(Problem("inspect.name", Text(f"名称“{asked.name}”只能用字母、数字和下划线。", f"The name '{asked.name}' may hold letters, digits and underscores."), Text("例如 screw_pits。", "For example screw_pits.")))  # fmt: skip
    if asked.side % 32 or not 64 <= asked.side <= 1024:
        problems.append(Problem("inspect.side", Text(f"边长 {asked.side} 应为 64 至 1024 间 32 的倍数。", f"A side of {asked.side} is no multiple of 32 from 64 to 1024."), Text("例如 160。", "For example 160.")))  # fmt: skip
    if not 0.0 < asked.false_reject_fraction < 0.5:
        problems.append(Problem("inspect.promise", Text("误判率应在 0 与 0.5 之间。", "The false rejects promised lie between 0 and 0.5."), Text("例如 0.05。", "For example 0.05.")))  # fmt: skip
    if problems:
        raise FaultyData(problems)


def _refuse_suspects(pictures: Sequence[Picture], places: Sequence[int]) -> None:
    if places:
        raise FaultyData([
            Problem(
                "inspect.suspect",
                Text(f"标签“{pictures[place].label}”与其余图片的判断相反。", f"Its label '{pictures[place].label}' is contradicted by the other images."),
                Text("请人工复核; 确认无误可用 --despite-suspects。", "Have it looked at; if it is right, use --despite-suspects."),
                file=pictures[place].file,
            )
            for place in places[:SHOWN]
        ])  # fmt: skip


def _promise(count: int, fraction: float) -> Problem:
    needed = int(np.ceil(1.0 / fraction)) - 1
    return Problem(
        "inspect.promise",
        Text(f"{count} 张合格品不足以保证误判率 {fraction:g}。", f"{count} good images cannot promise {fraction:g} false rejects."),
        Text(f"至少 {needed} 张, 或放宽 --false-reject。", f"At least {needed}, or promise less with --false-reject."),
    )  # fmt: skip


def _seen(one: Picture) -> Problem:
    return Problem("inspect.seen", Text("模型训练时见过这张图, 不能用来检验。", "The model has learned from this image: it cannot test it."), Text("请用没有训练过的图片。", "Use images it has not seen."), file=one.file)  # fmt: skip


def _strange(label: str, card: Card) -> Problem:
    return Problem("inspect.label", Text(f"模型不认识类别“{label}”。", f"The model does not know the class '{label}'."), Text(f"已知: {', '.join(card.classes)}。", f"It knows: {', '.join(card.classes)}."))  # fmt: skip


def _other_size(one: Picture, card: Card) -> Problem:
    return Problem(
        "inspect.other_data",
        Text(f"{one.pixels.shape[1]}×{one.pixels.shape[0]} 与训练图片 {card.shape[1]}×{card.shape[0]} 不同, 拒绝判定。", f"{one.pixels.shape[1]}×{one.pixels.shape[0]} is not the {card.shape[1]}×{card.shape[0]} it learned from: it does not judge."),
        Text("请用同一相机与裁剪, 或另训模型。", "Use the same camera and crop, or train another model."),
        file=one.file,
    )  # fmt: skip
