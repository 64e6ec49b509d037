"""PACT: the form agrees with the published OpenAPI, published payloads parse, faults have their path, a round trip loses nothing."""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from zerofactory.reporting.exchange import pact, pact_model, pact_terms, pact_v2
from zerofactory.reporting.exchange.pact_faults import path_text

DATA = Path(os.environ.get("ZF_DATA", str(Path(__file__).resolve().parents[3] / "shared" / "data"))) / "interop"
WHOLE: dict[str, Any] = {
    "id": "f4b1225a-bd44-4c8e-861d-079e4e1dfd69",
    "specVersion": "3.0.0",
    "created": "2024-10-31T00:00:00Z",
    "status": "Active",
    "companyName": "Company 1",
    "companyIds": ["urn:company:example:company1"],
    "productDescription": "Cold-rolled coil",
    "productIds": ["urn:gtin:4712345060507"],
    "productNameCompany": "Coil",
    "pcf": {
        "declaredUnitOfMeasurement": "kilogram",
        "declaredUnitAmount": "1",
        "productMassPerDeclaredUnit": "1",
        "referencePeriodStart": "2024-01-01T00:00:00+00:00",
        "referencePeriodEnd": "2024-12-31T00:00:00Z",
        "pcfExcludingBiogenicUptake": "2.10",
        "pcfIncludingBiogenicUptake": "2.10",
        "fossilCarbonContent": "0",
        "fossilGhgEmissions": "2.10",
        "ipccCharacterizationFactors": ["AR6"],
        "crossSectoralStandards": ["ISO14067", "PACT-3.0"],
        "exemptedEmissionsPercent": "0.0",
    },
}


def stored(name: str) -> str:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not here (folder in ZF_DATA)")
    return path.read_text(encoding="utf-8")


def reading(value: Any) -> tuple[list[pact.Entry], list[tuple[str, str, str | None]]]:
    entries, problems = pact.read(json.dumps(value).encode(), "pf.json")
    return entries, [(problem.severity, problem.code, problem.column) for problem in problems]


def changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(WHOLE)
    *steps, last = path.split(".")
    place = made
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made


FORMS = {
    "ProductFootprint": pact_model.ProductFootprint,
    "CarbonFootprint": pact_model.CarbonFootprint,
    "DataModelExtension": pact_model.Extension,
    "ProductOrSectorSpecificRule": pact_model.SpecificRule,
    "EmissionFactorSource": pact_model.FactorSource,
    "DataQualityIndicators": pact_model.QualityIndicators,
    "Verification": pact_model.Verification,
}


@pytest.mark.parametrize("name", FORMS)
def test_keys_and_required_keys_are_those_of_the_published_document(name: str) -> None:
    schema = yaml.safe_load(stored("pact/openapi_v3_0.yaml"))["components"]["schemas"][name]
    fields = {field.alias: field for field in FORMS[name].model_fields.values()}
    assert set(fields) == set(schema["properties"])
    assert {key for key, field in fields.items() if field.is_required()} == set(schema.get("required", []))


@pytest.mark.parametrize(
    ("name", "form"), [("ProductFootprint", pact_v2.Footprint2), ("CarbonFootprint", pact_v2._Carbon2)]
)
def test_keys_of_two_are_those_of_the_published_document(name: str, form: type[BaseModel]) -> None:
    schema = yaml.safe_load(stored("pact/openapi_v2_3.yaml"))["components"]["schemas"][name]
    fields = {field.alias: field for field in form.model_fields.values()}
    assert set(fields) == set(schema["properties"])
    needed = {key for key, field in fields.items() if field.is_required()}
    assert needed <= set(schema["required"])


def test_words_are_those_of_the_published_document() -> None:
    schemas = yaml.safe_load(stored("pact/openapi_v3_0.yaml"))["components"]["schemas"]
    carbon = schemas["CarbonFootprint"]["properties"]
    assert set(carbon["declaredUnitOfMeasurement"]["enum"]) == set(pact_terms.DeclaredUnit.__args__)
    assert set(carbon["geographyRegionOrSubregion"]["enum"]) == set(pact_terms.Region.__args__)
    rules = schemas["ProductOrSectorSpecificRule"]["properties"]["operator"]["enum"]
    assert set(rules) == set(pact_terms.RuleOperator.__args__)


