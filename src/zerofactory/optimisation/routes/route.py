"""A process route as data: branches of material through forming steps, then joining; every number with its source.

A route makes one part of a body (a rear floor). A *branch* carries one kind of metal from purchase to formed parts; the
*joining* steps put the branches together. A step takes inputs (energy, gas, glue), runs on equipment and tooling, loses
metal and rejects parts. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

from zerofactory.errors import Text

Status = Literal["verified", "secondary", "assumption"]
Fate = Literal["sold", "remelted", "lost"]
Per = Literal["kg_in", "kg_out", "part", "body", "joint"]
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Number:
    """A figure with its unit, its source and how sure it is; ``low`` and ``high`` bound what is plausible."""

    __pydantic_config__ = STRICT
    value: float
    unit: str
    source: str
    status: Status
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages, as it stands in a file."""

    __pydantic_config__ = STRICT
    zh: str
    en: str

    @property
    def text(self) -> Text:
        """The name as a `Text`."""
        return Text(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Input:
    """What a step takes for each kg in or out, each part, each joint or each body.

    Parameters
    ----------
    source_kind, item, detail : how the accounts book it (`accounting.sources`).
    amount : in ``amount.unit`` per ``per``.
    price : key of the assumptions; None where it is bought with something else.
    """

    __pydantic_config__ = STRICT
    source_kind: str
    item: str
    per: Per
    amount: Number
    price: str | None = None
    detail: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Equipment:
    """A station of a step: how long a cycle takes, what one costs, the floor it stands on, who runs it.

    ``at_once`` parts, bodies or joints are done in a cycle; ``base_power`` is drawn while the shop is open, working or not.
    Of what is ``shared`` with other parts of the body (a press line) only the share used counts; the rest comes in whole stations.
    """

    __pydantic_config__ = STRICT
    per: Per
    cycle_s: Number
    at_once: Number
    availability_fraction: Number
    capex_cny: Number
    area_m2: Number
    persons: Number
    life_years: Number
    base_power_kw: Number
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Tooling:
    """Dies and moulds: how many sets a programme needs at least, what one costs, how many cycles it lives."""

    __pydantic_config__ = STRICT
    per: Per
    sets: Number
    set_cny: Number
    life_cycles: Number


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Parameters
    ----------
    mass_yield_fraction : metal out ÷ metal in of a part that is good (trimming, runners, melting loss).
    good_fraction : parts accepted ÷ parts made.
    fate : where the metal goes that does not leave with a good part: sold as scrap, back to the melt, lost as dross.
    joints : welds, rivets or screws of one body, for what is counted ``per`` joint.
    """

    __pydantic_config__ = STRICT
    id: str
    title: Title
    shop: str
    good_fraction: Number
    mass_yield_fraction: Number | None = None
    fate: Fate = "sold"
    joints: Number | None = None
    inputs: tuple[Input, ...] = ()
    equipment: Equipment | None = None
    tooling: Tooling | None = None


@dataclass(frozen=True, slots=True)
class Scrap:
    """What sold scrap is worth and what it replaces: ``recovery_fraction`` of it takes the place of ``primary`` metal as ``recycled``."""

    __pydantic_config__ = STRICT
    price: str
    primary: Input
    recycled: Input
    recovery_fraction: Number


@dataclass(frozen=True, slots=True)
class Branch:
    """One metal from purchase to formed parts.

    ``net_kg`` and ``parts`` are those of one body; ``remelt_recovery_fraction`` of what goes back to the melt comes out again.
    """

    __pydantic_config__ = STRICT
    id: str
    title: Title
    metal: Input
    net_kg: Number
    parts: Number
    scrap: Scrap
    steps: tuple[Step, ...]
    remelt_recovery_fraction: Number | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One way of making one part of a body."""

    __pydantic_config__ = STRICT
    id: str
    part: str
    title: Title
    description: Title
    branches: tuple[Branch, ...]
    joining: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What every route of a comparison shares.

    ``prices`` are in CNY per unit of the input that names them; break-even is looked for between two volumes; recycled shares of
    aluminium and intensities of power are the axes of the table of sensitivity; ``use_kwh_per_100km_100kg`` and ``life_km`` price the mass of
    the part in the use phase, told beside the comparison and never inside it.
    """

    __pydantic_config__ = STRICT
    hours_per_year: Number
    programme_years: Number
    discount_fraction: Number
    person_cny_per_year: Number
    area_cny_per_m2_year: Number
    shifts: Number
    use_kwh_per_100km_100kg: Number
    life_km: Number
    break_even_volumes: tuple[Number, Number]
    recycled_fractions: tuple[float, ...]
    grid_gco2e_per_kwh: tuple[float, ...]
    prices: Mapping[str, Number]
