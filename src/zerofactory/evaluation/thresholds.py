"""Thresholds that the plant enters: `thresholds.toml` of the workspace. A number without its source is refused.

    [[threshold]]
    standard = "gb_t_36132_2025"
    criterion = "gb36132.01"
    unit = "tce/vehicle"
    base = 0.30
    lead = 0.18
    source = "…"
    date = 2026-01-15

A grade's least score is entered with ``grade = "…"`` and ``minimum = 80``. What is entered stands before what the book prints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.evaluation.quotient import convert, same
from zerofactory.notation import toml_of
from zerofactory.standards.criterion import Criterion, EvaluationBook, Form, Threshold

FILE = "thresholds.toml"
_KEYS = {"standard", "criterion", "grade", "unit", "base", "lead", "minimum", "source", "date", "parameters"}


@dataclass(frozen=True, slots=True)
class Stated:
    """One entry of the file, with its line."""

    standard: str
    criterion: str
    grade: str
    unit: str
    numbers: Mapping[str, float]
    source: str
    date: str
    parameters: Mapping[str, str]
    row: int

    def threshold(self, which: str, unit: str) -> Threshold | None:
        """Return one of its numbers as a threshold in a unit; its own unit where it has none."""
        value = self.numbers.get(which)
        if value is None:
            return None
        return Threshold(
            convert(value, self.unit, unit) if self.unit else value, unit, self.source, self.date, "stated"
        )


def read_thresholds(content: str, standards: Sequence[str]) -> tuple[Stated, ...]:
    """Return the entries of the file.

    Raises
    ------
    FaultyData
        Every entry without source or date, with unknown keys, an unknown standard or no number; each with its line.
    """
    data = toml_of(content, FILE, "evaluation.thresholds")
    lines = [number for number, line in enumerate(content.splitlines(), start=1) if line.strip() == "[[threshold]]"]
    rows = data.get("threshold", [])
    problems = [_fault(f"不认识的键“{key}”", f"unknown key '{key}'", None) for key in data if key != "threshold"]
    found: list[Stated] = []
    if not isinstance(rows, list):
        problems.append(_fault("每个限值应写成 [[threshold]]", "write each threshold as [[threshold]]", None))
        rows = []
    for place, entry in enumerate(rows):
        row = lines[place] if place < len(lines) else place + 1
        if not isinstance(entry, dict):
            problems.append(_fault("每个限值应写成 [[threshold]]", "write each threshold as [[threshold]]", row))
            continue
        faults = _faults(entry, standards, row)
        problems += faults
        if not faults:
            found.append(_stated(entry, row))
    if problems:
        raise FaultyData(problems)
    return tuple(found)


def _faults(entry: Mapping[str, object], standards: Sequence[str], row: int) -> list[Problem]:
    found = [_fault(f"不认识的键“{key}”", f"unknown key '{key}'", row) for key in sorted(set(entry) - _KEYS)]
    name = entry.get("standard")
    if name not in standards:
        listed = ", ".join(standards)
        found.append(
            _fault(f"没有标准“{name}”, 可选: {listed}", f"there is no standard '{name}'; choices: {listed}", row)
        )
    if bool(entry.get("criterion")) == bool(entry.get("grade")):
        found.append(_fault("应写明 criterion 或 grade 之一", "name a criterion or a grade, one of them", row))
    for key, zh, en in (("source", "出处", "source"), ("date", "日期", "date")):
        if not str(entry.get(key) or "").strip():
            found.append(_fault(f"限值没有{zh}({key})", f"a threshold without {en}", row))
    if not isinstance(entry.get("date", date.min), date | str) or not _is_date(entry.get("date", date.min)):
        found.append(_fault("日期应写成 2026-01-15", "write the date as 2026-01-15", row))
    wanted = ("minimum",) if entry.get("grade") else ("base", "lead")
    if not any(key in entry for key in wanted):
        found.append(_fault(f"没有数值({'、'.join(wanted)})", f"no number ({', '.join(wanted)})", row))
    for key in ("base", "lead", "minimum"):
        value = entry.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            found.append(_fault(f"{key} 应是数", f"{key} is a number", row))
        if key in entry and key not in wanted:
            found.append(_fault(f"这里不写 {key}", f"{key} does not belong here", row))
    if entry.get("grade") and "unit" in entry:
        found.append(_fault("等级的最低分不写单位", "the least score of a grade has no unit", row))
    if entry.get("criterion") and not str(entry.get("unit") or "").strip():
        found.append(_fault("没有单位(unit)", "no unit", row))
    return found


def _is_date(value: object) -> bool:
    if isinstance(value, date | datetime):
        return True
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _stated(entry: Mapping[str, object], row: int) -> Stated:
    numbers = {key: float(str(entry[key])) for key in ("base", "lead", "minimum") if key in entry}
    given = entry.get("parameters")
    parameters = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    return Stated(
        str(entry["standard"]),
        str(entry.get("criterion") or ""),
        str(entry.get("grade") or ""),
        str(entry.get("unit") or ""),
        numbers,
        str(entry["source"]),
        str(entry["date"]),
        parameters,
        row,
    )


def with_thresholds(book: EvaluationBook, stated: Sequence[Stated]) -> EvaluationBook:
    """Return the book with the entered thresholds in the place of its own.

    Raises
    ------
    FaultyData
        A criterion or grade that does not exist, a unit in which nothing is measured, a lead value worse than the base value.
    """
    own = [entry for entry in stated if entry.standard == book.id]
    problems: list[Problem] = []
    criteria = {criterion.id: criterion for criterion in book.criteria}
    grades = {grade.id: grade for grade in book.grades}
    for entry in own:
        if entry.criterion in criteria:
            made = _applied(criteria[entry.criterion], entry, problems)
            criteria[entry.criterion] = made
        elif entry.grade in grades:
            least = entry.threshold("minimum", "point")
            grades[entry.grade] = replace(grades[entry.grade], minimum=least, scored=True)
        else:
            name, listed = entry.criterion or entry.grade, ", ".join([*criteria, *grades])
            said = f"{book.id} 没有“{name}”, 可选: {listed}", f"{book.id} has no '{name}'; choices: {listed}"
            problems.append(_fault(*said, entry.row))
    if problems:
        raise FaultyData(problems)
    return replace(book, criteria=tuple(criteria.values()), grades=tuple(grades.values()))


def _applied(criterion: Criterion, entry: Stated, problems: list[Problem]) -> Criterion:
    form = next((form for form in criterion.forms if _fits(form, entry)), None)
    if form is None:
        listed = ", ".join(form.unit for form in criterion.forms) or "–"
        said = (
            f"{criterion.id} 以 {listed} 计量, 不是 {entry.unit}",
            f"{criterion.id} is measured in {listed}, not in {entry.unit}",
        )
        problems.append(_fault(*said, entry.row))
        return criterion
    base, lead = (entry.threshold(which, form.unit) for which in ("base", "lead"))
    sign = 1 if criterion.direction == "positive" else -1
    if base and lead and sign * (lead.value - base.value) < 0:
        said = f"{criterion.id}: 引领值劣于基准值", f"{criterion.id}: the lead value is worse than the base value"
        problems.append(_fault(*said, entry.row))
    rest = tuple(other for other in criterion.forms if other is not form)
    kept = criterion.forms[0] is form
    return replace(
        criterion,
        forms=(form, *rest),
        base=base or (criterion.base if kept else None),
        lead=lead or (criterion.lead if kept else None),
    )


def _fits(form: Form, entry: Stated) -> bool:
    stated = all(str(form.parameters.get(key)) == value for key, value in entry.parameters.items())
    return stated and same(entry.unit, form.unit)


def _fault(zh: str, en: str, row: int | None) -> Problem:
    hint = Text(
        "每个限值都要写明标准、条款、单位、数值、出处和日期。",
        "Each threshold names standard, criterion, unit, number, source and date.",
    )
    return Problem("evaluation.threshold", Text(f"{zh}。", f"{en}."), hint, file=FILE, row=row)
