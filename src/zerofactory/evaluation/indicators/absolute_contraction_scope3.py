"""绝对减排法(范围三): absolute contraction, scope 3."""

from __future__ import annotations

import numpy as np

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="absolute_contraction_scope3",
    title=Text("绝对减排法(范围三)", "absolute contraction, scope 3"),
    unit="fraction",
    inputs={"reduction": "target_reduction_3", "year": "target_year", "base_year": "base_year"},
    compute=lambda x: x["reduction"] / (x["rate"] * (x["year"] - np.minimum(x["base_year"], x["floor_year"]))),
    formula="target reduction / (r × (target year − min(base year, 2020)))",
    reference="SBTi CNZS V1, well below 2 °C, r = 2.5 % a year",
    example=Example(
        {"reduction": 0.3, "year": 2032.0, "base_year": 2019.0},
        0.923076923076923,
        "worked by hand from the formula: 30 % / (2.5 % × 13 years)",
        {"rate": 0.025, "floor_year": 2020.0},
    ),
)
