"""The door to the records: the book of a workspace is a SQLite file in its folder, or one schema of a PostgreSQL database.

    ZF_DATABASE_URL unset    book.db             in the folder (the default)
    ZF_DATABASE_URL set      book.postgresql     in the folder names the schema; the records are in the database

The folder says where its records are, the variable how the database is reached and where a new book is opened. A folder and a
variable that say different things are an error, never a silent second book (decision 0023).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    import sqlalchemy as sa

BOOK_FILE = "book.db"
BOOK_NAME = "book.postgresql"
VARIABLE = "ZF_DATABASE_URL"
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")
Rows = Iterator[tuple[Any, ...]]


class Database(Protocol):
    """Where the records of one book live. SQL is the same on both; parameters are marked ``?``."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The kind of database."""

    @property
    def name(self) -> str:
        """The book as a person is told of it; never an address or a password."""

    def table(self, name: str) -> str:
        """Return how a query names a table of this book."""

    def reading(
        self, query: str, parameters: Sequence[object] = (), *, large: bool = False
    ) -> AbstractContextManager[Rows]:
        """Run one query; hand out its rows. A ``large`` answer is not held in memory."""

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """Open one transaction of the one writer: committed at its end, undone when anything is raised."""

    def insert(
        self, connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        """Add rows to a table inside an open transaction, the quickest way this database has."""

    def locked(self) -> AbstractContextManager[None]:
        """Hold the one writer's lock across work that spans files and the book; it dies with the process that holds it."""

    def create(self, make: Callable[[sa.Connection], None]) -> None:
        """Make the book and what it holds in one transaction."""

    def tables(self) -> set[str]:
        """Return the names of the tables that are there."""

    def noted(self, table: str) -> tuple[set[str], list[str]]:
        """Return the tables that are there, and what one of them, of a single text column, holds: one look at opening."""

    def triggers(self) -> dict[str, str]:
        """Return the triggers that are there and work, by name: what each refuses and how."""


def address() -> str:
    """Return what ``ZF_DATABASE_URL`` says, or an empty text."""
    return os.environ.get(VARIABLE, "").strip()


def has_book(folder: Path) -> bool:
    """Return whether a folder has a book, wherever its records are."""
    return (folder / BOOK_FILE).is_file() or (folder / BOOK_NAME).is_file()


def only_named(folder: Path) -> bool:
    """Return whether a book was begun and cut off: its name is noted and the database, which answers, has nothing under it."""
    if (folder / BOOK_FILE).exists() or not address() or not (folder / BOOK_NAME).is_file():
        return False
    return not open_schema(schema_named_in(folder / BOOK_NAME)).tables()


def schema_named_in(path: Path) -> str:
    """Return the name of the schema that a file beside the plant file holds; raise `FaultyData` when it is none."""
    try:
        name = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        name = ""
    if not _SCHEMA.fullmatch(name):
        told = Text(f"{path.name} 里不是账本的名称。", f"{path.name} does not name a book.")
        raise FaultyData([Problem("store.name_unreadable", told, _FROM_BACKUP, file=path.name)])
    return name


def new_schema_name(folder: Path, kind: str = "book") -> str:
    """Return a name for the schema of a new book: readable, and apart from every other one."""
    readable = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")[:30] or "plant"
    return f"zf_{kind}_{readable}_{os.urandom(5).hex()}"


def write_schema_name(path: Path, name: str) -> None:
    """Note in the folder which schema holds the records: whole or not at all."""
    write_bytes_whole(path, f"{name}\n".encode())


def write_schema_name_once(path: Path, name: str) -> None:
    """Note a schema where none is noted yet; of two who do so at once the first is heeded."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.partial")
    write_schema_name(beside, name)
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def open_schema(name: str) -> Database:
    """Return one schema of the database that ``ZF_DATABASE_URL`` names; raise `FaultyData` when it names none."""
    from zerofactory.store.postgres import PostgresSchema, url_of

    return PostgresSchema(url_of(address()), name)


def book_of(folder: Path) -> Database:
    """Return where the records of a workspace are; raise `FaultyData` when the folder and the variable disagree."""
    file, named = folder / BOOK_FILE, folder / BOOK_NAME
    if not address():
        if named.is_file() and not file.exists():
            raise FaultyData([no_address(BOOK_NAME)])
        return SqliteFile(file)
    if file.exists():
        raise FaultyData([two_places(BOOK_FILE)])
    return open_schema(schema_named_in(named))


def new_book(folder: Path) -> Database:
    """Return the place of a new book; its name is noted in the folder before anything is made."""
    if not address():
        return SqliteFile(folder / BOOK_FILE)
    can_be_made()
    write_schema_name_once(folder / BOOK_NAME, new_schema_name(folder))
    return open_schema(schema_named_in(folder / BOOK_NAME))


def can_be_made() -> None:
    """Raise `FaultyData` when a database is named and cannot be reached: before anything is written."""
    if address():
        open_schema("zf_book").tables()


_FROM_BACKUP = Text("请从备份恢复。", "Restore it from a back-up.")


def two_places(file: str) -> Problem:
    """Return the problem of a folder that has its records itself while the variable names a database."""
    return Problem(
        "store.two_places",
        Text(
            f"环境变量 {VARIABLE} 指向 PostgreSQL, 而这个文件夹的记录在 {file} 里。",
            f"{VARIABLE} names PostgreSQL, but the records of this folder are in {file}.",
        ),
        Text(
            f"请用 zf store move --to postgresql 迁移, 或去掉 {VARIABLE}。",
            f"Move them with zf store move --to postgresql, or unset {VARIABLE}.",
        ),
        file=file,
    )


def no_address(file: str) -> Problem:
    """Return the problem of a folder whose records are in a database that nobody names."""
    return Problem(
        "store.no_address",
        Text(
            f"这个文件夹的记录在 PostgreSQL 里, 但没有设环境变量 {VARIABLE}。",
            f"The records of this folder are in PostgreSQL, but {VARIABLE} is not set.",
        ),
        Text(
            f"请设 {VARIABLE}=postgresql://用户@主机/数据库; 口令可放在 PGPASSWORD 或 ~/.pgpass。",
            f"Set {VARIABLE}=postgresql://user@host/database; the password may stand in PGPASSWORD or ~/.pgpass.",
        ),
        file=file,
    )
