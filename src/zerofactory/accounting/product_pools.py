"""From the records of a closed period to the emissions that products share: what belongs, and electricity re-based.

An inventory counts purchased electricity with the statistical CO2 factor of its grid. A product footprint counts it with the
electricity footprint factor: CO2e over the life cycle, upstream and network losses included (GB/T 24067-2024; standards, trap
5). So the location-based records of purchased electricity are quantified again here, kWh × footprint factor, and electricity
made on site with the footprint factor of its kind; the upstream records of electricity are left out, being inside the factor.
Every greenhouse gas counts, also those outside the Kyoto basket (ISO 14067:2018, 3.1.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from zerofactory import units
from zerofactory.accounting.allocation import Pool
from zerofactory.accounting.product_rules import product_rules
from zerofactory.accounting.source import GHGP, sources
from zerofactory.errors import Text
from zerofactory.factors.model import FactorBook, Found
from zerofactory.factors.resolve import Scope, find

Component = Literal["fossil", "aviation", "biogenic_other", "biogenic_co2"]
Stage = Literal["raw_materials", "manufacturing"]


@dataclass(frozen=True, slots=True)
class PoolKey:
    """What the emissions of one pool are: stage, source, component. Its text form is the key of the pool."""

    stage: Stage
    source_id: str
    component: Component

    @property
    def text(self) -> str:
        """The key as text."""
        return f"{self.stage}|{self.source_id}|{self.component}"


@dataclass(frozen=True, slots=True)
class Rebased:
    """The electricity of the period in both views."""

    kwh: float
    booked_gco2e: int
    rebased_gco2e: int
    factor_id: str
    factor_kgco2e_per_kwh: float
    reason: Text
    on_site_kwh: float
    on_site_gco2e: int


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools with their keys and the share of each that rests on estimated amounts; what was done to electricity."""

    pools: tuple[Pool, ...]
    keys: Mapping[str, PoolKey]
    estimated_fraction: Mapping[tuple[str, str, str], float]
    electricity: Rebased | None
    total_gco2e: int = field(default=0)


def pools_of(records: pl.DataFrame, activities: pl.DataFrame, book: FactorBook, scope: Scope) -> Pools:
    """Return what products share of the records of a period.

    Parameters
    ----------
    records : RECORDS of the period that stand; market-based electricity is left aside.
    activities : ACTIVITIES of the period, for electricity made on site, which has no records.
    scope : the plant's region, the last day of the period, the day of knowing.

    Raises
    ------
    Unresolved
        No electricity footprint factor for the plant's country and time.
    """
    rules = product_rules()
    belonging = records.filter(pl.col("regime").is_in(["any", "location"])).filter(
        pl.col("source_kind").is_in(_kinds(rules.categories))
    )
    upstream = pl.col("source_kind").is_in(_kinds(("s3.03",))) & pl.col("item").is_in(list(rules.upstream_items))
    belonging = belonging.filter(upstream.fill_null(False).not_())
    bought = pl.col("source_kind").is_in(list(rules.purchased_electricity))
    on_site = activities.filter(pl.col("source_kind").is_in(list(rules.on_site_electricity)))
    electricity, rebased, made = _electricity(belonging.filter(bought), on_site, book, scope)
    frame = pl.concat([_rows(belonging.filter(~bought)), electricity, made])
    grouped = (
        frame.group_by("shop", "period", "key")
        .agg(
            pl.col("grams").sum(),
            (pl.col("grams").abs() * pl.col("estimated_fraction")).sum().alias("guessed"),
            pl.col("grams").abs().sum().alias("size"),
        )
        .sort("shop", "period", "key")
    )
    pools = tuple(Pool(*row) for row in grouped.select("shop", "period", "key", "grams").iter_rows())
    guessed = {
        (s, p, k): (g / n if n else 0.0)
        for s, p, k, g, n in grouped.select("shop", "period", "key", "guessed", "size").iter_rows()
    }
    keys = {pool.key: PoolKey(*pool.key.split("|")) for pool in pools}  # type: ignore[arg-type]
    return Pools(pools, keys, guessed, rebased, sum(pool.emissions_gco2e for pool in pools))


