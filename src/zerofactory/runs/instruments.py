"""Certificates, credits and allowances: import registry exports; reserve, retire, claim, release, expire, sell, take back.

Every act is worked out on the folded ledger first, judged by the rules, and written in one journal entry or not at all. Killed
anywhere, the book opens as it was before the act or after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from zerofactory.accounting.claims import CLAIMS, ELECTRICITY
from zerofactory.connectors.tabular import read_table
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.instruments import retire as acts
from zerofactory.instruments.batch import INSTRUMENT_BATCHES, Batch, batches_frame
from zerofactory.instruments.book import Transfer
from zerofactory.instruments.claiming import (
    certificate_rows,
    claim_rows,
    month_covered,
    month_unclear,
    no_source,
    source_of_certificates,
)
from zerofactory.instruments.eligibility import refusals
from zerofactory.instruments.exclusivity import (
    Known,
    attribute_clash,
    attributes_twice,
    in_documents,
    serials_twice,
)
from zerofactory.instruments.kind import kind
from zerofactory.instruments.neutrality import neutrality_standard
from zerofactory.instruments.purpose import PURPOSES, Purpose
from zerofactory.instruments.registry import Reading, read, registry
from zerofactory.instruments.retire import Judge, Wanted
from zerofactory.instruments.rule import rule, use_of
from zerofactory.periods import Period
from zerofactory.runs import neutral
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import ENTRY, Ledger, Rows, act_of, beside, ledger, setting, write
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


@dataclass(frozen=True, slots=True)
class Request:
    """What units are wanted for.

    Parameters
    ----------
    use : str
        One of `rule.USES`.
    period : Period
        Year or month the claim is about; a month names whose electricity a certificate covers.
    standard : str
        Of a neutrality claim.
    beneficiary : str
        Empty: the reporter.
    obligation : int or None
        Of ETS compliance: allowances to surrender.
    """

    use: str
    period: Period
    wanted: Wanted
    reason: str
    standard: str = ""
    beneficiary: str = ""
    product: str = ""
    obligation: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What an act came to: the claim, units by kind, the transfers, and what is to be said about it."""

    act: str
    claim_id: str | None
    units: dict[str, int]
    transfers: tuple[Transfer, ...]
    warnings: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "act": self.act,
            "claim": self.claim_id,
            "units": self.units,
            "transfers": [
                {
                    "transfer": one.transfer_id, "batch": one.batch_id, "from": one.from_account, "to": one.to_account,
                    "amount": one.amount, "serials": str(one.serials), "state": one.state,
                }
                for one in self.transfers
            ],
            "problems": [problem.as_json() for problem in self.warnings],
        }  # fmt: skip


