"""Which state signals of factory.toml the stations of twin.toml name, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.twin.line import Station
from zerofactory.runs.twin_change import unknown
from zerofactory.site.model import Plant
from zerofactory.site.state_signal import StateSignal
from zerofactory.wording import row_name

NAME = "twin.toml"


class Named(Protocol):
    """A station as the file has it."""

    @property
    def id(self) -> str | None:
        """Its id, if it has one of its own."""
        ...

    @property
    def line(self) -> str | None:
        """The line of factory.toml that it is, if it is one."""
        ...

    @property
    def signals(self) -> tuple[str, ...]:
        """Ids of state signals."""
        ...

    @property
    def machines(self) -> int:
        """How many machines it has."""
        ...


def signals_of(
    stations: Sequence[Station], entries: Sequence[Named], plant: Plant
) -> dict[str, tuple[StateSignal, ...]]:
    """Return the signals of each station that names any."""
    known = {one.id: one for one in plant.state_signals}
    return {
        station.id: tuple(known[name] for name in entry.signals)
        for station, entry in zip(stations, entries, strict=True)
        if entry.signals
    }


def signal_faults(entries: Sequence[Named], plant: Plant, *, counted: bool = True) -> Iterator[Problem]:
    """Yield a fault for every signal that factory.toml does not have, that stands twice, and where their number is not that of the
    machines (or one). A scenario may have more or fewer machines than are there to tell their states: then they are not ``counted``."""
    known = {one.id for one in plant.state_signals}
    taken: set[str] = set()
    for place, entry in enumerate(entries):
        column = f"stations{row_name({'id': entry.id, 'line': entry.line}, place)}.signals"
        for name in entry.signals:
            if name not in known:
                yield unknown(column, name, "state signal", known)
            elif name in taken:
                message = Text(f"状态信号“{name}”用了两次。", f"The state signal '{name}' is named twice.")
                yield Problem("twin_file.signal_twice", message, Text("一个信号只属于一台设备。", "A signal belongs to one machine."), file=NAME, column=column)  # fmt: skip
            taken.add(name)
        if counted and len(entry.signals) not in (0, 1, entry.machines):
            message = Text(f"{len(entry.signals)} 个状态信号, {entry.machines} 台设备。", f"{len(entry.signals)} state signals for {entry.machines} machines.")  # fmt: skip
            yield Problem("twin_file.signal_count", message, Text("每台一个, 或整个工位一个。", "Name one for each machine, or one for the station."), file=NAME, column=column)  # fmt: skip
