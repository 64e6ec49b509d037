"""Write `docs/reference/` from the code and the data files, or check that it is up to date (`--check`).

tables.md     every table of the spine, from its schema
sources.md    every kind of source: categories, units, columns, reference, worked example
factors.md    every factor set with publisher, edition, status and rows
standards.md  every rule book with its categories
units.md      every unit with its spellings
cli.md        every command with its options
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["ZF_LANG"] = "en"
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTICE = "<!-- Made by `make docs` from the code and the data files; do not edit. -->\n\n"


def tables() -> str:
    from zerofactory.metering.reading import READINGS
    from zerofactory.store.schema import FACTS

    pages = [schema.markdown() for schema in (READINGS, *FACTS)]
    return (
        "# 表 · Tables\n\nEvery fact table in `book.db` also carries `row_number`, `entry`, `reverses` and `row_hash`.\n\n"
        + "\n".join(pages)
    )


def sources() -> str:
    from zerofactory.accounting.source import sources as all_sources

    lines = ["# 排放源 · Kinds of source", ""]
    for source in all_sources().values():
        lines += [f"## `{source.id}` {source.title.zh} / {source.title.en}", ""]
        lines += [f"- scope {source.scope}; 4M1E: {source.class_4m1e}; units: {', '.join(source.units)}"]
        lines += [f"- categories: {', '.join(f'{k} → {v}' for k, v in source.categories.items()) or '–'}"]
        if source.items:
            lines += [f"- items: {', '.join(source.items)}"]
        if source.balance:
            lines += [
                "- balance: quantity = "
                + " ".join(f"{'+' if sign > 0 else '−'} `{name}`" for name, sign in source.balance)
            ]
        for column in source.details:
            unit = f" [{column.unit}]" if column.unit else ""
            choices = f": {', '.join(column.choices)}" if column.choices else ""
            need = "" if column.nullable else " (required)"
            lines += [f"- `{column.name}`{unit} {column.title.zh} / {column.title.en}{choices}{need}"]
        example = source.example
        gases = ", ".join(f"{kg:.10g} kg {gas}" for gas, kg in example.expected_kg.items()) or "–"
        lines += [
            f"- reference: {source.reference}",
            f"- example: {example.text.en} → {gases} ({example.citation})",
            "",
        ]
    return "\n".join(lines)


def factors() -> str:
    from zerofactory.factors.load import factor_book

    lines = [
        "# 因子集 · Factor sets",
        "",
        "| set | 名称 / title | publisher | edition | status | rows |",
        "|---|---|---|---|---|---|",
    ]
    for one in factor_book().sets.values():
        lines.append(
            f"| `{one.id}` | {one.title.zh} / {one.title.en} | {one.publisher} | {one.edition} | {one.status} | {len(one.factors)} |"
        )
    return "\n".join(lines) + "\n"


def standards() -> str:
    from zerofactory.standards.load import standards as all_standards

    lines = ["# 标准 · Standards", ""]
    for book in all_standards().values():
        lines += [f"## `{book.id}` {book.title.zh} / {book.title.en}", "", f"{book.publisher}, {book.edition}", ""]
        lines += ["| category | 名称 | title |", "|---|---|---|"]
        lines += [f"| `{c.id}` | {c.title.zh} | {c.title.en} |" for c in book.categories]
        lines += [""]
    return "\n".join(lines)


def units() -> str:
    from zerofactory import units as table

    lines = ["# 单位 · Units", "", "| unit | 名称 / title | dimension | spellings |", "|---|---|---|---|"]
    spellings: dict[str, list[str]] = {}
    for symbol in table.symbols():
        for name in table.aliases_of(table.parse(symbol).dimension):
            if table.parse(name).symbol == symbol and name not in spellings.setdefault(symbol, []):
                spellings[symbol].append(name)
        unit = table.parse(symbol)
        lines.append(
            f"| {symbol} | {unit.title.zh} / {unit.title.en} | {unit.dimension} | {', '.join(spellings[symbol])} |"
        )
    return "\n".join(lines) + "\n"


def cli() -> str:
    import typer

    from zerofactory.cli.main import app

    root = typer.main.get_command(app)
    lines = [
        "# 命令 · Commands",
        "",
        "Every command takes `--json`; `-w DIR` names the workspace (default: the current folder).",
        "",
    ]

    def page(name: str, command: object) -> None:
        children = getattr(command, "commands", None)
        if children:
            for child_name, child in children.items():
                page(f"{name} {child_name}", child)
            return
        lines.extend([f"## `{name}`", "", str(getattr(command, "help", "") or ""), ""])
        for parameter in getattr(command, "params", []):
            flags = ", ".join(f"`{option}`" for option in getattr(parameter, "opts", []))
            lines.append(f"- {flags or parameter.name} {getattr(parameter, 'help', '') or ''}")
        lines.append("")

    page("zf", root)
    return "\n".join(lines)


PAGES = {"tables": tables, "sources": sources, "factors": factors, "standards": standards, "units": units, "cli": cli}


def main() -> int:
    """Write the pages, or with ``--check`` say which are out of date."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, make in PAGES.items():
        path, text = FOLDER / f"{name}.md", NOTICE + make().rstrip("\n") + "\n"
        if "--check" in sys.argv[1:]:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"docs/reference is out of date: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
