"""Resolve: activity + place + day + method (as known on a day) -> the factor and the reason.

The public names of the room's choosing, in one place. `find` chooses one factor, `combine` and `single` make a
resolution of them, the fuel and gas functions do both for the common questions.
"""

from __future__ import annotations

from zerofactory.factors.check import check
from zerofactory.factors.choose import find
from zerofactory.factors.fuel import fuel_co2, fuel_gas, net_calorific_value
from zerofactory.factors.gas import blend, blend_gwp, gwp, is_kyoto, steam_enthalpy, uncertainty
from zerofactory.factors.model import Found, Resolution, Term, Unresolved
from zerofactory.factors.product import combine, recompute, single, unit_scale
from zerofactory.factors.scope import Scope
from zerofactory.factors.search import search
from zerofactory.factors.vocabulary import canonical, item_title

__all__ = [
    "Found",
    "Resolution",
    "Scope",
    "Term",
    "Unresolved",
    "blend",
    "blend_gwp",
    "canonical",
    "check",
    "combine",
    "find",
    "fuel_co2",
    "fuel_gas",
    "gwp",
    "is_kyoto",
    "item_title",
    "net_calorific_value",
    "recompute",
    "search",
    "single",
    "steam_enthalpy",
    "uncertainty",
    "unit_scale",
]
