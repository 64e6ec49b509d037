"""Where a run begins when the line is not empty: pieces in its buffers, and what its machines are doing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zerofactory.errors import Problem, Text, refuse
from zerofactory.optimisation.twin import breakdown, events, records, tally
from zerofactory.optimisation.twin.draw import EXPONENTIAL, GEOMETRIC, uniform
from zerofactory.optimisation.twin.heap import Queue, push
from zerofactory.optimisation.twin.line import FAILED, SETUP, STATES, Line
from zerofactory.optimisation.twin.records import NOBODY, World

BEGINS = ("working", "setup", "failed")
"""States that a machine goes on with; in any other it looks for work when its shift is open."""
FORGETFUL = (EXPONENTIAL, GEOMETRIC)
"""Spreads without memory: what is left of them is spread as the whole."""


@dataclass(frozen=True, slots=True)
class State:
    """The line at a moment.

    Parameters
    ----------
    levels : pieces in each buffer; those that are not named are empty.
    states : by station, what each of its machines does (`line.STATES`); those that are not named wait.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)


def faults(line: Line, state: State) -> list[Problem]:
    """Return what is wrong with a state: buffers or stations that are not there, more pieces than there is room, no such state."""
    return [*_levels(line, state), *_states(line, state)]


def _levels(line: Line, state: State) -> Iterator[Problem]:
    room = {one.id: one.capacity for one in line.buffers}
    for buffer, held in state.levels.items():
        if buffer not in room:
            yield Problem("twin.unknown", Text(f"没有缓存“{buffer}”。", f"There is no buffer '{buffer}'."), Text(f"可选: {', '.join(sorted(room))}。", f"Choose one of: {', '.join(sorted(room))}."), column=f"levels.{buffer}")  # fmt: skip
        elif not 0 <= held <= room[buffer]:
            yield Problem("twin.level", Text(f"缓存“{buffer}”有 {held} 件, 只能放 {room[buffer]} 件。", f"Buffer '{buffer}' holds {held}, it has room for {room[buffer]}."), Text("请核对数量或容量。", "Check the number or the capacity."), column=f"levels.{buffer}")  # fmt: skip


def _states(line: Line, state: State) -> Iterator[Problem]:
    names = [one.id for one in line.stations]
    for station, does in state.states.items():
        if station not in names:
            yield Problem("twin.unknown", Text(f"没有工位“{station}”。", f"There is no station '{station}'."), Text(f"可选: {', '.join(names)}。", f"Choose one of: {', '.join(names)}."), column=f"states.{station}")  # fmt: skip
        elif does not in STATES:
            yield Problem("twin.state", Text(f"没有状态“{does}”。", f"There is no state '{does}'."), Text(f"可选: {', '.join(STATES)}。", f"Choose one of: {', '.join(STATES)}."), column=f"states.{station}")  # fmt: skip


def set_out(w: World, q: Queue, line: Line, state: State) -> None:
    """Put a line that is at its beginning into a state; raise `FaultyData` where the state does not fit it.

    Of a piece in work, of a set-up and of a repair a share is left that is drawn evenly from 0 to 1, since nobody has seen
    when it began; of a repair that has no memory the whole.
    """
    refuse(faults(line, state))
    families = list(dict.fromkeys(line.mix))
    given = [families.index(one) for one in line.mix]
    for place, buffer in enumerate(line.buffers):
        held = state.levels.get(buffer.id, 0)
        row = w.buffers[place]
        row["held"] = row["ready"] = held
        for slot in range(held):
            w.slots[row["slots"] + slot]["family"] = given[slot % len(given)]
        if held:
            tally.see(w, 0.0, records.A_BUFFER, (place, held, NOBODY))
            for taker in range(int(row["takers"]), int(row["end_takers"])):
                tally.look(w, int(w.lists[taker]))
    for place, station in enumerate(line.stations):
        does = state.states.get(station.id, "idle")
        if does in BEGINS:
            _go_on(w, q, place, STATES.index(does), given[0])


def _go_on(w: World, q: Queue, s: int, does: int, family: int) -> None:
    """Let the machines of a station be in the middle of something."""
    row = w.stations[s]
    for k in range(int(row["first_machine"]), int(row["end_machine"])):
        if row["pool"] != NOBODY and w.pools[row["pool"]] < row["operators"]:
            return
        one = w.machines[k]
        one["piece"], one["begun"], one["last"] = family, 0.0, family
        events.operators(w, s, -1)
        judged = w.streams[s * tally.PURPOSES + tally.JUDGED]
        left = float(uniform(judged["seed"], judged["drawn"]))
        judged["drawn"] += 1
        if does == SETUP and row["setup_s"] > 0.0:
            tally.enter(w, k, SETUP, 0.0)
            push(q, left * float(row["setup_s"]), tally.SET, k, 0)
            continue
        one["left_s"] = left * float(tally.drawn(w, s, tally.CYCLE)) * float(w.numbers[row["factors"] + family])
        if does == FAILED and one["until_s"] < 1e290:
            tally.enter(w, k, FAILED, 0.0)
            if row["crew"] != NOBODY:  # nobody has seen who repairs what: those who are there begin
                breakdown.repair(w, q, k, 0.0)
                continue
            repair = w.streams[s * tally.PURPOSES + tally.REPAIR]
            share = 1.0 if int(repair["kind"]) in FORGETFUL else left
            push(q, share * float(tally.drawn(w, s, tally.REPAIR)), tally.REPAIRED, k, 0)
        else:
            breakdown.work(w, q, k, 0.0)
