"""Who may come in: users, grants, sessions, tokens, invitations, failed attempts, and the trail of what they did.

One database beside the book (`access.db`), because a book is copied to verifiers and a password hash must not travel with it
(decision 0021). Secrets are never stored: a session, a token and an invitation are kept as the SHA-256 of 256 random bits, a
password as an argon2id hash. The trail (`audit`) refuses UPDATE and DELETE.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.store import access_place

ANY_SITE = "*"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class User:
    """A person who may come in; ``password_hash`` is empty for one who comes through the company's own login."""

    user_id: str
    login: str
    name: str
    password_hash: str
    subject: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Session:
    """One login: whose, the token that guards its forms, and until when (ISO 8601, UTC)."""

    user_id: str
    csrf: str
    expires_at: str
    seen_at: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A key for a program: whose, what for, where, and until when."""

    token_id: str
    user_id: str
    name: str
    scopes: tuple[str, ...]
    site: str
    expires_at: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """One line of the trail: who did what, where, and how it ended."""

    at: str
    login: str
    site: str
    action: str
    target: str
    outcome: str
    address: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer that was given to a write with an idempotency key."""

    request_sha256: str
    status: int
    body: bytes


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret as it is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """Return 256 random bits as text that fits in an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


TEXT = sa.Text
META = sa.MetaData()
USERS = sa.Table(
    "users", META,
    sa.Column("user_id", TEXT, primary_key=True), sa.Column("login", TEXT, nullable=False, unique=True),
    sa.Column("name", TEXT, nullable=False), sa.Column("password_hash", TEXT, nullable=False),
    sa.Column("subject", TEXT, nullable=False), sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", TEXT, nullable=False),
)  # fmt: skip
GRANTS = sa.Table(
    "grants", META,
    sa.Column("user_id", TEXT, primary_key=True), sa.Column("site", TEXT, primary_key=True), sa.Column("role", TEXT, nullable=False),
)  # fmt: skip
SESSIONS = sa.Table(
    "sessions", META,
    sa.Column("token_sha256", TEXT, primary_key=True), sa.Column("user_id", TEXT, nullable=False, index=True),
    sa.Column("csrf", TEXT, nullable=False), sa.Column("expires_at", TEXT, nullable=False), sa.Column("seen_at", TEXT, nullable=False),
)  # fmt: skip
_TOKENS = sa.Table(
    "tokens", META,
    sa.Column("token_id", TEXT, primary_key=True), sa.Column("token_sha256", TEXT, nullable=False, unique=True),
    sa.Column("user_id", TEXT, nullable=False, index=True), sa.Column("name", TEXT, nullable=False),
    sa.Column("scopes", TEXT, nullable=False), sa.Column("site", TEXT, nullable=False),
    sa.Column("expires_at", TEXT, nullable=False), sa.Column("revoked", sa.Boolean, nullable=False),
)  # fmt: skip
INVITES = sa.Table(
    "invites", META,
    sa.Column("code_sha256", TEXT, primary_key=True), sa.Column("site", TEXT, nullable=False), sa.Column("role", TEXT, nullable=False),
    sa.Column("expires_at", TEXT, nullable=False), sa.Column("used_at", TEXT, nullable=False),
)  # fmt: skip
ATTEMPTS = sa.Table(
    "attempts", META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", TEXT, nullable=False, index=True), sa.Column("at", TEXT, nullable=False),
)  # fmt: skip
_AUDIT = sa.Table(
    "audit", META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(name, TEXT, nullable=False) for name in ("at", "login", "site", "action", "target", "outcome", "address")),
)  # fmt: skip
_ANSWERS = sa.Table(
    "answers", META,
    sa.Column("user_id", TEXT, primary_key=True), sa.Column("key", TEXT, primary_key=True),
    sa.Column("request_sha256", TEXT, nullable=False), sa.Column("at", TEXT, nullable=False),
    sa.Column("status", sa.Integer, nullable=False), sa.Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip
IN_HAND = 0  # the status of an answer that is still being made


class AccessStore:
    """Reads and writes the access database; every method is one short transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        from zerofactory.store import accounts, outbox  # noqa: F401  (their tables stand in the same database)

        self.engine = engine
        access_place.prepare(engine, META)

    @classmethod
    def in_folder(cls, folder: Path) -> AccessStore:
        """Open (or make) the accounts of a folder: its own file, or the database that is named for it."""
        return cls(access_place.engine_in(folder))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Hold one short transaction that writes; what stands beside these tables (`accounts`, `outbox`) writes through it too."""
        with access_place.writing(self.engine) as connection:
            yield connection

    def rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        """Return every row of a query."""
        return access_place.rows(self.engine, query)

    # users and grants

    def users(self) -> list[User]:
        """Return every user by login."""
        return [_user(row) for row in self.rows(sa.select(USERS).order_by(USERS.c.login))]

    def user(self, user_id: str) -> User | None:
        """Return one user by id."""
        rows = self.rows(sa.select(USERS).where(USERS.c.user_id == user_id))
        return _user(rows[0]) if rows else None

    def user_called(self, login: str) -> User | None:
        """Return one user by login, letter case aside."""
        rows = self.rows(sa.select(USERS).where(USERS.c.login == login.strip().casefold()))
        return _user(rows[0]) if rows else None

    def has_chief(self) -> bool:
        """Return whether anybody who can still come in administers every site."""
        query = (
            sa.select(USERS.c.user_id)
            .join(GRANTS, GRANTS.c.user_id == USERS.c.user_id)
            .where(USERS.c.disabled.is_(False), GRANTS.c.site == ANY_SITE, GRANTS.c.role == "administrator")
        )
        return bool(self.rows(query.limit(1)))

    def user_of_subject(self, subject: str) -> User | None:
        """Return the user whom the company's own login knows under this subject."""
        rows = self.rows(sa.select(USERS).where(USERS.c.subject == subject)) if subject else []
        return _user(rows[0]) if rows else None

    def add_user(self, login: str, name: str, password_hash: str, *, at: str, subject: str = "") -> User:
        """Add a user; raise `FaultyData` when the login is taken."""
        user = User(secrets.token_hex(8), login.strip().casefold(), name.strip(), password_hash, subject, False)
        row = {
            "user_id": user.user_id, "login": user.login, "name": user.name, "password_hash": password_hash,
            "subject": subject, "disabled": False, "created_at": at,
        }  # fmt: skip
        try:
            with self.writing() as connection:
                connection.execute(sa.insert(USERS).values(**row))
        except sa.exc.IntegrityError as error:
            raise FaultyData([_taken(user.login)]) from error
        return user

    def set_password(self, user_id: str, password_hash: str) -> None:
        """Give a user a new password hash and end every session of his."""
        with self.writing() as connection:
            connection.execute(sa.update(USERS).where(USERS.c.user_id == user_id).values(password_hash=password_hash))
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user_id == user_id))

    def disable(self, user_id: str, disabled: bool = True) -> None:
        """Shut a user out (or let him in again): sessions end, tokens are revoked."""
        with self.writing() as connection:
            connection.execute(sa.update(USERS).where(USERS.c.user_id == user_id).values(disabled=disabled))
            if disabled:
                connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.user_id == user_id))
                connection.execute(sa.update(_TOKENS).where(_TOKENS.c.user_id == user_id).values(revoked=True))

    def grants(self, user_id: str) -> dict[str, str]:
        """Return the role of a user at each site (``*`` is every site)."""
        return {row.site: row.role for row in self.rows(sa.select(GRANTS).where(GRANTS.c.user_id == user_id))}

    def grant(self, user_id: str, site: str, role: str) -> None:
        """Give a user one role at a site in place of the one he had; an empty role takes it away."""
        with self.writing() as connection:
            connection.execute(sa.delete(GRANTS).where(GRANTS.c.user_id == user_id, GRANTS.c.site == site))
            if role:
                connection.execute(sa.insert(GRANTS).values(user_id=user_id, site=site, role=role))

    # sessions, tokens, invitations

    def open_session(self, user_id: str, *, at: str, expires_at: str) -> tuple[str, Session]:
        """Begin a session; return its secret (once) and what is kept of it."""
        secret, session = new_secret(), Session(user_id, new_secret(), expires_at, at)
        with self.writing() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires_at < at))
            connection.execute(
                sa.insert(SESSIONS).values(
                    token_sha256=digest(secret), user_id=user_id, csrf=session.csrf, expires_at=expires_at, seen_at=at
                )
            )
        return secret, session

    def session(self, secret: str) -> Session | None:
        """Return the session a secret opens, whether or not it is over."""
        rows = self.rows(sa.select(SESSIONS).where(SESSIONS.c.token_sha256 == digest(secret)))
        return Session(rows[0].user_id, rows[0].csrf, rows[0].expires_at, rows[0].seen_at) if rows else None

    def touch_session(self, secret: str, *, at: str) -> None:
        """Note that a session was used."""
        with self.writing() as connection:
            connection.execute(sa.update(SESSIONS).where(SESSIONS.c.token_sha256 == digest(secret)).values(seen_at=at))

    def end_session(self, secret: str) -> None:
        """End one session."""
        with self.writing() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.token_sha256 == digest(secret)))

    def add_token(
        self, user_id: str, name: str, scopes: Sequence[str], site: str, *, expires_at: str
    ) -> tuple[str, ApiToken]:
        """Make a token; return its secret (shown once) and what is kept of it."""
        secret, token_id = new_secret(), secrets.token_hex(8)
        with self.writing() as connection:
            connection.execute(
                sa.insert(_TOKENS).values(
                    token_id=token_id, token_sha256=digest(secret), user_id=user_id, name=name, scopes=json.dumps(list(scopes)),
                    site=site, expires_at=expires_at, revoked=False,
                )
            )  # fmt: skip
        return secret, ApiToken(token_id, user_id, name, tuple(scopes), site, expires_at, False)

    def token(self, secret: str) -> ApiToken | None:
        """Return the token a secret opens, whether or not it is over or revoked."""
        rows = self.rows(sa.select(_TOKENS).where(_TOKENS.c.token_sha256 == digest(secret)))
        return _token(rows[0]) if rows else None

    def tokens(self, user_id: str | None = None) -> list[ApiToken]:
        """Return the tokens of one user, or of all."""
        query = sa.select(_TOKENS).order_by(_TOKENS.c.name)
        return [
            _token(row) for row in self.rows(query if user_id is None else query.where(_TOKENS.c.user_id == user_id))
        ]

    def forget_tokens(self, name_starts: str, *, before: str) -> None:
        """Forget the tokens of a kind that were over before a moment: those given for an hour would pile up."""
        with self.writing() as connection:
            kind = _TOKENS.c.name.startswith(name_starts, autoescape=True)
            connection.execute(sa.delete(_TOKENS).where(kind, _TOKENS.c.expires_at < before))

    def revoke_token(self, token_id: str) -> None:
        """Revoke a token and those that were given for it; raise `NotFound` when there is none."""
        with self.writing() as connection:
            own = sa.or_(_TOKENS.c.token_id == token_id, _TOKENS.c.name == given_for(token_id))
            done = connection.execute(sa.update(_TOKENS).where(own).values(revoked=True))
        if done.rowcount == 0:
            raise NotFound(Text("令牌", "token"), token_id)

    def add_invite(self, site: str, role: str, *, expires_at: str) -> str:
        """Make a code that lets one person make his account; return it (once)."""
        code = new_secret()
        with self.writing() as connection:
            connection.execute(
                sa.insert(INVITES).values(
                    code_sha256=digest(code), site=site, role=role, expires_at=expires_at, used_at=""
                )
            )
        return code

    def invite(self, code: str, *, at: str) -> tuple[str, str] | None:
        """Return the site and role that a code still gives, or None when it is unknown, used or over."""
        rows = self.rows(sa.select(INVITES).where(*_open_invite(code, at)))
        return (rows[0].site, rows[0].role) if rows else None

    def accept(self, code: str, login: str, name: str, password_hash: str, *, at: str) -> User | None:
        """Use a code once: make the user with the role it gives, both or nothing; None when the code no longer holds."""
        with self.writing() as connection:
            row = connection.execute(sa.select(INVITES).where(*_open_invite(code, at))).one_or_none()
            if row is None:
                return None
            connection.execute(sa.update(INVITES).where(INVITES.c.code_sha256 == row.code_sha256).values(used_at=at))
            user = User(secrets.token_hex(8), login.strip().casefold(), name.strip(), password_hash, "", False)
            if connection.execute(sa.select(USERS.c.user_id).where(USERS.c.login == user.login)).first() is not None:
                raise FaultyData([_taken(user.login)])
            connection.execute(
                sa.insert(USERS).values(
                    user_id=user.user_id, login=user.login, name=user.name, password_hash=password_hash, subject="", disabled=False, created_at=at
                )
            )  # fmt: skip
            connection.execute(sa.insert(GRANTS).values(user_id=user.user_id, site=row.site, role=row.role))
        return user

    # attempts, trail, answers

    def claim_attempt(self, limits: Mapping[str, int], *, at: str, since: str) -> bool:
        """Count one attempt under each key before it is tried, so that many at once are no way round; False when a limit is reached."""
        with self.writing() as connection:
            connection.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.at < since))
            for key, most in limits.items():
                count = sa.select(sa.func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.key == key)
                if int(connection.execute(count).scalar_one()) >= most:
                    return False
            connection.execute(sa.insert(ATTEMPTS), [{"key": key, "at": at} for key in limits])
        return True

    def forgive(self, key: str, *, at: str | None = None) -> None:
        """Forget the attempts under a key, or only those of one moment."""
        where = (ATTEMPTS.c.key == key,) if at is None else (ATTEMPTS.c.key == key, ATTEMPTS.c.at == at)
        with self.writing() as connection:
            connection.execute(sa.delete(ATTEMPTS).where(*where))

    def trace(self, line: Trace) -> None:
        """Write one line of the trail."""
        with self.writing() as connection:
            connection.execute(
                sa.insert(_AUDIT).values(**{name: getattr(line, name) for name in Trace.__dataclass_fields__})
            )

    def trail(self, site: str | None = None, limit: int = 200, before: int | None = None) -> list[tuple[int, Trace]]:
        """Return the newest lines of the trail, numbered, newest first; of one site, or of all."""
        query = sa.select(_AUDIT).order_by(_AUDIT.c.number.desc()).limit(limit)
        if site is not None:
            query = query.where(_AUDIT.c.site == site)
        if before is not None:
            query = query.where(_AUDIT.c.number < before)
        return [(row.number, Trace(*row[1:])) for row in self.rows(query)]

    def begin_answer(self, user_id: str, key: str, request_sha256: str, *, at: str, lost: str, over: str) -> Answered | None:  # fmt: skip
        """Claim an idempotency key; return None when it is ours now, else what is kept under it (status 0: in hand).

        A key that was taken in hand before ``lost`` belonged to a server that was killed; an answer made before ``over`` is forgotten.
        """
        with self.writing() as connection:
            where = (_ANSWERS.c.user_id == user_id, _ANSWERS.c.key == key)
            dead = sa.and_(_ANSWERS.c.status == IN_HAND, _ANSWERS.c.at < lost)
            connection.execute(sa.delete(_ANSWERS).where(sa.or_(dead, _ANSWERS.c.at < over)))
            row = connection.execute(sa.select(_ANSWERS).where(*where)).one_or_none()
            if row is not None:
                return Answered(row.request_sha256, row.status, bytes(row.body))
            connection.execute(
                sa.insert(_ANSWERS).values(
                    user_id=user_id, key=key, request_sha256=request_sha256, at=at, status=IN_HAND, body=b""
                )
            )
        return None

    def keep_answer(self, user_id: str, key: str, status: int, body: bytes) -> None:
        """Keep the answer to a claimed key; a status of 0 gives the key back."""
        where = (_ANSWERS.c.user_id == user_id, _ANSWERS.c.key == key)
        with self.writing() as connection:
            if status == IN_HAND:
                connection.execute(sa.delete(_ANSWERS).where(*where))
            else:
                connection.execute(sa.update(_ANSWERS).where(*where).values(status=status, body=body))


def given_for(token_id: str) -> str:
    """Return the name of the tokens that are given for an hour to who shows another token."""
    return f"pact:{token_id}"


def _open_invite(code: str, at: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (INVITES.c.code_sha256 == digest(code), INVITES.c.used_at == "", INVITES.c.expires_at > at)


def _user(row: Any) -> User:
    return User(row.user_id, row.login, row.name, row.password_hash, row.subject, bool(row.disabled))


def _token(row: Any) -> ApiToken:
    return ApiToken(
        row.token_id, row.user_id, row.name, tuple(json.loads(row.scopes)), row.site, row.expires_at, bool(row.revoked)
    )


def _taken(login: str) -> Problem:
    return Problem(
        code="access.login_taken",
        message=Text(f"登录名“{login}”已被使用。", f"The login '{login}' is taken."),
        hint=Text("请换一个登录名。", "Choose another one."),
        column="login",
    )
