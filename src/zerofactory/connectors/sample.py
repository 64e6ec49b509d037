"""What comes in from a device, before and after the gate: plain tuples, because there are many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from zerofactory.metering.reading import QUALITIES

MEASURED, MANUAL, ESTIMATED, SUSPECT = range(len(QUALITIES))
MICROSECONDS = 1_000_000


class Arrival(NamedTuple):
    """One value as a protocol yields it: in the meter's own unit, at the instant the device names.

    ``at_us`` is UTC in microseconds since 1970, None when the device names no instant (the collector's clock counts).
    ``quality`` is a place in `QUALITIES`.
    """

    meter_id: str
    at_us: int | None
    value: float
    quality: int = MEASURED


class Sample(NamedTuple):
    """One reading as it is spooled and booked: a row of READINGS."""

    meter_id: str
    started_at_us: int
    known_at_us: int
    value: float
    quality: int = MEASURED


def to_us(moment: datetime) -> int:
    """Return a moment in whole microseconds since 1970 (UTC).

    Examples
    --------
    >>> to_us(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds


def to_moment(us: int) -> datetime:
    """Return the moment of whole microseconds since 1970 (UTC)."""
    return datetime.fromtimestamp(us // MICROSECONDS, UTC).replace(microsecond=us % MICROSECONDS)


def readings_frame(samples: Sequence[Sample]) -> pl.DataFrame:
    """Return samples as a frame with the columns of READINGS (``segment`` empty)."""
    ids, started, known, value, quality = zip(*samples, strict=True) if samples else ((), (), (), (), ())
    return frame_of(pl.Series("meter_id", ids, dtype=pl.String), (started, known, value, quality))


def frame_of(meter_id: pl.Series, columns: tuple[object, object, object, object]) -> pl.DataFrame:
    """Return a READINGS frame from ids and the columns started_at, known_at (µs), value and quality (place)."""
    started, known, value, quality = columns
    moment = pl.Datetime("us", "UTC")
    names = pl.Series(list(QUALITIES), dtype=pl.String)
    return pl.DataFrame(
        {
            "meter_id": meter_id,
            "started_at": pl.Series(np.asarray(started, dtype=np.int64)).cast(moment),
            "known_at": pl.Series(np.asarray(known, dtype=np.int64)).cast(moment),
            "value": pl.Series(np.asarray(value, dtype=np.float64)),
            "quality": names.gather(pl.Series(np.asarray(quality, dtype=np.uint32))),
            "segment": pl.Series([None] * len(meter_id), dtype=pl.String),
        }
    )
