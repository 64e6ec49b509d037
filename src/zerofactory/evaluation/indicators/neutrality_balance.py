"""中和余额: neutrality balance."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="neutrality_balance",
    title=Text("中和余额", "neutrality balance"),
    unit="tCO2e",
    inputs={"footprint": "footprint@{boundary}", "credits": "credits_retired"},
    compute=lambda x: x["footprint"] - x["credits"],
    formula="residual emissions of the period − credits retired for it",
    reference="ISO 14068-1:2023 10; PAS 2060:2014 9",
    example=Example(
        {"footprint": 25000.0, "credits": 25000.0},
        0.0,
        "worked by hand from the formula: 25 000 − 25 000",
        {"boundary": "12"},
    ),
    choices={"boundary": ("12", "12_market", "123")},
    note=Text(
        "12: 范围一、二(基于位置); 12_market: 基于市场; 123: 另加范围三",
        "12: scopes 1 and 2, location-based; 12_market: market-based; 123: with scope 3",
    ),
)
