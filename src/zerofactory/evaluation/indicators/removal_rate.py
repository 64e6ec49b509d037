"""碳清除率: carbon removal rate."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="removal_rate",
    title=Text("碳清除率", "carbon removal rate"),
    unit="fraction",
    inputs={"stored": "ccus_stored", "one": "emissions_scope1", "two": "emissions_scope2"},
    compute=lambda x: x["stored"] / (x["one"] + x["two"]),
    formula="CCUS / total emissions",
    reference="工信部联节〔2026〕13号 2.3 (third-party reproduction)",
    example=Example(
        {"stored": 2000.0, "one": 30000.0, "two": 170000.0}, 0.01, "worked by hand from the formula: 2 000 / 200 000 t"
    ),
)
