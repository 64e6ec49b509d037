"""Evaluate a closed period against rule books: findings, score, grade, confidence, and the gap to the next grade."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.evaluation.amount import Amount, Facts
from zerofactory.evaluation.assess import Case, Evaluation, assess
from zerofactory.evaluation.attestation import Attestation, attested_amounts, newest
from zerofactory.evaluation.attestation_table import ATTESTATIONS
from zerofactory.evaluation.confidence import draw
from zerofactory.evaluation.gather import FUNCTIONS, facts_of
from zerofactory.evaluation.rules import Rules, rules_of
from zerofactory.evaluation.thresholds import FILE, Stated, read_thresholds, with_thresholds
from zerofactory.notation import text_of
from zerofactory.periods import Period
from zerofactory.planning.facts import PLAN_TASKS, PLANS
from zerofactory.runs.context import Context
from zerofactory.runs.evaluation_book import book_of
from zerofactory.standards.criteria import evaluation_book, evaluation_names, read_evaluation
from zerofactory.standards.criterion import EvaluationBook

OWN_FOLDER = "standards"
SHA256 = re.compile(r"[0-9a-f]{64}")
DEFAULTS = {"claim_number": 1.0, "credits_retired": 0.0, **{f"function@{number}": 0.0 for number in FUNCTIONS}}


@dataclass(frozen=True, slots=True)
class Library:
    """The packaged books and those of the workspace, with the thresholds that the plant entered."""

    own: dict[str, tuple[EvaluationBook, str]]
    stated: tuple[Stated, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of all books, sorted."""
        return tuple(sorted({*evaluation_names(), *self.own}))

    @property
    def packaged(self) -> tuple[EvaluationBook, ...]:
        """The books that come with the program."""
        return tuple(evaluation_book(name) for name in evaluation_names())

    def rules(self, name: str) -> Rules:
        """Return one book, checked, with the entered thresholds; raise `NotFound` with the choices, `FaultyData` with faults."""
        if name not in self.names:
            raise NotFound(Text("评价标准", "standard for evaluation"), name, self.names)
        book, content = self.own[name] if name in self.own else (evaluation_book(name), "")
        return rules_of(with_thresholds(book, self.stated), content)


def library(folder: Path | None) -> Library:
    """Return the books there are; raise `FaultyData` with every fault of the workspace's own files."""
    own: dict[str, tuple[EvaluationBook, str]] = {}
    problems: list[Problem] = []
    for path in sorted((folder / OWN_FOLDER).glob("*.yaml")) if folder else []:
        file = f"{OWN_FOLDER}/{path.name}"
        try:
            content = _text(path, file)
            if path.stem in evaluation_names():
                raise FaultyData([_taken(path.stem, file)])
            own[path.stem] = (read_evaluation(path.stem, content, file), content)
        except FaultyData as fault:
            problems += fault.problems
    stated: tuple[Stated, ...] = ()
    names = sorted({*evaluation_names(), *own})
    if folder and (folder / FILE).is_file():
        try:
            stated = read_thresholds(_text(folder / FILE, FILE), names)
        except FaultyData as fault:
            problems += fault.problems
    if problems:
        raise FaultyData(problems)
    return Library(own, stated)


def _text(path: Path, file: str) -> str:
    return text_of(path.read_bytes(), file, "evaluation.not_utf8")


def _taken(name: str, file: str) -> Problem:
    said = Text(f"标准“{name}”已随程序提供。", f"The standard '{name}' comes with the program.")
    hint = Text(
        "请换一个文件名; 只改限值请用 thresholds.toml。",
        "Name the file differently; for thresholds alone use thresholds.toml.",
    )
    return Problem("evaluation.repeated", said, hint, file=file)


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What every book of one run is evaluated on."""

    library: Library
    case: Case


def gather(context: Context, period: Period, confident: bool = True) -> Gathered:
    """Return the facts and attestations of a period, with draws unless no confidence is asked.

    Raises
    ------
    FaultyData
        A month is not closed, or a file of the workspace is at fault.
    """
    books = library(context.workspace.folder)
    said = {**_tasks_done(context, books), **attestations(context, period)}
    on = context.today
    amounts = {name: amount for name, amount in attested_amounts(said, on).items() if "/" not in name}
    booked = facts_of(book_of(context, period)).with_amounts(_targets(context))
    facts = booked.with_amounts(amounts).with_amounts(_defaults())
    return Gathered(books, Case(facts, said, on, draw(facts) if confident else None))


def _targets(context: Context) -> dict[str, Amount]:
    """Return what a plan in force says about targets; the planner's libraries are loaded only where there is a plan."""
    if context.workspace.journal.rows(PLANS).is_empty():
        return {}
    from zerofactory.runs.evaluate_plan import target_amounts

    return target_amounts(context)


