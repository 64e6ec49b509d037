"""Booths, ovens, air, halls, loops and stores: balances that close, steady states by hand, analytic answers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import air, booth, compressed_air, oven, source, tank
from zerofactory.optimisation.utilities.booth import Booth, Window
from zerofactory.optimisation.utilities.compressed_air import Compressor, Leak, Network
from zerofactory.optimisation.utilities.driven import Driven, Floats, Outdoors, Stations
from zerofactory.optimisation.utilities.hall import Hall
from zerofactory.optimisation.utilities.leak import orifice_nm3_per_h
from zerofactory.optimisation.utilities.loop import Load, Loop
from zerofactory.optimisation.utilities.oven import Oven, Oxidiser
from zerofactory.optimisation.utilities.plant import AirNeed, Utilities, simulate
from zerofactory.optimisation.utilities.source import Chiller, Heater
from zerofactory.optimisation.utilities.tank import Tank, Water

STATES = ("off", "warm_up", "idle", "standby", "working")
NAME = Text("甲", "one")
WINDOW = Window(22.0, 25.0, 0.55, 0.70)


def weather(count: int, celsius: float = 5.0, fraction: float = 0.7, sun: float = 0.0) -> Outdoors:
    t = np.full(count, celsius)
    return Outdoors(t, air.humidity(t, fraction), np.full(count, sun))


def driving(count: int, states: Floats | None = None, outdoors: Outdoors | None = None, pieces: float = 0.0) -> Driven:
    """Return a station ``s`` in the states given (working throughout where none are), shifts all the time."""
    shares = np.zeros((count, len(STATES)))
    shares[:, -1] = 1.0
    stations = Stations(
        {"s": shares if states is None else states}, {"s": 1}, {"s": np.full(count, pieces)}, {}, STATES, ("working",)
    )
    hour = (np.arange(count) // 4 % 24).astype(np.int64)
    return Driven(900.0, outdoors or weather(count), stations, np.ones(count), hour, np.zeros(count))


def a_booth(**keys: object) -> Booth:
    given = {"supply_m3_per_h": 36000.0, "window": WINDOW, "rest": Window(5.0, 40.0), "fan_kw": 50.0, "heat_from": "gas", "cool_from": "cold"}  # fmt: skip
    return Booth("b", NAME, None, ("s",), **{**given, **keys})  # type: ignore[arg-type]


@pytest.mark.parametrize("recirculated", [0.0, 0.4, 0.9])
@pytest.mark.parametrize(("celsius", "fraction"), [(-8.0, 0.9), (10.0, 0.3), (23.0, 0.6), (30.0, 0.2), (35.0, 0.75)])
def test_the_air_of_a_booth_keeps_its_energy_and_water(recirculated: float, celsius: float, fraction: float) -> None:
    """Enthalpy of what goes in (outdoor air, booth air, fans, heat, sprayed water) is that of what comes out."""
    one, out = a_booth(recirculated_fraction=recirculated), weather(1, celsius, fraction)
    found = booth.condition(one, out, 1.0, WINDOW)
    mass = booth.rated_kg_per_s(one, out.pressure_pa)
    inside = booth._fresh(one, out, WINDOW)[1]
    r, w_out = recirculated, float(out.humidity_ratio[0])
    mixed = (1 - r) * float(air.enthalpy(celsius, w_out)) + r * float(inside.h[0]) + 50.0 / mass
    water = float(found.water_kg_per_h[0]) / 3600.0 / mass
    net = mixed + float(found.heat_kw[0] - found.cold_kw[0]) / mass + water * 4.186 * max(celsius, 0.0)
    w_mixed = (1 - r) * w_out + r * float(inside.w[0])
    # Below the upper edge nothing condenses: the supply has the water of the mixture and what was sprayed, and lies in the window.
    edge = float(air.humidity(25.0, 0.70))
    if w_mixed < edge and celsius < 30.0:
        t = float(air.temperature(net, w_mixed + water))
        assert 22.0 - 1e-9 <= t <= 25.0 + 1e-9
        assert 0.55 - 1e-6 <= float(air.relative(t, w_mixed + water)) <= 0.70 + 1e-6
    elif w_mixed > edge:
        coil_w = (edge - r * float(inside.w[0])) / (1 - r)
        drained = (1 - r) * (w_out - coil_w) * 4.186 * float(air.dew_point(coil_w))
        assert float(air.temperature(net - drained, edge)) == pytest.approx(25.0, abs=1e-6)


def test_heating_a_booth_by_hand_and_its_fans_on_standby() -> None:
    """Dry air from 0 to 22 °C, nothing recirculated: m cp 22 K; half of the flow takes an eighth of the fans."""
    dry = Window(22.0, 22.0)
    one = a_booth(window=dry, rest=dry, fan_heat_fraction=0.0, flow_fraction={"standby": 0.5})
    out = Outdoors(np.zeros(2), np.zeros(2), np.zeros(2))
    states = np.zeros((2, len(STATES)))
    states[0, 4] = states[1, 3] = 1.0
    found = booth.run(one, driving(2, states, out))
    full = booth.rated_kg_per_s(one, out.pressure_pa) * 1.006 * 22.0
    assert found.heat_kw == pytest.approx([full, full / 2])
    assert found.fan_kw == pytest.approx([50.0, 50.0 / 8])
    assert found.idle_heat_kw == pytest.approx([0.0, full / 2])


def test_a_heat_wheel_saves_its_share() -> None:
    dry = Window(20.0, 20.0)
    one = a_booth(window=dry, fan_heat_fraction=0.0)
    out = Outdoors(np.zeros(1), np.zeros(1), np.zeros(1))
    heat = [float(booth.condition(replace(one, wheel_fraction=e), out, 1.0, dry).heat_kw[0]) for e in (0.0, 0.6)]
    assert heat[1] == pytest.approx(0.4 * heat[0])


def an_oven(**keys: object) -> Oven:
    given = {
        "set_celsius": 180.0, "standby_celsius": 120.0, "metal_celsius": 170.0, "body_in_celsius": 20.0, "heat_kwh_per_k": 10.0,
        "loss_kw_per_k": 4.0, "exhaust_nm3_per_h": 10000.0, "body_kg": 400.0, "skid_kg": 200.0, "metal_kj_per_kg_k": 0.49,
        "burner_kw": 4000.0, "burner_fraction": 0.85, "cold_below_k": 5.0, "around_celsius": 20.0,
    }  # fmt: skip
    return Oven("o", NAME, None, ("s",), **{**given, **keys})  # type: ignore[arg-type]


def test_the_heat_of_an_oven_goes_somewhere() -> None:
    rng = np.random.default_rng(3)
    states = rng.dirichlet(np.ones(len(STATES)), 400) * (rng.random((400, 1)) > 0.3)
    states[:, 0] += 1.0 - states.sum(axis=1)
    one = an_oven()
    found = oven.run(one, driving(400, states, pieces=10.0))
    stored = one.heat_kwh_per_k * (found.celsius[-1] - 20.0)
    flows = (found.heat_kw - found.walls_kw - found.exhaust_kw - found.bodies_kw).sum() * 0.25
    assert flows == pytest.approx(stored, abs=1e-6 * found.heat_kw.sum())
    assert found.heat_kw.max() <= 4000.0 * 0.85


def test_an_oven_at_rest_by_hand() -> None:
    """4 kW/K and 10 000 Nm3/h at 160 K over the hall, 60 bodies an hour warmed by 150 K."""
    found = oven.run(an_oven(), driving(400, pieces=15.0))
    exhaust = 10000.0 * 1.2923 / 3600.0 * 1.006 * 160.0
    bodies = 60.0 * 600.0 * 0.49 * 150.0 / 3600.0
    assert found.celsius[-1] == pytest.approx(180.0)
    assert found.heat_kw[-1] == pytest.approx(4.0 * 160.0 + exhaust + bodies, rel=1e-3)
    rto = Oxidiser("r", NAME, None, ("o",), 780.0, 0.95, 2000.0, 100.0, voc_kwh_per_piece=0.5)
    heat, _ = oven.oxidise(rto, {"o": found}, 0.25)
    assert heat[-1] == pytest.approx(10000.0 * 1.2923 / 3600.0 * 1.006 * 600.0 * 0.05 + 100.0 - 0.5 * 60.0, rel=1e-3)


def test_bodies_through_a_cold_oven_are_told() -> None:
    """A weak burner cannot have the oven hot by the first body."""
    found = oven.run(an_oven(burner_kw=2500.0), driving(40, pieces=15.0))
    cold = found.cold_pieces > 0
    assert cold[0]
    assert not cold[-1] or found.celsius[-1] < 175.0
    assert (found.celsius[cold] < 175.0).all()


def loading(**keys: object) -> Compressor:
    given = {"control": "load", "flow_nm3_per_h": 3600.0, "power_kw": 400.0, "load_kpa": 650.0, "unload_kpa": 700.0, "unloaded_fraction": 0.25, "stop_after_s": 1e9}  # fmt: skip
    return Compressor("c", NAME, None, **{**given, **keys})  # type: ignore[arg-type]


def test_a_compressor_that_loads_and_unloads_takes_its_mean() -> None:
    """At 40 % of its flow it is loaded 40 % of the time: P (0.4 + 0.6 · 0.25) in the long run."""
    found = compressed_air.run(Network(50.0, 20.0, 600.0), [loading()], np.full(400, 1440.0), 900.0)
    assert found.power_kw[0, 100:].mean() == pytest.approx(400.0 * (0.4 + 0.6 * 0.25), rel=0.01)
    assert found.least_kpa.min() > 600.0
    assert found.missed_nm3.sum() == 0.0


def test_air_is_neither_made_nor_lost_but_where_it_is_told() -> None:
    rng = np.random.default_rng(5)
    variable = loading(control="variable", curve=((0.3, 0.4), (1.0, 1.0)), load_kpa=620.0, unload_kpa=690.0)
    network = Network(80.0, 30.0, 600.0, (Leak(20, 3.0, 0.61),))
    found = compressed_air.run(network, [loading(), variable], rng.uniform(0.0, 9000.0, 500), 900.0)
    before = (650.0 + 101.325) * 80.0 / 101.325 * 273.15 / 303.15
    balance = found.made_nm3.sum() - found.delivered_nm3.sum() - found.leaked_nm3.sum()
    assert found.stored_nm3[-1] - before == pytest.approx(balance, abs=1e-7 * found.made_nm3.sum())
    assert found.missed_nm3.sum() > 0.0  # 9000 is more than both can make
    assert found.least_kpa.min() < 600.0


def test_a_variable_compressor_follows_its_curve_and_leaks_run_at_night() -> None:
    variable = loading(control="variable", curve=((0.2, 0.3), (1.0, 1.0)))
    network = Network(50.0, 20.0, 600.0, (Leak(60, 3.0, 0.61),))
    found = compressed_air.run(network, [variable], np.zeros(200), 900.0)
    leak = 60 * orifice_nm3_per_h(3.0, 0.61, float(found.mean_kpa[-1]), 20.0)
    assert found.leaked_nm3[-1] * 4 == pytest.approx(leak, rel=1e-3)
    assert found.power_kw[0, -1] == pytest.approx(400.0 * (0.3 + (leak / 3600.0 - 0.2) / 0.8 * 0.7), rel=5e-3)


def a_hall(**keys: object) -> Hall:
    return Hall("h", NAME, None, **{"envelope_kw_per_k": 10.0, "heat_kwh_per_k": 100.0, **keys})  # type: ignore[arg-type]


HOT = Loop("hot", NAME, True, 70.0, 50.0)
COLD = Loop("cold", NAME, False, 7.0, 12.0)
BOILER = Heater("boiler", NAME, None, "hot", "gas", 1e5, 0.9)
CHILLER = Chiller("chiller", NAME, None, "cold", 1e5, 5.0, 30.0, 0.0, 15.0, 20.0, air_cooled=True)


def test_a_hall_left_alone_drifts_as_a_resistance_and_a_capacity_do() -> None:
    """From the outdoor 5 °C with 100 kW of gains towards 15 °C: 5 + 10 (1 − e^(−t / 10 h))."""
    ended = simulate(Utilities(10.8, halls=(a_hall(gains_kw=100.0),)), driving(96))
    hours = (np.arange(96) + 1) * 0.25
    assert ended.loops.hall_celsius[0] == pytest.approx(5.0 + 10.0 * (1.0 - np.exp(-hours / 10.0)), abs=1e-9)


def test_a_heated_hall_by_hand_and_its_gas() -> None:
    """13 K at 10 kW/K less 30 kW of gains, by a boiler of 0.9."""
    hall = a_hall(gains_kw=30.0, heat_celsius=18.0, heat_kw=5000.0, heat_from="hot")
    ended = simulate(Utilities(10.8, halls=(hall,), loops=(HOT,), heaters=(BOILER,)), driving(400))
    assert ended.loops.hall_celsius[0, -1] == pytest.approx(18.0)
    assert ended.loops.hall_heat[0, -1] == pytest.approx(100.0)
    gas = next(row for row in ended.rows if row.id == "boiler").used["natural_gas"]
    assert gas[-1] == pytest.approx(100.0 * 0.25 / 0.9 / 10.8)


def test_a_failed_chiller_leaves_a_hall_warm_and_the_other_takes_over_what_it_can() -> None:
    hall = a_hall(gains_kw=200.0, cool_celsius=26.0, cool_kw=1000.0, cool_from="cold")
    out = weather(400, 30.0, 0.5)
    small = replace(CHILLER, id="small", cooling_kw=100.0)
    big = replace(CHILLER, cooling_kw=500.0)
    both = Utilities(10.8, halls=(hall,), loops=(COLD,), chillers=(small, big))
    failed = replace(both, chillers=(small, replace(big, available=False)))
    kept, lost = (simulate(one, driving(400, outdoors=out)) for one in (both, failed))
    assert kept.loops.hall_celsius[0, -1] == pytest.approx(26.0)
    assert kept.loops.output[:, -1].sum() == pytest.approx(240.0)
    # 200 kW of gains, 100 kW of cold: (30 + 100 / 10) °C in the end, all told as not served.
    assert lost.loops.hall_celsius[0, -1] == pytest.approx(40.0, abs=0.01)
    assert (lost.loops.wanted - lost.loops.served)[0, -1] > 100.0


@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.booleans())
def test_a_store_keeps_its_energy_to_the_last_digit(seed: int, layers: int, hot: bool) -> None:
    rng = np.random.default_rng(seed)
    sign = 1.0 if hot else -1.0
    supply, back = (80.0, 50.0) if hot else (6.0, 13.0)
    water = Water(sign, float(rng.uniform(5.0, 500.0)), layers, 0.3, 0.2, 20.0, supply, back, 800.0)
    state = np.array([back, back])
    kept, flows = 0.0, 0.0
    for _ in range(200):
        charge = rng.uniform(0.0, 1.0) * tank.room_kw(water, state, 0.25)
        draw = 0.0
        if rng.random() < 0.5:
            charge, draw = 0.0, rng.uniform(0.0, 1.0) * tank.yield_kw(water, state, 0.25)
        lost = tank.step(water, state, charge, draw, 0.25)
        flows += (charge - draw - sign * lost) * 0.25
        kept = tank.kept_kwh(water, state)
    assert kept == pytest.approx(flows, abs=1e-9 * water.layer_kwh_per_k * 100.0)
    assert min(supply, back, 20.0) - 1e-9 <= state.min() <= state.max() <= max(supply, back, 20.0) + 1e-9


def test_a_store_cools_as_its_time_constant_says() -> None:
    water, state = Water(1.0, 50.0, 1, 0.5, 0.0, 20.0, 80.0, 50.0, 1e3), np.array([80.0, 80.0])
    for _ in range(4000):
        tank.step(water, state, 0.0, 0.0, 0.01)
    assert state[0] == pytest.approx(20.0 + 60.0 * math.exp(-40.0 * 0.5 / 100.0), rel=1e-4)


def test_loops_balance_and_a_store_moves_cold_from_day_to_night() -> None:
    load = Load("l", "cold", 400.0, 400.0)
    store = Tank("t", NAME, "cold", 400.0, 2, 0.05, 30.0, 500.0, (0, 1, 2, 3, 4, 5))
    base = Utilities(10.8, loops=(COLD,), loads=(load,), chillers=(replace(CHILLER, cooling_kw=900.0),))
    out = weather(960, 30.0, 0.5)
    alone, stored = (simulate(one, driving(960, outdoors=out)) for one in (base, replace(base, tanks=(store,))))
    for ended in (alone, stored):
        ran = ended.loops
        given = ran.output.sum(axis=0) + ran.drawn[0] + ran.free_used[0]
        assert given == pytest.approx(ran.served[0] + ran.charged[0], abs=1e-9)
        assert ran.served == pytest.approx(ran.wanted)
    hour = np.arange(960) // 4 % 24
    day = (hour >= 7) & (hour < 12)
    assert stored.loops.output[0, day].sum() < 0.5 * alone.loops.output[0, day].sum()
    ran = stored.loops
    moved = (ran.charged[0] - ran.drawn[0]).sum() * 0.25 + (ran.lost[0]).sum() * 0.25
    assert ran.kept_kwh[0, -1] == pytest.approx(moved, abs=1e-6)


def test_heat_of_the_compressors_comes_before_the_boiler() -> None:
    network = Network(50.0, 20.0, 600.0, recovered_fraction=0.5, heat_to="hot")
    needs = (AirNeed("a", ("s",), {"working": 1440.0}),)
    both = Utilities(10.8, network=network, compressors=(loading(),), air=needs, loops=(HOT,), loads=(Load("l", "hot", 300.0, 300.0),), heaters=(BOILER,))  # fmt: skip
    ended = simulate(both, driving(200))
    loaded = (ended.air.power_kw - ended.air.unloaded_kw).sum(axis=0) if ended.air else np.zeros(200)
    assert ended.loops.free_used[0] == pytest.approx(np.minimum(0.5 * loaded, 300.0))
    assert ended.loops.output[0] + ended.loops.free_used[0] == pytest.approx(300.0)


def test_what_makes_nothing_is_waste() -> None:
    """A station that idles half of the time: half of the booth's fans and gas; leaks and unloaded running of the compressor."""
    states = np.zeros((8, len(STATES)))
    states[:, 2] = states[:, 4] = 0.5
    made = Utilities(
        10.8, booths=(a_booth(),), network=Network(50.0, 20.0, 600.0, (Leak(30, 3.0, 0.61),)), compressors=(loading(),),
        air=(AirNeed("a", ("s",), {"working": 2000.0, "idle": 500.0}),), loops=(COLD,), chillers=(CHILLER,),
    )  # fmt: skip
    ended = simulate(made, driving(8, states))
    rows = {row.id: row for row in ended.rows}
    assert rows["b"].wasted["natural_gas"] == pytest.approx(rows["b"].used["natural_gas"] / 2)
    blown = ended.air
    assert blown is not None
    share = (blown.leaked_nm3 + 0.2 * blown.delivered_nm3) / (blown.leaked_nm3 + blown.delivered_nm3)
    idle = blown.unloaded_kw[0] * 0.25
    assert rows["c"].wasted["electricity"] == pytest.approx(idle + (rows["c"].used["electricity"] - idle) * share)


