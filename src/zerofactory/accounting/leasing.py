"""Leased assets: energy used in space and equipment on a lease, where the reporter does not count it in scopes 1 and 2."""

from __future__ import annotations

from zerofactory.accounting.combustion import combustion_flows
from zerofactory.accounting.heat import DETAILS, heat_flows
from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.power import GRID, grid_factor
from zerofactory.accounting.source import Ask, Flow

FUELS = ("natural_gas", "diesel", "gasoline", "lpg")
ITEMS = ("electricity", "heat", "steam", "hot_water", *FUELS)
UNITS = ("energy", "mass", "volume", "normal_volume")

__all__ = ["DETAILS", "ITEMS", "UNITS", "leased_flows"]


def leased_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of the energy used: power at the local grid's average, heat, or a burnt fuel."""
    if ask.item in FUELS:
        return combustion_flows(ask, "stationary")
    if ask.item == "electricity":
        return (indirect_flow(ask, [grid_factor(ask)], "kWh × grid", GRID),)
    return heat_flows(ask)
