"""Lubricants and grease (润滑油脂): the part oxidised during use.

E = m × NCV × CC × ODU × 44/12, ODU 0.2 for oil and 0.05 for grease (IPCC 2006 Vol. 3 eq. 5.2 and Table 5.2).
"""

from __future__ import annotations

from dataclasses import replace

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.accounting.terms import CARBON_TO_CO2, per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

METHOD_SET = "IPCC-2006"  # the formula is the IPCC's, and so are its calorific value and carbon content


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the lubricant oxidised during use."""
    of_the_method = replace(ask.scope, fuel_sets=(METHOD_SET,))
    heat = find(ask.book, "fuel.ncv", of_the_method, item="lubricant")
    carbon = find(ask.book, "fuel.cc", of_the_method, item="lubricant")
    oxidised = find(ask.book, "process.oxidised_during_use", ask.scope, item=ask.item)
    return (Flow("CO2", per_unit([heat, carbon, oxidised], "CO2", ask.unit, CARBON_TO_CO2), "NCV × CC × ODU × 44/12"),)


SOURCE = Source(
    id="lubricant",
    title=Text("润滑油脂", "lubricants and grease"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="material",
    units=("mass",),
    items=("lubricant", "grease"),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 3 ch. 5 eq. 5.2, Table 5.2",
    example=Example(
        text=Text("润滑油 10 t", "10 t of lubricating oil"),
        item="lubricant",
        quantity=10.0,
        unit="t",
        detail={},
        expected_kg={"CO2": 10 * 40.2 * 20 * 0.2 * 44 / 12},
        citation="IPCC 2006: NCV 40.2 GJ/t, 20 tC/TJ, ODU 0.2",
    ),
)
