"""ORIGINS: the electricity of a closed month by meter, interval and origin, in whole watt-hours.

    supply (metered)  = on site + direct line + contract + certificate + residual                      in every interval
    load              = supply − charged + discharged, by origin                                        in every interval
    meter             = its energy in the proportions of the plant's load in that interval               in every interval

    contract      grid energy met in the same interval by a contract whose generation is metered
    certificate   grid energy covered by the month only: certificates, and contracts without a generation profile
    residual      what nothing covers

The rows of the site are kept with the seal; those of every meter follow from them and the sealed intervals, and their digest is
kept, so that any of them can be opened and proved (decision 0015). A claim regime may count the same watt-hours otherwise; it
never changes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from zerofactory.accounting.cover import cover, eligible
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, PowerBook, Supply, Wh
from zerofactory.accounting.storage import Proportions, Routed, proportions, route
from zerofactory.errors import NotFound, Text
from zerofactory.metering import profile
from zerofactory.metering.interval import MeterMonth
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree
from zerofactory.tables import Column, TableSchema

BY_INTERVAL, BY_MONTH, RESIDUAL = "contract", "certificate", "residual"
DIRECT, CHARGED, DISCHARGED, LOST = "direct", "charged", "discharged", "lost"
SITE = profile.SITE
ORIGIN_TITLES: Mapping[str, Text] = {
    ON_SITE: Text("厂内自发自用", "generated and used on site"),
    DIRECT_LINE: Text("绿电直连", "direct line"),
    BY_INTERVAL: Text("合同(同时段发电)", "contract, same interval"),
    BY_MONTH: Text("绿证与按月覆盖的合同", "certificates and contracts, by month"),
    RESIDUAL: Text("其余电网", "rest of the grid"),
}
PATH_TITLES: Mapping[str, Text] = {
    DIRECT: Text("直接使用", "used at once"),
    CHARGED: Text("充入储能", "charged"),
    DISCHARGED: Text("储能放出后使用", "used out of a store"),
    LOST: Text("储能损耗", "lost in a store"),
}

ORIGINS = TableSchema(
    name="origins",
    title=Text("电量来源", "Origins of electricity"),
    columns=(
        Column("meter_id", "text", Text("表计", "meter"), note=Text("site 为全厂", "site: the whole plant")),
        Column("started_at", "moment", Text("时段起点", "start of the interval")),
        Column("origin", "text", Text("来源", "origin"), choices=tuple(ORIGIN_TITLES)),
        Column(
            "path",
            "text",
            Text("路径", "path"),
            choices=tuple(PATH_TITLES),
            note=Text(
                "供给 = 直接使用 + 充入; 用电 = 直接使用 + 放出",
                "supply = direct + charged; load = direct + discharged; a meter has its load as direct",
            ),
        ),
        Column("energy_wh", "integer", Text("电量", "energy"), unit="Wh"),
    ),
    key=("meter_id", "started_at", "origin", "path"),
)


@dataclass(frozen=True, slots=True, eq=False)
class MonthOrigins:
    """The origins of one month: the site by slot, and how they are shared out to meters.

    ``mix`` is the load of the plant by origin, as proportions. ``opening_wh`` and ``closing_wh``: content of each store by origin
    before and after the month.
    """

    book: PowerBook
    routed: Routed
    month: MeterMonth
    meter_ids: tuple[str, ...]
    mix: Proportions
    opening_wh: Mapping[str, Mapping[str, int]]

    @property
    def closing_wh(self) -> Mapping[str, Mapping[str, int]]:
        """Content of each store by origin after the month."""
        return self.routed.content_wh

    def site_rows(self) -> pl.DataFrame:
        """Return the rows of ORIGINS of the whole site; slots without energy are left out."""
        paths = {
            DIRECT: self.routed.direct_wh,
            CHARGED: self.routed.charged_wh,
            DISCHARGED: self.routed.discharged_wh,
            LOST: self.routed.lost_wh,
        }
        moments = self.book.moments()
        parts = [_rows(SITE, moments, origin, path, wh) for path, by in paths.items() for origin, wh in by.items()]
        return pl.concat(parts).sort("started_at", "origin", "path")

    def meter_wh(self, meter_id: str) -> Wh:
        """Return the energy of one load meter by origin (in the order of `ORIGIN_TITLES`) and slot.

        Raises
        ------
        NotFound
            It is no load meter; the choices are named.
        """
        if meter_id not in self.meter_ids:
            raise NotFound(Text("用电表计", "meter of load"), meter_id, self.meter_ids)
        return self.mix.share(profile.energy_wh(self.month, [meter_id]))

    def meter_rows(self, meter_id: str) -> pl.DataFrame:
        """Return the rows of ORIGINS of one meter; raise `NotFound` when it measures no load."""
        moments, whole = self.book.moments(), self.meter_wh(meter_id)
        parts = [_rows(meter_id, moments, origin, DIRECT, wh) for origin, wh in zip(ORIGIN_TITLES, whole, strict=True)]
        return pl.concat(parts).sort("started_at", "origin")

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of the site's rows and of the rows of every meter, from whole numbers alone."""
        site = hashlib.sha256(json.dumps([list(self.book.labels), self.book.minutes, list(ORIGIN_TITLES)]).encode())
        for by in (self.routed.direct_wh, self.routed.charged_wh, self.routed.discharged_wh, self.routed.lost_wh):
            for wh in by.values():
                site.update(np.ascontiguousarray(wh, dtype="<i8").tobytes())
        meters = hashlib.sha256(json.dumps(list(self.meter_ids)).encode())
        for name in self.meter_ids:
            meters.update(np.ascontiguousarray(self.meter_wh(name), dtype="<i8").tobytes())
        return {"site_sha256": site.hexdigest(), "meters_sha256": meters.hexdigest()}


