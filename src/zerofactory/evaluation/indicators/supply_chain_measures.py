"""零碳供应链管理措施符合项数: supply-chain measures met."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="supply_chain_measures",
    title=Text("零碳供应链管理措施符合项数", "supply-chain measures met"),
    unit="piece",
    inputs={"measures": "supply_measures"},
    compute=lambda x: x["measures"],
    formula="number of measures in place of six",
    reference="工信部联节〔2026〕13号 3.2 (third-party reproduction)",
    example=Example({"measures": 4.0}, 4.0, "four of six"),
)
