"""供应商一手数据占比: share of suppliers' own data."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="supplier_primary_share",
    title=Text("供应商一手数据占比", "share of suppliers' own data"),
    unit="fraction",
    inputs={"share": "supplier_primary_share"},
    compute=lambda x: x["share"],
    formula="purchased emissions with suppliers' own footprints / purchased emissions",
    reference="PACT Methodology, primary data share",
    example=Example({"share": 0.35}, 0.35, "stated"),
)