def test_the_examples_of_the_published_document_make_a_footprint() -> None:
    schemas = yaml.safe_load(stored("pact/openapi_v3_0.yaml"))["components"]["schemas"]
    made = copy.deepcopy(WHOLE)
    for name, place in (("ProductFootprint", made), ("CarbonFootprint", made["pcf"])):
        for key, entry in schemas[name]["properties"].items():
            examples = entry.get("examples")
            if examples and not key.startswith("geography"):
                place[key] = examples[0]
    made["precedingPfIds"] = ["079e425a-464f-528d-341d-4a944a1dfd70"]
    made["pcf"] |= {"ccsTechnologicalCO2CaptureIncluded": True, "referencePeriodStart": "2025-01-01T00:00:00Z"}
    made["pcf"]["productOrSectorSpecificRules"][1]["operator"] = "EPD International"
    entries, problems = reading(made)
    assert [problem for problem in problems if problem[0] == "error"] == []
    assert entries[0].footprint.as_json() == made


LACKING = {"fossilGhgEmissions": "77.0", "crossSectoralStandards": ["PACT-3.0"], "exemptedEmissionsPercent": "0"}


def test_the_payloads_of_the_conformance_cases_parse() -> None:
    """The published cases are shortened; what they leave out is named with its path, and completed they parse."""
    text = stored("pact/v3_test_cases_expected_results.md")
    seen = 0
    for block in re.findall(r"```\w*\n(\{.*?\n\})\n```", text, re.DOTALL):
        if '"pcf"' not in block:
            continue
        value = json.loads(block)
        entries, problems = reading(value)
        errors = [problem for problem in problems if problem[0] == "error"]
        assert {code for _, code, _ in errors} <= {"pact.missing_key", "pact.form"}
        listed = value["data"]["pfs"] if "pfs" in value["data"] else value["data"]
        for footprint in listed if isinstance(listed, list) else [listed]:
            footprint.setdefault("productNameCompany", "name")
            footprint["pcf"] = {**footprint["pcf"], **LACKING}
        entries, problems = reading(value)
        assert [problem for problem in problems if problem[0] == "error"] == []
        assert entries
        assert entries[0].footprint.pcf.pcf_excluding_biogenic_uptake == "77.0"
        seen += 1
    assert seen >= 3


def test_a_whole_published_sample_parses() -> None:
    """A footprint as the conformance service's own samples have it, with the operator's name beside the rule."""
    sample = changed("pcf.productOrSectorSpecificRules", [{"operator": "Other", "ruleNames": ["a rule, v.3"]}])
    sample["pcf"]["otherOperatorName"] = "TfS"
    sample["version"] = 1
    entries, problems = reading({"data": [sample]})
    assert entries[0].footprint.pcf.product_or_sector_specific_rules[0].other_operator_name == "TfS"  # type: ignore[index]
    assert {code for _, code, _ in problems} == {"pact.moved_key", "pact.removed_key"}
    assert len(entries[0].losses) == 2


