"""Base year: when it has to be recalculated, and when not.

A base year is recalculated when structure, method or errors change its total by more than a threshold (ISO 14064-1:2018,
6.4.2; GHG Protocol Corporate Standard, ch. 5). Growth and decline of the plant never change it: they are what it is compared
with. Both versions are kept.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.accounting.restate import Cause
from zerofactory.errors import Text
from zerofactory.site.model import BaseYear, Trigger

TRIGGER_OF: Mapping[Cause, Trigger] = {
    "boundary": "structure",
    "method": "method",
    "factor": "method",
    "data": "error",
}
TRIGGERS: Mapping[Trigger, Text] = {
    "structure": Text("结构变化(并购、剥离、排放源增减)", "structure (mergers, divestments, sources added or removed)"),
    "method": Text("方法或因子变化", "method or factor"),
    "error": Text("差错与数据更正", "errors and corrected data"),
}


@lru_cache(maxsize=1)
def defaults() -> dict[str, Any]:
    """Return the default policy: ``{threshold_fraction: {value, source, status}, triggers: {…}}``."""
    return tomllib.loads((files("zerofactory.accounting") / "base_year.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Policy:
    """From which share of the base-year total, and for which triggers, the base year is recalculated."""

    threshold_fraction: float
    triggers: tuple[Trigger, ...]

    def sentence(self) -> Text:
        """Return the policy as a sentence for the report."""
        zh = "、".join(TRIGGERS[name].zh for name in self.triggers)
        en = "; ".join(TRIGGERS[name].en for name in self.triggers)
        share = f"{100 * self.threshold_fraction:g} %"
        return Text(
            f"下列原因使基准年总量变化超过 {share} 时重算: {zh}。自然增长或下降不重算; 新旧两版都保留。",
            f"Recalculated when any of these, or all together, change its total by more than {share}: {en}. "
            "Organic growth or decline is no reason; both versions are kept.",
        )


def policy_of(stated: BaseYear | None) -> Policy:
    """Return the plant's policy, with the defaults for what the plant file leaves out.

    Examples
    --------
    >>> policy_of(None).threshold_fraction
    0.05
    """
    given = stated or BaseYear()
    threshold = given.threshold_fraction
    triggers = given.triggers or tuple(defaults()["triggers"]["value"])
    return Policy(float(defaults()["threshold_fraction"]["value"] if threshold is None else threshold), triggers)


@dataclass(frozen=True, slots=True)
class TriggerLine:
    """What one trigger does to the base year: grams, share of its total, whether that alone exceeds the threshold."""

    trigger: Trigger
    emissions_gco2e: int
    change_fraction: float
    counted: bool
    exceeded: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether the base year is to be recalculated. ``change_fraction`` is that of the counted triggers together."""

    required: bool
    threshold_fraction: float
    change_fraction: float
    lines: tuple[TriggerLine, ...]


def assess(filed_gco2e: int, by_cause: Mapping[Cause, int], policy: Policy) -> Assessment:
    """Return whether the changes of the base year's own figure reach the threshold.

    Required when one counted trigger alone, or all of them together, changes the total by more than the threshold; two
    that cancel out do not hide each other. A base year of zero is recalculated on any change.

    Examples
    --------
    >>> policy = Policy(0.05, ("structure", "method", "error"))
    >>> assess(100_000, {"data": 4_000, "boundary": 0, "method": 0, "factor": 2_000}, policy).required
    True
    >>> assess(100_000, {"data": 5_000, "boundary": 0, "method": 0, "factor": 0}, policy).required
    False
    """
    amounts: dict[Trigger, int] = dict.fromkeys(TRIGGERS, 0)
    for cause, amount in by_cause.items():
        amounts[TRIGGER_OF[cause]] += amount
    lines = []
    for trigger, amount in amounts.items():
        counted = trigger in policy.triggers
        change = _fraction(amount, filed_gco2e)
        lines.append(TriggerLine(trigger, amount, change, counted, counted and abs(change) > policy.threshold_fraction))
    together = _fraction(sum(line.emissions_gco2e for line in lines if line.counted), filed_gco2e)
    required = abs(together) > policy.threshold_fraction or any(line.exceeded for line in lines)
    return Assessment(required, policy.threshold_fraction, together, tuple(lines))


def _fraction(amount: int, total: int) -> float:
    if total:
        return amount / total
    return float("inf") if amount else 0.0
