"""How good the data of closed months are, as a statement says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from zerofactory.errors import Text
from zerofactory.metering.note import KINDS
from zerofactory.reporting.statement import Closure, DataQuality, Gap, Remark
from zerofactory.runs.context import Context
from zerofactory.store.schema import QUALITY

FILL_METHODS = {
    "register_bridge": Text("按累计表差值分配(总量准确)", "shared out from the register's difference (total exact)"),
    "linear": Text("线性内插", "straight line"),
    "similar_day": Text("同类日平均", "mean of similar days"),
}
NOTICED = ("reset", "rollover", "late", "conflict", "duplicate", "spike", "flat_line", "out_of_range", "off_grid")
METERS_NAMED = 4
GAPS_LISTED = 20


def quality_rows(context: Context, seals: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return the quality notes of the seals in force."""
    journal = context.workspace.journal
    frames = [journal.rows(QUALITY, {"period": seal["period"]}, entry=seal["booked_as"]) for seal in seals]
    return pl.concat(frames).drop("reverses") if frames else QUALITY.empty()


def data_quality(context: Context, seals: Sequence[dict[str, Any]], estimated_fraction: float) -> DataQuality:
    """Return completeness, collection rate, closure, gaps and remarks of closed months."""
    rows = quality_rows(context, seals)
    gaps = _gaps(context, rows)
    longest = sorted(gaps, key=lambda gap: gap.started_at - gap.ended_at)[:GAPS_LISTED]
    return DataQuality(
        completeness_fraction=_mean(rows, "completeness"),
        automatic_fraction=_mean(rows, "collection"),
        estimated_fraction=estimated_fraction,
        closures=_closures(context, rows),
        gaps=tuple(gap for gap in gaps if gap in longest),
        gaps_more=len(gaps) - len(longest),
        remarks=_remarks(context, rows),
    )


def _mean(rows: pl.DataFrame, kind: str) -> float | None:
    values = rows.filter(pl.col("kind") == kind)["amount"].drop_nulls()
    return float(values.sum()) / len(values) if len(values) else None


def _closures(context: Context, rows: pl.DataFrame) -> tuple[Closure, ...]:
    """Return each parent of the meter tree with its worst month."""
    worst = rows.filter((pl.col("kind") == "closure") & pl.col("amount").is_not_null())
    worst = (
        worst.sort(pl.col("amount").abs(), descending=True)
        .unique("meter", keep="first", maintain_order=True)
        .sort("meter")
    )
    plant = context.workspace.plant
    found = []
    for row in worst.to_dicts():
        meter = plant.meter(row["meter"])
        parent, error = _total(context, row["meter"], row["period"]), row["amount"]
        title = Text(f"{row['period']} {meter.name.zh}", f"{row['period']} {meter.name.en}")
        found.append(
            Closure(meter.id, title, parent, parent * (1 - error), meter.amount_unit, error, row["severity"] == "info")
        )
    return tuple(found)


def _total(context: Context, meter: str, period: str) -> float:
    seal = context.workspace.seal_of(period) or {"revision": 0}
    path = context.workspace.series.path(context.workspace.series.intervals_file(period, seal["revision"]))
    total = (
        pl.scan_parquet(path, glob=False)
        .filter(pl.col("meter_id") == meter)
        .select(pl.col("amount_milli").sum())
        .collect()
        .item()
    )
    return int(total or 0) / 1000.0


def _gaps(context: Context, rows: pl.DataFrame) -> tuple[Gap, ...]:
    """Return each stretch without readings and how the month's gaps of that meter were filled."""
    plant = context.workspace.plant
    fills = {(r["period"], r["meter"]): r for r in rows.filter(pl.col("kind") == "fill").to_dicts()}
    gaps = []
    for row in (
        rows.filter((pl.col("kind") == "gap") & pl.col("started_at").is_not_null())
        .sort("started_at", "meter")
        .to_dicts()
    ):
        meter = plant.meter(row["meter"])
        filled = fills.get((row["period"], row["meter"]))
        method = FILL_METHODS.get(filled["method"] or "") if filled else None
        ended = row["started_at"] + timedelta(minutes=meter.interval_minutes * row["count"])
        amount = filled["amount"] if filled else None
        gaps.append(
            Gap(
                meter.id,
                meter.name,
                row["started_at"],
                ended,
                method or Text("未补", "not filled"),
                amount,
                meter.amount_unit,
            )
        )
    return tuple(gaps)


def _remarks(context: Context, rows: pl.DataFrame) -> tuple[Remark, ...]:
    """Return what was noticed, by kind: the meters with the most of it, and the others together."""
    plant = context.workspace.plant
    remarks = []
    counted = (
        rows.filter(pl.col("kind").is_in(list(NOTICED)))
        .group_by("kind", "meter")
        .agg(pl.col("count").sum(), pl.col("period").unique().sort().alias("months"))
        .sort("count", "meter", descending=[True, False])
    )
    for kind in NOTICED:
        found = counted.filter(pl.col("kind") == kind).to_dicts()
        for row in found[:METERS_NAMED]:
            name = plant.meter(row["meter"]).name if row["meter"] else Text("全厂", "whole plant")
            remarks.append(Remark(KINDS[kind], name, _months(row["months"]), row["count"]))
        others = found[METERS_NAMED:]
        if others:
            title = Text(f"其余 {len(others)} 块表计", f"{len(others)} other meters")
            months = sorted({month for row in others for month in row["months"]})
            remarks.append(Remark(KINDS[kind], title, _months(months), sum(row["count"] for row in others)))
    return tuple(remarks)


def _months(labels: Sequence[str]) -> Text:
    """Return one month by name, several by the first and their number."""
    if len(labels) == 1:
        return Text(labels[0], labels[0])
    return Text(f"{labels[0]} 等 {len(labels)} 个月", f"{labels[0]} and {len(labels) - 1} more")
