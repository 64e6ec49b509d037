"""The journal: every write is one transaction, one entry, and fact rows chained to the rows before them.

    entry n:  hash = SHA-256(previous hash, at, kind, actor, payload, heads)
    row  r:   row_hash = SHA-256(hash of row r-1 of the same table, entry, content)
    heads:    for each fact table its number of rows and its last row_hash, after the entry

So a changed row, a removed row and a removed entry are each found, and the place is named.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from zerofactory.errors import BookBroken, Misuse, Problem, Text
from zerofactory.store.schema import FACTS, guards, metadata
from zerofactory.tables import TableSchema

if TYPE_CHECKING:
    import sqlalchemy as sa

BUSY_SECONDS = 60
GENESIS = "0" * 64
BROUGHT_BY = "_brought_by"
Head = tuple[int, str]
_FLAGS: Mapping[object, bool] = {0: False, 1: True}


def _select(columns: Iterable[str], table: str, rest: str = "") -> str:
    """Return a query: names of columns and tables are those of the schemas, never a user's; values are parameters."""
    return f"SELECT {', '.join(columns)} FROM {table} {rest}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    seq: int
    at: str
    kind: str
    actor: str
    payload: str
    heads: str
    previous_hash: str
    hash: str


ENTRIES = _select((field.name for field in fields(Entry)), "journal", "ORDER BY seq")
LAST_ENTRY = f"{ENTRIES} DESC LIMIT 1"


