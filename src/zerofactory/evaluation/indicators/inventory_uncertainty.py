"""清单不确定度: uncertainty of the inventory."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="inventory_uncertainty",
    title=Text("清单不确定度", "uncertainty of the inventory"),
    unit="fraction",
    inputs={"half": "uncertainty"},
    compute=lambda x: x["half"],
    formula="95 % half-width of scopes 1 and 2 / total",
    reference="IPCC 2006 Vol. 1 ch. 3; GHG Protocol uncertainty guidance",
    example=Example({"half": 0.042}, 0.042, "4.2 %"),
)
