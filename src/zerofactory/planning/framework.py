"""Frameworks of targets as data: SBTi V1.x and V2.0, the national goals, sectoral pathways, published goals of car makers.

A number that a rule does not print, or that was not read, stays blank: asking for it is refused with the place to enter it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.planning.read import record, yaml_of
from zerofactory.planning.target import Sector

STATUSES = ("verified", "secondary", "placeholder")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a framework. Numbers that are not known are None; ``threshold_fraction`` is the share of scope 3 from which it asks."""

    id: str
    title: Text
    scope: str
    clause: str
    status: str
    source: str
    annual_fraction: float | None = None
    reduction_fraction: float | None = None
    coverage_fraction: float | None = None
    threshold_fraction: float | None = None
    by_year: int | None = None
    latest_base_year: int | None = None
    years: tuple[int, ...] = ()
    mandatory: bool = False
    note: Text | None = None

    def number(self, name: str) -> float:
        """Return a number of the rule; raise `FaultyData` when it is blank."""
        value = getattr(self, name)
        if value is None:
            raise FaultyData(
                [
                    Problem(
                        code="planning.blank_number",
                        message=Text(
                            f"规则“{self.id}”没有给出 {name}。", f"Rule '{self.id}' does not give its {name}."
                        ),
                        hint=Text(
                            '请用 method = "stated" 自行设定, 并注明依据。',
                            'Set a target of your own with method = "stated", and say on what ground.',
                        ),
                    )
                ]
            )
        return float(value)


@dataclass(frozen=True, slots=True)
class Framework:
    """A set of rules with its edition and status."""

    title: Text
    publisher: Text
    edition: str
    in_force: str
    status: str
    source: str
    rules: tuple[Rule, ...]
    id: str = ""
    notes: tuple[Text, ...] = field(default_factory=tuple)

    def rule(self, name: str) -> Rule:
        """Return one rule; raise `NotFound` with the choices."""
        for rule in self.rules:
            if rule.id == name:
                return rule
        raise NotFound(Text(f"{self.title.zh}的规则", f"rule of {self.title.en}"), name, [x.id for x in self.rules])

    def quote(self, rule: Rule) -> Text:
        """Return a rule with its edition, clause and status, for a table or a report."""
        place = f" {rule.clause}" if rule.clause else ""
        return Text(
            f"{self.title.zh}{place}: {rule.title.zh}({_STATUS[rule.status].zh})。",
            f"{self.title.en}{place}: {rule.title.en} ({rule.status}).",
        )


_STATUS: Mapping[str, Text] = {
    "verified": Text("已核对", "verified"),
    "secondary": Text("二手来源", "secondary"),
    "placeholder": Text("待核对", "placeholder"),
}


def _folder() -> Any:
    return files("zerofactory.planning") / "frameworks"


@lru_cache(maxsize=1)
def frameworks() -> Mapping[str, Framework]:
    """Return every framework by id.

    Examples
    --------
    >>> list(frameworks())
    ['cn_dual_carbon', 'sbti_v1', 'sbti_v2']
    """
    found = {}
    for entry in sorted(_folder().iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".yaml"):
            name = entry.name.removesuffix(".yaml")
            raw = yaml_of(entry.read_text(encoding="utf-8"))
            found[name] = record(Framework, {**raw, "id": name}, entry.name)
    return found


def framework(name: str) -> Framework:
    """Return one framework; raise `NotFound` with the choices."""
    if name not in frameworks():
        raise NotFound(Text("目标框架", "framework of targets"), name, tuple(frameworks()))
    return frameworks()[name]


@lru_cache(maxsize=1)
def sectors() -> Mapping[str, Sector]:
    """Return the sectoral pathways of `sectors.csv`."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for row in _rows("sectors.csv"):
        grouped.setdefault(row["sector"], []).append(row)
    return {
        name: Sector(
            name,
            Text(rows[0]["name_zh"], rows[0]["name_en"]),
            {int(row["year"]): float(row["intensity"]) for row in rows},
            {int(row["year"]): float(row["activity"]) for row in rows},
            rows[0]["intensity_unit"],
            rows[0]["activity_unit"],
            rows[0]["source"],
            rows[0]["status"],
        )
        for name, rows in grouped.items()
    }


def sector_of(name: str) -> Sector:
    """Return one sectoral pathway; raise `NotFound` with the choices."""
    if name not in sectors():
        raise NotFound(Text("行业路径", "sectoral pathway"), name, tuple(sectors()))
    return sectors()[name]


@dataclass(frozen=True, slots=True)
class PublishedTarget:
    """What a car maker has published about itself: an example, not a rule."""

    company: Text
    text: Text
    scope: str
    year: int
    base_year: int | None
    reduction_fraction: float | None
    source: str
    published: str
    status: str


@lru_cache(maxsize=1)
def published_targets() -> tuple[PublishedTarget, ...]:
    """Return the published targets of car makers, as examples."""
    return tuple(
        PublishedTarget(
            Text(row["company_zh"], row["company_en"]),
            Text(row["target_zh"], row["target_en"]),
            row["scope"],
            int(row["year"]),
            int(row["base_year"]) if row["base_year"] else None,
            float(row["reduction_fraction"]) if row["reduction_fraction"] else None,
            row["source"],
            row["published"],
            row["status"],
        )
        for row in _rows("published_targets.csv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (_folder() / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
