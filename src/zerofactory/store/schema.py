"""The tables of `book.db`: made from the table schemas of the rooms, the same on SQLite and PostgreSQL.

Fact tables refuse UPDATE and DELETE by trigger. Each row carries the journal entry that brought it (`entry`), the row it
reverses if any, and `row_hash`, the SHA-256 of the row before it in the same table and its own content. Moments are kept
as ISO 8601 text in UTC, so that the file reads plainly in any database browser and hashes the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from zerofactory.accounting.claims import CLAIMS
from zerofactory.accounting.declared_footprint import SUPPLIER_FOOTPRINTS
from zerofactory.accounting.record import RECORDS
from zerofactory.errors import Text
from zerofactory.evaluation.attestation_table import ATTESTATIONS
from zerofactory.instruments.purpose import INSTRUMENT_FACTS
from zerofactory.metering.activity_table import ACTIVITIES
from zerofactory.metering.inspected import DEFECTS
from zerofactory.metering.note import QUALITY
from zerofactory.planning.budget import BUDGETS
from zerofactory.planning.facts import PLANNED
from zerofactory.store.agreed import AGREED
from zerofactory.store.alarm_events import ALARM_EVENTS
from zerofactory.store.command_events import COMMANDS
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import sqlalchemy as sa

SCHEMA_VERSION = 1
__all__ = [
    "ACTIVITIES",
    "ATTESTATIONS",
    "BATCHES",
    "CLAIMS",
    "FACTS",
    "QUALITY",
    "RECORDS",
    "RUNS",
    "SCHEMA_VERSION",
    "SEALS",
    "metadata",
]


def _text(name: str, zh: str, en: str, *, nullable: bool = False) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable)


def _count(name: str, zh: str, en: str) -> Column:
    return Column(name, "integer", Text(zh, en), minimum=0)


BATCHES = TableSchema(
    "batches",
    Text("导入批次", "imported files"),
    (
        _text("batch_id", "批次号", "batch"),
        Column("kind", "text", Text("类型", "kind"), choices=("readings", "activities")),
        _text("file_name", "文件名", "file name"),
        _text("file_sha256", "文件SHA-256", "SHA-256 of the file"),
        _count("rows", "行数", "rows"),
        _text("known_at", "知悉时间", "known at"),
        _text("segments", "分段(JSON: 期间、文件、SHA-256、行数)", "segments (JSON: period, file, SHA-256, rows)"),
    ),
    ("batch_id",),
)

SEALS = TableSchema(
    "seals",
    Text("封存", "seals"),
    (
        _text("seal_id", "封存号", "seal"),
        _text("period", "期间", "period"),
        _count("revision", "版次", "revision"),
        _text("run_id", "运行号", "run"),
        _text("known_at", "截至时间", "as known at"),
        _text("plant_sha256", "工厂文件SHA-256", "SHA-256 of the plant file"),
        _text("own_factors", "自有因子文件(JSON: 名称、SHA-256)", "own factor files (JSON: name, SHA-256)"),
        _text("readings_file", "读数文件", "readings file", nullable=True),
        _text("readings_sha256", "读数文件SHA-256", "SHA-256 of the readings file", nullable=True),
        _text("intervals_sha256", "区间数据SHA-256", "SHA-256 of the interval amounts"),
        _count("activities", "活动数", "activities"),
        _count("records", "记录数", "records"),
        Column("total_gco2e", "integer", Text("合计", "total"), unit="gCO2e"),
        _text("reason", "原因", "reason", nullable=True),
        _count("booked_as", "日记账号", "journal entry"),
    ),
    ("seal_id",),
)

RUNS = TableSchema(
    "runs",
    Text("运行", "runs"),
    (
        _text("run_id", "运行号", "run"),
        _text("kind", "类型", "kind"),
        _text("started_at", "时间", "started at"),
        _text("inputs_hash", "输入摘要", "hash of the inputs"),
        _text("code_version", "程序版本", "code version"),
        _text("parameters", "参数", "parameters"),
        _text("outcome", "结果", "outcome"),
    ),
    ("run_id",),
)

FACTS: tuple[TableSchema, ...] = (
    BATCHES,
    ACTIVITIES,
    RECORDS,
    QUALITY,
    SEALS,
    RUNS,
    SUPPLIER_FOOTPRINTS,
    CLAIMS,
    ATTESTATIONS,
    *AGREED,
    *INSTRUMENT_FACTS,
    *PLANNED,
    ALARM_EVENTS,
    BUDGETS,
    COMMANDS,
    DEFECTS,
)

VERBS = {"sqlite": ("UPDATE", "DELETE"), "postgresql": ("UPDATE", "DELETE", "TRUNCATE")}
VERSION_TABLE = "alembic_version"
REVISION = "0002"  # the newest of store/migrations: what a book made by this code is
REFUSAL = "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only: ' || TG_OP || ' refused'; END"


@lru_cache(maxsize=1)
def metadata() -> sa.MetaData:
    """Return the SQLAlchemy tables: the journal and one table per fact schema."""
    import sqlalchemy as sa

    made = sa.MetaData()
    sa.Table(
        "journal",
        made,
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("heads", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    for schema in FACTS:
        sa.Table(schema.name, made, *_columns(schema))
    for name, key in (("batches", "batch_id"), ("seals", "seal_id")):
        made.tables[name].append_constraint(sa.UniqueConstraint(key))
    return made


def _columns(schema: TableSchema) -> list[sa.Column[Any]]:
    import sqlalchemy as sa

    types: dict[str, Any] = {
        "text": sa.Text,
        "integer": sa.BigInteger,
        "number": sa.Double,
        "moment": sa.Text,
        "flag": sa.Boolean,
    }
    columns: list[sa.Column[Any]] = [
        sa.Column(
            "row_number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
        )
    ]
    columns += [sa.Column(c.name, types[c.dtype], nullable=c.nullable) for c in schema.columns]
    if "reverses" not in schema.names:
        columns.append(sa.Column("reverses", sa.Text, nullable=True))
    columns.append(sa.Column("entry", sa.Integer, nullable=False))
    columns.append(sa.Column("row_hash", sa.Text, nullable=False))
    return columns


def guards(dialect: str) -> dict[str, str]:
    """Return the triggers that every table of a book must have: their names and what each must say."""
    how = {"sqlite": "", "postgresql": f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() {REFUSAL}"}[dialect]
    tables = ("journal", *(schema.name for schema in FACTS))
    return {f"{name}_refuses_{verb.lower()}": f"{verb} ON {name}{how}" for name in tables for verb in VERBS[dialect]}


def guarding(dialect: str, tables: Iterable[str]) -> list[str]:
    """Return the statements that make tables append-only, for SQLite or PostgreSQL."""
    made = []
    if dialect == "postgresql":
        made.append(f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS $$ {REFUSAL} $$ LANGUAGE plpgsql")
    for name in tables:
        for verb in VERBS[dialect]:
            start = f"CREATE TRIGGER {name}_refuses_{verb.lower()} BEFORE {verb} ON {name} "
            if dialect == "sqlite":
                made.append(f"{start}BEGIN SELECT RAISE(ABORT, '{name} is append-only: {verb} refused'); END")
            else:
                made.append(f"{start}FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    return made


def make(connection: sa.Connection) -> None:
    """Make the tables that are missing, with their guards, and note the revision; a transaction is open."""
    import sqlalchemy as sa

    there = set(sa.inspect(connection).get_table_names())
    missing = [table for name, table in metadata().tables.items() if name not in there]
    metadata().create_all(connection, missing, checkfirst=False)
    for statement in guarding(connection.dialect.name, (table.name for table in missing)):
        connection.exec_driver_sql(statement)
    if VERSION_TABLE not in there:
        connection.exec_driver_sql(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, "
            f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql(f"INSERT INTO {VERSION_TABLE} VALUES ('{REVISION}')")  # noqa: S608
