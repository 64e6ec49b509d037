"""Tables of a report: defined once with raw values, shown on a page as text and in a worksheet as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from zerofactory.errors import Language, Text
from zerofactory.reporting import figures

Kind = Literal[
    "text",
    "unit",
    "code",
    "tonnes",
    "share",
    "half_width",
    "number",
    "quantity",
    "decimal",
    "count",
    "interval",
    "moment",
]
NOT_PROVIDED = Text("未提供", "not provided")
Value = Text | str | int | float | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: title, kind of value, and its width as a part of the table (also in characters of a worksheet)."""

    title: Text
    kind: Kind = "text"
    width: float = 12.0

    @property
    def is_figure(self) -> bool:
        """Whether the values are figures and stand right-aligned."""
        return self.kind not in ("text", "unit", "code", "moment")


FACT_COLUMNS = (Column(Text("项目", "Item"), width=24), Column(Text("内容", "Content"), width=70))


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``strong`` holds the indices of rows set in bold (subtotals and totals)."""

    key: str
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    strong: frozenset[int] = frozenset()
    note: Text | None = None


def fact_table(key: str, title: Text, rows: Sequence[tuple[Text, Text | str | None]]) -> Table:
    """Return a table of facts, label and content; a fact that is None reads "not provided"."""
    filled = tuple((label, NOT_PROVIDED if fact is None else fact) for label, fact in rows)
    return Table(key, title, FACT_COLUMNS, filled)


def shown(value: Value, kind: Kind, language: Language, time_zone: str) -> str:
    """Return a value as printed on a page; a missing one is a dash."""
    if isinstance(value, Text):
        return shown_text(value, kind, language)
    if isinstance(value, datetime):
        return figures.moment(value, time_zone)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    return _figure(value, kind)


def shown_text(value: Text, kind: Kind, language: Language) -> str:
    """Return a text as it stands in a cell."""
    return sentence_case(value) if language == "en" and kind == "text" else value.in_language(language)


def sentence_case(text: Text) -> str:
    """Return the English of a text as the start of a cell; names and symbols (the same in both languages) stay.

    Examples
    --------
    >>> sentence_case(Text("热水锅炉", "hot-water boilers")), sentence_case(Text("kWh", "kWh"))
    ('Hot-water boilers', 'kWh')
    >>> sentence_case(Text("pH值", "pH value"))
    'pH value'
    """
    first = text.en.partition(" ")[0]
    return text.en[:1].upper() + text.en[1:] if text.zh != text.en and first.islower() else text.en


def _figure(value: float | None, kind: Kind) -> str:
    if value is None:
        return "—"
    if kind == "tonnes":
        return figures.tonnes(int(value))
    if kind == "share":
        return figures.percent(value)
    if kind == "half_width":
        return figures.half_width(value)
    if kind == "quantity":
        return figures.quantity(value)
    if kind == "decimal":
        return figures.decimal(value)
    return figures.number(value)
