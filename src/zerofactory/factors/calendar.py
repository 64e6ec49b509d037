"""The best-before calendar: which factors should by now have a newer edition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zerofactory.factors.model import Factor, FactorBook


@dataclass(frozen=True, slots=True)
class Due:
    """A factor that is due for renewal; ``days_left`` is negative when it is overdue."""

    factor: Factor
    best_before: date
    days_left: int


def best_before(book: FactorBook, today: date, within_days: int = 0) -> list[Due]:
    """Return the factors whose best-before day is over, or comes within so many days; the earliest first.

    A factor that already has a newer edition in the book is not listed: it is history, not due.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> due = best_before(factor_book(), date(2027, 1, 1))
    >>> {entry.best_before for entry in due if entry.factor.set_id == "cn_grid_2023"}
    {datetime.date(2026, 12, 31)}
    """
    due = [
        Due(factor, factor.best_before, (factor.best_before - today).days)
        for factor in book.by_id.values()
        if factor.best_before is not None
        and (factor.best_before - today).days <= within_days
        and not _superseded(book, factor)
    ]
    return sorted(due, key=lambda entry: (entry.best_before, entry.factor.id))


def _superseded(book: FactorBook, factor: Factor) -> bool:
    """Whether a later edition of the same number is in the book."""
    return any(
        other.region == factor.region
        and other.gas == factor.gas
        and (other.factor_year or 0) > (factor.factor_year or 0)
        for other in book.by_role_item[factor.role, factor.item]
    )
