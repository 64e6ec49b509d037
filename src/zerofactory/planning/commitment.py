"""The plan of a plant as it is written down: ``plan.toml``.

[plan]        commitment, scope, base year, years, standard and claim regime, strategies (reduce, maintain, offset)
[[targets]]   by framework and rule, or stated
[economics]   discounting, budgets, grid and carbon-price scenario, output
[[prices]]    the plant's own prices      [[end_uses]]  meters, sources or shares of its end uses
[measures.X]  size, years, exclusion of a measure
[mechanism]   roles, RACI, information system, verification calendar
[[tasks]]     the first tasks
[[tested]]    savings of measures that were tested in the twin
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from zerofactory.errors import NotFound, Problem, Text, refuse
from zerofactory.notation import toml_of
from zerofactory.planning.end_use import StatedUse, end_uses
from zerofactory.planning.framework import frameworks
from zerofactory.planning.measure import measures
from zerofactory.planning.mechanism import Mechanism
from zerofactory.planning.mechanism import faults as mechanism_faults
from zerofactory.planning.read import record
from zerofactory.planning.scenario import carbon_price, grids
from zerofactory.planning.target import Target
from zerofactory.planning.tested import Trial
from zerofactory.planning.tested import faults as tested_faults
from zerofactory.standards.load import standard

PLAN_FILE = "plan.toml"
REGIMES = ("location", "market_annual")


@dataclass(frozen=True, slots=True)
class Milestone:
    """A date of the timetable that everybody is to know."""

    year: int
    title: Text


@dataclass(frozen=True, slots=True)
class Head:
    """What the plant commits itself to."""

    title: Text
    commitment: Text
    scope: Text
    base_year: int
    first_year: int
    last_year: int
    reduction_strategy: Text
    maintenance_strategy: Text
    offset_strategy: Text
    standard: str = "iso_14064_1_2018"
    regime: str = "market_annual"
    neutral_year: int | None = None
    adopted_by: str | None = None
    adopted_on: date | None = None
    milestones: tuple[Milestone, ...] = ()


@dataclass(frozen=True, slots=True)
class Economics:
    """What the roadmap reckons with; what is left out comes from ``defaults.toml`` and the scenarios."""

    grid: str = "stated"
    carbon_price: str = "none"
    discount_fraction: float | None = None
    budget_cny: float | None = None
    budgets_cny: Mapping[str, float] = field(default_factory=dict)
    volume: Mapping[str, float] = field(default_factory=dict)
    never_rising: bool = True

    def budget(self, year: int) -> float | None:
        """Return the investment budget of a year, None where there is no limit."""
        return self.budgets_cny.get(str(year), self.budget_cny)


@dataclass(frozen=True, slots=True)
class StatedPrice:
    """The plant's own price of a unit."""

    source_kind: str
    unit: str
    cny: float
    source: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class StatedMeasure:
    """What the plant says of a measure: its size, its years, a price of its own, or that it is out of the question."""

    size: float | None = None
    exclude: bool = False
    start_year: int | None = None
    earliest_year: int | None = None
    latest_year: int | None = None
    max_fraction: float | None = None
    cny_per_mwh: float | None = None
    capex_cny: float | None = None
    opex_cny: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FirstTask:
    """A task that comes with the plan."""

    id: str
    title: Text
    owner: str
    due: date
    stage: str = "plan"
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it is written down."""

    plan: Head
    targets: tuple[Target, ...] = ()
    economics: Economics = field(default_factory=Economics)
    prices: tuple[StatedPrice, ...] = ()
    end_uses: tuple[StatedUse, ...] = ()
    measures: Mapping[str, StatedMeasure] = field(default_factory=dict)
    mechanism: Mechanism = field(default_factory=Mechanism)
    tasks: tuple[FirstTask, ...] = ()
    tested: tuple[Trial, ...] = ()

    def test_of(self, measure_id: str) -> Trial | None:
        """Return the test of a measure in the twin, None where there is none."""
        return next((one for one in self.tested if one.id == measure_id), None)

    def stated(self, measure_id: str) -> StatedMeasure:
        """Return what the plan says of a measure, nothing when it is silent."""
        return self.measures.get(measure_id, StatedMeasure())


def read_plan(content: str, file: str = PLAN_FILE) -> Plan:
    """Return the plan that a TOML text holds.

    Raises
    ------
    FaultyData
        Not TOML, unknown keys, wrong types, or a plan that does not hold together; every fault at once.
    """
    made = record(Plan, toml_of(content, file, "planning.not_toml"), file)
    refuse([problem.at(file=file) for problem in faults(made)])
    return made


def faults(plan: Plan) -> list[Problem]:
    """Return everything that does not hold together in a plan."""
    head = plan.plan
    problems: list[Problem] = []
    if not head.base_year < head.first_year <= head.last_year:
        problems.append(
            _fault(
                "years",
                f"年份应为 基准年 < 首年 ≤ 末年, 现为 {head.base_year}, {head.first_year}, {head.last_year}。",
                f"Years must be base < first <= last; they are {head.base_year}, {head.first_year}, {head.last_year}.",
                "plan.first_year",
            )
        )
    problems += _range_faults(plan)
    problems += _book_faults(plan)
    for target in plan.targets:
        problems += _target_faults(target, head)
    problems += _unknown("measures", "减排措施", "measure", plan.measures, measures())
    problems += _unknown("end_uses", "用能环节", "end use", [use.id for use in plan.end_uses], end_uses())
    problems += _unknown("economics.grid", "电网情景", "grid scenario", [plan.economics.grid], grids())
    problems += _repeated("targets", [target.id for target in plan.targets])
    problems += _repeated("end_uses", [use.id for use in plan.end_uses])
    problems += _unknown("tested", "减排措施", "measure", [one.id for one in plan.tested], measures())
    problems += _repeated("tested", [one.id for one in plan.tested])
    problems += tested_faults(plan.tested)
    return [*problems, *mechanism_faults(plan.mechanism)]


def _range_faults(plan: Plan) -> list[Problem]:
    """Return the numbers that lie where they cannot lie."""
    economics, head = plan.economics, plan.plan
    inside: list[tuple[str, float | None, float, float]] = [
        ("economics.discount_fraction", economics.discount_fraction, 0.0, 1.0),
        ("economics.budget_cny", economics.budget_cny, 0.0, float("inf")),
    ]
    inside += [
        (f"economics.budgets_cny.{year}", amount, 0.0, float("inf")) for year, amount in economics.budgets_cny.items()
    ]
    inside += [(f"economics.volume.{year}", share, 1e-6, 100.0) for year, share in economics.volume.items()]
    inside += [(f"end_uses.{use.id}.share_fraction", use.share_fraction, 0.0, 1.0) for use in plan.end_uses]
    for name, stated in plan.measures.items():
        inside.append((f"measures.{name}.size", stated.size, 0.0, float("inf")))
        inside.append((f"measures.{name}.max_fraction", stated.max_fraction, 0.0, 1.0))
        inside.append((f"measures.{name}.start_year", stated.start_year, head.first_year, head.last_year))
    return [
        _fault("range", f"“{path}”应在 {low:g} 与 {high:g} 之间, 现为 {value:g}。", f"'{path}' must lie within {low:g} and {high:g}; it is {value:g}.", path)
        for path, value, low, high in inside
        if value is not None and not low <= value <= high
    ]  # fmt: skip


def _book_faults(plan: Plan) -> list[Problem]:
    """Return what the rule book, the claim regime, the categories or the carbon price do not know."""
    head = plan.plan
    problems = _unknown("plan.regime", "电力口径", "claim regime", [head.regime], dict.fromkeys(REGIMES))
    regimes = [target.regime for target in plan.targets if target.regime]
    problems += _unknown("targets.regime", "电力口径", "claim regime", regimes, dict.fromkeys(REGIMES))
    try:
        known = {category.id: category for category in standard(head.standard).categories}
        wanted = [name for target in plan.targets for name in target.categories]
        problems += _unknown("targets.categories", "类别", "category", wanted, known)
        carbon_price(plan.economics.carbon_price)
    except NotFound as fault:
        problems.append(fault.as_problem())
    return problems


def _target_faults(target: Target, head: Head) -> list[Problem]:
    where = f"targets.{target.id}"
    problems = []
    if target.target_year <= head.base_year:
        problems.append(
            _fault(
                "target_year",
                f"目标“{target.id}”的年份 {target.target_year} 不晚于基准年。",
                f"Target '{target.id}' ends in {target.target_year}, not after the base year.",
                f"{where}.target_year",
            )
        )
    if target.method == "stated":
        share = target.reduction_fraction
        if share is None or not 0.0 < share <= 1.0:
            zh = f"目标“{target.id}”需要 reduction_fraction(0 到 1)。"
            en = f"Target '{target.id}' needs a reduction_fraction between 0 and 1."
            problems.append(_fault("target_share", zh, en, f"{where}.reduction_fraction"))
        return problems
    book = frameworks().get(target.framework or "")
    if book is None:
        listed = ", ".join(frameworks())
        zh = f"目标“{target.id}”的框架“{target.framework}”不存在; 可选 {listed}。"
        en = f"Target '{target.id}' names no known framework ({target.framework}); choose {listed}."
        problems.append(_fault("target_framework", zh, en, f"{where}.framework"))
    elif target.rule not in [rule.id for rule in book.rules]:
        listed = ", ".join(rule.id for rule in book.rules)
        zh = f"目标“{target.id}”的规则“{target.rule}”不存在; 可选 {listed}。"
        en = f"Target '{target.id}' names no known rule ({target.rule}); choose {listed}."
        problems.append(_fault("target_rule", zh, en, f"{where}.rule"))
    return problems


def _unknown(path: str, zh: str, en: str, names: object, known: Mapping[str, object]) -> list[Problem]:
    listed = ", ".join(known)
    wanted: list[str] = list(names)  # type: ignore[call-overload]
    return [
        _fault("unknown", f"没有{zh}“{name}”; 可选: {listed}。", f"There is no {en} '{name}'; choose {listed}.", path)
        for name in wanted
        if name not in known
    ]


def _repeated(path: str, names: list[str]) -> list[Problem]:
    return [
        _fault("repeated", f"“{name}”写了两次。", f"'{name}' stands twice.", path)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _fault(code: str, zh: str, en: str, column: str) -> Problem:
    hint = Text("请改正 plan.toml。", "Correct plan.toml.")
    return Problem(f"planning.{code}", Text(zh, en), hint, column=column)
