"""Sums: the same multiplication as `quantify`, added up by question and flow instead of written out record by record.

Each lot is rounded to whole grams before it is added, so the sum of a flow equals the sum of its records to the gram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from zerofactory.accounting.plan import Choice, answer
from zerofactory.accounting.quantify import GRAMS_PER_KILOGRAM, Asked
from zerofactory.accounting.record import RECORDS
from zerofactory.errors import Problem

SAME = (
    "source_id", "source_kind", "period", "item", "unit", "tier", "method", "regime", "factor_id", "factor_value",
    "factor_unit", "gas", "biogenic", "kyoto", "gwp_set", "gwp", "scope", "category", "uncertainty_fraction",
)  # fmt: skip


def sums_of(asked: Asked, choice: Choice) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Return one row per flow of each question, with the columns of RECORDS, and every problem met.

    ``emissions_gco2e`` and ``quantity`` are sums over the lots; what belongs to one activity only (id, shop, moments,
    reason) is null.
    """
    if asked.lots is None:
        return RECORDS.empty(), asked.problems
    answers = answer(asked.questions, choice)
    problems = (*asked.problems, *answers.problems)
    if not answers.rows:
        return RECORDS.empty(), problems
    small = len(asked.questions) <= np.iinfo(np.uint16).max
    order = np.argsort(asked.numbers.astype(np.uint16) if small else asked.numbers, kind="stable")
    counts = np.bincount(asked.numbers, minlength=len(asked.questions))
    ends = np.cumsum(counts)
    quantity = asked.lots["quantity"].to_numpy()[order]
    rows = []
    for row in answers.rows:
        place = cast(int, row["question"])
        own = quantity[ends[place] - counts[place] : ends[place]]
        amount = _grams(own, cast(float, row["factor_value"]), cast(float, row["gwp"]))
        rows.append({**row, "quantity": float(own.sum()), "emissions_gco2e": amount})
    types = RECORDS.polars_schema()
    known = {name: types[name] for name in rows[0] if name in types}
    made = pl.DataFrame([{name: row[name] for name in known} for row in rows], schema=known, orient="row")
    absent = [pl.lit(None, types[name]).alias(name) for name in types if name not in known]
    return made.with_columns(absent).select(RECORDS.names), problems


def added_up(records: pl.DataFrame, keys: Sequence[str] = SAME) -> pl.DataFrame:
    """Return records (booked, or of `sums_of`) added up over everything that ``keys`` tell apart, in a fixed order."""
    return records.group_by(*keys).agg(pl.col("emissions_gco2e").sum()).sort(*keys, nulls_last=True)


def as_records(added: pl.DataFrame) -> pl.DataFrame:
    """Return what `added_up` gives with all columns of RECORDS, fit for `inventory.fold`.

    The activity is the month of the source; shop, moments and reason, which belong to single activities, are empty.
    """
    types = RECORDS.polars_schema()
    named = added.with_columns(
        pl.concat_str("source_id", "period", separator="@").alias("activity_id"),
        pl.int_range(pl.len()).cast(pl.String).alias("record_id"),
        pl.lit("").alias("shop"),
        pl.lit("{}").alias("reason"),
        pl.lit(0.0).alias("estimated_fraction"),
        pl.lit(0.0).alias("quantity"),
    )
    absent = [pl.lit(None, types[name]).alias(name) for name in types if name not in named.columns]
    return named.with_columns(absent).select(RECORDS.names)


def _grams(quantity: npt.NDArray[np.float64], factor: float, potential: float) -> int:
    """Return Σ round(quantity × factor × 1000 × GWP), multiplied and rounded as `quantify.emissions` does."""
    return int(np.rint(quantity * factor * GRAMS_PER_KILOGRAM * potential).astype(np.int64).sum())
