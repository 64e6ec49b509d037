"""What the fleet of a day answers, as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zerofactory.runs.logistics_json import told

if TYPE_CHECKING:
    from zerofactory.optimisation.logistics.dock import DockPlan, DockProblem
    from zerofactory.optimisation.logistics.in_plant import InPlant, InPlantPlan
    from zerofactory.runs.logistics_fleet import Driven, FleetResult


def fleet_json(result: FleetResult) -> dict[str, object]:
    """Return the fleet's day."""
    return {
        "day": None if result.day is None else result.day.isoformat(),
        "rounds": None if result.electric is None else rounds_json(result.electric),
        "rounds_by_diesel": None if result.diesel is None else rounds_json(result.diesel),
        "dock": None if result.dock is None else dock_json(*result.dock),
        "conflict": None if result.conflict is None else result.conflict.as_json(),
        "in_plant": [in_plant_json(fleet, plan) for fleet, plan in result.in_plant],
        "load_started_at": None if result.grid is None else result.grid.start.isoformat(),
        "notes": [told(note) for note in result.notes],
    }


def rounds_json(driven: Driven) -> dict[str, object]:
    """Return rounds with every visit."""
    found, places = driven.rounds, driven.problem.places
    return {
        "vehicle": driven.kind.id, "title": told(driven.kind.title), "vehicles": found.vehicles, "distance_km": found.distance_km,
        "cost_cny": found.cost_cny, "energy": driven.energy, "energy_unit": driven.kind.use_unit, "emissions_gco2e": driven.emissions_g,
        "status": str(found.status), "method": found.method, "range_binds": found.range_binds, "runtime_s": round(found.runtime_s, 3),
        "iterations": found.iterations, "check_passed": True,
        "places": [{"id": place.id, "x_km": place.x_km, "y_km": place.y_km, "is_station": driven.problem.is_station(n)} for n, place in enumerate(places)],
        "rounds": [
            {
                "distance_km": one.distance_km, "charged_kwh": one.charged_kwh,
                "load_kg": sum(places[n].load_kg for n in one.stops if driven.problem.is_stop(n)),
                "visits": [
                    {
                        "place": places[visit.place].id, "arrives_min": visit.arrives_min, "begins_min": visit.begins_min, "leaves_min": visit.leaves_min,
                        "battery_kwh": visit.battery_kwh if visit.battery_kwh < 1e8 else None, "charged_kwh": visit.charged_kwh,
                    }
                    for visit in one.visits
                ],
            }
            for one in found.rounds
        ],
    }  # fmt: skip


def dock_json(problem: DockProblem, plan: DockPlan) -> dict[str, object]:
    """Return the charging at the dock by interval."""
    return {
        "stays": [{"vehicle": s.vehicle, "first": s.first, "last": s.last, "need_kwh": s.need_kwh, "power_kw": s.power_kw} for s in problem.stays],
        "price_cny_per_kwh": problem.price_cny_per_kwh.tolist(), "load_kw": plan.load_kw.tolist(), "surplus_taken_kw": plan.surplus_kw.tolist(),
        "cost_cny": plan.cost_cny, "at_once_cny": plan.at_once_cny, "peak_rise_kw": plan.peak_rise_kw, "emissions_gco2e": plan.emissions_g,
        "solve": plan.report.as_json(), "check_passed": True,
    }  # fmt: skip


def in_plant_json(fleet: InPlant, plan: InPlantPlan) -> dict[str, object]:
    """Return the size of a fleet and its charging by interval."""
    return {
        "id": fleet.id, "title": told(fleet.title), "vehicles": plan.vehicles, "batteries": plan.batteries, "working": plan.working.tolist(),
        "charge_kw": plan.charge_kw.tolist(), "energy_kwh": plan.energy_kwh.tolist(), "energy_kwh_per_day": float(plan.charge_kw.sum()) * 24.0 / len(plan.charge_kw),
        "cost_cny_per_day": plan.cost_cny_per_day, "energy_cny_per_day": plan.energy_cny_per_day, "lowest_fraction": plan.lowest_fraction,
        "solve": plan.report.as_json(), "check_passed": True,
    }  # fmt: skip
