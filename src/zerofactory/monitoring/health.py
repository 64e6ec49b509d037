"""Health of measurement: who reports, how late, what closes, whose clock is off, and how much of every total is estimated.

The same for a month that runs (slots that are over so far) and for one that is closed (all slots, as they were booked).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from zerofactory import units
from zerofactory.errors import NotFound, Text
from zerofactory.metering.fill import virtual
from zerofactory.metering.grid import Integers
from zerofactory.metering.interval import ESTIMATED, MEASURED, MISSING, MeterMonth
from zerofactory.metering.profile import SITE, place, shop_meters
from zerofactory.monitoring.cover import CoverLine, cover_rules, meter_cover
from zerofactory.monitoring.open_month import live_rules
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree

State = Literal["ok", "late", "silent", "estimated"]
STATES: Mapping[State, Text] = {
    "ok": Text("正常", "ok"),
    "late": Text("落后", "late"),
    "silent": Text("无数据", "silent"),
    "estimated": Text("有估算", "estimated"),
}


@dataclass(frozen=True, slots=True)
class MeterHealth:
    """One real meter. ``late_minutes``: behind the plant by its own readings; ``age_seconds``: since its last arrival (live)."""

    id: str
    name: Text
    state: State
    slots_due: int
    slots_measured: int
    late_minutes: int
    last_at: datetime | None
    age_seconds: float | None
    estimated_fraction: float

    @property
    def collected_fraction(self) -> float:
        """Slots measured over slots due."""
        return self.slots_measured / self.slots_due if self.slots_due else 0.0


@dataclass(frozen=True, slots=True)
class ClosureHealth:
    """A parent against its children over the slots that all of them have read, nothing estimated.

    ``error_fraction`` = (parent − children) / parent.
    """

    parent: str
    name: Text
    unit: str
    parent_amount: float
    children_amount: float
    error_fraction: float | None
    within: bool


@dataclass(frozen=True, slots=True)
class TotalShare:
    """A total of a carrier and how much of it is estimated."""

    level: Literal["site", "shop"]
    id: str
    name: Text
    carrier: str
    unit: str
    amount: float
    estimated_fraction: float


@dataclass(frozen=True, slots=True)
class Clock:
    """One connection's clock against ours, in seconds; ``within`` the bound from which it is told."""

    connection: str
    state: str
    skew_seconds: float
    within: bool


