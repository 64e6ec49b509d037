"""The plant file and its documents are what the rooms above take: kinds, items, particulars, factors."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import sources
from zerofactory.connectors.tabular import read_table
from zerofactory.factors.load import factor_book
from zerofactory.metering.form import from_form
from zerofactory.reference_plant import generate, series
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate.write(tmp_path_factory.mktemp("plant") / "demo").folder


@pytest.fixture(scope="module")
def plant() -> Plant:
    found, _ = load_plant(series.plant_text())
    assert found is not None
    return found


def test_every_source_is_of_a_known_kind_and_item(plant: Plant) -> None:
    known = sources()
    for use in plant.sources:
        kind = known[use.kind]
        assert use.item is None or not kind.items or use.item in kind.items, use.id
        for column in kind.details:
            if not column.nullable:
                assert column.name in use.detail, (use.id, column.name)


def test_nearly_every_kind_of_source_occurs(plant: Plant) -> None:
    absent = set(sources()) - {use.kind for use in plant.sources}
    assert absent == {
        "equipment_making_leakage", "exported_heat", "measured_emission", "waste_incineration",
        "tree_reversal", "co2_capture", "fossil_co2_storage", "co2_use", "stored_co2_leakage", "solid_waste",
        "on_site_storage",
    }  # fmt: skip


def test_every_document_is_taken_and_every_factor_is_found(folder: Path, plant: Plant) -> None:
    frames = []
    for path in sorted((folder / "inbox").glob("凭证-*.xlsx")):
        frame, problems = from_form(read_table(path), plant, sources(), path.name)
        assert [problem.sentence("en") for problem in problems] == []
        frames.append(frame)
    activities = pl.concat(frames)
    documented = {use.id for use in plant.sources if not use.meters and use.detail.get("derived") != "yes"}
    planned = {"chain-inbound", "chain-outbound"}  # filled by the documents of logistics plans, in later periods
    assert set(activities["source_id"]) == documented - planned
    found = quantify(activities, plant, factor_book(), closing=True, known_at=date(2026, 1, 15))
    told = [problem.sentence("en") for problem in found.problems if problem.severity == "error"]
    assert told == []
    assert found.records["emissions_gco2e"].min() >= 0  # type: ignore[operator]


def test_the_voucher_in_kilometres_is_refused(folder: Path, plant: Plant) -> None:
    path = folder / "inbox/wrong/柴油-单位错误.xlsx"
    frame, problems = from_form(read_table(path), plant, sources(), path.name)
    assert frame.is_empty()
    assert [problem.code for problem in problems] == ["metering.wrong_unit"]
