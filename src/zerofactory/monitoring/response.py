"""What the load follows: output of the day and temperature, learnt by block of hours, on free days, worked days and worked weekends apart.

Least squares with a small prior (ridge: Hoerl and Kennard 1970) on departures from the median of the kind of day, refitted
to values drawn in to three deviations, so that odd days do not bend it (Huber 1981, 7.8).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zerofactory.monitoring.days import Days, Flags, Numbers, Places
from zerofactory.monitoring.robust import deviation, median

CLASSES = 3
CLASS_OF = np.array([1, 2, 0, 0, 0], dtype=np.int64)  # worked, worked on a weekend, free
BLOCKS = 12  # blocks of a day in which drivers act alike
NEAR_DEGC = (8.0, 16.0, 24.0)  # kinks of the response to temperature
CLIP_SIGMA = 3.0
REFITS = 2
RIDGE = 4.0  # weight of "no response", in observations a slot
NEAR_K = 1.0  # how far the mean of a day may lie outside what was seen
SPREAD_K = 5.0  # usual spread of temperature: what was hardly ever seen to differ is hardly trusted
GAIN_FRACTION = 0.05  # a response that lessens the miss by less is none


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Weights by class of day (`CLASS_OF`), block and feature (M × 3 × blocks × F); None where nothing is known."""

    weight: Numbers | None

    def unseen(self, days: Days, first: int, span: tuple[int, int]) -> Flags:
        """Return the days of a span (M × n) whose weather lies outside that of the days from ``first`` on, of meters that follow it."""
        origin, until = span
        none = np.zeros((len(days.values), until - origin), dtype=np.bool_)
        if self.weight is None or "temperature" not in days.drivers:
            return none
        mean = np.nanmean(np.nan_to_num(days.drivers["temperature"][:until]), axis=1)
        classes = CLASS_OF[days.kind[:until]]
        for place, day in enumerate(range(origin, until)):
            seen = mean[first:origin][classes[first:origin] == classes[day]]
            if len(seen) and not seen.min() - NEAR_K <= mean[day] <= seen.max() + NEAR_K:
                none[:, place] = np.abs(self.weight[:, classes[day]]).sum(axis=(1, 2)) > 0.0
        return none

    def of(self, days: Days, first: int, last: int) -> Numbers:
        """Return what the drivers of days [first, last) add (M × n × S)."""
        shape = (len(days.values), last - first, days.values.shape[2])
        features = _features(days, first, last)
        if self.weight is None or features is None:
            return np.zeros(shape)
        by_slot = np.repeat(self.weight, shape[2] // self.weight.shape[2], axis=2)
        kinds = CLASS_OF[days.kind[first:last]]
        added = np.zeros(shape)
        for kind in range(CLASSES):
            here = np.flatnonzero(kinds == kind)
            if len(here):
                added[:, here] = np.einsum("msf,nsf->mns", by_slot[:, kind], features[here], optimize=True)
        return added


def response(days: Days, past: Numbers, last_days: int, fewest_days: int) -> Response:
    """Learn the response from the newest of the days in ``past`` (M × n × S, the first days of ``days``)."""
    last = past.shape[1]
    first = max(0, last - last_days)
    features = _features(days, first, last)
    if features is None or last - first < 2 * fewest_days:
        return Response(None)
    values, kinds = past[:, first:], days.kind[first:last]
    slots = values.shape[2]
    size = slots // BLOCKS if slots % BLOCKS == 0 else 1
    weight = np.zeros((len(values), CLASSES, slots // size, features.shape[2]))
    for worked in range(CLASSES):
        chosen = np.flatnonzero(CLASS_OF[kinds] == worked)
        if len(chosen) < 2 * fewest_days:
            continue
        own = kinds[chosen]
        x = _centred(np.moveaxis(features[chosen], 2, 0), own)
        x[-1] = 1.0
        weight[:, worked] = _robust(x, _centred(values[:, chosen], own), size)
    return Response(weight)


def _features(days: Days, first: int, last: int) -> Numbers | None:
    """Return what the load may follow (n × S × F) and a constant, each of spread one or less; None where nothing is known."""
    columns = []
    for name, values in sorted(days.drivers.items()):
        one = np.nan_to_num(values[first:last], nan=0.0)
        if name == "temperature":
            columns += [part / SPREAD_K for part in (one, *(np.maximum(one - kink, 0.0) for kink in NEAR_DEGC))]
        else:
            columns.append(one / max(float(np.nanstd(days.drivers[name])), 1e-9))
    return np.stack([*columns, np.ones_like(columns[0])], axis=2) if columns else None


def _centred(values: Numbers, kind: Places) -> Numbers:
    """Return values (A × n × S) less the median of their kind of day by slot."""
    made = np.empty_like(values)
    for one in np.unique(kind):
        here = kind == one
        made[:, here] = values[:, here] - median(values[:, here], 1)[:, None]
    return made


def _robust(x: Numbers, y: Numbers, size: int) -> Numbers:
    """Return the weights (M × blocks × F) of y (M × n × S) on x (F × n × S); zero where they gain nothing."""
    found = _solved(x, y, size)
    for _ in range(REFITS):
        fitted = np.einsum("msf,fns->mns", np.repeat(found, size, axis=1), x, optimize=True)
        spread = deviation(y - fitted, 1)[:, None] + 1e-12
        found = _solved(x, np.clip(y, fitted - CLIP_SIGMA * spread, fitted + CLIP_SIGMA * spread), size)
    fitted = np.einsum("msf,fns->mns", np.repeat(found, size, axis=1), x, optimize=True)
    shape = (*y.shape[:2], y.shape[2] // size, size)
    before, after = (deviation(part.reshape(shape), (1, 3)) for part in (y, y - fitted))
    return np.where((after <= (1.0 - GAIN_FRACTION) * before)[:, :, None], found, 0.0)


def _solved(x: Numbers, y: Numbers, size: int) -> Numbers:
    """Return ridge weights by block; a gap counts as no departure."""
    blocks = y.shape[2] // size
    found = np.zeros((len(y), blocks, len(x)))
    for block in range(blocks):
        inside = slice(block * size, (block + 1) * size)
        xs, ys = x[:, :, inside].reshape(len(x), -1), y[:, :, inside].reshape(len(y), -1)
        gram = xs @ xs.T + np.eye(len(xs)) * RIDGE * size
        found[:, block] = np.linalg.solve(gram, xs @ np.nan_to_num(ys).T).T
    return found
