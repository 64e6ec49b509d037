"""A workspace is a folder: the plant file, the book, the series and the evidence."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.load import factor_book, read_set
from zerofactory.factors.model import FactorBook
from zerofactory.notation import text_of
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant
from zerofactory.store.database import BOOK_FILE, Database, book_of, has_book, new_book, only_named
from zerofactory.store.edition import bring_up
from zerofactory.store.evidence import Evidence
from zerofactory.store.journal import Journal
from zerofactory.store.schema import BATCHES, SCHEMA_VERSION, SEALS, make
from zerofactory.store.series import Segment, Series, segments_of
from zerofactory.store.sqlite_file import SqliteFile

PLANT_FILE = "factory.toml"


class Workspace:
    """An opened workspace. Reading is always possible; writing goes through `journal.writing`."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.folder = folder
        self._database = database
        self.evidence = Evidence(folder / "evidence")
        self.series = Series(folder / "series")

    @classmethod
    def create(cls, folder: Path, *, at: str, actor: str) -> Workspace:
        """Make the book of a folder that holds a plant file; raise `FaultyData` when a book is there already."""
        if has_book(folder) and not only_named(folder):
            raise FaultyData(
                [
                    _problem(
                        "already_there",
                        Text(f"{folder} 已有账本。", f"{folder} already has a book."),
                        Text("请换一个文件夹。", "Choose another folder."),
                    )
                ]
            )
        made = cls(folder, new_book(folder))
        made.database.create(make)
        with made.journal.writing(at=at, kind="open", actor=actor) as writer:
            writer.payload = {"schema_version": SCHEMA_VERSION}
        return made

    @classmethod
    def open(cls, folder: Path) -> Workspace:
        """Open a workspace; raise `FaultyData` when the folder is not one."""
        problems = []
        shown = folder.resolve()
        if not (folder / PLANT_FILE).is_file():
            problems.append(
                _problem(
                    "no_plant_file",
                    Text(
                        f"{shown} 不是工作区: 里面没有 {PLANT_FILE}。",
                        f"{shown} is no workspace: it holds no {PLANT_FILE}.",
                    ),
                    Text(
                        "请用 -w 文件夹 指定工作区, 或先运行 zf init 文件夹 新建。",
                        "Name one with -w DIR, or make one with zf init DIR.",
                    ),
                )
            )
        elif not has_book(folder):
            problems.append(
                _problem(
                    "no_book",
                    Text(f"{shown} 里没有账本 {BOOK_FILE}。", f"There is no book {BOOK_FILE} in {shown}."),
                    Text("请运行 zf init 建账。", "Run zf init to open a book."),
                )
            )
        if problems:
            raise FaultyData(problems)
        opened = cls(folder)
        bring_up(opened.database)
        return opened

    @cached_property
    def database(self) -> Database:
        """Where the records of this book live."""
        return self._database or book_of(self.folder)

    @cached_property
    def watched(self) -> Journal:
        """The same journal over connections that stay open, for a server that asks for its head with every request."""
        known = self.database
        return Journal(SqliteFile(known.path, pooled=True)) if isinstance(known, SqliteFile) else self.journal

    @cached_property
    def journal(self) -> Journal:
        """The append-only journal of this book."""
        return Journal(self.database)

    @cached_property
    def plant_bytes(self) -> bytes:
        """The plant file as it stands now, byte by byte: what a seal keeps as evidence."""
        return (self.folder / PLANT_FILE).read_bytes()

    @cached_property
    def plant_text(self) -> str:
        """The text of the plant file as it stands now; raise `FaultyData` when it is not UTF-8."""
        return text_of(self.plant_bytes, PLANT_FILE)

    @cached_property
    def plant(self) -> Plant:
        """The plant as its file says now; raise `FaultyData` with every fault."""
        return read_plant(self.plant_text)

    @cached_property
    def factor_book(self) -> FactorBook:
        """The packaged factor sets and the plant's own (`factors/*.csv` in the workspace)."""
        return _with_own(self.own_factor_files)

    @cached_property
    def own_factor_files(self) -> Mapping[str, bytes]:
        """The plant's own factor files as they stand now, by name."""
        return {path.stem: path.read_bytes() for path in sorted((self.folder / "factors").glob("*.csv"))}

    def sealed_factor_book(self, seal: Mapping[str, Any]) -> FactorBook:
        """The factor sets a month was sealed with: the packaged ones and the plant's own as they were then."""
        kept = json.loads(seal["own_factors"])
        if kept == {name: hashlib.sha256(content).hexdigest() for name, content in self.own_factor_files.items()}:
            return self.factor_book
        return _with_own({name: self.evidence.find(digest).read_bytes() for name, digest in kept.items()})

    def batches(self) -> pl.DataFrame:
        """Return the imported files."""
        return self.journal.active(BATCHES)

    def seals(self) -> pl.DataFrame:
        """Return the seals in force: of each period the newest revision."""
        frame = self.journal.rows(SEALS)
        return frame.sort("period", "revision").group_by("period", maintain_order=True).last().select(frame.columns)

    def seal_of(self, period: str) -> dict[str, Any] | None:
        """Return the seal in force of one month, or None while it is open."""
        rows = self.journal.rows(SEALS, {"period": period}).sort("revision").to_dicts()
        return rows[-1] if rows else None

    def open_segments(self) -> list[Segment]:
        """Return the segments whose rows are not yet in a seal: files that must exist."""
        held = self._held()
        return [segment for segment in segments_of(self.batches()) if segment.file not in held]

    def _held(self) -> set[str]:
        """Return the segments that seals hold, from the journal entries of closing."""
        held: set[str] = set()
        for payload in self.journal.payloads("close"):
            for files in json.loads(payload).get("segments", {}).values():
                held.update(files)
        return held

    def locked(self) -> AbstractContextManager[None]:
        """Hold the one writer's lock of this workspace across work that spans files and the book."""
        return self.database.locked()


def _with_own(contents: Mapping[str, bytes]) -> FactorBook:
    """Return the packaged sets and own ones read from file contents; raise `FaultyData` with every fault."""
    sets, problems = [], []
    for name, content in contents.items():
        loaded, faults = read_set(text_of(content, f"factors/{name}.csv"), name)
        problems += [fault.at(file=f"factors/{name}.csv") for fault in faults]
        if loaded is not None:
            sets.append(loaded)
    if problems:
        raise FaultyData(problems)
    return factor_book(tuple(sets))


@lru_cache(maxsize=8)
def read_plant(text: str) -> Plant:
    """Return the plant that a plant file describes; raise `FaultyData` with every fault."""
    found, problems = load_plant(text, PLANT_FILE)
    if found is None or any(problem.severity == "error" for problem in problems):
        raise FaultyData(problems)
    return found


def current_actor() -> str:
    """Return who writes: ZF_ACTOR, else the login name."""
    return os.environ.get("ZF_ACTOR") or os.environ.get("USER") or "unknown"


def _problem(code: str, message: Text, hint: Text) -> Problem:
    return Problem(code=f"store.{code}", message=message, hint=hint)
