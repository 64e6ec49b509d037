"""The car line as a picture: a row a line of each stage, work in the colour of its family, warming up and rests below; power above."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zerofactory.errors import Language, Text
from zerofactory.optimisation.scheduling.flow_plan import pieces, unit_kw
from zerofactory.optimisation.scheduling.flow_shop import FlowPlan, FlowShop
from zerofactory.periods import zone
from zerofactory.reporting.gantt import COLOURS, RAMPING, RESTING
from zerofactory.reporting.ink import INK, MUTED, WEIGHT, pen

_SETTINGS = {
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.titleweight": WEIGHT,
    "axes.labelweight": WEIGHT,
    "ytick.color": INK,
}
POWER, INTENSITY = Text("功率 MW", "power MW"), Text("碳强度 g/kWh", "intensity g/kWh")
WARMING, WAITING, CHANGING = Text("升温", "warming up"), Text("停歇", "rest"), Text("换型", "change")
MEGA = 1000.0


def draw(problem: FlowShop, plans: tuple[tuple[Text, FlowPlan], ...], language: Language, time_zone: str) -> Figure:
    """Return the picture of one plan or of several, the first of which gives the rows."""
    units = [unit for stage in problem.stages for unit in stage.units]
    with pen(_SETTINGS):
        figure = Figure(figsize=(11.0, 2.4 + 0.4 * len(units) * len(plans)), layout="constrained")
        grid = figure.add_gridspec(1 + len(plans), 1, height_ratios=[1.7, *(0.4 * len(units) + 0.4 for _ in plans)])
        shared: Axes | None = None
        for place, (title, plan) in enumerate(plans):
            axes = figure.add_subplot(grid[1 + place, 0], sharex=shared)
            shared = shared or axes
            _rows(axes, problem, plan, language)
            axes.set_title(title.in_language(language), loc="left", fontsize=10)
            locator = AutoDateLocator(tz=zone(time_zone))  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone(time_zone)))  # type: ignore[no-untyped-call]
        _power(figure.add_subplot(grid[0, 0], sharex=shared), problem, plans, language)
    return figure


def _moment(problem: FlowShop, slot: float) -> datetime:
    return problem.start + timedelta(minutes=problem.slot_minutes * slot)


def _rows(axes: Axes, problem: FlowShop, plan: FlowPlan, language: Language) -> None:
    units = [unit for stage in problem.stages for unit in stage.units]
    row = {unit.id: len(units) - 1 - k for k, unit in enumerate(units)}
    lots = {lot.id: lot for lot in problem.lots}
    families = sorted({piece.family or lots[piece.lot].variant for piece in pieces(problem, plan) if piece.activity == "work" and piece.lot})  # fmt: skip
    colour = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(families)}
    wide = date2num(_moment(problem, 1)) - date2num(problem.start)  # type: ignore[no-untyped-call]
    left = date2num(problem.start)  # type: ignore[no-untyped-call]
    drawn = {"rest": (RESTING, 0.25), "ramp": (RAMPING, 0.45), "setup": (INK, 0.6)}
    for piece in pieces(problem, plan):
        if piece.activity == "rest" and not any(piece.power_kw):
            continue
        name = (piece.family or lots[piece.lot].variant) if piece.lot else ""
        face, high = drawn.get(piece.activity, (colour.get(name, MUTED), 0.8))
        axes.barh(row[piece.unit], (piece.last - piece.first) * wide, left=left + piece.first * wide, height=high, color=face, edgecolor="white", linewidth=0.3)  # fmt: skip
    axes.set_yticks(range(len(units)), [unit.title.in_language(language) for unit in reversed(units)])
    axes.set_ylim(-0.6, len(units) - 0.4)
    axes.set_xlim(left, left + problem.slots * wide)
    marks = [Patch(color=colour[name], label=name or "–") for name in families]
    marks += [Patch(color=RAMPING, label=WARMING.in_language(language)), Patch(color=RESTING, label=WAITING.in_language(language))]  # fmt: skip
    axes.legend(handles=marks, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, frameon=False)


def _power(axes: Axes, problem: FlowShop, plans: tuple[tuple[Text, FlowPlan], ...], language: Language) -> None:
    times = [_moment(problem, slot) for slot in range(problem.slots + 1)]
    for place, (title, plan) in enumerate(plans):
        load = np.sum(list(unit_kw(problem, plan).values()), axis=0) / MEGA
        axes.step(times, np.append(load, load[-1]), where="post", color=COLOURS[place], label=title.in_language(language), linewidth=1.2)  # type: ignore[arg-type]  # fmt: skip
    beside = axes.twinx()
    grams = problem.by_slot(problem.signals.intensity_gco2e_per_kwh)
    beside.step(times, np.append(grams, grams[-1]), where="post", color=MUTED, linewidth=0.9, linestyle=":")  # type: ignore[arg-type]
    beside.set_ylabel(INTENSITY.in_language(language), color=MUTED)
    axes.set_ylabel(POWER.in_language(language))
    axes.tick_params(labelbottom=False)
    axes.legend(loc="upper left", fontsize=7, frameon=False)
