"""Make `docs/pictures/` from a closed reference plant: pages of its real report as PNG, the terminal as SVG.

make demo SERVE=0 && .venv/bin/python tools/pictures.py demo
"""

from __future__ import annotations

import functools
import html
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PAGES, GAP = (1, 2, 7), 12  # cover, key figures, shops
SHOWN = (
    ("inventory", "show", "--period", "2025"),
    ("verify",),
)
TINTS = ("#c5c8c6", "#c5c8c7")
WIDTH, PIXELS_PER_INCH, COLOURS = 100, 80.0, 64
FONTS = "ui-monospace, 'Noto Sans Mono CJK SC', 'Sarasa Mono SC', 'PingFang SC', 'Microsoft YaHei', monospace"


def report_pages(workspace: Path, language: str) -> None:
    """Write the chosen pages of the report side by side, in few colours so that the file stays small."""
    import typst
    from PIL import Image

    from zerofactory.periods import Period
    from zerofactory.reporting.render import render_pdf
    from zerofactory.runs.context import open_context
    from zerofactory.runs.statement import fill

    set_pages = typst.compile
    typst.compile = functools.partial(
        set_pages, format="png", ppi=PIXELS_PER_INCH
    )  # the same call, pages instead of a file
    statement = fill(open_context(workspace), Period.parse("2025"), "iso_14064_1_2018")
    pages: list[bytes] = render_pdf(statement, language)  # type: ignore[assignment, arg-type]
    typst.compile = set_pages
    chosen = [Image.open(io.BytesIO(pages[number - 1])).convert("RGB") for number in PAGES]
    width, height = chosen[0].size
    sheet = Image.new("RGB", ((width + GAP) * len(chosen) + GAP, height + 2 * GAP), "#B8C4C8")
    for place, picture in enumerate(chosen):
        sheet.paste(picture, (GAP + place * (width + GAP), GAP))
    sheet.quantize(COLOURS).save(FOLDER / "report.png", optimize=True)


def _cells(line: str) -> Any:
    """Return a line whose columns are runs of their own: each then has its own place in the picture, whatever the font."""
    from rich.text import Text

    parts = re.split(r"(\s{2,}|(?<=[^\x00-\x7f])(?=[\x00-\x7f])|(?<=[\x00-\x7f])(?=[^\x00-\x7f]))", line)
    return Text.assemble(*((part, TINTS[place % 2]) for place, part in enumerate(filter(None, parts))))


def terminal(workspace: Path, language: str) -> None:
    """Write what the terminal shows as SVG, with no font from the network."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    env = os.environ | {"ZF_LANG": language, "COLUMNS": str(WIDTH)}
    for command in SHOWN:
        words = [sys.executable, "-m", "zerofactory.cli", *command, "-w", str(workspace)]
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)  # noqa: S603  (our own command)
        console.print(Text(f"$ zf {' '.join(command)}", style="bold green"))
        console.print(Text("\n").join(_cells(line) for line in done.stdout.rstrip().splitlines()))
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
        "Fira Code, monospace", FONTS
    )
    svg = console.export_svg(title="zf", code_format=plain, unique_id="zf")
    svg = re.sub(r'(textLength=")([\d.]+)"()([^>]*)>([^<]*)<', _wide, svg)
    (FOLDER / "terminal.svg").write_text(svg, encoding="utf-8")


def _wide(found: re.Match[str]) -> str:
    """Return a piece of text with room for Chinese, which takes two cells a sign."""
    from rich.cells import cell_len

    text = html.unescape(found[5])
    length = float(found[2]) * cell_len(text) / max(len(text), 1)
    return f'{found[1]}{length:.1f}"{found[4]}>{found[5]}<'


def main() -> None:
    """Make the pictures of the workspace named on the command line (default: ``demo``), in Chinese."""
    workspace = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    FOLDER.mkdir(parents=True, exist_ok=True)
    report_pages(workspace, "zh")
    terminal(workspace, "zh")
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name} {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
