"""What the plant holds: position by kind and vintage with cost, the calendar of expiry, the history of claims and batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from zerofactory.errors import NotFound, Text
from zerofactory.instruments.book import ACCOUNTS
from zerofactory.instruments.kind import kind
from zerofactory.instruments.purpose import Purpose
from zerofactory.instruments.retire import withdrawn
from zerofactory.runs.context import Context
from zerofactory.runs.instrument_book import Ledger, ledger

SHOWN = tuple(name for name in ACCOUNTS if name != "outside")


@dataclass(frozen=True, slots=True)
class PositionLine:
    """Units of one kind and vintage year by account, and what those that have a price cost."""

    kind: str
    unit: str
    vintage_year: int
    units: dict[str, int]
    cost_cny: float
    priced: int

    @property
    def total(self) -> int:
        """Units of the line."""
        return sum(self.units.values())


@dataclass(frozen=True, slots=True)
class Position:
    """Everything in the book of instruments on a day."""

    on: date
    lines: tuple[PositionLine, ...]
    claims: tuple[tuple[Purpose, dict[str, int]], ...]
    pending: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "on": self.on.isoformat(),
            "position": [
                {
                    "kind": one.kind, "unit": one.unit, "vintage_year": one.vintage_year, "units": one.units,
                    "cost_cny": one.cost_cny, "priced_units": one.priced,
                }
                for one in self.lines
            ],
            "claims": [
                {
                    "claim": one.claim_id, "use": one.use, "standard": one.standard or None, "period": one.period,
                    "beneficiary": one.beneficiary, "units": held, "reason": one.reason, "at": one.at,
                }
                for one, held in self.claims
            ],
            "pending": self.pending,
        }  # fmt: skip


def position(context: Context, kind_id: str | None = None) -> Position:
    """Return the position, of one kind if named; raise `NotFound` for an unknown kind."""
    if kind_id is not None:
        kind(kind_id)
    found = ledger(context.workspace)
    groups: dict[tuple[str, int], list[str]] = {}
    for batch in found.holdings.batches.values():
        if kind_id in (None, batch.kind) and not withdrawn(found.book, batch.batch_id):
            groups.setdefault((batch.kind, batch.vintage_end.year), []).append(batch.batch_id)
    lines = [_line(found, key, names) for key, names in sorted(groups.items())]
    claims = tuple((purpose, _held(found, name)) for name, purpose in found.purposes.items())
    return Position(context.today, tuple(lines), claims, len(found.book.pending()))


def _line(found: Ledger, key: tuple[str, int], names: list[str]) -> PositionLine:
    units = {account: sum(found.book.balance(account, name) for name in names) for account in SHOWN}
    priced = [batch for name in names if (batch := found.holdings.batches[name]).price_cny is not None]
    cost = sum((one.price_cny or 0.0) * one.amount for one in priced)
    return PositionLine(key[0], kind(key[0]).unit, key[1], units, round(cost, 2), sum(one.amount for one in priced))


def _held(found: Ledger, claim_id: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for held in found.book.of_claim(claim_id).values():
        for account, amount in held.items():
            total[account] = total.get(account, 0) + amount
    return total


@dataclass(frozen=True, slots=True)
class Expiry:
    """Units of one batch that are still held or reserved, and the last day on which they may be retired."""

    expires_on: date
    batch_id: str
    kind: str
    vintage: str
    units: int
    days_left: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "expires_on": self.expires_on.isoformat(), "batch": self.batch_id, "kind": self.kind,
            "vintage": self.vintage, "units": self.units, "days_left": self.days_left,
        }  # fmt: skip


def calendar(context: Context) -> list[Expiry]:
    """Return what expires when, soonest first; what has expired and is not written off yet has days below zero."""
    found = ledger(context.workspace)
    made = []
    for batch in found.holdings.batches.values():
        units = found.book.balance("held", batch.batch_id) + found.book.balance("reserved", batch.batch_id)
        last = batch.expires_on
        if last is not None and units:
            made.append(
                Expiry(last, batch.batch_id, batch.kind, batch.vintage, units, (last - context.today).days)
            )  # fmt: skip
    return sorted(made, key=lambda one: (one.expires_on, one.batch_id))


def history(context: Context, name: str) -> list[dict[str, Any]]:
    """Return every transfer of a batch or a claim, oldest first; raise `NotFound` when the name is neither."""
    found = ledger(context.workspace)
    if name not in found.holdings.batches and name not in found.purposes:
        raise NotFound(Text("批次或主张", "batch or claim"), name, (*found.purposes, *found.holdings.batches))
    return [
        {
            "transfer": one.transfer_id, "batch": one.batch_id, "from": one.from_account, "to": one.to_account,
            "amount": one.amount, "serials": str(one.serials), "state": one.state, "claim": one.claim_id,
            "certificate": one.certificate, "at": one.at, "actor": one.actor, "reason": one.reason,
            "reverses": one.reverses,
        }
        for one in found.book.transfers.values()
        if name in (one.batch_id, one.claim_id)
    ]  # fmt: skip


def batches(context: Context, kind_id: str | None = None) -> list[dict[str, Any]]:
    """Return every batch with what of it is in each account."""
    found = ledger(context.workspace)
    return [
        {
            "batch": one.batch_id, "kind": one.kind, "registry": one.registry, "serials": str(one.serials),
            "amount": one.amount, "unit": one.rules.unit, "vintage": one.vintage, "project": one.project_name or one.project_id,
            "expires_on": one.expires_on.isoformat() if one.expires_on else None, "price_cny": one.price_cny,
            "units": {name: amount for name in SHOWN if (amount := found.book.balance(name, one.batch_id))},
        }
        for one in found.holdings.batches.values()
        if kind_id in (None, one.kind)
    ]  # fmt: skip
