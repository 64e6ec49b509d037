"""AAS: what is written reads back the same as JSON and as AASX, under the template's own semantic ids."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zerofactory.reporting.exchange import aas, aas_model
from zerofactory.reporting.exchange.aas_model import AasCarbon, AasFile, AasFootprint, AasSpecific, irdi_of, labels
from zerofactory.reporting.exchange.supplier import boundary_of

DATA = Path(os.environ.get("ZF_DATA", str(Path(__file__).resolve().parents[3] / "shared" / "data"))) / "interop" / "aas"
TEMPLATE = DATA / "IDTA_02023-1-0-1_Template_CarbonFootprint"
LIMITS = {"deadline": None, "max_examples": 30, "suppress_health_check": [HealthCheck.too_slow]}
XML_SAFE = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1, max_size=30).filter(str.strip)
MOMENTS = st.datetimes().filter(lambda m: m.year >= 1990).map(lambda m: m.replace(microsecond=0).isoformat() + "Z")
FOOTPRINTS = st.builds(
    AasFootprint,
    methods=st.lists(st.sampled_from(labels("method")), min_size=1, max_size=3).map(tuple),
    co2eq=st.decimals(-(10**9), 10**9, places=4).map(lambda d: format(d, "f")),
    unit=st.sampled_from(labels("unit")),
    quantity=st.floats(1e-3, 1e9).map(repr).filter(lambda text: "e" not in text),
    phases=st.lists(st.sampled_from(labels("phase")), min_size=1, max_size=4, unique=True).map(tuple),
    published=MOMENTS,
    expires=st.none() | MOMENTS,
    statement=st.none() | st.just(AasFile("https://example.org/statement.pdf", "application/pdf")),
    address=st.just((("Street", "中山路 1"), ("CityTown", "上海"))) | st.just(()),
)
SPECIFICS = st.builds(
    AasSpecific,
    methods=st.just(("PACT v3.0.0",)),
    operator=XML_SAFE,
    rule=XML_SAFE,
    version=st.none() | XML_SAFE,
    online=st.none() | st.just(AasFile("https://example.org/rule", "text/html")),
    endpoint=st.none(),
    query=st.none(),
    information=XML_SAFE.map(lambda text: (("Content", text),)),
)
CARBONS = st.builds(
    AasCarbon,
    submodel_id=st.just("urn:uuid:submodel"),
    shell_id=st.just("urn:uuid:shell"),
    asset_id=st.just("urn:uuid:asset"),
    footprints=st.lists(FOOTPRINTS, min_size=1, max_size=3).map(tuple),
    specifics=st.lists(SPECIFICS, max_size=2).map(tuple),
)
ONE = AasCarbon(
    "urn:uuid:submodel", "urn:uuid:shell", "urn:uuid:asset",
    (AasFootprint(("ISO 14067",), "12.50", "piece", "1.0", ("A1-A3",), "2026-01-15T00:00:00Z"),),
)  # fmt: skip


def template(suffix: str) -> bytes:
    path = TEMPLATE.with_name(TEMPLATE.name + suffix)
    if not path.is_file():
        pytest.skip(f"{path.name} is not here (folder in ZF_DATA)")
    return path.read_bytes()


@settings(**LIMITS)  # type: ignore[arg-type]
@given(CARBONS)
def test_json_there_and_back(carbon: AasCarbon) -> None:
    assert aas.read(aas.write_json(carbon).encode()) == (carbon, [])


@settings(**(LIMITS | {"max_examples": 8}))  # type: ignore[arg-type]
@given(CARBONS)
def test_package_there_and_back(tmp_path_factory: pytest.TempPathFactory, carbon: AasCarbon) -> None:
    path = tmp_path_factory.mktemp("aas") / "x.aasx"
    aas.write_aasx(carbon, path)
    assert aas.read(path.read_bytes()) == (carbon, [])


def test_a_file_inside_the_package_comes_along(tmp_path: Path) -> None:
    statement = AasFile("/aasx/files/statement.pdf", "application/pdf", b"%PDF")
    footprint = AasFootprint(("ISO 14067",), "1", "kg", "2.0", ("A1-A3",), "2026-01-15T00:00:00Z", statement=statement)
    carbon = AasCarbon("urn:a", "urn:b", "urn:c", (footprint,))
    aas.write_aasx(carbon, tmp_path / "x.aasx")
    assert aas.read((tmp_path / "x.aasx").read_bytes()) == (carbon, [])


def _semantics(element: dict[str, Any]) -> set[str]:
    found = {key["value"] for key in element.get("semanticId", {}).get("keys", [])}
    children = element.get("submodelElements") or (element["value"] if isinstance(element.get("value"), list) else [])
    for child in children:
        found |= _semantics(child)
    return found


def test_semantic_ids_are_those_of_the_template() -> None:
    theirs = _semantics(json.loads(template(".json"))["submodels"][0])
    full = AasCarbon(
        "urn:a", "urn:b", "urn:c",
        (AasFootprint(("ISO 14067",), "1", "kg", "1.0", ("A1-A3",), "2026-01-15T00:00:00Z", "2027-01-15T00:00:00Z",
                      AasFile("https://x/y.pdf", "application/pdf"), (("Street", "x"),)),),
        (AasSpecific(("ISO 14067",), "o", "r", "1", AasFile("https://x", "text/html"), "https://x", "q", (("a", "b"),)),),
    )  # fmt: skip
    assert _semantics(json.loads(aas.write_json(full))["submodels"][0]) == theirs


def test_value_lists_are_those_of_the_template() -> None:
    concepts = json.loads(template(".json"))["conceptDescriptions"]
    lists = {"method": "0173-1#02-ABG854#003", "unit": "0173-1#02-ABG856#003", "phase": "0173-1#02-ABG858#003"}
    for kind, concept_id in lists.items():
        concept = next(entry for entry in concepts if entry["id"] == concept_id)
        content = concept["embeddedDataSpecifications"][0]["dataSpecificationContent"]
        pairs = content["valueList"]["valueReferencePairs"]
        theirs = {pair["value"]: pair["valueId"]["keys"][0]["value"].strip() for pair in pairs}
        assert {label: irdi_of(kind, label) for label in labels(kind)} == theirs


@pytest.mark.parametrize("suffix", [".json", ".aasx"])
def test_the_template_itself_is_no_footprint(suffix: str) -> None:
    carbon, problems = aas.read(template(suffix))
    assert carbon is None
    assert [problem.code for problem in problems] == ["aas.template"]


def test_the_template_filled_in_reads() -> None:
    value = json.loads(template(".json"))
    submodel = value["submodels"][0]
    submodel["kind"] = "Instance"
    missing, problems = aas.read(json.dumps(value).encode())
    assert missing is None
    assert "ProductCarbonFootprints[0].PcfCO2eq" in {problem.column for problem in problems}
    submodel["submodelElements"] = submodel["submodelElements"][:1]
    filled = {"PcfCO2eq": "17.2", "ReferenceImpactUnitForCalculation": "0173-1#07-ABZ603#003", "QuantityOfMeasureForCalculation": "5.0", "PublicationDate": "2022-03-30T00:00:00Z"}  # fmt: skip
    for element in submodel["submodelElements"][0]["value"][0]["value"]:
        if element["idShort"] in filled:
            element["value"] = filled[element["idShort"]]
        elif element["idShort"] == "PcfCalculationMethods":
            element["value"][0]["value"] = "0173-1#07-ABU218#003"
        elif element["idShort"] == "LifeCyclePhases":
            element["value"][0]["value"] = "A1-A3"
    carbon, problems = aas.read(json.dumps(value).encode())
    assert problems == []
    assert carbon is not None
    one = carbon.footprints[0]
    assert (one.co2eq, one.unit, one.quantity, one.methods) == ("17.2", "piece", "5.0", ("ISO 14067",))
    assert boundary_of(one) == "cradle_to_gate"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "aas.unreadable"),
        (b"PK\x03\x04 broken", "aas.unreadable"),
        (b"{}", "aas.no_submodel"),
        (aas.write_json(ONE).replace('"piece"', '"dozen"').encode(), "aas.unit"),
        (aas.write_json(ONE).replace('"12.50"', '"NaN"').encode(), "aas.number"),
        (aas.write_json(ONE).replace('"1.0"', '"-1.0"').encode(), "aas.number"),
        (aas.write_json(ONE).replace(aas_model.PUBLISHED, "https://example.org/other").encode(), "aas.missing"),
    ],
)
def test_faults(content: bytes, code: str) -> None:
    carbon, problems = aas.read(content, "x.json")
    assert carbon is None
    assert code in {problem.code for problem in problems}
    assert all(problem.file == "x.json" and problem.message.zh and problem.message.en for problem in problems)


def test_what_the_template_does_not_know_is_said() -> None:
    value = json.loads(aas.write_json(ONE))
    value["submodels"][0]["submodelElements"].append({"idShort": "Colour", "modelType": "Property", "valueType": "xs:string", "value": "red"})  # fmt: skip
    carbon, problems = aas.read(json.dumps(value).encode())
    assert carbon == ONE
    assert [(p.code, p.severity, p.column) for p in problems] == [
        ("aas.unknown_element", "warning", "CarbonFootprint.Colour")
    ]


@pytest.mark.parametrize("place", ["_rels/.rels", "aasx/data.xml"])
@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
        "<not xml",
    ],
)
def test_hostile_xml_in_a_package_is_refused(place: str, content: str) -> None:
    relation = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r"'
        ' Type="http://admin-shell.io/aasx/relationships/{}" Target="{}"/></Relationships>'
    )
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    parts = {
        "[Content_Types].xml": types,
        "_rels/.rels": relation.format("aasx-origin", "/aasx/aasx-origin"),
        "aasx/aasx-origin": "x",
        "aasx/_rels/aasx-origin.rels": relation.format("aas-spec", "/aasx/data.xml"),
        "aasx/data.xml": '<environment xmlns="https://admin-shell.io/aas/3/0"/>',
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in (parts | {place: content}).items():
            archive.writestr(name, part)
    carbon, problems = aas.read(stream.getvalue(), "x.aasx")
    assert carbon is None
    assert {problem.code for problem in problems} == {"aas.unreadable"}
