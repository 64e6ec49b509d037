"""Waste treated by others (运营废弃物), by kind and route of disposal.

E = Σ mass × EF of the route. Rows of recycling and of energy recovery hold collection and sorting only: what the next user does is
theirs (standards, 5). Hazardous waste that a contractor burns: fossil CO2 per tonne, a recalled default.
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.catalogue import items, look_up, routes
from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text, fault
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.resolve import find


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of disposal."""
    entry = look_up("waste_routes", ask, "disposal")
    factor = find(ask.book, entry.role, ask.scope, item=entry.factor)
    lower = units.parse_factor_unit(factor.factor.unit).denominator
    if lower is None or lower.dimension != units.parse(ask.unit).dimension:
        listed = ", ".join(units.symbols_of(lower.dimension if lower else "mass"))
        said = Text(f"“{entry.title.zh}”不能用单位“{ask.unit}”。", f"'{entry.title.en}' cannot take unit '{ask.unit}'.")
        hint = Text(f"可用: {listed}。", f"Use one of: {listed}.")
        raise FaultyData([fault("unit_of_item", said, hint, column="unit")])
    return (indirect_flow(ask, [factor], "mass × EF of the route", "ef.material.db"),)


SOURCE = Source(
    id="waste_by_route",
    title=Text("运营产生的废弃物(委托处置)", "waste generated in operations"),
    scope=3,
    categories=categories("4.3", "s3.05"),
    class_4m1e="environment",
    units=("mass", "volume"),
    items=items("waste_routes"),
    item_required=True,
    details=(detail_text("disposal", "处置方式", "way of disposal", routes("waste_routes")),),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.scale.truck", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 5; UK Government conversion factors 2025, waste disposal",
    example=Example(
        text=Text("一般工业固废填埋 100 t(英国)", "100 t of industrial waste landfilled in the United Kingdom"),
        item="industrial_waste",
        quantity=100.0,
        unit="t",
        detail={"disposal": "landfill"},
        expected_kg={"CO2e": 52_053.27},
        citation="UK Government conversion factors 2025: commercial and industrial waste, landfill 520.5327 kgCO2e/t",
        region="GB",
    ),
)
