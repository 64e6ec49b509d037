"""Use of captured CO2 in short-lived goods (二氧化碳利用): a delay, neither a removal nor a reduction, shown apart.

Carbon in fuels, drinks, welding gas or urea is back in the air within years (standards, 11).
"""

from __future__ import annotations

from zerofactory.accounting.capture import ACTIVITY, DETAILS, net_flows, worked
from zerofactory.accounting.source import Ask, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the terms of the net amount, signed."""
    return net_flows(ask)


SOURCE = Source(
    id="co2_use",
    title=Text("二氧化碳短期利用(延迟排放, 单列)", "CO2 used in short-lived goods (a delay, shown apart)"),
    scope=0,
    categories={},
    class_4m1e="method",
    units=("mass",),
    items=("biogenic_co2", "atmospheric_co2", "fossil_co2"),
    item_required=True,
    details=DETAILS,
    flows=flows,
    activity_uncertainty=ACTIVITY,
    apart="delayed",
    reference="IPCC 2006 Vol. 3 ch. 1.3; GHG Protocol Land Sector and Removals: only lasting storage counts",
    example=worked(
        Text(
            "捕集 CO2 1 000 t 用作焊接气体, 损失 2 %, 电耗 350 kWh/t",
            "1 000 t of CO2 caught for welding gas, 2 % lost, 350 kWh/t",
        ),
        "fossil_co2",
        {},
    ),
)
