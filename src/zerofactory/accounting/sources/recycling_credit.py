"""Recycling credit (回收利用抵扣): what recovered material spares its next user, shown apart and never netted.

Avoided = mass recovered × (EF_primary − EF_recycled). It belongs to no category and lowers no figure (GHG Protocol Scope 3
Standard, category 12; ISO 14064-1:2018, 9.3.3: outside the inventory).
"""

from __future__ import annotations

from zerofactory.accounting.catalogue import items, look_up, routes
from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.source import Ask, Example, Flow, Source, detail_number, detail_text
from zerofactory.accounting.terms import derived, per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

RECOVERED = Text("回收率", "share recovered")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the avoided emissions of recovered material."""
    entry = look_up("goods", ask)
    primary = find(ask.book, "material", ask.scope, item=entry.factor)
    recycled = find(ask.book, "material", ask.scope, item=entry.more["recycled_factor"])
    ends = [per_unit([found], "CO2e", "kg").value for found in (primary, recycled)]
    title = Text(f"{entry.title.zh}原生与再生之差", f"{entry.title.en}: primary less recycled")
    name = f"credit({primary.factor.id}-{recycled.factor.id})"
    spared = derived(name, ends[0] - ends[1], "kgCO2e/kg", title, (primary.factor, recycled.factor))
    recovered = ask.stated("recovered_fraction", "fraction", RECOVERED, 0.0, 1.0)
    return (indirect_flow(ask, [recovered, spared], "mass × recovered × (EF_prim - EF_rec)", "ef.material.db"),)


SOURCE = Source(
    id="recycling_credit",
    title=Text("回收利用抵扣(单列)", "recycling credit (shown apart)"),
    scope=3,
    categories={},
    class_4m1e="material",
    units=("mass",),
    items=items("goods", having="recycled_factor"),
    item_required=True,
    details=(
        detail_text("route", "所替代原生料的工艺路线", "route of the primary material it replaces", routes("goods")),
        detail_number("recovered_fraction", RECOVERED, "fraction", 1.0, required=True),
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.estimate", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    apart="recycling_credit",
    reference="GHG Protocol Scope 3 Standard, category 12; worldsteel Sustainability Indicators 2022",
    example=Example(
        text=Text("回收废钢 1 000 t, 回收率 95 %", "1 000 t of steel, 95 % recovered"),
        item="steel",
        quantity=1000.0,
        unit="t",
        detail={"route": "bf_bof", "recovered_fraction": 0.95},
        expected_kg={"CO2e": 1_000_000 * 0.95 * (2.33 - 0.68)},
        citation="worldsteel 2022: 2.33 and 0.68 tCO2/t",
    ),
)
