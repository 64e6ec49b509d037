"""A schedule as a picture: a row a machine, work in the colour of its job, set-ups hatched, rest states below, power on top."""

from __future__ import annotations

import io
from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zerofactory.errors import Language, Text
from zerofactory.optimisation.scheduling.schedule import ACTIVITY_TITLES, Schedule, by_interval
from zerofactory.periods import zone
from zerofactory.reporting.ink import INK, MUTED, RULE, WEIGHT, pen

COLOURS = ("#1a9a6c", "#3f86b8", "#c07d10", "#9467bd", "#d0453b", "#6b9a3a", "#80868b", "#dd6b20", "#2a97a5", "#a07845", "#5a4e8c", "#b0597f")  # fmt: skip
RESTING, RAMPING = "#dfe5e8", "#b9a989"
PICTURE_DPI = 140
MANY_BARS = 160  # beyond which bars get no name
NARROWEST = 40  # a bar shorter than this part of the makespan gets no name
_SETTINGS = {
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.titleweight": WEIGHT,
    "axes.labelweight": WEIGHT,
    "ytick.color": INK,
}
POWER = Text("功率 kW", "power kW")
PRICE = Text("电价 元/kWh", "price CNY/kWh")


def draw(schedule: Schedule, language: Language, time_zone: str) -> Figure:
    """Return the picture of a schedule."""
    problem = schedule.problem
    machines = problem.machines
    has_power = any(float(power.sum()) > 0 for power in schedule.machine_kw.values())
    with pen(_SETTINGS):
        figure = Figure(figsize=(10.0, 1.6 + 0.42 * len(machines) + (1.3 if has_power else 0.0)), layout="constrained")
        heights = [1.3, 0.42 * len(machines) + 0.4] if has_power else [1.0]
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        axes = figure.add_subplot(grid[-1, 0])
        _rows(axes, schedule, language)
        if has_power:
            top = figure.add_subplot(grid[0, 0], sharex=axes)
            _power(top, schedule, language)
        locator = AutoDateLocator(tz=zone(time_zone))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone(time_zone)))  # type: ignore[no-untyped-call]
        found = schedule.measures
        hours = found.makespan_ticks * problem.tick_hours
        said = Text(f"完工 {hours:,.1f} h", f"makespan {hours:,.1f} h")
        (top if has_power else axes).set_title(
            f"{problem.name}  ·  {said.in_language(language)}", loc="left", fontsize=11
        )
    return figure


def _rows(axes: Axes, schedule: Schedule, language: Language) -> None:
    problem = schedule.problem
    jobs = {job.id: COLOURS[number % len(COLOURS)] for number, job in enumerate(problem.jobs)}
    rows = {machine.id: number for number, machine in enumerate(problem.machines)}
    named = len(schedule.tasks) <= MANY_BARS
    narrow = schedule.measures.makespan_ticks / NARROWEST
    day = timedelta(seconds=problem.tick_s) / timedelta(days=1)
    start = float(date2num(problem.start))  # type: ignore[no-untyped-call]
    for one in schedule.stretches:
        left, width, row = start + one.first * day, (one.last - one.first) * day, rows[one.machine]
        if one.activity == "work":
            job = problem.job_of[str(one.operation)].id
            axes.barh(row, width, left=left, height=0.72, color=jobs[job], edgecolor="white", linewidth=0.4)
            if named and one.last - one.first >= narrow:
                axes.text(
                    left + width / 2, row, job, ha="center", va="center", fontsize=6.5, color="white", clip_on=True
                )
        elif one.activity == "setup":
            axes.barh(row, width, left=left, height=0.72, color="white", edgecolor=MUTED, hatch="////", linewidth=0.4)
        else:
            colour = RESTING if one.activity == "rest" else RAMPING
            axes.barh(row + 0.27, width, left=left, height=0.18, color=colour, linewidth=0)
    titles = [machine.title if language == "zh" and machine.title else machine.id for machine in problem.machines]
    axes.set_yticks(range(len(titles)), titles)
    axes.set_ylim(len(titles) - 0.4, -0.6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.tick_params(length=0)
    patches = {"setup": Patch(facecolor="white", edgecolor=MUTED, hatch="////"), "ramp": Patch(color=RAMPING), "rest": Patch(color=RESTING)}  # fmt: skip
    seen = [name for name in patches if any(one.activity == name for one in schedule.stretches)]
    if seen:
        words = [ACTIVITY_TITLES[name].in_language(language) for name in seen]
        axes.legend([patches[name] for name in seen], words, loc="upper right", bbox_to_anchor=(1.0, -0.08), ncols=3)


def _power(axes: Axes, schedule: Schedule, language: Language) -> None:
    problem, signals = schedule.problem, schedule.problem.signals
    total = np.sum(list(schedule.machine_kw.values()), axis=0)
    step = 1 if signals is None else signals.interval_ticks
    mean = by_interval(total, step) / step
    day = timedelta(seconds=problem.tick_s) / timedelta(days=1)
    start = float(date2num(problem.start))  # type: ignore[no-untyped-call]
    moments = start + np.arange(len(mean) + 1) * step * day
    axes.stairs(mean, moments, fill=True, color="#1a9a6c", alpha=0.55)
    axes.set_ylabel(POWER.in_language(language))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelbottom=False, length=0)
    if signals is not None:
        right = axes.twinx()
        count = min(len(mean), signals.count)
        right.stairs(
            signals.price_cny_per_kwh[:count], moments[: count + 1], color="#d0453b", linewidth=1.1, baseline=None
        )
        right.set_ylabel(PRICE.in_language(language))
        right.spines["top"].set_visible(False)


def svg(figure: Figure) -> bytes:
    """Return a picture as SVG, the same bytes for the same picture."""
    return _saved(figure, "svg")


def png(figure: Figure) -> bytes:
    """Return a picture as PNG."""
    return _saved(figure, "png")


def _saved(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with pen(_SETTINGS):
        figure.savefig(stream, format=kind, dpi=PICTURE_DPI, metadata=metadata)
    return stream.getvalue()
