"""What the event core works on: records of stations, streams, machines, buffers and the run, and what a traced run remembers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

NOBODY = -1
STATION = np.dtype(
    [
        ("first_machine", "i8"), ("end_machine", "i8"), ("takes", "i8"), ("end_takes", "i8"), ("gives", "i8"), ("rework", "i8"),
        ("factors", "i8"),
        ("scrap", "f8"), ("scrap_or_rework", "f8"), ("setup_s", "f8"), ("patience_s", "f8"), ("wake_s", "f8"), ("warm_up_s", "f8"),
        ("pool", "i8"), ("operators", "i8"), ("crew", "i8"), ("repairers", "i8"), ("window", "i8"), ("end_window", "i8"), ("open", "b1"), ("closes_s", "f8"), ("entered", "i8"),
        ("flag", "b1"), ("ticking", "b1"),
    ]
)  # fmt: skip
"""A station: its machines, buffers (places in `World.lists`), shares, times, who works and who repairs (pool and number), shifts
(places in `World.numbers`); and what changes: whether its shift is open, pieces started, whether it waits to be looked at."""
STREAM = np.dtype(
    [
        ("kind", "i8"),
        ("first", "f8"),
        ("second", "f8"),
        ("third", "f8"),
        ("observed", "i8"),
        ("end", "i8"),
        ("seed", "u8"),
        ("drawn", "i8"),
    ]
)
"""What a station draws for a purpose (cycle, between, repair, judged): its spread, observed values, seed, and how many so far."""
MACHINE = np.dtype(
    [
        ("station", "i8"), ("state", "i8"), ("since", "f8"), ("piece", "i8"), ("begun", "f8"), ("target", "i8"),
        ("left_s", "f8"), ("until_s", "f8"), ("last", "i8"), ("unattended", "b1"), ("fails_s", "f8"), ("ends_s", "f8"), ("bound", "b1"), ("due", "b1"),
    ]
)  # fmt: skip
"""A machine: its state since when, the family of its piece and when that entered the line, the buffer a finished piece waits
for, work left, work until it fails, the family made last, whether it has failed and nobody is there to repair it yet."""
BUFFER = np.dtype(
    [
        ("room", "i8"), ("slots", "i8"), ("travel_s", "f8"), ("vehicles", "i8"), ("takers", "i8"), ("end_takers", "i8"),
        ("givers", "i8"), ("end_givers", "i8"), ("held", "i8"), ("ready", "i8"), ("head", "i8"), ("waiting", "i8"),
        ("direct", "b1"), ("before", "b1"),
    ]
)  # fmt: skip
"""A buffer: its room and slots, the way to it, who takes and who gives; pieces in it, arrived, the oldest, waiting for a vehicle; a
direct one takes a piece only for a machine that takes it out at once; where a line blocks before it works, pieces in work at
the taker count, and the giver does not begin while it is full."""
SLOT = np.dtype([("family", "i8"), ("born", "f8")])
CLOCK = np.dtype(
    [
        ("step_s", "f8"), ("horizon_s", "f8"), ("mix", "i8"), ("end_mix", "i8"), ("top", "i8"), ("cycles", "i8"), ("events", "i8"),
        ("passed", "i8"), ("passage_s", "f8"), ("last_done", "f8"), ("traced", "i8"),
    ]
)  # fmt: skip
"""The run: its steps and end, the mix, how many stations wait to be looked at, how much happened, time in the line."""
SEEN = np.dtype([("at_s", "f8"), ("kind", "i8"), ("who", "i8"), ("value", "i8"), ("family", "i8")])
"""What is remembered of a traced run: a machine entered a state, a buffer holds so many, a piece of a family is finished."""
A_MACHINE, A_BUFFER, A_PIECE = range(3)
SPARE = 4096
"""Rows of the trace that must be free before an event: what one event may set off at one moment."""


class World(NamedTuple):
    """The line and all that changes in it, as records. ``tally`` is station × interval × (seconds by state, then counts)."""

    stations: Any
    streams: Any  # four a station
    machines: Any
    buffers: Any
    slots: Any
    pools: Any  # how many of each are free
    lists: Any  # buffers before stations, stations around buffers, the mix; then the stack of stations to look at
    numbers: Any  # shifts (start, end), observed durations, factors of families
    tally: Any
    finished: Any  # interval × family
    clock: Any  # one record
    trace: Any  # rows of SEEN; none where nothing is to be remembered
