"""twin.signals.csv: what state signals told of failures, repairs and cycles, and the data of twin.toml with that in place of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of
from zerofactory.optimisation.twin.draw import KINDS, TIMES, Spread

SIGNALS = "twin.signals.csv"
COLUMNS = ("place", "quantity", "kind", "value", "low", "high", "count", "first_month", "last_month")
BETWEEN: Mapping[str, str] = {"working": "between", "open": "between_open"}
"""The first word of the time to failure, by the clock that it was fitted for."""
QUANTITIES = (
    *(f"{name}_{what}" for name in BETWEEN.values() for what in ("mean_s", "shape")),
    "repair_mean_s",
    "repair_shape",
    "cycle_s",
)
SHARE = "share_"


@dataclass(frozen=True, slots=True)
class Measured:
    """One quantity of a station as the signals have it; ``kind`` of a distribution where it is of one."""

    kind: str
    value: float
    low: float
    high: float


def fitted_signals(folder: Path) -> dict[str, dict[str, Measured]]:
    """Return what signals told, by station and quantity; empty where nothing was written.

    Raises
    ------
    FaultyData
        Every row that is none.
    """
    path = folder / SIGNALS
    found: dict[str, dict[str, Measured]] = {}
    if not path.is_file():
        return found
    problems = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text_of(path.read_bytes(), SIGNALS))), 2):
        try:
            one = Measured(row["kind"], float(row["value"]), float(row["low"]), float(row["high"]))
            known = row["quantity"] in QUANTITIES or row["quantity"].startswith(SHARE)
            sound = isfinite(one.value) and (one.value > 0.0 or row["quantity"].startswith(SHARE))
            if not known or not sound or (one.kind and one.kind not in KINDS):
                raise ValueError(row["quantity"])
            found.setdefault(row["place"], {})[row["quantity"]] = one
        except (KeyError, TypeError, ValueError, AttributeError):
            message = Text("这一行不是由状态信号得出的结果。", "This row is nothing that signals told.")
            hint = Text("请重新运行 zf twin calibrate --write, 或删去该文件。", "Run zf twin calibrate --write again, or delete the file.")  # fmt: skip
            problems.append(Problem("twin_file.signals", message, hint, file=SIGNALS, row=number))
    if problems:
        raise FaultyData(problems)
    return found


def with_signals(raw: Mapping[str, Any], fitted: Mapping[str, Mapping[str, Measured]]) -> dict[str, Any]:
    """Return the data of twin.toml with the failures, repairs and cycles that signals told in the place of its own.

    A station that names no signals stays as it is, and so do failures by another clock than they were fitted for. A cycle keeps its
    kind of distribution and is stretched to the mean that was seen. Where repairs wait for a crew, a signal tells
    wait and repair together: such a repair stays as twin.toml has it, the twin makes the waits itself.

    Examples
    --------
    >>> told = {"stations": [{"id": "a", "signals": ["S"], "cycle": {"kind": "uniform", "low_s": 50, "high_s": 70}}]}
    >>> seen = {"between_mean_s": Measured("weibull", 7200.0, 6000.0, 9000.0), "between_shape": Measured("weibull", 1.5, 1.2, 1.8),
    ...         "repair_mean_s": Measured("exponential", 300.0, 200.0, 500.0), "cycle_s": Measured("", 66.0, 65.0, 67.0)}
    >>> station = with_signals(told, {"a": seen})["stations"][0]
    >>> station["failure"]["between"], station["failure"]["repair"]
    ({'kind': 'weibull', 'mean_s': 7200.0, 'shape': 1.5}, {'kind': 'exponential', 'mean_s': 300.0})
    >>> {name: round(value, 6) for name, value in station["cycle"].items() if name != "kind"}
    {'low_s': 55.0, 'high_s': 77.0}
    """
    if not fitted:
        return dict(raw)
    made = deepcopy(dict(raw))
    for row in made.get("stations", ()):
        seen = fitted.get(str(row.get("id") or row.get("line")), {}) if row.get("signals") else {}
        old = row.get("failure")
        clock = old.get("clock", "working") if isinstance(old, dict) else "working"
        between = BETWEEN.get(clock if isinstance(clock, str) else "", "")
        if f"{between}_mean_s" in seen and "repair_mean_s" in seen:
            awaited = isinstance(old, dict) and "repairers" in old
            told = {"between": _spread(seen, between)} | ({} if awaited else {"repair": _spread(seen, "repair")})
            row["failure"] = {**old, **told} if isinstance(old, dict) else told
        cycle = row.get("cycle")
        if "cycle_s" in seen and isinstance(cycle, dict):
            row["cycle"] = _stretched(cycle, seen["cycle_s"].value)
    return made


def _spread(seen: Mapping[str, Measured], name: str) -> dict[str, Any]:
    mean = seen[f"{name}_mean_s"]
    shape = seen.get(f"{name}_shape")
    return {"kind": mean.kind, "mean_s": mean.value} | ({} if shape is None else {"shape": shape.value})


def _stretched(cycle: Mapping[str, Any], mean_s: float) -> dict[str, Any]:
    """Return a cycle of the same kind with another mean; one that is faulty is left to be told as it is read."""
    try:
        now_s = Spread(**{**cycle, "values_s": tuple(cycle.get("values_s", ()))}).average_s
        ratio = mean_s / now_s
        times = {name: cycle[name] * ratio for name in TIMES if name in cycle}
        values = [value * ratio for value in cycle.get("values_s", ())]
    except (TypeError, ValueError, ArithmeticError):
        return dict(cycle)
    return {**cycle, **times, **({"values_s": values} if values else {})}
