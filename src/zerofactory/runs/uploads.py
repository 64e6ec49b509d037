"""What a file from outside may be called and may hold."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from unicodedata import category, normalize

import polars as pl

from zerofactory.errors import Problem, Text
from zerofactory.runs.access import policy

LONGEST_NAME = 120
LOOKED_AT_BYTES = 8192
INFLATED_TIMES = 200  # a workbook of numbers inflates about ten times; a bomb thousands of times
LEAST_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
LOCAL_HEADER_BYTES = 30
KINDS = {".xlsx": b"PK\x03\x04", ".parquet": b"PAR1", ".csv": b"", ".json": b"", ".toml": b"", ".aasx": b"PK\x03\x04"}
EVIDENCE_KINDS = {
    **KINDS,
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG\r\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".zip": b"PK\x03\x04",
}
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(name: str | None) -> str:
    """Return the last part of a file name without anything that could leave the folder or hide what it is.

    Examples
    --------
    >>> safe_name("../../etc/passwd.csv"), safe_name("C:\\\\桌面\\\\三月.xlsx"), safe_name("a\\u202ecsv.exe\\x00")
    ('passwd.csv', '三月.xlsx', 'acsv.exe')
    >>> safe_name(".."), safe_name("CON.csv"), safe_name(None)
    ('upload', '_CON.csv', 'upload')
    """
    last = re.split(r"[\\/]", normalize("NFC", name or ""))[-1]
    kept = "".join(letter for letter in last if category(letter)[0] != "C" and letter not in '<>:"|?*').strip(" .")
    if len(kept) > LONGEST_NAME:
        kept = kept[: LONGEST_NAME - len(Path(kept).suffix)] + Path(kept).suffix
    return f"_{kept}" if _RESERVED.fullmatch(kept) else kept or "upload"


def untypical(path: Path, kinds: Mapping[str, bytes] = KINDS) -> Iterator[Problem]:
    """Yield what does not look like the kind of file its name says; of evidence, pictures and PDF are taken, too."""
    start = kinds.get(path.suffix.casefold())
    with path.open("rb") as stream:
        head = stream.read(LOOKED_AT_BYTES)
    if start is None:
        choices = " ".join(kinds)
        yield _problem(
            "kind", path, f"不收这种文件。可收: {choices}", f"Files of this kind are not taken. Taken: {choices}"
        )
    elif not head.startswith(start) or (not start and b"\0" in head):
        yield _problem("content", path, "内容与扩展名不符。", "The content is not what the name says.")
    elif (start == b"PK\x03\x04" and _bomb(path)) or (start == b"PAR1" and _endless(path)):
        yield _problem(
            "inflates", path, "解压后异常巨大, 或压缩包已损坏。", "It inflates to an absurd size, or is damaged."
        )


def _bomb(path: Path) -> bool:
    """Return whether a zip archive inflates beyond its bound; what its index says of the sizes is not believed."""
    left = min(INFLATED_TIMES * max(path.stat().st_size, LEAST_BYTES), policy()["upload"]["inflated_bytes"])
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            for member in archive.infolist():
                left -= _inflated(stream, member, left)
                if left < 0:
                    return True
    except (zipfile.BadZipFile, zlib.error, ValueError):
        return True  # another reader might be more patient with it than this one
    return False


def _inflated(stream: BinaryIO, member: zipfile.ZipInfo, most: int) -> int:
    """Return how many bytes a member holds, counted no further than past ``most`` (APPNOTE.TXT 6.3.10, 4.3.7)."""
    stream.seek(member.header_offset)
    head = stream.read(LOCAL_HEADER_BYTES)
    if head[:4] != b"PK\x03\x04" or len(head) < LOCAL_HEADER_BYTES:
        raise zipfile.BadZipFile
    stream.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    if member.compress_type == zipfile.ZIP_STORED:
        return max(member.compress_size, member.file_size)
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    inflater, count, packed = zlib.decompressobj(-zlib.MAX_WBITS), 0, b""
    while count <= most and not inflater.eof:
        packed = inflater.unconsumed_tail or stream.read(CHUNK_BYTES)
        if not packed:
            break
        count += len(inflater.decompress(packed, CHUNK_BYTES))
    return count


def _endless(path: Path) -> bool:
    """Return whether a Parquet file of few bytes claims rows without end; the reader says what else is wrong with it."""
    try:
        rows = int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        return False
    return rows > policy()["upload"]["parquet_rows"]


def _problem(code: str, path: Path, zh: str, en: str) -> Problem:
    return Problem(
        f"upload.{code}", Text(zh, en), Text("请另存为 CSV 或 XLSX。", "Save it as CSV or XLSX."), file=path.name
    )
