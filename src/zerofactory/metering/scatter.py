"""Readings → a dense table meter × slot, whatever the order of rows; repeated readings are settled here.

No sorting: a reading's place follows from whole-number arithmetic on its time. Only places that were hit twice are looked
at row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse
from zerofactory.metering.grid import Grid, Integers
from zerofactory.metering.note import QualityNote
from zerofactory.metering.reading import QUALITIES
from zerofactory.site.model import Meter

if TYPE_CHECKING:
    import polars as pl

CHUNK_ROWS = 1 << 17
_SAMPLE_ROWS = 4096

Numbers = NDArray[np.float64]
States = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The columns of a READINGS frame as arrays. ``code`` is the meter's place, or its count when unknown."""

    code: NDArray[np.uint32]
    time_us: Integers
    value: Numbers
    state: States | None
    known_us: Integers | None


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Readings by meter and instant.

    Parameters
    ----------
    values : array (M × (T + 1))
        NaN where there is none. The last column is the first instant of the next period (registers only).
    states : array (M × (T + 1))
        0 none, then the place in `QUALITIES` plus one.
    rows : Rows
        What was read, for the neighbours outside the period.
    """

    values: Numbers
    states: States
    rows: Rows


def rows_of(readings: pl.DataFrame, meters: Sequence[Meter]) -> Rows:
    """Return the columns of a frame as arrays; copies only where a column is in several chunks.

    Raises
    ------
    Misuse
        A column is missing, or times carry no zone.
    """
    import polars as pl

    missing = {"meter_id", "started_at", "value"} - set(readings.columns)
    if missing:
        raise Misuse(f"readings lack the columns {sorted(missing)}")
    for name in ("started_at", "known_at"):
        dtype = readings.schema.get(name)
        if dtype is not None and not (isinstance(dtype, pl.Datetime) and dtype.time_zone == "UTC"):
            raise Misuse(f"column {name} should hold UTC moments, not {dtype}")
    return Rows(
        code=codes_of(readings["meter_id"], [meter.id for meter in meters]),
        time_us=_moments(readings["started_at"]),
        value=readings["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        state=_states(readings),
        known_us=_moments(readings["known_at"]) if "known_at" in readings.columns else None,
    )


def scatter(rows: Rows, meters: Sequence[Meter], grid: Grid) -> tuple[Dense, list[QualityNote]]:
    """Return the dense table of a period and what was noticed on the way (unknown meters, off the grid, repeated)."""
    width = grid.slots + 1
    values = np.full(len(meters) * width, np.nan)
    states = np.zeros(len(meters) * width, dtype=np.uint8)
    widths = _last_slots(meters, grid)
    allowed = _own_edges(meters, grid)
    placed, off_grid, unknown = 0, np.zeros(len(meters) + 1, dtype=np.int64), 0
    for first in range(0, len(rows.value), CHUNK_ROWS):
        part = slice(first, first + CHUNK_ROWS)
        cell, inside, off = _cells(rows, part, grid, widths, allowed)
        values[cell] = rows.value[part][inside]
        states[cell] = 1 if rows.state is None else rows.state[part][inside]
        placed += len(cell)
        if off.any():
            off_grid += np.bincount(rows.code[part][off], minlength=len(off_grid))
        unknown += int(np.count_nonzero(rows.code[part] == len(meters)))
    notes = [
        QualityNote("off_grid", meter.id, int(count)) for meter, count in zip(meters, off_grid, strict=False) if count
    ]
    if unknown:
        notes.append(QualityNote("unknown_meter", None, unknown, severity="error"))
    if placed > np.count_nonzero(states):
        notes += _settle(rows, (values, states), meters, grid)
    shape = (len(meters), width)
    return Dense(values.reshape(shape), states.reshape(shape), rows), notes


def codes_of(ids: pl.Series, known: Sequence[str]) -> NDArray[np.uint32]:
    """Return each row's place in ``known`` (its length when unknown); long runs of one id are read once."""
    import polars as pl

    if ids.dtype == pl.String and ids.head(_SAMPLE_ROWS).n_unique() * 64 <= len(ids):
        head = ids.head(_SAMPLE_ROWS)
        if int((head != head.shift(1)).sum()) * 16 <= len(head):
            runs = ids.rle().struct.unnest()
            return np.repeat(codes_of(runs["value"].cast(pl.Categorical), known), runs["len"].to_numpy())
    enum = pl.Enum(list(dict.fromkeys(known)))
    physical = ids.cast(pl.String).cast(enum, strict=False) if ids.dtype != pl.String else ids.cast(enum, strict=False)
    return physical.to_physical().cast(pl.UInt32).fill_null(len(known)).to_numpy()


def _moments(column: pl.Series) -> Integers:
    import polars as pl

    if column.null_count():
        raise Misuse(f"column {column.name} has empty moments")
    return column.cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()


