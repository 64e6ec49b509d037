"""抵消占比: share offset."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="offset_share",
    title=Text("抵消占比", "share offset"),
    unit="fraction",
    inputs={"credits": "credits_retired", "one": "emissions_scope1", "two": "emissions_scope2"},
    compute=lambda x: x["credits"] / (x["one"] + x["two"]),
    formula="credits retired / emissions of the period",
    reference="工信部联节〔2026〕13号: offsets only for what cannot be reduced",
    example=Example(
        {"credits": 10000.0, "one": 50000.0, "two": 150000.0},
        0.05,
        "worked by hand from the formula: 10 000 / 200 000 t",
    ),
)
