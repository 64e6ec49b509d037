"""Tables: one schema per table gives the frame check, the SQL, the JSON schema, the xlsx header and the doc page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from zerofactory.errors import Misuse, Problem, Text

if TYPE_CHECKING:
    import polars as pl

DType = Literal["text", "integer", "number", "moment", "flag"]
MAX_PROBLEMS_PER_COLUMN = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name (unit last), type, bounds and titles.

    ``moment`` is a timezone-aware UTC datetime in microseconds. ``choices`` limits a text column.
    """

    name: str
    dtype: DType
    title: Text
    unit: str | None = None
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table of the spine: its columns and what makes a row unique."""

    name: str
    title: Text
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names) or not set(self.key) <= set(names):
            raise Misuse(f"table {self.name}: repeated columns or a key that is not a column")

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return one column by name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise Misuse(f"table {self.name} has no column {name}")

    def polars_schema(self) -> dict[str, pl.DataType]:
        """Return the polars types by column name."""
        import polars as pl

        types: dict[str, pl.DataType] = {
            "text": pl.String(),
            "integer": pl.Int64(),
            "number": pl.Float64(),
            "moment": pl.Datetime("us", "UTC"),
            "flag": pl.Boolean(),
        }
        return {column.name: types[column.dtype] for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """Return a frame with the right columns and no rows."""
        import polars as pl

        return pl.DataFrame(schema=self.polars_schema())

    def frame(self, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
        """Return rows as a frame of exactly this schema (missing nullable columns become null)."""
        import polars as pl

        return pl.DataFrame(list(rows), schema=self.polars_schema(), orient="row") if rows else self.empty()

    def check(self, frame: pl.DataFrame) -> list[Problem]:
        """Return every fault of a frame against this schema: columns, types, nulls, bounds, choices, repeated keys."""
        wanted = self.polars_schema()
        problems = [
            _problem("missing_column", f"缺少“{name}”列。", f"Column '{name}' is missing.", column=name)
            for name in wanted
            if name not in frame.columns
        ]
        problems += [
            _problem("unknown_column", f"不认识“{name}”列。", f"Column '{name}' is unknown.", column=name)
            for name in frame.columns
            if name not in wanted
        ]
        for column in self.columns:
            if column.name in frame.columns:
                if frame.schema[column.name] != wanted[column.name]:
                    given = str(frame.schema[column.name])
                    problems.append(
                        _problem(
                            "wrong_type",
                            f"类型应为{column.dtype},不是{given}。",
                            f"Type should be {column.dtype}, not {given}.",
                            column=column.name,
                        )
                    )
                else:
                    problems.extend(_check_values(column, frame[column.name]))
        if not problems and self.key and frame.select(self.key).is_duplicated().any():
            problems.append(
                _problem(
                    "repeated_key", f"{'+'.join(self.key)} 有重复行。", f"Rows repeat the key {'+'.join(self.key)}."
                )
            )
        return problems

    def json_schema(self) -> dict[str, object]:
        """Return the JSON schema (2020-12) of one row."""
        types = {"text": "string", "integer": "integer", "number": "number", "moment": "string", "flag": "boolean"}
        properties: dict[str, object] = {}
        for column in self.columns:
            entry: dict[str, object] = {
                "type": [types[column.dtype], "null"] if column.nullable else types[column.dtype]
            }
            entry["title"] = column.title.zh
            entry["description"] = column.title.en + (f" [{column.unit}]" if column.unit else "")
            if column.dtype == "moment":
                entry["format"] = "date-time"
            if column.minimum is not None:
                entry["minimum"] = column.minimum
            if column.maximum is not None:
                entry["maximum"] = column.maximum
            if column.choices:
                entry["enum"] = [*column.choices, *([None] if column.nullable else [])]
            properties[column.name] = entry
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "type": "object",
            "properties": properties,
            "required": [column.name for column in self.columns if not column.nullable],
            "additionalProperties": False,
        }

    def markdown(self) -> str:
        """Return the documentation page of the table."""
        lines = [f"## {self.name} · {self.title.zh} / {self.title.en}", "", f"Key: {', '.join(self.key)}", ""]
        lines += ["| column | type | unit | 中文 | English |", "|---|---|---|---|---|"]
        for column in self.columns:
            dtype = column.dtype + ("?" if column.nullable else "")
            lines.append(f"| `{column.name}` | {dtype} | {column.unit or ''} | {column.title.zh} | {column.title.en} |")
        return "\n".join(lines) + "\n"


def _problem(code: str, zh: str, en: str, column: str | None = None, row: int | None = None) -> Problem:
    return Problem(code=f"tables.{code}", message=Text(zh, en), hint=Text("", ""), column=column, row=row)


def _check_values(column: Column, values: pl.Series) -> Iterator[Problem]:
    """Yield the faults of one column; rows are numbered as in a file with one header line."""

    faults: list[tuple[str, str, str, pl.Series]] = []
    if not column.nullable and values.null_count():
        faults.append(("empty", "不能为空。", "Must not be empty.", values.is_null()))
    if column.dtype == "number":
        faults.append(
            ("not_finite", "不是有限数。", "Is not a finite number.", values.is_finite().not_().fill_null(False))
        )
    if column.minimum is not None:
        bound = f"{column.minimum:g}"
        faults.append(
            ("too_small", f"小于下限 {bound}。", f"Is below {bound}.", (values < column.minimum).fill_null(False))
        )
    if column.maximum is not None:
        bound = f"{column.maximum:g}"
        faults.append(
            ("too_large", f"大于上限 {bound}。", f"Is above {bound}.", (values > column.maximum).fill_null(False))
        )
    if column.choices:
        listed = ", ".join(column.choices)
        wrong = values.is_in(list(column.choices)).not_().fill_null(False)
        faults.append(("not_a_choice", f"应为其中之一: {listed}。", f"Must be one of: {listed}.", wrong))
    for code, zh, en, mask in faults:
        for row in mask.arg_true().head(MAX_PROBLEMS_PER_COLUMN):
            yield _problem(code, zh, en, column=column.name, row=int(row) + 2)
