"""节能装备应用占比: efficient equipment share."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="efficient_equipment_share",
    title=Text("节能装备应用占比", "efficient equipment share"),
    unit="fraction",
    inputs={"efficient": "efficient_capacity", "all": "equipment_capacity"},
    compute=lambda x: x["efficient"] / x["all"],
    formula="capacity of key equipment at grade 2 or better / total capacity",
    reference="工信部联节〔2026〕13号 2.2 (third-party reproduction)",
    example=Example({"efficient": 45000.0, "all": 60000.0}, 0.75, "worked by hand from the formula: 45 / 60 MW"),
)
