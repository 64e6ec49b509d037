"""Which figures of the utilities readings may move, how far, and by how much a file may be wrong before a reading was seen.

`knobs.csv` has a row a figure: its range (beyond it the model would be another machine), its spread (one standard deviation of what
is known without readings), and where both are from. ``per`` says of what they are parts: ``self`` of the file's own figure,
``design`` of a load on a day of 20 K, nothing: as they stand. A figure the file leaves at zero stays zero: what is not there is not fitted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.errors import Text
from zerofactory.optimisation.utilities.booth import Window
from zerofactory.optimisation.utilities.plant import Utilities
from zerofactory.optimisation.utilities.source import Heater

SELF, DESIGN = "self", "design"
DESIGN_K = 20.0  # degrees of a cold or a hot day, by which a load that follows the weather is sized
FIXED_KINDS = ("district", "electric")  # heaters that give what they take: nothing of them is to be known


@dataclass(frozen=True, slots=True)
class Range:
    """A row of `knobs.csv`."""

    table: str
    key: str
    per: str
    low: float
    high: float
    spread: float
    unit: str
    title: Text
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Knob:
    """A figure of one utility that may be fitted: where it stands, what the file says, its range and spread."""

    table: str
    id: str
    key: str
    title: Text
    unit: str
    stated: float
    low: float
    high: float
    spread: float
    source: str


@lru_cache(maxsize=1)
def ranges() -> tuple[Range, ...]:
    """Return the rows of `knobs.csv`.

    >>> next(one.high for one in ranges() if one.key == "recovery_fraction")
    0.98
    """
    text = (files("zerofactory.optimisation.utilities") / "knobs.csv").read_text(encoding="utf-8")
    return tuple(
        Range(
            row["table"], row["key"], row["per"], float(row["low"]), float(row["high"]), float(row["spread"]), row["unit"],
            Text(row["zh"], row["en"]), row["source"], row["status"],
        )
        for row in csv.DictReader(text.splitlines())
    )  # fmt: skip


def knobs(utilities: Utilities, left_out: Sequence[tuple[str, str, str]] = ()) -> tuple[Knob, ...]:
    """Return every figure of some utilities that may be fitted, but for those ``left_out`` (table, id, key)."""
    return tuple(one for one in _knobs(utilities) if (one.table, one.id, one.key) not in left_out)


def _knobs(utilities: Utilities) -> Iterator[Knob]:
    for one in ranges():
        for row in getattr(utilities, one.table):
            value = value_of(row, one.key)
            if not value or (isinstance(row, Heater) and row.kind in FIXED_KINDS):
                continue
            scale = value if one.per == SELF else _design_kw(row) if one.per == DESIGN else 1.0
            low, high = min(one.low * scale, value), max(one.high * scale, value)
            yield Knob(one.table, row.id, one.key, one.title, one.unit, value, low, high, one.spread * scale, one.source)  # fmt: skip


def _design_kw(row: Any) -> float:
    return float(row.open_kw + row.open_kw_per_k * DESIGN_K)


def value_of(row: Any, key: str) -> float | None:
    """Return the figure of a utility at a key such as ``fan_kw`` or ``window.low_celsius``; None where it has none."""
    name, _, inner = key.partition(".")
    found = getattr(row, name)
    if inner:
        found = found.get(inner) if isinstance(found, Mapping) else getattr(found, inner)
    return None if found is None else float(found)


def turned(utilities: Utilities, given: Sequence[Knob], values: Sequence[float]) -> Utilities:
    """Return the utilities with some figures set."""
    by_row: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for knob, value in zip(given, values, strict=True):
        by_row.setdefault((knob.table, knob.id), []).append((knob.key, float(value)))
    tables = {table for table, _ in by_row}
    changed: dict[str, Any] = {
        table: tuple(_set(row, by_row.get((table, row.id), ())) for row in getattr(utilities, table))
        for table in sorted(tables)
    }
    return replace(utilities, **changed)


def _set(row: Any, figures: Sequence[tuple[str, float]]) -> Any:
    for key, value in figures:
        name, _, inner = key.partition(".")
        if not inner:
            row = replace(row, **{name: value})
            continue
        held = getattr(row, name)
        new = {**held, inner: value} if isinstance(held, Mapping) else replace(held, **{inner: value})
        row = replace(row, **{name: new})
    return replace(row, window=_ordered(row.window)) if any(key.startswith("window.") for key, _ in figures) else row


def _ordered(window: Window) -> Window:
    """Return a window whose lower edge is not above its upper one: they meet in the middle."""
    if window.low_celsius <= window.high_celsius:
        return window
    middle = (window.low_celsius + window.high_celsius) / 2.0
    return replace(window, low_celsius=middle, high_celsius=middle)
