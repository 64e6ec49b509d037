"""The line as it was last seen: now where its meters are read, else at the newest reading in the book."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

import numpy as np

from zerofactory.metering.interval import MANUAL, MEASURED, SUSPECT
from zerofactory.runs.context import Context
from zerofactory.runs.kept import basis_of
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.twin_file import Twin, read
from zerofactory.runs.twin_now import Now, Watcher, now
from zerofactory.runs.twin_signals import SignalBook

ONE_SECOND = timedelta(seconds=1)  # the last moment of a day still belongs to it
NONE = np.zeros(0, dtype=np.int64)


class Eye:
    """Looks at the line again and again: now, or, where no station has a state now, at the end of the newest reading of its
    meters; that one is looked up anew when the book has changed.

    Raises
    ------
    FaultyData
        Faults of twin.toml.
    """

    def __init__(self, context: Context) -> None:
        self._watcher, self._lock = Watcher(context), Lock()
        self._past: tuple[str, Now] | None = None

    def look(self, context: Context) -> Now:
        """Return the line as it was last seen."""
        with self._lock:
            seen = self._watcher.look(context.now)
            if seen.states:
                return seen
            basis = basis_of(context)
            if self._past is None or self._past[0] != basis:
                moment = newest_reading(context)
                self._past = (
                    basis,
                    seen if moment is None else now(context, min(moment - ONE_SECOND, context.now)),
                )
            return self._past[1]

    def close(self) -> None:
        """Let go of the readings."""
        with self._lock:
            self._watcher.close()


def newest_reading(context: Context) -> datetime | None:
    """Return the end of the newest interval in the book in which a meter of the twin was read, or just after the newest reading of
    a state signal; None where nothing was."""
    twin = read(context)
    newest = [one for one in (_metered(context, twin), _signalled(context, twin)) if one is not None]
    return max(newest, default=None)


def _signalled(context: Context, twin: Twin) -> datetime | None:
    signals = tuple(one for own in twin.signals.values() for one in own)
    if not signals:
        return None
    newest = SignalBook(context, signals).newest()
    return None if newest is None else newest + ONE_SECOND


def _metered(context: Context, twin: Twin) -> datetime | None:
    wanted = {name for own in twin.meters.values() for name in own}
    for label in reversed(months_of(context)):
        month = meter_month(context, label)
        rows = [place for place, name in enumerate(month.meter_ids) if name in wanted]
        slots = np.flatnonzero(np.isin(month.state[rows], (MEASURED, MANUAL, SUSPECT)).any(axis=0)) if rows else NONE
        if len(slots):
            return month.start + timedelta(minutes=month.interval_minutes * (int(slots[-1]) + 1))
    return None
