"""Answers given again at once: what was read from the book for somebody is still right while nothing has changed.

Three things are looked at before anything kept is given: that nobody's access has changed (the number of `access.db`), that the book
has not (the number of `book.db`, the day, the files a person edits), and that the asker's session or token still holds. Each was noted
before the answer was made, so a change in between makes a miss, never a stale answer. Where the records are in PostgreSQL there is
no such number and nothing is kept here.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from zerofactory.periods import zone
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.runs.folder_watch import watch_of
from zerofactory.store.sqlite_file import SqliteFile
from zerofactory.store.watch import FileWatch, Version

if TYPE_CHECKING:
    from starlette.types import Scope

    from zerofactory.runs.sites import Server

SEEN = "zf_seen"  # in the scope: the number of the accounts before the request was looked at
MOST_ANSWERS = 1024
MOST_BYTES = 64 << 20
LONGEST_ADDRESS = 2000
ASKED_BY = (b"authorization", b"cookie")
Mark = tuple[Version, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class _Answer:
    accounts: Version
    book: Mark
    today: date
    time_zone: str
    folder: Path
    until: str
    tag: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Swift:
    """The answers of one server that may be given again."""

    def __init__(self, server: Server) -> None:
        url = server.access.engine.url
        self._accounts = FileWatch(Path(url.database)) if url.get_backend_name() == "sqlite" and url.database else None
        self._books: dict[Path, FileWatch] = {}
        self._held: OrderedDict[bytes, _Answer] = OrderedDict()
        self._bytes, self._lock = 0, Lock()

    def note(self, scope: Scope) -> None:
        """Note the number of the accounts before a request is looked at."""
        if self._accounts is not None:
            with suppress(OSError, sqlite3.Error):
                scope[SEEN] = self._accounts.version()

    def book(self, context: Context) -> Mark | None:
        """Return how the book stands before it is read; None where that cannot be told."""
        database = context.workspace.database
        if self._accounts is None or not isinstance(database, SqliteFile):
            return None
        folder = context.workspace.folder
        watch = self._books.setdefault(folder, FileWatch(database.path))
        return watch.version(), watch_of(folder).mark()

    def keep(
        self, scope: Scope, context: Context, mark: Mark | None, until: str, made: tuple[str, dict[str, str], bytes]
    ) -> None:
        """Keep an answer with what was noted before it was made."""
        key, seen = _key(scope), scope.get(SEEN)
        if key is None or seen is None or mark is None or not until:
            return
        tag, headers, body = made
        encoded = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())
        zone_name = context.workspace.plant.time_zone
        answer = _Answer(seen, mark, context.today, zone_name, context.workspace.folder, until, tag, encoded, body)
        with self._lock:
            old = self._held.pop(key, None)
            self._bytes += len(body) - (len(old.body) if old else 0)
            self._held[key] = answer
            while len(self._held) > MOST_ANSWERS or (self._bytes > MOST_BYTES and self._held):
                self._bytes -= len(self._held.popitem(last=False)[1].body)

    def again(self, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        """Return status, headers and body of an answer that still holds; None when there is none."""
        key = _key(scope)
        held = self._held.get(key) if key is not None else None
        if key is None or held is None or not self._holds(scope, held):
            return None
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
        if f'"{held.tag}"'.encode() in _header(scope, b"if-none-match"):
            return 304, [one for one in held.headers if one[0] not in (b"content-type", b"content-length")], b""
        return 200, [*held.headers, (b"content-length", str(len(held.body)).encode())], held.body

    def _holds(self, scope: Scope, held: _Answer) -> bool:
        now = clock()
        if (
            held.accounts != scope.get(SEEN)
            or stamp(now) >= held.until
            or now.astimezone(zone(held.time_zone)).date() != held.today
        ):
            return False
        try:
            return (self._books[held.folder].version(), watch_of(held.folder).mark()) == held.book
        except (OSError, sqlite3.Error):
            return False


def _key(scope: Scope) -> bytes | None:
    """Return under what an answer is kept: who shows what, and what he asks; None for what is never kept."""
    if scope["method"] != "GET" or len(scope["query_string"]) + len(scope["path"]) > LONGEST_ADDRESS:
        return None
    shown: list[Any] = [_header(scope, name) for name in ASKED_BY]
    if not any(shown):
        return None
    asked = b"\0".join([*shown, scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"]])
    return hashlib.sha256(asked).digest()


def _header(scope: Scope, name: bytes) -> bytes:
    return b",".join(value for key, value in scope["headers"] if key == name)
