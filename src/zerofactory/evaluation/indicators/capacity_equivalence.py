"""产能当量换算系数: capacity equivalence coefficient."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="capacity_equivalence",
    title=Text("产能当量换算系数", "capacity equivalence coefficient"),
    unit="fraction",
    inputs={"equivalent": "time_quota_output", "output": "vehicles"},
    compute=lambda x: x["equivalent"] / x["output"],
    formula="Σ N_i × k_i / Σ N_i with k_i = t_i / t_0",
    reference="GB/T 36132-2025 B.25",
    example=Example(
        {"equivalent": 330000.0, "output": 300000.0},
        1.1,
        "worked by hand from the formula: 330 000 equivalent / 300 000",
    ),
)
