"""Back-test with a rolling origin: at each origin a forecaster sees what was known then, and is judged by what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.forecasting.forecaster import (
    HORIZONS_MIN,
    QUANTILES,
    SHORTEST_DAYS,
    Fitted,
    Forecaster,
    horizon_class,
)
from zerofactory.optimisation.forecasting.history import History, Numbers, Places
from zerofactory.optimisation.forecasting.scores import coverage_fraction, median_of, pinball, skill

YARDSTICK = "seasonal_naive"


@dataclass(frozen=True, slots=True)
class Rolling:
    """How a back-test rolls.

    Parameters
    ----------
    test_days : int
        How many days at the end of the series are forecast.
    horizon_minutes : int
        How far each forecast reaches.
    every_minutes : int
        From one origin to the next; no divisor of a day, so that origins come at every hour.
    refit_days : int
        How often a forecaster learns anew from all that is known by then.
    """

    test_days: int = 56
    horizon_minutes: int = 10080
    every_minutes: int = 1380
    refit_days: int = 28


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecaster did in one class of horizons.

    ``nmae`` is the MAE over the mean of the absolute values in the test; ``skill_fraction`` is by pinball loss and
    ``mae_skill_fraction`` by MAE against the seasonal naive, the former with its 95 % interval.
    """

    forecaster: str
    horizon_min: int
    forecasts: int
    mae: float
    nmae_fraction: float
    pinball: float
    coverage_fraction: float
    nominal_coverage_fraction: float
    mean_width: float
    skill_fraction: float
    skill_low_fraction: float
    skill_high_fraction: float
    mae_skill_fraction: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Every forecast of one forecaster: values, forecasts, steps ahead and number of the origin."""

    actual: Numbers
    forecast: Numbers
    steps: Places
    origin: Places


def backtest(
    history: History,
    candidates: Mapping[str, Forecaster],
    plan: Rolling | None = None,
    quantiles: Sequence[float] = QUANTILES,
) -> list[Score]:
    """Return the scores of forecasters by class of horizon, the seasonal naive among ``candidates`` being the yardstick.

    Raises
    ------
    FaultyData
        The series is too short for the test.
    """
    rolling = plan or Rolling()
    first = history.slots - rolling.test_days * history.day
    if first < SHORTEST_DAYS * history.day:
        raise FaultyData([_too_short(history, rolling)])
    trials = {name: _roll(history, one, rolling, quantiles) for name, one in candidates.items()}
    return [score for name in trials for score in _scores(name, trials, history, quantiles)]


def _roll(history: History, one: Forecaster, rolling: Rolling, quantiles: Sequence[float]) -> _Trial:
    steps = max(rolling.horizon_minutes // history.minutes, 1)
    origins = np.arange(
        history.slots - rolling.test_days * history.day, history.slots, max(rolling.every_minutes // history.minutes, 1)
    )
    fitted: Fitted | None = None
    learnt = -1
    parts: list[tuple[Numbers, Numbers, Places, Places]] = []
    for number, origin in enumerate(origins.tolist()):
        seen = history.as_known(origin)
        if fitted is None or origin - learnt >= rolling.refit_days * history.day:
            fitted, learnt = one.fit(seen, steps, quantiles), origin
        ahead = min(steps, history.slots - origin)
        forecast, actual = fitted.predict(seen, ahead), history.values[origin : origin + ahead]
        sound = ~np.isnan(actual)
        parts.append(
            (actual[sound], forecast[sound], np.arange(1, ahead + 1)[sound], np.full(int(sound.sum()), number))
        )
    actual_all, forecast_all, steps_all, origin_all = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Trial(actual_all, forecast_all, steps_all, origin_all)


def _scores(name: str, trials: Mapping[str, _Trial], history: History, quantiles: Sequence[float]) -> list[Score]:
    trial, naive = trials[name], trials[YARDSTICK]
    classes = horizon_class(trial.steps, history.minutes)
    scale = float(np.abs(trial.actual).mean()) or 1.0
    found = []
    for one, horizon in enumerate(HORIZONS_MIN):
        here = classes == one
        if not here.any():
            continue
        actual, forecast, origin = trial.actual[here], trial.forecast[here], trial.origin[here]
        loss, base = pinball(actual, forecast, quantiles), pinball(actual, naive.forecast[here], quantiles)
        miss = np.abs(actual - median_of(forecast, quantiles))
        naive_miss = np.abs(actual - median_of(naive.forecast[here], quantiles))
        gained, low, high = skill(_by_origin(origin, loss), _by_origin(origin, base))
        found.append(
            Score(
                forecaster=name,
                horizon_min=horizon,
                forecasts=len(actual),
                mae=float(miss.mean()),
                nmae_fraction=float(miss.mean()) / scale,
                pinball=float(loss.mean()),
                coverage_fraction=coverage_fraction(actual, forecast),
                nominal_coverage_fraction=quantiles[-1] - quantiles[0],
                mean_width=float((forecast[:, -1] - forecast[:, 0]).mean()),
                skill_fraction=gained,
                skill_low_fraction=low,
                skill_high_fraction=high,
                mae_skill_fraction=1.0 - float(miss.sum()) / float(naive_miss.sum()) if naive_miss.sum() > 0 else 0.0,
            )
        )
    return found


def _by_origin(origin: Places, loss: Numbers) -> Numbers:
    return np.bincount(origin, weights=loss).astype(np.float64)


def _too_short(history: History, rolling: Rolling) -> Problem:
    days = history.slots // history.day
    return Problem(
        code="forecasting.too_short",
        message=Text(
            f"序列只有 {days} 天, 不够回测 {rolling.test_days} 天。",
            f"The series has {days} days, too few to back-test {rolling.test_days}.",
        ),
        hint=Text(
            f"测试期之前至少要有 {SHORTEST_DAYS} 天。",
            f"At least {SHORTEST_DAYS} days must lie before the test; use --days for a shorter one.",
        ),
    )
