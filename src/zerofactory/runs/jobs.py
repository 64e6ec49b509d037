"""Long work of a server: begun from any browser, followed from any, cancelled with the book left whole.

Each job runs in a process of its own, so that a solver neither stops the pages nor outlives its cancellation. A job that only reads is
ended at once. A job that writes is told to stop and does so at its next step, which all lie before its first row is written; once it
writes, it ends by itself. Jobs are kept in memory: a server that is started again knows none, and the book holds what they did.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from secrets import token_hex
from threading import Condition, Thread
from types import MappingProxyType
from typing import Any, Literal

from zerofactory.errors import BookBroken, BookClosed, FaultyData, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.runs.job_kinds import JobKind, check_parameters, kind_of
from zerofactory.store.workspace import Workspace

State = Literal["waiting", "running", "cancelling", "done", "failed", "cancelled"]
OPEN: frozenset[State] = frozenset({"waiting", "running", "cancelling"})
AT_ONCE = 2  # processes at the same time: a solver takes a core, and the pages need one
OPEN_A_PERSON = 6  # one person does not fill the queue of all
KEPT = 16  # jobs that have ended and may still be looked at
LISTEN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """What work is asked for.

    Parameters
    ----------
    basis : what a reading answer rests on (`kept.basis_of`); an answer of the same basis is given again.
    scratch : a folder that belongs to the job and goes when it ends (uploaded files).
    """

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    basis: str = ""
    scratch: Path | None = None


@dataclass(slots=True)
class Job:
    """One piece of long work; it changes while it runs, under the lock of `Jobs`."""

    id: str
    kind: JobKind
    site: str
    actor: str
    parameters: Mapping[str, Any]
    begun_at: str
    basis: str = field(default="", repr=False)
    state: State = "waiting"
    step: str = ""
    steps: int = 0
    total: int = 0
    ended_at: str = ""
    result: Any = None
    problems: tuple[Problem, ...] = ()
    scratch: Path | None = field(default=None, repr=False)
    ended: Callable[[Job], None] | None = field(default=None, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN

    @property
    def fraction(self) -> float | None:
        """How far it has come, or None where that is not known."""
        return None if not self.total else 1.0 if self.state == "done" else max(0, self.steps - 1) / self.total

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        title = {"zh": self.kind.title.zh, "en": self.kind.title.en}
        names = ("id", "site", "actor", "state", "step", "steps", "total", "fraction", "begun_at", "ended_at")
        told = [problem.as_json() for problem in self.problems]
        parameters = {name: value for name, value in self.parameters.items() if name != "folder"}
        result = None if self.result is None else self.kind.told(self.result)
        return {"kind": self.kind.id, "title": title, "parameters": parameters, **{n: getattr(self, n) for n in names}, "result": result, "problems": told}  # fmt: skip


class Jobs:
    """The work of one server, for many threads."""

    def __init__(self) -> None:
        self._jobs = OrderedDict[str, Job]()
        self._changed = Condition()

    def begin(self, context: Context, site: str, asked: Asked, ended: Callable[[Job], None] | None = None) -> Job:
        """Begin work at a site and return it; the same reading work that goes on, or is done and still holds, is joined.

        Parameters
        ----------
        ended : callable, optional
            Is told the job when it has ended, whoever looks by then (for the trail).

        Raises
        ------
        FaultyData
            The same writing work is going on already, or a parameter is not known.
        """
        kind = kind_of(asked.kind)
        check_parameters(kind, asked.parameters)
        with self._changed:
            for other in reversed(self._jobs.values()):
                if (other.kind.id, other.site, other.parameters) != (kind.id, site, asked.parameters):
                    continue
                if other.is_open and kind.writes:
                    raise FaultyData([_going_on(other)])
                if (
                    not kind.writes
                    and other.basis == asked.basis
                    and (other.is_open or (other.state == "done" and asked.basis))
                ):
                    return other
            if sum(other.is_open and other.actor == context.actor for other in self._jobs.values()) >= OPEN_A_PERSON:
                raise FaultyData([_too_many()])
            made = Job(token_hex(8), kind, site, context.actor, dict(asked.parameters), stamp(clock()), asked.basis)
            made.scratch, made.ended = asked.scratch, ended
            self._jobs[made.id] = made
            self._forget()
        Thread(target=self._follow, args=(made, context.workspace.folder), daemon=True, name=f"job {made.id}").start()
        return made

    def job(self, job_id: str, site: str) -> Job:
        """Return one job of a site; raise `NotFound` otherwise."""
        with self._changed:
            found = self._jobs.get(job_id)
        if found is None or found.site != site:
            raise NotFound(Text("工作", "job"), job_id)
        return found

    def of_site(self, site: str) -> list[Job]:
        """Return the jobs of a site, the newest first."""
        with self._changed:
            return [job for job in reversed(self._jobs.values()) if job.site == site]

    def newest(self, site: str, kind: str) -> Job | None:
        """Return the newest job of a kind at a site."""
        return next((job for job in self.of_site(site) if job.kind.id == kind), None)

    def cancel(self, job: Job) -> None:
        """Ask a job to stop; one that has ended stays as it is."""
        with self._changed:
            if job.is_open:
                job.state = "cancelling"
                self._changed.notify_all()

    def wait(self, job: Job, seconds: float) -> bool:
        """Wait for a job to end; return whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: not job.is_open, seconds)

    def _forget(self) -> None:
        ended = [job.id for job in self._jobs.values() if not job.is_open]
        for job_id in ended[: max(0, len(ended) - KEPT)]:
            del self._jobs[job_id]

    def _may_start(self, job: Job) -> bool:
        """Return whether a place is free: few run at once, and one writes at a site at a time."""
        active = [
            other for other in self._jobs.values() if other.is_open and other.state != "waiting" and other is not job
        ]
        writing = job.kind.writes and any(other.kind.writes and other.site == job.site for other in active)
        return len(active) < AT_ONCE and not writing

    def _follow(self, job: Job, folder: Path) -> None:
        process: SpawnProcess | None = None
        try:
            with self._changed:
                self._changed.wait_for(lambda: job.state == "cancelling" or self._may_start(job))
                if job.state == "cancelling":
                    self._end(job, "cancelled")
                    return
                job.state = "running"
            spawn = multiprocessing.get_context("spawn")
            ours, theirs = spawn.Pipe()
            asked = (theirs, str(folder), job.actor, job.kind.id, dict(job.parameters))
            process = spawn.Process(target=work, args=asked, daemon=True, name=f"zf {job.kind.id}")
            process.start()
            theirs.close()
            self._listen(job, ours)
        finally:
            self._close(job, process)

    def _listen(self, job: Job, line: Connection) -> None:
        """Hear a process until its job has ended, and say stop when somebody wants it to."""
        told = False
        try:
            while job.is_open:
                if job.state == "cancelling" and not told:
                    told = True
                    if not job.kind.writes:
                        with self._changed:
                            self._end(job, "cancelled")
                        break
                    with suppress(OSError):
                        line.send("stop")
                if line.poll(LISTEN_SECONDS):
                    self._heard(job, *line.recv())
        except EOFError:
            pass  # it has gone without a word: told as lost
        finally:
            line.close()

    def _close(self, job: Job, process: SpawnProcess | None) -> None:
        """Leave nothing behind: no state that is open, no uploads, no line missing in the trail, no process."""
        with self._changed:
            if job.is_open:
                self._end(job, "failed", (_lost(),))
        if job.scratch is not None:
            shutil.rmtree(job.scratch, ignore_errors=True)
        if job.ended is not None:
            job.ended(job)
        if process is not None:
            if job.state == "cancelled":
                process.terminate()
            process.join()

    def _heard(self, job: Job, what: str, content: Any) -> None:
        with self._changed:
            match what:
                case "step":
                    job.step, job.total = content
                    job.steps += 1
                case "done":
                    job.result = content
                    self._end(job, "done")
                case "cancelled":
                    self._end(job, "cancelled")
                case _:
                    self._end(job, "failed", tuple(content))

    def _end(self, job: Job, state: State, problems: tuple[Problem, ...] = ()) -> None:
        job.state, job.problems, job.ended_at = state, problems, stamp(clock())
        self._changed.notify_all()


