"""On-site storage of electricity (厂内储能): it emits nothing; its meters say when electricity is used.

``meters`` measure what is charged, the detail ``discharge`` names the meter of what comes out. What is discharged carries the
mix of what was charged and the loss is consumption (`accounting.storage`); no total of the inventory moves, because what was
bought or generated is counted when it reaches the plant.
"""

from __future__ import annotations

from zerofactory.accounting.source import Ask, Example, Flow, Source, detail_number, detail_text
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return nothing: a store emits nothing."""
    return ()


SOURCE = Source(
    id="on_site_storage",
    title=Text("厂内储能", "on-site storage"),
    scope=0,
    categories={},
    class_4m1e="machine",
    units=("energy",),
    items=("electricity",),
    details=(
        detail_text("discharge", "放电电表", "meter of what is discharged", required=True),
        detail_number(
            "round_trip_fraction",
            Text("充放电往返效率", "round-trip efficiency"),
            "fraction",
            1.0,
            required=True,
        ),
        detail_number("capacity_kwh", Text("额定容量", "rated capacity"), "kWh"),
    ),
    flows=flows,
    reference="EnergyTag Granular Certificate Scheme Standard v2 (2024), storage records; decision 0015",
    example=Example(
        text=Text("储能充电 1 MWh, 往返效率 0.88", "1 MWh charged, round-trip efficiency 0.88"),
        item="electricity",
        quantity=1.0,
        unit="MWh",
        detail={"discharge": "E-BS-D", "round_trip_fraction": 0.88},
        expected_kg={},
        citation="a store emits nothing; what it took in is counted where it was bought",
    ),
)
