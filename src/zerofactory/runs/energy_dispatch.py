"""Dispatch: what each asset should do in the next quarter hours, and how the same method would have done on measured days.

The plan rests on what was measured before the moment it is made at, and on nothing later; prices come from the tariff. The
first interval is what would be sent to the devices, if the plant allows it (`connectors.command`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from zerofactory.assets import tariff as tariffs
from zerofactory.assets.asset import with_defaults
from zerofactory.assets.block import CARRIERS, over
from zerofactory.assets.grid import Floats, Grid
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.metering.interval import MISSING
from zerofactory.optimisation.energy.outlook import DAILY, WEEKLY, Learned, Season
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import ELECTRICITY, EnergyProblem, Goals, Use, electric
from zerofactory.optimisation.energy.rolling import Rolling
from zerofactory.optimisation.energy.sizing import Answer
from zerofactory.optimisation.energy.sizing import size as solve_checked
from zerofactory.optimisation.energy.strategies import STRATEGIES, Judged, judge
from zerofactory.optimisation.energy.window import LOAD, Key, Standpoint, begun, installed, window, with_margin
from zerofactory.periods import Period, Span
from zerofactory.runs import energy_factors, energy_file
from zerofactory.runs.context import Context
from zerofactory.runs.energy_problem import Setting, make
from zerofactory.runs.planned_load import on_grid
from zerofactory.runs.profile import meter_month, months_of

HISTORY_DAYS = 28
MOST_METERS = 0.5
SEASONS: Mapping[str, Season] = {"load": WEEKLY, "sun": DAILY}
SUNNY = "yield_kw_per_kw"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the dispatcher.

    Parameters
    ----------
    at : the moment the plan is made; only what was measured before it is used. Default: the end of the readings.
    horizon_hours, step_minutes : how far and how finely it looks.
    build : candidates of energy.toml taken as built, by size.
    margin_fraction : probability with which a new peak is kept in spite of forecast errors.
    contents : how full each store is now, as a share of its size; default: as its asset starts.
    peak_so_far_kw : the peak of this month; default: as measured.
    planned : rows of LOAD that come on top of what is foreseen (charging at the dock, a new line).
    """

    at: datetime | None = None
    horizon_hours: int = 48
    step_minutes: int = 15
    build: Mapping[str, float] | None = None
    margin_fraction: float = 0.8
    contents: Mapping[str, float] | None = None
    peak_so_far_kw: float | None = None
    planned: pl.DataFrame | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One interval of the plan in kW: load, each asset at the bus of electricity (+ into it), the price."""

    started_at: datetime
    load_kw: float
    price_cny_per_kwh: float
    power_kw: Mapping[str, float]
    stored_kwh: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """The plan of the hours ahead; present only when its check passed."""

    at: datetime
    horizon_hours: int
    step_minutes: int
    titles: Mapping[str, Text]
    lines: tuple[Line, ...]
    setpoints: Mapping[str, Mapping[str, float]]
    answer: Answer
    peak_so_far_kw: float
    cost_cny: float
    emissions_t: float
    runtime_s: float
    notes: tuple[Text, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        checked = self.answer.check
        return {
            "at": self.at.isoformat(),
            "horizon_hours": self.horizon_hours,
            "step_minutes": self.step_minutes,
            "setpoints": {name: dict(own) for name, own in self.setpoints.items()},
            "intervals": [
                {
                    "started_at": line.started_at.isoformat(),
                    "load_kw": line.load_kw,
                    "price_cny_per_kwh": line.price_cny_per_kwh,
                    "power_kw": dict(line.power_kw),
                    "stored_kwh": dict(line.stored_kwh),
                }
                for line in self.lines
            ],
            "peak_so_far_kw": self.peak_so_far_kw,
            "cost_cny": self.cost_cny,
            "emissions_t": self.emissions_t,
            "check_passed": checked is not None and checked.passed,
            "runtime_s": self.runtime_s,
            "notes": [{"zh": note.zh, "en": note.en} for note in self.notes],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """Every strategy on the days asked for."""

    first: datetime
    days: int
    step_minutes: int
    judged: Mapping[str, Judged]

    def saved_cny(self, strategy: str) -> float:
        """Return what a strategy saves against the plant without stores."""
        return self.judged["none"].cost_cny - self.judged[strategy].cost_cny

    def share(self, strategy: str) -> float | None:
        """Return the share of what perfect foresight could save; None when nothing can be saved."""
        most = self.saved_cny("perfect")
        return self.saved_cny(strategy) / most if most > 0.0 else None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        rows = []
        for name, one in self.judged.items():
            rolled = one.rolled
            rows.append(
                {
                    "strategy": name,
                    "title": {"zh": STRATEGIES[name].zh, "en": STRATEGIES[name].en},
                    "cost_cny": one.cost_cny,
                    "saved_cny": self.saved_cny(name),
                    "share_of_perfect": self.share(name),
                    "peak_kw": one.peak_kw,
                    "check_passed": one.check.passed,
                    "unserved_kwh": rolled.unserved_kwh if rolled else None,
                    "failed_plans": rolled.failed if rolled else None,
                    "median_step_ms": float(np.median(rolled.step_s)) * 1000.0 if rolled else None,
                }
            )
        return {
            "first": self.first.isoformat(),
            "days": self.days,
            "step_minutes": self.step_minutes,
            "strategies": rows,
        }


def run(context: Context, asked: Asked) -> Dispatch:
    """Return the plan of the hours ahead.

    Raises
    ------
    FaultyData
        The problem has faults, too little was measured before the moment, a candidate does not exist.
    """
    started = time.perf_counter()
    at, ahead, peak = ahead_of(context, asked)
    answer = solve_checked(ahead)
    if answer.plan is None:
        raise FaultyData([_no_plan(answer)])
    plan = answer.plan
    return Dispatch(
        at, asked.horizon_hours, asked.step_minutes, {use.id: use.title for use in plan.problem.uses}, _lines(plan),
        _setpoints(plan), answer, peak, plan.costs.total_cny, plan.emissions_t, time.perf_counter() - started, _notes(plan),
    )  # fmt: skip


def ahead_of(context: Context, asked: Asked) -> tuple[datetime, EnergyProblem, float]:
    """Return the moment, the problem of the hours ahead as it is foreseen then, and the peak of the month so far in kW.

    Raises
    ------
    FaultyData
        The problem has faults, too little was measured before the moment.
    """
    at, whole, slot = _until(context, asked)
    length = asked.horizon_hours * 60 // asked.step_minutes
    longer = _extended(whole, slot, length, context, asked)
    outlook = _learned(longer, slot)
    seen = outlook.at(slot, length)
    peak = _peak_so_far(longer, slot) if asked.peak_so_far_kw is None else asked.peak_so_far_kw
    states = _states(longer, asked.contents or {})
    peaks = {use.id: peak for use in longer.uses if any(v.name == "peak_kw" for v in use.block.variables)}
    ahead = window(longer, Standpoint(slot, states, peaks), length, seen)
    if asked.margin_fraction > 0.5:
        ahead = with_margin(ahead, outlook.margin((LOAD, ELECTRICITY), length, asked.margin_fraction))
    if asked.planned is not None:
        more = ahead.load(ELECTRICITY) + on_grid(asked.planned, ahead.grid)
        ahead = replace(ahead, loads={**ahead.loads, ELECTRICITY: more})
    return at, ahead, peak


def backtest(
    context: Context, asked: Asked, first: datetime, days: int, on_step: Callable[[int], None] = lambda _: None
) -> Backtest:
    """Return how the method would have done on measured days, beside no store, the rule, and perfect foresight."""
    zone = context.workspace.plant.time_zone
    end = first + timedelta(days=days) - timedelta(minutes=1)
    before = first - timedelta(days=HISTORY_DAYS)
    span = Span(Period.containing(before, zone), Period.containing(end, zone))
    whole = _problem(context, span, asked)
    slot = _slot(whole.grid, first)
    rolling = Rolling(
        asked.horizon_hours * 60 // asked.step_minutes, slot, slot + days * 1440 // asked.step_minutes,
        asked.peak_so_far_kw or 0.0, asked.margin_fraction,
    )  # fmt: skip
    return Backtest(first, days, asked.step_minutes, judge(whole, rolling, _learned(whole, slot), on_step))


def _problem(context: Context, span: Span, asked: Asked, known_until: datetime | None = None) -> EnergyProblem:
    file = energy_file.read(context)
    booking = energy_factors.booking_of(context, file)
    there = months_of(context)
    lacking = [month.label for month in span.months() if month.label not in there]
    if lacking:
        message = Text(
            f"这些月份没有读数: {', '.join(lacking)}。", f"These months have no readings: {', '.join(lacking)}."
        )
        hint = Text(
            f"预测要 {HISTORY_DAYS} 天历史; 请选更晚的日期。",
            f"Forecasts need {HISTORY_DAYS} days of history; choose a later day.",
        )
        raise FaultyData([Problem("dispatch.history", message, hint)])
    problem = make(Setting(context, file, span, asked.step_minutes, known_until), Goals(), booking)
    build = asked.build or {}
    candidates = [use.id for use in problem.uses if use.is_candidate]
    for name in build:
        if name not in candidates:
            raise NotFound(Text("候选设备", "candidate"), name, candidates)
    return installed(problem, build)


def _until(context: Context, asked: Asked) -> tuple[datetime, EnergyProblem, int]:
    """Return the moment, the plant over the months up to it, and the interval that begins at it."""
    zone = context.workspace.plant.time_zone
    at = asked.at or _end_of_readings(context)
    before = at - timedelta(days=HISTORY_DAYS)
    last = Period.containing(at - timedelta(minutes=1), zone)
    whole = _problem(context, Span(Period.containing(before, zone), last), asked, at)
    return at, whole, _slot(whole.grid, at)


def _end_of_readings(context: Context) -> datetime:
    """Return the end of the last interval in which most meters were read."""
    for label in sorted(months_of(context), reverse=True):
        month = meter_month(context, label)
        read = np.flatnonzero((month.state != MISSING).mean(axis=0) > MOST_METERS)
        if len(read):
            return month.start + timedelta(minutes=month.interval_minutes * (int(read[-1]) + 1))
    message = Text("账本里没有读数。", "The book holds no readings.")
    raise FaultyData([Problem("dispatch.empty", message, Text("请先导入读数。", "Import readings first."))])


def _slot(grid: Grid, moment: datetime) -> int:
    slot, rest = divmod(moment - grid.start, timedelta(minutes=grid.step_minutes))
    if rest or not 0 <= slot <= grid.length:
        message = Text(
            f"{moment:%Y-%m-%d %H:%M} 不在步长的起点上。", f"{moment:%Y-%m-%d %H:%M} is not the start of a step."
        )
        hint = Text(f"请用 {grid.step_minutes} 分钟的整点。", f"Use a multiple of {grid.step_minutes} minutes.")
        raise FaultyData([Problem("dispatch.moment", message, hint)])
    return slot


def _extended(whole: EnergyProblem, slot: int, length: int, context: Context, asked: Asked) -> EnergyProblem:
    """Return the plant up to the end of the horizon: after the moment, last week again; prices are those of the days to come."""
    old = whole.grid
    grid = Grid(old.start, old.step_minutes, slot + length, old.time_zone)
    week = 7 * 1440 // old.step_minutes
    places = np.arange(slot + length)
    while places.max() >= slot:
        places = np.where(places >= slot, places - week, places)

    def onto(amount: float | Floats) -> float | Floats:
        return amount[places] if isinstance(amount, np.ndarray) and amount.shape == (old.length,) else amount

    setting = Setting(context, energy_file.read(context), Span(Period.parse(grid.months[0]), Period.parse(grid.months[-1])), asked.step_minutes)  # fmt: skip
    prices = {
        "import_price_cny_per_kwh": tariffs.price_cny_per_kwh(setting.tariff, grid),
        "export_price_cny_per_kwh": np.full(grid.length, float(setting.tariff.export_cny_per_kwh or 0)),
    }
    monthly = {
        "demand_price_cny_per_kw_month": tariffs.demand_price_cny_per_kw_month(setting.tariff, grid),
        "capacity_price_cny_per_kva_month": tariffs.capacity_price_cny_per_kva_month(setting.tariff, grid),
    }
    uses = tuple(_onto(use, grid, onto, (prices, monthly)) for use in whole.uses)
    loads = {carrier: onto(over(amount, old.length)) for carrier, amount in whole.loads.items()}
    factors = {key: onto(amount) for key, amount in whole.factors.items()}
    return begun(replace(whole, grid=grid, uses=uses, loads=loads, factors=factors))


def _onto(
    use: Use,
    grid: Grid,
    onto: Callable[[float | Floats], float | Floats],
    tariff: tuple[dict[str, Floats], dict[str, Floats]],
) -> Use:
    """Return an asset over the longer grid."""
    if use.kind is None or use.values is None or use.conditions is None:
        variables = tuple(
            replace(v, lower=onto(v.lower), upper=onto(v.upper), cost_cny=onto(v.cost_cny)) for v in use.block.variables
        )
        flows = tuple(replace(flow, coefficient=onto(flow.coefficient)) for flow in use.block.flows)
        return replace(use, block=replace(use.block, variables=variables, flows=flows))
    series = {name: onto(amount) for name, amount in {**use.conditions.series, **use.profile}.items()}
    monthly: Mapping[str, float | Floats] = use.conditions.monthly
    if use.role == "grid":
        series, monthly = {**series, **tariff[0]}, tariff[1]
    conditions = with_defaults(use.kind, replace(use.conditions, grid=grid, series=series, monthly=monthly))
    profile = {name: over(series[name], grid.length) for name in use.profile}
    return replace(
        use, conditions=conditions, profile=profile, block=use.kind.block(use.values, conditions).renamed(use.id)
    )


def _learned(problem: EnergyProblem, slot: int) -> Learned:
    """Return the forecaster of every load and of the sun, taught by what lies before a moment."""
    measured: dict[Key, Floats] = {(LOAD, carrier): problem.load(carrier) for carrier in problem.loads}
    measured |= {
        (use.id, SUNNY): use.profile[SUNNY] for use in problem.uses if SUNNY in use.profile and use.role == "on_site"
    }
    seasons = {key: SEASONS["load" if key[0] == LOAD else "sun"] for key in measured}
    return Learned(measured, seasons, 1440 // problem.grid.step_minutes, slot)


def _peak_so_far(problem: EnergyProblem, slot: int) -> float:
    """Return the highest load less own sun that this month has seen; nothing when the month begins now."""
    grid = problem.grid
    inside = np.arange(grid.length)
    here = int(grid.month_of[min(slot, grid.length - 1)])
    passed = (grid.month_of == here) & (inside < slot)
    need = problem.load(ELECTRICITY).copy()
    for use in problem.uses:
        if use.role == "on_site" and SUNNY in use.profile and use.values is not None:
            need -= use.profile[SUNNY] * use.values["peak_kw"]
    return float(max(0.0, need[passed].max())) if passed.any() else 0.0


def _states(problem: EnergyProblem, contents: Mapping[str, float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for use in problem.uses:
        if use.kind is not None and use.conditions is not None and use.kind.states:
            found[use.id] = dict(use.conditions.initial)
            if use.id in contents and use.values is not None and use.kind.size is not None:
                found[use.id][use.kind.states[0]] = contents[use.id] * use.values[use.kind.size]
    for name in contents:
        if name not in found:
            raise NotFound(Text("储能设备", "store"), name, tuple(found))
    return found


def _lines(plan: Plan) -> tuple[Line, ...]:
    grid, problem = plan.problem.grid, plan.problem
    load = problem.load(ELECTRICITY)
    price = next((over(use.block.variable(electric(use, 1)[0].variable).cost_cny, grid.length) / grid.step_hours for use in problem.uses if use.role == "grid"), np.zeros(grid.length))  # fmt: skip
    power = {
        use.id: _bus(plan, use) for use in problem.uses if any(flow.carrier == ELECTRICITY for flow in use.block.flows)
    }
    stored = {
        use.id: plan.values[use.id][use.kind.states[0]]
        for use in problem.uses
        if use.kind is not None and use.kind.states and use.kind.states[0] in plan.values[use.id]
    }
    starts = [grid.start + timedelta(minutes=grid.step_minutes * n) for n in range(grid.length)]
    return tuple(
        Line(
            starts[n], float(load[n]), float(price[n]), {name: float(own[n]) for name, own in power.items()},
            {name: float(own[n]) for name, own in stored.items()},
        )
        for n in range(grid.length)
    )  # fmt: skip


def _bus(plan: Plan, use: Use) -> Floats:
    total = np.zeros(plan.problem.grid.length)
    for flow in use.block.flows:
        if flow.carrier == ELECTRICITY:
            total += over(flow.coefficient, len(total)) * plan.values[use.id][flow.variable]
    return total


def _setpoints(plan: Plan) -> dict[str, dict[str, float]]:
    """Return what is to be sent now: the wishes of every asset that takes any, the grid apart."""
    return {
        use.id: {name: float(plan.values[use.id][name][0]) for name in use.kind.actions if name in plan.values[use.id]}
        for use in plan.problem.uses
        if use.kind is not None and use.kind.actions and use.role not in ("grid", "contract", "direct_line")
    }


def _notes(plan: Plan) -> tuple[Text, ...]:
    notes = []
    stores = [
        use for use in plan.problem.uses if use.kind is not None and use.kind.id in ("battery", "thermal_storage")
    ]
    if not stores:
        notes.append(
            Text("没有储能: 能挪动的很少。可用 --build battery=60000 试算候选设备。", "There is no store, so little can be moved. Try a candidate with --build battery=60000.")
        )  # fmt: skip
    surplus = [name for name in plan.problem.surplus if name in CARRIERS]
    if surplus:
        notes.append(Text(f"可放散: {', '.join(surplus)}。", f"May be blown off: {', '.join(surplus)}."))
    return tuple(notes)


def _no_plan(answer: Answer) -> Problem:
    if answer.check is not None and not answer.check.passed:
        worst = answer.check.findings[0]
        return Problem(
            "dispatch.check",
            Text(
                f"计划未通过独立检查: {worst.message.zh}", f"The plan failed its independent check: {worst.message.en}"
            ),
            Text("请核对设备参数。", "Look at the parameters of the assets."),
        )
    return Problem(
        "dispatch.infeasible",
        Text("这些小时没有可行的运行方式。", "There is no way to run these hours."),
        Text("请核对设备容量与负荷预测。", "Look at the capacities and the forecast load."),
    )
