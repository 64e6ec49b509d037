"""能碳管理系统平台功能符合数: functions of the energy-carbon platform in use."""

from __future__ import annotations

import numpy as np

from zerofactory.accounting.spread import Floats
from zerofactory.errors import Text
from zerofactory.evaluation.indicator import Example, Indicator, Values


def _count(given: Values) -> Floats:
    """Return how many of the first ``count`` functions are in use."""
    names = [f"f{number:02d}" for number in range(1, int(given["count"][0]) + 1)]
    return np.asarray(np.sum([given[name] for name in names], axis=0), dtype=np.float64)


INDICATOR = Indicator(
    id="platform_functions",
    title=Text("能碳管理系统平台功能符合数", "functions of the energy-carbon platform in use"),
    unit="piece",
    inputs={
        "f01": "function@01",
        "f02": "function@02",
        "f03": "function@03",
        "f04": "function@04",
        "f05": "function@05",
        "f06": "function@06",
        "f07": "function@07",
        "f08": "function@08",
        "f09": "function@09",
        "f10": "function@10",
        "f11": "function@11",
        "f12": "function@12",
        "f13": "function@13",
    },
    compute=_count,
    formula="number of functions in use of the list of 12 (the thirteenth counts where the list has 13)",
    reference="GB/T 36132-2025 table C.1; 工信厅节〔2025〕13号",
    example=Example(
        {
            "f01": 1.0,
            "f02": 1.0,
            "f03": 1.0,
            "f04": 1.0,
            "f05": 1.0,
            "f06": 1.0,
            "f07": 1.0,
            "f08": 1.0,
            "f09": 1.0,
            "f10": 0.0,
            "f11": 0.0,
            "f12": 0.0,
            "f13": 1.0,
        },
        9.0,
        "worked by hand from the formula: nine of the first twelve; the thirteenth is not in the list of 12",
        {"count": 12.0},
    ),
)
