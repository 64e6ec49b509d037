"""How far energy is metered (能源计量器具配备率), after GB 17167-2006: meters there over meters needed, by energy and level.

    plant       energy that enters: every supply point, and every fuel that is known from documents only
    unit        energy that enters a shop: every shop that uses it (by a meter of its own, or by a source there)
    equipment   assets above the threshold of their kind, whose meter the asset's parameter "meter" names

The required fractions, clauses and their status stand in `meter_cover.csv` and `meter_cover.toml`.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from zerofactory.errors import Text
from zerofactory.metering.profile import shop_meters
from zerofactory.site.model import Plant
from zerofactory.site.tree import meter_tree

CoverLevel = Literal["plant", "unit", "equipment"]
COVER_LEVELS: Mapping[CoverLevel, Text] = {
    "plant": Text("进出用能单位", "plant"),
    "unit": Text("进出主要次级用能单位(车间)", "main units (shops)"),
    "equipment": Text("主要用能设备", "main equipment"),
}
BURNT_OR_BOUGHT = ("stationary_combustion", "mobile_combustion", "purchased_electricity", "purchased_heat", "purchased_steam")  # fmt: skip


@dataclass(frozen=True, slots=True)
class CoverLine:
    """One energy at one level. ``there`` of ``needed`` meters; ``lacking`` names what has none; None: not told by the plant file."""

    level: CoverLevel
    energy: str
    title: Text
    needed: int
    there: int
    required_fraction: float
    lacking: tuple[str, ...]

    @property
    def fraction(self) -> float | None:
        """Meters there over meters needed (GB 17167-2006, 3.2)."""
        return self.there / self.needed if self.needed else None

    @property
    def is_met(self) -> bool | None:
        """Whether the required fraction is reached; None where nothing is needed."""
        return None if self.fraction is None else self.fraction >= self.required_fraction


@dataclass(frozen=True, slots=True)
class CoverRules:
    """Where the requirement stands and how sure its figures are."""

    standard: str
    clause: str
    source: str
    status: str
    equipment: tuple[tuple[str, str, float], ...]
    required: Mapping[str, tuple[Text, Mapping[CoverLevel, float]]]


@lru_cache(maxsize=1)
def cover_rules() -> CoverRules:
    """Return the packaged requirement."""
    folder = files("zerofactory.monitoring")
    said: dict[str, Any] = tomllib.loads((folder / "meter_cover.toml").read_text(encoding="utf-8"))
    rows = csv.DictReader((folder / "meter_cover.csv").read_text(encoding="utf-8").splitlines())
    required = {
        row["class"]: (
            Text(row["zh"], row["en"]),
            {level: float(row[f"{level}_fraction"]) for level in COVER_LEVELS},
        )
        for row in rows
    }
    equipment = tuple((one["parameter"], one["class"], float(one["threshold"])) for one in said["equipment"])
    return CoverRules(said["standard"], said["clause"], said["source"], said["status"], equipment, required)


def meter_cover(plant: Plant) -> tuple[CoverLine, ...]:
    """Return how far each energy of a plant is metered, level by level; energies outside the standard are left out."""
    rules = cover_rules()
    lines = []
    for level, found in (("plant", _at_plant(plant)), ("unit", _at_shops(plant)), ("equipment", _at_equipment(plant))):
        for energy, (title, required) in rules.required.items():
            points = found.get(energy, {})
            if points:
                lacking = tuple(name for name, metered in points.items() if not metered)
                there = len(points) - len(lacking)
                lines.append(
                    CoverLine(level, energy, title, len(points), there, required[level], lacking)  # type: ignore[arg-type, index]
                )
    return tuple(lines)


def not_ours(plant: Plant) -> set[str]:
    """Return the meters that measure nothing of this plant (a contract partner's station): no shop, no tree, no source."""
    used = {name for source in plant.sources for name in (*source.meters, *source.split)}
    used |= {term for name in used & set(meter_tree(plant).terms) for term in meter_tree(plant).terms[name]}
    used |= {meter.parent for meter in plant.meters if meter.parent}
    return {m.id for m in plant.meters if m.shop is None and m.parent is None and m.kind != "virtual"} - used


@lru_cache(maxsize=1)
def _classes() -> Mapping[str, str]:
    """Return the energy class of carriers and of items of sources."""
    text = (files("zerofactory.monitoring") / "carriers.csv").read_text(encoding="utf-8")
    return {row["carrier"]: row["gb_class"] for row in csv.DictReader(text.splitlines()) if row["gb_class"]}


def _at_plant(plant: Plant) -> dict[str, dict[str, bool]]:
    """Return by energy what enters the plant, and whether a meter tells how much."""
    found: dict[str, dict[str, bool]] = {}
    metered = {meter.carrier for meter in plant.meters if meter.kind != "virtual"}
    others = not_ours(plant)
    for meter in plant.meters:
        energy = _classes().get(meter.carrier)
        if energy and meter.kind != "virtual" and meter.parent is None and meter.id not in others:
            found.setdefault(energy, {})[meter.id] = True
    for source in plant.sources:
        energy = _classes().get(source.item or "")
        if energy and source.kind in BURNT_OR_BOUGHT and not source.meters and source.item not in metered:
            found.setdefault(energy, {})[source.id] = False
    return found


def _at_shops(plant: Plant) -> dict[str, dict[str, bool]]:
    """Return by energy the shops that use it, and whether a meter of the shop tells how much."""
    found: dict[str, dict[str, bool]] = {}
    for carrier in dict.fromkeys(meter.carrier for meter in plant.meters):
        energy = _classes().get(carrier)
        if energy is None:
            continue
        tops = shop_meters(plant, carrier)
        using = {meter.shop for meter in plant.meters if meter.carrier == carrier and meter.shop and meter.parent}
        for shop in plant.shops:
            if shop.id in using or shop.id in tops:
                found.setdefault(energy, {})[shop.id] = shop.id in tops
    for source in plant.sources:
        energy = _classes().get(source.item or "")
        if energy and source.kind in BURNT_OR_BOUGHT and not source.meters and source.shop:
            found.setdefault(energy, {}).setdefault(source.shop, False)
    return found


def _at_equipment(plant: Plant) -> dict[str, dict[str, bool]]:
    """Return by energy the assets at or above the threshold, and whether they name a meter that is there."""
    known = {meter.id for meter in plant.meters}
    found: dict[str, dict[str, bool]] = {}
    for parameter, energy, threshold in cover_rules().equipment:
        for asset in plant.assets:
            size = asset.parameters.get(parameter)
            if isinstance(size, int | float) and size >= threshold:
                found.setdefault(energy, {})[asset.id] = str(asset.parameters.get("meter", "")) in known
    return found
