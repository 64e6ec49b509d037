"""Kinds of instruments, as data (`kinds.csv`): what one unit is, and in which registry system its serials are unique."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from zerofactory.errors import NotFound, Text


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. ``nature`` is certificate, credit, allowance or removal; they are never mixed.

    ``serial_space`` names the system in which a serial is unique: a GEC that came with a contract is in that of the GEC.
    ``attribute`` is what a unit stands for: electricity, reduction, allowance or removal. ``unit`` is MWh, tCO2e or tCO2.
    """

    id: str
    title: Text
    nature: str
    unit: str
    serial_space: str
    attribute: str
    source: str
    status: str


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, Kind]:
    """Return every kind by id."""
    text = (files("zerofactory.instruments") / "kinds.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType(
        {
            row["id"]: Kind(
                row["id"], Text(row["title_zh"], row["title_en"]), row["nature"], row["unit"], row["serial_space"],
                row["attribute"], row["source"], row["status"],
            )
            for row in rows
        }
    )  # fmt: skip


def kind(kind_id: str) -> Kind:
    """Return one kind; raise `NotFound` with the choices."""
    found = kinds().get(kind_id)
    if found is None:
        raise NotFound(Text("权益类型", "kind of instrument"), kind_id, tuple(kinds()))
    return found
