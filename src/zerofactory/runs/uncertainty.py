"""The uncertainty of a closed period: both methods by one cut, what drives it, which better meter pays, data quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import polars as pl

from zerofactory.accounting.drivers import BetterMeter, Driver, better_meters, drivers
from zerofactory.accounting.inventory import By, Inventory, column_of, counted, knowledge_of
from zerofactory.accounting.pedigree import DataQualityScore, data_quality_score
from zerofactory.accounting.spread import Spread, spread_of
from zerofactory.accounting.uncertainty import Assessment, Interval, assess
from zerofactory.errors import Text
from zerofactory.factors.resolve import uncertainty
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.inventory import DIRECT_AND_ENERGY, booked
from zerofactory.runs.inventory import read as read_inventory
from zerofactory.standards.load import standard as load_standard

RANKS = (
    ("rank.high", Text("高", "high")),
    ("rank.good", Text("良", "good")),
    ("rank.fair", Text("中", "fair")),
)
POOR = Text("差", "poor")


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """The assessment of an inventory. ``rank`` is the GHG Protocol's word for the half-width of the total."""

    inventory: Inventory
    assessment: Assessment
    drivers: tuple[Driver, ...]
    better_meters: tuple[BetterMeter, ...]
    quality: DataQualityScore
    rank: Text


@dataclass(frozen=True, slots=True)
class Draw:
    """How many draws, from which seed; None takes the default of the accounting rules."""

    draws: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """Which inventory: the claim regime (None: what the standard says), the cut and the scope of `inventory.read`."""

    regime: str | None = None
    by: str = "category"
    scope: str = DIRECT_AND_ENERGY


def read(
    context: Context, period: Period, standard: str, view: View | None = None, draw: Draw | None = None
) -> Uncertainty:
    """Return the uncertainty of the inventory of a closed period; errors are those of `inventory.read`."""
    seen = view or View()
    inventory = read_inventory(context, period, standard, seen.regime, seen.by, seen.scope)
    workspace = context.workspace
    chosen = counted(booked(context, period, seen.scope), load_standard(standard), inventory.regime)
    spread = linear(context, chosen, column_of(cast(By, seen.by)))
    asked = draw or Draw()
    assessed = assess(spread, asked.draws, asked.seed)
    return Uncertainty(
        inventory=inventory,
        assessment=assessed,
        drivers=drivers(spread, workspace.plant, workspace.factor_book),
        better_meters=better_meters(spread, workspace.plant, workspace.factor_book),
        quality=data_quality_score(chosen, workspace.plant, workspace.factor_book),
        rank=rank_of(context, assessed.half_width_fraction),
    )


def linear(context: Context, chosen: pl.DataFrame, column: str) -> Spread:
    """Return the linear form of records (see `inventory.counted`) with what the plant says about its amounts."""
    return spread_of(chosen, column, knowledge_of(context.workspace.plant))


def rank_of(context: Context, half_width_fraction: float) -> Text:
    """Return high, good, fair or poor: the first rank whose limit the half-width keeps (uncertainty set, rank.*)."""
    book = context.workspace.factor_book
    return next((title for entry, title in RANKS if half_width_fraction <= uncertainty(book, entry)), POOR)


def as_json(result: Uncertainty) -> dict[str, object]:
    """Return an assessment as plain JSON values; grams are whole."""
    found = result.assessment
    lines = [
        {
            "key": line.key,
            "title": _text(line.title),
            "emissions_gco2e": line.emissions_gco2e,
            "half_width_fraction": found.half_widths.get(line.key, 0.0),
            "variance_share": found.shares.get(line.key, 0.0),
            "simulated": _interval(found.simulation.groups[line.key]),
        }
        for line in result.inventory.lines
    ]
    return {
        "period": result.inventory.period,
        "standard": result.inventory.standard,
        "regime": result.inventory.regime,
        "by": result.inventory.by,
        "total_gco2e": result.inventory.total_gco2e,
        "half_width_fraction": found.half_width_fraction,
        "simulated_fraction": found.simulated_fraction,
        "simulated": _interval(found.simulation.total),
        "draws": found.simulation.draws,
        "seed": found.simulation.seed,
        "agree": found.agree,
        "tolerance_fraction": found.tolerance_fraction,
        "propagation_applicable": found.applicable,
        "rank": _text(result.rank),
        "lines": lines,
        "drivers": [_driver(one) for one in result.drivers],
        "better_meters": [_better(one) for one in result.better_meters],
        "data_quality": _quality(result.quality),
    }


def _text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _interval(interval: Interval) -> dict[str, int]:
    return {
        "mean_gco2e": round(interval.mean_g),
        "sd_gco2e": round(interval.sd_g),
        "low_gco2e": round(interval.low_g),
        "high_gco2e": round(interval.high_g),
    }


def _driver(one: Driver) -> dict[str, object]:
    return {
        "key": one.key,
        "kind": one.kind,
        "title": _text(one.title),
        "half_width_fraction": one.half_width_fraction,
        "variance_share": one.variance_share,
    }


def _better(one: BetterMeter) -> dict[str, object]:
    return {
        "key": one.key,
        "title": _text(one.title),
        "action": _text(one.action),
        "half_width_fraction": one.half_width_fraction,
        "better_fraction": one.better_fraction,
        "total_before_fraction": one.total_before_fraction,
        "total_after_fraction": one.total_after_fraction,
    }


def _quality(quality: DataQualityScore) -> dict[str, object]:
    return {
        "score": quality.score,
        "covered_fraction": quality.covered_fraction,
        "contributors": [
            {
                "source": one.source_id,
                "scores": dict(one.scores),
                "score": one.score,
                "gsd_squared": one.gsd_squared,
                "emissions_gco2e": one.emissions_gco2e,
                "share_fraction": one.share_fraction,
            }
            for one in quality.contributors
        ],
    }
