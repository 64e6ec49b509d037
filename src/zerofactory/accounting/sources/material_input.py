"""Material put in (材料投入): what a shop takes in to make parts; the denominator of material utilisation, no emission here."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: it counts for circularity and does not emit here."""
    return ()


SOURCE = Source(
    id="material_input",
    title=Text("材料投入", "material put in"),
    scope=0,
    categories={},
    class_4m1e="material",
    units=("mass",),
    flows=flows,
    reference="GB/T 36132-2025 B.6",
    example=Example(
        text=Text("冲压投入钢板 1 000 t", "1 000 t of sheet steel put in"),
        item="steel",
        quantity=1000.0,
        unit="t",
        detail={},
        expected_kg={},
        citation="GB/T 36132-2025 B.6",
    ),
)
