"""Run the twin: replications in parallel, what the line makes, takes and wastes, with intervals; and its tonnes by the accounts.

A simulated week becomes ACTIVITIES that go through the function that closes months, and readings in the form that is imported,
so that it is accounted exactly as a real one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory import units
from zerofactory.assets.grid import Grid
from zerofactory.assets.tariff import price_cny_per_kwh
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin.energy import Aside, Share, Usage, shares, usage
from zerofactory.optimisation.twin.line import Line
from zerofactory.optimisation.twin.production import Run, simulate
from zerofactory.optimisation.twin.resume import Resume, resumed
from zerofactory.optimisation.twin.statistics import Interval, interval
from zerofactory.periods import zone
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import Item, World
from zerofactory.runs.energy_tariff import plant_gas_price, plant_tariff
from zerofactory.runs.twin_file import Twin, read
from zerofactory.runs.twin_shifts import arranged, when_of
from zerofactory.runs.twin_stopped import Followed, followed
from zerofactory.runs.twin_utilities import Around
from zerofactory.runs.twin_utilities_file import heat_cny_per_kwh
from zerofactory.runs.twin_utilities_file import read as read_utilities
from zerofactory.site.model import Plant

Floats = NDArray[np.float64]
STEP_S = 900.0
DAY_S = 86400.0
MOST_DAYS, MOST_RUNS = 370, 200
BOOKED: Mapping[str, tuple[str, str, str]] = {
    "electricity": ("purchased_electricity", "electricity", "kWh"),
    "natural_gas": ("stationary_combustion", "natural_gas", "Nm3"),
    "heat": ("purchased_heat", "heat", "kWh"),
}
"""Carriers that are bought: how the accounts book them. Air and water are made in the plant and told only."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is simulated.

    Parameters
    ----------
    first : first day (local); None: the Monday after today.
    days : how many; ``warm_up_days`` more are run before them and left out.
    runs : replications, each with numbers of its own.
    resume : go on from a moment of the first day and the state the line is in then; the days are counted from it.
    """

    first: date | None = None
    days: int = 7
    warm_up_days: int = 2
    runs: int = 8
    seed: int = 1
    confidence: float = 0.95
    resume: Resume | None = None

    @property
    def since_midnight_s(self) -> float:
        """How long after the midnight of the first day the days are counted."""
        return 0.0 if self.resume is None else self.resume.since_midnight_s

    @property
    def skip(self) -> int:
        """Intervals of the start that are left out."""
        return int((self.warm_up_days * DAY_S + self.since_midnight_s) / STEP_S)


@dataclass(frozen=True)
class Simulated:
    """What the replications came to, the start left out.

    ``energy``, ``wasted`` and ``per_piece`` by carrier in its unit; ``kgco2e_by_scope`` of the mean run; ``paired`` holds the
    figures of each replication, to be compared with another scenario's.
    """

    asked: Asked
    first: date
    twin: Twin
    runs: tuple[Run, ...]
    usages: tuple[Usage, ...]
    output: Interval
    per_day: tuple[Interval, ...]
    passage_s: Interval
    energy: Mapping[str, Interval]
    wasted: Mapping[str, Interval]
    per_piece: Mapping[str, Interval]
    cny: Interval | None
    kgco2e: Interval
    kgco2e_by_scope: Mapping[int, float]
    stations: tuple[Share, ...]
    failures: Mapping[str, float]
    scrapped: Interval
    paired: Mapping[str, tuple[float, ...]]
    around: Around | None = None
    aside_meters: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def skip(self) -> int:
        """Intervals of the start that are left out."""
        return self.asked.skip

    @property
    def begin(self) -> datetime:
        """The first moment that counts, on the plant's clock."""
        return datetime.combine(self.first, time()) + timedelta(seconds=self.asked.since_midnight_s)

    @property
    def bottleneck(self) -> str:
        """The station that is least kept waiting by the others."""
        return max(self.stations, key=lambda one: one.active).station

    @property
    def kgco2e_per_piece(self) -> float | None:
        """Of one finished piece."""
        return self.kgco2e.mean / self.output.mean if self.output.mean else None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        titles = {one.id: {"zh": one.title.zh, "en": one.title.en} for one in self.twin.line.stations}
        return {
            "from": self.first.isoformat(),
            "begin": self.begin.isoformat(),
            "resumed": self.asked.resume is not None,
            "days": self.asked.days,
            "runs": len(self.runs),
            "seed": self.asked.seed,
            "status": self.twin.status,
            "output": self.output.as_json(),
            "output_per_day": [one.as_json() for one in self.per_day],
            "passage_h": {key: value / 3600.0 if key != "runs" else value for key, value in self.passage_s.as_json().items()},
            "energy": {carrier: one.as_json() for carrier, one in self.energy.items()},
            "wasted": {carrier: one.as_json() for carrier, one in self.wasted.items()},
            "per_piece": {carrier: one.as_json() for carrier, one in self.per_piece.items()},
            "energy_cny": None if self.cny is None else self.cny.as_json(),
            "kgco2e": self.kgco2e.as_json(),
            "kgco2e_per_piece": self.kgco2e_per_piece,
            "kgco2e_by_scope": {str(scope): kg for scope, kg in self.kgco2e_by_scope.items()},
            "bottleneck": self.bottleneck,
            "scrapped": self.scrapped.as_json(),
            "stations": [
                {
                    "station": one.station, "title": titles[one.station], "made": one.made, "working": one.working,
                    "setup": one.setup, "failed": one.failed, "starved": one.starved, "blocked": one.blocked,
                    "failures": self.failures[one.station],
                }
                for one in self.stations
            ],
            "utilities_status": None if self.around is None else self.around.status,
            "utilities_fitted": None if self.around is None or self.around.origin is None else self.around.origin._asdict(),
            "utilities": [] if self.around is None else [one.as_json() for one in self.around.utilities],
            "remarks": [] if self.around is None else [one.as_json() for one in self.around.remarks],
            "stopped": None if self.around is None or self.around.stopped is None else self.around.stopped.as_json(),
        }  # fmt: skip


