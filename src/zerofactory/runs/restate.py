"""Restate: a closed period as it was filed beside what the book says now, or would say, with the difference by cause.

Old is a revision kept in the book, new is the revision in force, or what closing would give today: present plant file,
readings and documents, factors as known on a day. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, cast, get_args

import polars as pl

from zerofactory.accounting import upstream
from zerofactory.accounting.inventory import By
from zerofactory.accounting.restate import (
    CAUSES,
    RestatedLine,
    Side,
    Stage,
    View,
    side_by_side,
    stages,
)
from zerofactory.accounting.sums import SAME, added_up
from zerofactory.errors import BookBroken, FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.factors.gas import GWP_SETS
from zerofactory.metering.activity import from_meters
from zerofactory.periods import Period
from zerofactory.runs.close import readings_of
from zerofactory.runs.context import Context, refuse_future
from zerofactory.runs.inventory import CUTS, DIRECT_AND_ENERGY, SCOPES
from zerofactory.runs.month import labelled, measure, unfilled, with_what_follows
from zerofactory.site.model import Plant
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.schema import ACTIVITIES, RECORDS, SEALS
from zerofactory.store.workspace import read_plant

Against = Literal["book", "now"]
RESTATED_CUTS = tuple(cut for cut in CUTS if cut != "shop")


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be compared.

    Parameters
    ----------
    as_filed : str, optional
        Revision of every month (``r0`` is the first filing); a month without it takes its newest before.
    since : str, optional
        A seal (``2025-03.r0``): the book as it stood right after that seal.
    seals : mapping, optional
        The seal of each month by name; beats the two above.
    against : {'book', 'now'}, optional
        Compare with the revision in force, or with what closing would give now. Without it: the book where an older
        revision is asked for and neither ``known_at`` nor ``gwp_set`` is given; now otherwise.
    known_at : date, optional
        Factors as published by that day (default: today); only for ``now``.
    gwp_set : str, optional
        Another GWP set than the plant file names; only for ``now``.
    """

    period: Period
    standard: str = "iso_14064_1_2018"
    regime: str | None = None
    by: str = "category"
    scope: str = DIRECT_AND_ENERGY
    as_filed: str | None = None
    since: str | None = None
    seals: Mapping[str, str] = field(default_factory=dict)
    against: Against | None = None
    known_at: date | None = None
    gwp_set: str | None = None


@dataclass(frozen=True, slots=True)
class Restatement:
    """Old and new side by side. ``new_seals`` is empty for a what-if; problems are warnings."""

    period: str
    standard: str
    regime: str
    by: str
    scope: str
    against: Against
    old_seals: tuple[str, ...]
    new_seals: tuple[str, ...]
    known_at: tuple[str, str]
    gwp_sets: tuple[str, str]
    total: RestatedLine
    lines: tuple[RestatedLine, ...]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "period": self.period,
            "standard": self.standard,
            "regime": self.regime,
            "by": self.by,
            "scope": self.scope,
            "against": self.against,
            "order": list(CAUSES),
            "filed": {"seals": list(self.old_seals), "known_at": self.known_at[0], "gwp_set": self.gwp_sets[0]},
            "restated": {"seals": list(self.new_seals), "known_at": self.known_at[1], "gwp_set": self.gwp_sets[1]},
            "total": _line_json(self.total),
            "lines": [_line_json(line) for line in self.lines],
            "problems": [problem.as_json() for problem in self.problems],
        }


def _line_json(line: RestatedLine) -> dict[str, object]:
    return {
        "key": line.key,
        "title": {"zh": line.title.zh, "en": line.title.en},
        "filed_gco2e": line.filed_gco2e,
        "restated_gco2e": line.restated_gco2e,
        "difference_gco2e": line.difference_gco2e,
        "by_cause_gco2e": dict(line.by_cause),
    }


def run(context: Context, request: Request) -> Restatement:
    """Return the restatement.

    Raises
    ------
    FaultyData
        A month is not closed, a revision is not in the book, or the new figure cannot be quantified.
    BookBroken
        What was filed does not come out of the book any more.
    NotFound
        Unknown standard, regime, cut, GWP set or seal.
    """
    refuse_future(context, request.known_at)
    view = _view(request)
    old = filed_seals(context, request)
    against = request.against or _against(context, request, old)
    if against == "book" and (request.known_at or request.gwp_set):
        raise FaultyData([_contradiction()])
    new = {label: context.workspace.seal_of(label) or {} for label in old} if against == "book" else {}
    parts: list[Stage] = []
    problems: list[Problem] = []
    broken: list[Problem] = []
    for label, seal in old.items():
        before = as_filed(context, seal)
        after, notes = _new_side(context, before, seal, new.get(label), request)
        problems += labelled(notes, Period.parse(label))
        made = stages(before, after)
        broken += _not_as_filed(context, seal, made[0])
        problems += labelled(_final(made, against), Period.parse(label))
        parts += made
    if broken:
        raise BookBroken(broken)
    if errors_of(problems):
        raise FaultyData(problems)
    plant = context.workspace.plant
    total, lines = side_by_side([_within(stage, request.scope) for stage in parts], view, plant)
    return Restatement(
        request.period.label, request.standard, view.regime, request.by, request.scope, against,
        tuple(seal["seal_id"] for seal in old.values()), tuple(seal["seal_id"] for seal in new.values()),
        (_span(old), _span(new) if new else _day(context, request).isoformat()),
        (_gwp_set(parts, "filed"), _gwp_set(parts, "factor")),
        total, lines, tuple(dict.fromkeys(problems)),
    )  # fmt: skip


