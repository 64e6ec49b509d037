"""Report forms: each folder under ``forms`` is one form, with ``form.toml`` (sections, requirements) and its template."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from operator import attrgetter

from zerofactory.errors import Misuse, NotFound, Text
from zerofactory.reporting.statement import Statement


@dataclass(frozen=True, slots=True)
class Section:
    """One section: number as printed (``4.2``), title, level and the worksheet with the same content."""

    id: str
    number: str
    level: int
    title: Text
    sheet: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing the standard asks a report to say, and where this form says it."""

    letter: str
    text: Text
    sections: tuple[str, ...]
    facts: tuple[str, ...]
    absent: Text


@dataclass(frozen=True, slots=True)
class Form:
    """One report form. ``template`` is the source of the pages."""

    id: str
    title: Text
    standard: str
    sections: tuple[Section, ...]
    requirements: tuple[Requirement, ...]
    template: bytes

    def section(self, identifier: str) -> Section:
        """Return one section by id."""
        for section in self.sections:
            if section.id == identifier:
                return section
        raise Misuse(f"form {self.id} has no section {identifier}")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a statement answers a requirement: with facts, or by saying plainly what is not provided."""

    requirement: Requirement
    provided: bool

    @property
    def remark(self) -> Text:
        """Answered, or what is stated instead."""
        return Text("已回答", "answered") if self.provided else self.requirement.absent


@lru_cache(maxsize=1)
def forms() -> dict[str, Form]:
    """Return every form by id."""
    folders = sorted(
        (entry for entry in (files("zerofactory.reporting") / "forms").iterdir() if (entry / "form.toml").is_file()),
        key=lambda entry: entry.name,
    )
    found: dict[str, Form] = {}
    for folder in folders:
        plan = tomllib.loads((folder / "form.toml").read_text(encoding="utf-8"))
        form = _form(plan, (folder / plan["template"]).read_bytes())
        if form.id in found or form.id != folder.name:
            raise Misuse(f"form {form.id} in folder {folder.name}: the id must be the folder's name")
        found[form.id] = form
    return found


def form_of(identifier: str) -> Form:
    """Return one form; raise `NotFound` with the choices when there is none of that name."""
    if identifier not in forms():
        raise NotFound(Text("报告格式", "report form"), identifier, tuple(forms()))
    return forms()[identifier]


def answers(form: Form, statement: Statement) -> tuple[Answer, ...]:
    """Return, requirement by requirement, whether the statement holds every fact that answers it."""
    return tuple(
        Answer(requirement, all(_stated(statement, path) for path in requirement.facts))
        for requirement in form.requirements
    )


def _stated(statement: Statement, path: str) -> bool:
    """Whether a fact is there: zero counts, None and an empty table do not."""
    try:
        value = attrgetter(path)(statement)
    except AttributeError:
        parent, _, _last = path.rpartition(".")
        if parent and attrgetter(parent)(statement) is None:
            return False
        raise Misuse(f"a statement has no {path}") from None
    return value is not None and value not in ((), "")


def _form(plan: dict[str, object], template: bytes) -> Form:
    listed = plan["sections"]
    asked = plan["requirements"]
    if not isinstance(listed, list) or not isinstance(asked, list):
        raise Misuse(f"form {plan['id']}: sections and requirements must be lists")
    sections = _numbered(listed)
    known = {section.id for section in sections}
    requirements = tuple(
        Requirement(
            row["letter"], Text(**row["text"]), tuple(row["sections"]), tuple(row["facts"]), Text(**row["absent"])
        )
        for row in asked
    )
    for requirement in requirements:
        if not requirement.sections or not set(requirement.sections) <= known:
            raise Misuse(f"form {plan['id']}: requirement {requirement.letter} names a section that does not exist")
    title = plan["title"]
    if not isinstance(title, dict):
        raise Misuse(f"form {plan['id']}: title needs zh and en")
    return Form(str(plan["id"]), Text(**title), str(plan["standard"]), sections, requirements, template)


def _numbered(rows: list[dict[str, object]]) -> tuple[Section, ...]:
    """Number the sections in order: 1, 2, 2.1, 2.2, 3."""
    counts = [0, 0]
    numbered = []
    for row in rows:
        level, title = row.get("level", 1), row["title"]
        if not isinstance(level, int) or not isinstance(title, dict):
            raise Misuse(f"section {row['id']}: level must be a whole number and title needs zh and en")
        counts = [counts[0] + 1, 0] if level == 1 else [counts[0], counts[1] + 1]
        number = f"{counts[0]}" if level == 1 else f"{counts[0]}.{counts[1]}"
        numbered.append(Section(str(row["id"]), number, level, Text(**title), str(row["sheet"])))
    return tuple(numbered)
