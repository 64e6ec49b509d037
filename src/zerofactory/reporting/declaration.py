"""Declaration of carbon neutrality: what it says, its wording in Chinese and English, and its page as PDF.

Filled by a run from the book, and only when every requirement of the standard is met. The page shows the balance, the share
reduced and the share offset, every unit that was retired with its serials, and the clause behind each requirement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.resources import files

import typst

from zerofactory.errors import Language, Misuse, Text
from zerofactory.reporting.figures import formula, percent, tonnes
from zerofactory.reporting.fonts import FAMILY, typesetting_fonts

GRAMS_PER_TONNE = 1_000_000


@dataclass(frozen=True, slots=True)
class DeclaredStandard:
    """The standard declared under. ``status`` is in_force, withdrawn or proposal; ``note`` is printed beneath the title."""

    id: str
    title: Text
    status: str
    note: Text


@dataclass(frozen=True, slots=True)
class DeclaredBalance:
    """The neutrality balance in gCO2e; ``base_period`` is the year that reductions are counted from, if any.

    gross = residual + reduced + removals, as far as removals do not exceed the footprint.
    """

    gross_gco2e: int
    reduced_gco2e: int
    removals_gco2e: int
    residual_gco2e: int
    offset_gco2e: int
    reduced_fraction: float
    offset_fraction: float
    location_gco2e: int
    market_gco2e: int
    base_period: str | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """Units retired for the claim: kind, batch, project, vintage, serials, how many, in which unit, when and by which certificate.

    ``offsets`` tells credits that offset residual emissions from certificates that cover electricity.
    """

    kind: Text
    batch: str
    project: str
    vintage: str
    serials: str
    amount: int
    unit: str
    retired_on: date | None
    certificate: str
    offsets: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """One reduction measure of the period: done with what it saved, or infeasible with the reason."""

    title: str
    outcome: Text
    reduction_gco2e: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Met:
    """One requirement that is met: its text, clause, how well the clause is known, and what shows it."""

    text: Text
    clause: str
    status: str
    evidence: Text


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything a declaration says."""

    declaration_id: str
    organisation: Text
    plant: Text
    boundary: Text
    scope: Text
    period: str
    days: tuple[date, date]
    standard: DeclaredStandard
    inventory_standard: Text
    gwp_set: str
    balance: DeclaredBalance
    instruments: tuple[Instrument, ...]
    measures: tuple[Measure, ...]
    requirements: tuple[Met, ...]
    verifier: str
    assurance: Text
    disclosure: str
    declared_on: date
    book: str
    code_version: str
    fictional: bool


READ = {
    "verified": Text("已核", "verified"),
    "secondary": Text("二手来源", "secondary"),
    "placeholder": Text("待核", "to be checked"),
}
OUTCOMES = {"done": Text("已完成", "done"), "infeasible": Text("不可行", "infeasible"), "open": Text("未完成", "open")}


def wording(declaration: Declaration) -> Text:
    """Return the text of the statement: subject, boundary, period, standard, what was reduced and what offset.

    Raises
    ------
    Misuse
        The balance does not add up, or is above zero: such a declaration is never worded.
    """
    verify_balance(declaration)
    balance = declaration.balance
    residual, offset = tonnes(balance.residual_gco2e), tonnes(balance.offset_gco2e)
    reduced, share = percent(balance.reduced_fraction), percent(balance.offset_fraction)
    base = balance.base_period
    since = (f"自 {base} 年基准", f" since the base year {base}") if base else ("", "")
    standard, boundary = declaration.standard.title, declaration.boundary
    zh = (
        f"{declaration.organisation.zh}声明: “{declaration.plant.zh}”({declaration.scope.zh}; 边界: {boundary.zh.rstrip('。')})"
        f"在 {declaration.days[0]} 至 {declaration.days[1]} 期间按照《{standard.zh}》实现碳中和。"
        f"总量 {tonnes(balance.gross_gco2e)} tCO2e, 其中{since[0]}减排与清除 {reduced}; "
        f"剩余排放 {residual} tCO2e(占 {share})由注销的碳信用 {offset} tCO2e 抵消。"
    )
    en = (
        f"{declaration.organisation.en} declares that {declaration.plant.en} ({declaration.scope.en}; boundary: "
        f"{boundary.en.rstrip('.')}) was carbon neutral from {declaration.days[0]} to {declaration.days[1]} in accordance "
        f"with {standard.en}. Of a gross amount of {tonnes(balance.gross_gco2e)} tCO2e, {reduced} was reduced or removed"
        f"{since[1]}; the residual of {residual} tCO2e ({share}) was offset by {offset} tCO2e of retired carbon credits."
    )
    return Text(zh, en)


def verify_balance(declaration: Declaration) -> None:
    """Raise `Misuse` when the balance of a declaration does not add up or is not neutral; runs before every page."""
    balance = declaration.balance
    listed = sum(one.amount for one in declaration.instruments if one.offsets) * GRAMS_PER_TONNE
    wrong = []
    if balance.gross_gco2e - balance.reduced_gco2e - balance.removals_gco2e > balance.residual_gco2e:
        wrong.append("gross, reductions and removals leave more than the residual")
    if listed != balance.offset_gco2e:
        wrong.append(f"credits listed {listed} g, offset {balance.offset_gco2e} g")
    if balance.residual_gco2e > balance.offset_gco2e:
        wrong.append("the residual is not covered")
    if wrong:
        raise Misuse(f"declaration {declaration.declaration_id}: {'; '.join(wrong)}")


