"""The plan of a plant: set it, show it, its targets year by year; its tasks and their evidence. All journaled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.notation import text_of
from zerofactory.planning.alignment import Check, checks
from zerofactory.planning.commitment import PLAN_FILE, Plan, read_plan
from zerofactory.planning.facts import PLAN_TASKS, PLANS
from zerofactory.planning.framework import frameworks, published_targets
from zerofactory.planning.mechanism import ChecklistItem, checklist
from zerofactory.planning.pathway import Pathway, pathway
from zerofactory.planning.target import SCOPES, progress_fraction
from zerofactory.planning.task import Task, calendar, refuse_event, tasks_of
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.inventory import booked
from zerofactory.runs.plan_book import base_of
from zerofactory.site.model import Plant
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.schema import RUNS


@dataclass(frozen=True, slots=True)
class SetPlan:
    """One version of the plan as it was set; version 0 is a plan file that was not set yet."""

    plan_id: str
    version: int
    at: str
    actor: str
    reason: str | None
    plan: Plan
    content: str

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        head = self.plan.plan
        return {
            "plan": self.plan_id,
            "version": self.version,
            "at": self.at,
            "actor": self.actor,
            "reason": self.reason,
            "title": _both(head.title),
            "commitment": _both(head.commitment),
            "scope": _both(head.scope),
            "base_year": head.base_year,
            "years": [head.first_year, head.last_year],
            "neutral_year": head.neutral_year,
            "standard": head.standard,
            "regime": head.regime,
            "strategies": {
                "reduction": _both(head.reduction_strategy),
                "maintenance": _both(head.maintenance_strategy),
                "offset": _both(head.offset_strategy),
            },
            "milestones": [{"year": one.year, "title": _both(one.title)} for one in head.milestones],
            "targets": [target.id for target in self.plan.targets],
            "roles": [
                {
                    "id": role.id,
                    "title": _both(role.title),
                    "holder": role.holder,
                    "area": role.area,
                    "duties": _both(role.duties),
                }
                for role in self.plan.mechanism.roles
            ],
        }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def example_text() -> str:
    """Return the recommended plan of the reference plant."""
    from zerofactory.reference_plant.generate import plan_text

    return plan_text()


def set_plan(context: Context, file: Path | None = None, reason: str = "", example: bool = False) -> SetPlan:
    """Read a plan file and book it as the plan in force; its first tasks are added.

    Parameters
    ----------
    file : the plan; default ``plan.toml`` of the workspace.
    example : write the recommended plan of the reference plant there first, if there is none.

    Raises
    ------
    FaultyData
        Every fault of the file; or a further version without a reason.
    """
    place = file or context.workspace.folder / PLAN_FILE
    if example and not place.exists():
        place.write_text(example_text(), encoding="utf-8", newline="\n")
    if not place.is_file():
        raise FaultyData([_no_file(place)])
    content = text_of(place.read_bytes(), place.name)
    plan = read_plan(content, place.name)
    refuse(problem.at(file=place.name) for problem in _unknown_in_plant(plan, context.workspace.plant))
    before = versions(context)
    if before and before[-1].content == content:
        return before[-1]
    if before and not reason.strip():
        message = Text(
            f"计划已有第 {len(before)} 版; 修改须说明原因。",
            f"The plan has version {len(before)}; a change needs a reason.",
        )
        raise FaultyData(
            [Problem("planning.no_reason", message, Text("请用 --reason 说明。", "Give one with --reason."))]
        )
    row = _plan_row(context, plan, content, len(before) + 1, reason)
    known = {task.id for task in tasks(context)}
    first = [
        _event(
            context,
            task.id,
            "added",
            number,
            title=task.title,
            owner=task.owner,
            due=task.due,
            stage=task.stage,
            item=task.item,
        )
        for number, task in enumerate(plan.tasks)
        if task.id not in known
    ]
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="plan", actor=context.actor) as writer:
        writer.append(PLANS, PLANS.frame([row]))
        if first:
            writer.append(PLAN_TASKS, PLAN_TASKS.frame(first))
        parameters = {"plan": row["plan_id"], "sha256": row["plan_sha256"]}
        writer.append(RUNS, run_row("plan_set", context, parameters, {}, row["version"]))
        writer.payload = {"plan": row["plan_id"], "tasks": len(first), "reason": row["reason"]}
    return versions(context)[-1]


def _unknown_in_plant(plan: Plan, plant: Plant) -> list[Problem]:
    """Return every meter and source that the plan names and the plant file does not."""
    meters, uses = {meter.id for meter in plant.meters}, {source.id for source in plant.sources}
    named = [(use.id, "表计", "meter", name) for use in plan.end_uses for name in use.meters if name not in meters]
    named += [(use.id, "排放源", "source", name) for use in plan.end_uses for name in use.sources if name not in uses]
    hint = Text("请改正 [[end_uses]], 或在 factory.toml 中登记。", "Correct [[end_uses]], or add it to factory.toml.")
    return [
        Problem(
            "planning.not_in_plant",
            Text(f"用能环节“{use}”: 工厂没有{zh}“{name}”。", f"End use '{use}': the plant has no {en} '{name}'."),
            hint,
            column="end_uses",
        )
        for use, zh, en, name in named
    ]


def _plan_row(context: Context, plan: Plan, content: str, version: int, reason: str) -> dict[str, object]:
    head = plan.plan
    return {
        "plan_id": f"plan-{head.base_year}.v{version}",
        "version": version,
        "title_zh": head.title.zh,
        "title_en": head.title.en,
        "base_year": head.base_year,
        "plan_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "content": content,
        "reason": reason.strip() or None,
        "at": context.at,
        "actor": context.actor,
    }


def versions(context: Context) -> list[SetPlan]:
    """Return every version that was set, oldest first."""
    return [
        SetPlan(
            row["plan_id"], row["version"], row["at"], row["actor"], row["reason"],
            read_plan(row["content"], PLAN_FILE), row["content"],
        )
        for row in context.workspace.journal.active(PLANS).sort("version").to_dicts()
    ]  # fmt: skip


def current(context: Context) -> SetPlan:
    """Return the plan in force; before one is set, that of the workspace's plan file.

    Raises
    ------
    FaultyData
        There is neither.
    """
    rows = context.workspace.journal.active(PLANS).sort("version").to_dicts()
    if rows:
        row = rows[-1]
        plan = read_plan(row["content"], PLAN_FILE)
        return SetPlan(row["plan_id"], row["version"], row["at"], row["actor"], row["reason"], plan, row["content"])
    place = context.workspace.folder / PLAN_FILE
    if not place.is_file():
        raise FaultyData([_no_file(place)])
    content = text_of(place.read_bytes(), place.name)
    plan = read_plan(content, place.name)
    return SetPlan(f"plan-{plan.plan.base_year}.v0", 0, context.at, context.actor, None, plan, content)


def _no_file(place: Path) -> Problem:
    return Problem(
        code="planning.no_plan",
        message=Text(f"还没有计划: 没有 {place.name}。", f"There is no plan yet: no {place.name}."),
        hint=Text(
            "请写好 plan.toml 后运行 zf plan set; 参考范例: zf plan set --example。",
            "Write plan.toml and run zf plan set; for an example: zf plan set --example.",
        ),
        file=place.name,
    )


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target with its pathway, and how the newest closed year stands against it."""

    pathway: Pathway
    latest_year: int | None
    actual_gco2e: int | None
    progress_fraction: float | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; grams are whole."""
        way = self.pathway
        return {
            "target": way.target.id,
            "title": _both(way.target.title),
            "method": way.target.method,
            "scope": way.target.scope,
            "categories": list(way.target.categories),
            "target_year": way.target.target_year,
            "base_gco2e": way.base_gco2e,
            "reduction_fraction": way.reduction_fraction,
            "reason": _both(way.reason),
            "limits_gco2e": {str(year): limit for year, limit in way.limits_gco2e.items()},
            "shares_gco2e": {
                str(year): [
                    {"scope": scope, "shop": shop, "limit_gco2e": grams} for (scope, shop), grams in cells.items()
                ]
                for year, cells in way.shares_gco2e.items()
            },
            "latest_year": self.latest_year,
            "actual_gco2e": self.actual_gco2e,
            "progress_fraction": self.progress_fraction,
        }


def targets(context: Context) -> tuple[TargetView, ...]:
    """Return every target of the plan with its pathway and the progress of the newest closed year after the base year."""
    plan = current(context).plan
    latest = _latest_year(context, plan)
    found = []
    for target in plan.targets:
        base = base_of(context, plan, target.regime)
        way = pathway(target, base)
        limit = way.limit(latest) if latest is not None else None
        if latest is None or limit is None:
            found.append(TargetView(way, None, None, None))
            continue
        actual = _actual(context, plan, way, latest)
        found.append(TargetView(way, latest, actual, progress_fraction(way.base_gco2e, actual, limit)))
    return tuple(found)


def _latest_year(context: Context, plan: Plan) -> int | None:
    sealed = {label[:4] for label in context.workspace.seals()["period"].to_list()}
    full = [
        int(year)
        for year in sealed
        if sum(label.startswith(year) for label in context.workspace.seals()["period"].to_list()) == 12
    ]
    later = [year for year in full if year > plan.plan.base_year]
    return max(later) if later else None


def _actual(context: Context, plan: Plan, way: Pathway, year: int) -> int:
    from typing import cast

    import polars as pl

    from zerofactory.accounting.inventory import Regime, counted
    from zerofactory.periods import Period

    regime = way.target.regime or plan.plan.regime
    records = booked(context, Period(year), "all")
    total = counted(records, load_standard(plan.plan.standard), cast("Regime", regime))
    chosen = total.filter(pl.col("scope").is_in(SCOPES[way.target.scope]))
    if way.target.categories:
        chosen = chosen.filter(pl.col("in_category").is_in(way.target.categories))
    return int(chosen["signed"].sum())


def alignment(context: Context, views: Sequence[TargetView]) -> tuple[Check, ...]:
    """Return which rules of each packaged framework the plan's targets meet: a self-check, no validation."""
    plan = current(context).plan
    return checks(tuple(frameworks()), plan.plan, base_of(context, plan), [view.pathway for view in views])


