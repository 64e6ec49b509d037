"""Who may do what: roles and permissions, logging in, tokens, invitations, and the trail of every write.

What a person may do is said by his role at a site. The password is kept as argon2id (RFC 9106); a wrong login costs as much
time as a wrong password, and both are counted (OWASP ASVS 4.0.3, chapter 2).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Literal

from zerofactory.errors import FaultyData, NotFound, Problem, Text, ZeroFactoryError
from zerofactory.runs.context import stamp
from zerofactory.store import accounts
from zerofactory.store.access import ANY_SITE, AccessStore, ApiToken, Session, Trace, User

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Permission = Literal["read", "inspect", "record", "manage", "verify", "administer"]
PERMISSIONS: Mapping[Permission, Text] = {
    "read": Text("查看", "read"),
    "inspect": Text("检验零件", "inspect parts"),
    "record": Text("录入", "record"),
    "manage": Text("决定(封存、预算、注销)", "decide (close, budgets, retirements)"),
    "verify": Text("核查", "verify"),
    "administer": Text("管理用户", "administer users"),
}
ROLES: Mapping[str, tuple[Text, frozenset[Permission]]] = {
    "viewer": (Text("查看者", "viewer"), frozenset({"read"})),
    "inspector": (Text("检验员", "inspector"), frozenset({"read", "inspect"})),
    "recorder": (Text("录入员", "recorder"), frozenset({"read", "inspect", "record"})),
    "manager": (Text("能碳经理", "manager"), frozenset({"read", "inspect", "record", "manage"})),
    "verifier": (Text("核查员", "verifier"), frozenset({"read", "verify"})),
    "administrator": (Text("管理员", "administrator"), frozenset(PERMISSIONS)),
}


UNKNOWN_LOGIN = "?"  # in the trail, for a login nobody has: it may be a password typed into the wrong field


class Refused(ZeroFactoryError):
    """The door stays shut; ``problem`` says why in words that help no burglar."""

    def __init__(self, problem: Problem, retry_seconds: int = 0) -> None:
        self.problem, self.retry_seconds = problem, retry_seconds
        super().__init__(problem.sentence("en"))


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asking: the user, his role at each site, and how he came in (``csrf`` is empty for a token).

    ``until`` is when he must be looked at again, though nothing has changed: a session ends, idles and is noted as used.
    """

    user: User
    roles: Mapping[str, str]
    csrf: str = ""
    token: ApiToken | None = None
    until: str = ""

    def may(self, permission: Permission, site: str) -> bool:
        """Return whether this person may do something at a site."""
        role = self.roles.get(site) or self.roles.get(ANY_SITE)
        if role is None or permission not in ROLES[role][1]:
            return False
        if self.token is None:
            return True
        return self.token.site in (ANY_SITE, site) and permission in self.token.scopes


