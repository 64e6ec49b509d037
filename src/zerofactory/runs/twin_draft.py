"""A first twin.toml from what is there: lines of factory.toml, its calendar, output and meters of the last closed months.

Stations stand in the order of the plant file; shops in that of a car: press lines side by side, body, paint, assembly, while castings,
batteries and powertrains join where assembly begins. What nobody has said is a placeholder of ``twin_draft.toml``, and told as one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MeterMonth
from zerofactory.metering.profile import shop_meters
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.twin_calibrate import month_of_days, place_amounts
from zerofactory.runs.twin_file import NAME
from zerofactory.site.edit import written_value
from zerofactory.site.model import Plant, Shop
from zerofactory.store.files import write_bytes_whole

FLOW = ("stamping", "body", "paint", "assembly")
FEEDERS = ("casting", "powertrain", "battery")
SIDE_BY_SIDE = "stamping"
"""Press lines make different panels of one car, so all feed the body shop; lines of other shops work one after the other."""
CARRIERS = ("electricity", "natural_gas")
MONTHS = 3
QUARTER = 15
"""Minutes of the slots in which the calendar is told."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """A station of the draft: a line of the plant file, or a shop that has none; what goes in and out, powers by carrier and state.

    A line with several state signals has as many machines; powers are those of all together.
    """

    id: str
    title: Text
    shop: str
    line: bool
    takes: tuple[str, ...] = ()
    gives: str | None = None
    meters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    powers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    signals: tuple[str, ...] = ()

    @property
    def machines(self) -> int:
        """How many there are: one for each signal."""
        return max(1, len(self.signals))


@dataclass(frozen=True)
class Draft:
    """What was drafted: the stations, the rooms of the buffers, the seconds a piece, the months the figures are from, and the file."""

    places: tuple[Place, ...]
    rooms: Mapping[str, int]
    takt_s: float
    months: tuple[str, ...]
    output_source: str | None

    @property
    def text(self) -> str:
        """The file, with notes of what stands for what is not known."""
        return "\n".join(_text(self))

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "takt_s": self.takt_s,
            "months": list(self.months),
            "output_source": self.output_source,
            "buffers": dict(self.rooms),
            "stations": [
                {"id": one.id, "shop": one.shop, "takes": list(one.takes), "gives": one.gives,
                 "machines": one.machines, "signals": list(one.signals),
                 "meters": {carrier: list(meters) for carrier, meters in one.meters.items()},
                 "power": {carrier: dict(powers) for carrier, powers in one.powers.items()}}
                for one in self.places
            ],
        }  # fmt: skip


@cache
def defaults() -> Mapping[str, Any]:
    """Return the placeholders of a draft, with their source."""
    return tomllib.loads(files("zerofactory.runs").joinpath("twin_draft.toml").read_text(encoding="utf-8"))


def draft(context: Context, takt_s: float | None = None) -> Draft:
    """Return a first twin of the plant.

    Parameters
    ----------
    takt_s : seconds a piece; without it the open hours of the last closed months (of any with readings, where none is closed)
        divided by the output booked in them.

    Raises
    ------
    FaultyData
        There is no shop that makes anything; neither a takt nor output is known; a takt that is none.
    """
    plant = context.workspace.plant
    bare, rooms = flow(plant)
    if not bare:
        raise FaultyData([_no_shops()])
    if takt_s is not None and not 0.0 < takt_s < 1e6:
        raise FaultyData([_no_takt(takt_s)])
    months = _months(context)
    there = [month_of_days(context, label, None) for label in months]
    if takt_s is None:
        pieces = sum(float(one.pieces.sum()) for one in there)
        open_s = sum(float(one.open_fraction.sum()) for one in there) * 900.0
        if pieces <= 0.0 or open_s <= 0.0:
            raise FaultyData([_no_output(months)])
        takt_s = open_s / pieces
    known = [meter_month(context, label) for label in months]
    opened = [one.open_fraction for one in there]
    places = tuple(_metered(one, plant, known, opened) for one in bare)
    outputs = [use.id for use in plant.sources if use.kind == "production_output"]
    return Draft(places, rooms, takt_s, tuple(months), outputs[0] if len(outputs) == 1 else None)


def write(context: Context, drafted: Draft, out: Path | None = None) -> Path:
    """Write the draft into the workspace, or to a file that is not there yet; return it."""
    path = out or context.workspace.folder / NAME
    if path.exists():
        raise FaultyData([Problem(
            "twin.there", Text(f"已有 {path.name}, 不覆盖。", f"{path.name} is there already and is not overwritten."),
            Text("请用 --out 写到别处再比较, 或先移走它。", "Write it elsewhere with --out and compare, or move the other away."), file=path.name,
        )])  # fmt: skip
    write_bytes_whole(path, drafted.text.encode())
    return path


def flow(plant: Plant) -> tuple[list[Place], dict[str, int]]:
    """Return the stations of a plant in the flow of a car, and how much room the buffers between them have."""
    by_kind = {kind: [one for one in plant.shops if one.kind == kind] for kind in (*FLOW, *FEEDERS)}
    main = [shop for kind in FLOW for shop in by_kind[kind]]
    feeders = [one for one in plant.shops if one.kind in FEEDERS]
    if not main:
        main, feeders = feeders, []
    found = {shop.id: _stations(plant, shop) for shop in (*main, *feeders)}
    rooms: dict[str, int] = {}
    within, between = int(defaults()["room_within_shop"]), int(defaults()["room_between_shops"])

    def joined(givers: Sequence[Place], taker: Place, room: int) -> tuple[list[Place], Place]:
        names = [f"{one.id}-out" for one in givers]
        rooms.update(dict.fromkeys(names, room))
        return [_with(one, gives=name) for one, name in zip(givers, names, strict=True)], _with(taker, takes=(*taker.takes, *names))  # fmt: skip

    for number, shop in enumerate((*main, *feeders)):
        own = found[shop.id]
        if not (shop.kind == SIDE_BY_SIDE and number + 1 < len(main)):
            for place in range(len(own) - 1):
                (own[place],), own[place + 1] = joined([own[place]], own[place + 1], within)
    for before, after in pairwise(main):
        own, following = found[before.id], found[after.id]
        ends = own if before.kind == SIDE_BY_SIDE else own[-1:]
        own[len(own) - len(ends) :], following[0] = joined(ends, following[0], between)
    for shop in feeders:
        own, following = found[shop.id], found[main[-1].id]
        own[-1:], following[0] = joined(own[-1:], following[0], between)
    return [one for shop in (*main, *feeders) for one in found[shop.id]], rooms


def _stations(plant: Plant, shop: Shop) -> list[Place]:
    told = plant.state_signals
    lines = [
        Place(one.id, one.name, shop.id, True, signals=tuple(signal.id for signal in told if signal.line == one.id))
        for one in plant.lines
        if one.shop == shop.id
    ]
    own = tuple(signal.id for signal in told if signal.shop == shop.id and signal.line is None)
    return lines or [Place(shop.id, shop.name, shop.id, False, signals=own)]


def _with(one: Place, **changed: Any) -> Place:
    kept = {name: getattr(one, name) for name in Place.__slots__}
    return Place(**(kept | changed))


def _metered(one: Place, plant: Plant, known: Sequence[MeterMonth], opened: Sequence[Floats]) -> Place:
    """Return a station with its meters, and its powers from the means within shifts and outside of them."""
    meters, powers = {}, {}
    for carrier in CARRIERS:
        own = _meters(one, plant, carrier)
        if not own:
            continue
        seen = [_seen(month, own, part) for month, part in zip(known, opened, strict=True)]
        mean, off = _means(seen)
        if mean <= 0.0:
            continue
        meters[carrier] = own
        fractions = defaults()["power_fraction"]
        powers[carrier] = {"off": off, "working": mean} | {
            state: max(mean * float(part), off) for state, part in fractions.items()
        }
    return _with(one, meters=meters, powers=powers)


def _seen(month: MeterMonth, meters: Sequence[str], opened: Floats) -> tuple[Floats, Floats]:
    """Return the power of some meters in each slot of a month in which it is known, and the share of the slot that is worked.

    ``opened`` is that share by quarter hour; slots of a day (of a plant that reads so seldom) have its mean.
    """
    power = place_amounts(month, meters) * 60.0 / month.grid.minutes
    slots = month.grid.minutes / QUARTER
    share = opened.reshape(-1, int(slots)).mean(axis=1) if slots >= 1 else np.repeat(opened, round(1.0 / slots))
    length = min(len(power), len(share))
    there = np.isfinite(power[:length])
    return power[:length][there], share[:length][there]


def _means(seen: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Return the mean powers within shifts and outside of them: power = share · within + (1 − share) · outside, least squares.

    Where a slot is as much worked as any other the two cannot be told apart, and outside counts as nothing.

    >>> _means([(np.array([100.0, 20.0, 60.0]), np.array([1.0, 0.0, 0.5]))])
    (100.0, 20.0)
    """
    power = np.concatenate([np.zeros(0), *(one for one, _ in seen)])
    share = np.concatenate([np.zeros(0), *(one for _, one in seen)])
    if not power.size or not power.any():
        return 0.0, 0.0
    if np.ptp(share) <= 0.0:
        return float(power.mean()) / (float(share[0]) or 1.0), 0.0
    from scipy.optimize import nnls

    within, outside = nnls(np.stack([share, 1.0 - share], axis=1), power)[0]
    return round(float(within), 9), round(min(float(outside), float(within)), 9)


