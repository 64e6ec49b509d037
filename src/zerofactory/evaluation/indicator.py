"""Indicators: how a figure of a criterion is computed. One file each in `indicators/`, found by the folder.

An indicator names its inputs (amounts, told apart by parameters such as the shop), its formula, unit and reference, and carries a
worked example that the contract test runs. The same formula runs over single values and over thousands of draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import numpy as np

from zerofactory.accounting.spread import Floats
from zerofactory.discover import discover
from zerofactory.errors import NotFound, Text
from zerofactory.evaluation.amount import Facts, kind_of
from zerofactory.standards.criterion import Parameter

Values = Mapping[str, Floats]
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: the inputs by their names in the formula, the parameters, the expected value, and where it is from."""

    inputs: Mapping[str, float]
    expected: float
    citation: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One way to measure.

    Parameters
    ----------
    unit : may hold ``{per}``: the unit of the amount that the parameter ``per`` names.
    inputs : name in the formula → name of the amount; ``{shop}`` and the like are filled from the parameters.
    choices : text parameters and what they may be; numeric parameters and nothing.
    """

    id: str
    title: Text
    unit: str
    inputs: Mapping[str, str]
    compute: Callable[[Values], Floats]
    formula: str
    reference: str
    example: Example
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    note: Text = field(default_factory=lambda: Text("", ""))

    def amounts(self, parameters: Mapping[str, Parameter]) -> dict[str, str]:
        """Return the amount behind each input under given parameters."""
        return {alias: _filled(template, parameters) for alias, template in self.inputs.items()}

    def unit_with(self, parameters: Mapping[str, Parameter]) -> str:
        """Return the unit under given parameters."""
        return _SLOT.sub(lambda slot: kind_of(str(parameters[slot[1]])).unit, self.unit)

    def numbers(self, parameters: Mapping[str, Parameter]) -> dict[str, Floats]:
        """Return the numeric parameters as the formula takes them."""
        return {
            name: np.array([value], dtype=np.float64) for name, value in parameters.items() if isinstance(value, float)
        }


def _filled(template: str, parameters: Mapping[str, Parameter]) -> str:
    return _SLOT.sub(lambda slot: str(parameters[slot[1]]), template)


@dataclass(frozen=True, slots=True)
class Measured:
    """What an indicator comes to: the value (None when an input is missing or it is divided by nothing) and what was missing."""

    value: float | None
    unit: str
    amounts: tuple[str, ...]
    missing: tuple[str, ...]


@lru_cache(maxsize=1)
def indicators() -> Mapping[str, Indicator]:
    """Return every indicator by id, those of other packages included (entry points ``zerofactory.indicators``)."""
    return cast(
        "dict[str, Indicator]", discover("zerofactory.evaluation.indicators", "INDICATOR", "zerofactory.indicators")
    )


def indicator(indicator_id: str) -> Indicator:
    """Return one indicator; raise `NotFound` with the choices."""
    found = indicators().get(indicator_id)
    if found is None:
        raise NotFound(Text("指标", "indicator"), indicator_id, tuple(indicators()))
    return found


def measure(one: Indicator, parameters: Mapping[str, Parameter], facts: Facts) -> Measured:
    """Return the value of an indicator over the facts; nothing is guessed for a missing input."""
    names = one.amounts(parameters)
    missing = tuple(name for name in names.values() if name not in facts.amounts)
    unit = one.unit_with(parameters)
    used = tuple(dict.fromkeys(names.values()))
    if missing:
        return Measured(None, unit, used, missing)
    given = {alias: np.array([facts.amounts[name].value]) for alias, name in names.items()}
    value = evaluate(one, {**given, **one.numbers(parameters)})
    return Measured(float(value[0]) if np.isfinite(value[0]) else None, unit, used, ())


def evaluate(one: Indicator, given: Values) -> Floats:
    """Return the formula over arrays; a division by nothing gives what is not finite."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(one.compute(given), dtype=np.float64)
