"""能源数据自动采集率: automatic collection rate of energy data."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="auto_collection_rate",
    title=Text("能源数据自动采集率", "automatic collection rate of energy data"),
    unit="fraction",
    inputs={"automatic": "meters_automatic", "wanted": "meters"},
    compute=lambda x: x["automatic"] / x["wanted"],
    formula="points collected automatically / points to be collected",
    reference="工信部联节〔2026〕13号 4.1 (third-party reproduction)",
    example=Example({"automatic": 114.0, "wanted": 120.0}, 0.95, "worked by hand from the formula: 114 / 120 points"),
)
