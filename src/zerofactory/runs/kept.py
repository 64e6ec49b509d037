"""The newest results by what they were made from: a changed book gives another key, so nothing kept is ever stale."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, get_ident
from typing import Any, TypeVar

from zerofactory import __version__
from zerofactory.runs.context import Context
from zerofactory.runs.sites import mark_of

Result = TypeVar("Result")
MOST_BYTES = 64 << 20


class Kept:
    """A bounded store of results for many threads; the one used longest ago goes first.

    Results that are bytes are bounded in sum as well: who asks for the same in a thousand spellings must not fill the memory.
    """

    def __init__(self, size: int, most_bytes: int = MOST_BYTES) -> None:
        self._size, self._most_bytes, self._bytes = size, most_bytes, 0
        self._held, self._lock = OrderedDict[str, Any](), Lock()
        self._making: dict[str, tuple[Future[Any], int]] = {}

    def get(self, key: str, make: Callable[[], Result]) -> Result:
        """Return what is kept under a key, made now if nothing is; who asks while another thread makes it waits for that one.

        Raises
        ------
        RuntimeError
            ``make`` asks for what it makes: it would wait for itself without end.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                found: Result = self._held[key]
                return found
            others = self._making.get(key)
            if others is None:
                mine = Future[Any]()
                self._making[key] = mine, get_ident()
        if others is not None:
            theirs, maker = others
            if maker == get_ident():
                raise RuntimeError(f"what is kept is made of itself: {key}")
            awaited: Result = theirs.result()
            return awaited
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            mine.set_exception(error)
            raise
        self._keep(key, made)
        mine.set_result(made)
        return made

    def _keep(self, key: str, made: object) -> None:
        """Keep a result, and let go what is over."""
        with self._lock:
            del self._making[key]
            self._bytes += _length(made) - _length(self._held.get(key))
            self._held[key] = made
            while len(self._held) > self._size or (self._bytes > self._most_bytes and self._held):
                _, gone = self._held.popitem(last=False)
                self._bytes -= _length(gone)


def _length(result: object) -> int:
    return len(result) if isinstance(result, bytes) else 0


def basis_of(context: Context) -> str:
    """Return what an answer from the book rests on: the program, the folder, the day, the head and the plant file."""
    return f"{__version__}\n{context.workspace.folder}\n{context.today}\n{mark_of(context)}"
