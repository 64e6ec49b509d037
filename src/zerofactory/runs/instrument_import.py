"""Import exports of certificate and credit registries: every fault of every file at once, or all of it in one journal entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl

from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.instruments import retire as acts
from zerofactory.instruments.batch import INSTRUMENT_BATCHES, Batch, batches_frame
from zerofactory.instruments.claiming import CONTRACT
from zerofactory.instruments.exclusivity import (
    Known,
    attribute_clash,
    attributes_twice,
    in_documents,
    serials_twice,
)
from zerofactory.instruments.registry import Reading, read, registry
from zerofactory.instruments.rule import rule
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import Ledger, Rows, act_of, beside, ledger, setting, write
from zerofactory.store.files import sha256_of
from zerofactory.store.schema import ACTIVITIES

MAX_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class ImportedExport:
    """What became of one export."""

    name: str
    registry: str
    batches: int
    units: dict[str, int]
    status: Literal["imported", "checked", "already_imported"]


def run(
    context: Context,
    paths: Sequence[Path],
    registry_id: str,
    *,
    dry_run: bool = False,
    sites: Sequence[Path] = (),
) -> list[ImportedExport]:
    """Import registry exports; nothing is written unless every row of every file is sound.

    Parameters
    ----------
    sites : sequence of Path
        Workspaces of other sites whose batches must not hold the same units or tonnes.

    Raises
    ------
    FaultyData
        With every fault of every file: unreadable cells, serials twice, wrong amounts, expired or another's certificates.
    NotFound
        Unknown registry.
    """
    form, workspace = registry(registry_id), context.workspace
    with workspace.locked():
        found = ledger(workspace)
        facts = setting(context, found)
        known = {batch.evidence for batch in _standing(found)}
        fresh: list[Batch] = []
        results, files, problems = [], {}, []
        for path in paths:
            table = read_table(path)
            digest = sha256_of(path)
            if digest in known:
                results.append(ImportedExport(path.name, registry_id, 0, {}, "already_imported"))
                continue
            known.add(digest)
            batches, faults = read(form, table, Reading(path.name, digest, facts.on, facts.names))
            problems += faults + _unknown_meters(context, batches)
            fresh += batches
            files[digest] = path
            status: Literal["checked", "imported"] = "checked" if dry_run else "imported"
            results.append(ImportedExport(path.name, registry_id, len(batches), _units(batches), status))
        problems += _twice(context, found, fresh, beside(sites))
        if problems:
            raise FaultyData(problems[:MAX_SHOWN])
        if fresh and not dry_run:
            _take_in(context, found, [_renumbered(found, batch) for batch in fresh], files)
    return results


def _twice(context: Context, found: Ledger, fresh: Sequence[Batch], others: list[tuple[str, Batch]]) -> list[Problem]:
    """Return where fresh batches hold what the book, another site or a booked contract holds already."""
    standing = _standing(found)
    own = [Known(batch, Text(batch.batch_id, batch.batch_id)) for batch in standing]
    away = [
        Known(batch, Text(f"工作区 {name} 的 {batch.batch_id}", f"{batch.batch_id} of workspace {name}"))
        for name, batch in others
    ]
    problems = serials_twice([*own, *away], fresh)
    names = {id(batch) for batch in fresh}
    everything = [*standing, *(batch for _, batch in others), *fresh]
    problems += [attribute_clash(pair) for pair in attributes_twice(everything) if id(pair[1]) in names]
    for batch, document in in_documents(fresh, _contract_serials(context)):
        problems.append(
            rule("inst.dc.scope")
            .refusal(
                str(batch.serials),
                f"凭证“{document}”已用这些编号登记绿电。",
                f"document '{document}' has booked these serials as green power.",
            )
            .at(file=batch.file_name, row=batch.file_row)
        )
    return problems


def _standing(found: Ledger) -> list[Batch]:
    """Return the batches that were not withdrawn."""
    return [batch for batch in found.holdings.batches.values() if not acts.withdrawn(found.book, batch.batch_id)]


def _renumbered(found: Ledger, batch: Batch) -> Batch:
    """Return a batch under a name of its own, where one of the same serials was withdrawn."""
    names, count = found.holdings.batches, 2
    if batch.batch_id not in names:
        return batch
    while f"{batch.batch_id}-{count}" in names:
        count += 1
    return replace(batch, batch_id=f"{batch.batch_id}-{count}")


def _unknown_meters(context: Context, batches: Sequence[Batch]) -> list[Problem]:
    """Return a problem for every batch whose hourly generation is said to be a meter that the plant does not have."""
    known = [meter.id for meter in context.workspace.plant.meters]
    return [
        NotFound(Text("表计", "meter"), batch.hour_profile, known)
        .as_problem()
        .at(file=batch.file_name, row=batch.file_row)
        for batch in batches
        if batch.hour_profile and batch.hour_profile not in known
    ]


def _contract_serials(context: Context) -> dict[str, str]:
    """Return the serial numbers that booked contracts of green power name, by document."""
    return _serials_of(context.workspace.journal.active(ACTIVITIES, {"source_kind": CONTRACT}))


def _serials_of(rows: pl.DataFrame) -> dict[str, str]:
    details = rows["detail"].str.json_path_match("$.serials")
    documents = rows["document"].fill_null(rows["activity_id"])
    return {name: text for name, text in zip(documents, details, strict=True) if text}


def _take_in(context: Context, found: Ledger, fresh: Sequence[Batch], files: dict[str, Path]) -> None:
    for digest, path in files.items():
        context.workspace.evidence.keep(path.read_bytes(), digest, path.suffix)
    for batch in fresh:
        found.book.open(batch.batch_id, batch.serials)
    moves = acts.issue(found.book, fresh, act_of(context, "registry export"))
    told: dict[str, object] = {"act": "import", "files": [path.name for path in files.values()], "batches": len(fresh)}
    write(context, found, Rows(moves, [(INSTRUMENT_BATCHES, batches_frame(fresh))], told=told))


def _units(batches: Sequence[Batch]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches:
        found[batch.kind] = found.get(batch.kind, 0) + batch.amount
    return found


def named_in(context: Context, activities: pl.DataFrame) -> list[Problem]:
    """Return a problem for every document of green power that names serials which the ledger holds already."""
    rows = activities.filter(pl.col("source_kind") == CONTRACT)
    if rows.is_empty():
        return []
    batches = _standing(ledger(context.workspace))
    found = in_documents(batches, _serials_of(rows)) if batches else []
    return [
        rule("inst.dc.scope").refusal(
            f"{document}",
            f"编号已在权益账的批次 {batch.batch_id}。",
            f"its serials are in batch {batch.batch_id} of the ledger.",
        )
        for batch, document in found
    ]
