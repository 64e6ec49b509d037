"""Explain: open any figure down to readings or document, factor, edition and page.

figure ─► records ─► quantity × factor × GWP
             ├─► why this factor, and each term of it with its source
             └─► activity ─► meters with their readings, or the document with its file
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from zerofactory.accounting.plan import resolution_key
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import NotFound, Text
from zerofactory.evaluation.attestation_table import ATTESTATIONS
from zerofactory.factors.model import Factor, FactorBook
from zerofactory.metering.reading import READINGS
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.site.model import Meter, Plant, SourceUse
from zerofactory.store.schema import ACTIVITIES, BATCHES, RECORDS
from zerofactory.store.workspace import read_plant

MAX_CHILDREN = 12
SHOWN_READINGS = 3


@dataclass(frozen=True, slots=True)
class Node:
    """One line of an explanation and what it rests on."""

    title: Text
    value: Text
    children: tuple[Node, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "title": {"zh": self.title.zh, "en": self.title.en},
            "value": {"zh": self.value.zh, "en": self.value.en},
            "children": [child.as_json() for child in self.children],
        }


def run(context: Context, figure: str) -> Node:
    """Explain a figure.

    Parameters
    ----------
    figure : str
        A record id, an activity id, a document number, a source of the plant (``oven-gas``), or any of source, shop and
        ISO category with a period: ``oven-gas@2025-03``, ``paint@2025``, ``2.1@2025``. What emits nothing (output, water, scrap)
        opens to its activities, an attested amount (``land_area``) to who said it and the file.

    Raises
    ------
    NotFound
        Nothing in the book has that name.
    """
    name, _, period = figure.partition("@")
    records = _matching(context, name, period)
    if records.is_empty():
        amount = _without_emissions(context, name, period)
        if amount is not None:
            return amount
        plant = context.workspace.plant
        suffix = f"@{period}" if period else ""
        names = [source.id for source in plant.sources] + [shop.id for shop in plant.shops]
        choices = [f"{name}{suffix}" for name in names]
        raise NotFound(Text("可解释的数字", "figure to explain"), figure, choices)
    if records.height == 1:
        return _record(context, records.to_dicts()[0])
    return _sum(context, figure, records)


def _matching(context: Context, name: str, period: str) -> pl.DataFrame:
    """Return the standing records that a name means; the narrowest meaning first."""
    journal = context.workspace.journal
    for column in ("record_id", "activity_id"):
        found = journal.active(RECORDS, {column: name})
        if not found.is_empty():
            return found
    documents = journal.active(ACTIVITIES, {"document": name})
    if not documents.is_empty():
        return journal.active(RECORDS, {"activity_id": documents["activity_id"].to_list()})
    for column in ("source_id", "shop", "category", "source_kind"):
        found = journal.active(RECORDS, {column: name})
        if not found.is_empty():
            return found.filter(pl.col("period").str.starts_with(period))
    return RECORDS.empty()


def _without_emissions(context: Context, name: str, period: str) -> Node | None:
    """Return activities that have no records, or an attested amount or criterion; None when nothing has that name."""
    journal = context.workspace.journal
    for column in ("activity_id", "document", "source_id", "source_kind"):
        found = journal.active(ACTIVITIES, {column: name}).filter(pl.col("period").str.starts_with(period))
        if not found.is_empty():
            break
    else:
        return _attested(context, name, period)
    rows = found.sort("period", "activity_id").to_dicts()
    sums = found.group_by("unit").agg(pl.col("quantity").sort().sum()).sort("unit")
    told = " + ".join(f"{quantity:,.12g} {unit}" for unit, quantity in sums.iter_rows())
    children = [
        replace(_activity(context, row), title=_same(f"{row['source_id']} · {row['shop']} · {row['period']}"))
        for row in rows[:MAX_CHILDREN]
    ]
    if len(rows) > MAX_CHILDREN:
        rest = len(rows) - MAX_CHILDREN
        children.append(Node(Text("其余活动", "further activities"), Text(f"{rest} 条", str(rest))))
    title = f"{name}@{period}" if period else name
    return Node(Text(f"{title}: {len(rows)} 条活动", f"{title}: {len(rows)} activities"), _same(told), tuple(children))


def _attested(context: Context, name: str, period: str) -> Node | None:
    """Return what people attested on a subject, the newest first, each with its file."""
    rows = context.workspace.journal.active(ATTESTATIONS, {"subject": name})
    rows = rows.filter(pl.col("period").str.starts_with(period))
    if rows.is_empty():
        return None
    children = []
    for row in reversed(rows.to_dicts()):
        said = "" if row["value"] is None else f" {row['value']:,.12g} {row['unit'] or ''}".rstrip()
        file = (_file(context, row["evidence"], str(row["file_name"])),) if row["evidence"] else ()
        value = _same(f"{row['state']}{said} · {row['actor']} · {row['at']} · {row['text']}".rstrip(" ·"))
        children.append(Node(_same(f"{row['attestation_id']} · {row['period']}"), value, file))
    return Node(Text(f"{name}: 证明", f"{name}: attested"), Text("", ""), tuple(children))


def _sum(context: Context, figure: str, records: pl.DataFrame) -> Node:
    """Explain a sum: the total under each regime, then its largest activities, each opened with its gases."""
    children = [
        Node(Text(f"口径 {regime}", f"regime {regime}"), _grams(int(part["emissions_gco2e"].sum())))
        for (regime,), part in sorted(records.partition_by("regime", as_dict=True).items())
    ]
    sums = (
        records.group_by("activity_id")
        .agg(pl.col("emissions_gco2e").sum())
        .sort("emissions_gco2e", "activity_id", descending=[True, False])
    )
    children += [
        _opened(context, records.filter(pl.col("activity_id") == name))
        for name in sums["activity_id"].head(MAX_CHILDREN)
    ]
    rest = sums.height - MAX_CHILDREN
    if rest > 0:
        children.append(Node(Text("其余活动", "further activities"), Text(f"{rest} 条", str(rest))))
    return Node(
        Text(f"{figure}: {records.height} 条记录", f"{figure}: {records.height} records"), Text("", ""), tuple(children)
    )


def _opened(context: Context, records: pl.DataFrame) -> Node:
    """Return one activity: its records gas by gas, then where its quantity is from."""
    rows = records.sort("emissions_gco2e", "record_id", descending=[True, False]).to_dicts()
    activity = context.workspace.journal.active(ACTIVITIES, {"activity_id": rows[0]["activity_id"]})
    children = [_calculated(context, row, activity) for row in rows]
    children += [_activity(context, one) for one in activity.to_dicts()]
    return Node(
        _same(f"{rows[0]['source_id']} · {rows[0]['shop']} · {rows[0]['period']}"), Text("", ""), tuple(children)
    )


def _record(context: Context, row: dict[str, Any]) -> Node:
    """Explain one record down to its readings or document."""
    activity = context.workspace.journal.active(ACTIVITIES, {"activity_id": row["activity_id"]})
    node = _calculated(context, row, activity)
    return replace(
        node,
        title=_same(f"{row['source_id']} · {row['period']} · {node.title.en}"),
        children=(*node.children, *(_activity(context, one) for one in activity.to_dicts())),
    )


def _calculated(context: Context, row: dict[str, Any], activity: pl.DataFrame) -> Node:
    """Return how one record came about: the product, the method with its factors, and why these."""
    quantity, unit = f"{row['quantity']:,.12g}", row["unit"]
    factor = f"{row['factor_value']:.10g} {row['factor_unit']}"
    formula = f"{quantity} {unit} × {factor} × GWP {row['gwp']:g} ({row['gas']}, {row['gwp_set']})"
    reason = json.loads(row["reason"])
    children = (
        Node(Text("记录", "record"), _same(row["record_id"])),
        Node(Text("计算", "calculation"), Text(formula, formula)),
        Node(Text("方法", "method"), Text(row["method"], row["method"]), _terms(context, row, activity)),
        Node(Text("为何用此因子", "why this factor"), Text(reason["zh"], reason["en"])),
        Node(Text("不确定度", "uncertainty"), _same(f"±{100 * row['uncertainty_fraction']:.1f} % (95 %)")),
    )
    regime = "" if row["regime"] == "any" else f" · {row['regime']}"
    return Node(_same(f"{row['gas']}{regime}"), _grams(row["emissions_gco2e"]), children)


def _terms(context: Context, row: dict[str, Any], activity: pl.DataFrame) -> tuple[Node, ...]:
    """Return each factor of the product with source, edition, page and confidence."""
    workspace = context.workspace
    seal = workspace.seal_of(row["period"])
    book = workspace.sealed_factor_book(seal) if seal else workspace.factor_book
    names = [name for name in re.split(r"[*/]", row["factor_id"]) if name != "1"]
    if all(name in book.by_id for name in names):
        return tuple(_factor(book.by_id[name]) for name in names)
    return tuple(_factor(factor) for factor in _derived(context, row, activity, book))


def _derived(context: Context, row: dict[str, Any], activity: pl.DataFrame, book: FactorBook) -> tuple[Factor, ...]:
    """Return the factors of a product some of which stand in no table (stated by the plant, derived): asked again."""
    workspace = context.workspace
    seal = workspace.seal_of(row["period"])
    known_at = date.fromisoformat(seal["known_at"]) if seal else None
    facts = activity.drop("reverses")
    contracts = workspace.journal.active(
        ACTIVITIES, {"period": row["period"], "source_kind": "green_power_contract"}
    ).drop("reverses")
    together = pl.concat([facts, contracts]).unique("activity_id", maintain_order=True)
    plant = (
        read_plant(workspace.evidence.find(seal["plant_sha256"]).read_text(encoding="utf-8-sig"))
        if seal
        else workspace.plant
    )
    again = quantify(together, plant, book, known_at=known_at)
    resolution = again.resolutions.get(resolution_key(row["factor_id"], row["factor_unit"]))
    return resolution.factors if resolution else ()


def _factor(factor: Factor) -> Node:
    value = f"{factor.value_text or factor.value} {factor.unit}"
    place = " · ".join(part for part in (factor.source, factor.source_ref) if part)
    children = (
        Node(Text("出处", "source"), _same(place)),
        Node(Text("来源状态与可信度", "provenance and confidence"), _same(f"{factor.provenance}, {factor.confidence}")),
        *((Node(Text("备注", "note"), _same(factor.note)),) if factor.note else ()),
    )
    return Node(Text(f"{factor.title.zh} [{factor.id}]", f"{factor.title.en} [{factor.id}]"), _same(value), children)


def _activity(context: Context, row: dict[str, Any]) -> Node:
    quantity = f"{row['quantity']:,.12g} {row['unit']}"
    tiers = {
        "metered": Text("计量", "metered"),
        "invoiced": Text("结算凭证", "invoiced"),
        "estimated": Text("估算", "estimated"),
    }
    tier = tiers[row["tier"]]
    filled = row["estimated_fraction"]
    value = Text(
        f"{quantity}({tier.zh}, 其中补数 {100 * filled:.2f}%)", f"{quantity} ({tier.en}, {100 * filled:.2f} % filled)"
    )
    use = context.workspace.plant.source(row["source_id"])
    children = [Node(Text("活动编号", "activity"), _same(row["activity_id"]))]
    if row["document"]:
        children.append(Node(Text("凭证号", "document"), _same(row["document"])))
    if row["detail"] != "{}":
        children.append(Node(Text("明细", "detail"), _same(row["detail"])))
    if row["note"]:
        children.append(Node(Text("备注", "note"), _same(row["note"])))
    if use.meters and row["tier"] != "invoiced":
        children += [
            _meter(context, context.workspace.plant.meter(meter), row["period"]) for meter in use.meters[:MAX_CHILDREN]
        ]
        children += _shared_by(context, use, row)
    elif row["evidence"]:
        children.append(_file(context, row["evidence"]))
    return Node(Text("活动数据", "activity"), value, tuple(children))


def _shared_by(context: Context, use: SourceUse, row: dict[str, Any]) -> list[Node]:
    """Return the sub-meters by whose amounts the quantity was shared out over the shops, those of this shop opened."""
    if not use.split:
        return []
    plant = context.workspace.plant
    own = [plant.meter(name) for name in use.split if plant.meter(name).shop == row["shop"]]
    value = Text(
        f"按 {len(use.split)} 块分表的用量分摊到车间", f"over the shops by the amounts of {len(use.split)} sub-meters"
    )
    return [Node(Text("分摊", "shared out"), value, tuple(_meter(context, meter, row["period"]) for meter in own))]


def _file(context: Context, digest: str, named: str = "?") -> Node:
    """Return a kept document; ``named`` is its name where it did not come with an import."""
    batches = context.workspace.journal.active(BATCHES, {"file_sha256": digest}).to_dicts()
    name = batches[0]["file_name"] if batches else named
    try:
        place = str(context.workspace.evidence.find(digest).relative_to(context.workspace.folder))
    except NotFound:
        place = "—"
    children = [Node(Text("存放", "kept at"), _same(place)), Node(_same("SHA-256"), _same(digest))]
    if batches:
        children.append(Node(Text("导入时间", "imported at"), _same(batches[0]["known_at"])))
    return Node(Text("凭证文件", "document file"), _same(name), tuple(children))


def _meter(context: Context, meter: Meter, period: str) -> Node:
    """Return a meter's month: amount, share filled, and the first and last readings it came from."""
    workspace = context.workspace
    seal = workspace.seal_of(period)
    if meter.kind == "virtual" or seal is None:
        return Node(
            Text(f"表计 {meter.name.zh}", f"meter {meter.name.en}"), _same(f"{meter.id} = {meter.formula or '—'}")
        )
    file = workspace.series.path(workspace.series.intervals_file(period, seal["revision"]))
    slots = (
        pl.scan_parquet(file, glob=False)
        .filter(pl.col("meter_id") == meter.id)
        .select("amount_milli", "state")
        .collect()
    )
    filled = slots.filter(pl.col("state") == 3).height
    amount = f"{slots['amount_milli'].sum() / 1000:,.12g} {meter.amount_unit}"
    value = Text(
        f"{amount}, {slots.height} 个时段, 补数 {filled} 个", f"{amount}, {slots.height} intervals, {filled} filled"
    )
    children = _readings(context, meter, seal, workspace.plant)
    return Node(Text(f"表计 {meter.name.zh} [{meter.id}]", f"meter {meter.name.en} [{meter.id}]"), value, children)


