"""再生材料占比: recycled content of metals."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="recycled_content",
    title=Text("再生材料占比", "recycled content of metals"),
    unit="fraction",
    inputs={"recycled": "recycled_material", "metal": "metal_input"},
    compute=lambda x: x["recycled"] / x["metal"],
    formula="recycled metal / metal used",
    reference="ISO 14021 recycled content",
    example=Example(
        {"recycled": 60000.0, "metal": 300000.0}, 0.2, "worked by hand from the formula: 60 000 / 300 000 t"
    ),
)
