"""The same vocabulary over HTTP: ``client.inventory.show(period="2025")`` asks ``GET /v1/inventory`` of a server.

Nouns, verbs and parameters come from the server's own description (``/v1/openapi.json``), so a client is never behind it.

    from zerofactory.client import Client
    plant = Client("https://carbon.example.cn", token, site="east")
    plant.inventory.show(period="2025", by="shop")["total_gco2e"]
    plant.book.import_(files=["readings.parquet"], dry_run=True)
"""

from __future__ import annotations

import json
import re
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from zerofactory.errors import FaultyData, NotFound, Problem, Text

TIMEOUT_SECONDS = 600.0
_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


@dataclass(frozen=True, slots=True)
class _Operation:
    verb: str
    path: str
    inside: tuple[str, ...]
    queried: tuple[str, ...]
    is_form: bool


@dataclass(frozen=True, slots=True)
class Noun:
    """One noun of the server; its attributes are its verbs."""

    name: str
    verbs: Mapping[str, Callable[..., Any]]

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        """Return a verb; raise `NotFound` with those there are."""
        if verb not in self.verbs:
            raise NotFound(Text(f"{self.name} 的动词", f"verb of {self.name}"), verb, tuple(self.verbs))
        return self.verbs[verb]


class Client:
    """Speaks to one server with one token, at one site.

    Parameters
    ----------
    address : str
        ``https://…``; plain ``http`` only to this machine, since the token would travel in the open.
    token : str
        From ``POST /v1/tokens``.
    site : str, optional
        Which plant; may be left out when the token can read one alone.
    """

    def __init__(self, address: str, token: str, site: str | None = None) -> None:
        if not address.startswith("https://") and not _LOCAL.match(address):
            raise FaultyData(
                [
                    Problem(
                        "client.plain",
                        Text("令牌不能走明文 HTTP。", "A token must not travel over plain HTTP."),
                        Text("请用 https:// 地址。", "Use an https:// address."),
                    )
                ]
            )
        self._address, self._token, self._site = address.rstrip("/"), token, site

    def __getattr__(self, noun: str) -> Noun:
        """Return a noun; raise `NotFound` with those there are."""
        if noun.startswith("_"):
            raise AttributeError(noun)
        if noun not in self._nouns:
            raise NotFound(Text("名词", "noun"), noun, tuple(self._nouns))
        return self._nouns[noun]

    @cached_property
    def _nouns(self) -> dict[str, Noun]:
        described = self._send("GET", "/v1/openapi.json", None, {})
        found: dict[str, dict[str, Callable[..., Any]]] = {}
        for path, verbs in described["paths"].items():
            for verb, told in verbs.items():
                noun = (told.get("tags") or ["server"])[0]
                name = str(told["operationId"]).removeprefix(f"{noun}_")
                listed = told.get("parameters", [])
                inside = tuple(one["name"] for one in listed if one["in"] == "path")
                queried = tuple(one["name"] for one in listed if one["in"] == "query")
                is_form = "multipart/form-data" in told.get("requestBody", {}).get("content", {})
                operation = _Operation(verb.upper(), path, inside, queried, is_form)
                found.setdefault(noun, {})[name] = self._caller(operation)
        return {noun: Noun(noun, calls) for noun, calls in found.items()}

    def _caller(self, operation: _Operation) -> Callable[..., Any]:
        def call(**given: Any) -> Any:
            path = operation.path
            for name in operation.inside:
                path = re.sub(r"\{" + name + r"(:path)?\}", quote(str(given.pop(name)), safe=""), path)
            if self._site is not None and "site" in operation.queried:
                given.setdefault("site", self._site)
            queried = {name: given.pop(name) for name in operation.queried if given.get(name) is not None}
            for name in operation.queried:
                given.pop(name, None)
            sent = [("files", Path(file)) for file in given.pop("files", None) or ()]
            sent += [("file", Path(given.pop("file")))] if given.get("file") is not None else []
            body: bytes | None = None
            kind = ""
            if sent or operation.is_form:
                body, kind = _multipart(sent, given)
            elif given:
                body, kind = json.dumps(given, default=str).encode(), "application/json"
            address = path + (f"?{urlencode(queried, doseq=True)}" if queried else "")
            headers = {"Content-Type": kind} if kind else {}
            if operation.verb != "GET":
                headers["Idempotency-Key"] = secrets.token_urlsafe(16)
            return self._send(operation.verb, address, body, headers)

        return call

    def _send(self, verb: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        """Return the JSON of an answer, or its bytes when it is a document; raise what its problems say."""
        asked = urllib.request.Request(self._address + path, body, method=verb)  # noqa: S310  (http is refused above)
        for name, value in {**headers, "Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}.items():
            asked.add_header(name, value)
        try:
            with _opener().open(asked, timeout=TIMEOUT_SECONDS) as answer:
                content = answer.read()
                return json.loads(content) if "json" in answer.headers.get("Content-Type", "") else content
        except urllib.error.HTTPError as error:
            raise _raised(error) from error
        except urllib.error.URLError as error:
            raise FaultyData([_unreached(error.reason)]) from error


def _unreached(reason: object) -> Problem:
    """Return why no answer came: a certificate nobody vouches for is no server to show a token to."""
    if isinstance(reason, ssl.SSLError):
        told = Text(
            "服务器的证书不可信, 没有发送令牌。", "The server's certificate is not trusted; the token was not sent."
        )
        hint = Text(
            "请把签发证书加入本机信任(或设 SSL_CERT_FILE)。", "Trust its issuer on this machine, or set SSL_CERT_FILE."
        )
        return Problem("client.certificate", told, hint)
    told = Text(
        f"连接不上服务器({type(reason).__name__})。", f"The server cannot be reached ({type(reason).__name__})."
    )
    return Problem("client.unreached", told, Text("请检查地址和网络。", "Check the address and the network."))


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener that speaks HTTP and HTTPS and follows nobody elsewhere with a token in hand."""
    made = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        made.add_handler(handler)
    return made


def _raised(error: urllib.error.HTTPError) -> Exception:
    try:
        told = json.loads(error.read())["problems"]
        return FaultyData(
            Problem(
                one["code"], Text(one["message"]["zh"], one["message"]["en"]), Text(one["hint"]["zh"], one["hint"]["en"]),
                one["file"], one["row"], one["column"], one["severity"],
            )
            for one in told
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError):
        return FaultyData(
            [
                Problem(
                    "client.http", Text(f"服务器答 {error.code}。", f"The server answered {error.code}."), Text("", "")
                )
            ]
        )


def _multipart(files: Iterable[tuple[str, Path]], fields: Mapping[str, Any]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = []
    for name, value in fields.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for field, file in files:
        shown = file.name.replace('"', "%22").replace("\r", "").replace("\n", "")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{shown}"\r\n\r\n'
        parts.append(head.encode() + file.read_bytes() + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
