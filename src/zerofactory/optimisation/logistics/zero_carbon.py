"""What a chain without emissions still needs: clean electricity, hydrogen, and carriers that change; what each costs; what is left.

The cleanest plan is solved with vehicles that burn nothing. What it still emits is told by who must act: the supply of electricity
(at chargers, electrolysers and hubs), carriers of rail and ship, and engines on legs where no other vehicle may run.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerofactory.errors import Text
from zerofactory.optimisation.logistics.chain import Chains
from zerofactory.optimisation.logistics.network import NetworkPlan, NetworkProblem


@dataclass(frozen=True, slots=True)
class Residual:
    """Tonnes that are left, on what, and what takes them away; ``energy_kwh`` of clean electricity where that is the answer."""

    place: str
    vehicle: str | None
    emissions_t: float
    energy_kwh: float
    cure: Text


@dataclass(frozen=True, slots=True)
class Need:
    """The residuals, largest first; electricity in kWh; the cost against the chain as it is; CNY a tonne on the way there."""

    residuals: tuple[Residual, ...]
    electricity_kwh: float
    hydrogen_kg: float
    services_t: float
    engines_t: float
    electricity_t: float
    extra_cny: float
    saved_t: float

    @property
    def cny_per_t(self) -> float | None:
        """Extra cost of a tonne saved; None where nothing is saved."""
        return self.extra_cny / self.saved_t if self.saved_t > 0 else None


CLEAN_POWER = Text("绿电(自建、直连或绿证)", "clean electricity (own, direct line or certificates)")
CARRIER = Text(
    "承运人脱碳: 绿电牵引、岸电、零碳燃料", "the carrier changes: clean traction, shore power, zero-carbon fuel"
)
NO_CHOICE = Text(
    "该路段没有零排放车型可用: 加充电站、换车或改线",
    "no vehicle without an engine may run: add chargers, change vehicle or way",
)


def needs(problem: NetworkProblem, found: Chains, before: NetworkPlan, clean: NetworkPlan) -> Need:
    """Return what a chain's cleanest plan still needs to emit nothing."""
    residuals, power, hydrogen = [], 0.0, 0.0
    parts = {"services": 0.0, "engines": 0.0, "electricity": 0.0}
    for one in found.elements:
        kind, tonnes, energy, cure = problem.fleet(one.vehicle).kind, one.emissions_g / 1e6, 0.0, CARRIER
        if kind.energy == "electricity":
            energy, cure = one.use, CLEAN_POWER
        elif kind.energy == "hydrogen":
            energy, cure, hydrogen = one.use * kind["kwh_per_kg"], CLEAN_POWER, hydrogen + one.use
        elif not kind.is_service:
            cure = NO_CHOICE
        power += energy
        parts["electricity" if energy else "services" if kind.is_service else "engines"] += tonnes
        residuals.append(Residual(one.leg, one.vehicle, tonnes, energy, cure))
    for hub in found.hubs:
        power += hub.energy_kwh
        parts["electricity"] += hub.emissions_g / 1e6
        residuals.append(Residual(hub.node, None, hub.emissions_g / 1e6, hub.energy_kwh, CLEAN_POWER))
    return Need(
        tuple(sorted((r for r in residuals if r.emissions_t > 0), key=lambda one: -one.emissions_t)), power, hydrogen,
        parts["services"], parts["engines"], parts["electricity"],
        clean.cost_cny - before.cost_cny, before.emissions_t - clean.emissions_t,
    )  # fmt: skip
