"""Loss of trees (林木损失): carbon that felled, burnt or dead trees give back; a reversal of removals, counted as an emission.

The same formulas as for the uptake (see `forestry`); ``years`` is the number of years of uptake that is lost.
"""

from __future__ import annotations

from zerofactory.accounting.forestry import DETAILS, SPECIES, STANDS, carbon_flow
from zerofactory.accounting.source import ISO, Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 given back."""
    return (carbon_flow(ask),)


SOURCE = Source(
    id="tree_reversal",
    title=Text("林木损失(固碳逆转)", "loss of trees (reversal of removals)"),
    scope=1,
    categories={ISO: "1.5"},
    class_4m1e="environment",
    units=("area", "count"),
    items=(*STANDS, *SPECIES),
    details=DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.estimate", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 4 eq. 2.9, 2.10, 8.2, 8.3; ISO 14064-1:2018, category 1.5; GHG Protocol: reversals are emissions",
    example=Example(
        text=Text(
            "砍伐幼林 2 公顷, 地上干生物量 30 t/ha", "2 ha of young stand felled, 30 t/ha of dry matter above ground"
        ),
        item="temperate_broad_young",
        quantity=2.0,
        unit="ha",
        detail={"method": "biomass", "biomass_increment": 30.0, "monitoring": "2025 绿化清查"},
        expected_kg={"CO2": 2 * 30_000 * 1.46 * 0.47 * 44 / 12},
        citation="IPCC 2006 Vol. 4 Table 4.4: R 0.46; Table 4.3: CF 0.47",
    ),
)
