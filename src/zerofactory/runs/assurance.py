"""Assurance workflow: a sampling plan by risk, findings with their corrections, and the statement. All appended to the book.

    plan ─► samples tested ─► findings: opened ─► corrected (a journal entry) ─► closed ─► statement

The verifier tests and judges; the book keeps what was asked, found and corrected, and refuses a statement while a material
finding is open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import polars as pl

from zerofactory.accounting import assurance as rules
from zerofactory.accounting.inventory import REGIMES, fold
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.factors.model import CONFIDENCES
from zerofactory.periods import Period
from zerofactory.reporting import statement as report
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.inventory import booked
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.agreed import ASSURANCE_FINDINGS, ASSURANCE_SAMPLES, ASSURANCE_STATEMENTS, LEVELS
from zerofactory.store.schema import RUNS
from zerofactory.tables import TableSchema

STANDARD = "iso_14064_1_2018"
CORRECTING = ("close", "import", "reverse", "base_year")


@dataclass(frozen=True, slots=True)
class Engagement:
    """The newest sampling plan of a period: its terms and samples."""

    plan_id: str
    period: str
    level: rules.Level
    verifier: str
    materiality_fraction: float
    seed: int
    samples: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        names = (
            "sample_id",
            "activity_id",
            "source_id",
            "emissions_gco2e",
            "inherent_risk_fraction",
            "control_risk_fraction",
        )
        samples = [
            {**{name: row[name] for name in names}, "reason": {"zh": row["reason_zh"], "en": row["reason_en"]}}
            for row in self.samples
        ]
        return {
            "plan": self.plan_id, "period": self.period, "level": self.level, "verifier": self.verifier,
            "materiality_fraction": self.materiality_fraction, "seed": self.seed, "samples": samples,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as it stands: what was said at each step, and whether it is material."""

    finding_id: str
    state: str
    subject: str
    misstatement_gco2e: int | None
    material: bool
    corrected_by: int | None
    texts: tuple[tuple[str, str], ...]
    opened_as: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "finding": self.finding_id,
            "state": self.state,
            "subject": self.subject,
            "misstatement_gco2e": self.misstatement_gco2e,
            "material": self.material,
            "corrected_by": self.corrected_by,
            "history": [{"state": state, "text": text} for state, text in self.texts],
        }


def plan(context: Context, period: Period, verifier: str, terms: rules.Terms) -> Engagement:
    """Draw a sampling plan for a closed period and book it.

    Raises
    ------
    FaultyData
        A month is not closed, the verifier is not named, or the materiality threshold is no share of the total.
    """
    problems = []
    if not verifier.strip():
        problems.append(_fault("no_verifier", "没有写明核查机构。", "The verifier is not named."))
    if not 0.0 < terms.materiality_fraction < 1.0:
        problems.append(
            _fault(
                "materiality",
                "重要性阈值应在 0 与 1 之间(0.05 即 5 %)。",
                "Materiality lies between 0 and 1 (0.05 = 5 %).",
            )
        )
    if problems:
        raise FaultyData(problems)
    samples = rules.plan(_population(context, period), terms)
    before = _rows(context, ASSURANCE_SAMPLES, period)
    plan_id = f"{period.label}-P{before['plan_id'].n_unique() + 1}"
    head = {
        "plan_id": plan_id, "period": period.label, "level": terms.level, "verifier": verifier.strip(),
        "materiality_fraction": terms.materiality_fraction, "seed": terms.seed, "seals": _seals(context, period),
    }  # fmt: skip
    rows = [
        {
            **head,
            "sample_id": f"{plan_id}.{number:04d}",
            "activity_id": sample.activity_id,
            "source_id": sample.source_id,
            "emissions_gco2e": sample.emissions_gco2e,
            "inherent_risk_fraction": sample.inherent_risk_fraction,
            "control_risk_fraction": sample.control_risk_fraction,
            "reason_zh": sample.reason.zh,
            "reason_en": sample.reason.en,
        }
        for number, sample in enumerate(samples, start=1)
    ]
    _append(context, ASSURANCE_SAMPLES, rows, {"plan": plan_id, "samples": len(rows)})
    return engagement(context, period)


