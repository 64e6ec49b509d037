"""Measure: what gives the amount of a source, and how well — the accuracy class of its meters, or its stated pedigree.

A meter's maximum permissible error is taken as the 95 % half-width of its amount (uncertainty set, ad.meter.*). The classes and what
they stand for are `meter_classes.csv`; a class that is not listed leaves the half-width of the kind of source.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.factors.model import FactorBook
from zerofactory.factors.resolve import uncertainty
from zerofactory.site.model import Meter, Plant, SourceUse


@dataclass(frozen=True, slots=True)
class Measure:
    """The meters of a source as one measure: ``key`` names them, the half-width is that of the worst of their classes."""

    key: str
    meters: tuple[str, ...]
    half_width_fraction: float


@dataclass(frozen=True, slots=True)
class MeterClass:
    """One accuracy class of one carrier: the half-width as a fraction and where it is from."""

    carrier: str
    accuracy_class: str
    half_width_fraction: float
    source: str


@lru_cache(maxsize=1)
def _settings() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("zerofactory.accounting") / "uncertainty.toml").read_text(encoding="utf-8"))


def setting(name: str) -> Any:
    """Return one figure of `uncertainty.toml`."""
    return _settings()[name]["value"]


@lru_cache(maxsize=1)
def _class_rows() -> tuple[dict[str, str], ...]:
    with (files("zerofactory.accounting") / "meter_classes.csv").open(encoding="utf-8") as stream:
        return tuple(csv.DictReader(stream))


def meter_classes(book: FactorBook) -> dict[tuple[str, str], MeterClass]:
    """Return every known class by carrier and class."""
    found = {}
    for row in _class_rows():
        entry = row["uncertainty"]
        width = uncertainty(book, entry) if entry else float(row["half_width_percent"]) / 100
        named = MeterClass(row["carrier"], row["accuracy_class"], width, entry or row["source"])
        found[row["carrier"], row["accuracy_class"]] = named
    return found


def class_name(written: str) -> str:
    """Return an accuracy class as the table writes it.

    Examples
    --------
    >>> class_name("1.0级"), class_name(" 0.5s "), class_name("2.5")
    ('1', '0.5S', '2.5')
    """
    cleaned = written.strip().upper().removeprefix("CLASS").removesuffix("级").strip()
    return cleaned.removesuffix(".0")


def meter_half_width(meter: Meter, classes: Mapping[tuple[str, str], MeterClass]) -> float | None:
    """Return the half-width of a meter from its class, None when it has none or the table does not know it."""
    if not meter.accuracy_class:
        return None
    found = classes.get((meter.carrier, class_name(meter.accuracy_class)))
    return found.half_width_fraction if found else None


def measure_of(plant: Plant, use: SourceUse, book: FactorBook) -> Measure | None:
    """Return what measures a source; None without meters, or when the class of one of them is unknown.

    Several meters count with the worst of their classes, as if they erred together: an upper bound.
    """
    if not use.meters:
        return None
    classes = meter_classes(book)
    meters = {meter.id: meter for meter in plant.meters}
    widths = [meter_half_width(meters[name], classes) for name in use.meters if name in meters]
    known = [width for width in widths if width is not None]
    if len(known) < len(use.meters):
        return None
    return Measure(measure_key(use), use.meters, max(known))


def measure_key(use: SourceUse) -> str:
    """Return the name of a source's meters, the same for every source that they feed.

    Examples
    --------
    >>> from zerofactory.errors import Text
    >>> measure_key(SourceUse("s", "purchased_electricity", Text("电", "power"), meters=("E2", "E1")))
    'meter:E1+E2'
    """
    return "meter:" + "+".join(sorted(use.meters))


def measures_of(plant: Plant, book: FactorBook) -> dict[str, Measure]:
    """Return what measures each metered source of a plant by its id, where known."""
    found = {use.id: measure_of(plant, use, book) for use in plant.sources}
    return {source_id: measure for source_id, measure in found.items() if measure is not None}
