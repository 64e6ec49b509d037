"""How likely it is that each annual target is met: the roadmap run many times with what is not known well.

Drawn, with a fixed seed: the saving of each measure (half-width by the status of its source, triangular), the grid (grows with
the square root of the years), the output, whether a measure comes a year late, what a contract delivers. The amounts that two
years or two targets share are drawn once. Nothing here changes the plan: it says how firm it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.planning.portfolio import Floats
from zerofactory.planning.roadmap import Goal, Roadmap
from zerofactory.planning.scenario import default
from zerofactory.planning.stream import CONTRACT, ELECTRICITY

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of one target in one year, and the middle and the ends of what is emitted (grams)."""

    goal: str
    year: int
    limit_gco2e: int
    probability: float
    median_gco2e: float
    low_gco2e: float
    high_gco2e: float


@dataclass(frozen=True, slots=True)
class Draws:
    """How many draws from which seed; None: the defaults of the method."""

    draws: int | None = None
    seed: int | None = None


def chances(roadmap: Roadmap, goals: Sequence[Goal], asked: Draws | None = None) -> tuple[Chance, ...]:
    """Return the probability of every goal in every year that it has a limit for."""
    chosen = asked or Draws()
    count = int(default("draws")) if chosen.draws is None else chosen.draws
    seed = int(default("seed")) if chosen.seed is None else chosen.seed
    generator = np.random.Generator(np.random.PCG64(seed))
    portfolio = roadmap.portfolio
    selections = {goal.id: portfolio.selection(goal.regime, goal.scopes, goal.categories) for goal in goals}
    totals: dict[str, list[Floats]] = {goal.id: [] for goal in goals}
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        amounts, grid = _draw(roadmap, generator, size)
        electric = np.array([stream.source_kind in (ELECTRICITY, CONTRACT) for stream in portfolio.streams])
        for goal in goals:
            grams = selections[goal.id]
            power = np.einsum("dsy,sy->dy", amounts[:, electric], grams[electric]) * grid
            rest = np.einsum("dsy,sy->dy", amounts[:, ~electric], grams[~electric])
            totals[goal.id].append(power + rest)
    return tuple(chance for goal in goals for chance in _of_goal(roadmap, goal, np.concatenate(totals[goal.id])))


def _of_goal(roadmap: Roadmap, goal: Goal, drawn: Floats) -> list[Chance]:
    found = []
    for place, year in enumerate(roadmap.portfolio.years):
        if year in goal.limits_gco2e:
            limit = goal.limits_gco2e[year]
            values = drawn[:, place]
            low, middle, high = np.quantile(values, (0.025, 0.5, 0.975))
            met = float((values <= limit).mean())
            found.append(Chance(goal.id, year, limit, met, float(middle), float(low), float(high)))
    return found


def half_widths(roadmap: Roadmap) -> Mapping[str, float]:
    """Return the half-width of each option's saving: its own, else by the status of the source of its saving."""
    found = {}
    for option in roadmap.portfolio.options:
        own = option.measure.saving_uncertainty_fraction
        found[option.id] = default(f"saving_{option.measure.status_of('saving')}") if own is None else own
    return found


def _draw(roadmap: Roadmap, generator: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    """Return amounts (draw × stream × year) and the factor of the grid (draw × year)."""
    p = roadmap.portfolio
    widths = half_widths(roadmap)
    options, years = len(p.options), len(p.years)
    width = np.array([widths[option.id] for option in p.options])
    scale = 1.0 + width * generator.triangular(-1.0, 0.0, 1.0, (size, options))
    late = generator.random((size, options)) < default("delay_probability")
    delayed = np.concatenate([np.zeros((options, 1)), roadmap.on[:, :-1]], axis=1)
    decided = np.array([option.fixed_start is not None for option in p.options], dtype=np.bool_)
    on = np.where((late & ~decided)[:, :, None], delayed[None], roadmap.on[None])
    growth = np.sqrt(np.maximum(np.array(p.years) - p.base_year, 0) / 10.0)
    grid = 1.0 + default("grid_after_ten_years") / 1.96 * generator.standard_normal((size, 1)) * growth[None, :]
    volume = 1.0 + default("volume_after_ten_years") / 1.96 * generator.standard_normal((size, 1)) * growth[None, :]
    residuals = np.zeros((size, len(p.links), years))
    for place, link in enumerate(p.links):
        left = np.ones((size, years))
        for earlier in link.before:
            share = np.minimum(p.links[earlier].fraction * scale[:, p.links[earlier].option], 1.0)
            left = left - share[:, None] * residuals[:, earlier]
        residuals[:, place] = on[:, link.option] * np.maximum(left, 0.0)
    effect = np.array([link.fraction for link in p.links])
    drawn = np.minimum(effect[None, :] * scale[:, [link.option for link in p.links]], 1.0) / np.maximum(effect, 1e-12)
    amounts = p.base[None, :, None] + np.einsum("sl,dly->dsy", p.link_matrix, residuals * drawn[:, :, None])
    follow = np.where(p.grows[None, :, None], (p.volume * np.maximum(volume, 0.0))[:, None, :], 1.0)
    amounts = amounts * follow + np.einsum("so,doy->dsy", p.option_matrix, on * scale[:, :, None])
    delivered = 1.0 - np.abs(
        default("contract_shortfall") * generator.triangular(-1.0, 0.0, 1.0, (size, len(p.covers)))
    )
    for place, cover in enumerate(p.covers):
        amounts[:, cover.stream] += delivered[:, place, None] * roadmap.covers_mwh[place][None, :]
    return amounts, np.maximum(grid, 0.0)
