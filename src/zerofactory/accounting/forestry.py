"""Forestry: the carbon that trees inside the boundary take up, or lose again, by three published methods.

biomass      CO2 = A × ΔB × (1 + R) × CF × 44/12         (IPCC 2006 Vol. 4 eq. 2.9 and 2.10; R Table 4.4, CF Table 4.3)
crown_cover  CO2 = crown area × 2.9 tC/ha/yr × years × 44/12         (IPCC 2006 Vol. 4 eq. 8.2, Tier 2a)
per_tree     CO2 = trees × tC/tree/yr × years × 44/12         (IPCC 2006 Vol. 4 eq. 8.3, Table 8.2)
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.source import Ask, Flow, detail_number, detail_text, missing_detail, not_a_choice
from zerofactory.accounting.terms import CARBON_TO_CO2, derived, per_unit
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.model import Resolution
from zerofactory.factors.resolve import combine, find

METHODS = ("biomass", "crown_cover", "per_tree")
STANDS = (
    "temperate_broad", "temperate_broad_young", "temperate_broad_old", "temperate_conifer", "temperate_conifer_young",
)  # fmt: skip
SPECIES = (
    "aspen", "soft_maple", "mixed_hardwood", "hard_maple", "juniper", "cedar_larch", "douglas_fir", "true_fir", "pine",
    "spruce", "rule_of_thumb",
)  # fmt: skip
INCREMENT = Text("地上生物量变化(干物质)", "change of above-ground biomass (dry matter)")
YEARS = Text("年数", "years")
KILOGRAMS_PER_TONNE = 1000.0
DETAILS = (
    detail_text("method", "方法", "method", METHODS, required=True),
    detail_number("biomass_increment", INCREMENT, "t/ha"),
    detail_number("years", YEARS, "a"),
    detail_text("monitoring", "监测记录(清查编号等)", "monitoring record (survey number)", required=True),
)


def carbon_flow(ask: Ask) -> Flow:
    """Return CO2 per activity unit (an area, or a number of trees) by the method of the detail ``method``.

    Raises
    ------
    FaultyData
        A detail of the method is missing, the item is not one of the method, or trees are given as an area.
    """
    method = ask.choice("method", METHODS)
    wanted = "count" if method == "per_tree" else "area"
    if units.parse(ask.unit).dimension != wanted:
        raise FaultyData([not_a_choice("unit", ask.unit, units.symbols_of(wanted))])
    resolve = {"biomass": _biomass, "crown_cover": _crown_cover, "per_tree": _per_tree}[method]
    said = {
        "biomass": "A × ΔB × (1+R) × CF × 44/12",
        "crown_cover": "A × 2.9 tC/ha/a × a",
        "per_tree": "n × tC/tree/a × a",
    }
    return Flow("CO2", resolve(ask), said[method])


def _biomass(ask: Ask) -> Resolution:
    root = find(ask.book, "sequestration", ask.scope, item=f"r_{_item(ask, STANDS)}")
    title = Text("1 + 根冠比", "1 + root-to-shoot ratio")
    whole = derived(f"whole_tree({root.factor.id})", 1.0 + root.factor.value, "t/t", title, (root.factor,))
    carbon = find(ask.book, "sequestration", ask.scope, item="cf")
    grown = ask.stated("biomass_increment", "t/ha", INCREMENT)
    return per_unit([grown, whole, carbon], "CO2", ask.unit, CARBON_TO_CO2)


def _crown_cover(ask: Ask) -> Resolution:
    rate = find(ask.book, "sequestration", ask.scope, item="urban_ha")
    scale = KILOGRAMS_PER_TONNE * CARBON_TO_CO2 * units.ratio(ask.unit, "ha")
    return combine([rate, ask.stated("years", "a", YEARS)], f"kgCO2/{ask.unit}", scale)


def _per_tree(ask: Ask) -> Resolution:
    rate = find(ask.book, "sequestration", ask.scope, item=f"tree_{_item(ask, SPECIES)}")
    carbon = CARBON_TO_CO2 if rate.factor.unit.startswith("tC/") else 1.0
    years = ask.stated("years", "a", YEARS)
    return combine([rate, years], f"kgCO2/{ask.unit}", KILOGRAMS_PER_TONNE * carbon * units.ratio(ask.unit, "piece"))


def _item(ask: Ask, choices: tuple[str, ...]) -> str:
    if not ask.item:
        raise FaultyData([missing_detail("item", choices)])
    if ask.item not in choices:
        raise FaultyData([not_a_choice("item", ask.item, choices)])
    return ask.item
