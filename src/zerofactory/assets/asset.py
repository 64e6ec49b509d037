"""Assets: what one kind of energy asset must offer, and how it is asked.

    Asset.block(Values, Conditions) -> AssetBlock      its linear part, for whoever solves
    Asset.step(Values, state, action, At) -> Stepped   its physics over one interval, without any solver
    Asset.profile(Values, Conditions) -> series        what weather makes of it: yield, COP … (once per grid)

One file in `kinds/` offers one ``ASSET``; its parameters (unit, bounds, default, source, status, titles) stand in
``parameters/<id>.csv``. `assets()` finds them, and those of other packages, by the folder.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import numpy as np

from zerofactory.assets.block import Amount, AssetBlock, over
from zerofactory.assets.grid import Floats, Grid
from zerofactory.discover import discover
from zerofactory.errors import Misuse, NotFound, Problem, Text

Status = Literal["verified", "secondary", "placeholder"]
STATUSES = ("verified", "secondary", "placeholder")
Setting = float | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name carries the unit; ``default`` None means that the plant must say it.

    ``optional`` parameters may stay away (nothing then follows from them). ``choices`` make it a word instead of a number.
    """

    name: str
    unit: str
    title: Text
    minimum: float | None = None
    maximum: float | None = None
    default: Setting | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    source: str = ""
    status: Status = "placeholder"


@dataclass(frozen=True, slots=True)
class Values:
    """The parameters of one asset, checked against its schema. Numbers by ``values["name"]``, words by `text`."""

    settings: Mapping[str, Setting | None]

    def __getitem__(self, name: str) -> float:
        value = self.settings.get(name)
        if value is None or isinstance(value, str):
            raise Misuse(f"parameter {name} is not a number here")
        return value

    def has(self, name: str) -> bool:
        """Whether the parameter has a value."""
        return self.settings.get(name) is not None

    def text(self, name: str) -> str:
        """Return a parameter that is a word."""
        value = self.settings.get(name)
        if not isinstance(value, str):
            raise Misuse(f"parameter {name} is not a word here")
        return value

    def with_values(self, **changed: Setting) -> Values:
        """Return the same parameters with some changed (the sizes found, say)."""
        unknown = sorted(set(changed) - set(self.settings))
        if unknown:
            raise Misuse(f"no such parameters: {', '.join(unknown)}")
        return Values(MappingProxyType({**self.settings, **changed}))


@dataclass(frozen=True, slots=True)
class Input:
    """A series an asset needs from outside, one value an interval (or per month, ``monthly``).

    It is not needed where the series ``unless`` is given instead, nor where a parameter differs from ``when`` (name, word).
    """

    name: str
    unit: str
    title: Text
    default: float | None = None
    monthly: bool = False
    unless: str = ""
    when: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an asset finds outside.

    Parameters
    ----------
    series : Mapping
        Input name → one value an interval (or one for all): weather, prices, needs.
    monthly : Mapping
        Input name → one value per month of the grid (or one for all): demand price, peak so far.
    initial : Mapping
        State name → value before the first interval. A state that is absent is cyclic: it ends as it began.
    sized : bool
        The size is a decision (between ``…_minimum`` and ``…_maximum``) instead of the installed one.
    integer : bool
        On/off states are whole numbers; otherwise relaxed to 0–1.
    """

    grid: Grid
    series: Mapping[str, Amount] = field(default_factory=dict)
    monthly: Mapping[str, Amount] = field(default_factory=dict)
    initial: Mapping[str, float] = field(default_factory=dict)
    sized: bool = False
    integer: bool = False

    def amount(self, name: str) -> Amount:
        """Return a series as it was given (a number or an array); `Misuse` when it is absent."""
        if name not in self.series:
            raise Misuse(f"series {name} was not given")
        return self.series[name]

    def array(self, name: str) -> Floats:
        """Return a series as an array over the grid."""
        return over(self.amount(name), self.grid.length)

    def per_month(self, name: str) -> Floats:
        """Return a monthly input as an array over the months of the grid."""
        if name not in self.monthly:
            raise Misuse(f"monthly input {name} was not given")
        return over(self.monthly[name], len(self.grid.months))

    def before(self, state: str) -> float | None:
        """Return the value of a state before the first interval, None when it is cyclic."""
        return self.initial.get(state)


@dataclass(frozen=True, slots=True)
class At:
    """One interval as the physics sees it: its length and the value of each series (inputs and profile) in it."""

    hours: float
    series: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stepped:
    """What an interval did: the state at its end and the value each interval variable of the block really took."""

    state: Mapping[str, float]
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example of one step, with where the figures come from."""

    text: Text
    given: Mapping[str, Setting]
    action: Mapping[str, float]
    expected: Mapping[str, float]
    citation: str
    state: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, float] = field(default_factory=dict)
    hours: float = 1.0


