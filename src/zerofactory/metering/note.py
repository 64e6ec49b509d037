"""QUALITY: what was noticed about a meter in a period, as small records and as a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from zerofactory.errors import Severity, Text
from zerofactory.periods import Period
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

NoteKind = Literal[
    "gap", "flat_line", "spike", "reset", "rollover", "late", "duplicate", "conflict", "off_grid", "out_of_range",
    "unknown_meter", "fill", "closure", "completeness", "collection",
]  # fmt: skip

KINDS: Mapping[str, Text] = {
    "gap": Text("缺数", "gap"),
    "flat_line": Text("数值不变", "flat line"),
    "spike": Text("突变", "spike"),
    "reset": Text("表计清零或更换", "reset"),
    "rollover": Text("满度归零", "roll-over"),
    "late": Text("迟到更正", "late correction"),
    "duplicate": Text("重复读数", "duplicate"),
    "conflict": Text("同时获知的不同读数", "different values known at the same time"),
    "off_grid": Text("不在采集时刻", "off the meter's grid"),
    "out_of_range": Text("超出量程", "out of range"),
    "unknown_meter": Text("未知表计", "unknown meter"),
    "fill": Text("估算补数", "filled"),
    "closure": Text("分项不闭合", "meter tree does not close"),
    "completeness": Text("数据完整率", "completeness"),
    "collection": Text("自动采集率", "automatic-collection rate"),
}

QUALITY = TableSchema(
    name="quality",
    title=Text("数据质量", "Data quality"),
    columns=(
        Column("note_id", "text", Text("编号", "id"), note=Text("内容的摘要", "digest of the content")),
        Column("period", "text", Text("期间", "period")),
        Column("meter", "text", Text("表计", "meter"), nullable=True, note=Text("空为全厂", "empty: the whole plant")),
        Column("kind", "text", Text("种类", "kind"), choices=tuple(KINDS)),
        Column(
            "count", "integer", Text("个数", "count"), minimum=0, note=Text("时段或读数个数", "intervals or readings")
        ),
        Column("started_at", "moment", Text("首次出现", "first at"), nullable=True),
        Column(
            "amount",
            "number",
            Text("数量", "amount"),
            nullable=True,
            note=Text(
                "表计计量单位; 闭合、完整率与采集率为比例",
                "in the meter's amount unit; a fraction for closure, completeness and collection",
            ),
        ),
        Column("severity", "text", Text("程度", "severity"), choices=("error", "warning", "info")),
        Column("method", "text", Text("补数方法", "fill method"), nullable=True),
    ),
    key=("note_id",),
)


@dataclass(frozen=True, slots=True)
class QualityNote:
    """One thing noticed. ``meter`` is None for the whole plant; ``amount`` is in the meter's amount unit or a fraction."""

    kind: NoteKind
    meter: str | None
    count: int
    started_at: datetime | None = None
    amount: float | None = None
    severity: Severity | Literal["info"] = "warning"
    method: str | None = None


def notes_frame(notes: Sequence[QualityNote], period: Period) -> pl.DataFrame:
    """Return notes as a QUALITY frame, sorted, so that the same notes always give the same bytes."""
    rows: dict[str, dict[str, object]] = {}
    for note in notes:
        row = asdict(note) | {"period": period.label}
        content = json.dumps(row, sort_keys=True, default=str)
        rows.setdefault(hashlib.sha256(content.encode()).hexdigest()[:16], row)
    frame = QUALITY.frame([{"note_id": note_id} | row for note_id, row in rows.items()])
    return frame.sort("meter", "kind", "started_at", "method", "note_id", nulls_last=True)
