"""The parts that were judged."""

from __future__ import annotations

from zerofactory.store.migrations.steps import create_tables, no_way_back

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    create_tables(revision)


def downgrade() -> None:
    """Refuse."""
    no_way_back()
