"""The book of instruments: double entry over accounts, and each serial in one place.

    outside ─► held ─► reserved ─► retired ─► claimed
                 ├──► sold, expired, cancelled
    pending ─► posted   or   pending ─► void

A transfer takes units out of one account and puts them into another, so that over all accounts (``outside`` counts what was
issued to us, negative) every batch sums to zero. A pending transfer locks its units where they are until it is posted or
void. What is in force is decided by folding the rows in their order; a row that does not fit is refused and changes nothing.
A mistake is taken back by a new row that moves the same units the other way (``reverses``), never by changing one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.instruments.batch import number_in
from zerofactory.instruments.serial import SerialRange
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

Account = Literal["outside", "held", "reserved", "retired", "claimed", "expired", "sold", "cancelled"]
State = Literal["pending", "posted", "void"]
ACCOUNTS: Mapping[str, Text] = {
    "outside": Text("账外(签发方)", "outside (issuer)"),
    "held": Text("持有", "held"),
    "reserved": Text("预留", "reserved"),
    "retired": Text("已注销", "retired"),
    "claimed": Text("已主张", "claimed"),
    "expired": Text("已过期", "expired"),
    "sold": Text("已售出", "sold"),
    "cancelled": Text("已核销", "cancelled"),
}
STATES = ("pending", "posted", "void")
MOVES = frozenset(
    {
        ("outside", "held"), ("held", "reserved"), ("reserved", "held"), ("reserved", "retired"), ("held", "retired"),
        ("retired", "claimed"), ("held", "sold"), ("held", "expired"), ("reserved", "expired"), ("held", "cancelled"),
    }
)  # fmt: skip
FOR_A_CLAIM = frozenset({"reserved", "retired", "claimed"})
Place = tuple[str, str | None, str | None]
OUTSIDE: Place = ("outside", None, None)

TRANSFERS = TableSchema(
    "transfers",
    Text("权益转移", "transfers of instruments"),
    (
        Column("transfer_id", "text", Text("转移编号", "transfer")),
        Column("batch_id", "text", Text("批次号", "batch")),
        Column("from_account", "text", Text("转出账户", "from"), choices=tuple(ACCOUNTS)),
        Column("to_account", "text", Text("转入账户", "to"), choices=tuple(ACCOUNTS)),
        Column("amount", "integer", Text("数量", "amount"), unit="units", minimum=1),
        Column("serial_first", "text", Text("起始编号", "first serial")),
        Column("serial_last", "text", Text("终止编号", "last serial")),
        Column("state", "text", Text("状态", "state"), choices=STATES),
        Column("claim_id", "text", Text("主张编号", "claim"), nullable=True),
        Column("settles", "text", Text("落实或作废的转移", "transfer it posts or voids"), nullable=True),
        Column("certificate", "text", Text("登记机构凭证号", "the registry's certificate"), nullable=True),
        Column("at", "text", Text("时间", "at")),
        Column("actor", "text", Text("经手人", "who")),
        Column("reason", "text", Text("原因", "reason")),
        Column("reverses", "text", Text("冲回的转移", "transfer it takes back"), nullable=True),
    ),
    ("transfer_id",),
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One row of TRANSFERS."""

    transfer_id: str
    batch_id: str
    from_account: str
    to_account: str
    serials: SerialRange
    at: str
    actor: str
    reason: str
    state: State = "posted"
    claim_id: str | None = None
    settles: str | None = None
    certificate: str | None = None
    reverses: str | None = None

    @property
    def amount(self) -> int:
        """Units moved."""
        return self.serials.size


class _Lane:
    """Where each unit of one batch is: pieces of consecutive units in one place, kept as short a list as possible."""

    __slots__ = ("places", "serials", "starts")

    def __init__(self, serials: SerialRange) -> None:
        self.serials = serials
        self.starts: list[int] = [serials.first]
        self.places: list[Place] = [OUTSIDE]

    def within(self, first: int, last: int) -> tuple[int, int]:
        """Return the first piece that holds one of the units, and the one after the last."""
        low = bisect_right(self.starts, first) - 1
        if low + 1 == len(self.starts) or self.starts[low + 1] > last:
            return low, low + 1
        return low, bisect_right(self.starts, last)

    def put(self, first: int, last: int, place: Place) -> None:
        """Put units into one place, whatever place they were in; pieces that meet in one place become one."""
        starts, places = self.starts, self.places
        low, high = self.within(first, last)
        end = starts[high] if high < len(starts) else self.serials.last + 1
        before, after = places[low], places[high - 1]
        new_starts, new_places = [first], [place]
        if starts[low] < first:
            if before == place:
                new_starts[0] = starts[low]
            else:
                new_starts.insert(0, starts[low])
                new_places.insert(0, before)
        elif low > 0 and places[low - 1] == place:
            low -= 1
            new_starts[0] = starts[low]
        if last + 1 < end:
            if after != place:
                new_starts.append(last + 1)
                new_places.append(after)
        elif high < len(starts) and places[high] == place:
            high += 1
        starts[low:high] = new_starts
        places[low:high] = new_places

    def pieces(self) -> Iterable[tuple[SerialRange, Place]]:
        """Yield the pieces in order."""
        ends = [*(start - 1 for start in self.starts[1:]), self.serials.last]
        for first, last, place in zip(self.starts, ends, self.places, strict=True):
            yield self.serials.part(first, last), place


