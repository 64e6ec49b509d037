"""A small OpenID Connect provider that really is one: it answers over HTTP, checks the client, PKCE and the code, and signs with real keys.

``twist`` bends what it issues, for attacks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "zerofactory", "between us two: 100 %"
Claims = dict[str, Any]


@lru_cache(maxsize=1)
def _keys() -> dict[str, RSAKey | ECKey]:
    """Make the keys once: an RSA key takes its time."""
    return {
        "RS256": RSAKey.generate_key(2048, {"kid": "r-1", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "e-1", "use": "sig"}),
    }


@dataclass
class Provider:
    """What the provider knows: its keys, its person, the codes it gave, and what it was asked."""

    issuer: str = ""
    algorithm: str = "RS256"
    person: Claims = field(
        default_factory=lambda: {"sub": "u-17", "preferred_username": "Wang.Fang", "name": "王芳", "groups": ["carbon"]}
    )
    twist: Callable[[Claims], Claims] = dict
    signs: Callable[[Claims], str] | None = None
    describes: Callable[[Claims], Claims] = dict
    codes: dict[str, Claims] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: dict[str, RSAKey | ECKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = dict(_keys())

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is gone."""
        self.keys["RS256"] = RSAKey.generate_key(2048, {"kid": f"r-{secrets.token_hex(3)}", "use": "sig"})

    def token(self, nonce: str) -> str:
        """Return the ID token of the person."""
        now = int(datetime.now(UTC).timestamp())
        claims = self.twist(
            {"iss": self.issuer, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce, **self.person}
        )
        if self.signs is not None:
            return self.signs(claims)
        key = self.keys[self.algorithm]
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, claims, key)

    def authorise(self, query: dict[str, str]) -> str:
        """Return where the browser is sent after the person has logged in."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Return the tokens for a code, once, to the client that it was given to."""
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        given = self.codes.pop(form.get("code", ""), None)
        if authorization != f"Basic {pair}":
            return 401, {"error": "invalid_client"}
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            .rstrip(b"=")
            .decode()
        )
        if given is None or given["code_challenge"] != challenge or given["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.token(given["nonce"])}


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """Answer on loopback while entered."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                ends = {"authorization_endpoint": "/authorise", "token_endpoint": "/token", "jwks_uri": "/keys"}
                told = {"issuer": provider.issuer, **{name: provider.issuer + path for name, path in ends.items()}}
                self._say(200, provider.describes(told))
            elif parts.path == "/keys":
                self._say(200, {"keys": [key.as_dict(private=False) for key in provider.keys.values()]})
            elif parts.path == "/authorise":
                self.send_response(302)
                self.send_header("Location", provider.authorise(query))
                self.end_headers()
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*provider.exchange(form, self.headers.get("Authorization", "")))

        def _say(self, status: int, told: Claims) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
