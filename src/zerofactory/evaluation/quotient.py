"""Units of indicators: plain (``fraction``, ``tCO2e``) or a quotient (``tce/vehicle``, ``g/m2``), and how one becomes another."""

from __future__ import annotations

from zerofactory import units
from zerofactory.errors import Misuse, NotFound


def same(given: str, wanted: str) -> bool:
    """Whether two units measure the same thing (``%`` and ``fraction``, ``kgCO2e/vehicle`` and ``tCO2e/vehicle``)."""
    return ratio(given, wanted) is not None


def ratio(given: str, wanted: str) -> float | None:
    """Return what one of a unit is in another, None when they measure different things.

    Examples
    --------
    >>> ratio("tCO2e/vehicle", "kgCO2e/vehicle"), ratio("%", "fraction"), ratio("tce/vehicle", "tce/万元")
    (1000.0, 0.01, None)
    """
    try:
        one, other = units.parse_factor_unit(given), units.parse_factor_unit(wanted)
        if one.gas != other.gas or (one.denominator is None) != (other.denominator is None):
            return None
        scale = units.ratio(one.numerator.symbol, other.numerator.symbol)
        if one.denominator is None or other.denominator is None:
            return scale
        return scale / units.ratio(one.denominator.symbol, other.denominator.symbol)
    except (NotFound, units.WrongDimension):
        return None


def convert(value: float, given: str, wanted: str) -> float:
    """Return a value in another unit of the same thing, exact where the units are (95 % is 0.95, not a hair more).

    Raises
    ------
    Misuse
        The units measure different things; ask `same` first.

    Examples
    --------
    >>> convert(95.0, "%", "fraction"), convert(18.0, "kgce/万元", "tce/万元")
    (0.95, 0.018)
    """
    if not same(given, wanted):
        raise Misuse(f"{given} and {wanted} measure different things")
    one, other = units.parse_factor_unit(given), units.parse_factor_unit(wanted)
    found = units.convert(value, one.numerator.symbol, other.numerator.symbol)
    if one.denominator is None or other.denominator is None:
        return found
    return found / units.ratio(one.denominator.symbol, other.denominator.symbol)
