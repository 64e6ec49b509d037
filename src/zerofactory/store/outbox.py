"""Events of data exchange: those that came, and those that wait to be sent; and which footprints a partner has been told of.

An event is written down before anything is done about it, so a killed server loses none and answers none twice: who takes events in
hand moves their next moment ahead, and what he does not finish comes up again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from zerofactory.store.access import META, TEXT, AccessStore

Direction = Literal["in", "out"]
State = Literal["waiting", "answered", "received", "sent", "given_up"]
EVENTS = sa.Table(
    "partner_events", META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("site", TEXT, nullable=False), sa.Column("login", TEXT, nullable=False), sa.Column("direction", TEXT, nullable=False),
    sa.Column("event_id", TEXT, nullable=False), sa.Column("kind", TEXT, nullable=False), sa.Column("body", TEXT, nullable=False),
    sa.Column("at", TEXT, nullable=False), sa.Column("state", TEXT, nullable=False), sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", TEXT, nullable=False), sa.Column("told", TEXT, nullable=False),
    sa.UniqueConstraint("site", "login", "direction", "event_id"),
)  # fmt: skip
TOLD = sa.Table(
    "partner_told", META,
    sa.Column("site", TEXT, primary_key=True), sa.Column("login", TEXT, primary_key=True), sa.Column("footprint_id", TEXT, primary_key=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One event: with whom, at which site, which way, and how it stands."""

    number: int
    site: str
    login: str
    direction: Direction
    event_id: str
    kind: str
    body: Mapping[str, Any]
    at: str
    state: State
    attempts: int
    due_at: str
    told: str


def note(store: AccessStore, event: Event, most: int) -> bool:
    """Write an event down once; return False when it is there already. Of each partner the newest ``most`` are kept."""
    with store.writing() as connection:
        return _note(connection, event, most)


def waiting(store: AccessStore, site: str, login: str) -> int:
    """Return how many events of a partner wait."""
    own = (EVENTS.c.site == site, EVENTS.c.login == login, EVENTS.c.state == "waiting")
    return int(store.rows(sa.select(sa.func.count()).select_from(EVENTS).where(*own))[0][0])


def take_due(store: AccessStore, *, at: str, until: str, most: int) -> list[Event]:
    """Take events in hand whose moment has come; until ``until`` nobody else takes them."""
    due = sa.select(EVENTS).where(EVENTS.c.state == "waiting", EVENTS.c.due_at <= at).order_by(EVENTS.c.number)
    with store.writing() as connection:
        rows = connection.execute(due.limit(most).with_for_update(skip_locked=True)).all()
        numbers = [row.number for row in rows]
        connection.execute(sa.update(EVENTS).where(EVENTS.c.number.in_(numbers)).values(due_at=until))
    return [_event(row) for row in rows]


def answer(store: AccessStore, number: int, reply: Event, most: int) -> None:
    """Write the reply to an event down and mark the event as answered, both or nothing."""
    with store.writing() as connection:
        _note(connection, reply, most)
        connection.execute(sa.update(EVENTS).where(EVENTS.c.number == number).values(state="answered", told=""))


def settle(store: AccessStore, number: int, state: State, *, due_at: str, told: str, tried: bool = True) -> None:
    """Write down how an attempt ended."""
    values: dict[str, Any] = {"state": state, "due_at": due_at, "told": told}
    if tried:
        values["attempts"] = EVENTS.c.attempts + 1
    with store.writing() as connection:
        connection.execute(sa.update(EVENTS).where(EVENTS.c.number == number).values(**values))


def again(store: AccessStore, number: int, site: str, *, at: str) -> bool:
    """Put an event that was given up, or that waits, in line for now; return whether there was one."""
    where = (EVENTS.c.number == number, EVENTS.c.site == site, EVENTS.c.state.in_(("waiting", "given_up")))
    with store.writing() as connection:
        done = connection.execute(sa.update(EVENTS).where(*where).values(state="waiting", due_at=at, at=at, attempts=0))
        return done.rowcount == 1


def events(store: AccessStore, site: str, limit: int) -> list[Event]:
    """Return the newest events of a site."""
    query = sa.select(EVENTS).where(EVENTS.c.site == site).order_by(EVENTS.c.number.desc()).limit(limit)
    return [_event(row) for row in store.rows(query)]


def told_of(store: AccessStore, site: str, login: str) -> set[str]:
    """Return the footprints a partner has been told of."""
    query = sa.select(TOLD.c.footprint_id).where(TOLD.c.site == site, TOLD.c.login == login)
    return {row.footprint_id for row in store.rows(query)}


def tell(store: AccessStore, event: Event, footprint_ids: Collection[str], most: int) -> None:
    """Write down an event that tells a partner of footprints, and that he has been told, both or nothing."""
    rows = [{"site": event.site, "login": event.login, "footprint_id": one} for one in footprint_ids]
    with store.writing() as connection:
        if _note(connection, event, most):
            connection.execute(sa.insert(TOLD), rows)


def _note(connection: sa.Connection, event: Event, most: int) -> bool:
    own = (EVENTS.c.site == event.site, EVENTS.c.login == event.login)
    same = (*own, EVENTS.c.direction == event.direction, EVENTS.c.event_id == event.event_id)
    if connection.execute(sa.select(EVENTS.c.number).where(*same)).first() is not None:
        return False
    names = [name for name in Event.__dataclass_fields__ if name not in ("number", "body")]
    row = {name: getattr(event, name) for name in names}
    connection.execute(sa.insert(EVENTS).values(**row, body=json.dumps(event.body, ensure_ascii=False)))
    oldest = sa.select(EVENTS.c.number).where(*own).order_by(EVENTS.c.number.desc()).offset(most).limit(1)
    last = connection.execute(oldest).scalar()
    if last is not None:
        over = (*own, EVENTS.c.number <= last, EVENTS.c.state != "waiting")
        connection.execute(sa.delete(EVENTS).where(*over))
    return True


def _event(row: Any) -> Event:
    return Event(
        row.number, row.site, row.login, row.direction, row.event_id, row.kind, json.loads(row.body), row.at, row.state, row.attempts,
        row.due_at, row.told,
    )  # fmt: skip
