"""What an account of quality losses leaves in a folder: JSON, the Pareto tables, and the form of documents that `zf import` takes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from zerofactory.runs.context import Context, run_row
from zerofactory.runs.scrap import FIGURES, Account
from zerofactory.store.files import sha256_of, write_bytes_whole
from zerofactory.store.schema import RUNS

FORM = "scrap-activities.csv"


def write(context: Context, found: Account, folder: Path) -> list[Path]:
    """Write the files, record the run in the journal, and return the files; the form only where something is left to be booked."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "scrap.json": json.dumps(found.as_json(), ensure_ascii=False, indent=2) + "\n",
        "scrap-pareto.csv": pareto(found),
    }
    if found.reconciled.to_book:
        content[FORM] = found.reconciled.form_csv
    made = []
    for name, text in content.items():
        write_bytes_whole(folder / name, text.encode())
        made.append(folder / name)
    outcome = {name: getattr(found.total, name).value for name in FIGURES}
    row = run_row("scrap_account", context, {"period": found.asked.period.label, "source": found.source}, {"quality_toml_sha256": found.given.sha256}, outcome)  # fmt: skip
    payload = {"period": found.asked.period.label, **outcome, "files": {path.name: sha256_of(path) for path in made}}
    workspace = context.workspace
    with (
        workspace.locked(),
        workspace.journal.writing(at=context.at, kind="scrap_account", actor=context.actor) as writer,
    ):
        writer.append(RUNS, row)
        writer.payload = payload
    return made


def pareto(found: Account) -> str:
    """Return every group as a table: what it is by, its key, pieces and each figure with its interval."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["by", "key", "scrapped", "reworked", *(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high"))]
    )
    for by, rows in found.by.items():
        for one in rows:
            held = [getattr(one, name) for name in FIGURES]
            writer.writerow([by, one.key, one.scrapped, one.reworked, *(f"{number:.6g}" for each in held for number in (each.value, each.low, each.high))])  # fmt: skip
    return stream.getvalue()
