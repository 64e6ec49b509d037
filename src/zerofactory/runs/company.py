"""The company's own login: OpenID Connect, authorisation code with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700).

`Provider` is what is known of the company's provider: where it answers and with which keys it signs. What it says of a person is
believed only when its signature, issuer, audience, nonce and times hold, and gives no more than ``access.toml`` says. Nobody becomes
administrator this way, and nobody who has an account here is taken for somebody of the same name there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from zerofactory.connectors.web_request import Unanswered, ask, may_ask
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.runs import access
from zerofactory.runs.access import Refused
from zerofactory.runs.access_config import Company
from zerofactory.runs.context import stamp
from zerofactory.store import accounts as kept
from zerofactory.store.access import AccessStore, Session, Trace, User

if TYPE_CHECKING:
    from joserfc.jwk import Key

CALLBACK = "/v1/company/callback"
DISCOVERY = "/.well-known/openid-configuration"
VERIFIER_BYTES = 48  # RFC 7636, 4.1: 43 to 128 characters; 64 here
JSON = {"Accept": "application/json"}
REASONS: Mapping[str, Text] = {
    "unanswered": Text("公司登录暂时不可用, 请稍后再试。", "The company's login does not answer; try again later."),
    "denied": Text("公司登录没有放行。", "The company's login did not let you in."),
    "state": Text("这次登录已过期或不是从这个浏览器开始的, 请重新登录。", "This login is over or was not begun in this browser; begin again."),
    "token": Text("公司登录给出的凭据不可信, 已拒绝。", "What the company's login said cannot be trusted and is refused."),
    "role": Text("您在本系统没有角色, 请联系管理员。", "You have no role here; ask your administrator."),
    "shut_out": Text("您的账户已停用。", "Your account is shut out."),
}  # fmt: skip
_log = logging.getLogger("zerofactory.company")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a checked ID token says of a person."""

    subject: str
    login: str
    name: str
    roles: Mapping[str, str]


class Provider:
    """The company's provider; its description and keys are asked for when they are needed and kept for a while."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self._lock = Lock()
        self._described: dict[str, str] = {}
        self._keys: list[dict[str, Any]] = []
        self._described_at: datetime | None = None
        self._keys_at: datetime | None = None

    def described(self, now: datetime) -> Mapping[str, str]:
        """Return the provider's description of itself (OpenID Connect Discovery 1.0, 4); raise `Refused` when it is not sound."""
        rules = access.policy()["company"]
        with self._lock:
            if self._described_at is not None and now - self._described_at < timedelta(minutes=rules["keys_minutes"]):
                return self._described
        found = _json(ask("GET", self.company.issuer.rstrip("/") + DISCOVERY, headers=JSON).body)
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != self.company.issuer or not all(may_ask(str(found.get(name, ""))) for name in names):
            raise _refused("unanswered", "discovery: issuer or endpoints do not hold")
        held = {name: str(found[name]) for name in names}
        held["says_issuer"] = "yes" if found.get("authorization_response_iss_parameter_supported") is True else ""
        with self._lock:
            self._described, self._described_at = held, now
        return held

    def keys(self, kid: str | None, now: datetime) -> list[dict[str, Any]]:
        """Return the provider's public keys that may have signed a token; asked for anew when one is unknown, seldom."""
        rules = access.policy()["company"]
        with self._lock:
            age = None if self._keys_at is None else now - self._keys_at
            known = self._keys
        fresh = age is not None and age < timedelta(minutes=rules["keys_minutes"])
        fitting = _fitting(known, kid)
        may_ask_again = age is None or age >= timedelta(seconds=rules["refetch_seconds"])
        if (fresh and fitting) or not (may_ask_again or not fresh):
            return fitting
        listed = _json(ask("GET", self.described(now)["jwks_uri"], headers=JSON).body).get("keys")
        found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        with self._lock:
            self._keys, self._keys_at = found, now
        return _fitting(found, kid)

    def redirect_uri(self) -> str:
        """Return where the provider sends the browser back to."""
        return self.company.address.rstrip("/") + CALLBACK


