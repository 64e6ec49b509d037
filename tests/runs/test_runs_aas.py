"""The shells of a plant: read by foreign programs, true to the templates, and their figures those of the book."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import aas_core3.jsonization as core_json
import aas_core3.verification as core_verification
import pytest
from aas_test_engines import file as engine
from basyx.aas import model
from basyx.aas.adapter import aasx
from tests.runs import plant_with_shells

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.reporting.shells import views
from zerofactory.reporting.shells.facts import Key
from zerofactory.runs import aas, inventory, readings
from zerofactory.runs.aas_file import read
from zerofactory.runs.context import Context

DATA = Path(os.environ.get("ZF_DATA", str(Path(__file__).resolve().parents[3] / "shared" / "data"))) / "interop" / "aas"
ROOT = Path(__file__).resolve().parents[2]
# What each published template has at least once, by path of idShorts (``*``: any), as read from admin-shell-io/submodel-templates @ 290e242f.
MANDATORY: dict[str, dict[str, str]] = {
    "https://admin-shell.io/idta/nameplate/3/0/Nameplate": {
        "URIOfTheProduct": "0112/2///61987#ABN590#002",
        "ManufacturerName": "0112/2///61987#ABA565#009",
        "ManufacturerProductDesignation": "0112/2///61987#ABA567#009",
        "OrderCodeOfManufacturer": "0112/2///61987#ABA950#008",
    },
    "https://admin-shell.io/idta/HierarchicalStructures/1/1/Submodel": {
        "EntryNode": "https://admin-shell.io/idta/HierarchicalStructures/EntryNode/1/0",
        "ArcheType": "https://admin-shell.io/idta/HierarchicalStructures/ArcheType/1/0",
    },
    "https://admin-shell.io/idta/TimeSeries/1/1": {
        "Metadata": "https://admin-shell.io/idta/TimeSeries/Metadata/1/1",
        "Metadata.Name": "https://admin-shell.io/idta/TimeSeries/Metadata/Name/1/1",
        "Metadata.Record": "https://admin-shell.io/idta/TimeSeries/Record/1/1",
        "Segments": "https://admin-shell.io/idta/TimeSeries/Segments/1/1",
        "Segments.InternalSegment.Records": "https://admin-shell.io/idta/TimeSeries/Records/1/1",
    },
    "https://admin-shell.io/idta/SimulationModels/SimulationModels/1/0": {
        f"SimulationModel.{path}": f"https://admin-shell.io/idta/SimulationModels/{path.split('.')[-1].rstrip('0')}/1/0"
        for path in (
            "SimPurpose", "SimPurpose.PosSimPurpose00", "ScopeOfModel00", "Environment.OperatingSystem", "Environment.SimulationTool",
            "Environment.SimulationTool.SolverAndTolerances", "Environment.SimulationTool.SolverAndTolerances.SolverIncluded",
            "ModelFile", "ModelFile.ModelFileVersion", "ModelFile.ModelFileVersion.ModelVersionId",
            "ModelFile.ModelFileVersion.DigitalFile", "ParamMethod", "InitStateMethod",
        )
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant_with_shells.build(tmp_path_factory.mktemp("shells") / "plant")


@pytest.fixture
def opened(plant: Path) -> Context:
    return plant_with_shells.context(plant)


def submodel(found: aas.Shells, shell: str, name: str) -> dict[str, Any]:
    """Return a submodel of a shell by their short names."""
    own = next(one for one in found.environment.shells if one["idShort"] == shell)
    ids = [one["keys"][0]["value"] for one in own["submodels"]]
    return next(one for one in found.environment.submodels if one["id"] in ids and one["idShort"] == name)


def test_the_file_is_right_to_other_programs(opened: Context) -> None:
    text = aas.content(opened, ".json").decode()
    read = core_json.environment_from_jsonable(json.loads(text))
    assert [f"{one.path}: {one.cause}" for one in core_verification.verify(read)] == []
    checked = engine.check_json_file(io.StringIO(text))
    assert checked.ok(), checked.message
    package = aas.content(opened, ".aasx")
    checked = engine.check_aasx_file(io.BytesIO(package))
    assert checked.ok(), checked.message
    store: Any = model.DictIdentifiableStore()
    kept = aasx.DictSupplementaryFileContainer()
    with aasx.AASXReader(io.BytesIO(package), failsafe=False) as reader:
        reader.read_into(store, kept)
    assert len([one for one in store if isinstance(one, model.AssetAdministrationShell)]) == 7
    stream = io.BytesIO()
    kept.write_file("/aasx/files/twin.toml", stream)
    assert stream.getvalue() == (opened.workspace.folder / "twin.toml").read_bytes()


def test_the_same_book_gives_the_same_bytes(opened: Context, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.runs import plant_with_shells as p; from zerofactory.runs import aas; "
        "c = p.context(Path(sys.argv[1])); aas.export(c, Path(sys.argv[2])); aas.export(c, Path(sys.argv[3]))"
    )
    out = tmp_path / "other.aasx", tmp_path / "other.json"
    folder = str(opened.workspace.folder)
    subprocess.run([sys.executable, "-c", code, folder, *map(str, out)], check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert out[0].read_bytes() == aas.content(opened, ".aasx")
    assert out[1].read_bytes() == aas.content(opened, ".json")
    with zipfile.ZipFile(out[0]) as archive:
        assert json.loads(archive.read("aasx/data.json")) == json.loads(out[1].read_text(encoding="utf-8"))


def test_every_submodel_has_what_its_template_demands(opened: Context) -> None:
    seen = set()
    for one in aas.shells(opened).environment.submodels:
        semantic = one["semanticId"]["keys"][0]["value"]
        for path, wanted in MANDATORY.get(semantic, {}).items():
            element = views.at(one, path)
            assert element is not None, f"{one['id']}: {path}"
            assert element["semanticId"]["keys"][0]["value"] == wanted
            seen.add(semantic)
    assert seen == set(MANDATORY)


def test_the_footprint_has_the_elements_of_the_published_template(opened: Context) -> None:
    path = DATA / "IDTA_02023-1-0-1_Template_CarbonFootprint.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    template = json.loads(path.read_text(encoding="utf-8"))["submodels"][0]

    def demanded(elements: list[dict[str, Any]]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for one in elements:
            many = {q["value"] for q in one.get("qualifiers", []) if q["type"].endswith("Cardinality")}
            if not many & {"ZeroToOne", "ZeroToMany"}:
                found.add((one["modelType"], one["semanticId"]["keys"][0]["value"]))
                found |= demanded(views.children(one))
        return found

    def told(elements: list[dict[str, Any]]) -> set[tuple[str, str]]:
        found = {(one["modelType"], one["semanticId"]["keys"][0]["value"]) for one in elements if "semanticId" in one}
        return found.union(*(told(views.children(one)) for one in elements))

    for one in aas.shells(opened).environment.submodels:
        if one["idShort"] == "CarbonFootprint":
            assert demanded(template["submodelElements"]) <= told(one["submodelElements"])
            assert one["semanticId"]["keys"][0]["value"] == template["semanticId"]["keys"][0]["value"]


def test_energy_is_what_the_meters_counted(opened: Context) -> None:
    found, month = aas.shells(opened), Period.parse("2025-01")
    rows = {row["meter_id"]: row["amount"] for row in readings.totals(opened, month, "month").rows.iter_rows(named=True)}  # fmt: skip
    for shell, short, meter in (("plant_small", "purchased_electricity", "E1"), ("line_booth_1", "natural_gas", "G1")):
        energy = submodel(found, shell, "EnergyConsumption")
        total = views.at(energy, f"Carriers.{short}.Total")
        assert total is not None
        assert Decimal(total["value"]) == Decimal(str(rows[meter]))
        assert views.value(views.at(energy, f"Carriers.{short}.Meters") or {}) == [meter]
    diesel = views.value(views.at(submodel(found, "plant_small", "EnergyConsumption"), "Carriers") or {})
    assert diesel["mobile_combustion_diesel_documents"]["Total"] == 1.0
    assert diesel["mobile_combustion_diesel_documents"]["Unit"] == "t"


def test_the_series_adds_up_to_the_month(opened: Context) -> None:
    series = submodel(aas.shells(opened), "plant_small", "TimeSeries")
    records = views.children(views.at(series, "Segments.InternalSegment.Records") or {})
    assert len(records) == 31
    first = {one["idShort"]: one["value"] for one in records[0]["value"]}
    assert first["Time"] == "2024-12-31T16:00:00Z"  # midnight in Shanghai
    assert [records[1]["value"][1][key] for key in ("idShort", "value")] == ["RelativeTime", "86400"]
    name = "purchased_electricity"
    total = sum(Decimal(one["value"]) for record in records for one in record["value"] if one["idShort"] == name)
    energy = submodel(aas.shells(opened), "plant_small", "EnergyConsumption")
    assert total == Decimal((views.at(energy, f"Carriers.{name}.Total") or {})["value"])
    linked = views.at(series, "Segments.LinkedSegment_E1.Endpoint")
    assert linked is not None
    assert linked["value"] == "https://carbon.example.com/v1/meters/E1/view"


def footprint(found: aas.Shells, shell: str) -> tuple[Decimal, float, dict[str, str]]:
    """Return kilograms, pieces and the information of a shell's footprint."""
    own = submodel(found, shell, "CarbonFootprint")
    kilograms = (views.at(own, "ProductCarbonFootprints[0].PcfCO2eq") or {})["value"]
    pieces = (views.at(own, "ProductCarbonFootprints[0].QuantityOfMeasureForCalculation") or {})["value"]
    told = views.value(views.at(own, "ProductOrSectorSpecificCarbonFootprints[0].PcfInformation") or {})
    return Decimal(kilograms), float(pieces), told


