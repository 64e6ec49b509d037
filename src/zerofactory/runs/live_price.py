"""What energy costs in every slot of a month, for live figures: the tariff and the gas price that the plant names."""

from __future__ import annotations

import numpy as np

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.metering.grid import Grid, grid_of
from zerofactory.metering.scatter import Numbers
from zerofactory.monitoring.live import Prices
from zerofactory.periods import Period
from zerofactory.runs.context import Context

Priced = tuple[str, str, Numbers]


def prices(context: Context, period: Period) -> Prices:
    """Return the price of each carrier that has one, and for electricity why it has none.

    Electricity: the energy charge of the tariff that ``[tariff]`` of the plant file names, else of the workspace's
    ``tariff.csv``. Gas: the first step of the price it names.
    """
    grid = grid_of(context.workspace.plant, period)
    refused: list[Text] = []
    found: dict[str, tuple[str, Numbers]] = {}
    said: list[Text] = []
    for carrier, asked in (("electricity", _named_tariff), ("electricity", _own_tariff), ("natural_gas", _gas)):
        if carrier in found:
            continue
        try:
            priced = asked(context, grid)
        except FaultyData as fault:
            refused += [problem.message for problem in fault.problems[:1]]
        except NotFound as fault:
            refused.append(fault.as_problem().message)
        else:
            if priced is not None:
                name, unit, series = priced
                found[carrier] = (unit, series)
                said.append(Text(name, name))
    names = ", ".join(one.zh for one in said)
    source = Text(
        f"费用按 {names}: 电量电费不含需量(容量)电费, 气价取第一档; 车间与表计按价估值, 全厂电费为外购部分。",
        f"Cost by {names}: energy charge without demand, first step of gas; shops and meters valued at it, "
        "the site's electricity is what is bought.",
    )
    reason = Text(" ".join(one.zh for one in refused), " ".join(one.en for one in refused))
    return Prices(found, Text(f"无费用: {reason.zh}", f"No cost: {reason.en}"), source)


def _named_tariff(context: Context, grid: Grid) -> Priced:
    from zerofactory.assets.grid import Grid as TariffGrid
    from zerofactory.assets.tariff import price_cny_per_kwh
    from zerofactory.runs.energy_tariff import plant_tariff

    workspace = context.workspace
    given = plant_tariff(workspace.plant, workspace.folder)
    slots = TariffGrid(grid.start, grid.minutes, grid.slots, workspace.plant.time_zone)
    use = workspace.plant.tariff
    name = "/".join((use.area, use.scheme, use.voltage)) if use else ""
    return name, "kWh", price_cny_per_kwh(given, slots)


def _own_tariff(context: Context, grid: Grid) -> Priced:
    from zerofactory.metering.signal import prices_of
    from zerofactory.runs.forecast import tariff_of

    given = tariff_of(context)
    return f"{given.id} {given.month}", "kWh", prices_of(given, grid.start, grid.minutes, grid.slots)


def _gas(context: Context, grid: Grid) -> Priced | None:
    from zerofactory.runs.energy_tariff import plant_gas_price

    plant = context.workspace.plant
    given = plant_gas_price(plant, context.workspace.folder)
    if given is None:
        return None
    price, unit = float(given.steps[0][1]), given.unit
    metered = {units.parse(meter.amount_unit).dimension for meter in plant.meters if meter.carrier == "natural_gas"}
    if unit == "m3" and metered == {"normal_volume"}:  # billed as measured, metered at 0 °C
        price, unit = price / units.normal_volume_ratio(plant.accounting.gas_meter_celsius), "Nm3"
    return f"gas/{given.id}", unit, np.full(grid.slots, price)
