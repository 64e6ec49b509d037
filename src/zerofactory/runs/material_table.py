"""Tables of material planning: CSV or XLSX whose headers end in their unit, every fault told with file, row and column.

``width_mm`` and ``width_m`` are the same column in different units; a unit of another kind is refused. Headers may be Chinese
(宽度_mm). Shares end in ``_fraction`` or ``_%``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from zerofactory import units
from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, NotFound, Problem, Text

MAX_ROWS = 5_000
PLAIN = (None, "1", "1.0")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One column: name without unit, Chinese name, the unit its values are turned into.

    Units beside those of the table: None is text, ``1`` a whole number, ``1.0`` a number whose unit stands in the name itself.
    """

    name: str
    zh: str
    unit: str | None = None
    required: bool = True
    default: Any = None

    @property
    def key(self) -> str:
        """The name with its unit, as it stands in a row."""
        if self.unit in PLAIN:
            return self.name
        return f"{self.name}_{self.unit}"


def number(name: str, zh: str, unit: str, default: float | None = None) -> Field:
    """Return a column of numbers; required unless it has a default."""
    return Field(name, zh, unit, default is None, default)


def inside(folder: Path, name: str) -> Path:
    """Return a file of the folder; refuse a name that leads out of it or is absent."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name:
        message = Text(f"文件名“{name}”指向文件夹之外。", f"The file name '{name}' leads out of the folder.")
        hint = Text(
            "请放在 material 文件夹内并写相对路径。", "Put it inside the folder material and give a relative path."
        )
        raise FaultyData([Problem("material.path", message, hint, file=name)])
    path = folder / pure
    if not path.is_file():
        there = ", ".join(sorted(one.name for one in path.parent.glob("*"))[:12]) if path.parent.is_dir() else ""
        message = Text(f"没有文件“{name}”。", f"There is no file '{name}'.")
        raise FaultyData(
            [
                Problem(
                    "material.no_file",
                    message,
                    Text(f"该文件夹中有: {there}。", f"The folder holds: {there}."),
                    file=name,
                )
            ]
        )
    return path  # fmt: skip


def read(folder: Path, name: str, fields: Sequence[Field], more: str | None = None) -> list[Row]:
    """Return the rows of a table, values in the units of ``fields``, ``row`` the line in the file.

    Parameters
    ----------
    more : unit of further columns named ``<anything>_<unit>`` (contents of elements, say), gathered under ``more``.

    Raises
    ------
    FaultyData
        With every fault of the table.
    """
    frame = read_table(inside(folder, name))
    places, extra, problems = _headed(frame.columns, fields, more)
    if frame.height > MAX_ROWS:
        message = Text(f"超过 {MAX_ROWS} 行。", f"More than {MAX_ROWS} rows.")
        problems.append(Problem("material.rows", message, Text("请分成几个文件。", "Split the file.")))
    if problems:
        raise FaultyData([problem.at(file=name, row=1) for problem in problems])
    rows: list[Row] = []
    for line, cells in enumerate(frame.iter_rows(named=True), start=2):
        row, faults = _row(cells, fields, places, extra)
        rows.append({"row": line, **row})
        problems += [fault.at(file=name, row=line) for fault in faults]
    if problems:
        raise FaultyData(problems)
    return rows


def _headed(
    headers: Sequence[str], fields: Sequence[Field], more: str | None
) -> tuple[dict[str, tuple[Field, str, float]], dict[str, tuple[str, float]], list[Problem]]:
    """Return which header holds which field and further column, and every fault of the headers."""
    places: dict[str, tuple[Field, str, float]] = {}
    extra: dict[str, tuple[str, float]] = {}
    problems: list[Problem] = []
    for header in headers:
        found = _matched(header, fields, more)
        if isinstance(found, Problem):
            problems.append(found.at(column=header))
        elif isinstance(found[0], Field):
            places[found[0].name] = (found[0], header, found[1])
        else:
            extra[found[0]] = (header, found[1])
    problems += [_absent(field) for field in fields if field.required and field.name not in places]
    return places, extra, problems


def _row(
    cells: dict[str, object],
    fields: Sequence[Field],
    places: dict[str, tuple[Field, str, float]],
    extra: dict[str, tuple[str, float]],
) -> tuple[Row, list[Problem]]:
    """Return the values of a row and the faults of its cells."""
    row: Row = {field.key: field.default for field in fields}
    problems: list[Problem] = []
    for field, header, ratio in places.values():
        value = _value(cells[header], field.unit is not None, ratio, field.unit == "1")
        if isinstance(value, Problem) or (value is None and field.required):
            problems.append((value or _empty()).at(column=header))
        elif value is not None:
            row[field.key] = value
    row["more"] = {}
    for key, (header, ratio) in extra.items():
        value = _value(cells[header], True, ratio, False)
        if isinstance(value, Problem):
            problems.append(value.at(column=header))
        elif value is not None:
            row["more"][key] = value
    return row, problems


def _matched(header: str, fields: Sequence[Field], more: str | None) -> tuple[Any, float] | Problem:
    """Return the field (or a further column's name) that a header means and the ratio to its unit."""
    cleaned = header.strip()
    for field in fields:
        if cleaned in (field.name, field.zh, field.key):
            if field.unit in PLAIN or cleaned == field.key:
                return field, 1.0
            return _no_unit(field)
    for field in fields:
        for base in (field.name, field.zh):
            if field.unit not in PLAIN and cleaned.startswith(f"{base}_"):
                return _in_unit(field, cleaned[len(base) + 1 :])
    base, _, unit = cleaned.rpartition("_")
    if more is not None and base:
        try:
            return base, units.ratio(unit, more)
        except (NotFound, units.WrongDimension):
            pass
    listed = ", ".join(field.key for field in fields)
    return Problem("material.unknown_column", Text(f"不认识“{header}”列。", f"Column '{header}' is unknown."), Text(f"可用的列: {listed}。", f"Columns: {listed}."))  # fmt: skip


def _in_unit(field: Field, unit: str) -> tuple[Any, float] | Problem:
    assert field.unit is not None  # noqa: S101  # narrowing
    try:
        return field, units.ratio(unit, field.unit)
    except NotFound as fault:
        return fault.as_problem()
    except units.WrongDimension as fault:
        return fault.as_problem()


def _value(cell: object, is_number: bool, ratio: float, whole: bool) -> Any:
    """Return a cell as text, number (in the wanted unit) or None where it is empty; a `Problem` where it is no number."""
    text = "" if cell is None else str(cell).strip()
    if not text:
        return None
    if not is_number:
        return text
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return _not_number(text)
    if not math.isfinite(value) or (whole and value != int(value)):
        return _not_number(text)
    return int(value) if whole else round(value * ratio, 12)


def _not_number(text: str) -> Problem:
    return Problem("material.not_a_number", Text(f"“{text}”不是所要的数。", f"'{text}' is not the number asked for."), Text("请填写数字, 件数写整数。", "Give a number; pieces are whole."))  # fmt: skip


def _empty() -> Problem:
    return Problem("material.empty", Text("不能为空。", "Must not be empty."), Text("请填写。", "Fill it in."))


def _absent(field: Field) -> Problem:
    return Problem("material.missing_column", Text(f"缺少“{field.key}”列({field.zh})。", f"Column '{field.key}' is missing."), Text("请加上该列, 单位写在列名末尾。", "Add it, the unit at the end of its name."), column=field.key)  # fmt: skip


def _no_unit(field: Field) -> Problem:
    return Problem("material.no_unit", Text(f"“{field.name}”列没有写单位。", f"Column '{field.name}' states no unit."), Text(f"请写成 {field.key}。", f"Write {field.key}."))  # fmt: skip
