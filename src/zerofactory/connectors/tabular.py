"""Tables in files: CSV (UTF-8 or GB 18030), XLSX and Parquet → a frame and the row number of its first line.

CSV and XLSX come as text columns, so that a fault can be told in the user's own words and place; Parquet keeps its types.
Nothing here trusts the file: its size, the size it unpacks to, its rows and columns are bounded before it is read.
"""

from __future__ import annotations

import tomllib
import zipfile
from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from zerofactory.errors import FaultyData, Problem, Text

SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
HEAD_BYTES = 65_536  # what is looked at to tell the encoding; a character may be cut in two at its end
MAX_OUTSIDE = 20
_DELIMITERS = (",", "\t", ";")
READER_ERRORS = (OSError, ValueError, LookupError, zipfile.BadZipFile, pl.exceptions.PolarsError, CalamineError)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold; read from `limits.toml`."""

    max_file_bytes: int
    max_unpacked_bytes: int
    max_unpack_ratio: int
    max_rows: int
    max_sheet_rows: int
    max_columns: int


@lru_cache(maxsize=1)
def limits() -> Limits:
    """Return the packaged limits."""
    table = tomllib.loads((files("zerofactory.connectors") / "limits.toml").read_text(encoding="utf-8"))
    return Limits(**{name: table[name] for name in Limits.__dataclass_fields__})


def read_table(path: Path, bounds: Limits | None = None) -> pl.DataFrame:
    """Return the first table of a file.

    The header is line 1, so row ``i`` of the frame is line ``i + 2``; empty lines at the end are dropped.

    Raises
    ------
    FaultyData
        The file is absent, too large, of an unknown kind, unreadable, encrypted, or a zip bomb.
    """
    bounds = bounds or limits()
    problem = _refusal(path, bounds)
    if problem is None:
        suffix = path.suffix.lower()
        try:
            if suffix == ".parquet":
                return _bounded(_read_parquet(path, bounds), bounds, path)
            if suffix == ".xlsx":
                return _bounded(_read_workbook(path, bounds), bounds, path)
            return _bounded(_read_csv(path), bounds, path)
        except FaultyData:
            raise
        except READER_ERRORS as error:
            problem = _fault(
                path,
                "unreadable",
                Text("文件读不出来。", f"The file cannot be read: {_first_line(error)}"),
                Text(
                    "请用原程序打开并另存为 CSV(UTF-8)或 XLSX 再导入。",
                    "Open it in its own program, save it as CSV (UTF-8) or XLSX and import that.",
                ),
            )
    raise FaultyData([problem])


def _refusal(path: Path, bounds: Limits) -> Problem | None:
    """Return why a file must not be read at all, or None."""
    if not path.is_file():
        return _fault(
            path, "absent", Text("没有这个文件。", "There is no such file."), Text("请检查路径。", "Check the path.")
        )
    if path.suffix.lower() not in SUFFIXES:
        listed = ", ".join(SUFFIXES)
        return _fault(
            path,
            "unknown_kind",
            Text(f"不支持“{path.suffix}”文件。", f"'{path.suffix}' files are not supported."),
            Text(f"请使用: {listed}。", f"Use one of: {listed}."),
        )
    size = path.stat().st_size
    if size == 0:
        return _fault(
            path, "empty", Text("文件是空的。", "The file is empty."), Text("请重新导出。", "Export it again.")
        )
    if size > bounds.max_file_bytes:
        return _fault(
            path,
            "too_large",
            Text(
                f"文件有 {size} 字节, 超过上限 {bounds.max_file_bytes}。",
                f"The file has {size} bytes, above the limit of {bounds.max_file_bytes}.",
            ),
            Text("请按月拆分后导入。", "Split it by month."),
        )
    return _unpack_refusal(path, size, bounds) if path.suffix.lower() == ".xlsx" else None


def _unpack_refusal(path: Path, size: int, bounds: Limits) -> Problem | None:
    """Return why a workbook must not be unpacked: not a zip, or a zip bomb by the sizes in its own directory."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile:
        return _fault(
            path,
            "not_a_workbook",
            Text("不是 XLSX 工作簿(可能已加密或损坏)。", "Not an XLSX workbook (encrypted or damaged)."),
            Text("请去掉密码后另存为 XLSX。", "Remove the password and save as XLSX."),
        )
    if unpacked > bounds.max_unpacked_bytes or unpacked > size * bounds.max_unpack_ratio:
        return _fault(
            path,
            "zip_bomb",
            Text(
                f"工作簿解压后有 {unpacked} 字节, 是文件的 {unpacked // size} 倍, 拒绝打开。",
                f"The workbook unpacks to {unpacked} bytes, {unpacked // size} times its size; refused.",
            ),
            Text("请确认来源, 另存为 CSV 后导入。", "Check where it is from; save it as CSV."),
        )
    return None


