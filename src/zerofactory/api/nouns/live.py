"""Live figures, their stream, and the health of measurement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from zerofactory.api.door import Reading, Visit, still
from zerofactory.api.faults import fault
from zerofactory.api.reply import from_book, plain
from zerofactory.monitoring.stream import Stream, server_sent
from zerofactory.periods import Period
from zerofactory.runs import access, readings
from zerofactory.runs import health as measuring
from zerofactory.runs import live as run

ROUTER = APIRouter(prefix="/v1", tags=["live"])
Level = Literal["site", "shop", "line", "meter", "all"]
EVENT_STREAM = "text/event-stream"
LONGEST_SECONDS = 3600.0  # a reader comes back for the next hour; a forgotten one does not hold a thread for ever


class Seats:
    """How many streams are open: each holds a thread, and one person must not hold them all."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    def refuse_over(self, person: str) -> None:
        """Raise 429 when there is no place for one more stream of a person."""
        with self._lock:
            if self._is_full(person):
                raise fault(
                    429, "live.streams", "打开的实时流太多。", "Too many streams are open.", {"Retry-After": "10"}
                )

    @contextmanager
    def seat(self, person: str) -> Iterator[bool]:
        """Hold a place while entered; False when another took the last one in between."""
        with self._lock:
            is_free = not self._is_full(person)
            self._held[person] += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._held[person] -= is_free

    def _is_full(self, person: str) -> bool:
        rules = access.policy()["flood"]
        return self._held[person] >= rules["streams_per_person"] or self._held.total() >= rules["streams"]


_SEATS = Seats()


@ROUTER.get("/live")
def show(visit: Reading, by: Level = "shop", period: str | None = None) -> Response:
    """Return the live figures as they are now, provisional until the period closes."""
    levels = run.levels_of(visit.context.workspace.plant, by)
    seen = run.once(visit.context, run.Asked(levels, period=Period.parse(period) if period else None))
    return plain(Stream().event(seen.snapshot, seen.at, seen.more()))


@ROUTER.get("/live/events", responses={200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}})
def events(
    request: Request, visit: Reading, by: Level = "all",
    every: Annotated[float, Query(ge=0.2, le=60)] = 1.0, seconds: Annotated[float, Query(gt=0, le=LONGEST_SECONDS)] = LONGEST_SECONDS,
) -> Response:  # fmt: skip
    """Return the stream of live figures as server-sent events: a snapshot, then what changes; it ends when the right to it does."""
    asked = run.Asked(run.levels_of(visit.context.workspace.plant, by), every, seconds)
    _SEATS.refuse_over(visit.person.user.user_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_sent(request, visit, asked), media_type=EVENT_STREAM, headers=headers)


def _sent(request: Request, visit: Visit, asked: run.Asked) -> Iterator[str]:
    with _SEATS.seat(visit.person.user.user_id) as is_free:
        if not is_free:
            return
        for event in run.events(visit.context, asked):
            if not still(request, visit):
                return
            yield server_sent(event)


@ROUTER.get("/health")
def health(visit: Reading, period: str | None = None) -> Response:
    """Return collection rate, staleness, closure, clocks, estimated shares and meter cover (GB 17167)."""
    return plain(measuring.run(visit.context, Period.parse(period) if period else None).as_json())


@ROUTER.get("/readings/totals")
def totals(request: Request, visit: Reading, period: str, by: Literal["day", "month"] = "month") -> Response:
    """Return what each meter counted in a period, by month or by day."""
    asked = Period.parse(period)
    return from_book(request, visit, lambda: readings.totals(visit.context, asked, by).as_json())


@ROUTER.get("/readings/{meter}")
def of_meter(
    request: Request, visit: Reading, meter: str, hours: Annotated[float, Query(gt=0, le=24 * 31)] = 24.0
) -> Response:
    """Return what one meter read in the last hours."""
    return from_book(request, visit, lambda: readings.of_meter(visit.context, meter, hours).as_json())
