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
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import FactorBook, Resolution
from zerofactory.site.model import Plant

Counts = npt.NDArray[np.int64]
GRAMS_PER_KILOGRAM = 1000.0
WHOLE_GRAMS = 2.0**53
HEX_DIGITS = 16
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
    asked = ask_of(activities, plant)
    if asked.lots is None:
        return Quantified(RECORDS.empty(), asked.problems, {})
    answers = answer(asked.questions, Choice(plant, book, closing, known_at))
    return Quantified(_records(asked, answers), (*asked.problems, *answers.problems), answers.resolutions)


@dataclass(frozen=True, slots=True)
class Asked:
    """What activities ask, before any factor is looked for: lots, their order by id, the question of each, the questions.

    It depends on the plant only through who the reporter is and where. ``lots`` is None when an id stands twice.
    """

    lots: pl.DataFrame | None
    order: Counts
    numbers: Counts
    questions: list[dict[str, object]]
    problems: tuple[Problem, ...]


def ask_of(activities: pl.DataFrame, plant: Plant) -> Asked:
    """Return the questions of an ACTIVITIES frame."""
    wanted = activities.select(*OWN, *KEY)
    order = _order(wanted["activity_id"])
    problems = _repeated(wanted["activity_id"].gather(order))
    if problems:
        nothing = np.zeros(0, dtype=np.int64)
        return Asked(None, nothing, nothing, [], tuple(problems))
    split = split_by_contract(activities, plant)
    lots = _lots(wanted, split)
    if not split.parts.is_empty():
        order = _order(lots["activity_id"])
    numbers, questions = _questions(lots)
    return Asked(lots, order, numbers, questions, split.problems)


def _repeated(names: pl.Series) -> list[Problem]:
    """Return a problem for each id that stands twice; ``names`` are sorted."""
    twice = names.slice(1).filter(names.slice(1) == names.head(max(len(names) - 1, 0)))
    return [
        fault(
            "repeated_activity",
            Text(f"活动数据“{name}”出现不止一次。", f"Activity '{name}' comes more than once."),
            Text("请删除重复的一行。", "Remove the repeated row."),
        )
        for name in twice.unique(maintain_order=True)
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
    keys = lots.select(*KEY, *LOT)
    same = keys.select(pl.all().eq_missing(pl.all().first()).all()).row(0)
    varying = [name for name, is_same in zip(keys.columns, same, strict=True) if not is_same]
    if varying:
        rows = pl.int_range(pl.len()).alias("row")
        first = keys.with_columns(rows).select(pl.col("row").first().over(varying)).to_series().to_numpy()
    else:
        first = np.zeros(keys.height, dtype=np.int64)
    is_first = np.zeros(keys.height, dtype=np.int64)
    is_first[first] = 1
    questions = keys.filter(pl.Series(is_first == 1)).with_row_index("question")
    return (np.cumsum(is_first) - 1)[first], questions.sort(*KEY, *LOT, nulls_last=True).to_dicts()


def _records(asked: Asked, answers: Answers) -> pl.DataFrame:
    """Return one record per lot and flow of its question, sorted by activity; flows keep the order of their source."""
    if asked.lots is None or not answers.rows:
        return RECORDS.empty()
    types = RECORDS.polars_schema()
    kept = {name: types[name] for name in answers.rows[0] if name in types}
    flows = pl.DataFrame(
        answers.rows, schema={"question": pl.Int64(), "label": pl.String(), **kept}, orient="row"
    ).sort("question", maintain_order=True)
    counts = np.bincount(flows["question"].to_numpy(), minlength=int(asked.numbers.max()) + 1)
    starts = np.cumsum(counts) - counts
    numbers = asked.numbers[asked.order]
    repeats = counts[numbers]
    within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    left = asked.lots.select(OWN)[np.repeat(asked.order, repeats)]
    both = left.hstack(flows.drop("question")[np.repeat(starts[numbers], repeats) + within])
    return both.select(
        pl.concat_str("activity_id", "label").alias("record_id"),
        *(name for name in RECORDS.names if name in both.columns),
        emissions(both),
        pl.lit(None, pl.String).alias("reverses"),
    ).select(RECORDS.names)


def _order(names: pl.Series) -> Counts:
    """Return the order of ids, equal ones as they come; sixteen hex digits are sorted as the numbers they are."""
    if names.is_sorted():
        return np.arange(len(names))
    if (names.str.len_bytes() == HEX_DIGITS).all():
        numbers = names.str.to_integer(base=16, dtype=pl.UInt64, strict=False)
        order = _sorted(numbers)
        if not numbers.null_count() and names.gather(order).is_sorted():
            return order
    return _sorted(names)


def _sorted(keys: pl.Series) -> Counts:
    return keys.to_frame("key").select(pl.arg_sort_by("key", maintain_order=True)).to_series().to_numpy()


def grams_of(
    quantity: npt.NDArray[np.float64], factor_value: npt.NDArray[np.float64], gwp: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return quantity × factor × 1000 × GWP in grams, not yet rounded: the one product, for bookings, plans and live figures.

    Examples
    --------
    >>> grams_of(np.array([2.0]), np.array([0.5]), np.array([28.0])).tolist()
    [28000.0]
    """
    grams: npt.NDArray[np.float64] = quantity * factor_value * GRAMS_PER_KILOGRAM * gwp
    return grams


def emissions(frame: pl.DataFrame) -> pl.Series:
    """Return quantity × factor_value × 1000 × gwp of every row, rounded half to even to whole grams.

    Raises
    ------
    FaultyData
        A row comes to more than 2**53 g (9 Gt): beyond it a 64-bit float holds no whole grams. A wrong unit, surely.

    Examples
    --------
    >>> row = pl.DataFrame({"quantity": [1000.0], "factor_value": [573.7], "gwp": [1.0]})
    >>> emissions(row).to_list()
    [573700000]
    """
    grams = grams_of(frame["quantity"].to_numpy(), frame["factor_value"].to_numpy(), frame["gwp"].to_numpy())
    beyond = ~(np.abs(grams) <= WHOLE_GRAMS)
    if beyond.any():
        raise FaultyData(_too_large(frame.filter(pl.Series(beyond))))
    return pl.Series("emissions_gco2e", np.rint(grams).astype(np.int64))


def _too_large(rows: pl.DataFrame) -> list[Problem]:
    names = rows["source_id"] if "source_id" in rows.columns else rows["quantity"].cast(pl.String)
    return [
        fault(
            "too_large",
            Text(f"“{name}”的排放量大得无法计算。", f"The emission of '{name}' is too large to be counted."),
            Text("请核对数量与单位。", "Check quantity and unit."),
        )
        for name in names.unique(maintain_order=True)
    ]
