"""Whether a SQLite file has changed since one looked last, for a few microseconds: a server asks with every request.

SQLite keeps a number that changes when another connection commits (PRAGMA data_version); a connection that never writes sees every
commit of every process by it. A file that was replaced is seen by its inode.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

Version = tuple[int, int, int]


class FileWatch:
    """Looks at one file; usable by many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode, self._opened = 0, 0

    def version(self) -> Version:
        """Return what differs whenever the file has changed; raise `OSError` or `sqlite3.Error` when it is gone."""
        inode = self._path.stat().st_ino
        with self._lock:
            if self._connection is None or inode != self._inode:
                self.close()
                address = f"{self._path.absolute().as_uri()}?mode=rw"
                self._connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
                self._inode, self._opened = inode, self._opened + 1
            (number,) = self._connection.execute("PRAGMA data_version").fetchone()
            return self._opened, inode, int(number)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
