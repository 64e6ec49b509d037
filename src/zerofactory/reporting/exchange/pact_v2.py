"""PACT 2.x payloads: their own form, and the same footprint in the terms of 3.0 with everything that changes said aloud.

Facts from the published OpenAPI document, version 2.3. What 3.0 has no place for is named with its value; the file itself is
kept as evidence by whoever imports it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from zerofactory.errors import Text
from zerofactory.reporting.exchange.pact_model import (
    NOT_EMPTY,
    Extension,
    FactorSource,
    Name,
    SpecificRule,
    _Form,
    key_of,
)
from zerofactory.reporting.exchange.pact_terms import (
    Country,
    Decimals,
    DeclaredUnit2,
    Gwp,
    Instant,
    NotNegative,
    NotPositive,
    Positive,
    Region,
    SpecVersion,
    Status,
    Subdivision,
    Urn,
    Uuid,
)

Share = Annotated[float, Field(ge=0, le=100)]
Rating2 = Annotated[float, Field(ge=1, le=3)]
_STANDARDS = {
    "GHG Protocol Product standard": "GHGP-Product",
    "ISO Standard 14067": "ISO14067",
    "ISO Standard 14044": "ISO14040-44",
}
_RENAMED = {
    "declaredUnit": "declaredUnitOfMeasurement",
    "unitaryProductAmount": "declaredUnitAmount",
    "pCfExcludingBiogenic": "pcfExcludingBiogenicUptake",
    "pCfIncludingBiogenic": "pcfIncludingBiogenicUptake",
    "dLucGhgEmissions": "landUseChangeGhgEmissions",
    "iLucGhgEmissions": "landCarbonLeakage",
    "landManagementGhgEmissions": "landManagementBiogenicCO2Emissions",
    "otherBiogenicGhgEmissions": "biogenicNonCO2Emissions",
    "biogenicCarbonWithdrawal": "biogenicCO2Uptake",
}
_CHANGED_MEANING = ("pCfExcludingBiogenic", "landManagementGhgEmissions", "otherBiogenicGhgEmissions")
_DROPPED = (
    "characterizationFactors", "crossSectoralStandardsUsed", "biogenicAccountingMethodology",
    "uncertaintyAssessmentDescription", "ipccCharacterizationFactorsSources", "primaryDataShare",
    "exemptedEmissionsPercent", "dqi", "assurance", "crossSectoralStandards",
)  # fmt: skip
_MASSLESS = ("kilowatt hour", "megajoule", "ton kilometer")


def _key2(name: str) -> str:
    special = {
        "pcf_excluding_biogenic": "pCfExcludingBiogenic", "pcf_including_biogenic": "pCfIncludingBiogenic",
        "dluc_ghg_emissions": "dLucGhgEmissions", "iluc_ghg_emissions": "iLucGhgEmissions",
    }  # fmt: skip
    return special.get(name) or key_of(name)


class _Form2(_Form):
    model_config = ConfigDict(alias_generator=_key2)


class _Quality2(_Form2):
    coverage_percent: Share
    technological_dqr: Rating2 | None = None
    temporal_dqr: Rating2 | None = None
    geographical_dqr: Rating2 | None = None
    completeness_dqr: Rating2 | None = None
    reliability_dqr: Rating2 | None = None


class _Assurance2(_Form2):
    assurance: bool
    coverage: Literal["corporate level", "product line", "PCF system", "product level"] | None = None
    level: Literal["limited", "reasonable"] | None = None
    boundary: Literal["Gate-to-Gate", "Cradle-to-Gate"] | None = None
    provider_name: str
    completed_at: Instant | None = None
    standard_name: str | None = None
    comments: str | None = None


class _Carbon2(_Form2):
    declared_unit: DeclaredUnit2
    unitary_product_amount: Positive
    product_mass_per_declared_unit: NotNegative | None = None
    pcf_excluding_biogenic: NotNegative
    pcf_including_biogenic: Decimals | None = None
    fossil_ghg_emissions: NotNegative
    fossil_carbon_content: NotNegative
    biogenic_carbon_content: NotNegative
    dluc_ghg_emissions: NotNegative | None = None
    land_management_ghg_emissions: NotNegative | None = None
    other_biogenic_ghg_emissions: NotNegative | None = None
    iluc_ghg_emissions: NotNegative | None = None
    biogenic_carbon_withdrawal: NotPositive | None = None
    aircraft_ghg_emissions: NotNegative | None = None
    packaging_emissions_included: bool
    packaging_ghg_emissions: NotNegative | None = None
    characterization_factors: Literal["AR6", "AR5"]
    ipcc_characterization_factors_sources: Annotated[list[Gwp], NOT_EMPTY] | None = None
    cross_sectoral_standards_used: list[
        Literal["GHG Protocol Product standard", "ISO Standard 14067", "ISO Standard 14044"]
    ]
    cross_sectoral_standards: Annotated[list[Name], NOT_EMPTY] | None = None
    product_or_sector_specific_rules: Annotated[list[SpecificRule], NOT_EMPTY] | None = None
    biogenic_accounting_methodology: Literal["PEF", "ISO", "GHGP", "Quantis"] | None = None
    boundary_processes_description: str
    reference_period_start: Instant
    reference_period_end: Instant
    geography_region_or_subregion: Region | None = None
    geography_country: Country | None = None
    geography_country_subdivision: Subdivision | None = None
    secondary_emission_factor_sources: Annotated[list[FactorSource], NOT_EMPTY] | None = None
    exempted_emissions_percent: Share
    exempted_emissions_description: str
    allocation_rules_description: str | None = None
    uncertainty_assessment_description: str | None = None
    primary_data_share: Share | None = None
    dqi: _Quality2 | None = None
    assurance: _Assurance2 | None = None


class Footprint2(_Form2):
    """One footprint as PACT 2.x writes it."""

    id: Uuid
    spec_version: SpecVersion
    preceding_pf_ids: Annotated[list[Uuid], NOT_EMPTY] | None = None
    version: Annotated[int, Field(ge=0)]
    created: Instant
    updated: Instant | None = None
    status: Status
    status_comment: str | None = None
    validity_period_start: Instant | None = None
    validity_period_end: Instant | None = None
    company_name: Name
    company_ids: Annotated[list[Urn], NOT_EMPTY]
    product_description: str
    product_ids: Annotated[list[Urn], NOT_EMPTY]
    product_classifications: Annotated[list[Urn], NOT_EMPTY] | None = None
    product_category_cpc: Name
    product_name_company: Name
    comment: str
    pcf: _Carbon2
    extensions: list[Extension] | None = None


def upgraded(footprint: Footprint2) -> tuple[dict[str, Any], list[Text]]:
    """Return the footprint as a 3.0 object (still to be validated) and what changed or was lost on the way."""
    given = footprint.model_dump(by_alias=True, exclude_unset=True)
    carbon = given.pop("pcf")
    losses = [_lost("specVersion", given["specVersion"], "现按 3.0.0 表述", "now in the terms of 3.0.0")]
    for name in ("version", "updated"):
        if name in given:
            losses.append(_lost(name, given.pop(name), "3.0 已取消", "3.0 has no such key"))
    if "statusComment" in given:
        said = given.pop("statusComment")
        given["comment"] = f"{given['comment']}\n{said}".strip()
        losses.append(_lost("statusComment", said, "已并入 comment", "joined to comment"))
    code = f"urn:pact:productclassification:un-cpc:{given.pop('productCategoryCpc').replace(' ', '')}"
    classes = given.get("productClassifications", [])
    made = {**given, "specVersion": "3.0.0", "productClassifications": [*classes, *([] if code in classes else [code])]}
    made["pcf"] = _carbon(carbon, losses)
    return made, losses


def _carbon(old: dict[str, Any], losses: list[Text]) -> dict[str, Any]:
    new = {_RENAMED.get(key, key): value for key, value in old.items() if key not in _DROPPED}
    for key in _CHANGED_MEANING:
        if key in old:
            losses.append(
                _lost(
                    key,
                    old[key],
                    f"改为 {_RENAMED[key]}, 两版定义略有不同",
                    f"now {_RENAMED[key]}; the two versions define it a little differently",
                )
            )
    if "pcfIncludingBiogenicUptake" not in new:
        new["pcfIncludingBiogenicUptake"] = _with_uptake(new)
        losses.append(
            _lost(
                "pCfIncludingBiogenic",
                None,
                "原件未给, 以不含值加生物吸收得出",
                "not given; made from the value without it and the uptake",
            )
        )
    if "productMassPerDeclaredUnit" not in new:
        new["productMassPerDeclaredUnit"] = _mass(new, losses)
    new["ipccCharacterizationFactors"] = old.get("ipccCharacterizationFactorsSources") or [
        old["characterizationFactors"]
    ]
    if old["characterizationFactors"] not in new["ipccCharacterizationFactors"]:
        losses.append(
            _lost(
                "characterizationFactors",
                old["characterizationFactors"],
                "未列入来源清单",
                "not among the sources listed",
            )
        )
    used = [_STANDARDS[name] for name in old["crossSectoralStandardsUsed"]]
    new["crossSectoralStandards"] = list(dict.fromkeys([*old.get("crossSectoralStandards", []), *used]))
    new["exemptedEmissionsPercent"] = plain(old["exemptedEmissionsPercent"])
    if "primaryDataShare" in old:
        new["primaryDataShare"] = plain(old["primaryDataShare"])
    for key in ("biogenicAccountingMethodology", "uncertaintyAssessmentDescription"):
        if key in old:
            losses.append(_lost(key, old[key], "3.0 已取消", "3.0 has no such key"))
    if "dqi" in old:
        losses.append(
            _lost(
                "dqi",
                old["dqi"],
                "2.x 为 1–3 分, 3.0 为 1–5 分, 不可换算",
                "2.x rates from 1 to 3, 3.0 from 1 to 5; they cannot be converted",
            )
        )
    if "assurance" in old:
        _verified(old["assurance"], new, losses)
    return new


def _with_uptake(new: dict[str, Any]) -> str:
    return str(Decimal(new["pcfExcludingBiogenicUptake"]) + Decimal(new.get("biogenicCO2Uptake", "0")))


def _mass(new: dict[str, Any], losses: list[Text]) -> str:
    unit = new["declaredUnitOfMeasurement"]
    if unit == "kilogram":
        return str(new["declaredUnitAmount"])
    if unit not in _MASSLESS:
        losses.append(
            _lost(
                "productMassPerDeclaredUnit",
                None,
                "原件未给, 写作 0(不可按质量换算)",
                "not given; written as 0 (no conversion by mass)",
            )
        )
    return "0"


def _verified(old: dict[str, Any], new: dict[str, Any], losses: list[Text]) -> None:
    if not old["assurance"]:
        losses.append(
            _lost("assurance", old, "未经核验, 3.0 不写 verification", "not assured; 3.0 leaves verification out")
        )
        return
    kept: dict[str, Any] = {
        key: old[key] for key in ("providerName", "completedAt", "standardName", "comments") if key in old
    }
    if old.get("coverage") == "product level":
        kept["coverage"] = "product level"
    new["verification"] = kept
    for key in ("coverage", "level", "boundary"):
        if key in old and key not in kept:
            losses.append(_lost(f"assurance.{key}", old[key], "3.0 无对应项", "3.0 has no counterpart"))


def plain(number: float) -> str:
    """Return a number as PACT's decimal text, without an exponent.

    Examples
    --------
    >>> plain(56.12), plain(0), plain(1e-7)
    ('56.12', '0', '0.0000001')
    """
    return format(Decimal(repr(number)), "f")


def _lost(key: str, value: object, zh: str, en: str) -> Text:
    shown = "" if value is None else f" = {value}"
    return Text(f"{key}{shown}: {zh}。", f"{key}{shown}: {en}.")
