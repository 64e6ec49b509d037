"""Hours: the share of the load that a regime accepts as non-fossil, by hour of the year and by hour of the day and month.

share(h) = Σ matched in h / Σ load in h      matched and load as they are used, after the stores (standards, 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.accounting.origins import PowerBook, Wh
from zerofactory.accounting.storage import route
from zerofactory.metering.interval import MeterMonth

HOURS_PER_DAY, MINUTES_PER_HOUR = 24, 60
Fractions = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """The clock of a book: for every slot its hour since the first instant, its hour of the local day and its month.

    ``by_hour`` is False where slots are longer than an hour; shares by hour are then those of whole slots.
    """

    of_book: NDArray[np.int64]
    of_day: NDArray[np.int64]
    month: NDArray[np.int32]
    labels: tuple[str, ...]
    by_hour: bool

    @property
    def count(self) -> int:
        """How many hours the book has."""
        return int(self.of_book[-1]) + 1


def hours_of(book: PowerBook, months: Sequence[MeterMonth]) -> Hours:
    """Return the clock of a book made from months."""
    per_hour = max(1, MINUTES_PER_HOUR // book.minutes)
    slot_of_day = np.concatenate([month.grid.slot_of_day for month in months])
    return Hours(
        of_book=np.arange(len(book.months), dtype=np.int64) // per_hour,
        of_day=slot_of_day * book.minutes // MINUTES_PER_HOUR,
        month=book.months,
        labels=book.labels,
        by_hour=book.minutes <= MINUTES_PER_HOUR,
    )


def matched_load(book: PowerBook, matched_wh: Wh) -> Wh:
    """Return by slot the load that is matched, when the stores have moved what was matched as it came in.

    The stores are taken as empty before the first slot, so what they then give out is not called non-fossil.
    """
    if not book.stores:
        return matched_wh
    routed = route({"matched": matched_wh, "other": book.consumption_wh - matched_wh}, book.stores)
    return routed.load_wh()["matched"]


def share_by_hour(hours: Hours, part_wh: Wh, whole_wh: Wh) -> Fractions:
    """Return the share of a whole in every hour of the book; 0 where there is nothing to share."""
    return _ratio(_sums(hours.of_book, part_wh, hours.count), _sums(hours.of_book, whole_wh, hours.count))


def share_by_day_hour(hours: Hours, part_wh: Wh, whole_wh: Wh) -> Fractions:
    """Return the share in each hour of the local day over the whole book (24)."""
    return _ratio(_sums(hours.of_day, part_wh, HOURS_PER_DAY), _sums(hours.of_day, whole_wh, HOURS_PER_DAY))


def heat(hours: Hours, part_wh: Wh, whole_wh: Wh) -> Fractions:
    """Return the share by hour of the local day and month of the book (24 × months)."""
    place = hours.of_day * len(hours.labels) + hours.month
    size = HOURS_PER_DAY * len(hours.labels)
    return _ratio(_sums(place, part_wh, size), _sums(place, whole_wh, size)).reshape(HOURS_PER_DAY, -1)


def sums_by_hour(hours: Hours, slots_wh: Wh) -> Wh:
    """Return the sum of a slot array in every hour of the book, exactly."""
    found = np.zeros(hours.count, dtype=np.int64)
    np.add.at(found, hours.of_book, slots_wh)
    return found


def _sums(place: NDArray[np.int64], slots_wh: Wh, size: int) -> Fractions:
    sums: Fractions = np.bincount(place, weights=np.maximum(slots_wh, 0), minlength=size).astype(np.float64)
    return sums


def _ratio(part: Fractions, whole: Fractions) -> Fractions:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
