"""绿电(合同与绿证)占比: share of contractual green electricity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="green_power_share",
    title=Text("绿电(合同与绿证)占比", "share of contractual green electricity"),
    unit="fraction",
    inputs={"contract": "contract_electricity", "used": "electricity"},
    compute=lambda x: x["contract"] / x["used"],
    formula="electricity covered by contracts and certificates / electricity used",
    reference="GHG Protocol Scope 2 Guidance, table 7.1",
    example=Example(
        {"contract": 60000000.0, "used": 300000000.0}, 0.2, "worked by hand from the formula: 60 / 300 GWh"
    ),
)
