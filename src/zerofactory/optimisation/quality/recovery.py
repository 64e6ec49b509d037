"""How much of a metal's scrap comes back, by metal and by where it goes: `recovery.csv`, each figure with its source and status."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from zerofactory.errors import NotFound, Text


@dataclass(frozen=True, slots=True)
class Recovery:
    """A rate of recovery.

    Parameters
    ----------
    fraction, low, high : of what ``of`` says; None where a ``factor`` of the factor sets holds the figure.
    route : sold (melted by others) or remelted (in the plant).
    """

    metal: str
    route: str
    title: Text
    fraction: float | None
    low: float | None
    high: float | None
    factor: str
    of: Text
    source: str
    date: str
    status: str


@lru_cache(maxsize=1)
def rates() -> tuple[Recovery, ...]:
    """Return every rate."""
    with (files("zerofactory.optimisation.quality") / "recovery.csv").open(encoding="utf-8") as stream:
        return tuple(
            Recovery(
                row["metal"], row["route"], Text(row["zh"], row["en"]), _number(row["fraction"]), _number(row["low"]),
                _number(row["high"]), row["factor"], Text(row["of_zh"], row["of_en"]), row["source"], row["date"], row["status"],
            )
            for row in csv.DictReader(stream)
        )  # fmt: skip


def rate_of(metal: str, route: str) -> Recovery:
    """Return the rate of a metal by a route; raise `NotFound` with those there are.

    >>> rate_of("aluminium", "remelted").fraction
    0.97
    """
    for one in rates():
        if (one.metal, one.route) == (metal, route):
            return one
    choices = tuple(f"{one.metal}/{one.route}" for one in rates())
    raise NotFound(Text("回收率", "rate of recovery"), f"{metal}/{route}", choices)


def _number(text: str) -> float | None:
    return float(text) if text else None
