"""Waste water treated on site (废水处理): CH4 of the organic load, N2O of the nitrogen discharged.

CH4 = (TOW − S) × Bo × MCF − R in kg COD (IPCC 2006 Vol. 5 eq. 6.4 and 6.5, Bo 0.25 kg/kg COD, MCF Table 6.8); what is
recovered and burnt, R, is given as a share of what is formed. N2O = N × EF × 44/28 (eq. 6.7). The carbon is biogenic.
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number, detail_text, fault
from zerofactory.accounting.terms import per_unit, stated
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.resolve import find

N2O_OF_NITROGEN = 44 / 28
TREATMENTS = (
    "aerobic_well_managed", "aerobic_overloaded", "anaerobic_reactor", "anaerobic_digester", "anaerobic_shallow_lagoon",
    "anaerobic_deep_lagoon", "sea_river_lake",
)  # fmt: skip
RECOVERED = Text("回收利用或火炬销毁的甲烷比例", "share of the methane recovered or flared")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return CH4 per COD removed, or N2O per nitrogen discharged."""
    dimension = {"cod": "cod_mass", "nitrogen": "nitrogen_mass"}[ask.item or "cod"]
    if units.parse(ask.unit).dimension != dimension:
        raise FaultyData(
            [
                fault(
                    "unit_of_item",
                    Text(f"“{ask.item}”不能用单位“{ask.unit}”。", f"'{ask.item}' cannot take unit '{ask.unit}'."),
                    Text(
                        f"可用: {', '.join(units.symbols_of(dimension))}。",
                        f"Use {', '.join(units.symbols_of(dimension))}.",
                    ),
                    column="unit",
                )
            ]
        )
    if ask.item == "nitrogen":
        nitrous = find(ask.book, "wastewater.n2o", ask.scope, item="nitrogen")
        return (Flow("N2O", per_unit([nitrous], "N2O", ask.unit, N2O_OF_NITROGEN), "N × EF × 44/28"),)
    capacity = find(ask.book, "wastewater.bo", ask.scope, item="cod")
    treatment = find(ask.book, "wastewater.mcf", ask.scope, item=ask.choice("treatment", TREATMENTS))
    terms = [capacity, treatment]
    if ask.has("recovered_fraction"):
        left = 1.0 - ask.number("recovered_fraction", 0.0, 1.0)
        terms.append(stated("not_recovered", left, "fraction", Text("未回收的比例", "share not recovered")))
    return (Flow("CH4", per_unit(terms, "CH4", ask.unit), "(TOW - S) × Bo × MCF - R", origin="biogenic"),)


SOURCE = Source(
    id="wastewater",
    title=Text("废水处理", "waste water treatment"),
    scope=1,
    categories=categories("1.3", "s1.process"),
    class_4m1e="environment",
    units=("cod_mass", "nitrogen_mass"),
    items=("cod", "nitrogen"),
    item_required=True,
    balance=(("load", 1), ("sludge", -1)),
    details=(
        detail_text("treatment", "处理方式", "treatment", TREATMENTS),
        detail_number("recovered_fraction", RECOVERED, "fraction", 1.0),
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.meter.water", "invoiced": "ad.mass_bom", "estimated": "ad.estimate"},
    reference="IPCC 2006 Vol. 5 ch. 6 eq. 6.4, 6.5, 6.7, Tables 6.8, 6.11",
    example=Example(
        text=Text("好氧池超负荷, 去除 COD 20 t", "20 t of COD in an overloaded aerobic plant"),
        item="cod",
        quantity=20.0,
        unit="t COD",
        detail={"treatment": "aerobic_overloaded"},
        expected_kg={"CH4": 20_000 * 0.25 * 0.3},
        citation="IPCC 2006 Vol. 5: Bo 0.25 kg CH4/kg COD, MCF 0.3",
    ),
)
