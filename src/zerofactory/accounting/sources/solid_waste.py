"""Solid waste (一般工业固体废物): generated in the plant, by what became of it; the ledger of the recovery rate."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, detail_text
from zerofactory.errors import Text

FATES = ("recovered", "recovered_from_stock", "disposed", "stored")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: it counts for circularity and does not emit here."""
    return ()


SOURCE = Source(
    id="solid_waste",
    title=Text("一般工业固体废物", "general industrial solid waste"),
    scope=0,
    categories={},
    class_4m1e="environment",
    units=("mass",),
    details=(detail_text("waste_fate", "固废去向", "fate of the waste", FATES, required=True),),
    flows=flows,
    reference="GB/T 36132-2025 B.11",
    example=Example(
        text=Text("综合利用包装废料 400 t", "400 t of packaging recovered"),
        item="packaging",
        quantity=400.0,
        unit="t",
        detail={"waste_fate": "recovered"},
        expected_kg={},
        citation="GB/T 36132-2025 B.11",
    ),
)
