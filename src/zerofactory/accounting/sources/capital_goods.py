"""Capital goods (资本货物): counted in the year they are bought, never written off over years.

Supplier's footprint → mass × average → spend (GHG Protocol Scope 3 Standard, category 2).
"""

from __future__ import annotations

from zerofactory.accounting.catalogue import items
from zerofactory.accounting.indirect import GOODS_DETAILS, goods_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the upstream emissions of machines and buildings bought."""
    return goods_flows(ask, "capital_goods")


SOURCE = Source(
    id="capital_goods",
    title=Text("资本货物", "capital goods"),
    scope=3,
    categories=categories("4.2", "s3.02"),
    class_4m1e="machine",
    units=("money", "money_usd", "mass", "count"),
    items=items("capital_goods"),
    item_required=True,
    details=GOODS_DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.spend", "invoiced": "ad.spend", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 2; US EPA Supply Chain GHG Emission Factors v1.3.0",
    example=Example(
        text=Text("机床 1 000 万美元(2022 年价格)", "machine tools for 10 million US dollars (prices of 2022)"),
        item="machine_tools",
        quantity=10_000_000.0,
        unit="USD",
        detail={"price_ratio": 1.0},
        expected_kg={"CO2e": 1_990_000.0},
        citation="US EPA Supply Chain GHG Emission Factors v1.3.0, NAICS 333517: 0.199 kgCO2e/USD of 2022",
    ),
)