@pytest.mark.parametrize(
    ("path", "value", "code", "column"),
    [
        ("colour", "red", "pact.unknown_key", "colour"),
        ("pcf.co2", "1", "pact.unknown_key", "pcf.co2"),
        ("version", 2, "pact.unknown_key", "version"),
        ("pcf.fossilGhgEmissions", ..., "pact.missing_key", "pcf.fossilGhgEmissions"),
        ("pcf", ..., "pact.missing_key", "pcf"),
        ("pcf.declaredUnitAmount", 1, "pact.wrong_type", "pcf.declaredUnitAmount"),
        ("pcf.declaredUnitAmount", "0", "pact.range", "pcf.declaredUnitAmount"),
        ("pcf.declaredUnitAmount", "-1", "pact.range", "pcf.declaredUnitAmount"),
        ("pcf.declaredUnitAmount", "1e3", "pact.decimal", "pcf.declaredUnitAmount"),
        ("pcf.declaredUnitAmount", "1,5", "pact.decimal", "pcf.declaredUnitAmount"),
        ("pcf.declaredUnitOfMeasurement", "kg", "pact.not_a_choice", "pcf.declaredUnitOfMeasurement"),
        ("pcf.productMassPerDeclaredUnit", "-3", "pact.range", "pcf.productMassPerDeclaredUnit"),
        ("pcf.biogenicCO2Uptake", "1", "pact.range", "pcf.biogenicCO2Uptake"),
        ("pcf.primaryDataShare", "101", "pact.range", "pcf.primaryDataShare"),
        ("pcf.referencePeriodEnd", "2023-12-31T00:00:00Z", "pact.period", "pcf"),
        ("pcf.referencePeriodEnd", "2024-12-31", "pact.moment", "pcf.referencePeriodEnd"),
        ("pcf.referencePeriodEnd", "2024-12-31T00:00:00+08:00", "pact.moment", "pcf.referencePeriodEnd"),
        ("pcf.referencePeriodEnd", "2024-02-30T00:00:00Z", "pact.moment", "pcf.referencePeriodEnd"),
        ("pcf.ipccCharacterizationFactors", [], "pact.wrong_type", "pcf.ipccCharacterizationFactors"),
        ("pcf.ipccCharacterizationFactors", ["AR6", "AR6"], "pact.repeated", "pcf"),
        ("pcf.ipccCharacterizationFactors", ["SAR"], "pact.form", "pcf.ipccCharacterizationFactors[0]"),
        ("pcf.geographyCountrySubdivision", "CN-上海", "pact.form", "pcf.geographyCountrySubdivision"),
        ("pcf.packagingGhgEmissions", "-1", "pact.range", "pcf.packagingGhgEmissions"),
        ("pcf.dqi", {"technologicalDQR": "6", "geographicalDQR": "1", "temporalDQR": "1"}, "pact.range", "pcf.dqi.technologicalDQR"),
        ("status", "active", "pact.not_a_choice", "status"),
        ("id", "1", "pact.form", "id"),
        ("companyIds", ["company1"], "pact.form", "companyIds[0]"),
        ("companyIds", [], "pact.wrong_type", "companyIds"),
        ("companyName", "", "pact.wrong_type", "companyName"),
        ("precedingPfIds", [WHOLE["id"]], "pact.preceding", None),
        ("validityPeriodEnd", "not a time", "pact.moment", "validityPeriodEnd"),
        ("specVersion", "4.0.0", "pact.version", "specVersion"),
        ("specVersion", "3", "pact.form", "specVersion"),
        ("extensions", [{"specVersion": "2.0.0", "dataSchema": "x"}], "pact.missing_key", "extensions[0].data"),
    ],
)  # fmt: skip
def test_each_fault_has_its_path(path: str, value: Any, code: str, column: str | None) -> None:
    entries, problems = reading(changed(path, value))
    assert entries == []
    assert ("error", code, column) in problems


def test_all_faults_are_told_together_in_both_languages() -> None:
    made = changed("colour", "red")
    del made["pcf"]["fossilGhgEmissions"]
    made["status"] = "old"
    _, problems = pact.read(json.dumps({"data": [WHOLE, made]}).encode(), "pf.json")
    assert {problem.column for problem in problems} == {
        "data[1].colour",
        "data[1].pcf.fossilGhgEmissions",
        "data[1].status",
    }
    for problem in problems:
        assert problem.file == "pf.json"
        assert problem.message.zh
        assert problem.message.en
        assert problem.hint.zh


