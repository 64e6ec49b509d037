"""Medians and scaled deviations along an axis, gaps left out; sliding means."""

from __future__ import annotations

import warnings

import numpy as np

from zerofactory.monitoring.days import Numbers

MAD_TO_SIGMA = 1.4826  # 1 / Φ⁻¹(3/4): the median absolute deviation of a normal law


def median(values: Numbers, axis: int | tuple[int, ...]) -> Numbers:
    """Return the median of what is there, zero where nothing is.

    Examples
    --------
    >>> median(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]), 1).tolist()
    [2.0, 0.0]
    """
    if not np.isnan(values).any():
        return np.asarray(np.median(values, axis=axis))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nan_to_num(np.nanmedian(values, axis=axis)))


def deviation(values: Numbers, axis: int | tuple[int, ...]) -> Numbers:
    """Return the scaled median absolute deviation about zero (Rousseeuw and Croux 1993), for residuals."""
    return MAD_TO_SIGMA * median(np.abs(values), axis)


def sliding(values: Numbers, size: int) -> Numbers:
    """Return the means of windows of ``size`` along the last axis; a gap makes its windows not-a-number.

    Examples
    --------
    >>> sliding(np.array([[[1.0, 2.0, 6.0]]]), 2).tolist()
    [[[1.5, 4.0]]]
    """
    if size == 1:
        return values
    if np.isnan(values).any():
        return np.asarray(np.lib.stride_tricks.sliding_window_view(values, size, axis=2).mean(axis=3))
    total = np.cumsum(values, axis=2)
    made = total[:, :, size - 1 :].copy()
    made[:, :, 1:] -= total[:, :, :-size]
    return made / size


def smooth(scale: Numbers) -> Numbers:
    """Return a scale by slot (last axis) smoothed over five slots, in squares."""
    width = scale.shape[-1]
    padded = np.pad(scale**2, [(0, 0)] * (scale.ndim - 1) + [(2, 2)], mode="edge")
    return np.asarray(np.sqrt(np.mean([padded[..., k : k + width] for k in range(5)], axis=0)))


def greatest(values: Numbers) -> Numbers:
    """Return the greatest along the last axis, not-a-number where nothing is there.

    Examples
    --------
    >>> greatest(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist(), greatest(np.zeros((1, 0))).tolist()
    ([1.0, nan], [nan])
    """
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmax(values, axis=-1))
