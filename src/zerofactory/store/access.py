"""Who may come in: users, grants, sessions, tokens, invitations, failed attempts, and the trail of what they did.

One database beside the book (`access.db`), because a book is copied to verifiers and a password hash must not travel with it
(decision 0021). Secrets are never stored: a session, a token and an invitation are kept as the SHA-256 of 256 random bits, a
password as an argon2id hash. The trail (`audit`) refuses UPDATE and DELETE.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from zerofactory.errors import FaultyData, NotFound, Problem, Text

ACCESS_FILE = "access.db"
ANY_SITE = "*"
BUSY_MILLISECONDS = 30_000
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


_TEXT = sa.Text
_META = sa.MetaData()
_USERS = sa.Table(
    "users", _META,
    sa.Column("user_id", _TEXT, primary_key=True), sa.Column("login", _TEXT, nullable=False, unique=True),
    sa.Column("name", _TEXT, nullable=False), sa.Column("password_hash", _TEXT, nullable=False),
    sa.Column("subject", _TEXT, nullable=False), sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", _TEXT, nullable=False),
)  # fmt: skip
_GRANTS = sa.Table(
    "grants", _META,
    sa.Column("user_id", _TEXT, primary_key=True), sa.Column("site", _TEXT, primary_key=True), sa.Column("role", _TEXT, nullable=False),
)  # fmt: skip
_SESSIONS = sa.Table(
    "sessions", _META,
    sa.Column("token_sha256", _TEXT, primary_key=True), sa.Column("user_id", _TEXT, nullable=False, index=True),
    sa.Column("csrf", _TEXT, nullable=False), sa.Column("expires_at", _TEXT, nullable=False), sa.Column("seen_at", _TEXT, nullable=False),
)  # fmt: skip
_TOKENS = sa.Table(
    "tokens", _META,
    sa.Column("token_id", _TEXT, primary_key=True), sa.Column("token_sha256", _TEXT, nullable=False, unique=True),
    sa.Column("user_id", _TEXT, nullable=False, index=True), sa.Column("name", _TEXT, nullable=False),
    sa.Column("scopes", _TEXT, nullable=False), sa.Column("site", _TEXT, nullable=False),
    sa.Column("expires_at", _TEXT, nullable=False), sa.Column("revoked", sa.Boolean, nullable=False),
)  # fmt: skip
_INVITES = sa.Table(
    "invites", _META,
    sa.Column("code_sha256", _TEXT, primary_key=True), sa.Column("site", _TEXT, nullable=False), sa.Column("role", _TEXT, nullable=False),
    sa.Column("expires_at", _TEXT, nullable=False), sa.Column("used_at", _TEXT, nullable=False),
)  # fmt: skip
_ATTEMPTS = sa.Table(
    "attempts", _META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", _TEXT, nullable=False, index=True), sa.Column("at", _TEXT, nullable=False),
)  # fmt: skip
_AUDIT = sa.Table(
    "audit", _META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(name, _TEXT, nullable=False) for name in ("at", "login", "site", "action", "target", "outcome", "address")),
)  # fmt: skip
_ANSWERS = sa.Table(
    "answers", _META,
    sa.Column("user_id", _TEXT, primary_key=True), sa.Column("key", _TEXT, primary_key=True),
    sa.Column("request_sha256", _TEXT, nullable=False), sa.Column("at", _TEXT, nullable=False),
    sa.Column("status", sa.Integer, nullable=False), sa.Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip
IN_HAND = 0  # the status of an answer that is still being made


class AccessStore:
    """Reads and writes the access database; every method is one short transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        _META.create_all(engine)
        with engine.begin() as connection:
            for statement in _append_only(engine.dialect.name):
                connection.exec_driver_sql(statement)

    @classmethod
    def in_folder(cls, folder: Path) -> AccessStore:
        """Open (or make) the access database of a folder; the file is readable by its owner alone."""
        path = folder / ACCESS_FILE
        path.touch(mode=0o600)
        if path.stat().st_mode & 0o077:  # copied here from elsewhere; SQLite gives its side files the same rights
            path.chmod(0o600)
        url = sa.URL.create("sqlite", database=str(path))
        engine = sa.create_engine(url, poolclass=sa.pool.QueuePool, connect_args={"check_same_thread": False})
        sa.event.listen(engine, "connect", _configure)
        return cls(engine)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _all(self, query: sa.Select[Any]) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()

    # users and grants

    def users(self) -> list[User]:
        """Return every user by login."""
        return [_user(row) for row in self._all(sa.select(_USERS).order_by(_USERS.c.login))]

    def user(self, user_id: str) -> User | None:
        """Return one user by id."""
        rows = self._all(sa.select(_USERS).where(_USERS.c.user_id == user_id))
        return _user(rows[0]) if rows else None

    def user_called(self, login: str) -> User | None:
        """Return one user by login, letter case aside."""
        rows = self._all(sa.select(_USERS).where(_USERS.c.login == login.strip().casefold()))
        return _user(rows[0]) if rows else None

    def has_chief(self) -> bool:
        """Return whether anybody who can still come in administers every site."""
        query = (
            sa.select(_USERS.c.user_id)
            .join(_GRANTS, _GRANTS.c.user_id == _USERS.c.user_id)
            .where(_USERS.c.disabled.is_(False), _GRANTS.c.site == ANY_SITE, _GRANTS.c.role == "administrator")
        )
        return bool(self._all(query.limit(1)))

    def user_of_subject(self, subject: str) -> User | None:
        """Return the user whom the company's own login knows under this subject."""
        rows = self._all(sa.select(_USERS).where(_USERS.c.subject == subject)) if subject else []
        return _user(rows[0]) if rows else None

    def add_user(self, login: str, name: str, password_hash: str, *, at: str, subject: str = "") -> User:
        """Add a user; raise `FaultyData` when the login is taken."""
        user = User(secrets.token_hex(8), login.strip().casefold(), name.strip(), password_hash, subject, False)
        row = {
            "user_id": user.user_id, "login": user.login, "name": user.name, "password_hash": password_hash,
            "subject": subject, "disabled": False, "created_at": at,
        }  # fmt: skip
        try:
            with self._writing() as connection:
                connection.execute(sa.insert(_USERS).values(**row))
        except sa.exc.IntegrityError as error:
            raise FaultyData([_taken(user.login)]) from error
        return user

    def set_password(self, user_id: str, password_hash: str) -> None:
        """Give a user a new password hash and end every session of his."""
        with self._writing() as connection:
            connection.execute(sa.update(_USERS).where(_USERS.c.user_id == user_id).values(password_hash=password_hash))
            connection.execute(sa.delete(_SESSIONS).where(_SESSIONS.c.user_id == user_id))

    def disable(self, user_id: str, disabled: bool = True) -> None:
        """Shut a user out (or let him in again): sessions end, tokens are revoked."""
        with self._writing() as connection:
            connection.execute(sa.update(_USERS).where(_USERS.c.user_id == user_id).values(disabled=disabled))
            if disabled:
                connection.execute(sa.delete(_SESSIONS).where(_SESSIONS.c.user_id == user_id))
                connection.execute(sa.update(_TOKENS).where(_TOKENS.c.user_id == user_id).values(revoked=True))

    def grants(self, user_id: str) -> dict[str, str]:
        """Return the role of a user at each site (``*`` is every site)."""
        return {row.site: row.role for row in self._all(sa.select(_GRANTS).where(_GRANTS.c.user_id == user_id))}

    def grant(self, user_id: str, site: str, role: str) -> None:
        """Give a user one role at a site in place of the one he had; an empty role takes it away."""
        with self._writing() as connection:
            connection.execute(sa.delete(_GRANTS).where(_GRANTS.c.user_id == user_id, _GRANTS.c.site == site))
            if role:
                connection.execute(sa.insert(_GRANTS).values(user_id=user_id, site=site, role=role))

    # sessions, tokens, invitations

    def open_session(self, user_id: str, *, at: str, expires_at: str) -> tuple[str, Session]:
        """Begin a session; return its secret (once) and what is kept of it."""
        secret, session = new_secret(), Session(user_id, new_secret(), expires_at, at)
        with self._writing() as connection:
            connection.execute(sa.delete(_SESSIONS).where(_SESSIONS.c.expires_at < at))
            connection.execute(
                sa.insert(_SESSIONS).values(
                    token_sha256=digest(secret), user_id=user_id, csrf=session.csrf, expires_at=expires_at, seen_at=at
                )
            )
        return secret, session

    def session(self, secret: str) -> Session | None:
        """Return the session a secret opens, whether or not it is over."""
        rows = self._all(sa.select(_SESSIONS).where(_SESSIONS.c.token_sha256 == digest(secret)))
        return Session(rows[0].user_id, rows[0].csrf, rows[0].expires_at, rows[0].seen_at) if rows else None

    def touch_session(self, secret: str, *, at: str) -> None:
        """Note that a session was used."""
        with self._writing() as connection:
            connection.execute(
                sa.update(_SESSIONS).where(_SESSIONS.c.token_sha256 == digest(secret)).values(seen_at=at)
            )

    def end_session(self, secret: str) -> None:
        """End one session."""
        with self._writing() as connection:
            connection.execute(sa.delete(_SESSIONS).where(_SESSIONS.c.token_sha256 == digest(secret)))

    def add_token(
        self, user_id: str, name: str, scopes: Sequence[str], site: str, *, expires_at: str
    ) -> tuple[str, ApiToken]:
        """Make a token; return its secret (shown once) and what is kept of it."""
        secret, token_id = new_secret(), secrets.token_hex(8)
        with self._writing() as connection:
            connection.execute(
                sa.insert(_TOKENS).values(
                    token_id=token_id, token_sha256=digest(secret), user_id=user_id, name=name, scopes=json.dumps(list(scopes)),
                    site=site, expires_at=expires_at, revoked=False,
                )
            )  # fmt: skip
        return secret, ApiToken(token_id, user_id, name, tuple(scopes), site, expires_at, False)

    def token(self, secret: str) -> ApiToken | None:
        """Return the token a secret opens, whether or not it is over or revoked."""
        rows = self._all(sa.select(_TOKENS).where(_TOKENS.c.token_sha256 == digest(secret)))
        return _token(rows[0]) if rows else None

    def tokens(self, user_id: str | None = None) -> list[ApiToken]:
        """Return the tokens of one user, or of all."""
        query = sa.select(_TOKENS).order_by(_TOKENS.c.name)
        return [
            _token(row) for row in self._all(query if user_id is None else query.where(_TOKENS.c.user_id == user_id))
        ]

    def forget_tokens(self, name_starts: str, *, before: str) -> None:
        """Forget the tokens of a kind that were over before a moment: those given for an hour would pile up."""
        with self._writing() as connection:
            kind = _TOKENS.c.name.startswith(name_starts, autoescape=True)
            connection.execute(sa.delete(_TOKENS).where(kind, _TOKENS.c.expires_at < before))

    def revoke_token(self, token_id: str) -> None:
        """Revoke a token and those that were given for it; raise `NotFound` when there is none."""
        with self._writing() as connection:
            own = sa.or_(_TOKENS.c.token_id == token_id, _TOKENS.c.name == given_for(token_id))
            done = connection.execute(sa.update(_TOKENS).where(own).values(revoked=True))
        if done.rowcount == 0:
            raise NotFound(Text("令牌", "token"), token_id)

    def add_invite(self, site: str, role: str, *, expires_at: str) -> str:
        """Make a code that lets one person make his account; return it (once)."""
        code = new_secret()
        with self._writing() as connection:
            connection.execute(
                sa.insert(_INVITES).values(
                    code_sha256=digest(code), site=site, role=role, expires_at=expires_at, used_at=""
                )
            )
        return code

    def invite(self, code: str, *, at: str) -> tuple[str, str] | None:
        """Return the site and role that a code still gives, or None when it is unknown, used or over."""
        rows = self._all(sa.select(_INVITES).where(*_open_invite(code, at)))
        return (rows[0].site, rows[0].role) if rows else None

    def accept(self, code: str, login: str, name: str, password_hash: str, *, at: str) -> User | None:
        """Use a code once: make the user with the role it gives, both or nothing; None when the code no longer holds."""
        with self._writing() as connection:
            row = connection.execute(sa.select(_INVITES).where(*_open_invite(code, at))).one_or_none()
            if row is None:
                return None
            connection.execute(sa.update(_INVITES).where(_INVITES.c.code_sha256 == row.code_sha256).values(used_at=at))
            user = User(secrets.token_hex(8), login.strip().casefold(), name.strip(), password_hash, "", False)
            if connection.execute(sa.select(_USERS.c.user_id).where(_USERS.c.login == user.login)).first() is not None:
                raise FaultyData([_taken(user.login)])
            connection.execute(
                sa.insert(_USERS).values(
                    user_id=user.user_id, login=user.login, name=user.name, password_hash=password_hash, subject="", disabled=False, created_at=at
                )
            )  # fmt: skip
            connection.execute(sa.insert(_GRANTS).values(user_id=user.user_id, site=row.site, role=row.role))
        return user

    # attempts, trail, answers

    def claim_attempt(self, limits: Mapping[str, int], *, at: str, since: str) -> bool:
        """Count one attempt under each key before it is tried, so that many at once are no way round; False when a limit is reached."""
        with self._writing() as connection:
            connection.execute(sa.delete(_ATTEMPTS).where(_ATTEMPTS.c.at < since))
            for key, most in limits.items():
                count = sa.select(sa.func.count()).select_from(_ATTEMPTS).where(_ATTEMPTS.c.key == key)
                if int(connection.execute(count).scalar_one()) >= most:
                    return False
            connection.execute(sa.insert(_ATTEMPTS), [{"key": key, "at": at} for key in limits])
        return True

    def forgive(self, key: str, *, at: str | None = None) -> None:
        """Forget the attempts under a key, or only those of one moment."""
        where = (_ATTEMPTS.c.key == key,) if at is None else (_ATTEMPTS.c.key == key, _ATTEMPTS.c.at == at)
        with self._writing() as connection:
            connection.execute(sa.delete(_ATTEMPTS).where(*where))

    def trace(self, line: Trace) -> None:
        """Write one line of the trail."""
        with self._writing() as connection:
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
        return [(row.number, Trace(*row[1:])) for row in self._all(query)]

    def begin_answer(self, user_id: str, key: str, request_sha256: str, *, at: str, lost: str, over: str) -> Answered | None:  # fmt: skip
        """Claim an idempotency key; return None when it is ours now, else what is kept under it (status 0: in hand).

        A key that was taken in hand before ``lost`` belonged to a server that was killed; an answer made before ``over`` is forgotten.
        """
        with self._writing() as connection:
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
        with self._writing() as connection:
            if status == IN_HAND:
                connection.execute(sa.delete(_ANSWERS).where(*where))
            else:
                connection.execute(sa.update(_ANSWERS).where(*where).values(status=status, body=body))


def given_for(token_id: str) -> str:
    """Return the name of the tokens that are given for an hour to who shows another token."""
    return f"pact:{token_id}"


def _open_invite(code: str, at: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_INVITES.c.code_sha256 == digest(code), _INVITES.c.used_at == "", _INVITES.c.expires_at > at)


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


def _append_only(dialect: str) -> Iterator[str]:
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER IF NOT EXISTS audit_refuses_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )
    else:
        yield (
            "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger AS $$ "
            "BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$ LANGUAGE plpgsql"
        )
        yield (
            "CREATE OR REPLACE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        )


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
