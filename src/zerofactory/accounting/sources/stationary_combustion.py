"""Stationary combustion (固定燃烧): boilers, paint ovens, RTO burners, air supply units, melting furnaces.

CO2 = FC × NCV × CC × OF × 44/12; CH4 and N2O = FC × NCV × EF (see `combustion`). The China guideline counts CO2 only.
"""

from __future__ import annotations

from zerofactory.accounting.combustion import combustion_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text

FUELS = (
    "natural_gas", "lng", "lpg", "diesel", "gasoline", "fuel_oil", "kerosene", "anthracite", "bituminous", "lignite",
    "cleaned_coal", "other_washed_coal", "coal_products", "coke", "petroleum_coke", "coke_oven_gas", "blast_furnace_gas",
    "oxygen_steel_furnace_gas", "other_gas", "refinery_gas", "waste_oils", "biogas", "biodiesel", "wood", "charcoal",
)  # fmt: skip


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return CO2, CH4 and N2O of the fuel burnt in fixed equipment."""
    return combustion_flows(ask, "stationary")


SOURCE = Source(
    id="stationary_combustion",
    title=Text("固定燃烧", "stationary combustion"),
    scope=1,
    categories=categories("1.1", "s1.stationary", "fuel"),
    class_4m1e="machine",
    units=("normal_volume", "volume", "mass", "energy"),
    items=FUELS,
    item_required=True,
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.gas_turbine", "invoiced": "ad.invoice", "estimated": "ad.estimate"},
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行)化石燃料燃烧; IPCC 2006 Vol. 2 ch. 2 eq. 2.1, Table 2.3",
    example=Example(
        text=Text("1 万标方天然气", "10 000 Nm3 of natural gas"),
        item="natural_gas",
        quantity=1.0,
        unit="万Nm3",
        detail={},
        expected_kg={"CO2": 389.31 * 15.3 * 0.99 * 44 / 12, "CH4": 0.38931, "N2O": 0.038931},
        citation="NDRC 2013 附录: 389.31 GJ/万Nm3, 15.3 tC/TJ, 99 %; IPCC 2006 Vol. 2 Table 2.3: 1 kgCH4/TJ, 0.1 kgN2O/TJ",
    ),
)