def _bounded(frame: pl.DataFrame, bounds: Limits, path: Path) -> pl.DataFrame:
    if frame.height > bounds.max_rows or frame.width > bounds.max_columns:
        raise FaultyData(
            [
                _fault(
                    path,
                    "too_many",
                    Text(
                        f"表有 {frame.height} 行 {frame.width} 列, 超过上限 {bounds.max_rows} 行 {bounds.max_columns} 列。",
                        f"The table has {frame.height} rows and {frame.width} columns; the limit is {bounds.max_rows} and {bounds.max_columns}.",
                    ),
                    Text("请拆分后导入。", "Split it."),
                )
            ]
        )
    if frame.height == 0:
        raise FaultyData(
            [
                _fault(
                    path,
                    "no_rows",
                    Text("只有表头, 没有数据行。", "There is a header and no row."),
                    Text("请填写后再导入。", "Fill it in first."),
                )
            ]
        )
    return frame


def _read_parquet(path: Path, bounds: Limits) -> pl.DataFrame:
    """Read a Parquet file, its row count first; refuse columns whose cells are no single value a person could type."""
    rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    if rows > bounds.max_rows:
        said = (
            f"表有 {rows} 行, 超过上限 {bounds.max_rows}。",
            f"The table has {rows} rows; the limit is {bounds.max_rows}.",
        )
        raise FaultyData([_fault(path, "too_many", Text(*said), Text("请拆分后导入。", "Split it."))])
    frame = pl.read_parquet(path, glob=False)
    strange = [name for name, dtype in frame.schema.items() if dtype.is_nested() or dtype in (pl.Binary, pl.Object)]
    if strange:
        raise FaultyData(
            [
                _fault(
                    path,
                    "not_plain",
                    Text(
                        f"列的单元格不是单个值: {', '.join(strange)}。",
                        f"Cells are no single value: {', '.join(strange)}.",
                    ),
                    Text("请改为文字、数字或日期时间列。", "Make it a column of text, numbers, dates or times."),
                )
            ]
        )
    return frame


def _read_csv(path: Path) -> pl.DataFrame:
    with path.open("rb") as stream:
        start = stream.read(HEAD_BYTES)
    encoding = _encoding(path, start)
    header = start.decode(encoding, errors="ignore").lstrip("\ufeff").splitlines()[0]
    separator = max(_DELIMITERS, key=header.count)
    repeated = _repeated([name.strip().strip('"') for name in header.split(separator)])
    if repeated:
        raise FaultyData(
            [
                _fault(
                    path,
                    "repeated_header",
                    Text(f"表头重复: {', '.join(repeated)}。", f"Repeated headers: {', '.join(repeated)}."),
                    Text("请删去重复的列。", "Remove the repeated columns."),
                )
            ]
        )
    if encoding == "utf-8":
        return _stripped(pl.read_csv(path, glob=False, separator=separator, infer_schema=False))
    return _stripped(pl.read_csv(path.read_text(encoding=encoding).encode(), separator=separator, infer_schema=False))


