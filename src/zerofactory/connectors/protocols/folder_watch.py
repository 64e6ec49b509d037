"""A drop folder: CSV, XLSX or Parquet files of readings, in the same forms that ``zf import`` takes.

A file is taken when it has stopped growing, and goes to ``done/`` when all of it is on disk; a file with faults goes to
``refused/`` with the faults beside it, none of it booked. A file that was half taken when the process died is taken again:
what was booked of it is recognised. Yields: value in the meter's own unit; instant and quality of the row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from zerofactory.connectors.link import Connection, LinkFault, ProtocolKind, Surroundings
from zerofactory.connectors.sample import Arrival
from zerofactory.connectors.tabular import SUFFIXES, read_table
from zerofactory.errors import FaultyData, Problem, Text, errors_of
from zerofactory.metering.reading import QUALITIES
from zerofactory.metering.reading_file import from_reading_file, read_mapping
from zerofactory.notation import text_of

LOOK_SECONDS = 1.0


class FolderLink:
    """One watched folder."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self._connection, self._around = connection, around
        self._folder = around.folder / connection.address
        self._seen: dict[Path, tuple[int, float]] = {}
        self._current: Path | None = None
        self._rest: list[Arrival] = []

    async def open(self) -> None:
        """Make the folder when it is absent; raise `LinkFault` when that fails."""
        try:
            for name in ("", "done", "refused"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LinkFault(
                "folder",
                Text(f"文件夹 {self._connection.address} 用不了: {error.strerror}。",
                     f"Folder {self._connection.address} cannot be used: {error.strerror}."),
                Text("请检查路径和权限。", "Check the path and the rights."),
            ) from error  # fmt: skip

    async def read(self) -> Sequence[Arrival]:
        """Return the next rows of the file at hand, or of the next file that has stopped growing."""
        if self._current is None:
            path = next((path for path in sorted(self._folder.iterdir()) if self._is_still(path)), None)
            if path is None:
                await asyncio.sleep(LOOK_SECONDS)
                return []
            try:
                self._rest = await asyncio.to_thread(self._rows, path)
            except FaultyData as fault:
                self._set_aside(path, fault)
                return []
            self._current = path
        taken, self._rest = self._rest[: self._around.queue_rows], self._rest[self._around.queue_rows :]
        return taken

    async def acknowledge(self) -> None:
        """Move the file to ``done/`` when all its rows are kept."""
        if self._current is not None and not self._rest:
            _move(self._current, self._folder / "done")
            self._current = None

    async def close(self) -> None:
        """Forget what was not acknowledged; the file stays and is taken again."""
        self._current, self._rest = None, []

    def _is_still(self, path: Path) -> bool:
        """Whether a file is one of ours and has not changed since the last look."""
        if path.suffix.lower() not in SUFFIXES or path.name.startswith((".", "~")) or not path.is_file():
            return False
        stat = path.stat()
        now = (stat.st_size, stat.st_mtime)
        before, self._seen[path] = self._seen.get(path), now
        return before == now or time.time() - stat.st_mtime > 5 * LOOK_SECONDS

    def _rows(self, path: Path) -> list[Arrival]:
        mapping = self._connection.options.get("mapping")
        rule = None
        if mapping is not None:
            rule = read_mapping(text_of((self._around.folder / str(mapping)).read_bytes(), str(mapping)), str(mapping))
        frame, problems = from_reading_file(read_table(path), self._around.plant, rule, path.name, datetime.now(UTC))
        if errors_of(problems):
            raise FaultyData(problems)
        quality = frame["quality"].cast(pl.Enum(list(QUALITIES))).to_physical()
        moments = frame["started_at"].to_physical()
        columns = (frame["meter_id"].to_list(), moments.to_list(), frame["value"].to_list(), quality.to_list())
        return [Arrival(*row) for row in zip(*columns, strict=True)]

    def _set_aside(self, path: Path, fault: FaultyData) -> None:
        moved = _move(path, self._folder / "refused")
        lines = [f"{problem.sentence('zh')}\n{problem.sentence('en')}\n" for problem in fault.problems[:1000]]
        moved.with_name(f"{moved.name}.problems.txt").write_text("".join(lines), encoding="utf-8")
        first = fault.problems[0]
        self._around.tell(
            Problem(
                "connectors.file_refused",
                Text(f"文件 {path.name} 有 {len(fault.problems)} 个问题, 未入账: {first.message.zh}",
                     f"File {path.name} has {len(fault.problems)} faults and was not booked: {first.message.en}"),
                Text("请看 refused/ 里同名的 .problems.txt, 改正后重新放入。",
                     "See the .problems.txt beside it in refused/, mend the file and drop it again."),
                file=self._connection.id,
                severity="warning",
            )
        )  # fmt: skip


def _move(path: Path, folder: Path) -> Path:
    """Move a file into a folder under its own name, or with a number when that is taken."""
    target, number = folder / path.name, 1
    while target.exists():
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    return path.rename(target)


PROTOCOL = ProtocolKind(
    id="folder_watch",
    title=Text("文件夹监视(CSV、XLSX、Parquet)", "drop folder (CSV, XLSX, Parquet)"),
    reference="the forms of `zf import`",
    make=FolderLink,
    polled=False,
    values="interval",
    options={"mapping": str},
    needs=(),
    yields=Text("文件各行的值、时间和质量", "value, time and quality of each row"),
)
