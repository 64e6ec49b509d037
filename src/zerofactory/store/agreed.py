"""Facts that people agree on about a closed period: the base year fixed, and the assurance given. Append-only like the rest."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


def _fraction(name: str, zh: str, en: str) -> Column:
    return Column(name, "number", Text(zh, en), unit="fraction", minimum=0.0, maximum=1.0)


def _grams(name: str, zh: str, en: str, *, nullable: bool = False) -> Column:
    return Column(name, "integer", Text(zh, en), unit="gCO2e", nullable=nullable)


LEVELS = ("limited", "reasonable")
STATES = ("opened", "corrected", "closed")

BASE_YEARS = TableSchema(
    "base_years",
    Text("基准年", "base years"),
    (
        _text("base_year_id", "编号", "id"),
        _text("period", "期间", "period"),
        Column("version", "integer", Text("版次", "version"), minimum=0),
        _text("fixed_at", "固定时间", "fixed at"),
        _text("standard", "标准", "standard"),
        _text("regime", "口径", "claim regime"),
        _text("gwp_set", "GWP来源", "GWP set"),
        _grams("total_gco2e", "合计", "total"),
        _text("seals", "封存号(JSON: 月份→封存号)", "seals (JSON: month → seal)"),
        _fraction("threshold_fraction", "重算阈值", "threshold of recalculation"),
        _text("triggers", "触发条件", "triggers"),
        _text("reason", "原因", "reason", nullable=True),
    ),
    ("base_year_id",),
)

ASSURANCE_SAMPLES = TableSchema(
    "assurance_samples",
    Text("核查抽样", "samples of an assurance engagement"),
    (
        _text("sample_id", "编号", "id"),
        _text("plan_id", "抽样计划", "sampling plan"),
        _text("period", "期间", "period"),
        _text("level", "保证等级", "level of assurance", choices=LEVELS),
        _text("verifier", "核查机构", "verifier"),
        _fraction("materiality_fraction", "重要性阈值", "materiality threshold"),
        Column("seed", "integer", Text("随机种子", "seed")),
        _text("seals", "封存号(JSON)", "seals (JSON)"),
        _text("activity_id", "活动数据编号", "activity"),
        _text("source_id", "排放源", "source"),
        _grams("emissions_gco2e", "排放量", "emissions"),
        _fraction("inherent_risk_fraction", "固有风险", "inherent risk"),
        _fraction("control_risk_fraction", "控制风险", "control risk"),
        _text("reason_zh", "入样理由", "why it was drawn (Chinese)"),
        _text("reason_en", "入样理由(英文)", "why it was drawn"),
    ),
    ("sample_id",),
)

ASSURANCE_FINDINGS = TableSchema(
    "assurance_findings",
    Text("核查发现", "findings of an assurance engagement"),
    (
        _text("event_id", "编号", "id"),
        _text("finding_id", "发现编号", "finding"),
        _text("period", "期间", "period"),
        _text("state", "状态", "state", choices=STATES),
        _text("subject", "对象", "subject"),
        _grams("misstatement_gco2e", "错报量", "misstatement", nullable=True),
        Column("material", "flag", Text("重大", "material")),
        Column("corrected_by", "integer", Text("更正凭证号", "journal entry of the correction"), nullable=True),
        _text("text", "说明", "text"),
        _text("actor", "经手人", "who"),
        _text("at", "时间", "at"),
    ),
    ("event_id",),
)

ASSURANCE_STATEMENTS = TableSchema(
    "assurance_statements",
    Text("核查声明", "assurance statements"),
    (
        _text("statement_id", "编号", "id"),
        _text("plan_id", "抽样计划", "sampling plan"),
        _text("period", "期间", "period"),
        _text("level", "保证等级", "level of assurance", choices=LEVELS),
        _text("verifier", "核查机构", "verifier"),
        _text("dated", "日期", "date"),
        _text("standard", "标准", "standard"),
        _text("regime", "口径", "claim regime"),
        _grams("total_gco2e", "合计", "total"),
        _fraction("materiality_fraction", "重要性阈值", "materiality threshold"),
        _text("seals", "封存号(JSON)", "seals (JSON)"),
        _text("text_zh", "声明", "statement (Chinese)"),
        _text("text_en", "声明(英文)", "statement"),
    ),
    ("statement_id",),
)

AGREED: tuple[TableSchema, ...] = (BASE_YEARS, ASSURANCE_SAMPLES, ASSURANCE_FINDINGS, ASSURANCE_STATEMENTS)