def run(
    context: Context,
    asked: Asked,
    progress: Callable[[int, int], None] | None = None,
    changed: Mapping[str, Any] | None = None,
) -> Simulated:
    """Return what the plant's twin does over some days, changed as a scenario says.

    Raises
    ------
    FaultyData
        Faults of twin.toml, of what is asked, a line that stands still, or a factor that cannot be decided.
    """
    refuse_asked(asked)
    twin = read(context, changed)
    beside = read_utilities(context, twin, changed)
    twin = twin if beside is None else beside.relieved(twin)
    first = asked.first or next_monday(context.today)
    line = scheduled(context, twin, first, asked, changed)
    done = replicate(line, asked, progress)
    if beside is None:
        return told(context, twin, first, asked, Followed(done, tuple(usage(one) for one in done)))
    days = first, asked.warm_up_days, asked.skip
    return told(context, twin, first, asked, followed(context, beside, days, done, partial(one_run, asked)))


def scheduled(
    context: Context, twin: Twin, first: date, asked: Asked, changed: Mapping[str, Any] | None = None
) -> Line:
    """Return the line with the plant's shifts, or those of a scenario, from the beginning of the warm-up on."""
    line = arranged(
        twin.line,
        context.workspace.plant,
        when_of(changed),
        first,
        asked.warm_up_days,
        asked.days + (asked.resume is not None),
    )
    if not line.windows:
        message = Text(
            f"{first} 起的 {asked.days} 天没有班次。", f"There is no shift in the {asked.days} days from {first} on."
        )
        hint = Text(
            "请换一周, 或核对 factory.toml 的 [calendar]。", "Choose another week, or check [calendar] of factory.toml."
        )
        raise FaultyData([Problem("twin.no_shift", message, hint)])
    return line


def replicate(line: Line, asked: Asked, progress: Callable[[int, int], None] | None = None) -> tuple[Run, ...]:
    """Return the replications; they run in parallel, as the compiled core holds no lock."""
    done: list[Run] = [one_run(asked, line, 0)]
    if progress:
        progress(1, asked.runs)
    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        for one in pool.map(partial(one_run, asked, line), range(1, asked.runs)):
            done.append(one)
            if progress:
                progress(len(done), asked.runs)
    return tuple(done)


def one_run(asked: Asked, line: Line, replication: int) -> Run:
    """Return a replication of a line."""
    horizon = asked.skip * STEP_S + asked.days * DAY_S
    if asked.resume is None:
        return simulate(line, horizon, STEP_S, asked.seed, replication)
    times, state = (asked.skip * STEP_S, horizon, STEP_S), asked.resume.state(replication)
    return resumed(line, times, (asked.seed, replication), state)