def alignment_as_json(found: Sequence[Check]) -> list[dict[str, object]]:
    """Return checks as plain JSON values."""
    return [
        {"framework": one.framework, "rule": one.rule.id, "title": _both(one.rule.title), "mandatory": one.rule.mandatory,
         "status": one.rule.status, "met": one.met, "detail": _both(one.detail)}
        for one in found
    ]  # fmt: skip


def examples_as_json() -> list[dict[str, object]]:
    """Return the published targets of car makers as plain JSON values."""
    return [
        {
            "company": _both(one.company), "target": _both(one.text), "scope": one.scope, "year": one.year,
            "base_year": one.base_year, "reduction_fraction": one.reduction_fraction, "source": one.source,
            "published": one.published, "status": one.status,
        }
        for one in published_targets()
    ]  # fmt: skip


def tasks(context: Context) -> tuple[Task, ...]:
    """Return every task as it stands, by due date."""
    return tasks_of(context.workspace.journal.active(PLAN_TASKS).to_dicts())


@dataclass(frozen=True, slots=True)
class Change:
    """What is said of a task: title, owner (a role), due date, stage, checklist item, evidence, note."""

    title: Text | None = None
    owner: str | None = None
    due: date | None = None
    stage: str | None = None
    item: str | None = None
    evidence: str | None = None
    note: str | None = None


