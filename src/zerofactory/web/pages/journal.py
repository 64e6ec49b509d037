"""The journal: who wrote what and when; and the check that nothing has been changed since."""

from __future__ import annotations

from nicegui import ui

from zerofactory.errors import Problem, Text
from zerofactory.runs.jobs import Job
from zerofactory.web.frame import Page, problems, table
from zerofactory.web.visit import Visit
from zerofactory.web.work import begin, resume


def build(visit: Visit) -> None:
    """Draw the page."""
    context = visit.context
    place = ui.column().classes("w-full zf-noprint")

    def told(job: Job) -> None:
        verdict = job.result
        if verdict["clean"]:
            ui.label(visit.say(f"账本完好: {verdict['records']:,} 条记录重算一致。", f"The book is sound: {verdict['records']:,} records recompute.")).classes("text-positive text-lg")  # fmt: skip
        else:
            problems(visit, [Problem.from_json(one) for one in verdict["problems"]])

    ui.button(
        visit.say("核验整本账", "Verify the whole book"),
        icon="verified",
        on_click=lambda: begin(visit, "verify", {}, place, told),
    ).classes("zf-noprint")
    resume(visit, "verify", place, told)
    place.move(target_index=-1)
    columns = [
        ("seq", visit.say("号", "No.")),
        ("at", visit.say("时间 UTC", "Time UTC")),
        ("kind", visit.say("类型", "Kind")),
        ("actor", visit.say("经手", "By")),
        ("hash", "SHA-256"),
    ]
    rows = [
        {"id": e.seq, "seq": e.seq, "at": e.at[:19].replace("T", " "), "kind": e.kind, "actor": e.actor, "hash": e.hash[:16]}
        for e in reversed(context.workspace.journal.entries())
    ]  # fmt: skip
    table(columns, rows, ("seq",), per_page=25)


PAGE = Page(
    "journal", "/journal", Text("日记账与核验", "Journal and verification"), "verified", "administer", 10, "read", build
)
