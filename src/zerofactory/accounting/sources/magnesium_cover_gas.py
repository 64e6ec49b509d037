"""Cover gas of magnesium casting (镁合金压铸保护气).

``consumption``: the gas consumed is emitted. ``casting``: 1 kg SF6 per tonne of magnesium cast where the consumption is
unknown (IPCC 2006 Vol. 3 ch. 4, EFDB 214153).
"""

from __future__ import annotations

from zerofactory.accounting.fluorinated import gas_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text, not_a_choice
from zerofactory.accounting.terms import per_unit
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.resolve import find

METHODS = ("consumption", "casting")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the cover gas emitted; under ``casting`` the amount is the magnesium cast and the gas is SF6."""
    method = ask.choice("method", METHODS)
    if method == "consumption":
        return gas_flows(ask, method)
    if ask.item != "SF6":
        raise FaultyData([not_a_choice("item", ask.item or "", ("SF6",))])
    rate = find(ask.book, "process.cover_gas", ask.scope, item="magnesium_casting")
    return (Flow("SF6", per_unit([rate], "SF6", ask.unit), method),)


SOURCE = Source(
    id="magnesium_cover_gas",
    title=Text("镁合金压铸保护气", "cover gas of magnesium casting"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="material",
    units=("mass",),
    items=("SF6", "HFC-134a"),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    details=(detail_text("method", "方法", "method", METHODS, required=True),),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 3 ch. 4 (magnesium production), EFDB 214153",
    example=Example(
        text=Text("压铸镁 12 t, 保护气用量未知", "12 t of magnesium cast, consumption of cover gas unknown"),
        item="SF6",
        quantity=12.0,
        unit="t",
        detail={"method": "casting"},
        expected_kg={"SF6": 12.0},
        citation="IPCC 2006 Vol. 3: 1 kg SF6 per t of casting",
    ),
)
