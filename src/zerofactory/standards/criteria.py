"""Read and check rule books as criteria: the packaged ones, and those a plant keeps in its own ``standards/`` folder.

Every fault is a `Problem` with its file, line and place, and all of them come at once: unknown keys, weights that do not add
up, a threshold without source, grades that ask for criteria that do not exist. That indicators exist and do not go in a
circle is checked where indicators are known (`evaluation.rules`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import yaml_of
from zerofactory.standards.criterion import (
    KINDS,
    Condition,
    Criterion,
    Derived,
    Dimension,
    EvaluationBook,
    Form,
    Grade,
    Scoring,
    Threshold,
)
from zerofactory.standards.model import Citation
from zerofactory.standards.shape import BOOK, misfits

BOOK_STATUSES = ("in_force", "trial", "withdrawn")
_STATUSES = ("verified", "secondary", "placeholder", "proposal", "stated")
_NOTHING = Text("", "")
Place = tuple[str, str]  # file name and text, so that a fault can say its line


@lru_cache(maxsize=1)
def evaluation_names() -> tuple[str, ...]:
    """Return the ids of the packaged books that hold criteria, sorted.

    Examples
    --------
    >>> "gb_t_36132_2025" in evaluation_names()
    True
    """
    folder = files("zerofactory.standards") / "books"
    named = ((entry.name.removesuffix(".yaml"), entry) for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple(sorted(name for name, entry in named if has_criteria(entry.read_text(encoding="utf-8"))))


def has_criteria(content: str) -> bool:
    """Whether the text of a rule book holds criteria."""
    return re.search(r"^criteria:", content, re.MULTILINE) is not None


@lru_cache(maxsize=64)
def evaluation_book(name: str) -> EvaluationBook:
    """Return one packaged book; raise `NotFound` with the choices otherwise.

    Examples
    --------
    >>> book = evaluation_book("gb_t_36132_2025")
    >>> sum(criterion.weight or 0.0 for criterion in book.criteria)
    100.0
    """
    if name not in evaluation_names():
        raise NotFound(Text("评价标准", "standard for evaluation"), name, evaluation_names())
    content = (files("zerofactory.standards") / "books" / f"{name}.yaml").read_text(encoding="utf-8")
    return read_evaluation(name, content, f"standards/books/{name}.yaml")


def read_evaluation(name: str, content: str, file: str) -> EvaluationBook:
    """Return a book of criteria from its YAML text.

    Raises
    ------
    FaultyData
        Every fault of the text, each with its line.
    """
    place = (file, content)
    data = yaml_of(content, file, "standards.unreadable")
    problems = list(_faults(data, place))
    if problems:
        raise FaultyData(problems)
    return _built(name, cast("dict[str, Any]", data), file)


def _built(name: str, data: Mapping[str, Any], file: str) -> EvaluationBook:
    scoring = data.get("scoring") or {}
    return EvaluationBook(
        id=name,
        title=_text(data["title"]),
        publisher=_text(data["publisher"]),
        edition=str(data["edition"]),
        status=data["status"],
        effective=str(data.get("effective") or ""),
        proposal=bool(data.get("proposal", False)),
        successor=str(data.get("successor") or ""),
        citations=tuple(
            Citation(str(row["document"]), str(row.get("clause", "")), row["status"], _text(row.get("note")))
            for row in data["citations"]
        ),
        notes=tuple(_text(row) for row in data.get("notes") or ()),
        dimensions=tuple(
            Dimension(str(row["id"]), _text(row), _number(row.get("points"))) for row in data["dimensions"]
        ),
        criteria=tuple(_criterion(row) for row in data["criteria"]),
        derived=tuple(
            Derived(str(row["id"]), _text(row), str(row["unit"]), str(row["formula"]), str(row["reference"]))
            for row in data.get("indicators") or ()
        ),
        scoring=Scoring(
            scoring.get("rule", "none"),
            _number(scoring.get("full_points")),
            bool(scoring.get("renormalise", False)),
            str(scoring.get("source_ref", "")),
            scoring.get("provenance", "expert"),
        ),
        grades=tuple(_grade(row) for row in data.get("grades") or ()),
        file=file,
    )


def _criterion(row: Mapping[str, Any]) -> Criterion:
    applies = row.get("applies") or {}
    return Criterion(
        id=str(row["id"]),
        clause=str(row.get("clause") or ""),
        title=_text(row),
        kind=row["kind"],
        dimension=str(row.get("dimension") or ""),
        weight=_number(row.get("weight")),
        direction=row.get("direction"),
        base=_threshold(row.get("base")),
        lead=_threshold(row.get("lead")),
        strict=bool(row.get("strict", False)),
        base_text=str(row.get("base_text") or ""),
        lead_text=str(row.get("lead_text") or ""),
        forms=tuple(_form(form) for form in row.get("forms") or ()),
        formula=str(row.get("formula") or ""),
        proof=row["proof"],
        evidence=str(row.get("evidence") or ""),
        applies=Condition(
            str(applies.get("shop", "")),
            str(applies.get("amount", "")),
            float(applies.get("at_least", -math.inf)),
            float(applies.get("below", math.inf)),
        ),
        source_ref=str(row.get("source_ref") or ""),
        provenance=row.get("provenance", "expert"),
        note=str(row.get("note") or ""),
        rationale=_text(row.get("rationale")),
    )


def _form(row: Mapping[str, Any]) -> Form:
    given = row.get("parameters") or {}
    parameters = {str(k): float(v) if isinstance(v, int | float) else str(v) for k, v in given.items()}
    return Form(str(row["indicator"]), parameters, str(row["unit"]))


def _threshold(row: Mapping[str, Any] | None) -> Threshold | None:
    if not row:
        return None
    return Threshold(float(row["value"]), str(row["unit"]), str(row["source"]), str(row["date"]), row["status"])


def _grade(row: Mapping[str, Any]) -> Grade:
    return Grade(
        str(row["id"]),
        _text(row),
        _threshold(row.get("minimum")),
        bool(row.get("scored", row.get("minimum") is not None)),
        tuple(str(name) for name in row.get("requires") or ()),
        bool(row.get("all_mandatory", True)),
        str(row.get("source_ref") or ""),
        row.get("provenance", "expert"),
    )


def _text(pair: Mapping[str, Any] | None) -> Text:
    return Text(str(pair["zh"]), str(pair["en"])) if pair else _NOTHING


def _number(value: object) -> float | None:
    return None if value is None else float(cast("float", value))


def _faults(data: object, place: Place) -> Iterator[Problem]:
    """Yield every fault of a book's own text: first of its shape; what it says is looked at once the shape is right."""
    book = {key: value for key, value in data.items() if key not in _INVENTORY} if isinstance(data, dict) else data
    shaped = True
    for owner, code, zh, en in misfits(book, BOOK):
        shaped = False
        named = (f"{owner}: {zh}", f"{owner}: {en}") if owner else (zh, en)
        yield _fault(place, code, *named, f"id: {owner}" if owner else "")
    if not shaped or not isinstance(book, dict):
        return
    rows = book["criteria"]
    dimensions = {str(row["id"]) for row in book["dimensions"]}
    if book["status"] not in BOOK_STATUSES:
        listed = ", ".join(BOOK_STATUSES)
        yield _fault(place, "status", f"状态应为 {listed}", f"status is one of {listed}", "status:")
    for row in rows:
        yield from _criterion_faults(row, dimensions, place)
    yield from _repeated(rows, place)
    yield from _grade_faults(book, {str(row["id"]) for row in rows}, place)
    yield from _weight_faults(book, rows, place)


