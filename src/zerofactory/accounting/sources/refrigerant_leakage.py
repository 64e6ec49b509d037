"""Refrigerant of the plant's own equipment (制冷剂逸散): chillers, air conditioning, dryers, cold rooms.

Three methods, chosen by the detail ``method`` and never inferred (standards 3.4; GHG Protocol HFC/PFC tool; US EPA 2014):
  mass_balance   opening + purchased + charge of retired equipment − closing − sold or returned − charge of new equipment
                 (purchased uncharged)
  service        what service refills is what leaked
  screening      charge × annual leak rate of the kind of equipment × years; for small sources only
"""

from __future__ import annotations

from zerofactory.accounting.fluorinated import BALANCE, REFRIGERANTS, gas_flows, screening_terms, years_column
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.errors import Text

METHODS = ("mass_balance", "service", "screening")
EQUIPMENT = (
    "chiller", "air_conditioning", "domestic_refrigeration", "standalone_commercial_refrigeration",
    "medium_large_commercial_refrigeration", "industrial_refrigeration", "transport_refrigeration",
    "vehicle_air_conditioning",
)  # fmt: skip


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return each component of the refrigerant that leaks."""
    method = ask.choice("method", METHODS)
    if method != "screening":
        return gas_flows(ask, method, uncertainty=None)
    kind = ask.choice("equipment", EQUIPMENT)
    return gas_flows(ask, method, screening_terms(ask, "leak.screening", kind), uncertainty="ef.leak.screen")


SOURCE = Source(
    id="refrigerant_leakage",
    title=Text("制冷剂逸散", "leakage of refrigerant"),
    scope=1,
    categories=categories("1.4", "s1.fugitive"),
    class_4m1e="machine",
    units=("mass",),
    items=REFRIGERANTS,
    item_required=True,
    balance=BALANCE,
    details=(
        detail_text("method", "方法", "method", METHODS, required=True),
        detail_text("equipment", "设备类型(筛查法)", "kind of equipment (screening)", EQUIPMENT),
        years_column(),
    ),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.refrig_service",
        "invoiced": "ad.refrig_service",
        "estimated": "ad.refrig_charge",
    },
    reference="GHG Protocol HFC/PFC tool; US EPA Direct Fugitive Emissions (2014) sections 2.1-2.4; IPCC 2006 Vol. 3 ch. 7",
    example=Example(
        text=Text("冷水机组补充 R410A 20 kg", "20 kg of R410A refilled into chillers"),
        item="R410A",
        quantity=20.0,
        unit="kg",
        detail={"method": "service"},
        expected_kg={"HFC-32": 10.0, "HFC-125": 10.0},
        citation="ASHRAE 34: R410A = 50 % HFC-32 + 50 % HFC-125 by mass",
    ),
)
