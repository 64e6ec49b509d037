"""线性路径进度: progress on the linear path."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="contraction_progress",
    title=Text("线性路径进度", "progress on the linear path"),
    unit="fraction",
    inputs={
        "base": "base_emissions",
        "one": "emissions_scope1",
        "two": "emissions_scope2",
        "year": "year",
        "base_year": "base_year",
    },
    compute=lambda x: (1.0 - (x["one"] + x["two"]) / x["base"]) / (x["rate"] * (x["year"] - x["base_year"])),
    formula="((E_b − E_t) / E_b) / (r × (t − b))",
    reference="SBTi CNZS V1: linear path E_t = E_b × (1 − r × (t − b))",
    example=Example(
        {"base": 200000.0, "one": 20000.0, "two": 138000.0, "year": 2025.0, "base_year": 2020.0},
        1.0,
        "worked by hand from the formula: 21 % in five years at 4.2 % a year",
        {"rate": 0.042},
    ),
)
