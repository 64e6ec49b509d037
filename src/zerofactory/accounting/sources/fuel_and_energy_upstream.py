"""Fuel- and energy-related activities (燃料和能源上游): what scopes 1 and 2 do not hold of the same fuels and kWh.

Fuels: amount × NCV × well-to-tank factor. Electricity: kWh × upstream factor, and losses on the way, kWh × L/(1 − L) × grid factor
with L the share of the supply that is lost. Heat likewise. With ``derived = "yes"`` the month's own activities are taken
(`upstream.derive`) and no document is accepted, so nothing is entered twice (GHG Protocol Scope 3 Standard, category 3).
"""

from __future__ import annotations

from zerofactory.accounting.heat import DETAILS
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.accounting.sources.stationary_combustion import FUELS
from zerofactory.accounting.upstream import DERIVED, upstream_flows
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return upstream emissions and losses per unit of fuel, electricity or heat."""
    return upstream_flows(ask)


SOURCE = Source(
    id="fuel_and_energy_upstream",
    title=Text("燃料和能源相关活动(上游与输配损失)", "fuel- and energy-related activities (upstream and losses)"),
    scope=3,
    categories=categories("4.1", "s3.03"),
    class_4m1e="material",
    units=("energy", "mass", "volume", "normal_volume"),
    items=(*FUELS, "electricity", "heat", "steam", "hot_water"),
    item_required=True,
    details=(
        detail_text(
            DERIVED, "由当月范围一、二活动推得", "derived from the scope 1 and 2 activities of the month", ("yes", "no")
        ),
        *DETAILS,
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.fuel.default", "invoiced": "ad.fuel.default", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 3; UK Government conversion factors 2020, WTT- fuels, Net CV",
    example=Example(
        text=Text("天然气 1 000 GJ", "1 000 GJ of natural gas"),
        item="natural_gas",
        quantity=1000.0,
        unit="GJ",
        detail={},
        expected_kg={"CO2e": 1_000_000 / 3.6 * 0.02649},
        citation="UK Government conversion factors 2020: WTT natural gas 0.02649 kgCO2e per kWh (net CV)",
    ),
)
