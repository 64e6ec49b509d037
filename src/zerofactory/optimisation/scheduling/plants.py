"""Orders shared among several plants: by grid, transport and capacity (a mixed-integer program, proved by HiGHS).

    minimise    Σ x_opt · (energy_pv · (price_pt + carbon price · intensity_pt) + transport_po + piece cost_p) + Σ open_pt · fixed_p
    subject to  Σ_pt x_opt = pieces_o  (t no later than the order is due less the days of transport)
                Σ_o x_opt · hours_pv ≤ hours_pt · open_pt,   lots whole,   carbon ≤ cap where one is given

x_opt counts lots of order o made in plant p in period t. Emissions are electricity of making (location-based, by period) and
transport to the customer, well to wheel by tonne-kilometre (ISO 14083:2023, clause 6: activity × intensity).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory.errors import Problem, Text, refuse
from zerofactory.optimisation.solving.by_highs import Kept
from zerofactory.optimisation.solving.linear import Draft
from zerofactory.optimisation.solving.result import SolveReport

GRAMS = 1e6
CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant: hours open by period, what its grid costs and emits, what an open period costs besides."""

    id: str
    hours: tuple[float, ...]
    price_cny_per_kwh: tuple[float, ...]
    intensity_gco2e_per_kwh: tuple[float, ...]
    open_cny: float = 0.0


@dataclass(frozen=True, slots=True)
class Making:
    """What a piece of a product takes in a plant; a pair that is absent cannot be made there."""

    energy_kwh: float
    hours: float
    other_cny: float = 0.0


@dataclass(frozen=True, slots=True)
class Carriage:
    """What carrying a tonne from a plant to a market takes, and how many periods."""

    cost_cny_per_t: float
    emissions_gco2e_per_t: float
    periods: int = 0


@dataclass(frozen=True, slots=True)
class SharedOrder:
    """Lots of one product for a market, wanted by the end of a period (counted from 0)."""

    id: str
    product: str
    market: str
    lots: int
    pieces_per_lot: float
    due_period: int
    piece_t: float = 1.0


@dataclass(frozen=True, slots=True)
class Sharing:
    """The whole problem. ``carbon_price_cny_per_t`` weighs carbon; ``carbon_cap_t`` limits it; ``least_carbon`` minimises it."""

    plants: tuple[Plant, ...]
    orders: tuple[SharedOrder, ...]
    making: Mapping[tuple[str, str], Making]
    carriage: Mapping[tuple[str, str], Carriage]
    carbon_price_cny_per_t: float = 0.0
    carbon_cap_t: float | None = None
    least_carbon: bool = False

    @property
    def periods(self) -> int:
        """How many periods."""
        return max((len(plant.hours) for plant in self.plants), default=0)


@dataclass(frozen=True, slots=True)
class Share:
    """Lots of an order made in a plant in a period."""

    order: str
    plant: str
    period: int
    lots: int


@dataclass(frozen=True, slots=True)
class Shared:
    """The answer with its figures as counted again from the shares."""

    shares: tuple[Share, ...]
    cost_cny: float
    emissions_t: float
    making_kwh: float
    objective: float
    bound: float
    report: SolveReport

    @property
    def gap(self) -> float:
        """How far the answer may be from the best, as a share of it."""
        return abs(self.objective - self.bound) / max(1.0, abs(self.objective))


def ways(problem: Sharing, order: SharedOrder) -> list[tuple[Plant, int]]:
    """Return the plants and periods in which an order can be made in time."""
    found = []
    for plant in problem.plants:
        route = problem.carriage.get((plant.id, order.market))
        if (plant.id, order.product) in problem.making and route is not None:
            found += [(plant, t) for t in range(len(plant.hours)) if t + route.periods <= order.due_period and plant.hours[t] > 0.0]  # fmt: skip
    return found


def faults(problem: Sharing) -> list[Problem]:
    """Return every fault: series of unequal length, orders nobody can make, more hours wanted than there are."""
    found = [
        _fault("length", f"工厂“{plant.id}”的时段序列长度不一。", f"The series of plant '{plant.id}' differ in length.")
        for plant in problem.plants
        if len({len(plant.hours), len(plant.price_cny_per_kwh), len(plant.intensity_gco2e_per_kwh), problem.periods})
        > 1
    ]
    if found:
        return found
    for order in problem.orders:
        if not ways(problem, order):
            found.append(_fault("nobody", f"订单“{order.id}”没有工厂能按期制造并送达。", f"No plant can make order '{order.id}' and deliver it in time."))  # fmt: skip
    return found or list(_short(problem))


