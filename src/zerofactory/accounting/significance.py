"""Significance: which indirect categories must be in the inventory, and whether what is left out may be left out.

Each category is scored 1 to 5 on magnitude, influence, risk and opportunity, stakeholders and access to data; the mean against a
threshold decides (ISO 14064-1:2018, 5.2.3 and Annex H). What is quantified must be at least 95 % of what is quantified and
estimated together, and no category left out as much as 1 % (PAS 2060:2014; standards, 2). Scores and estimates are the plant's
own, in ``[boundary.significance]``; the rules are in ``significance.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.accounting.source import fault
from zerofactory.errors import Problem, Text
from zerofactory.site.model import Judgement, Significance
from zerofactory.standards.model import Category, Standard

GRAMS_PER_TONNE = 1_000_000
INDIRECT = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """One category: what it comes to (booked or estimated), its share, its score (None when nobody judged it), the verdict."""

    category: str
    title: Text
    emissions_gco2e: int
    quantified: bool
    share_fraction: float
    score: float | None
    significant: bool | None
    included: bool
    reason: Text


@dataclass(frozen=True, slots=True)
class Assessment:
    """The test of one period. ``included_fraction`` is quantified over quantified and estimated together."""

    lines: tuple[Scored, ...]
    threshold_score: float
    included_fraction: float
    problems: tuple[Problem, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing that matters is missing."""
        return not self.problems


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Mapping[str, Any]]:
    """Return the rules of the test, each with value, source and status."""
    return tomllib.loads((files("zerofactory.accounting") / "significance.toml").read_text(encoding="utf-8"))


def assess(test: Significance | None, booked_gco2e: Mapping[str, int], standard: Standard) -> Assessment:
    """Return the significance test of the indirect categories of a standard.

    Parameters
    ----------
    test : the plant's scores, None when it has stated none.
    booked_gco2e : what is booked by category id; categories without records are absent.

    Examples
    --------
    >>> from zerofactory.standards.load import standard
    >>> tested = assess(None, {"4.1": 90, "5.1": 10}, standard("iso_14064_1_2018"))
    >>> [(line.category, line.share_fraction) for line in tested.lines if line.quantified]
    [('4.1', 0.9), ('5.1', 0.1)]
    """
    judged = {entry.category: entry for entry in (test.categories if test else ())}
    threshold = rules()["threshold_score"]["value"]
    if test and test.threshold_score is not None:
        threshold = test.threshold_score
    amounts = {category.id: _amount(category.id, booked_gco2e, judged) for category in _indirect(standard)}
    whole = sum(abs(amount) for amount in amounts.values())
    lines = []
    for category in _indirect(standard):
        share = abs(amounts[category.id]) / whole if whole else 0.0
        entry = judged.get(category.id)
        score = _score(entry, share) if entry else None
        lines.append(
            Scored(
                category.id,
                category.title,
                amounts[category.id],
                category.id in booked_gco2e,
                share,
                score,
                None if score is None else score >= threshold,
                entry.included if entry else category.id in booked_gco2e,
                entry.reason if entry else Text("未判定。", "Not judged."),
            )
        )
    included = sum(abs(line.emissions_gco2e) for line in lines if line.quantified)
    fraction = included / whole if whole else 0.0
    problems = [*_unknown(judged, standard), *_faults(lines, fraction)]
    return Assessment(tuple(lines), threshold, fraction, tuple(problems))


def _indirect(standard: Standard) -> list[Category]:
    return [category for category in standard.categories if category.scope == INDIRECT]


def _amount(name: str, booked: Mapping[str, int], judged: Mapping[str, Judgement]) -> int:
    if name in booked:
        return booked[name]
    entry = judged.get(name)
    return round((entry.estimated_tco2e or 0.0) * GRAMS_PER_TONNE) if entry else 0


def _score(entry: Judgement, share: float) -> float:
    magnitude = entry.magnitude or magnitude_score(share)
    return (magnitude + entry.influence + entry.risk + entry.stakeholder + entry.data_access) / 5


def magnitude_score(share_fraction: float) -> int:
    """Return the score of a category's share.

    Examples
    --------
    >>> [magnitude_score(share) for share in (0.001, 0.02, 0.07, 0.15, 0.6)]
    [1, 2, 3, 4, 5]
    """
    bounds: list[float] = rules()["magnitude_fractions"]["value"]
    return 1 + sum(share_fraction >= bound for bound in bounds)


def _unknown(judged: Mapping[str, Judgement], standard: Standard) -> list[Problem]:
    known = [category.id for category in _indirect(standard)]
    listed = ", ".join(known)
    return [
        fault(
            "unknown_category",
            Text(
                f"重要性判定中的类别“{name}”不是间接类别。",
                f"The significance test names '{name}', no indirect category.",
            ),
            Text(f"可选: {listed}。", f"Choose one of: {listed}."),
            column="boundary.significance.categories",
        )
        for name in judged
        if name not in known
    ]


def _faults(lines: list[Scored], fraction: float) -> list[Problem]:
    """Return what a verifier would object to, as warnings: the inventory stands, its statement is incomplete."""
    problems = []
    smallest, largest = (rules()[name]["value"] for name in ("minimum_included_fraction", "largest_exclusion_fraction"))
    for line in lines:
        name = Text(f"类别 {line.category} {line.title.zh}", f"Category {line.category} {line.title.en}")
        if line.score is None and not line.quantified:
            problems.append(_warned("not_judged", name, Text("未判定重要性。", "is neither quantified nor judged.")))
        if line.significant and not line.quantified:
            problems.append(
                _warned(
                    "significant_left_out", name, Text("判为重要, 但未量化。", "is significant, yet not quantified.")
                )
            )
        if not line.quantified and line.share_fraction >= largest:
            said = Text(
                f"未量化, 估计占 {100 * line.share_fraction:.1f} %, 不小于 {100 * largest:g} %。",
                f"is left out with an estimated {100 * line.share_fraction:.1f} %, not below {100 * largest:g} %.",
            )
            problems.append(_warned("exclusion_too_large", name, said))
    if any(line.quantified for line in lines) and fraction < smallest:
        said = Text(
            f"已量化 {100 * fraction:.1f} %, 低于 {100 * smallest:g} %。",
            f"cover {100 * fraction:.1f} %, below {100 * smallest:g} %.",
        )
        problems.append(_warned("too_little_included", Text("间接类别", "The indirect categories"), said))
    return problems


def _warned(code: str, name: Text, said: Text) -> Problem:
    problem = fault(
        code,
        Text(f"{name.zh}{said.zh}", f"{name.en} {said.en}"),
        Text(
            "请量化该类别, 或在 [boundary.significance] 中说明。",
            "Quantify it, or judge it in [boundary.significance].",
        ),
    )
    return replace(problem, severity="warning")


def sentence(assessment: Assessment) -> Text:
    """Return the criteria and the outcome in one sentence, for a report."""
    left_out = [line.category for line in assessment.lines if not line.quantified]
    return Text(
        f"按规模、影响力、风险与机会、相关方、数据可得性评 1–5 分, 均值不低于 {assessment.threshold_score:g} 为重要; "
        f"已量化 {100 * assessment.included_fraction:.1f} %; 未量化类别: {'、'.join(left_out) or '无'}。",
        f"Scored 1 to 5 on magnitude, influence, risk and opportunity, stakeholders and access to data; significant from a mean of "
        f"{assessment.threshold_score:g}; {100 * assessment.included_fraction:.1f} % is quantified; left out: "
        f"{', '.join(left_out) or 'none'}.",
    )
