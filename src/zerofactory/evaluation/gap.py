"""Gap: what is missing for the next grade, as limits that a plan can take, and as things that only people can bring.

to measure     criteria below their threshold: indicator, value now, value wanted          → limits
to score       the fewest criteria that give the missing points, largest first, the last only as far as needed → limits
to show        evidence that nobody has attested, data and thresholds that nobody has entered
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from zerofactory.errors import Text
from zerofactory.evaluation.assess import Evaluation, total_points
from zerofactory.evaluation.confidence import CLOSE
from zerofactory.evaluation.judge import Judgement
from zerofactory.planning.limit import Direction, Limit
from zerofactory.standards.criterion import Criterion, Form, Grade, Preference

Why = Literal["required", "score"]
DIRECTIONS: dict[Preference, Direction] = {"positive": "at_least", "negative": "at_most"}


@dataclass(frozen=True, slots=True)
class Need:
    """One figure that has to move: from ``value`` to ``limit.value``; ``points`` is what the score gains by it.

    ``lever`` is the same limit in the terms of the roadmap, None where no plan of measures steers it.
    """

    criterion: str
    title: Text
    why: Why
    value: float | None
    limit: Limit
    lever: Limit | None
    points: float


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that people have to bring: evidence, data or a threshold."""

    criterion: str
    title: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Gap:
    """What separates a plant from a grade (None: from meeting every mandatory criterion)."""

    grade: Grade | None
    needs: tuple[Need, ...]
    missing: tuple[Missing, ...]
    points_missing: float

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that the roadmap can take."""
        return tuple(need.lever for need in self.needs if need.lever is not None)


def gap(found: Evaluation) -> Gap:
    """Return the gap of an evaluation to its next grade; of a book without grades, to all of its criteria."""
    result = found.next_grade
    grade = result.grade if result else None
    asked = [one for one in found.judged if _is_asked(one, found, grade)]
    needs = [need for one in asked if (need := _required(one)) is not None]
    missing = [
        Missing(one.criterion.id, one.criterion.title, one.finding.reason)
        for one in asked
        if one.finding.verdict in ("not_met", "unknown") and _required(one) is None
    ]
    points = _points_missing(found, grade)
    if points > 0.0:
        chosen, undecided = _for_score(found, points)
        taken = {need.criterion for need in needs}
        needs += [need for need in chosen if need.criterion not in taken]
        missing += [one for one in undecided if one.criterion not in {entry.criterion for entry in missing}]
    return Gap(grade, tuple(needs), tuple(missing), points)


def _points_missing(found: Evaluation, grade: Grade | None) -> float:
    """Return the points up to the grade's least score; of a scored book without grades, up to full points."""
    if found.score is None:
        return 0.0
    if grade is not None:
        return max(0.0, grade.minimum.value - found.score.points) if grade.minimum else 0.0
    return max(0.0, found.score.full - found.score.points) if not found.book.grades else 0.0


def _is_asked(one: Judgement, found: Evaluation, grade: Grade | None) -> bool:
    if grade is None:
        return one.criterion.kind == "mandatory" or (one.criterion.kind == "scored" and one.finding.weight is None)
    return one.criterion.id in grade.requires or (one.criterion.kind == "mandatory" and grade.all_mandatory)


def _required(one: Judgement) -> Need | None:
    """Return the need of a criterion that is measured and below its threshold."""
    criterion, finding = one.criterion, one.finding
    limit = criterion.base or criterion.lead
    if finding.verdict != "not_met" or finding.indicator is None or limit is None or not criterion.forms:
        return None
    return _need(criterion, finding.value, limit.value, ("required", 0.0), limit.source)


def _need(criterion: Criterion, now: float | None, wanted: float, why: tuple[Why, float], source: str) -> Need:
    form = criterion.forms[0]
    direction = DIRECTIONS[criterion.direction or "positive"]
    limit = Limit(form.indicator, wanted, form.unit, direction, criterion.title, None, source)
    return Need(criterion.id, criterion.title, why[0], now, limit, steered(form, limit), why[1])


def _for_score(found: Evaluation, points: float) -> tuple[list[Need], list[Missing]]:
    """Return the fewest criteria that bring the missing points, and what is undecided because nobody said it."""
    scored = [one for one in found.judged if one.criterion.kind == "scored" and one.criterion.weight is not None]
    zero = {one.criterion.id: 0.0 for one in scored}
    worth = {
        one.criterion.id: total_points(found.book, {**zero, one.criterion.id: 1.0}, found.judged) for one in scored
    }
    levers = [one for one in scored if _can_move(one)]
    levers.sort(key=lambda one: (-_room(one) * worth[one.criterion.id], one.criterion.id))
    left, needs = points, []
    for one in levers:
        if left <= points * CLOSE:
            break
        gain = min(left, _room(one) * worth[one.criterion.id])
        share = ((one.finding.points or 0.0) + gain / worth[one.criterion.id]) / (one.criterion.weight or 1.0)
        needs.append(_scored_need(one, min(1.0, share), gain))
        left -= gain
    undecided = [
        Missing(one.criterion.id, one.criterion.title, one.finding.reason)
        for one in scored
        if one.finding.verdict == "unknown" or (one.finding.verdict == "not_met" and not _can_move(one))
    ]
    return needs, undecided if left > points * CLOSE and points > 0.0 else []


def _can_move(one: Judgement) -> bool:
    criterion = one.criterion
    measured = one.finding.value is not None and one.finding.verdict in ("met", "not_met")
    room = _room(one) > CLOSE * (criterion.weight or 1.0)
    return bool(criterion.forms and criterion.base and criterion.lead and measured and room)


def _room(one: Judgement) -> float:
    return (one.criterion.weight or 0.0) - (one.finding.points or 0.0)


def _scored_need(one: Judgement, share: float, gain: float) -> Need:
    """Return the value at which a criterion gives a share of its weight: base + share × (lead − base)."""
    base, lead = one.criterion.base, one.criterion.lead
    low, high = (base.value if base else math.nan), (lead.value if lead else math.nan)
    wanted = high if math.isclose(share, 1.0) else low + share * (high - low)
    return _need(one.criterion, one.finding.value, wanted, ("score", gain), lead.source if lead else "")


@lru_cache(maxsize=1)
def _steering() -> tuple[dict[str, str], ...]:
    text = (files("zerofactory.evaluation") / "steering.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def steered(form: Form, limit: Limit) -> Limit | None:
    """Return a limit in the terms of the roadmap (`planning.lever`), None where it cannot steer by the indicator.

    Examples
    --------
    >>> limit = Limit("energy_intensity", 0.15, "tce/vehicle", "at_most", Text("能耗", "energy"))
    >>> steered(Form("energy_intensity", {"per": "vehicles"}, "tce/vehicle"), limit).value
    150.0
    """
    for row in _steering():
        if row["indicator"] == form.indicator and str(form.parameters.get(row["parameter"], "")) == row["value"]:
            unit = _unit_of(row["lever"])
            return Limit(
                row["lever"], limit.value * float(row["scale"]), unit, limit.direction, limit.title, None, limit.source
            )
    return None


def _unit_of(lever: str) -> str:
    from zerofactory.planning.lever import lever as lever_of

    return lever_of(lever).unit


def summary(needs: Sequence[Need]) -> Text:
    """Return how many figures have to move and how many of them a plan of measures can steer, in words."""
    steerable = sum(need.lever is not None for need in needs)
    return Text(
        f"须改进 {len(needs)} 项数值, 其中 {steerable} 项可由路线图求解。",
        f"{len(needs)} figures have to move; the roadmap can steer {steerable} of them.",
    )
