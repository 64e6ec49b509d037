"""Search the factors by words: Chinese, English or id, best first."""

from __future__ import annotations

from zerofactory.factors.model import Factor, FactorBook
from zerofactory.factors.vocabulary import canonical, items


def search(book: FactorBook, text: str) -> list[Factor]:
    """Return the factors that hold every word of ``text``, best first.

    An id that is meant exactly comes first, then the item that is meant, then titles, then everything else; within
    each the newer factor year first.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> search(factor_book(), "上海 电力")[0].id
    'cn.grid.prov.shanghai.2023'
    >>> search(factor_book(), "R-134a AR6")[0].id
    'gwp.hfc-134a.ar6'
    """
    words = text.lower().split()
    meant = {canonical(word) for word in (text, *text.split())}
    ranked = [
        (rank, -(factor.factor_year or 0), factor.id, factor)
        for factor in book.by_id.values()
        if (rank := _rank(factor, words, meant)) is not None
    ]
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:3])]


def _rank(factor: Factor, words: list[str], meant: set[str]) -> int | None:
    title = f"{factor.title.zh} {factor.title.en}".lower()
    whole = (
        f"{factor.id} {title} {_names(factor.item)} {factor.role} {factor.source} {factor.note} {factor.region}".lower()
    )
    if not words or not all(word in whole for word in words):
        return None
    if factor.id.lower() == " ".join(words):
        return 0
    if factor.item in meant:
        return 1
    return 2 if all(word in title for word in words) else 3


def _names(item: str) -> str:
    known = items().get(item)
    return f"{item} {known.title.zh} {known.title.en} {' '.join(known.aliases)}" if known else item
