"""Fuels: kg of CO2, CH4 and N2O per unit of fuel, from the plant's preferred table."""

from __future__ import annotations

from dataclasses import replace

from zerofactory import units
from zerofactory.errors import Misuse, Problem, Text
from zerofactory.factors.choose import find, require_tables
from zerofactory.factors.explain import hint, join, product
from zerofactory.factors.model import FactorBook, Found, FuelUse, Resolution, Unresolved
from zerofactory.factors.product import combine, unit_scale
from zerofactory.factors.scope import Scope
from zerofactory.factors.vocabulary import canonical, item_title, trace_item

CO2_PER_C = 44 / 12
_ROLES = {"stationary": "fuel.ef", "road": "fuel.road", "offroad": "fuel.offroad"}
_TRACE_GASES = ("CH4", "N2O")


def fuel_co2(book: FactorBook, scope: Scope, item: str, unit: str) -> Resolution:
    """Return kg CO2 per unit of fuel.

    Chinese tables: ``NCV × CC × OF × 44/12`` (guideline of machinery makers 2015; standards 3.1), NCV in GJ/t or
    GJ/万Nm3, CC in tC/TJ. IPCC tables: ``NCV × EF_CO2`` (IPCC 2006 Vol.2, 2.3). The first of the plant's
    ``fuel_sets`` that knows the fuel is used whole: the terms of two tables are never mixed.

    Parameters
    ----------
    unit : str
        Mass, litres (through the density), normal cubic metres, or heat (GJ, kWh: the NCV is then left out).

    Raises
    ------
    Unresolved
        No preferred table has the fuel, a term must first be accepted, or the unit needs a density that is unknown.

    Examples
    --------
    Published: 389.31 × 15.3 × 0.99 × 44/12 / 1000 = 21.622 tCO2 per 10^4 Nm3 of natural gas; diesel 3.09591 and
    gasoline 2.925056 tCO2/t (2013 guidelines).

    >>> from datetime import date
    >>> from zerofactory.factors.load import factor_book
    >>> plant = Scope("CN-上海", date(2025, 6, 30))
    >>> gas = fuel_co2(factor_book(), plant, "natural_gas", "万Nm3")
    >>> round(gas.value / 1000, 3), gas.id
    (21.622, 'cn-t1.ng.ncv*cn-t1.ng.cc*cn-t1.ng.of')
    >>> round(fuel_co2(factor_book(), plant, "diesel", "kg").value, 6)
    3.09591
    >>> round(fuel_co2(factor_book(), plant, "gasoline", "t").value / 1000, 6)
    2.925056
    """
    fuel = canonical(item)
    narrowed, family = _table(book, scope, fuel)
    _accepted(book, narrowed, fuel, ("fuel.ncv", "fuel.cc", "fuel.of", "fuel.ef_co2"))
    heat = _heat(book, narrowed, fuel, unit)
    said = _said(fuel, family, scope)
    if _knows(book, narrowed, "fuel.of", fuel) or not _knows(book, narrowed, "fuel.ef_co2", fuel):
        carbon = [find(book, "fuel.cc", narrowed, fuel), find(book, "fuel.of", narrowed, fuel)]
        return _product(book, narrowed, [*heat, *carbon], f"kgCO2/{unit}", said, CO2_PER_C)
    factor = find(book, "fuel.ef_co2", narrowed, fuel)
    return _product(book, narrowed, [*heat, factor], f"kgCO2/{unit}", said)


def fuel_gas(book: FactorBook, scope: Scope, item: str, unit: str, gas: str, use: FuelUse) -> Resolution:
    """Return kg CH4 or N2O per unit of fuel: ``NCV × EF`` (IPCC 2006 Vol.2, Tables 2.3, 3.2.2, 3.3.1; kg/TJ on NCV).

    The NCV comes from the plant's preferred table. A fuel without factors of its own takes those of the fuel that
    `items.csv` names for it (LNG: natural gas), and the reason says so.

    Raises
    ------
    Unresolved
        As `fuel_co2`.
    Misuse
        The gas is neither CH4 nor N2O.

    Examples
    --------
    Natural gas in a boiler: 389.31 GJ/万Nm3 × 1 kg/TJ = 0.38931 kg CH4 per 万Nm3.

    >>> from datetime import date
    >>> from zerofactory.factors.load import factor_book
    >>> plant = Scope("CN-上海", date(2025, 6, 30))
    >>> round(fuel_gas(factor_book(), plant, "natural_gas", "万Nm3", "CH4", "stationary").value, 5)
    0.38931
    """
    if gas not in _TRACE_GASES:
        raise Misuse(f"fuel_gas gives CH4 and N2O, not {gas}")
    fuel = canonical(item)
    role = f"{_ROLES[use]}_{gas.lower()}"
    own = (role, fuel) in book.by_role_item or f"{role}:{fuel}" in scope.pins
    trace = fuel if own else trace_item(fuel)
    factor = find(book, role, scope, trace)
    narrowed, family = _table(book, scope, fuel, heat_only=True)
    heat = _heat(book, narrowed, fuel, unit)
    said = _said(fuel, family, scope)
    if trace != fuel:
        other, name = item_title(trace), item_title(fuel)
        borrowed = Text(
            f"{name.zh}没有自己的{gas}因子,取{other.zh}的。",
            f"{name.en} has no {gas} factor of its own: that of {other.en}.",
        )
        said = join((said, borrowed))
    return _product(book, narrowed, [*heat, factor], f"kg{gas}/{unit}", said)


