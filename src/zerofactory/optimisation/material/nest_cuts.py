"""Blanks on strips as rows of CUTS: a strip of one blank (progressive or transfer die) by its pitch, a mixed strip by its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry import Polygon

from zerofactory.optimisation.material.cuts import cut_rows
from zerofactory.optimisation.material.metal import Metal
from zerofactory.optimisation.material.progressive import Placed, turned


@dataclass(frozen=True, slots=True)
class Nest:
    """One strip: ``placed`` lie on ``length_mm`` × ``width_mm`` of it, and that is repeated.

    Parameters
    ----------
    is_pitch : the layout continues periodically at ``length_mm``; else it is one piece of strip.
    wanted : pieces of each part that are ordered.
    """

    name: str
    grade: str
    thickness_mm: float
    length_mm: float
    width_mm: float
    placed: tuple[Placed, ...]
    repeats: int
    wanted: Mapping[str, int]
    bridge_mm: float
    margin_mm: float
    is_pitch: bool
    layout: str = ""


def rows(nests: Sequence[Nest], outlines: Mapping[str, Polygon], metal: Metal) -> list[dict[str, Any]]:
    """Return every blank where it lies (its box), and the skeleton of each strip in one row of scrap."""
    found: list[dict[str, Any]] = []
    for nest in nests:
        shared = {
            "kind": "nest", "stock": nest.name, "pattern": nest.layout or "strip", "repeats": nest.repeats,
            "grade": nest.grade, "thickness_mm": nest.thickness_mm,
        }  # fmt: skip
        good = 0.0
        for one in nest.placed:
            shape = turned(outlines[one.part], one)
            left, bottom, right, top = shape.bounds
            mass = metal.mass_kg(shape.area, nest.thickness_mm)
            good += mass
            found.append(
                {
                    **shared, "use": "piece", "part": one.part, "x_mm": left, "y_mm": bottom, "length_mm": right - left,
                    "width_mm": top - bottom, "rotation_degrees": one.rotation_degrees % 360, "pieces": 1, "mass_kg": mass,
                }
            )  # fmt: skip
        whole = metal.mass_kg(nest.length_mm * nest.width_mm, nest.thickness_mm)
        found.append(
            {
                **shared, "use": "scrap", "part": "", "x_mm": 0.0, "y_mm": 0.0, "length_mm": nest.length_mm,
                "width_mm": nest.width_mm, "pieces": 0, "mass_kg": max(0.0, whole - good),
            }
        )  # fmt: skip
    return cut_rows(found)
