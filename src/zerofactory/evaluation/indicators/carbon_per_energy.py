"""单位能耗碳排放: carbon per unit of energy."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="carbon_per_energy",
    title=Text("单位能耗碳排放", "carbon per unit of energy"),
    unit="tCO2/tce",
    inputs={"co2": "co2@{view}", "energy": "energy@plant"},
    compute=lambda x: x["co2"] / x["energy"],
    formula="CO2 (energy and process) / comprehensive energy consumption",
    reference="工信部联节〔2026〕13号 1.1; 发改环资〔2025〕910号",
    example=Example(
        {"co2": 180000.0, "energy": 60000.0},
        3.0,
        "worked by hand from the formula: 180 000 t / 60 000 tce",
        {"view": "location"},
    ),
    choices={"view": ("location", "programme")},
    note=Text(
        "location: 电力按电网平均因子, 合同不改变此数; programme: 直供与已注销绿证的非化石电量按零计",
        "location: electricity at the average factor, contracts do not change it; programme: non-fossil electricity by direct supply or retired certificates counts zero",
    ),
)
