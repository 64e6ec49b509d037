"""One million activity rows → records, beside a plain join × factor × GWP, whatever the order of rows.

Ids are sixteen hexadecimal digits in no order, as the ids of activities are. Both sides run in fresh processes in turn,
and the quickest round of each is printed: what a round takes beyond it is the machine's other work.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from bench.clock import Parts, apart, row

ROWS = 1_000_000
ROUNDS = 3
KINDS = (
    ("s000", "purchased_electricity", "electricity", "kWh", 573.7),
    ("s199", "stationary_combustion", "natural_gas", "Nm3", 2162.2),
)


def frame() -> pl.DataFrame:
    """Return a million activities of two sources over twelve months."""
    from zerofactory.metering.activity import ACTIVITIES

    random = np.random.Generator(np.random.PCG64(11))
    kind = random.integers(0, len(KINDS), ROWS)
    month = random.integers(1, 13, ROWS)
    pick = [pl.Series([k[i] for k in KINDS]).gather(kind) for i in range(4)]
    starts = pl.Series([datetime(2025, m, 1, tzinfo=UTC) for m in range(1, 13)], dtype=pl.Datetime("us", "UTC"))
    constant = {
        "shop": "paint",
        "tier": "metered",
        "estimated_fraction": 0.0,
        "evidence": None,
        "detail": "{}",
        "document": None,
        "note": None,
    }
    made = pl.DataFrame({
        "activity_id": pl.Series(f"{number:016x}" for number in random.integers(0, 2**63, ROWS)),
        "source_id": pick[0], "source_kind": pick[1], "item": pick[2], "unit": pick[3],
        "period": pl.Series([f"2025-{m:02d}" for m in range(1, 13)]).gather(month - 1),
        "started_at": starts.gather(month - 1), "ended_at": starts.gather(month - 1),
        "quantity": np.round(random.uniform(1, 1000, ROWS), 3),
    }).with_columns(pl.lit(v, pl.Float64 if k == "estimated_fraction" else pl.String).alias(k) for k, v in constant.items())  # fmt: skip
    return made.select(pl.col(name).cast(dtype) for name, dtype in ACTIVITIES.polars_schema().items())


def ours(parts: Parts) -> int:
    """Quantify through sources, factors and reasons."""
    from bench.readings import plant_text
    from zerofactory.accounting.quantify import quantify
    from zerofactory.factors.load import factor_book
    from zerofactory.store.workspace import read_plant

    plant, book, activities = read_plant(plant_text()), factor_book(), frame()
    quantify(activities.head(10), plant, book, known_at=date(2026, 1, 15))
    found = parts.time("quantify", lambda: quantify(activities, plant, book, known_at=date(2026, 1, 15)))
    shuffled = activities.sample(fraction=1.0, shuffle=True, seed=3)
    again = quantify(shuffled, plant, book, known_at=date(2026, 1, 15))
    assert found.records.equals(again.records), "another order of rows gives other records"  # type: ignore[attr-defined]
    return int(found.records.height)  # type: ignore[attr-defined]


def plain(parts: Parts, flows: int) -> int:
    """A plain join of the same activities with as many factor rows as the sources have flows, sorted by id as ours is."""
    activities = frame()
    factors = pl.DataFrame(
        [
            {"source_kind": kind, "gas": gas, "regime": regime, "factor": factor, "gwp": 1.0, "reason": "x" * 200}
            for kind, factor, gases in (
                ("purchased_electricity", 0.5737, ("CO2", "CO2")),
                ("stationary_combustion", 2.1622, ("CO2", "CH4", "N2O")),
            )
            for regime, gas in enumerate(gases)
        ]
    )

    def work() -> pl.DataFrame:
        joined = activities.join(factors, on="source_kind", how="inner", maintain_order="left_right")
        grams = (pl.col("quantity") * pl.col("factor") * 1000 * pl.col("gwp")).round().cast(pl.Int64)
        return joined.with_columns(grams.alias("emissions_gco2e")).sort("activity_id", "gas", "regime")

    found = parts.time("join", work)
    assert found.height == flows  # type: ignore[attr-defined]
    return int(found["emissions_gco2e"].sum())  # type: ignore[index]


def barest(parts: Parts) -> int:
    """The join and the product alone: nothing sorted, no titles, no ids; a floor, not a peer."""
    activities = frame()
    factors = pl.DataFrame(
        {
            "source_kind": ["purchased_electricity"] * 2 + ["stationary_combustion"] * 3,
            "factor": [0.5737] * 2 + [2.1622] * 3,
        }
    )

    def work() -> int:
        joined = activities.join(factors, on="source_kind", how="inner")
        return int(joined.select((pl.col("quantity") * pl.col("factor") * 1000).round().cast(pl.Int64).sum()).item())

    return int(str(parts.time("join", work)))


def run() -> None:
    """Print the figures."""
    flows = 2 * ROWS + int((frame()["source_kind"] == "stationary_combustion").sum())
    print(f"activities: {ROWS:,} rows → {flows:,} records, identical in another order of rows; best of {ROUNDS}")
    rounds = [(apart(plain, flows), apart(ours)) for _ in range(ROUNDS)]
    peer, book = (min(side, key=lambda measured: measured.total) for side in zip(*rounds, strict=True))
    assert book.result == flows
    row("plain polars join, sorted", peer)
    row("barest join, no order", min((apart(barest) for _ in range(ROUNDS)), key=lambda m: m.total), peer)
    row("zerofactory: quantify", book, peer)
