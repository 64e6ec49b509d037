"""A limit: one figure that a plan must keep at or below, or at or above, a value.

Evaluation says what the next grade asks of the plant as limits; a target of a year is a limit too; the roadmap takes
limits and answers with measures, years and cost. Nothing else passes between the two rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerofactory.errors import Text

Direction = Literal["at_most", "at_least"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What one indicator must reach.

    Parameters
    ----------
    indicator : str
        Id of the indicator, e.g. ``scope12_emissions`` (the roadmap lists the ones it can steer by: `roadmap.levers`).
    value : float
        The bound, in ``unit``.
    unit : str
        A unit of the table of units, or ``fraction``; a quotient is written ``tCO2/tce``.
    direction : {'at_most', 'at_least'}
        Which side of the bound is good.
    title : Text
        The limit as a person reads it.
    year : int, optional
        The year from which it holds; None: from the year the caller asks about.
    source : str, optional
        Clause or page of the rule it comes from.
    """

    indicator: str
    value: float
    unit: str
    direction: Direction
    title: Text
    year: int | None = None
    source: str | None = None

    def met_by(self, value: float) -> bool:
        """Whether a figure keeps the limit.

        Examples
        --------
        >>> Limit("scope12", 100.0, "tCO2e", "at_most", Text("上限", "cap")).met_by(99.0)
        True
        """
        return value <= self.value if self.direction == "at_most" else value >= self.value

    def distance(self, value: float) -> float:
        """Return how far a figure is from the limit, in its unit; zero when it is kept.

        Examples
        --------
        >>> Limit("green_share", 0.5, "fraction", "at_least", Text("绿电占比", "green share")).distance(0.25)
        0.25
        """
        gap = value - self.value if self.direction == "at_most" else self.value - value
        return max(0.0, gap)
