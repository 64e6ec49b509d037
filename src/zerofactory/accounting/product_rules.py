"""The rules of a product footprint as data (`product_rules.toml`) and the ratings that follow from them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.errors import Text
from zerofactory.factors.model import Factor


@dataclass(frozen=True, slots=True)
class Rating:
    """Data quality from 1 (best) to 5: technological, geographical, temporal."""

    technological: float
    geographical: float
    temporal: float


@dataclass(frozen=True, slots=True)
class ProductRules:
    """What is counted, and the limits. See the file for the source of each."""

    categories: tuple[str, ...]
    raw_material_categories: tuple[str, ...]
    left_out: tuple[Text, ...]
    purchased_electricity: tuple[str, ...]
    on_site_electricity: tuple[str, ...]
    on_site_item: str
    upstream_items: tuple[str, ...]
    non_co2_kinds: tuple[str, ...]
    aviation_prefixes: tuple[str, ...]
    cut_off_single_fraction: float
    cut_off_total_fraction: float
    validity_years: int
    ratings: Any


@lru_cache(maxsize=1)
def product_rules() -> ProductRules:
    """Return the packaged rules."""
    table = tomllib.loads((files("zerofactory.accounting") / "product_rules.toml").read_text(encoding="utf-8"))
    electricity = table["electricity"]
    return ProductRules(
        categories=tuple(table["allocated"]["categories"]),
        raw_material_categories=tuple(table["allocated"]["raw_material_categories"]),
        left_out=tuple(Text(entry["zh"], entry["en"]) for entry in table["left_out"]),
        purchased_electricity=tuple(electricity["purchased"]),
        on_site_electricity=tuple(electricity["on_site"]),
        on_site_item=electricity["on_site_item"],
        upstream_items=tuple(electricity["upstream_items"]),
        non_co2_kinds=tuple(table["biogenic"]["non_co2_kinds"]),
        aviation_prefixes=tuple(table["aviation"]["item_prefixes"]),
        cut_off_single_fraction=table["cut_off"]["single_fraction"],
        cut_off_total_fraction=table["cut_off"]["total_fraction"],
        validity_years=table["validity"]["years"],
        ratings=table["rating"],
    )


def rating_of(factor: Factor, region: str, year: int) -> Rating:
    """Return the rating of a secondary factor used for a plant's region and a year."""
    ratings = product_rules().ratings
    nation = region.partition("-")[0]
    place = {region: "province", nation: "nation", "world": "world"}.get(factor.region, "elsewhere")
    if factor.region == region == nation:
        place = "province"
    age = abs(year - factor.factor_year) if factor.factor_year is not None else None
    limits = ratings["temporal"]["years"]
    score = len(limits) + 1 if age is None else 1 + sum(age >= limit for limit in limits)
    return Rating(ratings["technological"][factor.confidence], ratings["geographical"][place], float(score))


def own_rating(estimated_fraction: float) -> Rating:
    """Return the rating of the plant's own processes, the estimated part scoring worse."""
    ratings = product_rules().ratings["technological"]
    return Rating(ratings["own"] + estimated_fraction * (ratings["estimated"] - ratings["own"]), 1.0, 1.0)