@dataclass(frozen=True, slots=True)
class Health:
    """Everything about one month."""

    period: str
    time_zone: str
    elapsed_until: datetime
    collection_fraction: float
    completeness_fraction: float
    estimated_fraction: float
    meters: tuple[MeterHealth, ...]
    closures: tuple[ClosureHealth, ...]
    totals: tuple[TotalShare, ...]
    clocks: tuple[Clock, ...]
    cover: tuple[CoverLine, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        rules = cover_rules()
        return {
            "period": self.period,
            "elapsed_until": self.elapsed_until.isoformat().replace("+00:00", "Z"),
            "collection_fraction": round(self.collection_fraction, 6),
            "completeness_fraction": round(self.completeness_fraction, 6),
            "estimated_fraction": round(self.estimated_fraction, 6),
            "meters": [_meter_json(one) for one in self.meters],
            "closures": [_closure_json(one) for one in self.closures],
            "totals": [_total_json(one) for one in self.totals],
            "clocks": [{n: getattr(one, n) for n in ("connection", "state", "skew_seconds", "within")} for one in self.clocks],
            "cover": {
                "standard": rules.standard, "clause": rules.clause, "source": rules.source, "status": rules.status,
                "lines": [_cover_json(one) for one in self.cover],
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A month to be judged: its real meters, the slots that are over, and, live, how far and how long ago each reported."""

    month: MeterMonth
    elapsed: int
    reached: Integers
    age_seconds: Sequence[float | None]


def whole(month: MeterMonth, plant: Plant) -> Seen:
    """Return a closed month as it is judged: every slot is over, and there is no age."""
    real = [row for row, name in enumerate(month.meter_ids) if plant.meter(name).kind != "virtual"]
    slots = month.grid.slots
    reached = [
        int(np.flatnonzero(month.state[row] != MISSING)[-1]) + 1 if month.state[row].any() else 0 for row in real
    ]
    cut = MeterMonth(
        tuple(month.meter_ids[row] for row in real), tuple(month.units[row] for row in real),
        tuple(month.own_minutes[row] for row in real), month.grid, month.amount_milli[real], month.state[real], month.bridges,
    )  # fmt: skip
    return Seen(cut, slots, np.array(reached, dtype=np.int64), [None] * len(real))


def health(seen: Seen, plant: Plant, clocks: Sequence[Clock] = ()) -> Health:
    """Return the health of a month."""
    complete = virtual(seen.month, plant)
    state = seen.month.state[:, : seen.elapsed]
    amount = np.abs(seen.month.amount_milli[:, : seen.elapsed])
    estimated = np.where(state == ESTIMATED, amount, 0).sum(axis=1)
    meters = tuple(_meter(seen, row, plant, int(estimated[row])) for row in range(len(seen.month.meter_ids)))
    due = sum(one.slots_due for one in meters)
    automatic = sum(one.slots_measured for one in meters if plant.meter(one.id).automatic)
    there = int(np.count_nonzero(state))
    return Health(
        period=seen.month.period.label,
        time_zone=plant.time_zone,
        elapsed_until=seen.month.grid.moment(seen.elapsed),
        collection_fraction=automatic / due if due else 0.0,
        completeness_fraction=there / state.size if state.size else 0.0,
        estimated_fraction=_share(int(estimated.sum()), int(amount.sum())),
        meters=meters,
        closures=tuple(_closures(seen, complete, plant)),
        totals=tuple(_totals(complete, plant, seen.elapsed)),
        clocks=tuple(clocks),
        cover=meter_cover(plant),
    )


def _meter(seen: Seen, row: int, plant: Plant, estimated: int) -> MeterHealth:
    month, meter = seen.month, plant.meter(seen.month.meter_ids[row])
    state = month.state[row, : seen.elapsed]
    measured, reached = int(np.count_nonzero(state == MEASURED)), int(seen.reached[row])
    late = max(0, seen.elapsed - reached) * month.grid.minutes
    grace = live_rules().grace_intervals * meter.interval_minutes
    verdict: State = "silent" if not reached else "late" if late >= grace else "estimated" if estimated else "ok"
    return MeterHealth(
        meter.id, meter.name, verdict, seen.elapsed, measured, late,
        month.grid.moment(reached) if reached else None, seen.age_seconds[row],
        _share(estimated, int(np.abs(month.amount_milli[row, : seen.elapsed]).sum())),
    )  # fmt: skip


def _closures(seen: Seen, complete: MeterMonth, plant: Plant) -> list[ClosureHealth]:
    """Return every parent of the meter tree against its children, over the slots that all of them have read."""
    tree, tolerance = meter_tree(plant), plant.accounting.closure_tolerance_fraction
    reached = dict(zip(seen.month.meter_ids, seen.reached.tolist(), strict=True))
    found = []
    for parent, children in tree.children.items():
        real = {term for name in (parent, *children) for term in tree.terms.get(name, {name: 1})}
        if not real <= set(reached):
            continue
        until = min((reached[name] for name in real), default=0)
        state = seen.month.state[[seen.month.row(name) for name in real], :until]
        sound = np.flatnonzero(((state != MISSING) & (state != ESTIMATED)).all(axis=0))
        unit = tree.meters[parent].amount_unit
        above = _sum(complete, parent, unit, sound)
        below = sum(_sum(complete, child, unit, sound) for child in children)
        error = (above - below) / above if above else None
        within = below == 0.0 if error is None else abs(error) <= tolerance
        found.append(ClosureHealth(parent, tree.meters[parent].name, unit, above, below, error, within))
    return found


def _totals(complete: MeterMonth, plant: Plant, elapsed: int) -> list[TotalShare]:
    """Return every total that is shown, of the site and of each shop, with its estimated share."""
    found = []
    row_of = {name: row for row, name in enumerate(complete.meter_ids)}
    for carrier in dict.fromkeys(meter.carrier for meter in plant.meters):
        tops = shop_meters(plant, carrier)
        named = [("site", SITE, plant.name, list(_site_meters(plant, carrier)))]
        named += [("shop", shop.id, shop.name, list(tops[shop.id])) for shop in plant.shops if shop.id in tops]
        for level, where, name, meters in named:
            rows = [row_of[meter] for meter in meters if meter in row_of]
            known = {complete.units[row] for row in rows}
            if len(known) != 1:
                continue
            amount = np.abs(complete.amount_milli[rows, :elapsed])
            guessed = int(amount[complete.state[rows, :elapsed] == ESTIMATED].sum())
            total = int(complete.amount_milli[rows, :elapsed].sum()) / 1000.0
            share = _share(guessed, int(amount.sum()))
            found.append(TotalShare(level, where, name, carrier, known.pop(), total, share))  # type: ignore[arg-type]
    return found


def _site_meters(plant: Plant, carrier: str) -> tuple[str, ...]:
    try:
        return place(plant, SITE, carrier).meters
    except NotFound:
        return ()


def _sum(month: MeterMonth, meter: str, unit: str, slots: Integers) -> float:
    row = month.row(meter)
    return units.convert(int(month.amount_milli[row, slots].sum()) / 1000.0, month.units[row], unit)


def _share(part: int, whole_amount: int) -> float:
    return part / whole_amount if whole_amount else 0.0


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _meter_json(one: MeterHealth) -> dict[str, object]:
    return {
        "id": one.id, "name": _both(one.name), "state": one.state, "slots_due": one.slots_due,
        "slots_measured": one.slots_measured, "collected_fraction": round(one.collected_fraction, 6),
        "late_minutes": one.late_minutes, "last_at": one.last_at.isoformat().replace("+00:00", "Z") if one.last_at else None,
        "age_seconds": None if one.age_seconds is None else round(one.age_seconds, 1),
        "estimated_fraction": round(one.estimated_fraction, 6),
    }  # fmt: skip


def _closure_json(one: ClosureHealth) -> dict[str, object]:
    return {
        "parent": one.parent, "name": _both(one.name), "unit": one.unit, "parent_amount": one.parent_amount,
        "children_amount": round(one.children_amount, 6),
        "error_fraction": None if one.error_fraction is None else round(one.error_fraction, 6), "within": one.within,
    }  # fmt: skip


def _total_json(one: TotalShare) -> dict[str, object]:
    return {
        "level": one.level, "id": one.id, "name": _both(one.name), "carrier": one.carrier, "unit": one.unit,
        "amount": one.amount, "estimated_fraction": round(one.estimated_fraction, 6),
    }  # fmt: skip


def _cover_json(one: CoverLine) -> dict[str, object]:
    return {
        "level": one.level, "energy": one.energy, "title": _both(one.title), "needed": one.needed, "there": one.there,
        "fraction": one.fraction, "required_fraction": one.required_fraction, "is_met": one.is_met,
        "lacking": list(one.lacking),
    }  # fmt: skip