# Keys of a book that is an inventory standard as well; `standards.load` reads and checks them.
_INVENTORY = {
    "gases", "default_gwp_set", "default_regime", "regimes", "net_purchased", "groups", "categories", "requirements",
    "instrument_criteria",
}  # fmt: skip


def _criterion_faults(row: Mapping[str, Any], dimensions: set[str], place: Place) -> Iterator[Problem]:
    name = str(row["id"])
    at = f"id: {name}"
    if row.get("kind") not in KINDS:
        yield _fault(
            place, "kind", f"{name}: 类型应为 {', '.join(KINDS)}", f"{name}: kind is one of {', '.join(KINDS)}", at
        )
    if row.get("direction") not in (None, "positive", "negative"):
        yield _fault(
            place,
            "direction",
            f"{name}: 方向应为 positive 或 negative",
            f"{name}: direction is positive or negative",
            at,
        )
    if str(row.get("dimension") or "") not in dimensions | {""}:
        yield _fault(place, "dimension", f"{name}: 没有该维度", f"{name}: no such dimension", at)
    units = {str(form.get("unit")) for form in row.get("forms") or ()}
    if row["proof"] not in ("book", "document"):
        yield _fault(place, "proof", f"{name}: proof 应为 book 或 document", f"{name}: proof is book or document", at)
    for which in ("base", "lead"):
        yield from _threshold_faults(row.get(which), f"{name}.{which}", units, (place, at))
    if (row.get("base") or row.get("lead")) and not row.get("direction"):
        yield _fault(place, "direction", f"{name}: 有限值而无方向", f"{name}: a threshold without direction", at)
    yield from _order_faults(row, name, place, at)


