"""Alignment: which rules of a framework the targets of a plan meet, and what is missing. Computed from the pathways, never claimed.

It is a self-check; validation is the framework's own act. Rules that need a number nobody has read are left open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zerofactory.errors import Text
from zerofactory.planning.commitment import Head
from zerofactory.planning.framework import Framework, Rule, framework
from zerofactory.planning.pathway import Base, Pathway
from zerofactory.planning.target import SCOPES, required_reduction


@dataclass(frozen=True, slots=True)
class Check:
    """One rule against the plan: met, not met, or open (None) where it cannot be told from targets."""

    framework: str
    rule: Rule
    met: bool | None
    detail: Text


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rules look at."""

    head: Head
    base: Base
    ways: Sequence[Pathway]

    def on(self, *scopes: str) -> list[Pathway]:
        return [way for way in self.ways if way.target.scope in scopes]

    @property
    def scope_3_fraction(self) -> float:
        whole = self.base.total((1, 2, 3))
        return self.base.total((3,)) / whole if whole else 0.0

    def covered(self, scopes: tuple[int, ...]) -> float:
        """Return the share of base-year grams of scopes that lie under at least one target."""
        cells = {key: grams for key, grams in self.base.cells.items() if key[0] in scopes}
        inside = sum(
            grams
            for (scope, _, category), grams in cells.items()
            if any(
                scope in SCOPES[way.target.scope] and (not way.target.categories or category in way.target.categories)
                for way in self.ways
            )
        )
        whole = sum(cells.values())
        return inside / whole if whole else 1.0


def checks(names: Sequence[str], head: Head, base: Base, ways: Sequence[Pathway]) -> tuple[Check, ...]:
    """Return the checks of some frameworks, rule by rule, in the order of their files."""
    facts = _Facts(head, base, ways)
    found = []
    for name in names:
        book: Framework = framework(name)
        for rule in book.rules:
            look = _LOOKS.get(f"{name}.{rule.id}")
            if look is not None:
                met, detail = look(facts, rule)
                found.append(Check(name, rule, met, detail))
    return tuple(found)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _coverage_12(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    share = facts.covered((1, 2))
    return share >= rule.number("coverage_fraction"), Text(f"覆盖 {_percent(share)}", f"covers {_percent(share)}")


def _coverage_3(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    part = facts.scope_3_fraction
    if part < rule.number("threshold_fraction"):
        return True, Text(f"范围3 占 {_percent(part)}, 不要求", f"scope 3 is {_percent(part)}: not asked")
    share = facts.covered((3,))
    detail = Text(
        f"范围3 占 {_percent(part)}, 覆盖 {_percent(share)}", f"scope 3 is {_percent(part)}, covered {_percent(share)}"
    )
    return share >= rule.number("coverage_fraction"), detail


def _contraction(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    annual, latest = rule.number("annual_fraction"), rule.latest_base_year or facts.base.year
    near = [way for way in facts.on("1+2", "all") if way.target.target_year <= facts.head.first_year + 10]
    if not near:
        return False, Text("没有十年内的范围1+2 目标", "no target on scopes 1 and 2 within ten years")
    best = max(near, key=lambda way: way.reduction_fraction)
    wanted = required_reduction(annual, facts.base.year, best.target.target_year, latest)
    detail = Text(
        f"{best.target.id}: {_percent(best.reduction_fraction)}, 至少 {_percent(wanted)}",
        f"{best.target.id}: {_percent(best.reduction_fraction)}, at least {_percent(wanted)}",
    )
    return best.reduction_fraction >= wanted - 1e-9, detail


def _near_term(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    low, high = (rule.years[0], rule.years[-1]) if len(rule.years) > 1 else (1, rule.years[0])
    ahead = sorted(way.target.target_year - facts.base.year for way in facts.ways)
    listed = ", ".join(str(years) for years in ahead) or "-"
    met = any(low <= years <= high for years in ahead)
    return met, Text(f"期限 {listed} 年, 要求 {low}-{high}", f"horizons {listed} years, asked {low}-{high}")


def _long_term(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    wanted, by = rule.number("reduction_fraction"), rule.by_year or 2050
    deep = [way for way in facts.ways if way.reduction_fraction >= wanted - 1e-9 and way.target.target_year <= by]
    scopes = {scope for way in deep if not way.target.categories for scope in SCOPES[way.target.scope]}
    needed = {1, 2} | ({3} if facts.scope_3_fraction >= rule.number("threshold_fraction") else set())
    missing = ", ".join(str(scope) for scope in sorted(needed - scopes))
    if not missing:
        return True, Text(f"{by} 年前至少减 {_percent(wanted)}", f"at least {_percent(wanted)} by {by}")
    return False, Text(f"范围 {missing} 没有长期目标", f"no long-term target on scope {missing}")


def _own(scope: str) -> Callable[[_Facts, Rule], tuple[bool, Text]]:
    def look(facts: _Facts, _rule: Rule) -> tuple[bool, Text]:
        own = [way.target.id for way in facts.on(scope)]
        if own:
            return True, Text(f"有: {', '.join(own)}", f"there is {', '.join(own)}")
        return False, Text(f"范围{scope} 没有单独的目标", f"scope {scope} has no target of its own")

    return look


def _peak(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    by = rule.by_year or 2030
    limits = [limit for way in facts.on("1+2", "all") if (limit := way.limit(by)) is not None]
    whole = facts.base.total((1, 2))
    met = bool(limits) and min(limits) <= whole
    return met, Text(f"{by} 年限值不高于基准年", f"the limit of {by} is not above the base year") if met else Text(
        f"没有 {by} 年前的范围1+2 目标", f"no target on scopes 1 and 2 by {by}"
    )


def _neutral(facts: _Facts, rule: Rule) -> tuple[bool, Text]:
    by, own = rule.by_year or 2060, facts.head.neutral_year
    if own is None:
        return False, Text("没有中和年份", "no neutral year")
    return own <= by, Text(f"中和年份 {own}", f"neutral from {own}")


_LOOKS: Mapping[str, Callable[[_Facts, Rule], tuple[bool, Text]]] = {
    "sbti_v1.coverage_12": _coverage_12,
    "sbti_v1.coverage_3_near": _coverage_3,
    "sbti_v1.aca_1_5c": _contraction,
    "sbti_v1.near_term": _near_term,
    "sbti_v1.long_term": _long_term,
    "sbti_v2.cycle": _near_term,
    "sbti_v2.scope_1": _own("1"),
    "sbti_v2.scope_2": _own("2"),
    "sbti_v2.scope_3": _own("3"),
    "cn_dual_carbon.peak_2030": _peak,
    "cn_dual_carbon.neutral_2060": _neutral,
}
