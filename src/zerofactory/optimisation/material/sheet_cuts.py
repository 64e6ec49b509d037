"""A plan of sheets as rows of CUTS."""

from __future__ import annotations

from typing import Any

from zerofactory.optimisation.material.cuts import cut_rows
from zerofactory.optimisation.material.metal import Metal
from zerofactory.optimisation.material.sheet import SheetPlan
from zerofactory.optimisation.material.sheet_problem import SheetProblem


def rows(problem: SheetProblem, plan: SheetPlan, metal: Metal) -> list[dict[str, Any]]:
    """Return every piece of every pattern, and what is left of its sheet in one row of scrap."""
    sheets = {one.id: one for one in problem.sheets}
    found: list[dict[str, Any]] = []
    for number, cut in enumerate(plan.cuts, start=1):
        sheet = sheets[cut.sheet]
        shared = {
            "kind": "sheet", "stock": sheet.id, "pattern": f"S{number}", "repeats": cut.times, "grade": sheet.grade,
            "thickness_mm": sheet.thickness_mm,
        }  # fmt: skip
        area = 0.0
        for box in cut.boxes:
            area += box.length_mm * box.width_mm
            found.append(
                {
                    **shared, "use": "piece", "part": problem.orders[box.order].id, "x_mm": box.x_mm + problem.trim_mm,
                    "y_mm": box.y_mm + problem.trim_mm, "length_mm": box.length_mm, "width_mm": box.width_mm,
                    "rotation_degrees": 90.0 if box.turned else 0.0, "pieces": 1,
                    "mass_kg": metal.mass_kg(box.length_mm * box.width_mm, sheet.thickness_mm),
                }
            )  # fmt: skip
        rest = sheet.length_mm * sheet.width_mm - area
        found.append(
            {
                **shared, "use": "scrap", "part": "", "x_mm": 0.0, "y_mm": 0.0, "length_mm": sheet.length_mm,
                "width_mm": sheet.width_mm, "pieces": 0, "mass_kg": metal.mass_kg(max(0.0, rest), sheet.thickness_mm),
            }
        )  # fmt: skip
    return cut_rows(found)