def month_origins(
    book: PowerBook, month: MeterMonth, plant: Plant, opening_wh: Mapping[str, Mapping[str, int]] | None = None
) -> MonthOrigins:
    """Return the origins of one month.

    Parameters
    ----------
    book : the book of electricity of that month alone.
    month : its interval amounts, complete, with virtual meters.
    opening_wh : content of each store by origin at the end of the month before (default: empty).
    """
    opening = {store.id: dict((opening_wh or {}).get(store.id, {})) for store in book.stores}
    routed = route(supply_by_origin(book), book.stores, opening)
    used = routed.load_wh()
    mix = np.array([used[name] for name in ORIGIN_TITLES], dtype=np.int64)
    return MonthOrigins(book, routed, month, load_meters(plant, month), proportions(mix), opening)


def supply_by_origin(book: PowerBook) -> dict[str, Wh]:
    """Return what reached the plant by origin and slot; the parts add up to the metered supply exactly."""
    supplies, _ = eligible(book)
    grid = book.energy_wh[GRID]
    load = np.maximum(grid, 0)
    matched = _matched(load, [supply for supply in supplies if supply.profile_wh is not None])
    covered = cover(book, [supply for supply in supplies if supply.profile_wh is None], load - matched)
    return {
        ON_SITE: book.energy_wh[ON_SITE],
        DIRECT_LINE: book.energy_wh[DIRECT_LINE],
        BY_INTERVAL: matched,
        BY_MONTH: covered,
        RESIDUAL: grid - matched - covered,
    }


def _matched(load: Wh, supplies: Sequence[Supply]) -> Wh:
    """Return min(load, generation) by slot: what contracts with a metered generation meet in the same interval."""
    offered = np.zeros_like(load)
    for supply in supplies:
        offered += supply.profile_wh if supply.profile_wh is not None else 0
    return np.minimum(load, offered)


def load_meters(plant: Plant, month: MeterMonth) -> tuple[str, ...]:
    """Return the meters of electricity that measure load: those in a tree, but neither a supply nor a store.

    Where no meter of electricity hangs below another there is none: the site is then the only place.
    """
    tree = meter_tree(plant)
    apart = {name for use in plant.sources if use.kind == "on_site_storage" for name in use.meters}
    apart |= {str(use.detail.get("discharge")) for use in plant.sources if use.kind == "on_site_storage"}
    electric = {meter.id for meter in plant.meters if meter.carrier == "electricity"}
    roots = [name for name in tree.children if name in electric and tree.meters[name].parent is None]
    below = {name for root in roots for name in (root, *tree.descendants(root))}
    return tuple(name for name in month.meter_ids if name in below & electric - apart)


def _rows(meter_id: str, moments: np.ndarray, origin: str, path: str, wh: Wh) -> pl.DataFrame:
    there = wh != 0
    return pl.DataFrame({"started_at": moments[there], "energy_wh": wh[there]}).select(
        pl.lit(meter_id).alias("meter_id"),
        pl.col("started_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        pl.lit(origin).alias("origin"),
        pl.lit(path).alias("path"),
        "energy_wh",
    )
