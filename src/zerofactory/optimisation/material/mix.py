"""The charge of a furnace: which scrap, ingot and alloy, so that the melt is within its chemistry at least cost or footprint.

    minimise  Σ_j (price_j + carbon_price · footprint_j) x_j           [CNY],  x_j the mass charged in kg
    subject to  Σ_j yield_j x_j = melt                                  [kg]
                least_e · melt ≤ Σ_j yield_j · content_je x_j ≤ most_e · melt   for each element e
                Σ_j recycled_j x_j ≥ share · Σ_j x_j,   Σ_j footprint_j x_j ≤ cap,   least_j ≤ x_j ≤ available_j

A linear programme of blending (Dantzig 1963, *Linear Programming and Extensions*, ch. 3; for charges of scrap: Gaustad, Li and
Kirchain 2007, doi 10.1016/j.resconrec.2006.07.005). Shadow prices are the duals, told in the unit in which a limit is written;
limits that cannot be met together are answered with the smallest clashing set (`solving.conflict`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.material.cuts import fault
from zerofactory.optimisation.material.slit_problem import repeated
from zerofactory.optimisation.solving.conflict import Conflict, Wish, explain
from zerofactory.optimisation.solving.linear import INF, Block, Draft, Floats, LinearProgram, Solution
from zerofactory.optimisation.solving.result import SolveReport
from zerofactory.optimisation.solving.solver import Options, solve

PRICED = 1e-7  # a shadow price below this is none
BALANCE_KG = 1e-4


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing that may be charged; fractions by mass. ``baseline_kg`` is the present practice."""

    id: str
    title: Text
    price_cny_per_kg: float
    footprint_kgco2e_per_kg: float
    recycled_fraction: float
    content_fraction: Mapping[str, float]
    yield_fraction: float = 1.0
    available_kg: float = INF
    least_kg: float = 0.0
    baseline_kg: float = 0.0
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """What an element of the melt must keep to."""

    element: str
    least_fraction: float = 0.0
    most_fraction: float = 1.0
    row: int | None = None


@dataclass(frozen=True, slots=True)
class MixProblem:
    """A melt of ``melt_kg`` from charges under limits; ``carbon_price_cny_per_t`` weighs the footprint against money."""

    melt_kg: float
    charges: tuple[Charge, ...]
    limits: tuple[Limit, ...]
    least_recycled_fraction: float = 0.0
    cap_kgco2e_per_kg: float = INF
    carbon_price_cny_per_t: float = 0.0
    objective: str = "cost"

    def check(self) -> list[Problem]:
        """Return every fault."""
        return [
            *_mix_faults(self),
            *(one for charge in self.charges for one in _charge_faults(charge)),
            *_limit_faults(self),
        ]


@dataclass(frozen=True, slots=True)
class ShadowPrice:
    """What the least cost changes by (CNY or kg CO2e, as the objective) when a limit is eased by one ``unit``."""

    id: str
    title: Text
    value: float
    unit: Text


@dataclass(frozen=True, slots=True)
class MixPlan:
    """The charge in kg by id, its chemistry, cost and footprint, shadow prices; or the clash that leaves no charge."""

    charged_kg: Mapping[str, float]
    content_fraction: Mapping[str, float]
    cost_cny: float
    footprint_kgco2e: float
    recycled_fraction: float
    shadow_prices: tuple[ShadowPrice, ...]
    report: SolveReport
    conflict: Conflict | None = None
    findings: tuple[Text, ...] = field(default=())


