"""Peak demand: the 15-minute mean power of the site comes near, or over, the contracted maximum.

Inside an interval the demand at its end is foreseen from the energy so far and the power now (`projected_demand_kw`).
"""

from __future__ import annotations

from datetime import date

import numpy as np

from zerofactory.errors import Misuse, Text
from zerofactory.monitoring.episode import example_days, spells, told
from zerofactory.monitoring.rule import Episode, Example, Rule, Subject, Watched, defaults


def projected_demand_kw(
    energy_kwh: float, elapsed_minutes: float, power_kw: float, averaging_minutes: float = 15.0
) -> float:
    """Return the demand in which an interval will end if the power now goes on: (E + P · t_left) / t.

    Parameters
    ----------
    energy_kwh : float
        Energy since the interval began, kWh.
    elapsed_minutes, averaging_minutes : float
        Time since the interval began, and its length (min).
    power_kw : float
        Power now, kW.

    Examples
    --------
    10 minutes at 900 kW, then 1 200 kW for the last five:

    >>> round(projected_demand_kw(150.0, 10.0, 1200.0), 6)
    1000.0
    """
    if not 0.0 <= elapsed_minutes <= averaging_minutes:
        raise Misuse("the time elapsed lies inside the interval")
    return (energy_kwh + power_kw * (averaging_minutes - elapsed_minutes) / 60.0) / (averaging_minutes / 60.0)


def power_to_shed_kw(
    energy_kwh: float, elapsed_minutes: float, power_kw: float, limit_kw: float, averaging_minutes: float = 15.0
) -> float:
    """Return by how much the power must fall now for the interval to end at a limit; zero where it need not.

    Examples
    --------
    >>> round(power_to_shed_kw(150.0, 10.0, 1200.0, 900.0), 6)
    300.0
    """
    left = averaging_minutes - elapsed_minutes
    over = projected_demand_kw(energy_kwh, elapsed_minutes, power_kw, averaging_minutes) - limit_kw
    if over <= 0.0 or left <= 0.0:
        return 0.0
    return over * averaging_minutes / left


def find(watched: Watched) -> list[Episode]:
    """Return the spells of demand near or over the contract; ``excess`` is the energy above it."""
    contract = watched.given.get("contracted_kw")
    if contract is None:
        return []
    demand, size = watched.flow, watched.slots_of(watched.given["averaging_minutes"])
    warn = contract * watched.given["warn_fraction"]
    near = np.nan_to_num(demand, nan=-np.inf) > warn
    made = []
    for first, last in spells(near, size, watched.start):
        top = float(np.nanmax(demand[first:last]))
        excess = float(np.nan_to_num(np.maximum(demand[first:last] - contract, 0.0)).sum() * watched.slot_hours)
        share = f"{100 * top / contract:.1f} %"
        zh, en = ("超过", "above") if top > contract else ("接近", "near")
        message = told(
            watched.subject,
            f"需量最高 {top:,.0f} kW, {zh}合同需量 {contract:,.0f} kW({share})",
            f"demand up to {top:,.0f} kW, {en} the contracted {contract:,.0f} kW ({share})",
        )
        made.append(Episode(first, last, excess, top, contract, message))
    return made


def _example() -> Watched:
    values = np.full((1, 96), 200.0)
    values[0, 40:42] = [240.0, 260.0]
    subject = Subject("site", Text("全厂", "site"), "electricity", "kWh", level="site")
    days = example_days(values, date(2025, 3, 3), 15)
    return Watched(
        subject, days, 0, np.ones((1, 96), dtype=np.bool_), {**defaults("peak_demand"), "contracted_kw": 1000.0}
    )


RULE = Rule(
    "peak_demand",
    Text("需量将超合同", "peak demand"),
    "two-part tariff: NDRC Fa Gai Jia Ge [2016] 1583; demand by 15-minute means",
    ("electricity",),
    find,
    Example(
        Text(
            "合同 1 000 kW, 需量 960 与 1 040 kW: 超出 10 kWh",
            "contract 1 000 kW, demand 960 and 1 040 kW: 10 kWh over",
        ),
        _example,
        ((40, 42, 10.0),),
    ),
    level="site",
    needs=("contracted_kw",),
)