class Book:
    """Every batch, where its units are, and what each account comes to."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._balances: dict[tuple[str, str], int] = {}
        self._settled: dict[str, str] = {}
        self._transfers: dict[str, Transfer] = {}
        self._reversed: set[str] = set()
        self._claim_before: dict[str, str | None] = {}

    @property
    def transfers(self) -> Mapping[str, Transfer]:
        """The transfers in the book by id, in order."""
        return self._transfers

    def next_id(self, offset: int = 0) -> str:
        """Return the id of the transfer after the last (and ``offset`` more)."""
        return f"T{len(self._transfers) + 1 + offset:07d}"

    def open(self, batch_id: str, serials: SerialRange) -> None:
        """Add a batch, all of its units outside; a batch already there is refused."""
        if batch_id in self._lanes:
            raise FaultyData([_fault("batch_twice", batch_id, "批次已在账上。", "The batch is in the book already.")])
        self._lanes[batch_id] = _Lane(serials)
        for account in ACCOUNTS:
            self._balances[batch_id, account] = 0

    def post(self, transfer: Transfer) -> None:
        """Take one transfer into the book.

        Raises
        ------
        FaultyData
            The transfer does not fit: units not where it takes them from, in another claim, locked, a move that is none,
            or taken back already. The book is as it was before.
        """
        before, place = self._places(transfer)
        lane = self._lanes[transfer.batch_id]
        lane.put(transfer.serials.first, transfer.serials.last, place)
        if transfer.state == "posted":
            self._balances[transfer.batch_id, transfer.from_account] -= transfer.amount
            self._balances[transfer.batch_id, transfer.to_account] += transfer.amount
        if transfer.settles:
            self._settled[transfer.settles] = transfer.state
        if transfer.reverses:
            self._reversed.add(transfer.reverses)
        self._claim_before[transfer.transfer_id] = before[1]
        self._transfers[transfer.transfer_id] = transfer

    def _places(self, transfer: Transfer) -> tuple[Place, Place]:
        """Return where the units of a transfer are and where they go; raise `FaultyData` when it does not fit."""
        lane = self._lanes.get(transfer.batch_id)
        if lane is None:
            raise FaultyData([_fault("no_batch", transfer.transfer_id, "没有这个批次。", "There is no such batch.")])
        if transfer.transfer_id in self._transfers:
            raise FaultyData(
                [_fault("transfer_twice", transfer.transfer_id, "转移编号重复。", "The id is used twice.")]
            )
        if not lane.serials.contains(transfer.serials):
            raise FaultyData([_not_in_batch(transfer)])
        self._allowed(transfer)
        place = self._source(transfer, lane)
        account, claim, _ = place
        if transfer.state == "pending":
            return place, (account, claim, transfer.transfer_id)
        if transfer.state == "void":
            return place, (account, claim, None)
        if transfer.reverses:
            return place, (transfer.to_account, self._claim_before[transfer.reverses], None)
        return place, (transfer.to_account, transfer.claim_id if transfer.to_account in FOR_A_CLAIM else None, None)

    def _allowed(self, transfer: Transfer) -> None:
        """Refuse a move that is none, a reversal of nothing, and a settlement of nothing."""
        move = (transfer.from_account, transfer.to_account)
        if transfer.reverses:
            self._reversal(transfer)
        elif move not in MOVES:
            said = f"{ACCOUNTS[move[0]].zh}→{ACCOUNTS[move[1]].zh}", f"{move[0]} → {move[1]}"
            raise FaultyData(
                [_fault("no_such_move", transfer.transfer_id, f"不能 {said[0]}。", f"Units cannot go {said[1]}.")]
            )
        if transfer.to_account in ("reserved", "claimed") and transfer.claim_id is None:
            raise FaultyData(
                [_fault("no_claim", transfer.transfer_id, "没有写明主张编号。", "The transfer names no claim.")]
            )
        if transfer.settles or transfer.state == "void":
            self._settlement(transfer)

    def _reversal(self, transfer: Transfer) -> None:
        """Refuse a reversal that is not the exact inverse of a posted transfer, or the second one of it."""
        before = self._transfers.get(transfer.reverses or "")
        inverse = (
            before is not None
            and before.state == "posted"
            and before.reverses is None
            and before.batch_id == transfer.batch_id
            and before.serials == transfer.serials
            and (before.from_account, before.to_account) == (transfer.to_account, transfer.from_account)
            and transfer.reverses not in self._reversed
        )
        if not inverse:
            raise FaultyData(
                [
                    _fault(
                        "not_reversible",
                        transfer.transfer_id,
                        f"不能冲回 {transfer.reverses}: 不是同批同号的已落实转移, 或已冲回。",
                        f"Cannot take back {transfer.reverses}: not a posted transfer of the same units, or taken back already.",
                    )
                ]
            )

    def _settlement(self, transfer: Transfer) -> None:
        before = self._transfers.get(transfer.settles or "")
        fits = (
            before is not None
            and before.state == "pending"
            and before.transfer_id not in self._settled
            and (before.batch_id, before.serials, before.claim_id)
            == (transfer.batch_id, transfer.serials, transfer.claim_id)
            and (before.from_account, before.to_account) == (transfer.from_account, transfer.to_account)
        )
        if not fits:
            raise FaultyData(
                [
                    _fault(
                        "not_pending",
                        transfer.transfer_id,
                        f"{transfer.settles} 不是等待中的同一转移。",
                        f"{transfer.settles} is not this transfer pending.",
                    )
                ]
            )

    def _source(self, transfer: Transfer, lane: _Lane) -> Place:
        """Return the one place all units are in now; raise `FaultyData` unless it is where the transfer takes them from."""
        low, high = lane.within(transfer.serials.first, transfer.serials.last)
        place = lane.places[low]
        for other in lane.places[low + 1 : high]:
            if other != place:
                raise FaultyData([_scattered(transfer, lane.places[low:high])])
        account, claim, pending = place
        if account != transfer.from_account:
            raise FaultyData([_elsewhere(transfer, account)])
        if pending != transfer.settles:
            raise FaultyData([_locked(transfer, pending)])
        tied = transfer.from_account in FOR_A_CLAIM and claim is not None
        if tied and claim != transfer.claim_id:
            raise FaultyData([_other_claim(transfer, claim)])
        return place

    def balance(self, account: str, batch_id: str | None = None) -> int:
        """Return what an account holds, of one batch or of all (mixing kinds: for checks only)."""
        if batch_id is not None:
            return self._balances[batch_id, account]
        return sum(amount for (_, name), amount in self._balances.items() if name == account)

    def units(self, batch_id: str, account: str, claim_id: str | None = None) -> list[SerialRange]:
        """Return the units of a batch in an account that are free to move, those of one claim only when it is named."""
        return [
            serials
            for serials, (name, claim, pending) in self._lanes[batch_id].pieces()
            if name == account and pending is None and (claim_id is None or claim == claim_id)
        ]

    def of_claim(self, claim_id: str) -> dict[str, dict[str, int]]:
        """Return what belongs to a claim, locked units included: units by batch and account."""
        names = {one.batch_id for one in self._transfers.values() if one.claim_id == claim_id}
        found: dict[str, dict[str, int]] = {}
        for name in sorted(names):
            for serials, (account, claim, _) in self._lanes[name].pieces():
                if claim == claim_id:
                    held = found.setdefault(name, {})
                    held[account] = held.get(account, 0) + serials.size
        return found

    def pending(self) -> list[Transfer]:
        """Return the transfers that wait to be posted or voided."""
        return [
            one for one in self._transfers.values() if one.state == "pending" and one.transfer_id not in self._settled
        ]

    def is_reversed(self, transfer_id: str) -> bool:
        """Whether a transfer was taken back."""
        return transfer_id in self._reversed

    def check(self) -> list[Problem]:
        """Return what does not balance: accounts against zero, and the amounts of accounts against the serials in them."""
        problems = []
        for batch_id, lane in self._lanes.items():
            held = dict.fromkeys(ACCOUNTS, 0)
            for serials, (account, _, _) in lane.pieces():
                held[account] += serials.size
            held["outside"] -= lane.serials.size
            booked = {account: self._balances[batch_id, account] for account in ACCOUNTS}
            if sum(booked.values()) != 0 or booked != held:
                problems.append(
                    _fault(
                        "unbalanced",
                        batch_id,
                        f"账户合计 {sum(booked.values())}, 与编号不符。",
                        f"Accounts sum to {sum(booked.values())} and differ from the serials.",
                    )
                )
        return problems


def transfers_frame(transfers: Iterable[Transfer]) -> pl.DataFrame:
    """Return transfers as rows of TRANSFERS."""
    import polars as pl

    rows = [
        (
            one.transfer_id, one.batch_id, one.from_account, one.to_account, one.amount, one.serials.first_text,
            one.serials.last_text, one.state, one.claim_id, one.settles, one.certificate, one.at, one.actor,
            one.reason, one.reverses,
        )
        for one in transfers
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=TRANSFERS.polars_schema(), orient="row")


def transfers_of(frame: pl.DataFrame, serials: Mapping[str, SerialRange]) -> Iterable[Transfer]:
    """Yield the transfers of a frame of TRANSFERS in its order; ``serials`` are the batches' by id."""
    for row in frame.select(TRANSFERS.names).iter_rows():
        whole = serials[row[1]]
        first, last = (number_in(row[place], whole.prefix, whole.suffix) for place in (5, 6))
        part = SerialRange(whole.prefix, whole.suffix, first, last, whole.width)
        if part.size != row[4]:
            raise FaultyData([_fault("amount", row[0], "数量与编号区间不符。", "The amount differs from the serials.")])
        yield Transfer(
            transfer_id=row[0], batch_id=row[1], from_account=row[2], to_account=row[3], serials=part, state=row[7],
            claim_id=row[8], settles=row[9], certificate=row[10], at=row[11], actor=row[12], reason=row[13],
            reverses=row[14],
        )  # fmt: skip


