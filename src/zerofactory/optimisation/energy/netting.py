"""What passes a meter both ways at once is netted: an interior point leaves it where buying and selling cost the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.block import over
from zerofactory.assets.grid import Floats
from zerofactory.optimisation.energy.problem import EnergyProblem, Use, electric, margin_cny, settled

Values = dict[str, dict[str, Floats]]


def netted(problem: EnergyProblem, values: Mapping[str, Mapping[str, Floats]]) -> Values:
    """Return values in which no grid connection buys and sells in one interval, where that costs nothing more.

    Bus and states stay as they are. Where selling pays more than buying costs nothing is touched (the check tells of it), and
    what contracts settle in an interval stays bought.
    """
    found = {name: dict(own) for name, own in values.items()}
    claimed = sum(
        (kwh * over(found[use.id][name], problem.grid.length) for use in problem.uses for name, kwh in settled(use, problem.grid).items()),
        np.zeros(problem.grid.length),
    )  # fmt: skip
    for use in problem.uses:
        if use.role == "grid":
            _net(problem, use, found[use.id], claimed / problem.grid.step_hours)
    return found


def _net(problem: EnergyProblem, use: Use, own: dict[str, Floats], claimed_kw: Floats) -> None:
    bought, sold = electric(use, 1), electric(use, -1)
    if len(bought) != 1 or len(sold) != 1:
        return
    length = problem.grid.length
    into, out = over(bought[0].coefficient, length), -over(sold[0].coefficient, length)
    spare = np.maximum(own[bought[0].variable] - claimed_kw, 0.0)
    both = np.minimum(into * spare, out * own[sold[0].variable])
    both = np.where(margin_cny(problem, use) >= 0.0, np.maximum(both, 0.0), 0.0)
    own[bought[0].variable] = own[bought[0].variable] - both / into
    own[sold[0].variable] = own[sold[0].variable] - both / out
