"""The table of attestations: who says what about a criterion or an amount, and which file shows it."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

STATES = ("met", "not_met", "not_applicable", "amount")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


ATTESTATIONS = TableSchema(
    "attestations",
    Text("评价证明", "attestations"),
    (
        _text("attestation_id", "编号", "id"),
        _text("period", "期间", "period"),
        _text("subject", "对象(标准/条款, 或数量)", "subject (standard/criterion, or amount)"),
        _text("state", "状态", "state", choices=STATES),
        Column("value", "number", Text("数值", "value"), nullable=True),
        _text("unit", "单位", "unit", nullable=True),
        Column(
            "half_width_fraction",
            "number",
            Text("相对半宽(95 %)", "relative half-width (95 %)"),
            unit="fraction",
            minimum=0.0,
        ),
        _text("evidence", "文件SHA-256", "SHA-256 of the file", nullable=True),
        _text("file_name", "文件名", "file name", nullable=True),
        _text("valid_until", "有效期至", "valid until", nullable=True),
        _text("text", "说明", "what is said"),
        _text("actor", "证明人", "who"),
        _text("at", "时间", "at"),
    ),
    ("attestation_id",),
)
