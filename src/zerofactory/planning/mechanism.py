"""The management mechanism (碳管理机制): who does what, by which system, when it is checked, and against which checklists."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from zerofactory.errors import NotFound, Problem, Text

Area = Literal["plant", "supply_chain"]
Stage = Literal["plan", "do", "check", "act"]
STAGES: Mapping[Stage, Text] = {
    "plan": Text("策划", "plan"),
    "do": Text("实施", "do"),
    "check": Text("检查", "check"),
    "act": Text("改进", "act"),
}
AREAS: Mapping[Area, Text] = {"plant": Text("厂内", "plant"), "supply_chain": Text("供应链", "supply chain")}


@dataclass(frozen=True, slots=True)
class Role:
    """One role of the carbon organisation, its holder, and what the holder answers for."""

    id: str
    title: Text
    holder: str
    area: Area
    duties: Text
    deputy: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the RACI matrix; roles by id: does it, answers for it (exactly one), is asked, is told."""

    id: str
    title: Text
    responsible: tuple[str, ...]
    accountable: str
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InformationItem:
    """One part of the information system for energy use: what, from where, how often, who keeps it."""

    what: Text
    origin: Text
    frequency: Text
    role: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One entry of the verification calendar, each year on the same day."""

    title: Text
    month: int
    day: int
    role: str
    standard: str | None = None


@dataclass(frozen=True, slots=True)
class Mechanism:
    """The organisation of a plan."""

    roles: tuple[Role, ...] = ()
    processes: tuple[Process, ...] = ()
    information: tuple[InformationItem, ...] = ()
    calendar: tuple[Checkpoint, ...] = ()
    checklists: tuple[str, ...] = ("gb_t_23331_2020", "t_cieccpa_002_2021")

    def role(self, name: str) -> Role:
        """Return a role; raise `NotFound` with the choices."""
        for role in self.roles:
            if role.id == name:
                return role
        raise NotFound(Text("角色", "role"), name, [role.id for role in self.roles])


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One requirement of a management standard, in our own words."""

    id: str
    standard: str
    clause: str
    stage: Stage
    text: Text
    evidence: Text
    status: str


def faults(mechanism: Mechanism) -> list[Problem]:
    """Return what does not hold together: unknown roles, areas without anyone, dates that do not exist."""
    known = {role.id for role in mechanism.roles}
    problems = []
    for process in mechanism.processes:
        named = (*process.responsible, process.accountable, *process.consulted, *process.informed)
        problems += [_unknown_role(name, f"raci {process.id}") for name in named if name not in known]
    problems += [_unknown_role(item.role, item.what.en) for item in mechanism.information if item.role not in known]
    problems += [_unknown_role(point.role, point.title.en) for point in mechanism.calendar if point.role not in known]
    problems += [_bad_date(point) for point in mechanism.calendar if not _is_date(point)]
    present = {role.area for role in mechanism.roles}
    if mechanism.roles:
        problems += [_nobody(area) for area in AREAS if area not in present]
    return problems


def _is_date(point: Checkpoint) -> bool:
    longest = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= point.month <= 12 and 1 <= point.day <= longest[point.month - 1]


def _unknown_role(name: str, where: str) -> Problem:
    return Problem(
        code="planning.unknown_role",
        message=Text(f"{where}: 没有角色“{name}”。", f"{where}: there is no role '{name}'."),
        hint=Text("请在 [[mechanism.roles]] 中登记。", "Add it under [[mechanism.roles]]."),
    )


def _bad_date(point: Checkpoint) -> Problem:
    return Problem(
        code="planning.bad_date",
        message=Text(f"“{point.title.zh}”的日期不存在。", f"The date of '{point.title.en}' does not exist."),
        hint=Text("月 1–12, 日不超过该月天数。", "Month 1-12, day within the month (February 28 at most)."),
    )


def _nobody(area: Area) -> Problem:
    return Problem(
        code="planning.nobody",
        message=Text(f"没有人负责{AREAS[area].zh}碳管理。", f"Nobody is named for the {AREAS[area].en}."),
        hint=Text(f'请登记 area = "{area}" 的角色。', f'Add a role with area = "{area}".'),
        severity="warning",
    )


@lru_cache(maxsize=1)
def checklists() -> Mapping[str, tuple[ChecklistItem, ...]]:
    """Return every checklist by standard.

    Examples
    --------
    >>> [item.stage for item in checklists()["t_cieccpa_002_2021"]][:2]
    ['plan', 'plan']
    """
    folder = files("zerofactory.planning") / "checklists"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".csv"):
            name = entry.name.removesuffix(".csv")
            with entry.open(encoding="utf-8") as stream:
                found[name] = tuple(_item(name, row) for row in csv.DictReader(stream))
    return found


def checklist(name: str) -> tuple[ChecklistItem, ...]:
    """Return one checklist; raise `NotFound` with the choices."""
    if name not in checklists():
        raise NotFound(Text("检查表", "checklist"), name, tuple(checklists()))
    return checklists()[name]


def _item(standard: str, row: Mapping[str, str]) -> ChecklistItem:
    stage: Stage = row["stage"]  # type: ignore[assignment]
    return ChecklistItem(
        row["id"],
        standard,
        row["clause"],
        stage,
        Text(row["zh"], row["en"]),
        Text(row["evidence_zh"], row["evidence_en"]),
        row["status"],
    )


def matrix(mechanism: Mechanism) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """Return the RACI matrix: for each process a letter (or several) by role id.

    Examples
    --------
    >>> line = Process("inventory", Text("核算", "inventory"), ("carbon",), "director", informed=("carbon",))
    >>> matrix(Mechanism(processes=(line,)))
    (('inventory', {'carbon': 'R/I', 'director': 'A'}),)
    """
    lines = []
    for process in mechanism.processes:
        letters: dict[str, list[str]] = {}
        groups: Sequence[tuple[str, Sequence[str]]] = (
            ("R", process.responsible),
            ("A", (process.accountable,)),
            ("C", process.consulted),
            ("I", process.informed),
        )
        for letter, names in groups:
            for name in names:
                letters.setdefault(name, []).append(letter)
        lines.append((process.id, {name: "/".join(found) for name, found in sorted(letters.items())}))
    return tuple(lines)
