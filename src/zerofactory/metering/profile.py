"""LOAD: the energy of a place in each interval, measured, forecast or planned.

A place is a meter, a shop or the site. The load of a shop is the sum of its topmost meters in the tree of a carrier, that of
the site the root of the tree, so that nothing is counted twice; generation and exchange with the grid, which hang in no
tree, are not load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from zerofactory import units
from zerofactory.errors import NotFound, Text
from zerofactory.metering.grid import Integers
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

Level = Literal["meter", "shop", "site"]
LEVELS = ("meter", "shop", "site")
LOAD_KINDS = ("measured", "forecast", "planned")
SITE = "site"

LOAD = TableSchema(
    name="load",
    title=Text("负荷", "Load"),
    columns=(
        Column("place", "text", Text("位置", "place"), note=Text("表计、车间或 site", "meter, shop or site")),
        Column("level", "text", Text("层级", "level"), choices=LEVELS),
        Column("carrier", "text", Text("能源品种", "carrier")),
        Column("started_at", "moment", Text("时段起点", "start of the interval")),
        Column("minutes", "integer", Text("时段长度", "length of the interval"), unit="min", minimum=1),
        Column("energy_wh", "integer", Text("电能或热能", "energy"), unit="Wh"),
        Column("kind", "text", Text("类型", "kind"), choices=LOAD_KINDS),
        Column("known_at", "moment", Text("获知时间", "known at")),
    ),
    key=("place", "level", "carrier", "started_at", "kind", "known_at"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a load is taken: the meters whose sum it is."""

    id: str
    level: Level
    carrier: str
    meters: tuple[str, ...]


def place(plant: Plant, name: str, carrier: str = "electricity") -> Place:
    """Return a place by the id of a meter or a shop, or ``site``.

    Raises
    ------
    NotFound
        No meter or shop has that id, or the shop has no meter of the carrier.
    """
    if name == SITE:
        return Place(SITE, "site", carrier, _site_meters(plant, carrier))
    meters = {meter.id: meter for meter in plant.meters}
    if name in meters:
        return Place(name, "meter", meters[name].carrier, (name,))
    shops = {shop.id for shop in plant.shops}
    tops = shop_meters(plant, carrier)
    if name in shops and name in tops:
        return Place(name, "shop", carrier, tops[name])
    what = Text("位置(车间、表计或 site)", "place (shop, meter or site)")
    raise NotFound(what, name, (SITE, *tops, *meters))


def shop_meters(plant: Plant, carrier: str = "electricity") -> dict[str, tuple[str, ...]]:
    """Return the topmost real meters of each shop in the tree of a carrier, in the order of the plant file.

    A meter counts when it hangs below a root and none of the meters between has the same shop. Where no meter of the carrier
    hangs below another, every real meter counts.
    """
    meters = {meter.id: meter for meter in plant.meters}
    rooted = any(meter.parent for meter in plant.meters if meter.carrier == carrier)
    found: dict[str, list[str]] = {}
    for meter in plant.meters:
        if meter.carrier != carrier or meter.kind == "virtual" or meter.shop is None:
            continue
        if rooted and meter.parent is None:
            continue
        above, inside = meter.parent, False
        while above is not None and meters[above].parent is not None:
            inside = inside or meters[above].shop == meter.shop
            above = meters[above].parent
        if not inside:
            found.setdefault(meter.shop, []).append(meter.id)
    return {shop.id: tuple(found[shop.id]) for shop in plant.shops if shop.id in found}


def _site_meters(plant: Plant, carrier: str) -> tuple[str, ...]:
    tree = meter_tree(plant)
    own = [meter.id for meter in plant.meters if meter.carrier == carrier and meter.parent is None]
    roots = [name for name in own if name in tree.children]
    found = roots or [name for name in own if tree.meters[name].kind != "virtual"]
    if not found:
        known = dict.fromkeys(meter.carrier for meter in plant.meters)
        raise NotFound(Text("有表计的能源品种", "carrier that is metered"), carrier, tuple(known))
    return tuple(found)


def energy_wh(month: MeterMonth, meters: Sequence[str]) -> Integers:
    """Return the energy of the sum of meters in each slot of a period, in Wh (T).

    A meter that counts another unit of energy is converted so that its running total is right to the Wh; a unit that is no
    energy (m3, t) raises `units.WrongDimension`: gas becomes energy only through a calorific value.
    """
    total = np.zeros(month.grid.slots, dtype=np.int64)
    for name in meters:
        row = month.row(name)
        ratio = units.ratio(month.units[row], "kWh")
        amount = month.amount_milli[row]
        if ratio == 1.0:
            total += amount
        else:
            running = np.rint(np.cumsum(amount) * ratio).astype(np.int64)
            total += np.diff(running, prepend=np.int64(0))
    return total


def load_of(month: MeterMonth, places: Sequence[Place], known_at: datetime) -> pl.DataFrame:
    """Return rows of LOAD: what was measured at each place in every slot of a period.

    Parameters
    ----------
    month : MeterMonth
        Complete (`fill`), with virtual meters (`virtual`). A slot in which a meter of the place is missing gives no row.
    known_at : datetime
        When the amounts became known, aware.
    """
    import polars as pl

    frames = [LOAD.empty()]
    starts = month.grid.start_us + np.arange(month.grid.slots, dtype=np.int64) * month.grid.step_us
    for one in places:
        rows = [month.row(name) for name in one.meters]
        there = ~(month.state[rows] == MISSING).any(axis=0)
        frame = pl.DataFrame({"started_at": starts[there], "energy_wh": energy_wh(month, one.meters)[there]})
        frames.append(
            frame.select(
                pl.lit(one.id).alias("place"),
                pl.lit(one.level).alias("level"),
                pl.lit(one.carrier).alias("carrier"),
                pl.col("started_at").cast(pl.Datetime("us", "UTC")),
                pl.lit(month.interval_minutes, pl.Int64).alias("minutes"),
                "energy_wh",
                pl.lit("measured").alias("kind"),
                pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at"),
            )
        )
    return pl.concat(frames)


def every_place(plant: Plant, carrier: str = "electricity") -> tuple[Place, ...]:
    """Return the site, every shop and every meter of a carrier: the load profile of a plant at all levels."""
    meters = tuple(Place(m.id, "meter", carrier, (m.id,)) for m in plant.meters if m.carrier == carrier)
    shops: Mapping[str, tuple[str, ...]] = shop_meters(plant, carrier)
    inner = tuple(Place(shop, "shop", carrier, own) for shop, own in shops.items())
    return (place(plant, SITE, carrier), *inner, *meters)
