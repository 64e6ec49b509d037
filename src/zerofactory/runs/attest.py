"""Attest: a named person says that a criterion is met, or how large an amount is, with the file that shows it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.evaluation.amount import kind_of
from zerofactory.evaluation.attestation import WITHOUT_FILE, amount_faults, no_file
from zerofactory.evaluation.attestation_table import ATTESTATIONS
from zerofactory.evaluation.quotient import convert, ratio
from zerofactory.periods import Period
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.evaluate import library
from zerofactory.standards.criterion import Criterion
from zerofactory.store.schema import RUNS

VERDICTS = ("met", "not_met", "not_applicable")


@dataclass(frozen=True, slots=True)
class Said:
    """What is attested: a criterion of a standard, or an amount (``standard`` empty); a value where there is one."""

    subject: str
    standard: str = ""
    state: str = "met"
    value: float | None = None
    unit: str = ""
    half_width_fraction: float = 0.0
    evidence: Path | None = None
    valid_until: date | None = None
    text: str = ""


def said_of(
    subject: tuple[str | None, str | None, str | None], number: tuple[float | None, str, float], verdict: str
) -> Said:
    """Return what is attested from standard, criterion, amount; from value, unit, half-width; and the verdict.

    Raises
    ------
    FaultyData
        Neither a criterion with its standard nor an amount was named, or both.
    NotFound
        An unknown verdict.
    """
    standard, criterion, amount = subject
    if verdict not in VERDICTS:
        raise NotFound(Text("判定", "verdict"), verdict, VERDICTS)
    if bool(amount) == bool(criterion) or bool(criterion) != bool(standard):
        raise FaultyData(
            [
                _fault(
                    "subject",
                    "请写 --standard 与 --criterion, 或 --amount",
                    "name --standard with --criterion, or --amount",
                )
            ]
        )
    return Said(criterion or amount or "", standard or "", verdict, *number)


def with_file(said: Said, evidence: Path | None, valid_until: datetime | None, text: str) -> Said:
    """Return the same with its file, the last day the file is valid, and what is said."""
    return replace(said, evidence=evidence, valid_until=valid_until.date() if valid_until else None, text=text)


def attest(context: Context, period: Period, said: Said) -> dict[str, object]:
    """Book an attestation and keep its file; return its row.

    Raises
    ------
    FaultyData
        No file, no such file, a value that is no number or out of its unit, a veto attested as not applicable; all at once.
    NotFound
        No such standard, criterion or amount.
    """
    problems = _amount_problems(said) if not said.standard else _criterion_problems(context, said)
    content, digest = b"", None
    if said.evidence is None and said.state not in WITHOUT_FILE:
        problems.append(no_file())
    elif said.evidence is not None:
        content = said.evidence.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if not content:
            problems.append(_fault("empty", "证据文件是空的", "the file of evidence is empty"))
    if problems:
        raise FaultyData(problems)
    workspace = context.workspace
    with workspace.locked():
        row = _row(context, period, said, digest)
        if digest is not None and said.evidence is not None:
            workspace.evidence.keep(content, digest, said.evidence.suffix)
        with workspace.journal.writing(at=context.at, kind="attest", actor=context.actor) as writer:
            writer.append(ATTESTATIONS, ATTESTATIONS.frame([row]))
            writer.append(RUNS, run_row("attest", context, {"subject": row["subject"]}, digest, row["state"]))
            writer.payload = {"attestation": row["attestation_id"], "subject": row["subject"], "evidence": digest}
    return row


def _row(context: Context, period: Period, said: Said, digest: str | None) -> dict[str, object]:
    subject = f"{said.standard}/{said.subject}" if said.standard else said.subject
    before = context.workspace.journal.rows(ATTESTATIONS).height
    value, unit = said.value, said.unit or None
    if not said.standard and value is not None:
        kind = kind_of(said.subject)
        value, unit = convert(value, said.unit or kind.unit, kind.unit), kind.unit
    return {
        "attestation_id": f"{period.label}-A{before + 1}",
        "period": period.label,
        "subject": subject,
        "state": "amount" if _is_amount(said) else said.state,
        "value": value,
        "unit": unit,
        "half_width_fraction": said.half_width_fraction,
        "evidence": digest,
        "file_name": said.evidence.name if said.evidence else None,
        "valid_until": said.valid_until.isoformat() if said.valid_until else None,
        "text": said.text.strip(),
        "actor": context.actor,
        "at": context.at,
    }


def _is_amount(said: Said) -> bool:
    """Whether a value is stated: of an amount, or of a criterion's indicator (with its unit)."""
    return not said.standard or (said.value is not None and bool(said.unit))


