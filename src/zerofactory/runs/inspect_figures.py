"""Figures of the camera in pictures that are kept, remembered beside them so that a scan of alarms opens each picture once.

The file can be deleted at any time: it is worked out again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from zerofactory.errors import FaultyData
from zerofactory.optimisation.quality.drift import FIGURES, condition
from zerofactory.runs.context import Context
from zerofactory.runs.inspect_images import brought_to, read_one, scaled_to
from zerofactory.runs.inspect_model import Card
from zerofactory.runs.inspect_settings import settings
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.pictures import FOLDER, Pictures

FILE = "figures.json"
DIGITS = 6
MOST = 100_000
"""So many pictures are remembered, the newest ones: some 10 MB."""
WORKERS = 4

Figures = tuple[float, ...]


def figures_of(context: Context, card: Card, digests: Sequence[str]) -> dict[str, Figures]:
    """Return the figures of the camera of each picture, as a model looks at it; pictures that are not kept are left out."""
    path = context.workspace.folder / FOLDER / FILE
    every = _remembered(context)
    way = f"{card.side}{' located' if card.located else ''}"
    known = every.setdefault(way, {})
    kept = Pictures(context.workspace.folder, settings(context).most_folder_bytes)
    new = [one for one in dict.fromkeys(digests) if one not in known and kept.has(one)]
    if new:
        with ThreadPoolExecutor(WORKERS) as pool:
            found = dict(zip(new, pool.map(lambda one: _figures(kept, one, card), new), strict=True))
        known |= {one: told for one, told in found.items() if told}
        every[way] = dict(list(known.items())[-MOST:])
        write_bytes_whole(path, json.dumps(every).encode())
    return {one: tuple(known[one]) for one in digests if one in known}


def _remembered(context: Context) -> dict[str, dict[str, Figures]]:
    """Return what was remembered by way of looking and picture; nothing where that is no longer what is asked for."""
    try:
        told = json.loads((context.workspace.folder / FOLDER / FILE).read_text(encoding="utf-8"))
        return {
            str(way): {str(one): tuple(map(float, row)) for one, row in rows.items() if len(row) == len(FIGURES)}
            for way, rows in told.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _figures(kept: Pictures, digest: str, card: Card) -> Figures:
    """Return the figures of one picture; none where it is damaged."""
    try:
        pixels = read_one(kept.find(digest)).pixels
    except FaultyData:
        return ()
    image = scaled_to(pixels, card.side) if card.located else brought_to(pixels, card.side)
    return tuple(round(one, DIGITS) for one in condition(image).tolist())
