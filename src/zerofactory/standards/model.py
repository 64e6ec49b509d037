"""A rule book: which emissions it counts, under which headings, and what its report must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerofactory.errors import NotFound, Text

CitationStatus = Literal["verified", "secondary", "placeholder"]
StandardStatus = Literal["in_force", "trial", "withdrawn"]
Regime = Literal["location", "market_annual"]

_FAMILIES = {"HFCs": ("HFC-",), "PFCs": ("PFC-", "CF4", "C2F6", "C3F8")}


@dataclass(frozen=True, slots=True)
class Citation:
    """One document that a rule book rests on, and how well it was read."""

    document: str
    clause: str
    status: CitationStatus
    note: Text


@dataclass(frozen=True, slots=True)
class Category:
    """One heading. ``scope`` is the GHG Protocol scope (None where the book has none); ``in_total`` whether it adds up.

    ``group`` is the heading above it (ISO category 1 of 1.1 to 1.5), for subtotals.
    """

    id: str
    title: Text
    scope: int | None
    in_total: bool
    group: str
    note: Text


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a report must hold, or that an instrument must meet."""

    id: str
    clause: str
    title: Text
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Standard:
    """One rule book.

    ``gases`` is ``"kyoto"`` (the seven of the Kyoto basket) or the gases and families counted (``HFCs``, ``PFCs``).
    ``net_purchased`` says that exported electricity and heat are deducted from what was purchased (净购入).
    """

    id: str
    title: Text
    publisher: Text
    edition: str
    status: StandardStatus
    citations: tuple[Citation, ...]
    categories: tuple[Category, ...]
    groups: tuple[tuple[str, Text], ...]
    gases: tuple[str, ...] | Literal["kyoto"]
    default_gwp_set: str
    default_regime: Regime
    regimes: tuple[Regime, ...]
    net_purchased: bool
    requirements: tuple[Requirement, ...]
    instrument_criteria: tuple[Requirement, ...]
    notes: tuple[Text, ...]

    @property
    def of_products(self) -> bool:
        """Whether it rules the footprint of a product and not the inventory of an organisation (it has no scopes)."""
        return all(category.scope is None for category in self.categories)

    def category(self, category_id: str) -> Category:
        """Return one category; raise `NotFound` with the choices otherwise."""
        for category in self.categories:
            if category.id == category_id:
                return category
        choices = [category.id for category in self.categories]
        raise NotFound(Text(f"{self.title.zh}的类别", f"category of {self.id}"), category_id, choices)

    def counts(self, gas: str, kyoto: bool) -> bool:
        """Whether a gas adds to the total; ``kyoto`` says whether it is of the Kyoto basket.

        Examples
        --------
        >>> from zerofactory.standards.load import standard
        >>> book = standard("cn_machinery_2015")
        >>> book.counts("CO2", True), book.counts("CH4", True), book.counts("HFC-134a", True)
        (True, False, True)
        """
        if self.gases == "kyoto":
            return kyoto
        return any(gas == entry or gas.startswith(_FAMILIES.get(entry, ("\0",))) for entry in self.gases)
