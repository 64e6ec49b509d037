"""What belongs to accounts beside the users themselves: open invitations, reset links, sessions seen, known browsers, logins under way.

The tables stand in the access database (`access.py`). Here too a secret is kept as its SHA-256 alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from zerofactory.store.access import GRANTS, INVITES, META, SESSIONS, TEXT, USERS, AccessStore, digest, new_secret

SHOWN_DIGITS = 16  # of a digest: enough to tell one row from another, and useless to open anything
RESETS = sa.Table(
    "resets", META,
    sa.Column("code_sha256", TEXT, primary_key=True), sa.Column("user_id", TEXT, nullable=False, index=True),
    sa.Column("expires_at", TEXT, nullable=False), sa.Column("used_at", TEXT, nullable=False),
)  # fmt: skip
DEVICES = sa.Table(
    "devices", META,
    sa.Column("device_sha256", TEXT, primary_key=True), sa.Column("user_id", TEXT, nullable=False, index=True),
    sa.Column("at", TEXT, nullable=False),
)  # fmt: skip
FLOWS = sa.Table(
    "company_logins", META,
    sa.Column("state_sha256", TEXT, primary_key=True), sa.Column("browser_sha256", TEXT, nullable=False),
    sa.Column("nonce", TEXT, nullable=False), sa.Column("verifier", TEXT, nullable=False),
    sa.Column("after", TEXT, nullable=False), sa.Column("expires_at", TEXT, nullable=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation that still holds; ``invite_id`` names it and opens nothing."""

    invite_id: str
    site: str
    role: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A session as its owner may see it; ``session_id`` names it and opens nothing."""

    session_id: str
    seen_at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A login at the company's provider that is under way."""

    nonce: str
    verifier: str
    after: str


def open_invites(store: AccessStore, site: str | None, *, at: str) -> list[Invite]:
    """Return the invitations to a site (None: to any) that are neither used nor over."""
    query = sa.select(INVITES).where(INVITES.c.used_at == "", INVITES.c.expires_at > at).order_by(INVITES.c.expires_at)
    if site is not None:
        query = query.where(INVITES.c.site == site)
    return [Invite(row.code_sha256[:SHOWN_DIGITS], row.site, row.role, row.expires_at) for row in store.rows(query)]


def withdraw_invite(store: AccessStore, invite_id: str, site: str | None, *, at: str) -> bool:
    """Withdraw an open invitation to a site (None: to any); return whether there was one."""
    where = [INVITES.c.used_at == "", sa.func.substr(INVITES.c.code_sha256, 1, SHOWN_DIGITS) == invite_id]
    if site is not None:
        where.append(INVITES.c.site == site)
    with store.writing() as connection:
        return connection.execute(sa.update(INVITES).where(*where).values(used_at=at)).rowcount == 1


def add_reset(store: AccessStore, user_id: str, *, expires_at: str) -> str:
    """Make a code with which a user gives himself a new password, in place of any earlier one; return it (once)."""
    code = new_secret()
    with store.writing() as connection:
        connection.execute(sa.delete(RESETS).where(RESETS.c.user_id == user_id))
        row = {"code_sha256": digest(code), "user_id": user_id, "expires_at": expires_at, "used_at": ""}
        connection.execute(sa.insert(RESETS).values(**row))
    return code


def reset_of(store: AccessStore, code: str, *, at: str) -> str | None:
    """Return whose password a code still resets."""
    rows = store.rows(sa.select(RESETS).where(*_open_reset(code, at)))
    return rows[0].user_id if rows else None


def use_reset(store: AccessStore, code: str, password_hash: str, *, at: str) -> bool:
    """Use a code once: the new password holds, every session ends, every browser is a stranger again."""
    with store.writing() as connection:
        row = connection.execute(sa.select(RESETS).where(*_open_reset(code, at))).one_or_none()
        if row is None:
            return False
        connection.execute(sa.update(RESETS).where(RESETS.c.code_sha256 == row.code_sha256).values(used_at=at))
        connection.execute(sa.update(USERS).where(USERS.c.user_id == row.user_id).values(password_hash=password_hash))
        connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user_id == row.user_id))
        connection.execute(sa.delete(DEVICES).where(DEVICES.c.user_id == row.user_id))
    return True


def sessions(store: AccessStore, user_id: str, *, at: str) -> list[Seen]:
    """Return the sessions of a user that are not over, the one used last first."""
    query = sa.select(SESSIONS).where(SESSIONS.c.user_id == user_id, SESSIONS.c.expires_at > at)
    found = store.rows(query.order_by(SESSIONS.c.seen_at.desc()))
    return [Seen(row.token_sha256[:SHOWN_DIGITS], row.seen_at, row.expires_at) for row in found]


