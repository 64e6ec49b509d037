"""What the plan assumes of the world: grid, carbon price, prices of energy and material, and the defaults of the method.

All of it is data with source and status; the plan names a scenario, or states numbers of its own.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.errors import NotFound, Text
from zerofactory.planning.target import between


@dataclass(frozen=True, slots=True)
class Scenario:
    """Values by year; between two years the straight line, outside them the nearest."""

    id: str
    title: Text
    values: Mapping[int, float]
    unit: str
    source: str
    status: str

    def value(self, year: int) -> float:
        """Return the value of a year."""
        return between(self.values, year)


@dataclass(frozen=True, slots=True)
class Price:
    """What a unit of an item costs the plant."""

    source_kind: str
    item: str
    unit: str
    cny: float
    source: str
    status: str


def _read(name: str) -> list[dict[str, str]]:
    with (files("zerofactory.planning") / "scenarios" / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _scenarios(name: str) -> Mapping[str, Scenario]:
    grouped: dict[str, list[dict[str, str]]] = {}
    for row in _read(name):
        grouped.setdefault(row["scenario"], []).append(row)
    return {
        key: Scenario(
            key,
            Text(rows[0]["name_zh"], rows[0]["name_en"]),
            {int(row["year"]): float(row["value"]) for row in rows},
            rows[0]["unit"],
            rows[0]["source"],
            rows[0]["status"],
        )
        for key, rows in grouped.items()
    }


@lru_cache(maxsize=1)
def grids() -> Mapping[str, Scenario]:
    """Return the grid scenarios: intensity of a year ÷ intensity of the year 2025.

    Examples
    --------
    >>> grids()["frozen"].value(2040)
    1.0
    """
    return _scenarios("grid.csv")


@lru_cache(maxsize=1)
def carbon_prices() -> Mapping[str, Scenario]:
    """Return the carbon-price scenarios in CNY per tonne."""
    return _scenarios("carbon_price.csv")


def grid(name: str) -> Scenario:
    """Return one grid scenario; raise `NotFound` with the choices."""
    return _named(grids(), name, Text("电网情景", "grid scenario"))


def carbon_price(name: str) -> Scenario:
    """Return one carbon price: a scenario by name, or a flat price written as a number."""
    try:
        flat = float(name)
    except ValueError:
        return _named(carbon_prices(), name, Text("碳价情景", "carbon price"))
    if not 0.0 <= flat < float("inf"):
        raise NotFound(Text("碳价", "carbon price"), name, tuple(carbon_prices()))
    title = Text(f"固定 {flat:g} 元/t", f"flat {flat:g} CNY/t")
    return Scenario(name, title, {2025: flat}, "CNY/t", "stated with the command", "placeholder")


def _named(found: Mapping[str, Scenario], name: str, what: Text) -> Scenario:
    if name not in found:
        raise NotFound(what, name, tuple(found))
    return found[name]


@lru_cache(maxsize=1)
def prices() -> tuple[Price, ...]:
    """Return the packaged prices, for a plant that has not stated its own."""
    return tuple(
        Price(row["source_kind"], row["item"], row["unit"], float(row["cny"]), row["source"], row["status"])
        for row in _read("prices.csv")
    )


@lru_cache(maxsize=1)
def defaults() -> Mapping[str, Any]:
    """Return the defaults of the method: ``{name: {value, source, status}}``."""
    return tomllib.loads((files("zerofactory.planning") / "defaults.toml").read_text(encoding="utf-8"))


def default(name: str) -> float:
    """Return one default number.

    Examples
    --------
    >>> default("gap_fraction")
    0.001
    """
    if name not in defaults():
        raise NotFound(Text("默认值", "default"), name, tuple(defaults()))
    return float(defaults()[name]["value"])
