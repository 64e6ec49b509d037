"""Metal scrap (金属废料): offcuts, chips and battery scrap by metal, and what became of it."""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, detail_text
from zerofactory.errors import Text

FATES = ("recovered", "lost")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: it counts for circularity and does not emit here."""
    return ()


SOURCE = Source(
    id="metal_scrap",
    title=Text("金属废料", "metal scrap"),
    scope=0,
    categories={},
    class_4m1e="material",
    units=("mass",),
    item_required=True,
    details=(detail_text("scrap_fate", "废料去向", "fate of the scrap", FATES, required=True),),
    flows=flows,
    reference="GB/T 36132-2025 B.11; mass balance by metal",
    example=Example(
        text=Text("电池极片废料中的钴 9.93 t 回收", "9.93 t of cobalt recovered from electrode scrap"),
        item="cobalt",
        quantity=9.93,
        unit="t",
        detail={"scrap_fate": "recovered"},
        expected_kg={},
        citation="GB/T 36132-2025 B.11; mass balance by metal",
    ),
)
