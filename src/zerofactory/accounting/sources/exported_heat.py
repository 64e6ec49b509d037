"""Exported heat (外供热力): shown apart; subtracted only where the China machinery guideline counts net heat (净购入热力)."""

from __future__ import annotations

from zerofactory.accounting.heat import DETAILS, heat_flows
from zerofactory.accounting.source import CN, Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 that the exported heat stands for."""
    return heat_flows(ask)


SOURCE = Source(
    id="exported_heat",
    title=Text("外供热力", "exported heat"),
    scope=0,
    categories={CN: "heat"},
    class_4m1e="machine",
    units=("energy", "mass"),
    items=("heat", "steam", "hot_water", "cooling"),
    item_required=True,
    details=DETAILS,
    deducted_in=(CN,),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.steam", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行), 净购入热力",
    example=Example(
        text=Text("外供 90 ℃ 热水 500 t", "500 t of hot water at 90 °C exported"),
        item="hot_water",
        quantity=500.0,
        unit="t",
        detail={"temperature_celsius": 90.0},
        expected_kg={"CO2": 500 * (90 - 20) * 4.1868 / 1000 * 110},
        citation="AD = m × (T − 20) × 4.1868/1000; 0.11 tCO2/GJ",
    ),
)
