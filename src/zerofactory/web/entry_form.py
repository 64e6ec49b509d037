"""A form of one entry of the plant file: its fields, what a person wrote, and each fault at the field it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nicegui import ui

from zerofactory.errors import Problem, Text
from zerofactory.web.visit import Visit

Sort = Literal["text", "both", "number", "whole", "choice", "many", "flag", "date", "pairs"]
MANY = 8  # from so many choices on, a person types to find one
_PAIR = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its key in the plant file, its title, what it holds, and a word of help.

    ``free`` lets a person write what is not among the choices; ``more`` puts the field under "more".
    """

    name: str
    title: Text
    sort: Sort = "text"
    choices: Mapping[str, str] = field(default_factory=dict)
    help: Text | None = None
    free: bool = False
    more: bool = False


class EntryForm:
    """The drawn form of an entry."""

    def __init__(
        self, visit: Visit, fields: Sequence[Field], entry: Mapping[str, Any], wide: bool = False, mark: str = "zf"
    ) -> None:
        self._mark = mark  # begins the id of every field: two forms on a page have marks of their own
        self._visit, self._fields, self._given = visit, tuple(fields), dict(entry)
        self._inputs: dict[str, Any] = {}
        self._english: dict[str, ui.input] = {}
        grid = "w-full grid grid-cols-1 gap-x-4 gap-y-1 " + ("md:grid-cols-2" if wide else "sm:grid-cols-2")
        with ui.element("div").classes(grid):
            for one in self._fields:
                if not one.more:
                    self._draw(one)
        more = [one for one in self._fields if one.more]
        if more:
            opened = any(one.name in self._given for one in more)
            with (
                ui.expansion(visit.say("更多", "More"), value=opened).classes("w-full"),
                ui.element("div").classes(grid),
            ):
                for one in more:
                    self._draw(one)

    def entry(self) -> dict[str, Any]:
        """Return the entry as it is written now; what the form does not show stays as it was."""
        found = dict(self._given)
        for one in self._fields:
            value = self._value(one)
            if value is None:
                found.pop(one.name, None)
            else:
                found[one.name] = value
        return found

    def show(self, problems: Sequence[Problem], prefix: str) -> list[Problem]:
        """Show each fault at its field and return those that are about something else."""
        for drawn in self._inputs.values():
            drawn.error = None
        rest = []
        for problem in problems:
            key = (
                (problem.column or "").removeprefix(f"{prefix}.")
                if (problem.column or "").startswith(f"{prefix}.")
                else ""
            )
            name = re.split(r"[.\[]", key)[0]
            if name in self._inputs and hasattr(self._inputs[name], "error"):
                said = f"{self._visit.read(problem.message)} {self._visit.read(problem.hint)}"
                self._inputs[name].error = said
            else:
                rest.append(problem)
        return rest

    def set(self, name: str, value: Any) -> None:
        """Put a value into a field."""
        self._inputs[name].value = value

    def _draw(self, one: Field) -> None:
        visit, value = self._visit, self._given.get(one.name)
        label = visit.read(one.title)
        match one.sort:
            case "both":
                both = value if isinstance(value, dict) else {"zh": value or "", "en": value or ""}
                drawn: Any = ui.input(f"{label} · 中文", value=both["zh"])
                self._english[one.name] = (
                    ui.input(f"{label} · English", value=both["en"]).props(f'dense outlined for="{self._mark}-{one.name}-en"').classes("w-full pb-2")
                )  # fmt: skip
            case "choice":
                choices = {**one.choices, **({value: value} if value and value not in one.choices else {})}
                drawn = ui.select(
                    choices,
                    value=value or None,
                    label=label,
                    clearable=True,
                    with_input=one.free or len(choices) > MANY,
                    new_value_mode="add-unique" if one.free else None,
                )
            case "many":
                chosen = [name for name in value or () if name in one.choices]
                drawn = ui.select(dict(one.choices), value=chosen, label=label, multiple=True, with_input=len(one.choices) > MANY).props("use-chips")  # fmt: skip
            case "flag":
                drawn = ui.checkbox(label, value=True if value is None else bool(value))
            case "pairs":
                text = "\n".join(f"{name} = {told}" for name, told in (value or {}).items())
                drawn = ui.textarea(label, value=text).props("autogrow")
            case _:
                drawn = ui.input(label, value="" if value is None else str(value))
        if one.sort in ("number", "whole"):
            drawn.props("inputmode=decimal")
        if one.sort == "date":
            drawn.props("type=date stack-label")
        drawn.props(f'for="{self._mark}-{one.name}"').classes("w-full")
        if one.sort != "flag":
            drawn.props("dense outlined")
        if one.help is not None and one.sort != "flag":
            drawn.props(f'hint="{visit.read(one.help)}"')
        self._inputs[one.name] = drawn

    def _value(self, one: Field) -> Any:
        value = self._inputs[one.name].value
        match one.sort:
            case "flag":
                return False if not value else True if one.name in self._given else None
            case "many":
                return list(value) or None
            case "both":
                zh, en = (value or "").strip(), (self._english[one.name].value or "").strip()
                if not zh and not en:
                    return ""
                return {"zh": zh or en, "en": en or zh} if zh != en and zh and en else zh or en
            case "number" | "whole":
                return _number(value)
            case "pairs":
                return _pairs(value or "") or None
            case _:
                text = (value or "").strip() if isinstance(value, str) else value
                return text or None


def _number(value: object) -> object:
    """Return a number as written, whole where it is whole; what is none stays text, for the check to refuse.

    Examples
    --------
    >>> _number("4,000"), _number("0.5"), _number(""), _number("abc")
    (4000, 0.5, None, 'abc')
    """
    text = str(value if value is not None else "").replace(",", "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def _pairs(text: str) -> dict[str, str | float]:
    """Return ``name = value`` lines as a table; a value that is a number is one.

    Examples
    --------
    >>> _pairs("use = road\\nco2_fraction=0.2")
    {'use': 'road', 'co2_fraction': 0.2}
    """
    found: dict[str, str | float] = {}
    for line in text.splitlines():
        match = _PAIR.match(line)
        if match is None:
            continue
        name, value = match.group(1), match.group(2).strip("\"'")
        number = _number(value)
        found[name] = number if isinstance(number, int | float) else value
    return found
