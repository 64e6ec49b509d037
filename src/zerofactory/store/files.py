"""Files that are whole or not there: write beside, flush to disk, rename; content hashes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from threading import get_ident


def write_whole(path: Path, write: Callable[[Path], None]) -> str:
    """Let ``write`` fill a temporary file, flush it to disk, rename it to ``path``; return its SHA-256.

    Two threads that write the same file do not meet. A process killed at any moment leaves either the old file, the new file, or a leftover `*.partial` that nobody reads.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{get_ident()}.partial")
    try:
        write(partial)
        digest = sha256_of(partial)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _flush_folder(path.parent)
    return digest


def write_bytes_whole(path: Path, content: bytes) -> str:
    """Write bytes as `write_whole` does."""

    def write(partial: Path) -> None:
        partial.write_bytes(content)

    return write_whole(path, write)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
