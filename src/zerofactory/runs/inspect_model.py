"""Models of learned inspection in a workspace: one folder a version, weights beside what they were learned from and how good they are."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.quality.labels import Linear
from zerofactory.optimisation.quality.memory import Memory
from zerofactory.store.files import write_bytes_whole

FOLDER = "models"
WEIGHTS, CARD = "model.npz", "model.json"


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model.

    Parameters
    ----------
    side : images are brought to a square of this many pixels; others are refused unless they have the trained shape.
    shape : height and width of the images it learned from.
    images_sha256 : of the sorted hashes of all images learned from; ``seen`` holds those hashes.
    threshold : score above which a part is rejected; ``false_reject_fraction`` is what it promises about good parts.
    metrics : on images that no judge of the fold had seen.
    weights_sha256 : of the weights file: a model whose weights were changed refuses to judge.
    """

    name: str
    version: int
    made_at: str
    made_by: str
    classes: tuple[str, ...]
    good: str
    side: int
    shape: tuple[int, int]
    images: int
    images_sha256: str
    seen: tuple[str, ...]
    threshold: float
    false_reject_fraction: float
    metrics: Mapping[str, Any]
    backbone: str
    weights_sha256: str = ""


@dataclass(frozen=True)
class Model:
    """A model ready to judge; ``labels`` is None where it learned from good parts alone."""

    card: Card
    memory: Memory
    labels: Linear | None


def save(folder: Path, model: Model) -> Card:
    """Write a model as the next version; return its card."""
    stream = io.BytesIO()
    arrays: dict[str, Any] = {"core": model.memory.core}
    if model.labels is not None:
        arrays |= {"middle": model.labels.middle, "spread": model.labels.spread, "weights": model.labels.weights, "bias": model.labels.bias}  # fmt: skip
    np.savez_compressed(stream, **arrays)
    content = stream.getvalue()
    card = Card(**{**_plain(model.card), "weights_sha256": hashlib.sha256(content).hexdigest()})
    place = folder / FOLDER / card.name / f"v{card.version}"
    place.mkdir(parents=True, exist_ok=False)
    write_bytes_whole(place / WEIGHTS, content)
    write_bytes_whole(place / CARD, (json.dumps(asdict(card), ensure_ascii=False, indent=2) + "\n").encode())
    return card


def load(folder: Path, name: str, version: int | None = None) -> Model:
    """Return a model, the newest version unless one is named.

    Raises
    ------
    NotFound
        No such model or version.
    FaultyData
        Its weights are not those its card names.
    """
    there = versions(folder, name)
    if not there or (version is not None and version not in there):
        known = [f"{one}@v{number}" for one in names(folder) for number in versions(folder, one)]
        raise NotFound(
            Text("检测模型", "inspection model"), name if version is None else f"{name}@v{version}", tuple(known)
        )
    place = folder / FOLDER / name / f"v{version or max(there)}"
    raw = json.loads((place / CARD).read_text(encoding="utf-8"))
    raw |= {key: tuple(raw[key]) for key in ("classes", "shape", "seen")}
    card = Card(**raw)
    content = (place / WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        message = Text(f"模型 {name} v{card.version} 的权重与登记的不符, 拒绝判定。", f"The weights of model {name} v{card.version} are not those registered: it does not judge.")  # fmt: skip
        raise FaultyData([Problem("inspect.weights", message, Text("请重新训练。", "Train it again."), file=str(place.relative_to(folder) / WEIGHTS))])  # fmt: skip
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        linear = None
        if "weights" in arrays:
            linear = Linear(card.classes, arrays["middle"], arrays["spread"], arrays["weights"], arrays["bias"])
        return Model(card, Memory.of(arrays["core"]), linear)


def names(folder: Path) -> list[str]:
    """Return the names of the models of a workspace."""
    place = folder / FOLDER
    return sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []


def versions(folder: Path, name: str) -> list[int]:
    """Return the versions of a model that are whole."""
    place = folder / FOLDER / name
    if name not in names(folder):
        return []
    return sorted(int(one.name[1:]) for one in place.iterdir() if one.name[1:].isdigit() and (one / CARD).is_file())


def cards(folder: Path) -> list[dict[str, object]]:
    """Return the cards of all models, without the hashes of the images seen."""
    found = []
    for name in names(folder):
        for version in versions(folder, name):
            raw = json.loads((folder / FOLDER / name / f"v{version}" / CARD).read_text(encoding="utf-8"))
            found.append({key: value for key, value in raw.items() if key != "seen"})
    return found


def _plain(card: Card) -> dict[str, Any]:
    return {name: getattr(card, name) for name in Card.__slots__}
