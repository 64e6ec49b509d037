"""A scheduling result as plain JSON values."""

from __future__ import annotations

from zerofactory.optimisation.scheduling.schedule import Schedule
from zerofactory.optimisation.scheduling.solve import Answer
from zerofactory.runs.schedule import Booked, Result, told_measures

UNITS = {
    "makespan_ticks": "ticks",
    "tardiness_ticks": "ticks",
    "cost_cny": "CNY",
    "carbon_gco2e": "gCO2e",
    "changes": "1",
}


def as_json(result: Result) -> dict[str, object]:
    """Return the whole result."""
    answer = result.answer
    return {
        "problem": result.loaded.problem.name,
        "status": answer.status,
        "objective": answer.objective,
        "bound": answer.bound,
        "gap_fraction": answer.gap_fraction,
        "runtime_s": round(answer.runtime_s, 2),
        "goal": {"weights": dict(answer.problem.goal.weights), "limits": dict(answer.problem.goal.limits), "units": UNITS},
        "measures": None if answer.schedule is None else told_measures(answer.schedule),
        "booked": _booked(result.booked),
        "naive": None if result.naive is None or result.naive.schedule is None else told_measures(result.naive.schedule),
        "naive_booked": _booked(result.naive_booked),
        "front": [
            {**told_measures(point.answer.schedule), "gap_fraction": point.answer.gap_fraction, "status": point.answer.status}
            for point in result.front
            if point.answer.schedule is not None
        ],
        "stages": [{"name": s.name, "objective": s.objective, "bound": s.bound, "at_s": round(s.at_s, 2)} for s in answer.stages],
        "check": findings(answer),
        "notes": [{"zh": note.zh, "en": note.en} for note in result.notes],
        "rows": [] if answer.schedule is None else rows(answer.schedule),
    }  # fmt: skip


def findings(answer: Answer) -> list[dict[str, object]]:
    """Return what the check found."""
    return [] if answer.check is None else [one.as_json() for one in answer.check.findings]


def rows(schedule: Schedule) -> list[dict[str, object]]:
    """Return rows of SCHEDULE with moments as text."""
    return [
        {**row, "started_at": row["started_at"].isoformat(), "ended_at": row["ended_at"].isoformat()}
        for row in schedule.rows().iter_rows(named=True)
    ]


def _booked(booked: Booked | None) -> dict[str, object] | None:
    if booked is None:
        return None
    return {"bought_kwh": round(booked.bought_kwh, 3), "booked_kgco2e": round(booked.booked_gco2e / 1000.0, 3)}
