"""Products of factors: multiply, convert, and check the units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from zerofactory import units
from zerofactory.errors import Misuse, NotFound, Text
from zerofactory.factors.explain import join
from zerofactory.factors.model import Found, Resolution, Term


@lru_cache(maxsize=2048)
def _algebra(unit: str) -> tuple[tuple[tuple[str, int], ...], Fraction] | None:
    """Return the dimensions with their powers and the scale to base units; None for a unit the table cannot read."""
    try:
        parts = units.parse_factor_unit(unit)
    except NotFound:
        return None
    powers: Counter[str] = Counter({parts.numerator.dimension: 1})
    scale = parts.numerator.factor
    if parts.denominator is not None:
        powers[parts.denominator.dimension] -= 1
        scale /= parts.denominator.factor
    return _plain(powers), scale


def _plain(powers: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, power) for name, power in powers.items() if power and name != "fraction"))


def unit_scale(terms: Sequence[Found], unit: str, constant_unit: str | None = None) -> float | None:
    """Return the number that turns the product of the terms' units into ``unit``; None when a unit cannot be read.

    Raises
    ------
    Misuse
        The dimensions differ: the product is not what ``unit`` says.
    """
    powers: Counter[str] = Counter()
    scale = Fraction(1)
    parts = [(term.factor.unit, term.power) for term in terms] + ([(constant_unit, 1)] if constant_unit else [])
    for text, power in parts:
        algebra = _algebra(text)
        if algebra is None:
            return None
        for name, exponent in algebra[0]:
            powers[name] += exponent * power
        scale *= algebra[1] ** power
    wanted = _algebra(unit)
    if wanted is None:
        return None
    if _plain(powers) != wanted[0]:
        shown = " × ".join(text if power == 1 else f"({text})^{power}" for text, power in parts)
        raise Misuse(f"{shown} is not {unit}: dimensions {dict(_plain(powers))} against {dict(wanted[0])}")
    return float(scale / wanted[1])


def combine(
    terms: Sequence[Found], unit: str, constant: float | None = None, constant_unit: str | None = None
) -> Resolution:
    """Return the product of factors in one unit, multiplied in the order given: ``constant × f1 × f2 ×…``.

    Parameters
    ----------
    terms : sequence of Found
        ``found.inverse()`` divides.
    unit : str
        Unit of the result, e.g. ``kgCO2/万Nm3``.
    constant : float, optional
        The whole number in front, conversion of units included. Left out it is just that conversion, from the units.
    constant_unit : str, optional
        The unit of a constant that is not a pure number (``GJ/t`` for the enthalpy of steam).

    Raises
    ------
    Misuse
        The units of the terms do not give ``unit``. Units that the table cannot read are not checked.

    Examples
    --------
    Default heat factor 0.11 tCO2/GJ in kg:

    >>> from datetime import date
    >>> from zerofactory.factors.choose import find
    >>> from zerofactory.factors.load import factor_book
    >>> from zerofactory.factors.scope import Scope
    >>> heat = find(factor_book(), "heat.default", Scope("CN-上海", date(2025, 1, 31)))
    >>> combine([heat], "kgCO2/GJ").value
    110.0
    """
    scale = unit_scale(terms, unit, constant_unit)
    if constant is None:
        if scale is None:
            raise Misuse(f"the units do not tell the conversion to {unit}: give the constant")
        constant = scale
    value = constant
    for term in terms:
        value = value * term.factor.value if term.power == 1 else value / term.factor.value
    return Resolution(
        id=_name(terms),
        value=value,
        unit=unit,
        terms=tuple(Term(term.factor, term.power) for term in terms),
        reason=_reasons(terms),
        constant=constant,
    )


def single(found: Found, unit: str | None = None) -> Resolution:
    """Return one factor as a resolution, in its own unit or converted to another of the same kind."""
    return combine([found], unit or found.factor.unit, None if unit else 1.0)


def recompute(resolution: Resolution) -> float:
    """Return the value again from the terms, in the stated order; equals ``resolution.value`` to the last bit."""
    value = resolution.constant
    for term in resolution.terms:
        value = value * term.factor.value if term.power == 1 else value / term.factor.value
    return value


def _name(terms: Sequence[Found]) -> str:
    joined = "".join(("*" if term.power == 1 else "/") + term.factor.id for term in terms)
    return joined.removeprefix("*") if not joined.startswith("/") else "1" + joined


def _reasons(terms: Sequence[Found]) -> Text:
    seen: dict[Text, None] = {}
    for term in terms:
        seen.setdefault(term.reason)
    return join(seen)
