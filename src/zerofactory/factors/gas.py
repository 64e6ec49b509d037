"""Gases: warming potentials by report, refrigerant blends, the Kyoto basket, molar masses, steam."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from zerofactory.errors import Problem, Text
from zerofactory.factors import explain
from zerofactory.factors.model import Factor, FactorBook, Origin, Unresolved
from zerofactory.factors.vocabulary import canonical

GWP_SETS = ("SAR", "TAR", "AR4", "AR5", "AR6")


def gwp(
    book: FactorBook,
    gas: str,
    gwp_set: str,
    origin: Origin | None = None,
    pins: Mapping[str, tuple[str, str]] | None = None,
) -> Factor:
    """Return the 100-year warming potential of one gas in one assessment report (kgCO2e/kg).

    Parameters
    ----------
    gas : str
        ``CO2``, ``CH4``, ``HFC-134a`` ... or another spelling of it.
    gwp_set : {'SAR', 'TAR', 'AR4', 'AR5', 'AR6'}
    origin : {'fossil', 'biogenic'}, optional
        Methane under AR6 is 29.8 fossil and 27.0 biogenic (AR6 WGI Table 7.15); 27.9 where the origin is not told.
        Other gases and reports have one value for both.
    pins : mapping, optional
        The plant's pins; ``gwp:SF6`` may name the alternative value. A pin of another report is not applied.

    Raises
    ------
    Unresolved
        The report has no value for the gas; the reports that have one are listed.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> [gwp(factor_book(), "CH4", "AR6", origin).value for origin in ("fossil", "biogenic", None)]
    [29.8, 27.0, 27.9]
    """
    name = canonical(gas)
    rows = [factor for factor in book.by_role_item.get(("gwp", name), ()) if factor.extra["gwp_set"] == gwp_set]
    pinned = (pins or {}).get(f"gwp:{name}")
    if pinned is not None:
        wanted_factor = _pinned_gwp(book, name, pinned[0])
        if wanted_factor in rows:
            return wanted_factor
    plain = [factor for factor in rows if factor.extra.get("choice") != "alternative"]
    for wanted in (origin, None):
        for factor in plain:
            if factor.extra.get("origin") == wanted:
                return factor
    raise _no_gwp(book, name, gwp_set)


def _pinned_gwp(book: FactorBook, gas: str, factor_id: str) -> Factor:
    listed = book.by_role_item.get(("gwp", gas), ())
    for factor in listed:
        if factor.id == factor_id:
            return factor
    problem = Problem("factors.pin_unknown", explain.pin_unknown(factor_id), explain.hint("gwp", gas, listed))
    raise Unresolved(problem, tuple(factor.id for factor in listed))


def _no_gwp(book: FactorBook, gas: str, gwp_set: str) -> Unresolved:
    listed = book.by_role_item.get(("gwp", gas), ())
    return Unresolved(
        Problem(
            code="factors.no_gwp",
            message=Text(f"{gwp_set} 没有 {gas} 的GWP。", f"{gwp_set} has no GWP for {gas}."),
            hint=explain.hint("gwp", gas, listed),
        ),
        tuple(factor.id for factor in listed),
    )


def is_kyoto(book: FactorBook, gas: str) -> bool:
    """Whether a gas belongs to the Kyoto basket; others (HCFC, CFC, HFO, hydrocarbons) are reported apart.

    Raises
    ------
    Unresolved
        The gas is unknown.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> is_kyoto(factor_book(), "HFC-134a"), is_kyoto(factor_book(), "R-22")
    (True, False)
    """
    name = canonical(gas)
    rows = book.by_role_item.get(("gwp", name), ())
    if not rows:
        raise _no_gwp(book, name, "/".join(GWP_SETS))
    return rows[0].extra["kyoto"] == "yes"


def blend(book: FactorBook, item: str) -> tuple[tuple[str, Factor | None], ...]:
    """Return the gases of a refrigerant with their mass fractions; a pure gas gives itself with None.

    Raises
    ------
    Unresolved
        Neither a blend nor a gas of the tables.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> [(gas, share.value) for gas, share in blend(factor_book(), "R-410A") if share]
    [('HFC-32', 0.5), ('HFC-125', 0.5)]
    >>> blend(factor_book(), "HFC-134a")
    (('HFC-134a', None),)
    """
    name = canonical(item)
    parts = book.by_role_item.get(("blend", name)) or book.by_role_item.get(("blend", name.upper().replace("-", "")))
    if parts:
        return tuple((factor.gas or "", factor) for factor in parts)
    if ("gwp", name) in book.by_role_item:
        return ((name, None),)
    known = (*book.items("blend"), *book.items("gwp"))
    near = ", ".join(known[:60])
    raise Unresolved(
        Problem(
            code="factors.unknown_refrigerant",
            message=Text(f"没有制冷剂或气体“{item}”。", f"There is no refrigerant or gas '{item}'."),
            hint=Text(f"可选: {near}。", f"Choose one of: {near}."),
        ),
        known,
    )


def blend_gwp(book: FactorBook, item: str, gwp_set: str) -> float:
    """Return the warming potential of a refrigerant: Σ mass fraction × GWP (standards 3.4). For display; the book
    keeps each gas apart.

    Examples
    --------
    R410A: 0.5 × 771 + 0.5 × 3740 = 2255.5 (AR6); 0.5 × 675 + 0.5 × 3500 = 2087.5 (AR4).

    >>> from zerofactory.factors.load import factor_book
    >>> blend_gwp(factor_book(), "R410A", "AR6"), blend_gwp(factor_book(), "R410A", "AR4")
    (2255.5, 2087.5)
    """
    return sum((share.value if share else 1.0) * gwp(book, gas, gwp_set).value for gas, share in blend(book, item))


def steam_enthalpy(
    book: FactorBook, pressure_mpa: float, temperature_celsius: float | None = None
) -> tuple[float, tuple[Factor, ...]]:
    """Return the enthalpy of steam (kJ/kg) and the table rows it is read from.

    Saturated steam between two rows is interpolated linearly over pressure. Superheated steam must be a row of the
    table.

    Parameters
    ----------
    pressure_mpa : float
        Absolute pressure in MPa (gauge + 0.1).
    temperature_celsius : float, optional
        Given for superheated steam.

    Raises
    ------
    Unresolved
        Outside the table.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> round(steam_enthalpy(factor_book(), 0.85)[0], 2)
    2770.65
    >>> steam_enthalpy(factor_book(), 1.0, 250)[0]
    2943.2
    """
    rows = book.by_role.get("steam.enthalpy", ())
    kind = "saturated" if temperature_celsius is None else "superheated"
    table = sorted((row for row in rows if row.item.startswith(kind)), key=_pressure)
    for row in table:
        if _pressure(row) == pressure_mpa and temperature_celsius in (None, float(row.extra["temperature_celsius"])):
            return row.value, (row,)
    if temperature_celsius is None:
        for lower, upper in pairwise(table):
            if _pressure(lower) < pressure_mpa < _pressure(upper):
                share = (pressure_mpa - _pressure(lower)) / (_pressure(upper) - _pressure(lower))
                return lower.value + share * (upper.value - lower.value), (lower, upper)
    raise _outside_steam(tuple(table))


def _pressure(row: Factor) -> float:
    return float(row.extra["pressure_mpa"])


def _outside_steam(rows: tuple[Factor, ...]) -> Unresolved:
    listed = "; ".join(f"{row.extra['pressure_mpa']} MPa {row.extra['temperature_celsius']} degC" for row in rows)
    return Unresolved(
        Problem(
            code="factors.outside_steam_table",
            message=Text("蒸汽状态不在焓值表内。", "The state of the steam is outside the table."),
            hint=Text(f"表内(绝对压力): {listed}。", f"In the table (absolute pressure): {listed}."),
        ),
        tuple(row.id for row in rows),
    )


def uncertainty(book: FactorBook, entry: str) -> float:
    """Return the half-width of the 95 % interval of an uncertainty entry as a fraction (0.05 = ±5 %).

    Raises
    ------
    NotFound
        No such entry.

    Examples
    --------
    >>> from zerofactory.factors.load import factor_book
    >>> uncertainty(factor_book(), "ad.fuel.default")
    0.05
    """
    factor = book.factor(entry)
    if factor.role != "uncertainty":
        raise Unresolved(
            Problem(
                code="factors.not_an_uncertainty",
                message=Text(f"{entry} 不是不确定度。", f"{entry} is not an uncertainty."),
                hint=explain.hint("uncertainty", None, book.by_role.get("uncertainty", ())),
            )
        )
    return factor.value / 100
