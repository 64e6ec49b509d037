"""Statement: everything a report says about one period, as plain values.

A statement is filled by a run from the book and is the only thing a report form sees. Emissions are integers in gCO2e,
shares are fractions, energy is in tce, moments are UTC. ``None`` means "the plant has not stated this"; a form then says
so in plain words and never invents a value. `verify_sums` refuses a statement whose tables do not add up to its total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from zerofactory.errors import Misuse, Text

Regime = Literal["location", "market_annual"]
CategoryStatus = Literal["quantified", "quantified_apart", "not_occurring", "not_quantified", "not_significant"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table that adds up to the total."""

    key: str
    title: Text
    emissions_gco2e: int
    share_fraction: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a cross table, e.g. shop by category."""

    row: str
    column: str
    emissions_gco2e: int


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """One category of the standard. ``emissions_gco2e`` is None unless it is quantified; ``reason`` then says why.

    ``quantified_apart`` is a category of the value chain: its figure stands in ``Statement.indirect``, not in the total.
    """

    key: str
    title: Text
    scope: int | None
    emissions_gco2e: int | None
    share_fraction: float | None
    status: CategoryStatus = "quantified"
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class GasLine:
    """One greenhouse gas of the total: direct (scope 1) and indirect (scope 2) parts, in gCO2e; ``mass_kg`` of the gas."""

    gas: str
    title: Text
    direct_gco2e: int
    indirect_gco2e: int
    mass_kg: float | None = None

    @property
    def emissions_gco2e(self) -> int:
        """Direct and indirect together."""
        return self.direct_gco2e + self.indirect_gco2e


@dataclass(frozen=True, slots=True)
class RegimeLine:
    """The total under one electricity regime; ``electricity_gco2e`` is the imported-energy category under it."""

    key: Regime
    title: Text
    electricity_gco2e: int
    total_gco2e: int
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class ApartLine:
    """Something reported apart from the total: biogenic CO2, non-Kyoto gases, exported energy. ``unit`` tCO2 or tCO2e."""

    key: str
    title: Text
    amount_g: int
    unit: str
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """Who reports. Every None is stated as not provided."""

    name: Text
    plant: Text
    region: Text | str
    legal_entity: Text | str | None = None
    credit_code: str | None = None
    address: Text | str | None = None
    industry: Text | str | None = None
    responsible: Text | str | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A source or sink left out and why; ``share_fraction`` of the total when estimated."""

    what: Text
    reason: Text
    share_fraction: float | None = None


