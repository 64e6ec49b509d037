"""Pictures of an energy plan: any week of a carrier, interval by interval, and the front of cost and carbon. SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, DayLocator, date2num
from matplotlib.figure import Figure

from zerofactory.assets.block import CARRIERS, flow_of
from zerofactory.assets.grid import Floats
from zerofactory.errors import FaultyData, Language, Problem, Text
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.sizing import FrontPoint
from zerofactory.periods import local_midnight, zone
from zerofactory.reporting.ink import INK, MUTED, RULE, WEIGHT, pen

SUPPLY = ("#1f8a84", "#f0b75e", "#8478b0", "#63b5a5", "#d9822b", "#5a4e8c", "#a9d6c5", "#7d8b92")
USE = ("#c9503f", "#d98b80", "#a64d79", "#c8a2b5", "#7a6a53", "#b9a989")
DAYS, SHOWN_SHARE = 7, 1e-3
PICTURE_DPI = 140
_SETTINGS = {
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.titleweight": WEIGHT,
    "axes.labelweight": WEIGHT,
    "ytick.color": MUTED,
}

LOAD = Text("负荷", "load")
COST, TONNES = Text("年费用(百万元)", "cost a year (million CNY)"), Text("排放(千吨 CO2e)", "emissions (kt CO2e)")


def week(plan: Plan, first: date, language: Language, carrier: str = "electricity") -> Figure:
    """Return the picture of seven days of one carrier: what supplies it above the line, what takes it below, and the load.

    Raises
    ------
    FaultyData
        The week lies outside the plan.
    """
    grid = plan.problem.grid
    start = local_midnight(first, grid.time_zone)
    slot = int((start - grid.start) / timedelta(minutes=grid.step_minutes))
    count = DAYS * 24 * 60 // grid.step_minutes
    if not 0 <= slot <= grid.length - min(count, grid.length):
        raise FaultyData([_outside(plan, first)])
    inside = slice(slot, min(slot + count, grid.length))
    moments = date2num(start) + np.arange(inside.stop - inside.start) * grid.step_hours / 24.0  # type: ignore[no-untyped-call]
    flows = {
        use.title.in_language(language): flow_of(use.block, carrier, grid, plan.values[use.id])[inside]
        for use in plan.problem.uses
    }
    unit, title = CARRIERS[carrier]
    scale, shown = (1000.0, "MW") if unit == "kW" else (1.0, unit)
    with pen(_SETTINGS):
        figure = Figure(figsize=(9.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
        _layers(axes, moments, {name: flow / scale for name, flow in flows.items()})
        axes.step(moments, plan.problem.load(carrier)[inside] / scale, where="post", color=INK, linewidth=1.4, label=LOAD.in_language(language))  # fmt: skip
        place = zone(grid.time_zone)
        axes.xaxis.set_major_locator(DayLocator(tz=place))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(DateFormatter("%m-%d", tz=place))  # type: ignore[no-untyped-call]
        axes.set_xlim(float(moments[0]), float(moments[-1]))
        axes.set_ylabel(shown)
        axes.set_title(f"{title.in_language(language)} · {first.isoformat()}", loc="left", fontsize=11)
        _plain(axes)
        figure.legend(loc="outside right center", handlelength=1, handleheight=1)
    return figure


def _layers(axes: Axes, moments: Floats, flows: Mapping[str, Floats]) -> None:
    """Stack what comes in above zero and what goes out below."""
    largest = max((float(np.abs(flow).max()) for flow in flows.values()), default=1.0)
    for sign, colours in ((1, SUPPLY), (-1, USE)):
        parts = {name: np.maximum(sign * flow, 0.0) for name, flow in flows.items()}
        parts = {name: part for name, part in parts.items() if part.max() > SHOWN_SHARE * largest}
        end = np.zeros(len(moments))
        for place, (name, part) in enumerate(sorted(parts.items(), key=lambda pair: -pair[1].sum())):
            label = name if sign > 0 else f"{name} −"
            axes.fill_between(moments, sign * end, sign * (end + part), step="post", color=colours[place % len(colours)], linewidth=0, label=label)  # fmt: skip
            end = end + part
    axes.axhline(0.0, color=INK, linewidth=0.6)


def front(points: Sequence[FrontPoint], language: Language) -> Figure:
    """Return the picture of the front: cost against emissions, each point with the price of its last tonne."""
    with pen(_SETTINGS):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.add_subplot()
        tonnes = [one.emissions_t / 1e3 for one in points]
        costs = [one.cost_cny / 1e6 for one in points]
        axes.plot(tonnes, costs, color=SUPPLY[0], marker="o", markersize=5, linewidth=1.6)
        for place, one in enumerate(points):
            if one.shadow_cny_per_t > 0.5:
                axes.annotate(f"{one.shadow_cny_per_t:,.0f} CNY/t", (tonnes[place], costs[place]), xytext=(6, 5), textcoords="offset points", fontsize=7.5, color=MUTED)  # fmt: skip
        axes.set_xlabel(TONNES.in_language(language))
        axes.set_ylabel(COST.in_language(language))
        axes.margins(x=0.14, y=0.12)
        _plain(axes)
    return figure


def svg(figure: Figure) -> bytes:
    """Return a picture as SVG; the same plan gives the same bytes."""
    return _rendered(figure, "svg")


def png(figure: Figure) -> bytes:
    """Return a picture as PNG."""
    return _rendered(figure, "png")


def _rendered(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with pen(_SETTINGS):
        figure.savefig(stream, format=kind, dpi=PICTURE_DPI, facecolor="white", metadata=metadata)
    return stream.getvalue()


def busiest_week(plan: Plan) -> date:
    """Return the Monday (or first day) of the week with the highest electric load that lies wholly inside the plan."""
    grid = plan.problem.grid
    place = zone(grid.time_zone)
    moment = grid.start + timedelta(minutes=grid.step_minutes * int(plan.problem.load("electricity").argmax()))
    day = moment.astimezone(place).date()
    monday = day - timedelta(days=day.weekday())
    first = grid.start.astimezone(place).date()
    last = grid.end.astimezone(place).date() - timedelta(days=DAYS)
    return max(first, min(monday, last))


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.tick_params(length=0, labelsize=8)


def _outside(plan: Plan, first: date) -> Problem:
    grid = plan.problem.grid
    place = zone(grid.time_zone)
    span = f"{grid.start.astimezone(place).date()} … {grid.end.astimezone(place).date()}"
    return Problem(
        "energy.week",
        Text(f"{first} 起的一周不在方案期间内。", f"The week from {first} on lies outside the plan."),
        Text(f"可选 {span}。", f"Choose within {span}."),
    )
