"""Purchased electricity (外购电力), seen two ways from the same kWh.

location        all kWh × average factor of the plant's grid (ISO 14064-1:2018 Annex E; GHG Protocol Scope 2 Guidance 6.1)
market_annual   kWh covered by an accepted contract × its factor (0 for non-fossil), the others × residual mix (6.2)

China publishes no residual mix: the national factor without market-traded non-fossil power stands in for it, and the reason
says so (standards, 4). The detail ``instrument`` is set by `electricity.split_by_contract`, never by hand.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text
from zerofactory.factors.resolve import find, single

INSTRUMENT = "instrument"


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return CO2 under both views."""
    unit = f"kgCO2/{ask.unit}"
    average = find(ask.book, "grid.average", ask.scope, item="electricity")
    role = "grid.contract_zero" if ask.has(INSTRUMENT) else "grid.residual"
    market = find(ask.book, role, ask.scope, item="electricity")
    certain = None if ask.has(INSTRUMENT) else "ef.grid.cn"
    return (
        Flow("CO2", single(average, unit), "AD × EF", regime="location", uncertainty="ef.grid.cn"),
        Flow("CO2", single(market, unit), "AD × EF", regime="market_annual", uncertainty=certain),
    )


SOURCE = Source(
    id="purchased_electricity",
    title=Text("外购电力", "purchased electricity"),
    scope=2,
    categories=categories("2.1", "s2.electricity", "electricity"),
    class_4m1e="machine",
    units=("energy",),
    items=("electricity",),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.elec_05", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 2 Guidance ch. 6; ISO 14064-1:2018 Annex E; 生态环境部、国家统计局公告2025年第47号",
    example=Example(
        text=Text("上海 2025 年用电 1 000 MWh", "1 000 MWh used in Shanghai in 2025"),
        item="electricity",
        quantity=1000.0,
        unit="MWh",
        detail={},
        expected_kg={"CO2|location": 573_700.0, "CO2|market_annual": 609_600.0},
        citation="公告2025年第47号: 上海 0.5737, 全国(不含市场化非化石) 0.6096 kgCO2/kWh (2023)",
    ),
)
