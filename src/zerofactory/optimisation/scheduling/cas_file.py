"""Read an instance of the carbon-aware permutation flow shop set (ugent-isye/CAS-PFSP, GPL-3.0; read, never shipped).

First line: machines, days, jobs, …; then the power in each quarter hour of every job on every machine (with several machines
preceded by job and machine); then on-site power, carbon intensity and price for each quarter hour.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.scheduling.flow_shop import Aim, FlowShop, Lot, Stage, Task, Unit
from zerofactory.optimisation.scheduling.problem import Signals


def parse(text: str, name: str) -> FlowShop:
    """Return the problem that a file holds; its aim is carbon.

    Raises
    ------
    FaultyData
        The text is no such file.

    Examples
    --------
    >>> parse("1,1,2\\n4,4\\n8\\n0,0,0,9\\n1,1,2,2\\n5,5,5,5", "tiny").slots
    4
    """
    try:
        rows = [[float(cell) for cell in line.split(",") if cell.strip()] for line in text.strip("\n").split("\n")]
        machines, jobs = int(rows[0][0]), int(rows[0][2])
        own = rows[1 : 1 + machines * jobs]
        onsite, intensity, price = (np.array(row) for row in rows[1 + machines * jobs : 4 + machines * jobs])
    except (ValueError, IndexError) as error:
        message = Text("不是 CAS-PFSP 算例。", f"Not a CAS-PFSP instance: {error}")
        raise FaultyData([Problem("cas_file.unreadable", message, Text("请核对文件。", "Check the file."), file=name)]) from error  # fmt: skip
    skip = 2 if machines > 1 else 0
    lots = tuple(
        Lot(f"{j}", tuple(Task(tuple(own[j * machines + m][skip:])) for m in range(machines))) for j in range(jobs)
    )
    stages = tuple(
        Stage(f"m{m}", Text(f"设备 {m}", f"machine {m}"), (Unit(f"m{m}", Text(f"设备 {m}", f"machine {m}")),))
        for m in range(machines)
    )
    return FlowShop(stages, lots, Signals(1, price, intensity, onsite), Aim(), name=name)


def read(path: Path) -> FlowShop:
    """Return the problem in a file."""
    return parse(path.read_text(encoding="utf-8"), path.name)
