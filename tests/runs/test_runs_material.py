"""Material on the reference plant's files: plans that pass their check, faults with file, row and column, and the kilograms in the book."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import zerofactory.reference_plant
from zerofactory.errors import FaultyData, Problem
from zerofactory.optimisation.material.cuts import CUTS
from zerofactory.periods import Period
from zerofactory.reference_plant.series import plant_text
from zerofactory.runs import close, import_data, inventory, material, material_files, material_mix, verify
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

PACKAGED = Path(zerofactory.reference_plant.__file__).parent / "material"
STEEL_SOURCES = """
[[sources]]
id = "buy-steel-flat"
kind = "purchased_goods"
name = { zh = "外购板材", en = "flat steel" }
shop = "paint"
item = "steel"
detail = { route = "bf_bof" }

[[sources]]
id = "sheet-scrap"
kind = "metal_scrap"
name = { zh = "边角料", en = "sheet scrap" }
shop = "paint"
item = "steel"
detail = { scrap_fate = "recovered" }
"""


@pytest.fixture
def plant(tmp_path: Path, small: Context) -> Context:
    """Return an empty book of the reference plant (its readings are not needed) with its folder material."""
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    shutil.copytree(PACKAGED, folder / "material")
    Workspace.create(folder, at=stamp(small.now), actor="test")
    return Context(Workspace.open(folder), small.now, "test")


def edit(plant: Context, name: str, old: str, new: str) -> None:
    path = plant.workspace.folder / "material" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems_of(work: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(FaultyData) as caught:
        work()
    for problem in caught.value.problems:
        assert problem.message.zh
        assert problem.message.en
        assert problem.hint.zh
        assert problem.file
    return caught.value.problems


@pytest.mark.parametrize("kind", ["slit", "sheet"])
def test_a_plan_is_checked_balanced_and_saves_what_it_says(plant: Context, kind: str) -> None:
    found = getattr(material, f"run_{kind}")(plant)
    assert found.is_sound
    assert CUTS.check(CUTS.frame(found.rows)) == []
    told, saved = found.masses, found.saving
    assert told.put_in_kg == pytest.approx(told.good_kg + told.all_scrap_kg)
    assert saved is not None
    assert saved.saved_kg == pytest.approx(told.good_kg / saved.before_utilisation_fraction - told.put_in_kg)
    assert saved.saved_kg > 0
    by_use = {one.route.use: one for one in saved.routes if one.route.use != "route"}
    assert by_use["low"].saved_kgco2e == pytest.approx(0.5 * saved.saved_kg)
    assert by_use["high"].saved_kgco2e == pytest.approx(2.1 * saved.saved_kg)
    assert saved.booked is not None
    # what the book shows less is the saved mass by the plant's own factor: worldsteel's blast furnace, 2.33
    assert saved.booked.saved_gco2e == pytest.approx(2.33e3 * saved.saved_kg, abs=5)


def test_blanks_are_laid_and_drawn(plant: Context, tmp_path: Path) -> None:
    found = material.run_nest(plant, None, 4.0)
    assert found.is_sound
    assert {one["strip"] for one in found.nests} == {"座椅支架", "铰链加强板", "三角连接板", "左支座", "DC04-0.8-265"}
    assert found.saving is not None
    assert found.saving.saved_kg > 0
    made = {path.name for path in material_files.write(found, tmp_path / "out", "zh")}
    assert made == {
        "nest.json",
        "nest-cuts.csv",
        "nest.svg",
        "nest.dxf",
        "nest-activities.csv",
        "nest-activities-before.csv",
    }
    picture = (tmp_path / "out" / "nest.svg").read_text(encoding="utf-8")
    assert "<title>冲压件条料排样(虚构)</title>" in picture
    assert "aria-label=" in picture
    cuts = pl.read_csv(tmp_path / "out" / "nest-cuts.csv")
    assert cuts.columns == list(CUTS.names)


def test_the_charge_is_cheaper_cleaner_and_booked(plant: Context) -> None:
    found = material_mix.run(plant)
    assert found.is_sound
    assert found.before is not None
    assert found.before_findings == ()
    assert found.plan.cost_cny < found.before.cost_cny
    assert found.plan.recycled_fraction >= 0.45
    assert found.booked is not None
    metal = sum(found.plan.charged_kg[name] * 0.7 for name in ("ingot46000", "wheels", "extrusion", "shredded"))
    assert found.booked.plan_gco2e == pytest.approx(
        1000 * (metal + 15.5 * found.plan.charged_kg["primary"] + 4.5 * found.plan.charged_kg["hydro"]), abs=10
    )
    clean = material_mix.run(plant, None, "footprint")
    assert clean.plan.footprint_kgco2e <= found.plan.footprint_kgco2e + 1e-6


def test_a_clash_of_limits_is_told(plant: Context) -> None:
    edit(plant, "mix.toml", "least_recycled_fraction = 0.45", "least_recycled_fraction = 0.98")
    found = material_mix.run(plant)
    assert found.plan.conflict is not None
    assert "recycled" in {one.wish.id for one in found.plan.conflict.clashing}
    assert not found.is_sound


def test_every_fault_of_both_tables_comes_at_once_with_its_place(plant: Context) -> None:
    edit(plant, "slit_orders.csv", ",142,9.5,", ",abc,9.5,")
    edit(plant, "slit_coils.csv", "DC04,0.8,1250,9.6,6,", "DC04,0.8,1250,,6,")
    found = problems_of(lambda: material.run_slit(plant))
    assert {(one.file, one.row, one.column) for one in found} == {
        ("slit_orders.csv", 2, "width_mm"),
        ("slit_coils.csv", 2, "mass_t"),
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "wanted"),
    [
        ("slit_orders.csv", ",335,16,", ",1600,16,", ("material.wider_than_coil", "slit_orders.csv", 5)),
        ("slit_orders.csv", "width_mm", "width_kg", ("units.wrong_dimension", "slit_orders.csv", 1)),
        ("slit_orders.csv", "width_mm", "width", ("material.no_unit", "slit_orders.csv", 1)),
        ("slit_orders.csv", "width_mm", "width_m", ("material.width_unit", "slit_orders.csv", 2)),
        ("slit_orders.csv", "width_mm", "breite_mm", ("material.unknown_column", "slit_orders.csv", 1)),
        ("slit_orders.csv", ",218,12,", ",218,900,", ("material.above_stock", "slit_orders.csv", 2)),
        ("slit_coils.csv", "DC04-1250,DC04,0.8,1250", "DC04-1250,DC04,0.8,-5", ("material.width_unit", "slit_coils.csv", 2)),
        ("slit.toml", "knives = 16", "knifes = 16", ("material.extra_forbidden", "slit.toml", None)),
        ("slit.toml", 'orders = "slit_orders.csv"', 'orders = "../factory.toml"', ("material.path", "../factory.toml", None)),
        ("slit.toml", 'orders = "slit_orders.csv"', 'orders = "orders.csv"', ("material.no_file", "orders.csv", None)),
    ],
)  # fmt: skip
def test_faults_of_slitting_have_file_and_row(
    plant: Context, name: str, old: str, new: str, wanted: tuple[str, str, int | None]
) -> None:
    edit(plant, name, old, new)
    found = problems_of(lambda: material.run_slit(plant))
    assert wanted in {(one.code, one.file, one.row) for one in found}


@pytest.mark.parametrize(
    ("name", "old", "new", "wanted"),
    [
        ("nest_parts.csv", "free,,,400,", "0,,,80,", ("material.wider_than_coil", "nest_parts.csv", 2)),
        ("nest_parts.csv", "0;180±10", "sideways", ("material.turns", "nest_parts.csv", 3)),
        ("nest_parts.csv", "右支座,500", "中支座,500", ("material.pair", "nest_parts.csv", 5)),
        ("nest_parts.csv", "one_up;two_up", "five_up;two_up", ("material.layout", "nest_parts.csv", 4)),
        ("nest_parts.csv", "blanks/clip.json", "blanks/none.json", ("material.no_file", "blanks/none.json", None)),
        ("blanks/clip.json", "[70, 16], [46, 16]", "[46, 16], [70, 16], [10, 90]", ("material.crosses_itself", "blanks/clip.json", None)),
        ("blanks/clip.json", '"unit": "mm", ', "", ("material.no_unit", "blanks/clip.json", None)),
    ],
)  # fmt: skip
def test_faults_of_blanks_have_file_and_row(
    plant: Context, name: str, old: str, new: str, wanted: tuple[str, str, int | None]
) -> None:
    edit(plant, name, old, new)
    found = problems_of(lambda: material.run_nest(plant))
    assert wanted in {(one.code, one.file, one.row) for one in found}


@pytest.mark.parametrize(
    ("name", "old", "new", "wanted"),
    [
        ("mix_charges.csv", "expert.al.primary.cn", "expert.al.primary.xx", ("name.not_found", "mix_charges.csv", 2)),
        ("mix_charges.csv", ",12.0,假设(虚构)待供应商数据 / assumption (fictional),0,", ",12.0,,0,", ("material.no_footprint", "mix_charges.csv", 9)),
        ("mix_charges.csv", "Si_%", "Si_kg", ("material.unknown_column", "mix_charges.csv", 1)),
        ("mix_charges.csv", ",9.5,0.85,", ",950,0.85,", ("material.share", "mix_charges.csv", 4)),
        ("mix_limits.csv", "Si,8.0,11.0", "Si,12.0,11.0", ("material.limit", "mix_limits.csv", 2)),
        ("mix_limits.csv", "Zn,0,1.2", "Pb,0,1.2", ("material.no_content", "mix_limits.csv", 7)),
        ("mix.toml", "melt_kg = 100000", "melt_kg = 90000000", ("material.above_stock", "mix.toml", None)),
    ],
)  # fmt: skip
def test_faults_of_a_charge_have_file_and_row(
    plant: Context, name: str, old: str, new: str, wanted: tuple[str, str, int | None]
) -> None:
    edit(plant, name, old, new)
    found = problems_of(lambda: material_mix.run(plant))
    assert wanted in {(one.code, one.file, one.row) for one in found}


@pytest.mark.parametrize(
    ("name", "old", "new", "wanted"),
    [
        (
            "sheet_orders.csv",
            "1420,410,120,no",
            "1520,1610,120,no",
            ("material.larger_than_sheet", "sheet_orders.csv", 2),
        ),
        ("sheet_orders.csv", "120,yes", "120,maybe", ("material.yes_or_no", "sheet_orders.csv", 7)),
        ("sheet_orders.csv", "980,265,160", "980,265,1.5", ("material.not_a_number", "sheet_orders.csv", 3)),
        ("sheet_sheets.csv", "1500,400,6.4", "1500,4,6.4", ("material.above_stock", "sheet.toml", None)),
    ],
)
def test_faults_of_sheets_have_file_and_row(
    plant: Context, name: str, old: str, new: str, wanted: tuple[str, str, int | None]
) -> None:
    edit(plant, name, old, new)
    found = problems_of(lambda: material.run_sheet(plant))
    assert wanted in {(one.code, one.file, one.row) for one in found}


def test_a_source_the_plant_does_not_have_is_refused_with_the_choices(plant: Context) -> None:
    edit(plant, "slit.toml", 'metal = "buy-steel-flat"', 'metal = "buy-tin"')
    found = problems_of(lambda: material.run_slit(plant))
    assert "buy-tin" in found[0].message.zh


def test_a_plant_without_files_is_told_where_to_write_them(small: Context) -> None:
    found = problems_of(lambda: material.run_slit(small))
    assert found[0].code == "material.no_file"
    assert found[0].file == "material/slit.toml"


def test_the_saved_kilograms_are_in_the_inventory(
    small: Context, reopen: Callable[[Context], Context], write_readings: Callable[..., Path], tmp_path: Path
) -> None:
    """Import the form of the plan into one book and that of the present practice into its twin: the inventories differ by what was said."""
    folder = small.workspace.folder
    shutil.copytree(PACKAGED, folder / "material")
    toml = folder / "material" / "slit.toml"
    text = toml.read_text(encoding="utf-8").replace("day = 2026-01-30", "day = 2025-01-30")
    toml.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(("put_in", "output"))), encoding="utf-8"
    )
    (folder / "factory.toml").write_text(
        (folder / "factory.toml").read_text(encoding="utf-8") + STEEL_SOURCES, encoding="utf-8"
    )
    readings = write_readings(1)
    here = reopen(small)
    import_data.run(here, [readings])
    found = material.run_slit(here)
    assert found.saving is not None
    assert found.saving.booked is not None
    material_files.write(found, tmp_path / "out", "zh")
    totals = {}
    for which in ("", "-before"):
        twin = tmp_path / f"book{which}"
        shutil.copytree(folder, twin)
        book = Context(Workspace.open(twin), here.now, "test")
        imported = import_data.run(book, [tmp_path / "out" / f"slit-activities{which}.csv"])
        assert imported[0].status == "imported"
        close.run(book, Period.parse("2025-01"))
        book = Context(Workspace.open(twin), here.now, "test")
        shown = inventory.read(book, Period.parse("2025-01"), "ghg_protocol_corporate", scope="3")
        totals[which] = next(line.emissions_gco2e for line in shown.lines if line.key == "s3.01")
        verify.run(book)
    booked = found.saving.booked
    assert totals[""] == booked.plan_gco2e
    assert totals["-before"] - totals[""] == booked.saved_gco2e > 0
