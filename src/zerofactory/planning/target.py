"""Targets: by how much emissions have to fall, and by when.

Four ways to set one, each a formula with its rule's numbers in `frameworks/*.yaml`:

    absolute contraction   R = r × (T − min(b, b_max))                     the same share a year for everyone
    sectoral (SDA)         CI_y = d·p_y·m_y + SI_2050                      an intensity converges to the sector's
    intensity compound     CI_y = CI_b × (1 − r)^(y − b)
    long term              R ≥ 90 % by 2050, the rest neutralised by lasting removals

Credits never count towards any of them. Years between base and target lie on a straight line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from zerofactory.errors import Misuse, Text

Method = Literal["absolute", "sda", "intensity", "stated"]
ScopeName = Literal["1", "2", "1+2", "3", "all"]
SCOPES: Mapping[str, tuple[int, ...]] = {"1": (1,), "2": (2,), "1+2": (1, 2), "3": (3,), "all": (1, 2, 3)}


@dataclass(frozen=True, slots=True)
class Target:
    """A target as the plan states it.

    Parameters
    ----------
    id : str
    title : Text
    method : {'absolute', 'sda', 'intensity', 'stated'}
        ``absolute``: the rule's share a year; ``stated``: ``reduction_fraction`` by ``target_year``.
    scope : {'1', '2', '1+2', '3', 'all'}
    target_year : int
    framework, rule : str, optional
        Which file and which of its rules the numbers come from.
    reduction_fraction : float, optional
        Of a stated target: what is to be gone by the target year.
    categories : tuple of str
        Limits a scope-3 target to categories of the plan's standard (``4.1``); empty: all of the scope.
    sector : str, optional
        Of an SDA target: which sectoral pathway.
    regime : str, optional
        Claim regime that counts; None: the plan's.
    from_year : int, optional
        First year whose limit binds the roadmap (measures need time to act); None: every year of the plan.
    """

    id: str
    title: Text
    method: Method
    scope: ScopeName
    target_year: int
    framework: str | None = None
    rule: str | None = None
    reduction_fraction: float | None = None
    categories: tuple[str, ...] = ()
    sector: str | None = None
    regime: str | None = None
    from_year: int | None = None


def required_reduction(annual_fraction: float, base_year: int, target_year: int, latest_base_year: int = 2020) -> float:
    """Return the least reduction by absolute contraction: r × (T − min(b, b_max)), at most all of it.

    A base year after ``latest_base_year`` does not soften the target: the years since then are owed too (SBTi Corporate
    Near-term Criteria V5, absolute contraction; standards, 8).

    Parameters
    ----------
    annual_fraction : share of base-year emissions a year, 0.042 for 1.5 °C.
    base_year, target_year : calendar years.
    latest_base_year : b_max of the rule.

    Examples
    --------
    Base 2018, target 2030: 4.2 % × 12 = 50.4 %. Base 2025, target 2030: 4.2 % × 10 = 42 %.

    >>> round(required_reduction(0.042, 2018, 2030), 6)
    0.504
    >>> round(required_reduction(0.042, 2025, 2030), 6)
    0.42
    """
    if target_year <= base_year:
        raise Misuse(f"target year {target_year} is not after base year {base_year}")
    owed = Fraction(repr(annual_fraction)) * (target_year - min(base_year, latest_base_year))
    return min(1.0, float(owed))


def linear_path(base_gco2e: int, reduction_fraction: float, base_year: int, target_year: int) -> dict[int, int]:
    """Return the limit of every year from base to target in whole grams: E_t = E_b × (1 − r × (t − b)), r = R ÷ (T − b).

    Computed in exact fractions and rounded down, so that a whole-gram limit is never looser than the formula
    (standards, 8).

    Examples
    --------
    >>> linear_path(1000, 0.42, 2020, 2030)[2025], linear_path(1000, 0.42, 2020, 2030)[2030]
    (790, 580)
    """
    if target_year <= base_year:
        raise Misuse(f"target year {target_year} is not after base year {base_year}")
    share = Fraction(repr(reduction_fraction)) / (target_year - base_year)
    return {
        year: math.floor(base_gco2e * (1 - share * (year - base_year))) for year in range(base_year, target_year + 1)
    }


def annual_limit(path: Mapping[int, int], year: int) -> int | None:
    """Return the limit of a year: on the path, the last value after it, None before it."""
    if year in path:
        return path[year]
    last = max(path)
    return path[last] if year > last else None


@dataclass(frozen=True, slots=True)
class Sector:
    """A sectoral pathway: intensity and activity of the whole sector by year.

    Years between two given ones are read off the straight line between them.
    """

    id: str
    title: Text
    intensity: Mapping[int, float]
    activity: Mapping[int, float]
    intensity_unit: str
    activity_unit: str
    source: str
    status: str

    def intensity_in(self, year: int) -> float:
        """Return the sector's intensity of a year."""
        return between(self.intensity, year)

    def activity_in(self, year: int) -> float:
        """Return the sector's activity of a year."""
        return between(self.activity, year)


