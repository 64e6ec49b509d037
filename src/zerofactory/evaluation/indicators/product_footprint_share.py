"""开展产品碳足迹的产品占比: share of products with a footprint."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="product_footprint_share",
    title=Text("开展产品碳足迹的产品占比", "share of products with a footprint"),
    unit="fraction",
    inputs={"done": "products_footprint", "made": "products"},
    compute=lambda x: x["done"] / x["made"],
    formula="kinds of product with a footprint / kinds of product",
    reference="GB/T 36132-2025 table C.1; 工信部联节〔2026〕13号 3.1",
    example=Example({"done": 2.0, "made": 3.0}, 0.6666666666666666, "worked by hand from the formula: 2 / 3"),
)