def session_id(secret: str) -> str:
    """Return the name of the session a secret opens."""
    return digest(secret)[:SHOWN_DIGITS]


def end_sessions(store: AccessStore, user_id: str, only: str | None = None) -> int:
    """End the sessions of a user, or one of them; return how many there were."""
    where = [SESSIONS.c.user_id == user_id]
    if only is not None:
        where.append(sa.func.substr(SESSIONS.c.token_sha256, 1, SHOWN_DIGITS) == only)
    with store.writing() as connection:
        return int(connection.execute(sa.delete(SESSIONS).where(*where)).rowcount)


def add_device(store: AccessStore, user_id: str, *, at: str, most: int) -> str:
    """Remember a browser that its user has logged in with; return its secret. Of each user the newest ``most`` are kept."""
    secret = new_secret()
    with store.writing() as connection:
        row = {"device_sha256": digest(secret), "user_id": user_id, "at": at}
        connection.execute(sa.insert(DEVICES).values(**row))
        own = sa.select(DEVICES.c.device_sha256).where(DEVICES.c.user_id == user_id)
        kept = connection.execute(own.order_by(DEVICES.c.at.desc()).limit(most)).scalars().all()
        connection.execute(sa.delete(DEVICES).where(DEVICES.c.user_id == user_id, DEVICES.c.device_sha256.not_in(kept)))
    return secret


def knows_device(store: AccessStore, user_id: str, secret: str, *, since: str) -> bool:
    """Return whether a user has logged in with this browser since some moment."""
    where = (DEVICES.c.device_sha256 == digest(secret), DEVICES.c.user_id == user_id, DEVICES.c.at >= since)
    return bool(secret) and bool(store.rows(sa.select(DEVICES.c.user_id).where(*where)))


def begin_flow(store: AccessStore, flow: Flow, browser: str, *, at: str, expires_at: str, most: int) -> str:
    """Note that a browser was sent to the company's login; return the state it must come back with.

    Strangers start these, so they are bounded: the oldest gives way.
    """
    state = new_secret()
    row: dict[str, Any] = {
        "state_sha256": digest(state), "browser_sha256": digest(browser), "nonce": flow.nonce, "verifier": flow.verifier,
        "after": flow.after, "expires_at": expires_at,
    }  # fmt: skip
    with store.writing() as connection:
        connection.execute(sa.delete(FLOWS).where(FLOWS.c.expires_at < at))
        under_way = int(connection.execute(sa.select(sa.func.count()).select_from(FLOWS)).scalar_one())
        if under_way >= most:
            oldest = sa.select(FLOWS.c.state_sha256).order_by(FLOWS.c.expires_at).limit(under_way - most + 1)
            gone = connection.execute(oldest).scalars().all()
            connection.execute(sa.delete(FLOWS).where(FLOWS.c.state_sha256.in_(gone)))
        connection.execute(sa.insert(FLOWS).values(**row))
    return state


def take_flow(store: AccessStore, state: str, browser: str, *, at: str) -> Flow | None:
    """Return the login a state belongs to and forget it: a state holds once, in the browser it was given to."""
    with store.writing() as connection:
        where = (FLOWS.c.state_sha256 == digest(state), FLOWS.c.browser_sha256 == digest(browser))
        row = connection.execute(sa.select(FLOWS).where(*where)).one_or_none()
        if row is None:
            return None
        connection.execute(sa.delete(FLOWS).where(*where))
    return Flow(row.nonce, row.verifier, row.after) if row.expires_at > at else None


def set_roles(store: AccessStore, user_id: str, roles: Mapping[str, str], untouched: str) -> None:
    """Give a user these roles by site and no others; a role called ``untouched`` stays where it is."""
    with store.writing() as connection:
        own = GRANTS.c.user_id == user_id
        kept = connection.execute(sa.select(GRANTS.c.site).where(own, GRANTS.c.role == untouched)).scalars().all()
        connection.execute(sa.delete(GRANTS).where(own, GRANTS.c.role != untouched))
        rows = [{"user_id": user_id, "site": site, "role": role} for site, role in roles.items() if site not in kept]
        if rows:
            connection.execute(sa.insert(GRANTS), rows)


def rename(store: AccessStore, user_id: str, name: str) -> None:
    """Take over the name a person has at the company's login."""
    with store.writing() as connection:
        connection.execute(sa.update(USERS).where(USERS.c.user_id == user_id).values(name=name))


def _open_reset(code: str, at: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (RESETS.c.code_sha256 == digest(code), RESETS.c.used_at == "", RESETS.c.expires_at > at)
