"""能碳管理中心功能在用: function of the energy-carbon centre in use."""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator

INDICATOR = Indicator(
    id="platform_function",
    title=Text("能碳管理中心功能在用", "function of the energy-carbon centre in use"),
    unit="fraction",
    inputs={"used": "function@{function}"},
    compute=lambda x: x["used"],
    formula="1 in use, 0 not",
    reference="工信厅节〔2025〕13号; GB/T 36132-2025 table C.1",
    example=Example({"used": 1.0}, 1.0, "the function is in use", {"function": "08"}),
    choices={"function": tuple(f"{number:02d}" for number in range(1, 14))},
)
