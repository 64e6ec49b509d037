"""Pictures of a plan: Gantt of the measures, trajectory with wedges by class, marginal abatement cost curve. SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zerofactory.errors import Language, Text
from zerofactory.planning.macc import Step
from zerofactory.planning.measure import CLASSES, ORDER, MeasureClass
from zerofactory.planning.portfolio import Floats
from zerofactory.planning.roadmap import Roadmap
from zerofactory.reporting.ink import INK, RULE, WEIGHT, pen
from zerofactory.reporting.render import chart_png

ALARM = "#b3261e"
_LABELS = {"axes.labelweight": WEIGHT}
SHADES: Mapping[str, str] = {
    "efficiency": "#1f8a84", "electrification": "#f0b75e", "renewable": "#63b5a5", "process": "#8478b0",
    "material": "#d9822b", "removal": "#5a4e8c", "offset": "#7d8b92",
}  # fmt: skip
PICTURE_DPI = 144.0
_WIDTH = 7.4
_ROOM = 0.05


def svg(figure: Figure) -> str:
    """Return a picture as SVG with real text; the same figure gives the same bytes."""
    with pen(_LABELS):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def png(figure: Figure) -> bytes:
    """Return a picture as PNG on white, its text set in the packaged typeface."""
    return chart_png(svg(figure), PICTURE_DPI)


def _canvas(height_inches: float, left: float = 0.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height_inches), layout=ConstrainedLayoutEngine(rect=(left, 0, 1 - left, 1)))
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def _legend(figure: Figure, kinds: Sequence[MeasureClass], language: Language, more: Sequence[Artist] = ()) -> None:
    handles = [Patch(color=SHADES[kind], label=CLASSES[kind].in_language(language)) for kind in kinds]
    figure.legend(handles=[*handles, *more], loc="outside lower center", ncols=6, handlelength=1, handleheight=1)


def gantt(roadmap: Roadmap, language: Language) -> Figure:
    """Return the measures by year: pale while they are prepared, full while they work; a notch where they are renewed."""
    options = {option.id: option for option in roadmap.portfolio.options}
    years = roadmap.portfolio.years
    lines = sorted(roadmap.starts.items(), key=lambda one: (one[1], options[one[0]].measure.rank))
    with pen(_LABELS):
        figure, axes = _canvas(0.9 + 0.2 * max(len(lines), 3), _ROOM)
        for place, (name, start) in enumerate(lines):
            measure = options[name].measure
            colour = SHADES[measure.kind]
            begun = max(start - measure.lead_years, years[0])
            axes.barh(place, start - begun, left=begun, color=colour, alpha=0.3, height=0.62)
            axes.barh(place, years[-1] + 1 - start, left=start, color=colour, height=0.62)
            for renewal in range(start + measure.life_years, years[-1] + 1, measure.life_years):
                axes.plot([renewal, renewal], [place - 0.31, place + 0.31], color="white", linewidth=1.2)
        axes.set_yticks(range(len(lines)), [options[name].measure.title.in_language(language) for name, _ in lines])
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_xlim(years[0], years[-1] + 1)
        axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        axes.xaxis.tick_top()
        axes.grid(axis="x", color=RULE, linewidth=0.7)
        kinds = [kind for kind in ORDER if any(options[name].measure.kind == kind for name, _ in lines)]
        _legend(figure, kinds, language)
    return figure


def wedges(roadmap: Roadmap, regime: str, scopes: tuple[int, ...] = (1, 2)) -> dict[MeasureClass, Floats]:
    """Return the grams that each class takes off, year by year, switched on one class after the other in the order of interaction.

    They add up to the difference between doing nothing and the plan.
    """
    portfolio = roadmap.portfolio
    grams = portfolio.selection(regime, scopes)
    kinds = np.array([option.measure.kind for option in portfolio.options])
    cover_kinds = np.array([cover.measure.kind for cover in portfolio.covers])
    on, covers = roadmap.on * 0.0, roadmap.covers_mwh * 0.0
    before: Floats = (portfolio.amounts(on, covers) * grams).sum(axis=0)
    found: dict[MeasureClass, Floats] = {}
    for kind in ORDER:
        on[kinds == kind] = roadmap.on[kinds == kind]
        if len(cover_kinds):
            covers[cover_kinds == kind] = roadmap.covers_mwh[cover_kinds == kind]
        after: Floats = (portfolio.amounts(on, covers) * grams).sum(axis=0)
        if np.abs(before - after).max() > 0.5:
            found[kind] = before - after
        before = after
    return found


def trajectory(
    roadmap: Roadmap, regime: str, language: Language, base: tuple[int, int], bands: Mapping[int, tuple[float, float]]
) -> Figure:
    """Return emissions of scopes 1 and 2 over the years: what each class takes off, what remains, targets and 95 % band.

    Parameters
    ----------
    base : base year and its grams.
    bands : year → low and high grams of the simulation.
    """
    years = np.array([base[0], *roadmap.portfolio.years])
    path = np.concatenate([[base[1]], roadmap.path(regime, (1, 2))]) / 1e9
    parts = wedges(roadmap, regime)
    with pen(_LABELS):
        figure, axes = _canvas(3.6)
        top = path.copy()
        for kind in reversed(list(parts)):
            taken = np.concatenate([[0.0], parts[kind]]) / 1e9
            axes.fill_between(years, top, top + taken, color=SHADES[kind], alpha=0.75, linewidth=0)
            top = top + taken
        axes.fill_between(years, 0, path, color="#cfd6d9", linewidth=0)
        axes.plot(years, path, color=INK, linewidth=1.8)
        if bands:
            at = sorted(bands)
            axes.fill_between(
                at, [bands[y][0] / 1e9 for y in at], [bands[y][1] / 1e9 for y in at], color=INK, alpha=0.12, linewidth=0
            )
        handles = _goal_lines(axes, roadmap, language)
        axes.set_ylabel(Text("千吨 CO2e(范围1+2)", "kt CO2e (scopes 1 and 2)").in_language(language))
        axes.set_xlim(years[0], years[-1])
        axes.set_ylim(0, max(float(top.max()), 1e-9) * 1.06)
        axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        axes.grid(axis="y", color=RULE, linewidth=0.7)
        kinds = [kind for kind in ORDER if kind in parts]
        _legend(figure, kinds, language, handles)
    return figure


def _goal_lines(axes: Axes, roadmap: Roadmap, language: Language) -> list[Artist]:
    handles: list[Artist] = []
    styles = ("--", ":", "-.")
    for number, goal in enumerate(goal for goal in roadmap.question.goals if goal.scopes == (1, 2)):
        at = sorted(goal.limits_gco2e)
        (line,) = axes.plot(
            at, [goal.limits_gco2e[y] / 1e9 for y in at], color=ALARM, linewidth=1.2, linestyle=styles[number % len(styles)],
            label=goal.title.in_language(language).split("(")[0].split("（")[0],
        )  # fmt: skip
        handles.append(line)
    return handles


def cost_curve(steps: Sequence[Step], year: int, language: Language, ceiling_cny_per_t: float = 3000.0) -> Figure:
    """Return the marginal abatement cost curve of a year: width tonnes on top of those before, height CNY per tonne.

    Costs beyond the ceiling (either way) are cut and written out.
    """
    with pen(_LABELS):
        figure, axes = _canvas(3.8)
        left = 0.0
        for step in steps:
            width = step.abated_gco2e / 1e9
            height = float(np.clip(step.cny_per_t, -ceiling_cny_per_t, ceiling_cny_per_t))
            axes.bar(
                left,
                height,
                width=width,
                align="edge",
                color=SHADES[step.measure.kind],
                edgecolor="white",
                linewidth=0.3,
            )
            left += width
        _names(axes, steps, left, language, ceiling_cny_per_t)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_xlim(0, max(left, 1e-9))
        axes.set_ylim(-ceiling_cny_per_t * 1.15, ceiling_cny_per_t * 1.15)
        axes.set_xlabel(Text(f"{year} 年累计减排(千吨 CO2e)", f"abated in {year}, kt CO2e").in_language(language))
        axes.set_ylabel(Text("元/t CO2e", "CNY per t CO2e").in_language(language))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:,.0f}"))
        axes.grid(axis="y", color=RULE, linewidth=0.7)
        _legend(figure, [kind for kind in ORDER if any(step.measure.kind == kind for step in steps)], language)
    return figure


def _names(axes: Axes, steps: Sequence[Step], whole: float, language: Language, ceiling: float) -> None:
    """Write the names of the widest steps beside their bars."""
    left = 0.0
    for step in steps:
        width = step.abated_gco2e / 1e9
        if width >= 0.025 * whole:
            up = step.cny_per_t < 0
            axes.text(
                left + width / 2, ceiling * (0.04 if up else -0.04), step.measure.title.in_language(language),
                rotation=90, ha="center", va="bottom" if up else "top", fontsize=6.5, color=INK,
            )  # fmt: skip
        left += width
