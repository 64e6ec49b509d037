"""Catalogues: which published factor stands for a material, a means of transport, a journey, a way of disposal.

The tables beside this file hold no figures, only names: item (and route) → role and item of a factor. A line that has
no mass factor can be counted by spend only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from zerofactory.accounting.source import Ask, fault
from zerofactory.errors import FaultyData, Problem, Text


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a catalogue. ``more`` holds the columns of its own table; an empty cell is an empty text."""

    item: str
    route: str
    title: Text
    role: str
    factor: str
    more: dict[str, str]


_OWN = ("item", "route", "zh", "en", "role", "factor")


@lru_cache(maxsize=16)
def catalogue(name: str) -> tuple[Entry, ...]:
    """Return the lines of one table of this room, e.g. ``goods``."""
    with (files("zerofactory.accounting") / f"{name}.csv").open(encoding="utf-8") as stream:
        return tuple(
            Entry(
                row["item"],
                row.get("route", ""),
                Text(row["zh"], row["en"]),
                row.get("role", ""),
                row["factor"],
                {key: value for key, value in row.items() if key not in _OWN},
            )
            for row in csv.DictReader(stream)
        )


def items(name: str, *, having: str | None = None) -> tuple[str, ...]:
    """Return the items of a table in its order, each once; ``having`` keeps those with something in that column."""
    return tuple(dict.fromkeys(e.item for e in catalogue(name) if having is None or e.more.get(having)))


def routes(name: str) -> tuple[str, ...]:
    """Return every route of a table."""
    return tuple(dict.fromkeys(entry.route for entry in catalogue(name) if entry.route))


def look_up(name: str, ask: Ask, route_detail: str = "route") -> Entry:
    """Return the line that an item (and, where there are several, a route) means.

    Raises
    ------
    FaultyData
        The item has several routes and none was named, or the route named is not one of them.
    """
    lines = [entry for entry in catalogue(name) if entry.item == ask.item]
    if not lines:
        raise FaultyData([_unknown(str(ask.item), items(name))])
    wanted = ask.text(route_detail) if ask.has(route_detail) else ""
    if not wanted and len(lines) == 1:
        return lines[0]
    known = tuple(entry.route for entry in lines if entry.route)
    for entry in lines:
        if entry.route == wanted and wanted:
            return entry
    raise FaultyData([_no_route(ask, wanted, route_detail, known)])


def _unknown(item: str, known: Iterable[str]) -> Problem:
    listed = ", ".join(known)
    return fault(
        "unknown_item",
        Text(f"没有品种“{item}”。", f"There is no item '{item}'."),
        Text(f"可选: {listed}。", f"Choose one of: {listed}."),
        column="item",
    )


def _no_route(ask: Ask, wanted: str, column: str, known: tuple[str, ...]) -> Problem:
    listed = ", ".join(known)
    said = Text(f"品种“{ask.item}”没有写路线。", f"Item '{ask.item}' names no route.")
    if wanted:
        said = Text(f"品种“{ask.item}”没有路线“{wanted}”。", f"Item '{ask.item}' has no route '{wanted}'.")
    hint = Text(f"请填“{column}”: {listed}。", f"Fill in '{column}': {listed}.")
    if not known:
        hint = Text(f"请清空“{column}”。", f"Empty '{column}'.")
    return fault("no_route", said, hint, column=column)
