"""Leakage in the making of electrical and refrigeration equipment (电气与制冷设备生产泄漏).

E = (IB + AC − IE − DI) × GWP, opening stock, acquired, closing stock, filled into products; DI from flow meters, or with
EL = fillings × 0.342 mol × M (机械设备制造企业温室气体排放核算方法与报告指南(试行); standards 3.4). For plants that make
switchgear or refrigeration units; the filling of vehicles is `vehicle_ac_first_fill`.
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.fluorinated import REFRIGERANTS, filling_flows, gas_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the gas lost while making equipment: a balance in mass, or a number of fillings."""
    if units.parse(ask.unit).dimension == "count":
        return filling_flows(ask)
    return gas_flows(ask, "IB + AC - IE - DI")


SOURCE = Source(
    id="equipment_making_leakage",
    title=Text("电气与制冷设备生产泄漏", "leakage in making electrical and refrigeration equipment"),
    scope=1,
    categories=categories("1.4", "s1.fugitive", "process_equipment"),
    class_4m1e="method",
    units=("mass", "count"),
    items=("SF6", "CF4", "C2F6", *REFRIGERANTS),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("filled_into_products", -1)),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.refrig_service",
        "invoiced": "ad.refrig_service",
        "estimated": "ad.refrig_charge",
    },
    reference="机械设备制造企业温室气体排放核算方法与报告指南(试行), 电气与制冷设备生产: E_TD = (IB + AC − IE − DI) × GWP",
    example=Example(
        text=Text("充气操作 1 000 次 SF6", "1 000 fillings of SF6"),
        item="SF6",
        quantity=1000.0,
        unit="fill",
        detail={},
        expected_kg={"SF6": 1000 * 0.342 * 146.055 / 1000},
        citation="机械设备制造企业指南: 0.342 mol/次, SF6 约 50 g/次",
    ),
)
