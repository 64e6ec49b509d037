"""The manual override: while it is on, nothing at all is sent to an asset, the heartbeat and the safe value included.

One small file an asset in ``dispatch/override/`` (``_plant`` for all of them) says who set it, when and why. A file that
cannot be read counts as on: a person has the device, and we keep our hands off it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from zerofactory.connectors.health import write_status
from zerofactory.errors import FaultyData, Problem, Text

PLANT = "_plant"
FOLDER = Path("dispatch") / "override"
_NAME = re.compile(r"[A-Za-z0-9.-][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Override:
    """One override that is on; ``asset`` is None for the whole plant."""

    asset: str | None
    reason: str
    actor: str
    at: str


def is_overridden(folder: Path, asset: str) -> bool:
    """Whether a person has this asset (or the whole plant) in hand."""
    return any(_is_there(_path(folder, name)) for name in (PLANT, asset))


def overrides(folder: Path) -> tuple[Override, ...]:
    """Return every override that is on."""
    home = folder / FOLDER
    return tuple(_read(path) for path in sorted(home.glob("*.json"))) if home.is_dir() else ()


def set_override(folder: Path, override: Override) -> None:
    """Turn an override on.

    Raises
    ------
    FaultyData
        The name of the asset cannot be one, or the file cannot be written.
    """
    path = _path(folder, override.asset or PLANT)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_status(path, {"reason": override.reason, "actor": override.actor, "at": override.at})
    if not _is_there(path):
        raise FaultyData([_fault(Text(f"{path} 写不进。", f"{path} cannot be written."))])


def clear_override(folder: Path, asset: str | None) -> bool:
    """Turn an override off; return whether it was on."""
    path = _path(folder, asset or PLANT)
    was = _is_there(path)
    path.unlink(missing_ok=True)
    return was


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _path(folder: Path, name: str) -> Path:
    if name != PLANT and not _NAME.fullmatch(name):
        raise FaultyData([_fault(Text(f"“{name}”不能作设备编号。", f"'{name}' cannot be the id of an asset."))])
    return folder / FOLDER / f"{name}.json"


def _read(path: Path) -> Override:
    asset = None if path.stem == PLANT else path.stem
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Override(asset, str(content["reason"]), str(content["actor"]), str(content["at"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Override(asset, "?", "?", "?")


def _fault(message: Text) -> Problem:
    hint = Text("请用 energy.toml 中的设备编号。", "Use the id of an asset of energy.toml.")
    return Problem("connectors.override", message, hint)
