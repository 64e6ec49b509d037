"""Water reused (重复利用水量): circulating and recycled water; Vr of the reuse rate."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: it counts for circularity and does not emit here."""
    return ()


SOURCE = Source(
    id="water_reuse",
    title=Text("重复利用水量", "water reused"),
    scope=0,
    categories={},
    class_4m1e="environment",
    units=("volume",),
    flows=flows,
    reference="GB/T 36132-2025 B.10",
    example=Example(
        text=Text("循环与回用 810 万 m3", "8 100 000 m3 circulated and recycled"),
        item=None,
        quantity=810.0,
        unit="万m3",
        detail={},
        expected_kg={},
        citation="GB/T 36132-2025 B.10",
    ),
)
