"""Physics of assets against the world: pvlib's own chain, a measured station, another tool's wind, published fits, hand sums."""

from __future__ import annotations

import csv
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from tests.assets.conftest import example_values, solve_alone

from zerofactory.assets.asset import Conditions, asset, simulate, values_of
from zerofactory.assets.block import cost_cny, flow_of, row_violation
from zerofactory.assets.grid import Grid, changes_clock
from zerofactory.assets.kinds.battery import wear_cny_per_kwh
from zerofactory.assets.kinds.ev_charger import Session, envelope, shared_out
from zerofactory.assets.kinds.heat_pump import cop
from zerofactory.assets.stays import read_stays
from zerofactory.assets.weather_year import weather_year
from zerofactory.errors import FaultyData
from zerofactory.periods import Period

DATA = Path(os.environ.get("ZF_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
YEAR = Grid.of_period(Period.parse("2025"), 60)


def data(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not here (folder in ZF_DATA)")
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pvlib asks pandas for an old name
def test_photovoltaic_equals_the_chain_of_pvlib() -> None:
    """PVWatts cells and inverter, Hay-Davies sky, Faiman cell temperature, physical reflection: pvlib's ModelChain."""
    import pandas as pd
    from pvlib.location import Location
    from pvlib.modelchain import ModelChain
    from pvlib.pvsystem import PVSystem

    weather = weather_year("shanghai")
    kind = asset("photovoltaic")
    values, _ = values_of(kind, {"peak_kw": 1.0, "loss_fraction": 0.0, "tilt_degrees": 25.0, "azimuth_degrees": 160.0})
    assert values is not None
    own = kind.profile(values, Conditions(YEAR, weather.on(YEAR)))["yield_kw_per_kw"]
    system = PVSystem(
        surface_tilt=25.0,
        surface_azimuth=160.0,
        albedo=0.2,
        module_parameters={"pdc0": 1.0, "gamma_pdc": -0.0035},
        inverter_parameters={"pdc0": 1.0 / 1.1 / 0.96, "eta_inv_nom": 0.96},
        temperature_model_parameters={"u0": 25.0, "u1": 6.84},
    )
    chain = ModelChain(
        system, Location(31.198, 121.336), dc_model="pvwatts", ac_model="pvwatts", aoi_model="physical", spectral_model="no_loss",
        temperature_model="faiman", losses_model="no_loss", transposition_model="haydavies",
    )  # fmt: skip
    names = {
        "ghi": "ghi_w_per_m2",
        "dni": "dni_w_per_m2",
        "dhi": "dhi_w_per_m2",
        "temp_air": "ambient_celsius",
        "wind_speed": "wind_m_per_s",
    }
    middle = pd.to_datetime(YEAR.started_us + 1_800_000_000, unit="us", utc=True)
    frame = pd.DataFrame({name: weather.on(YEAR)[series] for name, series in names.items()}, index=middle)
    expected = np.nan_to_num(chain.run_model(frame).results.ac.to_numpy())
    assert own == pytest.approx(
        np.maximum(expected, 0.0), abs=1e-4
    )  # the chain refracts at the temperature of the hour
    assert own.sum() == pytest.approx(expected.sum(), rel=1e-5)
    assert 1000 < own.sum() < 1600


def test_photovoltaic_comes_near_a_measured_station_in_china() -> None:
    """50 MW, 2019, 15 minutes. The irradiance is taken as that of the plane (the source does not say)."""
    with data("solar/cn_state_grid_site1/solar_site1_50MW_2019_15min.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    light, air, power = (
        np.asarray([float(row[name]) for row in rows])
        for name in ("poa_or_total_irradiance_w_m2", "air_temp_c", "power_mw")
    )
    grid = Grid(datetime(2018, 12, 31, 16, tzinfo=UTC), 15, len(rows))
    kind = asset("photovoltaic")
    values, _ = values_of(
        kind, {"peak_kw": 50_000.0, "tilt_degrees": 0.0, "latitude_degrees": 38.0, "longitude_degrees": 115.0}
    )
    assert values is not None
    series = {
        "ghi_w_per_m2": light,
        "dhi_w_per_m2": light,
        "dni_w_per_m2": 0.0,
        "ambient_celsius": air,
        "wind_m_per_s": 1.0,
    }
    own = kind.profile(values, Conditions(grid, series))["yield_kw_per_kw"] * 50.0
    assert own.sum() == pytest.approx(power.sum(), rel=0.06)
    assert np.corrcoef(own, power)[0, 1] > 0.95


def test_roof_segments_are_the_sum_of_their_planes() -> None:
    kind, weather = asset("photovoltaic"), weather_year("shanghai").on(YEAR)
    east, west, both = (
        kind.profile(example_values(kind, **given), Conditions(YEAR, weather))["yield_kw_per_kw"]
        for given in (
            {"tilt_degrees": 10.0, "azimuth_degrees": 90.0},
            {"tilt_degrees": 10.0, "azimuth_degrees": 270.0},
            {"segments": "10@90=0.25 10@270=0.75"},
        )
    )
    assert both == pytest.approx(0.25 * east + 0.75 * west, abs=1e-12)
    morning = YEAR.minute_of_day == 8 * 60
    assert east[morning].mean() > west[morning].mean()
    values, problems = values_of(kind, {"peak_kw": 1.0, "segments": "10@90=0.5 west"})
    assert values is None
    assert [problem.code for problem in problems] == ["assets.photovoltaic_segments"]
    assert "west" in problems[0].message.en


def test_wind_takes_the_series_of_another_tool_as_it_is() -> None:
    with data("energy_systems/reopt_wind_profile/wind_production_factor_hourly.csv").open(encoding="utf-8") as stream:
        output = np.asarray([float(row["wind_kw_per_kw"]) for row in csv.DictReader(stream)])
    kind = asset("wind_turbine")
    values = example_values(kind, rated_kw=2000.0)
    done = simulate(kind, values, Conditions(YEAR, {"yield_kw_per_kw": output}), {"used_kw": 1e9})
    assert done["used_kw"].sum() == pytest.approx(2000.0 * output.sum())
    assert done["used_kw"].mean() / 2000.0 == pytest.approx(0.173, abs=5e-4)


def test_wind_curve_reaches_the_duration_curve_of_another_tool() -> None:
    """REopt's hours are SAM's curve over site winds; the winds our curve needs for them must be one plausible wind climate."""
    with data("energy_systems/reopt_wind_profile/wind_production_factor_hourly.csv").open(encoding="utf-8") as stream:
        output = np.sort([float(row["wind_kw_per_kw"]) for row in csv.DictReader(stream)])
    kind = asset("wind_turbine")
    values = example_values(kind, loss_fraction=0.0, hub_m=80.0, mast_m=80.0)
    best = np.inf
    for scale in np.arange(4.0, 7.0, 0.05):  # Rayleigh winds of one scale, the usual shape of a year
        ranks = (np.arange(8760) + 0.5) / 8760
        wind = scale * np.sqrt(-2.0 * np.log(1.0 - ranks))
        series = {"wind_m_per_s": wind, "ambient_celsius": np.full(8760, 15.0)}
        own = np.sort(kind.profile(values, Conditions(YEAR, series))["yield_kw_per_kw"])
        best = min(best, float(np.abs(own - output).mean()))
    assert best < 0.05


def test_wind_yield_of_rayleigh_winds_equals_the_integral() -> None:
    kind = asset("wind_turbine")
    values = example_values(kind, loss_fraction=0.0, hub_m=80.0, mast_m=80.0, cut_in_m_per_s=3.0, rated_m_per_s=12.0)
    scale = 6.0
    ranks = (np.arange(8760) + 0.5) / 8760
    wind = scale * np.sqrt(-2.0 * np.log(1.0 - ranks))
    series = {"wind_m_per_s": wind, "ambient_celsius": 15.0 + 0.0 * wind}
    own = kind.profile(values, Conditions(YEAR, series))["yield_kw_per_kw"].mean()

    def power(v: float) -> float:
        share = min(max((v**3 - 27.0) / (1728.0 - 27.0), 0.0), 1.0) if v <= 25.0 else 0.0
        return share * v / scale**2 * np.exp(-(v**2) / 2 / scale**2)

    assert own == pytest.approx(quad(power, 0.0, 60.0, points=(3.0, 12.0, 25.0), limit=200)[0], rel=2e-3)


def test_battery_round_trip_by_hand() -> None:
    """1000 kWh; 100 kW for 3 h at 0.9 in: 270 kWh more; all out at 0.8: 0.8 · 270 = 216 kWh; 1 % an hour lost at rest."""
    kind = asset("battery")
    given = {
        "charge_efficiency_fraction": 0.9,
        "discharge_efficiency_fraction": 0.8,
        "minimum_charge_fraction": 0.0,
        "initial_fraction": 0.0,
    }
    values = example_values(kind, **given)
    grid = Grid(datetime(2025, 1, 1, tzinfo=UTC), 60, 6)
    wishes = {"charge_kw": np.array([100, 100, 100, 0, 0, 0.0]), "discharge_kw": np.array([0, 0, 0, 400, 400, 400.0])}
    done = simulate(kind, values, Conditions(grid), wishes)
    assert done["stored_kwh"][2] == pytest.approx(270.0)
    assert done["discharge_kw"].sum() == pytest.approx(216.0)
    lossy = example_values(kind, **{**given, "initial_fraction": 0.5, "self_discharge_fraction_per_hour": 0.01})
    rest = simulate(kind, lossy, Conditions(grid), {})
    assert rest["stored_kwh"] == pytest.approx(500.0 * 0.99 ** np.arange(1, 7))


@given(charge=st.floats(0.7, 1.0), discharge=st.floats(0.7, 1.0), power=st.floats(1.0, 400.0))
def test_battery_gives_back_the_product_of_its_efficiencies(charge: float, discharge: float, power: float) -> None:
    kind = asset("battery")
    values = example_values(
        kind,
        charge_efficiency_fraction=charge,
        discharge_efficiency_fraction=discharge,
        initial_fraction=0.0,
        minimum_charge_fraction=0.0,
    )
    grid = Grid(datetime(2025, 1, 1, tzinfo=UTC), 60, 5)
    wishes = {"charge_kw": np.array([power, 0, 0, 0, 0]), "discharge_kw": np.array([0, 500.0, 500.0, 500.0, 500.0])}
    done = simulate(kind, values, Conditions(grid), wishes)
    assert done["discharge_kw"].sum() == pytest.approx(done["charge_kw"].sum() * charge * discharge, rel=1e-9)


def test_battery_wear_is_its_price_over_its_throughput() -> None:
    values = example_values(
        asset("battery"), capex_cny_per_kwh=900.0, cycle_life_cycles=6000.0, minimum_charge_fraction=0.1
    )
    assert wear_cny_per_kwh(values) == pytest.approx(900.0 / (6000.0 * 0.9))
    grid = Grid(datetime(2025, 1, 1, tzinfo=UTC), 15, 4)
    block = asset("battery").block(values, Conditions(grid, initial={"stored_kwh": 500.0}))
    done = {"charge_kw": 0.0, "discharge_kw": 100.0, "stored_kwh": 0.0}
    assert cost_cny(block, grid, done) == pytest.approx(100.0 * wear_cny_per_kwh(values))  # 100 kW for one hour


def test_heat_pump_follows_the_published_fit_of_machines() -> None:
    """Arpagaus 2018, figure 9: COP = 68.455 · lift^−0.76 over 33 machines, lifts of 25 to 95 K (read by eye: ± 20 %)."""
    for lift in (30.0, 40.0, 50.0, 60.0, 70.0):
        own = float(cop(90.0, np.asarray([90.0 - lift]), 0.5, 12.0)[0])
        assert own == pytest.approx(68.455 * lift**-0.76, rel=0.2)


def test_heat_pump_from_waste_heat_conserves_energy() -> None:
    kind = asset("heat_pump")
    values = example_values(kind, source="heat_low", source_celsius=35.0)
    grid = Grid(datetime(2025, 1, 1, tzinfo=UTC), 60, 24)
    block = kind.block(values, Conditions(grid))
    done = simulate(kind, values, Conditions(grid), {"power_kw": 100.0})
    flows = [flow_of(block, carrier, grid, done) for carrier in ("electricity", "heat_low", "heat_high")]
    assert np.sum(flows, axis=0) == pytest.approx(0.0, abs=1e-9)
    assert (flows[2] > 0).all()


def test_heat_pump_never_beats_carnot() -> None:
    source = np.linspace(-10.0, 60.0, 50)
    assert (cop(85.0, source, 0.45, 99.0) < (85.0 + 273.15) / (85.0 - source)).all()


def test_restart_costs_what_it_says_and_hold_what_it_holds() -> None:
    """An oven off over ten idle hours: one restart of 4000 kWh over two hours instead of ten hours at 800 kW."""
    kind = asset("paint_oven")
    values = example_values(kind)
    grid = Grid(datetime(2025, 6, 9, 0, tzinfo=UTC), 60, 16)
    operating = np.array([1.0, 1, *[0] * 12, 1, 1])
    conditions = Conditions(grid, {"operating_fraction": operating}, initial={"on": 1.0})
    held = simulate(kind, values, conditions, {"on": 1.0})
    let_go = simulate(kind, values, conditions, {"on": 0.0})
    assert held["fuel_kw"].sum() == pytest.approx(4 * 3000 + 12 * 800)
    assert let_go["on"].tolist() == [1, 1, *[0] * 10, 1, 1, 1, 1]
    assert let_go["fuel_kw"].sum() == pytest.approx(4 * 3000 + 2 * 800 + 4000)
    assert let_go["fuel_kw"][12:14] == pytest.approx([2800.0, 2800.0])
    assert kind.block(values, Conditions(grid, conditions.series, integer=True)).variable("on").integer


def test_a_warm_up_under_way_is_carried_over() -> None:
    """A day in one piece and in two pieces, cut in the middle of a restart: the same fuel, and the rows hold in both."""
    kind = asset("thermal_oxidiser")
    values = example_values(kind, warm_up_hours=3.0, restart_kwh=3000.0)
    whole = Grid(datetime(2025, 6, 9, 0, tzinfo=UTC), 60, 24)
    operating = np.array([0.0] * 10 + [1.0] * 14)
    done = simulate(
        kind, values, Conditions(whole, {"operating_fraction": operating}, initial={"on": 0.0}), {"on": 0.0}
    )
    assert np.flatnonzero(done["start"]).tolist() == [7]
    cut = 8
    later = Grid(datetime(2025, 6, 9, cut, tzinfo=UTC), 60, 24 - cut)
    state = {"on": 1.0, "start_1": 1.0, "start_2": 0.0}
    conditions = Conditions(later, {"operating_fraction": operating[cut:]}, initial=state)
    rest = simulate(kind, values, conditions, {"on": 0.0})
    assert rest["fuel_kw"] == pytest.approx(done["fuel_kw"][cut:])
    block = kind.block(values, conditions)
    assert max(row_violation(block, row, later, rest) for row in block.rows) < 1e-9
    forgotten = kind.block(values, Conditions(later, conditions.series, initial={"on": 1.0}))
    assert max(row_violation(forgotten, row, later, rest) for row in forgotten.rows) > 900.0


def test_envelope_of_two_vehicles_is_reached_and_shared_out() -> None:
    start = datetime(2025, 6, 9, 0, tzinfo=UTC)
    grid = Grid(start, 60, 12)
    at = [datetime(2025, 6, 9, hour, tzinfo=UTC) for hour in range(12)]
    stays = [Session(at[0], at[6], 20.0, 11.0, 40.0), Session(at[2], at[5], 30.0, 22.0, 30.0)]
    found, problems = envelope(stays, grid, 0.9)
    assert not problems
    assert found.plugged_kw.tolist() == [11, 11, 33, 33, 33, 11, 0, 0, 0, 0, 0, 0]
    kind = asset("ev_charger")
    values = example_values(kind, charge_efficiency_fraction=0.9, connection_kw=40.0)
    done = simulate(kind, values, Conditions(grid, found.series()), {"charge_kw": 0.0})
    assert done["given_kwh"][-1] == pytest.approx(50.0)
    assert done["charge_kw"].sum() * 0.9 == pytest.approx(50.0)
    gained = shared_out(stays, grid, done["charge_kw"], 0.9)
    assert gained == pytest.approx([20.0, 30.0])
    short = [Session(at[0], at[1], 50.0, 11.0, 60.0), *stays]
    assert [problem.row for problem in envelope(short, grid, 0.9)[1]] == [2]


def test_measured_stays_all_leave_charged() -> None:
    """3 395 stays at workplaces (CC0): all but those too short for 6.6 kW leave with what they took, charged as late as can be."""
    with data("loads/ev_workplace_charging/station_data_dataverse.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    table = "arrives_at,departs_at,need_kwh,power_kw\n" + "".join(
        f"20{row['created'][2:]},20{row['ended'][2:]},{row['kwhTotal']},6.6\n" for row in rows
    )
    stays, problems = read_stays(table, "America/New_York")
    assert problems == []
    assert sum(one.need_kwh for one in stays) == pytest.approx(19_723.69, abs=0.01)
    first, last = min(one.arrives_at for one in stays), max(one.departs_at for one in stays)
    start = first.replace(hour=0, minute=0, second=0)
    grid = Grid(start, 15, int((last - start).total_seconds() // 900) + 1, "America/New_York")
    found, short = envelope(stays, grid, 1.0)
    refused = {problem.row for problem in short}
    kept = [stay for number, stay in enumerate(stays, 2) if number not in refused]
    assert 0.5 < len(kept) / len(stays) <= 1.0
    values = example_values(asset("ev_charger"), connection_kw=1e4, charge_efficiency_fraction=1.0)
    done = simulate(asset("ev_charger"), values, Conditions(grid, found.series()), {})
    assert done["given_kwh"][-1] == pytest.approx(sum(stay.need_kwh for stay in kept))
    assert (np.diff(found.latest_kwh) >= -1e-9).all()
    assert (found.latest_kwh <= found.earliest_kwh + 1e-9).all()


def test_faults_of_a_table_of_stays_are_all_named() -> None:
    head = "arrives_at,departs_at,need_kwh,power_kw,room_kwh\n"
    rows = "2025-06-09 18:00,2025-06-09 17:00,10,11,\nnoon,2025-06-10 06:00,-1,11,\n2025-06-09 18:00,2025-06-10 06:00,10,11,5\n"
    stays, problems = read_stays(head + rows, "Asia/Shanghai")
    assert stays == ()
    assert [(problem.row, problem.column) for problem in problems] == [
        (2, "departs_at"), (3, "arrives_at"), (3, "need_kwh"), (4, "room_kwh"),
    ]  # fmt: skip
    assert [problem.code for problem in read_stays("arrives_at,colour\n", "Asia/Shanghai")[1]] == [
        "assets.stays_columns"
    ]


def test_vehicle_to_grid_gives_back_no_more_than_spared() -> None:
    at = [datetime(2025, 6, 9, hour, tzinfo=UTC) for hour in range(12)]
    grid = Grid(at[0], 60, 12)
    found, _ = envelope([Session(at[0], at[10], 10.0, 20.0, 30.0, spare_kwh=15.0)], grid, 1.0)
    kind = asset("ev_charger")
    values = example_values(kind, v2g_fraction=1.0, charge_efficiency_fraction=1.0, discharge_efficiency_fraction=1.0)
    done = simulate(kind, values, Conditions(grid, found.series()), {"back_kw": 20.0})
    assert done["given_kwh"].min() == pytest.approx(-15.0)
    assert done["given_kwh"][9] == pytest.approx(10.0)


def test_gas_steps_charge_only_what_lies_above() -> None:
    """1000 Nm3/h over 24 h: the first 10 000 at 3.5, what is above 0.4 more, above 20 000 another 0.6 more."""
    kind = asset("gas_supply")
    values = example_values(kind)
    grid = Grid(datetime(2025, 6, 9, 0, tzinfo=UTC), 60, 24)
    steps = {
        "gas_second_step_from_nm3": 10_000.0, "gas_second_step_surcharge_cny_per_nm3": 0.4,
        "gas_third_step_from_nm3": 20_000.0, "gas_third_step_surcharge_cny_per_nm3": 0.6,
    }  # fmt: skip
    block = kind.block(values, Conditions(grid, {"gas_price_cny_per_nm3": 3.5}, steps))
    done = {"gas_nm3_per_h": 1000.0, "above_second_nm3": 14_000.0, "above_third_nm3": 4_000.0}
    assert cost_cny(block, grid, done) == pytest.approx(24_000 * 3.5 + 14_000 * 0.4 + 4_000 * 0.6)


def test_month_peak_and_capacity_charge() -> None:
    kind = asset("grid_connection")
    grid = Grid(datetime(2025, 6, 30, 4, tzinfo=UTC), 60, 24)
    prices = {"import_price_cny_per_kwh": 0.6, "export_price_cny_per_kwh": 0.3}
    monthly = {
        "demand_price_cny_per_kw_month": 40.0,
        "peak_so_far_kw": np.array([900.0, 0.0]),
        "capacity_price_cny_per_kva_month": 25.0,
    }
    block = kind.block(example_values(kind), Conditions(grid, prices, monthly))
    solved = solve_alone(block, grid, 3)
    assert solved["peak_kw"].shape == (2,)
    assert solved["peak_kw"][0] >= 900.0 - 1e-9
    by_capacity = kind.block(example_values(kind, demand_basis="capacity"), Conditions(grid, prices, monthly))
    assert cost_cny(by_capacity, grid, {"import_kw": 0.0, "export_kw": 0.0, "billed_kva": 5000.0}) == pytest.approx(
        2 * 5000 * 25.0
    )


def test_typical_year_fits_every_grid() -> None:
    year = weather_year("shanghai")
    for period, step in (("2025", 15), ("2025", 60), ("2025", 120), ("2024", 60)):
        grid = Grid.of_period(Period.parse(period), step)
        sun = year.on(grid)["ghi_w_per_m2"]
        leap = year.series["ghi_w_per_m2"][58 * 24 : 59 * 24].sum() if period == "2024" else 0.0
        assert sun.sum() * grid.step_hours == pytest.approx(year.series["ghi_w_per_m2"].sum() + leap)
    noon = year.on(YEAR)["ghi_w_per_m2"][YEAR.minute_of_day == 12 * 60].mean()
    assert noon > 5 * year.on(YEAR)["ghi_w_per_m2"][YEAR.minute_of_day == 18 * 60].mean()
    with pytest.raises(FaultyData, match="Europe/Berlin"):
        year.on(Grid.of_period(Period.parse("2025"), 60, "Europe/Berlin"))


def test_grid_knows_the_local_clock() -> None:
    berlin = Grid.of_period(Period.parse("2025-03"), 60, "Europe/Berlin")
    assert berlin.length == 31 * 24 - 1
    assert changes_clock(berlin)
    assert not changes_clock(YEAR)
    jump = np.flatnonzero(np.diff(berlin.minute_of_day) == 120)
    assert len(jump) == 1
    shanghai = Grid.of_period(Period.parse("2025-10"), 15)
    for slot in (0, 1, 95, 96, 1000, 2975):
        moment = datetime.fromtimestamp(shanghai.started_us[slot] / 1e6, UTC).astimezone(ZoneInfo("Asia/Shanghai"))
        assert moment.hour * 60 + moment.minute == shanghai.minute_of_day[slot]
        assert moment.isoweekday() == shanghai.weekday_of[slot]
        assert moment.day - 1 == shanghai.day_of[slot]
        assert moment.month == shanghai.month_number[slot]
        assert (moment.timetuple().tm_yday - 1) * 24 + moment.hour == shanghai.hour_of_year[slot]


def test_the_example_of_the_how_to_runs() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "assets.md"
    code = re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    exec(compile(code[1], "assets.md", "exec", dont_inherit=True), {})  # noqa: S102
