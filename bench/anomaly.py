"""False alarms and recall of anomaly detection, on days that were held out, month by month.

Each month is judged with what was known when it began; the normal and the threshold of that month come from the days before.
False alarms: alarms raised although nothing was done, as a share of meter-days; days that follow each other are one alarm, and
odd days are printed beside them. Recall: share of injected events with at least one
odd day among theirs (any alarm rule of the learnt kind: `anomaly` or `drift`).

    stuck on    the load stays at a share of its working level from 22 to 6
    night load  a share of the working level more from 1 to 5
    spike       one quarter hour, a share of the greatest value more
    leak        a share of the mean more, day and night, for five days
    drift       rises by a share over four weeks
    off         a share of the load missing from 9 to 13 on a worked day

Give the folder of data sets in ZF_DATA (default ../shared/data). The steel works is one measured meter whose nights and weekends are
worked as orders come, which nothing in the data announces; the reference plant is fictional.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

import numpy as np

from bench.forecasting import steel_works, vehicle_manufacturing
from zerofactory.monitoring.anomaly import Judged, judge
from zerofactory.monitoring.days import WORKED, Clock, Days, Numbers, days_of
from zerofactory.monitoring.rules.anomaly import terms
from zerofactory.optimisation.forecasting.history import History
from zerofactory.periods import local_midnight

MONTH_DAYS = 30
SIZES: Mapping[str, tuple[float, ...]] = {
    "stuck on": (0.3, 0.6), "night load": (0.2, 0.4), "spike": (0.5, 1.0), "leak": (0.1, 0.2), "drift": (0.1, 0.2), "off": (0.3, 0.6),
}  # fmt: skip
LASTS = {"leak": 5, "drift": 28}


def of_history(history: History) -> Days:
    """Return a data set as days of one meter."""
    return days_of(history.values[None], history.start, Clock(history.time_zone, history.calendar, history.minutes))


def reference_plant(most: int | None = None) -> Days:
    """Return the load meters of the reference plant (every k-th when ``most`` says how many) with its temperature."""
    import tomllib

    from zerofactory.reference_plant import series
    from zerofactory.reference_plant.shapes import DAYS, QUARTERS, temperature_fortieths
    from zerofactory.site.load import plant as load_plant

    plant, _ = load_plant(series.plant_text())
    assert plant is not None
    amounts = series.amounts({meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]})
    apart = {"E-IN-1", "E-IN-2", "E-EX-1", "PV-1", "PV-2", "PV-3", "PV-4"}
    names = [name for name in amounts if name not in apart]
    names = names[:: max(len(names) // most, 1)][:most] if most else names
    values = np.stack([amounts[name] for name in names]) / 1000.0
    start = local_midnight(date(2025, 1, 1), plant.time_zone)
    days = days_of(values, start, Clock(plant.time_zone, plant.calendar, 15))
    return replace(days, drivers={"temperature": temperature_fortieths().reshape(DAYS, QUARTERS) / 40.0})


def injected(values: Numbers, kind: str, size: float, day: int, slot: int) -> Numbers:
    """Return one meter's days (D × S) with an event that begins on a day (a spike in a slot)."""
    made, hour = values.copy(), values.shape[1] // 24
    low, work = (float(np.nanquantile(values, level)) for level in (0.1, 0.9))
    last = min(day + LASTS.get(kind, 1), len(values))
    if kind == "stuck on":
        places = [*range(6 * hour), *range(22 * hour, 24 * hour)]
        made[day, places] = np.maximum(made[day, places], low + size * (work - low))
    elif kind == "night load":
        made[day, hour : 5 * hour] += size * (work - low)
    elif kind == "spike":
        made[day, slot] += size * float(np.nanmax(values))
    elif kind == "leak":
        made[day:last] += size * float(np.nanmean(values))
    elif kind == "drift":
        made[day:last] *= 1.0 + size * np.arange(1, last - day + 1)[:, None] / LASTS["drift"]
    else:
        made[day, 9 * hour : 13 * hour] *= 1.0 - size
    return made


def odd_days(judged: Judged) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return the days that either learnt rule alarms on (M × n)."""
    return judged.odd | (np.abs(judged.drift) > judged.drift_limit[:, None])


def false_alarms(days: Days, first: int) -> tuple[float, float, int]:
    """Return false alarms and odd days as shares of meter-days, month by month from a day on, and how many were judged.

    Odd days that follow each other are one alarm.
    """
    alarms = odd = seen = 0
    for begin in range(first, days.count, MONTH_DAYS):
        judged = judge(days.until(min(begin + MONTH_DAYS, days.count)), begin, terms())
        if judged is not None:
            before = np.pad(judged.odd, ((0, 0), (1, 0)))[:, :-1]
            alarms += int((judged.odd & ~before).sum())
            odd += int(judged.odd.sum())
            seen += int(np.isfinite(judged.oddness).sum())
    return alarms / max(seen, 1), odd / max(seen, 1), seen


def recall(days: Days, first: int, kind: str, size: float, seed: int = 1) -> float:
    """Return the share of events found; one event a meter at a day drawn from six weeks that begin at ``first``."""
    part = days.until(min(first + 42, days.count))
    random = np.random.Generator(np.random.PCG64(seed))
    values, events = part.values.copy(), []
    for meter in range(len(values)):
        last = part.count - LASTS.get(kind, 1)
        choices = [day for day in range(first, last + 1) if kind != "off" or part.kind[day] == WORKED]
        day = int(random.choice(choices))
        slot = int(random.integers(values.shape[2] // 3, values.shape[2] * 5 // 6))
        values[meter] = injected(values[meter], kind, size, day, slot)
        events.append((meter, day, min(day + LASTS.get(kind, 1), part.count)))
    judged = judge(replace(part, values=values), first, terms())
    assert judged is not None
    odd = odd_days(judged)
    return float(np.mean([odd[meter, begin - first : end - first].any() for meter, begin, end in events]))


SETS: dict[str, tuple[Callable[[], Days], tuple[int, ...], int]] = {
    "reference plant (every 4th meter)": (lambda: reference_plant(30), (120, 240), 1),
    "steel works": (lambda: of_history(steel_works()), (150, 200, 250, 300), 6),
    "vehicle manufacturing (modelled)": (lambda: of_history(vehicle_manufacturing()), (150, 200, 250, 300), 6),
}


def run() -> None:
    """Print the figures."""
    promised = terms().false_alarm_fraction
    print(f"anomaly: days held out, judged month by month; promised false alarms {promised:.1%} of meter-days")
    for name, (read, firsts, repeats) in SETS.items():
        started = time.perf_counter()
        try:
            days = read()
        except FileNotFoundError as absent:
            print(f"  {name}: skipped, {absent.filename} is not here (set ZF_DATA)")
            continue
        share, odd, seen = false_alarms(days, 90)
        print(f"  {name}: {len(days.values)} meters, false alarms {share:.2%}, odd days {odd:.2%} of {seen} meter-days")
        for kind, sizes in SIZES.items():
            found = [
                np.mean([recall(days, first, kind, size, seed) for first in firsts for seed in range(1, repeats + 1)])
                for size in sizes
            ]
            shown = "   ".join(f"{size:.0%}: {one:.0%}" for size, one in zip(sizes, found, strict=True))
            print(f"    {kind:<11} recall at {shown}   ({len(days.values) * len(firsts) * repeats} events each)")
        print(f"    {time.perf_counter() - started:.0f} s")
