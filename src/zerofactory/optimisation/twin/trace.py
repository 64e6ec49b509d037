"""A run that is remembered moment by moment: what every machine did, what every buffer held, and when each piece was finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin import events, records
from zerofactory.optimisation.twin.line import IDLE, OFF, Line
from zerofactory.optimisation.twin.production import Run, begin, ended, opened
from zerofactory.optimisation.twin.records import World
from zerofactory.optimisation.twin.start import State, set_out

CHUNK = 1 << 16
MOST_ROWS = 20_000_000
"""A trace of more rows (640 MB) is refused: trace a day, not a year."""
COLUMNS: Mapping[int, tuple[tuple[str, str, str], ...]] = {
    records.A_MACHINE: (("machine", "who", "i8"), ("state", "value", "i8"), ("family", "family", "i8")),
    records.A_BUFFER: (("buffer", "who", "i8"), ("held", "value", "i8")),
    records.A_PIECE: (("station", "who", "i8"), ("family", "family", "i8")),
}


@dataclass(frozen=True)
class Trace:
    """What happened in a run, in order of time (``at_s`` seconds after its beginning).

    Parameters
    ----------
    machines : ``at_s, machine, state, family``: a machine entered a state (`line.STATES`) with a piece of a family (place in
        ``families``, -1 without a piece). A wait that outlasts its station's patience is standby from then on.
    levels : ``at_s, buffer, held``: a buffer holds so many pieces from then on, those on their way included.
    finished : ``at_s, station, family``: a piece left the line.
    station_of : the station of each machine, by place.
    """

    line: Line
    horizon_s: float
    families: tuple[str, ...]
    station_of: tuple[int, ...]
    machines: NDArray[Any]
    levels: NDArray[Any]
    finished: NDArray[Any]


def traced(
    line: Line,
    horizon_s: float,
    step_s: float = 900.0,
    seed: int = 0,
    replication: int = 0,
    state: State | None = None,
) -> tuple[Run, Trace]:
    """Return the very run that `production.simulate` makes of the same arguments, and all that happened in it.

    Raises
    ------
    FaultyData
        As `production.simulate`; and when more happened than is kept.
    """
    world = opened(line, horizon_s, step_s, seed, replication)._replace(trace=np.zeros(CHUNK, dtype=records.SEEN))
    waiting = begin(world)
    if state is not None:
        set_out(world, waiting, line, state)
    chunks, until = [_emptied(world)], float(horizon_s)
    while True:
        events.run(world, waiting, until)
        over = not events.full(world)
        chunks.append(_emptied(world))
        if sum(len(one) for one in chunks) > MOST_ROWS:
            raise FaultyData([_too_long()])
        if over:
            break
    run = ended(world, line, seed, replication)
    seen = np.concatenate([*chunks, _emptied(world)])
    seen = seen[np.argsort(seen["at_s"], kind="stable")]
    seen = seen[seen["at_s"] < until]
    return run, Trace(
        line, until, tuple(dict.fromkeys(line.mix)), tuple(int(one) for one in world.machines["station"]),
        machines=_beginning(world, _told(seen, records.A_MACHINE)), levels=_told(seen, records.A_BUFFER),
        finished=_told(seen, records.A_PIECE),
    )  # fmt: skip


def _emptied(world: World) -> NDArray[Any]:
    """Return what was seen since the last time, and make room."""
    count = int(world.clock[0]["traced"])
    world.clock[0]["traced"] = 0
    found: NDArray[Any] = world.trace[:count].copy()
    return found


def _told(seen: NDArray[Any], kind: int) -> NDArray[Any]:
    """Return the rows of one kind with names of their own."""
    rows = seen[seen["kind"] == kind]
    columns = COLUMNS[kind]
    found = np.zeros(len(rows), dtype=[("at_s", "f8"), *((name, what) for name, _, what in columns)])
    found["at_s"] = rows["at_s"]
    for name, source, _ in columns:
        found[name] = rows[source]
    return found


def _beginning(world: World, machines: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of the machines, each machine's state at the very beginning before them, and what changes nothing left out."""
    first = np.zeros(len(world.machines), dtype=machines.dtype)
    first["machine"], first["family"] = np.arange(len(first)), records.NOBODY
    first["state"] = [_state_at_zero(world, k) for k in range(len(first))]
    every = np.concatenate([first, machines])
    last = np.full(len(first), -(10**9))
    kept = np.ones(len(every), dtype=bool)
    for place, row in enumerate(every.tolist()):
        told = row[2] * 1_000_003 + row[3]
        kept[place] = told != last[row[1]]
        last[row[1]] = told
    return every[kept]


def _state_at_zero(world: World, k: int) -> int:
    """Return the state in which a machine begins: waiting where its shift is open, else off."""
    station = world.stations[world.machines[k]["station"]]
    return IDLE if world.numbers[station["window"]] <= 0.0 else OFF


def _too_long() -> Problem:
    message = Text(f"过程超过 {MOST_ROWS:,} 步, 不再记录。", f"More than {MOST_ROWS:,} steps happened; they are not all kept.")  # fmt: skip
    return Problem("twin.trace", message, Text("请缩短时间。", "Trace a shorter time."))
