"""Who stops when something is short: the fewest, in order and in turns, by shares, kelvin, pressure; and what is given back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import booth as booths
from zerofactory.optimisation.utilities.air import AIR_KJ_PER_KG_K
from zerofactory.optimisation.utilities.booth import Booth, Window
from zerofactory.optimisation.utilities.compressed_air import Compressor, Network
from zerofactory.optimisation.utilities.driven import Driven, Outdoors, Stations
from zerofactory.optimisation.utilities.loop import Load, Loop
from zerofactory.optimisation.utilities.plant import AirNeed, Down, Utilities, simulate
from zerofactory.optimisation.utilities.shedding import asked, causes, grown, held, released, unheld
from zerofactory.optimisation.utilities.source import Chiller
from zerofactory.optimisation.utilities.stop import Stop

NAME = Text("甲", "one")
STATES = ("off", "idle", "working")
COLD = Loop("cold", NAME, False, 7.0, 12.0)
NAMES = ("a", "b", "c")


def driving(count: int, off: tuple[str, ...] = ()) -> Driven:
    """Return three stations that work all the time, but those that are off."""
    shares = {name: np.zeros((count, 3)) for name in NAMES}
    for name, table in shares.items():
        table[:, 0 if name in off else 2] = 1.0
    pieces = {name: np.zeros(count) for name in NAMES}
    stations = Stations(shares, dict.fromkeys(NAMES, 1), pieces, {}, STATES, ("working",))
    outdoors = Outdoors(np.full(count, 30.0), np.full(count, 0.015), np.zeros(count))
    return Driven(900.0, outdoors, stations, np.ones(count), np.zeros(count, dtype=np.int64), np.zeros(count))


def chiller(name: str, kw: float) -> Chiller:
    return Chiller(name, NAME, None, "cold", kw, 5.0, 30.0, 5.0, 15.0, 9.0)


def cold(kw: float, least: float = 0.9, **keys: object) -> Utilities:
    """Return three loads of 100 kW on chillers of so many kW."""
    loads = tuple(Load(f"load-{name}", "cold", 100.0, 20.0) for name in NAMES)
    stops = tuple(Stop(f"stop-{name}", (name,), load=f"load-{name}", below_fraction=least) for name in NAMES)
    found = Utilities(10.8, loops=(COLD,), loads=loads, chillers=(chiller("big", kw),), stops=stops)
    return replace(found, **keys)  # type: ignore[arg-type]


def marked(one: Utilities, driven: Driven, *, fewest: bool = True) -> list[list[int]]:
    found: list[list[int]] = grown(
        one, driven, simulate(one, driven), unheld(one, driven.length), fewest=fewest
    ).tolist()
    return found


@pytest.mark.parametrize(("kw", "stopped"), [(300.0, 0), (270.0, 0), (269.0, 1), (200.0, 1), (150.0, 2), (0.0, 3)])
def test_the_fewest_stop_so_that_the_rest_has_its_share(kw: float, stopped: int) -> None:
    """Of three needs of 100 kW at a least share of 0.9, and 80 kW freed by each that stops."""
    assert marked(cold(kw), driving(1)) == [[1] if place < stopped else [0] for place in range(3)]


def test_who_is_off_asks_for_nothing_and_all_may_be_meant() -> None:
    assert marked(cold(200.0), driving(1, off=("a",))) == [[0], [1], [0]]
    assert marked(cold(200.0), driving(1), fewest=False) == [[1], [1], [1]]
    assert marked(cold(200.0, least=0.6), driving(1)) == [[0], [0], [0]]


def test_the_order_turns_and_patience_counts() -> None:
    turning = cold(200.0, stops_turn_minutes=30.0)
    assert marked(turning, driving(8)) == [
        [1, 1, 0, 0, 0, 0, 1, 1],
        [0, 0, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
    ]
    one = cold(200.0)
    patient = replace(one, stops=tuple(replace(stop, tolerated_minutes=30.0, restart_minutes=15.0) for stop in one.stops))  # fmt: skip
    short = replace(patient, down=(Down("big", 900.0, 4500.0),), chillers=(chiller("big", 300.0),))
    driven = driving(7)
    marks = grown(short, driven, simulate(short, driven), unheld(short, 7))
    assert marks[0].tolist() == [0, 0, 0, 1, 1, 0, 0], "half an hour is borne"
    assert held(short, marks, driven)[0].tolist() == [0, 0, 0, 1, 1, 1, 0], "a quarter to start again"


def test_a_booth_stops_where_its_air_leaves_the_window_by_so_many_kelvin() -> None:
    """What is missing, as dry heat of the air that flows, against 2 K: just enough is served, then just not."""
    still = Window(20.0, 20.0)
    one = Booth("cabin", NAME, None, ("a",), 36000.0, still, still, 0.0, "gas", "cold")
    driven = driving(1)
    need = float(booths.run(one, driven).cold_kw[0])
    two_k = 2.0 * booths.rated_kg_per_s(one, driven.outdoors.pressure_pa) * AIR_KJ_PER_KG_K
    assert need > two_k > 0.0
    stop = Stop("s", ("a",), booth="cabin", outside_k=2.0)
    for kw, expected in ((need - 0.99 * two_k, 0), (need - 1.01 * two_k, 1)):
        plant = Utilities(10.8, booths=(one,), loops=(COLD,), chillers=(chiller("c", kw),), stops=(stop,))
        assert marked(plant, driven) == [[expected]]


def test_air_stops_until_what_comes_suffices_and_is_given_back_where_nobody_asks() -> None:
    needs = tuple(AirNeed(f"air-{name}", (name,), {"working": 500.0}) for name in NAMES)
    stops = tuple(Stop(f"stop-{name}", (name,), air=f"air-{name}", below_kpa=550.0) for name in NAMES)
    machine = Compressor("k", NAME, None, "variable", 1100.0, 120.0, 650.0, 700.0, curve=((0.2, 0.3), (1.0, 1.0)))
    plant = Utilities(10.8, network=Network(2.0, 0.0, 500.0), compressors=(machine,), air=needs, stops=stops)
    driven = driving(4)
    marks = grown(plant, driven, simulate(plant, driven), unheld(plant, 4))
    number = [one.id for one in causes(plant)].index("network") + 1
    assert marks[:, -1].tolist() == [number, 0, 0], "1000 of 1500 Nm3/h can be made"
    most = asked(plant, driven, simulate(plant, driven))
    assert most[-1, :, -1].tolist() == [500.0, 500.0, 500.0]
    waiting = driving(4, off=("a", "b"))
    ended = simulate(plant, waiting)
    assert released(plant, waiting, ended, marks, most)[:, -1].tolist() == [0, 0, 0], "b waits: a can have its air"
    busy = driving(4, off=("a",))
    assert released(plant, busy, simulate(plant, busy), marks, most)[:, -1].tolist() == [number, 0, 0]
    assert released(plant, waiting, ended, np.where(marks == 0, number, marks), most)[:, -1].tolist() == [number, number, 0]  # fmt: skip
