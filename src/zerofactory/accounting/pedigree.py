"""Pedigree: five indicators of data quality, scored 1 (best) to 5, as an uncertainty and as a score of the inventory.

    GSD² = exp( sqrt( Σ (ln U_i)² + (ln U_basic)² ) )        95 % range: x / GSD² … x × GSD²

U_i are the uncertainty factors of the ecoinvent pedigree matrix (factor set ``pedigree``; standards, 7). A plant states the scores of
a source in factory.toml: ``pedigree = { reliability = 2, completeness = 1, temporal = 1, geographical = 1, technological = 3 }``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from zerofactory.accounting.spread import Z95
from zerofactory.errors import NotFound, Text
from zerofactory.factors.model import FactorBook
from zerofactory.site.model import PEDIGREE, Plant

WORST = 5


@dataclass(frozen=True, slots=True)
class Contributor:
    """One source in the data-quality score: its mean score, its share of the scored emissions, its GSD²."""

    source_id: str
    scores: Mapping[str, int]
    score: float
    gsd_squared: float
    emissions_gco2e: int
    share_fraction: float


@dataclass(frozen=True, slots=True)
class DataQualityScore:
    """The emission-weighted mean score (1–5, lower is better; None when nothing is scored).

    ``covered_fraction`` is the share of the (absolute) emissions that has a pedigree; ``contributors`` are ordered by score × share,
    the worst first.
    """

    score: float | None
    covered_fraction: float
    contributors: tuple[Contributor, ...]


def uncertainty_factor(book: FactorBook, indicator: str, score: int) -> float:
    """Return U of one indicator at one score; a cell the matrix leaves empty takes the next worse one.

    Raises
    ------
    NotFound
        No such indicator, or a score outside 1 to 5.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> uncertainty_factor(factor_book(), "reliability", 3)
    1.1
    >>> uncertainty_factor(factor_book(), "geographical", 4)  # the matrix leaves 4 empty: that of 5
    1.1
    """
    if indicator not in PEDIGREE or not 1 <= score <= WORST:
        raise NotFound(Text("谱系指标与评分", "pedigree indicator and score"), f"{indicator} = {score}", PEDIGREE)
    for worse in range(score, WORST + 1):
        found = book.by_id.get(f"ecoinvent.{indicator}.{worse}")
        if found is not None:
            return found.value
    raise NotFound(Text("谱系系数", "pedigree factor"), f"{indicator}.{score}", PEDIGREE)


def gsd_squared(scores: Mapping[str, int], book: FactorBook, basic: str | None = None) -> float:
    """Return GSD² of scores, with the basic uncertainty of a kind of data (``electricity``, ``transport_tkm``) if named.

    Parameters
    ----------
    scores : indicator → 1 … 5; an indicator left out adds nothing.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> round(gsd_squared({"reliability": 3, "technological": 3}, factor_book()), 4)
    1.2284
    """
    factors = [uncertainty_factor(book, name, score) for name, score in sorted(scores.items())]
    if basic is not None:
        factors.append(book.factor(f"basic.{basic}").value)
    return math.exp(math.hypot(*(math.log(value) for value in factors)))


def half_width(scores: Mapping[str, int], book: FactorBook) -> float:
    """Return the relative half-width, 1.96 standard deviations, of a lognormal with this GSD²: σ = ln GSD² / 2, cv² = exp(σ²) − 1.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> half_width({"reliability": 1}, factor_book())
    0.0
    """
    sigma = math.log(gsd_squared(scores, book)) / 2
    return Z95 * math.sqrt(math.expm1(sigma * sigma))


def pedigrees_of(plant: Plant, book: FactorBook) -> dict[str, float]:
    """Return the half-width of every source with a stated pedigree."""
    return {use.id: half_width(use.pedigree, book) for use in plant.sources if use.pedigree}


def data_quality_score(records: pl.DataFrame, plant: Plant, book: FactorBook) -> DataQualityScore:
    """Return the emission-weighted data-quality score of records.

    Parameters
    ----------
    records : frame with source_id and ``signed`` (grams).
    """
    emitted = dict(records.group_by("source_id").agg(pl.col("signed").sum()).sort("source_id").iter_rows())
    stated = {use.id: use.pedigree for use in plant.sources if use.pedigree and use.id in emitted}
    scored = sum(abs(emitted[source_id]) for source_id in stated)
    whole = sum(abs(amount) for amount in emitted.values())
    contributors = [
        Contributor(
            source_id=source_id,
            scores=scores,
            score=math.fsum(scores.values()) / len(scores),
            gsd_squared=gsd_squared(scores, book),
            emissions_gco2e=emitted[source_id],
            share_fraction=abs(emitted[source_id]) / scored if scored else 0.0,
        )
        for source_id, scores in stated.items()
    ]
    contributors.sort(key=lambda one: (-one.score * one.share_fraction, one.source_id))
    mean = math.fsum(one.score * one.share_fraction for one in contributors) if scored else None
    return DataQualityScore(mean, scored / whole if whole else 0.0, tuple(contributors))
