"""Cover: which contracts and claims may be applied under a regime, and which watt-hours of the grid they cover by month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zerofactory.accounting.claims import ANY_REGIME
from zerofactory.accounting.electricity import CRITERIA
from zerofactory.accounting.origins import GRID, PowerBook, Supply, Wh
from zerofactory.errors import Text

YEAR_LABEL, MONTHS_PER_YEAR = 4, 12


def eligible(book: PowerBook, regime: str = ANY_REGIME) -> tuple[list[Supply], tuple[Text, ...]]:
    """Return the contracts and claims that may be applied under a regime, and a remark for each that may not.

    One that fails a quality criterion is not applied; one claimed under another regime is passed over; a claim on a year is
    applied only where the book holds the whole year.
    """
    good: list[Supply] = []
    remarks: list[Text] = []
    for supply in book.supplies:
        if supply.failed:
            remarks.append(_failing(supply))
        elif ANY_REGIME not in (supply.regime, regime) and supply.regime != regime:
            continue
        elif len(supply.month) == YEAR_LABEL and not _holds_year(book, supply.month):
            remarks.append(_part_of_year(supply))
        else:
            good.append(supply)
    return good, tuple(dict.fromkeys(remarks))


def covered_by_month(book: PowerBook, supplies: Sequence[Supply]) -> Wh:
    """Return by slot the grid energy that contracts cover when each month is matched as a whole.

    In a month the smaller of offer and grid consumption is covered; by slot in proportion to consumption, exactly. What is
    claimed for a year covers what the months have left over.
    """
    return cover(book, supplies, np.maximum(book.energy_wh[GRID], 0))


def cover(book: PowerBook, supplies: Sequence[Supply], open_wh: Wh) -> Wh:
    """Return by slot what supplies cover of an energy still open: month by month, then claims on a year over the rest."""
    covered = np.zeros_like(open_wh)
    for index, label in enumerate(book.labels):
        offered = sum(supply.energy_wh for supply in supplies if supply.month == label)
        inside = np.flatnonzero(book.months == index)
        covered[inside] += _spread(open_wh[inside], offered)
    for year in sorted({label[:YEAR_LABEL] for label in book.labels}):
        offered = sum(supply.energy_wh for supply in supplies if supply.month == year)
        if offered:
            own = [index for index, label in enumerate(book.labels) if label.startswith(year)]
            inside = np.flatnonzero(np.isin(book.months, own))
            covered[inside] += _spread((open_wh - covered)[inside], offered)
    return covered


def _spread(load: Wh, offered: int) -> Wh:
    """Return the smaller of an offer and a load, by slot in proportion to the load, in whole watt-hours."""
    total = int(load.sum())
    if not total or not offered:
        return np.zeros_like(load)
    running = np.concatenate([[0], np.cumsum(load)]).astype(object)
    ends: Wh = (running * min(offered, total) // total).astype(np.int64)
    return ends[1:] - ends[:-1]


def _holds_year(book: PowerBook, year: str) -> bool:
    return sum(label.startswith(year) for label in book.labels) == MONTHS_PER_YEAR


def _named(supply: Supply) -> tuple[str, str]:
    zh, en = ("主张", "claim") if supply.claimed else ("合同", "contract")
    return f"{zh}“{supply.document}”({supply.month})", f"{en} '{supply.document}' ({supply.month})"


def _failing(supply: Supply) -> Text:
    zh, en = _named(supply)
    why = [CRITERIA[name] for name in supply.failed]
    return Text(
        f"{zh}未采用, 不满足: {'; '.join(text.zh for text in why)}",
        f"{en} is not applied, it fails: {'; '.join(text.en for text in why)} [{', '.join(supply.failed)}]",
    )


def _part_of_year(supply: Supply) -> Text:
    zh, en = _named(supply)
    return Text(
        f"{zh}覆盖全年, 只在全年比较时采用", f"{en} covers a year and is applied only where the whole year is compared"
    )
