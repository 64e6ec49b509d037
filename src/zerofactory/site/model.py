"""What a plant is, as frozen records. `site.load` builds them from ``factory.toml``; nothing here reads anything.

Plant ─┬─ Organisation      who reports, and on which consolidation approach
       ├─ Boundary          what is inside, what is left out and why
       ├─ Accounting        the choices of method, each with a default of stated source
       ├─ Shop ── Line ── Asset
       ├─ Meter             a tree by `parent`, plus virtual meters by `formula`
       ├─ StateSignal       codes that tell the state of a machine; read and kept as meters are, never accounted
       ├─ SourceUse         an emission source in use at this plant, and where its quantity comes from
       ├─ Product
       ├─ TariffUse         which published tariff the electricity bill follows, and what was agreed
       └─ Calendar          shifts and working days
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal, TypeVar

from zerofactory import units
from zerofactory.errors import NotFound, Text
from zerofactory.site.state_signal import StateSignal

Consolidation = Literal["operational_control", "financial_control", "equity_share"]
ShopKind = Literal["stamping", "body", "paint", "assembly", "powertrain", "battery", "casting", "utilities", "other"]
MeterKind = Literal["register", "interval", "gauge", "virtual"]
FillMethod = Literal["auto", "linear", "similar_day", "none"]
GridLevel = Literal["province", "region", "nation"]
Trigger = Literal["structure", "method", "error"]
DemandBasis = Literal["maximum", "contract", "capacity"]

_Entry = TypeVar("_Entry", "Shop", "Meter", "SourceUse", "Product")

PEDIGREE = ("reliability", "completeness", "temporal", "geographical", "technological")
SHOP_KINDS: Mapping[str, Text] = {
    "stamping": Text("冲压", "stamping"),
    "body": Text("焊装", "body"),
    "paint": Text("涂装", "paint"),
    "assembly": Text("总装", "assembly"),
    "powertrain": Text("动力总成", "powertrain"),
    "battery": Text("电池", "battery"),
    "casting": Text("压铸", "casting"),
    "utilities": Text("公用", "utilities"),
    "other": Text("其他", "other"),
}


@dataclass(frozen=True, slots=True)
class Organisation:
    """The reporting organisation. ``equity_share_fraction`` counts only under ``equity_share``."""

    name: Text
    legal_entity: Text | None = None
    credit_code: str | None = None
    consolidation: Consolidation = "operational_control"
    equity_share_fraction: float = 1.0
    responsible: Text | None = None
    address: Text | None = None
    industry: Text | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Something left out of the inventory, and why."""

    what: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one indirect category (id of the standard, e.g. ``5.1``) was judged: scores 1 (low) to 5 (high) and why.

    ``magnitude`` left out is scored by the category's share. ``estimated_tco2e`` is the plant's estimate of a category it does
    not quantify; ``included`` says whether it is to be quantified.
    """

    category: str
    included: bool
    influence: int
    risk: int
    stakeholder: int
    data_access: int
    reason: Text
    magnitude: int | None = None
    estimated_tco2e: float | None = None


@dataclass(frozen=True, slots=True)
class Significance:
    """The plant's significance test of indirect emissions. ``threshold_score`` left out comes from ``accounting/significance.toml``."""

    standard: str = "iso_14064_1_2018"
    threshold_score: float | None = None
    categories: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class Boundary:
    """The organisational and operational boundary: description, systems covered, exclusions with reasons, significance."""

    description: Text | None = None
    systems: Text | None = None
    exclusions: tuple[Exclusion, ...] = ()
    significance: Significance | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A low-confidence factor the plant accepts by name, with its reason."""

    factor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pin:
    """A factor the plant fixes for a role (``grid.average``, ``fuel.ncv:natural_gas``), for one source or for all."""

    role: str
    factor: str
    reason: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Accounting:
    """The plant's choices of method. What the file leaves out comes from ``site/defaults.toml``.

    Parameters
    ----------
    gas_meter_celsius : float
        Temperature in °C at which gas volumes in m3 are billed; 0 means no correction (see `units.normal_volume_ratio`).
    fill : {'auto', 'linear', 'similar_day', 'none'}
        How gaps are estimated where no register difference is known.
    closure_tolerance_fraction : float
        How far the children of a meter may differ from their parent in a month.
    spike_z : float
        Modified z-score from which an interval counts as a spike.
    spike_jump_fraction : float
        By how much of its neighbours' level a spike stands above them.
    flat_line_hours : float
        Hours of one repeated non-zero value from which a meter counts as stuck.
    short_gap_hours : float
        Gaps up to this length are filled by a straight line under ``auto``.
    """

    gwp_set: str
    grid_level: GridLevel
    fuel_sets: tuple[str, ...]
    gas_meter_celsius: float
    fill: FillMethod
    closure_tolerance_fraction: float
    spike_z: float
    spike_jump_fraction: float
    flat_line_hours: float
    short_gap_hours: float
    accept: tuple[Acceptance, ...] = ()
    pin: tuple[Pin, ...] = ()

    @property
    def accepted(self) -> dict[str, str]:
        """``{factor id: reason}`` of the low-confidence factors accepted by name."""
        return {entry.factor: entry.reason for entry in self.accept}

    def pins_of(self, source_id: str) -> dict[str, tuple[str, str]]:
        """Return ``{role: (factor id, reason)}`` that holds for one source; a pin of the source beats one for all."""
        general = {entry.role: (entry.factor, entry.reason) for entry in self.pin if entry.source is None}
        return general | {entry.role: (entry.factor, entry.reason) for entry in self.pin if entry.source == source_id}


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop (车间) of the plant."""

    id: str
    kind: ShopKind
    name: Text