def net_calorific_value(book: FactorBook, scope: Scope, item: str, unit: str) -> Resolution:
    """Return GJ per unit of fuel from the plant's preferred table.

    Examples
    --------
    >>> from datetime import date
    >>> from zerofactory.factors.load import factor_book
    >>> plant = Scope("CN-上海", date(2025, 6, 30))
    >>> round(net_calorific_value(factor_book(), plant, "diesel", "L").value, 6)
    0.035614
    """
    fuel = canonical(item)
    narrowed, family = _table(book, scope, fuel, heat_only=True)
    return _product(book, narrowed, _heat(book, narrowed, fuel, unit), f"GJ/{unit}", _said(fuel, family, scope))


def _table(book: FactorBook, scope: Scope, fuel: str, heat_only: bool = False) -> tuple[Scope, str]:
    """Return the scope narrowed to the first preferred table that knows the fuel, and the table's name."""
    require_tables(book, scope)
    wanted = ("fuel.ncv",) if heat_only else ("fuel.cc", "fuel.ef_co2")
    for family in scope.fuel_sets:
        narrowed = replace(scope, fuel_sets=(family,))
        if any(_listed(book, family, role, fuel) for role in wanted):
            return narrowed, family
    return scope, ", ".join(scope.fuel_sets)


def _accepted(book: FactorBook, scope: Scope, fuel: str, roles: tuple[str, ...]) -> None:
    """Raise once for every term of low confidence that the plant has not accepted, all of them named."""
    refused: list[Unresolved] = []
    for role in roles:
        try:
            find(book, role, scope, fuel)
        except Unresolved as error:
            refused.extend([error] if error.problem.code == "factors.low_confidence" else [])
    if len(refused) > 1:
        first = refused[0].problem
        message, together = join(e.problem.message for e in refused), join(e.problem.hint for e in refused)
        raise Unresolved(replace(first, message=message, hint=together), tuple(e.choices[0] for e in refused))


def _listed(book: FactorBook, family: str, role: str, fuel: str) -> bool:
    return any(book.sets[factor.set_id].family == family for factor in book.by_role_item.get((role, fuel), ()))


def _knows(book: FactorBook, scope: Scope, role: str, fuel: str) -> bool:
    pinned = f"{role}:{fuel}" in scope.pins or role in scope.pins
    return pinned or any(_listed(book, family, role, fuel) for family in scope.fuel_sets)


def _heat(book: FactorBook, scope: Scope, fuel: str, unit: str) -> list[Found]:
    """Return the terms that turn a unit of fuel into heat: none for heat itself, the NCV, the density if needed."""
    dimension = units.parse(unit).dimension
    if dimension == "energy":
        return []
    ncv = find(book, "fuel.ncv", scope, fuel)
    denominator = units.parse_factor_unit(ncv.factor.unit).denominator
    own = denominator.dimension if denominator else ""
    if dimension == own:
        return [ncv]
    if dimension == "volume" and own == "normal_volume":
        raise _metered_volume(fuel, unit)
    try:
        density = find(book, "fuel.density", scope, fuel)
    except Unresolved as error:
        raise _no_density(error, fuel, unit, ncv.factor.unit) from error
    lower = units.parse_factor_unit(density.factor.unit).denominator
    if lower is not None and {dimension, own} == {"mass", lower.dimension}:
        return [ncv, density] if own == "mass" else [ncv, density.inverse()]
    if dimension == "volume" and lower is not None and lower.dimension == "normal_volume":
        raise _metered_volume(fuel, unit)
    raise Unresolved(_wrong_unit(fuel, unit, ncv.factor.unit))


def _metered_volume(fuel: str, unit: str) -> Unresolved:
    name = item_title(fuel)
    return Unresolved(
        Problem(
            code="factors.metered_volume",
            message=Text(
                f"{name.zh}的因子按标准立方米(0℃),“{unit}”是工况体积。",
                f"Factors of {name.en} are per normal cubic metre (0 degC); '{unit}' is a metered volume.",
            ),
            hint=Text(
                "先按 accounting.gas_meter_celsius 换算成 Nm3。",
                "Turn it into Nm3 first, by the plant's accounting.gas_meter_celsius.",
            ),
        )
    )


def _no_density(error: Unresolved, fuel: str, unit: str, wanted: str) -> Unresolved:
    problem = _wrong_unit(fuel, unit, wanted)
    return Unresolved(replace(problem, code="factors.no_density"), error.choices)


def _wrong_unit(fuel: str, unit: str, ncv_unit: str) -> Problem:
    name = item_title(fuel)
    own = hint("fuel.density", fuel, ())
    return Problem(
        code="factors.wrong_unit",
        message=Text(
            f"{name.zh}的热值按 {ncv_unit} 给出,没有密度可换算“{unit}”。",
            f"The calorific value of {name.en} is in {ncv_unit}; no density leads to '{unit}'.",
        ),
        hint=Text(
            f"换用同类单位,或给出密度(fuel.density): {own.zh}",
            f"Use a unit of that kind, or give fuel.density: {own.en}",
        ),
    )


def _said(fuel: str, family: str, scope: Scope) -> Text:
    name, order = item_title(fuel), ", ".join(scope.fuel_sets)
    return Text(
        f"{name.zh}: 按工厂的参数集次序({order})取 {family}。",
        f"{name.en}: by the plant's order of tables ({order}) from {family}.",
    )


def _product(
    book: FactorBook, scope: Scope, terms: list[Found], unit: str, said: Text, physical: float = 1.0
) -> Resolution:
    """Multiply the terms: ``physical`` is a pure number (44/12), the conversion of units is read from the units."""
    scale = unit_scale(terms, unit)
    if scale is None:
        raise Misuse(f"the unit {unit} cannot be read")
    carbon = Text("乘 44/12(碳换算为CO2)。", "Times 44/12 (carbon to CO2).") if physical == CO2_PER_C else Text("", "")
    resolution = combine(terms, unit, physical * scale)
    return replace(resolution, reason=join((said, product(book, terms, scope), carbon)))
