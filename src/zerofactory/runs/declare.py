"""Declare carbon neutrality for a period: every requirement of the standard is checked, then the declaration is booked and set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import polars as pl

from zerofactory import __version__, units
from zerofactory.accounting.claims import ELECTRICITY, EMISSIONS
from zerofactory.errors import FaultyData, Language, Problem, Text
from zerofactory.instruments.batch import Batch
from zerofactory.instruments.claiming import CONTRACT
from zerofactory.instruments.eligibility import refusals
from zerofactory.instruments.kind import kinds
from zerofactory.instruments.neutrality import (
    Balance,
    Case,
    NeutralityStandard,
    Requirement,
    neutrality_standard,
    unmet,
)
from zerofactory.instruments.purpose import DECLARATIONS
from zerofactory.instruments.reduce_first import Gate
from zerofactory.periods import Period
from zerofactory.reporting import declaration as page
from zerofactory.runs import assurance, neutral
from zerofactory.runs.context import Context, run_row
from zerofactory.runs.declared_pages import LANGUAGES, refuse_suffix
from zerofactory.runs.instrument_book import Ledger, ledger, setting
from zerofactory.standards.load import standard as load_standard
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.schema import ACTIVITIES, RUNS

SCOPES = {
    "1+2": Text("范围一、二", "scopes 1 and 2"),
    "all": Text("范围一、二及已量化的价值链", "scopes 1 and 2 and the value chain as quantified"),
}
WH_PER_MWH = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a period stands under a standard: its case, gate, balance and what is not met."""

    standard: NeutralityStandard
    case: Case
    gate: Gate
    problems: tuple[Problem, ...]

    @property
    def balance(self) -> Balance | None:
        """The balance, None while the period is open."""
        return self.case.balance

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        balance = self.balance
        numbers: dict[str, object] | None = None
        if balance is not None:
            names = ("gross", "reduced", "removals", "residual", "uncovered")
            numbers = {f"{name}_gco2e": getattr(balance, f"{name}_gco2e") for name in names}
            numbers |= {
                "offset_gco2e": dict(balance.offset_gco2e), "reduced_fraction": balance.reduced_fraction,
                "offset_fraction": balance.offset_fraction,
            }  # fmt: skip
        return {
            "standard": self.standard.id,
            "period": self.case.period,
            "balance": numbers,
            "ready": not self.problems,
            "problems": [problem.as_json() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration that was made."""

    declaration: page.Declaration
    text: Text
    file: str | None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        made, balance = self.declaration, self.declaration.balance
        return {
            "declaration": made.declaration_id,
            "standard": made.standard.id,
            "period": made.period,
            "declared_on": made.declared_on.isoformat(),
            "balance": {
                "gross_gco2e": balance.gross_gco2e, "reduced_gco2e": balance.reduced_gco2e,
                "removals_gco2e": balance.removals_gco2e, "residual_gco2e": balance.residual_gco2e,
                "offset_gco2e": balance.offset_gco2e, "reduced_fraction": balance.reduced_fraction,
                "offset_fraction": balance.offset_fraction, "location_gco2e": balance.location_gco2e,
                "market_gco2e": balance.market_gco2e, "base_period": balance.base_period,
            },
            "instruments": [
                {
                    "kind": one.kind.en, "batch": one.batch, "serials": one.serials, "amount": one.amount,
                    "unit": one.unit, "vintage": one.vintage, "retired_on": one.retired_on.isoformat() if one.retired_on else None,
                    "certificate": one.certificate or None, "offsets": one.offsets,
                }
                for one in made.instruments
            ],
            "statement": {"zh": self.text.zh, "en": self.text.en},
            "file": self.file,
        }  # fmt: skip


def standing(context: Context, period: Period, standard_id: str, found: Ledger | None = None) -> Standing:
    """Return where a period stands: everything that keeps it from being declared, all at once, each with its clause.

    Raises
    ------
    NotFound
        Unknown standard.
    """
    standard = neutrality_standard(standard_id)
    book = found or ledger(context.workspace)
    case = neutral.case_of(context, book, standard, period, context.today)
    gate = neutral.gate_of(context, standard, period)
    needed = case.balance is None or case.balance.residual_gco2e > 0
    problems = [*unmet(case), *(gate.problems if needed else ()), *_credits(context, book, standard, period)]
    return Standing(standard, case, gate, tuple(dict.fromkeys(problems)))


def _credits(context: Context, found: Ledger, standard: NeutralityStandard, period: Period) -> list[Problem]:
    """Return why credits that were claimed are not eligible, judged again on the day they were retired."""
    problems: list[Problem] = []
    for purpose, batch, retired_on in _offset_batches(found, standard, period):
        facts = replace(setting(context, found), on=retired_on)
        problems += refusals(batch, found.purposes[purpose], facts, standard.at("offset"))
    return problems


def _offset_batches(found: Ledger, standard: NeutralityStandard, period: Period) -> list[tuple[str, Batch, date]]:
    return [
        (claim, batch, date.fromisoformat(row["retired_on"]))
        for claim, batch, row in _claimed(found, EMISSIONS, period)
        if found.purposes[claim].standard == standard.id
    ]


def _claimed(found: Ledger, covers: str, period: Period) -> list[tuple[str, Batch, dict[str, str]]]:
    """Return the claims that stand for a period: the claim, its batch and its row of CLAIMS."""
    labels = [month.label for month in period.months()] if covers == ELECTRICITY else [period.label]
    rows = found.claims.filter((pl.col("covers") == covers) & pl.col("period").is_in(labels))
    made = []
    for row in rows.iter_rows(named=True):
        claim, _, transfer = str(row["claim_id"]).partition(".")
        if claim in found.purposes and transfer in found.book.transfers:
            made.append((claim, found.holdings.batches[found.book.transfers[transfer].batch_id], row))
    return made


@dataclass(frozen=True, slots=True)
class Made:
    """A declaration in the book; it stands while the seals it was made on are in force and its credits stay claimed."""

    declaration_id: str
    standard: str
    period: str
    dated: str
    stands: bool

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "declaration": self.declaration_id, "standard": self.standard, "period": self.period, "dated": self.dated,
            "stands": self.stands,
        }  # fmt: skip


def made_before(context: Context, period: Period, standard_id: str) -> list[Made]:
    """Return the declarations of a period under a standard, oldest first."""
    rows = context.workspace.journal.rows(DECLARATIONS, {"period": period.label, "standard": standard_id})
    seals = {one["period"]: one["seal_id"] for one in context.workspace.seals().to_dicts()}
    standing_claims = {name.partition(".")[0] for name in ledger(context.workspace).claims["claim_id"]}
    return [
        Made(
            row["declaration_id"], row["standard"], row["period"], row["dated"],
            all(seals.get(month) == seal for month, seal in json.loads(row["seals"]).items())
            and set(json.loads(row["claims"])) <= standing_claims,
        )
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip


def declare(
    context: Context, period: Period, standard_id: str, out: Path | None, language: Language = "zh"
) -> Declared:
    """Make the declaration of a period: book it, keep its pages in both languages, and write them if a file is named.

    Raises
    ------
    FaultyData
        A requirement is not met; every reason is listed with its clause and nothing is written.
    NotFound
        Unknown standard.
    """
    refuse_suffix(out)
    with context.workspace.locked():
        found = ledger(context.workspace)
        state = standing(context, period, standard_id, found)
        if state.problems or state.balance is None:
            raise FaultyData(state.problems)
        count = context.workspace.journal.rows(DECLARATIONS).height
        made = _filled(context, found, state, period, f"{period.label}-N{count + 1}")
        text = page.wording(made)
        kept = {each: page.render_declaration(made, each) for each in LANGUAGES}
        _book(context, made, text, found, period, kept)
        if out is not None:
            write_bytes_whole(out, kept[language])
    return Declared(made, text, str(out) if out else None)


def draft(context: Context, period: Period, standard_id: str, language: Language = "zh") -> list[bytes]:
    """Return the pages of the declaration as PNG as it would be made now; nothing is booked. Raises as `declare`."""
    found = ledger(context.workspace)
    state = standing(context, period, standard_id, found)
    if state.problems or state.balance is None:
        raise FaultyData(state.problems)
    return pages(_filled(context, found, state, period, f"{period.label} (draft)"), language)


def pages(declaration: page.Declaration, language: Language = "zh") -> list[bytes]:
    """Return the pages of a declaration as PNG, to be looked at."""
    return page.declaration_png(declaration, language)


def demands(state: Standing) -> tuple[tuple[Requirement, bool], ...]:
    """Return every mandatory requirement of the standard and whether it is met."""
    refused = {problem.code for problem in state.problems}
    return tuple((one, f"declare.{one.id}" not in refused) for one in state.standard.requirements if one.mandatory)


def _book(
    context: Context, made: page.Declaration, text: Text, found: Ledger, period: Period, pages: Mapping[Language, bytes]
) -> None:
    workspace, balance = context.workspace, made.balance
    digests = {language: hashlib.sha256(content).hexdigest() for language, content in pages.items()}
    for language, content in pages.items():
        workspace.evidence.keep(content, digests[language], ".pdf")
    labels = [month.label for month in period.months()]
    seals = {one["period"]: one["seal_id"] for one in workspace.seals().to_dicts() if one["period"] in labels}
    own = {claim for claim, _, _ in _claimed(found, EMISSIONS, period)}
    claims = sorted(claim for claim in own if found.purposes[claim].standard == made.standard.id)
    row: dict[str, object] = {
        "declaration_id": made.declaration_id, "standard": made.standard.id, "period": made.period,
        "dated": made.declared_on.isoformat(), "seals": json.dumps(seals, sort_keys=True),
        "gross_gco2e": balance.gross_gco2e, "reduced_gco2e": balance.reduced_gco2e,
        "removals_gco2e": balance.removals_gco2e, "residual_gco2e": balance.residual_gco2e,
        "offset_gco2e": balance.offset_gco2e, "claims": json.dumps(claims), "text_zh": text.zh, "text_en": text.en,
        "actor": context.actor,
    }  # fmt: skip
    told: dict[str, object] = {"declaration": made.declaration_id, "standard": made.standard.id, "pages": digests}
    with workspace.journal.writing(at=context.at, kind="declare", actor=context.actor) as writer:
        writer.append(DECLARATIONS, DECLARATIONS.frame([row]))
        writer.append(RUNS, run_row("declare", context, told, seals, balance.offset_gco2e))
        writer.payload = told


def _filled(context: Context, found: Ledger, state: Standing, period: Period, name: str) -> page.Declaration:
    """Return the declaration as plain values."""
    plant, standard = context.workspace.plant, state.standard
    last = context.workspace.journal.last()
    verified = assurance.for_report(context, period)
    files = {str(row["topic"]): row for row in neutral.evidence(context, standard.id, period)}
    shown = files.get("disclosure", {})
    nothing = Text("—", "—")
    return page.Declaration(
        declaration_id=name,
        organisation=plant.organisation.name,
        plant=plant.name,
        boundary=plant.boundary.description or nothing,
        scope=SCOPES[standard.scope],
        period=period.label,
        days=(period.first_day, period.next_first_day - timedelta(days=1)),
        standard=page.DeclaredStandard(standard.id, standard.title, standard.status, standard.note),
        inventory_standard=load_standard(standard.inventory).title,
        gwp_set=neutral.footprint(context, period, standard).gwp_set,
        balance=_balance(context, state, period),
        instruments=(*_instruments(found, standard, period), *_contracts(context, found, period)),
        measures=_measures(state.gate),
        requirements=_requirements(state, files, verified.reference if verified else None),
        verifier=verified.verifier if verified else "—",
        assurance=verified.level if verified else nothing,
        disclosure=str(shown.get("text") or shown.get("file_name") or "—"),
        declared_on=context.today,
        book=last.hash if last else "",
        code_version=__version__,
        fictional=plant.fictional,
    )


def _balance(context: Context, state: Standing, period: Period) -> page.DeclaredBalance:
    balance = cast(Balance, state.balance)
    made, base = neutral.footprint(context, period, state.standard), neutral.base_of(context, period, state.standard)
    return page.DeclaredBalance(
        balance.gross_gco2e, balance.reduced_gco2e, balance.removals_gco2e, balance.residual_gco2e,
        balance.offset_total_gco2e, balance.reduced_fraction, balance.offset_fraction,
        made.regimes_gco2e["location"], made.regimes_gco2e["market_annual"], base.period if base else None,
    )  # fmt: skip


def _instruments(found: Ledger, standard: NeutralityStandard, period: Period) -> tuple[page.Instrument, ...]:
    made = []
    for covers in (EMISSIONS, ELECTRICITY):
        for claim, batch, row in _claimed(found, covers, period):
            if covers == EMISSIONS and found.purposes[claim].standard != standard.id:
                continue
            amount = int(row["amount_gco2e"] or row["amount_wh"]) // WH_PER_MWH
            made.append(
                page.Instrument(
                    batch.rules.title, batch.batch_id, batch.project_name or batch.project_id, batch.vintage,
                    row["serials"], amount, batch.rules.unit, date.fromisoformat(row["retired_on"]),
                    row["document"] or "", covers == EMISSIONS,
                )
            )  # fmt: skip
    return tuple(made)


def _contracts(context: Context, found: Ledger, period: Period) -> list[page.Instrument]:
    """Return contracts of green power that documents booked by themselves, beside those of the ledger."""
    labels, claimed = [month.label for month in period.months()], set(found.claims["claim_id"])
    rows = context.workspace.journal.active(ACTIVITIES, {"source_kind": CONTRACT, "period": labels})
    made = []
    for row in rows.sort("period", "activity_id").iter_rows(named=True):
        if row["document"] in claimed:
            continue
        use = context.workspace.plant.source(row["source_id"])
        detail = {**use.detail, **json.loads(row["detail"])}
        amount = round(units.convert(row["quantity"], row["unit"], "MWh"))
        serials = str(detail.get("serials") or "—")
        name = kinds()[kind].title if (kind := str(detail.get("instrument_kind"))) in kinds() else use.name
        document = str(row["document"] or row["activity_id"])
        made.append(
            page.Instrument(name, document, use.name.zh, row["period"], serials, amount, "MWh", None, document, False)
        )
    return made


def _measures(gate: Gate) -> tuple[page.Measure, ...]:
    return tuple(
        page.Measure(one.title, page.OUTCOMES[one.outcome], one.reduction_gco2e, one.reason)
        for one in (*gate.done, *gate.infeasible)
    )


def _requirements(state: Standing, files: dict[str, dict[str, object]], verified: str | None) -> tuple[page.Met, ...]:
    """Return every mandatory requirement, which is met by now, with what shows it."""
    made = []
    for one in state.standard.requirements:
        if one.mandatory:
            made.append(page.Met(one.text, one.clause, one.status, _shown_by(one, state, files, verified)))
    return tuple(made)


def _shown_by(one: Requirement, state: Standing, files: dict[str, dict[str, object]], verified: str | None) -> Text:
    """Return what shows that a requirement is met."""
    if one.test == "evidence":
        row = files.get(one.value, {})
        named = " ".join(
            str(part) for part in (row.get("evidence_id"), row.get("text") or row.get("file_name")) if part
        )
        return Text(named, named)
    if one.test == "verified":
        return Text(verified or "", verified or "")
    if one.test == "reduce_first":
        done, infeasible = len(state.gate.done), len(state.gate.infeasible)
        if state.gate.exempt:
            return Text("首个申请期", "first application period")
        return Text(f"{done} 项完成, {infeasible} 项不可行", f"{done} done, {infeasible} infeasible")
    return one.evidence
