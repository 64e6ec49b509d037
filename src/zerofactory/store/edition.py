"""Which edition a book is of, and how it is brought up to the one this code writes.

A book in a file is brought up when it is opened, in one transaction. A database that many servers share is brought up when its
owner says so (``zf store upgrade``). A book of a later edition is refused on both.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.store.database import Database
from zerofactory.store.schema import FACTS, REVISION, VERSION_TABLE

FIRST = "0001"  # books made before editions were noted are of the first


@dataclass(frozen=True, slots=True)
class Edition:
    """The edition of a book and the tables it lacks."""

    revision: str
    missing: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether the book is what this code writes."""
        return self.revision == REVISION and not self.missing


def edition_of(database: Database) -> Edition:
    """Return the edition of a book; raise `FaultyData` when a later program made it, or there is no book."""
    there, held = database.noted(VERSION_TABLE)
    revision = max(held, default=FIRST)
    if revision > REVISION:
        raise FaultyData([_newer(revision, database.name)])
    if database.dialect == "postgresql" and "journal" not in there:
        raise FaultyData([_absent(database.name)])
    missing = tuple(name for name in ("journal", *(schema.name for schema in FACTS)) if name not in there)
    return Edition(revision, missing)


def bring_up(database: Database) -> None:
    """Bring a book in a file up to this edition; raise `FaultyData` for one of a database that is behind."""
    found = edition_of(database)
    if found.is_current:
        return
    if database.dialect == "postgresql":
        raise FaultyData([_behind(found, database.name)])
    from zerofactory.store.migrate import upgrade

    upgrade(database)


def _newer(revision: str, name: str) -> Problem:
    return Problem(
        "store.newer_book",
        Text(
            f"账本 {name} 的版次 {revision} 比本程序({REVISION})新。",
            f"The book {name} is of edition {revision}, later than this program ({REVISION}).",
        ),
        Text("请升级 zerofactory。", "Upgrade zerofactory."),
    )


def _behind(found: Edition, name: str) -> Problem:
    lacking = ", ".join(found.missing)
    return Problem(
        "store.older_book",
        Text(
            f"账本 {name} 的版次 {found.revision} 早于本程序({REVISION}){f', 缺表 {lacking}' if lacking else ''}。",
            f"The book {name} is of edition {found.revision}, this program writes {REVISION}{f'; it lacks {lacking}' if lacking else ''}.",
        ),
        Text("请先备份, 再运行 zf store upgrade。", "Back it up, then run zf store upgrade."),
    )


def _absent(name: str) -> Problem:
    return Problem(
        "store.book_missing",
        Text(f"数据库里没有账本 {name}。", f"The database has no book {name}."),
        Text(
            "请核对 ZF_DATABASE_URL 是否为原来的数据库; 账本若已迁走, 请用迁移后的文件夹。",
            "Check that ZF_DATABASE_URL names the same database; if the book has moved, use the folder it moved to.",
        ),
    )
