"""On-site waste incineration (厂内废物焚烧): CO2 of fossil carbon, biogenic CO2 apart, N2O.

CO2 = waste × dry matter × carbon × fossil share × OF × 44/12 (IPCC 2006 Vol. 5 eq. 5.1; standards 3.7). With the carbon
stated that formula holds; for hazardous and municipal waste there is a recalled default per tonne, of low confidence,
which must be accepted by name before a period closes. N2O by kind of waste from Tables 5.5 and 5.6; hazardous
waste takes that of industrial waste, municipal waste has none in our tables.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number, missing_detail
from zerofactory.accounting.terms import CARBON_TO_CO2, per_unit, stated
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

DRY = Text("干物质含量", "dry matter content")
CARBON = Text("干基含碳量", "carbon content of dry matter")
FOSSIL = Text("化石碳比例", "fossil share of carbon")
WITH_DEFAULT = ("hazardous_waste", "municipal_waste")
NITROUS = {"hazardous_waste": "industrial_waste", "industrial_waste": "industrial_waste"}


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return fossil CO2, biogenic CO2 when there is any, and N2O."""
    return (*_carbon(ask), *_nitrous(ask))


def _carbon(ask: Ask) -> tuple[Flow, ...]:
    if not ask.has("carbon_fraction"):
        if ask.item not in WITH_DEFAULT:
            raise FaultyData([missing_detail("carbon_fraction")])
        default = find(ask.book, "incineration.co2", ask.scope, item=ask.item)
        return (Flow("CO2", per_unit([default], "CO2", ask.unit), "m × EF"),)
    burnt: list[Found] = [
        ask.stated("dry_matter_fraction", "kg/kg", DRY, 0.0, 1.0),
        ask.stated("carbon_fraction", "kgC/kg", CARBON, 0.0, 1.0),
        find(ask.book, "incineration.of", ask.scope, item="waste"),
    ]
    fossil = ask.number("fossil_fraction", 0.0, 1.0)
    method = "m × dm × C × FCF × OF × 44/12"
    shares = [("fossil_fraction", fossil, FOSSIL, False)]
    if fossil < 1.0:
        shares.append(("biogenic_fraction", 1.0 - fossil, Text("生物碳比例", "biogenic share of carbon"), True))
    return tuple(
        Flow(
            "CO2",
            per_unit([*burnt, stated(name, value, "fraction", title)], "CO2", ask.unit, CARBON_TO_CO2),
            method,
            biogenic=biogenic,
        )
        for name, value, title, biogenic in shares
    )


def _nitrous(ask: Ask) -> tuple[Flow, ...]:
    if ask.item == "municipal_waste":
        return ()
    found = find(ask.book, "incineration.n2o", ask.scope, item=NITROUS.get(ask.item or "", ask.item))
    return (Flow("N2O", per_unit([found], "N2O", ask.unit), "m × EF"),)


SOURCE = Source(
    id="waste_incineration",
    title=Text("厂内废物焚烧", "on-site waste incineration"),
    scope=1,
    categories=categories("1.1", "s1.stationary"),
    class_4m1e="environment",
    units=("mass",),
    items=("hazardous_waste", "industrial_waste", "waste_oil", "waste_plastic", "industrial_sludge", "municipal_waste"),
    item_required=True,
    details=(
        detail_number("dry_matter_fraction", DRY, "kg/kg", 1.0),
        detail_number("carbon_fraction", CARBON, "kgC/kg", 1.0),
        detail_number("fossil_fraction", FOSSIL, "fraction", 1.0),
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.scale.truck", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 5 ch. 5 eq. 5.1, Tables 5.2, 5.5, 5.6",
    example=Example(
        text=Text("焚烧废塑料 10 t", "10 t of waste plastics burnt"),
        item="waste_plastic",
        quantity=10.0,
        unit="t",
        detail={"dry_matter_fraction": 1.0, "carbon_fraction": 0.75, "fossil_fraction": 1.0},
        expected_kg={"CO2": 10_000 * 0.75 * 44 / 12, "N2O": 1.7},
        citation="IPCC 2006 Vol. 5: OF 100 % (Table 5.2), 170 g N2O/t (Table 5.5); carbon 75 % (Table 2.4)",
    ),
)
