"""Looking after accounts: a new password, a reset link, invitations that are taken back, sessions that are ended.

Nobody gets a right this way that he does not have: an administrator of one site can make a reset link for those alone whose every
role is at sites he administers, since who holds the link becomes that user.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.runs import access
from zerofactory.runs.access import Person, Refused
from zerofactory.runs.context import stamp
from zerofactory.store import accounts as kept
from zerofactory.store.access import ANY_SITE, AccessStore, Session, Trace, User


def named(store: AccessStore, login: str) -> User:
    """Return a user by login; raise `NotFound` when there is none."""
    user = store.user_called(login)
    if user is None:
        raise NotFound(Text("用户", "user"), login)
    return user


def change_password(
    store: AccessStore, person: Person, present: str, wanted: str, now: datetime, address: str = ""
) -> tuple[str, Session]:
    """Give oneself a new password: every session ends, and a new one begins."""
    user = person.user
    if not user.password_hash:
        raise FaultyData([_no_password()])
    access.prove(store, user, present, now)
    store.set_password(user.user_id, access.hash_password(wanted, user.login))
    store.trace(Trace(stamp(now), user.login, "", "change password", "", "done", address))
    return access.open_session(store, user, now)


def may_reset(store: AccessStore, person: Person, user: User) -> bool:
    """Return whether somebody administers every site at which a user has a role."""
    return all(person.may("administer", site) for site in store.grants(user.user_id))


def reset_link(store: AccessStore, user: User, now: datetime) -> str:
    """Return the code with which a user gives himself a new password; raise `FaultyData` when he has none of ours."""
    if not user.password_hash:
        raise FaultyData([_no_password()])
    if user.disabled:
        text = Text(f"“{user.login}”已停用。", f"'{user.login}' is shut out.")
        raise FaultyData([Problem("access.disabled", text, Text("请先恢复该用户。", "Let the user in again first."))])
    return kept.add_reset(
        store, user.user_id, expires_at=stamp(now + timedelta(hours=access.policy()["reset"]["hours"]))
    )


def reset_password(store: AccessStore, code: str, wanted: str, now: datetime, address: str = "") -> tuple[str, Session]:
    """Use a reset link: the new password holds, what was open is closed, and a session begins."""
    over = Refused(access.fault("no_reset", "链接无效、已用过或已过期。", "The link is unknown, used or over."))
    user_id = kept.reset_of(store, code, at=stamp(now))
    user = None if user_id is None else store.user(user_id)
    if user is None or user.disabled:
        raise over
    if not kept.use_reset(store, code, access.hash_password(wanted, user.login), at=stamp(now)):
        raise over
    access.forgive_login(store, user)
    store.trace(Trace(stamp(now), user.login, "", "reset password", "", "done", address))
    return access.open_session(store, user, now)


def withdraw(store: AccessStore, invite_id: str, site: str | None, now: datetime) -> None:
    """Withdraw an invitation; raise `NotFound` when none is open under this name at the site."""
    if not kept.withdraw_invite(store, invite_id, site, at=stamp(now)):
        raise NotFound(Text("邀请", "invitation"), invite_id)


def end_session(store: AccessStore, user: User, session_id: str) -> None:
    """End one session of a user; raise `NotFound` when there is none."""
    if kept.end_sessions(store, user.user_id, session_id) == 0:
        raise NotFound(Text("会话", "session"), session_id)


def role_at(store: AccessStore, user: User, site: str | None) -> str | None:
    """Return the role of a user at a site (None: his roles everywhere, as words)."""
    roles = store.grants(user.user_id)
    if site is None:
        return ", ".join(f"{where}: {role}" for where, role in sorted(roles.items())) or None
    return roles.get(site) or roles.get(ANY_SITE)


def administered(store: AccessStore, person: Person, sites: Sequence[str]) -> tuple[str, ...]:
    """Return the sites that somebody administers."""
    return tuple(site for site in sites if person.may("administer", site))


def _no_password() -> Problem:
    return access.fault(
        "company_login", "该用户用公司账户登录, 密码不在这里。", "That user comes through the company's login; the password is not here."
    )  # fmt: skip
