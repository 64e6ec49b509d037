"""Employee commuting (员工通勤): by distance, or from a survey of persons × km a day × days; hours worked at home."""

from __future__ import annotations

from zerofactory.accounting.catalogue import items
from zerofactory.accounting.journeys import CAR_DETAILS, SURVEY_DETAILS, journey_flows
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories
from zerofactory.errors import Text


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of the way to work and back."""
    return journey_flows(ask)


SOURCE = Source(
    id="commuting",
    title=Text("员工通勤", "employee commuting"),
    scope=3,
    categories=categories("3.3", "s3.07"),
    class_4m1e="person",
    units=("passenger_distance", "vehicle_distance", "count_person", "time"),
    items=items("travel", having="commuting"),
    item_required=True,
    details=(*SURVEY_DETAILS, *CAR_DETAILS),
    flows=flows,
    activity_uncertainty={
        "metered": "ad.commute_survey",
        "invoiced": "ad.commute_survey",
        "estimated": "ad.commute_survey",
    },
    reference="GHG Protocol Scope 3 Standard, category 7; electric cars on the local grid",
    example=Example(
        text=Text(
            "500 人自驾电动车, 每日 30 km, 20 天, 每车 1 人",
            "500 persons by electric car, 30 km a day, 20 days, one each",
        ),
        item="car_electric",
        quantity=500.0,
        unit="person",
        detail={"km_per_day": 30.0, "days": 20.0, "persons_per_car": 1.0, "kwh_per_km": 0.14},
        expected_kg={"CO2": 500 * 30 * 20 * 0.14 * 0.5737},
        citation="persons × km × days × kWh/km × grid; 公告2025年第47号: 上海 0.5737 kgCO2/kWh (2023)",
    ),
)
