"""Cutting gas and heat-treatment atmosphere (切割气与热处理气氛): acetylene, propane, methanol, fully oxidised.

E = m × EF by stoichiometry, e.g. C2H2: 2 × 44.01 / 26.04 (standards 3.5).
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text
from zerofactory.factors.resolve import find, single

ROLES = {"acetylene": "process.cutting_gas", "propane": "process.cutting_gas", "methanol": "process.heat_treatment"}


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the gas burnt or split."""
    item = ask.item or ""
    found = find(ask.book, ROLES[item], ask.scope, item=item)
    return (Flow("CO2", single(found, f"kgCO2/{ask.unit}"), "m × EF"),)


SOURCE = Source(
    id="cutting_gas",
    title=Text("切割气与热处理气氛", "cutting gas and heat-treatment atmosphere"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="material",
    units=("mass",),
    items=tuple(ROLES),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="stoichiometry: C2H2 + 2.5 O2 → 2 CO2 + H2O, 2 × 44.01/26.04 kg/kg",
    example=Example(
        text=Text("乙炔 100 kg", "100 kg of acetylene"),
        item="acetylene",
        quantity=100.0,
        unit="kg",
        detail={},
        expected_kg={"CO2": 338.46},
        citation="2 × 44.01 / 26.04 = 3.38 kg/kg",
    ),
)
