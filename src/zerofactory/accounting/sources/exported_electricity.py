"""Exported electricity (外供电力): shown apart, never deducted from scope 2 (standards, 4).

Only the China machinery guideline counts net purchased electricity (净购入电力) and subtracts it.
"""

from __future__ import annotations

from zerofactory.accounting.source import CN, Ask, Example, Flow, Source
from zerofactory.errors import Text
from zerofactory.factors.resolve import find, single


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 at the grid average that the exported kWh stand for."""
    average = find(ask.book, "grid.average", ask.scope, item="electricity")
    factor = single(average, f"kgCO2/{ask.unit}")
    return (Flow("CO2", factor, "AD × EF", regime="location", uncertainty="ef.grid.cn"),)


SOURCE = Source(
    id="exported_electricity",
    title=Text("外供电力", "exported electricity"),
    scope=0,
    categories={CN: "electricity"},
    class_4m1e="machine",
    units=("energy",),
    items=("electricity",),
    deducted_in=(CN,),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.elec_05", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行), 净购入电力; GHG Protocol Scope 2 Guidance 6.9",
    example=Example(
        text=Text("上海 2025 年上网 100 MWh", "100 MWh exported in Shanghai in 2025"),
        item="electricity",
        quantity=100.0,
        unit="MWh",
        detail={},
        expected_kg={"CO2|location": 57_370.0},
        citation="公告2025年第47号: 上海 0.5737 kgCO2/kWh (2023)",
    ),
)