@dataclass(frozen=True, slots=True)
class Line:
    """A line inside a shop."""

    id: str
    name: Text
    shop: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A piece of equipment; ``parameters`` belong to its kind, units in their names (``power_kw``)."""

    id: str
    kind: str
    name: Text
    shop: str
    line: str | None = None
    parameters: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """A product that leaves the plant, counted in ``unit``."""

    id: str
    name: Text
    unit: str = "vehicle"
    shop: str | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter, real or virtual.

    Parameters
    ----------
    kind : {'register', 'interval', 'gauge', 'virtual'}
        A register counts up and is read at instants; an interval meter gives the amount of each interval, labelled by its
        start; a gauge gives the mean rate of each interval (kW, m3/h); a virtual meter is a sum of others.
    unit : str
        Unit of the value as read. A gauge has a power or ``X/h``.
    interval_minutes : int
        Length of the meter's own interval; divides a day.
    multiplier : float
        Transformer ratio: amount = value as read × multiplier.
    rollover : float, optional
        The reading, in ``unit`` before the multiplier, at which a register starts again at zero (99999.9 → 100000).
    minimum, maximum : float, optional
        Bounds per interval in ``unit`` before the multiplier: of the difference (register) or the value (interval, gauge).
    accuracy_class : str, optional
        Class on the name plate, e.g. ``0.5S``.
    automatic : bool
        Whether the reading is collected without a hand.
    formula : str, optional
        Of a virtual meter: ``grid-in - paint - 2 * body``; whole coefficients; spaces around a minus sign.
    """

    id: str
    name: Text
    carrier: str
    kind: MeterKind
    unit: str
    shop: str | None = None
    line: str | None = None
    parent: str | None = None
    interval_minutes: int = 15
    multiplier: float = 1.0
    rollover: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    accuracy_class: str | None = None
    automatic: bool = True
    formula: str | None = None

    @property
    def amount_unit(self) -> str:
        """Symbol of the unit in which amounts of this meter are counted (kW → kWh, ``m3/h`` → m3)."""
        return amount_unit(self.unit) if self.kind == "gauge" else units.parse(self.unit).symbol


def amount_unit(rate_unit: str) -> str:
    """Return the unit of rate × hour.

    Raises
    ------
    NotFound
        The rate is neither a power nor an amount per hour.

    Examples
    --------
    >>> amount_unit("kW"), amount_unit("m3/h")
    ('kWh', 'm3')
    """
    upper, slash, lower = rate_unit.rpartition("/")
    if slash and lower.strip() in ("h", "hr", "小时"):
        return units.parse(upper).symbol
    unit = units.parse(rate_unit)
    if unit.dimension != "power":
        raise NotFound(Text("功率或流量单位", "unit of power or flow"), rate_unit, units.symbols_of("power"))
    return units.parse(f"{unit.symbol}h").symbol