def _view(request: Request) -> View:
    book = load_standard(request.standard)
    regime = request.regime or book.default_regime
    if regime not in book.regimes:
        raise NotFound(Text("电力口径", "claim regime"), regime, book.regimes)
    if request.by not in RESTATED_CUTS:
        raise NotFound(Text("划分方式", "cut"), request.by, RESTATED_CUTS)
    if request.scope not in SCOPES:
        raise NotFound(Text("范围", "scope"), request.scope, tuple(SCOPES))
    if request.gwp_set is not None and request.gwp_set not in GWP_SETS:
        raise NotFound(Text("GWP来源", "GWP set"), request.gwp_set, GWP_SETS)
    return View(book, regime, cast(By, request.by))


def _within(stage: Stage, scope: str) -> Stage:
    return replace(stage, records=stage.records.filter(pl.col("scope").is_in(SCOPES[scope])))


def filed_seals(context: Context, request: Request) -> dict[str, dict[str, Any]]:
    """Return the seal of each month that a request calls old, by month."""
    rows = context.workspace.journal.rows(SEALS).sort("period", "revision").to_dicts()
    by_month: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_month.setdefault(row["period"], []).append(row)
    wanted = [month.label for month in request.period.months()]
    missing = [label for label in wanted if label not in by_month]
    if missing:
        raise FaultyData([_not_closed(missing, request.period)])
    if request.seals:
        named = {row["seal_id"]: row for row in rows}
        return {label: named[request.seals[label]] for label in wanted}
    if request.since is not None:
        return _since(request.since, rows, by_month, wanted)
    if request.as_filed is not None:
        revision = _revision(request.as_filed, max(by_month[label][-1]["revision"] for label in wanted))
        return {label: [s for s in by_month[label] if s["revision"] <= revision][-1] for label in wanted}
    return {label: by_month[label][-1] for label in wanted}


def _since(
    seal_id: str, rows: list[dict[str, Any]], by_month: Mapping[str, list[dict[str, Any]]], wanted: list[str]
) -> dict[str, dict[str, Any]]:
    named = {row["seal_id"]: row for row in rows}
    if seal_id not in named:
        raise NotFound(Text("封存", "seal"), seal_id, list(named))
    entry = named[seal_id]["booked_as"]
    then = {label: [seal for seal in by_month[label] if seal["booked_as"] <= entry] for label in wanted}
    open_then = [label for label, seals in then.items() if not seals]
    if open_then:
        message = Text(
            f"封存 {seal_id} 之时 {', '.join(open_then)} 尚未封存。",
            f"When {seal_id} was sealed, {', '.join(open_then)} was not closed yet.",
        )
        hint = Text("请用更晚的封存号, 或逐月重述。", "Name a later seal, or restate single months.")
        raise FaultyData([Problem("restate.not_closed_then", message, hint)])
    return {label: seals[-1] for label, seals in then.items()}


def _revision(text: str, newest: int) -> int:
    number = text.strip().lower().removeprefix("r")
    if not number.isdigit() or int(number) > newest:
        raise NotFound(Text("版次", "revision"), text, [f"r{n}" for n in range(newest + 1)])
    return int(number)


def _against(context: Context, request: Request, old: Mapping[str, dict[str, Any]]) -> Against:
    revised = any((context.workspace.seal_of(label) or {})["seal_id"] != seal["seal_id"] for label, seal in old.items())
    return "book" if revised and not request.known_at and not request.gwp_set else "now"


def as_filed(context: Context, seal: dict[str, Any]) -> Side:
    """Return what a seal was made from: activities, plant file and day of knowing as they were, factors of this edition."""
    activities = context.workspace.journal.active(ACTIVITIES, {"period": seal["period"]}, until=seal["booked_as"])
    known_at = date.fromisoformat(seal["known_at"])
    return Side(
        activities.drop("reverses"), plant_of(context, seal), context.workspace.sealed_factor_book(seal), known_at
    )


def records_of(context: Context, seal: dict[str, Any]) -> pl.DataFrame:
    """Return the records that a seal booked, whether or not they were reversed later."""
    return context.workspace.journal.active(RECORDS, {"period": seal["period"]}, until=seal["booked_as"])


def plant_of(context: Context, seal: dict[str, Any]) -> Plant:
    """Return the plant as its file said when a month was sealed."""
    return read_plant(context.workspace.evidence.find(seal["plant_sha256"]).read_text(encoding="utf-8-sig"))


