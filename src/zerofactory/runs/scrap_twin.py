"""One point of scrap or rework through the twin: the line as it is beside the line with a point more, on the same random numbers.

Where a piece is lost matters: behind the bottleneck a vehicle less is finished, before it the line makes up for it with energy. The twin
counts what the arithmetic of `scrap_value` cannot: waiting, starved stations, and the standby of all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zerofactory.errors import NotFound, Text
from zerofactory.optimisation.quality.points import POINT
from zerofactory.optimisation.twin.statistics import Interval
from zerofactory.runs.context import Context
from zerofactory.runs.twin import Asked
from zerofactory.runs.twin_compare import Scenario, compare
from zerofactory.runs.twin_file import read

KINDS: Mapping[str, str] = {"scrap": "scrap_fraction", "rework": "rework_fraction"}
TOLD = ("output", "electricity", "natural_gas", "kgco2e", "kgco2e_per_piece", "energy_cny")


@dataclass(frozen=True)
class Moved:
    """A station with a point more (``step`` 1) or less (−1): the difference of each figure over the days, and of the pieces scrapped."""

    station: str
    title: Text
    kind: str
    step: int
    before_fraction: float
    differences: Mapping[str, Interval]
    scrapped: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "station": self.station, "title": {"zh": self.title.zh, "en": self.title.en}, "kind": self.kind, "step_points": self.step,
            "before_fraction": self.before_fraction, "scrapped": self.scrapped, "differences": {name: one.as_json() for name, one in self.differences.items()},
        }  # fmt: skip


def run(
    context: Context,
    stations: Sequence[str],
    asked: Asked,
    kind: str = "scrap",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Moved, ...]:
    """Return what one point more at each station does over some days; also one less where the station has one.

    Raises
    ------
    FaultyData
        Faults of twin.toml; a factor that cannot be decided.
    NotFound
        No such station, or no such kind.
    """
    if kind not in KINDS:
        raise NotFound(Text("种类", "kind"), kind, tuple(KINDS))
    known = {name: one for one in read(context).line.stations for name in (one.id, one.line) if name is not None}
    wanted = []
    for name in stations:
        station = known.get(name)
        if station is None or (kind == "rework" and station.rework is None):
            able = [one for one, of in known.items() if kind == "scrap" or of.rework is not None]
            raise NotFound(Text("工位", "station"), name, tuple(able))
        before = getattr(station, KINDS[kind])
        for step in (1, -1):
            if before + step * POINT >= 0.0:
                change = {"stations": {name: {KINDS[kind]: before + step * POINT}}}
                title = Text(f"{station.title.zh} {step:+d} 个百分点", f"{station.title.en} {step:+d} point")
                wanted.append((station, step, before, Scenario(f"{name}{step:+d}", title, change)))
    found = compare(context, asked, [one for *_, one in wanted], progress)
    base = found.base.scrapped.mean
    return tuple(
        Moved(
            station.id, station.title, kind, step, before,
            {name: row.differences[name] for name in TOLD if name in row.differences}, row.simulated.scrapped.mean - base,
        )
        for (station, step, before, _), row in zip(wanted, found.scenarios, strict=True)
    )  # fmt: skip