def no_profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return nothing: an asset whose physics needs no series of its own."""
    del values, conditions
    return {}


@dataclass(frozen=True, slots=True)
class Asset:
    """One kind of energy asset.

    Parameters
    ----------
    actions : tuple of str
        Interval variables somebody may wish (the others follow from them).
    states : tuple of str
        What is remembered from one interval to the next; its value before the first one is `start`. A state that is no
        variable of the block (recent restarts of an oven) is a memory of the physics alone.
    size : str, optional
        The parameter that is the size when `Conditions.sized` (``capacity_kwh``).
    reference : str
        Where the formulas are from: clause, page, DOI.
    """

    id: str
    title: Text
    actions: tuple[str, ...]
    step: Callable[[Values, Mapping[str, float], Mapping[str, float], At], Stepped]
    block: Callable[[Values, Conditions], AssetBlock]
    reference: str
    example: Example
    states: tuple[str, ...] = ()
    size: str | None = None
    inputs: tuple[Input, ...] = ()
    start: Callable[[Values], Mapping[str, float]] = lambda values: {}
    profile: Callable[[Values, Conditions], Mapping[str, Floats]] = no_profile
    check: Callable[[Values], list[Problem]] = lambda values: []
    note: Text | None = None

    def __reduce__(self) -> tuple[Callable[[str], Asset], tuple[str]]:
        """Go to another process by name: a kind is code, and the other process has it too."""
        return asset, (self.id,)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters this kind knows, in the order of its data file."""
        return parameters_of(self.id)

    @property
    def sizing_needs(self) -> tuple[str, ...]:
        """The parameters without which the size cannot be decided: its upper limit, its price, its life."""
        if self.size is None:
            return ()
        noun, _, unit = self.size.rpartition("_")
        return (f"{noun}_maximum_{unit}", f"capex_cny_per_{unit}", f"opex_cny_per_{unit}_year", "lifetime_years")


@lru_cache(maxsize=1)
def assets() -> Mapping[str, Asset]:
    """Return every kind of asset by id, our own and those of installed packages."""
    return MappingProxyType(discover("zerofactory.assets.kinds", "ASSET", "zerofactory.assets"))


def asset(kind: str) -> Asset:
    """Return one kind of asset; raise `NotFound` with the choices otherwise."""
    found = assets().get(kind)
    if found is None:
        raise NotFound(Text("设备种类", "kind of asset"), kind, tuple(assets()))
    return found


@lru_cache(maxsize=64)
def parameters_of(kind: str) -> tuple[Parameter, ...]:
    """Return the parameters of a kind from its data file."""
    with (files("zerofactory.assets") / "parameters" / f"{kind}.csv").open(encoding="utf-8") as stream:
        return tuple(_parameter(row) for row in csv.DictReader(stream))


