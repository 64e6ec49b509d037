"""Neutrality of a period: footprint, base, gate, balance and case, taken from the book; and the evidence that is put on file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import polars as pl

from zerofactory.accounting.inventory import Inventory, Regime, fold
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.instruments.neutrality import Balance, Case, NeutralityStandard, neutrality_standard
from zerofactory.instruments.purpose import (
    DECLARATION_EVIDENCE,
    OUTCOMES,
    REDUCTIONS,
    TOPICS,
    Outcome,
    Purpose,
    outcomes_of,
)
from zerofactory.instruments.reduce_first import Gate, gate
from zerofactory.periods import Period
from zerofactory.planning.facts import PLAN_ROADMAPS
from zerofactory.runs import assurance, base_year, inventory
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.instrument_book import Ledger
from zerofactory.runs.inventory import SCOPES
from zerofactory.runs.restate import Request, filed_seals, records_of
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.files import sha256_of
from zerofactory.store.schema import RUNS
from zerofactory.tables import TableSchema

Shares = Mapping[Text, float | None]
GRAMS_PER_UNIT = 1_000_000
MOST_TONNES = 1e12
POWER = "2.1"  # imported electricity in ISO 14064-1


@dataclass(frozen=True, slots=True)
class Base:
    """The base year that a period is compared with: its label and its total under the same standard, regime and scope."""

    period: str
    total_gco2e: int


def open_months(context: Context, period: Period) -> tuple[str, ...]:
    """Return the months of a period that are not closed."""
    sealed = set(context.workspace.seals()["period"])
    return tuple(month.label for month in period.months() if month.label not in sealed)


def footprint(context: Context, period: Period, standard: NeutralityStandard) -> Inventory:
    """Return the inventory that a neutrality claim is about."""
    return inventory.read(context, period, standard.inventory, standard.regime, scope=standard.scope)


def base_of(context: Context, period: Period, standard: NeutralityStandard) -> Base | None:
    """Return the base year as it was fixed, None where none lies before the period."""
    fixed = [one for one in base_year.versions(context) if Period.parse(one.period).year < period.year]
    if not fixed:
        return None
    newest = fixed[-1]
    seals = filed_seals(context, Request(Period.parse(newest.period), seals=newest.seals))
    records = pl.concat([records_of(context, seal) for seal in seals.values()]).drop("reverses")
    records = records.filter(pl.col("scope").is_in(SCOPES[standard.scope]))
    made = fold(records, load_standard(standard.inventory), cast(Regime, standard.regime), "category")
    return Base(newest.period, made.total_gco2e)


def outcomes(context: Context, period: Period) -> list[Outcome]:
    """Return what became of each reduction measure of a period.

    Measures of the adopted roadmap that should be in effect by then and were never told done are open.
    """
    told = outcomes_of(context.workspace.journal.active(REDUCTIONS).drop("reverses"))
    own = [one for one in told if one.period == period.label]
    known = {one.measure for one in own}
    known |= {one.measure for one in told if one.outcome == "done" and int(one.period[:4]) <= period.year}
    return own + [
        Outcome(
            period.label, row["measure_id"], row["measure_id"], "open", None,
            f"{row['roadmap_id']}: {row['start_year']}", "", "",
        )
        for row in _roadmap(context)
        if row["start_year"] <= period.year and row["measure_id"] not in known
    ]  # fmt: skip


def _roadmap(context: Context) -> list[dict[str, Any]]:
    """Return the lines of the newest adopted roadmap, empty when none was adopted."""
    rows = context.workspace.journal.active(PLAN_ROADMAPS).to_dicts()
    return [row for row in rows if row["roadmap_id"] == rows[-1]["roadmap_id"]] if rows else []


def gate_of(context: Context, standard: NeutralityStandard, period: Period) -> Gate:
    """Return the reduce-first gate of a period under a standard."""
    return gate(standard, period.label, outcomes(context, period), base_of(context, period, standard) is None)


def offsets(found: Ledger, standard: str, period: Period) -> dict[str, int]:
    """Return the claimed credits for a period under a standard, in gCO2e by kind."""
    made: dict[str, int] = {}
    for claim in found.purposes.values():
        if (claim.use, claim.standard, claim.period) != ("neutrality", standard, period.label):
            continue
        for batch_id, held in found.book.of_claim(claim.claim_id).items():
            kind = found.holdings.batches[batch_id].kind
            if held.get("claimed"):
                made[kind] = made.get(kind, 0) + held["claimed"] * GRAMS_PER_UNIT
    return made


def balance(context: Context, found: Ledger, standard: NeutralityStandard, period: Period) -> Balance:
    """Return the neutrality balance of a closed period; raises as `inventory.read`."""
    made, base = footprint(context, period, standard), base_of(context, period, standard)
    removals = max(0, made.apart_gco2e["removals"]) if standard.own_removals else 0
    return Balance(
        base.total_gco2e if base else None, made.total_gco2e, removals, offsets(found, standard.id, period)
    )  # fmt: skip


def refuse_beyond_residual(context: Context, found: Ledger, purpose: Purpose, amount: int) -> None:
    """Raise `FaultyData` when credits are asked for a period that is open, or beyond what of its residual is uncovered."""
    standard, period = neutrality_standard(purpose.standard), Period.parse(purpose.period)
    still = open_months(context, period)
    if still:
        listed = ", ".join(still)
        message = Text(
            f"{purpose.period} 未封存({listed}), 剩余排放未定。",
            f"{purpose.period} is not closed ({listed}): its residual is not known.",
        )
        raise FaultyData([Problem("instruments.period_open", message, Text("请先封存。", "Close it first."))])
    residual = balance(context, found, standard, period).residual_gco2e
    taken = sum(
        sum(held.values())
        for claim in found.purposes.values()
        if (claim.use, claim.standard, claim.period) == (purpose.use, purpose.standard, purpose.period)
        for held in found.book.of_claim(claim.claim_id).values()
    )
    units = -(-residual // GRAMS_PER_UNIT)
    if taken + amount > units:
        message = Text(
            f"剩余排放 {units:,} tCO2e, 已预留或注销 {taken:,}, 再要 {amount:,} 超出。",
            f"The residual is {units:,} tCO2e, {taken:,} reserved or retired; {amount:,} more is too much.",
        )
        hint = Text(f"至多再要 {units - taken:,}。", f"At most {units - taken:,} more.")
        raise FaultyData([Problem("instruments.beyond_residual", message, hint)])


def case_of(context: Context, found: Ledger, standard: NeutralityStandard, period: Period, declared_on: date) -> Case:
    """Return everything a declaration is judged by."""
    plant, still = context.workspace.plant, open_months(context, period)
    closed = not still
    made = footprint(context, period, standard) if closed else None
    shares, included = _coverage(context, period, made)
    topics = frozenset(str(row["topic"]) for row in evidence(context, standard.id, period))
    return Case(
        standard=standard,
        period=period.label,
        declared_on=declared_on,
        balance=balance(context, found, standard, period) if closed else None,
        open_months=still,
        is_year=period.month is None,
        is_over=period.end(plant.time_zone) <= context.now,
        first_period=base_of(context, period, standard) is None,
        boundary_stated=plant.boundary.description is not None or "boundary" in topics,
        included_fraction=included,
        exclusion_fractions=shares,
        verified=closed and assurance.for_report(context, period) is not None,
        topics=topics,
        both_views=made is not None and {"location", "market_annual"} <= set(made.regimes_gco2e),
        uncovered_power_gco2e=_power(made) if made is not None else 0,
        retired_on=_retired_on(found, standard.id, period),
    )


def _power(made: Inventory) -> int:
    return sum(line.emissions_gco2e for line in made.lines if line.key == POWER)


def _coverage(context: Context, period: Period, made: Inventory | None) -> tuple[Shares, float | None]:
    """Return the estimated share of each exclusion, and the included share where every exclusion has an estimate.

    included = quantified / (quantified + estimated of the categories left out)
    """
    shares: dict[Text, float | None] = {one.what: None for one in context.workspace.plant.boundary.exclusions}
    if made is None:
        return shares, None
    tested = inventory.significance(context, period)
    left_out = {one.title: one.emissions_gco2e for one in tested.lines if not one.quantified and one.emissions_gco2e}
    whole = made.total_gco2e + sum(left_out.values())
    shares |= {name: grams / whole for name, grams in left_out.items()}
    return shares, None if None in shares.values() else (made.total_gco2e / whole if whole else 1.0)


def _retired_on(found: Ledger, standard: str, period: Period) -> dict[str, date]:
    rows = found.claims.filter((pl.col("covers") == "emissions") & (pl.col("period") == period.label))
    own = {name for name, one in found.purposes.items() if one.standard == standard}
    return {
        row["claim_id"]: date.fromisoformat(row["retired_on"])
        for row in rows.iter_rows(named=True)
        if row["claim_id"].partition(".")[0] in own and row["retired_on"]
    }


def evidence(context: Context, standard: str, period: Period) -> list[dict[str, object]]:
    """Return the evidence on file for a declaration: of its standard, or of every standard; an adopted roadmap is a plan."""
    rows = context.workspace.journal.active(DECLARATION_EVIDENCE, {"period": period.label}).drop("reverses")
    filed: list[dict[str, object]] = rows.filter(pl.col("standard").is_in([standard, "*"])).to_dicts()
    adopted = _roadmap(context)
    if adopted and not any(row["topic"] == "plan" for row in filed):
        head = adopted[0]
        named = f"{head['plan_id']} · {head['roadmap_id']}"
        filed.append({"evidence_id": "", "topic": "plan", "text": named, "dated": head["at"][:10], "file_name": ""})
    return filed


def put_on_file(
    context: Context, period: Period, topic: str, text: str, file: Path | None, standard: str = "*"
) -> dict[str, object]:
    """Put evidence of a declaration on file: the plan, the public disclosure, the boundary.

    Raises
    ------
    FaultyData
        Neither a text nor a file is given, or a plan comes without a file.
    NotFound
        Unknown topic or standard.
    """
    if topic not in TOPICS:
        raise NotFound(Text("主题", "topic"), topic, tuple(TOPICS))
    if standard != "*":
        neutrality_standard(standard)
    if not text.strip() and file is None:
        raise FaultyData([_problem("no_evidence", "没有给出说明、网址或文件。", "Neither a text nor a file is given.")])
    if topic == "plan" and file is None:
        raise FaultyData([_problem("no_file", "计划须附文件。", "A plan needs its file.")])
    name, digest = _keep(context, file)
    count = context.workspace.journal.rows(DECLARATION_EVIDENCE).height
    row: dict[str, object] = {
        "evidence_id": f"E{count + 1:04d}", "standard": standard, "period": period.label, "topic": topic,
        "text": text.strip(), "dated": context.today.isoformat(), "file_name": name, "evidence": digest,
        "actor": context.actor, "at": context.at,
    }  # fmt: skip
    _append(context, DECLARATION_EVIDENCE, row)
    return row


def grams_of(tonnes: float | None) -> int | None:
    """Return tonnes as grams; raise `FaultyData` when they are below zero or no number.

    Examples
    --------
    >>> grams_of(1.5)
    1500000
    """
    if tonnes is None:
        return None
    if not (math.isfinite(tonnes) and 0.0 <= tonnes < MOST_TONNES):
        raise FaultyData([_problem("reduction", "减排量应为不小于零的数。", "A reduction is a number not below zero.")])
    return round(tonnes * GRAMS_PER_UNIT)


def record_measure(context: Context, outcome: Outcome) -> dict[str, object]:
    """Put on record what became of one measure in a period; ``outcome.evidence`` is the path of a file, or empty.

    Raises
    ------
    FaultyData
        Infeasible without a reason and a file, or done without what it saved or a file.
    NotFound
        Unknown outcome.
    """
    if outcome.outcome not in OUTCOMES:
        raise NotFound(Text("结果", "outcome"), outcome.outcome, OUTCOMES)
    if outcome.outcome == "infeasible" and not (outcome.reason.strip() and outcome.evidence):
        raise FaultyData(
            [
                _problem(
                    "infeasible", "不可行须写理由(--reason)并附文件(--file)。", "Infeasible needs --reason and --file."
                )
            ]
        )
    if outcome.outcome == "done" and not outcome.evidence and not outcome.reduction_gco2e:
        raise FaultyData(
            [_problem("done", "完成须写减排量(--reduction)或附文件(--file)。", "Done needs --reduction or --file.")]
        )
    name, digest = _keep(context, Path(outcome.evidence) if outcome.evidence else None)
    count = context.workspace.journal.rows(REDUCTIONS).height
    row: dict[str, object] = {
        "reduction_id": f"M{count + 1:04d}", "period": outcome.period, "measure": outcome.measure,
        "title": outcome.title or outcome.measure, "outcome": outcome.outcome,
        "reduction_gco2e": outcome.reduction_gco2e, "reason": outcome.reason.strip(), "file_name": name,
        "evidence": digest, "actor": context.actor, "at": context.at,
    }  # fmt: skip
    _append(context, REDUCTIONS, row)
    return row


def _keep(context: Context, file: Path | None) -> tuple[str, str]:
    """Keep a file with the evidence; return its name and hash, empty where there is none."""
    if file is None:
        return "", ""
    digest = sha256_of(file)
    context.workspace.evidence.keep(file.read_bytes(), digest, file.suffix)
    return file.name, digest


def _append(context: Context, schema: TableSchema, row: dict[str, object]) -> None:
    workspace = context.workspace
    told = {"table": schema.name, "id": row[schema.key[0]]}
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="neutrality", actor=context.actor) as writer:
        writer.append(schema, schema.frame([row]))
        writer.append(RUNS, run_row("neutrality", context, told, row.get("evidence"), 1))
        writer.payload = told


def _problem(code: str, zh: str, en: str) -> Problem:
    return Problem(f"neutrality.{code}", Text(zh, en), Text("请补齐后重试。", "Complete it and try again."))
