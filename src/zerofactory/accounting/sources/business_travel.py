"""Business travel (商务旅行): flights, trains, cars, nights in hotels (see `journeys`)."""

from __future__ import annotations

from zerofactory.accounting.catalogue import items
from zerofactory.accounting.journeys import CAR_DETAILS, FORCING_DETAIL, journey_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of a journey or a night."""
    return journey_flows(ask)


SOURCE = Source(
    id="business_travel",
    title=Text("商务旅行", "business travel"),
    scope=3,
    categories=categories("3.5", "s3.06"),
    class_4m1e="person",
    units=("passenger_distance", "vehicle_distance", "count_night"),
    items=items("travel"),
    item_required=True,
    details=(FORCING_DETAIL, *CAR_DETAILS),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.distance_planned",
        "invoiced": "ad.distance_planned",
        "estimated": "ad.estimate",
    },
    reference="GHG Protocol Scope 3 Standard, category 6; UK Government conversion factors 2025",
    example=Example(
        text=Text("英国铁路 10 000 人公里", "10 000 person·km by rail in the United Kingdom"),
        item="rail_uk",
        quantity=10_000.0,
        unit="person·km",
        detail={},
        expected_kg={"CO2e": 354.6},
        citation="UK Government conversion factors 2025: national rail 0.03546 kgCO2e per passenger.km",
        region="GB",
    ),
)
