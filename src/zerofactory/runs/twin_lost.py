"""What the utilities stopped, as it is told: open time and pieces lost, by cause and station, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zerofactory.errors import Text
from zerofactory.optimisation.twin.statistics import Interval, interval
from zerofactory.optimisation.utilities.plant import Utilities
from zerofactory.optimisation.utilities.shedding import NETWORK, Cause, causes


@dataclass(frozen=True)
class Held:
    """What stood still in a replication.

    Parameters
    ----------
    open_h : hours of open time lost, by cause and station; ``any_h`` by cause, of any station. What two causes stop counts for both.
    pieces : finished pieces less than without stops, in all; ``alone`` by cause, with the stops of that cause alone.
    passes : runs of line and utilities; ``settled``: the last of them found nothing more to stop.
    """

    open_h: Mapping[tuple[str, str], float]
    any_h: Mapping[str, float]
    pieces: float
    alone: Mapping[str, float]
    passes: int
    settled: bool


@dataclass(frozen=True)
class StoppedStation:
    """A station that stood still, and for how many hours of its open time."""

    station: str
    open_h: Interval


@dataclass(frozen=True)
class StoppedBy:
    """What one cause stopped: hours in which any station stood still, and the pieces that its stops alone cost."""

    id: str
    title: Text
    open_h: Interval
    pieces: Interval
    stations: tuple[StoppedStation, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "cause": self.id, "title": {"zh": self.title.zh, "en": self.title.en}, "open_h": self.open_h.as_json(), "pieces": self.pieces.as_json(),
            "stations": [{"station": one.station, "open_h": one.open_h.as_json()} for one in self.stations],
        }  # fmt: skip


@dataclass(frozen=True)
class Stopped:
    """What the utilities stopped over some replications: pieces lost in all, each cause, the most passes, and whether all settled."""

    pieces: Interval
    causes: tuple[StoppedBy, ...]
    passes: int
    unsettled: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "pieces": self.pieces.as_json(),
            "causes": [one.as_json() for one in self.causes],
            "passes": self.passes,
            "unsettled_runs": self.unsettled,
        }


def stopped(utilities: Utilities, rows: Sequence[Held], confidence: float) -> Stopped | None:
    """Return what the utilities stopped; None where nothing can stop."""
    if not utilities.stops:
        return None

    def over(values: Sequence[float]) -> Interval:
        return interval(list(values), confidence)

    found = []
    for cause in possible(utilities):
        if not any(cause.id in one.any_h for one in rows):
            continue
        names = dict.fromkeys(station for one in rows for name, station in one.open_h if name == cause.id)
        stations = tuple(StoppedStation(name, over([one.open_h.get((cause.id, name), 0.0) for one in rows])) for name in names)  # fmt: skip
        found.append(StoppedBy(
            cause.id, cause.title, over([one.any_h.get(cause.id, 0.0) for one in rows]),
            over([one.alone.get(cause.id, 0.0) for one in rows]), stations,
        ))  # fmt: skip
    return Stopped(
        over([one.pieces for one in rows]), tuple(found), max(one.passes for one in rows), sum(not one.settled for one in rows)
    )  # fmt: skip


def possible(utilities: Utilities) -> list[Cause]:
    """Return the causes that any stop hangs on."""
    named: set[str] = set()
    loads, booths = {one.id: one.loop for one in utilities.loads}, {one.id: one for one in utilities.booths}
    for one in utilities.stops:
        if one.booth is not None:
            named |= {booths[one.booth].heat_from, booths[one.booth].cool_from}
        named |= {loads[one.load]} if one.load is not None else set()
        named |= {one.hall} if one.hall is not None else set()
        named |= {NETWORK} if one.air is not None else set()
    return [cause for cause in causes(utilities) if cause.id in named]
