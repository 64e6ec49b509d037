"""Transport chains as ISO 14083:2023 counts them: elements, transport activity, driven kilometres, empty running, hubs.

    transport activity of an element   T = Σ tonnes × shortest feasible distance             [t·km]
    emissions of an element            G = (fuel or electricity, empty running included) × factor, well to wheel
    share of a consignment             G × (its t·km) ÷ (t·km of the element)
    distance adjustment factor         DAF = driven ÷ shortest feasible distance
    hub                                G = tonnes through it × kWh/t × factor

Intensities are therefore per tonne and shortest feasible kilometre, and chains compare whatever detours their carriers drive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from zerofactory.optimisation.logistics.network import NetworkPlan, NetworkProblem


@dataclass(frozen=True, slots=True)
class Element:
    """A transport chain element: a vehicle over a leg, all consignments together.

    ``use`` is litres, kilograms or kilowatt-hours (0: a service). ``empty_fraction`` is the share of driven kilometres without load,
    ``load_fraction`` the mean load of laden trips against the payload (both None for a service).
    """

    leg: str
    vehicle: str
    tonnes: float
    activity_tkm: float
    driven_tkm: float
    vehicle_km: float
    empty_fraction: float | None
    load_fraction: float | None
    use: float
    use_unit: str
    emissions_g: float

    @property
    def intensity_g_per_tkm(self) -> float:
        """Grams of CO2e per tonne-kilometre of transport activity."""
        return self.emissions_g / self.activity_tkm if self.activity_tkm else 0.0


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub operation: tonnes that came to a node, the energy of handling them, grams of CO2e."""

    node: str
    tonnes: float
    energy_kwh: float
    emissions_g: float


@dataclass(frozen=True, slots=True)
class Consignment:
    """A flow over its whole chain: activity, emissions of transport and hubs, grams per tonne-kilometre."""

    flow: str
    tonnes: float
    activity_tkm: float
    transport_g: float
    hub_g: float

    @property
    def intensity_g_per_tkm(self) -> float:
        """Grams of CO2e per tonne-kilometre, hubs included."""
        return (self.transport_g + self.hub_g) / self.activity_tkm if self.activity_tkm else 0.0


@dataclass(frozen=True, slots=True)
class Chains:
    """Everything a plan moves, as elements, hubs and consignments; the three agree by construction of the allocation."""

    elements: tuple[Element, ...]
    hubs: tuple[Hub, ...]
    consignments: tuple[Consignment, ...]

    @property
    def emissions_g(self) -> float:
        """Grams of CO2e of elements and hubs."""
        return sum(one.emissions_g for one in self.elements) + sum(one.emissions_g for one in self.hubs)

    @property
    def activity_tkm(self) -> float:
        """Transport activity of all elements."""
        return sum(one.activity_tkm for one in self.elements)


def chains(problem: NetworkProblem, plan: NetworkPlan) -> Chains:
    """Return a plan as transport chains."""
    elements = _elements(problem, plan)
    hubs = _hubs(problem, plan)
    return Chains(elements, hubs, _consignments(problem, plan, {(e.leg, e.vehicle): e for e in elements}))


def _elements(problem: NetworkProblem, plan: NetworkPlan) -> tuple[Element, ...]:
    legs = {leg.id: leg for leg in problem.legs}
    tonnes: dict[tuple[str, str], float] = defaultdict(float)
    for one in plan.carried:
        tonnes[one.leg, one.vehicle] += one.tonnes
    driven = {(one.leg, one.vehicle): one for one in plan.driven}
    found = []
    for leg_id, vehicle in sorted({*tonnes, *driven}):
        leg, kind, mass = legs[leg_id], problem.fleet(vehicle).kind, tonnes[leg_id, vehicle]
        activity, over = mass * leg.distance_km, mass * leg.driven_km
        trip = driven.get((leg_id, vehicle))
        if trip is None:
            grams = over * problem.carbon.per_tkm_g[vehicle]
            found.append(Element(leg_id, vehicle, mass, activity, over, 0.0, None, None, 0.0, kind.use_unit, grams))
            continue
        trips = trip.trips + trip.empty_trips
        load = mass / (trip.trips * kind["payload_t"]) if trip.trips else None
        grams = trip.use * problem.carbon.per_use_g[vehicle]
        found.append(
            Element(
                leg_id,
                vehicle,
                mass,
                activity,
                over,
                trips * leg.driven_km,
                trip.empty_trips / trips,
                load,
                trip.use,
                kind.use_unit,
                grams,
            )
        )
    return tuple(found)


def _hubs(problem: NetworkProblem, plan: NetworkPlan) -> tuple[Hub, ...]:
    legs = {leg.id: leg for leg in problem.legs}
    into: dict[str, float] = defaultdict(float)
    for one in plan.carried:
        into[legs[one.leg].end] += one.tonnes
    return tuple(
        Hub(
            node.id,
            into[node.id],
            into[node.id] * node.handling_kwh_per_t,
            into[node.id] * node.handling_kwh_per_t * problem.carbon.handling_g_per_kwh,
        )
        for node in problem.nodes
        if node.handling_kwh_per_t > 0 and into[node.id] > 0
    )


def _consignments(
    problem: NetworkProblem, plan: NetworkPlan, elements: Mapping[tuple[str, str], Element]
) -> tuple[Consignment, ...]:
    """Return each flow with its share of every element by transport activity, and the hubs it passes by mass.

    What runs empty with no load at all in a direction is shared out over the vehicle's loads there and back, by activity.
    """
    legs = {leg.id: leg for leg in problem.legs}
    found = []
    bare: dict[str, float] = defaultdict(float)
    moved: dict[str, float] = defaultdict(float)
    for element in elements.values():
        moved[element.vehicle] += element.activity_tkm
        if not element.activity_tkm:
            bare[element.vehicle] += element.emissions_g
    for flow in problem.flows:
        activity = transport = hub = 0.0
        for one in plan.carried:
            if one.flow != flow.id:
                continue
            leg, element = legs[one.leg], elements[one.leg, one.vehicle]
            end, own = problem.node(leg.end), one.tonnes * leg.distance_km
            activity += own
            transport += element.emissions_g * own / element.activity_tkm
            transport += bare[one.vehicle] * own / moved[one.vehicle]
            hub += one.tonnes * end.handling_kwh_per_t * problem.carbon.handling_g_per_kwh
        found.append(Consignment(flow.id, flow.tonnes, activity, transport, hub))
    return tuple(found)
