"""SF6 in switchgear (SF6 开关设备): refill mass, or nameplate × use rate × years.

IPCC 2006 Vol. 3 Tables 8.2 and 8.3 (European defaults): sealed medium voltage 0.2 % a year, closed high voltage 2.6 %.
"""

from __future__ import annotations

from zerofactory.accounting.fluorinated import gas_flows, screening_terms, years_column
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text
from zerofactory.errors import Text

METHODS = ("refill", "nameplate")
EQUIPMENT = ("switchgear_mv_sealed", "switchgear_hv_closed")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the SF6 lost."""
    method = ask.choice("method", METHODS)
    if method == "refill":
        return gas_flows(ask, method)
    kind = ask.choice("equipment", EQUIPMENT)
    return gas_flows(ask, method, screening_terms(ask, "leak.operation", kind), uncertainty="ef.leak.screen")


SOURCE = Source(
    id="sf6_switchgear",
    title=Text("SF6开关设备", "SF6 switchgear"),
    scope=1,
    categories=categories("1.4", "s1.fugitive"),
    class_4m1e="machine",
    units=("mass",),
    items=("SF6",),
    item_required=True,
    balance=(
        ("opening", 1),
        ("purchased", 1),
        ("retired_charge", 1),
        ("closing", -1),
        ("sold", -1),
        ("new_charge", -1),
    ),
    details=(
        detail_text("method", "方法", "method", METHODS, required=True),
        detail_text("equipment", "设备类型(铭牌法)", "kind of equipment (nameplate)", EQUIPMENT),
        years_column(),
    ),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.refrig_service",
        "invoiced": "ad.refrig_service",
        "estimated": "ad.refrig_charge",
    },
    reference="IPCC 2006 Vol. 3 ch. 8 Tables 8.2-8.3",
    example=Example(
        text=Text("中压密封开关铭牌量 500 kg, 一年", "500 kg nameplate in sealed medium-voltage switchgear, one year"),
        item="SF6",
        quantity=500.0,
        unit="kg",
        detail={"method": "nameplate", "equipment": "switchgear_mv_sealed", "years": 1.0},
        expected_kg={"SF6": 1.0},
        citation="IPCC 2006 Vol. 3 Table 8.2: 0.002 of nameplate per year",
    ),
)
