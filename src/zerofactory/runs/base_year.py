"""The base year: fix it from a closed year, keep every version, and say when it has to be recalculated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import polars as pl

from zerofactory.accounting.base_year import TRIGGERS, Assessment, Policy, assess, policy_of
from zerofactory.accounting.inventory import Regime, fold
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.periods import Period
from zerofactory.reporting import statement as report
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.inventory import DIRECT_AND_ENERGY, SCOPES, booked
from zerofactory.runs.restate import Request, Restatement, filed_seals, records_of
from zerofactory.runs.restate import run as restate
from zerofactory.site.model import Trigger
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.agreed import BASE_YEARS
from zerofactory.store.schema import RUNS


@dataclass(frozen=True, slots=True)
class Fixed:
    """One version of the base year as it was fixed."""

    base_year_id: str
    period: str
    version: int
    fixed_at: str
    standard: str
    regime: str
    gwp_set: str
    total_gco2e: int
    seals: dict[str, str]
    policy: Policy
    reason: str | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = (
            "base_year_id",
            "period",
            "version",
            "fixed_at",
            "standard",
            "regime",
            "gwp_set",
            "total_gco2e",
            "seals",
            "reason",
        )
        found: dict[str, object] = {name: getattr(self, name) for name in names}
        return found | {
            "threshold_fraction": self.policy.threshold_fraction, "triggers": list(self.policy.triggers),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """Every version of the base year, and for the newest whether it has to be recalculated."""

    versions: tuple[Fixed, ...]
    restatement: Restatement
    assessment: Assessment

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        found = self.assessment
        lines = [
            {
                "trigger": line.trigger,
                "title": {"zh": TRIGGERS[line.trigger].zh, "en": TRIGGERS[line.trigger].en},
                "emissions_gco2e": line.emissions_gco2e,
                "change_fraction": line.change_fraction,
                "counted": line.counted,
                "exceeded": line.exceeded,
            }
            for line in found.lines
        ]
        return {
            "versions": [version.as_json() for version in self.versions],
            "recalculation_required": found.required,
            "threshold_fraction": found.threshold_fraction,
            "change_fraction": found.change_fraction,
            "triggers": lines,
            "restatement": self.restatement.as_json(),
        }


def versions(context: Context) -> list[Fixed]:
    """Return every version that was fixed, oldest first."""
    rows = context.workspace.journal.active(BASE_YEARS).to_dicts()
    return [_fixed(row) for row in rows]


def _fixed(row: dict[str, Any]) -> Fixed:
    triggers = cast("tuple[Trigger, ...]", tuple(row["triggers"].split(",")))
    policy = Policy(row["threshold_fraction"], triggers)
    return Fixed(
        row["base_year_id"], row["period"], row["version"], row["fixed_at"], row["standard"], row["regime"],
        row["gwp_set"], row["total_gco2e"], json.loads(row["seals"]), policy, row["reason"],
    )  # fmt: skip


def fix(context: Context, period: Period, standard: str = "iso_14064_1_2018", reason: str = "") -> Fixed:
    """Fix the base year from a closed year; a further version (a recalculation) needs a reason.

    Raises
    ------
    FaultyData
        The period is no year, is not closed, is not the year the plant file names, or a reason is missing.
    NotFound
        Unknown standard.
    """
    book = load_standard(standard)
    before = versions(context)
    policy = policy_of(context.workspace.plant.base_year)
    _refuse(context, period, before, reason)
    records = booked(context, period)
    made = fold(records, book, book.default_regime, "category")
    seals = {label: seal["seal_id"] for label, seal in filed_seals(context, Request(period)).items()}
    version = len(before)
    row = {
        "base_year_id": f"base-{period.label}.v{version}",
        "period": period.label,
        "version": version,
        "fixed_at": context.at,
        "standard": standard,
        "regime": made.regime,
        "gwp_set": made.gwp_set,
        "total_gco2e": made.total_gco2e,
        "seals": json.dumps(seals, sort_keys=True),
        "threshold_fraction": policy.threshold_fraction,
        "triggers": ",".join(policy.triggers),
        "reason": reason.strip() or None,
    }
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="base_year", actor=context.actor) as writer:
        writer.append(BASE_YEARS, BASE_YEARS.frame([row]))
        writer.append(RUNS, run_row("base_year", context, {"period": period.label}, seals, made.total_gco2e))
        writer.payload = {"base_year": row["base_year_id"], "reason": row["reason"]}
    return _fixed(row)


def _refuse(context: Context, period: Period, before: list[Fixed], reason: str) -> None:
    problems = []
    if period.month is not None:
        message = Text(f"基准年应是整年, 不是 {period.label}。", f"A base year is a whole year, not {period.label}.")
        hint = Text(f"请写 --period {period.year}。", f"Write --period {period.year}.")
        problems.append(Problem("base_year.not_a_year", message, hint))
    stated = context.workspace.plant.base_year
    if stated is not None and stated.year is not None and stated.year != period.year:
        message = Text(
            f"工厂文件写明基准年为 {stated.year}, 不是 {period.year}。",
            f"The plant file names {stated.year} as base year, not {period.year}.",
        )
        hint = Text("请先改 [base_year] year 并说明原因。", "Change [base_year] year first.")
        problems.append(Problem("base_year.another_year", message, hint, file="factory.toml", column="base_year.year"))
    if before and not reason.strip():
        message = Text(
            f"基准年已固定({before[-1].base_year_id}); 重新固定必须说明原因。",
            f"The base year is fixed already ({before[-1].base_year_id}); fixing it again needs a reason.",
        )
        problems.append(
            Problem("base_year.no_reason", message, Text("请用 --reason 说明。", "Give one with --reason."))
        )
    if problems:
        raise FaultyData(problems)


def show(context: Context, known_at: date | None = None) -> Shown:
    """Return every version and evaluate the triggers on the newest: the base year as fixed against the book now.

    Raises
    ------
    NotFound
        No base year has been fixed.
    """
    found = versions(context)
    if not found:
        raise NotFound(Text("基准年(请先运行 zf base-year fix)", "base year (run zf base-year fix first)"), "base-year")
    newest = found[-1]
    request = Request(
        Period.parse(newest.period),
        newest.standard,
        newest.regime,
        seals=newest.seals,
        against="now",
        known_at=known_at,
    )
    compared = restate(context, request)
    policy = policy_of(context.workspace.plant.base_year)
    return Shown(tuple(found), compared, assess(newest.total_gco2e, compared.total.by_cause, policy))


def for_report(context: Context, standard: str, regime: str) -> report.BaseYear | None:
    """Return what a report says about the base year: its total under the report's standard and regime as it was fixed."""
    found = versions(context)
    if not found:
        return None
    newest = found[-1]
    period = Period.parse(newest.period)
    seals = filed_seals(context, Request(period, seals=newest.seals))
    records = pl.concat([records_of(context, seal) for seal in seals.values()]).drop("reverses")
    records = records.filter(pl.col("scope").is_in(SCOPES[DIRECT_AND_ENERGY]))
    made = fold(records, load_standard(standard), cast(Regime, regime), "category")
    return report.BaseYear(period.year, made.total_gco2e, newest.policy.sentence(), _history(found))


def _history(found: list[Fixed]) -> Text:
    """Return what happened to the base year since it was first fixed, with the older totals."""
    if len(found) == 1:
        return Text(
            f"{found[0].fixed_at[:10]} 固定({found[0].gwp_set}), 此后未重算。",
            f"Fixed on {found[0].fixed_at[:10]} ({found[0].gwp_set}); not recalculated since.",
        )
    zh = "; ".join(f"{x.fixed_at[:10]} {x.period} {x.total_gco2e / 1e6:,.0f} t({x.reason or '首次'})" for x in found)
    en = "; ".join(f"{x.fixed_at[:10]} {x.period} {x.total_gco2e / 1e6:,.0f} t ({x.reason or 'first'})" for x in found)
    return Text(f"各版: {zh}。", f"Versions: {en}.")
