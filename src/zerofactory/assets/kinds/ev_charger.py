"""Chargers of cars and trucks that must be ready when they leave; vehicle-to-grid where it is allowed.

What every vehicle needs becomes an envelope of the energy put in since the beginning:

    given[t] = given[t−1] + η · h · charge[t] − h / η · back[t]
    latest[t] ≤ given[t] ≤ earliest[t],   charge ≤ plugged-in power,   back ≤ plugged-in power where V2G

``earliest`` charges each vehicle at once, ``latest`` as late as its departure allows. For one vehicle this is exact; for a
fleet it is the sum of the vehicles' envelopes, an outer bound (a schedule within it may need power of a vehicle that is
full: checked after the plan by `shared_out`). With V2G a vehicle may give back down to what it brought, by ``v2g_fraction``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Flow, Variable
from zerofactory.assets.grid import Floats, Grid
from zerofactory.assets.storage import Store
from zerofactory.errors import Misuse, Problem, Text


@dataclass(frozen=True, slots=True)
class Session:
    """One stay: from arrival to departure, what the battery must have gained by then, what it could take, and the power.

    ``room_kwh`` is the most it can gain (full battery); ``spare_kwh`` what it may give back below its arrival level.
    """

    arrives_at: datetime
    departs_at: datetime
    need_kwh: float
    power_kw: float
    room_kwh: float
    spare_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bounds of the energy put in since the beginning, and the plugged-in power, per interval."""

    latest_kwh: Floats
    earliest_kwh: Floats
    plugged_kw: Floats

    def series(self) -> dict[str, Floats]:
        """Return the envelope as the inputs of the charger."""
        return {"latest_kwh": self.latest_kwh, "earliest_kwh": self.earliest_kwh, "plugged_kw": self.plugged_kw}