def _defaults() -> dict[str, Amount]:
    """Return what holds where nobody has said otherwise: the first neutrality period, nothing retired, no function in use."""
    return {name: Amount(value) for name, value in DEFAULTS.items()}


def attestations(context: Context, period: Period) -> dict[str, Attestation]:
    """Return the newest attestation of every subject that speaks about a period, its file looked up in the evidence store."""
    workspace = context.workspace
    rows = workspace.journal.active(ATTESTATIONS, {"period": [period.label]}).to_dicts()
    kept = {digest for row in rows if (digest := row["evidence"]) and _is_kept(context, digest)}
    return newest(rows, kept)


def _tasks_done(context: Context, books: Library) -> dict[str, Attestation]:
    """Return criteria that a finished task of the plan's checklists shows, where its evidence is a file that is kept."""
    if context.workspace.journal.rows(PLAN_TASKS).is_empty():
        return {}
    from zerofactory.runs.plan import tasks

    done = [task for task in tasks(context) if task.state == "done" and task.item]
    found = {}
    for task in done:
        kept = [digest for digest in task.evidence if _is_kept(context, digest)]
        actor = task.history[-1][2] if task.history else ""
        for book in books.packaged if kept else ():
            if any(criterion.id == task.item for criterion in book.criteria):
                subject = f"{book.id}/{task.item}"
                text = f"{task.title.zh} {task.title.en}"
                found[subject] = Attestation(
                    task.id, subject, "met", None, None, 0.0, kept[-1], f"task {task.id}", None, text, actor
                )
    return found


def _is_kept(context: Context, digest: str) -> bool:
    from zerofactory.store.files import sha256_of

    if not SHA256.fullmatch(digest):
        return False
    try:
        return sha256_of(context.workspace.evidence.find(digest)) == digest
    except NotFound:
        return False


def evaluate(gathered: Gathered, standard: str) -> Evaluation:
    """Return the evaluation under one book."""
    return assess(gathered.library.rules(standard), gathered.case)


def evaluate_all(gathered: Gathered) -> tuple[Evaluation, ...]:
    """Return the evaluation under every book."""
    return tuple(evaluate(gathered, name) for name in gathered.library.names)


def facts_as_json(facts: Facts) -> dict[str, object]:
    """Return the facts as plain JSON values."""
    return {
        name: {"value": amount.value, "half_width": amount.half_width, "origin": amount.origin}
        for name, amount in sorted(facts.amounts.items())
    }


def as_json(found: Evaluation) -> dict[str, object]:
    """Return an evaluation as plain JSON values."""
    book = found.book
    grade = found.grade
    return {
        "standard": book.id,
        "title": {"zh": book.title.zh, "en": book.title.en},
        "edition": book.edition,
        "status": book.status,
        "proposal": book.proposal,
        "successor": book.successor or None,
        "period": found.period,
        "passed": found.passed,
        "grade": grade.id if grade else None,
        "score": _score_json(found),
        "grades": [
            {
                "id": one.grade.id,
                "title": {"zh": one.grade.title.zh, "en": one.grade.title.en},
                "outcome": one.outcome,
                "open": list(one.open),
                "probability": one.probability,
            }
            for one in found.grades
        ],
        "findings": [finding.row() for finding in found.findings],
    }


def _score_json(found: Evaluation) -> dict[str, object] | None:
    if found.score is None:
        return None
    headings = [
        {
            "id": one.id,
            "title": {"zh": one.title.zh, "en": one.title.en},
            "points": one.points,
            "possible": one.possible,
            "undecided": one.undecided,
        }
        for one in found.score.dimensions
    ]
    return {"points": found.score.points, "full": found.score.full, "most": found.score.most, "dimensions": headings}


def listed(folder: Path | None) -> Sequence[EvaluationBook]:
    """Return every book there is, those of a workspace included."""
    books = library(folder)
    return [books.own[name][0] if name in books.own else evaluation_book(name) for name in books.names]


def book_as_json(book: EvaluationBook) -> dict[str, object]:
    """Return what a book is as plain JSON values."""
    return {
        "id": book.id,
        "title": {"zh": book.title.zh, "en": book.title.en},
        "edition": book.edition,
        "status": book.status,
        "effective": book.effective,
        "proposal": book.proposal,
        "successor": book.successor or None,
        "criteria": len(book.criteria),
        "grades": [grade.id for grade in book.grades],
    }
