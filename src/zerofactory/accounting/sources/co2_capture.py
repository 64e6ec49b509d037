"""CO2 capture with lasting storage (二氧化碳捕集封存, 生物源或空气): a removal, net of losses and energy, reported apart.

Only biogenic or atmospheric CO2 in lasting storage is a removal; fossil CO2 is `fossil_co2_storage`, use in short-lived goods
`co2_use`, and what leaks from the store later `stored_co2_leakage`, an emission. Formula: see `capture`.
"""

from __future__ import annotations

from zerofactory.accounting.capture import ACTIVITY, DETAILS, MONITORED, STORED, net_flows, worked
from zerofactory.accounting.source import Ask, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the terms of the net amount, signed."""
    return net_flows(ask)


SOURCE = Source(
    id="co2_capture",
    title=Text("二氧化碳捕集封存: 生物源或空气(单列)", "CO2 captured and stored: biogenic or from air (shown apart)"),
    scope=0,
    categories={},
    class_4m1e="method",
    units=("mass",),
    items=("biogenic_co2", "atmospheric_co2"),
    item_required=True,
    details=(*DETAILS, STORED, MONITORED),
    flows=flows,
    activity_uncertainty=ACTIVITY,
    apart="removals",
    reference="ISO 14064-1:2018, 3.1.3 and 9.3.1 h); GHG Protocol Land Sector and Removals; IPCC 2006 Vol. 2 ch. 5",
    example=worked(
        Text(
            "捕集生物源 CO2 1 000 t, 损失 2 %, 电耗 350 kWh/t", "1 000 t of biogenic CO2 captured, 2 % lost, 350 kWh/t"
        ),
        "biogenic_co2",
        {"storage": "geological", "monitoring": "封存合同 1"},
    ),
)
