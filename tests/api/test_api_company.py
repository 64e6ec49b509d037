"""The company's own login against a provider that really signs and checks; and every way to cheat it."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from tests.api.company_provider import CLIENT, SECRET, Provider, running
from tests.api.conftest import PASSWORD
from tests.database import all_that_is_kept

from zerofactory.api.app import Settings, create
from zerofactory.errors import FaultyData
from zerofactory.runs import access, company
from zerofactory.runs.access_config import Company, read_config
from zerofactory.runs.context import clock, stamp
from zerofactory.store.access import ANY_SITE, AccessStore, Trace

CONFIG = """
[company]
issuer = "{issuer}"
address = "http://127.0.0.1"
client_id = "zerofactory"
client_secret_env = "ZF_TEST_SECRET"
title = "晨星账户"
roles = [
  {{value = "carbon", site = "east", role = "manager"}},
  {{value = "auditors", site = "*", role = "verifier"}},
  {{value = "everybody", site = "east", role = "viewer"}},
]
"""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("ZF_TEST_SECRET", SECRET)
    with running(Provider()) as made:
        yield made


@pytest.fixture
def browser(root: Path, provider: Provider) -> Callable[[], TestClient]:
    """Return a function that makes a browser at a server that knows the provider."""
    (root / "access.toml").write_text(CONFIG.format(issuer=provider.issuer), encoding="utf-8")
    app = create(root, Settings())
    return lambda: TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def sent(client: TestClient, after: str = "/") -> str:
    """Go to the provider, log in there, and return the address it sends the browser back to, without our host."""
    gone = client.get("/v1/company/login", params={"next": after})
    assert gone.status_code == 303, gone.text
    back = httpx.get(gone.headers["location"]).headers["location"]
    assert back.startswith("http://127.0.0.1/v1/company/callback?")
    return back.removeprefix("http://127.0.0.1")


def refused(answer: httpx.Response) -> str:
    """Return why a browser was sent back to log in."""
    assert answer.status_code == 303
    why = parse_qs(urlsplit(answer.headers["location"]).query).get("refused", ["let in"])[0]
    assert ("session" in answer.headers.get("set-cookie", "")) == (why == "let in")
    return why


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_person_of_the_company_comes_in_with_the_role_of_her_group(
    browser: Callable[[], TestClient], provider: Provider, store: AccessStore, algorithm: str
) -> None:
    provider.algorithm = algorithm
    client = browser()
    answer = client.get(sent(client, "/inventory?period=2025"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/inventory?period=2025")
    me = client.get("/v1/me").json()
    assert (me["login"], me["name"], me["sites"]) == (
        "wang.fang",
        "王芳",
        {"east": ["read", "inspect", "record", "manage"]},
    )
    user = store.user_called("wang.fang")
    assert user is not None
    assert user.password_hash == ""
    assert client.post("/v1/session", json={"login": "wang.fang", "password": ""}).status_code in (401, 422)
    assert next(line for _, line in store.trail(None) if line.action == "company login").login == "wang.fang"


def test_roles_follow_the_claim_at_each_login_and_an_administrator_appointed_here_stays(
    browser: Callable[[], TestClient], provider: Provider, store: AccessStore
) -> None:
    provider.person["groups"] = ["everybody", "carbon", "auditors"]
    browser().get(sent(client := browser()))  # another browser: refused
    client.get(sent(client))
    user = store.user_called("wang.fang")
    assert user is not None
    assert store.grants(user.user_id) == {"east": "manager", "*": "verifier"}
    store.grant(user.user_id, "west", "administrator")
    provider.person["groups"] = "everybody"
    client.get(sent(client))
    assert store.grants(user.user_id) == {"east": "viewer", "west": "administrator"}
    store.grant(user.user_id, "west", "")
    provider.person["groups"] = ["strangers"]
    assert refused(client.get(sent(client))) == "role"
    assert store.grants(user.user_id) == {}
    assert client.get("/v1/me").json()["sites"] == {}  # the session of before opens nothing any more


def test_nobody_takes_over_an_account_by_its_name(
    browser: Callable[[], TestClient], provider: Provider, store: AccessStore
) -> None:
    provider.person |= {"preferred_username": "administrator-any"}
    client = browser()
    client.get(sent(client))
    login = client.get("/v1/me").json()["login"]
    assert login.startswith("administrator-any~")
    provider.person |= {"sub": "u-18"}  # another person with the same name is another user
    other = browser()
    other.get(sent(other))
    assert other.get("/v1/me").json()["login"] not in (login, "administrator-any")
    assert len([user for user in store.users() if user.login.startswith("administrator-any")]) == 3


def test_a_user_who_is_shut_out_stays_out(browser: Callable[[], TestClient], store: AccessStore) -> None:
    client = browser()
    client.get(sent(client))
    user = store.user_called("wang.fang")
    assert user is not None
    store.disable(user.user_id)
    assert refused(client.get(sent(client))) == "shut_out"


def test_a_state_holds_once_and_in_its_own_browser(browser: Callable[[], TestClient]) -> None:
    client, thief = browser(), browser()
    back = sent(client)
    sent(thief)  # has a flow of its own
    assert refused(thief.get(back)) == "state"
    assert refused(client.get(back)) == "let in"
    assert refused(client.get(back)) == "state"
    for made_up in ("", "?state=guess&code=guess", "?code=guess"):
        assert refused(browser().get(f"/v1/company/callback{made_up}")) == "state"


def test_a_login_that_took_too_long_is_over(browser: Callable[[], TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser()
    back = sent(client)
    later = stamp(clock() + timedelta(minutes=access.policy()["company"]["flow_minutes"] + 1))
    monkeypatch.setenv("ZF_NOW", later)
    assert refused(client.get(back)) == "state"


def other_rsa(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "r-1"}, claims, RSAKey.generate_key(2048))


def unsigned(claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "kid": "r-1"}, claims)
    ]
    return ".".join([*parts, ""])


TWISTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another issuer": lambda c: {**c, "iss": "https://evil.example"},
    "another audience": lambda c: {**c, "aud": "another-client"},
    "no audience": lambda c: {k: v for k, v in c.items() if k != "aud"},
    "two audiences and no party": lambda c: {**c, "aud": [CLIENT, "another"]},
    "authorised for another": lambda c: {**c, "azp": "another"},
    "another nonce": lambda c: {**c, "nonce": "of another login"},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "over": lambda c: {**c, "exp": c["iat"] - 61},
    "without end": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "end in words": lambda c: {**c, "exp": "tomorrow"},
    "issued in the future": lambda c: {**c, "iat": c["iat"] + 120},
    "issued long ago": lambda c: {**c, "iat": c["iat"] - 3600},
    "not yet": lambda c: {**c, "nbf": c["iat"] + 120},
    "no subject": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "empty subject": lambda c: {**c, "sub": ""},
    "subject no text": lambda c: {**c, "sub": 17},
}


@pytest.mark.parametrize("what", TWISTS)
def test_what_does_not_hold_is_refused(
    browser: Callable[[], TestClient], provider: Provider, store: AccessStore, what: str
) -> None:
    provider.twist = TWISTS[what]
    client = browser()
    assert refused(client.get(sent(client))) == "token", what
    assert store.user_called("wang.fang") is None
    assert client.get("/v1/me").status_code == 401


def test_signatures_that_prove_nothing_are_refused(browser: Callable[[], TestClient], provider: Provider) -> None:
    public = provider.keys["RS256"]
    pem = public.as_pem(private=False)

    def with_public_key(claims: dict[str, Any]) -> str:  # RS256 to HS256: the public key taken for a shared secret
        head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "r-1"}).encode()).rstrip(b"=").decode()
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        import hmac

        mark = base64.urlsafe_b64encode(hmac.digest(pem, f"{head}.{body}".encode(), "sha256")).rstrip(b"=").decode()
        return f"{head}.{body}.{mark}"

    def with_embedded_key(claims: dict[str, Any]) -> str:
        own = ECKey.generate_key("P-256")
        return jwt.encode({"alg": "ES256", "jwk": own.as_dict(private=False)}, claims, own)

    def with_other_algorithm(claims: dict[str, Any]) -> str:  # an EC signature under the id of the RSA key
        return jwt.encode({"alg": "ES256", "kid": "r-1"}, claims, ECKey.generate_key("P-256"))

    def cut(claims: dict[str, Any]) -> str:
        good = jwt.encode({"alg": "RS256", "kid": "r-1"}, claims, public)
        return good.rsplit(".", 1)[0] + "."

    def changed(claims: dict[str, Any]) -> str:
        head, _, mark = jwt.encode({"alg": "RS256", "kid": "r-1"}, claims, public).split(".")
        body = base64.urlsafe_b64encode(json.dumps({**claims, "groups": ["auditors"]}).encode()).rstrip(b"=").decode()
        return f"{head}.{body}.{mark}"

    def hs256(claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "HS256", "kid": "r-1"}, claims, OctKey.import_key("x" * 64), algorithms=["HS256"])

    for signs in (unsigned, other_rsa, with_public_key, with_embedded_key, with_other_algorithm, cut, changed, hs256, lambda _: "a.b.c", lambda _: ""):  # fmt: skip
        provider.signs = signs
        client = browser()
        assert refused(client.get(sent(client))) in ("token", "denied"), signs
        assert client.get("/v1/me").status_code == 401


def test_a_clock_that_is_a_little_off_is_forgiven(browser: Callable[[], TestClient], provider: Provider) -> None:
    provider.twist = lambda c: {**c, "exp": c["iat"] - 30, "iat": c["iat"] + 30}
    client = browser()
    assert refused(client.get(sent(client))) == "let in"


def test_new_keys_are_fetched_when_a_token_names_one_but_not_at_every_guess(
    browser: Callable[[], TestClient], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser()
    assert refused(client.get(sent(client))) == "let in"
    provider.rotate()
    assert refused(client.get(sent(client))) == "token"  # a minute has not passed since the keys were fetched
    assert provider.asked.count("/keys") == 1
    monkeypatch.setenv("ZF_NOW", stamp(clock() + timedelta(seconds=61)))
    provider.twist = lambda c: {**c, "iat": c["iat"] + 61, "exp": c["exp"] + 61}
    assert refused(client.get(sent(client))) == "let in"
    assert provider.asked.count("/keys") == 2


def test_an_answer_of_another_provider_is_refused(browser: Callable[[], TestClient], provider: Provider) -> None:
    client = browser()
    back = sent(client)
    mixed = back.replace("iss=http", "iss=https%3A%2F%2Fevil.example%2F")
    assert mixed != back
    assert refused(client.get(mixed)) == "token"
    provider.describes = lambda told: {**told, "authorization_response_iss_parameter_supported": True}
    fresh = company.Provider(Company.model_validate(_company(provider)))
    with pytest.raises(access.Refused):
        company._from_the_right_one(fresh, company.Return("s", "c"), clock())


def test_a_code_is_worth_nothing_without_its_verifier(browser: Callable[[], TestClient], provider: Provider) -> None:
    client = browser()
    back = sent(client)
    for given in provider.codes.values():
        given["code_challenge"] = "of another login"
    assert refused(client.get(back)) == "denied"


def test_the_provider_says_no_or_nothing(browser: Callable[[], TestClient], provider: Provider) -> None:
    client = browser()
    state = parse_qs(urlsplit(client.get("/v1/company/login").headers["location"]).query)["state"][0]
    assert refused(client.get("/v1/company/callback", params={"state": state, "error": "access_denied"})) == "denied"
    provider.describes = lambda told: {**told, "issuer": "https://evil.example"}
    fresh = company.Provider(Company.model_validate(_company(provider)))
    with pytest.raises(access.Refused):
        fresh.described(clock())
    provider.describes = lambda told: {**told, "token_endpoint": "http://evil.example/token"}
    with pytest.raises(access.Refused):
        fresh.described(clock())


def test_after_logging_in_nobody_is_sent_to_another_host(browser: Callable[[], TestClient]) -> None:
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"):
        client = browser()
        assert client.get(sent(client, target)).headers["location"] == "/"


def test_no_secret_is_logged_or_stored(
    browser: Callable[[], TestClient], provider: Provider, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = browser()
    back = sent(client)
    provider.twist = lambda c: {**c, "aud": "another"}
    client.get(back)
    code, state = (parse_qs(urlsplit(back).query)[name][0] for name in ("code", "state"))
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("zerofactory"))
    kept = all_that_is_kept(root)
    for secret in (SECRET, code, state):
        assert secret not in ours
        assert secret.encode() not in kept


def test_the_company_alone_lets_in_but_for_chief_administrators(root: Path, provider: Provider) -> None:
    text = CONFIG.format(issuer=provider.issuer).replace("[company]", "[company]\nonly = true")
    (root / "access.toml").write_text(text, encoding="utf-8")
    app = create(root, Settings())
    for login, status in (("viewer-east", 401), ("administrator-east", 401), ("administrator-any", 201)):
        client = TestClient(app)
        assert client.post("/v1/session", json={"login": login, "password": PASSWORD}).status_code == status, login
    assert TestClient(app).get("/v1/company").json() == {"title": "晨星账户", "there": True, "only": True}


def test_without_a_provider_the_way_is_not_there(app_client: Callable[[], TestClient]) -> None:
    assert app_client().get("/v1/company/login", follow_redirects=False).status_code == 404
    assert app_client().get("/v1/company").json()["there"] is False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("http://127.0.0.1\"", "http://carbon.example.cn\""), "address"), (("\"manager\"", "\"administrator\""), "appointed here"),
        (("\"manager\"", "\"king\""), "recorder"), (("client_secret_env = \"ZF_TEST_SECRET\"", "client_secret = \"in the open\""), "client_secret"),
        (("[company]", "[company]\nalgorithms = [\"HS256\"]"), "algorithms"), (("[company]", "[company]\nalgorithms = [\"none\"]"), "algorithms"),
        (("[company]", "[company]\nclock_skew_seconds = 9999"), "clock_skew_seconds"), (("[company]", "[company]\nscopes = [\"profile\"]"), "openid"),
        (("[company]", "[company"), "TOML"), (("[company]", "[company]\nclient_auth = \"none\""), "client_auth"),
    ],
)  # fmt: skip
def test_a_wrong_config_is_told_with_its_place_and_without_secrets(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    text = CONFIG.format(issuer="https://login.example.cn")
    (tmp_path / "access.toml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        read_config(tmp_path)
    told = " ".join(f"{p.column} {p.message.en}" for p in caught.value.problems)
    assert said in told
    assert "in the open" not in told


def test_a_missing_secret_is_said_without_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "access.toml").write_text(CONFIG.format(issuer="https://login.example.cn"), encoding="utf-8")
    held = read_config(tmp_path).company
    assert held is not None
    monkeypatch.delenv("ZF_TEST_SECRET", raising=False)
    with pytest.raises(FaultyData, match="ZF_TEST_SECRET"):
        held.secret()
    (tmp_path / "secret").write_text("kept in a file\n", encoding="utf-8")
    other = held.model_copy(update={"client_secret_env": None, "client_secret_file": str(tmp_path / "secret")})
    assert other.secret() == "kept in a file"
    assert "kept in a file" not in repr(other)


def test_the_first_refusal_leaves_a_line_without_a_name(browser: Callable[[], TestClient], store: AccessStore) -> None:
    browser().get("/v1/company/callback?state=x&code=y")
    _, line = store.trail(None)[0]
    assert isinstance(line, Trace)
    assert (line.action, line.login, line.outcome) == ("company login", "?", "refused")
    assert ANY_SITE == "*"


def _company(provider: Provider) -> dict[str, Any]:
    role = {"value": "carbon", "site": "east", "role": "viewer"}
    return {
        "issuer": provider.issuer,
        "address": "http://127.0.0.1",
        "client_id": CLIENT,
        "client_secret_env": "ZF_TEST_SECRET",
        "roles": [role],
    }
