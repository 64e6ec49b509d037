"""Eligibility: which batch may serve which purpose. Every rule is data; every refusal cites the rule it breaks.

rules.csv         what binds a kind of instrument in a use, whatever the standard
neutrality.csv    what a neutrality standard asks of the credits behind its claim
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from zerofactory.errors import Misuse, Problem
from zerofactory.instruments.batch import Batch
from zerofactory.instruments.purpose import Purpose
from zerofactory.instruments.rule import rules

Reason = tuple[str, str]
CHOOSING_TYPES = ("offshore_wind", "solar_thermal")
BY_THE_BOOK = frozenset(
    {"", "whole_units", "sold_once", "one_serial_one_claim", "claimed_once", "settled_equals_certificates", "ets_share"}
)


class Clause(Protocol):
    """What a test reads of a rule: its value."""

    @property
    def number(self) -> float:
        """The value as a number."""

    @property
    def listed(self) -> tuple[str, ...]:
        """The value as a list."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of the plant when a purpose is judged.

    Parameters
    ----------
    on : date
        Today: the day on which units would be retired.
    names : tuple of str
        Names under which the reporter may be the beneficiary.
    market : str
        Country in which the electricity is used.
    self_use_sold : bool
        Whether the plant sells the certificates of its own generation.
    clashes : mapping
        Batches that share MWh or tonnes with another instrument, and with which.
    """

    on: date
    names: tuple[str, ...]
    market: str
    self_use_sold: bool = False
    clashes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One batch for one purpose."""

    batch: Batch
    purpose: Purpose
    setting: Setting


Test = Callable[[Clause, Ask], Reason | None]


def refusals(batch: Batch, purpose: Purpose, setting: Setting, more: Sequence[object] = ()) -> list[Problem]:
    """Return why a batch may not serve a purpose, each with its citation; empty: it may.

    Parameters
    ----------
    more : further clauses with ``test`` and ``refusal`` (those of a neutrality standard).
    """
    ask, problems = Ask(batch, purpose, setting), []
    bound: list[object] = [rule for rule in rules().values() if rule.mandatory and rule.binds(batch.kind, purpose.use)]
    for one in (*bound, *more):
        name = one.test  # type: ignore[attr-defined]
        if name in BY_THE_BOOK:
            continue
        test = TESTS.get(name)
        if test is None:
            raise Misuse(f"no test named {name}")
        found = test(one, ask)  # type: ignore[arg-type]
        if found is not None:
            problems.append(one.refusal(batch.batch_id, *found))  # type: ignore[attr-defined]
    return problems


def _not_expired(_rule: Clause, ask: Ask) -> Reason | None:
    last = ask.batch.expires_on
    if last is None or ask.setting.on <= last:
        return None
    return f"已于 {last} 过期(发电 {ask.batch.vintage})。", f"expired on {last} (generated {ask.batch.vintage})."


def _tradable(_rule: Clause, ask: Ask) -> Reason | None:
    if ask.batch.tradable or ask.batch.self_use:
        return None
    return "不可交易的绿证不能由他人购入。", "a certificate that is not tradable cannot have been bought."


def _project_type_not(rule: Clause, ask: Ask) -> Reason | None:
    if ask.batch.project_type not in rule.listed:
        return None
    return f"项目类型 {ask.batch.project_type}。", f"type of project {ask.batch.project_type}."


def _project_type_not_since(rule: Clause, ask: Ask) -> Reason | None:
    *types, since = rule.listed
    registered = ask.batch.registered_on or ask.batch.vintage_start
    if ask.batch.project_type not in types or registered < date.fromisoformat(since):
        return None
    return (
        f"{ask.batch.project_type} 项目, {registered} 登记。",
        f"a project of {ask.batch.project_type}, registered {registered}.",
    )


def _exclusive(_rule: Clause, ask: Ask) -> Reason | None:
    other = (ask.setting.clashes or {}).get(ask.batch.batch_id)
    if other:
        return f"与 {other} 同一项目同一时期。", f"same project and time as {other}."
    if ask.batch.exclusive is False:
        return "登记方声明另有凭证。", "the registry states that another instrument exists."
    if ask.batch.project_type in CHOOSING_TYPES and ask.batch.exclusive is None:
        return "缺少排他声明。", "the statement of exclusivity is missing."
    return None


