"""Neutrality: the balance of a claim, and what its standard asks before it may be made. All requirements are data.

gross    = footprint + reductions achieved since the base year
residual = footprint − removals inside the boundary (where the standard counts them)
balance  = residual − credits retired for the period           claim allowed when balance ≤ 0
(evaluation rules of ISO 14068-1:2023 and PAS 2060:2014; standards reference, 9.6)
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from zerofactory.errors import Misuse, NotFound, Problem, Text
from zerofactory.instruments.purpose import TOPICS

GRAMS_PER_UNIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a neutrality standard. ``stage``: offset (each batch), gate (before offset), declare."""

    id: str
    standard: str
    clause: str
    mandatory: bool
    stage: str
    test: str
    value: str
    unit: str
    text: Text
    evidence: Text
    source_ref: str
    status: str

    @property
    def number(self) -> float:
        """The value as a number."""
        return float(self.value)

    @property
    def listed(self) -> tuple[str, ...]:
        """The value as a list."""
        return tuple(part for part in self.value.split(";") if part)

    def refusal(self, subject: str, zh: str = "", en: str = "") -> Problem:
        """Return the problem of not meeting it, with its citation."""
        title = neutrality_standard(self.standard).title
        lead = (f"{subject}: ", f"{subject}: ") if subject else ("", "")
        message = Text(
            f"{lead[0]}{zh}{' ' if zh else ''}{self.text.zh} [{title.zh}, {self.clause}]",
            f"{lead[1]}{en}{' ' if en else ''}{self.text.en} [{title.en}, {self.clause}]",
        )
        hint = Text(f"要求 {self.id}, 条款状态 {self.status}。", f"Requirement {self.id}; its clause is {self.status}.")
        return Problem(f"declare.{self.id}", message, hint)


@dataclass(frozen=True, slots=True)
class NeutralityStandard:
    """A standard under which neutrality is claimed: which inventory, regime and scope it is about, and its requirements."""

    id: str
    title: Text
    status: str
    withdrawn_on: date | None
    inventory: str
    regime: str
    scope: str
    own_removals: bool
    source: str
    source_status: str
    note: Text
    requirements: tuple[Requirement, ...]

    def at(self, stage: str) -> tuple[Requirement, ...]:
        """Return the mandatory requirements of one stage."""
        return tuple(one for one in self.requirements if one.mandatory and one.stage == stage)


@lru_cache(maxsize=1)
def neutrality_standards() -> Mapping[str, NeutralityStandard]:
    """Return every neutrality standard by id."""
    room = files("zerofactory.instruments")
    heads = tomllib.loads((room / "neutrality.toml").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((room / "neutrality.csv").read_text(encoding="utf-8").splitlines()))
    unknown = {row["standard"] for row in rows} - set(heads)
    if unknown:
        raise Misuse(f"neutrality.csv names unknown standards: {', '.join(sorted(unknown))}")
    found = {
        name: NeutralityStandard(
            name, Text(head["title_zh"], head["title_en"]), head["status"], head.get("withdrawn_on"),
            head["inventory"], head["regime"], head["scope"], head["own_removals"], head["source"],
            head["source_status"], Text(head["note_zh"], head["note_en"]),
            tuple(_requirement(row) for row in rows if row["standard"] == name),
        )
        for name, head in heads.items()
    }  # fmt: skip
    return MappingProxyType(found)


def _requirement(row: Mapping[str, str]) -> Requirement:
    return Requirement(
        row["id"], row["standard"], row["clause"], row["kind"] == "mandatory", row["stage"], row["test"],
        row["value"], row["unit"], Text(row["text_zh"], row["text_en"]),
        Text(row["evidence_zh"], row["evidence_en"]), row["source_ref"], row["status"],
    )  # fmt: skip


def neutrality_standard(name: str) -> NeutralityStandard:
    """Return one neutrality standard; raise `NotFound` with the choices."""
    found = neutrality_standards().get(name)
    if found is None:
        raise NotFound(Text("碳中和标准", "neutrality standard"), name, tuple(neutrality_standards()))
    return found


