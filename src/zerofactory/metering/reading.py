"""READINGS: what a meter said, when, and when that became known."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.tables import Column, TableSchema

QUALITIES = ("measured", "manual", "estimated", "suspect")

READINGS = TableSchema(
    name="readings",
    title=Text("表计读数", "Meter readings"),
    columns=(
        Column("meter_id", "text", Text("表计", "meter")),
        Column(
            "started_at",
            "moment",
            Text("时间", "time"),
            note=Text(
                "累计表为抄表时刻, 其他表为时段起点", "instant of a register; start of the interval of any other meter"
            ),
        ),
        Column("known_at", "moment", Text("获知时间", "known at"), note=Text("最新者有效", "the newest holds")),
        Column(
            "value",
            "number",
            Text("读数", "value"),
            note=Text("表计自身单位, 未乘倍率", "in the meter's own unit, before the multiplier"),
        ),
        Column("quality", "text", Text("质量", "quality"), choices=QUALITIES),
        Column(
            "segment",
            "text",
            Text("数据段", "segment"),
            nullable=True,
            note=Text("存放该行的文件", "file that keeps the row"),
        ),
    ),
    key=("meter_id", "started_at", "known_at"),
)
