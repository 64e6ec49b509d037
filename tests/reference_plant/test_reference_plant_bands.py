"""The plant's totals lie inside the published bands; the table of band against value is printed with ``-s``."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from zerofactory.factors.load import factor_book
from zerofactory.reference_plant import documents, generate, shapes, totals


@pytest.fixture(scope="module")
def bands() -> dict[str, totals.Band]:
    known = {name: factor.value for name, factor in factor_book().by_id.items()}
    carbon = known["cn-t1.ng.ncv"] * known["cn-t1.ng.cc"] * known["cn-t1.ng.of"]
    factors = totals.Intensity(
        electricity=known["cn.grid.prov.shanghai.2023"],
        gas=carbon * 44 / 12 / 10_000,
        heat=known["cn.heat.default"] * 1000,
    )
    return {band.id: band for band in totals.bands(factors)}


def test_every_banded_total_is_inside(bands: dict[str, totals.Band]) -> None:
    for band in bands.values():
        limits = f"[{band.low}, {band.high}]" if band.low is not None else f"published {band.published}"
        print(f"{band.id:28} {band.value:9.3f} {band.unit:14} {limits}")
    assert [band.id for band in bands.values() if not band.inside] == []
    assert sum(band.low is not None for band in bands.values()) >= 20


def test_paint_share_and_co2_per_vehicle(bands: dict[str, totals.Band]) -> None:
    assert 50.0 <= bands["paint.share.energy_max"].value <= 70.0
    assert 0.42 <= bands["bmw.co2.2015"].value <= 0.57
    assert abs(bands["paint.share.gas"].value - bands["paint.share.gas"].published) < 5.0


def test_about_300_000_vehicles_and_a_seventh_of_the_sun() -> None:
    made = int(shapes.vehicles().sum())
    assert 295_000 < made < 305_000
    assert sum(documents.vehicles_by_month()) == made
    used = totals.year_amounts()
    sun = sum(used[f"PV-{i}"] for i in range(1, 5))
    assert 1000 < sun / 20_400 < 1200  # kWh per kWp in Shanghai
    assert used["E-EX-1"] < 0.05 * sun


def test_green_power_covers_about_a_fifth_with_serials_used_once(tmp_path: Path) -> None:
    generate.write(tmp_path / "demo")
    book = CalamineWorkbook.from_path(str(tmp_path / "demo/inbox/凭证-能源结算-2025.xlsx"))
    head, *rows = book.get_sheet_by_index(0).to_python()
    contracts = [
        row
        for row in (dict(zip(head, row, strict=True)) for row in rows)
        if row["排放源"] == documents.source_names()["green-power"]
    ]
    assert len(contracts) == 12
    last = 0
    for row in contracts:
        first, final = (int(part.rpartition("-")[2]) for part in str(row["证书编号"]).split(".."))
        assert (first, final) == (last + 1, last + int(float(str(row["数量"]))))
        last = final
    used = totals.year_amounts()
    bought_mwh = (used["E-IN-1"] + used["E-IN-2"]) / 1000
    assert last / bought_mwh == pytest.approx(0.2, abs=1e-3)


def test_stock_takes_continue_from_month_to_month() -> None:
    for source in ("weld-co2", "weld-mixed", "ac-fill-1234yf"):
        rows = [row for row in documents.year_rows() if row["source"] == source]
        for before, after in pairwise(rows):
            assert after["opening"] == pytest.approx(before["closing"])
            assert documents.amount_of(after) > 0


def test_the_calendar_day_of_a_document_is_real() -> None:
    assert all(row["started_on"] <= row["ended_on"] <= date(2025, 12, 31) for row in documents.year_rows())
