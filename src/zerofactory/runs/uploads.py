"""What a file from outside may be called and may hold."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unicodedata import category, normalize

from zerofactory.errors import Problem, Text

LONGEST_NAME = 120
LOOKED_AT_BYTES = 8192
INFLATED_TIMES = 200  # a workbook of numbers inflates about ten times; a bomb thousands of times
LEAST_BYTES = 1 << 20
KINDS = {".xlsx": b"PK\x03\x04", ".parquet": b"PAR1", ".csv": b"", ".json": b"", ".toml": b"", ".aasx": b"PK\x03\x04"}
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


def untypical(path: Path) -> Iterator[Problem]:
    """Yield what does not look like the kind of file its name says."""
    start = KINDS.get(path.suffix.casefold())
    with path.open("rb") as stream:
        head = stream.read(LOOKED_AT_BYTES)
    if start is None:
        choices = " ".join(KINDS)
        yield _problem(
            "kind", path, f"不收这种文件。可收: {choices}", f"Files of this kind are not taken. Taken: {choices}"
        )
    elif not head.startswith(start) or (not start and b"\0" in head):
        yield _problem("content", path, "内容与扩展名不符。", "The content is not what the name says.")
    elif start == b"PK\x03\x04" and _bomb(path):
        yield _problem("inflates", path, "解压后异常巨大。", "It inflates to an absurd size.")


def _bomb(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            inflated = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile:
        return False  # the reader of the file says what is wrong with it
    return inflated > INFLATED_TIMES * max(path.stat().st_size, LEAST_BYTES)


def _problem(code: str, path: Path, zh: str, en: str) -> Problem:
    return Problem(
        f"upload.{code}", Text(zh, en), Text("请另存为 CSV 或 XLSX。", "Save it as CSV or XLSX."), file=path.name
    )