def import_exports(
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
        known = {batch.evidence for batch in found.batches.values()}
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
            problems += faults
            fresh += batches
            files[digest] = path
            status: Literal["checked", "imported"] = "checked" if dry_run else "imported"
            results.append(ImportedExport(path.name, registry_id, len(batches), _units(batches), status))
        problems += _twice(context, found, fresh, beside(sites))
        if problems:
            raise FaultyData(problems[:MAX_SHOWN])
        if fresh and not dry_run:
            _take_in(context, found, fresh, files)
    return results


def _twice(context: Context, found: Ledger, fresh: Sequence[Batch], others: list[tuple[str, Batch]]) -> list[Problem]:
    """Return where fresh batches hold what the book, another site or a booked contract holds already."""
    own = [Known(batch, batch.batch_id) for batch in found.batches.values()]
    away = [Known(batch, f"{name}/{batch.batch_id}") for name, batch in others]
    problems = serials_twice([*own, *away], fresh)
    names = {id(batch) for batch in fresh}
    everything = [*found.batches.values(), *(batch for _, batch in others), *fresh]
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


def _contract_serials(context: Context) -> dict[str, str]:
    """Return the serial numbers that booked contracts of green power name, by document."""
    rows = context.workspace.journal.active(ACTIVITIES, {"source_kind": "green_power_contract"})
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


def reserve(context: Context, request: Request) -> Done:
    """Reserve units for a new claim.

    Raises
    ------
    FaultyData
        Too few eligible units (every refusal with its rule), no reason, or credits before everything was reduced.
    NotFound
        Unknown use, standard, kind or batch.
    """
    with context.workspace.locked():
        found = ledger(context.workspace)
        purpose = _purpose(context, found, request)
        _admit(context, found, purpose, request)
        judge = _judge(context, found, purpose)
        moves = acts.reserve(found.holdings, purpose.claim_id, request.wanted, judge, act_of(context, request.reason))
        told: dict[str, object] = {"act": "reserve", "claim": purpose.claim_id, "use": purpose.use}
        write(context, found, Rows(moves, [(PURPOSES, _purpose_row(purpose))], told=told))
        return _done("reserve", purpose.claim_id, found, moves)


def claim(context: Context, request: Request, *, into_closed: bool = False) -> Done:
    """Claim units that were retired before they came into the book."""
    with context.workspace.locked():
        found = ledger(context.workspace)
        purpose = _purpose(context, found, request)
        _admit(context, found, purpose, request)
        judge = _judge(context, found, purpose)
        act = act_of(context, request.reason)
        moves = acts.claim_retired(found.holdings, purpose.claim_id, request.wanted, judge, act)
        return _claimed(context, found, purpose, ("claim", moves, into_closed), [(PURPOSES, _purpose_row(purpose))])


def retire(
    context: Context, claim_id: str, certificate: str, reason: str, *, pending: bool = False, into_closed: bool = False
) -> Done:
    """Retire what is reserved for a claim, and claim it; ``pending``: the registry has yet to confirm.

    Raises
    ------
    FaultyData
        Nothing is reserved, a batch may not serve any more, or a month it covers is sealed and ``into_closed`` is not set.
    NotFound
        Unknown claim.
    """
    with context.workspace.locked():
        found = ledger(context.workspace)
        purpose = found.purpose(claim_id)
        _gate(context, purpose)
        act = act_of(context, reason or purpose.reason, certificate or None)
        moves = acts.retire(found.holdings, claim_id, _judge(context, found, purpose), act, pending)
        return _claimed(context, found, purpose, ("retire", moves, into_closed))


def settle(
    context: Context, claim_id: str, confirmed: bool, certificate: str, reason: str, *, into_closed: bool = False
) -> Done:
    """Post or void the retirements of a claim that wait for the registry."""
    with context.workspace.locked():
        found = ledger(context.workspace)
        purpose = found.purpose(claim_id)
        act = act_of(context, reason or purpose.reason, certificate or None)
        moves = acts.settle(found.holdings, claim_id, confirmed, act)
        return _claimed(context, found, purpose, ("settle", moves, into_closed))


def release(context: Context, claim_id: str, reason: str) -> Done:
    """Give back what is reserved for a claim."""
    with context.workspace.locked():
        found = ledger(context.workspace)
        found.purpose(claim_id)
        moves = acts.release(found.holdings, claim_id, act_of(context, reason))
        write(context, found, Rows(moves, told={"act": "release", "claim": claim_id}))
        return _done("release", claim_id, found, moves)


def expire(context: Context, on: date | None = None) -> Done:
    """Write off units whose validity has ended; ``on`` may be an earlier day than today."""
    with context.workspace.locked():
        found = ledger(context.workspace)
        day = min(on or context.today, context.today)
        moves = acts.expire(found.holdings, day, act_of(context, f"expired before {day}"))
        if moves:
            write(context, found, Rows(moves, told={"act": "expire", "on": day.isoformat()}))
        return _done("expire", None, found, moves)


def sell(context: Context, wanted: Wanted, reason: str) -> Done:
    """Book units as sold; self-use certificates only where the plant file says they are sold.

    Raises
    ------
    FaultyData
        A rule forbids the sale, or own power would still be claimed as green.
    """
    _reasoned(reason)
    with context.workspace.locked():
        found = ledger(context.workspace)
        moves = acts.sell(found.holdings, wanted, act_of(context, reason))
        own = [one for one in moves if found.holdings.batches[one.batch_id].self_use]
        if own and not setting(context, found).self_use_sold:
            problem = rule("inst.dc.onsite").refusal(
                own[0].batch_id,
                '先在工厂文件的自发自用排放源写 certificates_sold = "yes"。',
                'first state certificates_sold = "yes" at the on-site source of the plant file.',
            )
            raise FaultyData([problem])
        write(context, found, Rows(moves, told={"act": "sell"}))
        return _done("sell", None, found, moves)


def take_back(context: Context, claim_id: str, reason: str, *, into_closed: bool = False) -> Done:
    """Take a claim back by new rows: for a booking made by mistake; the registry's retirement stays what it is.

    Raises
    ------
    FaultyData
        Nothing to take back, no reason, or a month it covers is sealed and ``into_closed`` is not set.
    """
    _reasoned(reason)
    with context.workspace.locked():
        found = ledger(context.workspace)
        found.purpose(claim_id)
        moves = acts.unwind(found.holdings, claim_id, act_of(context, reason))
        stands = context.workspace.journal.active(CLAIMS)
        mine = stands.filter(pl.col("claim_id").str.starts_with(f"{claim_id}.")).drop("reverses")
        notes = _sealed(context, mine, into_closed)
        booked = context.workspace.journal.active(ACTIVITIES, {"document": mine["claim_id"].to_list()}).drop("reverses")
        rows = Rows(
            moves, taken_back=[(CLAIMS, mine), (ACTIVITIES, booked)], told={"act": "take_back", "claim": claim_id}
        )
        write(context, found, rows, kind="reverse" if booked.height else "instruments")
        return _done("take_back", claim_id, found, moves, notes)


def _purpose(context: Context, found: Ledger, request: Request) -> Purpose:
    """Return the purpose of a request; raise `FaultyData` or `NotFound` for what it does not say."""
    _reasoned(request.reason)
    for name in request.wanted.kinds:
        kind(name)
    use, standard = use_of(request.use), request.standard
    if use == "neutrality":
        standard = neutrality_standard(standard).id
    plant = context.workspace.plant
    return Purpose(
        f"C{len(found.purposes) + 1:04d}", use, standard if use == "neutrality" else "", request.period.label,
        request.beneficiary or plant.organisation.name.zh, plant.id, request.product, request.obligation,
        request.reason.strip(), context.actor, context.at,
    )  # fmt: skip


def _admit(context: Context, found: Ledger, purpose: Purpose, request: Request) -> None:
    """Refuse a claim that nothing could make good: credits before reductions or beyond the residual, CCER beyond its share."""
    _gate(context, purpose)
    if purpose.use == "neutrality":
        neutral.refuse_beyond_residual(context, found, purpose, request.wanted.amount)
    if purpose.use == "scope2_market" and source_of_certificates(context.workspace.plant) is None:
        raise FaultyData([no_source()])
    if purpose.use == "ets_compliance":
        _refuse_beyond_share(found, purpose, request.wanted)


def _gate(context: Context, purpose: Purpose) -> None:
    """Raise `FaultyData` while the reduce-first gate of a neutrality claim is shut."""
    if purpose.use == "neutrality":
        shut = neutral.gate_of(context, neutrality_standard(purpose.standard), Period.parse(purpose.period)).problems
        if shut:
            raise FaultyData(shut)


def _refuse_beyond_share(found: Ledger, purpose: Purpose, wanted: Wanted) -> None:
    """Refuse CCER beyond the share of the allowances to surrender that they may take the place of."""
    limit = rule("inst.ccer.limit")
    if wanted.kinds and "ccer" not in wanted.kinds:
        return
    if purpose.obligation is None:
        raise FaultyData([limit.refusal(purpose.claim_id, "须用 --obligation 写明应清缴量。", "state --obligation.")])
    before = sum(
        sum(held.values())
        for other in found.purposes.values()
        if (other.use, other.period) == (purpose.use, purpose.period)
        for batch_id, held in found.book.of_claim(other.claim_id).items()
        if found.holdings.batches[batch_id].kind == "ccer"
    )
    most = int(limit.number * purpose.obligation)
    if before + wanted.amount > most:
        raise FaultyData(
            [
                limit.refusal(
                    purpose.claim_id,
                    f"应清缴 {purpose.obligation:,}, 至多 {most:,}, 已用 {before:,}, 又要 {wanted.amount:,}。",
                    f"{purpose.obligation:,} to surrender, at most {most:,}, used {before:,}, asked {wanted.amount:,}.",
                )
            ]
        )


def _judge(context: Context, found: Ledger, purpose: Purpose) -> Judge:
    """Return how a batch is judged for a purpose today: rules of its kind and use, of the standard, and the month it covers."""
    facts = setting(context, found)
    more = neutrality_standard(purpose.standard).at("offset") if purpose.use == "neutrality" else ()

    def judge(batch: Batch) -> list[Problem]:
        problems = refusals(batch, purpose, facts, more)
        if purpose.use == "scope2_market" and not problems and month_covered(purpose, batch) is None:
            problems.append(month_unclear(purpose, batch))
        return problems

    return judge


def _claimed(
    context: Context,
    found: Ledger,
    purpose: Purpose,
    done: tuple[str, list[Transfer], bool],
    more: Sequence[tuple[object, pl.DataFrame]] = (),
) -> Done:
    """Write transfers together with the claims and the certificate documents that they make."""
    act, moves, into_closed = done
    plant = context.workspace.plant
    claims = claim_rows(purpose, found.holdings.batches, moves, context.today)
    notes = _sealed(context, claims, into_closed)
    tables = [*more, (CLAIMS, claims)] if claims.height else [*more]
    if claims.filter(pl.col("covers") == ELECTRICITY).height:
        if source_of_certificates(plant) is None:
            raise FaultyData([no_source()])
        brought = {
            f"{purpose.claim_id}.{one.transfer_id}": found.holdings.batches[one.batch_id].evidence for one in moves
        }
        tables.append((ACTIVITIES, certificate_rows(claims, plant, brought)))
    rows = Rows(moves, tables, told={"act": act, "claim": purpose.claim_id, "use": purpose.use})  # type: ignore[arg-type]
    write(context, found, rows, kind=ENTRY if claims.height else "instruments")
    return _done(act, purpose.claim_id, found, moves, notes)


def _sealed(context: Context, claims: pl.DataFrame, into_closed: bool) -> list[Problem]:
    """Refuse claims on electricity of sealed months, or return the warning of what is to be revised."""
    months = claims.filter(pl.col("covers") == ELECTRICITY)["period"].unique()
    closed = sorted(set(months) & set(context.workspace.seals()["period"]))
    if not closed:
        return []
    listed = ", ".join(closed)
    if not into_closed:
        message = Text(f"期间 {listed} 已封存。", f"Closed already: {listed}.")
        hint = Text("请加 --into-closed, 再运行 zf close --revise。", "Use --into-closed, then run zf close --revise.")
        raise FaultyData([Problem("instruments.period_closed", message, hint)])
    message = Text(f"修订后才计入: {listed}。", f"Counts only after a revision of: {listed}.")
    hint = Text("请运行 zf close --revise --reason。", "Run zf close --revise --reason.")
    return [Problem("instruments.to_revise", message, hint, severity="warning")]


def _purpose_row(purpose: Purpose) -> pl.DataFrame:
    return PURPOSES.frame([{name: getattr(purpose, name) for name in PURPOSES.names}])


def _done(
    act: str, claim_id: str | None, found: Ledger, moves: Sequence[Transfer], notes: Sequence[Problem] = ()
) -> Done:
    units: dict[str, int] = {}
    last = {one.to_account for one in moves[-1:]}
    for one in moves:
        if one.to_account in last:
            name = found.holdings.batches[one.batch_id].kind
            units[name] = units.get(name, 0) + one.amount
    return Done(act, claim_id, units, tuple(moves), tuple(notes))


def _reasoned(reason: str) -> None:
    if not reason.strip():
        message = Text("没有写原因。", "No reason is given.")
        raise FaultyData(
            [Problem("instruments.no_reason", message, Text("请用 --reason 说明。", "Give one with --reason."))]
        )
