"""Assess: criteria → findings → mandatory all pass → score → grade.

    a criterion applies?   no → not applicable
    measured by the book?  the indicator's value against base (or lead) → met, not met; no value or no threshold → unknown
    shown by a document?   attested with a file that is still kept and valid → met; otherwise → not met
    points                 weight × (x − base) / (lead − base), kept between 0 and 1; unknown criteria get none

A grade is reached when nothing mandatory is open, every criterion that it asks for is met and the score is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from zerofactory.accounting.spread import Floats
from zerofactory.errors import Text
from zerofactory.evaluation.amount import Facts
from zerofactory.evaluation.attestation import Attestation
from zerofactory.evaluation.confidence import CLOSE, Draws, keeps
from zerofactory.evaluation.finding import Finding
from zerofactory.evaluation.judge import Judgement, judge, points
from zerofactory.evaluation.rules import Rules
from zerofactory.standards.criterion import Criterion, Dimension, EvaluationBook, Grade

Outcome = Literal["reached", "missed", "undecided"]


@dataclass(frozen=True, slots=True)
class Case:
    """What a book is evaluated on: the facts, what people attested, the day that counts, and draws where confidence is asked."""

    facts: Facts
    attestations: Mapping[str, Attestation]
    on: date
    draws: Draws | None = None


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """Points of one heading: reached, possible (of what applies) and undecided (no data or no threshold)."""

    id: str
    title: Text
    points: float
    possible: float
    undecided: float


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a book. ``points`` of ``full``; ``most`` is what it would be if everything undecided gave full points."""

    points: float
    full: float
    most: float
    dimensions: tuple[DimensionScore, ...]


