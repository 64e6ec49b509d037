"""Units: the one place that parses and converts them.

The table is `units.csv`: unit, dimension, factor to the dimension's base unit (exact decimal), names and aliases.
Normal cubic metres (Nm3, 0 °C) and cubic metres are different dimensions on purpose: gas bills are read at 20 °C, and
turning one into the other is a decision of the plant (see `normal_volume_ratio`), never a conversion.
Base units: J, W, kg, m3, Nm3, m, m2, s, kg·km, CNY. 1 tce = 29.3076 GJ by definition (GB/T 2589-2020, 3.3).
"""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files

from zerofactory.errors import NotFound, Problem, Text, ZeroFactoryError

GASES_IN_UNITS = ("CO2e", "CO2", "CH4", "N2O", "SF6", "NF3", "NMVOC", "C", "VOC")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of the table: symbol, dimension and exact factor to the base unit."""

    symbol: str
    dimension: str
    factor: Fraction
    title: Text


class WrongDimension(ZeroFactoryError):
    """Two units that measure different things."""

    def __init__(self, given: Unit, wanted: Unit) -> None:
        self.given, self.wanted = given, wanted
        super().__init__(f"cannot convert {given.symbol} ({given.dimension}) to {wanted.symbol} ({wanted.dimension})")

    def as_problem(self) -> Problem:
        """Return the fault as a problem for a door."""
        return Problem(
            code="units.wrong_dimension",
            message=Text(
                f"单位“{self.given.symbol}”({self.given.title.zh})不能换算成“{self.wanted.symbol}”({self.wanted.title.zh})。",
                f"Unit '{self.given.symbol}' ({self.given.title.en}) cannot become '{self.wanted.symbol}' "
                f"({self.wanted.title.en}).",
            ),
            hint=Text(
                f"请填写与“{self.wanted.symbol}”同类的单位: {', '.join(symbols_of(self.wanted.dimension))}。",
                f"Use a unit of the same kind: {', '.join(symbols_of(self.wanted.dimension))}.",
            ),
        )


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, Unit], dict[str, Unit]]:
    by_symbol: dict[str, Unit] = {}
    by_name: dict[str, Unit] = {}
    with (files("zerofactory") / "units.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            unit = Unit(row["unit"], row["dimension"], Fraction(row["factor"]), Text(row["zh"], row["en"]))
            by_symbol[unit.symbol] = unit
            for name in (unit.symbol, unit.title.zh, *filter(None, row["aliases"].split("|"))):
                other = by_name.setdefault(name, unit)
                if other is not unit:
                    raise ZeroFactoryError(f"units.csv: '{name}' names both {other.symbol} and {unit.symbol}")
    return by_symbol, by_name


def symbols() -> tuple[str, ...]:
    """Return every unit symbol in the order of the table."""
    return tuple(_table()[0])


def symbols_of(dimension: str) -> tuple[str, ...]:
    """Return the symbols of one dimension in the order of the table."""
    return tuple(unit.symbol for unit in _table()[0].values() if unit.dimension == dimension)


def aliases_of(dimension: str) -> tuple[str, ...]:
    """Return every spelling accepted for one dimension."""
    return tuple(name for name, unit in _table()[1].items() if unit.dimension == dimension)


def parse(text: str) -> Unit:
    """Return the unit that a spelling means.

    Raises
    ------
    NotFound
        The spelling is unknown; the nearest known ones are listed.

    Examples
    --------
    >>> parse("万标方").symbol
    '万Nm3'
    >>> parse("度").dimension
    'energy'
    """
    names = _table()[1]
    cleaned = text.strip()
    unit = names.get(cleaned) or names.get(cleaned.replace(" ", "")) or names.get(cleaned.replace("³", "3"))
    if unit is None:
        near = difflib.get_close_matches(cleaned, list(names), n=5, cutoff=0.4)
        raise NotFound(
            Text("单位", "unit"), text, list(dict.fromkeys(names[name].symbol for name in near)) or list(symbols())[:8]
        )
    return unit


@lru_cache(maxsize=4096)
def ratio(given: str, wanted: str) -> float:
    """Return the number that turns an amount in ``given`` into ``wanted`` (correctly rounded from an exact fraction).

    Raises
    ------
    NotFound, WrongDimension

    Examples
    --------
    >>> ratio("MWh", "kWh")
    1000.0
    >>> ratio("tce", "GJ")
    29.3076
    >>> ratio("万Nm3", "Nm3")
    10000.0
    """
    source, target = parse(given), parse(wanted)
    if source.dimension != target.dimension:
        raise WrongDimension(source, target)
    return float(source.factor / target.factor)


def convert(value: float, given: str, wanted: str) -> float:
    """Return ``value`` in another unit of the same dimension.

    Multiplies by the exact fraction, so that 0.1 + 0.2 style surprises of chained factors do not occur.

    Examples
    --------
    >>> convert(1.5, "万kWh", "kWh")
    15000.0
    >>> convert(100.0, "kgce", "tce")
    0.1
    """
    source, target = parse(given), parse(wanted)
    if source.dimension != target.dimension:
        raise WrongDimension(source, target)
    return float(Fraction(value) * source.factor / target.factor)


@dataclass(frozen=True, slots=True)
class FactorUnit:
    """A factor's unit: ``numerator`` (of ``gas``, if any) per ``denominator`` (None for a pure number)."""

    numerator: Unit
    gas: str | None
    denominator: Unit | None


@lru_cache(maxsize=1024)
def parse_factor_unit(text: str) -> FactorUnit:
    """Return the parts of a factor's unit.

    Raises
    ------
    NotFound
        A part is not a unit of the table.

    Examples
    --------
    >>> u = parse_factor_unit("kgCO2/kWh")
    >>> u.numerator.symbol, u.gas, u.denominator.symbol
    ('kg', 'CO2', 'kWh')
    >>> parse_factor_unit("GJ/10^4Nm3").denominator.symbol
    '万Nm3'
    >>> parse_factor_unit("tC/TJ").gas
    'C'
    """
    upper, _, lower = text.partition("/")
    upper, gas = upper.strip(), None
    if upper not in _table()[1]:
        for candidate in GASES_IN_UNITS:
            if upper.endswith(candidate):
                upper, gas = upper[: -len(candidate)].strip(), candidate
                break
    return FactorUnit(parse(upper), gas, parse(lower.strip()) if lower.strip() else None)


def normal_volume_ratio(celsius: float) -> float:
    """Return Nm3 (0 °C) per m3 metered at ``celsius`` and the same pressure: 273.15 / (273.15 + celsius).

    Chinese gas bills are read at 20 °C while the tables of factors hold at 0 °C; most reports ignore the difference
    (standards, 3.1). The plant decides; the choice is printed.

    Examples
    --------
    >>> round(normal_volume_ratio(20.0), 6)
    0.931776
    """
    return 273.15 / (273.15 + celsius)
