"""A slitting plan as rows of CUTS and as masses."""

from __future__ import annotations

from typing import Any

from zerofactory.optimisation.material.cuts import Masses, cut_rows
from zerofactory.optimisation.material.metal import MM3_PER_M3, Metal
from zerofactory.optimisation.material.slit import SlitPlan
from zerofactory.optimisation.material.slit_problem import Coil, SlitProblem


def coil_length_mm(coil: Coil, metal: Metal) -> float:
    """Return how long a coil is, from its mass.

    Examples
    --------
    >>> from zerofactory.optimisation.material.metal import metal
    >>> round(coil_length_mm(Coil("c", "DC04", 1.0, 1000.0, 7850.0, 1), metal("steel")) / 1000, 6)
    1000.0
    """
    return coil.mass_kg * MM3_PER_M3 / (metal.density_kg_per_m3 * coil.width_mm * coil.thickness_mm)


def rows(problem: SlitProblem, plan: SlitPlan, metal: Metal) -> list[dict[str, Any]]:
    """Return every strip of every pattern as rows of CUTS: trim, strips (widest first), what is left, trim."""
    coils = {coil.id: coil for coil in problem.lots()}
    widths = {order.id: order.width_mm for order in problem.orders}
    found: list[dict[str, Any]] = []
    for number, one in enumerate(plan.patterns, start=1):
        coil = coils[one.coil]
        trim = (coil.width_mm - problem.usable_mm(coil)) / 2
        strips = sorted(one.strips, key=lambda strip: -widths[strip[0]])
        lanes = [("piece", name, widths[name]) for name, count in strips for _ in range(count)]
        rest = problem.usable_mm(coil) - sum(lane[2] for lane in lanes)
        keep = problem.rules.keep_width_mm
        if rest > 1e-9:
            lanes.append(("leftover" if keep is not None and rest >= keep - 1e-9 else "scrap", "", rest))
        if trim > 0:
            lanes = [("trim", "", trim), *lanes, ("trim", "", trim)]
        y = 0.0
        for use, name, width in lanes:
            found.append(
                {
                    "kind": "slit", "stock": coil.id, "pattern": f"P{number}", "repeats": one.times, "grade": coil.grade,
                    "thickness_mm": coil.thickness_mm, "use": use, "part": name, "x_mm": 0.0, "y_mm": y,
                    "length_mm": coil_length_mm(coil, metal), "width_mm": width, "pieces": 1,
                    "mass_kg": coil.mass_kg * width / coil.width_mm,
                }
            )  # fmt: skip
            y += width
    return cut_rows(found)


def masses(rows_of_cuts: list[dict[str, Any]]) -> Masses:
    """Return where the metal of rows of CUTS goes; what is kept for later is not put in."""
    good, kept, put_in = 0.0, 0.0, 0.0
    scrap: dict[tuple[str, str], float] = {}
    for row in rows_of_cuts:
        mass = float(row["mass_kg"]) * int(row["repeats"])
        if row["use"] == "leftover":
            kept += mass
            continue
        put_in += mass
        if row["use"] == "piece":
            good += mass
        else:
            key = (str(row["grade"]), "trim" if row["use"] == "trim" else "offcut")
            scrap[key] = scrap.get(key, 0.0) + mass
    return Masses(put_in, good, kept, scrap)
