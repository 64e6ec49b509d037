"""Where the stations and buffers of a line stand on a plan: as twin.toml says in metres, or laid out in the order of flow.

Without coordinates: every station and buffer gets a layer, the longest way a piece can have come (ways that lead back, such as
rework, are left out); the nodes of a shop stand side by side in its area, column by column; areas follow each other in rows that
run to and fro, as many as make the plan as wide as asked for. Same line, same plan: nothing is drawn by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log

from zerofactory.optimisation.twin.line import Line

STATION, BUFFER = (150.0, 80.0), (70.0, 76.0)
SMALL_STATION, SMALL_BUFFER = (112.0, 74.0), (66.0, 66.0)
SPLIT = 0.3  # how much nearer to the aspect a plan must come to be worth cutting a shop in two
GAP, ROW_GAP, PAD, TITLE, AISLE, MARGIN = 34.0, 14.0, 12.0, 24.0, 30.0, 10.0
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """A station or a buffer: the middle of its box, and how wide and high that is."""

    id: str
    is_station: bool
    x: float
    y: float
    wide: float
    high: float

    def hides(self, other: Spot) -> bool:
        """Tell whether two boxes lie over each other."""
        return (
            abs(self.x - other.x) < (self.wide + other.wide) / 2
            and abs(self.y - other.y) < (self.high + other.high) / 2
        )


@dataclass(frozen=True, slots=True)
class Area:
    """A shop, or the part of it that stands in a row: its upper left corner and its size."""

    shop: str
    x: float
    y: float
    wide: float
    high: float


@dataclass(frozen=True, slots=True)
class Edge:
    """The way from a station to a buffer or from a buffer to a station, as the four points of a cubic curve."""

    source: str
    target: str
    is_rework: bool
    curve: tuple[Place, Place, Place, Place]


@dataclass(frozen=True, slots=True)
class Layout:
    """The plan of a line, in drawing units from the upper left corner."""

    wide: float
    high: float
    spots: tuple[Spot, ...]
    areas: tuple[Area, ...]
    edges: tuple[Edge, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain values, rounded to a tenth."""
        return {
            "size": [round(self.wide), round(self.high)],
            "spots": {one.id: [round(v, 1) for v in (one.x, one.y, one.wide, one.high)] for one in self.spots},
            "areas": [[one.shop, *(round(v, 1) for v in (one.x, one.y, one.wide, one.high))] for one in self.areas],
            "edges": [[one.source, one.target, one.is_rework, *(round(v, 1) for point in one.curve for v in point)] for one in self.edges],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Band:
    """Columns of a shop that stand in one row."""

    shop: str
    columns: tuple[tuple[str, ...], ...]
    aside: frozenset[str]
    wide: float
    high: float


def layout(line: Line, places: Mapping[str, Place] | None = None, aspect: float = 1.9) -> Layout:
    """Return the plan of a line.

    Parameters
    ----------
    places : middles in metres by station and buffer (y grows downwards); a buffer that is not named stands between its stations.
    aspect : width over height that a plan without places comes near to.
    """
    if places:
        spots, areas = _as_told(line, places)
    else:
        spots, areas = _in_order(line, aspect)
    rows = {one.id: _row(one, areas) for one in spots}
    down = {(a, b) for a, b, _ in ways(line) if _apart(rows[a], rows[b])}
    return _whole(line, spots, areas, down)


def downwards(line: Line) -> Layout:
    """Return the plan for a narrow screen: flow runs from top to bottom, shop under shop, what stands beside each other is alike."""
    spots: list[Spot] = []
    areas: list[Area] = []
    stations, by, top = {one.id for one in line.stations}, aside(line), MARGIN
    shops = _columns(line)
    rows = [sorted(row, key=lambda name: name in by) for own in shops.values() for row in own]
    most = max(
        sum(_small(name, stations)[0] * (1 + (name in by)) + ROW_GAP * (1 + (name in by)) for name in row)
        for row in rows
    )
    most -= ROW_GAP  # good pieces in the middle, so rework needs its room twice
    for shop, own in shops.items():
        y = top + TITLE + PAD
        for column in own:
            high = max(_small(name, stations)[1] for name in column)
            main = [name for name in column if name not in by]
            wide = sum(_small(name, stations)[0] + ROW_GAP for name in main) - ROW_GAP
            left = MARGIN + PAD + (most - wide) / 2.0 if main else 0.0
            right = MARGIN + PAD + most - sum(_small(name, stations)[0] for name in column if name in by)
            for name in (*main, *(one for one in column if one in by)):
                size = _small(name, stations)
                x = left if name in main else right
                spots.append(Spot(name, name in stations, x + size[0] / 2.0, y + high / 2.0, *size))
                left, right = (x + size[0] + ROW_GAP, right) if name in main else (left, x + size[0])
            y += high + GAP
        areas.append(Area(shop, MARGIN, top, most + 2 * PAD, y - GAP + PAD - top))
        top = y - GAP + PAD + AISLE / 2.0
    boxes = {one.id: one for one in spots}
    down = {(a, b) for a, b, _ in ways(line) if abs(boxes[a].y - boxes[b].y) >= (boxes[a].high + boxes[b].high) / 2}
    return _whole(line, tuple(spots), tuple(areas), down)


def _small(name: str, stations: Collection[str]) -> Place:
    return SMALL_STATION if name in stations else SMALL_BUFFER


def _whole(line: Line, spots: tuple[Spot, ...], areas: tuple[Area, ...], down: Collection[tuple[str, str]]) -> Layout:
    """Return a plan with its ways; those of ``down`` leave and enter by the upper and lower sides."""
    boxes = {one.id: one for one in spots}
    edges = tuple(_edge(boxes[a], boxes[b], rework, (a, b) in down) for a, b, rework in ways(line))
    wide = max((one.x + one.wide for one in areas), default=0.0) + MARGIN
    high = max((one.y + one.high for one in areas), default=0.0) + MARGIN
    return Layout(wide, high, spots, areas, edges)


def ways(line: Line) -> list[tuple[str, str, bool]]:
    """Return every way a piece can go: from a station to a buffer, from a buffer to a station; and whether it is one of rework."""
    found = []
    for one in line.stations:
        found += [(name, one.id, False) for name in one.takes]
        found += [(one.id, name, rework) for name, rework in ((one.gives, False), (one.rework, True)) if name]
    return list(dict.fromkeys(found))


def layers(line: Line) -> dict[str, int]:
    """Return how far down the line each station and buffer is: the longest way that leads to it, loops left out.

    Examples
    --------
    >>> from zerofactory.errors import Text
    >>> from zerofactory.optimisation.twin.draw import Spread
    >>> from zerofactory.optimisation.twin.line import Buffer, Station
    >>> a = Station("a", Text("甲", "a"), Spread("fixed", 1.0), gives="store")
    >>> b = Station("b", Text("乙", "b"), Spread("fixed", 1.0), takes=("store",))
    >>> layers(Line((a, b), (Buffer("store", 1),)))
    {'a': 0, 'b': 2, 'store': 1}
    """
    names = [*(one.id for one in line.stations), *(one.id for one in line.buffers)]
    following: dict[str, list[str]] = {name: [] for name in names}
    for source, target, _ in ways(line):
        following[source].append(target)
    starts = [one.id for one in line.stations if not one.takes]
    order = _after(following, [*starts, *names])
    rank = {name: place for place, name in enumerate(order)}
    found = dict.fromkeys(names, 0)
    for name in order:
        for target in following[name]:
            if rank[target] > rank[name]:  # a way back, such as rework, says nothing of the order
                found[target] = max(found[target], found[name] + 1)
    return found


def _after(following: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[str]:
    """Return names so that each comes before those it leads to (reverse post-order; loops are cut where they close)."""
    done: list[str] = []
    seen: set[str] = set()
    for first in names:
        stack = [(first, iter(following[first]))] if first not in seen else []
        seen.add(first)
        while stack:
            name, rest = stack[-1]
            target = next((one for one in rest if one not in seen), None)
            if target is None:
                done.append(name)
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(following[target])))
    return done[::-1]