def _proxied(values: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(values)


def _reduced(proxy: Mapping[Any, Any]) -> tuple[Callable[[dict[Any, Any]], Mapping[Any, Any]], tuple[dict[Any, Any]]]:
    return _proxied, (dict(proxy),)


ForkingPickler.register(MappingProxyType, _reduced)  # results hold read-only mappings, which pickle alone does not know


class _Stopped(Exception):
    pass


def work(line: Connection, folder: str, actor: str, kind: str, parameters: Mapping[str, Any]) -> None:
    """Do a job in its own process and tell its steps and its end; a word on the line means stop."""

    def step(name: str, total: int = 0) -> None:
        line.send(("step", (name, total)))
        if line.poll():
            raise _Stopped

    parent = multiprocessing.parent_process()
    if parent is not None and not kind_of(kind).writes:
        Thread(target=_outlive_nobody, args=(parent,), daemon=True).start()
    try:
        context = Context(Workspace.open(Path(folder)), clock(), actor)
        line.send(("done", kind_of(kind).run(context, parameters, step)))
    except _Stopped:
        line.send(("cancelled", None))
    except (FaultyData, BookBroken) as fault:
        line.send(("failed", tuple(fault.problems)))
    except NotFound as fault:
        line.send(("failed", (fault.as_problem(),)))
    except BookClosed as fault:
        line.send(("failed", (_closed(fault.period),)))
    except sqlite3.OperationalError:
        line.send(("failed", (_busy(),)))
    except ZeroFactoryError as fault:
        line.send(("failed", (_refused(fault),)))
    except OSError as fault:
        line.send(("failed", (_system(fault),)))
    except (KeyError, TypeError, ValueError) as fault:
        line.send(("failed", (_asked_wrongly(fault),)))


def _outlive_nobody(parent: BaseProcess) -> None:
    """End this process when the server that wants its answer has gone; one that writes is left to finish."""
    parent.join()
    os._exit(1)


_NOTHING = Text("没有写入任何数据。", "Nothing was written.")


def _going_on(other: Job) -> Problem:
    return Problem(
        "jobs.going_on",
        Text(f"{other.actor} 正在做同一件事({other.kind.title.zh})。", f"{other.actor} is doing the same ({other.kind.title.en})."),
        Text("请等它结束; 在“进行中的工作”里可以看到。", "Wait for it to end; see it on the page of work."),
    )  # fmt: skip


def _too_many() -> Problem:
    message = Text(f"您已有 {OPEN_A_PERSON} 项工作在进行。", f"{OPEN_A_PERSON} pieces of work of yours are going on.")
    return Problem("jobs.too_many", message, Text("请等一项结束, 或取消一项。", "Wait for one to end, or cancel one."))


def _closed(period: str) -> Problem:
    return Problem("jobs.closed", Text(f"{period} 已封存。", f"{period} is closed already."), _NOTHING)


def _busy() -> Problem:
    message = Text("账本正被另一项工作占用。", "The book is held by other work.")
    return Problem("jobs.busy", message, Text("请稍后再试; 没有写入。", "Try again later; nothing was written."))


def _system(fault: OSError) -> Problem:
    return Problem(
        "jobs.system", Text(f"系统拒绝: {fault.strerror}", f"The system refused: {fault.strerror}"), _NOTHING
    )


def _refused(fault: ZeroFactoryError) -> Problem:
    message = Text(
        f"程序自查未通过, 结果不予显示: {fault}", f"The program's own check failed; nothing is shown: {fault}"
    )
    return Problem("jobs.refused", message, Text("请把这一行告诉我们。", "Please report this line."))


def _asked_wrongly(fault: Exception) -> Problem:
    said = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
    return Problem("jobs.asked", Text(f"参数不对: {said}", f"A parameter is wrong: {said}"), _NOTHING)


def _lost() -> Problem:
    message = Text("这项工作意外中断了。", "The work ended unexpectedly.")
    hint = Text(
        "账本是完整的; 请再试一次, 已完成的部分会被认出。", "The book is whole; try again: what is done is recognised."
    )
    return Problem("jobs.lost", message, hint)
