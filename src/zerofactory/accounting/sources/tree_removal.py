"""Trees (林木固碳): carbon taken up by trees inside the boundary that the plant monitors; a removal, reported apart.

Only trees of the plant's own ground count, and only with a monitoring record; registered forestry projects belong to the ledger of
credits, not here. A loss of trees is booked as `tree_reversal`, an emission. Formulas: see `forestry`.
"""

from __future__ import annotations

from zerofactory.accounting.forestry import DETAILS, SPECIES, STANDS, carbon_flow
from zerofactory.accounting.source import Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 taken up."""
    return (carbon_flow(ask),)


SOURCE = Source(
    id="tree_removal",
    title=Text("林木固碳(单列)", "carbon taken up by trees (shown apart)"),
    scope=0,
    categories={},
    class_4m1e="environment",
    units=("area", "count"),
    items=(*STANDS, *SPECIES),
    details=DETAILS,
    flows=flows,
    activity_uncertainty={"metered": "ad.estimate", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    apart="removals",
    reference="IPCC 2006 Vol. 4 eq. 2.9, 2.10, 8.2, 8.3, Tables 4.3, 4.4, 8.2; ISO 14064-1:2018, 5.2.2 and 9.3.1 h)",
    example=Example(
        text=Text("树冠覆盖 3 公顷, 一年", "3 ha of crown cover for a year"),
        item=None,
        quantity=3.0,
        unit="ha",
        detail={"method": "crown_cover", "years": 1.0, "monitoring": "2025 绿化清查"},
        expected_kg={"CO2": 3 * 2900 * 44 / 12},
        citation="IPCC 2006 Vol. 4 ch. 8: 2.9 tC per hectare of crown cover and year",
    ),
)
