"""较基准年减排率: reduction from the base year."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="reduction_from_base",
    title=Text("较基准年减排率", "reduction from the base year"),
    unit="fraction",
    inputs={"base": "base_emissions", "one": "emissions_scope1", "two": "emissions_scope2"},
    compute=lambda x: 1.0 - (x["one"] + x["two"]) / x["base"],
    formula="1 − E_t / E_b",
    reference="ISO 14064-1:2018 6.4",
    example=Example(
        {"base": 250000.0, "one": 30000.0, "two": 170000.0},
        0.19999999999999996,
        "worked by hand from the formula: 1 − 200 000 / 250 000",
    ),
)