def plan(problem: MixProblem) -> MixPlan:
    """Return the best charge, or the smallest clash.

    Examples
    --------
    Scrap with 1 % iron thinned by ingot with 0.1 % to at most 0.7 %: two thirds scrap.

    >>> scrap = Charge("scrap", Text("废铝", "scrap"), 14.0, 0.7, 1.0, {"Fe": 0.010})
    >>> ingot = Charge("ingot", Text("原铝", "ingot"), 20.0, 15.5, 0.0, {"Fe": 0.001})
    >>> found = plan(MixProblem(900.0, (scrap, ingot), (Limit("Fe", 0.0, 0.007),)))
    >>> {name: round(mass, 6) for name, mass in found.charged_kg.items()}
    {'scrap': 600.0, 'ingot': 300.0}
    """
    program, wishes = _program(problem)
    answer = solve(program, Options(engine="highs"))
    if not answer.report.status.has_answer:
        return MixPlan({}, {}, 0.0, 0.0, 0.0, (), answer.report, explain(program, wishes))
    return _told(problem, answer, wishes)


def baseline(problem: MixProblem) -> MixPlan | None:
    """Return the present practice as a plan, None where the problem states none."""
    charged = {one.id: one.baseline_kg for one in problem.charges}
    if not any(charged.values()):
        return None
    nothing = _report()
    return MixPlan(charged, *figures(problem, charged), (), nothing)


def figures(problem: MixProblem, charged: Mapping[str, float]) -> tuple[dict[str, float], float, float, float]:
    """Return chemistry, cost, footprint and recycled share of a charge."""
    melt = sum(one.yield_fraction * charged[one.id] for one in problem.charges)
    put_in = sum(charged.values())
    content = {
        limit.element: sum(one.yield_fraction * one.content_fraction.get(limit.element, 0.0) * charged[one.id] for one in problem.charges) / melt
        for limit in problem.limits
    }  # fmt: skip
    cost = sum(one.price_cny_per_kg * charged[one.id] for one in problem.charges)
    footprint = sum(one.footprint_kgco2e_per_kg * charged[one.id] for one in problem.charges)
    recycled = sum(one.recycled_fraction * charged[one.id] for one in problem.charges)
    return content, cost, footprint, recycled / put_in


def check(problem: MixProblem, found: MixPlan) -> tuple[Text, ...]:
    """Return what is wrong with a plan, recomputed from the problem alone (no solver, no matrix)."""
    wrong: list[Text] = []
    charged, melt = found.charged_kg, problem.melt_kg
    made = sum(one.yield_fraction * charged[one.id] for one in problem.charges)
    if abs(made - melt) > BALANCE_KG * max(1.0, melt):
        wrong.append(
            Text(
                f"熔体 {made:,.3f} kg, 应为 {melt:,.3f} kg。", f"The melt is {made:,.3f} kg instead of {melt:,.3f} kg."
            )
        )
    for one in problem.charges:
        mass = charged[one.id]
        if not one.least_kg - BALANCE_KG * melt <= mass <= one.available_kg + BALANCE_KG * melt:
            wrong.append(
                Text(
                    f"“{one.title.zh}”投 {mass:,.3f} kg, 超出其范围。",
                    f"'{one.title.en}' is charged with {mass:,.3f} kg, outside its range.",
                )
            )
    content, cost, footprint, recycled = figures(problem, charged)
    for limit in problem.limits:
        share = content[limit.element]
        if not limit.least_fraction - 1e-7 <= share <= limit.most_fraction + 1e-7:
            wrong.append(
                Text(
                    f"{limit.element} {100 * share:.4f} %, 超出 {100 * limit.least_fraction:g}–{100 * limit.most_fraction:g} %。",
                    f"{limit.element} is {100 * share:.4f} %, outside {100 * limit.least_fraction:g}–{100 * limit.most_fraction:g} %.",
                )
            )
    if recycled < problem.least_recycled_fraction - 1e-7:
        wrong.append(
            Text(f"再生比例 {100 * recycled:.3f} % 不够。", f"The recycled share is only {100 * recycled:.3f} %.")
        )
    if footprint / melt > problem.cap_kgco2e_per_kg + 1e-6:
        wrong.append(
            Text(
                f"每千克 {footprint / melt:.4f} kgCO2e, 超出上限。",
                f"{footprint / melt:.4f} kgCO2e a kilogram is above the cap.",
            )
        )
    if abs(cost - found.cost_cny) > 1e-6 * max(1.0, cost) or abs(footprint - found.footprint_kgco2e) > 1e-6 * max(
        1.0, footprint
    ):
        wrong.append(Text("费用或足迹与重算不符。", "Cost or footprint differ from the recomputed."))
    return tuple(wrong)  # fmt: skip