@dataclass(frozen=True, slots=True)
class SourceUse:
    """An emission source in use at the plant.

    Parameters
    ----------
    kind : str
        Id of the source's file in ``accounting/sources``.
    shop : str, optional
        Where it counts; needed unless every one of ``meters`` (or of ``split``) has a shop.
    meters : tuple of str
        Quantity of the source = sum of these meters' amounts. Empty: quantity comes from documents.
    split : tuple of str
        Meters whose amounts share the quantity out over their shops.
    detail : Mapping
        Particulars the kind asks for, the same for every document of the source.
    unit : str, optional
        Unit in which the quantity is booked; the meters' own unit when absent.
    pedigree : Mapping
        Scores of data quality by `PEDIGREE` indicator, 1 (best) to 5; empty: not scored.
    """

    id: str
    kind: str
    name: Text
    shop: str | None = None
    item: str | None = None
    meters: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    detail: Mapping[str, str | float] = field(default_factory=dict)
    unit: str | None = None
    pedigree: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift on the plant's clock; it may run past midnight.

    ``weekdays`` (1 Monday … 7 Sunday) on which it is worked; left out, on every working day. A day worked in place of another
    (``extra_workdays``) has all shifts.
    """

    name: Text
    start: time
    end: time
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Shifts and working days. ``weekdays``: 1 Monday … 7 Sunday."""

    shifts: tuple[Shift, ...] = ()
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    holidays: tuple[date, ...] = ()
    extra_workdays: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class BaseYear:
    """The plant's policy for its base year; what is left out comes from ``accounting/base_year.toml``.

    Parameters
    ----------
    year : int, optional
        The year that is to be fixed as base year.
    threshold_fraction : float, optional
        Change of the base-year total from which it is recalculated.
    triggers : tuple of {'structure', 'method', 'error'}
        What counts; empty means all three.
    """

    year: int | None = None
    threshold_fraction: float | None = None
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class TariffUse:
    """The plant's electricity tariff: which published one, and what was agreed with the grid company.

    Parameters
    ----------
    area, scheme, voltage : str
        A packaged area (``shanghai``) or the name of the plant's own pair of files in ``tariffs/``; a row of its table.
    carry : str
        What prices a month without a published row: empty (nothing: a fault), ``same_month``, or a month ``2026-08``.
    demand_basis : {'maximum', 'contract', 'capacity'}
        What the basic charge follows; ``contract`` needs ``contract_demand_kw``, ``capacity`` needs ``transformer_kva``.
    power_factor_standard_fraction : float, optional
        0.90, 0.85 or 0.80; left out: no adjustment is billed.
    export_cny_per_kwh, green_premium_cny_per_kwh : float, optional
        Contract prices of surplus sold and of green power settled; the former beats the area's.
    gas : str, optional
        A packaged gas price, or the name of the plant's own ``tariffs/<gas>.toml``.
    """

    area: str
    scheme: str
    voltage: str
    carry: str = ""
    demand_basis: DemandBasis = "maximum"
    transformer_kva: float | None = None
    contract_demand_kw: float | None = None
    power_factor_standard_fraction: float | None = None
    export_cny_per_kwh: float | None = None
    green_premium_cny_per_kwh: float | None = None
    gas: str | None = None


@dataclass(frozen=True, slots=True)
class Plant:
    """One plant. Entries keep the order of the file; ids are unique within their kind."""

    id: str
    name: Text
    time_zone: str
    region: str
    currency: str
    organisation: Organisation
    boundary: Boundary
    accounting: Accounting
    fictional: bool = False
    opened_on: date | None = None
    closed_on: date | None = None
    shops: tuple[Shop, ...] = ()
    lines: tuple[Line, ...] = ()
    assets: tuple[Asset, ...] = ()
    products: tuple[Product, ...] = ()
    meters: tuple[Meter, ...] = ()
    state_signals: tuple[StateSignal, ...] = ()
    sources: tuple[SourceUse, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    base_year: BaseYear | None = None
    tariff: TariffUse | None = None

    def shop(self, shop_id: str) -> Shop:
        """Return a shop by id; raise `NotFound` with the choices."""
        return _named(self.shops, shop_id, Text("车间", "shop"))

    def meter(self, meter_id: str) -> Meter:
        """Return a meter by id; raise `NotFound` with the choices."""
        return _named(self.meters, meter_id, Text("表计", "meter"))

    def source(self, source_id: str) -> SourceUse:
        """Return a source by id; raise `NotFound` with the choices."""
        return _named(self.sources, source_id, Text("排放源", "source"))

    def product(self, product_id: str) -> Product:
        """Return a product by id; raise `NotFound` with the choices."""
        return _named(self.products, product_id, Text("产品", "product"))


def _named(entries: tuple[_Entry, ...], name: str, what: Text) -> _Entry:
    for entry in entries:
        if entry.id == name:
            return entry
    raise NotFound(what, name, [entry.id for entry in entries])
