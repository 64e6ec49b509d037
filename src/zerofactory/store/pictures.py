"""Pictures of inspected parts: each kept once under the hash of its bytes, whole or not at all, within a bound of the whole folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from zerofactory.errors import NotFound, Text
from zerofactory.store.files import write_bytes_whole

FOLDER = "inspection"
SUFFIXES = (".png", ".jpg")
MEASURE_AGAIN = 500
"""After so many new pictures the folder is measured anew: another process may have added some."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Pictures:
    """The folder ``inspection/`` of a workspace: ``ab/abcdef….png``; a bound of bytes holds for all of it."""

    def __init__(self, workspace: Path, most_bytes: int) -> None:
        self._folder, self._most_bytes = workspace / FOLDER, most_bytes
        self._bytes, self._since = 0, MEASURE_AGAIN

    def keep(self, content: bytes, suffix: str) -> str | None:
        """Keep a picture and return the hash of its bytes; None where the folder is full."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._folder / digest[:2] / f"{digest}{suffix}"
        if not path.exists():
            if self._since >= MEASURE_AGAIN:
                self._bytes, self._since = self.size_bytes(), 0
            if self._bytes + len(content) > self._most_bytes:
                return None
            write_bytes_whole(path, content)
            self._bytes, self._since = self._bytes + len(content), self._since + 1
        return digest

    def size_bytes(self) -> int:
        """Return the bytes of all pictures that are kept."""
        return sum(path.stat().st_size for path in self._folder.glob("??/*") if path.suffix in SUFFIXES)

    def find(self, digest: str) -> Path:
        """Return where a picture is; raise `NotFound` when it is not kept, or the name is no hash."""
        if _DIGEST.fullmatch(digest):
            for suffix in SUFFIXES:
                path = self._folder / digest[:2] / f"{digest}{suffix}"
                if path.is_file():
                    return path
        raise NotFound(Text("图片", "picture"), digest[:64])

    def has(self, digest: str | None) -> bool:
        """Return whether a picture is kept."""
        try:
            return digest is not None and self.find(digest).is_file()
        except NotFound:
            return False