def _parameter(row: Mapping[str, str]) -> Parameter:
    choices = tuple(filter(None, row["choices"].split("|")))
    default: Setting | None = None
    if row["default"] not in ("", "-"):
        default = row["default"] if choices or row["unit"] == "text" else float(row["default"])
    status = row["status"]
    if status not in STATUSES:
        raise Misuse(f"parameter {row['name']}: status {status!r}")
    return Parameter(
        row["name"],
        row["unit"],
        Text(row["zh"], row["en"]),
        float(row["minimum"]) if row["minimum"] else None,
        float(row["maximum"]) if row["maximum"] else None,
        default,
        row["default"] == "-",
        choices,
        row["source"],
        status,  # type: ignore[arg-type]  # checked above
    )


def values_of(kind: Asset, given: Mapping[str, Setting], *, sized: bool = False) -> tuple[Values | None, list[Problem]]:
    """Return the parameters of one asset with defaults filled in, and every fault of what was given.

    ``sized`` asks for the upper limit of the size and its price; otherwise the installed size is asked for.

    Examples
    --------
    >>> values, problems = values_of(asset("battery"), {"capacity_kwh": 2000, "colour": "red"})
    >>> values, [problem.code for problem in problems]
    (None, ['assets.unknown_parameter'])
    """
    known = {parameter.name: parameter for parameter in kind.parameters}
    given = {name: value for name, value in given.items() if value is not None}
    problems = [_unknown(kind, name, tuple(known)) for name in given if name not in known]
    wanted = kind.sizing_needs if sized else tuple(filter(None, (kind.size,)))
    settings: dict[str, Setting] = {}
    for parameter in known.values():
        value = given.get(parameter.name, parameter.default)
        if value is None:
            if not parameter.optional or parameter.name in wanted:
                problems.append(_missing(kind, parameter))
            continue
        fault = _fault_of(kind, parameter, value)
        if fault is not None:
            problems.append(fault)
        else:
            settings[parameter.name] = value if isinstance(value, str) else float(value)
    if problems:
        return None, problems
    values = Values(MappingProxyType({name: settings.get(name) for name in known}))
    problems = kind.check(values)
    return (None if problems else values), problems


def _fault_of(kind: Asset, parameter: Parameter, value: Setting) -> Problem | None:
    name = parameter.name
    if parameter.choices:
        if value in parameter.choices:
            return None
        listed = ", ".join(parameter.choices)
        return fault(
            "not_a_choice",
            Text(f"{kind.title.zh}的“{name}”不能是“{value}”。", f"'{name}' of a {kind.title.en} cannot be '{value}'."),
            Text(f"可选: {listed}。", f"Choose one of: {listed}."),
            name,
        )
    if parameter.unit == "text" and isinstance(value, str):
        return None
    if isinstance(value, str | bool) or not np.isfinite(value):
        return fault(
            "not_a_number",
            Text(f"{kind.title.zh}的“{name}”应为数, 不是“{value}”。", f"'{name}' should be a number, not '{value}'."),
            Text(f"单位: {parameter.unit}。", f"Unit: {parameter.unit}."),
            name,
        )
    low = -np.inf if parameter.minimum is None else parameter.minimum
    high = np.inf if parameter.maximum is None else parameter.maximum
    if low <= value <= high:
        return None
    bounds = f"{low:g} – {high:g} {parameter.unit}"
    return fault(
        "out_of_bounds",
        Text(f"{kind.title.zh}的“{name}”为 {value:g}, 超出范围。", f"'{name}' is {value:g}, out of bounds."),
        Text(f"范围: {bounds}。", f"Bounds: {bounds}."),
        name,
    )


def _unknown(kind: Asset, name: str, known: tuple[str, ...]) -> Problem:
    listed = ", ".join(known)
    return fault(
        "unknown_parameter",
        Text(f"{kind.title.zh}没有参数“{name}”。", f"A {kind.title.en} has no parameter '{name}'."),
        Text(f"可用: {listed}。", f"Known: {listed}."),
        name,
    )


def _missing(kind: Asset, parameter: Parameter) -> Problem:
    return fault(
        "missing_parameter",
        Text(
            f"{kind.title.zh}缺少“{parameter.name}”({parameter.title.zh})。",
            f"A {kind.title.en} needs '{parameter.name}' ({parameter.title.en}).",
        ),
        Text(f"请填写, 单位 {parameter.unit}。", f"Give it in {parameter.unit}."),
        parameter.name,
    )


