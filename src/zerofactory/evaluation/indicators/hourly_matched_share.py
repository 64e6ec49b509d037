"""绿电逐时匹配率: hourly matched share of electricity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="hourly_matched_share",
    title=Text("绿电逐时匹配率", "hourly matched share of electricity"),
    unit="fraction",
    inputs={"matched": "matched_electricity", "used": "electricity"},
    compute=lambda x: x["matched"] / x["used"],
    formula="Σ min(load, green supply) / Σ load over the intervals",
    reference="draft revision of the GHG Protocol Scope 2 Guidance (consultation 2025-10-20 to 2026-01)",
    example=Example(
        {"matched": 45000000.0, "used": 300000000.0}, 0.15, "worked by hand from the formula: 45 / 300 GWh"
    ),
)