def _fault(code: str, zh: str, en: str) -> Problem:
    hint = Text("请核对工厂能力、线路与交期。", "See capacities, routes and due periods.")
    return Problem(f"plants.{code}", Text(zh, en), hint)


def _short(problem: Sharing) -> Iterator[Problem]:
    """The first due period by which the least hours wanted exceed all hours that could serve them."""
    for due in range(problem.periods):
        early = [order for order in problem.orders if order.due_period <= due]
        wanted = sum(order.lots * order.pieces_per_lot * min(problem.making[p.id, order.product].hours for p, _ in ways(problem, order)) for order in early)  # fmt: skip
        slots = {(plant.id, t): plant.hours[t] for order in early for plant, t in ways(problem, order)}
        if wanted > sum(slots.values()) * (1.0 + CLOSE):
            names = ", ".join(order.id for order in early[:6])
            yield _fault("capacity", f"到第 {due} 期的订单({names}…)要 {wanted:,.0f} 小时, 全部工厂只有 {sum(slots.values()):,.0f} 小时。", f"Orders due by period {due} ({names} …) want {wanted:,.0f} hours; all plants have {sum(slots.values()):,.0f}.")  # fmt: skip
            return


def costs(problem: Sharing, order: SharedOrder, plant: Plant, period: int) -> tuple[float, float]:
    """Return CNY and gCO2e of a lot of an order made in a plant in a period."""
    made, route = problem.making[plant.id, order.product], problem.carriage[plant.id, order.market]
    cny = made.energy_kwh * plant.price_cny_per_kwh[period] + made.other_cny + route.cost_cny_per_t * order.piece_t
    grams = made.energy_kwh * plant.intensity_gco2e_per_kwh[period] + route.emissions_gco2e_per_t * order.piece_t
    return cny * order.pieces_per_lot, grams * order.pieces_per_lot


def share(problem: Sharing, seconds: float = 60.0) -> Shared:
    """Return who makes what when.

    Raises
    ------
    FaultyData
        The problem has faults, or its limits clash.

    Examples
    --------
    >>> clean = Plant("hydro", (10.0,), (0.5,), (100.0,))
    >>> coal = Plant("coal", (20.0,), (0.4,), (800.0,))
    >>> order = SharedOrder("A", "car", "east", 3, 10.0, 0)
    >>> making = {(p, "car"): Making(1000.0, 0.5) for p in ("hydro", "coal")}
    >>> near = {("hydro", "east"): Carriage(0.0, 50_000.0), ("coal", "east"): Carriage(0.0, 0.0)}
    >>> found = share(Sharing((clean, coal), (order,), making, near, least_carbon=True))
    >>> [(one.plant, one.lots) for one in found.shares], round(found.emissions_t, 3)
    ([('hydro', 2), ('coal', 1)], 11.0)
    """
    refuse(faults(problem))
    keys = [(order, plant, t) for order in problem.orders for plant, t in ways(problem, order)]
    priced = [costs(problem, *key) for key in keys]
    weights = np.array([_weight(problem, *pair) for pair in priced])
    opens = [(plant, t) for plant in problem.plants for t in range(problem.periods)]
    draft = Draft()
    lots = draft.add_columns("lots", len(keys), upper=np.array([float(key[0].lots) for key in keys]), cost=weights, integer=True)  # fmt: skip
    fixed = np.array([_weight(problem, plant.open_cny, 0.0) for plant, _ in opens])
    is_open = draft.add_columns("open", len(opens), upper=1.0, cost=fixed, integer=True)
    wanted = draft.add_rows(
        "wanted", len(problem.orders), "=", np.array([float(order.lots) for order in problem.orders])
    )
    place = {order.id: k for k, order in enumerate(problem.orders)}
    draft.put(wanted.places[[place[key[0].id] for key in keys]], lots, 1.0)
    hours = draft.add_rows("hours", len(opens), "<=", 0.0)
    at = {(plant.id, t): k for k, (plant, t) in enumerate(opens)}
    each = np.array([key[0].pieces_per_lot * problem.making[key[1].id, key[0].product].hours for key in keys])
    draft.put(hours.places[[at[plant.id, t] for _, plant, t in keys]], lots, each)
    draft.put(hours, is_open, np.array([-plant.hours[t] for plant, t in opens]))
    if problem.carbon_cap_t is not None:
        cap = draft.add_rows("cap", 1, "<=", problem.carbon_cap_t)
        draft.put(cap, lots, np.array([grams for _, grams in priced]) / GRAMS)
    solved = Kept(draft.finish(), time_limit=seconds, mip_rel_gap=1e-9).solve()
    if not solved.report.status.has_answer:
        refuse([_fault("clash", f"能力、交期与碳上限无法同时满足({solved.report.status.words.zh})。", f"Capacity, due periods and the carbon cap clash ({solved.report.status.words.en}).")])  # fmt: skip
    whole = np.rint(solved.value("lots")).astype(int)
    shares = tuple(Share(key[0].id, key[1].id, key[2], int(n)) for key, n in zip(keys, whole, strict=True) if n)
    cost, grams, energy = figures(problem, shares)
    return Shared(shares, cost, grams / GRAMS, energy, solved.report.objective, solved.report.bound, solved.report)


