"""Tasks are the fold of their events; the calendar is what a calendar program reads."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from zerofactory.errors import FaultyData, Text
from zerofactory.planning.mechanism import Checkpoint, Mechanism, Process, Role, checklists, faults, matrix
from zerofactory.planning.task import calendar, refuse_event, tasks_of

ROLE = Role("carbon", Text("碳管理师", "carbon manager"), "林晓", "plant", Text("核算", "accounts"))
EMPTY = dict.fromkeys(("title_zh", "title_en", "owner", "due", "stage", "item", "evidence", "note"))


def _event(task: str, event: str, **said: str | None) -> dict[str, str | None]:
    return {**EMPTY, "task_id": task, "event": event, "at": "2026-01-01", "actor": "li", **said}


def test_a_task_is_what_its_events_say_in_order() -> None:
    events = [
        _event("a", "added", title_zh="甲", title_en="A", owner="carbon", due="2026-03-31", stage="plan"),
        _event("a", "rescheduled", due="2026-06-30"),
        _event("a", "evidence", evidence="abc"),
        _event("b", "added", title_zh="乙", title_en="B"),
        _event("a", "done", evidence="def"),
    ]
    first, second = tasks_of(events)
    assert (first.id, first.state, first.owner, first.due, first.evidence) == (
        "a",
        "done",
        "carbon",
        date(2026, 6, 30),
        ("abc", "def"),
    )
    assert [event for _, event, _, _ in first.history] == ["added", "rescheduled", "evidence", "done"]
    assert not first.is_overdue(date(2027, 1, 1))
    assert (second.id, second.state, second.due) == ("b", "open", None)
    (again, _) = tasks_of([*events, _event("a", "reopened")])
    assert again.is_overdue(date(2026, 7, 1))
    assert not again.is_overdue(date(2026, 6, 30))


@pytest.mark.parametrize(
    ("known", "event", "code"),
    [(True, "added", "task_exists"), (False, "done", "no_task"), (True, "reopened", "task_open")],
)
def test_events_that_do_not_fit_are_refused(known: bool, event: str, code: str) -> None:
    (task,) = tasks_of([_event("a", "added")])
    with pytest.raises(FaultyData) as refused:
        refuse_event(task if known else None, event, "a", None, None)
    assert refused.value.problems[0].code == f"planning.{code}"


def test_an_owner_must_be_a_role_and_a_closed_task_stays_closed() -> None:
    (task,) = tasks_of([_event("a", "added"), _event("a", "done")])
    with pytest.raises(FaultyData) as refused:
        refuse_event(task, "assigned", "a", "nobody", Mechanism(roles=(ROLE,)))
    assert {problem.code for problem in refused.value.problems} == {"planning.task_closed", "planning.unknown_owner"}


def test_the_calendar_is_valid_icalendar() -> None:
    title = "固定基准年, 并说明原因; 由碳管理师负责并在三月底之前提交委员会审议通过后存档备查"
    tasks = tasks_of([_event("基准 年", "added", title_zh=title, title_en="base", owner="carbon", due="2026-03-31")])
    mechanism = Mechanism(
        roles=(ROLE,), calendar=(Checkpoint(Text("核查", "verification"), 12, 31, "carbon", "ISO 14064-3"),)
    )
    text = calendar(tasks, mechanism, [2026, 2027], datetime(2026, 1, 1, tzinfo=UTC))
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert all(len(line.encode()) <= 75 for line in lines)
    whole = text.replace("\r\n ", "")
    assert "SUMMARY:" + title.replace(",", "\\,").replace(";", "\\;") in whole
    assert "DUE;VALUE=DATE:20260331" in whole
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270101" in whole
    assert len({line for line in whole.split("\r\n") if line.startswith("UID:")}) == 3


def test_a_mechanism_must_hold_together() -> None:
    bad = Mechanism(
        roles=(ROLE,),
        processes=(Process("x", Text("核算", "accounts"), ("carbon",), "boss"),),
        calendar=(Checkpoint(Text("核查", "check"), 2, 30, "carbon"),),
    )
    assert {problem.code for problem in faults(bad)} == {
        "planning.unknown_role",
        "planning.bad_date",
        "planning.nobody",
    }


def test_raci_names_exactly_one_who_answers() -> None:
    line = Process("x", Text("核算", "accounts"), ("a", "b"), "c", ("d",), ("a",))
    assert matrix(Mechanism(processes=(line,))) == (("x", {"a": "R/I", "b": "R", "c": "A", "d": "C"}),)


def test_checklists_cover_the_whole_cycle() -> None:
    for items in checklists().values():
        assert {item.stage for item in items} == {"plan", "do", "check", "act"}
        assert all(item.text.zh and item.text.en and item.evidence.zh and item.evidence.en for item in items)
        assert len({item.id for item in items}) == len(items)
    assert len(checklists()["gb_t_23331_2020"]) == 12