def test_tonnes_are_those_of_the_book(opened: Context) -> None:
    found, month = aas.shells(opened), Period.parse("2025-01")
    booked = inventory.read(opened, month, "iso_14064_1_2018", "location", "shop")
    kilograms, pieces, told = footprint(found, "plant_small")
    assert kilograms * 1000 == booked.total_gco2e
    assert pieces == 250.0
    assert told["Period"] == "2025-01"
    assert abs(Decimal(told["PerPiece_kgCO2e"]) * 250 - kilograms) <= Decimal("0.125")  # half a gram a piece
    assert int(told["Scope1_gCO2e"]) + int(told["Scope2_gCO2e"]) == booked.total_gco2e
    assert told["Evidence1"].startswith("https://carbon.example.com/v1/explain/paint@2025-01")
    assert told["EvidencePage2"] == "https://carbon.example.com/why?figure=utilities@2025-01"
    shops = {line.key: line.emissions_gco2e for line in booked.lines}
    for shop in ("paint", "utilities"):
        assert footprint(found, f"shop_{shop}")[0] * 1000 == shops[shop]
    # all the paint shop burns is the gas of its one line, so the line's meters give what was booked for the shop
    assert footprint(found, "line_booth_1")[0] == footprint(found, "shop_paint")[0]
    assert footprint(found, "station_booth_1")[0] == footprint(found, "line_booth_1")[0]


