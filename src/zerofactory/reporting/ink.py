"""How every chart is drawn: the packaged typeface, one set of inks, one drawing at a time.

The drawing library keeps its settings and its list of typefaces for the whole process; a server draws from several
threads. So the typeface is made known once, whoever draws first, and a drawing holds the pen until it is finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager

from zerofactory.reporting.fonts import FAMILY, font_file

INK, MUTED, RULE = "#22343c", "#5b6b73", "#dfe5e8"
WEIGHT = 500
"""The weight charts are set in: the typeface's own 400 is read as its thinnest instance inside an SVG."""
_PEN = RLock()
_SETTINGS: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "zerofactory",
    "font.family": FAMILY,
    "font.weight": WEIGHT,
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "axes.unicode_minus": True,
}


@contextmanager
def pen(settings: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Draw in the house's style (and the given settings of the drawing library) while the block lasts; one at a time."""
    with _PEN:
        know_typeface()
        chosen: dict[Any, Any] = {**_SETTINGS, **(settings or {})}
        with mpl.rc_context(chosen):
            yield


def know_typeface() -> None:
    """Offer the packaged typeface to the drawing library at the weights used, and no other of the same name."""
    file = str(font_file())
    with _PEN:
        manager = font_manager.fontManager
        known = [entry for entry in manager.ttflist if entry.name == FAMILY]
        if any(entry.fname == file and entry.weight == WEIGHT for entry in known) and all(
            entry.fname == file for entry in known
        ):
            return
        manager.ttflist[:] = [entry for entry in manager.ttflist if entry.name != FAMILY]
        manager.addfont(file)
        entry = next(entry for entry in manager.ttflist if entry.name == FAMILY)
        manager.ttflist.extend(replace(entry, weight=weight) for weight in (WEIGHT, 700))
