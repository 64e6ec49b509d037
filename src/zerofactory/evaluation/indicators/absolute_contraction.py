"""绝对减排法(范围一、二): absolute contraction, scopes 1 and 2."""

from __future__ import annotations

import numpy as np

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="absolute_contraction",
    title=Text("绝对减排法(范围一、二)", "absolute contraction, scopes 1 and 2"),
    unit="fraction",
    inputs={"reduction": "target_reduction", "year": "target_year", "base_year": "base_year"},
    compute=lambda x: x["reduction"] / (x["rate"] * (x["year"] - np.minimum(x["base_year"], x["floor_year"]))),
    formula="target reduction / (r × (target year − min(base year, 2020)))",
    reference="SBTi CNZS V1, absolute contraction 1.5 °C, r = 4.2 % a year",
    example=Example(
        {"reduction": 0.42, "year": 2030.0, "base_year": 2022.0},
        1.0,
        "worked by hand from the formula: 42 % by 2030, ten years from 2020",
        {"rate": 0.042, "floor_year": 2020.0},
    ),
)
