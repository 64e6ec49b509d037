"""Faults of a PACT file in our own words: the path in the JSON, what is wrong, how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from zerofactory.errors import Problem, Severity, Text
from zerofactory.wording import reason

LONGEST_SHOWN = 60
_NO_HINT = Text("请改正该值。", "Mend the value.")
_DECIMAL_HINT = Text('请用引号把数括起来, 如 "2.56"。', 'Put the number in quotes, e.g. "2.56".')


def path_text(path: Sequence[str | int]) -> str:
    """Return a path as a person reads it.

    Examples
    --------
    >>> path_text(["data", 0, "pcf", "declaredUnitAmount"])
    'data[0].pcf.declaredUnitAmount'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def problem(code: str, message: Text, hint: Text, path: Sequence[str | int], severity: Severity = "error") -> Problem:
    """Return a problem of this format at one path."""
    return Problem(f"pact.{code}", message, hint, column=path_text(path) or None, severity=severity)


def faults_of(error: ValidationError, prefix: Sequence[str | int]) -> list[Problem]:
    """Return every fault of a validation, each at its path below ``prefix``."""
    return [_translated(dict(entry), prefix) for entry in error.errors(include_url=False)]


def _translated(entry: Mapping[str, Any], prefix: Sequence[str | int]) -> Problem:
    path = (*prefix, *entry["loc"])
    key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    kind, shown = entry["type"], _shown(entry["input"])
    if kind == "extra_forbidden":
        message = Text(f"不认识的键“{key}”。", f"Unknown key '{key}'.")
        return problem(
            "unknown_key",
            message,
            Text(
                "请删除或改正拼写; 自有数据请放进 extensions。",
                "Remove it or mend the spelling; data of your own belong in extensions.",
            ),
            path,
        )
    if kind == "missing":
        return problem(
            "missing_key",
            Text(f"缺少必填的“{key}”。", f"'{key}' is required and missing."),
            Text("请补上。", "Add it."),
            path,
        )
    if kind == "literal_error":
        choices = entry["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        message = Text(f"“{key}”不能是 {shown}。", f"'{key}' cannot be {shown}.")
        return problem("not_a_choice", message, Text(f"可选: {choices}。", f"Choose one of: {choices}."), path)
    if kind.startswith("pact_"):
        said = entry["ctx"]
        message = (
            Text(f"“{key}”{said['zh']}。", f"'{key}': {said['en']}.")
            if key
            else Text(f"{said['zh']}。", f"{said['en']}.")
        )
        return problem(kind.removeprefix("pact_"), message, _NO_HINT, path)
    wanted = reason(entry)
    number = kind == "string_type" and isinstance(entry["input"], int | float) and not isinstance(entry["input"], bool)
    message = Text(f"“{key}”{wanted.zh}, 不是 {shown}。", f"'{key}': {wanted.en}, not {shown}.")
    return problem("wrong_type", message, _DECIMAL_HINT if number else _NO_HINT, path)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
