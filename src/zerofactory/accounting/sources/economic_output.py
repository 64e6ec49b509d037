"""Economic output (产值): the value of output or the value added; a denominator of intensities, no emission."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: output does not emit."""
    return ()


SOURCE = Source(
    id="economic_output",
    title=Text("产值", "economic output"),
    scope=0,
    categories={},
    class_4m1e="method",
    units=("money",),
    items=("output_value", "value_added"),
    item_required=True,
    flows=flows,
    reference="GB/T 36132-2025: 单位产值指标的分母",
    example=Example(
        text=Text("工业总产值 40 亿元", "output worth 4 000 million yuan"),
        item="output_value",
        quantity=40.0,
        unit="亿元",
        detail={},
        expected_kg={},
        citation="output emits nothing",
    ),
)
