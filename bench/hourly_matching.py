"""Hourly matching of a year × 200 meters: every quarter hour of every meter by origin, beside plain numpy and polars.

7.0 M meter-intervals; own sun, two contracts with a metered generation, a store. Ours keeps whole watt-hours, whose sum over the
origins is the metered energy in every interval of every meter, runs the store, matches the contracts, and makes the digests
that are kept with the seal. The peers do the bare sums in floating point: the plant's load, matched = min(load, generation),
each meter's share; no store, no digest, no exactness.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import polars as pl

from bench.clock import Parts, apart, row
from zerofactory.accounting.hours import matched_load
from zerofactory.accounting.origin_rows import ORIGIN_TITLES, supply_by_origin
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, PowerBook, Supply
from zerofactory.accounting.storage import Store, proportions, route
from zerofactory.periods import Period

METERS, SLOTS = 200, 35_040


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the load of every meter, the sun and the contracts' generation in Wh, always the same."""
    random = np.random.Generator(np.random.PCG64(11))
    slot = np.arange(SLOTS) % 96
    load = random.integers(5_000, 60_000, (METERS, SLOTS), dtype=np.int64)
    sun = np.where((slot > 24) & (slot < 72), 1, 0) * random.integers(0, 1_500_000, SLOTS)
    wind = random.integers(0, 3_000_000, SLOTS)
    return load, sun.astype(np.int64), wind


def ours(parts: Parts) -> float:
    """Through the book: origins, store, market_hourly, every meter, digests."""
    load, sun, wind = made()
    whole = load.sum(axis=0)

    def work() -> float:
        book = _book(whole, sun, wind)
        routed = route(supply_by_origin(book), book.stores)
        used = routed.load_wh()
        mix = proportions(np.array([used[name] for name in ORIGIN_TITLES], dtype=np.int64))
        digest, matched = hashlib.sha256(), 0
        for meter in load:
            parted = mix.share(meter)
            digest.update(np.ascontiguousarray(parted, dtype="<i8").tobytes())
            matched += int(parted[:3].sum())
        matched_load(book, book.energy_wh[ON_SITE])
        return matched / int(load.sum())

    return float(parts.time("all", work))  # type: ignore[arg-type]


def _book(whole: np.ndarray, sun: np.ndarray, wind: np.ndarray) -> PowerBook:
    used = np.minimum(sun, whole)
    charge = np.where(np.arange(SLOTS) % 96 < 8, 200_000, 0).astype(np.int64)
    discharge = np.where((np.arange(SLOTS) % 96 >= 72) & (np.arange(SLOTS) % 96 < 80), 170_000, 0).astype(np.int64)
    months = [Period(2025, number) for number in range(1, 13)]
    lengths = [(month.next_first_day - month.first_day).days * 96 for month in months]
    energy: Mapping[str, np.ndarray] = {
        ON_SITE: used,
        DIRECT_LINE: np.zeros(SLOTS, dtype=np.int64),
        GRID: whole - used + charge - discharge,
    }
    half = wind // 2
    supplies = tuple(
        Supply(name, "green_power", "2025", int(part.sum()), (), part)
        for name, part in (("a", half), ("b", wind - half))
    )
    return PowerBook(
        labels=tuple(month.label for month in months),
        starts=tuple(month.start("Asia/Shanghai") for month in months),
        minutes=15,
        months=np.repeat(np.arange(12, dtype=np.int32), lengths),
        energy_wh=energy,
        supplies=supplies,
        certificates_sold=False,
        stores=(Store("b", charge, discharge, 880_000),),
    )


def plain_numpy(parts: Parts) -> float:
    """The bare sums in numpy."""
    load, sun, wind = made()

    def work() -> float:
        whole = load.sum(axis=0)
        used = np.minimum(sun, whole)
        matched = np.minimum(whole - used, wind)
        share = (used + matched) / whole
        by_origin = load[:, None, :] * np.stack([used / whole, matched / whole, 1 - share])[None, :, :]
        return float(by_origin[:, :2].sum() / load.sum())

    return float(parts.time("all", work))  # type: ignore[arg-type]


def plain_polars(parts: Parts) -> float:
    """The bare sums in polars, from a long frame of meter, slot and energy."""
    load, sun, wind = made()
    long = pl.DataFrame(
        {
            "meter": np.repeat(np.arange(METERS, dtype=np.int32), SLOTS),
            "slot": np.tile(np.arange(SLOTS, dtype=np.int32), METERS),
            "load": load.reshape(-1),
        }
    )
    supply = pl.DataFrame({"slot": np.arange(SLOTS, dtype=np.int32), "sun": sun, "wind": wind})

    def work() -> float:
        site = long.group_by("slot").agg(pl.col("load").sum().alias("whole")).join(supply, on="slot")
        site = site.with_columns(pl.min_horizontal("sun", "whole").alias("used"))
        site = site.with_columns(pl.min_horizontal(pl.col("whole") - pl.col("used"), "wind").alias("matched"))
        share = (pl.col("used") / pl.col("whole")).alias("own"), (pl.col("matched") / pl.col("whole")).alias("green")
        each = long.join(site.select("slot", *share), on="slot")
        each = each.with_columns(
            (pl.col("load") * pl.col("own")).alias("own_wh"), (pl.col("load") * pl.col("green")).alias("green_wh")
        )
        return float((each["own_wh"].sum() + each["green_wh"].sum()) / long["load"].sum())

    return float(parts.time("all", work))  # type: ignore[arg-type]


def run() -> None:
    """Print the figures."""
    print(f"hourly_matching: {METERS} meters × {SLOTS:,} quarter hours = {METERS * SLOTS:,} meter-intervals")
    found = {work.__name__: apart(work) for work in (plain_numpy, plain_polars, ours)}
    for title, one in found.items():
        row(title.replace("_", " ").replace("ours", "zerofactory"), one, found["plain_polars"])
        print(f"    matched share {one.result:.4f}")
