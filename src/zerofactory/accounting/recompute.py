"""Recompute: quantify activities again and name every record that does not come out the same."""

from __future__ import annotations

from datetime import date

import polars as pl

from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.record import RECORDS
from zerofactory.errors import Problem, Text
from zerofactory.factors.model import FactorBook
from zerofactory.site.model import Plant


def recompute(
    records: pl.DataFrame, activities: pl.DataFrame, plant: Plant, book: FactorBook, known_at: date | None = None
) -> list[Problem]:
    """Quantify again and return a problem for every record that is missing, unknown or different.

    ``records`` may hold reversals (``reverses`` set): each must undo an existing record exactly. A record that is reversed
    is no longer expected.
    """
    reversals = records.filter(pl.col("reverses").is_not_null())
    standing = records.filter(pl.col("reverses").is_null())
    problems = _unbalanced(reversals, standing)
    undone = reversals["reverses"].unique()
    standing = standing.filter(~pl.col("record_id").is_in(undone.implode()))
    again = quantify(activities, plant, book, known_at=known_at)
    problems += [problem for problem in again.problems if problem.severity == "error"]
    return problems + _differences(standing, again.records.filter(~pl.col("record_id").is_in(undone.implode())))


def _unbalanced(reversals: pl.DataFrame, standing: pl.DataFrame) -> list[Problem]:
    """Return a problem for every reversal that does not undo a record exactly."""
    pairs = reversals.select("record_id", "reverses", "emissions_gco2e").join(
        standing.select("record_id", pl.col("emissions_gco2e").alias("booked")),
        left_on="reverses", right_on="record_id", how="left",
    )  # fmt: skip
    wrong = pairs.filter(pl.col("booked").is_null() | (pl.col("booked") + pl.col("emissions_gco2e") != 0))
    return [
        _broken(name, Text("冲销与原记录不相抵。", "The reversal does not undo its record."))
        for name in wrong["record_id"].sort()
    ]


def _differences(stored: pl.DataFrame, computed: pl.DataFrame) -> list[Problem]:
    names = [name for name in RECORDS.names if name != "record_id"]
    both = stored.join(computed, on="record_id", how="full", suffix="_again", coalesce=True).sort("record_id")
    in_both = pl.col("activity_id").is_not_null() & pl.col("activity_id_again").is_not_null()
    problems = [
        _broken(name, Text("重算得不到此记录。", "Recomputing does not give this record."))
        for name in both.filter(pl.col("activity_id_again").is_null())["record_id"]
    ]
    problems += [
        _broken(
            name, Text("重算得到此记录, 但账簿中没有。", "Recomputing gives this record, the book does not have it.")
        )
        for name in both.filter(pl.col("activity_id").is_null())["record_id"]
    ]
    for name in names:
        wrong = both.filter(in_both & pl.col(name).ne_missing(pl.col(f"{name}_again")))
        for row in wrong.select("record_id", name, f"{name}_again").iter_rows():
            said = Text(f"“{name}”账簿为 {row[1]}, 重算为 {row[2]}。", f"'{name}' is {row[1]}, recomputed {row[2]}.")
            problems.append(_broken(row[0], said, column=name))
    return problems


def _broken(record_id: str, said: Text, column: str | None = None) -> Problem:
    return Problem(
        code="accounting.record_differs",
        message=Text(f"记录 {record_id}: {said.zh}", f"Record {record_id}: {said.en}"),
        hint=Text(
            "记录被改动, 或因子、方法已变; 请核对后以修订入账。",
            "It was changed, or a factor or method was; book a revision.",
        ),
        column=column,
    )
