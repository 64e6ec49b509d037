"""VOC destroyed by oxidation (VOC 氧化): solvent carbon burnt in the RTO.

E = m(VOC destroyed) × carbon content × 44/12 (standards 3.5). The carbon content is stated from the safety data sheets;
without it the recalled default is used, which is of low confidence and must be accepted by name before a period closes.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number
from zerofactory.accounting.terms import CARBON_TO_CO2, per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

CARBON = Text("VOC含碳量", "carbon content of the VOC")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the solvent carbon that is burnt."""
    if ask.has("carbon_fraction"):
        carbon = ask.stated("carbon_fraction", "kgC/kg", CARBON, 0.0, 1.0)
    else:
        carbon = find(ask.book, "voc.carbon", ask.scope, item="mixed_solvent")
    return (Flow("CO2", per_unit([carbon], "CO2", ask.unit, CARBON_TO_CO2), "m × C × 44/12"),)


SOURCE = Source(
    id="voc_oxidation",
    title=Text("VOC氧化", "oxidation of VOC"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="environment",
    units=("mass",),
    balance=(("inlet", 1), ("outlet", -1)),
    details=(detail_number("carbon_fraction", CARBON, "kgC/kg", 1.0),),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="stoichiometry: C → CO2, 44/12 kg/kg; m = VOC into the oxidiser − VOC in its stack",
    example=Example(
        text=Text("RTO 处理甲苯 1 t(含碳 0.9125)", "1 t of toluene destroyed in the RTO (carbon 0.9125)"),
        item=None,
        quantity=1.0,
        unit="t",
        detail={"carbon_fraction": 0.9125},
        expected_kg={"CO2": 912.5 * 44 / 12},
        citation="C7H8: 7 × 12.011 / 92.14 = 0.9125",
    ),
)
