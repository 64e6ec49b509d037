"""Where a key of a TOML text stands, so that a fault can name its line."""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_ARRAY = re.compile(r"^\s*\[\[\s*([^\]]+?)\s*\]\]")
_TABLE = re.compile(r"^\s*\[\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""^\s*["']?([^\s"'=#\[]+)["']?\s*=""")


def rows_of(text: str) -> dict[Path, int]:
    """Return ``{path: line number}`` of every table header and every key that begins a line.

    Examples
    --------
    >>> rows_of('[plant]\\nid = "a"\\n[[meters]]\\nid = "m"')[("meters", 0, "id")]
    4
    """
    rows: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    current: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _ARRAY.match(line):
            name = _inside(match.group(1), counts)
            counts[name] = counts.get(name, -1) + 1
            current = (*name, counts[name])
        elif match := _TABLE.match(line):
            current = _inside(match.group(1), counts)
        elif match := _KEY.match(line):
            rows.setdefault((*current, *match.group(1).split(".")), number)
            continue
        else:
            continue
        rows.setdefault(current, number)
    return rows


def row_of(rows: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of the longest known beginning of a path."""
    for length in range(len(path), 0, -1):
        if path[:length] in rows:
            return rows[path[:length]]
    return None


def written(path: Path) -> str:
    """Return a path as a person writes it.

    Examples
    --------
    >>> written(("meters", 3, "unit"))
    'meters[3].unit'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _inside(name: str, counts: Mapping[Path, int]) -> Path:
    """Return the path of a header; a part that is an array of tables means its newest entry."""
    path: Path = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for position, part in enumerate(parts):
        path = (*path, part)
        if path in counts and position < len(parts) - 1:
            path = (*path, counts[path])
    return path
