"""Returning packaging of logistics.toml: material factors by name from the factor book, the way back by the vehicle that drives it."""

from __future__ import annotations

from collections.abc import Iterator

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.optimisation.logistics.network import Carbon
from zerofactory.optimisation.logistics.packaging import Loop
from zerofactory.optimisation.logistics.vehicle import vehicle_kind
from zerofactory.runs import logistics_file
from zerofactory.runs.logistics_book import Desk
from zerofactory.runs.logistics_file import LogisticsFile, PackagingEntry


def loops(file: LogisticsFile, desk: Desk, carbon: Carbon) -> Iterator[Loop]:
    """Yield the packs of a file; raise `FaultyData` for a factor or vehicle that does not exist."""
    for entry in file.packaging:
        yield _loop(entry, desk, carbon)


def _loop(entry: PackagingEntry, desk: Desk, carbon: Carbon) -> Loop:
    kind = vehicle_kind(entry.return_vehicle)
    if kind.id not in {**carbon.per_use_g, **carbon.per_tkm_g}:
        raise FaultyData([_not_used(entry, kind.id)])
    load_t = 0.0
    if kind.is_service:
        grams, load_t = carbon.per_tkm_g[kind.id], 1.0
    else:
        load_t = kind["payload_t"]
        grams = kind["use_full_per_km"] * carbon.per_use_g[kind.id] / load_t
    return Loop(
        entry.id, entry.name.text, entry.packs_per_year, entry.working_days,
        entry.one_way_kg, _kg_per_kg(entry.one_way_factor, desk), entry.returnable_kg, _kg_per_kg(entry.returnable_factor, desk),
        entry.loop_days, entry.safety_fraction, entry.loss_fraction_per_year, entry.loops_in_life,
        entry.return_km, grams, load_t,
    )  # fmt: skip


def _kg_per_kg(name: str, desk: Desk) -> float:
    """Return a material factor of the book in kg CO2e per kg."""
    try:
        factor = desk.factors.factor(name)
    except (NotFound, KeyError) as error:
        raise FaultyData([_no_factor(name)]) from error
    above, below = factor.unit.split("/")
    mass = {"kg": 1.0, "t": 1000.0, "g": 0.001}
    numerator = next(
        (
            scale
            for unit, scale in sorted(mass.items(), key=lambda pair: -len(pair[0]))
            if above.startswith(f"{unit}CO2")
        ),
        None,
    )
    if numerator is None or units.parse(below).dimension != "mass":
        raise FaultyData([_no_factor(name)])
    return factor.value * numerator / units.ratio(below, "kg")


def _no_factor(name: str) -> Problem:
    return Problem(
        "logistics.packaging_factor",
        Text(f"没有按质量计的材料因子“{name}”。", f"There is no material factor by mass named '{name}'."),
        Text("请用 zf factor find 查编号。", "Find its id with zf factor find."),
        file=logistics_file.NAME,
    )


def _not_used(entry: PackagingEntry, kind: str) -> Problem:
    return Problem(
        "logistics.packaging_vehicle",
        Text(
            f"包装“{entry.id}”的返程车型“{kind}”不在 [[vehicles]] 中。",
            f"The vehicle '{kind}' that takes '{entry.id}' back is not in [[vehicles]].",
        ),
        Text("请加入该车型, 或换一种。", "Add the vehicle, or name another."),
        file=logistics_file.NAME,
    )
