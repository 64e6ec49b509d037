"""Leakage of stored CO2 (封存泄漏): what comes back from a store; a reversal, counted as an emission whatever its origin.

A store whose filling was reported (as a removal or apart) owes its leaks to the total of the year in which they occur.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.accounting.terms import identity, per_unit
from zerofactory.errors import Text

LEAKED = Text("泄漏量按监测。", "The amount leaked is monitored.")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 that leaked."""
    return (Flow("CO2", per_unit([identity(LEAKED)], "CO2", ask.unit), "monitored"),)


SOURCE = Source(
    id="stored_co2_leakage",
    title=Text("封存二氧化碳泄漏(逆转)", "leakage of stored CO2 (reversal)"),
    scope=1,
    categories=categories("1.4", "s1.fugitive"),
    class_4m1e="environment",
    units=("mass",),
    items=("biogenic_co2", "atmospheric_co2", "fossil_co2"),
    item_required=True,
    flows=flows,
    activity_uncertainty={"metered": "ad.estimate", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 2 ch. 5; GHG Protocol Land Sector and Removals: reversals are emissions",
    example=Example(
        text=Text("封存场泄漏 5 t", "5 t leaked from the store"),
        item="biogenic_co2",
        quantity=5.0,
        unit="t",
        detail={},
        expected_kg={"CO2": 5000.0},
        citation="mass balance",
    ),
)
