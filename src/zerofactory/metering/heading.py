"""The headers of the forms: Chinese and English spellings of every column, from ``headings.csv`` and the kinds of source."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from zerofactory.errors import Problem, Text
from zerofactory.metering.activity_table import TIERS, FormKind
from zerofactory.metering.reading import QUALITIES
from zerofactory.tables import Column, DType


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[Text, tuple[str, ...]]]:
    """Return name → (title, every spelling)."""
    with (files("zerofactory.metering") / "headings.csv").open(encoding="utf-8") as stream:
        return {
            row["name"]: (Text(row["zh"], row["en"]), tuple(filter(None, row["aliases"].split("|"))))
            for row in csv.DictReader(stream)
        }


def _column(name: str, dtype: DType, *, nullable: bool = True, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, dtype, title_of(name), nullable=nullable, choices=choices)


def title_of(name: str) -> Text:
    """Return the title of a column; a column nobody titled is named by itself."""
    return _table()[name][0] if name in _table() else Text(name, name.replace("_", " "))


FORM_COLUMNS: tuple[Column, ...] = (
    _column("source", "text", nullable=False),
    _column("start", "moment", nullable=False),
    _column("end", "moment", nullable=False),
    _column("quantity", "number"),
    _column("unit", "text", nullable=False),
    _column("item", "text"),
    _column("tier", "text", choices=TIERS),
    _column("document", "text"),
    _column("note", "text"),
)

READING_COLUMNS: tuple[Column, ...] = (
    _column("meter", "text", nullable=False),
    _column("time", "moment", nullable=False),
    _column("value", "number", nullable=False),
    _column("unit", "text"),
    _column("quality", "text", choices=QUALITIES),
)


def form_columns(kinds: Iterable[FormKind]) -> tuple[Column, ...]:
    """Return every column a document form may have for these kinds: the common ones, balances, particulars."""
    columns = {column.name: column for column in FORM_COLUMNS}
    listed = list(kinds)
    for kind in listed:
        for name, _ in kind.balance:
            columns.setdefault(name, _column(name, "number"))
    for kind in listed:
        for column in kind.details:
            columns.setdefault(column.name, column)
    return tuple(columns.values())


def matched(headers: Sequence[str], columns: Sequence[Column]) -> tuple[dict[str, str], list[Problem]]:
    """Return ``{header: column name}`` and a problem for every header that is unknown or says what another says.

    A header may be the column's name, its Chinese or English title, or an alias; case and outer blanks do not matter, nor a
    mark of obligation (``*``) or a unit in brackets behind it.
    """
    spellings: dict[str, str] = {}
    for column in columns:
        for spelling in (column.name, column.title.zh, column.title.en, *_aliases(column.name)):
            spellings.setdefault(_plain(spelling), column.name)
    names: dict[str, str] = {}
    problems: list[Problem] = []
    for header in headers:
        name = spellings.get(_plain(header)) or spellings.get(_plain(_bare(header)))
        if name is None:
            problems.append(_unknown(header, columns))
        elif name in names.values():
            message = Text(f"“{header}”与另一列相同。", f"'{header}' says the same as another column.")
            hint = Text("请只保留一列。", "Keep one of them.")
            problems.append(Problem("metering.repeated_column", message, hint, row=1, column=header))
        else:
            names[header] = name
    return names, problems


def missing(names: Mapping[str, str], columns: Sequence[Column]) -> list[Problem]:
    """Return a problem for every obligatory column that no header stands for."""
    return [
        Problem(
            "metering.missing_column",
            Text(f"缺少“{column.title.zh}”列。", f"The column '{column.title.en}' is missing."),
            Text(f"请加上表头“{column.title.zh}”或“{column.name}”。", f"Add the header '{column.name}'."),
            row=1,
            column=column.title.zh,
        )
        for column in columns
        if not column.nullable and column.name not in names.values()
    ]


def _aliases(name: str) -> tuple[str, ...]:
    return _table()[name][1] if name in _table() else ()


def _plain(header: str) -> str:
    return header.strip().rstrip("*").strip().casefold().replace("（", "(").replace("）", ")")


def _bare(header: str) -> str:
    """Return a header without what stands in brackets at its end."""
    plain = header.strip().replace("（", "(").replace("）", ")").replace("[", "(").replace("]", ")")
    return plain[: plain.rindex("(")] if plain.endswith(")") and "(" in plain else plain


def _unknown(header: str, columns: Sequence[Column]) -> Problem:
    zh = "、".join(column.title.zh for column in columns[:12])
    en = ", ".join(column.name for column in columns[:12])
    return Problem(
        "metering.unknown_column",
        Text(f"不认识“{header}”列。", f"The column '{header}' is unknown."),
        Text(f"请删除该列, 或改用: {zh} 等。", f"Remove it, or use: {en} and so on."),
        row=1,
        column=header,
    )
