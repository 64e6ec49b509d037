"""Inventory: the same records, folded under a standard, a claim regime and a view. All sums are whole grams.

What a standard leaves out of its total stands apart and is never lost: biogenic CO2, gases outside the Kyoto basket, gases
it does not count, exported energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import polars as pl

from zerofactory.accounting.measure import measures_of
from zerofactory.accounting.pedigree import pedigrees_of
from zerofactory.accounting.source import Source, sources
from zerofactory.accounting.spread import Knowledge, half_width
from zerofactory.errors import Misuse, NotFound, Text
from zerofactory.factors.load import factor_book
from zerofactory.periods import Period

if TYPE_CHECKING:
    from zerofactory.site.model import Plant
    from zerofactory.standards.model import Standard

By = Literal["shop", "source", "gas", "category", "month", "class", "scope"]
Regime = Literal["location", "market_annual"]
REGIMES: Mapping[str, Text] = {
    "location": Text("基于位置", "location-based"),
    "market_annual": Text("基于市场(年度)", "market-based (annual)"),
}
CLASSES: Mapping[str, Text] = {
    "person": Text("人", "people"),
    "machine": Text("机", "machines"),
    "material": Text("料", "materials"),
    "method": Text("法", "methods"),
    "environment": Text("环", "environment"),
}
SCOPES: Mapping[str, Text] = {
    "0": Text("清单之外", "outside the inventory"),
    "1": Text("范围一", "scope 1"),
    "2": Text("范围二", "scope 2"),
    "3": Text("范围三", "scope 3"),
}
APART: Mapping[str, Text] = {
    "biogenic_co2": Text("生物质二氧化碳", "biogenic CO2"),
    "non_kyoto": Text("非京都气体", "gases outside the Kyoto basket"),
    "exported": Text("外供能源对应排放(不扣减)", "exported energy (not deducted)"),
    "recycling_credit": Text("回收利用抵扣(避免的排放, 不抵减)", "recycling credit (avoided emissions, never netted)"),
    "removals": Text("清除(净额, 不抵减)", "removals (net, never deducted)"),
    "stored_fossil": Text("化石二氧化碳封存(减排, 不是清除)", "fossil CO2 stored (a reduction, no removal)"),
    "delayed": Text("短期利用而延迟的二氧化碳(不是清除)", "CO2 delayed in short-lived use (no removal)"),
    "other_gases": Text("该标准不计的气体", "gases the standard does not count"),
    "other_sources": Text("该标准不计的排放源", "sources the standard does not count"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """Titles of the plant's own shops and sources by id, and what it says about how well its amounts are known."""

    shops: Mapping[str, Text] = field(default_factory=dict)
    sources: Mapping[str, Text] = field(default_factory=dict)
    knowledge: Knowledge = field(default_factory=Knowledge)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an inventory. ``share_fraction`` is its share of the total (0 when the total is 0)."""

    key: str
    title: Text
    emissions_gco2e: int
    share_fraction: float


@dataclass(frozen=True, slots=True)
class Inventory:
    """An inventory in whole grams of CO2e.

    ``apart_gco2e`` has the keys of `APART`. ``regimes_gco2e`` is the total under each claim regime, ``by_gas_gco2e`` the
    total by gas, ``estimated_fraction`` the share of the total that rests on estimated amounts, ``uncertainty_fraction`` the
    95 % half-width of the total.
    """

    period: str
    standard: str
    regime: Regime
    gwp_set: str
    by: By
    total_gco2e: int
    lines: tuple[Line, ...]
    apart_gco2e: Mapping[str, int]
    by_gas_gco2e: Mapping[str, int]
    regimes_gco2e: Mapping[str, int]
    estimated_fraction: float
    uncertainty_fraction: float
    records_count: int


def names_of(plant: Plant) -> Names:
    """Return the titles of a plant's shops and sources, and what measures them."""
    return Names(
        {shop.id: shop.name for shop in plant.shops},
        {source.id: source.name for source in plant.sources},
        knowledge_of(plant),
    )


def knowledge_of(plant: Plant) -> Knowledge:
    """Return what a plant says about its amounts: the classes of its meters and its stated pedigrees."""
    book = factor_book()
    return Knowledge(measures_of(plant, book), pedigrees_of(plant, book))


def fold(
    records: pl.DataFrame, standard: Standard, regime: Regime, by: By, names: Names | None = None, period: str = ""
) -> Inventory:
    """Return the inventory of records under a standard.

    Parameters
    ----------
    records : RECORDS frame of one GWP set; reversals are negative and simply add.
    regime : which electricity view makes the total.
    by : what the lines are.
    names : titles of shops and sources; ids are shown without.
    period : label; taken from the records when empty.

    Raises
    ------
    Misuse
        Records of two GWP sets, an unknown view, or a regime that the standard does not know.
    """
    if regime not in standard.regimes or by not in get_args(By):
        raise Misuse(f"{standard.id} knows {', '.join(standard.regimes)}, views are {get_args(By)}; got {regime}, {by}")
    marked = _marked(records, standard)
    counted = marked.filter(pl.col("place") == "total")
    totals: dict[str, int] = {name: _sum(_under(counted, name)) for name in standard.regimes}
    chosen = _under(counted, regime)
    total = totals[regime]
    return Inventory(
        period=period or _period(records),
        standard=standard.id,
        regime=regime,
        gwp_set=_gwp_set(records),
        by=by,
        total_gco2e=total,
        lines=_lines(chosen, by, standard, names or Names(), total),
        apart_gco2e={name: _sum(_under(marked.filter(pl.col("place") == name), regime)) for name in APART},
        by_gas_gco2e=dict(chosen.group_by("gas").agg(pl.col("signed").sum()).sort("gas").iter_rows()),
        regimes_gco2e=totals,
        estimated_fraction=_estimated(chosen),
        uncertainty_fraction=half_width(chosen, (names or Names()).knowledge),
        records_count=chosen.height,
    )


