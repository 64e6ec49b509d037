"""A twin fitted to eleven months on the month it has not seen, each month in turn, beside the mean of like days.

``mean of like days`` predicts each day of the month with the mean of the other months' days of its weekday (days off apart).
The readings are those of the reference plant: fictional, with weather, breaks, single-shift Saturdays and noise.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from bench.reading_the_book import build
from zerofactory.periods import Period
from zerofactory.runs import twin_calibrate
from zerofactory.runs.context import Context, open_context
from zerofactory.runs.profile import meter_month
from zerofactory.site.calendar import is_workday

MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 13))


def days_of(context: Context, meters: tuple[str, ...], label: str) -> dict[int, np.ndarray]:
    """Return the energy of the days of a month by their kind (0: a day off, else the weekday)."""
    month, period = meter_month(context, label), Period.parse(label)
    rows = [month.meter_ids.index(meter) for meter in meters if meter in month.meter_ids]
    count = (period.next_first_day - period.first_day).days
    sums = month.amount_milli[rows].sum(axis=0)[: count * 96].reshape(count, 96).sum(axis=1) / 1000.0
    first = period.first_day.toordinal()
    calendar = context.workspace.plant.calendar
    days = [period.first_day.fromordinal(first + n) for n in range(count)]
    kinds = np.array([day.isoweekday() if is_workday(calendar, day) else 0 for day in days])
    return {int(kind): sums[kinds == kind] for kind in np.unique(kinds)}


def like_days(context: Context, meters: tuple[str, ...], held: str) -> float:
    """Return the sum of a month by the mean of the other months' days of each kind."""
    others = [days_of(context, meters, label) for label in MONTHS if label != held]
    return sum(
        float(np.concatenate([one[kind] for one in others if kind in one]).mean()) * len(days)
        for kind, days in days_of(context, meters, held).items()
    )


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "plant")
        context = open_context(Path(folder) / "plant")
        errors: dict[str, list[tuple[float, float, bool]]] = {}
        begun = time.perf_counter()
        for held in MONTHS:
            done = twin_calibrate.calibrate(context, twin_calibrate.Asked(holdout=(held,)))
            for one in done.fitted:
                if one.level == "shop" and one.kept is not None:
                    plain = like_days(context, one.meters, held) / one.kept.metered - 1.0
                    row = (one.kept.total.mean / one.kept.metered - 1.0, plain, one.kept.holds)
                    errors.setdefault(f"{one.place} {one.carrier}", []).append(row)
        seconds = (time.perf_counter() - begun) / len(MONTHS)
    print(
        f"fitted to eleven months, the twelfth predicted; {len(MONTHS)} months in turn, {seconds:.1f} s a fit of all places"
    )
    for place, rows in errors.items():
        ours, naive = (np.array([row[column] for row in rows]) for column in (0, 1))
        print(
            f"{place:24s} December {ours[-1]:+.1%}, all months mean |error| {np.abs(ours).mean():.1%}, most {np.abs(ours).max():.1%}; "
            f"mean of like days {naive[-1]:+.1%}, {np.abs(naive).mean():.1%}, {np.abs(naive).max():.1%}; "
            f"{sum(row[2] for row in rows)} of {len(rows)} in the interval"
        )


if __name__ == "__main__":
    run()
