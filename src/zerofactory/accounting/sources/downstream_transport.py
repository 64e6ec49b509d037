"""Downstream transport and distribution (下游运输): vehicles on their way to dealers and customers.

E = Σ t·km × EF, or vehicle·km × EF; car carriers, ro-ro ships, rail and electric trucks (see `carriage`).
"""

from __future__ import annotations

from zerofactory.accounting.carriage import DETAILS, UNITS, carriage_flows
from zerofactory.accounting.catalogue import items
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of carriage out."""
    return carriage_flows(ask)


SOURCE = Source(
    id="downstream_transport",
    title=Text("下游运输和配送", "downstream transport and distribution"),
    scope=3,
    categories=categories("3.2", "s3.09"),
    class_4m1e="method",
    units=UNITS,
    items=items("carriage"),
    item_required=True,
    details=DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.distance_gps", "invoiced": "ad.distance_planned", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 9; UK conversion factors 2025; electric trucks on the local grid",
    example=Example(
        text=Text("纯电牵引车 10 万车公里, 1.5 kWh/km", "100 000 vehicle·km by electric tractor at 1.5 kWh/km"),
        item="truck_electric_49t",
        quantity=100_000.0,
        unit="vehicle·km",
        detail={"kwh_per_km": 1.5},
        expected_kg={"CO2": 150_000 * 0.5737},
        citation="km × kWh/km × grid; 公告2025年第47号: 上海 0.5737 kgCO2/kWh (2023)",
    ),
)
