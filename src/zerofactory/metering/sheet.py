"""A form being read: its rows under our own column names, and how a fault in it is told."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from zerofactory.errors import Problem, Severity, Text

if TYPE_CHECKING:
    import polars as pl

MAX_PROBLEMS_PER_FAULT = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault; ``{value}`` stands for what the cell says."""

    code: str
    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""
    severity: Severity = "error"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Rows of a form. ``headers`` gives the header a person sees for each of our column names."""

    frame: pl.DataFrame
    headers: Mapping[str, str]

    def only(self, mask: pl.Series | pl.Expr) -> Sheet:
        """Return the rows where the mask holds."""
        return replace(self, frame=self.frame.filter(mask))

    def tell(self, mask: pl.Series, column: str, fault: Fault) -> list[Problem]:
        """Return one problem a row where the mask holds (the first thousand), each naming its row and column."""
        chosen = self.frame.filter(mask.fill_null(False)).head(MAX_PROBLEMS_PER_FAULT)
        values = chosen[column].to_list() if column in chosen.columns else [None] * len(chosen)
        return [
            Problem(
                code=f"metering.{fault.code}",
                message=Text(_said(fault.zh, value), _said(fault.en, value)),
                hint=Text(fault.hint_zh, fault.hint_en),
                row=int(row),
                column=self.headers.get(column, column),
                severity=fault.severity,
            )
            for row, value in zip(chosen["row"].to_list(), values, strict=True)
        ]


def sheet_of(frame: pl.DataFrame, names: Mapping[str, str]) -> Sheet:
    """Return the known columns of a file under our names, numbered as a person sees them, empty rows left out."""
    import polars as pl

    renamed = frame.select([pl.col(header).alias(name) for header, name in names.items()]).with_row_index("row", 2)
    cells = [name for name in renamed.columns if name != "row"]
    filled = [_filled(renamed.schema[name], name) for name in cells]
    return Sheet(renamed.filter(pl.any_horizontal(filled)), {name: header for header, name in names.items()})


@lru_cache(maxsize=8)
def words(listed: str) -> dict[str, str]:
    """Return ``{spelling: value}`` of a list of ``words.csv``."""
    known: dict[str, str] = {}
    with (files("zerofactory.metering") / "words.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["list"] == listed:
                spellings = (row["value"], row["zh"], row["en"], *filter(None, row["aliases"].split("|")))
                known |= dict.fromkeys(spellings, row["value"])
    return known


def _filled(dtype: pl.DataType, name: str) -> pl.Expr:
    import polars as pl

    if dtype == pl.String:
        return pl.col(name).str.strip_chars().fill_null("") != ""
    return pl.col(name).is_not_null()


def _said(sentence: str, value: object) -> str:
    return sentence.replace("{value}", "" if value is None else str(value))
