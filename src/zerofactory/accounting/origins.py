"""One book of electricity: every watt-hour booked once, by interval and by where it comes from.

    metered:   on site (used by the plant itself) + direct line + grid = consumption, to the watt-hour, in every interval
    claimed:   contracts and certificates say which part of the grid's watt-hours they cover; a regime decides what counts

Claim regimes are files in `regimes/` over this one book; a certificate never makes or removes a watt-hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zerofactory import units
from zerofactory.accounting.electricity import energy_wh, failed_criteria
from zerofactory.errors import Misuse, Text
from zerofactory.metering.interval import MeterMonth
from zerofactory.site.model import Plant, SourceUse
from zerofactory.tables import Column, TableSchema

Wh = NDArray[np.int64]
ON_SITE, DIRECT_LINE, GRID = "on_site", "direct_line", "grid"
TITLES: Mapping[str, Text] = {
    ON_SITE: Text("厂内自发自用", "generated and used on site"),
    DIRECT_LINE: Text("绿电直连", "direct line"),
    GRID: Text("公用电网", "public grid"),
}

ORIGINS = TableSchema(
    name="origins",
    title=Text("电量来源", "Origins of electricity"),
    columns=(
        Column("started_at", "moment", Text("时段开始", "start of the interval")),
        Column("origin", "text", Text("来源", "origin"), choices=tuple(TITLES)),
        Column("energy_wh", "integer", Text("电量", "energy"), unit="Wh"),
    ),
    key=("started_at", "origin"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """What one contract offers in one month. ``profile_wh`` is its generation by slot of the book, where it is metered."""

    document: str
    kind: str
    month: str
    energy_wh: int
    failed: tuple[str, ...]
    profile_wh: Wh | None = None


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
    """

    labels: tuple[str, ...]
    starts: tuple[datetime, ...]
    minutes: int
    months: NDArray[np.int32]
    energy_wh: Mapping[str, Wh]
    supplies: tuple[Supply, ...]
    certificates_sold: bool

    @property
    def consumption_wh(self) -> Wh:
        """Consumption by slot."""
        total: Wh = np.sum([self.energy_wh[name] for name in TITLES], axis=0, dtype=np.int64)
        return total

    def by_month(self, slots: Wh) -> Wh:
        """Return the sum of a slot array by month, exactly."""
        sums = np.zeros(len(self.labels), dtype=np.int64)
        np.add.at(sums, self.months, slots)
        return sums

    def frame(self) -> pl.DataFrame:
        """Return the book as rows of ORIGINS (slots without energy left out)."""
        step = np.timedelta64(self.minutes, "m")
        moments = np.concatenate(
            [
                np.datetime64(start.replace(tzinfo=None), "us") + np.arange(int((self.months == i).sum())) * step
                for i, start in enumerate(self.starts)
            ]
        )
        parts = [
            pl.DataFrame({"started_at": moments, "energy_wh": self.energy_wh[name]}).with_columns(
                pl.lit(name).alias("origin"), pl.col("started_at").dt.replace_time_zone("UTC")
            )
            for name in TITLES
        ]
        whole = pl.concat(parts).filter(pl.col("energy_wh") != 0).select(ORIGINS.names)
        return whole.sort("started_at", "origin")


def power_book(months: Sequence[MeterMonth], plant: Plant, activities: pl.DataFrame) -> PowerBook:
    """Return the book of electricity of complete months (filled, with virtual meters).

    ``activities`` are the ACTIVITIES of the same months: contracts come from documents, energy from meters.

    Raises
    ------
    Misuse
        The months have slots of different length.
    """
    if len({month.interval_minutes for month in months}) != 1:
        raise Misuse("a book of electricity needs months on one grid")
    own = [use for use in plant.sources if use.kind == "on_site_renewable"]
    lines = [use for use in plant.sources if use.kind == "green_power_contract" and _is_line(use)]
    bought = [use for use in plant.sources if use.kind == "purchased_electricity"]
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
        supplies=_supplies(months, plant, activities),
        certificates_sold=any(use.detail.get("certificates_sold") == "yes" for use in own),
    )


def _is_line(use: SourceUse) -> bool:
    return use.detail.get("instrument_kind") == "direct_line" and bool(use.meters)


def _slots(months: Sequence[MeterMonth], uses: Sequence[SourceUse]) -> Wh:
    """Return the watt-hours of the meters of some sources, slot by slot."""
    names = [name for use in uses for name in use.meters]
    return np.concatenate([_sum(month, names) for month in months])


def _sum(month: MeterMonth, names: Sequence[str]) -> Wh:
    total = np.zeros(month.amount_milli.shape[1], dtype=np.int64)
    for name in names:
        row = month.row(name)
        scale = units.ratio(month.units[row], "kWh")
        milli = month.amount_milli[row]
        total += milli if scale == 1.0 else np.rint(milli * scale).astype(np.int64)
    return total


def _supplies(months: Sequence[MeterMonth], plant: Plant, activities: pl.DataFrame) -> tuple[Supply, ...]:
    """Return what contracts offer by month, each with the quality criteria it fails."""
    labels = [month.period.label for month in months]
    details = {source.id: source.detail for source in plant.sources}
    lines = {source.id for source in plant.sources if _is_line(source)}
    rows = activities.filter((pl.col("source_kind") == "green_power_contract") & pl.col("period").is_in(labels))
    found = []
    for row in rows.sort("period", "activity_id").to_dicts():
        if row["source_id"] in lines:
            continue
        detail = {**details.get(row["source_id"], {}), **json.loads(row["detail"])}
        profile = str(detail.get("profile") or "")
        failed = failed_criteria(detail, plant, int(row["period"][:4]))
        wh = energy_wh(row["quantity"], row["unit"])
        shape = _profile(months, profile, (row["period"], wh)) if profile else None
        found.append(
            Supply(
                row["document"] or row["activity_id"],
                str(detail.get("instrument_kind", "")),
                row["period"],
                wh,
                failed,
                shape,
            )
        )
    return tuple(found)


def _profile(months: Sequence[MeterMonth], meter: str, of: tuple[str, int]) -> Wh:
    """Return a contract's energy of one month by slot, in the shape of a meter, the total kept exactly."""
    label, wh = of
    parts: list[Wh] = []
    for month in months:
        shape = _sum(month, [meter])
        if month.period.label != label or not shape.any():
            parts.append(np.zeros_like(shape))
            continue
        weights = np.maximum(shape, 0)
        cumulated = np.concatenate([[0], np.cumsum(weights)])
        shares: Wh = (cumulated.astype(object) * wh // int(cumulated[-1])).astype(np.int64)
        parts.append(shares[1:] - shares[:-1])
    return np.concatenate(parts)
