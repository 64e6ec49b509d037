"""The names of our cookies, in one place for the API and the pages; and where a browser may be sent.

Over TLS those that let somebody in are called ``__Host-…``: a browser takes such a cookie from this host alone, over TLS alone and
for the whole host, so that a neighbour on the same domain cannot plant one (RFC 6265bis, 4.1.3.2).
"""

from __future__ import annotations

from typing import Literal

Guarded = Literal["session", "device", "flow"]
LANGUAGE = "zf_lang"
DARK = "zf_dark"
SITE = "zf_site"


def named(kind: Guarded, secure: bool) -> str:
    """Return the name of a cookie that lets somebody in.

    Examples
    --------
    >>> named("session", True), named("session", False)
    ('__Host-zf_session', 'zf_session')
    """
    return f"__Host-zf_{kind}" if secure else f"zf_{kind}"


def local(target: str) -> str:
    """Return where to go after logging in: a place of ours, never another host.

    Examples
    --------
    >>> local("/inventory?period=2025"), local("//evil.example"), local("https://evil.example"), local("/\\t/evil.example")
    ('/inventory?period=2025', '/', '/', '/')
    """
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    return target if target.isprintable() else "/"  # a browser drops tabs and line ends: "/<tab>/host" would leave