@dataclass(frozen=True, slots=True)
class BoundaryFacts:
    """The organisational and the reporting boundary."""

    consolidation: Text
    equity_share_fraction: float | None = None
    description: Text | None = None
    systems: Text | None = None
    shops: tuple[tuple[str, Text], ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    significance: Text | None = None


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """The reporting period: label (2025 or 2025-03), first and last day inside, frequency of reporting."""

    label: str
    first_day: date
    last_day: date
    frequency: Text | None = None


@dataclass(frozen=True, slots=True)
class StandardFacts:
    """The rule book of the inventory."""

    id: str
    title: Text
    publisher: Text | str | None = None
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """How the emissions of one source are quantified and why so; ``kind`` is what kind of source it is."""

    source: str
    title: Text
    category: str
    method: Text
    reason: Text | None = None
    reference: str | None = None
    kind: Text | None = None


@dataclass(frozen=True, slots=True)
class FactorLine:
    """One factor as read: value in ``unit`` (``value_text`` as printed), where it is from and how far it is trusted."""

    id: str
    title: Text
    value: float
    unit: str
    gas: str | None
    source: str
    edition: str
    source_ref: str
    provenance: str
    confidence: str
    set_title: Text
    value_text: str


@dataclass(frozen=True, slots=True)
class AppliedFactor:
    """A product of factors as it was applied: ``value`` in ``unit``, the ids of its ``terms``, why they were chosen."""

    id: str
    value: float
    unit: str
    gas: str
    terms: tuple[str, ...]
    reason: Text


@dataclass(frozen=True, slots=True)
class GwpLine:
    """One global warming potential (100 years, kgCO2e per kg of gas)."""

    gas: str
    value: float
    gwp_set: str
    source: str
    provenance: str = ""
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """The activity data of one source and item over the period.

    ``tier`` is metered, invoiced or estimated; ``estimated_fraction`` of the quantity was filled.
    """

    source: str
    title: Text
    shop: Text | None
    item: Text | None
    quantity: float
    unit: str
    tier: str
    estimated_fraction: float
    rows_count: int
    emissions_gco2e: int | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """One parent meter against the sum of its children, in ``unit``; ``error_fraction`` = (parent - children) / parent."""

    meter: str
    title: Text
    parent_amount: float
    children_amount: float
    unit: str
    error_fraction: float
    within_tolerance: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """One stretch without readings and how it was filled; ``ended_at`` is the first instant after it."""

    meter: str
    title: Text
    started_at: datetime
    ended_at: datetime
    method: Text
    amount: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What was noticed about one meter (or several together) over the period: in which months and how often."""

    kind: Text
    title: Text
    months: Text
    count: int


@dataclass(frozen=True, slots=True)
class DataQuality:
    """How good the data are; fractions between 0 and 1. ``gaps`` are the longest, ``gaps_more`` how many are not listed."""

    completeness_fraction: float | None = None
    automatic_fraction: float | None = None
    estimated_fraction: float | None = None
    closures: tuple[Closure, ...] = ()
    gaps: tuple[Gap, ...] = ()
    gaps_more: int = 0
    remarks: tuple[Remark, ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class UncertaintyLine:
    """Half-width of the 95 % interval of one category as a fraction (0.05 = ±5 %); None when not assessed.

    ``interval_gco2e`` is the simulated 95 % interval, ``variance_share`` the share of the category in the variance of the total.
    """

    key: str
    title: Text
    emissions_gco2e: int
    half_width_fraction: float | None
    note: Text | None = None
    interval_gco2e: tuple[int, int] | None = None
    variance_share: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """The assessment: per category, for the total, and by which method; ``total_interval_gco2e`` is simulated (95 %)."""

    method: Text
    total_half_width_fraction: float | None
    lines: tuple[UncertaintyLine, ...]
    total_interval_gco2e: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Intensity:
    """Emissions per unit of output: ``value`` in ``unit``, over ``denominator`` in ``denominator_unit``."""

    key: str
    title: Text
    value: float
    unit: Text
    denominator: float
    denominator_unit: Text


@dataclass(frozen=True, slots=True)
class EnergyLine:
    """One energy carrier: quantity in ``unit`` and its coal equivalent (当量值)."""

    key: str
    title: Text
    quantity: float
    unit: str
    calorific_tce: float


@dataclass(frozen=True, slots=True)
class EnergyTotal:
    """Comprehensive energy consumption (GB/T 2589-2020): calorific value 当量值 and, apart, equivalent value 等价值."""

    calorific_tce: float
    equivalent_tce: float | None = None
    lines: tuple[EnergyLine, ...] = ()


@dataclass(frozen=True, slots=True)
class BaseYear:
    """The base year, its inventory and when it is recalculated."""

    year: int
    total_gco2e: int | None
    policy: Text
    recalculation: Text | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """A verification that has taken place."""

    verifier: str
    level: Text
    date: date
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """One sealed month: its journal head, SHA-256 in hexadecimal."""

    period: str
    head_hash: str
    records_count: int
    sealed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FactorSetLine:
    """One factor set behind the figures; ``status`` verified, secondary or placeholder."""

    id: str
    title: Text
    edition: str
    status: str


@dataclass(frozen=True, slots=True)
class Production:
    """What this report was made from, so that it can be made again."""

    code_version: str
    book_head_hash: str
    records_count: int
    factor_sets: tuple[FactorSetLine, ...] = ()
    seals: tuple[Seal, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything a report of one period says. Tables named after what they split the total by add up to it.

    ``issued_on`` is the date printed on the report (nothing reads a clock), ``time_zone`` the plant's. ``indirect`` are the
    categories of the value chain (scope 3, ISO 3 to 6), which add up to ``indirect_gco2e`` and stand beside the total.
    ``factors`` are read from tables; ``applied_factors`` are their products as the records used them. ``shop_categories`` and ``month_categories`` hold cells (shop or month, category).
    """

    organisation: OrganisationFacts
    boundary: BoundaryFacts
    period: PeriodFacts
    standard: StandardFacts
    regime: Regime
    gwp_set: str
    total_gco2e: int
    categories: tuple[CategoryLine, ...]
    gases: tuple[GasLine, ...]
    regimes: tuple[RegimeLine, ...]
    production: Production
    issued_on: date
    time_zone: str
    fictional: bool
    shops: tuple[Line, ...] = ()
    sources: tuple[Line, ...] = ()
    months: tuple[Line, ...] = ()
    classes: tuple[Line, ...] = ()
    shop_categories: tuple[Cell, ...] = ()
    month_categories: tuple[Cell, ...] = ()
    apart: tuple[ApartLine, ...] = ()
    indirect: tuple[CategoryLine, ...] = ()
    indirect_gco2e: int | None = None
    removals_gco2e: int | None = None
    methods: tuple[Method, ...] = ()
    method_changes: Text | None = None
    factors: tuple[FactorLine, ...] = ()
    applied_factors: tuple[AppliedFactor, ...] = ()
    gwps: tuple[GwpLine, ...] = ()
    gwp_reason: Text | None = None
    activities: tuple[ActivityLine, ...] = ()
    quality: DataQuality = field(default_factory=DataQuality)
    uncertainty: Uncertainty | None = None
    intensities: tuple[Intensity, ...] = ()
    energy: EnergyTotal | None = None
    base_year: BaseYear | None = None
    conformity: Text | None = None
    verification: Verification | None = None


def verify_sums(statement: Statement) -> None:
    """Raise `Misuse` naming every table that does not add up to the total (an empty table is left out)."""
    tables: dict[str, Sequence[int]] = {
        "categories": [line.emissions_gco2e or 0 for line in statement.categories],
        "gases": [line.emissions_gco2e for line in statement.gases],
        "shops": [line.emissions_gco2e for line in statement.shops],
        "sources": [line.emissions_gco2e for line in statement.sources],
        "months": [line.emissions_gco2e for line in statement.months],
        "classes": [line.emissions_gco2e for line in statement.classes],
        "shop_categories": [cell.emissions_gco2e for cell in statement.shop_categories],
        "month_categories": [cell.emissions_gco2e for cell in statement.month_categories],
        "regimes": [line.total_gco2e for line in statement.regimes if line.key == statement.regime],
    }
    wrong = [
        f"{name}: {sum(values)}" for name, values in tables.items() if values and sum(values) != statement.total_gco2e
    ]
    indirect = sum(line.emissions_gco2e or 0 for line in statement.indirect)
    if indirect != (statement.indirect_gco2e or 0):
        wrong.append(f"indirect: {indirect} against {statement.indirect_gco2e}")
    if wrong:
        raise Misuse(f"tables of the statement differ from its total {statement.total_gco2e} g: {'; '.join(wrong)}")