@dataclass(frozen=True, slots=True)
class GradeResult:
    """Whether a grade is reached, why not, and how probable it is (None without draws, or while it is undecided)."""

    grade: Grade
    outcome: Outcome
    open: tuple[str, ...]
    probability: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result. ``passed`` says that every mandatory criterion is met; None that one is undecided or that none applies."""

    book: EvaluationBook
    period: str
    findings: tuple[Finding, ...]
    passed: bool | None
    score: Score | None
    grades: tuple[GradeResult, ...]
    judged: tuple[Judgement, ...]

    @property
    def grade(self) -> Grade | None:
        """The highest grade reached."""
        return next((result.grade for result in reversed(self.grades) if result.outcome == "reached"), None)

    @property
    def next_grade(self) -> GradeResult | None:
        """The lowest grade that is not reached and stands above the one that is."""
        reached = self.grade
        above = list(self.grades)
        while reached is not None and above and above[0].grade is not reached:
            above.pop(0)
        return next((result for result in above if result.outcome != "reached"), None)


def assess(rules: Rules, case: Case) -> Evaluation:
    """Return the evaluation of a book."""
    judged = tuple(judge(rules, criterion, case) for criterion in rules.book.criteria if criterion.kind != "info")
    score = _score(rules.book, judged)
    return Evaluation(
        book=rules.book,
        period=case.facts.period,
        findings=tuple(one.finding for one in judged),
        passed=_passed(judged),
        score=score,
        grades=tuple(_grade(grade, rules.book, judged, score) for grade in rules.book.grades),
        judged=judged,
    )


def _passed(judged: Sequence[Judgement]) -> bool | None:
    verdicts = {one.finding.verdict for one in judged if one.criterion.kind == "mandatory"}
    if "not_met" in verdicts:
        return False
    return True if "met" in verdicts and "unknown" not in verdicts else None


def _scored(judged: Sequence[Judgement], dimension: str | None = None) -> list[Judgement]:
    return [
        one
        for one in judged
        if one.criterion.kind == "scored"
        and one.criterion.weight is not None
        and (dimension is None or one.criterion.dimension == dimension)
    ]


def _score(book: EvaluationBook, judged: Sequence[Judgement]) -> Score | None:
    """Return the score; None where the rule gives no weights."""
    if book.scoring.rule == "none" or not _scored(judged):
        return None
    headings = book.dimensions or (Dimension("", Text("全部", "all"), book.scoring.full_points),)
    dimensions = tuple(_dimension(one, _scored(judged, one.id)) for one in headings)
    full = book.scoring.full_points or math.fsum(one.possible for one in dimensions)
    points = total_points(book, {one.criterion.id: one.finding.points or 0.0 for one in _scored(judged)}, judged)
    best = {one.criterion.id: _best(one) for one in _scored(judged)}
    return Score(points, full, total_points(book, best, judged), dimensions)


def _best(one: Judgement) -> float:
    """Return the points of a criterion, full points where it is undecided."""
    return (one.criterion.weight or 0.0) if one.finding.verdict == "unknown" else (one.finding.points or 0.0)


def _dimension(heading: Dimension, judged: Sequence[Judgement]) -> DimensionScore:
    applicable = [one for one in judged if one.finding.verdict != "not_applicable"]
    return DimensionScore(
        heading.id,
        heading.title,
        math.fsum(one.finding.points or 0.0 for one in applicable),
        math.fsum(one.criterion.weight or 0.0 for one in applicable),
        math.fsum(one.criterion.weight or 0.0 for one in applicable if one.finding.verdict == "unknown"),
    )


def total_points(book: EvaluationBook, points: Mapping[str, float], judged: Sequence[Judgement]) -> float:
    """Return the score of a book from the points of its criteria.

    Without ``renormalise`` the points are added. With it a heading keeps its points although some of its criteria do not
    apply: points reached / points possible × points of the heading; a heading without any that applies leaves the score.
    """
    if not book.scoring.renormalise:
        return math.fsum(points.values())
    parts: list[tuple[float, float]] = []
    for heading in book.dimensions:
        own = [one for one in _scored(judged, heading.id) if one.finding.verdict != "not_applicable"]
        possible = math.fsum(one.criterion.weight or 0.0 for one in own)
        if possible:
            whole = heading.points or possible
            parts.append((math.fsum(points[one.criterion.id] for one in own) / possible * whole, whole))
    whole = math.fsum(part for _, part in parts)
    full = book.scoring.full_points or whole
    return math.fsum(part for part, _ in parts) * full / whole if whole else 0.0


def _grade(grade: Grade, book: EvaluationBook, judged: Sequence[Judgement], score: Score | None) -> GradeResult:
    """Return whether a grade is reached: missed as soon as one thing is certainly missing, undecided while one is open."""
    asked = [
        one
        for one in judged
        if one.criterion.id in grade.requires or (one.criterion.kind == "mandatory" and grade.all_mandatory)
    ]
    missed = [one.criterion.id for one in asked if one.finding.verdict == "not_met"]
    undecided = [one.criterion.id for one in asked if one.finding.verdict == "unknown"]
    if grade.minimum is not None and score is not None:
        least = grade.minimum.value
        if score.points < least and not math.isclose(score.points, least, rel_tol=CLOSE):
            (missed if score.most < least else undecided).append("score")
    elif grade.scored:
        undecided.append("minimum")
    outcome: Outcome = "missed" if missed else "undecided" if undecided else "reached"
    chance = _chance(grade, book, judged, asked) if any(one.draws is not None for one in judged) else None
    if outcome == "undecided":
        chance = None
    return GradeResult(grade, outcome, (*missed, *undecided), chance)


def _chance(grade: Grade, book: EvaluationBook, judged: Sequence[Judgement], asked: Sequence[Judgement]) -> float:
    """Return the share of draws in which a grade is reached; what is unknown counts as not met and gives no points."""
    kept: Floats = np.ones(1)
    for one in asked:
        kept = kept * one.kept
    if grade.minimum is not None:
        total = _drawn_score(book, judged)
        kept = kept * keeps(total, grade.minimum.value, "positive")
    return float(np.mean(kept))


def _drawn_score(book: EvaluationBook, judged: Sequence[Judgement]) -> Floats:
    """Return the score in every draw; a criterion's points are linear in the total, so shares are taken once."""
    total: Floats = np.zeros(1)
    zero = {one.criterion.id: 0.0 for one in _scored(judged)}
    for one in _scored(judged):
        share = total_points(book, {**zero, one.criterion.id: 1.0}, judged)
        total = total + one.drawn_points * share
    return total


def points_of(criterion: Criterion, value: float) -> float | None:
    """Return the points of a value: weight × (x − base)/(lead − base) between 0 and 1; None where a threshold is blank.

    GB/T 36132-2025, 5: at or better than 引领值 full points, worse than 基准值 none, a straight line between.
    """
    found = points(criterion, np.array([value]))
    return None if found is None else float(found[0])
