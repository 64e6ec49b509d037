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
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.quality.backbone import LICENCE, PACKAGE, digest
from zerofactory.optimisation.quality.labels import Linear, Weighed
from zerofactory.optimisation.quality.normal import Normal
from zerofactory.optimisation.quality.places import Places
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
    backbone : package, licence and hash of the network: another network's model refuses to judge.
    weights_sha256 : of the weights file: a model whose weights were changed refuses to judge.
    located : it learned where defects are and draws boxes; ``shapes`` are then the sizes of images it knows.
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
    located: bool = False
    shapes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Model:
    """A model ready to judge.

    Parameters
    ----------
    normal : what good parts look like; None where it learned places alone.
    labels, weighed : what labelled images said; None where it learned from good parts alone.
    places : what patches of defects look like; None where no places were learned.
    condition : figures of the camera over the good images (image × figure), what drift is told from.
    """

    card: Card
    normal: Normal | None
    labels: Linear | None
    weighed: Weighed | None
    places: Places | None
    condition: NDArray[np.float64]


def save(folder: Path, model: Model) -> Card:
    """Write a model as the next version; return its card."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **_arrays(model))
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
    raw = _raw(folder, name, version or max(there))
    card = _card(raw, str(place.relative_to(folder) / CARD))
    content = (place / WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        message = Text(f"模型 {name} v{card.version} 的权重与登记的不符, 拒绝判定。", f"The weights of model {name} v{card.version} are not those registered: it does not judge.")  # fmt: skip
        raise FaultyData([Problem("inspect.weights", message, Text("请重新训练。", "Train it again."), file=str(place.relative_to(folder) / WEIGHTS))])  # fmt: skip
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        normal = Normal.of_arrays(kept) if "usual" in kept else None
        linear = weighed = places = None
        if "label_weights" in kept:
            linear = Linear(card.classes, kept["label_middle"], kept["label_spread"], kept["label_weights"], kept["label_bias"])  # fmt: skip
            weighed = Weighed(kept["weighed"][:-1], float(kept["weighed"][-1]))
        if "place_weights" in kept:
            order = (card.good, *(one for one in card.classes if one != card.good))
            places = Places(order, kept["place_middle"], kept["place_spread"], kept["place_weights"], kept["place_bias"])  # fmt: skip
        return Model(card, normal, linear, weighed, places, kept["condition"])


def _raw(folder: Path, name: str, version: int) -> dict[str, Any]:
    """Return what a card says; raise `FaultyData` for one that was cut off."""
    path = folder / FOLDER / name / f"v{version}" / CARD
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        told = error
    if isinstance(told, dict):
        return told
    message = Text(f"模型 {name} v{version} 的登记读不了。", f"The card of model {name} v{version} cannot be read.")
    hint = Text("请从备份取回, 或删去这个版本的文件夹。", "Take it from the backup, or delete this version's folder.")
    raise FaultyData([Problem("inspect.card", message, hint, file=str(path.relative_to(folder)))])


def backbone() -> str:
    """Return what the network is: package, licence and hash of its weights."""
    return f"{PACKAGE} ({LICENCE}, {digest()[:16]})"


def _arrays(model: Model) -> dict[str, Any]:
    found: dict[str, Any] = {"condition": model.condition}
    if model.normal is not None:
        found |= dict(model.normal.arrays())
    for name, one in (("label", model.labels), ("place", model.places)):
        if one is not None:
            found |= {f"{name}_middle": one.middle, f"{name}_spread": one.spread, f"{name}_weights": one.weights, f"{name}_bias": one.bias}  # fmt: skip
    if model.weighed is not None:
        found["weighed"] = np.append(model.weighed.weights, model.weighed.bias)
    return found


def _card(raw: dict[str, Any], file: str) -> Card:
    """Return a card; raise `FaultyData` for one that an earlier way of learning or another network made."""
    if raw.get("backbone") != backbone():
        message = Text(f"模型由另一网络或旧版方法训练({raw.get('backbone')}), 现用 {backbone()}, 拒绝判定。", f"The model was made with another network or an earlier method ({raw.get('backbone')}); in use is {backbone()}: it does not judge.")  # fmt: skip
        raise FaultyData([Problem("inspect.backbone", message, Text("请重新训练。", "Train it again."), file=file)])
    raw |= {key: tuple(raw[key]) for key in ("classes", "shape", "seen")}
    raw["shapes"] = tuple((int(high), int(wide)) for high, wide in raw.get("shapes", ()))
    return Card(**raw)


def names(folder: Path) -> list[str]:
    """Return the names of the models of a workspace."""
    place = folder / FOLDER
    return sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []


def versions(folder: Path, name: str) -> list[int]:
    """Return the versions of a model that are whole."""
    place = folder / FOLDER / name
    if name not in names(folder):
        return []
    return sorted(int(one.name[1:]) for one in place.iterdir() if one.name[1:].isdecimal() and (one / CARD).is_file())


def cards(folder: Path) -> list[dict[str, object]]:
    """Return the cards of all models, without the hashes of the images seen."""
    found = []
    for name in names(folder):
        for version in versions(folder, name):
            raw = _raw(folder, name, version)
            found.append({key: value for key, value in raw.items() if key != "seen"})
    return found


def _plain(card: Card) -> dict[str, Any]:
    return {name: getattr(card, name) for name in Card.__slots__}
