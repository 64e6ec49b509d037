"""One book of electricity: every watt-hour booked once, by interval and by where it comes from.

    metered:   on site (used by the plant itself) + direct line + grid = consumption, to the watt-hour, in every interval
    stored:    what goes through a store on site keeps its origin (`storage`); what is lost there is consumption
    claimed:   contracts and certificates say which part of the grid's watt-hours they cover; a regime decides what counts

Claim regimes are files in `regimes/` over this one book; a certificate never makes or removes a watt-hour. ORIGINS, kept with
every closed month, is the book by interval (`origin_rows`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory.accounting.claims import ANY_REGIME, CLAIMS, ELECTRICITY, failed_rules
from zerofactory.accounting.electricity import energy_wh, failed_criteria, names_of
from zerofactory.accounting.storage import PPM, Store, Wh
from zerofactory.errors import FaultyData, Misuse, Problem, Text
from zerofactory.metering import profile
from zerofactory.metering.interval import MeterMonth
from zerofactory.site.model import Plant, SourceUse

__all__ = ["DIRECT_LINE", "GRID", "ON_SITE", "TITLES", "PowerBook", "Supply", "Wh", "power_book"]

STORAGE_KIND, RENEWABLE, CONTRACT, PURCHASED = (
    "on_site_storage", "on_site_renewable", "green_power_contract", "purchased_electricity",
)  # fmt: skip

ON_SITE, DIRECT_LINE, GRID = "on_site", "direct_line", "grid"
TITLES: Mapping[str, Text] = {
    ON_SITE: Text("厂内自发自用", "generated and used on site"),
    DIRECT_LINE: Text("绿电直连", "direct line"),
    GRID: Text("公用电网", "public grid"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """What one contract or claim offers.

    ``month`` is the period it covers: a month, or a year (then it covers what is left of the whole year). ``profile_wh`` is
    its generation by slot of the book, where it is metered. ``regime`` is the one under which it is claimed, or ``any``;
    ``claimed`` tells a row of CLAIMS from a document.
    """

    document: str
    kind: str
    month: str
    energy_wh: int
    failed: tuple[str, ...]
    profile_wh: Wh | None = None
    regime: str = ANY_REGIME
    claimed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PowerBook:
    """The electricity of a plant over some months, by slot.

    Parameters
    ----------
    started_at : first instant of each month with the number of its slots.
    minutes : length of a slot.
    months : label of the month of each slot, as an index into ``labels``.
    energy_wh : by origin, arrays of whole watt-hours by slot; their sum is the consumption.
    supplies : contracts, those that fail a quality criterion included (``failed`` says which).
    certificates_sold : whether the certificates of own generation were sold.
    stores : storage on site; what it takes in and gives out moves consumption in time, not where it comes from.
    """

    labels: tuple[str, ...]
    starts: tuple[datetime, ...]
    minutes: int
    months: NDArray[np.int32]
    energy_wh: Mapping[str, Wh]
    supplies: tuple[Supply, ...]
    certificates_sold: bool
    stores: tuple[Store, ...] = field(default=())

    @property
    def consumption_wh(self) -> Wh:
        """What reached the plant and was not given back, by slot: consumption, and what went into the stores."""
        total: Wh = np.sum([self.energy_wh[name] for name in TITLES], axis=0, dtype=np.int64)
        return total

    def by_month(self, slots: Wh) -> Wh:
        """Return the sum of a slot array by month, exactly."""
        sums = np.zeros(len(self.labels), dtype=np.int64)
        np.add.at(sums, self.months, slots)
        return sums

    @property
    def load_wh(self) -> Wh:
        """What the plant used by slot: consumption less what was stored, and what came out of the stores."""
        load = self.consumption_wh.copy()
        for store in self.stores:
            load += np.maximum(store.discharge_wh, 0) - np.maximum(store.charge_wh, 0)
        return load

    def moments(self) -> NDArray[np.datetime64]:
        """Return the first instant of every slot, UTC."""
        step = np.timedelta64(self.minutes, "m")
        parts = [
            np.datetime64(start.replace(tzinfo=None), "us") + np.arange(int((self.months == i).sum())) * step
            for i, start in enumerate(self.starts)
        ]
        return np.concatenate(parts)


def power_book(
    months: Sequence[MeterMonth], plant: Plant, activities: pl.DataFrame, claims: pl.DataFrame | None = None
) -> PowerBook:
    """Return the book of electricity of complete months (filled, with virtual meters).

    Parameters
    ----------
    activities : ACTIVITIES of the same months: contracts come from documents, energy from meters.
    claims : rows of CLAIMS; those that cover electricity of these months, or of their year, are taken.

    Raises
    ------
    Misuse
        The months have slots of different length.
    NotFound
        A contract or a store names a meter that there is not.
    """
    if len({month.interval_minutes for month in months}) != 1:
        raise Misuse("a book of electricity needs months on one grid")
    own = [use for use in plant.sources if use.kind == RENEWABLE]
    lines = [use for use in plant.sources if use.kind == CONTRACT and _is_line(use)]
    bought = [use for use in plant.sources if use.kind == PURCHASED]
    energy = {
        ON_SITE: _slots(months, own),
        DIRECT_LINE: _slots(months, lines),
        GRID: _slots(months, bought),
    }
    return PowerBook(
        labels=tuple(month.period.label for month in months),
        starts=tuple(month.start for month in months),
        minutes=months[0].interval_minutes,
        months=np.repeat(np.arange(len(months), dtype=np.int32), [month.amount_milli.shape[1] for month in months]),
        energy_wh=energy,
        supplies=_supplies(months, plant, activities, CLAIMS.empty() if claims is None else claims),
        certificates_sold=any(use.detail.get("certificates_sold") == "yes" for use in own),
        stores=tuple(_store(months, use) for use in plant.sources if use.kind == STORAGE_KIND),
    )


def _store(months: Sequence[MeterMonth], use: SourceUse) -> Store:
    """Return a store with what its meters saw."""
    efficiency, capacity = use.detail.get("round_trip_fraction"), use.detail.get("capacity_kwh")
    if efficiency in (None, "") or not 0.0 < float(str(efficiency)) <= 1.0:
        raise FaultyData([_no_efficiency(use)])
    outlet = str(use.detail.get("discharge") or "")
    return Store(
        id=use.id,
        charge_wh=_slots(months, [use]),
        discharge_wh=np.concatenate([profile.energy_wh(month, [outlet]) for month in months]),
        round_trip_ppm=round(float(str(efficiency)) * PPM),
        capacity_wh=None if capacity in (None, "") else energy_wh(float(str(capacity)), "kWh"),
    )


def _no_efficiency(use: SourceUse) -> Problem:
    return Problem(
        code="electricity.no_efficiency",
        message=Text(
            f"储能“{use.name.zh}”没有往返效率, 或不在 0 与 1 之间。",
            f"Store '{use.name.en}' has no round-trip efficiency within 0 and 1.",
        ),
        hint=Text(
            "请在 detail 中填写 round_trip_fraction(铭牌或实测)。",
            "Give its detail round_trip_fraction, from the name plate or measured.",
        ),
    )


def _is_line(use: SourceUse) -> bool:
    return use.detail.get("instrument_kind") == "direct_line" and bool(use.meters)


def _slots(months: Sequence[MeterMonth], uses: Sequence[SourceUse]) -> Wh:
    """Return the watt-hours of the meters of some sources, slot by slot."""
    names = [name for use in uses for name in use.meters]
    return np.concatenate([profile.energy_wh(month, names) for month in months])


def _supplies(
    months: Sequence[MeterMonth], plant: Plant, activities: pl.DataFrame, claims: pl.DataFrame
) -> tuple[Supply, ...]:
    """Return what contracts and claims offer, each with the quality criteria it fails; serial numbers count once."""
    labels = [month.period.label for month in months]
    wanted = sorted({*labels, *(label[:4] for label in labels)})
    covering = claims.filter((pl.col("covers") == ELECTRICITY) & pl.col("period").is_in(wanted))
    by_id = {claim["claim_id"]: claim for claim in covering.sort("period", "claim_id").to_dicts()}
    used: dict[str, str] = {}
    found = []
    for detail, row in _documents(plant, activities.filter(pl.col("period").is_in(labels))):
        document, period = str(row["document"] or row["activity_id"]), str(row["period"])
        failed = [*failed_criteria(detail, plant, int(period[:4])), *_repeated(detail.get("serials"), document, used)]
        claim = by_id.pop(document, None)  # a claim that is booked as a document as well is one and the same
        if claim is not None:
            failed += failed_rules(claim, plant, names_of(plant))
        wh = energy_wh(float(str(row["quantity"])), str(row["unit"]))
        shape = _profile(months, str(detail.get("profile") or ""), (period, wh))
        kind, why = str(detail.get("instrument_kind", "")), tuple(dict.fromkeys(failed))
        regime = claim["regime"] if claim is not None else ANY_REGIME
        found.append(Supply(document, kind, period, wh, why, shape, regime, claimed=claim is not None))
    return (*found, *(_claimed(claim, months, plant, used) for claim in by_id.values()))


def _claimed(claim: Mapping[str, Any], months: Sequence[MeterMonth], plant: Plant, used: dict[str, str]) -> Supply:
    """Return what a row of CLAIMS offers that no document states."""
    name, wh = claim["claim_id"], claim["amount_wh"] or 0
    failed = (*failed_rules(claim, plant, names_of(plant)), *_repeated(claim["serials"], name, used))
    shape = _profile(months, claim["profile"] or "", (claim["period"], wh))
    return Supply(name, claim["instrument"], claim["period"], wh, failed, shape, claim["regime"], claimed=True)


def _repeated(serials: object, name: str, used: dict[str, str]) -> tuple[str, ...]:
    """Return the criterion that serial numbers fail which another document or claim has used; remember them otherwise."""
    return ("serials",) if serials and used.setdefault(str(serials), name) != name else ()


def _documents(plant: Plant, activities: pl.DataFrame) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Return contracts that documents state: their details (those of the source beneath) and their rows."""
    details = {source.id: source.detail for source in plant.sources}
    lines = {source.id for source in plant.sources if _is_line(source)}
    rows = activities.filter(pl.col("source_kind") == CONTRACT).sort("period", "activity_id").to_dicts()
    return [
        ({**details.get(row["source_id"], {}), **json.loads(row["detail"])}, row)
        for row in rows
        if row["source_id"] not in lines
    ]


def _profile(months: Sequence[MeterMonth], meter: str, of: tuple[str, int]) -> Wh | None:
    """Return a contract's energy of a month or year by slot, in the shape of a meter, the total kept exactly.

    None where no meter is named or it shows no generation in that period.
    """
    if not meter:
        return None
    period, wh = of
    inside = [
        np.maximum(profile.energy_wh(month, [meter]), 0) * np.int64(month.period.label.startswith(period))
        for month in months
    ]
    running = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *inside])).astype(object)
    if not running[-1]:
        return None
    ends: Wh = (running * wh // running[-1]).astype(np.int64)
    return ends[1:] - ends[:-1]