def _weight(problem: Sharing, cny: float, grams: float) -> float:
    if problem.least_carbon:
        return grams / GRAMS + cny * 1e-9  # money decides only between plans of equal carbon
    return cny + problem.carbon_price_cny_per_t * grams / GRAMS


def figures(problem: Sharing, shares: tuple[Share, ...]) -> tuple[float, float, float]:
    """Return CNY, gCO2e and kWh of shares; open periods are paid once."""
    orders, plants = {one.id: one for one in problem.orders}, {one.id: one for one in problem.plants}
    cny = sum(plants[name].open_cny for name, _ in {(one.plant, one.period) for one in shares})
    grams, energy = 0.0, 0.0
    for one in shares:
        order, plant = orders[one.order], plants[one.plant]
        own = costs(problem, order, plant, one.period)
        cny, grams = cny + one.lots * own[0], grams + one.lots * own[1]
        energy += one.lots * order.pieces_per_lot * problem.making[plant.id, order.product].energy_kwh
    return cny, grams, energy


def check(problem: Sharing, found: Shared) -> list[Problem]:
    """Return what is wrong with an answer: demand, capacity, due periods, cap, figures; nothing of the program is used."""
    wrong = []
    for order in problem.orders:
        made = sum(one.lots for one in found.shares if one.order == order.id)
        if made != order.lots:
            wrong.append(_fault("check_demand", f"订单“{order.id}”应 {order.lots} 批, 计划 {made} 批。", f"Order '{order.id}' wants {order.lots} lots, the plan has {made}."))  # fmt: skip
        for one in (share for share in found.shares if share.order == order.id):
            route = problem.carriage.get((one.plant, order.market))
            there = next((plant.hours for plant in problem.plants if plant.id == one.plant), ())
            if route is None or (one.plant, order.product) not in problem.making or one.period + route.periods > order.due_period or not 0 <= one.period < len(there):  # fmt: skip
                wrong.append(_fault("check_due", f"订单“{order.id}”在“{one.plant}”赶不上交期或不能做。", f"Order '{order.id}' cannot be made in '{one.plant}' in time."))  # fmt: skip
    if any(one.code == "plants.check_due" for one in wrong):
        return wrong
    for plant in problem.plants:
        for t, hours in enumerate(plant.hours):
            used = sum(one.lots * order.pieces_per_lot * problem.making[plant.id, order.product].hours for one in found.shares for order in problem.orders if order.id == one.order and one.plant == plant.id and one.period == t)  # fmt: skip
            if used > hours * (1.0 + CLOSE) + CLOSE:
                wrong.append(_fault("check_hours", f"工厂“{plant.id}”第 {t} 期要 {used:,.1f} 小时, 有 {hours:,.1f}。", f"Plant '{plant.id}' needs {used:,.1f} hours in period {t} and has {hours:,.1f}."))  # fmt: skip
    cny, grams, _ = figures(problem, found.shares)
    if problem.carbon_cap_t is not None and grams / GRAMS > problem.carbon_cap_t * (1.0 + CLOSE):
        wrong.append(_fault("check_cap", "超过碳上限。", "The carbon cap is broken."))
    told = _weight(problem, cny, grams)
    if abs(told - found.objective) > 1e-5 * max(1.0, abs(told)):
        wrong.append(_fault("check_figure", "目标值与重算不符。", "The objective differs from the one counted again."))
    return wrong
