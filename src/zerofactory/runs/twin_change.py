"""Change the data of twin.toml as a scenario says: set keys, add, take away, scale what is drawn; every fault at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from zerofactory.errors import Problem, Text
from zerofactory.wording import row_name

KINDS = ("stations", "buffers", "pools")
TOLD = ("title", "basis", "measure")
"""Keys that say what a scenario is."""
BESIDE = ("shifts", "down", "overtime_h", "volume", "supply", "utilities", "labour", "investment", "connection")
"""Keys that change what lies around the line: `twin_shifts`, `twin_volume`, `twin_supply`, the utilities, `twin_cost`."""
LINE = (*KINDS, "add", "remove", "mix", "scale")
NAME = "twin.toml"
Rows = list[dict[str, Any]]
MOST_SHOWN = 16
WORDS: Mapping[str, str] = {
    "station": "工位", "stations": "工位", "buffer": "缓存", "buffers": "缓存", "pool": "资源", "pools": "资源", "key": "键", "kind": "种类",
    "carrier": "载能", "state": "状态", "measure": "措施", "typical": "典型", "year": "年", "line": "产线", "shop": "车间", "source": "排放源",
    "meter": "表计", "interval": "区间", "pieces": "件数", "utility": "公用设备", "electricity": "电", "natural_gas": "天然气",
    "compressed_air": "压缩空气", "water": "水", "heat": "热力", "draw": "用能", "booths": "喷房", "ovens": "烘房", "oxidisers": "RTO",
    "compressors": "空压机", "air": "用气点", "halls": "厂房", "loops": "管网", "loads": "负荷", "chillers": "冷水机", "heaters": "热源",
    "tanks": "蓄罐", "chiller": "冷水机", "heater": "热源", "compressor": "空压机", "signal": "信号",
}  # fmt: skip


def changed_by(raw: Mapping[str, Any], change: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the data of twin.toml changed as a scenario says, and every name in it that is not there.

    ``[stations.ID]``, ``[buffers.ID]``, ``[pools.ID]`` set keys of what is there (by id or line): a table is merged with what
    stands, a duration (a table with ``kind``) and any other value take its place, ``without = [KEY]`` takes keys away.
    ``[[add.stations]]`` and so on add, ``remove = [ID]`` takes stations, buffers or pools away, ``mix`` takes its place, and
    ``[[scale]]`` multiplies what stations draw of a carrier, in some states or in all and for each piece.
    """
    made = deepcopy(dict(raw))
    problems = [unknown(name, name, "key", (*LINE, *TOLD, *BESIDE), "scenario") for name in sorted(set(change) - {*LINE, *TOLD, *BESIDE})]  # fmt: skip
    there = {kind: [str(one.get("id") or one.get("line")) for one in raw.get(kind, ())] for kind in KINDS}
    gone = [str(name) for name in change.get("remove", ())]
    for name in sorted(set(gone)):
        if not any(name in names for names in there.values()):
            everything = [one for names in there.values() for one in names]
            problems.append(unknown("remove", name, "station, buffer or pool", everything, "scenario"))
    for kind in KINDS:
        rows: Rows = made.get(kind, [])
        for name, keys in change.get(kind, {}).items():
            if name not in there[kind] or name in gone:
                problems.append(unknown(f"{kind}.{name}", name, kind, set(there[kind]) - set(gone), "scenario"))
                continue
            place = there[kind].index(name)
            rows[place] = _with(rows[place], keys)
        kept = [row for row, name in zip(rows, there[kind], strict=True) if name not in gone]
        made[kind] = [*kept, *deepcopy(list(change.get("add", {}).get(kind, ())))]
    problems += [unknown(f"add.{name}", name, "kind", KINDS, "scenario") for name in sorted(set(change.get("add", {})) - set(KINDS))]  # fmt: skip
    scales = change.get("scale", ())
    for place, one in enumerate(scales):
        problems += _scale(made["stations"], one, f"scale{row_name(one, place, scales)}")
    if "mix" in change:
        made["mix"] = change["mix"]
    return made, problems


