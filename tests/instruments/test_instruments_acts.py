"""Random lives of certificates through the acts that people have: every plan fits the book or is refused, and it balances."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from zerofactory.errors import FaultyData
from zerofactory.instruments import retire as acts
from zerofactory.instruments.batch import Batch, batch_id_of
from zerofactory.instruments.book import ACCOUNTS, Book, Transfer
from zerofactory.instruments.retire import Act, Holdings, Wanted
from zerofactory.instruments.serial import SerialRange

ACT = Act("2026-01-15T00:00:00.000000Z", "tester", "test", "N1")


def batch(number: int, first: int, size: int, month: int, **more: object) -> Batch:
    serials = SerialRange(f"GEC-{number}-", "", first, first + size - 1, 4)
    day = date(2025, month, 1)
    kept = {"vintage_start": day, "vintage_end": day, "project_id": f"P{number}", "market": "CN", "beneficiary": ""}
    return Batch(batch_id_of("gec", serials), "gec", "gec", serials, **{**kept, **more})  # type: ignore[arg-type]


BATCHES = (
    batch(1, 1, 30, 3), batch(2, 500, 20, 7), batch(3, 0, 10, 1, tradable=False, self_use=True),
    batch(4, 9, 12, 5, retired_on=date(2026, 1, 2)),
)  # fmt: skip


class Lives(RuleBasedStateMachine):
    """Reserve, retire, settle, claim, release, expire, sell and take back in any order."""

    @initialize()
    def start(self) -> None:
        self.book = Book()
        self.holdings = Holdings(self.book, {one.batch_id: one for one in BATCHES})
        for one in BATCHES:
            self.book.open(one.batch_id, one.serials)
        for move in acts.issue(self.book, BATCHES, ACT):
            self.book.post(move)
        self.claims: list[str] = []

    def _do(self, planned: list[Transfer]) -> None:
        for move in planned:
            self.book.post(move)

    def _new(self) -> str:
        self.claims.append(f"C{len(self.claims) + 1}")
        return self.claims[-1]

    @rule(amount=st.integers(0, 40), picky=st.booleans())
    def reserve(self, amount: int, picky: bool) -> None:
        name, before = self._new(), self.book.balance("held")
        judge = (lambda _: []) if not picky else (lambda one: [] if one.tradable else [_refusal()])
        try:
            self._do(acts.reserve(self.holdings, name, Wanted(amount), judge, ACT))
        except FaultyData:
            assert self.book.balance("held") == before
        else:
            assert self.book.balance("held") == before - amount
            assert sum(sum(held.values()) for held in self.book.of_claim(name).values()) == amount

    @rule(amount=st.integers(1, 12))
    def claim_what_was_retired_before(self, amount: int) -> None:
        name = self._new()
        try:
            self._do(acts.claim_retired(self.holdings, name, Wanted(amount), lambda _: [], ACT))
        except FaultyData:
            return
        assert sum(held.get("claimed", 0) for held in self.book.of_claim(name).values()) == amount

    @precondition(lambda self: getattr(self, "claims", None))
    @rule(data=st.data(), act=st.sampled_from(["retire", "pending", "post", "void", "release", "unwind"]))
    def go_on(self, data: st.DataObject, act: str) -> None:
        name = data.draw(st.sampled_from(self.claims))
        plan = {
            "retire": lambda: acts.retire(self.holdings, name, lambda _: [], ACT),
            "pending": lambda: acts.retire(self.holdings, name, lambda _: [], ACT, pending=True),
            "post": lambda: acts.settle(self.holdings, name, True, ACT),
            "void": lambda: acts.settle(self.holdings, name, False, ACT),
            "release": lambda: acts.release(self.holdings, name, ACT),
            "unwind": lambda: acts.unwind(self.holdings, name, ACT),
        }[act]
        held = self.book.of_claim(name)
        try:
            planned = plan()
        except FaultyData:
            return
        self._do(planned)  # what was planned always fits
        if act == "unwind":
            kept = {account for one in self.book.of_claim(name).values() for account in one}
            assert "claimed" not in kept
            assert held

    @rule(amount=st.integers(1, 15))
    def sell(self, amount: int) -> None:
        try:
            self._do(acts.sell(self.holdings, Wanted(amount), ACT))
        except FaultyData:
            return
        own = next(one.batch_id for one in BATCHES if one.self_use)
        assert self.book.balance("sold", own) == 0

    @rule(amount=st.integers(1, 8))
    def cancel(self, amount: int) -> None:
        before = self.book.balance("cancelled")
        try:
            self._do(acts.cancel(self.holdings, Wanted(amount), ACT))
        except FaultyData:
            return
        assert self.book.balance("cancelled") == before + amount

    @rule(place=st.integers(0, len(BATCHES) - 1))
    def withdraw(self, place: int) -> None:
        one = BATCHES[place]
        untouched = one.serials in (*self.book.units(one.batch_id, "held"), *self.book.units(one.batch_id, "retired"))
        try:
            self._do(acts.withdraw(self.holdings, [one.batch_id], ACT))
        except FaultyData:
            return
        assert untouched
        assert acts.withdrawn(self.book, one.batch_id)

    @rule(month=st.integers(1, 12))
    def expire(self, month: int) -> None:
        self._do(acts.expire(self.holdings, date(2027, month, 1), ACT))
        for one in BATCHES:
            if one.expires_on is not None and one.expires_on < date(2027, month, 1):
                assert self.book.units(one.batch_id, "held") == []

    @invariant()
    def balances(self) -> None:
        if not hasattr(self, "book"):
            return
        assert self.book.check() == []
        whole = sum(one.amount for one in BATCHES if not acts.withdrawn(self.book, one.batch_id))
        assert sum(self.book.balance(account) for account in ACCOUNTS if account != "outside") == whole
        assert self.book.balance("outside") == -whole
        claimed = sum(held.get("claimed", 0) for name in self.claims for held in self.book.of_claim(name).values())
        assert self.book.balance("claimed") == claimed


def _refusal() -> object:
    from zerofactory.instruments.rule import rule as named

    return named("inst.gec.type").refusal("x")


TestLives = Lives.TestCase
