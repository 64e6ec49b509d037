"""Data quality of a period: gaps, flat lines, spikes, closure of the meter tree, automatic-collection rate.

Thresholds are the plant's (`site.model.Accounting`); their defaults and sources stand in ``site/defaults.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zerofactory import units
from zerofactory.metering.fill import runs
from zerofactory.metering.grid import Integers
from zerofactory.metering.interval import MEASURED, MISSING, MeterMonth
from zerofactory.metering.note import QUALITY, QualityNote, notes_frame
from zerofactory.metering.scatter import Numbers
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree

__all__ = [
    "QUALITY",
    "Closure",
    "QualityNote",
    "assess",
    "check",
    "closure_notes",
    "closures",
    "collection_fraction",
    "notes_frame",
]

MAX_RUNS_PER_METER = 50
_MAD_TO_SIGMA = 0.6745  # Iglewicz and Hoaglin (1993), modified z-score
_MEAN_TO_SIGMA = 1.253314  # the same book, when the median deviation is zero: sqrt(pi / 2)


@dataclass(frozen=True, slots=True)
class Closure:
    """A parent against its children, in the parent's amount unit; ``error_fraction`` = (parent − children) / parent."""

    parent: str
    parent_amount: float
    children_amount: float
    error_fraction: float | None


def assess(raw: MeterMonth, complete: MeterMonth, plant: Plant) -> list[QualityNote]:
    """Return every note on a month: ``raw`` as read, ``complete`` after filling and with virtual meters."""
    return [*check(raw, plant), *closure_notes(complete, plant)]


def check(month: MeterMonth, plant: Plant) -> list[QualityNote]:
    """Return gaps, flat lines, spikes, completeness and collection rate of a month **before** it is filled.

    Gaps and flat lines: one note a run, or one a meter when it has more than fifty. Spikes: one note a meter with the
    greatest amount among them.
    """
    meters = {meter.id: meter for meter in plant.meters}
    notes: list[QualityNote] = []
    for row, meter_id in enumerate(month.meter_ids):
        if meters[meter_id].kind != "virtual":
            notes += _gaps(month, row)
            notes += _flat_lines(month, row, plant)
            notes += _spikes(month, row, plant)
    return [*notes, *_rates(month, plant)]


def closures(month: MeterMonth, plant: Plant) -> list[Closure]:
    """Return how every parent of the meter tree compares with the sum of its children; filled and with virtual meters."""
    tree = meter_tree(plant)
    found: list[Closure] = []
    for parent, children in tree.children.items():
        if not {parent, *children} <= set(month.meter_ids):
            continue
        unit = tree.meters[parent].amount_unit
        whole = month.total_milli(parent) / 1000.0
        parts = sum(_amount(month, child, unit) for child in children)
        found.append(Closure(parent, whole, parts, (whole - parts) / whole if whole else None))
    return found


def closure_notes(month: MeterMonth, plant: Plant) -> list[QualityNote]:
    """Return one note a closure group: a warning beyond the plant's tolerance, information within it."""
    tolerance = plant.accounting.closure_tolerance_fraction
    children = meter_tree(plant).children
    notes: list[QualityNote] = []
    for group in closures(month, plant):
        open_group = (
            group.children_amount != 0.0 if group.error_fraction is None else abs(group.error_fraction) > tolerance
        )
        severity = "warning" if open_group else "info"
        count = len(children[group.parent])
        notes.append(QualityNote("closure", group.parent, count, month.start, group.error_fraction, severity))  # type: ignore[arg-type]
    return notes


def collection_fraction(month: MeterMonth, plant: Plant) -> float:
    """Return the automatic-collection rate (自动采集率): slots measured by automatic meters / slots due of all real meters."""
    meters = {meter.id: meter for meter in plant.meters}
    real = [row for row, name in enumerate(month.meter_ids) if meters[name].kind != "virtual"]
    automatic = [row for row in real if meters[month.meter_ids[row]].automatic]
    if not real:
        return 0.0
    measured = sum(int(np.count_nonzero(month.state[row] == MEASURED)) for row in automatic)
    return measured / (len(real) * month.grid.slots)


def _rates(month: MeterMonth, plant: Plant) -> list[QualityNote]:
    """Return completeness (slots with a value / slots due) and the automatic-collection rate of the whole plant."""
    if not month.state.size:
        return []
    missing = int(np.count_nonzero(month.state == MISSING))
    complete = 1.0 - missing / month.state.size
    return [
        QualityNote("completeness", None, missing, month.start, complete, "info"),
        QualityNote("collection", None, missing, month.start, collection_fraction(month, plant), "info"),
    ]