def test_exclusive_places_and_periods() -> None:
    made = changed("pcf.geographyCountry", "DE")
    made["pcf"]["geographyRegionOrSubregion"] = "Europe"
    assert reading(made)[1] == [("error", "pact.geography", "pcf")]
    made = changed("validityPeriodStart", "2026-01-01T00:00:00Z")
    made["validityPeriodEnd"] = "2025-01-01T00:00:00Z"
    assert reading(made)[1] == [("error", "pact.validity", None)]
    made = changed("pcf.packagingEmissionsIncluded", False)
    made["pcf"]["packagingGhgEmissions"] = "1"
    assert reading(made)[1] == [("error", "pact.packaging", "pcf")]
    made = changed("pcf.ccsTechnologicalCO2CaptureIncluded", False)
    made["pcf"]["technologicalCO2Removals"] = "-1"
    assert reading(made)[1] == [("error", "pact.capture", "pcf")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "pact.not_json"),
        (b"\xff\xfe", "pact.not_json"),
        (b"[" * 100_000, "pact.not_json"),
        (b'{"id": NaN}', "pact.not_json"),
        (b'{"id": "1", "id": "2"}', "pact.not_json"),
        (b"[]", "pact.nothing"),
        (b"3", "pact.nothing"),
        (b'{"data": {"pfs": []}}', "pact.nothing"),
        (b'{"data": [3]}', "pact.wrong_type"),
    ],
)
def test_what_is_no_footprint(content: bytes, code: str) -> None:
    entries, problems = pact.read(content)
    assert entries == []
    assert [problem.code for problem in problems] == [code]


def test_doubts_are_warnings() -> None:
    made = changed("pcf.fossilGhgEmissions", "1.0")
    made["validityPeriodStart"] = "2024-06-01T00:00:00Z"
    made["pcf"]["pcfIncludingBiogenicUptake"] = "1.0"
    made["comment"] = None
    entries, problems = reading(made)
    assert len(entries) == 1
    assert sorted(code for _, code, _ in problems) == ["pact.early", "pact.null", "pact.sum", "pact.sum"]
    assert {severity for severity, _, _ in problems} == {"warning"}


TWO: dict[str, Any] = {
    "id": "f4b1225a-bd44-4c8e-861d-079e4e1dfd69", "specVersion": "2.3.0", "version": 3, "created": "2024-10-31T00:00:00Z",
    "updated": "2024-11-30T00:00:00Z", "status": "Active", "statusComment": "new supplier", "comment": "c",
    "companyName": "Company 1", "companyIds": ["urn:company:example:company1"], "productDescription": "Ethanol",
    "productIds": ["urn:gtin:4712345060507"], "productCategoryCpc": "341", "productNameCompany": "Ethanol",
    "pcf": {
        "declaredUnit": "liter", "unitaryProductAmount": "12.5", "pCfExcludingBiogenic": "2.0", "fossilGhgEmissions": "1.5",
        "fossilCarbonContent": "0", "biogenicCarbonContent": "0.4", "dLucGhgEmissions": "0.3", "otherBiogenicGhgEmissions": "0.2",
        "biogenicCarbonWithdrawal": "-1.2", "packagingEmissionsIncluded": True, "packagingGhgEmissions": "0.1",
        "characterizationFactors": "AR5", "ipccCharacterizationFactorsSources": ["AR5"],
        "crossSectoralStandardsUsed": ["ISO Standard 14067"], "crossSectoralStandards": ["PEF"],
        "boundaryProcessesDescription": "b", "referencePeriodStart": "2023-01-01T00:00:00Z",
        "referencePeriodEnd": "2024-01-01T00:00:00Z", "exemptedEmissionsPercent": 1.5, "exemptedEmissionsDescription": "",
        "primaryDataShare": 56.12, "uncertaintyAssessmentDescription": "u",
        "dqi": {"coveragePercent": 100, "technologicalDQR": 2.0, "temporalDQR": 2.0, "geographicalDQR": 2.0, "completenessDQR": 2.0, "reliabilityDQR": 2.0},
        "assurance": {"assurance": True, "providerName": "My Auditor", "level": "limited", "coverage": "PCF system"},
    },
}  # fmt: skip