def level_of(text: str) -> rules.Level:
    """Return a level of assurance by name; raise `NotFound` with the choices."""
    if text not in LEVELS:
        raise NotFound(Text("保证等级", "level of assurance"), text, LEVELS)
    return cast(rules.Level, text)


def _population(context: Context, period: Period) -> pl.DataFrame:
    """Return the activities of a period with emissions (location-based), tier and the confidence of their weakest factor."""
    records = booked(context, period).filter(
        pl.col("regime").is_in(["any", "location"]) & (pl.col("scope") > 0) & ~pl.col("biogenic")
    )
    book = context.workspace.factor_book.by_id
    ranks = {
        joined: min(
            (CONFIDENCES.index(book[name].confidence) for name in re.split(r"[*/]", joined) if name in book),
            default=len(CONFIDENCES) - 1,
        )
        for joined in records["factor_id"].unique()
    }
    ranked = records.with_columns(
        pl.col("factor_id").replace_strict(ranks, return_dtype=pl.Int64).alias("rank")
        if ranks
        else pl.lit(0).alias("rank")
    )
    names = pl.Series(CONFIDENCES)
    summed = ranked.group_by("activity_id", "source_id", "tier").agg(
        pl.col("emissions_gco2e").sum(), pl.col("rank").min()
    )
    return summed.with_columns(names.gather(summed["rank"]).alias("confidence")).drop("rank").sort("activity_id")


def engagement(context: Context, period: Period) -> Engagement:
    """Return the newest plan of a period; raise `NotFound` when there is none."""
    rows = _rows(context, ASSURANCE_SAMPLES, period)
    if rows.is_empty():
        raise NotFound(
            Text("抽样计划(请先运行 zf assurance plan)", "sampling plan (run zf assurance plan)"), period.label
        )
    newest = rows.filter(pl.col("plan_id") == rows["plan_id"][-1])
    head = newest.row(0, named=True)
    return Engagement(
        head["plan_id"], period.label, head["level"], head["verifier"], head["materiality_fraction"], head["seed"],
        tuple(newest.sort("sample_id").to_dicts()),
    )  # fmt: skip


def findings(context: Context, period: Period) -> list[Finding]:
    """Return the findings of a period as they stand."""
    found: dict[str, Finding] = {}
    entries = {}
    for schema_row in _rows(context, ASSURANCE_FINDINGS, period).to_dicts():
        name = schema_row["finding_id"]
        before = found.get(name)
        if before is None:
            entries[name] = min(context.workspace.journal.entries_with(ASSURANCE_FINDINGS, {"finding_id": [name]}))
        texts = (*(before.texts if before else ()), (schema_row["state"], schema_row["text"]))
        found[name] = Finding(
            name, schema_row["state"], schema_row["subject"], schema_row["misstatement_gco2e"], schema_row["material"],
            schema_row["corrected_by"] or (before.corrected_by if before else None), texts, entries[name],
        )  # fmt: skip
    return list(found.values())


def open_finding(
    context: Context, period: Period, subject: str, text: str, misstatement_gco2e: int | None, material: bool = False
) -> Finding:
    """Open a finding. It is material when said so, or when its misstatement reaches the threshold of the plan.

    Raises
    ------
    FaultyData
        There is no text.
    NotFound
        The period has no sampling plan.
    """
    terms = engagement(context, period)
    if not text.strip():
        raise FaultyData([_fault("no_text", "没有写明发现的内容。", "The finding has no text.")])
    threshold = terms.materiality_fraction * abs(_total(context, period))
    grave = material or (misstatement_gco2e is not None and abs(misstatement_gco2e) >= threshold)
    number = len(findings(context, period)) + 1
    row = {
        "finding_id": f"{period.label}-F{number}", "state": "opened", "subject": subject, "material": grave,
        "misstatement_gco2e": misstatement_gco2e, "text": text.strip(), "corrected_by": None,
    }  # fmt: skip
    return _step(context, period, row)


