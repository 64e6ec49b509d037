"""The deliberate faults of the reference data, and what they do to a meter's display."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.reference_plant.shapes import START, Whole

Kind = Literal["reset", "gap", "late", "duplicate", "wrong_unit", "rollover"]


@dataclass(frozen=True, slots=True)
class Mess:
    """One deliberate fault: what is wrong, why it happens, and where. ``first`` and ``last`` are quarter-hour numbers.

    ``divisor`` is what a wrongly set transformer ratio divides a reading by, ``document`` the voucher concerned,
    ``unit`` what it wrongly says."""

    id: str
    kind: Kind
    what: Text
    why: Text
    file: str
    meter: str | None = None
    first: int = 0
    last: int = 0
    copy_of: str | None = None
    corrected_by: str | None = None
    document: str | None = None
    unit: str | None = None
    divisor: int = 1


def mess_text() -> str:
    """Return the packaged list of deliberate faults as TOML."""
    return (files("zerofactory.reference_plant") / "mess.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def mess() -> tuple[Mess, ...]:
    """Return every deliberate fault in the order of the list.

    Examples
    --------
    >>> gap = next(entry for entry in mess() if entry.id == "gap-31h")
    >>> (gap.last - gap.first) / 4
    31.0
    """
    return tuple(_entry(row) for row in tomllib.loads(mess_text())["mess"])


def _entry(row: Mapping[str, Any]) -> Mess:
    given = {name: value for name, value in row.items() if name not in ("what", "why", "from", "to")}
    for name, place in (("first", "from"), ("last", "to")):
        moment = row.get(place)
        if isinstance(moment, datetime):
            given[name] = (moment - START) // timedelta(minutes=15)
    return Mess(what=_text(row["what"]), why=_text(row["why"]), **given)


def _text(row: Mapping[str, str]) -> Text:
    return Text(row["zh"], row["en"])


def disturb(meter: str, shown: Whole, slots: Whole) -> tuple[Whole, NDArray[np.bool_]]:
    """Return what the files say instead of what a meter showed, and which rows they hold.

    Parameters
    ----------
    shown : whole numbers of the display's last digit
    slots : quarter-hour number of each
    """
    kept = np.ones(len(shown), dtype=np.bool_)
    for entry in mess():
        if entry.meter != meter:
            continue
        touched = (slots >= entry.first) & (slots < entry.last)
        if entry.kind == "gap":
            kept &= ~touched
        elif entry.kind == "late":
            shown = np.where(touched, shown // entry.divisor, shown)
        elif entry.kind == "reset":
            shown = np.where(slots > entry.first, shown - shown[slots == entry.first], shown)
    return shown, kept
