"""Capacity: a size that is either installed (a number) or to be decided (a variable with a price)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zerofactory.assets.asset import Conditions, Values
from zerofactory.assets.block import Amount, Row, Size, Term, Variable


@dataclass(frozen=True, slots=True)
class Capacity:
    """A size: its variable and purchase when it is decided, its number when it is installed."""

    fixed: float | None
    variables: tuple[Variable, ...] = ()
    sizes: tuple[Size, ...] = ()

    def ceiling(self, variable: Variable, per_unit: Amount = 1.0) -> tuple[Variable, tuple[Row, ...]]:
        """Return a variable held at or below ``per_unit`` · size: by its bound, or by a row where the size is decided."""
        if self.fixed is not None:
            return replace(variable, upper=np.minimum(variable.upper, np.multiply(per_unit, self.fixed))), ()
        terms = (Term(variable.name), Term(self.variables[0].name, np.negative(per_unit)))
        return variable, (Row(f"{variable.name}_ceiling", terms, "<="),)

    def floor(self, variable: Variable, per_unit: Amount) -> tuple[Variable, tuple[Row, ...]]:
        """Return a variable held at or above ``per_unit`` · size."""
        if self.fixed is not None:
            return replace(variable, lower=np.maximum(variable.lower, np.multiply(per_unit, self.fixed))), ()
        terms = (Term(variable.name), Term(self.variables[0].name, np.negative(per_unit)))
        return variable, (Row(f"{variable.name}_floor", terms, ">="),)

    def row(self, name: str, terms: tuple[Term, ...], sense: str, per_unit: Amount) -> Row:
        """Return the row ``terms sense per_unit · size``."""
        assert sense in ("<=", ">=", "=")  # noqa: S101  # narrowing
        if self.fixed is not None:
            return Row(name, terms, sense, np.multiply(per_unit, self.fixed))  # type: ignore[arg-type]
        return Row(name, (*terms, Term(self.variables[0].name, np.negative(per_unit))), sense)  # type: ignore[arg-type]


def capacity(values: Values, conditions: Conditions, noun: str, unit: str) -> Capacity:
    """Return the size ``<noun>_<unit>`` of an asset.

    Decided: between ``<noun>_minimum_<unit>`` and ``<noun>_maximum_<unit>``, bought at ``capex_cny_per_<unit>``, kept at
    ``opex_cny_per_<unit>_year`` for ``lifetime_years``, with ``fixed_cny`` once where the kind has it.
    """
    name = f"{noun}_{unit}"
    if not conditions.sized:
        return Capacity(values[name])
    low, high = values[f"{noun}_minimum_{unit}"], values[f"{noun}_maximum_{unit}"]
    shown = UNITS.get(unit, unit)
    purchase = Size(
        name,
        shown,
        values[f"capex_cny_per_{unit}"],
        values[f"opex_cny_per_{unit}_year"],
        values["lifetime_years"],
        values["fixed_cny"] if values.has("fixed_cny") else 0.0,
    )
    return Capacity(None, (Variable(name, "one", low, high, unit=shown),), (purchase,))


UNITS = {"kw": "kW", "kwh": "kWh", "kva": "kVA", "m3": "m3", "kg": "kg", "nm3": "Nm3"}