def change_task(context: Context, task_id: str, event: str, change: Change | None = None) -> Task:
    """Book an event of a task and return the task as it stands then.

    Evidence that is a file of this machine is kept in the workspace's evidence by its hash.

    Raises
    ------
    FaultyData
        The event does not fit the task, the owner is no role, the checklist item does not exist.
    """
    said = change or Change()
    known = next((task for task in tasks(context) if task.id == task_id), None)
    plan = current(context).plan
    refuse_event(known, event, task_id, said.owner, plan.mechanism)
    if said.item is not None:
        _item(plan, said.item)
    evidence = _kept(context, said.evidence)
    number = 0 if known is None else len(known.history)
    row = _event(
        context, task_id, event, number, title=said.title, owner=said.owner, due=said.due, stage=said.stage,
        item=said.item, evidence=evidence, note=said.note,
    )  # fmt: skip
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="plan_task", actor=context.actor) as writer:
        writer.append(PLAN_TASKS, PLAN_TASKS.frame([row]))
        writer.payload = {"task": task_id, "event": event}
    return next(task for task in tasks(context) if task.id == task_id)


def _kept(context: Context, evidence: str | None) -> str | None:
    if evidence is None:
        return None
    file = Path(evidence)
    if file.is_file():
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        context.workspace.evidence.keep(content, digest, file.suffix)
        return digest
    return evidence


