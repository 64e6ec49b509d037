"""Doing something from a page: permitted, off the event loop, in the trail, and with every fault shown in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nicegui import run, ui

from zerofactory.errors import BookBroken, BookClosed, FaultyData, NotFound, Problem, Text
from zerofactory.runs.access import Permission
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.store.access import Trace
from zerofactory.web.frame import problems
from zerofactory.web.visit import Visit

Result = TypeVar("Result")


async def act(
    visit: Visit, permission: Permission, action: str, do: Callable[[Context], Result], place: ui.element
) -> Result | None:
    """Return what ``do`` returns, or None after showing in ``place`` why not.

    The session and the right are asked for again here, when the button is pressed: since the page was drawn one may have
    logged out, or the right may have been taken away.
    """
    person = visit.now()
    place.clear()
    if person is None or not person.may(permission, visit.site):
        _trace(visit, action, "refused")
        _show(visit, place, [_problem("not_allowed", "您没有这项权限, 或已退出登录。", "You are not allowed to do that, or are logged out.")])  # fmt: skip
        return None
    outcome, found = "failed: unforeseen", None
    try:
        found = await run.io_bound(do, visit.context)
        outcome = "done"
    except (FaultyData, BookBroken) as fault:
        outcome = "failed: faults"
        _show(visit, place, fault.problems)
    except NotFound as fault:
        outcome = "failed: not found"
        _show(visit, place, [fault.as_problem()])
    except BookClosed as fault:
        outcome = "failed: closed"
        _show(visit, place, [_problem("closed", f"{fault.period} 已封存。", f"{fault.period} is closed already.")])
    except OSError as fault:
        outcome = "failed: system"
        _show(
            visit, place, [_problem("system", f"系统拒绝: {fault.strerror}", f"The system refused: {fault.strerror}")]
        )
    finally:
        _trace(visit, action, outcome)
    return found


def _trace(visit: Visit, action: str, outcome: str) -> None:
    line = Trace(stamp(clock()), visit.person.user.login, visit.site, f"page {action}", "", outcome, visit.address)
    visit.server.access.trace(line)


def _show(visit: Visit, place: ui.element, found: Any) -> None:
    with place:
        problems(visit, found)


def _problem(code: str, zh: str, en: str) -> Problem:
    return Problem(f"web.{code}", Text(zh, en), Text("没有写入任何数据。", "Nothing was written."))
