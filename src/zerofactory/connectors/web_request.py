"""One bounded request over HTTPS to a host that the owner of the plant has named: nothing is followed, nothing is trusted on its word.

Plain HTTP goes to this machine alone (a provider behind a tunnel, a test). A redirect is an error: it would carry a secret to a
host nobody has named. Answers are cut off at ``MOST_BYTES``.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from zerofactory.errors import Text, ZeroFactoryError

SECONDS = 10.0
MOST_BYTES = 2_000_000


class Unanswered(ZeroFactoryError):
    """The other side gave no usable answer; ``told`` says why, without anything secret."""

    def __init__(self, told: Text) -> None:
        self.told = told
        super().__init__(told.en)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def may_ask(address: str) -> bool:
    """Return whether an address is one to which a secret may travel: HTTPS, or this machine; no user part, no fragment.

    Examples
    --------
    >>> may_ask("https://login.example.cn/realm"), may_ask("http://127.0.0.1:9000"), may_ask("http://login.example.cn")
    (True, True, False)
    >>> may_ask("https://login.example.cn@evil.example"), may_ask("file:///etc/passwd"), may_ask("http://127.0.0.1.evil.example")
    (False, False, False)
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))


def ask(
    method: str,
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    account: tuple[str, str] | None = None,
) -> Answer:
    """Send one request and return its answer, whatever its status; raise `Unanswered` when there is none."""
    if not may_ask(address):
        raise Unanswered(Text("地址不是 https://。", "The address is not https://."))
    try:
        with (
            httpx.Client(timeout=SECONDS, verify=ssl.create_default_context(), follow_redirects=False) as client,
            client.stream(method, address, data=form, content=content, headers=headers, auth=account) as answer,
        ):
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise Unanswered(Text("对方的回答太长。", "The answer is too long."))
            return Answer(answer.status_code, body)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        kind = type(error).__name__  # not its words: they may repeat the address with what was in it
        raise Unanswered(Text(f"连接不上对方({kind})。", f"The other side cannot be reached ({kind}).")) from None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
