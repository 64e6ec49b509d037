"""Read routes and assumptions: the packaged ones, and those of a workspace beside them; every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from importlib.resources import files
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.notation import toml_of
from zerofactory.optimisation.routes.route import Assumptions, Branch, Number, Route, Step
from zerofactory.wording import place_of, reason, row_name

PACKAGE = "zerofactory.optimisation.routes"
FRACTIONS = ("fraction",)
SHARE = Text("比例应大于 0 且不超过 1", "a share lies above 0 and up to 1")
AMOUNT = Text("应为非负有限数", "not below zero, finite")
STATUS = {
    "verified": Text("已核实", "verified"),
    "secondary": Text("二手", "secondary"),
    "assumption": Text("假设", "assumption"),
}


@lru_cache(maxsize=1)
def packaged() -> Mapping[str, Route]:
    """Return the routes of the package by id."""
    found = {}
    for file in sorted(files(PACKAGE).joinpath("models").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            route = read_route(file.read_text(encoding="utf-8"), file.name)
            found[route.id] = route
    return found


@lru_cache(maxsize=1)
def assumptions() -> Assumptions:
    """Return the assumptions of the package."""
    text = files(PACKAGE).joinpath("assumptions.toml").read_text(encoding="utf-8")
    return read_assumptions(_toml(text, "assumptions.toml"), "assumptions.toml")


def read_route(text: str, file: str) -> Route:
    """Return a route from TOML text.

    Raises
    ------
    FaultyData
        Not TOML, unknown or missing keys, shares outside 0 to 1, a route without metal: all of them, each with its key.
    """
    raw = _toml(text, file)
    route: Route = _record(TypeAdapter(Route), raw, file)
    refuse([*_faults(route, file)])
    return route


def read_assumptions(raw: Mapping[str, Any], file: str, base: Assumptions | None = None) -> Assumptions:
    """Return assumptions from plain data; with ``base``, what is given overrules it and the rest stays.

    Raises
    ------
    FaultyData
        Unknown keys, wrong types, figures that cannot be.
    """
    refuse([_shape(key, "table", file) for key in ("prices",) if not isinstance(raw.get(key, {}), Mapping)])
    whole: dict[str, Any] = dict(raw)
    if base is not None:
        known = TypeAdapter(Assumptions).dump_python(base)
        whole = {**known, **raw, "prices": {**known["prices"], **raw.get("prices", {})}}
    made: Assumptions = _record(TypeAdapter(Assumptions), whole, file)
    refuse([problem for path, number in numbers(made) for problem in _number(path, number, file)])
    return made


def read_own(text: str, file: str) -> tuple[Mapping[str, Route], Assumptions]:
    """Return routes and assumptions of a workspace's file beside those of the package.

    The file holds ``[[routes]]`` (whole routes; one with the id of a packaged route takes its place) and ``[assumptions]``.
    """
    raw = _toml(text, file)
    strange = sorted(set(raw) - {"routes", "assumptions"})
    shapes = [] if isinstance(raw.get("routes", []), list) else [_shape("routes", "list", file)]
    shapes += [] if isinstance(raw.get("assumptions", {}), Mapping) else [_shape("assumptions", "table", file)]
    refuse([*(_unknown(key, file) for key in strange), *shapes])
    found = dict(packaged())
    problems: list[Problem] = []
    for place, one in enumerate(raw.get("routes", ())):
        try:
            route: Route = _record(TypeAdapter(Route), one, file, f"routes{row_name(one, place)}")
            problems += _faults(route, file)
            found[route.id] = route
        except FaultyData as fault:
            problems += fault.problems
    refuse(problems)
    return found, read_assumptions(raw.get("assumptions", {}), file, assumptions())


def of_part(routes: Mapping[str, Route], part: str) -> tuple[Route, ...]:
    """Return the routes that make a part; raise `NotFound` with the parts there are."""
    found = tuple(route for route in routes.values() if route.part == part)
    if not found:
        raise NotFound(Text("零件", "part"), part, tuple(sorted({route.part for route in routes.values()})))
    return found


def numbers(thing: object, path: str = "") -> Iterator[tuple[str, Number]]:
    """Yield every number of a route or of assumptions with its path, in the order of the file."""
    if isinstance(thing, Number):
        yield path, thing
    elif is_dataclass(thing) and not isinstance(thing, type):
        for one in fields(thing):
            yield from numbers(getattr(thing, one.name), f"{path}.{one.name}" if path else one.name)
    elif isinstance(thing, tuple):
        for place, one_of in enumerate(thing):
            name = getattr(one_of, "id", None) or getattr(one_of, "item", None) or place
            yield from numbers(one_of, f"{path}[{name}]")
    elif isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from numbers(value, f"{path}.{key}")


def with_number(thing: Any, path: str, value: float) -> Any:
    """Return a route or assumptions with one number set, named by its path as `numbers` gives it."""
    if isinstance(thing, Number):
        return replace(thing, value=value)
    if isinstance(thing, tuple):
        return tuple(
            with_number(one, path.partition("]")[2].lstrip("."), value)
            if path.startswith(f"[{getattr(one, 'id', None) or getattr(one, 'item', None) or place}]")
            else one
            for place, one in enumerate(thing)
        )
    head = path.replace("[", ".[", 1).split(".", 1)
    rest = head[1] if len(head) > 1 else ""
    if isinstance(thing, Mapping):
        return {**thing, head[0]: with_number(thing[head[0]], rest, value)}
    return replace(thing, **{head[0]: with_number(getattr(thing, head[0]), rest, value)})


def _toml(text: str, file: str) -> dict[str, Any]:
    return toml_of(text, file, "route.toml")


def _record(adapter: TypeAdapter[Any], raw: object, file: str, path: str = "") -> Any:
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        problems = []
        for fault in error.errors():
            where = ".".join(part for part in (path, place_of(fault, raw)) if part)
            problems.append(_unknown(where, file) if fault["type"] == "unexpected_keyword_argument" else _invalid(where, reason(fault), file))  # fmt: skip
        raise FaultyData(problems) from error


def _shape(path: str, wanted: str, file: str) -> Problem:
    kind = {"list": "list_type", "table": "dict_type"}[wanted]
    return _invalid(path, reason({"type": kind}), file)


def _unknown(path: str, file: str) -> Problem:
    message = Text(f"不认识“{path}”。", f"'{path}' is unknown.")
    return Problem("route.unknown_key", message, Text("请核对拼写。", "Check the spelling."), file=file, column=path)


def _invalid(path: str, why: Text, file: str) -> Problem:
    message = Text(f"“{path}”的值不对: {why.zh}。", f"'{path}' is not valid: {why.en}.")
    return Problem(
        "route.invalid", message, Text("请改正后再试。", "Correct it and try again."), file=file, column=path
    )


def _faults(route: Route, file: str) -> Iterator[Problem]:
    for path, number in numbers(route):
        yield from _number(path, number, file)
    if not route.branches:
        message = Text(f"工艺路线“{route.id}”没有材料。", f"Route '{route.id}' has no metal.")
        hint = Text("请加一个 [[branches]]。", "Add a [[branches]].")
        yield Problem("route.no_branch", message, hint, file=file, column="branches")
    for branch in route.branches:
        yield from _branch(branch, file)
    for step in route.joining:
        if step.mass_yield_fraction is not None:
            yield _invalid(
                f"joining[{step.id}].mass_yield_fraction", Text("连接不裁切金属", "joining trims no metal"), file
            )
        yield from _joints(step, f"joining[{step.id}]", file)


def _branch(branch: Branch, file: str) -> Iterator[Problem]:
    where = f"branches[{branch.id}]"
    remelts = [step for step in branch.steps if step.fate == "remelted"]
    if remelts and branch.remelt_recovery_fraction is None:
        yield _invalid(
            f"{where}.remelt_recovery_fraction", Text("有回炉时必填", "needed where metal is remelted"), file
        )
    for step in branch.steps:
        if step.mass_yield_fraction is None:
            yield _invalid(
                f"{where}.steps[{step.id}].mass_yield_fraction", Text("材料分支内必填", "needed in a branch"), file
            )
        yield from _joints(step, f"{where}.steps[{step.id}]", file)


def _joints(step: Step, where: str, file: str) -> Iterator[Problem]:
    asked = [one.per for one in step.inputs]
    asked += [one.per for one in (step.equipment, step.tooling) if one is not None]
    if "joint" in asked and step.joints is None:
        yield _invalid(f"{where}.joints", Text("按接头计时必填", "needed for what is counted per joint"), file)


def _number(path: str, number: Number, file: str) -> Iterator[Problem]:
    for name, value in (("value", number.value), ("low", number.low), ("high", number.high)):
        if value is None:
            continue
        share = number.unit in FRACTIONS
        if value < 0 or (share and not 0 < value <= 1) or not isfinite(value):
            yield _invalid(f"{path}.{name}", SHARE if share else AMOUNT, file)
    if (number.low is not None and number.low > number.value) or (
        number.high is not None and number.high < number.value
    ):
        yield _invalid(path, Text("应有 low ≤ value ≤ high", "low ≤ value ≤ high"), file)
