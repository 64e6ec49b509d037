"""First fill of vehicle air conditioning (整车空调首次加注): only what the filling loses is scope 1.

The charge leaves with the vehicle (scope 3, categories 11 and 12). Methods, chosen by the detail ``method``:
  balance   opening + purchased − closing − filled into products − sold   (guideline form IB + AC − IE − DI)
  fills     fillings × 0.342 mol × M                                      (guideline default per filling operation)
  rate      mass filled × initial emission rate of mobile A/C             (IPCC 2006 Vol. 3 Table 7.9, k)
The machinery guideline does not list it; ISO 14064-1 and the GHG Protocol need it.
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.fluorinated import filling_flows, gas_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_text, fault
from zerofactory.errors import FaultyData, Text
from zerofactory.factors.resolve import find

METHODS = ("balance", "fills", "rate")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the refrigerant lost in filling."""
    method = ask.choice("method", METHODS)
    counted = units.parse(ask.unit).dimension == "count"
    if counted != (method == "fills"):
        raise FaultyData(
            [
                fault(
                    "unit_of_method",
                    Text(
                        f"方法“{method}”不能用单位“{ask.unit}”。", f"Method '{method}' cannot take unit '{ask.unit}'."
                    ),
                    Text(
                        "fills 按次数登记, 其余方法按质量登记。",
                        "Use a count of fillings for 'fills', a mass otherwise.",
                    ),
                    column="unit",
                )
            ]
        )
    if method == "fills":
        return filling_flows(ask)
    if method == "balance":
        return gas_flows(ask, method)
    rate = find(ask.book, "leak.installation", ask.scope, item="vehicle_air_conditioning")
    return gas_flows(ask, method, [rate], uncertainty="ef.leak.screen")


SOURCE = Source(
    id="vehicle_ac_first_fill",
    title=Text("整车空调首次加注损失", "filling loss of vehicle air conditioning"),
    scope=1,
    categories=categories("1.4", "s1.fugitive"),
    class_4m1e="method",
    units=("mass", "count"),
    items=("HFC-134a", "HFO-1234yf", "CO2", "R-290", "HFC-152a"),
    item_required=True,
    balance=(("opening", 1), ("purchased", 1), ("closing", -1), ("filled_into_products", -1), ("sold", -1)),
    details=(detail_text("method", "方法", "method", METHODS, required=True),),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.refrig_service",
        "invoiced": "ad.refrig_service",
        "estimated": "ad.refrig_charge",
    },
    reference="机械设备制造企业指南 EL = 次数 × 0.342 mol × M; IPCC 2006 Vol. 3 Table 7.9 (mobile A/C, k 0.2-0.5 %)",
    example=Example(
        text=Text("首次加注 HFC-134a 300 000 次", "300 000 fillings of HFC-134a"),
        item="HFC-134a",
        quantity=300_000.0,
        unit="fill",
        detail={"method": "fills"},
        expected_kg={"HFC-134a": 300_000 * 0.342 * 102.03 / 1000},
        citation="机械设备制造企业指南: 0.342 mol/次; M(HFC-134a) 102.03 g/mol",
    ),
)
