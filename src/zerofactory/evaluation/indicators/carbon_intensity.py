"""碳排放强度: carbon intensity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="carbon_intensity",
    title=Text("碳排放强度", "carbon intensity"),
    unit="tCO2/{per}",
    inputs={"co2": "co2@{view}", "output": "{per}"},
    compute=lambda x: x["co2"] / x["output"],
    formula="C / Q; C / G",
    reference="GB/T 36132-2025 B.3, B.4; C after GB/T 32150 (CO2 of energy and process, same boundary as energy)",
    example=Example(
        {"co2": 195000.0, "output": 300000.0},
        0.65,
        "worked by hand from the formula: 195 000 t / 300 000 vehicles",
        {"per": "vehicles", "view": "location"},
    ),
    choices={"per": ("vehicles", "output_value", "value_added"), "view": ("location", "programme")},
    note=Text(
        "location: 电力按电网平均因子, 合同不改变此数; programme: 直供与已注销绿证的非化石电量按零计",
        "location: electricity at the average factor, contracts do not change it; programme: non-fossil electricity by direct supply or retired certificates counts zero",
    ),
)
