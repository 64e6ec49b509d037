"""What logistics answers, as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zerofactory.errors import Text
from zerofactory.optimisation.logistics.packaging import Compared
from zerofactory.optimisation.logistics.zero_carbon import Need

if TYPE_CHECKING:
    from zerofactory.runs.logistics_plan import PlanResult, View


def told(text: Text) -> dict[str, str]:
    """Return a text in both languages."""
    return {"zh": text.zh, "en": text.en}


def plan_json(result: PlanResult) -> dict[str, object]:
    """Return a plan of the network."""
    first = result.before.problem
    return {
        "period": result.period.label,
        "nodes": [
            {"id": n.id, "title": told(n.title), "kind": n.kind, "latitude": n.latitude, "longitude": n.longitude}
            for n in first.nodes
        ],
        "before": view_json(result.before),
        "after": None if result.after is None else view_json(result.after),
        "clean": None if result.clean is None else view_json(result.clean),
        "conflict": None if result.conflict is None else result.conflict.as_json(),
        "front": [{"cost_cny": one.cost_cny, "emissions_t": one.emissions_t} for one in result.front],
        "need": None if result.need is None else need_json(result.need),
        "packaging": [packaging_json(one) for one in result.packaging],
        "booking": {
            "documents": list(result.rows),
            "booked_gco2e": 0 if result.booked is None else int(result.booked.records["emissions_gco2e"].sum()),
            "plant_charged_gco2e": round(result.plant_charged_g),
        },
        "notes": [told(note) for note in result.notes],
    }


def view_json(view: View) -> dict[str, object]:
    """Return one checked plan with its transport chains."""
    titles = {fleet.kind.id: fleet.kind.title for fleet in view.problem.fleets}
    legs = {leg.id: leg for leg in view.problem.legs}
    found = view.chains
    return {
        "cost_cny": view.plan.cost_cny,
        "emissions_t": view.plan.emissions_t,
        "activity_tkm": found.activity_tkm,
        "vehicles": {name: count for name, count in view.plan.vehicles.items() if count},
        "elements": [
            {
                "leg": one.leg, "start": legs[one.leg].start, "end": legs[one.leg].end, "vehicle": one.vehicle,
                "title": told(titles[one.vehicle]), "tonnes": one.tonnes, "distance_km": legs[one.leg].distance_km, "daf": legs[one.leg].daf,
                "activity_tkm": one.activity_tkm, "vehicle_km": one.vehicle_km, "empty_fraction": one.empty_fraction,
                "load_fraction": one.load_fraction, "use": one.use, "use_unit": one.use_unit, "emissions_t": one.emissions_g / 1e6,
                "intensity_gco2e_per_tkm": one.intensity_g_per_tkm,
            }
            for one in found.elements
        ],
        "hubs": [
            {"node": one.node, "tonnes": one.tonnes, "energy_kwh": one.energy_kwh, "emissions_t": one.emissions_g / 1e6}
            for one in found.hubs
        ],
        "flows": [
            {
                "flow": one.flow, "tonnes": one.tonnes, "activity_tkm": one.activity_tkm,
                "emissions_t": (one.transport_g + one.hub_g) / 1e6, "intensity_gco2e_per_tkm": one.intensity_g_per_tkm,
            }
            for one in found.consignments
        ],
        "check": {"passed": view.check.passed, "worst_fraction": view.check.worst_fraction},
        "solve": view.report.as_json(),
    }  # fmt: skip


def need_json(need: Need) -> dict[str, object]:
    """Return what the clean end needs."""
    return {
        "electricity_kwh": need.electricity_kwh,
        "hydrogen_kg": need.hydrogen_kg,
        "electricity_t": need.electricity_t,
        "services_t": need.services_t,
        "engines_t": need.engines_t,
        "extra_cny": need.extra_cny,
        "saved_t": need.saved_t,
        "cny_per_t": need.cny_per_t,
        "residuals": [
            {
                "place": one.place, "vehicle": one.vehicle, "emissions_t": one.emissions_t, "energy_kwh": one.energy_kwh,
                "cure": told(one.cure),
            }
            for one in need.residuals
        ],
    }  # fmt: skip


def packaging_json(one: Compared) -> dict[str, Any]:
    """Return one returning pack beside the one thrown away."""
    return {
        "id": one.loop.id, "title": told(one.loop.title), "pool_packs": one.pool_packs, "made_packs_per_year": one.made_packs_per_year,
        "return_trips": one.return_trips, "return_tkm": one.return_tkm, "one_way_kg": one.one_way_kg, "returnable_kg": one.returnable_kg,
        "saved_kg": one.saved_kg, "one_way_t": one.one_way_t, "returnable_t": one.returnable_t, "saved_t": one.saved_t,
        "break_even_loops": one.break_even_loops,
    }  # fmt: skip
