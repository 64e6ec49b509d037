"""Files at the door: encodings, kinds, bounds, bombs; every refusal says what to do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from zerofactory.connectors.tabular import Limits, limits, read_table
from zerofactory.errors import FaultyData

SMALL = Limits(10_000, 1_000_000, 200, 10, 10, 3)


def code_of(path: Path, bounds: Limits | None = None) -> str:
    with pytest.raises(FaultyData) as caught:
        read_table(path, bounds)
    (problem,) = caught.value.problems
    assert problem.file == path.name
    assert problem.message.zh
    assert problem.message.en
    assert problem.hint.zh
    assert problem.hint.en
    return problem.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_the_encodings_of_the_field(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"排放源{separator}数量\n锅炉{separator}1.5\n".encode(encoding))
    frame = read_table(path)
    assert frame.to_dict(as_series=False) == {"排放源": ["锅炉"], "数量": ["1.5"]}


def test_gb18030_after_a_long_ascii_start(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"meter,note\n" + b"m1,x\n" * 20_000 + "m1,迟到\n".encode("gb18030"))
    assert read_table(path)["note"][-1] == "迟到"


def test_workbook_cells_become_what_a_person_typed(tmp_path: Path) -> None:
    import datetime as dt

    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["日期", "数量", "单位"])
        sheet.write_datetime(1, 0, dt.datetime(2025, 3, 1), day)  # noqa: DTZ001
        sheet.write_row(1, 1, [1200, "kg"])
        sheet.write_row(2, 1, [0.1, "kg"])
    frame = read_table(path)
    assert frame.rows() == [("2025-03-01", "1200", "kg"), (None, "0.1", "kg")]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"meter": ["m"], "value": [1.5]}).write_parquet(path)
    assert read_table(path).schema["value"] == pl.Float64


def test_refusals(tmp_path: Path) -> None:
    assert code_of(tmp_path / "absent.csv") == "tabular.absent"
    (tmp_path / "a.docx").write_bytes(b"x")
    assert code_of(tmp_path / "a.docx") == "tabular.unknown_kind"
    (tmp_path / "empty.csv").write_bytes(b"")
    assert code_of(tmp_path / "empty.csv") == "tabular.empty"
    (tmp_path / "header.csv").write_text("a,b\n", encoding="utf-8")
    assert code_of(tmp_path / "header.csv") == "tabular.no_rows"
    (tmp_path / "twice.csv").write_text("a,a\n1,2\n", encoding="utf-8")
    assert code_of(tmp_path / "twice.csv") == "tabular.repeated_header"
    (tmp_path / "notzip.xlsx").write_bytes(b"not a workbook")
    assert code_of(tmp_path / "notzip.xlsx") == "tabular.not_a_workbook"
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 broken")
    assert code_of(tmp_path / "broken.parquet") == "tabular.unreadable"
    (tmp_path / "large.csv").write_bytes(b"a\n" + b"1\n" * 10_000)
    assert code_of(tmp_path / "large.csv", SMALL) == "tabular.too_large"
    (tmp_path / "many.csv").write_bytes(b"a\n" + b"1\n" * 11)
    assert code_of(tmp_path / "many.csv", SMALL) == "tabular.too_many"


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry,
    ):
        block = b"0" * (1 << 20)
        for _ in range(300):
            entry.write(block)
    assert path.stat().st_size < 1 << 20
    assert code_of(path) == "tabular.zip_bomb"


def test_workbook_with_broken_inside(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook>")
    path = tmp_path / "inside.xlsx"
    path.write_bytes(buffer.getvalue())
    assert code_of(path) == "tabular.unreadable"


def test_packaged_limits_are_stated() -> None:
    assert limits().max_sheet_rows == 1_048_576


@pytest.mark.parametrize("shift", range(3))
def test_a_character_cut_where_the_look_at_the_encoding_ends(tmp_path: Path, shift: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text("meter,note" + " " * shift + "\n" + "m1,迟到迟到迟到迟到迟到迟到\n" * 4_000, encoding="utf-8")
    assert set(read_table(path)["note"]) == {"迟到迟到迟到迟到迟到迟到"}


def test_a_file_name_is_never_a_pattern(tmp_path: Path) -> None:
    for suffix, write in ((".csv", pl.DataFrame.write_csv), (".parquet", pl.DataFrame.write_parquet)):
        for name in ("[a]", "a*", "ab"):
            write(pl.DataFrame({"meter": [name]}), tmp_path / f"{name}{suffix}")
        for name in ("[a]", "a*"):
            assert read_table(tmp_path / f"{name}{suffix}")["meter"].to_list() == [name]


def test_parquet_whose_cells_are_no_values_or_that_has_too_many_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"meter": [["E1"]], "value": [1.0]}).write_parquet(path)
    assert code_of(path) == "tabular.not_plain"
    pl.DataFrame({"meter": [b"\xff"], "value": [1.0]}).write_parquet(path)
    assert code_of(path) == "tabular.not_plain"
    pl.DataFrame({"value": [1.0] * 11}).write_parquet(path)
    assert code_of(path, SMALL) == "tabular.too_many"


def test_true_in_a_workbook_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "flags.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["数量", "说明"])
        sheet.write_row(1, 0, [True, "x"])
        sheet.write_row(2, 0, [1, False])
    frame = read_table(path)
    assert frame["数量"].to_list() == ["TRUE", "1"]
    assert frame["说明"].to_list() == ["x", "FALSE"]


def test_cells_right_of_the_last_header_are_named(tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["数量", "单位"])
        sheet.write_row(1, 0, [1, "t"])
        sheet.write_row(2, 0, [2, "t", "", "另加 5 t"])
    with pytest.raises(FaultyData) as caught:
        read_table(path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.row) == ("tabular.outside_header", 3)
    assert "另加 5 t" in problem.message.zh
