"""Alarms: an episode of a rule with what it costs, held against the alarms there are, so that one episode is one alarm."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from zerofactory.errors import Text

LEARNT = ("anomaly", "drift")
CARRIED_UP = (
    *LEARNT,
    "standby_waste",
    "base_load",
    "twin_residual",
)  # rules whose findings a meter further up shows as well
EXPLAINED_FRACTION = 0.5  # share of a parent's excess in its children from which the parent's alarm says nothing new
NOTHING = Text("", "")

Step = Literal["raised", "extended"]


@dataclass(frozen=True, slots=True)
class Price:
    """What an excess costs; a figure that cannot be told is None and ``lacking`` says why."""

    energy_wh: int | None = None
    cost_cny: float | None = None
    emissions_gco2e: int | None = None
    lacking: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Found:
    """An episode as a scan found it, in time. ``amount_milli`` is the excess in thousandths of ``unit``."""

    rule: str
    meter: str
    shop: str | None
    carrier: str
    started_at: datetime
    ended_at: datetime
    amount_milli: int
    unit: str
    value_per_hour: float | None
    limit_per_hour: float | None
    message: Text
    price: Price = Price()

    @property
    def alarm_id(self) -> str:
        """The id: rule, meter and start say which alarm it is.

        Examples
        --------
        >>> t = datetime.fromisoformat("2025-03-03T00:00+00:00")
        >>> Found("threshold", "E1", None, "electricity", t, t, 0, "kWh", None, None, NOTHING).alarm_id
        '20250303-75def8'
        """
        text = f"{self.rule}/{self.meter}/{self.started_at.isoformat()}"
        return f"{self.started_at:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm there is already: where it lies, and whether it is closed."""

    alarm_id: str
    rule: str
    meter: str
    started_at: datetime
    ended_at: datetime
    closed: bool


def own_children(found: Sequence[Found], parents: Mapping[str, str]) -> list[Found]:
    """Return episodes without those that the meters below explain.

    A parent's finding is left out where findings of the same kind of meters below it, at the same time and of the same sign, hold at least half
    of its excess: the alarm belongs to the meter that is odd.

    Parameters
    ----------
    parents : Mapping
        Meter → the meter it hangs below.
    """
    kept = []
    local = [one for one in found if one.rule in CARRIED_UP]
    for one in found:
        if one.rule in CARRIED_UP:
            below = [
                other.amount_milli
                for other in local
                if other.carrier == one.carrier
                and _hangs_below(other.meter, one.meter, parents)
                and other.started_at < one.ended_at
                and one.started_at < other.ended_at
                and (other.rule == one.rule or {other.rule, one.rule} <= set(LEARNT))
                and other.amount_milli * one.amount_milli > 0
            ]
            if below and abs(sum(below)) >= EXPLAINED_FRACTION * abs(one.amount_milli):
                continue
        kept.append(one)
    return kept


def _hangs_below(meter: str, above: str, parents: Mapping[str, str]) -> bool:
    at = parents.get(meter)
    while at is not None:
        if at == above:
            return True
        at = parents.get(at)
    return False


def reconciled(found: Sequence[Found], standing: Sequence[Standing]) -> list[tuple[Step, str, Found]]:
    """Return what a scan adds to the book: alarms raised, and alarms whose episode went on. Seen again: nothing.

    An episode that overlaps or touches an alarm of the same rule and meter is that alarm; an extension holds only what came
    after its end, to be added. What goes on after an alarm was closed is a new one, from where the old one ended.
    """
    made: list[tuple[Step, str, Found]] = []
    there = list(standing)
    for one in sorted(found, key=lambda each: (each.started_at, each.rule, each.meter)):
        same = [
            other
            for other in there
            if (other.rule, other.meter) == (one.rule, one.meter)
            and other.started_at <= one.ended_at
            and one.started_at <= other.ended_at
        ]
        newest = max(same, key=lambda other: other.ended_at, default=None)
        if newest is None:
            made.append(("raised", one.alarm_id, one))
            there.append(Standing(one.alarm_id, one.rule, one.meter, one.started_at, one.ended_at, False))
        elif one.ended_at > newest.ended_at:
            rest = _after(one, newest.ended_at)
            name = rest.alarm_id if newest.closed else newest.alarm_id
            made.append(("raised" if newest.closed else "extended", name, rest))
            there.append(Standing(name, rest.rule, rest.meter, rest.started_at, rest.ended_at, False))
    return made


def _after(one: Found, moment: datetime) -> Found:
    """Return the part of an episode after a moment, its excess in proportion to time."""
    if moment <= one.started_at:
        return one
    share = (one.ended_at - moment) / (one.ended_at - one.started_at)
    return replace(one, started_at=moment, amount_milli=round(one.amount_milli * share))
