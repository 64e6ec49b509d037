"""Purchased heat (外购热力): heat, steam, hot water, cooling.

E = AD[GJ] × EF, default 0.11 tCO2/GJ, the supplier's factor preferred (standards 3.6); see `heat` for steam and hot water
given in tonnes. There is no default for cooling: its supplier's factor must be stated.
"""

from __future__ import annotations

from zerofactory.accounting.heat import DETAILS, heat_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the heat bought."""
    return heat_flows(ask)


SOURCE = Source(
    id="purchased_heat",
    title=Text("外购热力", "purchased heat"),
    scope=2,
    categories=categories("2.2", "s2.heat", "heat"),
    class_4m1e="machine",
    units=("energy", "mass"),
    items=("heat", "steam", "hot_water", "cooling"),
    item_required=True,
    details=DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.steam", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行), 净购入热力; GB/T 32150-2025 7.5.6-7.5.7",
    example=Example(
        text=Text("0.8 MPa(绝压)饱和蒸汽 1 000 t", "1 000 t of saturated steam at 0.8 MPa (absolute)"),
        item="steam",
        quantity=1000.0,
        unit="t",
        detail={"steam_state": "saturated", "pressure_mpa": 0.8},
        expected_kg={"CO2": 1000 * (2768.3 - 83.74) / 1000 * 110},
        citation="h 2768.3 kJ/kg (IAPWS-IF97); AD = m × (h − 83.74)/1000; 0.11 tCO2/GJ",
    ),
)
