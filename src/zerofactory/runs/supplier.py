"""Suppliers' footprints into the book: every footprint of every file is read and checked, then all are booked or none.

The file is kept as evidence by its content; the row holds the figures, the whole footprint in the terms of PACT 3.0, and what
was lost in conversion.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from zerofactory.accounting.declared_footprint import (
    SUPPLIER_FOOTPRINTS,
    DeclaredFootprint,
    declared_of,
    faults_of,
    rows,
)
from zerofactory.connectors.tabular import limits
from zerofactory.errors import FaultyData, Problem, Text, errors_of
from zerofactory.reporting.exchange import aas, pact
from zerofactory.reporting.exchange.supplier import disagreements, from_aas, from_pact, pact_inside
from zerofactory.runs.context import Context, run_row
from zerofactory.store.journal import canonical
from zerofactory.store.schema import RUNS

SUFFIXES = (".json", ".aasx")


@dataclass(frozen=True, slots=True)
class Imported:
    """The footprints booked, those that were booked before, and the warnings."""

    booked: tuple[DeclaredFootprint, ...]
    known: tuple[DeclaredFootprint, ...]
    warnings: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "booked": [
                {
                    "id": one.footprint_id,
                    "product": one.product_name,
                    "kgco2e": one.kgco2e,
                    "amount": one.amount,
                    "unit": one.unit,
                }
                for one in self.booked
            ],
            "known": [one.footprint_id for one in self.known],
            "problems": [problem.as_json() for problem in self.warnings],
        }


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    content: bytes
    digest: str


def listing(context: Context) -> list[DeclaredFootprint]:
    """Return every supplier's footprint in the book, as it was booked."""
    return declared_of(context.workspace.journal.active(SUPPLIER_FOOTPRINTS))


def listing_as_json(found: list[DeclaredFootprint]) -> dict[str, object]:
    """Return suppliers' footprints as plain JSON values."""
    rows = [
        {"id": one.footprint_id, "format": one.format, "supplier": one.company_name, "product": one.product_name, "kgco2e": one.kgco2e,
         "amount": one.amount, "unit": one.unit, "valid_from": one.valid_from.isoformat(), "valid_to": one.valid_to.isoformat(),
         "primary_fraction": one.primary_fraction, "status": one.status, "evidence": one.evidence, "losses": one.losses}
        for one in found
    ]  # fmt: skip
    return {"footprints": rows}


def run(context: Context, paths: Sequence[Path], used_on: date | None = None) -> Imported:
    """Book the footprints in PACT (JSON, 3.0 or 2.x) or AAS (JSON, AASX) files.

    Parameters
    ----------
    used_on : date, optional
        The day the footprints are used for; they must be valid on it. Default: today.

    Raises
    ------
    FaultyData
        With every fault of every file: unreadable, unknown key, wrong value, expired, replaced, another boundary, a unit that
        no bill of materials can count in, an id that the book knows with other content. Nothing is written then.
    """
    day = context.now if used_on is None else datetime(used_on.year, used_on.month, used_on.day, tzinfo=UTC)
    problems: list[Problem] = []
    found: list[tuple[_File, DeclaredFootprint]] = []
    for path in paths:
        file, faults = _open(path)
        problems += faults
        if file is not None:
            declared, faults = _declared(context, file)
            problems += faults
            for one in declared:
                problems += [fault.at(file=path.name) for fault in faults_of(one, day)]
                found.append((file, one))
    with context.workspace.locked():
        fresh, known, faults = _sorted_out(found, {one.footprint_id: one for one in listing(context)})
        problems += faults
        if errors_of(problems):
            raise FaultyData(problems)
        if fresh:
            _write(context, fresh)
    return Imported(tuple(one for _, one in fresh), tuple(known), tuple(problems))


def _open(path: Path) -> tuple[_File | None, list[Problem]]:
    if not path.is_file():
        message = Text("没有这个文件。", "There is no such file.")
        return None, [_fault("absent", message, Text("请检查路径。", "Check the path."), path)]
    if path.suffix.lower() not in SUFFIXES:
        message = Text(f"不支持“{path.suffix}”文件。", f"'{path.suffix}' files are not supported.")
        listed = ", ".join(SUFFIXES)
        return None, [_fault("unknown_kind", message, Text(f"请使用: {listed}。", f"Use one of: {listed}."), path)]
    if path.stat().st_size > limits().max_file_bytes:
        message = Text("文件过大。", "The file is too large.")
        return None, [_fault("too_large", message, Text("请拆分。", "Split it."), path)]
    content = path.read_bytes()
    return _File(path, content, hashlib.sha256(content).hexdigest()), []


