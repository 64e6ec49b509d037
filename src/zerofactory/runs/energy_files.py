"""What a sizing leaves in a folder: the plan as JSON, its dispatch and planned records as Parquet, a week and the front as pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from zerofactory.errors import FaultyData, Language, Problem, Text
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.energy_size import SizingResult
from zerofactory.store.files import sha256_of, write_bytes_whole, write_whole
from zerofactory.store.schema import RUNS


def write(result: SizingResult, folder: Path, first: date | None, language: Language) -> list[Path]:
    """Write the files of a result and return them; pictures of a plan that failed its check are not made.

    Parameters
    ----------
    first : the first day of the week that is drawn; None takes the week with the highest load.
    """
    from zerofactory.reporting import energy_charts as charts

    folder.mkdir(parents=True, exist_ok=True)
    made = [_json(result, folder / "plan.json")]
    if result.after is not None:
        plan = result.after.plan
        rows = plan.dispatch()
        target = folder / "dispatch.parquet"
        write_whole(target, lambda partial: rows.write_parquet(partial, compression="zstd"))
        made.append(target)
        records = result.after.quantified.records
        booked = folder / "planned_records.parquet"
        write_whole(booked, lambda partial: records.write_parquet(partial, compression="zstd"))
        made.append(booked)
        day = first or charts.busiest_week(plan)
        made += _pictures(charts.week(plan, day, language), folder / "week")
    if result.front:
        made += _pictures(charts.front(result.front, language), folder / "front")
    return made


def record(context: Context, result: SizingResult, files: Sequence[Path]) -> None:
    """Write into the journal that a result was kept: what was asked, of which figures, what came out, and the files' hashes."""
    problem = result.before.plan.problem
    content = hashlib.sha256()
    for carrier in problem.carriers:
        content.update(carrier.encode() + problem.load(carrier).astype("<f8").tobytes())
    told = result.as_json()
    parameters = {name: told[name] for name in ("period", "step_minutes", "goals")}
    sizes = (
        {}
        if result.after is None
        else {one.asset: round(one.size, 3) for one in result.after.plan.sizes if one.is_built}
    )
    outcome = {"status": str(result.answer.report.status), "as_asked": result.answer.is_as_asked, "sizes": sizes}
    payload = {**parameters, **outcome, "files": {path.name: sha256_of(path) for path in files}}
    workspace = context.workspace
    row = run_row("energy_size", context, parameters, {"loads_sha256": content.hexdigest()}, outcome)
    with (
        workspace.locked(),
        workspace.journal.writing(at=context.at, kind="energy_size", actor=context.actor) as writer,
    ):
        writer.append(RUNS, row)
        writer.payload = payload


def day_of(text: str) -> date:
    """Return a day written as 2025-07-14; raise `FaultyData` otherwise."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        message = Text(f"“{text}”不是日期。", f"'{text}' is not a day.")
        hint = Text("请写成 2025-07-14。", "Write 2025-07-14.")
        raise FaultyData([Problem("energy.day", message, hint)]) from None


def _json(result: SizingResult, path: Path) -> Path:
    write_bytes_whole(path, (json.dumps(result.as_json(), ensure_ascii=False, indent=2) + "\n").encode())
    return path


def _pictures(figure: object, stem: Path) -> list[Path]:
    from matplotlib.figure import Figure

    from zerofactory.reporting import energy_charts as charts

    assert isinstance(figure, Figure)  # noqa: S101  # narrowing
    pair = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
    for path, content in zip(pair, (charts.svg(figure), charts.png(figure)), strict=True):
        write_bytes_whole(path, content)
    return pair