def correct(context: Context, period: Period, finding_id: str, entry: int, text: str) -> Finding:
    """Say that a journal entry corrects a finding: one that came after it and that changes facts.

    Raises
    ------
    FaultyData
        The entry is not there, is older than the finding, or changes no facts; the finding is closed.
    NotFound
        No such finding.
    """
    finding = _named(context, period, finding_id)
    kinds = {row.seq: row.kind for row in context.workspace.journal.entries()}
    problems = []
    if finding.state == "closed":
        problems.append(_closed(finding))
    if entry not in kinds:
        problems.append(_fault("no_entry", f"日记账没有第 {entry} 号凭证。", f"The journal has no entry {entry}."))
    elif entry <= finding.opened_as:
        problems.append(
            _fault(
                "entry_too_old",
                f"第 {entry} 号凭证早于发现(第 {finding.opened_as} 号)。",
                f"Entry {entry} is older than the finding (entry {finding.opened_as}).",
            )
        )
    elif kinds[entry] not in CORRECTING:
        listed = ", ".join(CORRECTING)
        problems.append(
            _fault(
                "entry_kind",
                f"第 {entry} 号凭证是 {kinds[entry]}, 不更正任何数据(应为 {listed})。",
                f"Entry {entry} is '{kinds[entry]}' and corrects nothing (expected one of {listed}).",
            )
        )
    if problems:
        raise FaultyData(problems)
    return _step(context, period, _next(finding, "corrected", text or f"#{entry}") | {"corrected_by": entry})


def close_finding(context: Context, period: Period, finding_id: str, text: str) -> Finding:
    """Close a finding; a material one must have been corrected. Raises `FaultyData` or `NotFound`."""
    finding = _named(context, period, finding_id)
    problems = []
    if finding.state == "closed":
        problems.append(_closed(finding))
    if finding.material and finding.corrected_by is None:
        problems.append(
            _fault(
                "not_corrected",
                f"重大发现 {finding_id} 尚未更正。",
                f"The material finding {finding_id} has not been corrected.",
                Text("请先运行 zf assurance correct --entry。", "Run zf assurance correct --entry first."),
            )
        )
    if not text.strip():
        problems.append(_fault("no_text", "没有写明关闭理由。", "Say why it is closed."))
    if problems:
        raise FaultyData(problems)
    return _step(context, period, _next(finding, "closed", text))


def conclude(context: Context, period: Period, dated: date | None = None) -> dict[str, Any]:
    """Book the statement of the newest plan and return it.

    Raises
    ------
    FaultyData
        A material finding is open, or the open ones together reach the threshold.
    NotFound
        The period has no sampling plan.
    """
    terms, total = engagement(context, period), _total(context, period)
    still = [finding for finding in findings(context, period) if finding.state != "closed"]
    together = sum(abs(finding.misstatement_gco2e or 0) for finding in still)
    grave = [finding.finding_id for finding in still if finding.material]
    if grave or (still and together >= terms.materiality_fraction * abs(total)):
        raise FaultyData([_still_open(grave or [finding.finding_id for finding in still])])
    text = rules.statement_text(terms.level, _facts(context, period, terms, total))
    number = _rows(context, ASSURANCE_STATEMENTS, period).height + 1
    row = {
        "statement_id": f"{period.label}-S{number}", "plan_id": terms.plan_id, "period": period.label,
        "level": terms.level, "verifier": terms.verifier, "dated": (dated or context.today).isoformat(),
        "standard": STANDARD, "regime": load_standard(STANDARD).default_regime, "total_gco2e": total,
        "materiality_fraction": terms.materiality_fraction, "seals": _seals(context, period),
        "text_zh": text.zh, "text_en": text.en,
    }  # fmt: skip
    _append(context, ASSURANCE_STATEMENTS, [row], {"statement": row["statement_id"], "level": terms.level})
    return row


