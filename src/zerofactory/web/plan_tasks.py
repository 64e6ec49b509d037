"""The part of the plan page with its tasks: what is due, who owns it, its evidence; and every step of a task."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from nicegui import events, ui

from zerofactory.errors import Text
from zerofactory.planning.mechanism import STAGES
from zerofactory.planning.task import CLOSED, Task
from zerofactory.runs import plan as run
from zerofactory.runs.context import Context
from zerofactory.runs.plan_guide import STATES
from zerofactory.runs.uploads import safe_name
from zerofactory.web.act import act
from zerofactory.web.frame import empty, figure, table
from zerofactory.web.parts import heading
from zerofactory.web.visit import Visit

EVENTS = {
    "done": Text("完成", "Done"), "evidence": Text("登记证据", "Book evidence"), "assigned": Text("指派或改期", "Assign or reschedule"),
    "reopened": Text("重新打开", "Open again"), "dropped": Text("取消", "Drop"),
}  # fmt: skip
MOST_EVIDENCE_BYTES = 20_000_000


def build(visit: Visit, current: run.SetPlan) -> None:
    """Draw the tasks, their figures and the form for their steps."""
    found, today = run.tasks(visit.context), visit.context.today
    if found:
        late = [task for task in found if task.is_overdue(today)]
        with ui.row().classes("w-full gap-4"):
            figure(visit, Text("未完成", "Open"), str(sum(task.state not in CLOSED for task in found)), "")
            figure(visit, Text("逾期", "Overdue"), str(len(late)), "")
            figure(visit, Text("完成", "Done"), str(sum(task.state == "done" for task in found)), "")
        _list(visit, current, found, today)
    elif not current.version:
        hint = Text("登记计划后, 其中的任务自动加入", "Its first tasks come with the plan once it is set")
        empty(visit, Text("计划还没有登记。", "The plan is not set yet."), hint)
    if visit.may("record") and current.version:
        _step(visit, current, found)
        _added(visit, current)
    ui.button(visit.say("导出日历(.ics)", "Export as a calendar (.ics)"), icon="event",
              on_click=lambda: ui.download(run.calendar_text(visit.context, visit.language).encode(), "tasks.ics")).props("outline").classes("zf-noprint")  # fmt: skip


def _list(visit: Visit, current: run.SetPlan, found: tuple[Task, ...], today: date) -> None:
    roles = {role.id: f"{visit.read(role.title)} · {role.holder}" for role in current.plan.mechanism.roles}
    columns = [
        ("title", visit.say("任务", "Task")), ("owner", visit.say("负责", "Owner")), ("due", visit.say("期限", "Due")), ("stage", "PDCA"),
        ("state", visit.say("状态", "State")), ("evidence", visit.say("证据", "Evidence")), ("last", visit.say("最近", "Latest")),
    ]  # fmt: skip
    stages: dict[str, str] = {name: visit.read(title) for name, title in STAGES.items()}
    rows = []
    for task in found:
        at, event, actor, note = task.history[-1] if task.history else ("", "", "", "")
        said = EVENTS[event] if event in EVENTS else Text("加入", "added")
        state = Text("逾期", "overdue") if task.is_overdue(today) else STATES[task.state]
        rows.append(
            {"id": task.id, "title": visit.read(task.title), "owner": roles.get(task.owner or "", task.owner or "—"), "due": task.due.isoformat() if task.due else "—",
             "stage": stages.get(task.stage, task.stage), "state": visit.read(state), "evidence": len(task.evidence),
             "last": " · ".join(part for part in (at[:10], visit.read(said), actor, note) if part)}
        )  # fmt: skip
    table(columns, rows, ("evidence",), per_page=15)


def _step(visit: Visit, current: run.SetPlan, found: tuple[Task, ...]) -> None:
    if not found:
        return
    heading(visit.say("任务的下一步", "A step with a task"))
    result, held = ui.column().classes("w-full"), {"name": "", "content": b""}
    open_first = sorted(found, key=lambda task: (task.state in CLOSED, task.due or date.max))
    with ui.row().classes("items-center gap-3 zf-noprint"):
        titles = {task.id: visit.read(task.title) for task in open_first}
        task = ui.select(titles, value=open_first[0].id, label=visit.say("任务", "Task")).props("dense outlined options-dense").classes("w-72")  # fmt: skip
        event = ui.select({name: visit.read(title) for name, title in EVENTS.items()}, value="done", label=visit.say("做什么", "What")).props("dense outlined").classes("w-44")  # fmt: skip
        roles = {"": "—", **{role.id: visit.read(role.title) for role in current.plan.mechanism.roles}}
        owner = ui.select(roles, value="", label=visit.say("负责角色", "Role")).props("dense outlined options-dense").classes("w-56")  # fmt: skip
        due = ui.input(visit.say("期限", "Due")).props("dense outlined type=date stack-label").classes("w-44")
        note = ui.input(visit.say("说明", "Note")).props("dense outlined").classes("w-64")
        owner.bind_visibility_from(event, "value", value="assigned")
        due.bind_visibility_from(event, "value", value="assigned")
        proof = ui.input(visit.say("证据在哪里", "Where the evidence is")).props("dense outlined").classes("w-56")
        proof.bind_visibility_from(event, "value", backward=lambda value: value in ("done", "evidence"))
    upload = ui.upload(label=visit.say("或附一个证据文件", "Or attach a file"), auto_upload=True, max_files=1, max_file_size=MOST_EVIDENCE_BYTES)  # fmt: skip
    upload.classes("w-72 zf-noprint").bind_visibility_from(event, "value", backward=lambda value: value in ("done", "evidence"))  # fmt: skip

    async def take(arrived: events.UploadEventArguments) -> None:
        held["name"], held["content"] = safe_name(arrived.file.name), await arrived.file.read()

    upload.on_upload(take)

    async def book() -> None:
        said = run.Change(
            owner=(owner.value or None) if event.value == "assigned" else None,
            due=date.fromisoformat(due.value) if due.value and event.value == "assigned" else None, note=note.value or None,
        )  # fmt: skip
        name = str(event.value)
        if name == "assigned" and not said.owner:
            name = "rescheduled"
        proven = name in ("done", "evidence")
        words = (str(proof.value or ""), str(held["name"]), bytes(held["content"])) if proven else ("", "", b"")  # type: ignore[arg-type]
        made = await act(visit, "record", f"task {name}", lambda context: _booked(context, str(task.value), name, said, words), result)  # fmt: skip
        if made is not None:
            ui.navigate.reload()

    ui.button(visit.say("登记", "Book"), icon="check", on_click=book).classes("zf-noprint").props("id=zf-task")
    result.move(target_index=-1)


def _booked(context: Context, task: str, event: str, said: run.Change, proof: tuple[str, str, bytes]) -> Task:
    text, name, content = proof
    if not name:
        return run.change_task(context, task, event, run.Change(owner=said.owner, due=said.due, note=said.note, evidence=_words(text)))  # fmt: skip
    with TemporaryDirectory(prefix="zf-task-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return run.change_task(context, task, event, run.Change(note=said.note, evidence=str(path)))


def _words(text: str) -> str | None:
    """Return what was typed as evidence; a path of the server is words here, never a file that is opened."""
    kept = text.strip()
    return (kept if not Path(kept).exists() else f"“{kept}”") if kept else None


def _added(visit: Visit, current: run.SetPlan) -> None:
    heading(visit.say("新任务", "A new task"))
    result = ui.column().classes("w-full")
    with ui.row().classes("items-center gap-3 zf-noprint"):
        title = ui.input(visit.say("任务", "Task")).props("dense outlined").classes("w-72")
        roles = {role.id: visit.read(role.title) for role in current.plan.mechanism.roles}
        owner = ui.select(roles, value=next(iter(roles), None), label=visit.say("负责角色", "Role")).props("dense outlined options-dense").classes("w-56")  # fmt: skip
        due = ui.input(visit.say("期限", "Due")).props("dense outlined type=date stack-label").classes("w-44")
        stage = ui.select({name: visit.read(text) for name, text in STAGES.items()}, value="do", label="PDCA").props("dense outlined").classes("w-32")  # fmt: skip
        items = {"": "—", **{one.item.id: visit.read(one.item.text)[:60] for one in run.checked(visit.context)}}
        item = ui.select(items, value="", label=visit.say("检查表条目", "Item of a checklist")).props("dense outlined options-dense").classes("w-72")  # fmt: skip

        async def add() -> None:
            text = (title.value or "").strip()
            if not text:
                ui.notify(visit.say("请写任务名称。", "Name the task."), type="warning")
                return
            said = run.Change(Text(text, text), owner.value, date.fromisoformat(due.value) if due.value else None, str(stage.value), item.value or None)  # fmt: skip
            name = f"t{len(run.tasks(visit.context)) + 1:03d}"
            if await act(
                visit, "record", "add task", lambda context: run.change_task(context, name, "added", said), result
            ):
                ui.navigate.reload()

        ui.button(visit.say("加入", "Add"), icon="add", on_click=add).props("outline")
    result.move(target_index=-1)
