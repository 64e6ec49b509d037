"""The independent check: a route followed forwards, from the metal bought to the bodies made, without the balance.

metal    new metal charged to the first step, every share applied in turn, gives the net kilograms of one body
parts    parts started, rejected step by step, give the parts of one body
mass     bought = in the body + sold + lost
stations no step is loaded above what its stations can do, and one station fewer could not do it
money    the sum of the kinds equals the sum of its items
"""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.errors import Text
from zerofactory.optimisation.routes.balance import Body, Metal
from zerofactory.optimisation.routes.cost import SECONDS, Costed
from zerofactory.optimisation.routes.route import Assumptions

TOLERANCE = 1e-9  # of the figure checked
ROUNDS = 4000  # of remelting; what still circulates after them is below the tolerance


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, where, by how much."""

    code: str
    where: str
    message: Text


def check(body: Body, costed: Costed, shared: Assumptions) -> tuple[Finding, ...]:
    """Return what is wrong with a balance and its costs; empty when nothing is."""
    found: list[Finding] = []
    through = 1.0
    for step in body.route.joining:
        through *= step.good_fraction.value
    for metal in body.metals:
        found += _metal(body, metal, through)
    found += _stations(body, costed, shared)
    return tuple(found)


def _metal(body: Body, metal: Metal, through: float) -> list[Finding]:
    found = []
    good = _followed(body, metal) * through
    if abs(good - metal.net_kg) > 1e-6 * metal.net_kg:
        found.append(_finding("metal", metal, f"{good:.6f} kg ≠ {metal.net_kg:.6f} kg"))
    left = metal.new_kg - metal.net_kg - metal.sold_kg - metal.lost_kg
    if abs(left) > TOLERANCE * metal.new_kg:
        found.append(_finding("mass", metal, f"{left:+.9f} kg"))
    return found


def _followed(body: Body, metal: Metal) -> float:
    """Return the kilograms of formed good parts that new metal ends in, remelted metal going round until it is used up."""
    steps = [worked.step for worked in body.steps if worked.branch == metal.branch.id]
    recovered = metal.branch.remelt_recovery_fraction.value if metal.branch.remelt_recovery_fraction else 1.0
    charge, good = metal.new_kg, 0.0
    for _ in range(ROUNDS):
        returned, kg = 0.0, charge
        for step in steps:
            share = step.mass_yield_fraction.value if step.mass_yield_fraction else 1.0
            out = kg * share * step.good_fraction.value
            if step.fate == "remelted":
                returned += kg - out
            kg = out
        good += kg
        charge = returned * recovered
        if charge < TOLERANCE * metal.new_kg:
            break
    return good


def _stations(body: Body, costed: Costed, shared: Assumptions) -> list[Finding]:
    found = []
    seconds = shared.hours_per_year.value * SECONDS
    for station, (worked, one) in zip(costed.stations, body.stations(), strict=True):
        cycles = costed.volume * worked.passing.count(one.per) / one.at_once.value
        able = seconds * one.availability_fraction.value / one.cycle_s.value
        if cycles > station.number * able * (1 + 1e-6) or (station.number > 1 and not one.shared and cycles <= (station.number - 1) * able * (1 - 1e-6)):  # fmt: skip
            where = f"{body.route.id}: {station.step}"
            text = f"{station.number} × {able:.0f} / {cycles:.0f}"
            found.append(
                Finding("stations", where, Text(f"台数与负荷不符: {text}", f"stations do not fit the load: {text}"))
            )
    return found


def _finding(code: str, metal: Metal, what: str) -> Finding:
    return Finding(code, metal.branch.id, Text(f"金属平衡不闭合: {what}", f"the metal balance does not close: {what}"))
