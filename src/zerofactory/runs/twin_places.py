"""Where stations and buffers of twin.toml stand on the plan of the plant: `x_m`, `y_m`, checked all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Protocol

from zerofactory.errors import Problem, Text

NAME = "twin.toml"
Place = tuple[float, float]


class _Placed(Protocol):
    """An entry of twin.toml that may have a place."""

    @property
    def id(self) -> str | None: ...
    @property
    def x_m(self) -> float | None: ...
    @property
    def y_m(self) -> float | None: ...


class _Station(_Placed, Protocol):
    """A station, which may be named by its line."""

    @property
    def line(self) -> str | None: ...


def placed(stations: Sequence[_Station], buffers: Sequence[_Placed]) -> tuple[Mapping[str, Place], list[Problem]]:
    """Return the places in metres by id, and every fault: half a place, no number, a station left out, two at one place.

    A buffer may be left out: it is drawn between its stations.
    """
    named = [(f"stations.{one.id or one.line}", str(one.id or one.line), one) for one in stations]
    boxes = [(f"buffers.{one.id}", str(one.id), one) for one in buffers]
    found: dict[str, Place] = {}
    problems = []
    for where, name, one in (*named, *boxes):
        if one.x_m is None and one.y_m is None:
            continue
        if one.x_m is None or one.y_m is None or not (isfinite(one.x_m) and isfinite(one.y_m)):
            problems.append(_fault(where, f"“{name}”的位置不完整。", f"The place of '{name}' is not whole.", ("请同时写 x_m 与 y_m(米)。", "Write both x_m and y_m, in metres.")))  # fmt: skip
            continue
        found[name] = (one.x_m, one.y_m)
    if found:
        problems += [
            _fault(where, f"“{name}”没有位置, 别的工位有。", f"'{name}' has no place while other stations have.", ("请写 x_m 与 y_m, 或都不写(自动布置)。", "Write x_m and y_m, or leave out all of them to have them laid out."))
            for where, name, one in named
            if one.x_m is None and one.y_m is None
        ]  # fmt: skip
    return found, [*problems, *_twice(found)]


def _twice(found: Mapping[str, Place]) -> Iterator[Problem]:
    first: dict[Place, str] = {}
    for name, place in found.items():
        other = first.setdefault(place, name)
        if other != name:
            yield _fault(name, f"“{name}”与“{other}”在同一点。", f"'{name}' stands where '{other}' stands.", ("请改正坐标。", "Correct one of the places."))  # fmt: skip


def _fault(column: str, zh: str, en: str, hint: tuple[str, str]) -> Problem:
    return Problem("twin_file.place", Text(zh, en), Text(*hint), file=NAME, column=column)