def envelope(sessions: Sequence[Session], grid: Grid, efficiency_fraction: float) -> tuple[Envelope, list[Problem]]:
    """Return the envelope of a fleet, and a problem for each stay too short for its need.

    Energy is counted in the batteries. A stay counts in the intervals it covers wholly.

    Examples
    --------
    >>> from datetime import UTC
    >>> grid = Grid(datetime(2025, 1, 1, tzinfo=UTC), 60, 4)
    >>> stay = Session(datetime(2025, 1, 1, 0, tzinfo=UTC), datetime(2025, 1, 1, 3, tzinfo=UTC), 10.0, 10.0, 20.0)
    >>> found, problems = envelope([stay], grid, 1.0)
    >>> found.latest_kwh.tolist(), found.earliest_kwh.tolist(), problems
    ([0.0, 0.0, 10.0, 10.0], [10.0, 20.0, 20.0, 20.0], [])
    """
    latest, earliest, plugged, gone = (np.zeros(grid.length + 1) for _ in range(4))
    full = np.zeros(grid.length + 1)
    problems = []
    for number, stay in enumerate(sessions, 1):
        first = max(0, -(-_minutes(grid, stay.arrives_at) // grid.step_minutes))
        last = min(grid.length, _minutes(grid, stay.departs_at) // grid.step_minutes)
        if last <= 0 or first >= grid.length:
            continue
        step = stay.power_kw * grid.step_hours * efficiency_fraction
        span = max(last - first, 0)
        if span * step < stay.need_kwh - 1e-9:
            problems.append(_too_short(number, stay, span * step))
            continue
        done = np.arange(1, span + 1)
        there = slice(first, first + span)
        earliest[there] += np.minimum(done * step, stay.room_kwh)
        latest[there] += np.maximum(stay.need_kwh - (span - done) * step, -np.minimum(done * step, stay.spare_kwh))
        plugged[there] += stay.power_kw
        gone[first + span] += stay.need_kwh  # from departure on: the whole need, and what it may have taken at most
        full[first + span] += min(span * step, stay.room_kwh)
    latest += np.cumsum(gone)
    earliest += np.cumsum(full)
    return Envelope(latest[:-1], earliest[:-1], plugged[:-1]), problems


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what the chargers do: wishes cut to the plugged-in power and the envelope; raised where a departure needs it."""
    limit = min(at.series["plugged_kw"], values["connection_kw"])
    store = _store(values, at.hours)
    back_limit = limit * values["v2g_fraction"]
    charge = min(max(action["charge_kw"], 0.0), limit)
    back = min(max(action["back_kw"], 0.0), back_limit)
    bounds = (at.series["latest_kwh"], at.series["earliest_kwh"])
    given, charge, back = store.advance(state["given_kwh"], (charge, back), bounds)
    if given < bounds[0]:
        more = min((bounds[0] - given) / store.gain, limit - charge)
        given, charge = given + more * store.gain, charge + more
    return Stepped({"given_kwh": given}, {"charge_kw": charge, "back_kw": back, "given_kwh": given})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the chargers. ``given_kwh`` starts at nothing, never cyclic."""
    limit = np.minimum(conditions.array("plugged_kw"), values["connection_kw"])
    hours = conditions.grid.step_hours
    before = conditions.before("given_kwh")
    wear = values["wear_cny_per_kwh"] * hours
    return AssetBlock(
        "ev_charger",
        (
            Variable("charge_kw", upper=limit),
            Variable("back_kw", upper=limit * values["v2g_fraction"], cost_cny=wear),
            Variable(
                "given_kwh", lower=conditions.amount("latest_kwh"), upper=conditions.amount("earliest_kwh"), unit="kWh"
            ),
        ),
        (_store(values, hours).row("given_kwh", "charge_kw", "back_kw", 0.0 if before is None else before),),
        (Flow("electricity", "charge_kw", -1.0), Flow("electricity", "back_kw")),
    )


def shared_out(sessions: Sequence[Session], grid: Grid, charge_kw: Floats, efficiency_fraction: float) -> Floats:
    """Return what each vehicle has gained when a fleet plan is given out (without V2G).

    In each interval first what a vehicle can no longer put off, then the rest by departure.
    """
    step = grid.step_hours * efficiency_fraction
    first = np.asarray([-(-_minutes(grid, one.arrives_at) // grid.step_minutes) for one in sessions])
    last = np.asarray([_minutes(grid, one.departs_at) // grid.step_minutes for one in sessions])
    power, room, need = (
        np.asarray([getattr(one, name) for one in sessions]) for name in ("power_kw", "room_kwh", "need_kwh")
    )
    gained, order = np.zeros(len(sessions)), np.argsort(last, kind="stable")
    for slot in range(grid.length):
        there = (first <= slot) & (slot < last)
        most = np.where(there, np.minimum(power * step, room - gained), 0.0)
        must = np.clip(np.where(there, need - (last - slot - 1) * power * step - gained, 0.0), 0.0, most)
        left = float(charge_kw[slot]) * step
        for wanted in (must, most - must):
            before = np.concatenate([[0.0], np.cumsum(wanted[order])[:-1]])
            given = np.clip(left - before, 0.0, wanted[order])
            gained[order] += given
            left -= float(given.sum())
    return gained


def _store(values: Values, hours: float) -> Store:
    return Store(1.0, values["charge_efficiency_fraction"] * hours, hours / values["discharge_efficiency_fraction"])


def _minutes(grid: Grid, moment: datetime) -> int:
    if moment.tzinfo is None:
        raise Misuse("a stay has aware moments")
    return int((moment - grid.start).total_seconds() // 60)


def _too_short(number: int, stay: Session, possible_kwh: float) -> Problem:
    return Problem(
        "assets.stay_too_short",
        Text(
            f"第 {number} 次停靠最多充 {possible_kwh:.1f} kWh, 需要 {stay.need_kwh:.1f} kWh。",
            f"Stay {number} can gain {possible_kwh:.1f} kWh at most and needs {stay.need_kwh:.1f}.",
        ),
        Text("请延长停靠、加大功率或减少需求。", "Stay longer, charge at more power or need less."),
        row=number + 1,
    )


ASSET = Asset(
    id="ev_charger",
    title=Text("车辆充电(含电动卡车)", "chargers of cars and trucks"),
    actions=("charge_kw", "back_kw"),
    states=("given_kwh",),
    start=lambda values: {"given_kwh": 0.0},
    step=step,
    block=block,
    inputs=(
        Input("latest_kwh", "kWh", Text("累计充电下界", "least energy put in so far")),
        Input("earliest_kwh", "kWh", Text("累计充电上界", "most energy put in so far")),
        Input("plugged_kw", "kW", Text("在插功率", "plugged-in power")),
    ),
    reference="Sundström & Binding, IEEE Trans. Smart Grid 3 (2012) 26-37, doi 10.1109/TSG.2011.2168431 (energy envelopes of a "
    "fleet); GB/T 18487.1-2023 电动汽车传导充电系统",
    example=Example(
        text=Text("离开前还差 5 kWh, 未下令也须充", "5 kWh short before leaving: charges without being asked"),
        given={"connection_kw": 60.0, "charge_efficiency_fraction": 1.0},
        state={"given_kwh": 15.0},
        action={"charge_kw": 0.0, "back_kw": 0.0},
        series={"latest_kwh": 20.0, "earliest_kwh": 40.0, "plugged_kw": 11.0},
        expected={"charge_kw": 5.0, "back_kw": 0.0, "given_kwh": 20.0},
        citation="by hand: 20 − 15 within an hour",
    ),
)
