"""A measured year of a real steel works through import, close and inventory: the file's own totals come out.

Data set UCI 851 (doi 10.24432/C52G8C): 35 040 quarter hours of 2018, 959 636.71 kWh, 403.81 t.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = Path("loads") / "steel_industry_kr" / "Steel_industry_data.csv"


@pytest.fixture
def measured_year() -> Path:
    """Return the file; skip where the folder of data sets is not at hand."""
    path = Path(os.environ.get("ZF_DATA") or ROOT / ".." / "shared" / "data") / FILE
    if not path.is_file():
        pytest.skip(f"{FILE} is not here: set ZF_DATA to the folder of data sets")
    return path


def test_the_year_of_the_steel_works_keeps_its_own_totals(
    measured_year: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from bench import steel_works

    book = steel_works.of_book(measured_year, tmp_path)
    assert round(book.energy_kwh, 6) == 959_636.71
    assert round(book.published_t, 6) == 403.81
    assert book.computed_t == pytest.approx(959_636.71 * 0.4208 / 1000, abs=6e-6)  # twelve months, each to whole grams
