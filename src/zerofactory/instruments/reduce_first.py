"""The reduce-first gate (降无可降后方可抵消): a tonne is offset only when nothing more could be reduced in its period.

What must be shown is data of the standard (`neutrality.csv`, stage ``gate``): every measure planned for the period is done,
with what it saved or a file that shows it, or is infeasible, with the reason and a file. Measures still open, and a period
without any, keep the gate shut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerofactory.errors import Misuse, Problem
from zerofactory.instruments.neutrality import NeutralityStandard, Requirement
from zerofactory.instruments.purpose import Outcome

MODES = ("every_period", "from_second_period")


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether credits may be used for a period, and why not. ``reduced_gco2e`` is what the measures done have saved."""

    problems: tuple[Problem, ...]
    done: tuple[Outcome, ...]
    infeasible: tuple[Outcome, ...]
    still_open: tuple[Outcome, ...]
    exempt: bool

    @property
    def is_open(self) -> bool:
        """Whether offsetting is allowed."""
        return not self.problems

    @property
    def reduced_gco2e(self) -> int:
        """What the measures that are done have saved."""
        return sum(one.reduction_gco2e or 0 for one in self.done)


def gate(standard: NeutralityStandard, period: str, outcomes: Sequence[Outcome], first_period: bool) -> Gate:
    """Return the gate of one period under one standard."""
    rules = [rule for rule in standard.at("gate") if rule.test == "reduce_first"]
    own = [one for one in outcomes if one.period == period]
    groups = {name: tuple(one for one in own if one.outcome == name) for name in ("done", "infeasible", "open")}
    problems: list[Problem] = []
    exempt = bool(rules)
    for rule in rules:
        if rule.value not in MODES:
            raise Misuse(f"requirement {rule.id}: mode {rule.value}")
        if rule.value == "from_second_period" and first_period:
            continue
        exempt = False
        problems += _shut(rule, period, own)
    return Gate(tuple(problems), groups["done"], groups["infeasible"], groups["open"], exempt)


def _shut(rule: Requirement, period: str, outcomes: Sequence[Outcome]) -> list[Problem]:
    """Return why the gate stays shut."""
    if not outcomes:
        return [
            rule.refusal(
                period,
                "没有登记任何减排措施(zf instruments measure)。",
                "no reduction measure is on record (zf instruments measure).",
            )
        ]
    problems = []
    for one in outcomes:
        if one.outcome == "open":
            problems.append(rule.refusal(one.measure, "措施尚未完成。", "the measure is still open."))
        elif one.outcome == "infeasible" and not (one.reason.strip() and one.evidence):
            problems.append(
                rule.refusal(
                    one.measure, "不可行须写明理由并附证据。", "infeasible needs its reason and a file that shows it."
                )
            )
        elif one.outcome == "done" and not one.evidence and not one.reduction_gco2e:
            problems.append(
                rule.refusal(
                    one.measure, "完成须有减排量或证据。", "done needs what it saved, or a file that shows it."
                )
            )
    return problems
