"""End uses: which part of a source's amount serves what. Measures act on them.

`end_uses.csv` gives each end use the kind of source, its items and shops, and a default share of the shop's amount, for a
plant without sub-meters. A plant that has sub-meters, or a source of its own for the end use, says so in ``plan.toml``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from zerofactory.errors import NotFound, Text


@dataclass(frozen=True, slots=True)
class EndUse:
    """One end use. ``items`` and ``shops`` empty: any. ``unit`` is the one that `measure.Instead.per_unit` refers to."""

    id: str
    title: Text
    source_kind: str
    items: tuple[str, ...]
    shops: tuple[str, ...]
    unit: str
    share_fraction: float
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class StatedUse:
    """What a plant says of an end use: meters that measure it, sources that serve it wholly, or a share with its source."""

    id: str
    meters: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    share_fraction: float | None = None
    source: str | None = None


@lru_cache(maxsize=1)
def end_uses() -> Mapping[str, EndUse]:
    """Return every end use by id."""
    with (files("zerofactory.planning") / "end_uses.csv").open(encoding="utf-8") as stream:
        return {row["id"]: _end_use(row) for row in csv.DictReader(stream)}


def _end_use(row: Mapping[str, str]) -> EndUse:
    return EndUse(
        row["id"],
        Text(row["name_zh"], row["name_en"]),
        row["source_kind"],
        tuple(filter(None, row["items"].split("|"))),
        tuple(filter(None, row["shops"].split("|"))),
        row["unit"],
        float(row["share_fraction"]),
        row["source"],
        row["status"],
    )


def end_use(name: str) -> EndUse:
    """Return one end use; raise `NotFound` with the choices."""
    if name not in end_uses():
        raise NotFound(Text("用能环节", "end use"), name, tuple(end_uses()))
    return end_uses()[name]