def _kinds(prefixes: tuple[str, ...]) -> list[str]:
    return [kind for kind, source in sources().items() if source.categories.get(GHGP, "").startswith(prefixes)]


_SCHEMA = {
    "shop": pl.String(),
    "period": pl.String(),
    "key": pl.String(),
    "grams": pl.Int64(),
    "estimated_fraction": pl.Float64(),
}


def _rows(records: pl.DataFrame) -> pl.DataFrame:
    """Return records as rows of the pools."""
    rules = product_rules()
    materials = pl.col("source_kind").is_in(_kinds(rules.raw_material_categories))
    flown = pl.any_horizontal(pl.col("item").str.starts_with(prefix) for prefix in rules.aviation_prefixes).fill_null(
        False
    )
    component = (
        pl.when(pl.col("biogenic"))
        .then(pl.lit("biogenic_co2"))
        .when(pl.col("source_kind").is_in(list(rules.non_co2_kinds)))
        .then(pl.lit("biogenic_other"))
        .when(materials & flown)
        .then(pl.lit("aviation"))
        .otherwise(pl.lit("fossil"))
    )
    stage = pl.when(materials).then(pl.lit("raw_materials")).otherwise(pl.lit("manufacturing"))
    estimated = pl.when(pl.col("tier") == "estimated").then(1.0).otherwise(pl.col("estimated_fraction"))
    return records.select(
        "shop", "period",
        pl.concat_str([stage, pl.col("source_id"), component], separator="|").alias("key"),
        pl.col("emissions_gco2e").alias("grams"), estimated.alias("estimated_fraction"),
    ).cast(_SCHEMA)  # type: ignore[arg-type]  # fmt: skip


def _electricity(
    bought: pl.DataFrame, on_site: pl.DataFrame, book: FactorBook, scope: Scope
) -> tuple[pl.DataFrame, Rebased | None, pl.DataFrame]:
    """Return purchased and own electricity as rows of the pools with footprint factors, and what changed."""
    empty = pl.DataFrame(schema=_SCHEMA)
    if bought.is_empty() and on_site.is_empty():
        return empty, None, empty
    grid = find(book, "grid.footprint", scope, item="electricity")
    own = find(book, "grid.footprint", scope, item=product_rules().on_site_item) if not on_site.is_empty() else grid
    rebased, made = _at(bought, grid), _at(on_site, own)
    kwh, own_kwh = _kwh(bought), _kwh(on_site)
    said = Rebased(
        kwh, int(bought["emissions_gco2e"].sum()), int(rebased["grams"].sum()), grid.factor.id, grid.factor.value,
        grid.reason, own_kwh, int(made["grams"].sum()),
    )  # fmt: skip
    return rebased, said, made


def _at(rows: pl.DataFrame, factor: Found) -> pl.DataFrame:
    """Return amounts of electricity times a footprint factor in whole grams, half to even."""
    ratios = {unit: units.ratio(unit, "kWh") for unit in rows["unit"].unique()}
    per_kwh = (
        factor.factor.value
        * 1000.0
        * units.ratio("kWh", (units.parse_factor_unit(factor.factor.unit).denominator or units.parse("kWh")).symbol)
    )
    ratio = pl.col("unit").replace_strict(ratios, return_dtype=pl.Float64) if ratios else pl.lit(1.0)
    grams = (pl.col("quantity") * ratio * per_kwh).round(0, mode="half_to_even").cast(pl.Int64)
    estimated = pl.when(pl.col("tier") == "estimated").then(1.0).otherwise(pl.col("estimated_fraction"))
    key = pl.concat_str([pl.lit("manufacturing"), pl.col("source_id"), pl.lit("fossil")], separator="|")
    return rows.select(
        "shop", "period", key.alias("key"), grams.alias("grams"), estimated.alias("estimated_fraction")
    ).cast(_SCHEMA)  # type: ignore[arg-type]


def _kwh(rows: pl.DataFrame) -> float:
    sums = rows.group_by("unit").agg(pl.col("quantity").sort().sum()).sort("unit")
    return sum(units.convert(quantity, unit, "kWh") for unit, quantity in sums.iter_rows())
