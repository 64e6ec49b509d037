"""Water withdrawn (取水量): mains, surface or ground water; V of the reuse rate. Its upstream emissions are booked apart."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: it counts for circularity and does not emit here."""
    return ()


SOURCE = Source(
    id="water_intake",
    title=Text("取水量", "water withdrawn"),
    scope=0,
    categories={},
    class_4m1e="environment",
    units=("volume",),
    flows=flows,
    reference="GB/T 36132-2025 B.8, B.10",
    example=Example(
        text=Text("取自来水 90 万 m3", "900 000 m3 of mains water"),
        item=None,
        quantity=90.0,
        unit="万m3",
        detail={},
        expected_kg={},
        citation="GB/T 36132-2025 B.8, B.10",
    ),
)