def test_two_becomes_three_with_every_loss_said() -> None:
    entries, problems = pact.read(json.dumps(TWO).encode())
    pcf = entries[0].footprint.pcf
    assert entries[0].spec_version == "2.3.0"
    assert (pcf.declared_unit_of_measurement, pcf.declared_unit_amount) == ("liter", "12.5")
    assert (pcf.pcf_excluding_biogenic_uptake, pcf.pcf_including_biogenic_uptake) == ("2.0", "0.8")
    assert (pcf.land_use_change_ghg_emissions, pcf.biogenic_non_co2_emissions, pcf.biogenic_co2_uptake) == (
        "0.3",
        "0.2",
        "-1.2",
    )
    assert pcf.cross_sectoral_standards == ["PEF", "ISO14067"]
    assert (pcf.primary_data_share, pcf.exempted_emissions_percent) == ("56.12", "1.5")
    assert entries[0].footprint.product_classifications == ["urn:pact:productclassification:un-cpc:341"]
    said = " ".join(loss.en for loss in entries[0].losses)
    for key in (
        "version",
        "updated",
        "statusComment",
        "dqi",
        "assurance.level",
        "assurance.coverage",
        "uncertaintyAssessmentDescription",
        "productMassPerDeclaredUnit",
    ):
        assert key in said
    assert [problem.code for problem in problems].count("pact.changed") == len(entries[0].losses)


def test_two_has_its_own_unknown_keys() -> None:
    made = copy.deepcopy(TWO)
    made["pcf"]["carbonFootprintTotalkg"] = 10.5
    entries, problems = reading(made)
    assert entries == []
    assert problems == [("error", "pact.unknown_key", "pcf.carbonFootprintTotalkg")]


DECIMALS = st.decimals(min_value=0, max_value=10**12, places=6, allow_nan=False).map(lambda d: format(d, "f"))
WORDS = st.text(min_size=1, max_size=20)
LIMITS = {"deadline": None, "max_examples": 60, "suppress_health_check": [HealthCheck.too_slow]}


@st.composite
def footprints(draw: st.DrawFn) -> dict[str, Any]:
    made = copy.deepcopy(WHOLE)
    pcf = made["pcf"]
    for name in ("comment", "productDescription"):
        made[name] = draw(st.text(max_size=40))
    made["productNameCompany"] = draw(WORDS)
    for name in ("landUseChangeGhgEmissions", "aircraftGhgEmissions", "biogenicCarbonContent", "fossilGhgEmissions"):
        if draw(st.booleans()):
            pcf[name] = draw(DECIMALS)
    if draw(st.booleans()):
        pcf["geographyCountry"] = "CN"
    if draw(st.booleans()):
        pcf["primaryDataShare"] = format(draw(st.decimals(0, 100, places=2)), "f")
    if draw(st.booleans()):
        data = draw(st.dictionaries(WORDS, st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6), max_size=4))  # fmt: skip
        made["extensions"] = [{"specVersion": "2.0.0", "dataSchema": "https://example.org/s.json", "data": data}]
    return made


@settings(**LIMITS)  # type: ignore[arg-type]
@given(st.lists(footprints(), min_size=1, max_size=3))
def test_a_round_trip_loses_nothing(values: list[dict[str, Any]]) -> None:
    for position, value in enumerate(values):
        value["id"] = f"f4b1225a-bd44-4c8e-861d-{position:012d}"
    entries, problems = pact.read(json.dumps({"data": values}).encode())
    assert [problem for problem in problems if problem.severity == "error"] == []
    written = pact.write([entry.footprint for entry in entries])
    again, _ = pact.read(written.encode())
    assert [entry.footprint for entry in again] == [entry.footprint for entry in entries]
    value = json.loads(written)
    assert (value["data"] if len(values) > 1 else [value]) == values


@pytest.mark.parametrize("edition", ["7.0.0", "9.0.0"])
def test_catena_x_is_refused_by_name(edition: str) -> None:
    entries, problems = reading(json.loads(stored(f"catena_x_pcf/{edition}/Pcf-example.json")))
    assert (entries, problems) == ([], [("error", "pact.catena_x", None)])


def test_paths_read_well() -> None:
    assert path_text(()) == ""
    assert path_text(("data", 0, "pcf")) == "data[0].pcf"
