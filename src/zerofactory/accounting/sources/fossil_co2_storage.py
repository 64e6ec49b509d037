"""Storage of fossil CO2 (化石二氧化碳捕集封存): a reduction, net of losses and energy, shown apart and no removal.

The carbon came from the ground and goes back; the stack stays counted gross, so that nothing is deducted twice.
"""

from __future__ import annotations

from zerofactory.accounting.capture import ACTIVITY, DETAILS, MONITORED, STORED, net_flows, worked
from zerofactory.accounting.source import Ask, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the terms of the net amount, signed."""
    return net_flows(ask)


SOURCE = Source(
    id="fossil_co2_storage",
    title=Text("化石二氧化碳捕集封存(单列)", "fossil CO2 captured and stored (shown apart)"),
    scope=0,
    categories={},
    class_4m1e="method",
    units=("mass",),
    items=("fossil_co2",),
    item_required=True,
    details=(*DETAILS, STORED, MONITORED),
    flows=flows,
    activity_uncertainty=ACTIVITY,
    apart="stored_fossil",
    reference="IPCC 2006 Vol. 2 ch. 5; ISO 14064-1:2018, 5.2.2",
    example=worked(
        Text("捕集化石 CO2 1 000 t, 损失 2 %, 电耗 350 kWh/t", "1 000 t of fossil CO2 captured, 2 % lost, 350 kWh/t"),
        "fossil_co2",
        {"storage": "mineralised", "monitoring": "封存合同 2"},
    ),
)