def render_declaration(declaration: Declaration, language: Language = "zh") -> bytes:
    """Return the declaration as PDF, both languages of the statement on it. The same declaration gives the same bytes."""
    return typst.compile(
        (files("zerofactory.reporting") / "declaration.typ").read_bytes(),
        sys_inputs={"data": json.dumps(_data(declaration, language), ensure_ascii=False)},
        font_paths=typesetting_fonts(),
        ignore_system_fonts=True,
        timestamp=datetime.combine(declaration.declared_on, time(), UTC),
    )


def declaration_png(declaration: Declaration, language: Language = "zh", pixels_per_inch: float = 100.0) -> list[bytes]:
    """Return the pages of a declaration as PNG, to be looked at."""
    made = typst.compile(
        (files("zerofactory.reporting") / "declaration.typ").read_bytes(),
        sys_inputs={"data": json.dumps(_data(declaration, language), ensure_ascii=False)},
        format="png",
        ppi=pixels_per_inch,
        font_paths=typesetting_fonts(),
        ignore_system_fonts=True,
    )
    return list(made) if isinstance(made, list) else [made]


def _data(declaration: Declaration, language: Language) -> dict[str, object]:
    """Return everything the page shows as strings."""

    def say(text: Text) -> str:
        return text.in_language(language)

    text, balance = wording(declaration), declaration.balance
    offsets = [one for one in declaration.instruments if one.offsets]
    covers = [one for one in declaration.instruments if not one.offsets]
    return {
        "language": language,
        "font": FAMILY,
        "fictional": declaration.fictional,
        "id": declaration.declaration_id,
        "organisation": say(declaration.organisation),
        "plant": say(declaration.plant),
        "plant_beside": declaration.plant.en if language == "zh" else "",
        "standard": say(declaration.standard.title),
        "status": declaration.standard.status,
        "note": say(declaration.standard.note),
        "period": declaration.period,
        "days": f"{declaration.days[0].isoformat()} – {declaration.days[1].isoformat()}",
        "boundary": say(declaration.boundary),
        "scope": say(declaration.scope),
        "inventory": f"{say(declaration.inventory_standard)} · {declaration.gwp_set}",
        "declared_on": declaration.declared_on.isoformat(),
        "statement": [text.zh, text.en],
        "balance": _balance_rows(balance, offsets, language),
        "shares": [percent(balance.reduced_fraction), percent(balance.offset_fraction)],
        "views": [tonnes(balance.location_gco2e), tonnes(balance.market_gco2e)],
        "base": balance.base_period or "",
        "offsets": _instrument_rows(offsets, language),
        "covers": _instrument_rows(covers, language),
        "measures": [
            [one.title, say(one.outcome), tonnes(one.reduction_gco2e) if one.reduction_gco2e is not None else "—", one.reason]
            for one in declaration.measures
        ],
        "requirements": [[one.clause, say(one.text), say(one.evidence), say(READ[one.status])] for one in declaration.requirements],
        "verifier": declaration.verifier,
        "assurance": say(declaration.assurance),
        "disclosure": declaration.disclosure,
        "book": declaration.book,
        "code_version": declaration.code_version,
    }  # fmt: skip


def _balance_rows(balance: DeclaredBalance, offsets: Sequence[Instrument], language: Language) -> list[list[str]]:
    def row(zh: str, en: str, grams: int, strong: bool = False) -> list[str]:
        return [zh if language == "zh" else en, tonnes(grams), "strong" if strong else ""]

    kinds: dict[str, int] = {}
    for one in offsets:
        name = one.kind.in_language(language)
        kinds[name] = kinds.get(name, 0) + one.amount * GRAMS_PER_TONNE
    rows = [row("总量(足迹与已减排)", "Gross (footprint and reductions)", balance.gross_gco2e)]
    rows.append(row("自基准年以来的减排", "Reduced since the base year", -balance.reduced_gco2e))
    if balance.removals_gco2e:
        rows.append(row("边界内的清除", "Removals inside the boundary", -balance.removals_gco2e))
    rows.append(row("剩余排放", "Residual emissions", balance.residual_gco2e, True))
    rows += [
        [f"{'抵消: ' if language == 'zh' else 'Offset: '}{name}", tonnes(-grams), ""] for name, grams in kinds.items()
    ]
    left = (
        balance.residual_gco2e - balance.offset_gco2e
    )  # at or below zero; less than a tonne over is rounding up to units
    rows.append(row("中和余额", "Neutrality balance", 0 if left > -GRAMS_PER_TONNE else left, True))
    return rows


def _instrument_rows(instruments: Sequence[Instrument], language: Language) -> list[list[str]]:
    return [
        [
            one.kind.in_language(language), one.project, one.vintage, one.serials, f"{one.amount:,}",
            formula(one.unit) if one.unit.isalnum() else one.unit, one.retired_on.isoformat() if one.retired_on else "—", one.certificate or "—",
        ]
        for one in instruments
    ]  # fmt: skip