def _order_faults(row: Mapping[str, Any], name: str, place: Place, at: str) -> Iterator[Problem]:
    """Yield a fault where the lead value is worse than the base value."""
    base, lead, sign = row.get("base"), row.get("lead"), {"positive": 1, "negative": -1}.get(str(row.get("direction")))
    if base and lead and sign and sign * (float(lead["value"]) - float(base["value"])) < 0:
        yield _fault(
            place, "order", f"{name}: 引领值劣于基准值", f"{name}: the lead value is worse than the base value", at
        )


def _threshold_faults(row: Any, name: str, units: set[str], where: tuple[Place, str]) -> Iterator[Problem]:
    place, at = where
    if row is None:
        return
    if row["status"] not in _STATUSES:
        yield _fault(
            place,
            "status",
            f"{name}: 状态应为 {', '.join(_STATUSES)}",
            f"{name}: status is one of {', '.join(_STATUSES)}",
            at,
        )
    if units and str(row["unit"]) not in units:
        listed = ", ".join(sorted(units))
        yield _fault(place, "unit", f"{name}: 单位应为 {listed}", f"{name}: the unit is one of {listed}", at)


def _repeated(rows: Sequence[Mapping[str, Any]], place: Place) -> Iterator[Problem]:
    seen: set[str] = set()
    for row in rows:
        name = str(row["id"])
        if name in seen:
            yield _fault(place, "repeated", f"编号“{name}”重复", f"the id '{name}' stands twice", f"id: {name}")
        seen.add(name)


def _grade_faults(book: Mapping[str, Any], names: set[str], place: Place) -> Iterator[Problem]:
    for row in book.get("grades") or ():
        at = f"id: {row['id']}"
        for wanted in row.get("requires") or ():
            if str(wanted) not in names:
                yield _fault(
                    place,
                    "grade",
                    f"等级 {row['id']} 要求的“{wanted}”不存在",
                    f"grade {row['id']} asks for '{wanted}', which is no criterion",
                    at,
                )
        yield from _threshold_faults(row.get("minimum"), f"{row['id']}.minimum", set(), (place, at))


def _weight_faults(book: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], place: Place) -> Iterator[Problem]:
    """Yield a fault where weights do not add up to the points of their heading, or of the whole book."""
    scored = [row for row in rows if row.get("kind") == "scored"]

    def total(of: str | None) -> float:
        return math.fsum(float(row.get("weight") or 0.0) for row in scored if of is None or row.get("dimension") == of)

    for row in book["dimensions"]:
        points, found = row.get("points"), total(str(row["id"]))
        if points is not None and not math.isclose(found, float(points)):
            said = f"维度 {row['id']} 的权重合计 {found:g}, 应为 {float(points):g}"
            yield _fault(
                place,
                "weights",
                said,
                f"the weights of {row['id']} add up to {found:g}, not {float(points):g}",
                f"id: {row['id']}",
            )
    full = (book.get("scoring") or {}).get("full_points")
    if full is not None and not math.isclose(total(None), float(full)):
        said = f"权重合计 {total(None):g}, 应为 {float(full):g}"
        yield _fault(place, "weights", said, f"the weights add up to {total(None):g}, not {float(full):g}", "scoring:")


def _fault(place: Place, code: str, zh: str, en: str, at: str = "") -> Problem:
    """Return a fault with its file and, where a line can be named, its line."""
    file, content = place
    row = line_of(content, at) if at else None
    hint = Text("请更正该标准文件。", "Correct the rule book.")
    return Problem(f"standards.{code}", Text(f"{zh}。", f"{en}."), hint, file=file, row=row)


def line_of(content: str, at: str) -> int | None:
    """Return the first line of a text that holds a piece as a whole word, counted from 1; None when no line does.

    Examples
    --------
    >>> line_of("a: 1\\nid: x.1\\nid: x.10\\n", "id: x.10")
    3
    """
    wanted = re.compile(re.escape(at).replace(r"\ ", r"\s*\"?") + r"(?![\w.])")
    for number, line in enumerate(content.splitlines(), start=1):
        if wanted.search(line):
            return number
    return None