def folded(serials: Mapping[str, SerialRange], transfers: Iterable[Transfer]) -> Book:
    """Return the book that batches and transfers make; raise `FaultyData` at the first transfer that does not fit."""
    book = Book()
    for batch_id, one in serials.items():
        book.open(batch_id, one)
    for transfer in transfers:
        book.post(transfer)
    return book


def _fault(code: str, place: str, zh: str, en: str, hint: Text | None = None) -> Problem:
    told = hint or Text("账本未变。", "The book is unchanged.")
    return Problem(f"instruments.{code}", Text(f"{place}: {zh}", f"{place}: {en}"), told)


def _not_in_batch(transfer: Transfer) -> Problem:
    return _fault(
        "not_in_batch",
        transfer.transfer_id,
        f"{transfer.serials} 不在批次 {transfer.batch_id} 内。",
        f"{transfer.serials} is not in batch {transfer.batch_id}.",
    )


def _scattered(transfer: Transfer, places: list[Place]) -> Problem:
    names = list(dict.fromkeys(place[0] for place in places))
    zh = "、".join(ACCOUNTS[name].zh for name in names)
    return _fault(
        "scattered",
        transfer.transfer_id,
        f"{transfer.serials} 不全在同一处({zh}), 不能从“{ACCOUNTS[transfer.from_account].zh}”转出。",
        f"{transfer.serials} is not in one place ({', '.join(names)}); cannot leave '{transfer.from_account}'.",
    )


def _elsewhere(transfer: Transfer, account: str) -> Problem:
    return _fault(
        "elsewhere",
        transfer.transfer_id,
        f"{transfer.serials} 在“{ACCOUNTS[account].zh}”, 不在“{ACCOUNTS[transfer.from_account].zh}”。",
        f"{transfer.serials} is in '{account}', not in '{transfer.from_account}'.",
    )


def _locked(transfer: Transfer, pending: str | None) -> Problem:
    return _fault(
        "locked",
        transfer.transfer_id,
        f"{transfer.serials} 被等待中的转移 {pending} 锁定。" if pending else "没有等待中的转移可落实。",
        f"{transfer.serials} is locked by pending transfer {pending}." if pending else "No transfer is pending there.",
    )


def _other_claim(transfer: Transfer, claim: str | None) -> Problem:
    return _fault(
        "other_claim",
        transfer.transfer_id,
        f"{transfer.serials} 属于主张 {claim}, 一个单位只能主张一次。",
        f"{transfer.serials} belongs to claim {claim}; a unit is claimed once.",
    )
