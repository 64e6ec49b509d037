"""Bring the utilities near their meters: figures fitted group by group, months left out in turn, and what no meter tells.

The utilities are driven by what the plant did in the months (`twin_utilities_states`). A group's figures are taken where months that
were left out, each in turn, are predicted better with them than with the file's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Text
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.optimisation.utilities import estimate
from zerofactory.optimisation.utilities.driven import Driven
from zerofactory.optimisation.utilities.faults import faults
from zerofactory.optimisation.utilities.groups import HEATING, Gauge, Group, groups, joined, model, sources
from zerofactory.optimisation.utilities.groups import days as gauge_days
from zerofactory.optimisation.utilities.knobs import Knob, knobs, turned, value_of
from zerofactory.optimisation.utilities.plant import GAS, Utilities
from zerofactory.optimisation.utilities.source import CARRIER
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_utilities_file import Beside
from zerofactory.runs.twin_utilities_fit import Found, Written
from zerofactory.runs.twin_utilities_states import SLOTS, Hours, Past, driven, hours

Floats = NDArray[np.float64]
LEAST_MONTHS = 2  # so that one can be left out
KEPT = "kept"
MOVES = 1e-3  # of the spread: a figure that moved less is the file's


@dataclass(frozen=True)
class Figure:
    """A figure of a utility: the file's, the fitted one with its interval, how it came, and the meters it is from.

    ``state``: `estimate.TOLD` by readings, `estimate.WEAK` not told by them (near the file's), `estimate.BOUND` ran into its range
    and stands there (the model does not explain the meter), `KEPT` the file's, since its meters were met worse otherwise. ``taken`` is whether later runs take it once it is written.
    """

    knob: Knob
    title: Text
    value: float
    low: float
    high: float
    state: str
    taken: bool
    meters: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        one = self.knob
        return {
            "table": one.table, "utility": one.id, "key": one.key, "title": {"zh": self.title.zh, "en": self.title.en},
            "unit": one.unit, "stated": one.stated, "value": self.value, "low": self.low, "high": self.high,
            "least": one.low, "most": one.high, "range_source": one.source, "state": self.state, "taken": self.taken, "meters": list(self.meters),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Months:
    """Some months of a meter: measured, by the file, and by the fit; months that lack days are as far as they were read."""

    labels: tuple[str, ...]
    measured: tuple[float, ...]
    stated: tuple[float, ...]
    fitted: tuple[float, ...]

    def errors(self, which: str) -> tuple[float, ...]:
        """Return the share by which each month is missed, by ``stated`` or ``fitted``."""
        return tuple(
            made / seen - 1.0 if seen else 0.0 for made, seen in zip(getattr(self, which), self.measured, strict=True)
        )

    def mean_error(self, which: str) -> float:
        """Return the sum of what months are missed by over what was measured."""
        missed = sum(abs(made - seen) for made, seen in zip(getattr(self, which), self.measured, strict=True))
        return missed / sum(self.measured) if sum(self.measured) else 0.0

    def total_error(self, which: str) -> float:
        """Return the share by which the sum of the months is missed."""
        return sum(getattr(self, which)) / sum(self.measured) - 1.0 if sum(self.measured) else 0.0

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"months": list(self.labels), "measured": list(self.measured), "stated": list(self.stated), "fitted": list(self.fitted)}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What meters say beside the model: the months fitted to, the same months each predicted by a fit to the others, those held out,
    and the months fitted to as a simulation runs them: by the shifts of the calendar, not by what the stations were seen to do."""

    gauge: Gauge
    title: Text
    carrier: str
    fitted: Months
    in_turn: Months
    held_out: Months | None
    by_shifts: Months

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "meters": list(self.gauge.meters), "utilities": [name for name, _ in self.gauge.parts], "carrier": self.carrier,
            "title": {"zh": self.title.zh, "en": self.title.en}, "fitted": self.fitted.as_json(), "in_turn": self.in_turn.as_json(),
            "mean_error_in_turn_stated": self.in_turn.mean_error("stated"), "mean_error_in_turn": self.in_turn.mean_error("fitted"),
            "held_out": None if self.held_out is None else self.held_out.as_json(), "by_shifts": self.by_shifts.as_json(),
        }  # fmt: skip


