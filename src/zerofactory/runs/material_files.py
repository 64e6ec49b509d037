"""What a plan of material leaves in a folder: JSON, CUTS, drawings, and the forms of documents that `zf import` takes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

from zerofactory.errors import Language
from zerofactory.optimisation.material import drawing
from zerofactory.optimisation.material.cuts import CUTS
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.material import MaterialResult
from zerofactory.runs.material_file import Given
from zerofactory.runs.material_mix import MixResult
from zerofactory.runs.material_saving import Booked
from zerofactory.store.files import sha256_of, write_bytes_whole
from zerofactory.store.schema import RUNS


def write(result: MaterialResult, folder: Path, language: Language) -> list[Path]:
    """Write the files of a plan of cutting and return them; a plan that failed its check leaves its JSON only."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = result.kind
    made = [_json(result.as_json(), folder / f"{kind}.json")]
    if not result.is_sound:
        return made
    frame = CUTS.frame(result.rows)
    stream = io.BytesIO()
    frame.write_csv(stream)
    for name, content in (
        (f"{kind}-cuts.csv", stream.getvalue()),
        (f"{kind}.svg", drawing.svg(result.title, result.panels, language).encode()),
        (f"{kind}.dxf", drawing.dxf(result.panels).encode()),
    ):
        write_bytes_whole(folder / name, content)
        made.append(folder / name)
    return made + _forms(folder, kind, result.saving.booked if result.saving else None)


def write_mix(result: MixResult, folder: Path) -> list[Path]:
    """Write the files of a charge and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [_json(result.as_json(), folder / "mix.json")]
    return made + (_forms(folder, "mix", result.booked) if result.is_sound else [])


def record(context: Context, kind: str, given: Given, outcome: dict[str, object], files: Sequence[Path]) -> None:
    """Write into the journal that a plan was kept: of which file, what came out, and the hashes of what was written."""
    workspace = context.workspace
    row = run_row(
        f"material_{kind}",
        context,
        {"file": given.name},
        {"sha256": hashlib.sha256(given.content).hexdigest()},
        outcome,
    )
    payload = {"file": given.name, **outcome, "files": {path.name: sha256_of(path) for path in files}}
    with (
        workspace.locked(),
        workspace.journal.writing(at=context.at, kind=f"material_{kind}", actor=context.actor) as writer,
    ):
        writer.append(RUNS, row)
        writer.payload = payload


def _json(value: object, path: Path) -> Path:
    write_bytes_whole(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())
    return path


def _forms(folder: Path, kind: str, found: Booked | None) -> list[Path]:
    """Write the form of the plan, and that of the present practice beside it (for comparison; import one of them, never both)."""
    if found is None:
        return []
    pairs = ((f"{kind}-activities.csv", found.plan_csv), (f"{kind}-activities-before.csv", found.before_csv))
    for name, text in pairs:
        write_bytes_whole(folder / name, text.encode())
    return [folder / name for name, _ in pairs]