def _not_ets_covered(_rule: Clause, ask: Ask) -> Reason | None:
    return ("项目属于纳入配额管理的单位。", "the project is under the ETS.") if ask.batch.ets_covered else None


def _registered_since(rule: Clause, ask: Ask) -> Reason | None:
    since, registered = date.fromisoformat(rule.listed[0]), ask.batch.registered_on
    if registered is not None and registered >= since:
        return None
    told = registered or "?"
    return f"登记日期 {told}, 早于 {since} 或未写明。", f"registered {told}: before {since}, or not stated."


def _use_not_admitted(_rule: Clause, ask: Ask) -> Reason | None:
    return f"用途 {ask.purpose.use}。", f"use {ask.purpose.use}."


def _market_ended(rule: Clause, ask: Ask) -> Reason | None:
    market, since = rule.listed
    if ask.batch.market != market or ask.batch.vintage_start < date.fromisoformat(since):
        return None
    return f"{market} {ask.batch.vintage}。", f"{market} {ask.batch.vintage}."


def _self_use_kept(_rule: Clause, ask: Ask) -> Reason | None:
    if not (ask.batch.self_use and ask.setting.self_use_sold):
        return None
    return "工厂文件写明自发自用的证书已出售。", "the plant file says the certificates of own generation are sold."


def _nature(rule: Clause, ask: Ask) -> Reason | None:
    found = ask.batch.rules
    if found.nature in rule.listed:
        return None
    return f"这是{found.title.zh}({found.unit})。", f"this is a {found.title.en} ({found.unit})."


def _vintage_year(rule: Clause, ask: Ask) -> Reason | None:
    year, batch = int(ask.purpose.period[:4]), ask.batch
    far = max(abs(batch.vintage_start.year - year), abs(batch.vintage_end.year - year))
    return (
        None
        if far <= rule.number
        else (f"年份 {batch.vintage}, 消费 {year}。", f"vintage {batch.vintage}, use {year}.")
    )


def _vintage_years(rule: Clause, ask: Ask) -> Reason | None:
    year, batch = int(ask.purpose.period[:4]), ask.batch
    if batch.vintage_end.year <= year and year - batch.vintage_start.year <= rule.number:
        return None
    return f"年份 {batch.vintage}, 期间 {year}。", f"vintage {batch.vintage}, period {year}."


def _market(_rule: Clause, ask: Ask) -> Reason | None:
    if ask.batch.market == ask.setting.market:
        return None
    return f"市场 {ask.batch.market or '?'}。", f"market {ask.batch.market or '?'}."


def _beneficiary(_rule: Clause, ask: Ask) -> Reason | None:
    for name in (ask.batch.beneficiary, ask.purpose.beneficiary):
        if name and name not in ask.setting.names:
            return f"受益方“{name}”不是本企业。", f"beneficiary '{name}' is not the reporter."
    return None


def _kinds_admitted(rule: Clause, ask: Ask) -> Reason | None:
    if ask.batch.kind in rule.listed:
        return None
    return f"{ask.batch.rules.title.zh}不在可用之列。", f"{ask.batch.rules.title.en} is not admitted."


TESTS: Mapping[str, Test] = {
    "not_expired": _not_expired,
    "tradable": _tradable,
    "project_type_not": _project_type_not,
    "project_type_not_since": _project_type_not_since,
    "exclusive": _exclusive,
    "not_ets_covered": _not_ets_covered,
    "registered_since": _registered_since,
    "use_not_admitted": _use_not_admitted,
    "market_ended": _market_ended,
    "self_use_kept": _self_use_kept,
    "nature": _nature,
    "vintage_year": _vintage_year,
    "vintage_years": _vintage_years,
    "market": _market,
    "beneficiary": _beneficiary,
    "kinds_admitted": _kinds_admitted,
}
