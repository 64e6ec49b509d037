"""A comparison of routes as plain JSON values."""

from __future__ import annotations

from dataclasses import asdict

from zerofactory.errors import Text
from zerofactory.optimisation.routes.load import numbers
from zerofactory.optimisation.routes.route import Number
from zerofactory.runs.route_compare import Compared, Comparison

SCOPES = {1: "scope_1", 2: "scope_2", 3: "scope_3"}


def both(text: Text) -> dict[str, str]:
    """Return a text in both languages."""
    return {"zh": text.zh, "en": text.en}


def as_json(found: Comparison) -> dict[str, object]:
    """Return a comparison as plain values; masses in kg, energy in kWh, emissions in kg of CO2e, all for one body."""
    return {
        "part": found.asked.part,
        "base": found.asked.base,
        "year": found.year,
        "volume": found.volume,
        "routes": [_route(found, name, one) for name, one in found.routes.items()],
        "break_even": {
            name: [{"volume": c.volume, "cheaper": c.cheaper} for c in crossings]
            for name, crossings in found.crossings.items()
        },
        "sensitivity": {
            "recycled_fractions": list(found.shared.recycled_fractions),
            "grid_gco2e_per_kwh": list(found.shared.grid_gco2e_per_kwh),
            "kgco2e_per_body": {name: [list(row) for row in table] for name, table in found.recycled_table.items()},
            "numbers": {name: [asdict(one) for one in swings] for name, swings in found.swings.items()},
        },
        "equal_recycled_fraction": dict(found.equal_recycled_fraction),
        "steel_band_kgco2e_per_kg": list(found.steel_band_kgco2e_per_kg),
    }


def _route(found: Comparison, name: str, one: Compared) -> dict[str, object]:
    body, money, base = one.body, one.costed, found.base
    route = body.route
    return {
        "route": name,
        "title": both(route.title.text),
        "description": both(route.description.text),
        "parts": sum(branch.parts.value for branch in route.branches),
        "joints": sum(step.joints.value for step in route.joining if step.joints),
        "net_kg": body.net_kg,
        "new_metal_kg": body.new_kg,
        "scrap_sold_kg": sum(metal.sold_kg for metal in body.metals),
        "remelted_kg": sum(metal.remelted_kg for metal in body.metals),
        "lost_kg": sum(metal.lost_kg for metal in body.metals),
        "utilisation_fraction": body.net_kg / body.new_kg,
        "electricity_kwh": one.electricity_kwh,
        "natural_gas_nm3": body.quantity("stationary_combustion", "natural_gas"),
        "kgco2e": one.kgco2e_per_body,
        "metal_kgco2e": one.metal_kgco2e,
        "scrap_credit_kgco2e": one.scrap_credit_kgco2e,
        "netted_kgco2e": one.netted_kgco2e,
        "by_scope_kgco2e": {SCOPES[s]: grams / money.volume / 1000.0 for s, grams in one.booked_gco2e.items()},
        "cny": money.cny_per_body,
        "cny_by_kind": {kind: value / money.volume for kind, value in money.cny_per_year.items()},
        "investment_cny": money.investment_cny,
        "tooling_cny": money.tooling_cny,
        "area_m2": money.area_m2,
        "takt_s": money.takt_s,
        "stations": [
            {"branch": s.branch, "step": s.step, "number": s.number, "used_fraction": s.used_fraction}
            for s in money.stations
        ],
        "break_even_text": "; ".join(f"{c.volume:,} {c.cheaper}" for c in found.crossings.get(name, ())) or "–",
        "use_phase_kwh": found.use_kwh[name],
        "steel_saved_kg": found.steel_saved_kg.get(name, 0.0),
        "saved_kgco2e": base.kgco2e_per_body - one.kgco2e_per_body,
        "cny_per_tco2e": _per_tonne(base, one),
        "numbers": {
            status: sum(number.status == status for number in _numbers(one))
            for status in ("verified", "secondary", "assumption")
        },
    }


def _numbers(one: Compared) -> list[Number]:
    return [number for _, number in numbers(one.body.route)]


def _per_tonne(base: Compared, one: Compared) -> float | None:
    """Return what a tonne saved against the base costs; None where nothing is saved."""
    saved = base.kgco2e_per_body - one.kgco2e_per_body
    return None if saved <= 1e-9 else (one.costed.cny_per_body - base.costed.cny_per_body) / saved * 1000.0