def test_chillers_are_at_their_rating_and_better_in_the_cool() -> None:
    water_cooled = replace(CHILLER, air_cooled=False, approach_k=5.0)
    out = Outdoors(np.array([35.0, 35.0]), air.humidity(35.0, np.array([0.3, 0.9])), np.zeros(2))
    dry, wet = source.eer(water_cooled, out, 7.0)
    assert dry > wet  # towers follow the wet bulb
    assert float(source.eer(CHILLER, weather(1, 30.0), 7.0)[0]) == pytest.approx(5.0)


def test_a_network_that_nobody_feeds_blows_down_as_a_choked_nozzle_does() -> None:
    """p = p₀ e^(−t / τ) above the atmosphere's double: τ is what a bar holds over what a bar drives through the holes."""
    off = replace(loading(), available=False)
    network = Network(20.0, 20.0, 300.0, (Leak(40, 3.0, 0.61),))
    found = compressed_air.run(network, [off], np.zeros(3), 60.0)
    absolute = found.stored_nm3 * 101.325 / 20.0 * 293.15 / 273.15
    per_kpa = 40 * orifice_nm3_per_h(3.0, 0.61, 700.0, 20.0) / 801.325 / 3600.0
    tau = 20.0 / 101.325 * 273.15 / 293.15 / per_kpa
    assert absolute == pytest.approx(751.325 * np.exp(-60.0 * np.arange(1, 4) / tau), rel=2e-3)


