"""Each deliberate fault is where the list says, and nowhere else."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from zerofactory.reference_plant import documents, generate
from zerofactory.reference_plant.mess import Mess, mess

ONE_DAY = 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate.write(tmp_path_factory.mktemp("plant") / "demo").folder


def _fault(name: str) -> Mess:
    return next(entry for entry in mess() if entry.id == name)


def _month(folder: Path, month: int, meter: str) -> pl.DataFrame:
    return pl.read_parquet(folder / f"inbox/readings-2025-{month:02d}.parquet").filter(pl.col("meter") == meter)


def _rows(path: Path) -> list[dict[str, object]]:
    head, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_every_fault_is_told_in_both_languages_and_its_file_exists(folder: Path) -> None:
    assert [entry.kind for entry in mess()] == ["reset", "gap", "gap", "late", "duplicate", "wrong_unit", "rollover"]
    for entry in mess():
        assert entry.what.zh
        assert entry.what.en
        assert entry.why.zh
        assert entry.why.en
        assert list(folder.glob(entry.file)), entry.file


@pytest.mark.parametrize(("name", "month", "slots"), [("gap-3h", 3, 12), ("gap-31h", 8, 124)])
def test_gaps_have_their_length(folder: Path, name: str, month: int, slots: int) -> None:
    fault = _fault(name)
    rows = _month(folder, month, str(fault.meter))
    assert rows.height == 31 * ONE_DAY - slots
    assert fault.last - fault.first == slots


def test_no_other_reading_is_missing(folder: Path) -> None:
    year = pl.concat([pl.read_parquet(path) for path in sorted((folder / "inbox").glob("readings-2025-??.parquet"))])
    counts = dict(year.group_by("meter").agg(pl.len()).iter_rows())
    short = {meter for meter, count in counts.items() if count not in (365 * ONE_DAY, 365 * ONE_DAY + 1, 365 * 24)}
    assert short == {"G-PT-RTO1", "E-PT-BTH1"}


def test_the_late_file_doubles_what_was_first_said(folder: Path) -> None:
    fault = _fault("late-correction")
    late = pl.read_csv(folder / fault.file).with_columns(pl.col("时间").str.to_datetime("%Y-%m-%d %H:%M"))
    first = _month(folder, 9, str(fault.meter)).join(late, left_on="time", right_on="时间")
    assert late.height == first.height == 3 * ONE_DAY
    assert late["时间"].min() == datetime.fromisoformat("2025-09-10")
    assert (first["读数"] - 2 * first["value"]).abs().max() < 0.0101  # type: ignore[operator]


def test_the_duplicate_is_byte_for_byte_the_same(folder: Path) -> None:
    fault = _fault("duplicate-file")
    assert (folder / fault.file).read_bytes() == (folder / str(fault.copy_of)).read_bytes()


def test_the_refused_voucher_differs_from_its_twin_by_the_unit_only(folder: Path) -> None:
    fault = _fault("wrong-unit")
    wrong, right = _rows(folder / fault.file), _rows(folder / str(fault.corrected_by))
    assert [row["单位"] for row in wrong] == ["km"]
    assert [row["单位"] for row in right] == ["L"]
    assert [{**row, "单位": "L"} for row in wrong] == right
    fuel = _rows(folder / "inbox/凭证-燃料-2025.xlsx")
    diesel = [row["凭证号"] for row in fuel if row["排放源"] == documents.source_names()["diesel-trucks"]]
    assert len(diesel) == 11
    assert right[0]["凭证号"] not in diesel
