"""Take back booked documents: a reversal is a new row; nothing is changed or removed."""

from __future__ import annotations

import polars as pl

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.runs.context import Context, run_row
from zerofactory.store.schema import ACTIVITIES, CLAIMS, RUNS


def run(context: Context, document: str, reason: str, into_closed: bool = False) -> int:
    """Reverse every activity of one document number (or one activity id); return how many.

    Raises
    ------
    FaultyData
        Nothing is booked under that name, no reason is given, or the month is sealed and ``into_closed`` is not set.
    """
    with context.workspace.locked():
        return _reverse(context, document, reason, into_closed)


def _reverse(context: Context, document: str, reason: str, into_closed: bool) -> int:
    problems: list[Problem] = []
    if not reason.strip():
        problems.append(
            _problem(
                "no_reason",
                Text("没有写原因。", "No reason is given."),
                Text("请用 --reason 说明。", "Give one with --reason."),
            )
        )
    booked = context.workspace.journal.active(ACTIVITIES, brought_by="import")
    rows = booked.filter((pl.col("document") == document) | (pl.col("activity_id") == document))
    if rows.is_empty():
        problems.append(
            _problem(
                "nothing",
                Text(f"账本里没有凭证号“{document}”。", f"Nothing is booked under '{document}'."),
                Text("请用 zf list documents 查看。", "See zf list documents."),
            )
        )
    claimed = context.workspace.journal.active(CLAIMS, {"claim_id": rows["document"].drop_nulls().to_list()})
    if claimed.height:
        name = claimed["claim_id"][0].partition(".")[0]
        problems.append(
            _problem(
                "claimed",
                Text(
                    f"“{document}”是已注销的权益(主张 {name})。",
                    f"'{document}' is a retired instrument (claim {name}).",
                ),
                Text(f"请用 zf instruments take-back {name}。", f"Use zf instruments take-back {name}."),
            )
        )
    closed = sorted(set(rows["period"]) & set(context.workspace.seals()["period"]))
    if closed and not into_closed:
        problems.append(
            _problem(
                "period_closed",
                Text(f"期间 {', '.join(closed)} 已封存。", f"Closed already: {', '.join(closed)}."),
                Text(
                    "请加 --into-closed, 再运行 zf close --revise。", "Use --into-closed, then run zf close --revise."
                ),
            )
        )
    if problems:
        raise FaultyData(problems)
    with context.workspace.journal.writing(at=context.at, kind="reverse", actor=context.actor) as writer:
        writer.reverse(ACTIVITIES, rows.drop("reverses"), f"~{writer.seq}")
        writer.append(
            RUNS,
            run_row(
                "reverse", context, {"document": document, "reason": reason}, rows["activity_id"].to_list(), rows.height
            ),
        )
        writer.payload = {"document": document, "reason": reason}
    return rows.height


def _problem(code: str, message: Text, hint: Text) -> Problem:
    return Problem(code=f"reverse.{code}", message=message, hint=hint)