def _encoding(path: Path, start: bytes) -> str:
    """UTF-8 where the whole file is UTF-8, else GB 18030 (what Excel in China writes)."""
    try:
        getincrementaldecoder("utf-8")().decode(start, final=len(start) < HEAD_BYTES)
    except UnicodeDecodeError:
        return "gb18030"
    if start.isascii():
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(1 << 22), b""):
                if not block.isascii():
                    return _encoding_of_all(path)
    return "utf-8"


def _encoding_of_all(path: Path) -> str:
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _read_workbook(path: Path, bounds: Limits) -> pl.DataFrame:
    """Read the first visible sheet; every cell becomes text (dates in ISO form)."""
    workbook = CalamineWorkbook.from_path(path)
    visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    rows = workbook.get_sheet_by_name(visible[0]).to_python(skip_empty_area=False)
    if not rows:
        raise FaultyData(
            [
                _fault(
                    path,
                    "empty",
                    Text("工作表是空的。", "The sheet is empty."),
                    Text("请填写后再导入。", "Fill it in first."),
                )
            ]
        )
    if len(rows) > bounds.max_sheet_rows:
        raise FaultyData(
            [
                _fault(
                    path,
                    "too_many",
                    Text(f"工作表有 {len(rows)} 行。", f"The sheet has {len(rows)} rows."),
                    Text("请拆分。", "Split it."),
                )
            ]
        )
    names = [str(cell).strip() for cell in rows[0]]
    while names and not names[-1]:
        names.pop()
    outside = _outside(path, rows, len(names))
    if outside:
        raise FaultyData(outside)
    body = [row[: len(names)] for row in rows[1:]]
    while body and all(cell == "" for cell in body[-1]):
        body.pop()
    repeated = _repeated(names)
    if repeated or "" in names:
        listed = ", ".join(repeated) or "(空)"
        raise FaultyData(
            [
                _fault(
                    path,
                    "repeated_header",
                    Text(f"表头重复或为空: {listed}。", f"Repeated or empty headers: {listed}."),
                    Text("请改好第一行。", "Mend the first line."),
                )
            ]
        )
    columns = {name: pl.Series([_cell_text(row[i]) for row in body], dtype=pl.String) for i, name in enumerate(names)}
    return pl.DataFrame(columns)


def _outside(path: Path, rows: Sequence[Sequence[object]], width: int) -> list[Problem]:
    """Return a problem for each row that has something right of the last header: it belongs to no column."""
    found = []
    for number, row in enumerate(rows[1:], start=2):
        extra = [str(cell).strip() for cell in row[width:] if str(cell).strip()]
        if extra:
            problem = _fault(
                path,
                "outside_header",
                Text(
                    f"表头之外还有内容: {extra[0][:40]}。",
                    f"There is something right of the last header: {extra[0][:40]}.",
                ),
                Text("请给该列写上表头, 或删去这些单元格。", "Give its column a header, or clear the cells."),
            )
            found.append(replace(problem, row=number))
    return found[:MAX_OUTSIDE]


def _cell_text(cell: object) -> str | None:
    """Return a cell as a person would type it, or None when it is empty; TRUE and FALSE stay words, they are no numbers."""
    match cell:
        case str():
            return cell.strip() or None
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return repr(int(cell)) if float(cell).is_integer() and abs(cell) < 1e15 else repr(cell)
        case datetime():
            return (
                cell.isoformat(sep=" ")
                if (cell.hour, cell.minute, cell.second) != (0, 0, 0)
                else cell.date().isoformat()
            )
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def _stripped(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns})


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if name and names.count(name) > 1})


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:160] if text else type(error).__name__


def _fault(path: Path, code: str, message: Text, hint: Text) -> Problem:
    return Problem(code=f"tabular.{code}", message=message, hint=hint, file=path.name)
