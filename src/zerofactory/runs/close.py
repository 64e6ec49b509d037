"""Close a period: measure, quantify, book and seal each month; or revise a sealed month with a reason.

Every month of the period is worked out before the first is booked, so that one missing factor in May leaves nothing half
closed. Each month is then one transaction. Killed anywhere, the book verifies and the same command finishes the work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from zerofactory.accounting.origin_rows import MonthOrigins
from zerofactory.errors import BookClosed, FaultyData, Problem, Text, errors_of
from zerofactory.periods import Period
from zerofactory.runs import origins
from zerofactory.runs.context import Context, refuse_future, run_row
from zerofactory.runs.month import Basis, MonthBook, in_month, labelled, make, total_at_a_glance
from zerofactory.store.journal import Writer, canonical
from zerofactory.store.schema import ACTIVITIES, QUALITY, RECORDS, RUNS, SEALS
from zerofactory.store.series import Segment, interval_digest

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """What closing a month came to."""

    period: str
    revision: int
    activities: int
    records: int
    total_gco2e: int
    status: str
    warnings: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; the warnings of all months stand together, outside."""
        names = ("period", "revision", "status", "activities", "records", "total_gco2e")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class _Prepared:
    book: MonthBook
    revision: int
    readings: Segment | None
    intervals_sha256: str
    held: tuple[Segment, ...]
    origins: MonthOrigins | None


def open_months(context: Context) -> list[str]:
    """Return the months that have readings or documents, are over, and are not closed yet, in order.

    One reading a meter is none: it ends the month before.
    """
    workspace = context.workspace
    rows: dict[str, int] = {}
    for segment in workspace.open_segments():
        rows[segment.period] = rows.get(segment.period, 0) + segment.rows
    found = {label for label, count in rows.items() if count > len(workspace.plant.meters)}
    found |= set(workspace.journal.active(ACTIVITIES, brought_by="import")["period"].unique())
    found -= set(workspace.seals()["period"])
    return sorted(label for label in found if Period.parse(label).end(workspace.plant.time_zone) <= context.now)


def run(
    context: Context,
    period: Period,
    known_at: date | None = None,
    revise: bool = False,
    reason: str = "",
    progress: Progress = lambda _: None,
) -> list[ClosedMonth]:
    """Close every month of a period.

    Parameters
    ----------
    known_at : date, optional
        Use the factors that were published by that day (default: today).
    revise : bool
        Reverse the records of months that are sealed and book them anew; needs a reason.

    Raises
    ------
    FaultyData
        The period is not over, a source lacks data or a factor, a reason is missing; nothing has been booked.
    BookClosed
        A single month was asked for, is sealed, and ``revise`` is not set.
    """
    _refuse_early(context, period, revise, reason)
    refuse_future(context, known_at)
    workspace, day = context.workspace, known_at or context.today
    basis = Basis(workspace.plant, workspace.factor_book, day)
    with workspace.locked():
        sealed = dict(workspace.seals().select("period", "revision").iter_rows())
        wanted = [month for month in period.months() if revise is (month.label in sealed)]
        if not wanted:
            return _nothing_to_do(context, period, revise)
        prepared: list[_Prepared] = []
        problems: list[Problem] = []
        for month in wanted:
            progress(month.label)
            before = prepared[-1] if prepared else None
            made = _prepare(context, month, basis, sealed.get(month.label, -1) + 1, before)
            prepared.append(made)
            problems += labelled(made.book.problems, month)
        if errors_of(problems):
            raise FaultyData(problems)
        return [_book(context, one, basis, reason) for one in prepared]


def _nothing_to_do(context: Context, period: Period, revise: bool) -> list[ClosedMonth]:
    """Answer a request that finds no month to work on: all closed already, or none to revise."""
    if revise:
        raise FaultyData(
            [
                Problem(
                    code="close.nothing_to_revise",
                    message=Text(f"期间 {period.label} 没有已封存的月份。", f"No month of {period.label} is closed."),
                    hint=Text("请先封存, 不加 --revise。", "Close it first, without --revise."),
                )
            ]
        )
    if period.month is not None:
        raise BookClosed(period.label)
    return [_already(month.label, context) for month in period.months()]


def _refuse_early(context: Context, period: Period, revise: bool, reason: str) -> None:
    problems: list[Problem] = []
    if period.end(context.workspace.plant.time_zone) > context.now:
        problems.append(
            Problem(
                code="close.not_over",
                message=Text(f"期间 {period.label} 还没有结束。", f"Period {period.label} is not over."),
                hint=Text(
                    "请在期末之后封存, 或逐月封存已结束的月份。",
                    "Close it after its end, or close the months that are over.",
                ),
            )
        )
    if revise and not reason.strip():
        problems.append(
            Problem(
                code="close.no_reason",
                message=Text("修订已封存的期间必须说明原因。", "A revision of a closed period needs a reason."),
                hint=Text("请用 --reason 说明。", "Give one with --reason."),
            )
        )
    if problems:
        raise FaultyData(problems)


def _prepare(context: Context, period: Period, basis: Basis, revision: int, before: _Prepared | None) -> _Prepared:
    """Work one month out and write its sealed files; they count only once the book names them.

    ``before`` is the month prepared just before it in the same call, with which its stores begin.
    """
    workspace = context.workspace
    readings, held = readings_of(context, period)
    documents = workspace.journal.active(ACTIVITIES, {"period": period.label}, brought_by="import").drop("reverses")
    book = make(period, readings, documents, basis)
    segment, digest, made = None, interval_digest(book.month), None
    if not errors_of(book.problems):
        content = _content_before(context, period, before)
        made = origins.make(context, origins.Grounds(book.month, basis.plant, documents, content))
        if made is not None:
            workspace.series.seal_origins(period.label, revision, made.site_rows())
        if readings.height:
            segment = workspace.series.seal_readings(period.label, revision, readings)
        workspace.series.seal_intervals(revision, book.month)
    return _Prepared(book, revision, segment, digest, tuple(held), made)


