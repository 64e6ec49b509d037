"""ProductFootprint of PACT 3.0 as a form: required keys, types, ranges and what must hold between keys. Unknown keys are refused.

Written from the facts of the published OpenAPI document, version 3.0 (see `pact_terms`); the words are ours.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from zerofactory.reporting.exchange.pact_terms import (
    Country,
    Decimals,
    DeclaredUnit,
    Gwp,
    Instant,
    NotNegative,
    NotPositive,
    Percent,
    Positive,
    Rating,
    Region,
    RuleOperator,
    SpecVersion,
    Status,
    Subdivision,
    Uri,
    Urn,
    Uuid,
    complain,
    moment,
)

Name = Annotated[str, StringConstraints(min_length=1)]
NOT_EMPTY = Field(min_length=1)
CAPTURE = ("ccs_technological_co2_capture", "technological_co2_removals", "technological_co2_capture_origin")


def key_of(name: str) -> str:
    """Return the key as PACT writes it.

    Examples
    --------
    >>> key_of("biogenic_non_co2_emissions"), key_of("technological_dqr"), key_of("pcf_excluding_biogenic_uptake")
    ('biogenicNonCO2Emissions', 'technologicalDQR', 'pcfExcludingBiogenicUptake')
    """
    return to_camel(name).replace("Co2", "CO2").replace("Dqr", "DQR")


class _Form(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, alias_generator=key_of, populate_by_name=False
    )

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, value: Any) -> Any:
        """An absent value is left out in PACT, never null: a null would be lost on the way."""
        if isinstance(value, dict):
            empty = [key for key, entry in value.items() if entry is None]
            if empty:
                listed = ", ".join(str(key) for key in empty)
                raise complain("null", f"{listed} 不能为 null, 没有就不写", f"{listed} must not be null; leave it out")
        return value


def distinct(values: list[Any], name: str) -> None:
    """Raise the error of a repeated entry in a list that is a set."""
    if any(values.index(value) != position for position, value in enumerate(values)):
        raise complain("repeated", f"{name} 有重复项", f"{name} repeats an entry")


class Extension(_Form):
    """A data model extension: any JSON object under a schema of its own."""

    spec_version: str
    data_schema: Uri
    documentation: Uri | None = None
    data: dict[str, Any]


class SpecificRule(_Form):
    """Rules of one operator for a product or a sector."""

    operator: RuleOperator
    rule_names: Annotated[list[Name], NOT_EMPTY]
    other_operator_name: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        distinct(self.rule_names, "ruleNames")
        return self


class FactorSource(_Form):
    """A database of secondary emission factors."""

    name: Name
    version: Name


class QualityIndicators(_Form):
    """Data quality ratings from 1 to 5."""

    technological_dqr: Rating
    geographical_dqr: Rating
    temporal_dqr: Rating


class Verification(_Form):
    """What a third party verified."""

    coverage: Literal["PCF calculation model", "PCF program", "product level"] | None = None
    provider_name: str | None = None
    completed_at: Instant | None = None
    standard_name: str | None = None
    comments: str | None = None


class CarbonFootprint(_Form):
    """The figures of one product, in kgCO2e per declared unit where nothing else is said."""

    declared_unit_of_measurement: DeclaredUnit
    declared_unit_amount: Positive
    product_mass_per_declared_unit: NotNegative
    reference_period_start: Instant
    reference_period_end: Instant
    geography_region_or_subregion: Region | None = None
    geography_country: Country | None = None
    geography_country_subdivision: Subdivision | None = None
    boundary_processes_description: str | None = None
    pcf_excluding_biogenic_uptake: Decimals
    pcf_including_biogenic_uptake: Decimals
    fossil_carbon_content: NotNegative
    biogenic_carbon_content: NotNegative | None = None
    recycled_carbon_content: NotNegative | None = None
    fossil_ghg_emissions: NotNegative
    land_use_change_ghg_emissions: NotNegative | None = None
    land_carbon_leakage: NotNegative | None = None
    land_management_fossil_ghg_emissions: NotNegative | None = None
    land_management_biogenic_co2_emissions: NotNegative | None = None
    land_management_biogenic_co2_removals: NotPositive | None = None
    biogenic_co2_uptake: NotPositive | None = None
    biogenic_non_co2_emissions: NotNegative | None = None
    land_area_occupation: NotNegative | None = None
    aircraft_ghg_emissions: NotNegative | None = None
    packaging_emissions_included: bool | None = None
    packaging_ghg_emissions: NotNegative | None = None
    packaging_biogenic_carbon_content: NotNegative | None = None
    outbound_logistics_ghg_emissions: NotNegative | None = None
    ccs_technological_co2_capture_included: bool | None = None
    ccs_technological_co2_capture: NotPositive | None = None
    technological_co2_capture_origin: str | None = None
    technological_co2_removals: NotPositive | None = None
    ccu_carbon_content: NotNegative | None = None
    ccu_calculation_approach: Literal["Cut-off", "Credit"] | None = None
    ccu_credit_certification: Uri | None = None
    ipcc_characterization_factors: Annotated[list[Gwp], NOT_EMPTY]
    cross_sectoral_standards: Annotated[list[Name], NOT_EMPTY]
    product_or_sector_specific_rules: Annotated[list[SpecificRule], NOT_EMPTY] | None = None
    exempted_emissions_percent: NotNegative
    exempted_emissions_description: str | None = None
    allocation_rules_description: str | None = None
    secondary_emission_factor_sources: Annotated[list[FactorSource], NOT_EMPTY] | None = None
    primary_data_share: Percent | None = None
    dqi: QualityIndicators | None = None
    verification: Verification | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        places = (self.geography_region_or_subregion, self.geography_country, self.geography_country_subdivision)
        if sum(place is not None for place in places) > 1:
            raise complain(
                "geography",
                "geographyRegionOrSubregion、geographyCountry、geographyCountrySubdivision 只能写一个",
                "only one of geographyRegionOrSubregion, geographyCountry and geographyCountrySubdivision may be given",
            )
        if moment(self.reference_period_end) <= moment(self.reference_period_start):
            raise complain(
                "period",
                "referencePeriodEnd 必须晚于 referencePeriodStart",
                "referencePeriodEnd must be after referencePeriodStart",
            )
        if self.packaging_emissions_included is False and self.packaging_ghg_emissions is not None:
            raise complain(
                "packaging",
                "不含包装时不得写 packagingGhgEmissions",
                "packagingGhgEmissions must be left out when packaging is not included",
            )
        if self.ccs_technological_co2_capture_included is False:
            given = [key_of(name) for name in CAPTURE if getattr(self, name) is not None]
            if given:
                raise complain(
                    "capture",
                    f"不含碳捕集时不得写 {', '.join(given)}",
                    f"{', '.join(given)} must be left out when capture is not included",
                )
        distinct(self.ipcc_characterization_factors, "ipccCharacterizationFactors")
        distinct(self.cross_sectoral_standards, "crossSectoralStandards")
        distinct(self.product_or_sector_specific_rules or [], "productOrSectorSpecificRules")
        return self

    @property
    def stated_sum(self) -> Decimal:
        """The sum of the parts that PACT adds up to the figure without biogenic uptake, absent parts counting nothing."""
        parts = (
            self.fossil_ghg_emissions, self.land_use_change_ghg_emissions, self.land_management_biogenic_co2_emissions,
            self.land_management_biogenic_co2_removals, self.technological_co2_removals,
            self.ccs_technological_co2_capture, self.biogenic_non_co2_emissions,
        )  # fmt: skip
        return sum((Decimal(part) for part in parts if part is not None), Decimal(0))


class ProductFootprint(_Form):
    """One footprint of one product of one company."""

    id: Uuid
    spec_version: SpecVersion
    preceding_pf_ids: Annotated[list[Uuid], NOT_EMPTY] | None = None
    created: Instant
    status: Status
    validity_period_start: Instant | None = None
    validity_period_end: Instant | None = None
    company_name: Name
    company_ids: Annotated[list[Urn], NOT_EMPTY]
    product_description: str
    product_ids: Annotated[list[Urn], NOT_EMPTY]
    product_classifications: Annotated[list[Urn], NOT_EMPTY] | None = None
    product_name_company: Name
    comment: str | None = None
    pcf: CarbonFootprint
    extensions: list[Extension] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        start, end = self.validity_period_start, self.validity_period_end
        if start is not None and end is not None and moment(end) <= moment(start):
            raise complain(
                "validity",
                "validityPeriodEnd 必须晚于 validityPeriodStart",
                "validityPeriodEnd must be after validityPeriodStart",
            )
        if self.preceding_pf_ids and self.id in self.preceding_pf_ids:
            raise complain(
                "preceding", "precedingPfIds 不能含自己的 id", "precedingPfIds must not hold the footprint's own id"
            )
        for values, name in (
            (self.company_ids, "companyIds"),
            (self.product_ids, "productIds"),
            (self.product_classifications or [], "productClassifications"),
            (self.preceding_pf_ids or [], "precedingPfIds"),
        ):
            distinct(values, name)
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the footprint as plain JSON values, absent keys left out."""
        return self.model_dump(by_alias=True, exclude_unset=True)
