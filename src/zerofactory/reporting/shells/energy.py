"""Energy of a place by carrier and month.

No published template of the IDTA holds figures of consumption (those at 290e242f were looked through; 02076 is about flexibility),
so the semantic ids are ours: `concepts`. Amounts are exact decimals, as booked.
"""

from __future__ import annotations

from typing import Any

from basyx.aas import model

from zerofactory.errors import Text
from zerofactory.reporting.shells.concepts import concept, quantity, unit_id
from zerofactory.reporting.shells.elements import decimal, group, listed, prop, submodel
from zerofactory.reporting.shells.facts import Facts, Flow, Place, word

TITLE = Text("能源消耗", "energy consumption")


def energy(facts: Facts, place: Place) -> Any:
    """Return the energy submodel of a place; None where no meter counts its own."""
    if not place.flows:
        return None
    carriers = [_carrier(one) for one in place.flows]
    elements = [group("Carriers", concept("Carriers"), carriers)]
    identity = (facts.submodel_id(place.key, "energy"), "EnergyConsumption", concept("EnergyConsumption"))
    return submodel(identity, elements, ("1", "0", None), TITLE)


def _carrier(flow: Flow) -> Any:
    months = [
        group(None, concept("Month"), [prop("Label", concept("Label"), label), decimal("Amount", quantity(flow.carrier, flow.unit), amount)])
        for label, amount in flow.months
    ]  # fmt: skip
    elements = [
        prop("Carrier", concept("CarrierId"), flow.carrier),
        prop("Unit", concept("Unit"), flow.unit, value_id=unit_id(flow.unit)),
        prop("FirstMonth", concept("FirstMonth"), flow.months[0][0]),
        prop("LastMonth", concept("LastMonth"), flow.months[-1][0]),
        decimal("Total", quantity(flow.carrier, flow.unit), sum((amount for _, amount in flow.months), start=flow.months[0][1] * 0)),
        prop("EstimatedFraction", concept("EstimatedFraction"), flow.estimated_fraction, model.datatypes.Double),
        listed("Months", concept("Months"), concept("Month"), months),
        listed("Meters", concept("Meters"), concept("Meter"), [prop(None, concept("Meter"), one) for one in flow.meters], model.datatypes.String),
    ]  # fmt: skip
    return group(word(flow.id), concept("Carrier"), elements, title=flow.title)