def between(values: Mapping[int, float], year: int) -> float:
    """Return a value by straight line between the years given; outside them the nearest.

    Examples
    --------
    >>> between({2020: 10.0, 2030: 5.0}, 2024)
    8.0
    >>> between({2020: 10.0, 2030: 5.0}, 2040)
    5.0
    """
    years = sorted(values)
    if year <= years[0]:
        return values[years[0]]
    if year >= years[-1]:
        return values[years[-1]]
    later = next(one for one in years if one >= year)
    earlier = max(one for one in years if one <= year)
    if later == earlier:
        return values[year]
    weight = (year - earlier) / (later - earlier)
    return values[earlier] + weight * (values[later] - values[earlier])


def sda_intensity(company: tuple[float, float, float], sector: Sector, base_year: int, year: int) -> float:
    """Return the intensity that the sectoral approach asks of a company in a year.

    CI_y = d · p_y · m_y + SI_2050,  d = CI_b − SI_2050,  p_y = (SI_y − SI_2050) ÷ (SI_b − SI_2050),
    m_y = (A_b ÷ SA_b) ÷ (A_y ÷ SA_y)  (SBTi, Sectoral Decarbonization Approach 2015, eq. 1-4; standards, 8).

    Parameters
    ----------
    company : CI_b in the sector's intensity unit, A_b and A_y in its activity unit.
    sector : the pathway; its year 2050 is the one it converges to.

    Examples
    --------
    CI_b 10, SI 8 → 5 → 2 (2020, 2035, 2050), market share unchanged: d = 8, p = 0.5, m = 1, CI = 8 × 0.5 + 2 = 6

    >>> flat = {2020: 100.0, 2050: 100.0}
    >>> way = Sector("x", Text("", ""), {2020: 8.0, 2035: 5.0, 2050: 2.0}, flat, "t/unit", "unit", "", "placeholder")
    >>> sda_intensity((10.0, 1.0, 1.0), way, 2020, 2035)
    6.0
    """
    intensity_base, activity_base, activity_then = company
    end = sector.intensity_in(2050)
    start = sector.intensity_in(base_year)
    if start == end:
        raise Misuse(f"sector {sector.id}: its intensity does not change from {base_year} to 2050")
    progress = (sector.intensity_in(year) - end) / (start - end)
    share_base = activity_base / sector.activity_in(base_year)
    share_then = activity_then / sector.activity_in(year)
    return (intensity_base - end) * progress * (share_base / share_then) + end


def compound_intensity(intensity_base: float, annual_fraction: float, years: int) -> float:
    """Return an intensity that falls by the same share each year: CI_b × (1 − r)^n (SBTi V1.x, scope 3 intensity 7 %).

    Examples
    --------
    >>> round(compound_intensity(100.0, 0.07, 2), 9)
    86.49
    """
    return intensity_base * (1.0 - annual_fraction) ** years


def progress_fraction(base_gco2e: int, actual_gco2e: int, limit_gco2e: int) -> float:
    """Return actual reduction ÷ required reduction; 1 or more is on track (standards, 8).

    Examples
    --------
    >>> progress_fraction(1000, 900, 800)
    0.5
    """
    required = base_gco2e - limit_gco2e
    if required == 0:
        return 1.0 if actual_gco2e <= limit_gco2e else 0.0
    return (base_gco2e - actual_gco2e) / required
