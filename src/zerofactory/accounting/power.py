"""Electricity that others draw on the reporter's behalf: electric trucks and cars, leased space, sold vehicles.

kWh × average factor of the grid it is drawn from (location-based); a factor that embeds another country's power is never taken
(standards, 4 and 5).
"""

from __future__ import annotations

from dataclasses import replace

from zerofactory.accounting.source import Ask
from zerofactory.accounting.terms import derived
from zerofactory.errors import Text
from zerofactory.factors.model import Factor, Found, GridLevel
from zerofactory.factors.resolve import find
from zerofactory.factors.vocabulary import chain, region

GRID = "ef.grid.cn"


def grid_factor(ask: Ask, place: str | None = None, level: GridLevel | None = None) -> Found:
    """Return the average grid factor at the plant, or at another place and level.

    Raises
    ------
    NotFound
        The place is not a region of the tables.
    Unresolved
        There is no factor for it.
    """
    scope = replace(ask.scope, region=place or ask.scope.region, grid_level=level or ask.scope.grid_level)
    return find(ask.book, "grid.average", scope, item="electricity")


def consumption(ask: Ask, item: str, detail: str, title: Text) -> Found:
    """Return kWh per vehicle·km: stated, or the intensity of a kind of vehicle (recalled, low confidence)."""
    if ask.has(detail):
        return ask.stated(detail, "kWh/vehicle·km", title, 1e-9)
    return find(ask.book, "transport.intensity", ask.scope, item=item)


def nation_of(name: str) -> str:
    """Return the country of a region.

    Examples
    --------
    >>> nation_of("CN-上海")
    'CN'
    """
    return next((place for place in chain(name) if region(place).level == "nation"), name)


def mean_of_decline(decline_fraction: float, years: float, inputs: tuple[Factor, ...] = ()) -> Found:
    """Return the mean of a factor over a lifetime in which it falls by the same share each year.

    m = (1/N) Σ_{y=0}^{N−1} (1 − r)^y, a last part of a year counted by its length.

    Examples
    --------
    5 % a year over two years: (1 + 0.95) / 2

    >>> mean_of_decline(0.05, 2).factor.value
    0.975
    >>> mean_of_decline(0.0, 12.5).factor.value
    1.0
    """
    whole = int(years)
    summed = sum((1.0 - decline_fraction) ** year for year in range(whole))
    summed += (years - whole) * (1.0 - decline_fraction) ** whole
    title = Text(
        f"电网因子年降 {100 * decline_fraction:g} %、{years:g} 年的平均系数",
        f"mean over {years:g} years of a grid factor that falls {100 * decline_fraction:g} % a year",
    )
    name = f"grid_decline({decline_fraction:g},{years:g})"
    found = derived(name, summed / years, "fraction", title, inputs)
    reason = Text(f"{title.zh}(企业设定)。", f"{title.en} (set by the plant).")
    return Found(found.factor, reason)
