"""Material in good products (材料产出): the mass that leaves a shop in good parts; the numerator of material utilisation."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: it counts for circularity and does not emit here."""
    return ()


SOURCE = Source(
    id="material_output",
    title=Text("合格产品中的材料", "material in good products"),
    scope=0,
    categories={},
    class_4m1e="material",
    units=("mass",),
    flows=flows,
    reference="GB/T 36132-2025 B.6",
    example=Example(
        text=Text("合格冲压件 620 t", "620 t in good stampings"),
        item="steel",
        quantity=620.0,
        unit="t",
        detail={},
        expected_kg={},
        citation="GB/T 36132-2025 B.6",
    ),
)