def shops_of(line: Line) -> dict[str, str]:
    """Return the shop of each station and buffer; a buffer belongs to the shop that fills it."""
    found = {one.id: one.shop or "" for one in line.stations}
    for one in line.stations:
        for name in (one.gives, one.rework):
            if name is not None:
                found.setdefault(name, one.shop or "")
    return {**{one.id: "" for one in line.buffers}, **found}


def _in_order(line: Line, aspect: float) -> tuple[tuple[Spot, ...], tuple[Area, ...]]:
    """Return the plan whose rows are as long as makes it come nearest to the aspect."""
    columns = _columns(line)
    least = max(_wide(line, [one]) for own in columns.values() for one in own)
    whole = sum(_wide(line, own) for own in columns.values()) + AISLE * len(columns)
    lengths = [least + step * (whole - least) / 24.0 for step in range(25)]
    by = aside(line)
    plans = [_rows(line, _bands(line, columns, by, length), length) for length in lengths]

    def distance(plan: tuple[tuple[Spot, ...], tuple[Area, ...]]) -> float:
        wide, high = (
            max(getattr(one, p) + getattr(one, s) for one in plan[1]) for p, s in (("x", "wide"), ("y", "high"))
        )
        return abs(log(wide / high / aspect)) + SPLIT * (len(plan[1]) - len(columns))

    return min(plans, key=distance)


