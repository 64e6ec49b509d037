"""Write the next step of the book's editions: ``python tools/migration.py "words"``; ``--first`` writes the first one anew.

The step lists the tables that the code has and the steps so far lack. A table whose columns changed is refused: its rows are
hashed with the columns they have. The first step is written anew only while no release has been made with it.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import sqlalchemy as sa

from zerofactory.store.migrations.steps import tables_of
from zerofactory.store.schema import REVISION, metadata

FOLDER = Path(__file__).resolve().parents[1] / "src" / "zerofactory" / "store" / "migrations" / "versions"
FIRST = "0001"
NAMES = {"TEXT": "text", "INTEGER": "int", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "bool"}
STEP = '''"""{words}"""

from __future__ import annotations

from zerofactory.store.migrations.steps import create_tables, no_way_back

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    create_tables(revision)


def downgrade() -> None:
    """Refuse."""
    no_way_back()
'''


def lines(table: sa.Table) -> list[tuple[str, str, str, str, str]]:
    """Return a table as the rows of a step's file."""
    unique = {
        column.name for one in table.constraints if isinstance(one, sa.UniqueConstraint) for column in one.columns
    }
    found = []
    for column in table.columns:
        kind = "rowid" if column.name == "row_number" else NAMES[str(column.type)]
        key = "primary" if column.primary_key else "unique" if column.name in unique or column.unique else ""
        found.append((table.name, column.name, kind, "yes" if column.nullable else "no", key))
    return found


def write(path: Path, tables: list[sa.Table]) -> None:
    """Write the file of a step."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("table", "column", "type", "nullable", "key"))
        for table in tables:
            out.writerows(lines(table))


def main(words: str) -> int:
    """Write what is missing; return the exit code."""
    now = dict(metadata().tables)
    if words == "--first":
        write(FOLDER / f"{FIRST}.csv", list(now.values()))
        return 0
    steps = sorted(path.stem for path in FOLDER.glob("*.csv"))
    before = {table.name: lines(table) for step in steps for table in tables_of(step)}
    changed = [name for name, table in now.items() if name in before and lines(table) != before[name]]
    if changed:
        print(f"columns of facts are hashed and stay: {', '.join(changed)} changed; make a new table instead")
        return 1
    new = [table for name, table in now.items() if name not in before]
    if not new:
        print("the steps have every table")
        return 0
    revision = f"{int(REVISION) + 1:04d}"
    write(FOLDER / f"{revision}.csv", new)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    text = STEP.format(words=words, revision=revision, before=REVISION)
    (FOLDER / f"r{revision}_{name}.py").write_text(text, encoding="utf-8")
    print(f"written: r{revision}_{name}.py and {revision}.csv; now set REVISION = '{revision}' in store/schema.py")
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:]) or "--help"))
