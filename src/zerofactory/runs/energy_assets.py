"""The energy assets of a plant: ``[[assets]]`` of a known kind, their parameters checked against that kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from zerofactory.assets.asset import Asset as Kind
from zerofactory.assets.asset import Setting, Values, assets, values_of
from zerofactory.errors import NotFound, Problem, Text
from zerofactory.site.model import Asset, Plant

NEAR_FRACTION = 0.8
METER = "meter"  # any asset may name the meter that counts it


@dataclass(frozen=True, slots=True)
class PlantAsset:
    """One energy asset of the plant: its entry, its kind, its checked parameters; ``sized``: a size still to be decided."""

    entry: Asset
    kind: Kind
    values: Values
    sized: bool


def plant_assets(plant: Plant) -> tuple[tuple[PlantAsset, ...], list[Problem]]:
    """Return the energy assets of a plant, and every fault of all of them at once.

    Equipment of a kind we do not model (a switchgear, a transformer) keeps its parameters unchecked; a kind spelled nearly
    like a known one is warned about. An asset is a candidate when it gives a highest size instead of an installed one.
    """
    found: list[PlantAsset] = []
    problems: list[Problem] = []
    for entry in plant.assets:
        kind = assets().get(entry.kind)
        if kind is None:
            problems += [problem.at(column=f"assets.{entry.id}.kind") for problem in _misspelled(entry)]
            continue
        given = {name: value for name, value in entry.parameters.items() if name != METER}
        problems += [_placed(problem, entry) for problem in _meter_faults(plant, entry)]
        sized = is_candidate(kind, given)
        values, faults = values_of(kind, given, sized=sized)
        problems += [_placed(problem, entry) for problem in faults]
        if values is not None:
            found.append(PlantAsset(entry, kind, values, sized))
    return tuple(found), problems


def is_candidate(kind: Kind, given: Mapping[str, Setting]) -> bool:
    """Whether the parameters leave the size to be decided: no installed size, but a highest one."""
    if kind.size is None or kind.size in given:
        return False
    noun, _, unit = kind.size.rpartition("_")
    return f"{noun}_maximum_{unit}" in given


def _meter_faults(plant: Plant, entry: Asset) -> list[Problem]:
    known = [meter.id for meter in plant.meters]
    name = entry.parameters.get(METER)
    if name is None or name in known:
        return []
    return [NotFound(Text("表计", "meter"), str(name), known).as_problem().at(column=METER)]


def _placed(problem: Problem, entry: Asset) -> Problem:
    key = f".{problem.column}" if problem.column else ""
    where = f"assets.{entry.id}.parameters{key}"
    message = Text(f"{entry.name.zh}: {problem.message.zh}", f"{entry.name.en}: {problem.message.en}")
    return replace(problem, column=where, message=message)


def _misspelled(entry: Asset) -> list[Problem]:
    near = get_close_matches(entry.kind, tuple(assets()), n=1, cutoff=NEAR_FRACTION)
    if not near:
        return []
    return [
        Problem(
            "assets.unknown_kind",
            Text(
                f"“{entry.kind}”不是能源设备种类, 其参数未核对。",
                f"'{entry.kind}' is no kind of energy asset; not checked.",
            ),
            Text(f"是否为 {near[0]}?", f"Is {near[0]} meant?"),
            severity="warning",
        )
    ]
