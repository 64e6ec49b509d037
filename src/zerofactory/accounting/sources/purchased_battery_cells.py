"""Purchased battery cells and packs (外购电芯与电池包), by the kWh of capacity: supplier's footprint → kWh × average.

E = kWh × (EF_cell + pack adder) (standards, 5). The averages are recalled (55 and 75 kg/kWh; 41–89 in the literature of 2020),
so a plant accepts them by name or brings its supplier's figure.
"""

from __future__ import annotations

from zerofactory.accounting import supplier_footprint
from zerofactory.accounting.indirect import DATABASE, indirect_flow
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

CELLS = {"lfp": "cell_lfp_cn", "nmc": "cell_nmc_cn"}
YES_NO = ("yes", "no")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of cells and, for a pack, of housing, electronics and cooling."""
    if supplier_footprint.is_given(ask):
        factor = supplier_footprint.supplier_factor(ask)
        return (indirect_flow(ask, [factor], supplier_footprint.METHOD, supplier_footprint.UNCERTAINTY),)
    cell = find(ask.book, "material", ask.scope, item=CELLS.get(ask.item or "", ask.item))
    made = [indirect_flow(ask, [cell], "kWh × EF_cell", DATABASE)]
    if ask.choice("pack", YES_NO) == "yes":
        adder = find(ask.book, "material", ask.scope, item="pack_adder")
        made.append(indirect_flow(ask, [adder], "kWh × pack adder", DATABASE))
    return tuple(made)


SOURCE = Source(
    id="purchased_battery_cells",
    title=Text("外购电芯与电池包", "purchased battery cells and packs"),
    scope=3,
    categories=categories("4.1", "s3.01"),
    class_4m1e="material",
    units=("energy",),
    items=tuple(CELLS),
    item_required=True,
    details=(
        detail_text("pack", "是否为电池包(含壳体、BMS、冷却)", "a whole pack (housing, BMS, cooling)", YES_NO),
        *supplier_footprint.DETAILS,
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.mass_bom", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 1; Xu et al. 2022, Resources, Conservation and Recycling 187:106606",
    example=Example(
        text=Text("磷酸铁锂电池包 1 MWh", "1 MWh of LFP packs"),
        item="lfp",
        quantity=1.0,
        unit="MWh",
        detail={"pack": "yes"},
        expected_kg={"CO2e": 70_000.0},
        citation="recalled averages: cell 55, pack adder 15 kgCO2e/kWh",
    ),
)
