"""The book of 0.1.0: the journal and the tables of facts."""

from __future__ import annotations

from zerofactory.store.migrations.steps import create_tables, no_way_back

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    create_tables(revision)


def downgrade() -> None:
    """Refuse."""
    no_way_back()
