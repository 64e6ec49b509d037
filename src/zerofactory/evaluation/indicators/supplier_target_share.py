"""供应商设定科学目标的排放占比: share of suppliers' emissions under targets."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="supplier_target_share",
    title=Text("供应商设定科学目标的排放占比", "share of suppliers' emissions under targets"),
    unit="fraction",
    inputs={"targeted": "supplier_target_emissions", "all": "supplier_emissions"},
    compute=lambda x: x["targeted"] / x["all"],
    formula="emissions of suppliers with targets / emissions of suppliers",
    reference="SBTi CNZS V1, supplier engagement",
    example=Example({"targeted": 1400000.0, "all": 2000000.0}, 0.7, "worked by hand from the formula: 1.4 / 2.0 Mt"),
)