def _item(plan: Plan, name: str) -> ChecklistItem:
    listed = [item for standard in plan.mechanism.checklists for item in checklist(standard)]
    for item in listed:
        if item.id == name:
            return item
    raise NotFound(Text("检查表条目", "item of a checklist"), name, [item.id for item in listed])


def _event(context: Context, task_id: str, event: str, number: int, **said: Any) -> dict[str, object]:
    title: Text | None = said.get("title")
    due: date | None = said.get("due")
    identity = f"{task_id}|{event}|{number}|{context.at}"
    return {
        "event_id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "task_id": task_id,
        "event": event,
        "title_zh": title.zh if title else None,
        "title_en": title.en if title else None,
        "owner": said.get("owner"),
        "due": due.isoformat() if due else None,
        "stage": said.get("stage"),
        "item": said.get("item"),
        "evidence": said.get("evidence"),
        "note": said.get("note"),
        "at": context.at,
        "actor": context.actor,
    }


def overdue(context: Context) -> tuple[Task, ...]:
    """Return the open tasks past their due date, on the plant's calendar."""
    return tuple(task for task in tasks(context) if task.is_overdue(context.today))


def task_as_json(task: Task, today: date) -> dict[str, object]:
    """Return a task as plain JSON values."""
    return {
        "task": task.id, "title": _both(task.title), "owner": task.owner, "due": task.due.isoformat() if task.due else None,
        "stage": task.stage, "state": task.state, "overdue": task.is_overdue(today), "item": task.item,
        "evidence": list(task.evidence),
        "history": [{"at": at, "event": event, "actor": actor, "note": note} for at, event, actor, note in task.history],
    }  # fmt: skip


def calendar_text(context: Context, language: str = "zh") -> str:
    """Return the tasks and the verification calendar of this and the next two years as iCalendar."""
    plan = current(context).plan
    first = context.today.year
    return calendar(tasks(context), plan.mechanism, range(first, first + 3), context.now, language)


@dataclass(frozen=True, slots=True)
class Checked:
    """One item of a checklist and the tasks and evidence that answer it."""

    item: ChecklistItem
    tasks: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether there is evidence."""
        return bool(self.evidence)


def checked_as_json(one: Checked) -> dict[str, object]:
    """Return an item of a checklist as plain JSON values."""
    return {"item": one.item.id, "standard": one.item.standard, "clause": one.item.clause, "stage": one.item.stage, "text": _both(one.item.text),
            "tasks": list(one.tasks), "evidence": list(one.evidence), "met": one.met}  # fmt: skip


def checked(context: Context, standards: Sequence[str] = ()) -> tuple[Checked, ...]:
    """Return the checklists of the plan with the evidence that tasks brought; without evidence an item is not met."""
    plan = current(context).plan
    known = tasks(context)
    found = []
    for standard in standards or plan.mechanism.checklists:
        for item in checklist(standard):
            own = [task for task in known if task.item == item.id]
            evidence = tuple(one for task in own for one in task.evidence)
            found.append(Checked(item, tuple(task.id for task in own), evidence))
    return tuple(found)