def _meters(one: Place, plant: Plant, carrier: str) -> tuple[str, ...]:
    """Return the meters of a station: those of its line that hang below no other of it, or the shop's topmost ones."""
    if not one.line:
        return tuple(shop_meters(plant, carrier).get(one.shop, ()))
    every = [meter for meter in plant.meters if meter.line == one.id and meter.carrier == carrier]
    own = [meter for meter in every if meter.kind != "virtual"] or every
    names = {meter.id for meter in own}
    return tuple(meter.id for meter in own if meter.parent not in names)


def _months(context: Context) -> list[str]:
    """Return the last closed months, the last with readings where none is closed."""
    there = months_of(context)
    closed = [label for label in there if context.workspace.seal_of(label) is not None]
    return (closed or there)[-MONTHS:]


def _text(one: Draft) -> Iterator[str]:
    told = "、".join(one.months)
    yield "# 由 zf twin draft 按 factory.toml、日历、产量与表计起草, 请逐项核对。"
    yield "# Drafted from the plant file, its calendar, output and meters: check every line."
    yield f"# 节拍都是每件用时 {one.takt_s:.4g} s, 加工功率是班内均值: 没有写故障, 写了就把节拍改短。缓存容量、其余状态的功率是占位。"
    yield f"# Every cycle is the {one.takt_s:.4g} s a piece takes, working power the mean within shifts: with failures, shorten the cycle. Rooms and other powers are placeholders."
    if told:
        yield f"# 读数与产量取自 {told}; 之后 zf twin calibrate --write 由更多读数拟合。 From {told}; fit later with zf twin calibrate --write."
    yield 'status = "placeholder"'
    if one.output_source is not None:
        yield f"output_source = {written_value(one.output_source)}"
    for place in one.places:
        yield ""
        yield "[[stations]]"
        if place.line:
            yield f"line = {written_value(place.id)}"
        else:
            yield f"id = {written_value(place.id)}"
            yield f"name = {{ zh = {written_value(place.title.zh)}, en = {written_value(place.title.en)} }}"
            yield f"shop = {written_value(place.shop)}"
        if place.machines > 1:
            yield f"machines = {place.machines}"
        yield f'cycle = {{ kind = "fixed", mean_s = {one.takt_s * place.machines:.4g} }}'
        if place.takes:
            yield f"takes = {written_value(place.takes)}"
        if place.gives is not None:
            yield f"gives = {written_value(place.gives)}"
        if place.signals:
            yield f"signals = {written_value(place.signals)}"
        for carrier, powers in place.powers.items():
            said = ", ".join(f"{state} = {value / place.machines:.4g}" for state, value in powers.items())
            yield f"draws.{carrier} = {{ power = {{ {said} }}, meters = {written_value(place.meters[carrier])} }}"
        if not place.powers:
            yield "# 没有读数。 No readings: draws.electricity = { power = { off = , idle = , working = }, meters = [] }"
    for name, room in one.rooms.items():
        yield ""
        yield "[[buffers]]"
        yield f"id = {written_value(name)}"
        yield f"capacity = {room}"
    yield ""


