"""Vehicles as data: what each carries, uses, costs and reaches; every figure with its source and status.

    use per km = empty + (full − empty) × load / payload          (L, kg or kWh)

Rail and ship are bought by the tonne-kilometre; their factors hold the empty running of the service.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from zerofactory.errors import FaultyData, NotFound, Problem, Text

Mode = Literal["road", "rail", "water"]
Energy = Literal["diesel", "lng", "electricity", "hydrogen", "service"]
ROAD = (
    "payload_t", "volume_m3", "use_empty_per_km", "use_full_per_km", "price_cny_per_use", "other_cny_per_km", "fixed_cny_per_year",
    "speed_km_per_h", "turnaround_h", "hours_per_year",
)  # fmt: skip
SERVICE = ("price_cny_per_tkm", "speed_km_per_h")
MORE = {"electricity": ("battery_kwh", "charge_kw"), "hydrogen": ("range_km", "kwh_per_kg")}
OPTIONAL = ("range_km",)
UNLIMITED = float("inf")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, its unit, where it is from and how far it is checked."""

    value: float
    unit: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class VehicleKind:
    """A kind of vehicle and its figures; ``item`` books it (`accounting/carriage.csv`)."""

    id: str
    title: Text
    mode: Mode
    energy: Energy
    use_unit: str
    item: str
    figures: Mapping[str, Figure]

    def __getitem__(self, name: str) -> float:
        return self.figures[name].value

    @property
    def is_service(self) -> bool:
        """Whether it is bought by the tonne-kilometre."""
        return self.energy == "service"

    @property
    def range_km(self) -> float:
        """Kilometres that a full battery or tank drives fully laden; infinite where that is no question.

        Examples
        --------
        >>> vehicle_kind("battery_49t").range_km
        300.0
        """
        if "battery_kwh" in self.figures:
            return self["battery_kwh"] / self["use_full_per_km"]
        return self["range_km"] if "range_km" in self.figures else UNLIMITED

    @property
    def use_slope_per_tkm(self) -> float:
        """What a tonne more uses over a kilometre."""
        return (self["use_full_per_km"] - self["use_empty_per_km"]) / self["payload_t"]

    def with_figures(self, own: Mapping[str, float], source: str) -> VehicleKind:
        """Return the kind with a plant's own figures; raise `FaultyData` for names it does not have or values that cannot be."""
        unknown = sorted(set(own) - set(allowed(self.energy)))
        wrong = sorted(name for name, value in own.items() if not 0.0 <= value < UNLIMITED)
        if unknown or wrong:
            raise FaultyData([_not_a_figure(self, name) for name in (*unknown, *wrong)])
        new = {
            name: Figure(value, self.figures[name].unit if name in self.figures else "", source, "plant")
            for name, value in own.items()
        }
        return VehicleKind(
            self.id, self.title, self.mode, self.energy, self.use_unit, self.item, {**self.figures, **new}
        )


def allowed(energy: str) -> tuple[str, ...]:
    """Return the names of the figures that a vehicle with some energy has."""
    return SERVICE if energy == "service" else (*ROAD, *MORE.get(energy, ()), *OPTIONAL)


@lru_cache(maxsize=1)
def vehicle_kinds() -> Mapping[str, VehicleKind]:
    """Return every packaged kind by id."""
    figures: dict[str, dict[str, Figure]] = {}
    for row in _rows("vehicle_parameters.csv"):
        own = figures.setdefault(row["vehicle"], {})
        own[row["name"]] = Figure(float(row["value"]), row["unit"], row["source"], row["status"])
    return {
        row["id"]: VehicleKind(
            row["id"], Text(row["zh"], row["en"]), row["mode"], row["energy"], row["use_unit"], row["item"], figures[row["id"]],  # type: ignore[arg-type]
        )
        for row in _rows("vehicle_kinds.csv")
    }  # fmt: skip


def vehicle_kind(name: str) -> VehicleKind:
    """Return a kind by id; raise `NotFound` with the choices."""
    kinds = vehicle_kinds()
    if name not in kinds:
        raise NotFound(Text("车型", "vehicle"), name, tuple(kinds))
    return kinds[name]


def _rows(name: str) -> list[dict[str, str]]:
    with (files("zerofactory.optimisation.logistics") / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _not_a_figure(kind: VehicleKind, name: str) -> Problem:
    listed = ", ".join(allowed(kind.energy))
    return Problem(
        "logistics.vehicle_figure",
        Text(
            f"车型“{kind.id}”不能用参数“{name}”, 或值不对。",
            f"Vehicle '{kind.id}' does not take '{name}', or its value cannot be.",
        ),
        Text(f"可用(不为负): {listed}。", f"Use one of (not negative): {listed}."),
        column=name,
    )
