"""What the figures of a statement stand on: methods, factors and why, warming potentials, activity data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from zerofactory.accounting.item import item_title
from zerofactory.accounting.method import method_title
from zerofactory.accounting.plan import resolution_key
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import sources
from zerofactory.errors import NotFound, Text
from zerofactory.factors.model import Factor, Origin
from zerofactory.factors.resolve import gwp
from zerofactory.reporting.figures import formula
from zerofactory.reporting.statement import ActivityLine, AppliedFactor, FactorLine, GwpLine, Method
from zerofactory.site.model import Plant
from zerofactory.store.workspace import Workspace

Amount = tuple[str, str | None, str]
OUTSIDE = "—"
ORIGINS: Mapping[Origin, Text] = {"fossil": Text("化石源", "fossil"), "biogenic": Text("生物源", "biogenic")}
VARIANT = re.compile(r"\s*[(（].*[)）]$")


def gas_title(gas: str) -> Text:
    """Return a gas by name and formula.

    Examples
    --------
    >>> gas_title("CH4").zh, gas_title("HFC-134a").zh, gas_title("HFC-134a").en
    ('甲烷 CH₄', '四氟乙烷 HFC-134a', 'HFC-134a')
    """
    named, symbol = item_title(gas), formula(gas)
    zh = VARIANT.sub("", named.zh)
    english = named.en[:1].upper() + named.en[1:]
    return Text(
        symbol if zh in (gas, symbol) else f"{zh} {symbol}",
        symbol if named.en == gas else f"{english} {symbol}",
    )


def category_of(kind: str, standard: str) -> str:
    """Return the category of a kind of source in a standard; a dash where the standard does not count it."""
    return sources()[kind].categories.get(standard, OUTSIDE)


def methods(plant: Plant, standard: str, records: pl.DataFrame) -> tuple[Method, ...]:
    """Return how each source of the records was quantified, by category and in the order of the plant file."""
    used = records.group_by("source_id").agg(pl.col("source_kind").first(), pl.col("method").unique().sort())
    found = []
    for source_id, kind_id, names in used.iter_rows():
        kind = sources()[kind_id]
        titles = [method_title(name) for name in names]
        said = Text("; ".join(title.zh for title in titles), "; ".join(title.en for title in titles))
        category, name = category_of(kind_id, standard), plant.source(source_id).name
        found.append(Method(source_id, name, category, said, kind.note, kind.reference, kind.title))
    return tuple(sorted(found, key=_in_order_of(plant)))


def _in_order_of(plant: Plant) -> Callable[[Method], tuple[bool, str, int]]:
    places = {source.id: place for place, source in enumerate(plant.sources)}
    return lambda line: (line.category == OUTSIDE, line.category, places[line.source])


def factors(
    workspace: Workspace, activities: pl.DataFrame, records: pl.DataFrame, known_at: date
) -> tuple[tuple[FactorLine, ...], tuple[AppliedFactor, ...]]:
    """Return every factor behind the records, once, and every product of them that was applied, with the reason."""
    again = quantify(activities, workspace.plant, workspace.factor_book, known_at=known_at).resolutions
    columns = ["factor_id", "factor_unit", "factor_value", "reason"]
    lines: dict[str, FactorLine] = {}
    applied: list[AppliedFactor] = []
    used = records.group_by(columns).agg(pl.col("gas").unique().sort().str.join(", ")).sort(columns)
    for factor_id, unit, value, text, gas in used.iter_rows():
        resolution = again.get(resolution_key(factor_id, unit))
        terms = resolution.factors if resolution else ()
        for factor in terms:
            lines.setdefault(factor.id, _line(factor, workspace))
        reason = json.loads(text)
        names = tuple(term.id for term in terms)
        applied.append(AppliedFactor(factor_id, value, unit, gas, names, Text(reason["zh"], reason["en"])))
    return tuple(lines.values()), tuple(applied)


def _line(factor: Factor, workspace: Workspace) -> FactorLine:
    factor_set = workspace.factor_book.sets.get(factor.set_id)
    return FactorLine(
        factor.id, factor.title, factor.value, factor.unit, factor.gas, factor.source,
        factor_set.edition if factor_set else "", factor.source_ref, factor.provenance, factor.confidence,
        factor_set.title if factor_set else Text("", ""), factor.value_text or str(factor.value),
    )  # fmt: skip


def gwps(workspace: Workspace, records: pl.DataFrame) -> tuple[GwpLine, ...]:
    """Return the warming potentials behind the records; methane is named by the origin of its carbon."""
    used = records.select("gas", "gwp", "gwp_set").unique().sort("gas", "gwp")
    lines = []
    for gas, value, gwp_set in used.iter_rows():
        found = [(origin, gwp(workspace.factor_book, gas, gwp_set, origin)) for origin in (None, *ORIGINS)]
        origin, factor = next(((o, f) for o, f in found if f.value == value), found[0])
        title = gas_title(gas)
        if len({f.value for _, f in found}) > 1:
            whose = ORIGINS[origin or "fossil"]
            title = Text(f"{title.zh}（{whose.zh}）", f"{title.en} ({whose.en})")
        lines.append(GwpLine(gas, value, gwp_set, factor.source, factor.provenance, title))
    return tuple(lines)


def activities(
    plant: Plant, standard: str, frame: pl.DataFrame, emitted: Mapping[Amount, int]
) -> tuple[ActivityLine, ...]:
    """Return the activity data summed by source, item and unit; ``emitted`` gives the gCO2e of each such sum."""
    shops = {shop.id: shop.name for shop in plant.shops}
    places = {source.id: place for place, source in enumerate(plant.sources)}
    keys = ["source_id", "source_kind", "item", "unit"]
    sums = frame.group_by(keys).agg(
        pl.col("quantity").sort().sum(),
        pl.col("tier").sort().unique(maintain_order=True).str.join("/"),
        ((pl.col("quantity") * pl.col("estimated_fraction")).sort().sum() / pl.col("quantity").abs().sort().sum())
        .fill_nan(0.0)
        .alias("estimated"),
        pl.len().alias("rows"),
        pl.col("shop").n_unique().alias("shops"),
        pl.col("shop").first(),
    )
    found = []
    for row in sums.sort(keys, nulls_last=True).to_dicts():
        shop = shops.get(row["shop"]) if row["shops"] == 1 else None
        source = plant.source(row["source_id"])
        amount = (source.id, row["item"] or source.item, row["unit"])
        line = ActivityLine(
            source.id, source.name, shop, _item_title(row["item"], plant), row["quantity"], row["unit"],
            row["tier"], row["estimated"], row["rows"], emitted.get(amount),
        )  # fmt: skip
        category = category_of(row["source_kind"], standard)
        found.append(((category == OUTSIDE, category, places[line.source]), line))
    return tuple(line for _, line in sorted(found, key=lambda pair: pair[0]))


def _item_title(item: str | None, plant: Plant) -> Text | None:
    """Return the name of what an activity is of: a fuel, a gas, or one of the plant's products."""
    if item is None:
        return None
    try:
        return plant.product(item).name
    except NotFound:
        return item_title(item)
