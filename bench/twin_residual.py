"""Residual of the calibrated twin: a load that is added by hand is looked for, beside three sigma around the mean of like days.

Fitted to January–November of the reference plant (fictional); December is normal but for a constant load of 5 or 15 % of the
station's mean from the 10th on, one station at a time. Told: alarms in the normal month, and where the load is raised when.
"""

from __future__ import annotations

import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

import numpy as np

from bench.reading_the_book import build
from bench.twin_calibration import MONTHS, days_of
from zerofactory.monitoring.alarm import Found
from zerofactory.monitoring.rule import rule
from zerofactory.periods import local_midnight
from zerofactory.runs import twin_calibrate, twin_expect
from zerofactory.runs.alarms import own_settings
from zerofactory.runs.context import Context, open_context

BEGIN, FIRST, LAST = date(2025, 12, 10), date(2025, 12, 1), date(2026, 1, 1)


def looked(context: Context, until: date, meters: tuple[str, ...] = (), share: float = 0.0) -> list[Found]:
    """Return what the rule finds in December until a day, with a load added to some meters."""
    plain = twin_expect.place_amounts

    def loaded(month: object, names: tuple[str, ...]) -> np.ndarray:
        energy = plain(month, names)
        if tuple(names) == meters and month.grid.period.label == "2025-12":
            energy = energy.copy()
            energy[(BEGIN - FIRST).days * 96 :] += share * np.nanmean(energy)
        return energy

    with mock.patch.object(twin_expect, "place_amounts", loaded):
        return twin_expect.episodes(context, (FIRST, until), rule(twin_expect.RULE), own_settings(context))


def like_days(context: Context, meters: tuple[str, ...], share: float) -> tuple[int, bool]:
    """Return how many normal days of December three sigma around the mean of like days flag, and whether the load's first day is."""
    before = [days_of(context, meters, label) for label in MONTHS[:-1]]
    december = days_of(context, meters, "2025-12")
    mean = sum(float(days.sum()) for days in december.values()) / sum(len(days) for days in december.values())
    false = 0
    raised = False
    for kind, days in december.items():
        known = np.concatenate([one[kind] for one in before if kind in one])
        false += int((np.abs(days - known.mean()) > 3.0 * known.std()).sum())
        if kind == BEGIN.isoweekday():
            raised = bool(abs(days[1] + share * mean - known.mean()) > 3.0 * known.std())
    return false, raised


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "plant")
        context = open_context(Path(folder) / "plant")
        twin_expect.save(context, twin_calibrate.calibrate(context, twin_calibrate.Asked(holdout=("2025-12",))))
        memory = twin_expect.remembered(context.workspace.folder)
        assert memory is not None
        begun = time.perf_counter()
        normal = looked(context, LAST)
        print(
            f"normal December: {len(normal)} alarms at {len(memory.places)} places ({time.perf_counter() - begun:.1f} s a scan)"
        )
        stations = [one.fitted for one in memory.places if one.fitted.level == "station"]
        print(f"three sigma of like days: {sum(like_days(context, one.meters, 0.0)[0] for one in stations)} alarms")
        for share in (0.15, 0.05):
            found = []
            for days in (1, 3):
                until = BEGIN + timedelta(days=days)
                since = local_midnight(BEGIN, context.workspace.plant.time_zone)
                found.append(
                    sum(
                        any(
                            alarm.meter == one.meters[0] and alarm.amount_milli > 0 and alarm.ended_at > since
                            for alarm in looked(context, until, one.meters, share)
                        )
                        for one in stations
                    )
                )
            plain = sum(like_days(context, one.meters, share)[1] for one in stations)
            print(
                f"{share:.0%} of the mean added: raised on its first day at {found[0]} of {len(stations)} stations, "
                f"within three at {found[1]}; three sigma of like days: {plain} on the first day"
            )


if __name__ == "__main__":
    run()