def begin(store: AccessStore, provider: Provider, after: str, browser: str, now: datetime) -> str:
    """Return the provider's address to which a browser goes to log in; it comes back with a state that holds once."""
    try:
        door = provider.described(now)["authorization_endpoint"]
    except Unanswered as error:
        raise _refused("unanswered", error.told.en) from None
    rules, company = access.policy()["company"], provider.company
    flow = kept.Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(VERIFIER_BYTES), after)
    ends = stamp(now + timedelta(minutes=rules["flow_minutes"]))
    state = kept.begin_flow(store, flow, browser, at=stamp(now), expires_at=ends, most=rules["flows"])
    asked = {
        "response_type": "code", "client_id": company.client_id, "redirect_uri": provider.redirect_uri(), "scope": " ".join(company.scopes),
        "state": state, "nonce": flow.nonce, "code_challenge": _challenge(flow.verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{door}{'&' if '?' in door else '?'}{urlencode(asked)}"


@dataclass(frozen=True, slots=True)
class Return:
    """With what a browser comes back from the provider, and from which address."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str = ""
    address: str = ""


def finish(
    store: AccessStore, provider: Provider, back: Return, browser: str, now: datetime
) -> tuple[str, Session, str]:
    """Return a new session, its secret and where to go; raise `Refused` with the reason that may be shown."""
    flow = kept.take_flow(store, back.state, browser, at=stamp(now)) if back.state and browser else None
    try:
        if flow is None:
            raise _refused("state", "state unknown, used, over or of another browser")
        _from_the_right_one(provider, back, now)
        if back.error or not back.code:
            raise _refused("denied", "the provider sent an error in place of a code")
        claimed = believed(provider, _exchanged(provider, back.code, flow.verifier, now), flow.nonce, now)
        user = taken_in(store, claimed, now)
    except Unanswered as error:
        raise _refused("unanswered", error.told.en) from None
    except Refused:
        store.trace(Trace(stamp(now), access.UNKNOWN_LOGIN, "", "company login", "", "refused", back.address))
        raise
    store.trace(Trace(stamp(now), user.login, "", "company login", "", "done", back.address))
    secret, session = access.open_session(store, user, now)
    return secret, session, flow.after


def _from_the_right_one(provider: Provider, back: Return, now: datetime) -> None:
    """Refuse an answer that another provider sent (RFC 9207)."""
    says = provider.described(now)["says_issuer"]
    if (back.issuer or says) and back.issuer != provider.company.issuer:
        raise _refused("token", "the answer names another issuer")


def _exchanged(provider: Provider, code: str, verifier: str, now: datetime) -> str:
    """Return the ID token that a code is exchanged for."""
    company = provider.company
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri(),
        "code_verifier": verifier,
    }
    account = None
    if company.client_auth == "basic":
        account = (company.client_id, company.secret())
    else:
        form["client_id"] = company.client_id
        if company.client_auth == "post":
            form["client_secret"] = company.secret()
    answer = ask("POST", provider.described(now)["token_endpoint"], form=form, headers=JSON, account=account)
    token = _json(answer.body).get("id_token") if answer.status == 200 else None
    if not isinstance(token, str):
        raise _refused("denied", f"the token endpoint answered {answer.status} without an ID token")
    return token


def believed(provider: Provider, token: str, nonce: str, now: datetime) -> Claimed:
    """Return what an ID token says once everything about it holds (OpenID Connect Core 1.0, 3.1.3.7); raise `Refused` otherwise."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    company = provider.company
    try:
        head = _head(token)
        if head.get("alg") not in company.algorithms:  # before any key is looked at: 'none' and HS256 end here
            raise _refused("token", "algorithm not allowed")
        fitting = provider.keys(head.get("kid"), now)
        if len(fitting) != 1:
            raise _refused("token", "no one key fits")
        key: Key = JWKRegistry.import_key(fitting[0])
        claims = jwt.decode(token, key, algorithms=list(company.algorithms)).claims
        _checked(company, claims, nonce, now)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _refused("token", type(error).__name__) from None
    return _claimed(company, claims)


def _checked(company: Company, claims: dict[str, Any], nonce: str, now: datetime) -> None:
    from joserfc.jwt import JWTClaimsRegistry

    wanted = JWTClaimsRegistry(
        now=int(now.timestamp()), leeway=company.clock_skew_seconds,
        iss={"essential": True, "value": company.issuer}, aud={"essential": True, "value": company.client_id},
        exp={"essential": True}, iat={"essential": True}, sub={"essential": True}, nonce={"essential": True, "value": nonce},
    )  # fmt: skip
    wanted.validate(claims)
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp")
    if (len(audiences) > 1 and party is None) or (party is not None and party != company.client_id):
        raise ValueError("authorised party")
    oldest = now - timedelta(minutes=access.policy()["company"]["token_minutes"], seconds=company.clock_skew_seconds)
    if claims["iat"] < oldest.timestamp():
        raise ValueError("issued long ago")
    if not 0 < len(claims["sub"]) <= 255:
        raise ValueError("subject")


def _claimed(company: Company, claims: Mapping[str, Any]) -> Claimed:
    held = claims.get(company.role_claim)
    values = (
        {held}
        if isinstance(held, str)
        else {one for one in held if isinstance(one, str)}
        if isinstance(held, list)
        else set()
    )
    roles: dict[str, str] = {}
    for given in company.roles:  # of several roles at one site the one that may most
        if given.value in values and len(access.ROLES[given.role][1]) > len(
            access.ROLES[roles[given.site]][1] if given.site in roles else ()
        ):
            roles[given.site] = given.role
    login = claims.get(company.login_claim)
    name = claims.get(company.name_claim)
    shown = (
        login.strip().casefold()[:100] if isinstance(login, str) and login.strip() else claims["sub"][:100].casefold()
    )
    return Claimed(
        f"{company.issuer}|{claims['sub']}",
        shown,
        name.strip()[:100] if isinstance(name, str) and name.strip() else shown,
        roles,
    )


def taken_in(store: AccessStore, claimed: Claimed, now: datetime) -> User:
    """Return the user of a person the provider vouches for, made when he is new; his roles are what the claim gives now.

    The subject alone says who he is: a login or an address of mail may be given to another person tomorrow.
    """
    user = store.user_of_subject(claimed.subject)
    if user is not None and user.disabled:
        raise _refused("shut_out", "the user is shut out")
    stays = user is not None and "administrator" in store.grants(user.user_id).values()
    if user is not None:
        kept.set_roles(store, user.user_id, claimed.roles, "administrator")
        if user.name != claimed.name:
            kept.rename(store, user.user_id, claimed.name)
    if not claimed.roles and not stays:
        raise _refused("role", "the claim gives no role here")
    if user is None:
        is_taken = store.user_called(claimed.login) is not None
        mark = hashlib.sha256(claimed.subject.encode()).hexdigest()[:6]
        login = f"{claimed.login}~{mark}" if is_taken else claimed.login
        user = store.add_user(login, claimed.name, "", at=stamp(now), subject=claimed.subject)
        kept.set_roles(store, user.user_id, claimed.roles, "administrator")
    return user


def told(company: Company, ask_now: bool) -> dict[str, Any]:
    """Return how the company's login is set, nothing secret; with ``ask_now`` the provider is asked for its keys.

    Raises
    ------
    FaultyData
        The secret is not where it should be, or the provider does not answer as it should.
    """
    from zerofactory.runs.context import clock

    provider, keys = Provider(company), "-"
    is_there = bool(company.secret()) or company.client_auth == "none"
    if ask_now:
        try:
            listed = provider.keys(None, clock())
        except (Unanswered, Refused) as error:
            text = error.told if isinstance(error, Unanswered) else error.problem.message
            raise FaultyData([Problem("access.company", text, Text("请检查 issuer。", "Check the issuer."))]) from error
        keys = ", ".join(f"{one.get('kty')} {one.get('kid', '')}".strip() for one in listed)
    return {
        "issuer": company.issuer, "redirect_uri": provider.redirect_uri(), "client_id": company.client_id, "secret": is_there,
        "keys": keys, "only": company.only, "roles": [one.model_dump() for one in company.roles],
    }  # fmt: skip


def _fitting(keys: list[dict[str, Any]], kid: str | None) -> list[dict[str, Any]]:
    """Return the keys for signing that have a key id; with no id, the only key there is."""
    signing = [one for one in keys if one.get("use", "sig") == "sig" and one.get("kty") in ("RSA", "EC")]
    return signing if kid is None else [one for one in signing if one.get("kid") == kid]


def _head(token: str) -> dict[str, Any]:
    from joserfc.util import urlsafe_b64decode

    try:
        found = json.loads(urlsafe_b64decode(token.split(".", 1)[0].encode()))
    except RecursionError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("kid", ""), str):
        raise ValueError("head")
    return found


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, appendix B).

    Examples
    --------
    >>> _challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unanswered(Text("对方的回答不是 JSON。", "The answer is no JSON.")) from None
    if not isinstance(found, dict):
        raise Unanswered(Text("对方的回答不是 JSON 对象。", "The answer is no JSON object."))
    return found


def _refused(reason: str, why: str) -> Refused:
    """Return the refusal that may be shown; ``why`` goes to the log of the server and never holds a secret."""
    _log.warning("company login refused: %s", why)
    told = REASONS[reason]
    return Refused(access.fault(f"company_{reason}", told.zh, told.en))