def canonical(values: object) -> str:
    """Return JSON that is the same bytes on every machine."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stored_columns(schema: TableSchema) -> tuple[str, ...]:
    """Return the columns of a fact table that are content (and are hashed), in order."""
    return schema.names if "reverses" in schema.names else (*schema.names, "reverses")


class Journal:
    """Append-only writing and reading of one book.

    Writing goes through a SQLAlchemy engine, given or made when it is first needed. Reading is plain SQL: straight from
    ``file`` where the book is one of SQLite, so that a command which only reads does not load the engine's library.
    """

    def __init__(self, engine: sa.Engine | Callable[[], sa.Engine], file: Path | None = None) -> None:
        self._given = engine
        self._file = file

    @cached_property
    def _engine(self) -> sa.Engine:
        return self._given() if callable(self._given) else self._given

    @property
    def _is_sqlite(self) -> bool:
        return self._file is not None or self._engine.dialect.name == "sqlite"

    @contextmanager
    def _reading(self, query: str, parameters: Sequence[object] = ()) -> Iterator[Iterator[tuple[Any, ...]]]:
        """Run one query, its parameters marked ``?``; hand out its rows."""
        if self._file is not None:
            with closing(sqlite3.connect(self._file, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                yield iter(connection.execute(query, tuple(parameters)))
        else:
            text = query if self._is_sqlite else query.replace("?", "%s")
            with self._engine.connect() as connected:
                yield (tuple(row) for row in connected.exec_driver_sql(text, tuple(parameters)))

    def _all(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._reading(query, parameters) as rows:
            return list(rows)

    def create(self) -> None:
        """Create the tables and their triggers where they are missing."""
        metadata().create_all(self._engine)

    def complete(self) -> None:
        """Create the tables that a book of an earlier edition lacks; what it holds stays as it is."""
        if self._is_sqlite:
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        there = {name for (name,) in self._all(query)}
        if {"journal", *(schema.name for schema in FACTS)} - there:
            self.create()

    @contextmanager
    def writing(self, *, at: str, kind: str, actor: str) -> Iterator[Writer]:
        """Open one transaction; what is appended inside becomes one entry, or nothing at all."""
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE journal IN EXCLUSIVE MODE")
            writer = Writer(connection, _last_entry(connection))
            try:
                yield writer
                writer.finish(at=at, kind=kind, actor=actor)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def last(self) -> Entry | None:
        """Return the newest entry."""
        found = self._all(LAST_ENTRY)
        return Entry(*found[0]) if found else None

    def entries(self) -> list[Entry]:
        """Return every entry in order."""
        return [Entry(*row) for row in self._all(ENTRIES)]

    def payloads(self, kind: str) -> list[str]:
        """Return the payloads of the entries of one kind, in order."""
        return [text for (text,) in self._all("SELECT payload FROM journal WHERE kind = ? ORDER BY seq", (kind,))]

    def rows(
        self, schema: TableSchema, where: Mapping[str, object] | None = None, entry: int | None = None
    ) -> pl.DataFrame:
        """Return the rows of a fact table, in order, with the columns of its schema and `reverses`.

        ``where`` maps a column to one value or to a list of values; ``entry`` keeps what one journal entry brought.
        """
        return self._fetch(schema, {**(where or {}), **({} if entry is None else {"entry": entry})}).drop(BROUGHT_BY)

    def active(
        self,
        schema: TableSchema,
        where: Mapping[str, object] | None = None,
        brought_by: str | None = None,
        until: int | None = None,
    ) -> pl.DataFrame:
        """Return the rows that stand: not reversals, and booked more often than taken back.

        ``brought_by`` keeps only rows that an entry of one kind brought: ``import`` for documents, ``close`` for what
        closing made. ``until`` looks at the book as it was after one entry.
        """
        return standing(schema, self._fetch(schema, where, until), brought_by).drop(BROUGHT_BY)

    def _fetch(self, schema: TableSchema, where: Mapping[str, object] | None, until: int | None = None) -> pl.DataFrame:
        columns = (*(f't."{name}"' for name in stored_columns(schema)), "j.kind")
        limits, values = _conditions(schema, where or {})
        if until is not None:
            limits, values = [*limits, "t.entry <= ?"], [*values, until]
        table = f"{schema.name} t JOIN journal j ON j.seq = t.entry"
        return to_frame(schema, self._all(_select(columns, table, f"{_where(limits)} ORDER BY t.row_number"), values))

    def entries_with(self, schema: TableSchema, where: Mapping[str, Sequence[object]]) -> set[int]:
        """Return the numbers of the entries that brought rows with any of the given values in each column."""
        limits, values = _conditions(schema, {name: list(wanted) for name, wanted in where.items()})
        query = _select(("DISTINCT t.entry",), f"{schema.name} t", _where(limits))
        return {entry for (entry,) in self._all(query, values)}

    def lines(self, schema: TableSchema, entries: Sequence[int]) -> list[tuple[int, str]]:
        """Return the rows that some entries brought, in order: the entry, and the text whose hash chains the row."""
        columns = [f't."{name}"' for name in ("entry", *stored_columns(schema))]
        limits, values = _conditions(schema, {"entry": list(entries)})
        query = _select(columns, f"{schema.name} t", f"{_where(limits)} ORDER BY t.row_number")
        places = [place + 1 for place in _flags_of(schema)]
        return [(row[0], canonical(_with_flags(row, places))) for row in self._all(query, values)]

    def check(self) -> list[Problem]:
        """Recompute every hash of the journal and of every fact table; return what is broken, each with its place."""
        entries = self.entries()
        problems = list(check_entries(entries))
        if not entries:
            problems.append(_broken("no_entries", "账本里没有日记账凭证。", "The book has no journal entry.", None))
        try:
            heads = dict(json.loads(entries[-1].heads)) if entries else {}
        except (ValueError, TypeError):  # its entry has been named above
            heads = {}
        problems.extend(self._check_guards())
        for schema in FACTS:
            problems.extend(self._check_table(schema, heads.get(schema.name, [0, GENESIS])))
        return problems

    def _check_guards(self) -> Iterator[Problem]:
        """Name every trigger that should refuse a change and is not there, or does something else."""
        if self._is_sqlite:
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        else:
            query = "SELECT trigger_name, event_manipulation || ' ON ' || event_object_table FROM information_schema.triggers"
        there = {name: " ".join(str(sql).split()) for name, sql in self._all(query)}
        for name, refuses in guards().items():
            if refuses not in there.get(name, "") or (self._is_sqlite and "ABORT" not in there[name]):
                yield _broken(
                    "guard_missing",
                    f"账本的只增不改保护 {name} 不见了或被改动。",
                    f"The guard {name}, which keeps the book append-only, is gone or was changed.",
                    None,
                )

    def _check_table(self, schema: TableSchema, head: Sequence[Any]) -> Iterator[Problem]:
        columns = [f'"{name}"' for name in ("row_number", *stored_columns(schema), "entry", "row_hash")]
        with self._reading(_select(columns, schema.name, "ORDER BY row_number")) as rows:
            yield from _check_rows(schema, rows, head)


def _check_rows(schema: TableSchema, rows: Iterator[tuple[Any, ...]], head: Sequence[Any]) -> Iterator[Problem]:
    """Yield a problem for every row that does not carry on the chain, and for a table that ends otherwise."""
    places, previous, count = _flags_of(schema), GENESIS, 0
    for row in rows:
        number, *content, entry, row_hash = row
        content = _with_flags(content, places)
        count += 1
        if number != count:
            yield _broken(
                "row_missing", f"{schema.name} 缺第 {count} 行。", f"{schema.name} row {count} is missing.", number
            )
            count = number
        if row_hash != _row_hash(previous, entry, content):
            yield _broken(
                "row_changed",
                f"{schema.name} 第 {number} 行(凭证 {entry})的内容与其哈希不符。",
                f"{schema.name} row {number} (entry {entry}) does not match its hash.",
                number,
            )
        previous = row_hash
    if [count, previous] != list(head):
        yield _broken(
            "table_head",
            f"{schema.name} 的行数或末行哈希与日记账不符: 现 {count} 行, 应 {head[0]} 行。",
            f"{schema.name} ends differently from what the journal says: {count} rows, should be {head[0]}.",
            count,
        )


class Writer:
    """Appends fact rows inside one transaction and chains them."""

    def __init__(self, connection: sa.Connection, last: Entry | None) -> None:
        self._connection = connection
        self._last = last
        self._tables = metadata().tables
        self._heads: dict[str, Head] = {s.name: (0, GENESIS) for s in FACTS}
        if last is not None:
            self._heads.update({name: (head[0], head[1]) for name, head in json.loads(last.heads).items()})
        self.seq = (last.seq if last else 0) + 1
        self.payload: dict[str, object] = {}
        self.skipped = False

    def append(self, schema: TableSchema, frame: pl.DataFrame) -> None:
        """Append rows (columns of the schema, `reverses` optional) in the order given."""
        names = stored_columns(schema)
        if "reverses" not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("reverses"))
        prepared = from_frame(schema, frame.select(names))
        count, previous = self._heads[schema.name]
        rows: list[dict[str, object]] = []
        for content in prepared:
            count += 1
            previous = _row_hash(previous, self.seq, content)
            rows.append(
                {"row_number": count, **dict(zip(names, content, strict=True)), "entry": self.seq, "row_hash": previous}
            )
        if rows:
            self._connection.execute(self._tables[schema.name].insert(), rows)
        self._heads[schema.name] = (count, previous)

    def reverse(self, schema: TableSchema, rows: pl.DataFrame, suffix: str) -> None:
        """Append the reversal of rows: the same facts under a new id, pointing at the row they take back.

        Amounts (`quantity`, `emissions_gco2e`) change sign, so that a plain sum over the table stays right.
        """
        key = schema.key[0]
        changed = [pl.col(key).alias("reverses"), (pl.col(key) + suffix).alias(key)]
        changed += [(-pl.col(name)).alias(name) for name in ("quantity", "emissions_gco2e") if name in schema.names]
        self.append(schema, rows.with_columns(changed))

    def finish(self, *, at: str, kind: str, actor: str) -> None:
        """Write the journal entry that covers what was appended."""
        if self.skipped:
            return
        payload, heads = canonical(self.payload), canonical({name: list(head) for name, head in self._heads.items()})
        previous = self._last.hash if self._last else GENESIS
        content = {"seq": self.seq, "at": at, "kind": kind, "actor": actor, "payload": payload, "heads": heads}
        row = {**content, "previous_hash": previous, "hash": _sha256(previous + canonical(content))}
        self._connection.execute(self._tables["journal"].insert(), row)


def _flags_of(schema: TableSchema) -> list[int]:
    """Return the places of the columns that are flags: SQLite keeps them as 0 and 1."""
    flags = {column.name for column in schema.columns if column.dtype == "flag"}
    return [place for place, name in enumerate(stored_columns(schema)) if name in flags]


def _with_flags(row: Sequence[Any], places: Sequence[int]) -> list[Any]:
    content = list(row)
    for place in places:
        content[place] = _FLAGS.get(content[place], content[place])
    return content


def _conditions(schema: TableSchema, where: Mapping[str, object]) -> tuple[list[str], list[object]]:
    """Return the conditions of a query on the table ``t`` and their values: one value, or any of a list."""
    unknown = set(where) - {*stored_columns(schema), "entry"}
    if unknown:
        raise Misuse(f"table {schema.name} has no column {', '.join(sorted(unknown))}")
    limits: list[str] = []
    values: list[object] = []
    for name, value in where.items():
        wanted = list(value) if isinstance(value, list | tuple) else [value]
        limits.append(f't."{name}" IN ({", ".join("?" * len(wanted))})' if wanted else "1 = 0")
        values += wanted
    return limits, values


def _where(limits: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(limits)}" if limits else ""


def _last_entry(connection: sa.Connection) -> Entry | None:
    row = connection.exec_driver_sql(LAST_ENTRY).one_or_none()
    return Entry(*row) if row is not None else None


def _row_hash(previous: str, entry: int, content: Sequence[object]) -> str:
    return _sha256(previous + canonical([entry, *content]))


def check_entries(entries: Sequence[Entry]) -> Iterator[Problem]:
    """Yield a problem for every entry that does not carry on the chain."""
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        content = {
            "seq": entry.seq, "at": entry.at, "kind": entry.kind, "actor": entry.actor,
            "payload": entry.payload, "heads": entry.heads,
        }  # fmt: skip
        if (
            entry.seq != position
            or entry.previous_hash != previous
            or entry.hash != _sha256(previous + canonical(content))
        ):
            yield _broken(
                "entry_changed",
                f"日记账第 {entry.seq} 号凭证与其哈希不符。",
                f"Journal entry {entry.seq} does not match its hash.",
                entry.seq,
            )
        previous = entry.hash


def _broken(code: str, zh: str, en: str, row: int | None) -> Problem:
    hint = Text("请从备份恢复, 或查明是谁改动了账本文件。", "Restore a back-up, or find out who changed the book file.")
    return Problem(code=f"store.{code}", message=Text(zh, en), hint=hint, file="book.db", row=row)


def from_frame(schema: TableSchema, frame: pl.DataFrame) -> list[tuple[object, ...]]:
    """Return rows as plain values as they are stored (moments as ISO text)."""
    moments = [c.name for c in schema.columns if c.dtype == "moment"]
    as_text = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ") for name in moments]
    numbers = [pl.col(c.name) + 0.0 for c in schema.columns if c.dtype == "number"]  # SQLite keeps no -0.0
    rows = frame.with_columns(*as_text, *numbers).rows()
    if any(value != value for row in rows for value in row if isinstance(value, float)):  # noqa: PLR0124  (NaN)
        raise Misuse(f"{schema.name}: a NaN must not enter the book")
    return rows


def to_frame(schema: TableSchema, rows: list[tuple[object, ...]]) -> pl.DataFrame:
    """Return stored rows as a frame of the schema plus `reverses` and the kind of entry that brought each row."""
    wanted = schema.polars_schema()
    wanted.setdefault("reverses", pl.String())
    wanted[BROUGHT_BY] = pl.String()
    moments = [c.name for c in schema.columns if c.dtype == "moment"]
    stored = {name: pl.String() if name in moments else dtype for name, dtype in wanted.items()}
    parse = [
        pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us", time_zone="UTC") for name in moments
    ]
    places = _flags_of(schema)
    if places:
        rows = [tuple(_with_flags(row, places)) for row in rows]
    try:
        frame = pl.DataFrame(rows, schema=stored, orient="row")
        return frame.with_columns(parse) if parse else frame
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        said = f"{schema.name} 中有读不了的值。", f"{schema.name} holds a value that cannot be read."
        raise BookBroken([_broken("value_unreadable", *said, None)]) from error


def standing(schema: TableSchema, frame: pl.DataFrame, brought_by: str | None = None) -> pl.DataFrame:
    """Return the rows of a frame (with `reverses` and `BROUGHT_BY`) that stand: see `Journal.active`."""
    key = schema.key[0]
    taken_back = frame["reverses"].drop_nulls().value_counts(name="times").rename({"reverses": key})
    rows = (
        frame.filter(pl.col("reverses").is_null())
        .with_columns(pl.len().over(key).alias("_booked"), pl.int_range(pl.len()).over(key).alias("_nth"))
        .join(taken_back, on=key, how="left", maintain_order="left")
        .filter((pl.col("_booked") > pl.col("times").fill_null(0)) & (pl.col("_nth") == pl.col("_booked") - 1))
    )
    if brought_by is not None:
        rows = rows.filter(pl.col(BROUGHT_BY) == brought_by)
    return rows.drop("_booked", "_nth", "times")


def check_lines(
    name: str, lines: Sequence[tuple[int, str]], entries: Sequence[Entry], wanted: Sequence[int]
) -> list[Problem]:
    """Return a problem for every entry whose rows of one table do not lead from the head before it to its own head.

    ``lines`` are those of `Journal.lines` for the ``wanted`` entries; nothing else of the table is needed.
    """
    by_entry: dict[int, list[str]] = {seq: [] for seq in wanted}
    problems = []
    for seq, line in lines:
        by_entry.setdefault(seq, []).append(line)
    heads = {entry.seq: json.loads(entry.heads) for entry in entries}
    for seq, own in sorted(by_entry.items()):
        count, previous = heads.get(seq - 1, {}).get(name, [0, GENESIS])
        for line in own:
            count, previous = count + 1, _sha256(previous + line)
        if seq not in heads or [count, previous] != list(heads[seq].get(name, [0, GENESIS])):
            problems.append(
                _broken(
                    "table_chain",
                    f"{name} 中凭证 {seq} 的行与日记账不符。",
                    f"The rows of {name} that entry {seq} brought do not match the journal.",
                    seq,
                )
            )
    return problems
