"""Certificates, credits and allowances: import registry exports; reserve, retire, claim, release, expire, sell, take back.

Every act is worked out on the folded ledger first, judged by the rules, and written in one journal entry or not at all. Killed
anywhere, the book opens as it was before the act or after it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from zerofactory.accounting.claims import CLAIMS, ELECTRICITY
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.instruments import retire as acts
from zerofactory.instruments.batch import Batch
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
from zerofactory.instruments.kind import kind
from zerofactory.instruments.neutrality import neutrality_standard
from zerofactory.instruments.purpose import DECLARATIONS, PURPOSES, Purpose
from zerofactory.instruments.retire import Judge, Wanted
from zerofactory.instruments.rule import rule, use_of
from zerofactory.periods import Period
from zerofactory.runs import neutral
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import ENTRY, Ledger, Rows, act_of, ledger, setting, write
from zerofactory.store.schema import ACTIVITIES

MAX_SHOWN = 1000


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
        moves = acts.reserve(found.holdings, purpose.claim_id, _wanted(request), judge, act_of(context, request.reason))
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
        moves = acts.claim_retired(found.holdings, purpose.claim_id, _wanted(request), judge, act)
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


def cancel(context: Context, wanted: Wanted, reason: str) -> Done:
    """Cancel held units without claiming anything for them; raises `FaultyData` when too few are held."""
    _reasoned(reason)
    with context.workspace.locked():
        found = ledger(context.workspace)
        moves = acts.cancel(found.holdings, wanted, act_of(context, reason))
        write(context, found, Rows(moves, told={"act": "cancel"}))
        return _done("cancel", None, found, moves)


def withdraw(context: Context, batches: Sequence[str], reason: str) -> Done:
    """Take batches out that were imported by mistake and not used yet; the export can be imported anew once corrected."""
    _reasoned(reason)
    with context.workspace.locked():
        found = ledger(context.workspace)
        moves = acts.withdraw(found.holdings, batches, act_of(context, reason))
        write(context, found, Rows(moves, told={"act": "withdraw", "batches": list(batches)}))
        return _done("withdraw", None, found, moves)


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
        notes = _sealed(context, mine, into_closed) + _declared(context, claim_id, into_closed)
        booked = context.workspace.journal.active(ACTIVITIES, {"document": mine["claim_id"].to_list()}).drop("reverses")
        rows = Rows(
            moves, taken_back=[(CLAIMS, mine), (ACTIVITIES, booked)], told={"act": "take_back", "claim": claim_id}
        )
        write(context, found, rows, kind="reverse" if booked.height else "instruments")
        return _done("take_back", claim_id, found, moves, notes)


def _wanted(request: Request) -> Wanted:
    """Return what is wanted, certificates of the month that is claimed first."""
    return replace(request.wanted, month=None if request.period.month is None else request.period.label)


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


def _declared(context: Context, claim_id: str, into_closed: bool) -> list[Problem]:
    """Refuse to take back a claim that a declaration rests on, or return the warning that the declaration falls with it."""
    rows = context.workspace.journal.rows(DECLARATIONS)
    named = [row["declaration_id"] for row in rows.iter_rows(named=True) if claim_id in json.loads(row["claims"])]
    if not named:
        return []
    listed = ", ".join(named)
    message = Text(f"声明 {listed} 以此主张为据。", f"Declaration {listed} rests on this claim.")
    if not into_closed:
        hint = Text(
            "确需冲回请加 --into-closed, 声明随之失效。", "Use --into-closed if it must be; the declaration falls."
        )
        raise FaultyData([Problem("instruments.declared", message, hint)])
    hint = Text("该声明不再成立, 请重新声明。", "It no longer stands; declare again.")
    return [Problem("instruments.declared", message, hint, severity="warning")]


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