def _declared(context: Context, file: _File) -> tuple[list[DeclaredFootprint], list[Problem]]:
    """Return the footprints of one file: PACT by its keys, AAS by its package or its shells."""
    if file.content[:2] == b"PK" or b'"submodels"' in file.content or b'"assetAdministrationShells"' in file.content:
        return _from_aas(context, file)
    entries, problems = pact.read(file.content, file.path.name)
    declared = []
    for entry in entries:
        one, faults = from_pact(entry, file.digest, file.path.name, context.at)
        problems += [fault.at(file=file.path.name) for fault in faults]
        declared += [one] if one is not None else []
    return declared, problems


def _from_aas(context: Context, file: _File) -> tuple[list[DeclaredFootprint], list[Problem]]:
    name = file.path.name
    carbon, problems = aas.read(file.content, name)
    if carbon is None:
        return [], problems
    inside = pact_inside(carbon)
    if inside is None:
        one, faults = from_aas(carbon, file.digest, name, context.at)
        return ([one] if one is not None else []), problems + [fault.at(file=name) for fault in faults]
    entries, faults = pact.read(inside, name)
    problems += faults
    declared = []
    for entry in entries:
        one, faults = from_pact(entry, file.digest, name, context.at)
        problems += [fault.at(file=name) for fault in (*faults, *disagreements(carbon, entry.footprint))]
        declared += [one] if one is not None else []
    return declared, problems


def _sorted_out(
    found: Sequence[tuple[_File, DeclaredFootprint]], booked: dict[str, DeclaredFootprint]
) -> tuple[list[tuple[_File, DeclaredFootprint]], list[DeclaredFootprint], list[Problem]]:
    """Return what is new, what the book knows already, and the ids that come with other content."""
    fresh: list[tuple[_File, DeclaredFootprint]] = []
    known: list[DeclaredFootprint] = []
    problems: list[Problem] = []
    for file, one in found:
        before = booked.get(one.footprint_id)
        if before is None:
            booked[one.footprint_id] = one
            fresh.append((file, one))
        elif _content(before) == _content(one):
            known.append(before)
            message = Text(f"“{one.product_name}”此前已导入。", f"'{one.product_name}' was imported before.")
            problems.append(
                replace(_fault("known", message, Text("无需处理。", "Nothing to do."), file.path), severity="warning")
            )
        else:
            message = Text(
                f"编号 {one.footprint_id} 已入账且内容不同。",
                f"The id {one.footprint_id} is booked with other content.",
            )
            hint = Text("每次变更都应有新编号; 请向供应商核实。", "Every change needs a new id; ask the supplier.")
            problems.append(_fault("other_content", message, hint, file.path))
    return fresh, known, problems


def _content(one: DeclaredFootprint) -> DeclaredFootprint:
    """Return what a footprint says: the same one exported twice differs only in the moment of export."""
    said = json.loads(one.payload)
    said.pop("created", None)
    return replace(one, known_at="", file_name="", evidence="", format="", losses="", payload=canonical(said))


def _write(context: Context, fresh: Sequence[tuple[_File, DeclaredFootprint]]) -> None:
    workspace = context.workspace
    for file, _ in fresh:
        workspace.evidence.keep(file.content, file.digest, file.path.suffix)
    with workspace.journal.writing(at=context.at, kind="footprint", actor=context.actor) as writer:
        writer.append(SUPPLIER_FOOTPRINTS, rows([one for _, one in fresh]))
        outcome = {one.footprint_id: one.kgco2e for _, one in fresh}
        digests = sorted({file.digest for file, _ in fresh})
        writer.append(RUNS, run_row("footprint", context, {}, digests, outcome))
        writer.payload = {"footprints": sorted(outcome)}


def _fault(code: str, message: Text, hint: Text, path: Path) -> Problem:
    return Problem(f"footprint.{code}", message, hint, file=path.name)
