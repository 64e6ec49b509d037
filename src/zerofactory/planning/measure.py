"""Measures (减排措施) as data: one YAML file each in `measures/`.

A measure says on which end uses of which sources it acts, by which share of what is left there, what takes the place of
what it saves, what it costs, how long it lives, and where each number is from. Nothing about a plant stands in it: amounts
come from the plant's own activities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from zerofactory.errors import NotFound, Text
from zerofactory.planning.read import record, yaml_of

MeasureClass = Literal["efficiency", "electrification", "renewable", "process", "material", "removal", "offset"]
Basis = Literal["fixed", "vehicles", "size", "saved"]
Status = Literal["verified", "secondary", "placeholder"]

ORDER: tuple[MeasureClass, ...] = (
    "efficiency", "electrification", "renewable", "process", "material", "removal", "offset",
)  # fmt: skip
CLASSES: Mapping[MeasureClass, Text] = {
    "efficiency": Text("能效", "efficiency"),
    "electrification": Text("电气化", "electrification"),
    "renewable": Text("可再生能源", "renewable energy"),
    "process": Text("工艺", "process"),
    "material": Text("材料与物流", "material and logistics"),
    "removal": Text("清除与封存", "removal and storage"),
    "offset": Text("抵消", "offset"),
}


@dataclass(frozen=True, slots=True)
class Instead:
    """What takes the place of each unit saved: kWh of a heat pump for each Nm3 of gas, electric-furnace steel for each tonne.

    ``source_kind`` left out: the same source, with another ``item`` or ``detail``. ``per_unit`` is in ``unit`` per unit of
    what is saved (in the unit of the end use).
    """

    per_unit: float
    unit: str
    source_kind: str | None = None
    item: str | None = None
    detail: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Saving:
    """A share of what is left of an end use (id of `end_uses.csv`)."""

    end_use: str
    fraction: float
    instead: tuple[Instead, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    """A fixed yearly amount for each unit of size: kWh of a photovoltaic roof for each kW. Negative: less of it.

    An amount of a kind that the plant has in several shops is shared over them in proportion to the base year.
    """

    source_kind: str
    unit: str
    per_size: float
    item: str | None = None
    detail: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cover:
    """A contract that covers purchased electricity in the market-based view; how much of it is decided year by year."""

    instrument_kind: Literal["gec", "green_power", "direct_line"]
    max_fraction: float
    cny_per_mwh: float


@dataclass(frozen=True, slots=True)
class Credit:
    """Units bought for what remains: they lower no inventory and no target, only the neutrality balance."""

    unit_kind: str
    cny_per_t: float


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a plant that has not stated another: ``amount`` for each vehicle of a year, or fixed."""

    unit: str
    basis: Literal["fixed", "vehicles"]
    amount: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Money by a basis: fixed, for each vehicle of the base year, for each unit of size or of yearly saving."""

    basis: Basis
    cny: float


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a number is from. ``about``: saving, cost, life, size."""

    about: str
    text: str
    status: Status
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Parameters
    ----------
    kind : class of measure, which fixes the order in which shared savings are taken.
    shops : kinds of shop in which it can be taken; empty: any.
    savings, amounts, cover, credit : what it does, at least one of them.
    capex, opex : sums of `Cost`; opex without energy, which follows from the amounts saved and the prices.
    life_years, lead_years : how long it lasts; from decision to effect.
    earliest_year : not before (a technology that is not on the market yet).
    excludes, requires : ids of others.
    saving_uncertainty_fraction : half-width of the saving; None: by the status of its source.
    side_effects : what else changes, in words.
    best_before : when its numbers should be looked at again.
    """

    id: str
    title: Text
    description: Text
    kind: MeasureClass
    life_years: int
    best_before: date
    references: tuple[Reference, ...]
    shops: tuple[str, ...] = ()
    savings: tuple[Saving, ...] = ()
    amounts: tuple[Amount, ...] = ()
    cover: Cover | None = None
    credit: Credit | None = None
    size: Size | None = None
    capex: tuple[Cost, ...] = ()
    opex: tuple[Cost, ...] = ()
    capex_change_fraction: float = 0.0
    lead_years: int = 1
    earliest_year: int | None = None
    excludes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    saving_uncertainty_fraction: float | None = None
    side_effects: Text | None = None

    @property
    def status(self) -> Status:
        """The weakest status among its references to saving and cost."""
        ranks: tuple[Status, ...] = ("placeholder", "secondary", "verified")
        return min((reference.status for reference in self.references), key=ranks.index)

    def status_of(self, about: str) -> Status:
        """Return the weakest status of the references about one thing; placeholder when there is none."""
        ranks: tuple[Status, ...] = ("placeholder", "secondary", "verified")
        found = [reference.status for reference in self.references if reference.about == about]
        return min(found, key=ranks.index) if found else "placeholder"

    @property
    def rank(self) -> tuple[int, str]:
        """Where it stands in the order of interaction."""
        return ORDER.index(self.kind), self.id


@lru_cache(maxsize=1)
def measures() -> Mapping[str, Measure]:
    """Return every packaged measure by id, in the order of interaction."""
    folder = files("zerofactory.planning") / "measures"
    found = [
        measure_of(entry.name.removesuffix(".yaml"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    ]
    return {measure.id: measure for measure in sorted(found, key=lambda one: one.rank)}


def measure_of(name: str, content: str) -> Measure:
    """Return a measure from its YAML text; raise `FaultyData` with every fault."""
    raw = yaml_of(content)
    return record(Measure, {**raw, "id": name} if isinstance(raw, dict) else raw, f"{name}.yaml")


def measure(name: str) -> Measure:
    """Return one measure; raise `NotFound` with the choices."""
    if name not in measures():
        raise NotFound(Text("减排措施", "measure"), name, tuple(measures()))
    return measures()[name]
