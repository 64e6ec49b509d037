"""Purchased goods and services (外购商品和服务): supplier's footprint → mass × average → spend.

E = Σ mass × EF; EF = r × EF_recycled + (1 − r) × EF_primary for a mix; steel by route (bf_bof, dri_eaf, eaf) with worldsteel's
averages, the band of the starting document said beside it (standards, 5). Scrap that goes back must be netted by the plant.
"""

from __future__ import annotations

from zerofactory.accounting.catalogue import items
from zerofactory.accounting.indirect import GOODS_DETAILS, goods_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the upstream emissions of what was bought."""
    return goods_flows(ask, "goods")


SOURCE = Source(
    id="purchased_goods",
    title=Text("外购商品和服务", "purchased goods and services"),
    scope=3,
    categories=categories("4.1", "s3.01"),
    class_4m1e="material",
    units=("mass", "money", "money_usd", "count"),
    items=items("goods"),
    item_required=True,
    details=GOODS_DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 1; ISO 14064-1:2018 Annex B; worldsteel Sustainability Indicators 2022",
    example=Example(
        text=Text("高炉转炉钢 1 000 t", "1 000 t of blast-furnace steel"),
        item="steel",
        quantity=1000.0,
        unit="t",
        detail={"route": "bf_bof"},
        expected_kg={"CO2": 2_330_000.0},
        citation="worldsteel 2022: BF-BOF 2.33, scrap-EAF 0.68, DRI-EAF 1.37 tCO2/t of crude steel",
    ),
)
