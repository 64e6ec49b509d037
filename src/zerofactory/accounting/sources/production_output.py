"""Production output (产量): vehicles and other products made; the denominator of intensities, no emission."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, detail_text
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: output does not emit."""
    return ()


SOURCE = Source(
    id="production_output",
    title=Text("产量", "production output"),
    scope=0,
    categories={},
    class_4m1e="method",
    units=("count_vehicle", "count", "mass", "energy"),
    details=(detail_text("work_order", "工单", "work order"),),
    flows=flows,
    reference="GB/T 36132-2025: 单位产品指标的分母",
    example=Example(
        text=Text("整车 25 000 辆", "25 000 vehicles"),
        item="vehicle",
        quantity=25_000.0,
        unit="vehicle",
        detail={},
        expected_kg={},
        citation="output emits nothing",
    ),
)