def _no_shops() -> Problem:
    return Problem(
        "twin.no_shops", Text("factory.toml 里没有生产车间。", "The plant file has no shop that makes anything."),
        Text(f"请加 [[shops]], kind 为 {'、'.join((*FLOW, *FEEDERS))} 之一。", f"Add [[shops]] of kind {', '.join((*FLOW, *FEEDERS))}."), file="factory.toml",
    )  # fmt: skip


def _no_takt(takt_s: float) -> Problem:
    return Problem("twin.takt", Text(f"每件 {takt_s:g} 秒不成节拍。", f"{takt_s:g} s a piece is no takt."), Text("请给正数, 如 --takt 60。", "Give a number above zero, such as --takt 60."))  # fmt: skip


def _no_output(months: Sequence[str]) -> Problem:
    told = "、".join(months)
    if not months:
        message = Text(
            "账上还没有月份, 算不出每件用时。", "The book has no month yet, so the time a piece takes is not known."
        )
    else:
        message = Text(f"{told} 没有产量或没有班次, 算不出每件用时。", f"There is no output or no shift in {told}, so the time a piece takes is not known.")  # fmt: skip
    return Problem(
        "twin.no_output",
        message,
        Text("请导入产量, 或给出每件用时(--takt 秒)。", "Import output, or give the seconds a piece (--takt)."),
    )
