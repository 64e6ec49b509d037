"""A sizing result as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zerofactory.optimisation.energy.sizing import FrontPoint, Reaction

if TYPE_CHECKING:
    from zerofactory.runs.energy_size import SizingResult, View


def as_json(result: SizingResult) -> dict[str, object]:
    """Return plain JSON values; a plan that failed its check is not among them."""
    answer = result.answer
    return {
        "period": result.period,
        "step_minutes": result.step_minutes,
        "goals": {name: getattr(result.goals, name) for name in result.goals.__slots__},
        "solve": answer.report.as_json(),
        "check": None
        if answer.check is None
        else {
            "passed": answer.check.passed,
            "worst_fraction": answer.check.worst_fraction,
            "runtime_s": answer.check.runtime_s,
            "findings": [one.as_json() for one in answer.check.findings],
        },
        "conflict": None if answer.conflict is None else answer.conflict.as_json(),
        "before": _view(result.before),
        "after": None if result.after is None else _view(result.after),
        "worth": None if result.worth is None else result.worth.as_json(),
        "front": [_point(one) for one in result.front],
        "sensitivity": [_reaction(one) for one in result.reactions],
    }


def _view(view: View) -> dict[str, object]:
    plan = view.plan
    return {
        "sizes": [
            {
                "asset": one.asset,
                "title": {"zh": one.title.zh, "en": one.title.en},
                "size": one.size,
                "unit": one.unit,
                "at_limit": one.at_limit,
                "is_built": one.is_built,
                "capex_cny": one.capex_cny,
                "annuity_cny": one.annuity_cny,
                "upkeep_cny": one.upkeep_cny,
            }
            for one in plan.sizes
        ],
        "cost_cny": {
            "electricity": view.energy_cny,
            "fuels_and_others": view.fuels_and_others_cny,
            "upkeep": view.upkeep_cny,
            "annuity": view.annuity_cny,
            "total": view.total_cny,
            "running_by_asset": dict(plan.costs.running_cny),
        },
        "emissions_t": {name: view.tonnes(name) for name in view.claims},
        "matched_fraction": {name: one.matched_fraction for name, one in view.claims.items()},
        "emissions_beside_electricity_t": view.other_t,
        "records": view.quantified.records.height,
        "shadow_prices": dict(plan.shadow_prices),
    }


def _point(one: FrontPoint) -> dict[str, object]:
    return {
        "cap_t": one.cap_t,
        "cost_cny": one.cost_cny,
        "emissions_t": one.emissions_t,
        "shadow_cny_per_t": one.shadow_cny_per_t,
        "sizes": dict(one.sizes),
    }


def _reaction(one: Reaction) -> dict[str, object]:
    return {
        "what": one.what,
        "factor": one.factor,
        "cost_cny": one.cost_cny,
        "emissions_t": one.emissions_t,
        "sizes": dict(one.sizes),
    }
