"""A rule book as criteria: what is asked, how it is measured, what counts as met, and which grade follows.

EvaluationBook ─┬─ Dimension      a heading with its points
                ├─ Criterion ─── Form (indicator + parameters + unit) ── Threshold (base, lead)
                ├─ Derived        an indicator that the book itself defines by a formula over others
                ├─ Scoring        how points add up to a score
                └─ Grade          what score and which criteria it takes

A threshold is a number with its source, date and status, or it is blank; a blank one stays blank until the user enters it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zerofactory.errors import NotFound, Text
from zerofactory.standards.model import Citation, StandardStatus

CriterionKind = Literal["mandatory", "scored", "optional", "info"]
Preference = Literal["positive", "negative"]
Proof = Literal["book", "document"]
Provenance = Literal["verified", "expert"]
ThresholdStatus = Literal["verified", "secondary", "placeholder", "proposal", "stated"]
Parameter = str | float

KINDS: Mapping[str, Text] = {
    "mandatory": Text("必备", "mandatory"),
    "scored": Text("评分", "scored"),
    "optional": Text("可选", "optional"),
    "info": Text("说明", "information"),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of a rule, in ``unit``, with where it is from, its date and how well it was read."""

    value: float
    unit: str
    source: str
    date: str
    status: ThresholdStatus


@dataclass(frozen=True, slots=True)
class Form:
    """One way to measure a criterion: an indicator with its parameters, and the unit that comes out."""

    indicator: str
    parameters: Mapping[str, Parameter]
    unit: str


@dataclass(frozen=True, slots=True)
class Condition:
    """When a criterion applies: the plant has a shop of a kind, or an amount of the book lies in ``at_least <= x < below``."""

    shop: str = ""
    amount: str = ""
    at_least: float = -math.inf
    below: float = math.inf


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing asked.

    Parameters
    ----------
    kind : mandatory criteria are vetoes; scored ones give points; optional and info ones decide nothing.
    dimension : id of the heading it counts under; empty in books without headings.
    weight : points; None where the rule's weights were not seen.
    direction : whether more (positive) or less (negative) is better; None where no number is compared.
    base, lead : 基准值 and 引领值; both None: blank. ``base_text`` and ``lead_text`` are what the rule says in words.
    strict : the value must be better than the threshold, not equal to it.
    forms : ways to measure it; the first is used unless a threshold in the unit of another is entered.
    proof : ``book``: the sealed book proves it; ``document``: somebody attests it with a file.
    evidence : what is to be shown.
    rationale : why it is asked and weighed so (our own books).
    """

    id: str
    clause: str
    title: Text
    kind: CriterionKind
    dimension: str
    weight: float | None
    direction: Preference | None
    base: Threshold | None
    lead: Threshold | None
    strict: bool
    base_text: str
    lead_text: str
    forms: tuple[Form, ...]
    formula: str
    proof: Proof
    evidence: str
    applies: Condition
    source_ref: str
    provenance: Provenance
    note: str
    rationale: Text

    @property
    def unit(self) -> str:
        """Unit of the first form; empty where nothing is measured."""
        return self.forms[0].unit if self.forms else ""


@dataclass(frozen=True, slots=True)
class Derived:
    """An indicator that a rule book defines: a formula with + - * / min max over amounts and other indicators."""

    id: str
    title: Text
    unit: str
    formula: str
    reference: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """A heading of a book and its points (None where unknown)."""

    id: str
    title: Text
    points: float | None


@dataclass(frozen=True, slots=True)
class Scoring:
    """How points become a score.

    ``rule``: ``linear`` points grow in a straight line from base to lead; ``none`` nothing is scored. ``full_points`` is what
    all weights add up to. ``renormalise``: criteria that do not apply leave the score, and the others are scaled up.
    """

    rule: Literal["linear", "none"]
    full_points: float | None
    renormalise: bool
    source_ref: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade: the least score (None: no score is asked, or its value is blank) and the criteria that must be met.

    ``scored`` says that a score is part of the rule; with ``minimum`` None the grade then stays undecided. ``all_mandatory``:
    every mandatory criterion must be met as well; otherwise those of ``requires`` alone.
    """

    id: str
    title: Text
    minimum: Threshold | None
    scored: bool
    requires: tuple[str, ...]
    all_mandatory: bool
    source_ref: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class EvaluationBook:
    """A rule book that can be evaluated. Grades stand from the lowest to the highest.

    ``proposal`` marks books of our own that no body has issued; ``successor`` is the id of the book that replaces it.
    """

    id: str
    title: Text
    publisher: Text
    edition: str
    status: StandardStatus
    effective: str
    proposal: bool
    successor: str
    citations: tuple[Citation, ...]
    notes: tuple[Text, ...]
    dimensions: tuple[Dimension, ...]
    criteria: tuple[Criterion, ...]
    derived: tuple[Derived, ...]
    scoring: Scoring
    grades: tuple[Grade, ...]
    file: str = ""

    def criterion(self, criterion_id: str) -> Criterion:
        """Return one criterion; raise `NotFound` with the choices otherwise."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        choices = [criterion.id for criterion in self.criteria]
        raise NotFound(Text(f"{self.title.zh}的条款", f"criterion of {self.id}"), criterion_id, choices)
