"""Changing who does what in ``plan.toml`` without touching the rest of it: comments, order and every other key stay as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import toml_of
from zerofactory.planning.mechanism import Process
from zerofactory.site.edit import with_entries

LETTERS = ("responsible", "accountable", "consulted", "informed")
LETTER_OF = {"R": "responsible", "A": "accountable", "C": "consulted", "I": "informed"}


def process_of(process: Process, letters: Mapping[str, str]) -> Process:
    """Return a process with the letters of a row of the matrix: role → ``R``, ``A``, ``C``, ``I``, joined by ``/``, or nothing.

    Raises
    ------
    FaultyData
        Not exactly one role answers for it, nobody does it, or a letter is unknown.

    Examples
    --------
    >>> line = Process("inventory", Text("核算", "inventory"), ("carbon",), "director")
    >>> process_of(line, {"carbon": "R/I", "energy": "R", "director": "A"}).responsible
    ('carbon', 'energy')
    """
    held: dict[str, list[str]] = {name: [] for name in LETTERS}
    faults = []
    for role, text in letters.items():
        for letter in (part.strip().upper() for part in text.replace(",", "/").split("/") if part.strip()):
            if letter in LETTER_OF:
                held[LETTER_OF[letter]].append(role)
            else:
                faults.append(_fault(process, f"“{letter}”不是 R、A、C 或 I。", f"'{letter}' is none of R, A, C, I."))
    if len(held["accountable"]) != 1:
        count = len(held["accountable"])
        faults.append(_fault(process, f"须恰有一个角色负责(A), 现有 {count} 个。", f"Exactly one role answers for it (A); there are {count}."))  # fmt: skip
    if not held["responsible"]:
        faults.append(_fault(process, "须至少有一个角色执行(R)。", "At least one role does it (R)."))
    if faults:
        raise FaultyData(faults)
    return replace(
        process, responsible=tuple(held["responsible"]), accountable=held["accountable"][0],
        consulted=tuple(held["consulted"]), informed=tuple(held["informed"]),
    )  # fmt: skip


def with_duties(content: str, processes: Sequence[Process], holders: Mapping[str, str]) -> str:
    """Return the text of a plan with other letters for its processes and other holders for its roles.

    Raises
    ------
    FaultyData
        The file is written in a way whose lines cannot be changed one by one.
    """
    mechanism = toml_of(content, "plan.toml").get("mechanism", {})
    made = {one.id: one for one in processes}
    lines = [_line(entry, made.get(entry["id"])) for entry in mechanism.get("processes", [])]
    roles = [{**entry, "holder": holders.get(entry["id"], entry["holder"])} for entry in mechanism.get("roles", [])]
    text = with_entries(content, "mechanism.processes", lines) if lines else content
    return with_entries(text, "mechanism.roles", roles) if roles else text


def _line(entry: Mapping[str, object], process: Process | None) -> dict[str, object]:
    if process is None:
        return dict(entry)
    values = {name: getattr(process, name) for name in LETTERS}
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {**entry, **{name: value for name, value in said.items() if value or name in entry}}


def _fault(process: Process, zh: str, en: str) -> Problem:
    return Problem(
        "planning.raci",
        Text(f"{process.title.zh}: {zh}", f"{process.title.en}: {en}"),
        Text("R 执行, A 负责(恰一个), C 咨询, I 知会。", "R does it, A answers (just one), C is asked, I is told."),
    )
