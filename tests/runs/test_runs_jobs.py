"""Long work of a server: steps, results, cancelling with the book left whole, and one of two who want the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import close, import_data, verify
from zerofactory.runs.context import Context
from zerofactory.runs.job_kinds import KINDS
from zerofactory.runs.jobs import AT_ONCE, OPEN_A_PERSON, Asked, Job, Jobs, work

Reopen = Callable[[Context], Context]
SECONDS = 60.0


class Line:
    """The end of a pipe that a job talks into; it says stop from the beginning or never."""

    def __init__(self, stops: bool = False) -> None:
        self.said: list[tuple[str, object]] = []
        self._stops = stops

    def send(self, what: tuple[str, object]) -> None:
        """Keep what was said."""
        self.said.append(what)

    def poll(self) -> bool:
        """Whether somebody said stop."""
        return self._stops


@pytest.fixture
def ready(small: Context, write_readings: Callable[..., Path]) -> Context:
    """Return the small plant with two months of readings that may be closed."""
    import_data.run(small, [write_readings(1, 2)])
    return small


def ended(jobs: Jobs, job: Job) -> Job:
    assert jobs.wait(job, SECONDS), job
    return job


def test_a_closing_in_its_own_process_tells_its_months(ready: Context, reopen: Reopen) -> None:
    jobs, told = Jobs(), []
    job = jobs.begin(ready, "plant", Asked("close", {"period": "2025-01"}), told.append)
    assert job.is_open
    assert ended(jobs, job).state == "done", job.problems
    assert [month["period"] for month in job.result["months"]] == ["2025-01"]
    assert (job.step, job.steps, job.total, job.fraction) == ("2025-01", 1, 1, 1.0)
    assert reopen(ready).workspace.seals()["period"].to_list() == ["2025-01"]
    assert reopen(ready).workspace.journal.last().actor == ready.actor  # type: ignore[union-attr]
    for _ in range(1500):
        if told:
            break
        time.sleep(0.02)
    assert told == [job]
    assert jobs.newest("plant", "close") is job
    with pytest.raises(NotFound):
        jobs.job(job.id, "another")


def test_two_close_the_same_month_one_wins_the_other_is_told(ready: Context, reopen: Reopen) -> None:
    jobs = Jobs()
    first = jobs.begin(ready, "plant", Asked("close", {"period": "2025-01"}))
    with pytest.raises(FaultyData) as caught:  # while it goes on
        jobs.begin(ready, "plant", Asked("close", {"period": "2025-01"}))
    assert caught.value.problems[0].code == "jobs.going_on"
    assert ready.actor in caught.value.problems[0].message.zh
    assert ended(jobs, first).state == "done"
    second = ended(jobs, jobs.begin(ready, "plant", Asked("close", {"period": "2025-01"})))
    assert (second.state, second.problems[0].code) == ("failed", "jobs.closed")
    assert reopen(ready).workspace.seals().height == 1
    assert verify.run(reopen(ready)).clean


def test_a_cancelled_closing_writes_nothing(ready: Context, reopen: Reopen) -> None:
    before = ready.workspace.journal.last()
    line = Line(stops=True)
    folder = str(ready.workspace.folder)
    work(line, folder, "li", "close", {"period": "2025-01"})  # type: ignore[arg-type]
    assert [what for what, _ in line.said] == ["step", "cancelled"]
    assert ready.workspace.journal.last() == before
    assert verify.run(reopen(ready)).clean
    jobs = Jobs()
    job = jobs.begin(ready, "plant", Asked("close", {"period": "2025-01"}))
    jobs.cancel(job)
    assert ended(jobs, job).state in ("cancelled", "done")
    assert reopen(ready).workspace.seals().height == (job.state == "done")
    close.run(reopen(ready), Period.parse("2025-02"))  # the lock is free again
    assert verify.run(reopen(ready)).clean


def test_reading_work_is_joined_and_its_answer_kept_as_long_as_it_holds(ready: Context) -> None:
    jobs = Jobs()
    one = jobs.begin(ready, "plant", Asked("verify", {}, "head 1"))
    assert jobs.begin(ready, "plant", Asked("verify", {}, "head 1")) is one
    assert ended(jobs, one).result["clean"]
    assert jobs.begin(ready, "plant", Asked("verify", {}, "head 1")) is one
    other = jobs.begin(ready, "plant", Asked("verify", {}, "head 2"))
    assert other is not one
    jobs.cancel(other)
    assert ended(jobs, other).state in ("cancelled", "done")


def test_a_solver_is_ended_at_once_and_its_process_is_gone(ready: Context) -> None:
    jobs = Jobs()
    job = jobs.begin(ready, "plant", Asked("verify", {}, "slow"))
    while job.state == "waiting":
        time.sleep(0.01)
    jobs.cancel(job)
    assert jobs.wait(job, 30.0)
    assert job.state in ("cancelled", "done")


def test_uploads_of_a_job_go_with_it(small: Context, tmp_path: Path, write_form: Callable[..., Path]) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    write_form("diesel,2025-01-01,2025-01-31,-5,L,diesel,invoiced,D-1,").rename(scratch / "单据.csv")
    jobs = Jobs()
    job = ended(
        jobs,
        jobs.begin(small, "plant", Asked("import", {"folder": str(scratch), "files": ["单据.csv"]}, scratch=scratch)),
    )
    assert job.state == "failed"
    assert {problem.file for problem in job.problems} == {"单据.csv"}
    for _ in range(1500):
        if not scratch.exists():
            break
        time.sleep(0.02)
    assert not scratch.exists()
    assert small.workspace.batches().is_empty()
    assert "folder" not in job.as_json()["parameters"]  # type: ignore[operator]


def test_what_is_asked_wrongly_is_told(ready: Context) -> None:
    jobs = Jobs()
    with pytest.raises(NotFound):
        jobs.begin(ready, "plant", Asked("dance"))
    with pytest.raises(FaultyData) as caught:
        jobs.begin(ready, "plant", Asked("close", {"perid": "2025-01"}))
    assert caught.value.problems[0].column == "perid"
    line = Line()
    for kind, parameters in (
        ("close", {}),
        ("close", {"period": 7}),
        ("footprint", {"product": "x", "period": "2025"}),
    ):
        work(line, str(ready.workspace.folder), "li", kind, parameters)  # type: ignore[arg-type]
        what, problems = line.said[-1]
        assert what == "failed"
        assert problems


def test_one_person_does_not_fill_the_queue_of_all(ready: Context) -> None:
    jobs = Jobs()
    begun = [jobs.begin(ready, "plant", Asked("verify", {}, f"head {n}")) for n in range(OPEN_A_PERSON)]
    with pytest.raises(FaultyData) as caught:
        jobs.begin(ready, "plant", Asked("verify", {}, "one more"))
    assert caught.value.problems[0].code == "jobs.too_many"
    assert sum(job.state == "running" for job in begun) <= AT_ONCE
    other = jobs.begin(Context(ready.workspace, ready.now, "wang"), "plant", Asked("verify", {}, "hers"))
    for job in (*begun, other):
        jobs.cancel(job)
    assert all(jobs.wait(job, SECONDS) for job in (*begun, other))


def test_a_process_that_dies_is_told_as_lost(ready: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "zerofactory.runs.jobs.work", os._exit
    )  # the child takes the pipe for an exit code, and is gone
    jobs = Jobs()
    job = ended(jobs, jobs.begin(ready, "plant", Asked("verify")))
    assert (job.state, job.problems[0].code) == ("failed", "jobs.lost")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_every_kind_is_titled_in_both_languages(kind: object) -> None:
    assert kind.title.zh  # type: ignore[attr-defined]
    assert kind.title.en  # type: ignore[attr-defined]