def _program(problem: MixProblem) -> tuple[LinearProgram, list[Wish]]:
    """Return the programme per kilogram of melt, which keeps its numbers near one, and the limits as wishes."""
    draft, charges = Draft(), problem.charges
    price = np.array([one.price_cny_per_kg for one in charges])
    footprint = np.array([one.footprint_kgco2e_per_kg for one in charges])
    cost = footprint if problem.objective == "footprint" else price + problem.carbon_price_cny_per_t / 1000 * footprint
    x = draft.add_columns("charge", len(charges), 0.0, INF, cost)
    made = np.array([one.yield_fraction for one in charges])
    draft.put(draft.add_rows("melt", 1, "=", 1.0), x, made)
    wishes: list[Wish] = []
    for limit in problem.limits:
        content = made * np.array([one.content_fraction.get(limit.element, 0.0) for one in charges])
        for side, bound in (("least", limit.least_fraction), ("most", limit.most_fraction)):
            if 0.0 < bound < 1.0 or (side == "most" and bound == 0.0):
                _row(draft, wishes, x, content, (side, limit.element, bound))
    if problem.least_recycled_fraction > 0:
        share = np.array([one.recycled_fraction for one in charges]) - problem.least_recycled_fraction
        draft.put(draft.add_rows("recycled", 1, ">=", 0.0), x, share)
        wishes.append(
            Wish(
                "recycled", Text("再生比例", "recycled share"), 100 * problem.least_recycled_fraction, "%", -1.0, -100.0
            )
        )
    if problem.cap_kgco2e_per_kg < INF:
        draft.put(draft.add_rows("cap", 1, "<=", problem.cap_kgco2e_per_kg), x, footprint)
        wishes.append(
            Wish(
                "cap",
                Text("每千克熔体足迹上限", "cap on the footprint of a kilogram"),
                problem.cap_kgco2e_per_kg,
                "kgCO2e/kg",
                max(problem.cap_kgco2e_per_kg, 0.01),
                max(problem.cap_kgco2e_per_kg, 0.01),
            )
        )
    _stock_rows(draft, wishes, x, problem)
    return draft.finish(), wishes  # fmt: skip


def _stock_rows(draft: Draft, wishes: list[Wish], x: Block, problem: MixProblem) -> None:
    """Write down what is available and what must at least be charged."""
    melt = problem.melt_kg
    for j, one in enumerate(problem.charges):
        if one.available_kg < INF:
            draft.put(draft.add_rows(f"available:{one.id}", 1, "<=", one.available_kg / melt), x.places[j : j + 1], 1.0)
            wishes.append(
                Wish(
                    f"available:{one.id}",
                    Text(f"“{one.title.zh}”可用量", f"stock of '{one.title.en}'"),
                    one.available_kg,
                    "kg",
                    1.0,
                    melt,
                )
            )
        if one.least_kg > 0:
            draft.put(draft.add_rows(f"least:{one.id}", 1, ">=", one.least_kg / melt), x.places[j : j + 1], 1.0)
            wishes.append(
                Wish(
                    f"least:{one.id}",
                    Text(f"“{one.title.zh}”最少投料", f"least charge of '{one.title.en}'"),
                    one.least_kg,
                    "kg",
                    -1.0,
                    -melt,
                )
            )


