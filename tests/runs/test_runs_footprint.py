"""Product footprints of a closed plant: every gram lands on a product, electricity is re-based, suppliers are booked or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from zerofactory.accounting.declared_footprint import SUPPLIER_FOOTPRINTS
from zerofactory.errors import FaultyData, NotFound, Problem
from zerofactory.periods import Period
from zerofactory.reporting.exchange import aas, pact
from zerofactory.runs import close, footprint, import_data, inventory, supplier, verify
from zerofactory.runs.context import Context
from zerofactory.store.schema import RECORDS

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]
MARCH = Period(2025, 3)
PRODUCTS = """
[[products]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
unit = "{1}"
"""
PROFILE = """
product = "{0}"
description = "test"
mass_kg = {1}
fossil_carbon_kg = 10.0
[time_quota_min]
{2}
"""
LATER = """
[use]
distance_km = 100000.0
fuel = "gasoline"
fuel_l_per_100km = 5.0
electricity_kwh_per_100km = 9.0
charging_loss_fraction = 0.1
source = "test"
[[end_of_life]]
item = "uk25.waste.metal_scrap_metal.closed_loop"
mass_kg = 1000.0
fossil_carbon_burnt_kg = 3.0
"""
HEADER = "零部件,上级,数量,单位,供应商碳足迹,材料,再生材料,再生比例,取舍,备注\n"
SUPPLIER: dict[str, Any] = {
    "id": "f4b1225a-bd44-4c8e-861d-079e4e1dfd69", "specVersion": "3.0.0", "created": "2025-01-31T00:00:00Z",
    "status": "Active", "companyName": "seats", "companyIds": ["urn:x:seats"], "productDescription": "seat",
    "productIds": ["urn:x:seat"], "productNameCompany": "seat",
    "pcf": {
        "declaredUnitOfMeasurement": "piece", "declaredUnitAmount": "2", "productMassPerDeclaredUnit": "30",
        "referencePeriodStart": "2024-01-01T00:00:00Z", "referencePeriodEnd": "2025-01-01T00:00:00Z",
        "pcfExcludingBiogenicUptake": "80", "pcfIncludingBiogenicUptake": "78", "fossilCarbonContent": "1",
        "fossilGhgEmissions": "77", "landUseChangeGhgEmissions": "2", "biogenicNonCO2Emissions": "1",
        "biogenicCO2Uptake": "-2", "aircraftGhgEmissions": "4", "ipccCharacterizationFactors": ["AR6"],
        "crossSectoralStandards": ["PACT-3.0"], "exemptedEmissionsPercent": "0", "primaryDataShare": "50",
        "dqi": {"technologicalDQR": "1", "geographicalDQR": "2", "temporalDQR": "3"},
    },
}  # fmt: skip


def products(folder: Path) -> Path:
    """Write the products folder: two models and a cell that goes into one of them."""
    place = folder / "products"
    place.mkdir(exist_ok=True)
    for name, mass, quotas in (
        ("big", 1000.0, "paint = 60.0"),
        ("small", 500.0, "paint = 30.0"),
        ("cell", 2.0, "paint = 1.0"),
    ):
        later = LATER if name == "big" else ""
        (place / f"{name}.toml").write_text(PROFILE.format(name, mass, quotas) + later, encoding="utf-8")
    (place / "big.csv").write_text(HEADER + "body,,1,件,,,,,,\nsteel,body,0.9,t,,steel_bf_bof,steel_eaf,0.5,,\ncells,,10,件,product:cell,,,,,\nlabels,,1,kg,,,,,是,太轻\n", encoding="utf-8")  # fmt: skip
    (place / "small.csv").write_text(HEADER + "steel,,400,kg,,steel_bf_bof,,,,\n", encoding="utf-8")
    (place / "cell.csv").write_text(HEADER + "steel,,2,kg,,steel_eaf,,,,\n", encoding="utf-8")
    return place


@pytest.fixture
def made(small: Context, write_readings: Writer, tmp_path: Path, reopen: Reopen) -> Context:
    """Return the small plant with a closed March in which three products were made, one under two work orders."""
    folder = small.workspace.folder
    text = (folder / "factory.toml").read_text(encoding="utf-8")
    extra = "".join(PRODUCTS.format(*pair) for pair in (("big", "vehicle"), ("small", "vehicle"), ("cell", "piece")))
    (folder / "factory.toml").write_text(text + extra, encoding="utf-8")
    form = tmp_path / "output.csv"
    head = "排放源,开始日期,结束日期,数量,单位,品种,数据来源,凭证号,备注,工单\n"
    lines = [
        "diesel,2025-03-01,2025-03-31,1.5,t,,结算,D1,,",
        "vehicles,2025-03-01,2025-03-31,60,vehicle,big,,P1,,WO-1",
        "vehicles,2025-03-01,2025-03-31,40,vehicle,big,,P2,,WO-2",
        "vehicles,2025-03-01,2025-03-31,100,vehicle,small,,P3,,",
        "vehicles,2025-03-01,2025-03-31,1000,piece,cell,,P4,,",
    ]
    form.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    context = reopen(small)
    import_data.run(context, [write_readings(3), form])
    close.run(reopen(context), MARCH, known_at=date(2026, 1, 15))
    products(folder)
    return reopen(context)


def codes(fault: FaultyData) -> set[str]:
    return {problem.code for problem in fault.problems}


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_every_gram_lands_on_a_product(made: Context) -> None:
    """Inventory, its electricity taken out and put in again at 577.7 g/kWh, equals what the three products carry."""
    shown = {name: footprint.show(made, name, MARCH).footprint for name in ("big", "small", "cell")}
    records = made.workspace.journal.active(RECORDS)
    total = inventory.read(made, MARCH, "iso_14064_1_2018", "location").total_gco2e
    bought = records.filter((records["source_id"] == "electricity") & (records["regime"] == "location"))
    rebased = total - int(bought["emissions_gco2e"].sum()) + round(float(bought["quantity"].sum()) * 577.7)
    assert sum(one.allocated_gco2e for one in shown.values()) == rebased


def test_by_hand(made: Context) -> None:
    """Quotas 60, 30, 1: 100 × 1 + 100 × 0.5 + 1000 / 60 equivalent units of the first product."""
    big, small, cell = (footprint.show(made, name, MARCH).footprint for name in ("big", "small", "cell"))
    per_unit = {one.product: one.allocated_gco2e / one.quantity for one in (big, small, cell)}
    assert per_unit["small"] == pytest.approx(per_unit["big"] / 2, rel=1e-6)
    assert per_unit["cell"] == pytest.approx(per_unit["big"] / 60, rel=1e-5)
    assert big.of(["manufacturing"]).total == pytest.approx(per_unit["big"] / 1000)
    lines = {line.key: line.kgco2e for line in big.lines}
    assert lines["body/steel"] == pytest.approx(900 * (0.5 * 0.5 + 0.5 * 2.1))
    assert lines["cells"] == pytest.approx(10 * (2 * 0.5 + per_unit["cell"] / 1000))
    assert small.of(["raw_materials"]).total == pytest.approx(400 * 2.1)
    assert big.work_orders.keys() == {"WO-1", "WO-2"}
    assert big.work_orders["WO-1"] == pytest.approx(big.work_orders["WO-2"], rel=1e-6)
    assert big.cut_off_fraction == pytest.approx(0.001)
    assert big.methods == {"paint": "quota", "utilities": "overhead"}
    assert 0 < big.primary_fraction < 1
    assert small.primary_fraction == pytest.approx(small.of(["manufacturing"]).total / small.kgco2e)


def test_the_whole_life(made: Context) -> None:
    gate = footprint.show(made, "big", MARCH).footprint
    life = footprint.show(made, "big", MARCH, "life_cycle").footprint
    lines = {line.key: line for line in life.lines}
    assert lines["electricity"].amount == pytest.approx(10_000.0)
    assert lines["electricity"].kgco2e == pytest.approx(10_000 * 0.5777)
    assert lines["fuel"].amount == pytest.approx(5000.0)
    assert lines["uk25.waste.metal_scrap_metal.closed_loop.burnt"].kgco2e == pytest.approx(3.0 * 44 / 12)
    assert life.kgco2e == pytest.approx(gate.kgco2e + life.of(["use", "end_of_life"]).total)
    assert life.primary_fraction == gate.primary_fraction
    with pytest.raises(FaultyData) as caught:
        footprint.show(made, "small", MARCH, "life_cycle")
    assert codes(caught.value) == {"footprint.no_profile"}


def test_the_inventory_stays_and_the_change_is_said(made: Context) -> None:
    note = footprint.show(made, "big", MARCH).footprint.notes[0]
    assert "0.5777" in note.zh
    assert "The inventory stays as it is" in note.en


def test_as_json_is_json(made: Context) -> None:
    value = json.loads(json.dumps(footprint.as_json(footprint.show(made, "big", MARCH, "life_cycle"))))
    assert value["kgco2e_per_unit"] == pytest.approx(sum(value["stages_kgco2e_per_unit"].values()))
    assert list(value["stages_kgco2e_per_unit"]) == ["raw_materials", "manufacturing", "use", "end_of_life"]


def test_metered_use_decides_where_it_is_known(made: Context, reopen: Reopen) -> None:
    place = made.workspace.folder / "products" / "metered_use.csv"
    place.write_text("产品,车间,月份,用量,单位\nbig,paint,2025-03,3,MWh\nsmall,paint,2025-03,1000,kWh\ncell,paint,2025-03,0,kWh\n", encoding="utf-8")  # fmt: skip
    big = footprint.show(reopen(made), "big", MARCH).footprint
    assert big.methods["paint"] == "metered"
    small = footprint.show(reopen(made), "small", MARCH).footprint
    assert big.work_orders["WO-1"] == pytest.approx(big.work_orders["WO-2"], rel=1e-6)
    paint = {one.product: next(line.kgco2e for line in one.lines if line.key == "paint") for one in (big, small)}
    assert paint["big"] == pytest.approx(3 * paint["small"], rel=1e-6)


def test_exports_read_back_and_agree(made: Context, tmp_path: Path) -> None:
    done = {
        form: footprint.export(made, "big", MARCH, form, tmp_path / f"x.{form}")
        for form in ("pact", "aas-json", "aasx")
    }
    entries, problems = pact.read((tmp_path / "x.pact").read_bytes())
    assert problems == []
    assert len({one.footprint_id for one in done.values()}) == 1
    said = entries[0].footprint
    assert said.pcf.product_mass_per_declared_unit == "1000.0"
    assert said.pcf.exempted_emissions_percent == "0.1"
    assert said.pcf.declared_unit_of_measurement == "piece"
    assert float(said.pcf.pcf_excluding_biogenic_uptake) == pytest.approx(footprint.show(made, "big", MARCH).footprint.kgco2e, abs=2e-3)  # fmt: skip
    carbons = [aas.read((tmp_path / f"x.{form}").read_bytes()) for form in ("aas-json", "aasx")]
    assert carbons[0] == carbons[1]
    carbon = carbons[0][0]
    assert carbon is not None
    assert carbon.footprints[0].co2eq == said.pcf.pcf_excluding_biogenic_uptake
    assert json.loads(carbon.specifics[0].information[0][1]) == said.as_json()


def test_the_whole_life_goes_into_aas_only(made: Context, tmp_path: Path) -> None:
    footprint.export(made, "big", MARCH, "aas-json", tmp_path / "x", "life_cycle")
    carbon, _ = aas.read((tmp_path / "x").read_bytes())
    assert carbon is not None
    assert [len(one.phases) for one in carbon.footprints] == [2, 4]
    with pytest.raises(FaultyData) as caught:
        footprint.export(made, "big", MARCH, "pact", tmp_path / "y", "life_cycle")
    assert codes(caught.value) == {"footprint.pact_boundary"}
    assert not (tmp_path / "y").exists()


def test_unknown_names(made: Context, tmp_path: Path) -> None:
    for arguments in (("truck", MARCH), ("big", MARCH, "cradle_to_cradle")):
        with pytest.raises(NotFound):
            footprint.show(made, *arguments)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        footprint.export(made, "big", MARCH, "xml", tmp_path / "x")
    with pytest.raises(FaultyData) as caught:
        footprint.show(made, "big", Period(2025))
    assert codes(caught.value) == {"inventory.not_closed"}
    with pytest.raises(FaultyData) as caught:
        inventory.read(made, MARCH, "gb_t_24067_2024")
    assert codes(caught.value) == {"inventory.of_products"}


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("big.csv", HEADER + "a,b,1,件,,,,,,\nb,a,1,件,,,,,,\n", "bill.cycle"),
        ("big.csv", HEADER + "steel,,-5,kg,,steel_bf_bof,,,,\n", "bill.negative"),
        ("big.csv", HEADER + "seat,,1,件,no-such-id,,,,,\n", "footprint.unknown_supplier"),
        ("big.csv", HEADER + "wood,,1,kg,,unobtainium,,,,\n", "factors.none"),
        ("big.csv", HEADER + "steel,,1,件,,steel_bf_bof,,,,\n", "units.wrong_dimension"),
        ("cell.csv", HEADER + "loop,,1,vehicle,product:big,,,,,\n", "bill.cycle"),
        ("big.toml", PROFILE.format("big", -1.0, "paint = 60.0"), "product.range"),
        ("big.toml", PROFILE.format("big", 1.0, "roof = 60.0"), "footprint.unknown_shop"),
        ("big.toml", PROFILE.format("big", 1.0, "paint = 0.0"), "product.no_quota"),
        ("big.toml", PROFILE.format("big", 1.0, "paint = 1.0") + "colour = 1\n", "product.range"),
        ("big.toml", "product = ", "product.not_toml"),
        ("metered_use.csv", "产品,车间,月份,用量,单位\nbig,paint,2025-03,-3,MWh\n", "metered_use.quantity"),
        ("metered_use.csv", "产品,车间,月份,用量,单位\nbig,paint,2025-03,3,MWh\n", "footprint.metered_in_part"),
    ],
)
def test_faulty_product_files(made: Context, file: str, content: str, code: str) -> None:
    if code == "product.range" and "colour" in content:
        content, code = (
            PROFILE.format("big", 1.0, "paint = 1.0").replace("mass_kg", "colour = 1\nmass_kg"),
            "product.unknown_key",
        )
    (made.workspace.folder / "products" / file).write_text(content, encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        footprint.show(made, "big", MARCH)
    assert code in codes(caught.value)
    assert all(problem.message.zh and problem.message.en for problem in caught.value.problems)


def test_a_supplier_in_the_bill(made: Context, tmp_path: Path, reopen: Reopen) -> None:
    """Two seats are one declared unit of 80 kg: 77 fossil, 2 land use, 1 biogenic; 4 of aviation inside, −2 of uptake apart."""
    result = supplier.run(made, [write(tmp_path / "seat.json", SUPPLIER)])
    assert [one.kgco2e for one in result.booked] == [80.0]
    (made.workspace.folder / "products" / "small.csv").write_text(HEADER + f"seat,,2,个,{SUPPLIER['id']},,,,,\n", encoding="utf-8")  # fmt: skip
    found = footprint.show(reopen(made), "small", MARCH).footprint
    line = next(line for line in found.lines if line.key == "seat")
    assert line.kgco2e == pytest.approx(80.0)
    assert (line.parts.land_use, line.parts.biogenic_other, line.parts.aviation, line.parts.biogenic_uptake) == (
        2,
        1,
        4,
        -2,
    )
    assert line.primary_fraction == 0.5
    assert (line.rating.technological, line.rating.temporal) == (1.0, 3.0)  # type: ignore[union-attr]
    exported = footprint.export(made, "small", MARCH, "pact", tmp_path / "out.json")
    said = pact.read(exported.path.read_bytes())[0][0].footprint.pcf
    assert (said.land_use_change_ghg_emissions, said.aircraft_ghg_emissions, said.biogenic_co2_uptake) == ("2.000", "4.000", "-2.000")  # fmt: skip
    assert float(said.pcf_excluding_biogenic_uptake) - float(said.pcf_including_biogenic_uptake) == pytest.approx(2.0)


def test_a_supplier_in_the_wrong_unit_or_expired(made: Context, tmp_path: Path) -> None:
    value = json.loads(json.dumps(SUPPLIER)) | {"validityPeriodStart": "2025-01-01T00:00:00Z", "validityPeriodEnd": "2025-02-28T00:00:00Z"}  # fmt: skip
    path = write(tmp_path / "seat.json", value)
    with pytest.raises(FaultyData) as caught:
        supplier.run(made, [path])
    assert codes(caught.value) == {"footprint.expired"}
    assert supplier.listing(made) == []
    supplier.run(made, [path], date(2025, 2, 1))
    (made.workspace.folder / "products" / "small.csv").write_text(HEADER + f"seat,,30,kg,{SUPPLIER['id']},,,,,\n", encoding="utf-8")  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        footprint.show(made, "small", MARCH)
    assert codes(caught.value) == {"footprint.expired", "footprint.wrong_unit"}
    assert {problem.row for problem in caught.value.problems} == {2}
    assert {problem.file for problem in caught.value.problems} == {"products/small.csv"}


def test_an_import_is_kept_whole_and_once(made: Context, tmp_path: Path, reopen: Reopen) -> None:
    path = write(tmp_path / "seat.json", SUPPLIER)
    first = supplier.run(made, [path]).booked[0]
    assert made.workspace.evidence.find(first.evidence).read_bytes() == path.read_bytes()
    assert json.loads(first.payload) == SUPPLIER
    again = supplier.run(reopen(made), [path])
    assert (again.booked, len(again.known)) == ((), 1)
    assert [problem.severity for problem in again.warnings] == ["warning"]
    other = json.loads(json.dumps(SUPPLIER))
    other["pcf"]["productMassPerDeclaredUnit"] = "31"
    with pytest.raises(FaultyData) as caught:
        supplier.run(reopen(made), [write(tmp_path / "other.json", other)])
    assert "footprint.other_content" in codes(caught.value)
    assert made.workspace.journal.active(SUPPLIER_FOOTPRINTS).height == 1
    assert verify.run(reopen(made)).problems == ()
    made.workspace.evidence.find(first.evidence).unlink()
    assert "verify.evidence_missing" in {problem.code for problem in verify.run(reopen(made)).problems}


def test_own_exports_come_in_as_the_same_footprint(made: Context, tmp_path: Path, reopen: Reopen) -> None:
    names = [tmp_path / "x.json", tmp_path / "y.json", tmp_path / "z.aasx"]
    for form, path in zip(("pact", "aas-json", "aasx"), names, strict=True):
        footprint.export(made, "small", MARCH, form, path)
    result = supplier.run(made, names)
    assert (len(result.booked), len(result.known)) == (1, 2)


def test_one_fault_and_nothing_is_written(made: Context, tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(SUPPLIER))
    wrong["pcf"]["declaredUnitOfMeasurement"] = "kilo"
    wrong["colour"] = "red"
    old = json.loads(json.dumps(SUPPLIER)) | {"status": "Deprecated", "id": "f4b1225a-bd44-4c8e-861d-000000000001"}
    paths = [write(tmp_path / "a.json", SUPPLIER), write(tmp_path / "b.json", wrong), write(tmp_path / "c.json", old), tmp_path / "none.json", tmp_path / "x.xml"]  # fmt: skip
    (tmp_path / "x.xml").write_text("<x/>", encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        supplier.run(made, paths)
    assert codes(caught.value) == {"pact.not_a_choice", "pact.unknown_key", "footprint.deprecated", "footprint.absent", "footprint.unknown_kind"}  # fmt: skip
    assert supplier.listing(made) == []


def phases(*names: str) -> bytes:
    footprints = tuple(
        aas.AasFootprint(("ISO 14067",), "5", "kg", "1.0", (name,), "2025-06-01T00:00:00Z") for name in names
    )
    return aas.write_json(aas.AasCarbon("urn:a", "urn:b", "urn:c", footprints)).encode()


def test_an_aas_file_without_pact_inside(made: Context, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(phases("A1-A3", "B1-B7"))
    one = supplier.run(made, [path]).booked[0]
    assert (one.kgco2e, one.unit, one.amount, one.boundary) == (5.0, "kg", 1.0, "cradle_to_gate")
    path.write_bytes(phases("A3 - production"))
    with pytest.raises(FaultyData) as caught:
        supplier.run(made, [path])
    problem: Problem = caught.value.problems[0]
    assert problem.code == "footprint.boundary"
    assert "A3 - production" in problem.message.en
