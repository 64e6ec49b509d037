"""Use of carbonates (碳酸盐使用): flux, waste-gas and waste-water treatment.

E = Σ m × purity × EF (standards 3.5; Chinese sector guidelines, table of carbonates).
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number
from zerofactory.accounting.terms import per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find

PURITY = Text("纯度(质量分数)", "purity (mass fraction)")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the carbonate decomposed."""
    factor = find(ask.book, "process.carbonate", ask.scope, item=ask.item)
    purity = ask.stated("purity", "kg/kg", PURITY, 0.0, 1.0)
    return (Flow("CO2", per_unit([purity, factor], "CO2", ask.unit), "m × purity × EF"),)


SOURCE = Source(
    id="carbonate_use",
    title=Text("碳酸盐使用", "use of carbonates"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="material",
    units=("mass",),
    items=(
        "caco3",
        "mgco3",
        "na2co3",
        "nahco3",
        "feco3",
        "mnco3",
        "baco3",
        "li2co3",
        "k2co3",
        "srco3",
        "dolomite",
    ),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    details=(detail_number("purity", PURITY, "kg/kg", 1.0, required=True),),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="工业其他行业企业温室气体排放核算方法与报告指南(试行), 碳酸盐使用; IPCC 2006 Vol. 3 Table 2.1",
    example=Example(
        text=Text("纯碱 5 t, 纯度 98 %", "5 t of soda ash, 98 % pure"),
        item="na2co3",
        quantity=5.0,
        unit="t",
        detail={"purity": 0.98},
        expected_kg={"CO2": 5000 * 0.98 * 0.415},
        citation="0.415 tCO2/t Na2CO3",
    ),
)
