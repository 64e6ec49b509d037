"""Fire suppression (灭火剂): extinguishers and fixed systems with CO2 or fluorinated agents.

``refill``: what is refilled or discharged is emitted. ``screening``: charge × annual leak rate × years (US EPA 2014).
"""

from __future__ import annotations

from zerofactory.accounting.fluorinated import gas_flows, screening_terms, years_column
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.accounting.terms import per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

METHODS = ("refill", "screening")
EQUIPMENT = ("fixed_fire_suppression", "portable_fire_extinguisher")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the agent discharged or leaked."""
    method = ask.choice("method", METHODS)
    if method == "screening":
        kind = ask.choice("equipment", EQUIPMENT)
        return gas_flows(ask, method, screening_terms(ask, "leak.screening", kind), uncertainty="ef.leak.screen")
    if ask.item == "CO2":
        whole = find(ask.book, "process.extinguisher", ask.scope, item="co2_extinguisher")
        return (Flow("CO2", per_unit([whole], "CO2", ask.unit), method),)
    return gas_flows(ask, method)


SOURCE = Source(
    id="fire_suppressant",
    title=Text("灭火剂", "fire suppressant"),
    scope=1,
    categories=categories("1.4", "s1.fugitive"),
    class_4m1e="environment",
    units=("mass",),
    items=("CO2", "HFC-227ea", "HFC-236fa", "HFC-23", "HFC-125"),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    details=(
        detail_text("method", "方法", "method", METHODS, required=True),
        detail_text("equipment", "设备类型(筛查法)", "kind of equipment (screening)", EQUIPMENT),
        years_column(),
    ),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.refrig_service",
        "invoiced": "ad.refrig_service",
        "estimated": "ad.refrig_charge",
    },
    reference="US EPA Direct Fugitive Emissions (2014) sections 2.1.2 and 2.4",
    example=Example(
        text=Text("CO2 灭火器充装 150 kg", "150 kg of CO2 refilled into extinguishers"),
        item="CO2",
        quantity=150.0,
        unit="kg",
        detail={"method": "refill"},
        expected_kg={"CO2": 150.0},
        citation="mass balance: refill mass = emitted mass",
    ),
)
