"""Files that are whole or not there: write beside, flush to disk, rename; content hashes; text people wrote."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from threading import get_ident

from zerofactory.errors import FaultyData, Problem, Text


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


def text_of(content: bytes, file: str) -> str:
    """Return the text of a file that a person wrote, in UTF-8 with or without a byte-order mark, lines ended by ``\\n``.

    Raises
    ------
    FaultyData
        The bytes are not UTF-8: some editors still save Chinese text as GBK.

    Examples
    --------
    >>> text_of("\\ufeffa = 1\\r\\n".encode(), "factory.toml")
    'a = 1\\n'
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise FaultyData(
            [
                Problem(
                    code="store.not_utf8",
                    message=Text("文件不是 UTF-8 编码。", "The file is not UTF-8."),
                    hint=Text(
                        "请在编辑器中另存为 UTF-8(记事本: 另存为 → 编码 → UTF-8)。", "Save it as UTF-8 in your editor."
                    ),
                    file=file,
                    row=row,
                )
            ]
        ) from error


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
