"""The pictures of a roadmap, written as SVG and PNG."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from zerofactory.errors import Language
from zerofactory.planning.target import SCOPES
from zerofactory.reporting import plan_charts
from zerofactory.runs.plan_roadmap import Result


def pictures(result: Result, language: Language) -> dict[str, Figure]:
    """Return Gantt, trajectory and cost curve by name."""
    regime = result.plan.plan.regime
    base = (result.book.base.year, result.book.base.total(SCOPES["1+2"]))
    whole = {goal.id for goal in result.roadmap.question.goals if goal.scopes == (1, 2)}
    bands = {c.year: (c.low_gco2e, c.high_gco2e) for c in result.chances if c.goal in whole}
    return {
        "gantt": plan_charts.gantt(result.roadmap, language),
        "trajectory": plan_charts.trajectory(result.roadmap, regime, language, base, bands),
        "macc": plan_charts.cost_curve(result.steps, result.macc_year, language),
    }


def write_pictures(result: Result, folder: Path, language: Language) -> tuple[Path, ...]:
    """Write the pictures of a roadmap into a folder, each as SVG and PNG; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in pictures(result, language).items():
        for ending, content in (("svg", plan_charts.svg(figure).encode()), ("png", plan_charts.png(figure))):
            place = folder / f"{name}.{ending}"
            place.write_bytes(content)
            written.append(place)
    return tuple(written)
