"""Long work of this site: what goes on, who began it, how far it is, what it came to; and the button that cancels it."""

from __future__ import annotations

from datetime import datetime

from nicegui import ui

from zerofactory.errors import Text
from zerofactory.periods import zone
from zerofactory.runs.jobs import Job
from zerofactory.web.frame import Page, empty, problems, table
from zerofactory.web.visit import Visit
from zerofactory.web.work import STATES, follow

WHERE = {"import": "/import", "close": "/close", "verify": "/journal", "footprint": "/footprint", "roadmap": "/plan", "sizing": "/energy", "backtest": "/energy"}  # fmt: skip
LOOK_SECONDS = 2.0


def build(visit: Visit) -> None:
    """Draw the page."""
    place = ui.column().classes("w-full gap-3")
    seen: list[tuple[str, str]] = []

    def draw() -> None:
        found = visit.server.jobs.of_site(visit.site)
        now = [(job.id, "open" if job.is_open else job.state) for job in found]
        if now == seen and now:
            return
        seen[:] = now
        place.clear()
        with place:
            _jobs(visit, found)

    draw()
    ui.timer(LOOK_SECONDS, draw)


def _jobs(visit: Visit, found: list[Job]) -> None:
    if not found:
        empty(
            visit,
            Text("服务启动以来没有长时间的工作。", "No long work since the server started."),
            Text("导入、封存、求解时, 进度会显示在这里。", "Imports, closings and solvers show their progress here."),
        )
        return
    for job in found:
        if job.is_open:
            ui.label(visit.say(f"{job.actor} 开始于 {_time(visit, job.begun_at)}", f"begun by {job.actor} at {_time(visit, job.begun_at)}")).classes("text-sm opacity-70")  # fmt: skip
            follow(visit, job, ui.column().classes("w-full"), lambda _: None)
    ended = [job for job in found if not job.is_open]
    if not ended:
        return
    ui.label(visit.say("已结束", "Ended")).classes("text-lg font-semibold").props("role=heading aria-level=2")
    columns = [
        ("kind", visit.say("工作", "Work")), ("what", visit.say("内容", "Of what")), ("actor", visit.say("经手", "By")), ("begun", visit.say("开始", "Begun")),
        ("ended", visit.say("结束", "Ended")), ("state", visit.say("结果", "Result")),
    ]  # fmt: skip
    rows = [
        {"id": job.id, "kind": visit.read(job.kind.title), "what": _what(job), "actor": job.actor, "begun": _time(visit, job.begun_at),
         "ended": _time(visit, job.ended_at), "state": visit.read(STATES[job.state]), "where": WHERE[job.kind.id]}
        for job in ended
    ]  # fmt: skip
    drawn = table(columns, rows, per_page=20 if len(rows) > 20 else 0)
    drawn.add_slot("body-cell-kind", '<q-td :props="props"><a :href="props.row.where">{{ props.value }}</a></q-td>')
    newest = ended[0]
    if newest.problems:
        problems(visit, newest.problems)


def _what(job: Job) -> str:
    shown = {name: value for name, value in job.parameters.items() if name != "folder" and value not in (None, "", {})}
    return ", ".join(", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in shown.values() if not isinstance(value, bool))[:80]  # fmt: skip


def _time(visit: Visit, stamp: str) -> str:
    if not stamp:
        return ""
    local = datetime.fromisoformat(stamp).astimezone(zone(visit.context.workspace.plant.time_zone))
    return f"{local:%H:%M:%S}"


PAGE = Page("jobs", "/jobs", Text("进行中的工作", "Work going on"), "hourglass_top", "administer", 5, "read", build)
