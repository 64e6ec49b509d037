"""Metals by name: density for the mass of a blank, and which factors tell what a kilogram saved avoids, route by route.

A kilogram of metal not bought avoids what its route emits. Where offcuts are remelted anyway, scrap that no longer comes back
must be netted (standards, 5: ``Δm × EF_route``, yield losses netted): what remains is the remelting, about the low end of the
band 0.5–2.1 kg/kg that is told beside the routes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from zerofactory.errors import NotFound, Text

MM3_PER_M3 = 1e9


@dataclass(frozen=True, slots=True)
class Metal:
    """A metal and its density."""

    id: str
    title: Text
    density_kg_per_m3: float
    source: str

    def mass_kg(self, area_mm2: float, thickness_mm: float) -> float:
        """Return the mass of flat metal.

        Examples
        --------
        >>> metal("steel").mass_kg(1e6, 1.0)
        7.85
        """
        return area_mm2 * thickness_mm * self.density_kg_per_m3 / MM3_PER_M3


@dataclass(frozen=True, slots=True)
class Route:
    """How a metal is made, or an end of the band (``use``: route, low, high), and the id of its factor."""

    id: str
    title: Text
    factor: str
    use: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (files("zerofactory.optimisation.material") / name).open(encoding="utf-8") as stream:
        yield from csv.DictReader(stream)


@lru_cache(maxsize=1)
def metals() -> dict[str, Metal]:
    """Return every metal by id."""
    return {
        row["id"]: Metal(row["id"], Text(row["zh"], row["en"]), float(row["density_kg_per_m3"]), row["source"])
        for row in _rows("metals.csv")
    }


def metal(name: str) -> Metal:
    """Return a metal by id; raise `NotFound` with the choices."""
    if name not in metals():
        raise NotFound(Text("金属", "metal"), name, list(metals()))
    return metals()[name]


def routes(name: str) -> tuple[Route, ...]:
    """Return the routes and the band of a metal."""
    return tuple(
        Route(row["id"], Text(row["zh"], row["en"]), row["factor"], row["use"])
        for row in _rows("routes.csv")
        if row["metal"] == name
    )
