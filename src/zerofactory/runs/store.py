"""Where the records of a plant, or of a folder of plants, live: show it, bring it up to this edition, move it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.runs.context import clock
from zerofactory.runs.sites import Sites
from zerofactory.store.access_place import ACCESS_FILE, ACCESS_NAME
from zerofactory.store.database import BOOK_FILE, BOOK_NAME, Database, address, book_of
from zerofactory.store.edition import Edition, edition_of
from zerofactory.store.journal import Journal
from zerofactory.store.schema import REVISION
from zerofactory.store.sqlite_file import SqliteFile

PLACES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Standing:
    """One book: where it is, of which edition, how long, and its head. ``problems`` say why it cannot be used as it is."""

    site: str
    place: str
    book: str
    edition: str
    entries: int
    rows: int
    head: str
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = ("site", "place", "book", "edition", "entries", "rows", "head")
        shown = {name: getattr(self, name) for name in names}
        return {**shown, "problems": [problem.as_json() for problem in self.problems]}


@dataclass(frozen=True, slots=True)
class Standings:
    """Every book of a folder, where its accounts are, and the database that is named (never with its password)."""

    books: tuple[Standing, ...]
    accounts: str
    database: str
    edition: str

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        said = {"database": self.database, "edition": self.edition, "accounts": self.accounts}
        return {**said, "books": [book.as_json() for book in self.books]}


def status(root: Path) -> Standings:
    """Return where the records of a folder are; nothing is changed, and a book that cannot be reached is told as such."""
    accounts = next((name for name in (ACCESS_FILE, ACCESS_NAME) if (root / name).is_file()), "")
    books = tuple(_standing(site, folder) for site, folder in _folders(root).items())
    return Standings(books, accounts, _database_shown(), REVISION)


def upgrade(root: Path) -> list[tuple[str, str, str]]:
    """Bring every book of a folder up to this edition, each in one transaction; return site, edition before and after."""
    from zerofactory.store import migrate

    done = []
    for site, folder in _folders(root).items():
        before = migrate.upgrade(book_of(folder))
        done.append((site, _shown(before), REVISION))
    return done


def move(root: Path, to: str) -> list[dict[str, object]]:
    """Move every book of a folder, and its accounts, to a file or to the database; what is there already is left alone.

    Raises
    ------
    NotFound
        ``to`` is no place.
    FaultyData
        No database is named, it cannot be reached, or another program has a file open; what was moved before stays moved.
    BookBroken
        A book is not sound; it stays where it is.
    """
    from zerofactory.store import move as moving
    from zerofactory.store import move_accounts as accounts

    if to not in PLACES:
        raise NotFound(Text("存放处", "place"), to, PLACES)
    stamp = clock().strftime("%Y%m%dT%H%M%SZ")
    done: list[dict[str, object]] = []
    for site, folder in _folders(root).items():
        in_file = (folder / BOOK_FILE).is_file()
        if in_file is (to == "sqlite"):
            continue
        made = moving.into_database(folder, stamp) if in_file else moving.into_file(folder, stamp)
        names = ("source", "target", "kept_as", "entries", "rows", "head")
        done.append({"site": site, **{name: getattr(made, name) for name in names}})
    if to == "postgresql" and (root / ACCESS_FILE).is_file():
        done.append({"accounts": accounts.accounts_into_database(root, stamp)})
    if to == "sqlite" and (root / ACCESS_NAME).is_file() and not (root / ACCESS_FILE).is_file():
        done.append({"accounts": accounts.accounts_into_file(root, stamp)})
    return done


def _folders(root: Path) -> dict[str, Path]:
    """Return the folders with a book by site; raise `FaultyData` when there is none."""
    sites = Sites(root) if root.is_dir() else None
    found = dict(sites.folders()) if sites else {}
    if not found:
        told = Text(f"{root.resolve()} 里没有账本。", f"There is no book in {root.resolve()}.")
        hint = Text(
            "请用 -w 文件夹 指定工作区, 或装有各工厂的文件夹。",
            "Name a workspace with -w DIR, or a folder of workspaces.",
        )
        raise FaultyData([Problem("store.no_book", told, hint)])
    return found


def _standing(site: str, folder: Path) -> Standing:
    file = folder / BOOK_FILE
    place, book = ("sqlite", BOOK_FILE) if file.is_file() else ("postgresql", BOOK_NAME)
    problems: tuple[Problem, ...] = ()
    try:
        database: Database = book_of(folder)
    except FaultyData as fault:
        problems = fault.problems
        if place == "postgresql":
            return Standing(site, place, book, "", 0, 0, "", problems)
        database = SqliteFile(file)  # it can be looked at, though not used
    try:
        edition = edition_of(database)
        last = Journal(database).last()
    except FaultyData as fault:
        return Standing(site, place, database.name, "", 0, 0, "", problems + fault.problems)
    rows = sum(int(head[0]) for head in json.loads(last.heads).values()) if last else 0
    head = last.hash if last else ""
    return Standing(site, place, database.name, _shown(edition), last.seq if last else 0, rows, head, problems)


def _shown(edition: Edition) -> str:
    return edition.revision if not edition.missing else f"{edition.revision}-"


def _database_shown() -> str:
    """Return the database that is named, without its password; empty when none is."""
    if not address():
        return ""
    from zerofactory.store.postgres import url_of
    from zerofactory.store.postgres_faults import shown

    return shown(url_of(address()))