def with_powers(raw: Mapping[str, Any], fitted: Mapping[tuple[str, str], Mapping[str, float]]) -> dict[str, Any]:
    """Return the data of twin.toml with the powers that were fitted to readings in the place of its own.

    >>> told = {"stations": [{"id": "a", "draws": {"electricity": {"power": {"idle": 1, "working": 2}}}}]}
    >>> with_powers(told, {("a", "electricity"): {"idle": 3.5}})["stations"][0]["draws"]["electricity"]["power"]
    {'idle': 3.5, 'working': 2}
    """
    if not fitted:
        return dict(raw)
    made = deepcopy(dict(raw))
    for row in made.get("stations", ()):
        for carrier, draw in row.get("draws", {}).items():
            found = fitted.get((str(row.get("id") or row.get("line")), carrier))
            if found and isinstance(draw.get("power"), dict):
                draw["power"] |= found
    return made


def unknown(column: str, name: str, what: str, choices: Collection[str], file: str = NAME) -> Problem:
    """Return the fault of a name that is not there, with the choices, those spelled nearly like it first."""
    near = get_close_matches(name, list(choices), n=3)
    ordered = [*near, *(one for one in sorted(choices) if one not in near)]
    few = ", ".join(ordered[:MOST_SHOWN]) or "–"
    rest = (f" 等 {len(ordered)} 个", f" … {len(ordered)} in all") if len(ordered) > MOST_SHOWN else ("", "")
    return Problem(
        "twin_file.name",
        Text(f"没有“{name}”({_chinese(what)})。", f"There is no {what} '{name}'."),
        Text(f"可选: {few}{rest[0]}。", f"Choose one of: {few}{rest[1]}."),
        file=file,
        column=column,
    )


def _chinese(what: str) -> str:
    """Return what is missing in Chinese; a word that has none stays."""
    return " ".join(WORDS.get(part.rstrip(","), part) for part in what.split(" ") if part not in ("of", "with", "or"))


def _with(row: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with keys set and those of ``without`` taken away."""
    gone = keys.get("without", ())
    made = {name: value for name, value in row.items() if name not in (gone if isinstance(gone, list | tuple) else ())}
    return _merged(made, {name: value for name, value in keys.items() if name != "without"})


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(old)
    for name, value in new.items():
        before = made.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping) and "kind" not in value:
            made[name] = _merged(before, value)
        else:
            made[name] = deepcopy(value)
    return made


def _scale(rows: Rows, one: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """Multiply what some stations draw; yield what cannot be."""
    names = {str(row.get("id") or row.get("line")): row for row in rows}
    carrier, states = str(one.get("carrier", "")), one.get("states")
    draws = {name: row.get("draws") for name, row in names.items()}
    told = {name: one[carrier] for name, one in draws.items() if isinstance(one, dict) and carrier in one}
    drawing = {name: one for name, one in told.items() if isinstance(one, dict) and _numbers(one.get("power", {}))}
    if not drawing:
        carriers = {name for one in draws.values() if isinstance(one, dict) for name in one}
        yield unknown(f"{where}.carrier", carrier, "carrier", carriers, "scenario")
        return
    wanted: Sequence[str] = one.get("stations", tuple(drawing))
    for name in wanted:
        if name not in drawing:
            yield unknown(f"{where}.stations", name, f"station with {carrier}", drawing, "scenario")
            continue
        power = drawing[name].setdefault("power", {})
        missing = sorted(set(states or ()) - set(power))
        if missing:
            yield from (unknown(f"{where}.states", state, f"state of {name}", power, "scenario") for state in missing)
            continue
        for state in states or tuple(power):
            power[state] = power[state] * float(one.get("factor", 1.0))
        if states is None:
            drawing[name]["per_piece"] = drawing[name].get("per_piece", 0.0) * float(one.get("factor", 1.0))


def _numbers(power: object) -> bool:
    """Tell whether powers are numbers by state; what is not is told when the data are checked."""
    return isinstance(power, dict) and all(isinstance(one, int | float) for one in power.values())
