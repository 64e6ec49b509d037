"""The ledger of instruments of a workspace: read from its rows, folded, checked; and how an act is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from zerofactory.accounting.claims import CLAIMS, ELECTRICITY
from zerofactory.accounting.electricity import names_of
from zerofactory.errors import BookBroken, FaultyData, NotFound, Problem, Text
from zerofactory.instruments.batch import INSTRUMENT_BATCHES, Batch, batches_of
from zerofactory.instruments.book import TRANSFERS, Book, Transfer, folded, transfers_frame, transfers_of
from zerofactory.instruments.eligibility import Setting
from zerofactory.instruments.exclusivity import clashing
from zerofactory.instruments.purpose import PURPOSES, Purpose, purposes_of
from zerofactory.instruments.retire import Act, Holdings, withdrawn
from zerofactory.runs.context import Context, run_row
from zerofactory.store.schema import ACTIVITIES, RUNS
from zerofactory.store.workspace import Workspace

if TYPE_CHECKING:
    from zerofactory.tables import TableSchema

ENTRY = "import"  # a certificate enters the book as a document: closing takes what entries of this kind brought


@dataclass(frozen=True, slots=True)
class Ledger:
    """Batches, the book over them, purposes and the claims that stand."""

    holdings: Holdings
    purposes: dict[str, Purpose]
    claims: pl.DataFrame

    @property
    def book(self) -> Book:
        """Where every unit is."""
        return self.holdings.book

    @property
    def batches(self) -> dict[str, Batch]:
        """Every batch by id."""
        return dict(self.holdings.batches)

    def purpose(self, claim_id: str) -> Purpose:
        """Return what a claim is for; raise `NotFound` with the choices."""
        found = self.purposes.get(claim_id)
        if found is None:
            raise NotFound(Text("主张", "claim"), claim_id, tuple(self.purposes))
        return found


@dataclass(frozen=True, slots=True)
class Rows:
    """What one act appends: transfers and, where it needs them, rows of other tables, and reversals of earlier ones."""

    transfers: Sequence[Transfer] = ()
    more: Sequence[tuple[TableSchema, pl.DataFrame]] = ()
    taken_back: Sequence[tuple[TableSchema, pl.DataFrame]] = ()
    told: dict[str, object] = field(default_factory=dict)


def ledger(workspace: Workspace) -> Ledger:
    """Return the ledger of a workspace.

    Raises
    ------
    BookBroken
        The rows do not fold: a transfer does not fit what was before it.
    """
    journal = workspace.journal
    batches = batches_of(journal.rows(INSTRUMENT_BATCHES))
    serials = {name: batch.serials for name, batch in batches.items()}
    try:
        book = folded(serials, transfers_of(journal.rows(TRANSFERS), serials))
    except (FaultyData, KeyError, ValueError) as fault:
        problems = fault.problems if isinstance(fault, FaultyData) else [_unreadable(str(fault))]
        raise BookBroken(problems) from fault
    claims = journal.active(CLAIMS).drop("reverses")
    return Ledger(Holdings(book, batches), purposes_of(journal.rows(PURPOSES)), claims)


def check(workspace: Workspace) -> list[Problem]:
    """Return what is wrong with the ledger of a workspace: it does not fold, or balance, or agree with its claims and files."""
    try:
        found = ledger(workspace)
    except BookBroken as fault:
        return list(fault.problems)
    problems = found.book.check()
    claimed: dict[str, int] = {}
    for one in found.book.transfers.values():
        if one.state != "posted" or one.claim_id is None or "claimed" not in (one.from_account, one.to_account):
            continue
        sign = 1 if one.to_account == "claimed" else -1
        use = found.purposes[one.claim_id].use if one.claim_id in found.purposes else ""
        if use in ("scope2_market", "neutrality"):
            claimed[one.claim_id] = claimed.get(one.claim_id, 0) + sign * one.amount
    stand: dict[str, int] = {}
    for row in found.claims.iter_rows(named=True):
        name = str(row["claim_id"]).partition(".")[0]
        if name in found.purposes:
            stand[name] = stand.get(name, 0) + (row["amount_wh"] or row["amount_gco2e"] or 0)
    for name in sorted(set(claimed) | set(stand)):
        if claimed.get(name, 0) * 1_000_000 != stand.get(name, 0):
            problems.append(_claims_differ(name, claimed.get(name, 0), stand.get(name, 0)))
    problems += _undocumented(workspace, found)
    for digest, file in {(batch.evidence, batch.file_name) for batch in found.batches.values()}:
        try:
            workspace.evidence.find(digest)
        except NotFound:
            problems.append(_file_missing(file))
    return problems


def _undocumented(workspace: Workspace, found: Ledger) -> list[Problem]:
    """Return a problem for every claim on electricity whose certificate is not booked as a document."""
    mine = found.claims.filter(pl.col("claim_id").str.split(".").list.first().is_in(list(found.purposes)))
    names = mine.filter(pl.col("covers") == ELECTRICITY)["claim_id"].to_list()
    booked = set(workspace.journal.active(ACTIVITIES, {"document": names})["document"]) if names else set()
    return [
        _broken("claim_undocumented", f"主张 {name} 没有入账的凭证。", f"Claim {name} has no booked document.")
        for name in names
        if name not in booked
    ]


def setting(context: Context, found: Ledger) -> Setting:
    """Return what eligibility knows of the plant today."""
    plant = context.workspace.plant
    own = [use for use in plant.sources if use.kind == "on_site_renewable"]
    sold = any(use.detail.get("certificates_sold") == "yes" for use in own)
    market = plant.region.partition("-")[0]
    standing = [batch for name, batch in found.holdings.batches.items() if not withdrawn(found.book, name)]
    return Setting(context.today, tuple(sorted(names_of(plant))), market, sold, clashing(standing))


def act_of(context: Context, reason: str, certificate: str | None = None) -> Act:
    """Return who acts and when."""
    return Act(context.at, context.actor, reason.strip(), certificate)


def write(context: Context, found: Ledger, rows: Rows, *, kind: str = "instruments") -> None:
    """Take transfers into the book and append everything in one journal entry; nothing is written when one does not fit.

    Raises
    ------
    FaultyData
        A transfer is refused by the book.
    """
    for transfer in rows.transfers:
        found.book.post(transfer)
    with context.workspace.journal.writing(at=context.at, kind=kind, actor=context.actor) as writer:
        for schema, frame in rows.more:
            writer.append(schema, frame)
        if rows.transfers:
            writer.append(TRANSFERS, transfers_frame(rows.transfers))
        for schema, frame in rows.taken_back:
            if frame.height:
                writer.reverse(schema, frame, f"~{writer.seq}")
        identity = [one.transfer_id for one in rows.transfers]
        writer.append(RUNS, run_row("instruments", context, rows.told, identity, len(identity)))
        writer.payload = {"instruments": rows.told}


def beside(folders: Sequence[Path]) -> list[tuple[str, Batch]]:
    """Return the batches of other workspaces, each with the folder's name: other sites of the same group."""
    ledgers = [(folder.name, ledger(Workspace.open(folder))) for folder in folders]
    return [
        (name, batch)
        for name, found in ledgers
        for batch in found.holdings.batches.values()
        if not withdrawn(found.book, batch.batch_id)
    ]


def _unreadable(what: str) -> Problem:
    return _broken(
        "instruments_unreadable", f"权益账读不了: {what}。", f"The ledger of instruments cannot be read: {what}."
    )


def _claims_differ(claim: str, claimed: int, stand: int) -> Problem:
    return _broken(
        "claims_differ",
        f"主张 {claim}: 账上 {claimed:,} 个单位, 主张表 {stand / 1e6:,.3f}。",
        f"Claim {claim}: {claimed:,} units in the book, {stand / 1e6:,.3f} in the claims.",
    )


def _file_missing(file: str) -> Problem:
    return _broken("evidence_missing", f"登记导出“{file}”的文件不见了。", f"The file of export '{file}' is missing.")


def _broken(code: str, zh: str, en: str) -> Problem:
    hint = Text("请查明改动, 或从备份恢复。", "Find out what was changed, or restore a back-up.")
    return Problem(f"verify.{code}", Text(zh, en), hint, file="book.db")