@dataclass(frozen=True)
class Tuned:
    """All figures and meters of the utilities, and what else is to be told of them."""

    figures: tuple[Figure, ...] = ()
    seen: tuple[Seen, ...] = ()
    notes: tuple[Text, ...] = ()
    hours: tuple[Hours, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        notes = [{"zh": one.zh, "en": one.en} for one in self.notes]
        return {"figures": [one.as_json() for one in self.figures], "meters": [one.as_json() for one in self.seen], "hours": [one.as_json() for one in self.hours], "notes": notes}  # fmt: skip


@dataclass(frozen=True)
class _Days:
    """The days of all months: their month, and whether they are fitted to."""

    labels: tuple[str, ...]
    month: NDArray[np.int64]
    fitted: NDArray[np.bool_]

    def of(self, label: str) -> NDArray[np.bool_]:
        """Return which days are of a month."""
        return np.asarray(self.month == self.labels.index(label))


@dataclass(frozen=True)
class Question:
    """What the utilities are fitted with: the past of the plant, the months to fit to (the others are held out), what lines of heat told."""

    past: Past
    months: tuple[str, ...]
    found: tuple[Found, ...] = ()
    confidence: float = 0.95


def tune(context: Context, twin: Twin, beside: Beside, asked: Question) -> Tuned:
    """Return the figures of the utilities that their meters tell, and how the meters are met before and after."""
    meters, notes = _meters(beside, twin)
    lined = {("halls", one.id, key) for one in asked.found if one.table == "halls" for key, _ in one.keys}
    utilities = _lined(beside.utilities, asked.found)
    every = groups(utilities, joined(utilities, meters))
    notes += [*_unmetered(utilities, meters), *_joint(utilities, every), *_by_lines(utilities, lined)]
    if not every:
        return Tuned(notes=tuple(notes))
    try:
        drive = driven(context, twin, beside, asked.past)
        drives = drive, driven(context, twin, beside, replace(asked.past, passed={}))
    except FaultyData as error:
        return Tuned(notes=(*notes, *(problem.message for problem in error.problems)))
    if beside.weather.place is not None and any(month.mean_degc is None for month in asked.past.months):
        notes.append(Text("没有实测气温, 用了典型年: 请给 --temperature, 或在 weather 写 file。", "No measured temperature: the typical year stands in; give --temperature, or a file in weather."))  # fmt: skip
    days = _days(asked)
    known = {label: meter_month(context, label) for label in days.labels}

    def tuned(group: Group) -> Tuned:
        return _group(group, tuple(lined), drives, (days, _observed(group, known, days)), asked.confidence)

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        parts = list(pool.map(tuned, every))
    return Tuned(
        tuple(one for part in parts for one in part.figures), tuple(one for part in parts for one in part.seen),
        (*notes, *(one for part in parts for one in part.notes)), hours(twin, utilities, drives, np.repeat(days.fitted, SLOTS)),
    )  # fmt: skip


def taken(found: Tuned | None) -> tuple[Written, ...]:
    """Return the figures that later runs take."""
    figures = () if found is None else tuple(one for one in found.figures if one.taken)
    return tuple(
        Written(one.knob.table, one.knob.id, one.knob.key, one.value, one.low, one.high, one.meters) for one in figures
    )


@dataclass(frozen=True)
class _Try:
    """A fit of some figures of a group, and how it and the file predict the months left out."""

    given: tuple[Knob, ...]
    found: estimate.Estimate
    before: Floats
    in_turn: tuple[Months, ...]

    def error(self, which: str) -> float:
        """Return by how much months left out are missed, the meters alike."""
        return sum(one.mean_error(which) for one in self.in_turn) / len(self.in_turn)


def _group(
    group: Group,
    lined: Sequence[tuple[str, str, str]],
    drives: tuple[Driven, Driven],
    seen: tuple[_Days, Floats],
    confidence: float,
) -> Tuned:
    """Return the fit of one group: of all its figures, or without those of meters that are met worse than by the file. ``drives`` are
    what the stations were seen to do, which it is fitted by, and what they do by the shifts."""
    (days, observed), (drive, by_shifts) = seen, drives
    read = [bool(np.isfinite(row[days.fitted]).any()) for row in observed]
    silent = tuple(_silent(gauge) for gauge, known in zip(group.gauges, read, strict=True) if not known)
    every = knobs(group.utilities, lined)
    if not every or not any(read):
        return Tuned(notes=silent)
    group = replace(group, gauges=tuple(gauge for gauge, known in zip(group.gauges, read, strict=True) if known))
    observed = observed[read]
    seen = days, observed
    best = _tried(group, every, drive, seen, confidence)
    fewer = _of_better(group, best)
    if fewer and len(fewer) < len(every):
        best = min(best, _tried(group, fewer, drive, seen, confidence), key=lambda one: one.error("fitted"))
    helps = (
        len(best.in_turn[0].labels) >= LEAST_MONTHS
        and best.error("fitted") < best.error("stated")
        and not faults(turned(group.utilities, best.given, tuple(best.found.x)))
    )
    after = best.found.days if helps else best.before
    made = turned(group.utilities, best.given, tuple(best.found.x)) if helps else group.utilities
    planned = gauge_days(group, group.utilities, by_shifts), gauge_days(group, made, by_shifts)
    months = list(best.in_turn[0].labels)
    held = [label for label in days.labels if label not in months]
    tables = [
        Seen(
            gauge, _titles(group.utilities, gauge), gauge.parts[0][1], _months(days, months, observed[n], best.before[n], after[n]),
            best.in_turn[n] if helps else replace(best.in_turn[n], fitted=best.in_turn[n].stated),
            _months(days, held, observed[n], best.before[n], after[n]) if held else None,
            _months(days, months, observed[n], planned[0][n], planned[1][n]),
        )
        for n, gauge in enumerate(group.gauges)
    ]  # fmt: skip
    return Tuned(_figures(group, every, best, helps), tuple(tables), silent if helps else (*silent, _no_help(group)))


def _tried(group: Group, given: tuple[Knob, ...], drive: Driven, seen: tuple[_Days, Floats], confidence: float) -> _Try:
    """Return a fit of some figures, to all months and to all but each."""
    days, observed = seen
    fit_to = np.where(days.fitted, observed, np.nan)
    counted = model(group, given, drive)
    known = estimate.Known(*(np.array([getattr(one, name) for one in given]) for name in ("stated", "spread", "low", "high")))  # fmt: skip
    before = counted(known.stated)
    found = estimate.fit(counted, known, fit_to, confidence)
    turn = before.copy()
    months = [label for label in days.labels if days.fitted[days.of(label)].any()]
    for label in months:
        left = estimate.without(counted, known, np.where(days.of(label), np.nan, fit_to), found)
        turn[:, days.of(label)] = left[:, days.of(label)]
    in_turn = tuple(_months(days, months, observed[n], before[n], turn[n]) for n in range(len(observed)))
    return _Try(given, found, before, in_turn)


def _of_better(group: Group, tried: _Try) -> tuple[Knob, ...]:
    """Return the figures without those of utilities that only meters see which are met worse than by the file."""
    pairs = list(zip(group.gauges, tried.in_turn, strict=True))
    better = {name for gauge, one in pairs if one.mean_error("fitted") < one.mean_error("stated") for name, _ in gauge.parts}  # fmt: skip
    worse = {name for gauge, _ in pairs for name, _ in gauge.parts} - better
    loops = {row.loop for row in sources(group.utilities) if row.id in worse}
    worse |= loops | {load.id for load in group.utilities.loads if load.loop in loops}
    return tuple(one for one in tried.given if one.id not in worse)


def _figures(group: Group, every: Sequence[Knob], best: _Try, helps: bool) -> tuple[Figure, ...]:
    meters = tuple(dict.fromkeys(name for gauge in group.gauges for name in gauge.meters))
    after = turned(group.utilities, best.given, tuple(best.found.x))
    rows = {(one.table, row.id): row for one in every for row in getattr(after, one.table)}
    made = []
    for knob in every:
        row = rows[knob.table, knob.id]
        owner = getattr(row, "title", Text(knob.id, knob.id))
        title = Text(f"{owner.zh}: {knob.title.zh}", f"{owner.en}: {knob.title.en}")
        own = tuple(dict.fromkeys(m for gauge in group.gauges if any(name == knob.id for name, _ in gauge.parts) for m in gauge.meters)) or meters  # fmt: skip
        if knob not in best.given:
            made.append(Figure(knob, title, knob.stated, knob.stated, knob.stated, KEPT, False, own))
            continue
        n = best.given.index(knob)
        value = value_of(row, knob.key) or 0.0
        moved = value - float(best.found.x[n])  # edges of a window that met stand in the middle
        low, high = max(float(best.found.low[n]) + moved, knob.low), min(float(best.found.high[n]) + moved, knob.high)
        taken = helps and abs(value - knob.stated) > MOVES * knob.spread
        made.append(Figure(knob, title, value, low, high, best.found.states[n], taken, own))
    return tuple(made)


def _months(days: _Days, labels: Sequence[str], seen: Floats, stated: Floats, fitted: Floats) -> Months:
    sums = []
    for values in (seen, stated, fitted):
        sums.append(tuple(float(values[days.of(label) & np.isfinite(seen)].sum()) for label in labels))
    return Months(tuple(labels), *sums)


def _days(asked: Question) -> _Days:
    labels = tuple(f"{month.days[0]:%Y-%m}" for month in asked.past.months)
    month = np.concatenate([np.full(len(one.days), n) for n, one in enumerate(asked.past.months)])
    return _Days(labels, month, np.isin(month, [n for n, label in enumerate(labels) if label in asked.months]))


def _observed(group: Group, known: Mapping[str, MeterMonth], days: _Days) -> Floats:
    """Return what the gauges of a group counted, gauge × day; not-a-number where a quarter hour was not read, and on the first day, when
    ovens and halls of the model begin cold."""
    rows = []
    for gauge in group.gauges:
        parts = []
        for label, month in known.items():
            count = int(days.of(label).sum()) * SLOTS
            if any(meter not in month.meter_ids for meter in gauge.meters):
                parts.append(np.full(count, np.nan))
                continue
            places = [month.meter_ids.index(meter) for meter in gauge.meters]
            lost = (month.state[places] == MISSING).any(axis=0)
            amounts = np.where(lost, np.nan, month.amount_milli[places].sum(axis=0) / 1000.0)
            parts.append(np.concatenate([amounts, np.full(max(count - len(amounts), 0), np.nan)])[:count])
        rows.append(np.concatenate(parts).reshape(-1, SLOTS).sum(axis=1))
    found = np.array(rows)
    found[:, 0] = np.nan
    return found


def _meters(beside: Beside, twin: Twin) -> tuple[dict[tuple[str, str], tuple[str, ...]], list[Text]]:
    """Return the meters of each utility and carrier that count nothing else, and which do count something else."""
    gone, utilities = set(beside.takes_over), beside.utilities
    stations = {name: station for (station, carrier), names in twin.meters.items() if (station, carrier) not in gone for name in names}  # fmt: skip
    every = {(name, carrier): names for name, _, own in _rows(utilities) for carrier, names in own.items() if names}
    counted = {name for names in every.values() for name in names}
    every |= {(name, HEATING): (meter,) for (table, name), meter in beside.counters.items() if table == "halls" and meter not in counted}  # fmt: skip
    kept, notes = {}, []
    for part, names in every.items():
        also = [name for name in names if name in stations]
        if also:
            where = ", ".join(dict.fromkeys(stations[name] for name in also))
            notes.append(Text(f"{', '.join(also)} 也计着工位 {where}, 不用来拟合 {part[0]}。", f"{', '.join(also)} also counts station {where}: {part[0]} is not fitted to it."))  # fmt: skip
        else:
            kept[part] = tuple(names)
    return kept, notes


def _lined(utilities: Utilities, found: Sequence[Found]) -> Utilities:
    """Return the utilities with the figures of halls that lines of heat told."""
    given = [
        (Knob("halls", one.id, key, one.title, one.unit, value, value, value, 1.0, ""), value)
        for one in found
        if one.table == "halls"
        for key, value in one.keys
    ]
    return turned(utilities, [knob for knob, _ in given], [value for _, value in given])


def _by_lines(one: Utilities, lined: Iterable[tuple[str, str, str]]) -> list[Text]:
    """Return which halls stand in the comparison as lines of heat told them, not as the file has them."""
    halls = [row.title for row in one.halls if row.id in {name for _, name, _ in lined}]
    if not halls:
        return []
    zh, en = "、".join(title.zh for title in halls), ", ".join(title.en for title in halls)
    return [Text(f"{zh}: “文件”一栏与逐月留出都已按上面采用的每度热损失(全部月份)。", f"{en}: the column of the file and the months in turn already have the heat by kelvin taken above (of all months).")]  # fmt: skip


def _unmetered(one: Utilities, meters: Mapping[tuple[str, str], Sequence[str]]) -> list[Text]:
    """Return which utilities no meter of their own sees."""
    fans = [(row.id, row.title, row.fan_kw) for row in (*one.booths,)] + [
        (row.id, row.title, row.fan_kw) for row in one.ovens
    ]
    fans += [(row.id, row.title, row.fan_kw) for row in one.oxidisers]
    fans += [(row.id, row.title, row.fan_kw + row.rest_fan_kw) for row in one.halls]
    needs = [(name, "electricity", title) for name, title, kw in fans if kw]
    needs += [(row.id, "natural_gas", row.title) for row in one.booths if row.heat_from == GAS]
    needs += [(row.id, "natural_gas" if row.fuel == GAS else "electricity", row.title) for row in one.ovens]
    needs += [(row.id, "natural_gas", row.title) for row in one.oxidisers]
    needs += [(row.id, HEATING, row.title) for row in one.halls if row.heat_from is not None]
    needs += [(row.id, "electricity", row.title) for row in one.chillers]
    needs += [(row.id, CARRIER[row.kind], row.title) for row in one.heaters]
    names = {"electricity": ("电", "electricity"), "natural_gas": ("气", "gas"), "heat": ("热", "heat"), HEATING: ("采暖", "heating")}  # fmt: skip
    seen = {(name, carrier): title for name, carrier, title in needs if (name, carrier) not in meters}
    if not seen:
        return []
    zh = "、".join(f"{title.zh}({names[carrier][0]})" for (_, carrier), title in seen.items())
    en = ", ".join(f"{title.en} ({names[carrier][1]})" for (_, carrier), title in seen.items())
    return [Text(f"没有自己的表计: {zh}。", f"No meter of their own: {en}.")]


def _joint(utilities: Utilities, every: Sequence[Group]) -> list[Text]:
    """Return which meters count several utilities."""
    notes = []
    for gauge in (gauge for group in every for gauge in group.gauges):
        if len(gauge.parts) > 1:
            title = _titles(utilities, gauge)
            names = ", ".join(gauge.meters)
            notes.append(Text(f"{names} 合计 {title.zh}, 只能合起来比较。", f"{names} counts {title.en} together."))
    return notes


def _titles(utilities: Utilities, gauge: Gauge) -> Text:
    rows = {name: title for name, title, _ in _rows(utilities)}
    titles = [rows[name] for name in dict.fromkeys(name for name, _ in gauge.parts)]
    return Text("、".join(one.zh for one in titles), ", ".join(one.en for one in titles))


def _rows(one: Utilities) -> list[tuple[str, Text, Mapping[str, tuple[str, ...]]]]:
    """Return what may have meters: id, title, meters by carrier."""
    found = [(row.id, row.title, row.meters) for row in one.booths] + [
        (row.id, row.title, row.meters) for row in one.ovens
    ]
    found += [(row.id, row.title, row.meters) for row in one.oxidisers] + [
        (row.id, row.title, row.meters) for row in one.halls
    ]
    return found + [(row.id, row.title, row.meters) for row in sources(one)]


def _silent(gauge: Gauge) -> Text:
    names = ", ".join(gauge.meters)
    return Text(f"{names} 没有读数。", f"{names} has no readings.")


def _no_help(group: Group) -> Text:
    names = ", ".join(name for gauge in group.gauges for name in gauge.meters)
    return Text(
        f"{names}: 拟合没有把留出的月份预测得更准, 保持文件的数。",
        f"{names}: months left out are not predicted better by the fit; the file's figures are kept.",
    )
