"""Facts and books made by hand, for the tests of evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from zerofactory.evaluation.amount import Amount, Facts
from zerofactory.evaluation.assess import Case, Evaluation, assess
from zerofactory.evaluation.attestation import Attestation
from zerofactory.evaluation.confidence import draw
from zerofactory.evaluation.rules import rules_of
from zerofactory.evaluation.thresholds import read_thresholds, with_thresholds
from zerofactory.standards.criteria import evaluation_book, evaluation_names

DAY = date(2026, 6, 1)


def facts(
    values: Mapping[str, float], half_widths: Mapping[str, float] | None = None, shops: tuple[str, ...] = ()
) -> Facts:
    """Return facts of plain values; ``half_widths`` are relative, each amount on a part of its own."""
    wide = half_widths or {}
    amounts = {
        name: Amount(value, {f"meter:{name}": value * wide[name]} if name in wide else {})
        for name, value in values.items()
    }
    return Facts("2025", amounts, {}, frozenset(shops))


def shown(
    subject: str, state: str = "met", value: float | None = None, kept: bool = True, until: date | None = None
) -> Attestation:
    """Return an attestation with a file."""
    return Attestation(
        "A1", subject, state, value, None, 0.0, "ab" * 32, "proof.pdf", until, "因为 because", "eva", kept
    )  # type: ignore[arg-type]


def evaluated(
    name: str,
    found: Facts,
    thresholds: str = "",
    attested: tuple[Attestation, ...] = (),
    draws: int | None = None,
) -> Evaluation:
    """Return the evaluation of facts under a packaged book."""
    book = with_thresholds(evaluation_book(name), read_thresholds(thresholds, evaluation_names()))
    case = Case(found, {one.subject: one for one in attested}, DAY, draw(found, draws) if draws else None)
    return assess(rules_of(book), case)


def stated(criterion: str, unit: str, base: float | None, lead: float | None, standard: str = "gb_t_36132_2025") -> str:
    """Return an entry of thresholds.toml."""
    numbers = "".join(f"{key} = {value}\n" for key, value in (("base", base), ("lead", lead)) if value is not None)
    return (
        f'[[threshold]]\nstandard = "{standard}"\ncriterion = "{criterion}"\nunit = "{unit}"\n{numbers}'
        'source = "sector table, p. 3"\ndate = 2026-01-15\n'
    )