def _row(draft: Draft, wishes: list[Wish], x: Block, content: Floats, said: tuple[str, str, float]) -> None:
    side, element, bound = said
    name = f"{side}:{element}"
    draft.put(draft.add_rows(name, 1, ">=" if side == "least" else "<=", bound), x, content)
    title = (
        Text(f"{element} 下限", f"least {element}") if side == "least" else Text(f"{element} 上限", f"most {element}")
    )
    scale = -max(bound, 1e-4) if side == "least" else max(bound, 1e-4)
    wishes.append(Wish(name, title, 100 * bound, "%", scale, 100 * scale))


def _told(problem: MixProblem, answer: Solution, wishes: Sequence[Wish]) -> MixPlan:
    melt = problem.melt_kg
    mass = np.maximum(answer.value("charge") * melt, 0.0)
    charged = {one.id: float(x) for one, x in zip(problem.charges, mass, strict=True)}
    prices = tuple(_prices(problem, answer, wishes))
    found = MixPlan(charged, *figures(problem, charged), prices, answer.report)
    return MixPlan(charged, *figures(problem, charged), prices, answer.report, None, check(problem, found))


def _prices(problem: MixProblem, answer: Solution, wishes: Sequence[Wish]) -> Iterator[ShadowPrice]:
    """Yield what easing each limit by its unit (0.1 % of an element, 1 % of recycled share, 1 kg of stock) changes."""
    money = problem.objective != "footprint"
    per = ("元", "CNY") if money else ("kgCO2e", "kgCO2e")
    for wish in wishes:
        dual = float(answer.dual(wish.id)[0])
        kind = wish.id.split(":")[0]
        steps = {
            "least": (-0.001, "0.1 %"),
            "most": (0.001, "0.1 %"),
            "recycled": (-0.01, "1 %"),
            "cap": (0.1, "0.1 kgCO2e/kg"),
        }
        if wish.unit == "kg":
            step, unit = (1.0 if kind == "available" else -1.0) / problem.melt_kg, "kg"
        else:
            step, unit = steps[kind]
            if kind == "recycled":
                step *= sum(answer.value("charge"))
        change = dual * step * problem.melt_kg
        if abs(change) > PRICED:
            yield ShadowPrice(wish.id, wish.title, change, Text(f"{per[0]}/放宽 {unit}", f"{per[1]} per {unit} eased"))


def _report() -> SolveReport:
    from zerofactory.optimisation.solving.result import SolveStatus

    return SolveReport(SolveStatus.FEASIBLE, 0.0, 0.0, 0.0, 0.0, "", 0, 0, 0, 0)


def _mix_faults(problem: MixProblem) -> Iterator[Problem]:
    yield from repeated([(one.id, one.row) for one in problem.charges], Text("炉料", "charge"))
    yield from repeated([(one.element, one.row) for one in problem.limits], Text("元素", "element"))
    if not problem.charges or not problem.limits:
        yield fault(
            "empty",
            Text("没有炉料或成分限值。", "There are no charges or no limits."),
            Text("两张表都至少写一行。", "Write at least one row in both tables."),
        )
    if not 0 < problem.melt_kg < 1e9:
        yield fault(
            "not_positive",
            Text(f"熔体质量 {problem.melt_kg:g} kg 应大于 0。", f"The melt, {problem.melt_kg:g} kg, must be above 0."),
            Text("请填写正数。", "Give a positive number."),
            column="melt_kg",
        )
    if not 0 <= problem.least_recycled_fraction <= 1:
        yield fault(
            "share",
            Text(
                f"再生比例 {problem.least_recycled_fraction:g} 不在 0 到 1 之间。",
                f"The recycled share {problem.least_recycled_fraction:g} is not between 0 and 1.",
            ),
            Text("60 % 写 0.6。", "Write 60 % as 0.6."),
            column="least_recycled_fraction",
        )
    if problem.objective not in ("cost", "footprint"):
        yield fault(
            "objective",
            Text(f"没有目标“{problem.objective}”。", f"There is no objective '{problem.objective}'."),
            Text("可选: cost, footprint。", "Choose cost or footprint."),
            column="objective",
        )
    there = sum(one.yield_fraction * one.available_kg for one in problem.charges)
    if problem.charges and there < problem.melt_kg:
        yield fault("above_stock", Text(f"熔体要 {problem.melt_kg:,.0f} kg, 全部炉料只够 {there:,.0f} kg。", f"The melt wants {problem.melt_kg:,.0f} kg; all charges give {there:,.0f} kg."), Text("请增加可用量或减少熔体。", "Add to what is available or melt less."), column="available_kg")  # fmt: skip