@lru_cache(maxsize=1)
def policy() -> Mapping[str, Mapping[str, int]]:
    """Return the figures of ``access_policy.toml``."""
    return tomllib.loads(files("zerofactory.runs").joinpath("access_policy.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=1)
def _few() -> BoundedSemaphore:
    """Return what lets only a few hash at once: each takes its memory, and a crowd of them would take all of it."""
    return BoundedSemaphore(policy()["flood"]["hashing_at_once"])


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str, login: str) -> str:
    """Return the argon2id hash of a password; raise `FaultyData` when the password is too weak to be taken."""
    low, high = policy()["password"]["minimum_length"], policy()["password"]["maximum_length"]
    faults = []
    if not low <= len(password) <= high:
        faults.append(Text(f"密码须有 {low} 至 {high} 个字符。", f"A password has {low} to {high} characters."))
    if login.strip() and login.strip().casefold() in password.casefold():
        faults.append(Text("密码里不能有登录名。", "A password must not hold the login."))
    if password and len(set(password)) < low // 2:
        faults.append(Text("密码里重复的字符太多。", "A password must not be a few characters over and over."))
    if faults:
        hint = Text("几个不相干的词连起来既长又好记。", "A few unrelated words in a row are long and easy to remember.")
        raise FaultyData([Problem("access.weak_password", fault, hint, column="password") for fault in faults])
    with _few():
        return _hasher().hash(password)


@dataclass(frozen=True, slots=True)
class Knock:
    """From where somebody knocks: the network address, the secret of a browser that has been let in before, and whether
    passwords are for chief administrators alone (everybody else comes through the company's login).
    """

    address: str = ""
    device: str = ""
    chiefs_only: bool = False


def log_in(store: AccessStore, login: str, password: str, knock: Knock, now: datetime) -> tuple[str, Session]:
    """Return a new session and its secret; raise `Refused` for a wrong login or password, or after too many of them.

    A browser its user has logged in with before has a count of attempts of its own, so that strangers who guess at a login
    shut out strangers alone (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
    """
    name = login.strip().casefold()
    user = store.user_called(name)
    limits = _limits(store, user, name, knock, now)
    _throttle(store, limits, now)
    sound = _matches(user, password)
    if user is None or not sound or (knock.chiefs_only and not is_chief(store, user)):
        known = name if user is not None else UNKNOWN_LOGIN
        store.trace(Trace(stamp(now), known, "", "log_in", "", "refused", knock.address))
        raise Refused(fault("wrong_login", "登录名或密码不对。", "The login or the password is wrong."))
    for key in limits:
        counts_others = key.startswith(("address:", "login:"))  # who may be guessing on: only this attempt is forgiven
        store.forgive(key, at=stamp(now) if counts_others else None)
    store.trace(Trace(stamp(now), name, "", "log_in", "", "done", knock.address))
    return open_session(store, user, now)


def is_chief(store: AccessStore, user: User) -> bool:
    """Return whether a user administers every site."""
    return store.grants(user.user_id).get(ANY_SITE) == "administrator"


def _matches(user: User | None, password: str) -> bool:
    """Return whether a password is the user's; it takes as long for a user there is not."""
    from argon2.exceptions import VerificationError

    hashed = user.password_hash if user is not None and user.password_hash else _nobody()
    try:
        with _few():
            _hasher().verify(hashed, password)
    except VerificationError:
        return False
    return user is not None and bool(user.password_hash) and not user.disabled


def prove(store: AccessStore, user: User, password: str, now: datetime) -> None:
    """Raise `Refused` when a password is not the one of a user who is logged in already, or after too many wrong ones."""
    key = _key("proof", user.user_id)
    _throttle(store, {key: policy()["login"]["failures_per_device"]}, now)
    if not _matches(user, password):
        raise Refused(fault("wrong_password", "现在的密码不对。", "The present password is wrong."))
    store.forgive(key)


def remembered(store: AccessStore, user_id: str, knock: Knock, now: datetime) -> str:
    """Return the secret by which this browser is known to its user from now on."""
    rules = policy()["device"]
    since = stamp(now - timedelta(days=rules["days"]))
    if accounts.knows_device(store, user_id, knock.device, since=since):
        return knock.device
    return accounts.add_device(store, user_id, at=stamp(now), most=rules["per_user"])


def _limits(store: AccessStore, user: User | None, name: str, knock: Knock, now: datetime) -> dict[str, int]:
    rules, since = policy()["login"], stamp(now - timedelta(days=policy()["device"]["days"]))
    if user is not None and accounts.knows_device(store, user.user_id, knock.device, since=since):
        return {_key("device", knock.device): rules["failures_per_device"]}
    return {
        _key("pair", f"{name}\n{knock.address}"): rules["failures_per_login"],
        _key("login", name): rules["failures_of_strangers"],
        _key("address", knock.address): rules["failures_per_address"],
    }


def forgive_login(store: AccessStore, user: User) -> None:
    """Forget what strangers got wrong at a login, when its user has a new password."""
    store.forgive(_key("login", user.login))


def open_session(store: AccessStore, user: User, now: datetime) -> tuple[str, Session]:
    """Begin a session of a user who has shown who he is."""
    ends = now + timedelta(hours=policy()["session"]["longest_hours"])
    return store.open_session(user.user_id, at=stamp(now), expires_at=stamp(ends))


def _throttle(store: AccessStore, limits: Mapping[str, int], now: datetime) -> None:
    minutes = policy()["login"]["window_minutes"]
    if not store.claim_attempt(limits, at=stamp(now), since=stamp(now - timedelta(minutes=minutes))):
        problem = fault(
            "too_many_attempts",
            f"失败次数太多, 请 {minutes} 分钟后再试。",
            f"Too many failures; try again in {minutes} minutes.",
        )
        raise Refused(problem, retry_seconds=minutes * 60)


def _key(kind: str, name: str) -> str:
    """Return what attempts are counted under: a digest, since people type their password into the field of the login."""
    return f"{kind}:{sha256(name.encode()).hexdigest()}"


def by_session(store: AccessStore, secret: str, now: datetime) -> Person | None:
    """Return who holds a session, or None when it is unknown, over, idle too long, or its user is shut out."""
    session = store.session(secret)
    rules = policy()["session"]
    if session is None or session.expires_at <= stamp(now):
        return None
    if session.seen_at < stamp(now - timedelta(minutes=rules["idle_minutes"])):
        store.end_session(secret)
        return None
    user = store.user(session.user_id)
    if user is None or user.disabled:
        return None
    if session.seen_at < stamp(now - timedelta(minutes=rules["note_use_minutes"])):
        store.touch_session(secret, at=stamp(now))
    look_again = stamp(now + timedelta(minutes=rules["note_use_minutes"]))
    return Person(user, store.grants(user.user_id), session.csrf, until=min(session.expires_at, look_again))


def by_token(store: AccessStore, secret: str, now: datetime) -> Person | None:
    """Return whose token a secret is, or None when it is unknown, over, revoked, or its user is shut out."""
    token = store.token(secret)
    if token is None or token.revoked or token.expires_at <= stamp(now):
        return None
    user = store.user(token.user_id)
    if user is None or user.disabled:
        return None
    return Person(user, store.grants(user.user_id), token=token, until=token.expires_at)


def new_token(store: AccessStore, person: Person, asked: TokenAsked, now: datetime) -> tuple[str, ApiToken]:
    """Make a token that can do no more than its maker; raise `FaultyData` with every fault of what was asked."""
    rules, problems = policy()["token"], []
    days = asked.days or rules["default_days"]
    if not 1 <= days <= rules["longest_days"]:
        problems.append(fault("token_days", f"有效期须在 1 至 {rules['longest_days']} 天。", f"A token holds for 1 to {rules['longest_days']} days."))  # fmt: skip
    if not asked.name.strip():
        problems.append(fault("token_name", "令牌要有名称。", "A token needs a name."))
    if not asked.scopes:
        problems.append(fault("token_scopes", "令牌至少要有一项权限。", "A token needs a scope."))
    for scope in asked.scopes:
        if scope not in PERMISSIONS:
            problems.append(NotFound(Text("权限", "scope"), scope, tuple(PERMISSIONS)).as_problem())
        elif not any(
            scope in ROLES[role][1]
            for site, role in person.roles.items()
            if asked.site in (site, ANY_SITE) or site == ANY_SITE
        ):
            problems.append(fault("token_scope", f"您自己没有“{scope}”权限。", f"You do not have the right to {scope} yourself."))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    ends = stamp(now + timedelta(days=days))
    return store.add_token(person.user.user_id, asked.name.strip(), asked.scopes, asked.site, expires_at=ends)


@dataclass(frozen=True, slots=True)
class TokenAsked:
    """What a new token is asked to be; ``days`` 0 is the usual length."""

    name: str
    scopes: Sequence[str]
    site: str = ANY_SITE
    days: int = 0


def invite(store: AccessStore, site: str, role: str, now: datetime) -> str:
    """Return the code of an invitation; raise `NotFound` for an unknown role."""
    if role not in ROLES:
        raise NotFound(Text("角色", "role"), role, tuple(ROLES))
    return store.add_invite(site, role, expires_at=stamp(now + timedelta(hours=policy()["invitation"]["hours"])))


def first_invitation(store: AccessStore, now: datetime) -> str | None:
    """Return the code that makes the first administrator, or a new one when two have shut each other out; else None."""
    if store.has_chief():
        return None
    ends = now + timedelta(hours=policy()["invitation"]["first_hours"])
    return store.add_invite(ANY_SITE, "administrator", expires_at=stamp(ends))


@dataclass(frozen=True, slots=True)
class Account:
    """What a person says of himself when he makes his account."""

    login: str
    name: str
    password: str


def accept(store: AccessStore, code: str, account: Account, now: datetime, address: str = "") -> tuple[str, Session]:
    """Make the account that an invitation allows and log in; raise `Refused` when the code no longer holds.

    The code is looked at first: who has none does not get to make the server hash.
    """
    unknown = Refused(fault("no_invitation", "链接无效、已用过或已过期。", "The link is unknown, used or over."))
    if store.invite(code, at=stamp(now)) is None:
        raise unknown
    if not account.login.strip():
        raise FaultyData([fault("no_login", "请填写登录名。", "Give a login.", column="login")])
    hashed = hash_password(account.password, account.login)
    user = store.accept(code, account.login, account.name or account.login, hashed, at=stamp(now))
    if user is None:
        raise unknown
    store.trace(Trace(stamp(now), user.login, "", "accept_invitation", "", "done", address))
    return open_session(store, user, now)


def fault(code: str, zh: str, en: str, column: str | None = None) -> Problem:
    """Return a problem of access, with the one hint there is: ask the administrator."""
    hint = Text("如有疑问请联系本单位管理员。", "Ask your administrator when in doubt.")
    return Problem(f"access.{code}", Text(zh, en), hint, column=column)
