"""How good the data of closed months are, as a statement says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from zerofactory.errors import Text
from zerofactory.metering.note import KINDS
from zerofactory.reporting.statement import Closure, DataQuality, Gap
from zerofactory.runs.context import Context
from zerofactory.store.schema import QUALITY

FILL_METHODS = {
    "register_bridge": Text("按累计表差值分配(总量准确)", "shared out from the register's difference (total exact)"),
    "linear": Text("线性内插", "straight line"),
    "similar_day": Text("同类日平均", "mean of similar days"),
}
SAID_ONCE = ("reset", "rollover", "late", "duplicate", "conflict", "flat_line", "spike", "off_grid", "out_of_range")


def quality_rows(context: Context, seals: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return the quality notes of the seals in force."""
    journal = context.workspace.journal
    frames = [journal.rows(QUALITY, {"period": seal["period"]}, entry=seal["booked_as"]) for seal in seals]
    return pl.concat(frames).drop("reverses") if frames else QUALITY.empty()


def data_quality(context: Context, seals: Sequence[dict[str, Any]], estimated_fraction: float) -> DataQuality:
    """Return completeness, collection rate, closure, gaps and remarks of closed months."""
    rows = quality_rows(context, seals)
    return DataQuality(
        completeness_fraction=_mean(rows, "completeness"),
        automatic_fraction=_mean(rows, "collection"),
        estimated_fraction=estimated_fraction,
        closures=_closures(context, rows),
        gaps=_gaps(context, rows),
        notes=_remarks(context, rows),
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
        title = Text(f"{meter.name.zh}({row['period']})", f"{meter.name.en} ({row['period']})")
        found.append(
            Closure(meter.id, title, parent, parent * (1 - error), meter.amount_unit, error, row["severity"] == "info")
        )
    return tuple(found)


def _total(context: Context, meter: str, period: str) -> float:
    seal = context.workspace.seal_of(period) or {"revision": 0}
    path = context.workspace.series.path(context.workspace.series.intervals_file(period, seal["revision"]))
    total = (
        pl.scan_parquet(path).filter(pl.col("meter_id") == meter).select(pl.col("amount_milli").sum()).collect().item()
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


def _remarks(context: Context, rows: pl.DataFrame) -> tuple[Text, ...]:
    plant = context.workspace.plant
    remarks = []
    counted = (
        rows.filter(pl.col("kind").is_in(list(SAID_ONCE)))
        .group_by("kind", "meter", "period")
        .agg(pl.col("count").sum())
    )
    for row in counted.sort("kind", "period", "meter").to_dicts():
        name = plant.meter(row["meter"]).name if row["meter"] else Text("全厂", "whole plant")
        title = KINDS[row["kind"]]
        remarks.append(
            Text(
                f"{row['period']} {name.zh}: {title.zh} {row['count']} 处",
                f"{row['period']} {name.en}: {title.en}, {row['count']}",
            )
        )
    return tuple(remarks)
