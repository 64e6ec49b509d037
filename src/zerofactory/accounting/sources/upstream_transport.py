"""Upstream transport and distribution (上游运输): goods on their way in, and whatever else the plant pays the carrier for.

E = Σ t·km × EF, or vehicle·km × EF, or vehicle·km × kWh/km × grid for electric trucks (see `carriage`).
"""

from __future__ import annotations

from zerofactory.accounting.carriage import DETAILS, UNITS, carriage_flows
from zerofactory.accounting.catalogue import items
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of carriage in."""
    return carriage_flows(ask)


SOURCE = Source(
    id="upstream_transport",
    title=Text("上游运输和配送", "upstream transport and distribution"),
    scope=3,
    categories=categories("3.1", "s3.04"),
    class_4m1e="method",
    units=UNITS,
    items=items("carriage"),
    item_required=True,
    details=DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.distance_gps", "invoiced": "ad.distance_planned", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 4; GB/T 51366-2019 Appendix E; UK conversion factors 2025",
    example=Example(
        text=Text("18 t 柴油货车运输 1 000 t × 300 km", "1 000 t over 300 km by 18 t diesel truck"),
        item="truck_diesel_18t",
        quantity=1000.0,
        unit="t",
        detail={"distance_km": 300.0},
        expected_kg={"CO2e": 300_000 * 0.129},
        citation="GB/T 51366-2019 Appendix E: 0.129 kgCO2e/(t·km)",
    ),
)
