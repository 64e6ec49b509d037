"""The one typeface of every report: Noto Sans CJK from a Python package, so that Chinese renders on a bare machine.

Source: ``manimgx-fonts-cjk`` (Noto Sans CJK variable font, SIL Open Font License 1.1). No system font is looked at.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import typst

FAMILY = "Noto Sans CJK SC"
PACKAGE = "manimgx_fonts_cjk"


@lru_cache(maxsize=1)
def font_file() -> Path:
    """Return the file of the typeface inside the installed package."""
    (found,) = [entry for entry in files(PACKAGE).iterdir() if entry.name.endswith((".ttc", ".otf", ".ttf"))]
    with as_file(found) as path:
        return path


@lru_cache(maxsize=1)
def typesetting_fonts() -> typst.Fonts:
    """Return the fonts for setting pages: the typeface and the ones inside typst, never the machine's."""
    folder = str(font_file().parent)
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])
