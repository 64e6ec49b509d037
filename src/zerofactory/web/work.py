"""Long work on a page: begun with a button, its steps shown, cancelled with another, found again after a reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

from nicegui import ui

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.runs.job_kinds import kind_of
from zerofactory.runs.jobs import Asked, Job
from zerofactory.runs.kept import basis_of
from zerofactory.web.act import REFUSED, allowed, trace
from zerofactory.web.frame import problems
from zerofactory.web.visit import Visit

LOOK_SECONDS = 0.4
Told = Callable[[Job], None]
STATES = {
    "waiting": Text("等待", "waiting"),
    "running": Text("进行中", "running"),
    "cancelling": Text("正在取消", "cancelling"),
    "done": Text("完成", "done"),
    "failed": Text("未成", "failed"),
    "cancelled": Text("已取消", "cancelled"),
}


def begin(
    visit: Visit, kind: str, parameters: Mapping[str, Any], place: ui.element, told: Told, scratch: Path | None = None
) -> Job | None:
    """Begin work and follow it in ``place``; ``told`` draws what it came to. None after saying why it may not begin."""
    place.clear()
    action = f"{kind} {parameters.get('period', '')}".strip()
    if not allowed(visit, kind_of(kind).permission):
        trace(visit, action, "refused")
        _not_begun(visit, place, [REFUSED], scratch)
        return None
    try:
        context = visit.context
        basis = "" if kind_of(kind).writes else basis_of(context)
        asked = Asked(kind, parameters, basis, scratch)
        job = visit.server.jobs.begin(context, visit.site, asked, lambda job: trace(visit, action, job.state))
    except (FaultyData, NotFound) as fault:
        found = fault.problems if isinstance(fault, FaultyData) else [fault.as_problem()]
        _not_begun(visit, place, found, scratch)
        return None
    follow(visit, job, place, told)
    return job


def _not_begun(visit: Visit, place: ui.element, found: Sequence[Problem], scratch: Path | None) -> None:
    if scratch is not None:
        rmtree(scratch, ignore_errors=True)
    with place:
        problems(visit, found)


def resume(visit: Visit, kind: str, place: ui.element, told: Told) -> Job | None:
    """Follow the work of a kind that is going on at this site, whoever began it and in whichever browser."""
    job = visit.server.jobs.newest(visit.site, kind)
    if job is None or not job.is_open:
        return None
    follow(visit, job, place, told)
    return job


def follow(visit: Visit, job: Job, place: ui.element, told: Told) -> None:
    """Show a job in ``place`` until it has ended, and then what it came to."""
    with place:
        card = ui.card().classes("w-full gap-2 zf-work").props('role=status aria-live=polite aria-busy="true"')
    with card:
        with ui.row().classes("items-center w-full no-wrap gap-3"):
            ui.spinner(size="sm").props("aria-hidden=true")
            title = ui.label().classes("font-semibold")
            ui.space()
            if visit.may(job.kind.permission):
                stop = ui.button(visit.say("取消", "Cancel"), icon="close", on_click=lambda: _cancel(visit, job))
                stop.props("flat dense").classes("zf-cancel")
        bar = ui.linear_progress(value=0.0, show_value=False, size="8px").props("rounded aria-hidden=true")
        step = ui.label().classes("text-sm opacity-70")

    def look() -> None:
        if not visit.holds():  # logged out, or no longer allowed to look
            place.clear()
            return
        if job.is_open:
            title.text = f"{visit.read(job.kind.title)} · {visit.read(STATES[job.state])}"
            bar.props(add="indeterminate") if job.fraction is None else bar.props(remove="indeterminate")
            bar.value = job.fraction or 0.0
            step.text = f"{job.step}  {min(job.steps, job.total)}/{job.total}" if job.total else job.step
            return
        card.delete()
        with place:
            outcome(visit, job, told)

    look()
    if job.is_open:
        with card:
            ui.timer(LOOK_SECONDS, look)


def outcome(visit: Visit, job: Job, told: Told) -> None:
    """Show what a job that has ended came to."""
    if job.state == "done":
        told(job)
    elif job.state == "cancelled":
        words = (
            ("已取消; 没有写入任何数据。", "Cancelled; nothing was written.")
            if job.kind.writes
            else ("已取消。", "Cancelled.")
        )
        ui.label(visit.say(*words)).classes("text-warning").props("role=status")
    else:
        problems(visit, job.problems)


def _cancel(visit: Visit, job: Job) -> None:
    if not allowed(visit, job.kind.permission):
        ui.notify(visit.read(REFUSED.message), type="negative")
        return
    visit.server.jobs.cancel(job)
    trace(visit, f"cancel {job.kind.id}", "done")
