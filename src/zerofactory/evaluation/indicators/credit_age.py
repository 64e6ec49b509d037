"""碳信用年龄: age of the oldest credit."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="credit_age",
    title=Text("碳信用年龄", "age of the oldest credit"),
    unit="a",
    inputs={"age": "credit_age_years"},
    compute=lambda x: x["age"],
    formula="year of the period − vintage of the oldest credit",
    reference="ISO 14068-1:2023 10 (unconfirmed)",
    example=Example({"age": 3.0}, 3.0, "vintage 2022 for 2025"),
)