def statements(context: Context, period: Period) -> list[dict[str, Any]]:
    """Return the statements of a period, each with `in_force`: whether the book is still the one it was given on."""
    now = _seals(context, period)
    return [
        {**row, "in_force": row["seals"] == now}
        for row in _rows(context, ASSURANCE_STATEMENTS, period).drop("reverses").to_dicts()
    ]


def for_report(context: Context, period: Period) -> report.Verification | None:
    """Return the newest statement in force for a report, None when there is none or the book was revised since."""
    valid = [row for row in statements(context, period) if row["in_force"]]
    if not valid:
        return None
    newest = valid[-1]
    level = rules.LEVELS[cast(rules.Level, newest["level"])]
    return report.Verification(newest["verifier"], level, date.fromisoformat(newest["dated"]), newest["statement_id"])


def _facts(context: Context, period: Period, terms: Engagement, total: int) -> dict[str, Text]:
    plant, book = context.workspace.plant, load_standard(STANDARD)
    tonnes = f"{round(total / 1e6):,}"
    share = f"{100 * terms.materiality_fraction:g} %"
    return {
        "organisation": plant.organisation.name,
        "plant": plant.name,
        "period": Text(period.label, period.label),
        "total": Text(tonnes, tonnes),
        "standard": book.title,
        "regime": REGIMES[book.default_regime],
        "materiality": Text(share, share),
    }


def _total(context: Context, period: Period) -> int:
    book = load_standard(STANDARD)
    return fold(booked(context, period), book, book.default_regime, "category").total_gco2e


def _seals(context: Context, period: Period) -> str:
    labels = [month.label for month in period.months()]
    found = {s["period"]: s["seal_id"] for s in context.workspace.seals().to_dicts() if s["period"] in labels}
    return json.dumps(found, sort_keys=True)


def _rows(context: Context, schema: TableSchema, period: Period) -> pl.DataFrame:
    return context.workspace.journal.active(schema, {"period": period.label})


def _named(context: Context, period: Period, finding_id: str) -> Finding:
    found = {finding.finding_id: finding for finding in findings(context, period)}
    if finding_id not in found:
        raise NotFound(Text("发现", "finding"), finding_id, list(found))
    return found[finding_id]


def _next(finding: Finding, state: str, text: str) -> dict[str, object]:
    return {
        "finding_id": finding.finding_id, "state": state, "subject": finding.subject, "material": finding.material,
        "misstatement_gco2e": finding.misstatement_gco2e, "text": text.strip(), "corrected_by": None,
    }  # fmt: skip


def _step(context: Context, period: Period, row: Mapping[str, object]) -> Finding:
    steps = _rows(context, ASSURANCE_FINDINGS, period).filter(pl.col("finding_id") == row["finding_id"]).height
    event = {
        **row, "event_id": f"{row['finding_id']}.{steps + 1}", "period": period.label, "actor": context.actor,
        "at": context.at,
    }  # fmt: skip
    _append(context, ASSURANCE_FINDINGS, [event], {"finding": row["finding_id"], "state": row["state"]})
    return _named(context, period, str(row["finding_id"]))


def _append(context: Context, schema: TableSchema, rows: list[dict[str, Any]], payload: dict[str, object]) -> None:
    workspace = context.workspace
    with workspace.locked(), workspace.journal.writing(at=context.at, kind="assurance", actor=context.actor) as writer:
        writer.append(schema, schema.frame(rows))
        writer.append(RUNS, run_row("assurance", context, payload, schema.name, len(rows)))
        writer.payload = payload


def _still_open(names: list[str]) -> Problem:
    listed = ", ".join(names)
    return _fault(
        "findings_open",
        f"仍有未关闭的重大发现: {listed}。",
        f"Material findings are still open: {listed}.",
        Text("请先更正并关闭, 再出具声明。", "Correct and close them before the statement."),
    )


def _closed(finding: Finding) -> Problem:
    return _fault("closed", f"{finding.finding_id} 已关闭。", f"{finding.finding_id} is closed.")


def _fault(code: str, zh: str, en: str, hint: Text | None = None) -> Problem:
    return Problem(f"assurance.{code}", Text(zh, en), hint or Text("请补正后重试。", "Mend it and try again."))