def test_the_tree_leads_from_the_plant_to_its_machines(opened: Context) -> None:
    found = aas.shells(opened)
    tree = views.value(submodel(found, "plant_small", "HierarchicalStructures"))
    paint = tree["EntryNode"]["statements"]["shop_paint"]["statements"]
    machine = paint["line_booth_1"]["statements"]["station_booth_1"]
    assert machine["globalAssetId"] == "urn:zerofactory:small/stations/booth-1"
    assert paint["HasPart_line_booth_1"]["second"]["keys"][-1]["value"] == "line_booth_1"
    up = views.value(submodel(found, "asset_chiller_1", "HierarchicalStructures"))
    assert up["ArcheType"] == "OneUp"
    assert up["EntryNode"]["statements"]["shop_utilities"]["globalAssetId"] == "urn:zerofactory:small/shops/utilities"
    assets = {one["assetInformation"]["globalAssetId"] for one in found.environment.shells}
    assert {machine["globalAssetId"], "urn:zerofactory:small/plant"} <= assets


def test_a_name_plate_tells_what_was_stated_and_nothing_else(opened: Context) -> None:
    found = aas.shells(opened)
    oven = views.value(submodel(found, "station_oven", "Nameplate"))
    assert oven["ManufacturerName"] == [{"zh": "烘房厂"}, {"en": "Oven Works"}]
    assert oven["YearOfConstruction"] == "2019"
    assert oven["AddressInformation"]["CityTown"] == [{"zh": "上海"}, {"en": "Shanghai"}]
    bare = views.value(submodel(found, "plant_small", "Nameplate"))
    assert bare == {
        "URIOfTheProduct": "urn:zerofactory:small/plant", "ManufacturerName": [], "ManufacturerProductDesignation": [],
        "OrderCodeOfManufacturer": None,
    }  # fmt: skip
    told = [one for one in found.problems if one.code == "shells.nameplate"]
    assert [one.severity for one in told] == ["warning"]
    assert "4 name plates lack manufacturer" in told[0].message.en
    assert 'of = "plant"' in told[0].hint.en


