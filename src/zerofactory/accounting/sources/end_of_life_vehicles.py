"""End of life of sold vehicles and batteries (售出车辆与电池的报废): dismantling waste and what becomes of it.

E = Σ mass × (metal share × EF_recycling + residue share × EF of its route). Recycling rows hold collection and sorting only; a
recycler's own process figure is added when the plant states it. The benefit of the metal recovered is never netted here: it is
booked as `recycling_credit` and shown apart (GHG Protocol Scope 3 Standard, category 12).
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number, detail_text
from zerofactory.accounting.terms import CARBON_TO_CO2, per_unit, stated
from zerofactory.errors import Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

ROUTES = {
    "landfill": "commercial_and_industrial_waste_landfill",
    "energy_recovery": "commercial_and_industrial_waste_incineration_with_energy_recovery",
    "incineration": "",
}
MASS = Text("单车或每千瓦时质量", "mass per vehicle or per kWh of battery")
RESIDUE = Text("残渣(不可回收)比例", "share of residue (not recycled)")
CARBON = Text("残渣化石碳含量", "fossil carbon in the residue")
PROCESS = Text("回收企业的处理排放", "recycler's own process emissions")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of dismantling, recycling and disposal."""
    mass = _mass(ask)
    recycled = "batteries_open_loop" if ask.item == "battery" else "metal_scrap_metal_closed_loop"
    residue = ask.number("residue_fraction", 0.0, 1.0)
    made = []
    if residue < 1.0:
        kept = stated("recycled_share", 1.0 - residue, "fraction", Text("回收比例", "share recycled"))
        factor = find(ask.book, "waste", ask.scope, item=recycled)
        made.append(indirect_flow(ask, [*mass, kept, factor], "mass × EF (recycling)", "ef.material.db"))
    if residue > 0.0:
        made.append(_residue(ask, [*mass, ask.stated("residue_fraction", "fraction", RESIDUE, 0.0, 1.0)]))
    if ask.has("process_kgco2e_per_kg"):
        own = ask.stated("process_kgco2e_per_kg", "kgCO2e/kg", PROCESS)
        made.append(indirect_flow(ask, [*mass, own], "mass × recycler's figure", "ef.material.epd"))
    return tuple(made)


def _mass(ask: Ask) -> list[Found]:
    if units.parse(ask.unit).dimension == "mass":
        return []
    return [ask.stated("mass_kg_per_unit", f"kg/{ask.unit}", MASS, 1e-9)]


def _residue(ask: Ask, amount: list[Found]) -> Flow:
    route = ask.choice("residue_route", tuple(ROUTES))
    if route == "incineration":
        burnt = [
            *amount,
            ask.stated("residue_carbon_fraction", "kgC/kg", CARBON, 0.0, 1.0),
            find(ask.book, "incineration.of", ask.scope, item="waste"),
        ]
        carbon = per_unit(burnt, "CO2", ask.unit, CARBON_TO_CO2)
        return Flow("CO2", carbon, "m × C × OF × 44/12", uncertainty="ef.material.db")
    factor = find(ask.book, "waste", ask.scope, item=ROUTES[route])
    return indirect_flow(ask, [*amount, factor], f"mass × EF ({route})", "ef.material.db")


SOURCE = Source(
    id="end_of_life_vehicles",
    title=Text("售出车辆与电池的报废", "end of life of sold vehicles and batteries"),
    scope=3,
    categories=categories("5.3", "s3.12"),
    class_4m1e="environment",
    units=("count_vehicle", "mass", "energy"),
    items=("vehicle", "battery"),
    item_required=True,
    details=(
        detail_number("residue_fraction", RESIDUE, "fraction", 1.0, required=True),
        detail_number("mass_kg_per_unit", MASS, "kg", 100_000.0),
        detail_text("residue_route", "残渣处置方式", "way of the residue", tuple(ROUTES)),
        detail_number("residue_carbon_fraction", CARBON, "kgC/kg", 1.0),
        detail_number("process_kgco2e_per_kg", PROCESS, "kgCO2e/kg", 100.0),
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.estimate", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 12; IPCC 2006 Vol. 5 ch. 5 eq. 5.1; UK conversion factors 2025",
    example=Example(
        text=Text(
            "1 000 辆, 1.6 t, 残渣 20 % 焚烧, 化石碳 40 %",
            "1 000 cars of 1.6 t, 20 % residue burnt, 40 % fossil carbon",
        ),
        item="vehicle",
        quantity=1000.0,
        unit="vehicle",
        detail={
            "mass_kg_per_unit": 1600.0,
            "residue_fraction": 0.2,
            "residue_route": "incineration",
            "residue_carbon_fraction": 0.4,
        },
        expected_kg={"CO2e": 1600 * 0.8 * 4.68568, "CO2": 1_600_000 * 0.2 * 0.4 * 44 / 12},
        citation="UK conversion factors 2025: scrap metal, closed loop 4.68568 kgCO2e/t; IPCC 2006 Vol. 5: OF 100 %",
        region="GB",
    ),
)
