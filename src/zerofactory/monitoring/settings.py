"""A plant's own settings of alarms, from ``alarms.toml`` of the workspace: limits only it can state, parameters, rules off.

[[rules]]
rule = "threshold"
meters = ["E-PT-CHP"]      # left out: every meter the rule suits
limit_per_hour = 900       # amount per hour: kW for kWh
off = false
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.monitoring.rule import Rule, Subject, defaults, parameters, rules
from zerofactory.notation import toml_of

FILE = "alarms.toml"
WATCH = "watch"  # not a rule: how collecting looks at the rules
LIMITS = ("limit_per_hour", "contracted_kw")


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry: parameters of a rule for some meters (none named: all), or the rule switched off for them."""

    rule: str
    meters: tuple[str, ...]
    given: Mapping[str, float]
    off: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All entries of a plant; later ones beat earlier ones."""

    entries: tuple[Setting, ...] = ()

    def given(self, rule: Rule, subject: Subject) -> dict[str, float] | None:
        """Return the parameters of a rule for a subject, None where it is off."""
        found, off = dict(defaults(rule.id)), False
        for entry in self.entries:
            if entry.rule == rule.id and (not entry.meters or subject.id in entry.meters):
                found.update(entry.given)
                off = entry.off
        return None if off else found

    def general(self, rule: str) -> dict[str, float]:
        """Return the parameters of a rule that hold for every meter."""
        found = dict(defaults(rule))
        for entry in self.entries:
            if entry.rule == rule and not entry.meters:
                found.update(entry.given)
        return found


def settings(text: str, meters: Collection[str]) -> tuple[Settings, list[Problem]]:
    """Return the settings of a file with every fault.

    Examples
    --------
    >>> found, faults = settings('[[rules]]\\nrule = "threshold"\\nmeters = ["E1"]\\nlimit_per_hour = 90.0', ["E1"])
    >>> found.entries[0].given, faults
    ({'limit_per_hour': 90.0}, [])
    """
    try:
        table = toml_of(text, FILE, "alarms.unreadable")
    except FaultyData as fault:
        return Settings(), list(fault.problems)
    problems = [_unknown(key, ("rules",)) for key in table if key != "rules"]
    entries = []
    listed = table.get("rules", [])
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        return Settings(), [*problems, _fault("rules", "rules 不是 [[rules]] 的列表。", "The rules are no list of [[rules]].", "每条规则写一个 [[rules]]。", "Write one [[rules]] for each rule.")]  # fmt: skip
    for row in listed:
        entry, faults = _entry(row, meters)
        problems += faults
        if entry is not None:
            entries.append(entry)
    return Settings(tuple(entries)), problems


def _entry(row: Mapping[str, Any], meters: Collection[str]) -> tuple[Setting | None, list[Problem]]:
    name = str(row.get("rule", ""))
    if name not in (*rules(), WATCH):
        return None, [_unknown(name or "rule", (*rules(), WATCH))]
    known = parameters().get(name, {})
    problems = []
    given: dict[str, float] = {}
    for key, value in row.items():
        if key in ("rule", "meters", "off"):
            continue
        if key not in known and key not in LIMITS:
            problems.append(_unknown(key, (*known, *LIMITS)))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            problems.append(_fault("not_a_number", f"“{key}”不是数。", f"'{key}' is not a number.", "请填数。", "Give a number."))  # fmt: skip
        elif key in known and not known[key].minimum <= value <= known[key].maximum:
            bounds = f"{known[key].minimum:g} … {known[key].maximum:g} {known[key].unit}"
            problems.append(_fault("out_of_bounds", f"“{key}” = {value:g} 超出范围。", f"'{key}' = {value:g} is out of bounds.", f"范围: {bounds}。", f"Bounds: {bounds}."))  # fmt: skip
        else:
            given[key] = float(value)
    named = row.get("meters", [])
    if not isinstance(named, list) or not isinstance(row.get("off", False), bool):
        problems.append(_fault("rules", "meters 应为列表, off 应为 true 或 false。", "The meters are a list, off is true or false.", "请改正该值。", "Mend the value."))  # fmt: skip
        return None, problems
    chosen = tuple(str(one) for one in named)
    problems += [_unknown(one, tuple(meters)) for one in chosen if one not in meters and one != "site"]
    return (Setting(name, chosen, given, bool(row.get("off", False))) if not problems else None), problems


def _unknown(name: str, choices: tuple[str, ...]) -> Problem:
    listed = ", ".join(choices[:12])
    return _fault(
        "unknown", f"不认识“{name}”。", f"'{name}' is unknown.", f"可选: {listed}。", f"Choose one of: {listed}."
    )


def _fault(code: str, zh: str, en: str, hint_zh: str, hint_en: str) -> Problem:
    return Problem(f"alarms.{code}", Text(zh, en), Text(hint_zh, hint_en), file=FILE)