def counted(records: pl.DataFrame, standard: Standard, regime: Regime) -> pl.DataFrame:
    """Return the records that make the total of a standard and view, with ``signed`` grams, ``in_category`` and ``class``."""
    return _under(_marked(records, standard).filter(pl.col("place") == "total"), regime)


def _marked(records: pl.DataFrame, standard: Standard) -> pl.DataFrame:
    """Return records with their category in the standard, their sign, and where they go: the total or apart."""
    outside = {category.id for category in standard.categories if not category.in_total}
    rows = []
    for kind in records["source_kind"].unique().sort():
        found = _known(kind)
        category = found.categories.get(standard.id)
        sign = -1 if standard.id in found.deducted_in else 1
        beside = found.apart or ("exported" if found.scope == 0 else "other_sources")
        rows.append((kind, None if category in outside else category, found.class_4m1e, sign, beside))
    text = pl.String()
    schema = {"source_kind": text, "in_category": text, "class": text, "sign": pl.Int64(), "beside": text}
    kinds = pl.DataFrame(rows, schema=schema, orient="row")
    counted = [gas for gas in records["gas"].unique().sort() if standard.counts(gas, True)]
    place = (
        pl.when(pl.col("biogenic"))
        .then(pl.lit("biogenic_co2"))
        .when(~pl.col("kyoto"))
        .then(pl.lit("non_kyoto"))
        .when(pl.col("in_category").is_null())
        .then(pl.col("beside"))
        .when(~pl.col("gas").is_in(counted))
        .then(pl.lit("other_gases"))
        .otherwise(pl.lit("total"))
    )
    joined = records.join(kinds, on="source_kind", how="left", maintain_order="left")
    return joined.with_columns((pl.col("emissions_gco2e") * pl.col("sign")).alias("signed"), place.alias("place"))


def _known(kind: str) -> Source:
    found = sources().get(kind)
    if found is None:
        raise NotFound(Text("排放源类型", "kind of source"), kind, tuple(sources()))
    return found


def _under(frame: pl.DataFrame, regime: str) -> pl.DataFrame:
    return frame.filter(pl.col("regime").is_in(["any", regime]))


def _sum(frame: pl.DataFrame) -> int:
    return int(frame["signed"].sum())


def column_of(by: By) -> str:
    """Return the column of `counted` that a cut goes by."""
    return {"source": "source_id", "category": "in_category", "month": "period"}.get(by, by)


def _lines(frame: pl.DataFrame, by: By, standard: Standard, names: Names, total: int) -> tuple[Line, ...]:
    column = column_of(by)
    sums = frame.group_by(pl.col(column).cast(pl.String).alias("key")).agg(pl.col("signed").sum())
    order = ("key", False) if by in ("month", "category", "scope") else ("signed", True)
    rows = sums.sort("key").sort(order[0], descending=order[1], maintain_order=True)
    titles = _titles(by, standard, names)
    return tuple(
        Line(key, titles.get(key, Text(key, key)), amount, amount / total if total else 0.0)
        for key, amount in rows.iter_rows()
    )


def _titles(by: By, standard: Standard, names: Names) -> Mapping[str, Text]:
    if by == "category":
        return {category.id: category.title for category in standard.categories}
    return {"shop": names.shops, "source": names.sources, "class": CLASSES, "scope": SCOPES}.get(by, {})


def _estimated(frame: pl.DataFrame) -> float:
    """Return the share of emissions that rests on estimated amounts, weighted by emission."""
    weights = frame["signed"].abs()
    total = int(weights.sum())
    return float((weights * frame["estimated_fraction"]).sum()) / total if total else 0.0


def _gwp_set(records: pl.DataFrame) -> str:
    found = records["gwp_set"].unique().sort().to_list()
    if len(found) > 1:
        raise Misuse(f"records of several GWP sets: {', '.join(found)}")
    return str(found[0]) if found else ""


def _period(records: pl.DataFrame) -> str:
    """Return the label of the months covered: one month, one year, or from–to."""
    months = records["period"].unique().sort().to_list()
    if not months:
        return ""
    first, last = Period.parse(months[0]), Period.parse(months[-1])
    if first == last:
        return first.label
    if first.year == last.year and len(months) == 12:
        return f"{first.year:04d}"
    return f"{first.label}–{last.label}"
