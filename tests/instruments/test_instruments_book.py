"""The book of instruments: random sequences of transfers keep every batch at zero and every serial in one place."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from zerofactory.errors import FaultyData
from zerofactory.instruments.book import ACCOUNTS, MOVES, Book, Transfer, folded, transfers_frame, transfers_of
from zerofactory.instruments.serial import SerialRange, clashes, merged, read_range

ACT = ("2026-01-15T00:00:00.000000Z", "tester", "test")
NAMES = tuple(ACCOUNTS)
BATCHES = {
    "a": SerialRange("GEC-", "", 1, 40, 4),
    "b": SerialRange("0001-", "-VCS", 10**30, 10**30 + 30, 32),
    "c": SerialRange("", "", 0, 0, 1),
}


class TransferSequences(RuleBasedStateMachine):
    """Throws transfers at the book, most of them wrong, and keeps a plain model beside it: a dict serial → account."""

    @initialize()
    def start(self) -> None:
        self.book = Book()
        self.model = {}
        for name, serials in BATCHES.items():
            self.book.open(name, serials)
            for number in range(serials.first, serials.last + 1):
                self.model[name, number] = ("outside", None)
        self.count = 0

    def _try(self, transfer: Transfer) -> None:
        numbers = range(transfer.serials.first, transfer.serials.last + 1)
        keys = [(transfer.batch_id, number) for number in numbers]
        before = [self.model[key] for key in keys]
        legal = (transfer.from_account, transfer.to_account) in MOVES
        named = transfer.claim_id is not None or transfer.to_account not in ("reserved", "claimed")
        there = all(account == transfer.from_account for account, _ in before)
        mine = all(claim in (None, transfer.claim_id) for _, claim in before)
        together = len(set(before)) == 1
        if legal and named and there and mine and together:
            self.book.post(transfer)
            kept = transfer.claim_id if transfer.to_account in ("reserved", "retired", "claimed") else None
            for key in keys:
                self.model[key] = (transfer.to_account, kept)
        else:
            with pytest.raises(FaultyData):
                self.book.post(transfer)

    @rule(
        name=st.sampled_from(list(BATCHES)), move=st.sampled_from(sorted(MOVES)), data=st.data(),
        claim=st.sampled_from([None, "C1", "C2"]), wild=st.booleans(), to=st.sampled_from(NAMES),
    )  # fmt: skip
    def throw(
        self, name: str, move: tuple[str, str], data: st.DataObject, claim: str | None, wild: bool, to: str
    ) -> None:
        whole = BATCHES[name]
        first = data.draw(st.integers(whole.first, whole.last))
        last = data.draw(st.integers(first, min(first + 12, whole.last)))
        self.count += 1
        self._try(
            Transfer(
                f"T{self.count}", name, move[0], to if wild else move[1], whole.part(first, last), *ACT, claim_id=claim
            )
        )

    @rule(name=st.sampled_from(list(BATCHES)))
    def issue_all(self, name: str) -> None:
        self.count += 1
        self._try(Transfer(f"T{self.count}", name, "outside", "held", BATCHES[name], *ACT))

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """Reverse a transfer: the book takes it exactly when all its units are still where it put them."""
        if not self.book.transfers:
            return
        one = data.draw(st.sampled_from(list(self.book.transfers.values())))
        self.count += 1
        back = Transfer(
            f"T{self.count}", one.batch_id, one.to_account, one.from_account, one.serials, *ACT,
            claim_id=one.claim_id, reverses=one.transfer_id,
        )  # fmt: skip
        keys = [(one.batch_id, n) for n in range(one.serials.first, one.serials.last + 1)]
        try:
            self.book.post(back)
        except FaultyData:
            return
        assert all(self.model[key][0] == one.to_account for key in keys)
        assert one.reverses is None
        for units, (account, claim, _) in self.book._lanes[one.batch_id].pieces():
            for number in range(units.first, units.last + 1):
                if (one.batch_id, number) in keys:
                    self.model[one.batch_id, number] = (account, claim)
                    assert account == one.from_account

    @invariant()
    def balances(self) -> None:
        if not hasattr(self, "book"):
            return
        assert self.book.check() == []
        for name, serials in BATCHES.items():
            assert sum(self.book.balance(account, name) for account in ACCOUNTS) == 0
            counted = dict.fromkeys(ACCOUNTS, 0)
            for number in range(serials.first, serials.last + 1):
                counted[self.model[name, number][0]] += 1
            for account in set(ACCOUNTS) - {"outside"}:
                assert self.book.balance(account, name) == counted[account]
                assert sum(one.size for one in self.book.units(name, account)) == counted[account]

    @invariant()
    def folds_again_from_its_rows(self) -> None:
        if not hasattr(self, "book"):
            return
        rows = transfers_frame(self.book.transfers.values())
        again = folded(BATCHES, transfers_of(rows, BATCHES))
        assert {(n, a): again.balance(a, n) for n in BATCHES for a in ACCOUNTS} == {
            (n, a): self.book.balance(a, n) for n in BATCHES for a in ACCOUNTS
        }


TestTransferSequences = TransferSequences.TestCase


def opened() -> Book:
    book = Book()
    book.open("a", BATCHES["a"])
    book.post(Transfer("T1", "a", "outside", "held", BATCHES["a"], *ACT))
    return book


def moved(number: int, move: tuple[str, str], first: int, last: int, **more: str) -> Transfer:
    return Transfer(f"T{number}", "a", *move, BATCHES["a"].part(first, last), *ACT, **more)  # type: ignore[arg-type]


def code_of(book: Book, transfer: Transfer) -> str:
    with pytest.raises(FaultyData) as caught:
        book.post(transfer)
    assert book.check() == []
    return caught.value.problems[0].code


def test_more_retired_than_held_is_refused() -> None:
    book = opened()
    book.post(moved(2, ("held", "reserved"), 1, 30, claim_id="C1"))
    assert code_of(book, moved(3, ("held", "retired"), 25, 40)) == "instruments.scattered"
    assert code_of(book, moved(3, ("held", "retired"), 1, 10)) == "instruments.elsewhere"


def test_a_unit_is_claimed_once() -> None:
    book = opened()
    for number, move in enumerate([("held", "reserved"), ("reserved", "retired"), ("retired", "claimed")], start=2):
        book.post(moved(number, move, 1, 5, claim_id="C1"))
    assert code_of(book, moved(9, ("retired", "claimed"), 1, 5, claim_id="C2")) == "instruments.elsewhere"
    assert code_of(book, moved(9, ("held", "reserved"), 3, 3, claim_id="C2")) == "instruments.elsewhere"
    assert code_of(book, moved(9, ("outside", "held"), 1, 5)) == "instruments.elsewhere"


def test_what_is_reserved_for_one_claim_serves_no_other() -> None:
    book = opened()
    book.post(moved(2, ("held", "reserved"), 1, 5, claim_id="C1"))
    assert code_of(book, moved(3, ("reserved", "retired"), 1, 5, claim_id="C2")) == "instruments.other_claim"


def test_pending_locks_and_void_unlocks() -> None:
    book = opened()
    book.post(moved(2, ("held", "reserved"), 1, 5, claim_id="C1"))
    book.post(moved(3, ("reserved", "retired"), 1, 5, claim_id="C1", state="pending"))
    assert book.balance("reserved", "a") == 5
    assert code_of(book, moved(4, ("reserved", "held"), 1, 5, claim_id="C1")) == "instruments.locked"
    assert (
        code_of(book, moved(4, ("reserved", "retired"), 1, 4, claim_id="C1", settles="T3")) == "instruments.not_pending"
    )
    book.post(moved(4, ("reserved", "retired"), 1, 5, claim_id="C1", state="void", settles="T3"))
    assert book.pending() == []
    assert (
        code_of(book, moved(5, ("reserved", "retired"), 1, 5, claim_id="C1", settles="T3")) == "instruments.not_pending"
    )
    book.post(moved(5, ("reserved", "held"), 1, 5, claim_id="C1"))
    assert book.balance("held", "a") == 40


def test_a_transfer_is_taken_back_once_and_exactly() -> None:
    book = opened()
    book.post(moved(2, ("held", "reserved"), 1, 5, claim_id="C1"))
    assert (
        code_of(book, moved(3, ("reserved", "held"), 1, 4, claim_id="C1", reverses="T2"))
        == "instruments.not_reversible"
    )
    book.post(moved(3, ("reserved", "held"), 1, 5, claim_id="C1", reverses="T2"))
    assert (
        code_of(book, moved(4, ("reserved", "held"), 1, 5, claim_id="C1", reverses="T2"))
        == "instruments.not_reversible"
    )
    assert (
        code_of(book, moved(4, ("held", "reserved"), 1, 5, claim_id="C1", reverses="T3"))
        == "instruments.not_reversible"
    )


serial = st.builds(
    lambda prefix, first, size, width: SerialRange(prefix, "", first, first + size, width),
    st.sampled_from(["A", "B-"]), st.integers(0, 60), st.integers(0, 20), st.just(3),
)  # fmt: skip


@given(serial, serial)
def test_range_arithmetic_agrees_with_sets(one: SerialRange, other: SerialRange) -> None:
    def units(*ranges: SerialRange) -> set[tuple[str, int]]:
        return {(r.prefix, n) for r in ranges for n in range(r.first, r.last + 1)}

    assert one.overlaps(other) == bool(units(one) & units(other))
    assert one.contains(other) == (units(other) <= units(one))
    assert units(*one.minus(other)) == units(one) - units(other)
    assert units(*merged([one, other])) == units(one) | units(other)
    assert read_range(one.first_text, one.last_text) == one


@given(st.lists(serial, max_size=8))
def test_clashes_finds_every_range_that_shares_a_unit(ranges: list[SerialRange]) -> None:
    found = clashes([("s", one) for one in ranges])
    for left, right in found:
        assert ranges[left].overlaps(ranges[right])
        assert left < right
    touched = {place for pair in found for place in pair}
    for i, one in enumerate(ranges):
        if any(one.overlaps(other) for j, other in enumerate(ranges) if j != i):
            assert i in touched
    assert all(a[1] <= b[1] for a, b in pairwise(found))


def test_serials_of_any_length_and_writing() -> None:
    assert read_range("５７０３04000000000000000012345678", "570304000000000000000012345999").size == 322
    assert read_range(" gec-007 ") == read_range("GEC-007")
    assert read_range("GEC-7").overlaps(read_range("GEC-007"))
    for first, last in [("A-1", "B-2"), ("A-9", "A-3"), ("A-09", "A-100"), ("none", None)]:
        with pytest.raises(FaultyData):
            read_range(first, last)
