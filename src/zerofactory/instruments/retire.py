"""Reserve → retire → claim, and what else may befall units: planned here as transfers, taken into the book one by one.

Nothing here writes. Each function returns the transfers of one act, in order; the book refuses those that do not fit, and a
run writes all of them in one journal entry or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.instruments.batch import Batch
from zerofactory.instruments.book import Book, State, Transfer
from zerofactory.instruments.rule import rules
from zerofactory.instruments.serial import SerialRange

Judge = Callable[[Batch], list[Problem]]
FAR = date.max


@dataclass(frozen=True, slots=True)
class Holdings:
    """The book and the batches it is about."""

    book: Book
    batches: Mapping[str, Batch]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units that are asked for: how many, of which kinds, from which batches (none: from any), of which vintage first."""

    amount: int
    kinds: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    month: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, when and why; ``certificate`` is what the registry gave for it; pending: it has yet to confirm."""

    at: str
    actor: str
    reason: str
    certificate: str | None = None
    state: State = "posted"


def reserve(holdings: Holdings, claim_id: str, wanted: Wanted, judge: Judge, act: Act) -> list[Transfer]:
    """Plan to reserve units for a claim: those of the month asked for, then those that expire first, then the oldest.

    Raises
    ------
    FaultyData
        Not enough eligible units are held (with the reason and citation for every batch that may not serve), a named
        batch may not serve, or the amount is no whole number above zero.
    """
    taken = _taken(holdings, "held", wanted, judge)
    return _moves(holdings.book, taken, ("held", "reserved"), claim_id, act)


def claim_retired(holdings: Holdings, claim_id: str, wanted: Wanted, judge: Judge, act: Act) -> list[Transfer]:
    """Plan to claim units that the registry retired before they came into the book."""
    taken = _taken(holdings, "retired", wanted, judge, free=True)
    return _moves(holdings.book, taken, ("retired", "claimed"), claim_id, act)


def retire(holdings: Holdings, claim_id: str, judge: Judge, act: Act, pending: bool = False) -> list[Transfer]:
    """Plan to retire what is reserved for a claim and to claim it; ``pending``: the registry has yet to confirm.

    Raises
    ------
    FaultyData
        Nothing is reserved, or a batch may not serve any more (it expired since).
    """
    found = _of_claim(holdings, "reserved", claim_id)
    problems = [problem for batch in dict.fromkeys(batch for batch, _ in found) for problem in judge(batch)]
    if problems:
        raise FaultyData(problems)
    if pending:
        return _moves(holdings.book, found, ("reserved", "retired"), claim_id, replace(act, state="pending"))
    made = _moves(holdings.book, found, ("reserved", "retired"), claim_id, act)
    return made + _moves(holdings.book, found, ("retired", "claimed"), claim_id, act, offset=len(made))


def settle(holdings: Holdings, claim_id: str, confirmed: bool, act: Act) -> list[Transfer]:
    """Plan to post (and claim) or to void the retirements of a claim that wait for the registry."""
    waiting = [one for one in holdings.book.pending() if one.claim_id == claim_id]
    if not waiting:
        raise FaultyData([_nothing(claim_id, "没有等待确认的注销。", "no retirement is pending.")])
    made = [
        Transfer(
            holdings.book.next_id(place), one.batch_id, one.from_account, one.to_account, one.serials, act.at, act.actor,
            act.reason, "posted" if confirmed else "void", claim_id, one.transfer_id, act.certificate,
        )
        for place, one in enumerate(waiting)
    ]  # fmt: skip
    if not confirmed:
        return made
    found = [(holdings.batches[one.batch_id], one.serials) for one in waiting]
    return made + _moves(holdings.book, found, ("retired", "claimed"), claim_id, act, offset=len(made))


def release(holdings: Holdings, claim_id: str, act: Act) -> list[Transfer]:
    """Plan to give back what is reserved for a claim."""
    found = _of_claim(holdings, "reserved", claim_id)
    return _moves(holdings.book, found, ("reserved", "held"), claim_id, act)


def expire(holdings: Holdings, on: date, act: Act) -> list[Transfer]:
    """Plan to write off every unit whose validity ended before a day; none is an empty list."""
    made: list[Transfer] = []
    for batch in holdings.batches.values():
        if batch.expires_on is None or batch.expires_on >= on:
            continue
        held = [(batch, one) for one in holdings.book.units(batch.batch_id, "held")]
        made += _moves(holdings.book, held, ("held", "expired"), None, act, offset=len(made))
        for one, claim_id in claims_of(holdings.book, batch.batch_id, "reserved"):
            made += _moves(holdings.book, [(batch, one)], ("reserved", "expired"), claim_id, act, offset=len(made))
    return made


def sell(holdings: Holdings, wanted: Wanted, act: Act) -> list[Transfer]:
    """Plan to sell units that may be traded; raise `FaultyData` with the rule that forbids it."""

    def judge(batch: Batch) -> list[Problem]:
        problems = []
        for rule in rules().values():
            if not rule.mandatory or batch.kind not in rule.kinds:
                continue
            if rule.test == "tradable" and not batch.tradable:
                problems.append(rule.refusal(batch.batch_id, "不可出售。", "cannot be sold."))
            if rule.test == "sold_once" and (batch.counterparty or batch.bundled):
                problems.append(rule.refusal(batch.batch_id, "是购入的。", "was bought."))
        return problems

    return _moves(holdings.book, _taken(holdings, "held", wanted, judge), ("held", "sold"), None, act)


def cancel(holdings: Holdings, wanted: Wanted, act: Act) -> list[Transfer]:
    """Plan to cancel held units without claiming anything for them."""
    taken = _taken(holdings, "held", wanted, lambda _: [])
    return _moves(holdings.book, taken, ("held", "cancelled"), None, act)


def withdraw(holdings: Holdings, names: Sequence[str], act: Act) -> list[Transfer]:
    """Plan to take batches out that should not have come in: the inverse of their issue, nothing of them used yet.

    Raises
    ------
    FaultyData
        Units of a batch were reserved, claimed, sold or written off.
    NotFound
        Unknown batch.
    """
    book = holdings.book
    made: list[Transfer] = []
    used: list[Problem] = []
    for name in names:
        if name not in holdings.batches:
            raise NotFound(Text("批次", "batch"), name, tuple(holdings.batches))
        whole = holdings.batches[name].serials
        issued = [
            one for one in book.transfers.values() if one.batch_id == name and not book.is_reversed(one.transfer_id)
        ]
        chain = [one for one in issued if one.serials == whole and one.claim_id is None and one.reverses is None]
        rests = sum(
            book.balance(account, name) for account in ("held", "retired") if book.units(name, account) == [whole]
        )
        if rests != whole.size or not chain or chain[0].from_account != "outside":
            used.append(_problem("used", f"批次 {name} 已有单位被动用。", f"Units of batch {name} were used already."))
            continue
        for one in reversed(chain):
            made.append(
                Transfer(
                    book.next_id(len(made)), name, one.to_account, one.from_account, whole, act.at, act.actor,
                    act.reason, reverses=one.transfer_id,
                )
            )  # fmt: skip
    if used:
        raise FaultyData(used)
    return made


def withdrawn(book: Book, batch_id: str) -> bool:
    """Whether a batch was taken out again: none of its units is in any account of ours."""
    return book.balance("outside", batch_id) == 0


def unwind(holdings: Holdings, claim_id: str, act: Act) -> list[Transfer]:
    """Plan to take a claim back by new rows: claimed → retired → reserved → held. For a booking made by mistake.

    Raises
    ------
    FaultyData
        Nothing of the claim was retired or claimed.
    """
    book = holdings.book
    made: list[Transfer] = []
    chain = [
        one
        for one in book.transfers.values()
        if one.claim_id == claim_id
        and one.state == "posted"
        and one.reverses is None
        and not book.is_reversed(one.transfer_id)
        and one.to_account in ("claimed", "retired")
    ]
    if not chain:
        raise FaultyData([_nothing(claim_id, "没有可冲回的注销或主张。", "nothing to take back.")])
    freed: list[tuple[Batch, SerialRange]] = []
    for one in reversed(chain):
        made.append(
            Transfer(
                book.next_id(len(made)), one.batch_id, one.to_account, one.from_account, one.serials, act.at,
                act.actor, act.reason, "posted", claim_id, None, act.certificate, one.transfer_id,
            )
        )  # fmt: skip
        if one.from_account == "reserved":
            freed.append((holdings.batches[one.batch_id], one.serials))
    return made + _moves(book, freed, ("reserved", "held"), claim_id, act, offset=len(made))


def issue(book: Book, batches: Iterable[Batch], act: Act) -> list[Transfer]:
    """Plan to take fresh batches in: outside → held, and on to retired where the registry says so."""
    made: list[Transfer] = []
    for batch in batches:
        found = [(batch, batch.serials)]
        made += _moves(book, found, ("outside", "held"), None, act, offset=len(made))
        if batch.retired_on is not None:
            proof = Act(act.at, act.actor, act.reason, batch.retirement_id or None)
            made += _moves(book, found, ("held", "retired"), None, proof, offset=len(made))
    return made


def claims_of(book: Book, batch_id: str, account: str) -> list[tuple[SerialRange, str]]:
    """Return the free units of a batch in an account with the claim they belong to."""
    names = dict.fromkeys(one.claim_id for one in book.transfers.values() if one.claim_id and one.batch_id == batch_id)
    return [(units, name) for name in names if name for units in book.units(batch_id, account, name)]


def _taken(
    holdings: Holdings, account: str, wanted: Wanted, judge: Judge, free: bool = False
) -> list[tuple[Batch, SerialRange]]:
    """Return the units that serve a wish; raise `FaultyData` with every reason when they do not suffice."""
    if wanted.amount <= 0:
        raise FaultyData([_problem("amount", "数量应为正整数。", "The amount is a whole number above zero.")])
    unknown = [name for name in wanted.batches if name not in holdings.batches]
    if unknown:
        raise NotFound(Text("批次", "batch"), unknown[0], tuple(holdings.batches))
    taken: list[tuple[Batch, SerialRange]] = []
    refused: list[Problem] = []
    left = wanted.amount
    for batch in _in_order(holdings.batches.values(), wanted):
        units = holdings.book.units(batch.batch_id, account)
        if free:
            owned = {one for one, _ in claims_of(holdings.book, batch.batch_id, account)}
            units = [one for one in units if one not in owned]
        if not units:
            continue
        problems = judge(batch)
        refused += problems
        for one in [] if problems else units:
            part = one.head(min(left, one.size)) if left else None
            if part is not None:
                taken.append((batch, part))
                left -= part.size
    if left or (wanted.batches and refused):
        raise FaultyData([*refused, *([_too_few(wanted, left)] if left else [])])
    return taken


def _in_order(batches: Iterable[Batch], wanted: Wanted) -> list[Batch]:
    chosen = [
        one
        for one in batches
        if (not wanted.kinds or one.kind in wanted.kinds) and (not wanted.batches or one.batch_id in wanted.batches)
    ]
    return sorted(
        chosen,
        key=lambda one: (one.vintage_month != wanted.month, one.expires_on or FAR, one.vintage_start, one.batch_id),
    )


def _of_claim(holdings: Holdings, account: str, claim_id: str) -> list[tuple[Batch, SerialRange]]:
    found = [
        (batch, units) for batch in holdings.batches.values() for units in holdings.book.units(batch.batch_id, account, claim_id)
    ]  # fmt: skip
    if not found:
        raise FaultyData([_nothing(claim_id, "没有预留的单位。", "nothing is reserved.")])
    return found


def _moves(
    book: Book,
    found: Sequence[tuple[Batch, SerialRange]],
    move: tuple[str, str],
    claim_id: str | None,
    act: Act,
    offset: int = 0,
) -> list[Transfer]:
    return [
        Transfer(
            book.next_id(offset + place), batch.batch_id, move[0], move[1], serials, act.at, act.actor, act.reason,
            act.state, claim_id, None, act.certificate,
        )
        for place, (batch, serials) in enumerate(found)
    ]  # fmt: skip


def _too_few(wanted: Wanted, left: int) -> Problem:
    had = wanted.amount - left
    return _problem(
        "too_few",
        f"需要 {wanted.amount:,}, 可用 {had:,}, 差 {left:,}。",
        f"{wanted.amount:,} are asked for, {had:,} may serve: {left:,} too few.",
    )


def _nothing(claim_id: str, zh: str, en: str) -> Problem:
    return _problem("nothing", f"主张 {claim_id}: {zh}", f"Claim {claim_id}: {en}")


def _problem(code: str, zh: str, en: str) -> Problem:
    hint = Text("持仓见 zf instruments show。", "See zf instruments show.")
    return Problem(f"instruments.{code}", Text(zh, en), hint)
