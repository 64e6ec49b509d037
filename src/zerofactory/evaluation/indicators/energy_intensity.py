"""能源消耗强度: energy intensity."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="energy_intensity",
    title=Text("能源消耗强度", "energy intensity"),
    unit="tce/{per}",
    inputs={"energy": "energy@plant", "output": "{per}"},
    compute=lambda x: x["energy"] / x["output"],
    formula="E / Q; E / G",
    reference="GB/T 36132-2025 B.1, B.2; E after GB/T 2589-2020, energy used as feedstock left out",
    example=Example(
        {"energy": 60000.0, "output": 300000.0},
        0.2,
        "worked by hand from the formula: 60 000 tce / 300 000 vehicles",
        {"per": "vehicles"},
    ),
    choices={"per": ("vehicles", "output_value", "value_added")},
)
