"""Measured emission (直接监测): a gas measured in the stack by a continuous monitoring system.

The amount is the emission itself. Do not book the fuel of the same stack as well. The origin of CO2 and CH4 is stated. The
machinery guideline knows calculation only, so measured emissions stand outside it.
"""

from __future__ import annotations

from typing import cast

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.accounting.terms import identity, per_unit
from zerofactory.errors import Text
from zerofactory.factors.model import Origin

ORIGINS = ("fossil", "biogenic")
MEASURED = Text("排放量由连续监测直接测得。", "The emission is measured directly.")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the gas measured."""
    gas = ask.item or ""
    origin = cast(Origin, ask.choice("origin", ORIGINS)) if gas in ("CO2", "CH4") else None
    biogenic = gas == "CO2" and origin == "biogenic"
    factor = per_unit([identity(MEASURED)], gas, ask.unit)
    return (Flow(gas, factor, "measured", biogenic=biogenic, origin=origin),)


SOURCE = Source(
    id="measured_emission",
    title=Text("在线监测排放", "measured emission"),
    scope=1,
    categories=categories("1.1", "s1.stationary"),
    class_4m1e="machine",
    units=("mass",),
    items=("CO2", "CH4", "N2O", "SF6", "NF3", "CF4", "C2F6"),
    item_required=True,
    details=(detail_text("origin", "碳来源", "origin of the carbon", ORIGINS),),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.gas_turbine", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    reference="ISO 14064-1:2018 6.2.3 (measurement); GB/T 32150 连续监测",
    example=Example(
        text=Text("烟囱测得 CO2 3.2 t", "3.2 t of CO2 measured in a stack"),
        item="CO2",
        quantity=3.2,
        unit="t",
        detail={"origin": "fossil"},
        expected_kg={"CO2": 3200.0},
        citation="identity",
    ),
)