def test_an_oven_and_a_hall_agree_with_an_integrator() -> None:
    """Cooling over a night, and a hall under a weather that changes: beside scipy's Runge–Kutta on the same equations."""
    from scipy.integrate import solve_ivp

    states = np.zeros((3600, len(STATES)))
    states[:40, 4] = 1.0
    states[40:, 0] = 1.0
    quick = replace(driving(3600, states), step_s=10.0)
    found = oven.run(an_oven(burner_kw=1e6), quick)
    hot = found.celsius[39]
    cooled = solve_ivp(lambda _, t: -4.0 * (t - 20.0) / 10.0, (0.0, 3560 / 360.0), [hot], rtol=1e-9).y[0, -1]
    assert found.celsius[-1] == pytest.approx(cooled, rel=2e-3)
    t = 5.0 + 8.0 * np.sin(np.arange(96) / 96.0 * 2 * np.pi)
    out = Outdoors(t, air.humidity(t, 0.6), np.maximum(800.0 * np.sin(np.arange(96) / 48.0 * np.pi), 0.0))
    ended = simulate(Utilities(10.8, halls=(a_hall(sun_m2=50.0, gains_kw=20.0),)), driving(96, outdoors=out))
    sun = 50.0 * out.sun_w_per_m2 / 1000.0

    def slope(hour: float, kelvin: Floats) -> Floats:
        i = min(int(hour * 4), 95)
        return np.asarray((10.0 * (t[i] - kelvin) + 20.0 + sun[i]) / 100.0)

    exact = solve_ivp(slope, (0.0, 24.0), [t[0]], rtol=1e-8, atol=1e-8, max_step=0.05).y[0, -1]
    assert ended.loops.hall_celsius[0, -1] == pytest.approx(exact, abs=2e-3)


def test_steam_costs_its_evaporation_and_spray_cools_the_air() -> None:
    """Dry air at 30 °C that must be 24 °C and 50 %: spray does it with less cold than steam, which takes heat besides."""
    window, out = Window(24.0, 24.0, 0.5, 0.6), weather(1, 30.0, 0.1)
    spray, steam = (booth.condition(a_booth(window=window, steam=one), out, 1.0, window) for one in (False, True))
    assert steam.water_kg_per_h == pytest.approx(spray.water_kg_per_h)
    assert float(steam.cold_kw[0]) > float(spray.cold_kw[0])
    assert float(steam.heat_kw[0]) == pytest.approx(
        float(steam.water_kg_per_h[0]) / 3600.0 * (2501.0 + 186.0), rel=1e-6
    )
    assert float(spray.heat_kw[0]) >= 0.0