def _readings(context: Context, meter: Meter, seal: dict[str, Any], plant: Plant) -> tuple[Node, ...]:
    if not seal["readings_file"]:
        return ()
    path = context.workspace.series.path(seal["readings_file"])
    frame = (
        pl.scan_parquet(path, glob=False)
        .filter(pl.col("meter_id") == meter.id)
        .select(READINGS.names)
        .collect()
        .sort("started_at", "known_at")
    )
    clock = zone(plant.time_zone)
    ends = pl.concat([frame.head(SHOWN_READINGS), frame.tail(1)]).to_dicts()
    children = [
        Node(_same(_clock(row["started_at"], clock)), _same(f"{row['value']:,.12g} {meter.unit} ({row['quality']})"))
        for row in ends
    ]
    children.append(
        Node(
            Text("读数条数", "readings"),
            _same(f"{frame.height} · {seal['readings_file']} · SHA-256 {seal['readings_sha256'][:16]}…"),
        )
    )
    return tuple(children)


def _clock(moment: Any, clock: ZoneInfo) -> str:
    return str(moment.astimezone(clock).strftime("%Y-%m-%d %H:%M"))


def _same(text: str) -> Text:
    return Text(text, text)


def _grams(grams: int) -> Text:
    return _same(f"{grams:,} gCO2e = {grams / 1e6:,.3f} tCO2e")
