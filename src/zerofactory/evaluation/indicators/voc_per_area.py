"""单位涂装面积 VOC 排放: VOC per coated area."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="voc_per_area",
    title=Text("单位涂装面积 VOC 排放", "VOC per coated area"),
    unit="g/m2",
    inputs={"voc": "voc_emitted", "area": "coated_area"},
    compute=lambda x: x["voc"] * 1000.0 / x["area"],
    formula="VOC emitted / electrocoated area",
    reference="GB/T 36132-2025 B.22 form per area; practice of vehicle coating",
    example=Example({"voc": 450000.0, "area": 30000000.0}, 15.0, "worked by hand from the formula: 450 t / 30 km2"),
)