def _columns(line: Line) -> dict[str, list[tuple[str, ...]]]:
    """Return the columns of each shop in the order of flow, each from top to bottom; shops in the order in which flow meets them."""
    layer, shops = layers(line), shops_of(line)
    coming: dict[str, list[str]] = {name: [] for name in layer}
    for source, target, _ in ways(line):
        coming[target].append(source)
    height: dict[str, float] = {}
    found: dict[str, list[tuple[str, ...]]] = {}
    met = {shop: [layer[name] for name in layer if shops[name] == shop] for shop in shops.values()}
    mean = {shop: sum(ranks) / len(ranks) for shop, ranks in met.items()}
    for shop in sorted(mean, key=lambda one: (mean[one], one)):
        own = [name for name in layer if shops[name] == shop]
        for number in sorted({layer[name] for name in own}):
            there = [name for name in own if layer[name] == number]

            def before(name: str) -> float:
                known = [height[one] for one in coming[name] if one in height]
                return sum(known) / len(known) if known else 0.0

            there.sort(key=before)  # stable: the order of the file decides where flow does not
            for nth, name in enumerate(there):
                height[name] = nth - (len(there) - 1) / 2.0
            found.setdefault(shop, []).append(tuple(there))
    return found


def _wide(line: Line, columns: Sequence[Sequence[str]]) -> float:
    stations = {one.id for one in line.stations}
    each = [max(STATION[0] if name in stations else BUFFER[0] for name in column) for column in columns]
    return sum(each) + GAP * (len(each) - 1) + 2 * PAD


def _bands(
    line: Line, columns: Mapping[str, Sequence[tuple[str, ...]]], by: frozenset[str], length: float
) -> list[_Band]:
    """Return the areas: one a shop, more where a shop is longer than a row."""
    found: list[_Band] = []
    for shop, own in columns.items():
        parts: list[list[tuple[str, ...]]] = [[]]
        for column in own:
            if parts[-1] and _wide(line, [*parts[-1], column]) > length:
                parts.append([])
            parts[-1].append(column)
        for part in parts:
            rows = [max(sum((name in by) == low for name in column) for column in part) for low in (False, True)]
            high = sum(rows) * (STATION[1] + ROW_GAP) - ROW_GAP + TITLE + 2 * PAD
            found.append(_Band(shop, tuple(part), by, _wide(line, part), high))
    return found


def _rows(line: Line, bands: Sequence[_Band], length: float) -> tuple[tuple[Spot, ...], tuple[Area, ...]]:
    """Return the plan with rows of about a length; every other row runs back."""
    rows: list[list[_Band]] = [[]]
    for band in bands:
        if rows[-1] and sum(one.wide + AISLE for one in rows[-1]) + band.wide > length:
            rows.append([])
        rows[-1].append(band)
    whole = max(sum(one.wide for one in row) + AISLE * (len(row) - 1) for row in rows)
    spots: list[Spot] = []
    areas: list[Area] = []
    top = MARGIN
    for number, row in enumerate(rows):
        left, high = 0.0, max(one.high for one in row)
        for band in row:
            own = _band(line, band, top, high)
            areas_x = left if number % 2 == 0 else whole - left - band.wide
            areas.append(Area(band.shop, MARGIN + areas_x, top, band.wide, high))
            for one in own:
                x = one.x if number % 2 == 0 else band.wide - one.x
                spots.append(Spot(one.id, one.is_station, MARGIN + areas_x + x, one.y, one.wide, one.high))
            left += band.wide + AISLE
        top += high + AISLE
    return tuple(spots), tuple(areas)


def _band(line: Line, band: _Band, top: float, high: float) -> list[Spot]:
    """Return the boxes of an area from its left edge on, each column in the middle of its height."""
    stations = {one.id for one in line.stations}
    step = STATION[1] + ROW_GAP
    rows = [
        max(sum((name in band.aside) == low for name in column) for column in band.columns) for low in (False, True)
    ]
    left, first = PAD, top + TITLE + (high - TITLE - (sum(rows) - 1) * step) / 2.0
    middles = (first + (rows[0] - 1) / 2.0 * step, first + (rows[0] + (rows[1] - 1) / 2.0) * step)
    found = []
    for column in band.columns:
        wide = max(STATION[0] if name in stations else BUFFER[0] for name in column)
        for low, middle in enumerate(middles):
            own = [name for name in column if (name in band.aside) == bool(low)]
            for place, name in enumerate(own):
                size = STATION if name in stations else BUFFER
                y = middle + (place - (len(own) - 1) / 2.0) * step
                found.append(Spot(name, name in stations, left + wide / 2.0, y, *size))
        left += wide + GAP
    return found


