"""Journeys: people on the move for the plant, on business and between home and work.

E = person·km × EF, vehicle·km × EF, nights × EF, hours at home × EF; a battery-electric car km × kWh/km × local grid. Flights say
whether radiative forcing is counted (standards, 5; GHG Protocol Scope 3 Standard, categories 6 and 7).
"""

from __future__ import annotations

from zerofactory import units
from zerofactory.accounting.catalogue import Entry, look_up
from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.power import GRID, consumption, grid_factor
from zerofactory.accounting.source import Ask, Flow, detail_number, detail_text, fault
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import Found
from zerofactory.factors.resolve import find

FORCING = ("with", "without")
TRANSPORT = "ef.transport.tkm"
PERSONS = Text("每车人数", "persons per car")
CONSUMPTION = Text("每车公里电耗", "electricity per vehicle·km")
DAILY = Text("每人每日往返里程", "kilometres per person and day, there and back")
DAYS = Text("期间出勤天数", "days of attendance in the period")
OWN_DIMENSION = {
    "flight": "passenger_distance",
    "person": "passenger_distance",
    "vehicle": "vehicle_distance",
    "electric": "vehicle_distance",
    "night": "count_night",
    "hour": "time",
}
FORCING_DETAIL = detail_text("radiative_forcing", "航空是否计辐射强迫", "radiative forcing of flights", FORCING)
CAR_DETAILS = (
    detail_number("persons_per_car", PERSONS, "person", 60.0),
    detail_number("kwh_per_km", CONSUMPTION, "kWh/km", 20.0),
)
SURVEY_DETAILS = (
    detail_number("km_per_day", DAILY, "km", 400.0),
    detail_number("days", DAYS, "d", 366.0),
)


def journey_flows(ask: Ask) -> tuple[Flow, ...]:
    """Return the emissions of a journey, a night or an hour at home.

    Raises
    ------
    FaultyData
        A unit that does not fit the item, a flight without word on radiative forcing, a car shared by nobody.
    """
    entry = look_up("travel", ask)
    drive = entry.more["drive"]
    amount = _amount(ask, entry)
    if drive == "electric":
        use = consumption(ask, entry.factor, "kwh_per_km", CONSUMPTION)
        return (indirect_flow(ask, [*amount, use, grid_factor(ask)], "vehicle·km × kWh/km × grid", GRID),)
    item = entry.factor
    if drive == "flight":
        item = item.replace("{rf}", ask.choice("radiative_forcing", FORCING))
    factor = find(ask.book, entry.role, ask.scope, item=item)
    return (indirect_flow(ask, [*amount, factor], _formula(drive), TRANSPORT),)


def _formula(drive: str) -> str:
    return {"night": "nights × EF", "hour": "h × EF", "vehicle": "vehicle·km × EF"}.get(drive, "person·km × EF")


def _amount(ask: Ask, entry: Entry) -> list[Found]:
    """Return the terms that bring the booked unit to that of the factor."""
    given, wanted = units.parse(ask.unit).dimension, OWN_DIMENSION[entry.more["drive"]]
    terms: list[Found] = []
    if given == "count_person" and wanted in ("passenger_distance", "vehicle_distance"):
        terms.append(ask.stated("km_per_day", "person·km/person", DAILY, 1e-9))
        terms.append(ask.stated("days", "fraction", DAYS, 1e-9))
        given = "passenger_distance"
    if given == "passenger_distance" and wanted == "vehicle_distance":
        return [*terms, ask.stated("persons_per_car", "person·km/vehicle·km", PERSONS, 1.0).inverse()]
    if given != wanted:
        raise FaultyData([_wrong_unit(ask, entry, wanted)])
    return terms


def _wrong_unit(ask: Ask, entry: Entry, wanted: str) -> Problem:
    listed = ", ".join(units.symbols_of(wanted))
    return fault(
        "unit_of_item",
        Text(f"“{entry.title.zh}”不能用单位“{ask.unit}”。", f"'{entry.title.en}' cannot take unit '{ask.unit}'."),
        Text(f"可用: {listed}。", f"Use one of: {listed}."),
        column="unit",
    )
