"""Urea solution (车用尿素): CO2 from the urea of exhaust treatment.

E = m × 12/60 × purity × 44/12 (IPCC 2006 Vol. 2 eq. 3.2.2); 32.5 % solution gives 0.2383 kg/kg (standards 3.5). Another
purity is stated as the detail ``urea_fraction``.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number
from zerofactory.accounting.terms import CARBON_TO_CO2, per_unit
from zerofactory.errors import Text
from zerofactory.factors.resolve import find, single

CARBON_IN_UREA = 12 / 60
PURITY = Text("尿素质量分数", "mass fraction of urea")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the CO2 of the urea."""
    if ask.has("urea_fraction"):
        purity = ask.stated("urea_fraction", "kg/kg", PURITY, 0.0, 1.0)
        factor = per_unit([purity], "CO2", ask.unit, CARBON_IN_UREA * CARBON_TO_CO2)
    else:
        factor = single(find(ask.book, "process.urea", ask.scope, item="urea_solution"), f"kgCO2/{ask.unit}")
    return (Flow("CO2", factor, "m × 12/60 × purity × 44/12"),)


SOURCE = Source(
    id="urea_solution",
    title=Text("车用尿素", "urea solution"),
    scope=1,
    categories=categories("1.2", "s1.mobile"),
    class_4m1e="material",
    units=("mass",),
    items=("urea_solution",),
    details=(detail_number("urea_fraction", PURITY, "kg/kg", 1.0),),
    flows=flows,
    activity_uncertainty={"metered": "ad.scale.truck", "invoiced": "ad.fuel_card", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 2 ch. 3 eq. 3.2.2",
    example=Example(
        text=Text("车用尿素 1 t(32.5 %)", "1 t of 32.5 % urea solution"),
        item="urea_solution",
        quantity=1.0,
        unit="t",
        detail={},
        expected_kg={"CO2": 238.3},
        citation="IPCC 2006 Vol. 2 eq. 3.2.2: 12/60 × 0.325 × 44/12 = 0.2383",
    ),
)