def _gaps(month: MeterMonth, row: int) -> list[QualityNote]:
    missing = month.state[row] == MISSING
    if not missing.any():
        return []
    return _run_notes("gap", month, row, runs(missing))


def _flat_lines(month: MeterMonth, row: int, plant: Plant) -> list[QualityNote]:
    """Return runs of one repeated non-zero amount at least ``flat_line_hours`` long, on the meter's own grid."""
    edges = month.grid.edges(month.own_minutes[row])
    own = len(edges) - 1
    amount = (
        month.amount_milli[row] if own == month.grid.slots else np.add.reduceat(month.amount_milli[row], edges[:-1])
    )
    sound = month.state[row][edges[:-1]] == MEASURED
    same = (amount[1:] == amount[:-1]) & (amount[1:] != 0) & sound[1:] & sound[:-1]
    wanted = max(2, int(np.ceil(plant.accounting.flat_line_hours * 60.0 / month.own_minutes[row])))
    if int(np.count_nonzero(same)) < wanted - 1:
        return []
    first, last = runs(same)
    long_enough = last - first + 1 >= wanted
    return _run_notes("flat_line", month, row, (edges[first[long_enough]], edges[last[long_enough] + 1]))


def _run_notes(kind: str, month: MeterMonth, row: int, spans: tuple[Integers, Integers]) -> list[QualityNote]:
    first, last = spans
    meter = month.meter_ids[row]
    if len(first) > MAX_RUNS_PER_METER:
        return [QualityNote(kind, meter, int((last - first).sum()), month.grid.moment(int(first[0])))]  # type: ignore[arg-type]
    return [
        QualityNote(kind, meter, int(end - begin), month.grid.moment(int(begin)))  # type: ignore[arg-type]
        for begin, end in zip(first, last, strict=True)
    ]


def _spikes(month: MeterMonth, row: int, plant: Plant) -> list[QualityNote]:
    """Return the amounts far from the meter's running level that also stand alone between their neighbours.

    Far: modified z-score 0.6745 |x − median| / MAD over the non-zero amounts, or |x − mean| / (1.2533 × mean absolute
    deviation) over all when MAD = 0, above ``spike_z`` (Iglewicz and Hoaglin 1993, volume 16 of the ASQC basic references in
    quality control). Alone: x differs from the median of itself and its neighbours by more than ``spike_jump_fraction`` of
    that median, so that seasons, shifts and sunny days do not count. First and last slot and neighbours of gaps are not judged.
    """
    measured, whole = month.state[row] == MEASURED, month.amount_milli[row]
    running = whole[measured & (whole != 0)]
    if not len(running):
        return []
    early, here, late = whole[:-2], whole[1:-1], whole[2:]
    middle = np.maximum(np.minimum(early, here), np.minimum(np.maximum(early, here), late))
    alone = np.abs(here - middle) > np.abs(middle) * plant.accounting.spike_jump_fraction
    alone &= measured[:-2] & measured[1:-1] & measured[2:]
    slot = np.flatnonzero(alone) + 1
    centre, scale = _centre_and_scale(running.astype(np.float64), whole)
    slot = slot[np.abs(whole[slot] - centre) > plant.accounting.spike_z * scale]
    if not len(slot):
        return []
    greatest = int(np.abs(whole[slot]).max()) / 1000.0
    return [QualityNote("spike", month.meter_ids[row], len(slot), month.grid.moment(int(slot[0])), greatest)]


def _centre_and_scale(running: Numbers, whole: Integers) -> tuple[float, float]:
    """Return the robust centre and spread of a meter in thousandths."""
    centre = _median(running)
    scale = _median(np.abs(running - centre)) / _MAD_TO_SIGMA
    if scale > 0.0:
        return centre, scale
    centre = float(whole.mean())
    return centre, float(np.abs(whole - centre).mean()) * _MEAN_TO_SIGMA


def _median(values: Numbers) -> float:
    half = len(values) // 2
    return float(np.partition(values, half)[half])


def _amount(month: MeterMonth, meter_id: str, unit: str) -> float:
    own = month.units[month.row(meter_id)]
    return units.convert(month.total_milli(meter_id) / 1000.0, own, unit)
