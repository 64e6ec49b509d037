"""Purposes: what units are reserved, retired and claimed for; the tables of what must be shown for it; every fact table of the room."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from zerofactory.errors import Text
from zerofactory.instruments.batch import INSTRUMENT_BATCHES
from zerofactory.instruments.book import TRANSFERS
from zerofactory.instruments.rule import USES
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

OUTCOMES = ("done", "infeasible", "open")
TOPICS: dict[str, Text] = {
    "plan": Text("已批准的碳中和管理计划", "approved neutrality management plan"),
    "disclosure": Text("公开披露", "public disclosure"),
    "boundary": Text("边界说明", "statement of the boundary"),
}


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


def _grams(name: str, zh: str, en: str) -> Column:
    return Column(name, "integer", Text(zh, en), unit="gCO2e")


PURPOSES = TableSchema(
    "purposes",
    Text("权益用途", "purposes of instruments"),
    (
        _text("claim_id", "主张编号", "claim"),
        _text("use", "用途", "use", choices=tuple(USES)),
        _text("standard", "标准", "standard"),
        _text("period", "期间", "period"),
        _text("beneficiary", "受益方", "beneficiary"),
        _text("site", "厂区", "site"),
        _text("product", "产品", "product"),
        Column("obligation", "integer", Text("应清缴配额", "allowances to surrender"), unit="tCO2", nullable=True),
        _text("reason", "原因", "reason"),
        _text("actor", "经手人", "who"),
        _text("at", "时间", "at"),
    ),
    ("claim_id",),
)

REDUCTIONS = TableSchema(
    "reductions",
    Text("减排措施完成情况", "what became of reduction measures"),
    (
        _text("reduction_id", "编号", "id"),
        _text("period", "期间", "period"),
        _text("measure", "措施", "measure"),
        _text("title", "名称", "title"),
        _text("outcome", "结果", "outcome", choices=OUTCOMES),
        Column("reduction_gco2e", "integer", Text("减排量", "reduction"), unit="gCO2e", nullable=True, minimum=0),
        _text("reason", "说明", "reason"),
        _text("file_name", "证据文件", "evidence file"),
        _text("evidence", "证据哈希", "SHA-256 of the evidence"),
        _text("actor", "经手人", "who"),
        _text("at", "时间", "at"),
    ),
    ("reduction_id",),
)

DECLARATION_EVIDENCE = TableSchema(
    "declaration_evidence",
    Text("声明的证据", "evidence of a declaration"),
    (
        _text("evidence_id", "编号", "id"),
        _text("standard", "标准", "standard"),
        _text("period", "期间", "period"),
        _text("topic", "主题", "topic", choices=tuple(TOPICS)),
        _text("text", "说明或网址", "text or address"),
        _text("dated", "日期", "date"),
        _text("file_name", "文件", "file"),
        _text("evidence", "文件哈希", "SHA-256 of the file"),
        _text("actor", "经手人", "who"),
        _text("at", "时间", "at"),
    ),
    ("evidence_id",),
)


DECLARATIONS = TableSchema(
    "declarations",
    Text("碳中和声明", "declarations of neutrality"),
    (
        _text("declaration_id", "声明编号", "declaration"),
        _text("standard", "标准", "standard"),
        _text("period", "期间", "period"),
        _text("dated", "日期", "date"),
        _text("seals", "封存号(JSON)", "seals (JSON)"),
        _grams("gross_gco2e", "总量", "gross"),
        _grams("reduced_gco2e", "已减排", "reduced"),
        _grams("removals_gco2e", "边界内清除", "removals inside the boundary"),
        _grams("residual_gco2e", "剩余", "residual"),
        _grams("offset_gco2e", "已抵消", "offset"),
        _text("claims", "主张编号(JSON)", "claims (JSON)"),
        _text("text_zh", "声明文字", "statement (Chinese)"),
        _text("text_en", "声明文字(英文)", "statement"),
        _text("actor", "经手人", "who"),
    ),
    ("declaration_id",),
)

INSTRUMENT_FACTS: tuple[TableSchema, ...] = (
    INSTRUMENT_BATCHES, TRANSFERS, PURPOSES, REDUCTIONS, DECLARATION_EVIDENCE, DECLARATIONS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a claim is for.

    Parameters
    ----------
    period : str
        Label of the year or month the claim is about.
    standard : str
        Of a neutrality claim: the standard it is made under; else empty.
    obligation : int or None
        Of ETS compliance: allowances to surrender, in tCO2.
    """

    claim_id: str
    use: str
    standard: str
    period: str
    beneficiary: str
    site: str
    product: str
    obligation: int | None
    reason: str
    actor: str
    at: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one measure in a period; ``evidence`` is the hash of the file that shows it, or empty."""

    period: str
    measure: str
    title: str
    outcome: str
    reduction_gco2e: int | None
    reason: str
    file_name: str
    evidence: str


def purposes_of(frame: pl.DataFrame) -> dict[str, Purpose]:
    """Return the purposes of a frame of PURPOSES by claim."""
    return {row["claim_id"]: Purpose(**_kept(row, Purpose)) for row in frame.iter_rows(named=True)}


def outcomes_of(frame: pl.DataFrame) -> list[Outcome]:
    """Return what became of each measure last, in the order in which they were first told."""
    newest = {(row["period"], row["measure"]): Outcome(**_kept(row, Outcome)) for row in frame.iter_rows(named=True)}
    return list(newest.values())


def _kept(row: dict[str, Any], form: type) -> dict[str, Any]:
    return {one.name: row[one.name] for one in fields(form)}
