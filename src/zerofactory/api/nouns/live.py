"""Live figures, their stream, and the health of measurement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from zerofactory.api.door import Reading, still
from zerofactory.api.faults import fault
from zerofactory.api.reply import from_book, plain
from zerofactory.monitoring.stream import Stream, server_sent
from zerofactory.periods import Period
from zerofactory.runs import access
from zerofactory.runs import health as measuring
from zerofactory.runs import live as run
from zerofactory.runs import readings

ROUTER = APIRouter(prefix="/v1", tags=["live"])
Level = Literal["site", "shop", "line", "meter", "all"]
LONGEST_SECONDS = 3600.0  # a reader comes back for the next hour; a forgotten one does not hold a thread for ever


class Seats:
    """How many streams are open: each holds a thread, and one person must not hold them all."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, person: str) -> AbstractContextManager[None]:
        """Return what holds a place while it is entered; raise 429 when there is none."""
        rules = access.policy()["flood"]
        with self._lock:
            if self._held[person] >= rules["streams_per_person"] or self._held.total() >= rules["streams"]:
                raise fault(429, "live.streams", "打开的实时流太多。", "Too many streams are open.", {"Retry-After": "10"})
        return self._seat(person)

    @contextmanager
    def _seat(self, person: str) -> Iterator[None]:
        with self._lock:
            self._held[person] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[person] -= 1


_SEATS = Seats()


@ROUTER.get("/live")
def show(visit: Reading, by: Level = "shop", period: str | None = None) -> Response:
    """Return the live figures as they are now, provisional until the period closes."""
    levels = run.levels_of(visit.context.workspace.plant, by)
    seen = run.once(visit.context, run.Asked(levels, period=Period.parse(period) if period else None))
    return plain(Stream().event(seen.snapshot, seen.at, seen.more()))


@ROUTER.get("/live/events")
def events(
    request: Request, visit: Reading, by: Level = "all",
    every: Annotated[float, Query(ge=0.2, le=60)] = 1.0, seconds: Annotated[float, Query(gt=0, le=LONGEST_SECONDS)] = LONGEST_SECONDS,
) -> Response:  # fmt: skip
    """Return the stream of live figures as server-sent events: a snapshot, then what changes; it ends when the right to it does."""
    levels = run.levels_of(visit.context.workspace.plant, by)
    seat = _SEATS.take(visit.person.user.user_id)

    def sent() -> Iterator[str]:
        with seat:
            for event in run.events(visit.context, run.Asked(levels, every, seconds)):
                if not still(request, visit):
                    return
                yield server_sent(event)

    return StreamingResponse(
        sent(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


@ROUTER.get("/health")
def health(visit: Reading, period: str | None = None) -> Response:
    """Return collection rate, staleness, closure, clocks, estimated shares and meter cover (GB 17167)."""
    return plain(measuring.run(visit.context, Period.parse(period) if period else None).as_json())


@ROUTER.get("/readings/{meter}")
def of_meter(
    request: Request, visit: Reading, meter: str, hours: Annotated[float, Query(gt=0, le=24 * 31)] = 24.0
) -> Response:
    """Return what one meter read in the last hours."""
    return from_book(request, visit, lambda: readings.of_meter(visit.context, meter, hours).as_json())
