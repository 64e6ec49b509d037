"""Meters → ACTIVITIES: the amounts of a month by source and shop, as whole numbers whose sum is the meters' own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from zerofactory import units
from zerofactory.errors import Misuse
from zerofactory.metering.activity_table import ACTIVITIES, canonical, digest
from zerofactory.metering.interval import ESTIMATED, MISSING, MeterMonth
from zerofactory.periods import Period
from zerofactory.site.model import Plant, SourceUse

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class _Part:
    """A month of a `MeterMonth`: its slots."""

    period: Period
    first: int
    last: int
    started_at: datetime
    ended_at: datetime


def from_meters(month: MeterMonth, plant: Plant) -> pl.DataFrame:
    """Return ACTIVITIES of every source that has meters: one row per source, shop and month.

    The period may be a month or a year; fill it and add virtual meters first. Quantity in the source's unit, or the unit of
    its first meter. ``estimated_fraction``: share of the (absolute) quantity that lies in estimated slots. Slots still
    missing are counted in ``note``; a month without any reading gives a row of zero with tier estimated, never silence.
    ``evidence`` is the SHA-256 of the amounts and states behind the row.

    Raises
    ------
    Misuse
        A source names a meter that the month does not hold (add virtual meters first).
    """
    rows: list[dict[str, object]] = []
    for part in _parts(month, plant):
        for source in plant.sources:
            if source.meters:
                rows += _rows(month, plant, source, part)
    return ACTIVITIES.frame(rows)


def _parts(month: MeterMonth, plant: Plant) -> list[_Part]:
    parts = []
    for period in month.period.months():
        start, end = period.start(plant.time_zone), period.end(plant.time_zone)
        first = (start - month.start).total_seconds() / 60.0 / month.interval_minutes
        last = (end - month.start).total_seconds() / 60.0 / month.interval_minutes
        parts.append(_Part(period, int(first), int(last), start, end))
    return parts


def _rows(month: MeterMonth, plant: Plant, source: SourceUse, part: _Part) -> list[dict[str, object]]:
    """Return the rows of one source in one month, one per shop, the total kept exactly."""
    absent = [name for name in (*source.meters, *source.split) if name not in month.meter_ids]
    if absent:
        raise Misuse(f"source '{source.id}' needs meters that the month does not hold: {absent}")
    unit = source.unit or month.units[month.row(source.meters[0])]
    symbol = units.parse(unit).symbol
    shops, remark = _shared_out(month, plant, source, part, symbol)
    estimated, missing = _estimated(month, source, part, symbol)
    evidence = _evidence(month, (*source.meters, *source.split), part)
    notes = [f"缺 {missing} 个时段 {missing} intervals missing"] if missing else []
    common: dict[str, object] = {
        "source_id": source.id,
        "source_kind": source.kind,
        "period": part.period.label,
        "started_at": part.started_at,
        "ended_at": part.ended_at,
        "item": source.item,
        "unit": symbol,
        "tier": "estimated" if estimated >= 1.0 else "metered",
        "estimated_fraction": estimated,
        "evidence": evidence,
        "detail": canonical(source.detail),
        "document": None,
        "note": "; ".join([*notes, *remark]) or None,
    }
    rows = []
    for shop, milli in shops.items():
        row = common | {"shop": shop, "quantity": milli / 1000.0}
        content = {name: row[name] for name in ACTIVITIES.names if name != "activity_id"}
        rows.append({"activity_id": digest(canonical(content | {"started_at": "", "ended_at": ""}))} | row)
    return rows


def _shared_out(
    month: MeterMonth, plant: Plant, source: SourceUse, part: _Part, unit: str
) -> tuple[dict[str, int], list[str]]:
    """Return thousandths by shop, and remarks."""
    shop_of = {meter.id: meter.shop for meter in plant.meters}
    if not source.split:
        groups: dict[str, list[str]] = {}
        for name in source.meters:
            groups.setdefault(source.shop or shop_of[name] or "other", []).append(name)
        return {shop: _thousandths(month, names, part, unit) for shop, names in groups.items()}, []
    total = _thousandths(month, source.meters, part, unit)
    own = month.units[month.row(source.split[0])]
    weights: dict[str, int] = {}
    for name in source.split:
        shop = shop_of[name] or source.shop or "other"
        weights[shop] = weights.get(shop, 0) + max(0, _thousandths(month, [name], part, own))
    if not any(weights.values()):
        shop = source.shop or next(iter(weights))
        return {shop: total}, ["分摊表为零, 未分摊 splitting meters are zero, not shared out"]
    return largest_remainder(total, weights), []


def largest_remainder(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Return a whole total shared out by whole weights, the sum kept exactly (largest remainder, Hamilton).

    Ties go to the earlier name.

    Examples
    --------
    >>> largest_remainder(10, {"paint": 1, "body": 1, "assembly": 1})
    {'paint': 4, 'body': 3, 'assembly': 3}
    """
    whole = sum(weights.values())
    parts = {name: total * weight // whole for name, weight in weights.items()}
    left = total - sum(parts.values())
    order = sorted(weights, key=lambda name: -(total * weights[name] % whole))
    for name in order[:left]:
        parts[name] += 1
    return parts


def _thousandths(month: MeterMonth, names: Sequence[str], part: _Part, unit: str) -> int:
    """Return the sum of meters in thousandths of a unit: exact, rounded half to even only where units differ."""
    total = Fraction(0)
    wanted = units.parse(unit)
    for name in names:
        row = month.row(name)
        amount = int(month.amount_milli[row, part.first : part.last].sum())
        total += amount * (units.parse(month.units[row]).factor / wanted.factor)
    return round(total)


def _estimated(month: MeterMonth, source: SourceUse, part: _Part, unit: str) -> tuple[float, int]:
    """Return the estimated share of the quantity, and how many slots are missing."""
    whole, estimated, slots, missing = 0.0, 0.0, 0, 0
    for name in source.meters:
        row = month.row(name)
        amount = np.abs(month.amount_milli[row, part.first : part.last])
        state = month.state[row, part.first : part.last]
        ratio = units.ratio(month.units[row], unit)
        guessed = state == ESTIMATED
        whole += ratio * int(amount.sum())
        estimated += ratio * int(amount[guessed].sum())
        slots += int(np.count_nonzero(guessed))
        missing += int(np.count_nonzero(state == MISSING))
    due = len(source.meters) * (part.last - part.first)
    if missing == due:
        return 1.0, missing
    return (min(1.0, estimated / whole) if whole else slots / due), missing


def _evidence(month: MeterMonth, names: Sequence[str], part: _Part) -> str:
    """Return the SHA-256 of what the meters gave: id, amounts (little-endian int64), states."""
    content = hashlib.sha256()
    for name in names:
        row = month.row(name)
        content.update(name.encode())
        content.update(month.amount_milli[row, part.first : part.last].astype("<i8").tobytes())
        content.update(month.state[row, part.first : part.last].tobytes())
    return content.hexdigest()
