"""The journal: every write is one transaction, one entry, and fact rows chained to the rows before them.

    entry n:  hash = SHA-256(previous hash, at, kind, actor, payload, heads)
    row  r:   row_hash = SHA-256(hash of row r-1 of the same table, entry, content)
    heads:    for each fact table its number of rows and its last row_hash, after the entry

So a changed row, a removed row and a removed entry are each found, and the place is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import polars as pl

from zerofactory.errors import BookBroken, Misuse, Problem, Text
from zerofactory.store.schema import FACTS, guards
from zerofactory.tables import TableSchema

if TYPE_CHECKING:
    import sqlalchemy as sa

    from zerofactory.store.database import Database

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


ENTRY = tuple(field.name for field in fields(Entry))


def last_entry(journal: str) -> str:
    """Return the query for the newest entry of a journal, named as its database names it."""
    return _select(ENTRY, journal, "ORDER BY seq DESC LIMIT 1")


def canonical(values: object) -> str:
    """Return JSON that is the same bytes on every machine."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stored_columns(schema: TableSchema) -> tuple[str, ...]:
    """Return the columns of a fact table that are content (and are hashed), in order."""
    return schema.names if "reverses" in schema.names else (*schema.names, "reverses")


class Journal:
    """Append-only writing and reading of one book, wherever its records live."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _all(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._database.reading(query, parameters) as rows:
            return list(rows)

    def _table(self, name: str) -> str:
        return self._database.table(name)

    @contextmanager
    def writing(self, *, at: str, kind: str, actor: str) -> Iterator[Writer]:
        """Open one transaction; what is appended inside becomes one entry, or nothing at all."""
        with self._database.writing() as connection:
            found = connection.exec_driver_sql(last_entry(self._table("journal"))).one_or_none()
            writer = Writer(self._database, connection, Entry(*found) if found is not None else None)
            yield writer
            writer.finish(at=at, kind=kind, actor=actor)

    def last(self) -> Entry | None:
        """Return the newest entry."""
        found = self._all(last_entry(self._table("journal")))
        return Entry(*found[0]) if found else None

    def entries(self) -> list[Entry]:
        """Return every entry in order."""
        return [Entry(*row) for row in self._all(_select(ENTRY, self._table("journal"), "ORDER BY seq"))]

    def payloads(self, kind: str) -> list[str]:
        """Return the payloads of the entries of one kind, in order."""
        query = _select(("payload",), self._table("journal"), "WHERE kind = ? ORDER BY seq")
        return [text for (text,) in self._all(query, (kind,))]

    def rows(
        self, schema: TableSchema, where: Mapping[str, object] | None = None, entry: int | None = None
    ) -> pl.DataFrame:
        """Return the rows of a fact table, in order, with the columns of its schema and `reverses`.

        ``where`` maps a column to one value or to a list of values; ``entry`` keeps what one journal entry brought.
        """
        return self._fetch(schema, {**(where or {}), **({} if entry is None else {"entry": entry})}).drop(BROUGHT_BY)

    def newest(self, schema: TableSchema, count: int) -> pl.DataFrame:
        """Return the last rows of a fact table, in order, as `rows` does."""
        columns = (*(f't."{name}"' for name in stored_columns(schema)), "j.kind")
        table = f"{self._table(schema.name)} t JOIN {self._table('journal')} j ON j.seq = t.entry"
        found = self._all(_select(columns, table, "ORDER BY t.row_number DESC LIMIT ?"), [count])
        return to_frame(schema, found[::-1]).drop(BROUGHT_BY)

    def since(self, schema: TableSchema, at: str, until: str = "9999") -> pl.DataFrame:
        """Return the rows of a fact table from the first entry made at a moment or later on, in order, as `rows` does.

        With ``until``, up to the entry before the first one made then or later.
        """
        columns = (*(f't."{name}"' for name in stored_columns(schema)), "j.kind")
        journal = self._table("journal")
        table = f"{self._table(schema.name)} t JOIN {journal} j ON j.seq = t.entry"
        first = _select(("MIN(seq)",), journal, "WHERE at >= ?")
        bounds = f"WHERE t.entry >= ({first}) AND t.entry < COALESCE(({first}), t.entry + 1) ORDER BY t.row_number"
        found = self._all(_select(columns, table, bounds), [at, until])
        return to_frame(schema, found).drop(BROUGHT_BY)

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
        table = f"{self._table(schema.name)} t JOIN {self._table('journal')} j ON j.seq = t.entry"
        return to_frame(schema, self._all(_select(columns, table, f"{_where(limits)} ORDER BY t.row_number"), values))

    def entries_with(self, schema: TableSchema, where: Mapping[str, Sequence[object]]) -> set[int]:
        """Return the numbers of the entries that brought rows with any of the given values in each column."""
        limits, values = _conditions(schema, {name: list(wanted) for name, wanted in where.items()})
        query = _select(("DISTINCT t.entry",), f"{self._table(schema.name)} t", _where(limits))
        return {entry for (entry,) in self._all(query, values)}

    def lines(self, schema: TableSchema, entries: Sequence[int]) -> list[tuple[int, str]]:
        """Return the rows that some entries brought, in order: the entry, and the text whose hash chains the row."""
        columns = [f't."{name}"' for name in ("entry", *stored_columns(schema))]
        limits, values = _conditions(schema, {"entry": list(entries)})
        query = _select(columns, f"{self._table(schema.name)} t", f"{_where(limits)} ORDER BY t.row_number")
        places = [place + 1 for place in flags_of(schema)]
        return [(row[0], canonical(with_flags(row, places))) for row in self._all(query, values)]

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
        there = self._database.triggers()
        for name, refuses in guards(self._database.dialect).items():
            if refuses not in there.get(name, ""):
                yield _broken(
                    "guard_missing",
                    f"账本的只增不改保护 {name} 不见了或被改动。",
                    f"The guard {name}, which keeps the book append-only, is gone or was changed.",
                    None,
                )

    def _check_table(self, schema: TableSchema, head: Sequence[Any]) -> Iterator[Problem]:
        columns = [f'"{name}"' for name in ("row_number", *stored_columns(schema), "entry", "row_hash")]
        query = _select(columns, self._table(schema.name), "ORDER BY row_number")
        with self._database.reading(query, large=True) as rows:
            yield from _check_rows(schema, rows, head)


def _check_rows(schema: TableSchema, rows: Iterator[tuple[Any, ...]], head: Sequence[Any]) -> Iterator[Problem]:
    """Yield a problem for every row that does not carry on the chain, and for a table that ends otherwise."""
    places, previous, count = flags_of(schema), GENESIS, 0
    for row in rows:
        number, *content, entry, row_hash = row
        content = with_flags(content, places)
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

    def __init__(self, database: Database, connection: sa.Connection, last: Entry | None) -> None:
        self._database = database
        self._connection = connection
        self._last = last
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
        rows: list[tuple[object, ...]] = []
        for content in prepared:
            count += 1
            previous = _row_hash(previous, self.seq, content)
            rows.append((count, *content, self.seq, previous))
        if rows:
            self._database.insert(self._connection, schema.name, ("row_number", *names, "entry", "row_hash"), rows)
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
        row = (*content.values(), previous, _sha256(previous + canonical(content)))
        self._database.insert(self._connection, "journal", ENTRY, [row])


def flags_of(schema: TableSchema) -> list[int]:
    """Return the places of the columns that are flags: SQLite keeps them as 0 and 1."""
    flags = {column.name for column in schema.columns if column.dtype == "flag"}
    return [place for place, name in enumerate(stored_columns(schema)) if name in flags]


def with_flags(row: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Return a row with its flags as true and false."""
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
    # SQLite keeps no -0.0, and polars leaves a column as it is where 0.0 is added
    numbers = [
        pl.when(pl.col(c.name) == 0.0).then(pl.lit(0.0)).otherwise(pl.col(c.name)).alias(c.name)
        for c in schema.columns
        if c.dtype == "number"
    ]
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
    places = flags_of(schema)
    if places:
        rows = [tuple(with_flags(row, places)) for row in rows]
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
