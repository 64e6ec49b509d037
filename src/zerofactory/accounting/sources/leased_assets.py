"""Leased assets (租入资产): energy used under a lease that scopes 1 and 2 do not hold (see `leasing`)."""

from __future__ import annotations

from zerofactory.accounting.leasing import DETAILS, ITEMS, UNITS, leased_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of the energy used."""
    return leased_flows(ask)


SOURCE = Source(
    id="leased_assets",
    title=Text("租入资产", "leased assets"),
    scope=3,
    categories=categories("4.4", "s3.08"),
    class_4m1e="machine",
    units=UNITS,
    items=ITEMS,
    item_required=True,
    details=DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.elec_1", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 8",
    example=Example(
        text=Text("租入仓库用电 100 MWh", "100 MWh used in a rented warehouse"),
        item="electricity",
        quantity=100.0,
        unit="MWh",
        detail={},
        expected_kg={"CO2": 57_370.0},
        citation="公告2025年第47号: 上海 0.5737 kgCO2/kWh (2023)",
    ),
)
