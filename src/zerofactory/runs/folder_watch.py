"""What a person edits by hand in a workspace, watched: the plant file, tables, the plant's own factors, products, tariffs, standards.

A folder is listed anew only when it has changed; the files in it are looked at each time, by time and size.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path
from threading import Lock

from zerofactory.store.database import BOOK_FILE, BOOK_NAME

PATTERNS = ("*.toml", "*.csv", "factors/*", "products/*", "tariffs/*", "standards/*")
FOLDERS = ("", "factors", "products", "tariffs", "standards")
YOUNG_NS = (
    100_000_000  # a folder that changed so lately may change again within the same tick of the file system's clock
)


class FolderWatch:
    """Watches one workspace; usable by many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._watched = [str(folder / name) for name in FOLDERS]
        self._books = [str(folder / name) for name in (BOOK_FILE, BOOK_NAME)]
        self._lock = Lock()
        self._folders: tuple[int, ...] = ()
        self._files: list[str] = []

    def mark(self) -> tuple[object, ...]:
        """Return what differs whenever a watched file has changed, come or gone; raise `OSError` when it cannot be read."""
        place = tuple(_seen(path) is not None for path in self._books)  # where the records are
        return place + tuple((path, _seen(path)) for path in self._listed())

    def _listed(self) -> list[str]:
        folders = tuple((_seen(path) or (0, 0))[0] for path in self._watched)
        with self._lock:
            if folders == self._folders:
                return self._files
        found = [str(path) for pattern in PATTERNS for path in sorted(self._folder.glob(pattern)) if path.is_file()]
        with self._lock:
            self._files = found
            self._folders = folders if max(folders) < time.time_ns() - YOUNG_NS else ()
        return found


@lru_cache(maxsize=1024)
def watch_of(folder: Path) -> FolderWatch:
    """Return the watch of a workspace."""
    return FolderWatch(folder)


def _seen(path: str) -> tuple[int, int] | None:
    """Return when a file or folder changed and how large it is; None when there is none."""
    try:
        seen = os.stat(path)  # noqa: PTH116  (asked a dozen times with every request; a Path takes five times as long)
    except FileNotFoundError:
        return None
    return seen.st_mtime_ns, seen.st_size
