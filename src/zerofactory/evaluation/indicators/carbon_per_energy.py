"""单位能耗碳排放: carbon per unit of energy."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="carbon_per_energy",
    title=Text("单位能耗碳排放", "carbon per unit of energy"),
    unit="tCO2/tce",
    inputs={"co2": "co2", "energy": "energy@plant"},
    compute=lambda x: x["co2"] / x["energy"],
    formula="CO2 (energy and process) / comprehensive energy consumption",
    reference="工信部联节〔2026〕13号 1.1; 发改环资〔2025〕910号",
    example=Example(
        {"co2": 180000.0, "energy": 60000.0}, 3.0, "worked by hand from the formula: 180 000 t / 60 000 tce"
    ),
    note=Text(
        "电力按基于位置的因子; 合同电量不改变此数",
        "electricity by the location-based factor; contracts do not change it",
    ),
)
