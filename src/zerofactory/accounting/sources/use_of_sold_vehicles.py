"""Use of sold vehicles (售出车辆的使用): the whole life of the vehicles sold in the period, counted in it.

E = Σ units × lifetime km × (fuel/km × EF + kWh/km × grid) (GHG Protocol Scope 3 Standard, category 11; standards, 5). The grid
is the national average of the country of use, falling by a stated share each year over the vehicle's life. Lifetime, consumption,
decline and whether the fuel's upstream counts are stated by the plant; none is taken for granted.
"""

from __future__ import annotations

from zerofactory.accounting.indirect import indirect_flow
from zerofactory.accounting.power import GRID, grid_factor, mean_of_decline, nation_of
from zerofactory.accounting.source import Ask, Example, Flow, Source, categories, detail_number, detail_text
from zerofactory.accounting.terms import stated, times
from zerofactory.accounting.upstream import fuel_upstream
from zerofactory.errors import Text
from zerofactory.factors.model import Found, Origin, Resolution
from zerofactory.factors.resolve import find, fuel_co2, fuel_gas

YES_NO = ("yes", "no")
FUEL = {"petrol": "gasoline", "diesel": "diesel", "plug_in_hybrid": "gasoline"}
DISTANCE = Text("全生命周期里程", "lifetime distance")
LITRES = Text("百公里油耗", "fuel per 100 km")
POWER = Text("百公里电耗(含充电损耗)", "electricity per 100 km (with charging losses)")
ELECTRIC = Text("纯电行驶里程比例", "share of distance on electricity")
YEARS = Text("使用年限", "years of use")
DECLINE = Text("电网因子年降幅(设定)", "yearly decline of the grid factor (assumed)")


def flows(ask: Ask) -> tuple[Flow, ...]:
    """Return fuel burnt and electricity drawn over the life of one vehicle."""
    share = _electric_share(ask)
    made: list[Flow] = []
    if share < 1.0:
        made += _fuel(ask, 1.0 - share)
    if share > 0.0:
        made += _electric(ask, share)
    return tuple(made)


def _electric_share(ask: Ask) -> float:
    if ask.item == "battery_electric":
        return 1.0
    return ask.number("electric_share_fraction", 0.0, 1.0) if ask.item == "plug_in_hybrid" else 0.0


def _life(ask: Ask, share: float) -> list[Found]:
    """Return km per vehicle on this energy."""
    distance = ask.stated("lifetime_km", f"km/{ask.unit}", DISTANCE, 1.0, 2_000_000.0)
    if ask.item != "plug_in_hybrid":
        return [distance]
    part = ask.stated("electric_share_fraction", "fraction", ELECTRIC, 0.0, 1.0)
    if share == part.factor.value:
        return [distance, part]
    return [
        distance,
        stated("fuel_share_fraction", share, "fraction", Text("燃油行驶里程比例", "share of distance on fuel")),
    ]


def _per_km(ask: Ask, name: str, unit: str, title: Text) -> list[Found]:
    """Return an amount per 100 km as two terms, so that the stated figure is seen as it was stated."""
    per_hundred = stated("per_100_km", 100.0, "km/km", Text("每百公里", "per 100 km")).inverse()
    return [ask.stated(name, f"{unit}/km", title, 1e-9, 1000.0), per_hundred]


def _fuel(ask: Ask, share: float) -> list[Flow]:
    fuel = FUEL[ask.item or ""]
    terms = [*_life(ask, share), *_per_km(ask, "litres_per_100km", "L", LITRES)]

    def lived(resolution: Resolution, gas: str) -> Resolution:
        return times(resolution, terms, f"kg{gas}/{ask.unit}")

    carbon = lived(fuel_co2(ask.book, ask.scope, fuel, "L"), "CO2")
    made = [Flow("CO2", carbon, "km × L/km × NCV × CC × OF × 44/12", uncertainty="ef.transport.tkm")]
    for gas in ("CH4", "N2O"):
        small = lived(fuel_gas(ask.book, ask.scope, fuel, "L", gas, "road"), gas)
        origin: Origin | None = "fossil" if gas == "CH4" else None
        made.append(Flow(gas, small, "km × L/km × NCV × EF", origin=origin, uncertainty="ef.ch4n2o.road"))
    if ask.choice("well_to_wheel", YES_NO) == "yes":
        tank = lived(fuel_upstream(ask.book, ask.scope, fuel, "L"), "CO2e")
        made.append(Flow("CO2e", tank, "km × L/km × NCV × EF_upstream", uncertainty="ef.material.db"))
    return made


def _electric(ask: Ask, share: float) -> list[Flow]:
    place = ask.text("use_region") if ask.has("use_region") else nation_of(ask.scope.region)
    drawn = [*_life(ask, share), *_per_km(ask, "kwh_per_100km", "kWh", POWER)]
    decline = ask.number("grid_decline_fraction", 0.0, 1.0)
    drawn.append(mean_of_decline(decline, ask.number("lifetime_years", 1e-9, 100.0)))
    grid = grid_factor(ask, place, "nation")
    made = [indirect_flow(ask, [*drawn, grid], "km × kWh/km × mean future grid", GRID)]
    if ask.choice("well_to_wheel", YES_NO) == "yes":
        tank = find(ask.book, "grid.upstream", ask.scope, item="electricity")
        made.append(indirect_flow(ask, [*drawn, tank], "km × kWh/km × upstream", "ef.material.db"))
    return made


SOURCE = Source(
    id="use_of_sold_vehicles",
    title=Text("售出车辆的使用", "use of sold vehicles"),
    scope=3,
    categories=categories("5.1", "s3.11"),
    class_4m1e="method",
    units=("count_vehicle",),
    items=("petrol", "diesel", "plug_in_hybrid", "battery_electric"),
    item_required=True,
    details=(
        detail_number("lifetime_km", DISTANCE, "km", 2_000_000.0, required=True),
        detail_text(
            "well_to_wheel", "是否含燃料与电力上游", "includes the upstream of fuel and power", YES_NO, required=True
        ),
        detail_number("litres_per_100km", LITRES, "L", 1000.0),
        detail_number("kwh_per_100km", POWER, "kWh", 1000.0),
        detail_number("electric_share_fraction", ELECTRIC, "fraction", 1.0),
        detail_number("lifetime_years", YEARS, "a", 100.0),
        detail_number("grid_decline_fraction", DECLINE, "fraction", 1.0),
        detail_text("use_region", "使用国家或地区", "country of use"),
    ),
    flows=flows,
    activity_uncertainty={"metered": "ad.estimate", "invoiced": "ad.estimate", "estimated": "ad.estimate"},
    reference="GHG Protocol Scope 3 Standard, category 11; ISO 14064-1:2018 Annex B; 中国工业企业温室气体排放核算方法(2013) NCV",
    example=Example(
        text=Text(
            "1 000 辆纯电车, 15 万公里, 14 kWh/100km, 电网不变",
            "1 000 battery-electric cars, 150 000 km, 14 kWh per 100 km, unchanged grid",
        ),
        item="battery_electric",
        quantity=1000.0,
        unit="vehicle",
        detail={
            "lifetime_km": 150_000.0,
            "well_to_wheel": "no",
            "kwh_per_100km": 14.0,
            "lifetime_years": 10.0,
            "grid_decline_fraction": 0.0,
        },
        expected_kg={"CO2": 1000 * 150_000 * 0.14 * 0.5306},
        citation="units × km × kWh/km × grid; 公告2025年第47号: 全国 0.5306 kgCO2/kWh (2023)",
    ),
)