def _new_side(
    context: Context, before: Side, old: dict[str, Any], seal: dict[str, Any] | None, request: Request
) -> tuple[Side, list[Problem]]:
    """Return the other side: the revision in force, or the month made anew from what is there now."""
    if seal is not None:
        return (before if seal["seal_id"] == old["seal_id"] else as_filed(context, seal)), []
    plant = context.workspace.plant
    if request.gwp_set:
        plant = replace(plant, accounting=replace(plant.accounting, gwp_set=request.gwp_set))
    activities, problems = _activities_now(context, Period.parse(old["period"]))
    return Side(activities, plant, context.workspace.factor_book, _day(context, request)), problems


def _activities_now(context: Context, period: Period) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the activities of a month as closing would take them now; documents of unknown sources are left out, said."""
    workspace = context.workspace
    documents = workspace.journal.active(ACTIVITIES, {"period": period.label}, brought_by="import").drop("reverses")
    known = [use.id for use in workspace.plant.sources]
    orphans = documents.filter(~pl.col("source_id").is_in(known))
    problems = [_orphans(orphans)] if orphans.height else []
    seal = workspace.seal_of(period.label) or {}
    if _as_measured(context, period, seal):
        made = workspace.journal.active(ACTIVITIES, {"period": period.label}, brought_by="close").drop("reverses")
        derived = upstream.derived_source(workspace.plant)
        metered = made.filter(pl.col("source_id") != derived.id) if derived else made
    else:
        month, notes = measure(readings_of(context, period)[0], workspace.plant, period)
        problems += unfilled(notes, workspace.plant)
        metered = from_meters(month, workspace.plant)
    kept = documents.filter(pl.col("source_id").is_in(known)).select(metered.columns)
    _, activities, faults = with_what_follows(metered, kept, workspace.plant)
    return activities, [*problems, *faults]


def _as_measured(context: Context, period: Period, seal: dict[str, Any]) -> bool:
    """Whether nothing that decides the metered activities came in since the month was sealed."""
    workspace = context.workspace
    following = Period.containing(period.end(workspace.plant.time_zone), workspace.plant.time_zone).label
    fresh = any(segment.period in (period.label, following) for segment in workspace.open_segments())
    return not fresh and plant_of(context, seal) == workspace.plant


def _day(context: Context, request: Request) -> date:
    return request.known_at or context.today


def _not_as_filed(context: Context, seal: dict[str, Any], stage: Stage) -> list[Problem]:
    """Return a problem when what was filed does not come out of the book again, to the gram, factor by factor."""
    keys = [name for name in SAME if name != "uncertainty_fraction"]
    booked, again = (added_up(frame, keys) for frame in (records_of(context, seal), stage.records))
    if booked.equals(again):
        return []
    message = Text(
        f"{seal['seal_id']} 按当时所知重算不出原记录。", f"{seal['seal_id']} does not recompute as known on its date."
    )
    hint = Text(
        "请运行 zf verify; 若改过 factors/*.csv, 请恢复原值, 新值另给编号。",
        "Run zf verify; if factors/*.csv was changed, restore it and give new values new ids.",
    )
    return [Problem("restate.not_as_filed", message, hint, file="book.db")]


def _final(made: tuple[Stage, ...], against: Against) -> list[Problem]:
    """Return the problems of the new figure; those of the steps in between count only with it."""
    final = made[-1].problems
    return [problem for problem in final if against == "now" or problem.severity == "error"]


def _gwp_set(parts: list[Stage], name: str) -> str:
    found = {gwp for stage in parts if stage.name == name for gwp in stage.records["gwp_set"].unique().to_list()}
    return ", ".join(sorted(found))


def _span(seals: Mapping[str, dict[str, Any]]) -> str:
    days = sorted({seal["known_at"] for seal in seals.values()})
    return days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"


def _not_closed(missing: list[str], period: Period) -> Problem:
    return Problem(
        code="restate.not_closed",
        message=Text(f"尚未封存: {', '.join(missing)}。", f"Not closed yet: {', '.join(missing)}."),
        hint=Text(f"请先运行 zf close --period {period.label}。", f"Run zf close --period {period.label} first."),
    )


def _contradiction() -> Problem:
    return Problem(
        code="restate.contradiction",
        message=Text(
            "与账上的版次比较时不能另选知悉日期或GWP。",
            "A comparison with the revision in force cannot take another day of knowing or GWP set.",
        ),
        hint=Text(
            "请去掉 --known-at 和 --gwp, 或用 --against now。", "Drop --known-at and --gwp, or use --against now."
        ),
    )


def _orphans(orphans: pl.DataFrame) -> Problem:
    names = ", ".join(orphans["source_id"].unique().sort())
    return Problem(
        code="restate.source_gone",
        message=Text(
            f"{orphans.height} 条凭证的排放源已不在工厂文件中({names}), 按移出边界处理。",
            f"{orphans.height} documents belong to sources that are no longer in the plant file ({names}); counted as removed.",
        ),
        hint=Text("修订之前请用 zf reverse 冲销。", "Take them back with zf reverse before you revise."),
        severity="warning",
    )


def against_of(text: str | None) -> Against | None:
    """Return what a person named as the other side; raise `NotFound` with the choices."""
    if text is not None and text not in get_args(Against):
        raise NotFound(Text("比较对象", "side to compare with"), text, get_args(Against))
    return cast("Against | None", text)