def _charge_faults(one: Charge) -> Iterator[Problem]:
    shares = {"yield_fraction": one.yield_fraction, "recycled_fraction": one.recycled_fraction, **one.content_fraction}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            yield fault(
                "share",
                Text(
                    f"“{one.id}”的 {name} = {share:g} 不在 0 到 1 之间。",
                    f"{name} of '{one.id}' is {share:g}, not between 0 and 1.",
                ),
                Text(
                    "请核对单位: 列名以 _% 结尾按百分比读, 以 _fraction 结尾按比例读。",
                    "Check the unit: a column ending in _% is read as per cent, in _fraction as a share.",
                ),
                one.row,
                name,
            )
    if one.yield_fraction <= 0:
        yield fault(
            "not_positive",
            Text(f"“{one.id}”的收得率应大于 0。", f"The yield of '{one.id}' must be above 0."),
            Text("请填写 0 到 1 之间的数。", "Give a number between 0 and 1."),
            one.row,
            "yield_fraction",
        )
    if sum(one.content_fraction.values()) > 1 + 1e-9:
        yield fault(
            "contents",
            Text(
                f"“{one.id}”的成分合计 {100 * sum(one.content_fraction.values()):.2f} %, 超过 100 %。",
                f"The contents of '{one.id}' add up to {100 * sum(one.content_fraction.values()):.2f} %.",
            ),
            Text("请核对成分及其单位。", "Check the contents and their unit."),
            one.row,
        )
    if one.price_cny_per_kg < 0 or one.footprint_kgco2e_per_kg < 0:
        yield fault(
            "negative",
            Text(f"“{one.id}”的价格或足迹为负。", f"Price or footprint of '{one.id}' is negative."),
            Text("请填写不小于 0 的数。", "Give numbers from 0 up."),
            one.row,
        )
    if not 0 <= one.least_kg <= one.available_kg:
        yield fault("range", Text(f"“{one.id}”最少 {one.least_kg:g} kg, 可用 {one.available_kg:g} kg。", f"'{one.id}': least {one.least_kg:g} kg, available {one.available_kg:g} kg."), Text("最少投料应在 0 与可用量之间。", "The least must lie between 0 and what is available."), one.row, "least_kg")  # fmt: skip


def _limit_faults(problem: MixProblem) -> Iterator[Problem]:
    for one in problem.limits:
        if not 0 <= one.least_fraction <= one.most_fraction <= 1:
            yield fault(
                "limit",
                Text(
                    f"{one.element} 的限值 {100 * one.least_fraction:g}–{100 * one.most_fraction:g} % 不成立。",
                    f"The limits of {one.element}, {100 * one.least_fraction:g}–{100 * one.most_fraction:g} %, cannot be.",
                ),
                Text(
                    "下限应不大于上限, 都在 0 到 100 % 之间。",
                    "The least must not be above the most, both from 0 to 100 %.",
                ),
                one.row,
                one.element,
            )
        if not any(one.element in charge.content_fraction for charge in problem.charges):
            yield fault("no_content", Text(f"没有任何炉料写明 {one.element} 含量。", f"No charge states its content of {one.element}."), Text(f"请在炉料表加一列 {one.element}_%。", f"Add a column {one.element}_% to the table of charges."), one.row, one.element)  # fmt: skip
