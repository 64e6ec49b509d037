"""The meter tree: parents and children, and virtual meters as whole-number sums of real ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from zerofactory.errors import Misuse, Text, ZeroFactoryError
from zerofactory.site.model import Meter, Plant

_NUMBER = re.compile(r"^\d+$")


class UnreadableFormula(ZeroFactoryError):
    """A formula that is not a sum of meters. ``reason`` says why."""

    def __init__(self, zh: str, en: str) -> None:
        self.reason = Text(zh, en)
        super().__init__(en)


@dataclass(frozen=True, slots=True)
class MeterTree:
    """The meters of a plant by relation.

    Parameters
    ----------
    meters : Mapping
        Every meter by id.
    children : Mapping
        Meter id → ids of the meters whose ``parent`` it is, in the order of the file. Only meters with children appear:
        these are the closure groups.
    terms : Mapping
        Virtual meter id → {real meter id: whole coefficient}, other virtual meters already opened.
    """

    meters: Mapping[str, Meter]
    children: Mapping[str, tuple[str, ...]]
    terms: Mapping[str, Mapping[str, int]]

    def descendants(self, meter_id: str) -> tuple[str, ...]:
        """Return every meter below one, parents before children."""
        below: list[str] = []
        for child in self.children.get(meter_id, ()):
            below += [child, *self.descendants(child)]
        return tuple(below)

    def roots(self) -> tuple[str, ...]:
        """Return the meters without a parent, in the order of the file."""
        return tuple(meter.id for meter in self.meters.values() if meter.parent is None)


def meter_tree(plant: Plant) -> MeterTree:
    """Return the meter tree of a plant that `site.load` let through.

    Raises
    ------
    Misuse
        The plant has faults that the door would have told (unknown parent, unreadable formula, a circle).
    """
    meters = {meter.id: meter for meter in plant.meters}
    below: dict[str, list[str]] = {}
    for meter in plant.meters:
        if meter.parent is not None:
            below.setdefault(meter.parent, []).append(meter.id)
    children = {parent: tuple(below[parent]) for parent in meters if parent in below}
    try:
        formulas = {meter.id: parse_formula(meter.formula, meters) for meter in plant.meters if meter.formula}
        terms = {virtual: _opened(virtual, formulas, ()) for virtual in formulas}
    except UnreadableFormula as error:
        raise Misuse(f"the meters of plant '{plant.id}' were not checked: {error}") from error
    return MeterTree(meters, children, terms)


def parse_formula(text: str, known: Collection[str]) -> dict[str, int]:
    """Return ``{meter id: coefficient}`` of a sum of meters.

    Ids may hold hyphens, so a minus sign stands between spaces.

    Raises
    ------
    UnreadableFormula
        Not a sum, or a meter is not among ``known``.

    Examples
    --------
    >>> parse_formula("grid-in - 2 * paint + body", {"grid-in", "paint", "body"})
    {'grid-in': 1, 'paint': -2, 'body': 1}
    """
    tokens = text.replace("+", " + ").replace("*", " * ").split()
    terms: dict[str, int] = {}
    position, first = 0, True
    while position < len(tokens):
        sign = 1
        if tokens[position] in ("+", "-"):
            sign = -1 if tokens[position] == "-" else 1
            position += 1
        elif not first:
            raise UnreadableFormula(
                f"“{tokens[position]}”前缺少正负号", f"a sign is missing before '{tokens[position]}'"
            )
        coefficient = 1
        if position + 1 < len(tokens) and tokens[position + 1] == "*":
            if not _NUMBER.match(tokens[position]):
                raise UnreadableFormula(f"“{tokens[position]}”不是整数", f"'{tokens[position]}' is not a whole number")
            coefficient, position = int(tokens[position]), position + 2
        if position >= len(tokens):
            raise UnreadableFormula("正负号后没有表计", "it ends after a sign")
        meter = tokens[position]
        if meter not in known:
            raise UnreadableFormula(f"没有表计“{meter}”", f"there is no meter '{meter}'")
        terms[meter] = terms.get(meter, 0) + sign * coefficient
        position, first = position + 1, False
    if not terms:
        raise UnreadableFormula("公式为空", "it is empty")
    return terms


def circle(links: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the names of one circle among links, or nothing.

    Examples
    --------
    >>> circle({"a": ["b"], "b": ["c"], "c": ["a"]})
    ('a', 'b', 'c')
    >>> circle({"a": ["b"]})
    ()
    """
    done: set[str] = set()
    for start in links:
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, True)]
        while stack:
            name, entering = stack.pop()
            if not entering:
                path.pop()
                done.add(name)
            elif name in path:
                return tuple(path[path.index(name) :])
            elif name not in done:
                path.append(name)
                stack.append((name, False))
                stack.extend((following, True) for following in links.get(name, ()))
    return ()


def _opened(virtual: str, formulas: Mapping[str, Mapping[str, int]], above: tuple[str, ...]) -> dict[str, int]:
    if virtual in above:
        raise UnreadableFormula(f"“{virtual}”包含自身", f"'{virtual}' contains itself")
    total: dict[str, int] = {}
    for meter, coefficient in formulas[virtual].items():
        inner = _opened(meter, formulas, (*above, virtual)) if meter in formulas else {meter: 1}
        for name, factor in inner.items():
            total[name] = total.get(name, 0) + coefficient * factor
    return {name: factor for name, factor in total.items() if factor}
