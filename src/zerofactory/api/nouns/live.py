"""Live figures, their stream, and the health of measurement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from zerofactory.api.door import Reading
from zerofactory.api.reply import from_book, plain
from zerofactory.monitoring.stream import Stream, server_sent
from zerofactory.periods import Period
from zerofactory.runs import health as measuring
from zerofactory.runs import live as run
from zerofactory.runs import readings

ROUTER = APIRouter(prefix="/v1", tags=["live"])
Level = Literal["site", "shop", "line", "meter", "all"]
LONGEST_SECONDS = 3600.0  # a reader comes back for the next hour; a forgotten one does not hold a thread for ever


@ROUTER.get("/live")
def show(visit: Reading, by: Level = "shop", period: str | None = None) -> Response:
    """Return the live figures as they are now, provisional until the period closes."""
    levels = run.levels_of(visit.context.workspace.plant, by)
    seen = run.once(visit.context, run.Asked(levels, period=Period.parse(period) if period else None))
    return plain(Stream().event(seen.snapshot, seen.at, seen.more()))


@ROUTER.get("/live/events")
def events(
    visit: Reading, by: Level = "all",
    every: Annotated[float, Query(ge=0.2, le=60)] = 1.0, seconds: Annotated[float, Query(gt=0, le=LONGEST_SECONDS)] = LONGEST_SECONDS,
) -> Response:  # fmt: skip
    """Return the stream of live figures as server-sent events: a snapshot, then what changes."""
    levels = run.levels_of(visit.context.workspace.plant, by)

    def sent() -> Iterator[str]:
        for event in run.events(visit.context, run.Asked(levels, every, seconds)):
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
