"""绿色低碳改造升级项目投资额占比: green retrofit investment share."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="green_investment_share",
    title=Text("绿色低碳改造升级项目投资额占比", "green retrofit investment share"),
    unit="fraction",
    inputs={"invested": "green_investment", "output": "output_value_3y"},
    compute=lambda x: x["invested"] / x["output"],
    formula="investment of the last three years / output value of the same three years",
    reference="GB/T 36132-2025 table C.1",
    example=Example(
        {"invested": 12000.0, "output": 1200000.0}, 0.01, "worked by hand from the formula: 12 000 / 1 200 000 万元"
    ),
)