def told(context: Context, twin: Twin, first: date, asked: Asked, lived: Followed) -> Simulated:
    """Return the figures of some replications, with those of the utilities beside the line (whose draws ``twin`` lacks)."""
    skip, per_day = asked.skip, int(DAY_S / STEP_S)
    done, usages, ended = lived.runs, lived.usages, lived.ended
    carriers = usages[0].carriers
    surroundings = lived.around(skip, asked.confidence)
    days = np.array([one.output[skip:].reshape(asked.days, per_day).sum(axis=1) for one in done], dtype=np.float64)

    def over(values: Sequence[float]) -> Interval:
        return interval(list(values), asked.confidence)

    world = World(context.workspace.plant, context.workspace.factor_book, factor_year(context, first))
    prices = energy_prices(context, first, asked, gas="natural_gas" in carriers, heat="heat" in carriers)
    grams = [world.emitted(quantities(world, one, skip)) for one in usages]
    return Simulated(
        asked, first, twin, done, usages,
        output=over([float(one) for one in days.sum(axis=1)]),
        per_day=tuple(over([float(one) for one in days[:, place]]) for place in range(asked.days)),
        passage_s=over([one.passage_s for one in done]),
        energy={carrier: over([one.total(carrier, skip) for one in usages]) for carrier in carriers},
        wasted={carrier: over([one.wasted_total(carrier, skip) for one in usages]) for carrier in carriers},
        per_piece={carrier: over([one.per_piece(carrier, skip) or 0.0 for one in usages]) for carrier in carriers},
        cny=None if prices is None else over([prices.cny(one, skip) for one in usages]),
        kgco2e=over([sum(one.values()) / 1000.0 for one in grams]),
        kgco2e_by_scope={scope: float(np.mean([one.get(scope, 0) for one in grams])) / 1000.0 for scope in sorted({s for one in grams for s in one})},
        stations=_mean_shares([shares(one, skip) for one in done]),
        failures={station.id: float(np.mean([one.count("failures", station.id, skip) for one in done])) for station in twin.line.stations},
        scrapped=over([float(one.count("scrapped", first=skip)) for one in done]),
        paired=_paired(days, usages, grams, [] if prices is None else [prices.cny(one, skip) for one in usages], skip) | dict(surroundings.paired if surroundings else {}),
        around=surroundings,
        aside_meters={} if not ended else {(row.id, carrier): names for row in ended[0].rows for carrier, names in row.meters.items()},
    )  # fmt: skip


def _paired(
    days: Floats, usages: Sequence[Usage], grams: Sequence[Mapping[int, int]], cny: Sequence[float], skip: int
) -> dict[str, tuple[float, ...]]:
    """Return the figures of each replication by name."""
    output = days.sum(axis=1)
    kg = [sum(one.values()) / 1000.0 for one in grams]
    found = {"output": tuple(float(one) for one in output), "kgco2e": tuple(kg)}
    for carrier in usages[0].carriers:
        found[carrier] = tuple(one.total(carrier, skip) for one in usages)
        found[f"{carrier}_wasted"] = tuple(one.wasted_total(carrier, skip) for one in usages)
    if cny:
        found["energy_cny"] = tuple(cny)
    if output.all():
        found["kgco2e_per_piece"] = tuple(one / float(made) for one, made in zip(kg, output, strict=True))
    return found


@dataclass(frozen=True)
class Prices:
    """The price of a kWh in each interval, of a Nm3 of gas at its first step and of a kWh of heat; charges of a month (demand, capacity) are
    not here."""

    electricity: Floats
    gas: float
    heat: float = 0.0

    def cny(self, one: Usage, skip: int) -> float:
        """Return what the energy of a run costs."""
        found = float(one.by_interval("electricity")[skip:] @ self.electricity)
        return found + one.total("natural_gas", skip) * self.gas + one.total("heat", skip) * self.heat


def energy_prices(context: Context, first: date, asked: Asked, *, gas: bool, heat: bool = False) -> Prices | None:
    """Return the prices of the days, None where the plant does not name all that are needed: half a cost is none."""
    plant, folder = context.workspace.plant, context.workspace.folder
    if plant.tariff is None:
        return None
    grid = grid_of(plant, first, asked.days, asked.since_midnight_s)
    each = _gas_cny_per_nm3(plant, folder)
    warm = heat_cny_per_kwh(context) if heat else 0.0
    if (gas and each is None) or warm is None:
        return None
    return Prices(price_cny_per_kwh(plant_tariff(plant, folder), grid), each or 0.0, warm)


def grid_of(plant: Plant, first: date, days: int, since_s: float = 0.0) -> Grid:
    """Return the quarter hours of the days simulated, from ``since_s`` after the midnight of the first on."""
    begin = (datetime.combine(first, time(), zone(plant.time_zone)) + timedelta(seconds=since_s)).astimezone(UTC)
    return Grid(begin, int(STEP_S / 60), int(days * DAY_S / STEP_S), plant.time_zone)


def _gas_cny_per_nm3(plant: Plant, folder: Path) -> float | None:
    """Return the price of a Nm3 at the first step, None where the plant names none; what is billed at 20 °C is put to 0 °C."""
    gas = plant_gas_price(plant, folder)
    if gas is None:
        return None
    price = float(gas.steps[0][1])
    return price / units.normal_volume_ratio(plant.accounting.gas_meter_celsius) if gas.unit == "m3" else price