def _amount_problems(said: Said) -> list[Problem]:
    kind = kind_of(said.subject)
    problems = amount_faults(said.subject)
    if said.value is None:
        problems.append(_fault("no_value", "没有写数值(--value)", "no value was given (--value)"))
    if said.unit and ratio(said.unit, kind.unit) is None:
        problems.append(
            _fault("unit", f"单位应为 {kind.unit}, 不是 {said.unit}", f"the unit is {kind.unit}, not {said.unit}")
        )
    return problems + _number_problems(said, negative=False)


def _number_problems(said: Said, negative: bool) -> list[Problem]:
    problems = []
    if said.value is not None and (not math.isfinite(said.value) or (said.value < 0.0 and not negative)):
        problems.append(_fault("value", f"“{said.value}”不是合理的数", f"'{said.value}' is no sensible number"))
    if not 0.0 <= said.half_width_fraction < 10.0:
        problems.append(
            _fault("half_width", "相对半宽应在 0 与 10 之间", "the relative half-width lies between 0 and 10")
        )
    return problems


def _criterion_problems(context: Context, said: Said) -> list[Problem]:
    criterion = library(context.workspace.folder).rules(said.standard).book.criterion(said.subject)
    problems = _number_problems(said, negative=True)
    if said.state == "not_applicable" and criterion.kind == "mandatory":
        problems.append(
            _fault("veto", "必备条款不能证明为不适用", "a mandatory criterion cannot be attested as not applicable")
        )
    if said.value is not None:
        problems += _value_problems(criterion, said)
    elif criterion.forms and criterion.proof == "book" and said.state == "met":
        names = ", ".join(form.indicator for form in criterion.forms[:1])
        problems.append(
            _fault(
                "measured",
                f"{criterion.id} 由账本计算({names}), 请证明缺少的数量而不是结论",
                f"{criterion.id} is computed from the book ({names}): attest the amounts that are missing, not the verdict",
            )
        )
    return problems


def _value_problems(criterion: Criterion, said: Said) -> list[Problem]:
    """Return what is wrong with a stated value: of an assessor's mark, or of the criterion's indicator."""
    value = said.value or 0.0
    if not said.unit:
        if criterion.forms or not 0.0 <= value <= 1.0:
            return [
                _fault(
                    "mark",
                    "评分比例应在 0 与 1 之间; 指标值请写单位",
                    "a mark lies between 0 and 1; the value of an indicator needs its unit",
                )
            ]
        return []
    if not any(ratio(said.unit, form.unit) is not None for form in criterion.forms[:1]):
        listed = ", ".join(form.unit for form in criterion.forms[:1]) or "–"
        return [_fault("unit", f"单位应为 {listed}, 不是 {said.unit}", f"the unit is {listed}, not {said.unit}")]
    return []


def _fault(code: str, zh: str, en: str) -> Problem:
    return Problem(f"evaluation.{code}", Text(f"{zh}。", f"{en}."), Text("请改正后重试。", "Mend it and try again."))


def as_json(row: Mapping[str, object]) -> dict[str, object]:
    """Return an attestation as plain JSON values."""
    return dict(row)
