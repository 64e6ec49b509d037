"""What can go wrong, and how it is told.

    ZeroFactoryError                 root of everything this package raises
    ├── Misuse                       the caller broke a contract (a bug, not bad data)
    ├── FaultyData                   the data have faults; carries every Problem found
    ├── NotFound                     a name that does not exist; carries the choices
    ├── BookClosed                   the period is sealed; a revision is needed
    └── BookBroken                   a hash or a record does not recompute

A fault in *data* is a `Problem` value: collected, reported all together, never raised one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal

Language = Literal["zh", "en"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in Chinese and in English."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return the sentence in one language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in data: what, where, and how to mend it.

    Parameters
    ----------
    code : str
        Stable identifier, ``room.fault`` in snake case, e.g. ``units.wrong_dimension``.
    message, hint : Text
        What is wrong; how to mend it.
    file, row, column : optional
        Where. ``row`` is the number a person sees in the file: 1 is the header line.
    severity : {'error', 'warning'}
        A warning is shown and does not stop the work.
    """

    code: str
    message: Text
    hint: Text
    file: str | None = None
    row: int | None = None
    column: str | None = None
    severity: Severity = "error"

    def at(self, *, file: str | None = None, row: int | None = None, column: str | None = None) -> Problem:
        """Return the same problem with a place filled in (known places are kept)."""
        return replace(
            self, file=self.file or file, row=self.row if self.row is not None else row, column=self.column or column
        )

    def where(self, language: Language) -> str:
        """Return the place as a person reads it, or an empty string."""
        parts: list[str] = []
        if self.file:
            parts.append(self.file)
        if self.row is not None:
            parts.append(f"第{self.row}行" if language == "zh" else f"row {self.row}")
        if self.column:
            parts.append(f"“{self.column}”列" if language == "zh" else f"column '{self.column}'")
        return (" " if language == "zh" else ", ").join(parts)

    def sentence(self, language: Language) -> str:
        """Return place, fault and hint as one line."""
        where = self.where(language)
        message, hint = self.message.in_language(language), self.hint.in_language(language)
        return f"{where}: {message} {hint}".strip(": ") if where else f"{message} {hint}".strip()

    def as_json(self) -> dict[str, object]:
        """Return the problem as plain JSON values, both languages included."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "row": self.row,
            "column": self.column,
            "message": {"zh": self.message.zh, "en": self.message.en},
            "hint": {"zh": self.hint.zh, "en": self.hint.en},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Problem:
        """Return the problem that `as_json` wrote.

        Examples
        --------
        >>> one = Problem("a.b", Text("错", "wrong"), Text("改", "mend"), file="x.csv", row=3)
        >>> Problem.from_json(one.as_json()) == one
        True
        """
        place = {name: told[name] for name in ("file", "row", "column", "severity")}
        return cls(told["code"], Text(**told["message"]), Text(**told["hint"]), **place)


class ZeroFactoryError(Exception):
    """Root of every exception of this package."""


class Misuse(ZeroFactoryError):
    """The caller broke a contract; a bug in the caller, never a fault in data."""


class FaultyData(ZeroFactoryError):
    """Data have faults. ``problems`` holds every one of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.sentence("en") for problem in self.problems[:3]))


class NotFound(ZeroFactoryError):
    """A name that does not exist. ``choices`` holds what could have been meant."""

    def __init__(self, what: Text, name: str, choices: Sequence[str] = ()) -> None:
        self.what, self.name, self.choices = what, name, tuple(choices)
        listed = f"; choices: {', '.join(self.choices[:12])}" if self.choices else ""
        super().__init__(f"{what.en} '{name}' not found{listed}")

    def as_problem(self) -> Problem:
        """Return the same fact as a problem, for doors that report instead of raising; near spellings come first."""
        near = get_close_matches(self.name, self.choices, n=3)
        ordered = [*near, *(choice for choice in self.choices if choice not in near)]
        listed = ", ".join(ordered[:12])
        rest = (f" 等 {len(ordered)} 个", f" … {len(ordered)} in all") if len(ordered) > 12 else ("", "")
        return Problem(
            code="name.not_found",
            message=Text(f"没有{self.what.zh}“{self.name}”。", f"There is no {self.what.en} '{self.name}'."),
            hint=Text(f"可选: {listed}{rest[0]}。", f"Choose one of: {listed}{rest[1]}.") if listed else Text("", ""),
        )


class BookClosed(ZeroFactoryError):
    """The period is sealed; facts in it change only by a revision with a reason."""

    def __init__(self, period: str) -> None:
        self.period = period
        super().__init__(f"period {period} is closed; use a revision with a reason")


class BookBroken(ZeroFactoryError):
    """The book does not verify. ``problems`` says exactly what is broken."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.sentence("en") for problem in self.problems[:3]))


def errors_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return only the problems that stop the work."""
    return tuple(problem for problem in problems if problem.severity == "error")


def refuse(problems: Iterable[Problem]) -> None:
    """Raise `FaultyData` with every problem when at least one is an error."""
    listed = tuple(problems)
    if errors_of(listed):
        raise FaultyData(listed)
