"""Two documents that say the same: overlaps and repeated numbers, inside a file and against the book.

Two rows are about the same thing when source, item and text particulars agree (two instruments of one contract source, or two
kinds of equipment, are two things). Rows of a single day with different document numbers are separate purchases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zerofactory.errors import Problem, Text
from zerofactory.metering.activity_table import identified
from zerofactory.metering.sheet import MAX_PROBLEMS_PER_FAULT, Sheet

if TYPE_CHECKING:
    import polars as pl

_SAME = ("source_id", "item", "identity")


def within(sheet: Sheet) -> list[Problem]:
    """Return overlaps and repeated document numbers among the rows of one form (columns of `form_kind.KEPT`)."""
    import polars as pl

    frame = sheet.frame.filter(pl.col("first").is_not_null() & (pl.col("first") <= pl.col("last")))
    purchase = (pl.col("first") == pl.col("last")) & pl.col("document").is_not_null()
    frame = frame.with_columns(purchase.alias("purchase")).sort(*_SAME, "first", "last", "row", nulls_last=True)
    reached = pl.col("last").cum_max().over(_SAME)
    by_others = pl.when(pl.col("purchase")).then(None).otherwise(pl.col("last")).cum_max().forward_fill().over(_SAME)
    furthest = pl.when(pl.col("last") == reached).then(pl.col("row")).forward_fill().over(_SAME)
    frame = frame.with_columns(
        reached.shift(1).over(_SAME).alias("reached"),
        by_others.shift(1).over(_SAME).alias("reached_by_others"),
        furthest.shift(1).over(_SAME).alias("other"),
        pl.col("row").shift(1).over(*_SAME, "document").alias("same_document"),
    )
    limit = pl.when(pl.col("purchase")).then(pl.col("reached_by_others")).otherwise(pl.col("reached"))
    repeated = pl.col("document").is_not_null() & pl.col("same_document").is_not_null()
    frame = frame.with_columns(
        (pl.col("first") <= limit).fill_null(False).alias("crossing"), repeated.alias("repeated")
    )
    problems: list[Problem] = []
    for row in (
        frame.filter(pl.col("crossing") & ~pl.col("repeated")).head(MAX_PROBLEMS_PER_FAULT).iter_rows(named=True)
    ):
        problems.append(_told(sheet, row, "start", _crossing(row["other"])))
    for row in frame.filter("repeated").head(MAX_PROBLEMS_PER_FAULT).iter_rows(named=True):
        problems.append(_told(sheet, row, "document", _repeated(row["same_document"], row["document"])))
    return problems


def overlaps(new: pl.DataFrame, booked: pl.DataFrame, file: str | None = None) -> list[Problem]:
    """Return a problem for every new activity that overlaps one already booked, or repeats its document number.

    Both are ACTIVITIES. The first thousand are told.
    """
    import polars as pl

    if not len(new) or not len(booked):
        return []
    sides = [_side(frame).with_columns(pl.lit(side).alias("side")) for side, frame in enumerate((booked, new))]
    rows = pl.concat(sides).sort(*_SAME, "started_at", "side", "ended_at", "label", nulls_last=True)
    old = pl.col("side") == 0
    rows = rows.with_columns(_nearest(old, "any"), _nearest(old & ~pl.col("purchase"), "other"))
    named = sides[0].filter("purchase").select(*_SAME, "document", "started_at", pl.col("label").alias("same"))
    named = named.unique([*_SAME, "document", "started_at"], keep="first", maintain_order=True)
    rows = rows.filter(pl.col("side") == 1).join(
        named, on=[*_SAME, "document", "started_at"], how="left", nulls_equal=True, maintain_order="left"
    )
    purchase = pl.col("purchase")
    rows = rows.with_columns(
        pl.when(purchase).then(pl.coalesce(_crossed("other"), "same")).otherwise(_crossed("any")).alias("crossed")
    )
    found = rows.filter(pl.col("crossed").is_not_null()).sort("place").head(MAX_PROBLEMS_PER_FAULT)
    return [_already(entry, file) for entry in found.iter_rows(named=True)]


def _side(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what is compared of ACTIVITIES; a purchase is a row of one day (25 h at most) with a document number."""
    import polars as pl

    single = pl.col("ended_at") - pl.col("started_at") <= pl.duration(hours=25)
    return identified(frame).select(
        *_SAME,
        "period",
        "started_at",
        "ended_at",
        "document",
        (single & pl.col("document").is_not_null()).alias("purchase"),
        pl.coalesce("document", "activity_id").alias("label"),
        pl.int_range(pl.len()).alias("place"),
    )


def _nearest(chosen: pl.Expr, name: str) -> pl.Expr:
    """Return, over rows sorted by start: how far the chosen ones before reach, when the next begins, and who they are."""
    import polars as pl

    ends = pl.when(chosen).then(pl.col("ended_at"))
    reach = ends.cum_max().forward_fill()
    who = pl.when(chosen & (pl.col("ended_at") == ends.cum_max())).then(pl.col("label")).forward_fill()
    begins = pl.when(chosen).then(pl.col("started_at")).backward_fill()
    next_who = pl.when(chosen).then(pl.col("label")).backward_fill()
    return pl.struct(reach=reach, who=who, begins=begins, next_who=next_who).over(_SAME).alias(name)


def _crossed(name: str) -> pl.Expr:
    """Return who crosses the row, or null."""
    import polars as pl

    near = pl.col(name).struct
    return (
        pl.when(near.field("reach") > pl.col("started_at"))
        .then(near.field("who"))
        .when(near.field("begins") < pl.col("ended_at"))
        .then(near.field("next_who"))
    )


def _told(sheet: Sheet, row: Mapping[str, object], column: str, problem: Problem) -> Problem:
    return problem.at(row=int(str(row["row"])), column=sheet.headers.get(column, column))


def _crossing(other: int) -> Problem:
    return Problem(
        "metering.overlap",
        Text(
            f"与第{other}行的日期重叠(同一排放源、同一品种)。",
            f"The dates overlap row {other} (same source, same item).",
        ),
        Text("请核对起止日期(均含当日)。", "Check first and last day (both included)."),
    )


def _repeated(other: int, document: str) -> Problem:
    return Problem(
        "metering.repeated_document",
        Text(
            f"凭证号“{document}”与第{other}行相同(同一排放源、同一品种)。",
            f"Document '{document}' stands in row {other} already (same source, same item).",
        ),
        Text("请删去重复的一行或改正凭证号。", "Remove the repeated row or mend the number."),
    )


def _already(entry: Mapping[str, object], file: str | None) -> Problem:
    source, period = entry["source_id"], entry["period"]
    mine, other = entry["label"], entry["crossed"]
    return Problem(
        code="metering.already_booked",
        message=Text(
            f"“{mine}”(排放源“{source}”, {period})与已入账的“{other}”时间重叠。",
            f"'{mine}' (source '{source}', {period}) overlaps '{other}', which is already booked.",
        ),
        hint=Text("请核对起止日期, 或先冲销已入账的一笔。", "Check the dates, or reverse the booked one first."),
        file=file,
    )
