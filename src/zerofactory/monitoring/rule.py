"""What an alarm rule is: a pure function from the intervals of one meter, its calendar and parameters to episodes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np

from zerofactory.discover import discover
from zerofactory.errors import NotFound, Text
from zerofactory.monitoring.anomaly import Judged
from zerofactory.monitoring.days import Days, Flags, Numbers, Places
from zerofactory.optimisation.quality.kept_promise import Looked
from zerofactory.optimisation.twin.expect import Scale

Severity = Literal["warning", "alarm"]
INSPECTION = "inspection"  # the carrier of what judges pictures: no energy


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a rule: default, bounds, and where it comes from."""

    rule: str
    name: str
    value: float
    unit: str
    minimum: float
    maximum: float
    title: Text
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched: a meter, or the site as the sum of its meters.

    Parameters
    ----------
    unit : str
        Unit of the amounts.
    bounds : tuple
        Most and least amount per hour that the meter may show, None where the plant file says nothing.
    feeds : bool
        Whether the meter counts what comes in rather than what one consumer takes (site, grid import).
    """

    id: str
    name: Text
    carrier: str
    unit: str
    shop: str | None = None
    level: Literal["meter", "site"] = "meter"
    bounds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What the calibrated twin expects of a place, day by day (D), and how far chance leads (`optimisation.twin.expect`).

    ``common`` is what all stations had in common on a day, ``reference`` what was new in the days of the fit, sorted.
    """

    energy: Numbers
    common: Numbers
    scale: Scale
    reference: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Pictured:
    """Pictures of one camera as they were booked, in blocks of equal size that are judged whole.

    Parameters
    ----------
    figures : array (P × F)
        Figures of the camera (`optimisation.quality.drift`).
    day : array (P)
        Day of each picture, counted from the first day watched.
    hashes : tuple of str
        Of the pictures: chance that breaks ties is drawn from them.
    references : tuple
        From which day on what counts as usual (R × F): first what the model learned from, then days taken for normal.
    """

    figures: Numbers
    day: Places
    hashes: tuple[str, ...]
    references: tuple[tuple[int, Numbers], ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """What people found of the parts of each day, and what the model promised: escapes (None: nothing) and false rejects."""

    days: tuple[Looked, ...]
    escape_fraction: float | None
    false_reject_fraction: float


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """The intervals of one subject, and from which day on episodes are asked for.

    Parameters
    ----------
    days : Days
        One meter (1 × D × S): the days before ``first`` only teach.
    first : int
        First day whose episodes are wanted.
    production : array (D × S)
        Whether a shift runs in a slot.
    given : Mapping
        Parameters of the rule by name, complete; limits that only the plant can state (``limit_per_hour``,
        ``contracted_kw``) where it does.
    judged : Judged, optional
        The days from ``first`` on against the learnt normal, of this one meter.
    expected : Expected, optional
        What the twin expects of all days, where this is a place of it.
    pictured, audited : optional
        What a camera saw, and what people found of its parts, where this is a camera; its days hold the parts judged.
    """

    subject: Subject
    days: Days
    first: int
    production: Flags
    given: Mapping[str, float] = field(default_factory=dict)
    judged: Judged | None = None
    expected: Expected | None = None
    pictured: Pictured | None = None
    audited: Audited | None = None

    @property
    def flow(self) -> Numbers:
        """Amount per hour of every slot (D·S)."""
        return np.asarray(self.days.values[0].ravel() * (60.0 / self.days.clock.minutes))

    @property
    def start(self) -> int:
        """The slot from which episodes are wanted."""
        return self.first * self.days.clock.slots

    @property
    def slot_hours(self) -> float:
        """Length of a slot in hours."""
        return self.days.clock.minutes / 60.0

    def slots_of(self, minutes: float) -> int:
        """Return how many slots a span covers, one at least."""
        return max(int(np.ceil(minutes / self.days.clock.minutes)), 1)


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that went wrong from one slot to another.

    ``first`` and ``last`` (not included) count slots from the first day; ``excess`` is the amount above what should have been
    (negative: below), in the subject's unit; ``value`` and ``limit`` per hour.
    """

    first: int
    last: int
    excess: float
    value: float
    limit: float
    message: Text


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: what is watched, and the episodes (first, last, excess) that must come out."""

    text: Text
    watched: Callable[[], Watched]
    expected: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Parameters
    ----------
    carriers : tuple of str
        What it is for; empty: everything metered.
    level : {'meter', 'site'}
        Whether it looks at meters or at the whole site.
    needs : tuple of str
        Limits that only the plant can state, without which it finds nothing.
    """

    id: str
    title: Text
    reference: str
    carriers: tuple[str, ...]
    find: Callable[[Watched], list[Episode]]
    example: Example
    level: Literal["meter", "site"] = "meter"
    needs: tuple[str, ...] = ()

    def suits(self, subject: Subject) -> bool:
        """Whether it looks at a subject."""
        return subject.level == self.level and (not self.carriers or subject.carrier in self.carriers)


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Rule]:
    """Return every rule by id, our own and those of installed packages."""
    return discover("zerofactory.monitoring.rules", "RULE", "zerofactory.alarm_rules")


def rule(name: str) -> Rule:
    """Return a rule by id; raise `NotFound` with the choices."""
    if name not in rules():
        raise NotFound(Text("报警规则", "alarm rule"), name, tuple(rules()))
    return rules()[name]


@lru_cache(maxsize=1)
def parameters() -> Mapping[str, Mapping[str, Parameter]]:
    """Return the parameters of every rule by rule and name (`rules/parameters.csv`)."""
    text = (files("zerofactory.monitoring") / "rules" / "parameters.csv").read_text(encoding="utf-8")
    found: dict[str, dict[str, Parameter]] = {}
    for row in csv.DictReader(text.splitlines()):
        numbers = (float(row["value"]), row["unit"], float(row["minimum"]), float(row["maximum"]))
        one = Parameter(row["rule"], row["name"], *numbers, Text(row["zh"], row["en"]), row["source"], row["status"])
        found.setdefault(one.rule, {})[one.name] = one
    return found


def defaults(name: str) -> dict[str, float]:
    """Return the default parameters of a rule.

    Examples
    --------
    >>> defaults("peak_demand")["averaging_minutes"]
    15.0
    """
    return {key: one.value for key, one in parameters().get(name, {}).items()}


def listed() -> list[dict[str, object]]:
    """Return every rule with its parameters, defaults and sources as plain JSON values."""
    known = parameters()
    return [
        {"rule": one.id, "title": {"zh": one.title.zh, "en": one.title.en}, "reference": one.reference, "carriers": list(one.carriers), "level": one.level, "needs": list(one.needs),
         "parameters": [{"name": p.name, "value": p.value, "unit": p.unit, "source": p.source, "status": p.status} for p in known.get(one.id, {}).values()]}
        for one in rules().values()
    ]  # fmt: skip
