"""Readings on disk: append-only Parquet segments while a month is open, one sealed Parquet file when it is closed.

    series/open/2025-01/<batch>.parquet          what one import brought for one month
    series/sealed/2025-01.r1.readings.parquet    every reading of the month, all versions, as known at closing
    series/sealed/2025-01.r1.intervals.parquet   the amounts per interval that the month was booked from
    series/sealed/2025-01.r1.days.parquet        the same by meter and local day, so that a month or a year is quickly added up
    series/sealed/2025-01.r1.origins.parquet     where the electricity of the site came from, by interval

A segment counts only when the book names it (`batches`), so a killed import leaves nothing behind but an unread file.
Sealed files are found by the seal, never by listing the folder; an open segment is dropped once a seal holds its rows.
Sealed readings lie in the order of meter and time, so that a meter's day is found by the statistics of the row groups.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zerofactory.errors import Problem, Text
from zerofactory.metering.reading import READINGS
from zerofactory.store.files import sha256_of, write_whole

if TYPE_CHECKING:
    from zerofactory.metering.interval import MeterMonth
    from zerofactory.periods import Period
    from zerofactory.site.model import Plant

COMPRESSION_LEVEL = 1
ROW_GROUP_ROWS = 131_072
STATES = {"missing": 0, "measured": 1, "manual": 2, "estimated": 3, "suspect": 4}  # as in `MeterMonth.state`
ORDER = ("meter_id", "started_at", "known_at")


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of readings: the month it belongs to, its path inside `series/`, hash and row count."""

    period: str
    file: str
    sha256: str
    rows: int


def segments_of(batches: pl.DataFrame) -> list[Segment]:
    """Return every segment that the book names, in the order of import."""
    return [Segment(**entry) for text in batches["segments"] for entry in json.loads(text)]


def segments_text(segments: Iterable[Segment]) -> str:
    """Return segments as they are kept in the book."""
    return json.dumps(
        [asdict(segment) for segment in segments], ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )


class Series:
    """The folder `series/` of a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, file: str) -> Path:
        """Return the path of a file named by the book."""
        return self._folder / file

    def write_segment(self, batch_id: str, period: str, readings: pl.DataFrame) -> Segment:
        """Write one month of one import; the frame has the columns of READINGS."""
        file = f"open/{period}/{batch_id}.parquet"
        return Segment(period, file, self._write(file, readings), readings.height)

    def read(self, segments: Sequence[Segment]) -> pl.DataFrame:
        """Return the readings of segments, in the order given."""
        wanted = list(READINGS.names)
        frames = [pl.read_parquet(self.path(s.file), columns=wanted, memory_map=False, glob=False) for s in segments]
        return pl.concat(frames) if frames else READINGS.empty()

    def read_at(self, segments: Sequence[Segment], moment: object) -> pl.DataFrame:
        """Return only the readings taken exactly at one moment (the register reading that closes a month)."""
        frames = [
            pl.scan_parquet(self.path(s.file), glob=False)
            .filter(pl.col("started_at") == moment)
            .select(READINGS.names)
            .collect()
            for s in segments
        ]
        return pl.concat(frames) if frames else READINGS.empty()

    def seal_readings(self, period: str, revision: int, readings: pl.DataFrame) -> Segment:
        """Write the sealed readings of a month."""
        file = f"sealed/{period}.r{revision}.readings.parquet"
        return Segment(period, file, self._write(file, in_order(readings)), readings.height)

    def read_meter(self, files: Sequence[str], meter_id: str, since: datetime, until: datetime) -> pl.DataFrame:
        """Return every version of a meter's readings taken in a stretch of time, by time, then by when it became known.

        Only the row groups whose statistics allow it are read.
        """
        return self.read_meters(files, (meter_id,), since, until)

    def read_meters(
        self, files: Sequence[str], meter_ids: Sequence[str], since: datetime, until: datetime
    ) -> pl.DataFrame:
        """Return every version of some meters' readings taken in a stretch of time, by time, then by when it became known."""
        since, until = since.astimezone(UTC), until.astimezone(UTC)
        inside = (pl.col("started_at") >= since) & (pl.col("started_at") < until)
        inside &= pl.col("meter_id").is_in(list(meter_ids))
        frames = [
            pl.scan_parquet(self.path(file), glob=False).select(READINGS.names).filter(inside).collect()
            for file in files
        ]
        return pl.concat(frames or [READINGS.empty()]).sort("started_at", "known_at")

    def seal_intervals(self, revision: int, month: MeterMonth) -> str:
        """Write the interval amounts of a month, and their sums by day; return the digest of their content."""
        self._write(self.intervals_file(month.period.label, revision), _interval_rows(month))
        self._write(self.days_file(month.period.label, revision), day_rows(month))
        return interval_digest(month)

    def days_kept(self, revision: int, month: MeterMonth) -> bool:
        """Whether the sums by day of a sealed month hold exactly the amounts of ``month``, or there are none.

        Months sealed by an earlier edition have no such file.
        """
        file = self.days_file(month.period.label, revision)
        return not self.path(file).exists() or self._holds(file, day_rows(month))

    def read_days(self, months: Iterable[tuple[str, int]]) -> pl.DataFrame:
        """Return the sums by day of sealed months, given as (period, revision)."""
        files = [self.path(self.days_file(period, revision)) for period, revision in months]
        return pl.concat([pl.read_parquet(file, glob=False) for file in files])

    def seal_origins(self, period: str, revision: int, rows: pl.DataFrame) -> None:
        """Write the rows of ORIGINS of a month's site."""
        self._write(self.origins_file(period, revision), rows)

    def origins_kept(self, period: str, revision: int, rows: pl.DataFrame) -> bool:
        """Whether the file of origins of a sealed month is there and holds exactly these rows."""
        return self._holds(self.origins_file(period, revision), rows)

    def intervals_kept(self, revision: int, month: MeterMonth) -> bool:
        """Whether the interval file of a sealed month is there and holds exactly the amounts of ``month``."""
        return self._holds(self.intervals_file(month.period.label, revision), _interval_rows(month))

    def _holds(self, file: str, frame: pl.DataFrame) -> bool:
        try:
            return pl.read_parquet(self.path(file), memory_map=False, glob=False).equals(frame)
        except (OSError, pl.exceptions.PolarsError):
            return False

    @staticmethod
    def days_file(period: str, revision: int) -> str:
        """Return the name of the file of sums by day of a sealed month."""
        return f"sealed/{period}.r{revision}.days.parquet"

    @staticmethod
    def origins_file(period: str, revision: int) -> str:
        """Return the name of the file of origins of a sealed month."""
        return f"sealed/{period}.r{revision}.origins.parquet"

    @staticmethod
    def intervals_file(period: str, revision: int) -> str:
        """Return the name of the interval file of a sealed month."""
        return f"sealed/{period}.r{revision}.intervals.parquet"

    def drop(self, segments: Iterable[Segment]) -> None:
        """Remove open segments whose rows a seal now holds."""
        for segment in segments:
            self.path(segment.file).unlink(missing_ok=True)

    def check(self, segments: Iterable[Segment]) -> list[Problem]:
        """Return a problem for every segment that is absent or not what the book says."""
        problems = []
        for segment in segments:
            path = self.path(segment.file)
            if not path.exists():
                problems.append(_broken("series_missing", "文件不见了。", "The file is missing.", segment.file))
            elif sha256_of(path) != segment.sha256:
                problems.append(
                    _broken(
                        "series_changed",
                        "文件内容与账本中的哈希不符。",
                        "The content does not match the hash in the book.",
                        segment.file,
                    )
                )
        return problems

    def _write(self, file: str, frame: pl.DataFrame) -> str:
        def write(partial: Path) -> None:
            frame.write_parquet(
                partial,
                compression="zstd",
                compression_level=COMPRESSION_LEVEL,
                row_group_size=ROW_GROUP_ROWS,
                statistics=True,
            )

        return write_whole(self.path(file), write)


def in_order(readings: pl.DataFrame) -> pl.DataFrame:
    """Return readings by meter, time and when they became known; a frame in that order is returned as it is.

    Examples
    --------
    >>> in_order(READINGS.empty()).height
    0
    """
    meter, time = readings["meter_id"], readings["started_at"]
    if meter.is_sorted() and ((time >= time.shift(1)) | (meter != meter.shift(1))).fill_null(True).all():
        return readings
    return readings.sort(ORDER, maintain_order=True)


