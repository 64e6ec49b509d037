"""Evidence: documents kept by the hash of their content, so that a figure can always show its paper."""

from __future__ import annotations

import re
from pathlib import Path

from zerofactory.errors import NotFound, Problem, Text
from zerofactory.store.files import sha256_of, write_bytes_whole

_SAFE_SUFFIX = re.compile(r"^\.[A-Za-z0-9]{1,8}$")


class Evidence:
    """The folder `evidence/` of a workspace: `ab/abcdef….xlsx`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, digest: str, suffix: str) -> None:
        """Keep a document under its hash (once). Only a harmless suffix is taken from its name."""
        path = self._path(digest, suffix)
        if not path.exists():
            write_bytes_whole(path, content)

    def find(self, digest: str) -> Path:
        """Return the path of a document; raise `NotFound` when it is not kept."""
        folder = self._folder / digest[:2]
        matches = [path for path in sorted(folder.glob(f"{digest}.*")) if path.stem == digest and path.is_file()]
        if not matches:
            raise NotFound(Text("凭证文件", "evidence"), digest)
        return matches[0]

    def check(self) -> list[Problem]:
        """Return a problem for every kept document whose content is not what its name says."""
        problems = []
        for path in sorted(self._folder.glob("??/*")):
            if path.suffix != ".partial" and not (path.is_file() and sha256_of(path) == path.stem):
                problems.append(
                    Problem(
                        code="store.evidence_changed",
                        message=Text("凭证文件的内容与其哈希不符。", "The document's content does not match its hash."),
                        hint=Text("请从备份恢复该文件。", "Restore the file from a back-up."),
                        file=f"evidence/{path.parent.name}/{path.name}",
                    )
                )
        return problems

    def _path(self, digest: str, suffix: str) -> Path:
        kept = suffix.lower() if _SAFE_SUFFIX.match(suffix) else ".bin"
        return self._folder / digest[:2] / f"{digest}{kept}"
