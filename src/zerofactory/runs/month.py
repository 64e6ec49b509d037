"""One month from readings and documents to records, without writing anything: what closing, checking and verifying share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from zerofactory.accounting import upstream
from zerofactory.accounting.quantify import Quantified, quantify
from zerofactory.errors import Problem, Text
from zerofactory.factors.model import FactorBook
from zerofactory.metering.activity import from_meters
from zerofactory.metering.fill import fill, virtual
from zerofactory.metering.interval import MeterMonth, to_intervals
from zerofactory.metering.note import QualityNote, notes_frame
from zerofactory.metering.quality import assess
from zerofactory.periods import Period
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree


@dataclass(frozen=True, slots=True)
class MonthBook:
    """What one month comes to.

    ``metered`` are the activities made from meters, and those that follow from the month's own (upstream of fuel and energy);
    ``activities`` counts them and the documents, from which the ``records`` came.
    """

    period: Period
    month: MeterMonth
    metered: pl.DataFrame
    activities: int
    quantified: Quantified
    notes: tuple[QualityNote, ...]
    problems: tuple[Problem, ...]

    @property
    def records(self) -> pl.DataFrame:
        """The emission records of the month."""
        return self.quantified.records

    def quality(self) -> pl.DataFrame:
        """The quality notes as rows of QUALITY."""
        return notes_frame(self.notes, self.period)


def measure(readings: pl.DataFrame, plant: Plant, period: Period) -> tuple[MeterMonth, tuple[QualityNote, ...]]:
    """Return the complete interval amounts of a month and what is to be said about their quality."""
    raw, notes = to_intervals(readings, plant, period)
    filled, fill_notes = fill(raw, plant)
    complete = virtual(filled, plant)
    return complete, (*notes, *fill_notes, *assess(raw, complete, plant))


@dataclass(frozen=True, slots=True)
class Basis:
    """What a month is quantified with: the plant, the factors, as known on a day, and whether it is to be closed."""

    plant: Plant
    factors: FactorBook
    known_at: date
    closing: bool = True


def make(period: Period, readings: pl.DataFrame, documents: pl.DataFrame, basis: Basis) -> MonthBook:
    """Return the month: intervals, activities and records.

    Parameters
    ----------
    readings : rows of READINGS of the month, and the register readings at its end.
    documents : rows of ACTIVITIES booked from documents for this month.
    """
    month, notes = measure(readings, basis.plant, period)
    metered, activities, faults = with_what_follows(from_meters(month, basis.plant), documents, basis.plant)
    quantified = quantify(activities, basis.plant, basis.factors, closing=basis.closing, known_at=basis.known_at)
    problems = (
        *unfilled(notes, basis.plant),
        *_resets(notes, month, basis.plant),
        *_without_document(documents, basis.plant),
        *faults,
        *quantified.problems,
    )
    return MonthBook(period, month, metered, activities.height, quantified, notes, problems)


def with_what_follows(
    metered: pl.DataFrame, documents: pl.DataFrame, plant: Plant
) -> tuple[pl.DataFrame, pl.DataFrame, list[Problem]]:
    """Return what closing books by itself (metered activities and those that follow), all activities, and problems."""
    entered = pl.concat([metered, documents.select(metered.columns)])
    follows, faults = upstream.derive(entered, plant)
    return pl.concat([metered, follows]), pl.concat([entered, follows]), list(faults)


def unfilled(notes: Sequence[QualityNote], plant: Plant) -> list[Problem]:
    """Return a problem for every meter that feeds a source and whose month could not be completed."""
    feeding = {meter for source in plant.sources for meter in (*source.meters, *source.split)}
    feeding |= {str(source.detail["discharge"]) for source in plant.sources if source.detail.get("discharge")}
    terms = meter_tree(plant).terms
    feeding |= {term for meter in feeding & set(terms) for term in terms[meter]}
    return [
        Problem(
            code="month.unfilled",
            message=Text(
                f"表计“{note.meter}”缺 {note.count} 个时段的读数, 无法估算。",
                f"Meter '{note.meter}' lacks {note.count} intervals that cannot be estimated.",
            ),
            hint=Text(
                "请导入读数; 若当时停用, 请导入读数 0(人工); 若未启用, 请从排放源的 meters 中移除。",
                "Import the readings; if it stood still, import zeros by hand; if not in use, take it out of the source's meters.",
            ),
        )
        for note in notes
        if note.severity == "error" and note.meter in feeding
    ]


def _resets(notes: Sequence[QualityNote], month: MeterMonth, plant: Plant) -> list[Problem]:
    """Return a problem for every register that fell back: what it shows afterwards is counted from zero.

    A warning where that is plausible. An error where it cannot be decided: the meter states no ``maximum``, and what was
    counted from zero is more than everything else the meter measured in the month, as after a misreading.
    """
    found = []
    for note in notes:
        if note.kind != "reset" or note.meter is None or note.amount is None:
            continue
        rest = month.total_milli(note.meter) / 1000.0 - note.amount
        open_question = plant.meter(note.meter).maximum is None and note.amount > rest
        found.append(
            Problem(
                code="month.reset",
                message=Text(
                    f"表计“{note.meter}”的读数倒退 {note.count} 次, 按清零处理, 计入 {note.amount:,.3f}, 当月其余 {rest:,.3f}。",
                    f"Meter '{note.meter}' fell back {note.count} times; taken as a reset, {note.amount:,.3f} counted, "
                    f"{rest:,.3f} in the rest of the month.",
                ),
                hint=Text(
                    "若是抄表错误, 请导入更正的读数; 若是换表, 请核对该数, 并给该表填写 maximum(每时段上限)。",
                    "If it was misread, import the right reading; if the meter was changed, check the amount and give "
                    "the meter its maximum per interval.",
                ),
                severity="error" if open_question else "warning",
            )
        )
    return found


def _without_document(documents: pl.DataFrame, plant: Plant) -> list[Problem]:
    """Return a warning that names the sources for which no document of the month came in."""
    derived = upstream.derived_source(plant)
    there = {*documents["source_id"], derived.id if derived else ""}
    lacking = [source.name for source in plant.sources if not source.meters and source.id not in there]
    if not lacking:
        return []
    return [
        Problem(
            code="month.no_document",
            message=Text(
                f"{len(lacking)} 个排放源没有凭证, 按未发生处理: {'、'.join(name.zh for name in lacking)}。",
                f"{len(lacking)} sources have no document and count as not occurring: {', '.join(name.en for name in lacking)}.",
            ),
            hint=Text(
                "请确认当月确未发生; 若漏了, 导入后再修订。",
                "Make sure nothing occurred; if a document is missing, import it and revise.",
            ),
            severity="warning",
        )
    ]


def total_at_a_glance(records: pl.DataFrame) -> int:
    """Return location-based scopes 1 and 2 without biogenic CO2 and non-Kyoto gases: the figure a seal shows."""
    counted = records.filter(
        pl.col("scope").is_in([1, 2])
        & pl.col("kyoto")
        & ~pl.col("biogenic")
        & pl.col("regime").is_in(["any", "location"])
    )
    return int(counted["emissions_gco2e"].sum())


def boundary(period: Period, plant: Plant) -> tuple[datetime, datetime]:
    """Return the first instant of the month and the first after it, in UTC."""
    return period.start(plant.time_zone), period.end(plant.time_zone)


def in_month(readings: pl.DataFrame, period: Period, plant: Plant) -> pl.DataFrame:
    """Return the readings taken in the month or exactly at its end."""
    start, end = boundary(period, plant)
    return readings.filter(pl.col("started_at").is_between(start, end, closed="both"))


def labelled(problems: Sequence[Problem], period: Period) -> list[Problem]:
    """Return problems with the month in front of their message, for a run over several months."""
    return [
        replace(
            problem,
            message=replace(
                problem.message,
                zh=f"[{period.label}] {problem.message.zh}",
                en=f"[{period.label}] {problem.message.en}",
            ),
        )
        for problem in problems
    ]