def day_rows(month: MeterMonth) -> pl.DataFrame:
    """Return the amounts of a month by meter and local day: thousandths of the amount, and how many slots are of each state."""
    first, meters = month.grid.midnights[:-1], len(month.meter_ids)
    days = len(first)
    dates = pl.date_range(month.period.first_day, month.period.next_first_day, closed="left", eager=True)
    columns = {
        "meter_id": pl.Series(month.meter_ids, dtype=pl.String).gather(np.repeat(np.arange(meters), days)),
        "day": dates.gather(np.tile(np.arange(days), meters)),
        "amount_milli": pl.Series(np.add.reduceat(month.amount_milli, first, axis=1).reshape(-1), dtype=pl.Int64),
    }
    for name, state in STATES.items():
        counted = np.add.reduceat(month.state == state, first, axis=1, dtype=np.int32)
        columns[f"{name}_slots"] = pl.Series(counted.reshape(-1), dtype=pl.Int32)
    return pl.DataFrame(columns)


def _interval_rows(month: MeterMonth) -> pl.DataFrame:
    """Return the amounts of a month as rows: meter, slot, thousandths of the amount, state."""
    meters, slots = month.amount_milli.shape
    return pl.DataFrame(
        {
            "meter_id": pl.Series(month.meter_ids, dtype=pl.String).gather(
                pl.arange(0, meters, eager=True).repeat_by(slots).explode(empty_as_null=True)
            )
            if meters
            else pl.Series([], dtype=pl.String),
            "slot": pl.Series(list(range(slots)) * meters, dtype=pl.Int32) if meters else pl.Series([], dtype=pl.Int32),
            "amount_milli": pl.Series(month.amount_milli.reshape(-1)),
            "state": pl.Series(month.state.reshape(-1)),
        }
    )


def month_of(frame: pl.DataFrame, plant: Plant, period: Period) -> MeterMonth:
    """Return the month that a file of interval amounts holds (see `Series.seal_intervals`).

    Raises
    ------
    NotFound
        The file names a meter that the plant does not have.
    ValueError
        The rows are not whole meters of the period's slots, in order.
    """
    from zerofactory.metering.grid import grid_of
    from zerofactory.metering.interval import MeterMonth
    from zerofactory.metering.register import no_bridges

    grid = grid_of(plant, period)
    ids = tuple(frame["meter_id"].unique(maintain_order=True))
    slots = pl.Series("slot", list(range(grid.slots)) * len(ids), dtype=pl.Int32)
    whole = frame["meter_id"].rle_id().max() in (None, len(ids) - 1)
    if frame.height != len(ids) * grid.slots or not whole or not frame["slot"].equals(slots):
        raise ValueError(f"the interval amounts of {period.label} are not whole")
    meters = [plant.meter(name) for name in ids]
    return MeterMonth(
        meter_ids=ids,
        units=tuple(meter.amount_unit for meter in meters),
        own_minutes=tuple(grid.minutes if meter.kind == "virtual" else meter.interval_minutes for meter in meters),
        grid=grid,
        amount_milli=frame["amount_milli"].to_numpy().reshape(len(ids), grid.slots),
        state=frame["state"].to_numpy().reshape(len(ids), grid.slots),
        bridges=no_bridges(),
    )


def interval_digest(month: MeterMonth) -> str:
    """Return the SHA-256 of a month's interval amounts: the same on every machine and for every file format."""
    digest = hashlib.sha256()
    digest.update(json.dumps([month.period.label, month.interval_minutes, list(month.meter_ids)]).encode())
    digest.update(month.amount_milli.astype("<i8", copy=False).tobytes())
    digest.update(month.state.astype("u1", copy=False).tobytes())
    return digest.hexdigest()


def _broken(code: str, zh: str, en: str, file: str) -> Problem:
    hint = Text("请从备份恢复该文件。", "Restore the file from a back-up.")
    return Problem(code=f"store.{code}", message=Text(zh, en), hint=hint, file=f"series/{file}")