def aside(line: Line) -> frozenset[str]:
    """Return what stands in a row below: stations and buffers of rework that the way of good pieces passes by."""
    layer, shops, every = layers(line), shops_of(line), ways(line)
    coming: dict[str, list[tuple[str, bool]]] = {name: [] for name in layer}
    for source, target, rework in every:
        coming[target].append((source, rework))
    found: set[str] = set()
    for name in sorted(layer, key=lambda one: layer[one]):
        before = coming[name]
        if before and all(rework or source in found for source, rework in before):
            found.add(name)
    passing = [(a, b) for a, b, rework in every if not rework and a not in found and b not in found]
    return frozenset(
        name
        for name in found
        if any(shops[a] == shops[b] == shops[name] and layer[a] < layer[name] < layer[b] for a, b in passing)
    )


def _as_told(line: Line, places: Mapping[str, Place]) -> tuple[tuple[Spot, ...], tuple[Area, ...]]:
    """Return the plan as measured, drawn so large that no box hides another; each shop is the area around its own."""
    known = dict(places)
    for buffer in line.buffers:
        if buffer.id not in known:
            around = [known[one.id] for one in line.stations if buffer.id in (*one.takes, one.gives, one.rework) and one.id in known]  # fmt: skip
            known[buffer.id] = (sum(x for x, _ in around) / len(around), sum(y for _, y in around) / len(around))
    names = [*(one.id for one in line.stations), *(one.id for one in line.buffers)]
    stations = {one.id for one in line.stations}
    units_per_m = _scale([(known[name], STATION if name in stations else BUFFER) for name in names])
    left, top = (min(known[name][axis] for name in names) for axis in (0, 1))
    edge = MARGIN + PAD
    spots = tuple(
        Spot(
            name, name in stations,
            edge + STATION[0] / 2 + (known[name][0] - left) * units_per_m,
            edge + TITLE + STATION[1] / 2 + (known[name][1] - top) * units_per_m,
            *(STATION if name in stations else BUFFER),
        )
        for name in names
    )  # fmt: skip
    return spots, _around(line, spots)


def _scale(boxes: Sequence[tuple[Place, Place]]) -> float:
    """Return drawing units a metre so that no two boxes touch."""
    found = 1.0
    for place, (one, own) in enumerate(boxes):
        for other, size in boxes[:place]:
            needs = [
                ((own[axis] + size[axis]) / 2 + ROW_GAP) / abs(one[axis] - other[axis])
                for axis in (0, 1)
                if one[axis] != other[axis]
            ]
            found = max(found, min(needs, default=found))
    return found


def _around(line: Line, spots: Sequence[Spot]) -> tuple[Area, ...]:
    shops, found = shops_of(line), []
    for shop in dict.fromkeys(shops[one.id] for one in spots):
        own = [one for one in spots if shops[one.id] == shop]
        left, top = min(one.x - one.wide / 2 for one in own) - PAD, min(one.y - one.high / 2 for one in own) - PAD - TITLE  # fmt: skip
        right, bottom = max(one.x + one.wide / 2 for one in own) + PAD, max(one.y + one.high / 2 for one in own) + PAD
        found.append(Area(shop, left, top, right - left, bottom - top))
    return tuple(found)


def _row(spot: Spot, areas: Sequence[Area]) -> Area:
    """Return the area around a box."""
    return next(one for one in areas if one.x <= spot.x <= one.x + one.wide and one.y <= spot.y <= one.y + one.high)


def _apart(one: Area, other: Area) -> bool:
    """Tell whether two areas stand in different rows: then a way goes down or up, not to the side."""
    return one.y + one.high <= other.y or other.y + other.high <= one.y


def _edge(source: Spot, target: Spot, is_rework: bool, is_down: bool) -> Edge:
    """Return a curve from the side of a box that faces the other to the side of that one that faces back."""
    dx, dy = target.x - source.x, target.y - source.y
    if not is_down and abs(dx) >= (source.wide + target.wide) / 2:
        way = 1.0 if dx > 0 else -1.0
        start, end = (source.x + way * source.wide / 2, source.y), (target.x - way * target.wide / 2, target.y)
        bend = max(abs(end[0] - start[0]) / 2, 12.0)
        bent = ((start[0] + way * bend, start[1]), (end[0] - way * bend, end[1]))
    else:
        way = 1.0 if dy > 0 else -1.0
        start, end = (source.x, source.y + way * source.high / 2), (target.x, target.y - way * target.high / 2)
        bend = abs(end[1] - start[1]) / 2
        bent = ((start[0], start[1] + way * bend), (end[0], end[1] - way * bend))
    return Edge(source.id, target.id, is_rework, (start, *bent, end))