def quantities(world: World, one: Usage, skip: int) -> dict[Item, float]:
    """Return what a run buys, by item and shop, in thousandths of its unit as meters count."""
    found: dict[Item, float] = {}
    aside = one.aside or Aside((), (), {}, {})
    shops = [station.shop for station in one.run.line.stations]
    for carrier, (kind, item, unit) in BOOKED.items():
        for places, table in ((shops, one.by_station), (aside.shops, aside.used)):
            amounts = table[carrier][:, skip:].sum(axis=1) if carrier in table else ()
            for shop, amount in zip(places, amounts, strict=False):
                key = Item(kind, item, unit, "{}", shop or "other")
                found[key] = found.get(key, 0.0) + float(amount)
    return {item: round(amount, 3) for item, amount in found.items() if amount}


def readings(simulated: Simulated, file: Path, replication: int = 0) -> int:
    """Write the readings of a replication as CSV in the form that `zf import` takes; return how many rows.

    A meter gets the energy of the stations and utilities that name it first, in intervals of a quarter hour on the plant's clock.
    """
    one, twin = simulated.usages[replication], simulated.twin
    sums: dict[str, Floats] = {}
    for (station, carrier), meters in twin.meters.items():
        amounts = one.by_station[carrier][twin.line.place(station), simulated.skip :]
        sums[meters[0]] = sums.get(meters[0], np.zeros(len(amounts))) + amounts
    if one.aside is not None:
        for (row, carrier), meters in simulated.aside_meters.items():
            if carrier in one.aside.used and meters:
                amounts = one.aside.used[carrier][one.aside.ids.index(row), simulated.skip :]
                sums[meters[0]] = sums.get(meters[0], np.zeros(len(amounts))) + amounts
    begin = simulated.begin
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("meter", "time", "value"))
        for meter, amounts in sorted(sums.items()):
            for place, amount in enumerate(amounts):
                at = begin + timedelta(seconds=place * STEP_S)
                writer.writerow((meter, at.isoformat(sep=" "), f"{amount:.3f}"))
    return sum(len(amounts) for amounts in sums.values())


def unmetered(simulated: Simulated) -> dict[str, float]:
    """Return what the mean run takes of carriers of which no station and no utility names a meter: no reading tells it."""
    named = {carrier for (_, carrier), meters in simulated.twin.meters.items() if meters}
    named |= {carrier for (_, carrier), meters in simulated.aside_meters.items() if meters}
    return {carrier: one.mean for carrier, one in simulated.energy.items() if carrier not in named and one.mean}


def _mean_shares(rows: Sequence[Sequence[Share]]) -> tuple[Share, ...]:
    """Return the mean shares of the replications, station by station."""

    def mean(same: Sequence[Share], name: str) -> float:
        return float(np.mean([getattr(one, name) for one in same]))

    return tuple(
        Share(
            same[0].station,
            mean(same, "working"),
            mean(same, "setup"),
            mean(same, "failed"),
            mean(same, "starved"),
            mean(same, "blocked"),
            round(mean(same, "made")),
        )
        for same in zip(*rows, strict=True)
    )


def day_of(text: str | None) -> date | None:
    """Return a day as it is written, None where none is; raise `FaultyData` when it is no day."""
    if not text or not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = Text(f"“{text}”不是日期。", f"'{text}' is no day.")
        raise FaultyData([Problem("twin.day", message, Text("例如 2025-03-10。", "Such as 2025-03-10."))]) from error


def factor_year(context: Context, first: date) -> int:
    """Return the year whose factors hold: that of the first day, or this year where it is to come."""
    return min(first.year, context.today.year)


def next_monday(today: date) -> date:
    """Return the Monday after a day."""
    return today + timedelta(days=7 - today.weekday())


def refuse_asked(asked: Asked) -> None:
    """Raise `FaultyData` with everything that cannot be asked."""
    problems = []
    for name, value, low, high in (
        ("days", asked.days, 1, MOST_DAYS),
        ("warm_up_days", asked.warm_up_days, 0, MOST_DAYS),
        ("runs", asked.runs, 1, MOST_RUNS),
    ):
        if not low <= value <= high:
            message = Text(
                f"{name} = {value} 应在 {low} 与 {high} 之间。",
                f"{name} = {value} does not lie between {low} and {high}.",
            )
            problems.append(Problem("twin.asked", message, Text("请改正。", "Correct it."), column=name))
    if not 0.5 <= asked.confidence < 1.0:
        message = Text(
            f"置信度 {asked.confidence:g} 应在 0.5 与 1 之间。",
            f"A confidence of {asked.confidence:g} does not lie between 0.5 and 1.",
        )
        problems.append(Problem("twin.asked", message, Text("例如 0.95。", "For example 0.95."), column="confidence"))
    if problems:
        raise FaultyData(problems)