def _states(readings: pl.DataFrame) -> States | None:
    """Return the state of each row, or None when every reading is a plain measurement."""
    import polars as pl

    if "quality" not in readings.columns:
        return None
    quality = readings["quality"]
    if quality.dtype == pl.String and bool((quality == QUALITIES[0]).all()):
        return None
    enum = quality.cast(pl.String).cast(pl.Enum(list(QUALITIES)))
    return (enum.to_physical().cast(pl.UInt8) + 1).fill_null(1).to_numpy()


def _last_slots(meters: Sequence[Meter], grid: Grid) -> Integers:
    """Return how many instants count per meter: a register also needs the first of the next period."""
    counts = [grid.slots + (meter.kind == "register") for meter in meters]
    return np.array([*counts, 0], dtype=np.int64)


def _own_edges(meters: Sequence[Meter], grid: Grid) -> NDArray[np.bool_] | None:
    """Return which slots belong to each meter's own grid, or None when all have the finest."""
    if all(meter.interval_minutes == grid.minutes for meter in meters):
        return None
    allowed = np.zeros((len(meters) + 1, grid.slots + 1), dtype=np.bool_)
    for row, meter in enumerate(meters):
        allowed[row, grid.edges(meter.interval_minutes)] = True
    return allowed


def _cells(
    rows: Rows, part: slice, grid: Grid, widths: Integers, allowed: NDArray[np.bool_] | None
) -> tuple[Integers, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the cells of the rows inside the period, which rows these are, and which lie off their meter's grid."""
    code, value = rows.code[part], rows.value[part]
    since = rows.time_us[part] - grid.start_us
    slot = since // grid.step_us
    in_window = (slot >= 0) & (slot < widths[code]) & ~np.isnan(value)
    on_grid = slot * grid.step_us == since
    if allowed is not None:
        on_grid &= allowed[code, np.clip(slot, 0, grid.slots)]
    inside = in_window & on_grid
    cell = code[inside].astype(np.int64) * (grid.slots + 1) + slot[inside]
    return cell, inside, in_window & ~on_grid


def _settle(rows: Rows, dense: tuple[Numbers, States], meters: Sequence[Meter], grid: Grid) -> list[QualityNote]:
    """Write the valid reading into every place that was hit more than once, and say what was passed over."""
    cell, row = _repeated(rows, meters, grid)
    known = np.zeros(len(row), dtype=np.int64) if rows.known_us is None else rows.known_us[row]
    value = rows.value[row]
    state = np.ones(len(row), dtype=np.uint8) if rows.state is None else rows.state[row]
    order = np.lexsort((state, value, known, cell))
    cell, known, value, state = cell[order], known[order], value[order], state[order]
    last = np.append(np.flatnonzero(np.diff(cell)), len(cell) - 1)
    winner = np.repeat(last, np.diff(last, prepend=-1))
    dense[0][cell[last]], dense[1][cell[last]] = value[last], state[last]
    passed = np.arange(len(cell)) != winner
    same = value == value[winner]
    newer = known != known[winner]
    kinds = {"duplicate": passed & same, "late": passed & ~same & newer, "conflict": passed & ~same & ~newer}
    notes: list[QualityNote] = []
    for kind, mask in kinds.items():
        for index, slot, count in _by_meter(cell[mask], grid.slots + 1):
            severity = {"duplicate": "info", "late": "info", "conflict": "warning"}[kind]
            notes.append(QualityNote(kind, meters[index].id, count, grid.moment(slot), severity=severity))  # type: ignore[arg-type]
    return notes


def _repeated(rows: Rows, meters: Sequence[Meter], grid: Grid) -> tuple[Integers, Integers]:
    """Return cell and row of every reading whose cell was hit more than once."""
    widths, allowed = _last_slots(meters, grid), _own_edges(meters, grid)
    hits = np.zeros(len(meters) * (grid.slots + 1), dtype=np.uint32)
    parts = []
    for first in range(0, len(rows.value), CHUNK_ROWS):
        cell, inside, _ = _cells(rows, slice(first, first + CHUNK_ROWS), grid, widths, allowed)
        parts.append((cell, np.flatnonzero(inside) + first))
        np.add.at(hits, cell, 1)
    cell = np.concatenate([part[0] for part in parts])
    row = np.concatenate([part[1] for part in parts])
    twice = hits[cell] > 1
    return cell[twice], row[twice]


def _by_meter(cell: Integers, width: int) -> list[tuple[int, int, int]]:
    """Return (meter, first slot, count) of sorted cells."""
    if not len(cell):
        return []
    meter, first, count = np.unique(cell // width, return_index=True, return_counts=True)
    return [(int(m), int(cell[f] % width), int(c)) for m, f, c in zip(meter, first, count, strict=True)]
