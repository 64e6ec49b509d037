"""Product footprint (产品碳足迹): one unit of a product over the stages 原材料 → 制造 → 使用 → 回收.

    raw materials   bill of materials × supplier's footprint, material factor or own product; inbound transport of the book
    manufacturing   the records of the closed period, allocated (`allocation`), electricity by footprint factor (`product_pools`)
    use             distance × fuel and electricity per 100 km, with the upstream of both
    end of life     mass × waste treatment; recycled material gets no credit: it is counted where it is used (cut-off)

Cradle to gate is the first two. Biogenic CO2, land-use change and aviation stand apart; offsets have no place in it
(GB/T 24067-2024; ISO 14067:2018, 6.3.4, 6.4.9, 7.2). kgco2e figures are per unit of the product.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from zerofactory.accounting.allocation import METHODS, Method
from zerofactory.accounting.product_rules import Rating
from zerofactory.errors import Text

Boundary = Literal["cradle_to_gate", "life_cycle"]
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
STAGES: Mapping[str, Text] = {
    "raw_materials": Text("原材料", "raw materials"),
    "manufacturing": Text("制造", "manufacturing"),
    "use": Text("使用", "use"),
    "end_of_life": Text("回收", "end of life"),
}
GATE = ("raw_materials", "manufacturing")
APART: Mapping[str, Text] = {
    "biogenic_co2": Text("生物源二氧化碳排放", "biogenic CO2 emissions"),
    "biogenic_uptake": Text("生物源二氧化碳吸收", "biogenic CO2 uptake"),
    "land_use": Text("其中: 土地利用变化", "of it: land-use change"),
    "biogenic_other": Text("其中: 生物源非CO2", "of it: biogenic other than CO2"),
    "aviation": Text("其中: 航空", "of it: aviation"),
}
OUTSIDE = ("biogenic_co2", "biogenic_uptake")


@dataclass(frozen=True, slots=True)
class Parts:
    """What an emission is made of, kgCO2e. Aviation is a part of fossil; the last two are outside the total."""

    fossil: float = 0.0
    land_use: float = 0.0
    biogenic_other: float = 0.0
    aviation: float = 0.0
    biogenic_co2: float = 0.0
    biogenic_uptake: float = 0.0

    @property
    def total(self) -> float:
        """What counts in the footprint without biogenic uptake."""
        return math.fsum((self.fossil, self.land_use, self.biogenic_other))

    def times(self, number: float) -> Parts:
        """Return the same parts of another amount."""
        return Parts(*(getattr(self, name) * number for name in PART_NAMES))


PART_NAMES = ("fossil", "land_use", "biogenic_other", "aviation", "biogenic_co2", "biogenic_uptake")


def added(parts: Sequence[Parts]) -> Parts:
    """Return the sum of parts."""
    return Parts(*(math.fsum(getattr(part, name) for part in parts) for name in PART_NAMES))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a footprint.

    ``primary_fraction`` is the share of it that rests on primary data; ``rating`` is None where nothing was stated;
    ``ground`` is what the figure rests on: a factor's id, a supplier's footprint, a method of allocation.
    """

    stage: str
    key: str
    title: Text
    parts: Parts
    primary_fraction: float
    rating: Rating | None
    ground: str
    reason: Text
    amount: float | None = None
    unit: str | None = None

    @property
    def kgco2e(self) -> float:
        """The line's footprint, biogenic CO2 and uptake apart."""
        return self.parts.total


@dataclass(frozen=True, slots=True)
class CutOff:
    """A part that was left out, and why. ``mass_fraction`` is its share of the product's mass where it is known."""

    title: Text
    mass_fraction: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Footprint:
    """The footprint of one unit of one product.

    ``quantity`` were made in the period, ``allocated_gco2e`` fell to them. ``methods`` says how, shop by shop;
    ``work_orders`` are the allocated kilograms per unit of each work order.
    """

    product: str
    title: Text
    period: str
    boundary: Boundary
    unit: str
    quantity: float
    allocated_gco2e: int
    lines: tuple[Line, ...]
    cut_offs: tuple[CutOff, ...]
    methods: Mapping[str, Method]
    mass_kg: float
    work_orders: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()

    def of(self, stages: Sequence[str]) -> Parts:
        """Return the parts of some stages together."""
        return added([line.parts for line in self.lines if line.stage in stages])

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages inside the boundary."""
        return GATE if self.boundary == "cradle_to_gate" else tuple(STAGES)

    @property
    def parts(self) -> Parts:
        """All parts inside the boundary."""
        return self.of(self.stages)

    @property
    def kgco2e(self) -> float:
        """The footprint inside the boundary, without biogenic uptake."""
        return self.parts.total

    @property
    def primary_fraction(self) -> float:
        """The share of the cradle-to-gate footprint that rests on primary data (PACT Methodology 3.0, 4.2.2).

        Shares are weighted by the size of each line, so that a negative line does not raise the share.
        """
        return _weighted([(abs(line.kgco2e), line.primary_fraction) for line in self.lines if line.stage in GATE])

    @property
    def rating(self) -> tuple[Rating, float] | None:
        """The emission-weighted data quality of the cradle-to-gate lines and the share of emissions it covers."""
        rated = [
            (abs(line.kgco2e), line.rating) for line in self.lines if line.stage in GATE and line.rating is not None
        ]
        whole = math.fsum(abs(line.kgco2e) for line in self.lines if line.stage in GATE)
        size = math.fsum(weight for weight, _ in rated)
        if not size:
            return None
        mean = Rating(
            *(
                _weighted([(w, getattr(r, name)) for w, r in rated])
                for name in ("technological", "geographical", "temporal")
            )
        )
        return mean, size / whole

    @property
    def cut_off_fraction(self) -> float:
        """The share of the product's mass that was cut off, parts of unknown mass not counted."""
        return math.fsum(entry.mass_fraction or 0.0 for entry in self.cut_offs)

    @property
    def allocation_text(self) -> Text:
        """How the plant's emissions were allocated, in one sentence."""
        grouped: dict[Method, list[str]] = {}
        for shop, method in self.methods.items():
            grouped.setdefault(method, []).append(shop)
        zh = "; ".join(f"{METHODS[m].zh}({', '.join(shops)})" for m, shops in grouped.items())
        en = "; ".join(f"{METHODS[m].en} ({', '.join(shops)})" for m, shops in grouped.items())
        return Text(zh, en)


def _weighted(pairs: Sequence[tuple[float, float]]) -> float:
    whole = math.fsum(weight for weight, _ in pairs)
    return math.fsum(weight * value for weight, value in pairs) / whole if whole else 0.0
