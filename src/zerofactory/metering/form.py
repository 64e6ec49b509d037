"""The document form (凭证表) → ACTIVITIES: every fault told, and only a form without faults gives rows.

One line a document: source, first and last day (both included), quantity and unit, or the columns of a stock balance.
A document over several months is split by days, its total kept exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.errors import Problem, Text, errors_of
from zerofactory.metering.activity_table import ACTIVITIES, FormKind
from zerofactory.metering.cells import dates, texts
from zerofactory.metering.form_kind import of_kind
from zerofactory.metering.heading import FORM_COLUMNS, form_columns, matched, missing
from zerofactory.metering.overlap import within
from zerofactory.metering.sheet import Fault, Sheet, sheet_of, words
from zerofactory.periods import local_midnight
from zerofactory.site.model import Plant

if TYPE_CHECKING:
    import polars as pl

_YEARS = (date(1990, 1, 1), date(2100, 12, 31))
_MICRO, _MILLI = 1_000_000, 1_000
_LARGEST_WHOLE = 9e18
_SEPARATOR = "\x1f"

_EMPTY = Problem(
    "metering.no_rows",
    Text("表中没有数据行。", "The form has no rows."),
    Text("请从第 2 行起填写。", "Fill it in from row 2 on."),
)


def from_form(
    frame: pl.DataFrame, plant: Plant, kinds: Mapping[str, FormKind], file: str | None = None
) -> tuple[pl.DataFrame, list[Problem]]:
    """Return ACTIVITIES of a document form, and every fault found.

    Parameters
    ----------
    frame : DataFrame
        The file's first table, headers in Chinese or English (see ``headings.csv``), cells as text or typed.
    plant : Plant
        Its sources are the choices of the first column (id or name).
    kinds : Mapping
        Kind of source by id: units, items, balance and particulars it takes.
    file : str, optional
        Named in the problems.

    Returns
    -------
    DataFrame, list of Problem
        No rows when a problem is an error. ``evidence`` is empty: whoever keeps the file fills it in. A quantity that is
        not split is kept as written; parts of a split one add up to it in millionths of its unit.
    """
    columns = form_columns(kinds.values())
    names, problems = matched(frame.columns, columns)
    lacking = missing(names, FORM_COLUMNS)
    if lacking:
        return ACTIVITIES.empty(), _placed([*problems, *lacking], file)
    sheet = _whole(sheet_of(frame, names))
    if not len(sheet.frame):
        return ACTIVITIES.empty(), _placed([*problems, _EMPTY], file)
    found, faults = _sourced(sheet, plant, kinds)
    dated, more = _dated(found, plant)
    parts = [of_kind(dated.only(dated.frame["kind"] == kind), kinds[kind], plant) for kind in _present(dated)]
    problems += [*faults, *more, *(problem for _, told in parts for problem in told)]
    sound = [part for part, _ in parts if len(part)]
    if sound:
        problems += within(Sheet(_joined(sound), sheet.headers))
    problems = _placed(sorted(problems, key=lambda problem: (problem.row or 0, problem.column or "")), file)
    if errors_of(problems) or not sound:
        return ACTIVITIES.empty(), problems
    return _activities(_joined(sound).sort("row"), plant), problems


def _placed(problems: list[Problem], file: str | None) -> list[Problem]:
    return [problem.at(file=file) for problem in problems]


def _whole(sheet: Sheet) -> Sheet:
    """Return the sheet with every common column there, those not given empty."""
    import polars as pl

    absent = [column.name for column in FORM_COLUMNS if column.name not in sheet.frame.columns]
    return Sheet(sheet.frame.with_columns(pl.lit(None, pl.String).alias(name) for name in absent), sheet.headers)


def _present(sheet: Sheet) -> list[str]:
    return sorted(sheet.frame["kind"].unique().to_list())


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    return pl.concat(parts)


def _sourced(sheet: Sheet, plant: Plant, kinds: Mapping[str, FormKind]) -> tuple[Sheet, list[Problem]]:
    """Return the rows whose source is known, with source_id, kind and shop; and the faults of the others."""
    import polars as pl

    spelled: dict[str, str] = {}
    for source in plant.sources:
        for name in (source.id, source.name.zh, source.name.en):
            spelled.setdefault(name, source.id)
    ids = texts(sheet.frame["source"]).replace_strict(
        list(spelled), list(spelled.values()), default=None, return_dtype=pl.String
    )
    choices = ", ".join(source.id for source in plant.sources if not source.meters)
    hint = (f"可选: {choices}。", f"Choose one of: {choices}.")
    unknown = Fault("unknown_source", "没有排放源“{value}”。", "There is no source '{value}'.", *hint)
    metered = Fault(
        "source_is_metered",
        "排放源“{value}”由表计计量, 不收凭证, 否则重复计算。",
        "Source '{value}' is metered and takes no documents: it would count twice.",
        "请另设一个排放源, 或删去该行。",
        "Set up another source, or remove the row.",
    )
    no_kind = Fault(
        "unknown_kind",
        "排放源“{value}”的种类不存在。",
        "The kind of source '{value}' does not exist.",
        "请在 factory.toml 中改正 kind。",
        "Mend kind in factory.toml.",
    )
    by_meter = [source.id for source in plant.sources if source.meters]
    strange = [source.id for source in plant.sources if source.kind not in kinds]
    problems = sheet.tell(ids.is_null(), "source", unknown)
    problems += sheet.tell(ids.is_in(by_meter), "source", metered)
    problems += sheet.tell(ids.is_in(strange) & ids.is_in(by_meter).not_(), "source", no_kind)
    facts = pl.DataFrame(
        [{"source_id": source.id, "kind": source.kind, "shop": source.shop or "other"} for source in plant.sources],
        schema={"source_id": pl.String, "kind": pl.String, "shop": pl.String},
    )
    usable = ids.is_not_null() & ids.is_in([*by_meter, *strange]).not_()
    found = sheet.frame.with_columns(ids.alias("source_id")).filter(usable)
    return Sheet(found.join(facts, on="source_id", how="left", maintain_order="left"), sheet.headers), problems


def _dated(sheet: Sheet, plant: Plant) -> tuple[Sheet, list[Problem]]:
    """Return the sheet with ``first`` and ``last`` (days, both included) and ``tier_id``; and the faults in them."""
    import polars as pl

    frame, problems = sheet.frame, []
    wrong = Fault(
        "unreadable_date", "“{value}”不是日期。", "'{value}' is not a date.", "请写成 2025-01-31。", "Write 2025-01-31."
    )
    for name, alias in (("start", "first"), ("end", "last")):
        read = dates(frame[name])
        problems += sheet.tell(read.is_null() | (read < _YEARS[0]) | (read > _YEARS[1]), name, wrong)
        frame = frame.with_columns(read.alias(alias))
    problems += sheet.tell(
        frame["last"] < frame["first"],
        "end",
        Fault(
            "end_before_start",
            "结束日期“{value}”早于开始日期。",
            "The end '{value}' is before the start.",
            "请核对。",
            "Check them.",
        ),
    )
    for column, day, mask in (
        ("start", plant.opened_on, frame["first"] < plant.opened_on if plant.opened_on else None),
        ("end", plant.closed_on, frame["last"] > plant.closed_on if plant.closed_on else None),
    ):
        if mask is not None:
            zh, en = (
                f"“{{value}}”在工厂存续期之外(界限 {day})。",
                f"'{{value}}' is outside the life of the plant (limit {day}).",
            )
            problems += sheet.tell(mask, column, Fault("outside_plant_life", zh, en, "请核对日期。", "Check the date."))
    known = words("tier")
    written = texts(frame["tier"])
    tier = written.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
    problems += sheet.tell(
        tier.is_null() & written.is_not_null(),
        "tier",
        Fault(
            "unknown_tier",
            "没有数据来源“{value}”。",
            "There is no data source '{value}'.",
            "可选: 计量、结算、估算。",
            "Choose one of: metered, invoiced, estimated.",
        ),
    )
    return Sheet(frame.with_columns(tier.fill_null("invoiced").alias("tier_id")), sheet.headers), problems


def _activities(rows: pl.DataFrame, plant: Plant) -> pl.DataFrame:
    """Return sound rows as ACTIVITIES, one row a document and month."""
    import polars as pl

    parts = _split(rows)
    days = pl.concat([parts["part_first"], parts["part_after"]]).unique().to_list()
    at = dict(zip(days, (local_midnight(day, plant.time_zone) for day in days), strict=True))
    moment = pl.Datetime("us", "UTC")
    parts = parts.with_columns(
        pl.col("part_first").replace_strict(at, return_dtype=moment).alias("started_at"),
        pl.col("part_after").replace_strict(at, return_dtype=moment).alias("ended_at"),
        pl.col("part_first").dt.strftime("%Y-%m").alias("period"),
        pl.col("kind").alias("source_kind"),
        pl.col("tier_id").alias("tier"),
        (pl.col("tier_id") == "estimated").cast(pl.Float64).alias("estimated_fraction"),
        pl.lit(None, pl.String).alias("evidence"),
    )
    content = [
        "source_id", "source_kind", "shop", "part_first", "part_after", "item",
        "quantity", "unit", "tier", "detail", "document", "note",
    ]  # fmt: skip
    joined = pl.concat_str([pl.col(name).cast(pl.String).fill_null("\x00") for name in content], separator=_SEPARATOR)
    keyed = parts.select(joined.alias("content"))["content"].to_list()
    ids = pl.Series("activity_id", [hashlib.sha256(text.encode()).hexdigest()[:16] for text in keyed])
    return parts.with_columns(ids).select(ACTIVITIES.names)


def _split(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row a document and month: part_first, part_after (not included), and its part of the quantity.

    Parts are by days, in whole millionths of the unit (thousandths for quantities too large for that).
    """
    import polars as pl

    month_count = (pl.col("last").dt.year() - pl.col("first").dt.year()) * 12 + (
        pl.col("last").dt.month().cast(pl.Int32) - pl.col("first").dt.month().cast(pl.Int32)
    )
    rows = rows.with_columns((month_count + 1).alias("months"), (pl.col("last") + pl.duration(days=1)).alias("after"))
    one, many = rows.filter(pl.col("months") == 1), rows.filter(pl.col("months") > 1)
    whole = one.with_columns(pl.col("first").alias("part_first"), pl.col("after").alias("part_after"))
    if not len(many):
        return whole
    length = (pl.col("after") - pl.col("first")).dt.total_days()
    fine = pl.col("quantity").abs() * _MICRO * length < _LARGEST_WHOLE
    scale = pl.when(fine).then(_MICRO).otherwise(_MILLI)
    parts = (
        many.with_columns(scale.alias("scale"), pl.int_ranges(0, pl.col("months")).alias("place"))
        .explode("place", empty_as_null=True)
        .with_columns(pl.col("first").dt.truncate("1mo").dt.offset_by(pl.format("{}mo", "place")).alias("month"))
        .with_columns(
            pl.max_horizontal("first", "month").alias("part_first"),
            pl.min_horizontal("after", pl.col("month").dt.offset_by("1mo")).alias("part_after"),
            (pl.col("quantity") * pl.col("scale")).round().cast(pl.Int64).alias("total"),
        )
    )
    until = [
        pl.col("total") * (pl.col(day) - pl.col("first")).dt.total_days() // length
        for day in ("part_first", "part_after")
    ]
    split_note = pl.format("按天拆分自 split by days from {}..{}", "first", "last")
    parts = parts.with_columns(
        (until[1] - until[0]).alias("whole"),
        pl.concat_str([pl.col("note"), split_note], separator="; ", ignore_nulls=True).alias("note"),
    )
    quantity = parts["whole"].to_numpy() / parts["scale"].to_numpy().astype(np.float64)
    parts = parts.with_columns(pl.Series("quantity", quantity)).select(whole.columns)
    return pl.concat([whole, parts]).sort("row", "part_first")