def fault(code: str, message: Text, hint: Text, column: str | None = None) -> Problem:
    """Return a problem of this room."""
    return Problem(code=f"assets.{code}", message=message, hint=hint, column=column)


def input_problems(kind: Asset, values: Values, conditions: Conditions) -> list[Problem]:
    """Return every fault of the series handed to an asset: absent, of another length, with holes."""
    problems: list[Problem] = []
    for wanted in kind.inputs:
        given = (conditions.monthly if wanted.monthly else conditions.series).get(wanted.name)
        length = len(conditions.grid.months) if wanted.monthly else conditions.grid.length
        if given is None:
            idle = wanted.when is not None and values.text(wanted.when[0]) != wanted.when[1]
            if wanted.default is None and wanted.unless not in conditions.series and not idle:
                zh, en = f"缺少序列“{wanted.name}”({wanted.title.zh})。", f"Series '{wanted.name}' is missing."
                problems.append(_series_fault("missing_series", kind, wanted, zh, en))
        elif isinstance(given, np.ndarray) and given.shape != (length,):
            zh, en = (
                f"“{wanted.name}”有 {given.size} 个值, 应有 {length} 个。",
                f"'{wanted.name}' has {given.size} values, not {length}.",
            )
            problems.append(_series_fault("series_length", kind, wanted, zh, en))
        elif not np.isfinite(given).all():
            holes = int(np.argmin(np.isfinite(over(given, length))))
            zh, en = (
                f"“{wanted.name}”有空缺(第 {holes + 1} 个起)。",
                f"'{wanted.name}' has holes, from value {holes + 1} on.",
            )
            problems.append(_series_fault("series_hole", kind, wanted, zh, en))
    return problems


def _series_fault(code: str, kind: Asset, wanted: Input, zh: str, en: str) -> Problem:
    hint = Text(f"{kind.title.zh}需要它, 单位 {wanted.unit}。", f"The {kind.title.en} needs it in {wanted.unit}.")
    return fault(code, Text(zh, en), hint, wanted.name)


def with_defaults(kind: Asset, conditions: Conditions) -> Conditions:
    """Return the conditions with the default of every input that was not given."""
    series = {one.name: one.default for one in kind.inputs if one.default is not None and not one.monthly}
    monthly = {one.name: one.default for one in kind.inputs if one.default is not None and one.monthly}
    return replace(conditions, series={**series, **conditions.series}, monthly={**monthly, **conditions.monthly})


def simulate(
    kind: Asset, values: Values, conditions: Conditions, actions: Mapping[str, Amount]
) -> Mapping[str, Floats]:
    """Return what every interval variable of an asset does under a schedule of wishes, by its physics alone.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> values, _ = values_of(asset("battery"), {"capacity_kwh": 1000, "initial_fraction": 0.5})
    >>> grid = Grid(datetime(2025, 1, 1, tzinfo=UTC), 60, 2)
    >>> done = simulate(asset("battery"), values, Conditions(grid), {"charge_kw": 100.0, "discharge_kw": 0.0})
    >>> bool(500 < done["stored_kwh"][0] < 600)
    True
    """
    conditions = with_defaults(kind, conditions)
    length, hours = conditions.grid.length, conditions.grid.step_hours
    known = {one.name: conditions.array(one.name) for one in kind.inputs if one.name in conditions.series}
    known |= kind.profile(values, conditions)
    wishes = {name: over(actions.get(name, 0.0), length) for name in kind.actions}
    state = {**kind.start(values), **conditions.initial}
    rows = []
    for slot in range(length):
        at = At(hours, {name: float(series[slot]) for name, series in known.items()})
        done = kind.step(values, state, {name: float(wish[slot]) for name, wish in wishes.items()}, at)
        state = {**state, **done.state}
        rows.append(done.values)
    return {name: np.asarray([row[name] for row in rows]) for name in rows[0]}
