"""On-site renewable electricity used by the plant itself (自发自用可再生电力).

It counts zero as long as its certificates are kept. When they are sold, the green attribute is gone: the market-based view
then takes the residual mix (GHG Protocol Scope 2 Guidance, table 7.1, criterion 7). Location-based it stays zero.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.errors import Text
from zerofactory.factors.resolve import find, single

YES_NO = ("yes", "no")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing, or the residual mix in the market-based view when the certificates were sold."""
    if ask.choice("certificates_sold", YES_NO) == "no":
        return ()
    residual = find(ask.book, "grid.residual", ask.scope, item="electricity")
    factor = single(residual, f"kgCO2/{ask.unit}")
    return (Flow("CO2", factor, "AD × EF", regime="market_annual", uncertainty="ef.grid.cn"),)


SOURCE = Source(
    id="on_site_renewable",
    title=Text("自发自用可再生电力", "on-site renewable electricity"),
    scope=2,
    categories=categories("2.1", "s2.electricity"),
    class_4m1e="machine",
    units=("energy",),
    items=("electricity",),
    details=(
        detail_text("certificates_sold", "绿证是否已转让他人", "certificates sold to others", YES_NO, required=True),
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.elec_05", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 2 Guidance 6.9 and table 7.1, criterion 7",
    example=Example(
        text=Text("屋顶光伏自用 100 MWh, 绿证已出售", "100 MWh of roof PV used on site, certificates sold"),
        item="electricity",
        quantity=100.0,
        unit="MWh",
        detail={"certificates_sold": "yes"},
        expected_kg={"CO2|market_annual": 60_960.0},
        citation="公告2025年第47号: 全国(不含市场化非化石) 0.6096 kgCO2/kWh (2023)",
    ),
)