def _content_before(context: Context, period: Period, before: _Prepared | None) -> origins.Content:
    """Return the content of the stores at the beginning of a month: of the month prepared before it, or as it is sealed."""
    if before is not None and before.book.period.next_first_day == period.first_day:
        return before.origins.closing_wh if before.origins is not None else {}
    return origins.content_before(context, period)


def readings_of(context: Context, period: Period) -> tuple[pl.DataFrame, list[Segment]]:
    """Return the readings of a month (sealed before, and open) with the register readings at its end."""
    workspace = context.workspace
    plant, series = workspace.plant, workspace.series
    open_segments = workspace.open_segments()
    own = [segment for segment in open_segments if segment.period == period.label]
    frames = [series.read(own)]
    seal = workspace.seal_of(period.label)
    if seal and seal["readings_file"]:
        frames.insert(0, series.read([Segment(period.label, seal["readings_file"], "", 0)]))
    end = period.end(plant.time_zone)
    following = Period.containing(end, plant.time_zone).label
    later = [segment for segment in open_segments if segment.period == following]
    next_seal = workspace.seal_of(following)
    if next_seal and next_seal["readings_file"]:
        later.insert(0, Segment(following, next_seal["readings_file"], "", 0))
    frames.append(series.read_at(later, end))
    return in_month(pl.concat(frames), period, plant), own


def _book(context: Context, prepared: _Prepared, basis: Basis, reason: str) -> ClosedMonth:
    """Book one month in one transaction, then drop the open segments that its seal holds."""
    workspace, book, label = context.workspace, prepared.book, prepared.book.period.label
    workspace.evidence.keep(workspace.plant_bytes, _sha_of_plant(context), ".toml")
    for content in workspace.own_factor_files.values():
        workspace.evidence.keep(content, hashlib.sha256(content).hexdigest(), ".csv")
    with workspace.journal.writing(at=context.at, kind="close", actor=context.actor) as writer:
        if prepared.revision > 0:
            _reverse_month(context, writer, label)
        writer.append(ACTIVITIES, book.metered)
        writer.append(RECORDS, book.records.drop("reverses"))
        writer.append(QUALITY, book.quality())
        run_frame = run_row(
            "close",
            context,
            {"period": label, "known_at": basis.known_at.isoformat()},
            prepared.intervals_sha256,
            book.records.height,
        )
        writer.append(RUNS, run_frame)
        seal = _seal_row(context, prepared, run_frame["run_id"][0], basis, reason).with_columns(
            booked_as=pl.lit(writer.seq, pl.Int64)
        )
        writer.append(SEALS, seal)
        name = seal["seal_id"][0]
        writer.payload = {"period": label, "segments": {name: [s.file for s in prepared.held]}}
        if prepared.origins is not None:
            writer.payload["origins"] = {name: origins.summary(prepared.origins)}
    workspace.series.drop(prepared.held)
    return ClosedMonth(
        label,
        prepared.revision,
        book.activities,
        book.records.height,
        seal["total_gco2e"][0],
        "revised" if prepared.revision else "closed",
        (*(one for one in book.problems if one.severity == "warning"), *origins.warnings(prepared.origins)),
    )


def _reverse_month(context: Context, writer: Writer, label: str) -> None:
    """Take back what the seal in force booked: its records and its metered activities."""
    journal = context.workspace.journal
    suffix = f"~{writer.seq}"
    writer.reverse(RECORDS, journal.active(RECORDS, {"period": label}).drop("reverses"), suffix)
    made = journal.active(ACTIVITIES, {"period": label}, brought_by="close").drop("reverses")
    writer.reverse(ACTIVITIES, made, suffix)


def _seal_row(context: Context, prepared: _Prepared, run_id: str, basis: Basis, reason: str) -> pl.DataFrame:
    book = prepared.book
    label = book.period.label
    return SEALS.frame(
        [
            {
                "seal_id": f"{label}.r{prepared.revision}",
                "period": label,
                "revision": prepared.revision,
                "run_id": run_id,
                "known_at": basis.known_at.isoformat(),
                "plant_sha256": _sha_of_plant(context),
                "own_factors": canonical(_own_factors(context)),
                "readings_file": prepared.readings.file if prepared.readings else None,
                "readings_sha256": prepared.readings.sha256 if prepared.readings else None,
                "intervals_sha256": prepared.intervals_sha256,
                "activities": book.activities,
                "records": book.records.height,
                "total_gco2e": total_at_a_glance(book.records),
                "reason": reason or None,
                "booked_as": 0,
            }
        ]
    )


def _own_factors(context: Context) -> dict[str, str]:
    """Return the plant's own factor files by name and hash; their content is kept with the evidence."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in context.workspace.own_factor_files.items()}


def _sha_of_plant(context: Context) -> str:
    return hashlib.sha256(context.workspace.plant_bytes).hexdigest()


def _already(label: str, context: Context) -> ClosedMonth:
    seal = context.workspace.seal_of(label) or {}
    return ClosedMonth(
        label, seal["revision"], seal["activities"], seal["records"], seal["total_gco2e"], "already_closed"
    )
