"""Quantify: activities + factors + sources → RECORDS. The one loop; plans and bookings both go through it.

emissions_gco2e = round(quantity × factor × 1000 × GWP), multiplied left to right in 64-bit floats and rounded half to even
to whole grams, so that the same activities give the same bytes on every machine and in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from zerofactory import units
from zerofactory.accounting.electricity import Split, split_by_contract
from zerofactory.accounting.plan import KEY, LOT, Answers, Choice, answer
from zerofactory.accounting.record import RECORDS
from zerofactory.accounting.source import fault
from zerofactory.errors import Problem, Text
from zerofactory.factors.model import FactorBook, Resolution
from zerofactory.site.model import Plant

Counts = npt.NDArray[np.int64]
GRAMS_PER_KILOGRAM = 1000.0
MANY = 1 << 22  # distinct codes up to which a table of them is quicker than sorting
OWN = ("activity_id", "shop", "started_at", "ended_at", "quantity", "estimated_fraction")


@dataclass(frozen=True, slots=True)
class Quantified:
    """Records (a RECORDS frame sorted by activity), every problem met, and each resolution used by `plan.resolution_key`."""

    records: pl.DataFrame
    problems: tuple[Problem, ...]
    resolutions: Mapping[str, Resolution]


def quantify(
    activities: pl.DataFrame, plant: Plant, book: FactorBook, closing: bool = False, known_at: date | None = None
) -> Quantified:
    """Return the records of an ACTIVITIES frame.

    Parameters
    ----------
    activities : ACTIVITIES frame; the contracts of a month must come with that month's electricity.
    closing : refuse low-confidence factors that the plant has not accepted by name.
    known_at : use only factors published by then; None uses everything.

    Every fault is a problem of the result; an activity with an error has no record.
    """
    wanted = activities.select(*OWN, *KEY)
    problems = _repeated(wanted)
    if problems:
        return Quantified(RECORDS.empty(), tuple(problems), {})
    split = split_by_contract(activities, plant)
    lots = _lots(wanted, split)
    numbers, questions = _questions(lots)
    answers = answer(questions, Choice(plant, book, closing, known_at))
    return Quantified(_records(lots, numbers, answers), (*split.problems, *answers.problems), answers.resolutions)


def _repeated(activities: pl.DataFrame) -> list[Problem]:
    """Return a problem for each id that stands twice."""
    names = activities["activity_id"]
    if names.n_unique() == len(names):
        return []
    return [
        fault(
            "repeated_activity",
            Text(f"活动数据“{name}”出现不止一次。", f"Activity '{name}' comes more than once."),
            Text("请删除重复的一行。", "Remove the repeated row."),
        )
        for name in names.filter(names.is_duplicated()).unique().sort()
    ]


def _lots(activities: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Return activities with the columns of `LOT`; an activity that contracts cover stands once whole and once a part.

    The whole is seen by the location view only and the parts by the market view only, so nothing a contract does can move
    the location-based figure, not even by rounding.
    """
    nothing = pl.lit(None, pl.String)
    if split.parts.is_empty():
        return activities.with_columns(nothing.alias("instrument"), nothing.alias("view"))
    touched = activities.filter(pl.col("activity_id").is_in(split.parts["activity_id"].unique().implode()))
    parts = split.parts.join(touched, on="activity_id", how="left", maintain_order="left")
    per_wh = {unit: units.ratio("Wh", unit) for unit in parts["unit"].unique()}
    parts = parts.with_columns(
        quantity=pl.col("energy_wh") * pl.col("unit").replace_strict(per_wh, return_dtype=pl.Float64),
        view=pl.lit("market_annual"),
    )
    whole = activities.join(touched.select("activity_id"), on="activity_id", how="anti")
    whole = whole.with_columns(nothing.alias("instrument"), nothing.alias("view"))
    seen = touched.with_columns(nothing.alias("instrument"), pl.lit("location").alias("view"))
    return pl.concat([whole, seen.select(whole.columns), parts.select(whole.columns)])


def _questions(lots: pl.DataFrame) -> tuple[Counts, list[dict[str, object]]]:
    """Return the number of the question that each lot asks, and the distinct questions, sorted."""
    code, width = np.zeros(lots.height, dtype=np.int64), 1
    keys = lots.select(*KEY, *LOT)
    numbered = keys.select(pl.all().cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1) + 1)
    for own, choices in map(_dense, (numbered[key].to_numpy() for key in numbered.columns)):
        code, width = code * choices + own, width * choices
        if width > MANY:
            code, width = _dense(code)
    code, width = _dense(code)
    first = np.zeros(width, dtype=np.int64)
    first[code] = np.arange(len(code))
    return code, keys[first].with_row_index("question").sort(*KEY, *LOT, nulls_last=True).to_dicts()


def _dense(codes: Counts) -> tuple[Counts, int]:
    """Return codes renumbered from 0 without holes in their order, and how many distinct ones there are."""
    top = int(codes.max(initial=0))
    if top > MANY:
        known, numbers = np.unique(codes, return_inverse=True)
        return numbers.astype(np.int64), len(known)
    present = np.zeros(top + 1, dtype=np.int64)
    present[codes] = 1
    if present.all():
        return codes, top + 1
    return (np.cumsum(present) - 1)[codes], int(present.sum())


def _records(lots: pl.DataFrame, numbers: Counts, answers: Answers) -> pl.DataFrame:
    """Return one record per lot and flow of its question, sorted by activity; flows keep the order of their source."""
    if not answers.rows:
        return RECORDS.empty()
    types = RECORDS.polars_schema()
    kept = {name: types[name] for name in answers.rows[0] if name in types}
    flows = pl.DataFrame(
        answers.rows, schema={"question": pl.Int64(), "label": pl.String(), **kept}, orient="row"
    ).sort("question", maintain_order=True)
    counts = np.bincount(flows["question"].to_numpy(), minlength=int(numbers.max()) + 1)
    starts = np.cumsum(counts) - counts
    order = _order(lots["activity_id"])
    asked = numbers[order]
    repeats = counts[asked]
    within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    left = lots.select(OWN)[order][np.repeat(np.arange(len(order)), repeats)]
    both = left.hstack(flows.drop("question")[np.repeat(starts[asked], repeats) + within])
    return both.select(
        pl.concat_str("activity_id", "label").alias("record_id"),
        *(name for name in RECORDS.names if name in both.columns),
        emissions(both),
        pl.lit(None, pl.String).alias("reverses"),
    ).select(RECORDS.names)


def _order(names: pl.Series) -> Counts:
    """Return the order of ids, equal ones as they come; ids of sixteen hex digits sort as the numbers they are."""
    if names.str.contains(r"^[0-9a-f]{16}$").all():
        names = names.str.to_integer(base=16, dtype=pl.UInt64)
    return names.to_frame("name").select(pl.arg_sort_by("name", maintain_order=True)).to_series().to_numpy()


def emissions(frame: pl.DataFrame) -> pl.Series:
    """Return quantity × factor_value × 1000 × gwp of every row, rounded half to even to whole grams.

    Examples
    --------
    >>> row = pl.DataFrame({"quantity": [1000.0], "factor_value": [573.7], "gwp": [1.0]})
    >>> emissions(row).to_list()
    [573700000]
    """
    grams = (
        frame["quantity"].to_numpy() * frame["factor_value"].to_numpy() * GRAMS_PER_KILOGRAM * frame["gwp"].to_numpy()
    )
    return pl.Series("emissions_gco2e", np.rint(grams).astype(np.int64))
