"""Tasks: what has to be done by whom and when. A task is the fold of its events; nothing is ever overwritten.

added ─► assigned / rescheduled / evidence ─► done ─► reopened …          dropped
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.planning.mechanism import Mechanism

FOLD = 75
CLOSED = ("done", "dropped")


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stands. ``owner`` is a role of the plan's mechanism; ``history`` holds (at, event, actor, note)."""

    id: str
    title: Text
    owner: str | None
    due: date | None
    stage: str
    state: str
    item: str | None = None
    evidence: tuple[str, ...] = ()
    history: tuple[tuple[str, str, str, str], ...] = ()

    def is_overdue(self, today: date) -> bool:
        """Whether it is open past its due date."""
        return self.state not in CLOSED and self.due is not None and self.due < today


def tasks_of(events: Iterable[Mapping[str, Any]]) -> tuple[Task, ...]:
    """Return the tasks of events in the order of the book.

    Examples
    --------
    >>> row = dict.fromkeys(("title_zh", "title_en", "owner", "due", "stage", "item", "evidence", "note"))
    >>> first = {**row, "task_id": "a", "event": "added", "title_zh": "甲", "title_en": "A", "at": "", "actor": "li"}
    >>> [task.state for task in tasks_of([first, {**first, "event": "done"}])]
    ['done']
    """
    found: dict[str, Task] = {}
    for row in events:
        name = str(row["task_id"])
        known = found.get(name)
        if known is None:
            known = Task(name, Text(row["title_zh"] or name, row["title_en"] or name), None, None, "plan", "open")
        found[name] = _after(known, row)
    return tuple(sorted(found.values(), key=lambda one: (one.due or date.max, one.id)))


def _after(task: Task, row: Mapping[str, Any]) -> Task:
    event = str(row["event"])
    state = {"done": "done", "dropped": "dropped", "reopened": "open", "added": "open"}.get(event, task.state)
    evidence = (*task.evidence, str(row["evidence"])) if row["evidence"] else task.evidence
    return replace(
        task,
        state=state,
        owner=row["owner"] or task.owner,
        due=date.fromisoformat(row["due"]) if row["due"] else task.due,
        stage=row["stage"] or task.stage,
        item=row["item"] or task.item,
        evidence=evidence,
        history=(*task.history, (str(row["at"]), event, str(row["actor"]), str(row["note"] or ""))),
    )


def refuse_event(task: Task | None, event: str, task_id: str, owner: str | None, mechanism: Mechanism | None) -> None:
    """Raise `FaultyData` when an event does not fit the task as it stands, or the owner is no role of the plan."""
    problems = []
    if event == "added" and task is not None:
        problems.append(_fault("task_exists", f"任务“{task_id}”已存在。", f"Task '{task_id}' exists already."))
    if event != "added" and task is None:
        problems.append(_fault("no_task", f"没有任务“{task_id}”。", f"There is no task '{task_id}'."))
    if task is not None and event in ("assigned", "rescheduled", "done", "dropped") and task.state in CLOSED:
        problems.append(
            _fault(
                "task_closed", f"任务“{task_id}”已结束({task.state})。", f"Task '{task_id}' is closed ({task.state})."
            )
        )
    if task is not None and event == "reopened" and task.state not in CLOSED:
        problems.append(_fault("task_open", f"任务“{task_id}”未结束。", f"Task '{task_id}' is open."))
    if owner and mechanism is not None and mechanism.roles and owner not in [role.id for role in mechanism.roles]:
        listed = ", ".join(role.id for role in mechanism.roles)
        problems.append(
            _fault("unknown_owner", f"没有角色“{owner}”; 可选 {listed}。", f"No role '{owner}'; choose {listed}.")
        )
    if problems:
        raise FaultyData(problems)


def _fault(code: str, zh: str, en: str) -> Problem:
    return Problem(
        f"planning.{code}", Text(zh, en), Text("请运行 zf plan tasks list 查看。", "See zf plan tasks list.")
    )


def calendar(
    tasks: Sequence[Task], mechanism: Mechanism, years: Sequence[int], stamp: datetime, language: str = "zh"
) -> str:
    """Return tasks with due dates and the verification calendar as an iCalendar text (RFC 5545).

    Open tasks are to-dos, done ones are marked completed; the checkpoints of each year are all-day events.
    """
    at = stamp.strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//zerofactory//plan//ZH", "CALSCALE:GREGORIAN"]
    for task in tasks:
        if task.due is None or task.state == "dropped":
            continue
        status = "COMPLETED" if task.state == "done" else "NEEDS-ACTION"
        lines += [
            "BEGIN:VTODO", f"UID:task-{_safe(task.id)}@zerofactory", f"DTSTAMP:{at}", f"DUE;VALUE=DATE:{task.due:%Y%m%d}",
            f"SUMMARY:{_escaped(task.title.zh if language == 'zh' else task.title.en)}", f"STATUS:{status}",
            f"DESCRIPTION:{_escaped(_owner(task, mechanism, language))}", "END:VTODO",
        ]  # fmt: skip
    for point in mechanism.calendar:
        for year in years:
            day = date(year, point.month, point.day)
            title = point.title.zh if language == "zh" else point.title.en
            lines += [
                "BEGIN:VEVENT", f"UID:check-{point.month:02d}{point.day:02d}-{point.role}-{year}@zerofactory",
                f"DTSTAMP:{at}", f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
                f"SUMMARY:{_escaped(title)}", f"DESCRIPTION:{_escaped(point.standard or '')}", "END:VEVENT",
            ]  # fmt: skip
    return "\r\n".join(folded for line in [*lines, "END:VCALENDAR"] for folded in _folded(line)) + "\r\n"


def _owner(task: Task, mechanism: Mechanism, language: str) -> str:
    for role in mechanism.roles:
        if role.id == task.owner:
            return f"{role.holder} ({role.title.zh if language == 'zh' else role.title.en})"
    return task.owner or ""


def _escaped(text: str) -> str:
    """Return text as RFC 5545 3.3.11 writes it.

    Examples
    --------
    >>> print(_escaped("a,b;c"))
    a\\,b\\;c
    """
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def _folded(line: str) -> list[str]:
    """Return a line folded at 75 octets (RFC 5545, 3.1), never inside a character."""
    parts, current, length = [], "", 0
    for letter in line:
        size = len(letter.encode())
        if length + size > FOLD:
            parts.append(current)
            current, length = " ", 1
        current += letter
        length += size
    return [*parts, current]
