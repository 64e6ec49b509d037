"""Bring a book up to the newest edition with Alembic, in one transaction: killed anywhere, it is the old edition or the new one."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from zerofactory.store.database import Database
from zerofactory.store.edition import Edition, edition_of
from zerofactory.store.schema import REVISION, VERSION_TABLE, make


def scripts() -> ScriptDirectory:
    """Return the packaged steps."""
    config = Config()
    config.set_main_option("script_location", str(files("zerofactory.store") / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def upgrade(database: Database) -> Edition:
    """Bring a book up to this edition; return the edition it was of."""
    before = edition_of(database)
    if not before.is_current:
        database.create(lambda connection: _upgrade(connection, before))
    return before


def _upgrade(connection: sa.Connection, before: Edition) -> None:
    if before.revision != REVISION:
        run_steps(connection, before.revision if VERSION_TABLE not in _names(connection) else None)
    make(connection)  # what a book made while an edition was in the making lacks


def run_steps(connection: sa.Connection, stamped: str | None = None) -> None:
    """Run every step that a book lacks, over an open transaction; ``stamped`` notes an edition before any is run."""
    found = scripts()

    def steps(revision: Any, _context: MigrationContext) -> object:
        return found._upgrade_revs(REVISION, revision)  # what `alembic upgrade` itself calls

    with EnvironmentContext(Config(), found, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        if stamped is not None:
            environment.get_context().stamp(found, stamped)
        environment.run_migrations()


def _names(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())
