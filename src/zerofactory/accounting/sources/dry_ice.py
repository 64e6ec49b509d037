"""Dry ice (干冰): blasting with solid CO2; all of it is emitted. The origin of the CO2 may be disclosed in the note."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text
from zerofactory.factors.resolve import find, single


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the dry ice."""
    found = find(ask.book, "process.dry_ice", ask.scope, item="dry_ice")
    return (Flow("CO2", single(found, f"kgCO2/{ask.unit}"), "m"),)


SOURCE = Source(
    id="dry_ice",
    title=Text("干冰清洗", "dry-ice blasting"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="method",
    units=("mass",),
    items=("dry_ice",),
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("sold", -1)),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="mass balance: 1 kg CO2 per kg",
    example=Example(
        text=Text("干冰 2.5 t", "2.5 t of dry ice"),
        item="dry_ice",
        quantity=2.5,
        unit="t",
        detail={},
        expected_kg={"CO2": 2500.0},
        citation="mass balance",
    ),
)
