"""Commands of the tasks of a plan: add, list, assign, done, overdue, evidence, reopen, drop, check, export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import language, read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from zerofactory.planning.task import Task
    from zerofactory.runs.context import Context
    from zerofactory.runs.plan import Change

TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help=say("任务编号", "task"))]
OwnerOption = Annotated[str | None, typer.Option("--owner", metavar="ROLE", help=say("负责角色", "role that owns it"))]
DueOption = Annotated[
    datetime | None, typer.Option("--due", metavar="DATE", formats=["%Y-%m-%d"], help=say("到期日", "due date"))
]
NoteOption = Annotated[str | None, typer.Option("--note", metavar="TEXT", help=say("说明", "what to say"))]
EvidenceOption = Annotated[
    str | None,
    typer.Option("--evidence", metavar="FILE|TEXT", help=say("证据文件或位置", "file or place of the evidence")),
]
ItemOption = Annotated[str | None, typer.Option("--item", metavar="ID", help=say("检查表条目", "item of a checklist"))]
STATES = {"open": ("未完成", "open"), "done": ("完成", "done"), "dropped": ("取消", "dropped")}


def register(group: typer.Typer) -> None:
    """Add these commands to the group of the plan."""
    inner = typer.Typer(no_args_is_help=True, help=say("任务与证据", "tasks and evidence"))
    inner.command("list", help=say("任务清单", "all tasks"))(list_)
    inner.command("overdue", help=say("逾期任务", "tasks past their date"))(overdue)
    inner.command("add", help=say("新增任务", "add a task"))(add)
    inner.command("assign", help=say("指派或改期", "assign or reschedule"))(assign)
    inner.command("evidence", help=say("登记证据", "book evidence"))(evidence)
    inner.command("done", help=say("完成", "mark as done"))(done)
    inner.command("reopen", help=say("重新打开", "open again"))(reopen)
    inner.command("drop", help=say("取消", "drop"))(drop)
    inner.command("check", help=say("GB/T 23331 与 T/CIECCPA 002 检查表", "checklists of the management standards"))(
        check
    )
    inner.command("export", help=say("导出 iCalendar", "export as iCalendar"))(export)
    group.add_typer(inner, name="tasks")


@door
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import plan as run

    context = opened(workspace)
    _print_tasks(context, run.tasks(context), as_json, say("任务", "Tasks"))


@door
def overdue(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import plan as run

    context = opened(workspace)
    _print_tasks(context, run.overdue(context), as_json, say("逾期任务", "Overdue"))


def _print_tasks(context: Context, tasks: Sequence[Task], as_json: bool, title: str) -> None:
    from zerofactory.runs.plan import task_as_json

    if as_json:
        print_json([task_as_json(task, context.today) for task in tasks])
        return
    print_table(
        title,
        [(say("任务", "task"), "left"), (say("标题", "title"), "left"), (say("负责", "owner"), "left"), (say("到期", "due"), "left"), (say("状态", "state"), "left"), (say("证据", "evidence"), "right")],
        [(task.id, read(task.title), task.owner or "", task.due.isoformat() if task.due else "",
          say("逾期", "overdue") if task.is_overdue(context.today) else say(*STATES[task.state]), str(len(task.evidence))) for task in tasks],
    )  # fmt: skip


@door
def add(
    task: TaskArgument,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help=say("标题", "title"))],
    owner: OwnerOption = None,
    due: DueOption = None,
    stage: Annotated[str, typer.Option("--stage", metavar="STAGE", help="plan do check act")] = "do",
    item: ItemOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.errors import Text
    from zerofactory.runs.plan import Change

    _change(
        workspace, task, "added", Change(Text(title, title), owner, due.date() if due else None, stage, item), as_json
    )


@door
def assign(
    task: TaskArgument, owner: OwnerOption = None, due: DueOption = None, note: NoteOption = None,
    workspace: WorkspaceOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs.plan import Change

    event = "assigned" if owner else "rescheduled"
    _change(workspace, task, event, Change(owner=owner, due=due.date() if due else None, note=note), as_json)


@door
def evidence(
    task: TaskArgument, evidence: EvidenceOption = None, item: ItemOption = None, note: NoteOption = None,
    workspace: WorkspaceOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs.plan import Change

    _change(workspace, task, "evidence", Change(evidence=evidence, item=item, note=note), as_json)


@door
def done(
    task: TaskArgument, evidence: EvidenceOption = None, note: NoteOption = None,
    workspace: WorkspaceOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs.plan import Change

    _change(workspace, task, "done", Change(evidence=evidence, note=note), as_json)


@door
def reopen(
    task: TaskArgument, note: NoteOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    from zerofactory.runs.plan import Change

    _change(workspace, task, "reopened", Change(note=note), as_json)


@door
def drop(
    task: TaskArgument, note: NoteOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    from zerofactory.runs.plan import Change

    _change(workspace, task, "dropped", Change(note=note), as_json)


def _change(workspace: Path | None, task: str, event: str, change: Change, as_json: bool) -> None:
    from zerofactory.runs import plan as run

    context = opened(workspace)
    made = run.change_task(context, task, event, change)
    if as_json:
        print_json(run.task_as_json(made, context.today))
    else:
        print_line(f"{made.id}: {say(*STATES[made.state])} · {made.owner or ''} · {made.due or ''}")


@door
def check(
    standard: Annotated[
        str | None, typer.Option("--standard", metavar="ID", help="gb_t_23331_2020 | t_cieccpa_002_2021")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.planning.mechanism import STAGES
    from zerofactory.runs import plan as run

    found = run.checked(opened(workspace), (standard,) if standard else ())
    if as_json:
        print_json([run.checked_as_json(one) for one in found])
        return
    print_table(
        say(f"检查表: {sum(one.met for one in found)}/{len(found)} 有证据", f"Checklists: {sum(one.met for one in found)} of {len(found)} with evidence"),
        [(say("条目", "item"), "left"), ("PDCA", "left"), (say("要求", "requirement"), "left"), (say("应有证据", "evidence wanted"), "left"), (say("状态", "state"), "left")],
        [(one.item.id, read(STAGES[one.item.stage]), read(one.item.text), read(one.item.evidence), say("有", "yes") if one.met else say("无", "no")) for one in found],
    )  # fmt: skip


@door
def export(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help=say("iCalendar 文件 (.ics)", "iCalendar file (.ics)"))
    ],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plan as run

    out.write_bytes(run.calendar_text(opened(workspace), language()).encode())
    print_json({"file": str(out), "bytes": out.stat().st_size}) if as_json else print_line(str(out))
