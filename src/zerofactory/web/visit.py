"""One person looking at one site through a browser: language, rights, and the opened workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from time import monotonic
from typing import TypeVar

from fastapi import Request

from zerofactory.errors import Language, NotFound, Text
from zerofactory.runs import access, cookies
from zerofactory.runs.access import Permission, Person
from zerofactory.runs.context import Context, clock
from zerofactory.runs.kept import Kept, basis_of
from zerofactory.runs.sites import Server

Result = TypeVar("Result")
_KEPT = Kept(128)
SERVER = "zf_server"
LOOK_AGAIN_SECONDS = 2.0
GRAMS_PER_TONNE = 1_000_000


def server_of(request: Request) -> Server:
    """Return the server that answers (the shell around the application put it into the request)."""
    held: Server = request.scope[SERVER]
    return held


def person_of(request: Request) -> Person | None:
    """Return who looks, by the session cookie."""
    return access.by_session(server_of(request).access, secret_of(request), clock())


def secret_of(request: Request) -> str:
    """Return the secret of the session that a browser sent."""
    return request.cookies.get(cookies.named("session", server_of(request).secure), "")


def language_of(request: Request) -> Language:
    """Return the language of the pages: what was chosen, else what the browser wishes, else Chinese."""
    chosen = request.cookies.get(cookies.LANGUAGE) or request.headers.get("accept-language", "zh")
    return "en" if chosen[:2].casefold() == "en" else "zh"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page needs: who, where, in which language, what was asked in the address, and the workspace."""

    server: Server
    person: Person
    site: str
    sites: tuple[str, ...]
    language: Language
    asked: Mapping[str, str]
    dark: bool
    secret: str = field(repr=False)
    address: str
    looked: list[float] = field(default_factory=lambda: [monotonic()], repr=False, compare=False)

    @property
    def context(self) -> Context:
        """The workspace as it is at this moment; raise `NotFound` when the right to read it has ended since the page was drawn."""
        if not self.holds():
            raise NotFound(Text("工厂", "site"), self.site)
        return self.server.sites.context(self.site, self.person.user.login)

    def now(self) -> Person | None:
        """Return who looks as he stands at this moment, or None when he has logged out, was shut out, or stayed too long."""
        person = access.by_session(self.server.access, self.secret, clock())
        return person if person is not None and person.user.user_id == self.person.user.user_id else None

    def holds(self) -> bool:
        """Return whether this page may still be filled: a page stays open long after it was drawn."""
        if monotonic() - self.looked[0] > LOOK_AGAIN_SECONDS:
            person = self.now()
            if person is None or not person.may("read", self.site):
                return False
            self.looked[0] = monotonic()
        return True

    def kept(self, name: str, make: Callable[[Context], Result]) -> Result:
        """Return what ``make`` reads from the book, kept until the book changes; ``name`` says what it is."""
        context = self.context
        return _KEPT.get(f"{basis_of(context)}\n{name}", lambda: make(context))

    def may(self, permission: Permission) -> bool:
        """Return whether this person may do something here."""
        return self.person.may(permission, self.site)

    def say(self, zh: str, en: str) -> str:
        """Return a sentence in the language of the pages."""
        return zh if self.language == "zh" else en

    def read(self, text: Text) -> str:
        """Return a text in the language of the pages."""
        return text.in_language(self.language)

    def told(self, both: Mapping[str, str] | str | None) -> str:
        """Return the words of a JSON value ``{"zh", "en"}`` in the language of the pages."""
        return both.get(self.language, "") if isinstance(both, Mapping) else both or ""


def tonnes(gco2e: float, digits: int = 1) -> str:
    """Return grams as tonnes with thousands separators, half to even.

    Examples
    --------
    >>> tonnes(1_234_567_890)
    '1,234.6'
    """
    value = Decimal(round(gco2e)) / GRAMS_PER_TONNE
    return f"{value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):,}"
