"""Formulas of rule books: + − × ÷ and min, max over amounts and other indicators; nothing else is understood or run.

A name is written as it is (``emissions_scope1``, an indicator's id); an amount told apart is written ``energy@paint``.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory.accounting.spread import Floats

Values = Mapping[str, Floats]
_APART = re.compile(r"([a-z_0-9]+)@([A-Za-z0-9_.]+)")
_BINARY: Mapping[type[ast.operator], Callable[[Floats, Floats], Floats]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
MOST_LEVELS = 200
"""Terms in each other, such as a sum of a hundred amounts: whatever walks a formula calls itself for each of them."""
_CALLS: Mapping[str, Callable[[Floats, Floats], Floats]] = {"min": np.minimum, "max": np.maximum}


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula and the names it asks for, in order of first use."""

    text: str
    names: tuple[str, ...]
    tree: ast.expr


class Unreadable(ValueError):
    """A formula that is not one; the text says what is wrong."""


def parse(text: str) -> Formula:
    """Return a formula; raise `Unreadable` when it holds anything but numbers, names, + − × ÷, min and max.

    Examples
    --------
    >>> parse("(a + energy@paint) / max(b, 1)").names
    ('a', 'energy@paint', 'b')
    """
    slots: dict[str, str] = {}

    def hidden(found: re.Match[str]) -> str:
        slot = f"apart_{len(slots)}_"
        slots[slot] = found[0]
        return slot

    try:
        tree = ast.parse(_APART.sub(hidden, text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(text) from error
    if _levels(tree) > MOST_LEVELS:
        raise Unreadable(f"more than {MOST_LEVELS} terms in each other")
    names: dict[str, None] = {}
    _check(tree, slots, names)
    return Formula(text, tuple(names), _named(tree, slots))


def _levels(tree: ast.AST) -> int:
    """Return how many terms stand in each other at most."""
    level, count = [tree], 0
    while level:
        level, count = [inner for one in level for inner in ast.iter_child_nodes(one)], count + 1
    return count


def _check(node: ast.AST, slots: Mapping[str, str], names: dict[str, None]) -> None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return
    if isinstance(node, ast.Name):
        names[slots.get(node.id, node.id)] = None
        return
    children: list[ast.AST]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        children = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        children = [node.operand]
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _CALLS
        and not node.keywords
        and len(node.args) >= 1
    ):
        children = list(node.args)
    else:
        raise Unreadable(ast.dump(node)[:60])
    for child in children:
        _check(child, slots, names)


def _named(tree: ast.expr, slots: Mapping[str, str]) -> ast.expr:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = slots.get(node.id, node.id)
    return tree


def evaluated(formula: Formula, given: Values) -> Floats:
    """Return the value of a formula over arrays.

    Examples
    --------
    >>> evaluated(parse("a / (a + b)"), {"a": np.array([1.0]), "b": np.array([3.0])}).tolist()
    [0.25]
    """
    return np.asarray(_value(formula.tree, given), dtype=np.float64)


def _value(node: ast.expr, given: Values) -> Floats:
    if isinstance(node, ast.Constant):
        return np.array([float(str(node.value))])
    if isinstance(node, ast.Name):
        return given[node.id]
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_value(node.left, given), _value(node.right, given))
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand, given)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        values = [_value(argument, given) for argument in node.args]
        result = values[0]
        for other in values[1:]:
            result = _CALLS[node.func.id](result, other)
        return result
    raise Unreadable(ast.dump(node)[:60])
