"""Circularity: how much of what comes in is used, used again or recovered; by shop and for the plant.

The indicators, their formulas and targets are `circularity.toml` (GB/T 36132-2025 B.10, B.11; mass balances). They are computed from
activities that do not emit (material put in and out, water, scrap, waste); an indicator without data has no value, and nothing is guessed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import polars as pl

from zerofactory import units
from zerofactory.errors import Text

KINDS = (
    "material_input", "material_output", "metal_scrap", "water_intake", "water_reuse", "solid_waste", "waste_by_route",
)  # fmt: skip
ALL_SHOPS = ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of one shop (empty: the whole plant), for metals also of one metal.

    ``value_fraction`` = ``part`` / ``whole`` in ``unit``, None without data. ``met`` is None without a plausible value or a target.
    """

    key: str
    title: Text
    shop: str
    item: str
    part: float
    whole: float
    unit: str
    value_fraction: float | None
    target_fraction: float | None
    formula: Text
    source: str
    target_source: Text | None

    @property
    def plausible(self) -> bool:
        """Whether the part is no more than the whole; more means that an amount is missing or wrong."""
        return self.value_fraction is None or self.value_fraction <= 1.0

    @property
    def met(self) -> bool | None:
        """Whether the target is reached."""
        if self.value_fraction is None or self.target_fraction is None or not self.plausible:
            return None
        return self.value_fraction >= self.target_fraction


@lru_cache(maxsize=1)
def _rules() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("zerofactory.accounting") / "circularity.toml").read_text(encoding="utf-8"))


def circularity(activities: pl.DataFrame) -> tuple[Indicator, ...]:
    """Return every indicator for the plant, then for each shop that has data of its own.

    Parameters
    ----------
    activities : ACTIVITIES frame of a period; other kinds of source are passed over.
    """
    rows = _rows(activities)
    found = list(_of_shop(rows, ALL_SHOPS))
    for shop in sorted({str(row["shop"]) for row in rows}):
        own = [row for row in rows if row["shop"] == shop]
        found += [one for one in _of_shop(own, shop) if one.value_fraction is not None]
    return tuple(found)


def _rows(activities: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the sums by shop, kind, item and fate, in kg or m3; general industrial waste only."""
    rules = _rules()["waste_by_route"]
    rows: dict[tuple[str, str, str, str], float] = {}
    wanted = activities.filter(pl.col("source_kind").is_in(KINDS)).sort("activity_id")
    for row in wanted.select("shop", "source_kind", "item", "detail", "quantity", "unit").to_dicts():
        kind, item, detail = row["source_kind"], row["item"] or "", json.loads(row["detail"])
        dimension = units.parse(row["unit"]).dimension
        if kind == "waste_by_route":
            if item in rules["left_out"] or dimension != "mass":
                continue
            kind, fate = "solid_waste", "recovered" if detail.get("disposal") in rules["recovered"] else "disposed"
        else:
            fate = str(detail.get("scrap_fate") or detail.get("waste_fate") or "")
        key = (row["shop"], kind, item, fate)
        plain = "m3" if dimension == "volume" else "kg"
        rows[key] = rows.get(key, 0.0) + units.convert(row["quantity"], row["unit"], plain)
    return [
        {"shop": s, "kind": k, "item": i, "fate": f, "amount": amount} for (s, k, i, f), amount in sorted(rows.items())
    ]


def _of_shop(rows: Sequence[Mapping[str, Any]], shop: str) -> Iterator[Indicator]:
    """Yield the indicators of one shop from its rows."""

    def amount(kind: str, *fates: str) -> float:
        return sum(float(row["amount"]) for row in rows if row["kind"] == kind and (not fates or row["fate"] in fates))

    fed = {row["shop"] for row in rows if row["kind"] == "material_input"}
    balanced = [
        row for row in rows if row["shop"] in fed
    ]  # parts and scrap of a shop whose input is not booked stay out
    put_in, good = (
        amount("material_input"),
        sum(float(row["amount"]) for row in balanced if row["kind"] == "material_output"),
    )
    scrap = sum(float(r["amount"]) for r in balanced if r["kind"] == "metal_scrap" and r["fate"] == "recovered")
    yield _indicator("material_utilisation", shop, good, put_in, "kg")
    yield _indicator("material_recovery", shop, good + scrap, put_in, "kg")
    reused = amount("water_reuse")
    yield _indicator("water_reuse", shop, reused, reused + amount("water_intake"), "m3")
    from_stock = amount("solid_waste", "recovered_from_stock")
    recovered = amount("solid_waste", "recovered") + from_stock
    yield _indicator("solid_waste_recovery", shop, recovered, amount("solid_waste"), "kg")
    yield _indicator(
        "metals_recovery", shop, amount("metal_scrap", "recovered"), amount("metal_scrap"), "kg", targeted=False
    )
    for metal in sorted({row["item"] for row in rows if row["kind"] == "metal_scrap"}):
        own = [row for row in rows if row["kind"] == "metal_scrap" and row["item"] == metal]
        part = sum(row["amount"] for row in own if row["fate"] == "recovered")
        targeted = metal in _rules()["metals_recovery"]["target_metals"]
        whole = sum(row["amount"] for row in own)
        yield _indicator("metals_recovery", shop, part, whole, "kg", item=metal, targeted=targeted)


def _indicator(key: str, shop: str, part: float, whole: float, unit: str, **more: Any) -> Indicator:
    rule = _rules()[key]
    target = rule.get("target") if more.get("targeted", True) else None
    return Indicator(
        key=key,
        title=Text(**rule["title"]),
        shop=shop,
        item=more.get("item", ""),
        part=part,
        whole=whole,
        unit=unit,
        value_fraction=part / whole if whole else None,
        target_fraction=target,
        formula=Text(**rule["formula"]),
        source=rule["source"],
        target_source=Text(**rule["target_source"]) if target is not None else None,
    )
