"""The tables of `book.db`: made from the table schemas of the rooms, the same on SQLite and PostgreSQL.

Fact tables refuse UPDATE and DELETE by trigger. Each row carries the journal entry that brought it (`entry`), the row it
reverses if any, and `row_hash`, the SHA-256 of the row before it in the same table and its own content. Moments are kept
as ISO 8601 text in UTC, so that the file reads plainly in any database browser and hashes the same everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from zerofactory.accounting.claims import CLAIMS
from zerofactory.accounting.declared_footprint import SUPPLIER_FOOTPRINTS
from zerofactory.accounting.record import RECORDS
from zerofactory.errors import Text
from zerofactory.evaluation.attestation_table import ATTESTATIONS
from zerofactory.instruments.purpose import INSTRUMENT_FACTS
from zerofactory.metering.activity_table import ACTIVITIES
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
)

VERBS = ("UPDATE", "DELETE")


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
    for table in made.tables.values():
        _refuse_changes(table)
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


def _statement(text: str) -> sa.DDL:
    import sqlalchemy as sa

    made: sa.DDL = sa.DDL(text)  # type: ignore[no-untyped-call]
    return made


def guards() -> dict[str, str]:
    """Return the triggers that every table of a book must have: their names and what each refuses."""
    tables = ("journal", *(schema.name for schema in FACTS))
    return {f"{name}_refuses_{verb.lower()}": f"{verb} ON {name}" for name in tables for verb in VERBS}


def _refuse_changes(table: sa.Table) -> None:
    """Add the triggers that make a table append-only, for SQLite and PostgreSQL."""
    import sqlalchemy as sa

    name = table.name
    for verb in VERBS:
        sqlite = _statement(
            f"CREATE TRIGGER {name}_refuses_{verb.lower()} BEFORE {verb} ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{name} is append-only: {verb} refused'); END"
        )
        sa.event.listen(table, "after_create", sqlite.execute_if(dialect="sqlite"))
        function = _statement(
            f"CREATE OR REPLACE FUNCTION {name}_append_only() RETURNS trigger AS $$ "
            f"BEGIN RAISE EXCEPTION '{name} is append-only'; END $$ LANGUAGE plpgsql"
        )
        trigger = _statement(
            f"CREATE TRIGGER {name}_refuses_{verb.lower()} BEFORE {verb} ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_append_only()"
        )
        sa.event.listen(table, "after_create", function.execute_if(dialect="postgresql"))
        sa.event.listen(table, "after_create", trigger.execute_if(dialect="postgresql"))
