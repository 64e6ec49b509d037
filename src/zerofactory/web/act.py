"""Doing something from a page: permitted, off the event loop, in the trail, and with every fault shown in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from nicegui import run, ui

from zerofactory.errors import BookBroken, BookClosed, FaultyData, NotFound, Problem, Text
from zerofactory.runs.access import Permission
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.store.access import Trace
from zerofactory.web.frame import problems
from zerofactory.web.visit import Visit

Result = TypeVar("Result")
Show = Callable[[Sequence[Problem]], None]


async def act(
    visit: Visit,
    permission: Permission,
    action: str,
    do: Callable[[Context], Result],
    place: ui.element,
    show: Show | None = None,
) -> Result | None:
    """Return what ``do`` returns, or None after showing in ``place`` why not.

    The session and the right are asked for again here, when the button is pressed: since the page was drawn one may have
    logged out, or the right may have been taken away. ``show`` tells the faults instead of a table in ``place``.
    """
    return await attempt(visit, permission, action, lambda: do(visit.context), place, show)


async def attempt(
    visit: Visit,
    permission: Permission,
    action: str,
    do: Callable[[], Result],
    place: ui.element,
    show: Show | None = None,
) -> Result | None:
    """Do the same with something that needs no workspace."""
    place.clear()
    outcome, found = "failed: unforeseen", None

    def tell(faults: Sequence[Problem]) -> None:
        if show is not None:
            show(faults)
        else:
            _show(visit, place, faults)

    if not allowed(visit, permission):
        trace(visit, action, "refused")
        tell([REFUSED])
        return None
    try:
        found = await run.io_bound(do)
        outcome = "done"
    except (FaultyData, BookBroken) as fault:
        outcome = "failed: faults"
        tell(fault.problems)
    except NotFound as fault:
        outcome = "failed: not found"
        tell([fault.as_problem()])
    except BookClosed as fault:
        outcome = "failed: closed"
        tell([_problem("closed", f"{fault.period} 已封存。", f"{fault.period} is closed already.")])
    except OSError as fault:
        outcome = "failed: system"
        tell([_problem("system", f"系统拒绝: {fault.strerror}", f"The system refused: {fault.strerror}")])
    finally:
        trace(visit, action, outcome)
    return found


def allowed(visit: Visit, permission: Permission) -> bool:
    """Return whether this person, as he stands at this moment, may do something here."""
    person = visit.now()
    return person is not None and person.may(permission, visit.site)


def trace(visit: Visit, action: str, outcome: str) -> None:
    """Leave a line in the trail."""
    line = Trace(stamp(clock()), visit.person.user.login, visit.site, f"page {action}", "", outcome, visit.address)
    visit.server.access.trace(line)


def _show(visit: Visit, place: ui.element, found: Sequence[Problem]) -> None:
    with place:
        problems(visit, found)


def _problem(code: str, zh: str, en: str) -> Problem:
    return Problem(f"web.{code}", Text(zh, en), Text("没有写入任何数据。", "Nothing was written."))


REFUSED = _problem(
    "not_allowed", "您没有这项权限, 或已退出登录。", "You are not allowed to do that, or are logged out."
)