@dataclass(frozen=True, slots=True)
class Balance:
    """The neutrality balance of one period, in gCO2e. ``offset_gco2e`` holds the retired amount by kind of credit.

    Examples
    --------
    A plant that fell from 100 t to 40 t and retired 40 t of credits is neutral, 60 % reduced and 40 % offset.

    >>> made = Balance(100_000_000, 40_000_000, 0, {"ccer": 40_000_000})
    >>> made.is_neutral, made.reduced_fraction, made.offset_fraction
    (True, 0.6, 0.4)
    """

    base_gco2e: int | None
    footprint_gco2e: int
    removals_gco2e: int
    offset_gco2e: Mapping[str, int]

    @property
    def reduced_gco2e(self) -> int:
        """What was reduced since the base year; nothing in the base year itself or where emissions rose."""
        return max(0, (self.base_gco2e or 0) - self.footprint_gco2e)

    @property
    def gross_gco2e(self) -> int:
        """Footprint and reductions together."""
        return self.footprint_gco2e + self.reduced_gco2e

    @property
    def residual_gco2e(self) -> int:
        """What remains to be offset; never below zero."""
        return max(0, self.footprint_gco2e - self.removals_gco2e)

    @property
    def offset_total_gco2e(self) -> int:
        """Credits retired for the period."""
        return sum(self.offset_gco2e.values())

    @property
    def uncovered_gco2e(self) -> int:
        """Residual that no credit covers; negative where more was retired than needed."""
        return self.residual_gco2e - self.offset_total_gco2e

    @property
    def is_neutral(self) -> bool:
        """Whether the balance is at or below zero."""
        return self.uncovered_gco2e <= 0

    @property
    def reduced_fraction(self) -> float:
        """Share of the gross amount that was reduced or removed."""
        return 1.0 - self.residual_gco2e / self.gross_gco2e if self.gross_gco2e else 0.0

    @property
    def offset_fraction(self) -> float:
        """Share of the gross amount that credits cover (no more than the residual)."""
        covered = min(self.residual_gco2e, self.offset_total_gco2e)
        return covered / self.gross_gco2e if self.gross_gco2e else 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a declaration is judged by.

    Parameters
    ----------
    open_months : tuple of str
        Months of the period that are not closed.
    is_year, is_over : bool
        Whether the period is a whole year, and has ended.
    first_period : bool
        Whether no earlier footprint (base year before the period) exists.
    included_fraction : float or None
        Share of emissions inside the boundary that is quantified; None: cannot be told.
    exclusion_fractions : mapping
        Estimated share of each exclusion, None where it is not estimated.
    topics : set of str
        Topics of `purpose.TOPICS` for which evidence is on file.
    uncovered_power_gco2e : int
        Market-based emissions of purchased electricity that no contract or certificate covers.
    retired_on : mapping
        Day of retirement of each claim's units.
    """

    standard: NeutralityStandard
    period: str
    declared_on: date
    balance: Balance | None
    open_months: tuple[str, ...]
    is_year: bool
    is_over: bool
    first_period: bool
    boundary_stated: bool
    included_fraction: float | None
    exclusion_fractions: Mapping[Text, float | None]
    verified: bool
    topics: frozenset[str]
    both_views: bool
    uncovered_power_gco2e: int
    retired_on: Mapping[str, date]


Reason = tuple[str, str]
Check = Callable[[Requirement, Case], Reason | None]


def unmet(case: Case) -> list[Problem]:
    """Return every mandatory requirement of the declaration that is not met, each with its citation."""
    problems = []
    book = case.standard
    if book.withdrawn_on is not None and date(int(case.period[:4]), 1, 1) > book.withdrawn_on:
        message = Text(
            f"{book.title.zh} 已于 {book.withdrawn_on} 撤销, 不能用于 {case.period}。",
            f"{book.title.en} was withdrawn on {book.withdrawn_on} and cannot serve {case.period}.",
        )
        problems.append(Problem("declare.withdrawn", message, book.note))
    for requirement in book.at("declare"):
        check = CHECKS.get(requirement.test)
        if check is None:
            raise Misuse(f"requirement {requirement.id}: no check named {requirement.test}")
        found = check(requirement, case)
        if found is not None:
            problems.append(requirement.refusal("", *found))
    return problems


def _period_closed(_rule: Requirement, case: Case) -> Reason | None:
    if not case.open_months:
        return None
    listed = ", ".join(case.open_months)
    return f"未封存: {listed}。", f"not closed: {listed}."


def _whole_year(_rule: Requirement, case: Case) -> Reason | None:
    if not case.is_year:
        return f"{case.period} 不是整年。", f"{case.period} is no whole year."
    return None if case.is_over else (f"{case.period} 尚未结束。", f"{case.period} is not over.")


def _boundary_stated(_rule: Requirement, case: Case) -> Reason | None:
    if case.boundary_stated:
        return None
    return "工厂文件 [boundary] 没有写 description。", "[boundary] description is not in the plant file."


def _coverage(rule: Requirement, case: Case) -> Reason | None:
    share = case.included_fraction
    if share is None:
        return (
            "有未估计的排除项, 纳入份额说不清。",
            "exclusions without an estimate: the included share cannot be told.",
        )
    return None if share >= rule.number else (f"纳入 {share:.1%}。", f"included {share:.1%}.")


def _exclusion_max(rule: Requirement, case: Case) -> Reason | None:
    over = [name for name, share in case.exclusion_fractions.items() if share is None or share >= rule.number]
    zh, en = ", ".join(name.zh for name in over), ", ".join(name.en for name in over)
    return (f"排除项: {zh}。", f"exclusions: {en}.") if over else None


def _evidence(rule: Requirement, case: Case) -> Reason | None:
    if rule.value in case.topics:
        return None
    topic = TOPICS[rule.value]
    return (
        f"没有“{topic.zh}”的证据(zf instruments evidence --topic {rule.value})。",
        f"no evidence of '{topic.en}' (zf instruments evidence --topic {rule.value}).",
    )


def _decreasing(_rule: Requirement, case: Case) -> Reason | None:
    if case.first_period or case.balance is None:
        return None
    if case.balance.reduced_gco2e > 0:
        return None
    base, now = (case.balance.base_gco2e or 0) / GRAMS_PER_UNIT, case.balance.footprint_gco2e / GRAMS_PER_UNIT
    return f"基准 {base:,.0f} t, 本期 {now:,.0f} t。", f"base {base:,.0f} t, this period {now:,.0f} t."


def _both_views(_rule: Requirement, case: Case) -> Reason | None:
    return None if case.both_views else ("缺基于位置的结果。", "the location-based figure is missing.")


def _power_covered(_rule: Requirement, case: Case) -> Reason | None:
    left = case.uncovered_power_gco2e / GRAMS_PER_UNIT
    return (f"未覆盖部分 {left:,.1f} tCO2e。", f"{left:,.1f} tCO2e are not covered.") if left else None


def _residual_covered(_rule: Requirement, case: Case) -> Reason | None:
    if case.balance is None:
        return "没有可用的碳足迹。", "there is no footprint to cover."
    if case.balance.is_neutral:
        return None
    short = case.balance.uncovered_gco2e / GRAMS_PER_UNIT
    return f"尚有 {short:,.1f} tCO2e 未覆盖。", f"{short:,.1f} tCO2e are not covered."


def _offset_share_max(rule: Requirement, case: Case) -> Reason | None:
    if case.balance is None or case.balance.gross_gco2e == 0:
        return None
    share = case.balance.residual_gco2e / case.balance.gross_gco2e
    return None if share <= rule.number else (f"须抵消 {share:.1%}。", f"{share:.1%} would have to be offset.")


def _retired_within(rule: Requirement, case: Case) -> Reason | None:
    last = add_months(case.declared_on, int(rule.number))
    late = [claim for claim, day in case.retired_on.items() if day > last]
    return (f"{', '.join(late)} 晚于 {last}。", f"{', '.join(late)} after {last}.") if late else None


def _verified(_rule: Requirement, case: Case) -> Reason | None:
    if case.verified:
        return None
    return (
        "账上没有仍有效的核查声明(zf assurance statement)。",
        "no assurance statement in force (zf assurance statement).",
    )


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of that month.

    Examples
    --------
    >>> add_months(date(2025, 1, 31), 1), add_months(date(2025, 11, 30), 12)
    (datetime.date(2025, 2, 28), datetime.date(2026, 11, 30))
    """
    from zerofactory.instruments.batch import month_end

    count = day.year * 12 + day.month - 1 + months
    first = date(count // 12, count % 12 + 1, 1)
    return first.replace(day=min(day.day, month_end(first).day))


CHECKS: Mapping[str, Check] = {
    "period_closed": _period_closed,
    "whole_year": _whole_year,
    "boundary_stated": _boundary_stated,
    "coverage": _coverage,
    "exclusion_max": _exclusion_max,
    "evidence": _evidence,
    "decreasing": _decreasing,
    "both_views": _both_views,
    "power_covered": _power_covered,
    "residual_covered": _residual_covered,
    "offset_share_max": _offset_share_max,
    "retired_within": _retired_within,
    "verified": _verified,
}
