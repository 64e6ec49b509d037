"""Days gone by as state signals told them: over what the power makes likely, and at the very instants of the changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from zerofactory.connectors.sample import to_us
from zerofactory.optimisation.twin.signal_log import NOTHING
from zerofactory.runs.context import Context
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_signals import SignalBook

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
BACK_DAYS = 31  # the state at the beginning may have been told so long before


def signalled(
    context: Context, twin: Twin, begin: datetime, states: Integers, step_s: float
) -> tuple[Integers, Mapping[int, tuple[Floats, Integers]]]:
    """Return the state of each station and interval with what signals told in place of the rest, and exact changes.

    An interval is in the state in which the machines spent most of it, where that is known of half of it at least. The changes
    (seconds after the beginning, state from then on; the first at zero) are those of the stations that one signal told without a
    gap; other stations change with the intervals.
    """
    every = tuple(one for own in twin.signals.values() for one in own)
    if not every:
        return states, {}
    made, changes = states.copy(), {}
    end = begin + timedelta(seconds=step_s * states.shape[1])
    logs = SignalBook(context, every).logs(begin - timedelta(days=BACK_DAYS), min(end, context.now))
    first_us, step_us = to_us(begin), round(step_s * 1e6)
    for station, signals in twin.signals.items():
        place = twin.line.place(station)
        own = [logs[one.id].stretches.between(first_us, to_us(end)) for one in signals]
        for slot in range(states.shape[1]):
            low = first_us + slot * step_us
            seconds = np.sum([one.seconds(low, low + step_us) for one in own], axis=0)
            if seconds.sum() >= 0.5 * step_s * len(own):
                made[place, slot] = int(seconds.argmax())
        log = own[0]
        whole = len(log) > 0 and log.begin_us[0] == first_us and log.end_us[-1] == to_us(end)
        if len(own) == 1 and whole and not (log.state == NOTHING).any():
            changes[place] = ((log.begin_us - first_us) / 1e6, log.state)
    return made, changes
