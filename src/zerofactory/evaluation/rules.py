"""Rules: a book of criteria together with the indicators it names. Unknown and circular indicators are refused here.

A book may define indicators of its own by a formula (`standards.criterion.Derived`); they may use amounts, packaged indicators
that take no parameters, and each other, as long as they do not go in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.accounting.spread import Floats
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.evaluation.amount import kind_of
from zerofactory.evaluation.formula import Formula, Unreadable, evaluated, parse
from zerofactory.evaluation.indicator import Example, Indicator, Values, indicators
from zerofactory.evaluation.quotient import same
from zerofactory.standards.criterion import Criterion, Derived, EvaluationBook, Form


@dataclass(frozen=True, slots=True)
class Rules:
    """A checked book and every indicator its criteria may use."""

    book: EvaluationBook
    indicators: Mapping[str, Indicator]


def rules_of(book: EvaluationBook, content: str = "") -> Rules:
    """Return a book with its indicators.

    Parameters
    ----------
    content : text of the book's file, so that a fault can say its line.

    Raises
    ------
    FaultyData
        An indicator, a parameter or an amount that does not exist, a circle, or units that do not fit; all at once.
    """
    known, problems = _with_derived(book, content)
    for criterion in book.criteria:
        problems += _of_criterion(criterion, known, (book, content))
    if problems:
        raise FaultyData(problems)
    return Rules(book, known)


def _with_derived(book: EvaluationBook, content: str) -> tuple[dict[str, Indicator], list[Problem]]:
    """Return the packaged indicators and those of the book, in an order in which each stands after what it needs."""
    known = dict(indicators())
    waiting: dict[str, tuple[Derived, Formula]] = {}
    problems: list[Problem] = []
    for one in book.derived:
        try:
            waiting[one.id] = (one, parse(one.formula))
        except Unreadable as fault:
            shown = one.formula if len(one.formula) < 80 else f"{one.formula[:80]}…"
            said = (
                f"“{shown}”不是公式(只用数、名称、加减乘除、min 和 max)",
                f"'{shown}' is no formula ({str(fault)[:80]})",
            )
            problems.append(_fault("formula", said, (book, content), one.id))
        if one.id in known:
            said = f"指标“{one.id}”已有", f"the indicator '{one.id}' exists already"
            problems.append(_fault("repeated", said, (book, content), one.id))
    for name, (_, formula) in waiting.items():
        for part in formula.names:
            if part not in waiting and not _is_known(part, known):
                said = (
                    f"指标 {name} 用到“{part}”, 既不是数量也不是指标",
                    f"indicator {name} uses '{part}', neither amount nor indicator",
                )
                problems.append(_fault("unknown_indicator", said, (book, content), name))
    ready = not problems
    while waiting and ready:
        free = [name for name, (_, formula) in waiting.items() if not set(formula.names) & set(waiting)]
        if not free:
            circle = " → ".join(_circle({name: formula.names for name, (_, formula) in waiting.items()}))
            said = f"指标循环引用: {circle}", f"indicators go in a circle: {circle}"
            problems.append(_fault("circular", said, (book, content), next(iter(waiting))))
            break
        for name in free:
            known[name] = _derived(*waiting.pop(name), known)
    return known, problems


def _circle(uses: Mapping[str, Sequence[str]]) -> list[str]:
    """Return one circle of names, its first name repeated at the end."""
    path = [next(iter(uses))]
    while path.count(path[-1]) == 1:
        path.append(next(name for name in uses[path[-1]] if name in uses))
    return path[path.index(path[-1]) :]


def _is_known(name: str, known: Mapping[str, Indicator]) -> bool:
    if name in known:
        return not known[name].choices and not any("{" in template for template in known[name].inputs.values())
    try:
        kind_of(name)
    except NotFound:
        return False
    return True


def _derived(one: Derived, formula: Formula, known: Mapping[str, Indicator]) -> Indicator:
    """Return an indicator that a book defines; its inputs are the amounts of everything it uses."""
    inner = {name: known[name] for name in formula.names if name in known}
    inputs = {name: name for name in formula.names if name not in known}
    for name, used in inner.items():
        inputs |= {f"{name}.{alias}": amount for alias, amount in used.inputs.items()}

    def compute(given: Values) -> Floats:
        values = {name: given[name] for name in formula.names if name not in inner}
        for name, used in inner.items():
            values[name] = np.asarray(used.compute({alias: given[f"{name}.{alias}"] for alias in used.inputs}))
        return evaluated(formula, values)

    title = one.title
    return Indicator(
        one.id, title, one.unit, inputs, compute, one.formula, one.reference, Example({}, 0.0, one.reference)
    )


def _of_criterion(
    criterion: Criterion, known: Mapping[str, Indicator], where: tuple[EvaluationBook, str]
) -> Iterator[Problem]:
    if criterion.applies.amount:
        try:
            kind_of(criterion.applies.amount)
        except NotFound as fault:
            yield replace(fault.as_problem(), file=where[0].file or None)
    for form in criterion.forms:
        indicator = known.get(form.indicator)
        if indicator is None:
            said = (
                f"{criterion.id}: 没有指标“{form.indicator}”",
                f"{criterion.id}: there is no indicator '{form.indicator}'",
            )
            yield _fault("unknown_indicator", said, where, criterion.id)
            continue
        yield from _of_form(criterion, form, indicator, where)


def _of_form(
    criterion: Criterion, form: Form, indicator: Indicator, where: tuple[EvaluationBook, str]
) -> Iterator[Problem]:
    """Yield what is wrong with the parameters or the unit of one form."""
    name = criterion.id
    wanted = set(indicator.choices) | {k for k, v in indicator.example.parameters.items() if isinstance(v, float)}
    if set(form.parameters) != wanted:
        listed = ", ".join(sorted(wanted)) or "–"
        yield _fault("parameters", (f"{name}: 参数应为 {listed}", f"{name}: the parameters are {listed}"), where, name)
        return
    for key, choices in indicator.choices.items():
        if form.parameters[key] not in choices:
            said = f"{name}: {key} 不能是“{form.parameters[key]}”", f"{name}: {key} cannot be '{form.parameters[key]}'"
            yield _fault("parameters", said, where, name)
            return
    unit = indicator.unit_with(form.parameters)
    if not same(unit, form.unit):
        said = (
            f"{name}: 指标的单位是 {unit}, 不是 {form.unit}",
            f"{name}: the indicator is in {unit}, not in {form.unit}",
        )
        yield _fault("unit", said, where, name)


def _fault(code: str, said: tuple[str, str], where: tuple[EvaluationBook, str], name: str) -> Problem:
    from zerofactory.standards.criteria import line_of

    book, content = where
    row = line_of(content, f"id: {name}") if content else None
    listed = ", ".join(indicators())
    hint = (
        Text(f"指标有: {listed}。", f"Indicators: {listed}.")
        if code == "unknown_indicator"
        else Text("请更正该标准文件。", "Correct the rule book.")
    )
    return Problem(f"evaluation.{code}", Text(f"{said[0]}。", f"{said[1]}."), hint, file=book.file or None, row=row)
