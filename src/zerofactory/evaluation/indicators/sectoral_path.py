"""与行业路径强度之比: intensity against the sectoral path."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="sectoral_path",
    title=Text("与行业路径强度之比", "intensity against the sectoral path"),
    unit="fraction",
    inputs={"emissions": "emissions@plant", "vehicles": "vehicles", "path": "sector_intensity"},
    compute=lambda x: x["emissions"] / x["vehicles"] / x["path"],
    formula="emissions per vehicle / pathway intensity CI_y = d × p_y × m_y + SI_2050",
    reference="SBTi sectoral decarbonisation approach (SDA)",
    example=Example(
        {"emissions": 180000.0, "vehicles": 300000.0, "path": 0.75},
        0.7999999999999999,
        "worked by hand from the formula: 0.60 / 0.75 t per vehicle",
    ),
)
