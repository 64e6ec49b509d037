"""Findings: what was found for each criterion: value, threshold, verdict, how sure it is, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

Verdict = Literal["met", "not_met", "unknown", "not_applicable"]
VERDICTS: Mapping[Verdict, Text] = {
    "met": Text("满足", "met"),
    "not_met": Text("不满足", "not met"),
    "unknown": Text("未定", "unknown"),
    "not_applicable": Text("不适用", "not applicable"),
}
_KINDS = ("mandatory", "scored", "optional", "info")


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


def _number(name: str, zh: str, en: str, *, least: float | None = None, most: float | None = None) -> Column:
    return Column(name, "number", Text(zh, en), nullable=True, minimum=least, maximum=most)


FINDINGS = TableSchema(
    "findings",
    Text("评价结果", "findings of an evaluation"),
    (
        _text("standard", "标准", "standard"),
        _text("period", "期间", "period"),
        _text("criterion", "条款", "criterion"),
        _text("clause", "条文", "clause"),
        _text("kind", "类型", "kind", choices=_KINDS),
        _text("indicator", "指标", "indicator", nullable=True),
        _number("value", "数值", "value"),
        _text("unit", "单位", "unit", nullable=True),
        _number("base", "基准值", "base threshold"),
        _number("lead", "引领值", "lead threshold"),
        _text("verdict", "判定", "verdict", choices=tuple(VERDICTS)),
        _number("confidence_fraction", "判定的把握", "probability that the verdict holds", least=0.0, most=1.0),
        _number("points", "得分", "points", least=0.0),
        _number("weight", "权重", "weight", least=0.0),
        _text("evidence", "证据", "evidence", nullable=True),
        _text("link", "打开账本", "opens to", nullable=True),
        _text("reason_zh", "说明", "why (Chinese)"),
        _text("reason_en", "说明(英文)", "why"),
    ),
    ("standard", "criterion"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of `FINDINGS`. ``points`` is None where nothing is scored or nothing could be decided."""

    standard: str
    period: str
    criterion: str
    clause: str
    kind: str
    indicator: str | None
    value: float | None
    unit: str | None
    base: float | None
    lead: float | None
    verdict: Verdict
    confidence_fraction: float | None
    points: float | None
    weight: float | None
    evidence: str | None
    link: str | None
    reason: Text

    def row(self) -> dict[str, object]:
        """Return the row by column."""
        found: dict[str, object] = {
            name: getattr(self, name) for name in FINDINGS.names if name not in ("reason_zh", "reason_en")
        }
        return found | {"reason_zh": self.reason.zh, "reason_en": self.reason.en}
