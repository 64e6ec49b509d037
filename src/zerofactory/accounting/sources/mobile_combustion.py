"""Mobile combustion (移动燃烧): own vehicles, forklifts, test track, engine test beds.

CO2 as for fixed equipment; CH4 and N2O by use: on the road IPCC 2006 Vol. 2 Table 3.2.2, off the road Table 3.3.1. The use
is stated, never inferred from the fuel.
"""

from __future__ import annotations

from typing import cast

from zerofactory.accounting.combustion import combustion_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.errors import Text
from zerofactory.factors.model import FuelUse

USES = ("road", "offroad")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return CO2, CH4 and N2O of the fuel burnt in engines."""
    return combustion_flows(ask, cast(FuelUse, ask.choice("use", USES)))


SOURCE = Source(
    id="mobile_combustion",
    title=Text("移动燃烧", "mobile combustion"),
    scope=1,
    categories=categories("1.2", "s1.mobile", "fuel"),
    class_4m1e="machine",
    units=("mass", "volume", "normal_volume", "energy"),
    items=("diesel", "gasoline", "lpg", "natural_gas", "lng", "biodiesel", "biogasoline"),
    item_required=True,
    details=(detail_text("use", "用途(道路road/非道路offroad)", "use", USES, required=True),),
    flows=flows,
    activity_uncertainty={"metered": "ad.fuel_card", "invoiced": "ad.fuel_card", "estimated": "ad.estimate"},
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行)化石燃料燃烧; IPCC 2006 Vol. 2 ch. 3 Tables 3.2.2, 3.3.1",
    example=Example(
        text=Text("叉车用柴油 1 t", "1 t of diesel in forklifts"),
        item="diesel",
        quantity=1.0,
        unit="t",
        detail={"use": "offroad"},
        expected_kg={"CO2": 42.652 * 20.2 * 0.98 * 44 / 12, "CH4": 42.652e-3 * 4.15, "N2O": 42.652e-3 * 28.6},
        citation="NDRC 2013 附录: 42.652 GJ/t, 20.2 tC/TJ, 98 %; IPCC 2006 Vol. 2 Table 3.3.1: 4.15 kgCH4/TJ, 28.6 kgN2O/TJ",
    ),
)