def test_the_twin_is_told_with_its_ports(opened: Context) -> None:
    ports = views.at(submodel(aas.shells(opened), "plant_small", "SimulationModels"), "SimulationModel.Ports") or {}
    told = views.value(ports)
    booth = told["PortsConnector_booth_1"]
    assert booth["Variable_cycle"]["Range"] == "{60}"
    assert booth["Variable_cycle"]["UnitList"] == "s"
    assert {name for name in told if name.startswith("PortsConnector_")} == {
        one["idShort"] for one in views.children(ports)
    }


def test_one_shell_alone(opened: Context) -> None:
    told = json.loads(aas.content(opened, ".json", "station/oven"))
    assert [one["idShort"] for one in told["assetAdministrationShells"]] == ["station_oven"]
    assert {one["idShort"] for one in told["submodels"]} == {"Nameplate", "HierarchicalStructures", "SimulationModels"}
    with pytest.raises(NotFound) as caught:
        aas.content(opened, ".json", "station/ovn")
    assert "station/oven" in caught.value.as_problem().hint.en
    with pytest.raises(NotFound):
        aas.content(opened, ".xml")


def test_own_ids_begin_where_the_plant_says(plant: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    for name in ("factory.toml", "book.db", "twin.toml"):
        (folder / name).write_bytes((plant / name).read_bytes())
    for name in ("series", "evidence"):
        subprocess.run(["cp", "-r", str(plant / name), str(folder)], check=True)
    (folder / "shells.toml").write_text('iri = "https://id.example.com/sh1/"', encoding="utf-8")
    found = aas.shells(plant_with_shells.context(folder))
    assert found.environment.shells[0]["id"] == "https://id.example.com/sh1/plant/aas"
    (folder / "twin.toml").unlink()
    kinds = {place.key.kind for place in aas.shells(plant_with_shells.context(folder)).facts.places}
    assert kinds == {"plant", "shop", "line", "asset"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("iri = ", ["shells_file.unreadable"]),
        ('iri = "no iri"\naddress = "ftp://x"', ["shells_file.iri", "shells_file.address"]),
        ('colour = "red"', ["shells_file.extra_forbidden"]),
        ('[[nameplates]]\nof = "line/booth-9"', ["name.not_found"]),
        ('[[nameplates]]\nof = "plant"\n[[nameplates]]\nof = "plant"', ["shells_file.twice"]),
        ('[[nameplates]]\nof = "plant"\ncountry_of_origin = "China"', ["shells_file.string_pattern_mismatch"]),
    ],
)
def test_faults_of_the_file_are_named(plant: Path, tmp_path: Path, text: str, codes: list[str]) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    for name in ("factory.toml", "book.db", "twin.toml"):
        (folder / name).write_bytes((plant / name).read_bytes())
    (folder / "shells.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        read(plant_with_shells.context(folder), [Key("plant", "small"), Key("line", "booth-1")])
    assert [one.file for one in caught.value.problems] == ["shells.toml"] * len(codes)
    assert [one.code for one in caught.value.problems] == codes
