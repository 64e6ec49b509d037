"""The schedule of a line as plain JSON values, and as files."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from zerofactory.errors import Language, Text
from zerofactory.optimisation.scheduling.flow_plan import load_rows, pieces, schedule_rows
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan, FlowShop
from zerofactory.periods import zone
from zerofactory.store.files import write_bytes_whole, write_whole

if TYPE_CHECKING:
    from zerofactory.runs.context import Context
    from zerofactory.runs.schedule_line import Judged, LineSchedule


def as_json(found: LineSchedule) -> dict[str, object]:
    """Return plain JSON values of a line's schedule."""
    naive, best = found.naive, found.best
    return {
        "start": found.problem.start.isoformat(),
        "slot_minutes": found.problem.slot_minutes,
        "objective": found.objective,
        "as_it_comes": _judged(naive),
        "best": _judged(best),
        "saved": {
            "carbon_t": (naive.measures.carbon_gco2e - best.measures.carbon_gco2e) / 1e6,
            "booked_t": naive.booked_t - best.booked_t,
            "cost_cny": naive.measures.cost_cny - best.measures.cost_cny,
            "energy_kwh": naive.measures.energy_kwh - best.measures.energy_kwh,
        },
        "bound": found.bound,
        "gap_fraction": found.gap,
        "front": [{"carbon_share": p.carbon_share, "cost_cny": p.cost_cny, "carbon_t": p.carbon_t, "tardiness_slots": p.tardiness_slots} for p in found.front],
        "order": list(best.plan.order),
        "rows": rows(found.problem, best.plan),
        "notes": [{"zh": note.zh, "en": note.en} for note in found.background.notes],
        "moves": found.moves,
        "runtime_s": round(found.runtime_s, 3),
    }  # fmt: skip


def _judged(one: Judged) -> dict[str, object]:
    return {**one.measures.as_json(), "booked_t": one.booked_t, "check_passed": one.check.passed}


def rows(problem: FlowShop, plan: FlowPlan) -> list[dict[str, object]]:
    """Return everything every line does: work, set-ups, warming up and rests."""
    slot = timedelta(minutes=problem.slot_minutes)
    return [
        {
            "line": one.unit, "activity": one.activity, "lot": one.lot, "family": one.family, "rest": one.rest,
            "started_at": (problem.start + one.first * slot).isoformat(), "ended_at": (problem.start + one.last * slot).isoformat(),
            "energy_kwh": sum(one.power_kw) * problem.slot_hours,
        }
        for one in pieces(problem, plan)
    ]  # fmt: skip


def write(context: Context, found: LineSchedule, folder: Path, language: Language) -> list[Path]:
    """Write schedule.csv, load.parquet, schedule.json and the Gantt chart into a folder; return the files."""
    from zerofactory.reporting import gantt, line_gantt

    folder.mkdir(parents=True, exist_ok=True)
    place = zone(context.workspace.plant.time_zone)
    frame = schedule_rows(found.problem, found.best.plan)
    local = frame.with_columns(
        pl.Series(name, [moment.astimezone(place).isoformat() for moment in frame[name]], dtype=pl.String)
        for name in ("started_at", "ended_at")
    )
    load = load_rows(found.problem, found.best.plan, context.now)
    made = [folder / "schedule.csv", folder / "load.parquet", folder / "schedule.json"]
    write_bytes_whole(made[0], local.write_csv().encode())
    write_whole(made[1], lambda partial: load.write_parquet(partial, compression="zstd"))
    write_bytes_whole(made[2], (json.dumps(as_json(found), ensure_ascii=False, indent=2) + "\n").encode())
    plans = ((Text("按订单先后", "as orders come"), found.naive.plan), (Text("计划", "schedule"), found.best.plan))
    figure = line_gantt.draw(found.problem, plans, language, context.workspace.plant.time_zone)
    made += [folder / "gantt.svg", folder / "gantt.png"]
    for path, content in zip(made[3:], (gantt.svg(figure), gantt.png(figure)), strict=True):
        write_bytes_whole(path, content)
    return made
